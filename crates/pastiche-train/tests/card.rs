//! Training on a CUDA card, where there is one, beside training on the processor.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Write, stderr};

use candle_core::{Device, Tensor};
use pastiche_nn::{DeviceChoice, networks::VggNaming};
use pastiche_train::{
    LossWeights, PerceptualLoss, StepReport, TrainError, Trainer, TrainingConfig,
    loss_net::LossNetFile,
    losses::LayerWeight,
    photos::{Batch, tensor_from_picture},
};
use support::{loss_net, picture};

const SIDE: u32 = 96;
const BATCH: usize = 2;

/// The first card. Whoever builds for cards has one, unless `PASTICHE_NO_CARD` is set: then, and where nothing is built for
/// cards, this says visibly that the test skips, and gives nothing.
fn card() -> Option<Device> {
    match DeviceChoice::Cuda(0).open() {
        Ok(opened) => {
            opened.prepare_training(false).unwrap();
            Some(opened.device().clone())
        }
        Err(error) => {
            let none_expected = !cfg!(feature = "cuda") || std::env::var_os("PASTICHE_NO_CARD").is_some();
            assert!(none_expected, "no card can be used: {error}");
            // Not `eprintln!`, which is kept back where the test passes.
            let _ = writeln!(stderr(), "SKIPPED: {error}");
            None
        }
    }
}

/// A training at its start, the same on every device.
fn trainer(device: &Device) -> Trainer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vgg.safetensors");
    loss_net(&path, "relu2_2", VggNaming::Blocks, &[("input", "caffe")]);
    let layer = |name: &str| LayerWeight { layer: name.to_owned(), weight: 1.0 };
    let loss = LossWeights {
        style_layers: vec![layer("relu1_2"), layer("relu2_2")],
        content_layers: vec![layer("relu2_2")],
        ..LossWeights::default()
    };
    let config = TrainingConfig {
        architecture: "transformer_net".to_owned(),
        width: Some(8),
        batch: BATCH,
        crop: SIDE,
        loss: loss.clone(),
        stability: 1.0,
        stability_from: 0.0,
        ..TrainingConfig::default()
    };
    let network = LossNetFile::open(&path, None).unwrap().network(&loss, device).unwrap();
    let painting = tensor_from_picture(&picture(64, 72, 99), device).unwrap();
    let loss = PerceptualLoss::new(network, loss, &painting).unwrap();
    Trainer::new(config.validate().unwrap(), loss, device).unwrap()
}

fn batch(seed: u32) -> Batch {
    let photos = |seed: u32| -> Vec<f32> {
        let photos = (0..BATCH as u32).map(|index| {
            let photo = tensor_from_picture(&picture(SIDE, SIDE, seed + index), &Device::Cpu).unwrap();
            photo.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        });
        photos.collect::<Vec<_>>().concat()
    };
    Batch { photos: photos(seed), varied: photos(seed + 1), shift: [1, -2] }
}

fn parameters(trainer: &Trainer) -> Vec<f32> {
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    trainer.network().parameters().values().map(flat).collect::<Vec<_>>().concat()
}

#[test]
fn three_steps_come_to_what_they_come_to_on_the_processor() {
    let Some(card) = card() else { return };
    let (mut there, mut here) = (trainer(&card), trainer(&Device::Cpu));
    let step_here = |step: u32| {
        here.submit(&batch(step * 7)).unwrap();
        here.collect().unwrap().unwrap()
    };
    let expected: Vec<StepReport> = (0..3).map(step_here).collect();
    let mut actual = Vec::new();
    for step in 0..3 {
        there.submit(&batch(step * 7)).unwrap();
        // As a training does it: one under way.
        while there.under_way() > there.ahead() {
            actual.extend(there.collect().unwrap());
        }
    }
    while let Some(report) = there.collect().unwrap() {
        actual.push(report);
    }
    assert_eq!(actual.len(), expected.len());
    for (actual, expected) in actual.iter().zip(&expected) {
        println!("{actual:?}\n{expected:?}");
        assert_eq!(actual.step, expected.step);
        for (actual, expected) in [
            (actual.total, expected.total),
            (actual.content, expected.content),
            (actual.style, expected.style),
            (actual.total_variation, expected.total_variation),
            (actual.stability, expected.stability),
        ] {
            assert!((actual - expected).abs() <= 1e-2 * expected.abs(), "{actual} {expected}");
        }
    }
}

#[test]
fn a_loss_that_is_no_number_changes_nothing_and_is_told() {
    let Some(card) = card() else { return };
    let mut trainer = trainer(&card);
    trainer.submit(&batch(0)).unwrap();
    trainer.collect().unwrap().unwrap();
    let before = parameters(&trainer);
    let mut broken = batch(1);
    broken.photos[17] = f32::NAN;
    trainer.submit(&broken).unwrap();
    // The next is begun before that is known.
    trainer.submit(&batch(2)).unwrap();
    let error = trainer.collect().unwrap_err();
    assert!(matches!(error, TrainError::Diverged { step: 2, .. }), "{error}");
    assert_eq!(parameters(&trainer), before);
}
