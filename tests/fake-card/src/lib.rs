//! Cards without hardware: the plan for the processor paints, and what can go wrong with a card goes wrong when asked.

use std::{
    collections::VecDeque,
    env, fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
};

use pastiche_inference::card::{Card, CardError, CardInfo, CardPlan, CardPrecision, Cards, MAX_UNDER_WAY};
use pastiche_nn::{Canvas, Level, Network, Picture, Plan, Products};

/// How a fake card is, and what goes wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeCard {
    /// Its compute capability.
    pub capability: (u32, u32),
    /// What its memory may take.
    pub memory_bytes: u64,
    /// It does not open.
    pub refuses: bool,
    /// It is lost when this many frames are painted.
    pub lost_after: Option<u64>,
    /// Its engine crashes at the next frame.
    pub crashes: bool,
}

impl Default for FakeCard {
    fn default() -> Self {
        Self { capability: (9, 0), memory_bytes: 1 << 33, refuses: false, lost_after: None, crashes: false }
    }
}

impl FromStr for FakeCard {
    type Err = String;

    /// Words such as `lost-after=5`, `memory=1000000`, `capability=7.0`, `refuses` and `crashes`, with commas between them.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut card = Self::default();
        for word in text.split(',').filter(|word| !word.is_empty()) {
            let unknown = || format!("`{word}` says nothing about a card");
            let number = |value: &str| value.parse().map_err(|_not_a_number| unknown());
            match word.split_once('=') {
                Some(("lost-after", frames)) => card.lost_after = Some(number(frames)?),
                Some(("memory", bytes)) => card.memory_bytes = number(bytes)?,
                Some(("capability", version)) => {
                    let (major, minor) = version.split_once('.').ok_or_else(unknown)?;
                    card.capability = (number(major)? as u32, number(minor)? as u32);
                }
                None if word == "refuses" => card.refuses = true,
                None if word == "crashes" => card.crashes = true,
                _ => return Err(unknown()),
            }
        }
        Ok(card)
    }
}

/// A machine with one fake card, or none.
#[derive(Debug, Clone, Default)]
pub struct FakeCards {
    card: Option<FakeCard>,
    state: Arc<State>,
}

/// What has happened on the card.
#[derive(Debug, Default)]
struct State {
    /// Frames that are painted.
    frames: AtomicU64,
    /// The most frames that were under way at once.
    most_under_way: AtomicUsize,
}

impl FakeCards {
    /// A machine with this card, which is new.
    pub fn new(card: FakeCard) -> Self {
        Self { card: Some(card), state: Arc::default() }
    }

    /// As the environment variable `FAKE_CARD` says; without it there is no card.
    ///
    /// # Errors
    /// It says nothing about a card.
    pub fn from_environment() -> Result<Self, String> {
        match env::var("FAKE_CARD") {
            Ok(text) => Ok(Self::new(text.parse()?)),
            Err(_) => Ok(Self::default()),
        }
    }

    /// How many frames were painted on it.
    pub fn frames(&self) -> u64 {
        self.state.frames.load(SeqCst)
    }

    /// The most frames that were under way at once.
    pub fn most_under_way(&self) -> usize {
        self.state.most_under_way.load(SeqCst)
    }
}

impl Cards for FakeCards {
    fn list(&self) -> Result<Vec<CardInfo>, CardError> {
        let info = |card: &FakeCard| CardInfo {
            name: "Fake card".to_owned(),
            memory_bytes: card.memory_bytes,
            capability: card.capability,
            driver: (13, 0),
        };
        Ok(self.card.iter().map(info).collect())
    }

    fn open(&self, number: usize) -> Result<Box<dyn Card>, CardError> {
        let card = self.card.clone().filter(|_| number == 0);
        let card = card.ok_or_else(|| failed(format!("there is no card {number}")))?;
        if card.refuses {
            return Err(failed("the driver does not open it".to_owned()));
        }
        Ok(Box::new(OpenCard { card, state: Arc::clone(&self.state) }))
    }
}

