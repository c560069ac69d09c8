//! Where networks run: the processor, or a CUDA card.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use pastiche_nn::{DeviceChoice, Level, processor_name};
use serde::Serialize;

use crate::{
    InferenceError, Precision,
    card::{self, Card, CardError, CardInfo, Cards},
};

/// An opened device, and how it will compute. Clones are the same device.
#[derive(Debug, Clone)]
pub struct ComputeDevice {
    place: Place,
    name: String,
    note: Option<String>,
    /// The note, where it tells of a card that does not work, until that is told.
    warning: Arc<Mutex<Option<String>>>,
}

#[derive(Debug, Clone)]
enum Place {
    Processor(Level),
    Card(Arc<OpenCard>),
}

/// A card that networks are placed on.
#[derive(Debug)]
pub(crate) struct OpenCard {
    number: usize,
    card: Box<dyn Card>,
    /// Nobody asked for just this card, so the processor may take its place.
    replaceable: bool,
    /// It is not to be used any more.
    given_up: AtomicBool,
}

impl OpenCard {
    pub(crate) fn card(&self) -> &dyn Card {
        self.card.as_ref()
    }

    pub(crate) fn is_replaceable(&self) -> bool {
        self.replaceable
    }

    /// Lets nothing be placed on it any more.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}

/// Whether a choice means a card, as far as can be told without opening it.
pub(crate) fn is_card(choice: DeviceChoice) -> bool {
    match choice {
        DeviceChoice::Cpu => false,
        DeviceChoice::Cuda(_) => true,
        DeviceChoice::Auto => {
            let found = card::cards().and_then(|cards| cards.list());
            found.is_ok_and(|found| found.first().is_some_and(|card| card.check().is_ok()))
        }
    }
}

impl ComputeDevice {
    /// Opens a device. For [`DeviceChoice::Auto`] that is the first card, where one can be used; else the processor, and
    /// [`Self::note`] says why. Such a card may fail later: the processor then takes its place. That, and that a card does not
    /// work in the first place, [`Stylizer::take_warning`](crate::Stylizer::take_warning) tells.
    ///
    /// # Errors
    /// A device that was asked for by name cannot be used, or the environment variable `PASTICHE_CPU` names no instruction
    /// set.
    pub fn open(choice: DeviceChoice) -> Result<Self, InferenceError> {
        Self::open_among(choice, card::cards())
    }

    /// As [`Self::open`], with the cards that somebody else knows.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_among(
        choice: DeviceChoice,
        cards: Result<&dyn Cards, CardError>,
    ) -> Result<Self, InferenceError> {
        match choice {
            DeviceChoice::Cpu => Self::processor(None),
            DeviceChoice::Cuda(number) => {
                cards.and_then(|cards| Self::card(number, false, cards)).map_err(|source| {
                    InferenceError::Device { id: choice.to_string(), reason: source.to_string() }
                })
            }
            DeviceChoice::Auto => match cards.and_then(|cards| Self::card(0, true, cards)) {
                Ok(device) => Ok(device),
                Err(error) => {
                    let note = format!("no CUDA card in use: {error}");
                    // A program without the engine for cards is as it should be; a card that does not work is not.
                    let warning = (!matches!(error, CardError::NotInstalled { .. })).then(|| note.clone());
                    Ok(Self { warning: Arc::new(Mutex::new(warning)), ..Self::processor(Some(note))? })
                }
            },
        }
    }

    pub(crate) fn processor(note: Option<String>) -> Result<Self, InferenceError> {
        let level = Level::best().map_err(|source| InferenceError::Processor { source })?;
        Ok(Self::new(Place::Processor(level), processor_name(), note))
    }

    fn card(number: usize, replaceable: bool, cards: &dyn Cards) -> Result<Self, CardError> {
        let found = cards.list()?;
        let info = found.get(number).ok_or_else(|| CardError::Failed {
            reason: match found.len() {
                0 => "this machine has no CUDA card".to_owned(),
                1 => "this machine has one CUDA card, cuda:0".to_owned(),
                count => format!("this machine has {count} CUDA cards, the last is cuda:{}", count - 1),
            },
        })?;
        info.check()?;
        let card = cards.open(number)?;
        let card = OpenCard { number, card, replaceable, given_up: AtomicBool::new(false) };
        Ok(Self::new(Place::Card(Arc::new(card)), info.name.clone(), None))
    }

    fn new(place: Place, name: String, note: Option<String>) -> Self {
        Self { place, name, note, warning: Arc::default() }
    }

    /// That a card which `auto` would take does not work, once.
    pub(crate) fn take_warning(&self) -> Option<String> {
        // An `Option` is never half-written, so a poisoned one is still sound.
        self.warning.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What it computes in: as `--precision` names it, the one that [`Precision::Auto`] takes for a card first.
    pub(crate) fn precisions(&self) -> Vec<&'static str> {
        let precisions: &[Precision] = match &self.place {
            Place::Processor(level) if level.has_bf16() => &[Precision::F32, Precision::Bf16],
            Place::Processor(_) => &[Precision::F32],
            Place::Card(_) => &CARD_PRECISIONS,
        };
        precisions.iter().copied().map(Precision::name).collect()
    }

