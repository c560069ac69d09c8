//! Frame in, painted frame out.

use pastiche_frame::{Frame, FramePool, PixelFormat};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{
    ComputeDevice, Controls, FrameRow, InferenceError, PlacedStyle, Precision, Style, memory, picture,
    resize::{RgbResizer, Size},
    smoothing::{Past, Smoother},
};

/// Smallest side of a picture that networks can paint.
pub const MIN_SIDE: u32 = 16;
/// Largest side of a picture.
pub const MAX_SIDE: u32 = 16_384;

/// What is fixed for the life of a [`Stylizer`].
#[derive(Debug, Clone, Copy, Default)]
pub struct StylizerOptions {
    /// Threads of the processor; all by default.
    pub threads: Option<usize>,
    /// The number type to compute in.
    pub precision: Precision,
    /// Width and height that the network runs at; the frame's own by default.
    pub process_size: Option<(u32, u32)>,
}

/// Paints frames in one style on one device. Style and controls may change between two frames.
pub struct Stylizer {
    placed: PlacedStyle,
    wish: Precision,
    process_size: Option<Size>,
    pool: ThreadPool,
    /// The sizes that memory was checked for.
    checked: Option<Sizes>,
    controls: Controls,
    smoother: Smoother,
    resizer: RgbResizer,
    small_input: Vec<u8>,
    painting: Vec<f32>,
    painting_bytes: Vec<u8>,
    enlarged: Vec<u8>,
}

impl Stylizer {
    /// Places `style` on `device`.
    ///
    /// # Errors
    /// The device lacks the precision or the memory, the process size is out of range, or threads cannot start.
    pub fn new(
        style: Style,
        device: &ComputeDevice,
        options: &StylizerOptions,
    ) -> Result<Self, InferenceError> {
        let pool = thread_pool(options)?;
        let placed = pool.install(|| PlacedStyle::new(&style, device, options.precision))?;
        Self::build(placed, pool, options)
    }

    /// Paints with a style that is on its device already; the precision of `options` counts for [`Self::set_style`] only.
    ///
    /// # Errors
    /// The process size is out of range, or threads cannot start.
    pub fn from_placed(placed: PlacedStyle, options: &StylizerOptions) -> Result<Self, InferenceError> {
        Self::build(placed, thread_pool(options)?, options)
    }

    fn build(
        placed: PlacedStyle,
        pool: ThreadPool,
        options: &StylizerOptions,
    ) -> Result<Self, InferenceError> {
        let process_size = options.process_size.map(|(width, height)| Size { width, height });
        process_size.map(check_size).transpose()?;
        Ok(Self {
            placed,
            checked: None,
            wish: options.precision,
            process_size,
            pool,
            controls: Controls::default(),
            smoother: Smoother::default(),
            resizer: RgbResizer::new(),
            small_input: Vec::new(),
            painting: Vec::new(),
            painting_bytes: Vec::new(),
            enlarged: Vec::new(),
        })
    }

    /// How the painting is mixed.
    pub const fn controls(&self) -> Controls {
        self.controls
    }

    /// Mixes the following frames so.
    ///
    /// # Errors
    /// A control is outside its range; the old ones stay.
    pub fn set_controls(&mut self, controls: Controls) -> Result<(), InferenceError> {
        self.controls = controls.validate()?;
        Ok(())
    }

    /// Paints the following frames in another style.
    ///
    /// # Errors
    /// The device has no memory left; the old style stays.
    pub fn set_style(&mut self, style: Style) -> Result<(), InferenceError> {
        let (device, wish) = (self.device().clone(), self.wish);
        let placed = self.pool.install(|| PlacedStyle::new(&style, &device, wish))?;
        self.exchange(placed);
        Ok(())
    }

    /// Paints the following frames in a style that is on its device already, and returns the one that it replaces.
    pub fn exchange(&mut self, placed: PlacedStyle) -> PlacedStyle {
        let mut replaced = std::mem::replace(&mut self.placed, placed);
        // Only its weights are kept, and not what painting took.
        replaced.network.engine.release();
        self.checked = None;
        self.reset();
        replaced
    }

    /// Lets the network run at this size from the next frame on; at the frame's own where there is none.
    ///
    /// # Errors
    /// The size is out of range; the old one stays.
    pub fn set_process_size(&mut self, size: Option<(u32, u32)>) -> Result<(), InferenceError> {
        let size = size.map(|(width, height)| Size { width, height });
        size.map(check_size).transpose()?;
        self.process_size = size;
        Ok(())
    }

    /// Forgets what came before, as at the start of another video.
    pub fn reset(&mut self) {
        self.smoother.reset();
    }

    /// What smoothing knows of the frames that came before; `None` where it is off, or nothing came before.
    pub fn past(&self) -> Option<Past> {
        self.smoother.past()
    }

    /// Goes on as if the frames of that past had come before.
    pub fn set_past(&mut self, past: Past) {
        self.smoother.set_past(past);
    }