fn failed(reason: String) -> CardError {
    CardError::Failed { reason }
}

fn said(error: impl fmt::Display) -> CardError {
    failed(error.to_string())
}

#[derive(Debug)]
struct OpenCard {
    card: FakeCard,
    state: Arc<State>,
}

impl Card for OpenCard {
    fn place(&self, network: &Network, _precision: CardPrecision) -> Result<Box<dyn CardPlan>, CardError> {
        let level = Level::best().map_err(said)?;
        let placed = FakePlan {
            card: self.card.clone(),
            state: Arc::clone(&self.state),
            plan: Plan::with_products(network, level, Products::F32).map_err(said)?,
            numbers: Vec::new(),
            under_way: VecDeque::new(),
        };
        placed.check_alive()?;
        placed.check_memory(placed.weight_bytes())?;
        Ok(Box::new(placed))
    }
}

struct FakePlan {
    card: FakeCard,
    state: Arc<State>,
    plan: Plan,
    numbers: Vec<f32>,
    /// What will be collected.
    under_way: VecDeque<Vec<u8>>,
}

impl FakePlan {
    fn check_alive(&self) -> Result<(), CardError> {
        let frames = self.state.frames.load(SeqCst);
        if self.card.lost_after.is_some_and(|last| frames >= last) {
            return Err(CardError::Lost { reason: format!("after {frames} frames") });
        }
        Ok(())
    }

    fn check_memory(&self, needed: u64) -> Result<(), CardError> {
        let free = self.card.memory_bytes;
        if needed > free { Err(CardError::OutOfMemory { needed, free }) } else { Ok(()) }
    }

    fn compute(
        &mut self,
        pixels: &[u8],
        size: (usize, usize),
        painting: &mut [f32],
    ) -> Result<(), CardError> {
        assert!(!self.card.crashes, "a crash as asked for");
        self.check_alive()?;
        self.check_memory(CardPlan::memory_bytes(self, size))?;
        self.plan.paint(Picture::Rgb8(pixels), size, Canvas::Rgb(painting)).map_err(said)
    }
}

impl CardPlan for FakePlan {
    fn weight_bytes(&self) -> u64 {
        self.plan.weight_bytes()
    }

    fn memory_bytes(&self, (height, width): (usize, usize)) -> u64 {
        // It cannot be of a size that the plan does not take.
        self.plan.memory_bytes(height, width).unwrap_or(0) + self.plan.weight_bytes()
    }

    fn release(&mut self) {
        self.under_way.clear();
        self.plan.release();
    }

    fn paint(&mut self, pixels: &[u8], size: (usize, usize), painting: &mut [f32]) -> Result<(), CardError> {
        if !self.under_way.is_empty() {
            return Err(failed("frames are under way".to_owned()));
        }
        self.compute(pixels, size, painting)?;
        self.state.frames.fetch_add(1, SeqCst);
        Ok(())
    }

    fn submit(&mut self, pixels: &[u8], size: (usize, usize)) -> Result<(), CardError> {
        if self.under_way.len() == MAX_UNDER_WAY {
            return Err(failed("too many frames are under way".to_owned()));
        }
        let mut numbers = std::mem::take(&mut self.numbers);
        numbers.resize(pixels.len(), 0.0);
        let computed = self.compute(pixels, size, &mut numbers);
        let rounded = numbers.iter().map(|value| (value + 0.5) as u8).collect();
        self.numbers = numbers;
        computed?;
        self.under_way.push_back(rounded);
        self.state.most_under_way.fetch_max(self.under_way.len(), SeqCst);
        Ok(())
    }

    fn collect(&mut self, painting: &mut [u8]) -> Result<(), CardError> {
        self.check_alive()?;
        let oldest = self.under_way.pop_front();
        painting.copy_from_slice(&oldest.ok_or_else(|| failed("no frame is under way".to_owned()))?);
        self.state.frames.fetch_add(1, SeqCst);
        Ok(())
    }
}
