//! The network with batch norms: what it learns by batches must be what its file paints by statistics.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{Device, Tensor};
use image::{Rgb, RgbImage};
use pastiche_nn::{Network, WeightsFile};
use pastiche_train::{
    LossWeights, PerceptualLoss, TrainingConfig,
    loss_net::LossNetFile,
    losses::LayerWeight,
    photos::{self, Augmentation, PhotoFolder, Variation},
    run::{Ending, TrainJob, train},
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use support::{Workshop, refusal};

const STEPS: u64 = 4;

/// How photographs are varied.
#[derive(Clone, Default)]
struct How {
    augmentation: Augmentation,
    variation: Variation,
}

/// Trains until all steps are done, or `stop` of them.
fn trained(workshop: &Workshop, name: &str, how: &How, stop: u64, resume: bool) -> Ending {
    let layer = |name: &str| vec![LayerWeight { layer: name.to_owned(), weight: 1.0 }];
    let weights = LossWeights {
        style_layers: layer("relu1_2"),
        content_layers: layer("relu2_2"),
        ..LossWeights::default()
    };
    let config = TrainingConfig {
        architecture: "johnson".to_owned(),
        width: Some(3),
        steps: STEPS,
        crop: 48,
        style_size: 64,
        loss: weights.clone(),
        augmentation: how.augmentation.clone(),
        // Nothing is cut off to leave room for shifts.
        variation: Variation { shift: 0, ..how.variation },
        ..TrainingConfig::default()
    };
    let loss_net = LossNetFile::open(&workshop.path("vgg.safetensors"), None).unwrap();
    let painting = workshop.path("painting.png");
    let loss = PerceptualLoss::open(&loss_net, weights, &painting, 64, &Device::Cpu).unwrap();
    let job = TrainJob {
        config: config.validate().unwrap(),
        painting,
        from: None,
        photos: PhotoFolder::open(&workshop.path("photos")).unwrap(),
        loss_net: loss_net.fingerprint().to_owned(),
        device: Device::Cpu,
        options: workshop.options(name, resume),
    };
    let cancel = AtomicBool::new(false);
    train(&job, loss, &cancel, &mut |step| cancel.store(step.step == stop, Ordering::Relaxed)).unwrap()
}

#[test]
fn a_training_goes_on_where_it_stopped() {
    let workshop = Workshop::new();
    let trained = |name, stop, resume| trained(&workshop, name, &How::default(), stop, resume);
    assert_eq!(trained("straight.safetensors", STEPS, false), Ending::Finished);
    assert_eq!(trained("broken.safetensors", 2, false), Ending::Interrupted { steps: 2 });
    let so_far = workshop.weights("broken.run/style.safetensors");
    assert_eq!(trained("broken.safetensors", STEPS, true), Ending::Finished);
    let straight = workshop.weights("straight.safetensors");
    assert!(straight == workshop.weights("broken.safetensors"));
    assert!(straight != so_far, "the comparison can fail");
}

/// Where all photographs are one picture, which is the same however it is turned, its statistics are those of the batch; and
/// where the varied ones beside them are noisy, those of the two together.
#[test]
fn a_style_paints_by_statistics_what_it_learned_by_batches() {
    const NOISE: f64 = 100.0;
    let workshop = Workshop::new();
    let rings = RgbImage::from_fn(96, 96, |x, y| {
        let [across, down] = [x, y].map(|at| f64::from(at) - 47.5);
        let wave = |pace: f64| (127.5 + 120.0 * ((across * across + down * down).sqrt() * pace).sin()) as u8;
        Rgb([wave(0.2), wave(0.35), wave(0.6)])
    });
    for index in 0..8 {
        rings.save(workshop.path(&format!("photos/{index}.png"))).unwrap();
    }
    let photo = photos::centre_square(&rings, 48).unwrap();
    let photo = photos::tensor_from_picture(&photo, &Device::Cpu).unwrap();
    for noise in [0.0, NOISE] {
        let how = How {
            augmentation: Augmentation { min_scale: 1.0, contrast: 0.0, brightness: 0.0 },
            variation: Variation { noise, shift: 0, light: 0.0 },
        };
        let name = format!("rings-{noise}.safetensors");
        assert_eq!(trained(&workshop, &name, &how, STEPS, false), Ending::Finished);
        let file = WeightsFile::open(&workshop.path(&name)).unwrap();
        let network = file.style_network(&Device::Cpu).unwrap();
        assert_eq!(network.description().architecture, "johnson");
        let seen = beside_noisy(&photo, noise);
        let by_batch = network.forward_in_training(&seen).unwrap().narrow(0, 0, 1).unwrap();
        let alone = network.forward_in_training(&photo).unwrap();
        // With mean 0 and variance 1 instead.
        let mut unmeasured = network.parameters().clone();
        for norm in network.description().batch_norms() {
            let mean = unmeasured[&norm.mean].zeros_like().unwrap();
            unmeasured
                .extend([(norm.variance.clone(), mean.ones_like().unwrap()), (norm.mean.clone(), mean)]);
        }
        let unmeasured = Network::new(network.description().clone(), unmeasured).unwrap();
        let painted = network.forward(&photo).unwrap();
        let found = distance(&painted, &by_batch);
        let without = distance(&unmeasured.forward(&photo).unwrap(), &by_batch);
        let apart = distance(&painted, &alone);
        println!(
            "noise {noise}: by statistics {found} from what training sees and {apart} from the photograph alone, without \
             any {without}"
        );
        // The weights are rounded to 16 bits, after the statistics were measured.
        assert!(found < 2.0 && without > 20.0, "{found} {without}");
        assert!(noise == 0.0 || apart > 2.0 * found, "the noisy ones count: {found} {apart}");
    }
}

/// A photo with sixteen of itself and as many noisy ones behind it, whose deviations go up to `largest`.
fn beside_noisy(photo: &Tensor, largest: f64) -> Tensor {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let values: Vec<f32> = photo.flatten_all().unwrap().to_vec1().unwrap();
    let mut all = vec![photo.clone(); 16];
    for index in 0..16 {
        let noise = Normal::new(0.0f32, (largest * (f64::from(index) + 0.5) / 16.0) as f32).unwrap();
        let noisy =
            values.iter().map(|value| (value + noise.sample(&mut random)).clamp(0.0, 255.0)).collect();
        all.push(Tensor::from_vec(noisy, photo.shape(), &Device::Cpu).unwrap());
    }
    Tensor::cat(&all, 0).unwrap()
}

/// Mean distance of two pictures.
fn distance(one: &Tensor, other: &Tensor) -> f32 {
    (one - other).unwrap().abs().unwrap().mean_all().unwrap().to_scalar().unwrap()
}

#[test]
fn samples_that_the_mirror_does_not_fit_are_refused_with_what_would_do() {
    let workshop = Workshop::new();
    let error = refusal(workshop.style("a.safetensors", &["--architecture", "johnson", "--crop", "40"]), 2);
    assert!(error.contains("--crop is 40") && error.contains("from 44 to 2048"), "{error}");
}