    /// The device that the network runs on.
    pub const fn device(&self) -> &ComputeDevice {
        self.placed.device()
    }

    /// The id of the device that the network runs on: `cpu`, `cuda:0`, ...
    pub fn device_id(&self) -> String {
        self.placed.device().id()
    }

    /// The number type that the network computes in.
    pub const fn precision(&self) -> &'static str {
        self.placed.precision()
    }

    /// The processor's instruction set that the network runs on, where it runs on the processor.
    pub fn instructions(&self) -> Option<String> {
        self.placed.network.engine.level().map(|level| level.to_string())
    }

    /// Bytes of main memory that painting a frame of this size takes.
    ///
    /// # Errors
    /// The size is out of range.
    pub fn memory_bytes(&self, width: u32, height: u32) -> Result<u64, InferenceError> {
        let size = Size { width, height };
        check_size(size)?;
        self.memory_needed(size, self.process_size.unwrap_or(size))
    }

    fn memory_needed(&self, size: Size, process_size: Size) -> Result<u64, InferenceError> {
        let pixels = |size: Size| u64::from(size.width) * u64::from(size.height);
        let network = self.placed.network.engine.memory_bytes(process_size, &self.pool)?;
        let frame = memory::FRAME_BYTES_PER_PIXEL * pixels(size);
        Ok(network + frame + memory::BYTES_PER_PIXEL * pixels(process_size))
    }

    /// How many threads of the processor work for this engine.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Why the processor works where a card might: it failed, and was chosen by `auto`. Told once.
    pub fn take_warning(&mut self) -> Option<String> {
        self.placed.network.take_warning()
    }

    /// Paints an RGB frame. The result has the frame's size, time and colour space, and its buffer.
    ///
    /// # Errors
    /// The frame is not RGB, its size is out of range or does not fit into memory, or the device failed and nothing else may
    /// take its place.
    pub fn stylize(&mut self, mut frame: Frame) -> Result<Frame, InferenceError> {
        loop {
            let sizes = self.prepare(&frame)?;
            match self.paint(&frame, sizes).and_then(|()| self.lay_over(&mut frame, sizes)) {
                Ok(()) => return Ok(frame),
                // On the processor, which is not replaced in turn.
                Err(error) => self.recover(error, sizes)?,
            }
        }
    }

    /// Paints an RGB frame and leaves it as it is. The result has its size, time and colour space, and a buffer of `pool`.
    ///
    /// # Errors
    /// As [`Self::stylize`].
    pub fn stylize_copy(&mut self, frame: &Frame, pool: &FramePool) -> Result<Frame, InferenceError> {
        let mut painted = pool.take_like(frame, frame.width(), frame.height());
        loop {
            let sizes = self.prepare(frame)?;
            let laid = self.paint(frame, sizes).and_then(|()| {
                if !self.shows_only_painting(sizes) {
                    painted.data_mut().copy_from_slice(frame.data());
                }
                self.lay_over(&mut painted, sizes)
            });
            match laid {
                Ok(()) => return Ok(painted),
                Err(error) => self.recover(error, sizes)?,
            }
        }
    }

    /// For painting one frame after the other: where the device can, some at the same time.
    pub fn in_a_row(&mut self) -> FrameRow<'_> {
        FrameRow::new(self)
    }

    /// The sizes of a frame that can be painted, for which there is memory.
    pub(crate) fn prepare(&mut self, frame: &Frame) -> Result<Sizes, InferenceError> {
        let sizes = self.sizes(frame)?;
        if self.checked != Some(sizes) {
            self.forget_size();
            memory::check(sizes.process, |process| self.memory_needed(sizes.frame, process))?;
            self.checked = Some(sizes);
        }
        Ok(sizes)
    }

    /// At which sizes a frame is painted.
    pub(crate) fn sizes(&self, frame: &Frame) -> Result<Sizes, InferenceError> {
        if frame.format() != PixelFormat::Rgb8 {
            return Err(InferenceError::Format { found: frame.format() });
        }
        let size = Size { width: frame.width(), height: frame.height() };
        check_size(size)?;
        Ok(Sizes { frame: size, process: self.process_size.unwrap_or(size) })
    }

    /// Gives back the memory for the last size; frames under way are lost.
    pub(crate) fn forget_size(&mut self) {
        self.checked = None;
        self.placed.network.engine.release();
    }

    /// After an error in painting: lets the processor take the place of a card, where it may.
    ///
    /// # Errors
    /// The error, where nothing can be done.
    pub(crate) fn recover(&mut self, error: InferenceError, sizes: Sizes) -> Result<(), InferenceError> {
        let Self { pool, placed, .. } = self;
        self.checked = None;
        pool.install(|| placed.network.recover(error))
            .map_err(|error| placed.network.with_fitting_size(error, sizes.process))
    }

    /// Whether frames go through a card without a look at their numbers, which only smoothing needs.
    pub(crate) fn is_rounded_on_card(&mut self) -> bool {
        self.controls.smoothing == 0.0 && self.placed.network.engine.on_card().is_some()
    }

    /// Sends a frame to the card.
    pub(crate) fn submit(&mut self, frame: &Frame, sizes: Sizes) -> Result<(), InferenceError> {
        self.shrink(frame, sizes)?;
        self.smoother.reset();
        let Self { placed, small_input, .. } = self;
        let pixels = if sizes.are_same() { frame.data() } else { small_input.as_slice() };
        placed.network.engine.on_card().map_or(Ok(()), |card| card.submit(pixels, sizes.process))
    }

    /// Paints the frame with what the card has made of it. On an error it is as it was.
    pub(crate) fn collect(&mut self, frame: &mut Frame, sizes: Sizes) -> Result<(), InferenceError> {
        let only_painting = self.shows_only_painting(sizes);
        let Self { placed, painting_bytes, .. } = self;
        let Some(card) = placed.network.engine.on_card() else { return Ok(()) };
        if only_painting {
            return card.collect(frame.data_mut());
        }
        painting_bytes.resize(sizes.process.rgb8_len(), 0);
        card.collect(painting_bytes)?;
        self.mix_in(frame, sizes)
    }

    /// Runs the network on a frame: on a card, or by its numbers, which are left in `painting`.
    fn paint(&mut self, frame: &Frame, sizes: Sizes) -> Result<(), InferenceError> {
        if self.is_rounded_on_card() {
            return self.submit(frame, sizes);
        }
        self.shrink(frame, sizes)?;
        let Self { pool, placed, painting, smoother, controls, small_input, .. } = self;
        pool.install(|| {
            let pixels = if sizes.are_same() { frame.data() } else { small_input.as_slice() };
            painting.resize(pixels.len(), 0.0);
            placed.network.engine.paint(pixels, sizes.process, painting)?;
            if controls.smoothing > 0.0 {
                smoother.smooth(controls.smoothing, sizes.process.width as usize, pixels, painting);
            } else {
                smoother.reset();
            }
            Ok(())
        })
    }

    /// Lays what [`Self::paint`] made of a frame over it, as the controls say. On an error it is as it was.
    fn lay_over(&mut self, frame: &mut Frame, sizes: Sizes) -> Result<(), InferenceError> {
        if self.is_rounded_on_card() {
            return self.collect(frame, sizes);
        }
        let only_painting = self.shows_only_painting(sizes);
        let Self { pool, painting, painting_bytes, .. } = self;
        if only_painting {
            pool.install(|| picture::bytes_from_rgb(painting, frame.data_mut()));
            return Ok(());
        }
        painting_bytes.resize(painting.len(), 0);
        pool.install(|| picture::bytes_from_rgb(painting, painting_bytes));
        self.mix_in(frame, sizes)
    }

    /// Whether nothing of the input shows, so that the painting takes its place.
    fn shows_only_painting(&self, sizes: Sizes) -> bool {
        sizes.are_same() && self.controls.strength == 1.0 && !self.controls.keep_colors
    }

    /// Makes the frame as small as the network sees it, in `small_input`.
    fn shrink(&mut self, frame: &Frame, sizes: Sizes) -> Result<(), InferenceError> {
        if sizes.are_same() {
            return Ok(());
        }
        self.resizer.resize(frame.data(), sizes.frame, &mut self.small_input, sizes.process)
    }

    /// Mixes `painting_bytes`, brought to the frame's size, into the frame.
    fn mix_in(&mut self, frame: &mut Frame, sizes: Sizes) -> Result<(), InferenceError> {
        let Self { pool, resizer, painting_bytes, enlarged, controls, .. } = self;
        let painting = if sizes.are_same() {
            painting_bytes
        } else {
            resizer.resize(painting_bytes, sizes.process, enlarged, sizes.frame)?;
            enlarged
        };
        pool.install(|| picture::mix(frame.data_mut(), painting, controls.strength, controls.keep_colors));
        Ok(())
    }
}

/// The sizes of a frame, and of the network that paints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    frame: Size,
    process: Size,
}

impl Sizes {
    fn are_same(self) -> bool {
        self.frame == self.process
    }
}

/// The threads that a network runs on.
pub(crate) fn thread_pool(options: &StylizerOptions) -> Result<ThreadPool, InferenceError> {
    let threads = options.threads.unwrap_or_else(available_threads);
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("engine-{index}"))
        .build()
        .map_err(|source| InferenceError::Threads { threads, source })
}

fn check_size(Size { width, height }: Size) -> Result<(), InferenceError> {
    let allowed = MIN_SIDE..=MAX_SIDE;
    if allowed.contains(&width) && allowed.contains(&height) {
        return Ok(());
    }
    Err(InferenceError::Size { width, height })
}

fn available_threads() -> usize {
    // Where the system does not tell, one thread always works.
    std::thread::available_parallelism().map_or(1, usize::from)
}
