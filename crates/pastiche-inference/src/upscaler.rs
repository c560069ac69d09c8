//! Frame in, enlarged frame out.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use candle_core::Device;
use pastiche_frame::{Frame, FramePool, PixelFormat};
use pastiche_nn::{Network, Output, WeightsFile};
use rayon::{ThreadPool, prelude::*};

use crate::{
    ComputeDevice, InferenceError, StylizerOptions,
    library::{StyleLibrary, bundled_folders},
    memory,
    picture::byte,
    placed::PlacedNetwork,
    resize::{RgbResizer, Size},
    stylizer::{MAX_SIDE, MIN_SIDE, thread_pool},
};

/// Side of the pictures that the network makes at a time: large enough that little is done twice, small enough that they
/// take some hundreds of megabytes.
const TILE_SIDE: usize = 1024;

/// Enlarges frames on one device: the bicubic enlargement, corrected by a network that sees the picture in tiles, so that its
/// size does not matter. Tiles overlap by as much as the network sees around a pixel, so there are no seams.
pub struct Upscaler {
    name: String,
    factor: usize,
    /// By how much the network enlarges: by the factor, or not at all where it takes the bicubic enlargement.
    network_factor: usize,
    reach: usize,
    tile_side: usize,
    pool: ThreadPool,
    network: PlacedNetwork,
    resizer: RgbResizer,
    tile: Vec<u8>,
    correction: Vec<f32>,
}

impl Upscaler {
    /// The installed network that enlarges by `factor`: `upscalers/x4.safetensors` for 4, in the user's folder or the program's.
    ///
    /// # Errors
    /// There is none.
    pub fn find(factor: u32) -> Result<PathBuf, InferenceError> {
        let name = format!("x{factor}.safetensors");
        let user = StyleLibrary::user_folder().and_then(|styles| Some(styles.parent()?.join("upscalers")));
        let bundled = bundled_folders().into_iter().map(|folder| folder.join("upscalers"));
        let place = user.clone().map(|folder| folder.join(&name));
        let found = user.into_iter().chain(bundled).map(|folder| folder.join(&name));
        found.into_iter().find(|path| path.is_file()).ok_or(InferenceError::NoUpscaler { factor, place })
    }

