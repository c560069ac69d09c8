//! Handing pictures to the graphics card: once a paint at most, into a texture that stays.

use std::sync::Arc;

use egui::{Color32, ColorImage, Context, TextureHandle, TextureOptions};
use pastiche_frame::Frame;

/// Buffers that go round: one on its way to the card, one being filled, and one to spare.
const MAX_BUFFERS: usize = 3;

/// A texture that shows frames.
pub(crate) struct FrameTexture {
    name: &'static str,
    texture: Option<TextureHandle>,
    buffers: Vec<Arc<ColorImage>>,
}

impl FrameTexture {
    /// No picture yet.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, texture: None, buffers: Vec::new() }
    }

    /// Shows an RGB frame. Only a frame of another size takes a new texture.
    pub(crate) fn show(&mut self, context: &Context, frame: &Frame) -> TextureHandle {
        let size = [frame.width() as usize, frame.height() as usize];
        let image = self.filled_buffer(size, frame);
        match &mut self.texture {
            Some(texture) if texture.size() == size => {
                texture.set_partial([0, 0], image, TextureOptions::LINEAR);
                texture.clone()
            }
            texture => texture.insert(context.load_texture(self.name, image, TextureOptions::LINEAR)).clone(),
        }
    }

    /// A buffer with the frame's pixels, which nobody else holds any more.
    fn filled_buffer(&mut self, size: [usize; 2], frame: &Frame) -> Arc<ColorImage> {
        self.buffers.retain(|buffer| buffer.size == size);
        let free = self.buffers.iter_mut().position(|buffer| Arc::get_mut(buffer).is_some());
        let mut buffer = match free {
            Some(index) => self.buffers.swap_remove(index),
            None => Arc::new(ColorImage::filled(size, Color32::BLACK)),
        };
        if let Some(image) = Arc::get_mut(&mut buffer) {
            for (pixel, rgb) in image.pixels.iter_mut().zip(frame.data().chunks_exact(3)) {
                *pixel = Color32::from_rgb(rgb[0], rgb[1], rgb[2]);
            }
        }
        if self.buffers.len() < MAX_BUFFERS {
            self.buffers.push(Arc::clone(&buffer));
        }
        buffer
    }
}

#[cfg(test)]
mod tests {
    use pastiche_frame::PixelFormat;

    use super::*;

    #[test]
    fn frames_of_one_size_share_a_texture_and_their_buffers_go_round() {
        let context = Context::default();
        let mut texture = FrameTexture::new("picture");
        let frame = |width, height, value: u8| {
            Frame::from_data(width, height, PixelFormat::Rgb8, vec![value; (width * height * 3) as usize])
        };
        // What is handed over is let go when it is on the card.
        let places = |context: &Context, id| {
            let mut deltas = context.tex_manager().write().take_delta();
            let changes = deltas.set.get(&id).unwrap();
            let places: Vec<_> = changes.iter().map(|change| change.pos).collect();
            deltas.clear();
            places
        };
        let first = texture.show(&context, &frame(4, 2, 10)).id();
        assert_eq!(places(&context, first), [None], "a new texture");
        for value in 0..10 {
            assert_eq!(texture.show(&context, &frame(4, 2, value)).id(), first);
            assert_eq!(places(&context, first), [Some([0, 0])], "new pixels in the old one");
        }
        assert_eq!(texture.buffers.len(), 1);
        let other = texture.show(&context, &frame(8, 2, 0)).id();
        assert_ne!(other, first);
        places(&context, other);
    }
}
