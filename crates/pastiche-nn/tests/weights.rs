//! Style files, good and bad.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{collections::HashMap, fs};

use candle_core::{DType, Device, Tensor};
use pastiche_nn::{Network, WeightsError, WeightsFile, networks, weights};
use proptest::prelude::*;
use support::{max_difference, shared};

fn small_network() -> Network {
    Network::random(networks::transformer_net(2), 7, &Device::Cpu).unwrap()
}

/// The tensors of a small network, to be spoilt.
fn tensors() -> HashMap<String, Tensor> {
    small_network().parameters().iter().map(|(name, tensor)| (name.clone(), tensor.clone())).collect()
}

fn read(tensors: &HashMap<String, Tensor>, metadata: &[(&str, &str)]) -> Result<Network, WeightsError> {
    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let bytes = safetensors::serialize(tensors, Some(metadata)).unwrap();
    WeightsFile::from_bytes(bytes)?.style_network(&Device::Cpu)
}

fn error(tensors: &HashMap<String, Tensor>, metadata: &[(&str, &str)]) -> WeightsError {
    read(tensors, metadata).expect_err("the file was accepted")
}

/// Half the distance of two neighbouring `f16`, as a part of them.
const F16_ROUNDING: f64 = 1.0 / 2048.0;

#[test]
fn a_network_comes_back_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.safetensors");
    let network = small_network();
    let metadata = HashMap::from([("pastiche.name".to_owned(), "Small".to_owned())]);
    for (dtype, tolerance) in [(DType::F32, 0.0), (DType::F16, F16_ROUNDING)] {
        weights::save(&network, &metadata, dtype, &path).unwrap();
        let file = WeightsFile::open(&path).unwrap();
        assert_eq!(file.metadata("pastiche.name"), Some("Small"));
        assert_eq!(file.metadata("pastiche.architecture"), Some("transformer_net"));
        let again = file.style_network(&Device::Cpu).unwrap();
        assert_eq!(again.description(), network.description());
        for (name, tensor) in network.parameters() {
            let largest = max_difference(tensor, &tensor.zeros_like().unwrap());
            assert!(max_difference(&again.parameters()[name], tensor) <= tolerance * largest, "{name}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was left behind");
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/small.safetensors");
    let result = weights::save(&small_network(), &HashMap::new(), DType::F32, &missing);
    assert!(matches!(result, Err(WeightsError::Write { .. })));
    // A folder is in the way of the final name.
    let taken = folder.path().join("taken.safetensors");
    fs::create_dir(&taken).unwrap();
    let result = weights::save(&small_network(), &HashMap::new(), DType::F32, &taken);
    assert!(matches!(result, Err(WeightsError::Write { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a partial file was left behind");
}

#[test]
fn the_running_statistics_of_pytorch_s_norms_are_passed_over() {
    let mut tensors = tensors();
    for norm in ["in1", "res1.in2"] {
        for statistic in ["running_mean", "running_var"] {
            tensors.insert(format!("{norm}.{statistic}"), Tensor::ones(2, DType::F32, &Device::Cpu).unwrap());
        }
    }
    tensors.insert("in1.num_batches_tracked".to_owned(), Tensor::new(3i64, &Device::Cpu).unwrap());
    read(&tensors, &[]).unwrap();
}

#[test]
fn spoilt_tensors_are_named() {
    let mut missing = tensors();
    missing.remove("res3.conv2.conv2d.bias");
    assert_eq!(error(&missing, &[]).to_string(), "tensor `res3.conv2.conv2d.bias` is missing");

    let mut superfluous = tensors();
    superfluous
        .insert("res6.conv1.conv2d.bias".to_owned(), Tensor::ones(8, DType::F32, &Device::Cpu).unwrap());
    assert!(
        matches!(error(&superfluous, &[]), WeightsError::UnexpectedTensor { name, .. } if name.contains("res6"))
    );

    let mut misshapen = tensors();
    misshapen.insert("in1.weight".to_owned(), Tensor::ones(3, DType::F32, &Device::Cpu).unwrap());
    assert_eq!(error(&misshapen, &[]).to_string(), "tensor `in1.weight` has shape [3], not [2]");

    let mut first = tensors();
    first.insert(
        "conv1.conv2d.weight".to_owned(),
        Tensor::ones((2, 3, 7, 7), DType::F32, &Device::Cpu).unwrap(),
    );
    assert!(matches!(error(&first, &[]), WeightsError::Shape { name, .. } if name == "conv1.conv2d.weight"));

    let mut integers = tensors();
    integers.insert("in1.weight".to_owned(), Tensor::ones(2, DType::I64, &Device::Cpu).unwrap());
    assert!(matches!(error(&integers, &[]), WeightsError::DataType { .. }));

    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut failed = tensors();
        failed.insert("in1.weight".to_owned(), Tensor::new(&[1.0, value], &Device::Cpu).unwrap());
        assert!(matches!(error(&failed, &[]), WeightsError::NotFinite { name } if name == "in1.weight"));
    }
}

#[test]
fn unknown_networks_are_told_apart_from_broken_ones() {
    let other = HashMap::from([("w".to_owned(), Tensor::ones(2, DType::F32, &Device::Cpu).unwrap())]);
    assert!(matches!(error(&other, &[]), WeightsError::UnrecognisedTensors));
    let named = error(&tensors(), &[("pastiche.architecture", "oil_2030")]);
    assert!(matches!(named, WeightsError::UnknownArchitecture { name } if name == "oil_2030"));
    let enlarger = error(&tensors(), &[("pastiche.architecture", "super_res_x4")]);
    assert!(matches!(enlarger, WeightsError::Enlarges { architecture } if architecture == "super_res_x4"));
    let misnamed = error(&tensors(), &[("pastiche.architecture", "lengstrom")]);
    assert!(matches!(misnamed, WeightsError::UnexpectedTensor { .. }));
}

#[test]
fn hostile_headers_are_refused() {
    let whole = safetensors::serialize(&tensors(), None).unwrap();
    let with_length = |length: u64| [&length.to_le_bytes()[..], &whole[8..]].concat();
    let with_header =
        |header: &str| [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 64]].concat();
    let cases = [
        Vec::new(),
        vec![0; 7],
        b"just some text that is no style".to_vec(),
        whole[..whole.len() / 2].to_vec(),
        with_length(1 << 62),
        with_length(u64::MAX),
        with_length(50_000_000),
        with_header(r#"{"a":{"dtype":"F32","shape":[16],"data_offsets":[0,65]}}"#),
        with_header(r#"{"a":{"dtype":"F32","shape":[16],"data_offsets":[64,0]}}"#),
        with_header(r#"{"a":{"dtype":"F32","shape":[4611686018427387904,16],"data_offsets":[0,64]}}"#),
        with_header(
            r#"{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]},"b":{"dtype":"F32","shape":[12],"data_offsets":[16,64]}}"#,
        ),
    ];
    for (index, bytes) in cases.into_iter().enumerate() {
        let result = WeightsFile::from_bytes(bytes);
        assert!(matches!(result, Err(WeightsError::NotSafetensors { .. })), "case {index}: {result:?}");
    }
}

#[test]
fn a_name_that_is_there_twice_is_refused() {
    let tensor = r#"{"dtype":"F32","shape":[16],"data_offsets":[0,64]}"#;
    let header = format!(r#"{{"a":{tensor},"a":{tensor}}}"#);
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 64]].concat();
    let result = WeightsFile::from_bytes(bytes);
    assert!(matches!(result, Err(WeightsError::DuplicateTensor { name }) if name == "a"));
}

#[test]
fn missing_files_and_folders_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.safetensors"), folder.path().to_owned()] {
        assert!(matches!(WeightsFile::open(&path), Err(WeightsError::Read { .. })));
    }
}

#[test]
fn a_swift_network_s_sizes_travel_in_the_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("swift.safetensors");
    let description = networks::swift(networks::SwiftSize { width: 12, blocks: 3 });
    let network = Network::random(description.clone(), 0, &Device::Cpu).unwrap();
    weights::save(&network, &HashMap::new(), DType::F32, &path).unwrap();
    let file = WeightsFile::open(&path).unwrap();
    assert_eq!(file.metadata("pastiche.swift.width"), Some("12"));
    assert_eq!(*file.style_network(&Device::Cpu).unwrap().description(), description);
    let senseless =
        error(&tensors(), &[("pastiche.architecture", "swift"), ("pastiche.swift.blocks", "many")]);
    let message = senseless.to_string();
    assert!(
        message.contains("pastiche.swift.blocks = `many`") && message.contains("from 1 to 32"),
        "{message}"
    );
}

#[test]
fn the_community_s_files_are_recognised() {
    for (file, architecture) in [
        ("starrynight.transformer_net", "transformer_net"),
        ("pointillism.transformer_net", "transformer_net"),
        ("scream.lengstrom", "lengstrom"),
        ("wreck.lengstrom", "lengstrom"),
    ] {
        let Some(path) = shared(&format!("assets/style_nets/{file}.safetensors")) else { return };
        let network = WeightsFile::open(&path).unwrap().style_network(&Device::Cpu).unwrap();
        assert_eq!(network.description().architecture, architecture);
    }
    let Some(path) = shared("assets/style_nets/microast.safetensors") else { return };
    let result = WeightsFile::open(&path).unwrap().style_network(&Device::Cpu);
    assert!(matches!(result, Err(WeightsError::UnrecognisedTensors)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_bytes_never_panic(at in 0usize..4000, byte: u8, cut in 0usize..4000) {
        let mut bytes = safetensors::serialize(&tensors(), None).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        // Damage inside the numbers may go unseen; all other damage must be an error, and none a panic.
        if let Ok(file) = WeightsFile::from_bytes(bytes) {
            drop(file.style_network(&Device::Cpu));
        }
    }

    #[test]
    fn any_width_gives_a_network_that_keeps_the_size(width in 1usize..7, rows in 4usize..9, columns in 4usize..9) {
        let network = Network::random(networks::transformer_net(width), 1, &Device::Cpu).unwrap();
        let (height, width) = (rows * 4, columns * 4);
        let input = Tensor::zeros((1, 3, height, width), DType::F32, &Device::Cpu).unwrap();
        let output = network.forward(&input).unwrap();
        prop_assert_eq!(output.dims(), [1, 3, height, width]);
    }
}

#[test]
fn random_weights_are_the_same_from_the_same_seed() {
    let weights = |seed| {
        let network = Network::random(networks::lengstrom(), seed, &Device::Cpu).unwrap();
        network.parameters()["conv2.weight"].flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    assert_eq!(weights(1), weights(1));
    assert_ne!(weights(1), weights(2));
    let variance = weights(1).iter().map(|w| f64::from(w * w)).sum::<f64>() / weights(1).len() as f64;
    assert!((variance * (32.0 * 9.0) / 2.0 - 1.0).abs() < 0.05, "variance {variance}");
}