    /// Reads a network that enlarges by `factor` and places it on a device. Of the options the process size means nothing
    /// here.
    ///
    /// # Errors
    /// The file cannot be read, is of another network, or enlarges by another factor; the device lacks the precision; or
    /// threads cannot start.
    pub fn load(
        path: &Path,
        factor: u32,
        device: &ComputeDevice,
        options: &StylizerOptions,
    ) -> Result<Self, InferenceError> {
        let failed = |source| InferenceError::Upscaler { path: path.to_owned(), source };
        let file = WeightsFile::open(path).map_err(failed)?;
        let network = file.enlarging_network(&Device::Cpu).map_err(failed)?;
        let found = correction_factor(&network);
        if found != factor as usize {
            return Err(InferenceError::UpscaleFactor { wanted: factor, found, path: path.to_owned() });
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self::new(name, &network, device, options)
    }

    fn new(
        name: String,
        network: &Network,
        device: &ComputeDevice,
        options: &StylizerOptions,
    ) -> Result<Self, InferenceError> {
        let pool = thread_pool(options)?;
        let description = network.description();
        let network_factor = description.enlargement();
        // A network that sees all of a picture has no tiles; none that enlarges is one.
        let reach = description.reach().ok_or_else(|| {
            candle_core::Error::Msg(format!("{} depends on the whole picture", description.architecture))
        })?;
        Ok(Self {
            name,
            factor: correction_factor(network),
            network_factor,
            reach,
            tile_side: (TILE_SIDE / network_factor).max(4 * reach),
            network: pool.install(|| PlacedNetwork::new(network, device, options.precision))?,
            pool,
            resizer: RgbResizer::new(),
            tile: Vec::new(),
            correction: Vec::new(),
        })
    }

    /// The network's name: its file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// By how much it enlarges.
    pub const fn factor(&self) -> usize {
        self.factor
    }

    /// Where the network runs: `cpu`, `cuda:0`, ...
    pub fn device_id(&self) -> String {
        self.network.device.id()
    }

    /// Why the processor works where a card might, once.
    pub fn take_warning(&mut self) -> Option<String> {
        self.network.take_warning()
    }

    /// Tells before any work whether a picture of this size can be enlarged.
    ///
    /// # Errors
    /// It is too small, would become larger than pictures can be, or takes more memory than is free.
    pub fn check(&self, width: u32, height: u32) -> Result<(), InferenceError> {
        let small = Size { width, height };
        let large = self.enlarged(small)?;
        memory::usable().map_or(Ok(()), |usable| self.check_memory(small, large, usable))
    }

    fn check_memory(&self, small: Size, large: Size, available: u64) -> Result<(), InferenceError> {
        // A network that does not enlarge is given a copy of the enlargement.
        let copies = if self.network_factor == self.factor { 1 } else { 2 };
        let needed = copies * 3 * u64::from(large.width) * u64::from(large.height);
        if needed <= available {
            return Ok(());
        }
        let (Size { width, height }, factor) = (small, self.factor as u32);
        Err(InferenceError::UpscaleMemory { width, height, factor, needed, available })
    }

    /// How large a picture becomes.
    fn enlarged(&self, Size { width, height }: Size) -> Result<Size, InferenceError> {
        let factor = self.factor as u32;
        let side = |side: u32| side.checked_mul(factor).filter(|side| *side <= MAX_SIDE);
        match (side(width), side(height)) {
            (Some(large_width), Some(large_height)) if width.min(height) >= MIN_SIDE => {
                Ok(Size { width: large_width, height: large_height })
            }
            _ => Err(InferenceError::UpscaleSize { width, height, factor }),
        }
    }

    /// Enlarges an RGB frame and leaves it as it is. The result has its time and colour space, and a buffer of `pool`.
    ///
    /// # Errors
    /// The frame is not RGB, is too small, or would become larger than pictures can be; or the device failed.
    pub fn upscale(&mut self, frame: &Frame, pool: &FramePool) -> Result<Frame, InferenceError> {
        self.upscale_watched(frame, pool, &mut |_| {})
    }

    /// As [`Self::upscale`], which takes long for a large picture: `on_part` is told now and then how much of it is done, up
    /// to 1.
    ///
    /// # Errors
    /// As [`Self::upscale`].
    pub fn upscale_watched(
        &mut self,
        frame: &Frame,
        pool: &FramePool,
        on_part: &mut dyn FnMut(f64),
    ) -> Result<Frame, InferenceError> {
        if frame.format() != PixelFormat::Rgb8 {
            return Err(InferenceError::Format { found: frame.format() });
        }
        let small = Size { width: frame.width(), height: frame.height() };
        let large = self.enlarged(small)?;
        let mut enlarged = pool.take_like(frame, large.width, large.height);
        self.resizer.resize_into(frame.data(), small, enlarged.data_mut(), large)?;
        if self.network_factor == self.factor {
            self.correct(frame.data(), small, enlarged.data_mut(), on_part)?;
        } else {
            let mut base = pool.take_like(frame, large.width, large.height);
            base.data_mut().copy_from_slice(enlarged.data());
            self.correct(base.data(), large, enlarged.data_mut(), on_part)?;
        }
        Ok(enlarged)
    }

    /// Adds to `enlarged` what the network makes of `input`, tile by tile.
    fn correct(
        &mut self,
        input: &[u8],
        size: Size,
        enlarged: &mut [u8],
        on_part: &mut dyn FnMut(f64),
    ) -> Result<(), InferenceError> {
        let (width, height) = (size.width as usize, size.height as usize);
        let row_len = 3 * width;
        for rows in tiles(height, self.tile_side, self.reach) {
            for columns in tiles(width, self.tile_side, self.reach) {
                self.tile.clear();
                for row in input[rows.seen.start * row_len..rows.seen.end * row_len].chunks_exact(row_len) {
                    self.tile.extend_from_slice(&row[3 * columns.seen.start..3 * columns.seen.end]);
                }
                let tile_size = Size { width: columns.seen.len() as u32, height: rows.seen.len() as u32 };
                let Self { pool, network, tile, correction, network_factor: factor, .. } = self;
                correction.resize(tile.len() * *factor * *factor, 0.0);
                pool.install(|| network.paint(tile, tile_size, correction))?;
                let place = Place { rows: &rows, columns: &columns, factor: *factor, width };
                pool.install(|| place.add(correction, enlarged));
                on_part(
                    (rows.kept.start * width + rows.kept.len() * columns.kept.end) as f64
                        / (width * height) as f64,
                );
            }
        }
        Ok(())
    }
}

/// By how much the picture that a network corrects is enlarged.
fn correction_factor(network: &Network) -> usize {
    match network.description().output {
        Output::Correction { factor } => factor,
        Output::Painting => 1,
    }
}

/// Where a tile's correction goes in the enlarged picture.
struct Place<'a> {
    rows: &'a Tile,
    columns: &'a Tile,
    /// By how much the correction is larger than the tile.
    factor: usize,
    /// Of the tiled picture.
    width: usize,
}

