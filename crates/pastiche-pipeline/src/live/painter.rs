//! Painting one frame after another, as the controls say.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pastiche_frame::{Frame, FramePool};
use pastiche_inference::{Controls, InferenceError, Stylizer, StylizerOptions};

use super::{
    EngineStatus, LiveEvent, ProcessSize,
    auto_size::AutoSize,
    shared::Shared,
    shelf::{ReadyStyle, StyleKey},
};

/// The style that is shown, and how.
pub(super) struct Painter {
    shared: Arc<Shared>,
    style: Option<PaintedStyle>,
    controls: Controls,
    process_size: ProcessSize,
    auto: AutoSize,
    /// What the network was told last.
    told_size: Option<(u32, u32)>,
    /// What the viewer was told last.
    announced_size: Option<(u32, u32)>,
}

/// A style, and what paints in it.
struct PaintedStyle {
    key: StyleKey,
    name: String,
    stylizer: Stylizer,
}

impl Painter {
    pub(super) fn new(shared: Arc<Shared>, controls: Controls, process_size: ProcessSize) -> Self {
        Self {
            shared,
            style: None,
            controls,
            process_size,
            auto: AutoSize::new(),
            told_size: None,
            announced_size: None,
        }
    }

    pub(super) fn has_style(&self) -> bool {
        self.style.is_some()
    }

    /// What the style that is shown was made from.
    pub(super) fn style_key(&self) -> Option<&StyleKey> {
        self.style.as_ref().map(|style| &style.key)
    }

    /// Paints in this style from now on, and returns the one that it replaces.
    pub(super) fn set_style(&mut self, ready: ReadyStyle) -> Result<Option<ReadyStyle>, InferenceError> {
        let ReadyStyle { key, name, placed } = ready;
        let threads = key.engine.threads;
        let replaced = match &mut self.style {
            // The threads stay, and only the network is another one.
            Some(style) if style.key.engine.threads == threads => Some(ReadyStyle {
                placed: style.stylizer.exchange(placed),
                key: std::mem::replace(&mut style.key, key),
                name: std::mem::replace(&mut style.name, name),
            }),
            _ => {
                let options =
                    StylizerOptions { threads, precision: key.engine.precision, process_size: None };
                let stylizer = Stylizer::from_placed(placed, &options)?;
                self.style = Some(PaintedStyle { key, name, stylizer });
                None
            }
        };
        self.begin_style();
        Ok(replaced)
    }

    /// Leaves frames as they are from now on.
    pub(super) fn remove_style(&mut self) {
        self.style = None;
        self.begin_style();
    }

    fn begin_style(&mut self) {
        self.told_size = None;
        self.shared.forget_inference();
        self.apply_controls();
    }

    /// The style's name, and where its network runs.
    pub(super) fn engine(&self) -> Option<(String, EngineStatus)> {
        let PaintedStyle { name, stylizer, .. } = self.style.as_ref()?;
        let device = stylizer.device();
        let status = EngineStatus {
            device: device.id(),
            device_name: device.name().to_owned(),
            precision: stylizer.precision(),
            threads: stylizer.threads(),
            note: device.note().map(str::to_owned),
        };
        Some((name.clone(), status))
    }

    /// Mixes so from now on.
    pub(super) fn set_controls(&mut self, controls: Controls) {
        match controls.validate() {
            Ok(controls) => self.controls = controls,
            Err(error) => self.shared.tell(LiveEvent::Error(error.to_string())),
        }
        self.apply_controls();
    }

    pub(super) fn set_process_size(&mut self, size: ProcessSize) {
        self.process_size = size;
        self.auto = AutoSize::new();
    }

    /// Another source begins: nothing of the last one may shine through, nor decide the size.
    pub(super) fn reset(&mut self) {
        self.auto = AutoSize::new();
        if let Some(style) = &mut self.style {
            style.stylizer.reset();
        }
    }

    /// Paints a frame into a buffer of `pool`, and tells how long the network took.
    pub(super) fn paint(
        &mut self,
        frame: &Frame,
        pool: &FramePool,
    ) -> Result<(Frame, Duration), InferenceError> {
        let Some(PaintedStyle { stylizer, .. }) = &mut self.style else {
            return Ok((copied(frame, pool), Duration::ZERO));
        };
        let (width, height) = (frame.width(), frame.height());
        let size = match self.process_size {
            ProcessSize::Auto => self.auto.size(width, height),
            ProcessSize::Source => (width, height),
            ProcessSize::Fixed(width, height) => (width, height),
        };
        let changed = self.told_size != Some(size);
        if changed {
            stylizer.set_process_size(Some(size))?;
            self.told_size = Some(size);
            if self.announced_size != Some(size) {
                self.announced_size = Some(size);
                self.shared.update(|status| status.process_size = Some(size));
                let (width, height) = size;
                self.shared.tell(LiveEvent::ProcessSizeChanged { width, height });
            }
        }
        let begun = Instant::now();
        let painted = stylizer.stylize_copy(frame, pool)?;
        let took = begun.elapsed();
        if let Some(reason) = stylizer.take_warning() {
            self.auto = AutoSize::new();
            let engine = self.engine().map(|(_, engine)| engine);
            self.shared.update(|status| status.engine = engine);
            self.shared.tell(LiveEvent::CardReplaced { reason });
            return Ok((painted, took));
        }
        // The first frame of a size takes longer, since its memory is laid out.
        if !changed && self.process_size == ProcessSize::Auto {
            self.auto.record(took, Instant::now());
        }
        Ok((painted, took))
    }

    fn apply_controls(&mut self) {
        if let Some(style) = &mut self.style
            && let Err(error) = style.stylizer.set_controls(self.controls)
        {
            self.shared.tell(LiveEvent::Error(error.to_string()));
        }
    }
}

/// Turns a picture round its upright axis.
pub(super) fn mirror(frame: &mut Frame) {
    let bytes = frame.format().bytes_per_pixel();
    for row in frame.rows_mut() {
        let mut pixels = row;
        while pixels.len() >= 2 * bytes {
            let length = pixels.len();
            let (left, rest) = pixels.split_at_mut(bytes);
            let (inner, right) = rest.split_at_mut(length - 2 * bytes);
            left.swap_with_slice(right);
            pixels = inner;
        }
    }
}

/// A copy in a buffer of `pool`.
pub(super) fn copied(frame: &Frame, pool: &FramePool) -> Frame {
    let mut copy = pool.take_like(frame, frame.width(), frame.height());
    copy.data_mut().copy_from_slice(frame.data());
    copy
}

#[cfg(test)]
mod tests {
    use pastiche_frame::PixelFormat;

    use super::*;

    #[test]
    fn a_mirror_swaps_left_and_right() {
        for width in [1, 2, 3, 4, 7] {
            let data: Vec<u8> = (0..width * 2 * 3).map(|value| value as u8).collect();
            let mut frame = Frame::from_data(width, 2, PixelFormat::Rgb8, data.clone());
            mirror(&mut frame);
            for (row, before) in frame.rows().zip(data.chunks(3 * width as usize)) {
                let mirrored: Vec<u8> = before.chunks(3).rev().flatten().copied().collect();
                assert_eq!(row, mirrored);
            }
        }
    }
}
