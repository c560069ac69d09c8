//! Loss networks from files of either naming, of either kind, cut where the losses end.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use pastiche_nn::{
    Network, PadMode,
    networks::{self, LossNetInput, VggNaming},
    weights,
};
use pastiche_train::{
    LossWeights,
    loss_net::{LossNetFile, LossNetInputChoice},
    losses::LayerWeight,
};

fn layers(style: &str, content: &str) -> LossWeights {
    let layer = |name: &str| vec![LayerWeight { layer: name.to_owned(), weight: 1.0 }];
    LossWeights { style_layers: layer(style), content_layers: layer(content), ..LossWeights::default() }
}

/// VGG-16 and VGG-19 differ in the third block; the file's names tell which one it is.
#[test]
fn both_kinds_in_both_namings_give_the_features_of_their_description() {
    let folder = tempfile::tempdir().unwrap();
    let photo = support::picture(48, 40, 3);
    let photo = pastiche_train::photos::tensor_from_picture(&photo, &Device::Cpu).unwrap();
    for kind in [networks::vgg16, networks::vgg19] {
        for naming in [VggNaming::Blocks, VggNaming::Features] {
            let description = kind("relu4_1", naming, LossNetInput::Torchvision, PadMode::Reflect).unwrap();
            let network = Network::random(description, 5, &Device::Cpu).unwrap();
            let path = folder.path().join("vgg.safetensors");
            let metadata =
                [("input", "torchvision"), ("padding", "reflect")].map(|(k, v)| (k.to_owned(), v.to_owned()));
            weights::save(&network, &HashMap::from(metadata), DType::F32, &path).unwrap();
            let file = LossNetFile::open(&path, None).unwrap();
            let frozen = file.network(&layers("relu4_1", "relu3_3"), &Device::Cpu).unwrap();
            let found = frozen.features(&photo, &["relu3_3", "relu4_1"]).unwrap();
            let expected = network.features(&photo).unwrap();
            for layer in ["relu3_3", "relu4_1"] {
                let largest = |tensor: &Tensor| {
                    tensor.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap()
                };
                let difference = largest(&(&found[layer] - &expected[layer]).unwrap());
                assert!(difference <= 1e-3 * largest(&expected[layer]), "{layer}: {difference}");
            }
            // Cut earlier, the later layers are not there.
            let cut = file.network(&layers("relu1_2", "relu2_1"), &Device::Cpu).unwrap();
            assert!(cut.features(&photo, &["relu3_1"]).is_err());
        }
    }
}

#[test]
fn metadata_count_more_than_what_the_user_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vgg.safetensors");
    let photo = Tensor::full(200f32, (1, 3, 32, 32), &Device::Cpu).unwrap();
    let feature = |choice| {
        let file = LossNetFile::open(&path, choice).unwrap();
        let network = file.network(&layers("relu1_1", "relu1_1"), &Device::Cpu).unwrap();
        let features = network.features(&photo, &["relu1_1"]).unwrap();
        features["relu1_1"].flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    support::loss_net(&path, "relu1_1", VggNaming::Blocks, &[("input", "caffe")]);
    let caffe = feature(None);
    assert_eq!(feature(Some(LossNetInputChoice::Torchvision)), caffe);
    support::loss_net(&path, "relu1_1", VggNaming::Blocks, &[]);
    assert_eq!(feature(Some(LossNetInputChoice::Caffe)), caffe);
    assert_ne!(feature(Some(LossNetInputChoice::Torchvision)), caffe);
}
