//! Threads that draw photographs, cut and vary them ahead of the training.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};

use candle_core::Device;
use crossbeam_channel::{Receiver, Sender, bounded};
use image::RgbImage;
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    augment::{self, Augmentation, Variation},
    folder::PhotoFolder,
    pixels::open_rgb,
};
use crate::{TrainError, TrainingConfig, distillation::DistillationConfig};

/// Threads that load where the processor trains too; beside a card as many as there are cores.
const THREADS: usize = 2;
/// Beside a card at most.
const MAX_THREADS: usize = 16;
/// Batches that each of them prepares ahead.
const AHEAD: usize = 2;
/// Part of the steps whose varied photos are shifted: a network that must answer every shift alike paints no strokes.
const SHIFTED: f64 = 0.1;
/// In a row that cannot be read, before the whole folder counts as unreadable.
const MAX_BAD_IN_A_ROW: usize = 100;

/// What one step learns from.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Photos (N, 3, side, side), RGB on 0-255.
    pub photos: Vec<f32>,
    /// The same shape: noisy, re-lit, and shifted, so that its pixel (x, y) shows what `photos` show at (x + dx, y + dy).
    pub varied: Vec<f32>,
    /// dx and dy.
    pub shift: [i32; 2],
}

/// What is drawn, all of which decides what each step sees.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    pub(crate) seed: u64,
    pub(crate) batch: usize,
    pub(crate) side: u32,
    pub(crate) augmentation: Augmentation,
    pub(crate) variation: Variation,
}

impl From<&TrainingConfig> for Draw {
    fn from(config: &TrainingConfig) -> Self {
        let TrainingConfig { seed, batch, crop: side, variation, .. } = *config;
        Self { seed, batch, side, augmentation: config.augmentation.clone(), variation }
    }
}

impl From<&DistillationConfig> for Draw {
    fn from(config: &DistillationConfig) -> Self {
        let DistillationConfig { seed, batch, crop: side, variation, .. } = *config;
        Self { seed, batch, side, augmentation: config.augmentation.clone(), variation }
    }
}

/// What to make of photographs.
pub(crate) trait Drawing: Send + Sync + 'static {
    /// What one step learns from.
    type Batch: Send + 'static;

    /// Where the random numbers start.
    fn seed(&self) -> u64;

    /// The batch of one step.
    fn batch(&self, step: u64, photos: &Photos) -> Result<Self::Batch, TrainError>;
}

/// Threads that load for a training on this device.
pub(crate) fn threads_beside(device: &Device) -> usize {
    if device.is_cpu() {
        return THREADS;
    }
    thread::available_parallelism().map_or(THREADS, |cores| cores.get().clamp(THREADS, MAX_THREADS))
}

/// Photographs a second that the loading threads give to a training with these settings on this device, which in the meantime
/// does nothing: `steps` steps are loaded. Training faster than that waits for photographs.
///
/// # Errors
/// No photograph can be read.
pub fn photos_per_second(
    folder: &PhotoFolder,
    config: &TrainingConfig,
    steps: u32,
    device: &Device,
) -> Result<f64, TrainError> {
    let mut loader = PhotoLoader::start(folder.clone(), Draw::from(config), 0, threads_beside(device))?;
    // What is loaded ahead of the first shall not count.
    let ahead = loader.lanes.len() * (AHEAD + 1);
    for _ in 0..ahead {
        loader.next_batch()?;
    }
    let start = Instant::now();
    for _ in 0..steps {
        loader.next_batch()?;
    }
    Ok(f64::from(steps) * config.batch as f64 / start.elapsed().as_secs_f64())
}

/// Batches in the order of steps, loaded in threads.
#[derive(Debug)]
pub(crate) struct PhotoLoader<B> {
    /// Step s comes from the thread s modulo their number.
    lanes: Vec<Receiver<Result<B, TrainError>>>,
    threads: Vec<JoinHandle<()>>,
    next_step: u64,
}