impl Place<'_> {
    /// Adds the part of a correction that is to be kept.
    fn add(&self, correction: &[f32], enlarged: &mut [u8]) {
        let Self { rows, columns, factor, width } = self;
        let from_row = 3 * columns.seen.len() * factor;
        let from_left = 3 * (columns.kept.start - columns.seen.start) * factor;
        let from_top = (rows.kept.start - rows.seen.start) * factor;
        let to_row = 3 * width * factor;
        let to = 3 * columns.kept.start * factor..3 * columns.kept.end * factor;
        let band = &mut enlarged[rows.kept.start * factor * to_row..rows.kept.end * factor * to_row];
        band.par_chunks_exact_mut(to_row).enumerate().for_each(|(y, row)| {
            let correction = &correction[(from_top + y) * from_row + from_left..];
            for (value, correction) in row[to.clone()].iter_mut().zip(correction) {
                *value = byte(f32::from(*value) + correction);
            }
        });
    }
}

/// A part of one side of a picture: what the network sees, and what of its answer is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tile {
    seen: Range<usize>,
    kept: Range<usize>,
}

/// Cuts a side into tiles of one length, or leaves it whole. What is kept lies `reach` inside, but for the picture's own edges.
fn tiles(side: usize, tile_side: usize, reach: usize) -> Vec<Tile> {
    if side <= tile_side {
        return vec![Tile { seen: 0..side, kept: 0..side }];
    }
    let (mut tiles, mut done) = (Vec::new(), 0usize);
    while done < side {
        let start = done.saturating_sub(reach).min(side - tile_side);
        let end = start + tile_side;
        let kept_end = if end == side { side } else { end - reach };
        tiles.push(Tile { seen: start..end, kept: done..kept_end });
        done = kept_end;
    }
    tiles
}

#[cfg(test)]
mod tests {
    use pastiche_nn::{
        DeviceChoice,
        networks::{self, SuperResSize},
    };

    use super::*;

    #[test]
    fn tiles_cover_a_side_once_and_see_far_enough() {
        for (side, tile_side, reach) in [(7, 16, 3), (16, 16, 3), (17, 16, 3), (100, 16, 5), (101, 20, 4)] {
            let tiles = tiles(side, tile_side, reach);
            let mut done = 0;
            for Tile { seen, kept } in &tiles {
                assert_eq!(kept.start, done, "no gap, no overlap");
                assert!(seen.start == 0 || kept.start >= seen.start + reach);
                assert!(seen.end == side || kept.end + reach <= seen.end);
                assert_eq!(seen.len(), tile_side.min(side), "one size, so that it is prepared for once");
                done = kept.end;
            }
            assert_eq!(done, side);
        }
    }

