//! Frames painted one after the other, with some under way at the same time.

use std::collections::VecDeque;

use pastiche_frame::Frame;

use crate::{InferenceError, Stylizer, card::MAX_UNDER_WAY, stylizer::Sizes};

/// Paints the frames of a video in their order. A card works on up to two at a time, so that its memory and its processors
/// are busy together; the processor works on one.
///
/// Frames that are not taken out before it is dropped are lost. Made by [`Stylizer::in_a_row`].
pub struct FrameRow<'a> {
    stylizer: &'a mut Stylizer,
    /// As they came, the oldest first.
    under_way: VecDeque<(Frame, Sizes)>,
    done: VecDeque<Frame>,
}

impl<'a> FrameRow<'a> {
    pub(crate) fn new(stylizer: &'a mut Stylizer) -> Self {
        Self { stylizer, under_way: VecDeque::with_capacity(MAX_UNDER_WAY), done: VecDeque::new() }
    }

    /// Takes the next frame, and gives the oldest that is painted, where one is.
    ///
    /// # Errors
    /// As for [`Stylizer::stylize`], for this frame or one before.
    pub fn push(&mut self, frame: Frame) -> Result<Option<Frame>, InferenceError> {
        let sizes = self.stylizer.sizes(&frame)?;
        if self.under_way.back().is_some_and(|(_, last)| *last != sizes) {
            self.finish_all()?;
        }
        if !self.stylizer.is_rounded_on_card() {
            self.finish_all()?;
            let frame = self.stylizer.stylize(frame)?;
            self.done.push_back(frame);
            return Ok(self.done.pop_front());
        }
        self.stylizer.prepare(&frame)?;
        let submitted = self.stylizer.submit(&frame, sizes);
        self.under_way.push_back((frame, sizes));
        if let Err(error) = submitted {
            // What is under way is painted by whatever takes the card's place.
            self.stylizer.recover(error, sizes)?;
            self.finish_all()?;
        }
        if self.under_way.len() == MAX_UNDER_WAY {
            let oldest = self.finish_oldest()?;
            self.done.extend(oldest);
        }
        Ok(self.done.pop_front())
    }

    /// After the last frame: the oldest that was not given yet, `None` when there are no more.
    ///
    /// # Errors
    /// As for [`Stylizer::stylize`].
    pub fn finish(&mut self) -> Result<Option<Frame>, InferenceError> {
        match self.done.pop_front() {
            Some(frame) => Ok(Some(frame)),
            None => self.finish_oldest(),
        }
    }

    /// As [`Stylizer::take_warning`].
    pub fn take_warning(&mut self) -> Option<String> {
        self.stylizer.take_warning()
    }

    fn finish_all(&mut self) -> Result<(), InferenceError> {
        while let Some(frame) = self.finish_oldest()? {
            self.done.push_back(frame);
        }
        Ok(())
    }

    fn finish_oldest(&mut self) -> Result<Option<Frame>, InferenceError> {
        let Some((mut frame, sizes)) = self.under_way.pop_front() else { return Ok(None) };
        if self.stylizer.is_rounded_on_card() {
            match self.stylizer.collect(&mut frame, sizes) {
                Ok(()) => return Ok(Some(frame)),
                Err(error) => self.stylizer.recover(error, sizes)?,
            }
        }
        // The card has failed meanwhile, with all that was there.
        self.stylizer.stylize(frame).map(Some)
    }
}

impl Drop for FrameRow<'_> {
    fn drop(&mut self) {
        if !self.under_way.is_empty() {
            self.stylizer.forget_size();
        }
    }
}