impl<B: Send + 'static> PhotoLoader<B> {
    /// Starts to load the batches of `first_step` and those after it. How many threads do it changes nothing in them.
    pub(crate) fn start(
        folder: PhotoFolder,
        draw: impl Drawing<Batch = B>,
        first_step: u64,
        threads: usize,
    ) -> Result<Self, TrainError> {
        let photos = Photos { folder, seed: draw.seed(), bad: Mutex::default(), order: Mutex::default() };
        let count = threads as u64;
        let source = Arc::new((draw, photos));
        let (mut lanes, mut threads) = (Vec::new(), Vec::new());
        for lane in 0..count {
            let (sender, receiver) = bounded(AHEAD);
            let source = Arc::clone(&source);
            // The first step of this lane that is not before `first_step`.
            let first = first_step + (lane + count - first_step % count) % count;
            let thread = thread::Builder::new()
                .name(format!("photos-{lane}"))
                .spawn(move || fill(&source.0, &source.1, (first..).step_by(count as usize), &sender))
                .map_err(|source| TrainError::Thread { source })?;
            lanes.push(receiver);
            threads.push(thread);
        }
        Ok(Self { lanes, threads, next_step: first_step })
    }

    /// The next step's batch.
    ///
    /// # Errors
    /// No photograph can be read any more.
    pub(crate) fn next_batch(&mut self) -> Result<B, TrainError> {
        let lane = (self.next_step % self.lanes.len() as u64) as usize;
        self.next_step += 1;
        self.lanes[lane].recv().unwrap_or(Err(TrainError::LoaderStopped))
    }
}

