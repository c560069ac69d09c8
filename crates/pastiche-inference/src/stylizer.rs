//! Frame in, painted frame out.

use pastiche_frame::{Frame, FramePool, PixelFormat};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{
    ComputeDevice, Controls, InferenceError, PlacedStyle, Precision, Style, memory, picture,
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
    /// The sizes of frame and network that memory was checked for.
    checked: Option<(Size, Size)>,
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
        let Self { pool, placed, wish, .. } = self;
        let placed = pool.install(|| PlacedStyle::new(&style, &placed.device, *wish))?;
        self.exchange(placed);
        Ok(())
    }

    /// Paints the following frames in a style that is on its device already, and returns the one that it replaces.
    pub fn exchange(&mut self, placed: PlacedStyle) -> PlacedStyle {
        let mut replaced = std::mem::replace(&mut self.placed, placed);
        // Only its weights are kept, and not what painting took.
        replaced.engine.release();
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
        self.placed.device.id()
    }

    /// The number type that the network computes in.
    pub const fn precision(&self) -> &'static str {
        self.placed.precision()
    }

    /// The processor's instruction set that the network runs on, where it runs on the processor.
    pub fn instructions(&self) -> Option<String> {
        self.placed.engine.level().map(|level| level.to_string())
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
        let network = self.pool.install(|| self.placed.engine.memory_bytes(process_size))?;
        let frame = memory::FRAME_BYTES_PER_PIXEL * pixels(size);
        Ok(network + frame + memory::BYTES_PER_PIXEL * pixels(process_size))
    }

    /// How many threads of the processor work for this engine.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Paints an RGB frame. The result has the frame's size, time and colour space, and its buffer.
    ///
    /// # Errors
    /// The frame is not RGB, its size is out of range or does not fit into memory, or the device failed.
    pub fn stylize(&mut self, mut frame: Frame) -> Result<Frame, InferenceError> {
        let is_enlarged = self.paint_frame(&frame)?;
        self.lay_over(frame.data_mut(), is_enlarged);
        Ok(frame)
    }

    /// Paints an RGB frame and leaves it as it is. The result has its size, time and colour space, and a buffer of `pool`.
    ///
    /// # Errors
    /// As [`Self::stylize`].
    pub fn stylize_copy(&mut self, frame: &Frame, pool: &FramePool) -> Result<Frame, InferenceError> {
        let is_enlarged = self.paint_frame(frame)?;
        let mut painted = pool.take_like(frame, frame.width(), frame.height());
        if !self.covers() {
            painted.data_mut().copy_from_slice(frame.data());
        }
        self.lay_over(painted.data_mut(), is_enlarged);
        Ok(painted)
    }

    /// Whether nothing of the input shows.
    fn covers(&self) -> bool {
        self.controls.strength == 1.0 && !self.controls.keep_colors
    }

    /// Runs the network on a frame at the process size. Where that is the frame's, the result is in `painting`; else it is
    /// in `enlarged`, which is told.
    fn paint_frame(&mut self, frame: &Frame) -> Result<bool, InferenceError> {
        if frame.format() != PixelFormat::Rgb8 {
            return Err(InferenceError::Format { found: frame.format() });
        }
        let size = Size { width: frame.width(), height: frame.height() };
        check_size(size)?;
        let process_size = self.process_size.unwrap_or(size);
        if self.checked != Some((size, process_size)) {
            self.checked = None;
            self.placed.engine.release();
            memory::check(process_size, |process_size| self.memory_needed(size, process_size))?;
            self.checked = Some((size, process_size));
        }
        if process_size == size {
            self.paint(frame.data(), size)?;
            return Ok(false);
        }
        let mut small = std::mem::take(&mut self.small_input);
        self.resizer.resize(frame.data(), size, &mut small, process_size)?;
        self.paint(&small, process_size)?;
        self.small_input = small;
        self.round_painting();
        self.resizer.resize(&self.painting_bytes, process_size, &mut self.enlarged, size)?;
        Ok(true)
    }

    /// Lays what was painted over the frame's pixels, as the controls say.
    fn lay_over(&mut self, pixels: &mut [u8], is_enlarged: bool) {
        match (self.covers(), is_enlarged) {
            (true, true) => pixels.copy_from_slice(&self.enlarged),
            (true, false) => self.pool.install(|| picture::bytes_from_rgb(&self.painting, pixels)),
            (false, _) => {
                if !is_enlarged {
                    self.round_painting();
                }
                let painting = if is_enlarged { &self.enlarged } else { &self.painting_bytes };
                let Controls { strength, keep_colors, .. } = self.controls;
                self.pool.install(|| picture::mix(pixels, painting, strength, keep_colors));
            }
        }
    }

    /// Rounds the painting to `painting_bytes`.
    fn round_painting(&mut self) {
        let Self { pool, painting, painting_bytes, .. } = self;
        painting_bytes.resize(painting.len(), 0);
        pool.install(|| picture::bytes_from_rgb(painting, painting_bytes));
    }

    /// Runs the network on RGB8 pixels and leaves the result, smoothed, in `painting`.
    fn paint(&mut self, pixels: &[u8], size: Size) -> Result<(), InferenceError> {
        let Self { pool, placed, painting, smoother, controls, .. } = self;
        pool.install(|| {
            painting.resize(pixels.len(), 0.0);
            placed.engine.paint(pixels, size, painting)?;
            if controls.smoothing > 0.0 {
                smoother.smooth(controls.smoothing, size.width as usize, pixels, painting);
            } else {
                smoother.reset();
            }
            Ok(())
        })
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