    /// The processor's instruction set to compute with, where this is the processor.
    pub(crate) fn level(&self) -> Option<Level> {
        match &self.place {
            Place::Processor(level) => Some(*level),
            Place::Card(_) => None,
        }
    }

    /// The card, where this is one.
    pub(crate) fn open_card(&self) -> Option<&OpenCard> {
        match &self.place {
            Place::Processor(_) => None,
            Place::Card(card) => Some(card),
        }
    }

    /// `cpu`, `cuda:0`, ...
    pub fn id(&self) -> String {
        match &self.place {
            Place::Processor(_) => DeviceChoice::Cpu,
            Place::Card(card) => DeviceChoice::Cuda(card.number),
        }
        .to_string()
    }

    /// What its maker calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why `auto` took this device, where there is something to say.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

/// What cards compute in.
const CARD_PRECISIONS: [Precision; 2] = [Precision::F16, Precision::F32];

/// A device as `pastiche devices` lists it.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceInfo {
    /// What `--device` takes.
    pub id: String,
    /// What its maker calls it.
    pub name: String,
    /// What `--precision` takes there.
    pub precisions: Vec<&'static str>,
    /// Whether it works here and now.
    pub usable: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Bytes of its own memory; a card's only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The version of CUDA that its driver knows, such as `13.0`; a card's only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
}

impl DeviceInfo {
    fn unusable(choice: DeviceChoice, name: String, reason: String) -> Self {
        Self {
            id: choice.to_string(),
            name,
            precisions: Vec::new(),
            usable: false,
            reason: Some(reason),
            memory_bytes: None,
            driver: None,
        }
    }

    fn usable(id: String, name: String, precisions: Vec<&'static str>) -> Self {
        Self { id, name, precisions, usable: true, reason: None, memory_bytes: None, driver: None }
    }
}

/// All devices: the processor, then the CUDA cards, or why there are none.
pub fn compute_devices() -> Vec<DeviceInfo> {
    compute_devices_among(card::cards())
}

/// As [`compute_devices`], with the cards that somebody else knows.
pub fn compute_devices_among(cards: Result<&dyn Cards, CardError>) -> Vec<DeviceInfo> {
    let mut devices = vec![match ComputeDevice::open(DeviceChoice::Cpu) {
        Ok(device) => DeviceInfo::usable(device.id(), device.name.clone(), device.precisions()),
        Err(error) => DeviceInfo::unusable(DeviceChoice::Cpu, processor_name(), error.to_string()),
    }];
    let found = cards.and_then(|cards| Ok((cards, cards.list()?)));
    match found {
        Ok((_, found)) if found.is_empty() => {
            let reason = "this machine has no CUDA card".to_owned();
            devices.push(DeviceInfo::unusable(DeviceChoice::Cuda(0), "CUDA".to_owned(), reason));
        }
        Ok((cards, found)) => {
            devices.extend(found.iter().enumerate().map(|(number, info)| describe(number, info, cards)));
        }
        Err(error) => {
            let (first, name) = (DeviceChoice::Cuda(0), "CUDA".to_owned());
            devices.push(DeviceInfo::unusable(first, name, error.to_string()));
        }
    }
    devices
}

fn describe(number: usize, info: &CardInfo, cards: &dyn Cards) -> DeviceInfo {
    let (choice, name) = (DeviceChoice::Cuda(number), info.name.clone());
    // Whether a card opens, only opening it shows.
    let described = match ComputeDevice::card(number, false, cards) {
        Ok(device) => DeviceInfo::usable(choice.to_string(), name, device.precisions()),
        Err(error) => DeviceInfo::unusable(choice, name, error.to_string()),
    };
    let (major, minor) = info.driver;
    DeviceInfo {
        memory_bytes: Some(info.memory_bytes),
        driver: Some(format!("{major}.{minor}")),
        ..described
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_listed_first_and_usable() {
        assert_eq!(ComputeDevice::open(DeviceChoice::Cpu).unwrap().id(), "cpu");
        let processor = &compute_devices()[0];
        assert!(processor.usable && processor.id == "cpu");
        assert_eq!(processor.precisions[0], "f32");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn without_the_engine_for_cards_that_is_said() {
        let card = &compute_devices()[1];
        assert!(!card.usable);
        assert!(
            card.reason.as_deref().unwrap().contains("no engine for CUDA cards is installed"),
            "{card:?}"
        );
        let error = ComputeDevice::open(DeviceChoice::Cuda(1)).unwrap_err().to_string();
        assert!(error.contains("cuda:1") && error.contains("--device cpu"), "{error}");
        let device = ComputeDevice::open(DeviceChoice::Auto).unwrap();
        assert_eq!(device.id(), "cpu");
        assert!(device.note().unwrap().contains("no engine for CUDA cards"), "{:?}", device.note());
        assert_eq!(device.take_warning(), None, "that is as it should be");
    }
}