impl<B> Drop for PhotoLoader<B> {
    fn drop(&mut self) {
        // Without receivers the threads end as soon as they have finished a batch.
        self.lanes.clear();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Draws the batches of one lane until nobody takes them any more.
fn fill<D: Drawing>(
    draw: &D,
    photos: &Photos,
    steps: impl Iterator<Item = u64>,
    lane: &Sender<Result<D::Batch, TrainError>>,
) {
    for step in steps {
        let batch = draw.batch(step, photos);
        let failed = batch.is_err();
        if lane.send(batch).is_err() || failed {
            return;
        }
    }
}

impl Drawing for Draw {
    type Batch = Batch;

    fn seed(&self) -> u64 {
        self.seed
    }

    fn batch(&self, step: u64, photos: &Photos) -> Result<Batch, TrainError> {
        let Draw { batch, side, variation, .. } = *self;
        let margin = variation.shift;
        let mut random = photos.random(step);
        let limit = margin as i32;
        let shifted = random.random_bool(SHIFTED);
        let shift = [(); 2].map(|()| if shifted { random.random_range(-limit..=limit) } else { 0 });
        let (mut plain, mut varied) = (Vec::new(), Vec::new());
        for index in 0..batch as u64 {
            let photo = photos.due(step * batch as u64 + index, &mut random, open_rgb)?;
            let sample = augment::square(&photo, side + 2 * margin, &self.augmentation, &mut random)?;
            augment::window(&sample, [margin; 2], side, &mut plain);
            let start = varied.len();
            augment::window(&sample, shift.map(|d| margin.saturating_add_signed(d)), side, &mut varied);
            augment::disturb(&mut varied[start..], variation, &mut random);
        }
        Ok(Batch { photos: plain, varied, shift })
    }
}

/// The photographs, which the threads share.
pub(crate) struct Photos {
    folder: PhotoFolder,
    seed: u64,
    /// Photographs that could not be used, so that each is named once.
    bad: Mutex<BTreeSet<PathBuf>>,
    /// The last epoch that was asked for, and its order.
    order: Mutex<(u64, Arc<[usize]>)>,
}

impl Photos {
    /// The photograph that is due as the `index`th, or another where `open` fails.
    pub(crate) fn due(
        &self,
        index: u64,
        random: &mut ChaCha8Rng,
        open: impl Fn(&Path) -> Result<RgbImage, TrainError>,
    ) -> Result<RgbImage, TrainError> {
        let photos = self.folder.photos();
        let (epoch, place) = (index / photos.len() as u64, (index % photos.len() as u64) as usize);
        let mut path = &photos[self.order(epoch)[place]];
        for _ in 0..MAX_BAD_IN_A_ROW {
            match open(path) {
                Ok(photo) => return Ok(photo),
                Err(error) => self.note(path, &error),
            }
            path = &photos[random.random_range(0..photos.len())];
        }
        Err(TrainError::UnreadablePhotos { count: MAX_BAD_IN_A_ROW, path: self.folder.path().to_owned() })
    }

    /// The photographs' order in one pass through all of them.
    fn order(&self, epoch: u64) -> Arc<[usize]> {
        let mut last = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != epoch || last.1.is_empty() {
            let mut order: Vec<usize> = (0..self.folder.photos().len()).collect();
            // Steps' numbers never come near the streams of the epochs.
            order.shuffle(&mut self.random(u64::MAX - epoch));
            *last = (epoch, order.into());
        }
        Arc::clone(&last.1)
    }

    /// Names a photograph that is passed over, once.
    fn note(&self, path: &Path, error: &TrainError) {
        let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        if bad.insert(path.to_owned()) {
            // Many a folder has some that are too small.
            let small = matches!(error, TrainError::PictureTooSmall { .. });
            log::log!(if small { log::Level::Info } else { log::Level::Warn }, "passed over: {error}");
        }
    }

    /// Random numbers of their own for each stream.
    pub(crate) fn random(&self, stream: u64) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(stream);
        random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PhotoFolder) {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..6u8 {
            let photo = image::RgbImage::from_fn(50, 44, |x, y| {
                image::Rgb([index * 40, (x * 5) as u8, (y * 5) as u8])
            });
            photo.save(folder.path().join(format!("{index}.png"))).unwrap();
        }
        let photos = PhotoFolder::open(folder.path()).unwrap();
        (folder, photos)
    }

    fn batches(photos: &PhotoFolder, seed: u64, first: u64, count: usize) -> Vec<Batch> {
        batches_by(THREADS, photos, seed, first, count)
    }

    fn batches_by(threads: usize, photos: &PhotoFolder, seed: u64, first: u64, count: usize) -> Vec<Batch> {
        let config = TrainingConfig { seed, crop: 32, ..TrainingConfig::default() };
        let mut loader = PhotoLoader::start(photos.clone(), Draw::from(&config), first, threads).unwrap();
        (0..count).map(|_| loader.next_batch().unwrap()).collect()
    }

    #[test]
    fn a_step_s_photos_depend_on_the_seed_and_the_step_alone() {
        let (_folder, photos) = folder();
        let straight = batches(&photos, 0, 0, 9);
        for first in 1..4 {
            assert_eq!(batches(&photos, 0, first as u64, 5), straight[first..first + 5]);
        }
        for threads in [1, 3, 7] {
            assert_eq!(batches_by(threads, &photos, 0, 2, 5), straight[2..7], "{threads} threads");
        }
        assert_ne!(batches(&photos, 1, 0, 9), straight);
    }

    #[test]
    fn photos_are_counted_beside_any_device() {
        let (_folder, photos) = folder();
        let config = TrainingConfig { crop: 32, ..TrainingConfig::default() };
        assert!(photos_per_second(&photos, &config, 3, &Device::Cpu).unwrap() > 0.0);
    }

    #[test]
    fn batches_have_their_shape_and_their_varied_photos_show_the_same_elsewhere() {
        let (_folder, photos) = folder();
        let batches = batches(&photos, 0, 0, 24);
        for Batch { photos, varied, shift } in &batches {
            assert_eq!((photos.len(), varied.len()), (2 * 3 * 32 * 32, 2 * 3 * 32 * 32));
            assert!(photos.iter().chain(varied).all(|value| (0.0..=255.0).contains(value)));
            assert!(shift.iter().all(|d| d.abs() <= 2));
            // Apart from noise and light, the pixel (x, y) of the one is (x + dx, y + dy) of the other.
            let at = |planes: &[f32], x: i32, y: i32| planes[(y * 32 + x) as usize];
            let pixels = (4..28).flat_map(|y| (4..28).map(move |x| (x, y)));
            let [dx, dy] = *shift;
            let apart: f32 = pixels.map(|(x, y)| (at(photos, x + dx, y + dy) - at(varied, x, y)).abs()).sum();
            assert!(apart / 576.0 < 20.0, "{shift:?} {apart}");
        }
        let shifted = batches.iter().filter(|batch| batch.shift != [0, 0]).count();
        assert!((1..12).contains(&shifted), "{shifted} of 24 are shifted");
    }

    #[test]
    fn what_is_held_out_is_never_drawn() {
        let (_folder, photos) = folder();
        let (held_out, rest) = photos.hold_out(4);
        assert_eq!((held_out.len(), rest.photos().len()), (1, 5), "a quarter at most");
        assert!(!rest.photos().contains(&held_out[0]));
    }
}