    fn photo(width: u32, height: u32) -> Frame {
        let mut frame =
            Frame::from_data(width, height, PixelFormat::Rgb8, vec![0; (width * height * 3) as usize]);
        for (y, row) in frame.rows_mut().enumerate() {
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let edge = if (x / 5 + y / 7) % 2 == 0 { 60 } else { 0 };
                pixel.copy_from_slice(&[
                    (x * 3 % 180 + edge) as u8,
                    (y * 4 % 190 + edge) as u8,
                    90 + edge as u8,
                ]);
            }
        }
        frame
    }

    /// Louder than an untrained network is, so that corrections are of several levels.
    fn loud(description: pastiche_nn::NetworkDescription) -> Network {
        let specs = description.parameters();
        let network = Network::random(description.clone(), 3, &Device::Cpu).unwrap();
        let louder = |scale: f32| if scale == 1.0 { 1.0 } else { 0.2 / f64::from(scale) };
        let weights = network
            .parameters()
            .iter()
            .map(|(name, tensor)| (name.clone(), (tensor * louder(specs[name.as_str()].scale)).unwrap()));
        Network::new(description.clone(), weights.collect()).unwrap()
    }

    #[test]
    fn tiles_make_the_picture_that_the_whole_makes() {
        let device = ComputeDevice::open(DeviceChoice::Cpu).unwrap();
        let size = SuperResSize { width: 8, blocks: 2 };
        for description in [networks::super_res(4, size), networks::srcnn(4)] {
            let network = loud(description);
            let options = StylizerOptions::default();
            let mut upscaler = Upscaler::new("test".to_owned(), &network, &device, &options).unwrap();
            let photo = photo(70, 53);
            let pool = FramePool::new(2);
            let whole = upscaler.upscale(&photo, &pool).unwrap();
            assert_eq!((whole.width(), whole.height()), (280, 212));
            let mut bicubic = Vec::new();
            let sizes = (Size { width: 70, height: 53 }, Size { width: 280, height: 212 });
            upscaler.resizer.resize(photo.data(), sizes.0, &mut bicubic, sizes.1).unwrap();
            let most = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(most(whole.data(), &bicubic) > 20, "the network does something");

            upscaler.tile_side = 3 * upscaler.reach;
            let tiled = upscaler.upscale(&photo, &pool).unwrap();
            // Sums are rounded in another order where a tile begins elsewhere.
            assert!(most(whole.data(), tiled.data()) <= 1);
            let other = whole.data().iter().zip(tiled.data()).filter(|(a, b)| a != b).count();
            assert!(other * 1000 < whole.data().len(), "{other} of {}", whole.data().len());

            // The comparison can fail: with too little around the tiles, seams show.
            upscaler.reach = 1;
            let seams = upscaler.upscale(&photo, &pool).unwrap();
            assert!(most(whole.data(), seams.data()) > 1);

            let buffer = seams.data().as_ptr();
            drop(seams);
            let next = upscaler.upscale(&photo, &pool).unwrap();
            assert_eq!(next.data().as_ptr(), buffer, "a buffer that came back is used again");
        }
    }

    #[test]
    fn sizes_that_cannot_be_are_told() {
        let device = ComputeDevice::open(DeviceChoice::Cpu).unwrap();
        let network = loud(networks::super_res(4, SuperResSize { width: 2, blocks: 1 }));
        let mut upscaler =
            Upscaler::new("test".to_owned(), &network, &device, &StylizerOptions::default()).unwrap();
        for (width, height) in [(8, 40), (5000, 20)] {
            let error =
                upscaler.upscale(&photo(width, height), &FramePool::new(0)).err().unwrap().to_string();
            assert!(error.contains(&format!("{width}x{height}")) && error.contains("4 times"), "{error}");
            assert!(upscaler.check(width, height).is_err());
        }
        upscaler.check(40, 40).unwrap();
        let (small, large) = (Size { width: 40, height: 30 }, Size { width: 160, height: 120 });
        upscaler.check_memory(small, large, 3 * 160 * 120).unwrap();
        let error = upscaler.check_memory(small, large, 3 * 160 * 120 - 1).unwrap_err().to_string();
        assert!(error.contains("40x30 4 times") && error.contains("--size"), "{error}");
    }
}
