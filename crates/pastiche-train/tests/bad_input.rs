//! Everything that can be wrong with what a training is given is told in one line that says what to do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{collections::HashMap, fs, process::Command};

use candle_core::{DType, Device};
use pastiche_nn::{
    Network,
    networks::{self, SwiftSize, VggNaming},
    weights,
};
use support::{Workshop, failure, loss_net, picture, refusal, said};

#[test]
fn folders_without_usable_photographs_are_refused() {
    let workshop = Workshop::new();
    fs::create_dir(workshop.path("empty")).unwrap();
    fs::write(workshop.path("empty/notes.txt"), "no photograph").unwrap();
    let error = failure(workshop.style("a.safetensors", &["--photos", "empty"]));
    assert!(error.contains("no photographs (jpg, jpeg, png)") && error.contains("empty"), "{error}");
    let error = failure(workshop.style("a.safetensors", &["--photos", "nowhere"]));
    assert!(error.contains("cannot be read") && error.contains("nowhere"), "{error}");
    fs::create_dir(workshop.path("broken")).unwrap();
    for index in 0..4 {
        fs::write(workshop.path(&format!("broken/{index}.jpg")), "not a picture").unwrap();
    }
    let error = failure(workshop.style("a.safetensors", &["--photos", "broken"]));
    assert!(error.contains("in a row could not be read") && error.contains("broken"), "{error}");
    assert!(!workshop.path("a.safetensors").exists());
    // What could not begin is in nobody's way.
    assert!(!workshop.path("a.run/checkpoint.safetensors").exists());
    let output = workshop.style("a.safetensors", &["--steps", "1"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    // Nor does it replace one that could.
    let checkpoint = || fs::read(workshop.path("a.run/checkpoint.safetensors")).unwrap();
    let trained = checkpoint();
    failure(workshop.style("a.safetensors", &["--photos", "broken", "-y"]));
    assert!(checkpoint() == trained && workshop.path("a.run/metrics.jsonl").exists());
}

#[test]
fn a_bad_photograph_is_named_and_passed_over() {
    let workshop = Workshop::new();
    // Not one of those that are kept from the training.
    fs::write(workshop.path("photos/0.png"), "not a picture").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere.png", workshop.path("photos/leads-nowhere.png")).unwrap();
    let output = workshop.style("a.safetensors", &["--steps", "9"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let named = |name| {
        said(&output).lines().filter(|line| line.contains("passed over") && line.contains(name)).count()
    };
    assert_eq!(named("photos/0.png"), 1, "{}", said(&output));
    if cfg!(unix) {
        assert!(named("leads-nowhere") > 0, "{}", said(&output));
    }
}

#[test]
fn one_photograph_is_enough_to_finish() {
    let workshop = Workshop::new();
    fs::create_dir(workshop.path("one")).unwrap();
    picture(100, 100, 5).save(workshop.path("one/only.png")).unwrap();
    let output = workshop.style("a.safetensors", &["--photos", "one", "--steps", "2"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(workshop.path("a.safetensors").exists());
}

#[test]
fn a_painting_that_is_too_small_or_no_picture_is_refused() {
    let workshop = Workshop::new();
    picture(40, 20, 0).save(workshop.path("painting.png")).unwrap();
    let error = failure(workshop.style("a.safetensors", &[]));
    assert!(error.contains("40x20 pixels are too few, 32 on the shorter side"), "{error}");
    fs::write(workshop.path("painting.png"), "no picture").unwrap();
    let error = failure(workshop.style("a.safetensors", &[]));
    assert!(error.contains("the picture cannot be read") && error.contains("painting.png"), "{error}");
}

#[test]
fn a_loss_network_must_have_its_layers_and_say_what_it_takes() {
    let workshop = Workshop::new();
    let error = failure(workshop.style("a.safetensors", &["--style-layers", "relu3_1,relu1_1"]));
    assert!(error.contains("no conv3_1.bias") && error.contains("its layers go to relu2_2"), "{error}");
    let error = failure(workshop.style("a.safetensors", &["--style-layers", "relu1_2,relu3_4"]));
    assert!(error.contains("its layers go to relu2_2"), "{error}");
    let error = refusal(workshop.style("a.safetensors", &["--content-layers", "relu9_9"]), 2);
    assert!(error.contains("no loss network has a layer relu9_9"), "{error}");
    loss_net(&workshop.path("silent.safetensors"), "relu2_2", VggNaming::Features, &[]);
    let silent = ["--loss-net", "silent.safetensors", "--steps", "1"];
    let error = refusal(workshop.style("a.safetensors", &silent), 2);
    assert!(error.contains("--loss-net-input torchvision or caffe"), "{error}");
    let told = [&silent[..], &["--loss-net-input", "torchvision"]].concat();
    let output = workshop.style("a.safetensors", &told).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let strange = [("input", "yuv"), ("padding", "zero")];
    loss_net(&workshop.path("strange.safetensors"), "relu2_2", VggNaming::Blocks, &strange);
    let error = failure(workshop.style("b.safetensors", &["--loss-net", "strange.safetensors"]));
    assert!(error.contains("input = `yuv`"), "{error}");
}

#[test]
fn a_loss_that_is_no_number_stops_the_training_and_names_the_checkpoint() {
    let workshop = Workshop::new();
    let output = workshop.style("a.safetensors", &["--steps", "2"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    // Weights so large that the painting overflows.
    let path = workshop.path("a.run/checkpoint.safetensors");
    let bytes = fs::read(&path).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let huge: Vec<u8> =
        1e30f32.to_le_bytes().repeat(file.tensor("weights/out.weight").unwrap().data().len() / 4);
    let tensors: Vec<(String, safetensors::tensor::TensorView<'_>)> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let data = if name == "weights/out.weight" { &huge } else { view.data() };
            let view =
                safetensors::tensor::TensorView::new(view.dtype(), view.shape().to_vec(), data).unwrap();
            (name, view)
        })
        .collect();
    let doctored = safetensors::serialize(tensors, header.metadata().clone()).unwrap();
    fs::write(&path, &doctored).unwrap();
    let error = failure(workshop.style("a.safetensors", &["--steps", "5", "--resume"]));
    assert!(error.contains("the loss at step 3 is"), "{error}");
    assert!(error.contains("the last good checkpoint is that of step 2: a.run/checkpoint"), "{error}");
    assert!(error.contains("--resume with a lower --learning-rate"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), doctored, "the checkpoint is as it was");
    // What the error advises is not refused: it fails for the same reason, since nothing can mend these weights.
    let error =
        failure(workshop.style("a.safetensors", &["--steps", "5", "--resume", "--learning-rate", "1e-5"]));
    assert!(error.contains("the loss at step 3 is"), "{error}");
}

#[test]
fn a_loss_that_is_no_number_at_once_leaves_nothing_to_go_on_from() {
    let workshop = Workshop::new();
    let small = SwiftSize { width: 6, ..SwiftSize::default() };
    let network = Network::random(networks::swift(small), 0, &Device::Cpu).unwrap();
    let huge = network.parameters().iter().map(|(name, tensor)| (name.clone(), (tensor * 1e30).unwrap()));
    let network = Network::new(network.description().clone(), huge.collect()).unwrap();
    weights::save(&network, &HashMap::new(), DType::F32, &workshop.path("huge.safetensors")).unwrap();
    let error = failure(workshop.style("a.safetensors", &["--from", "huge.safetensors"]));
    assert!(error.contains("the loss at step 1 is"), "{error}");
    assert!(error.ends_with("nothing was saved yet: start again with a lower --learning-rate"), "{error}");
}

/// A limit on the size of files stands in for a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_while_saving_leaves_the_last_checkpoint_intact() {
    let workshop = Workshop::new();
    let output = workshop.style("a.safetensors", &["--steps", "2"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let checkpoint = workshop.path("a.run/checkpoint.safetensors");
    let before = fs::read(&checkpoint).unwrap();
    let training = workshop.style("a.safetensors", &["--steps", "4", "--resume"]);
    let mut limited = Command::new("sh");
    // In blocks of 512 bytes, and without the signal that would end the program.
    limited.args(["-c", r#"trap "" XFSZ; ulimit -f 16; exec "$@""#, "sh"]);
    limited.arg(training.get_program()).args(training.get_args());
    limited.current_dir(training.get_current_dir().unwrap());
    let error = failure(limited);
    assert!(
        error.contains("cannot be written") && error.contains("the last checkpoint is as it was"),
        "{error}"
    );
    assert_eq!(fs::read(&checkpoint).unwrap(), before);
    let left: Vec<_> = fs::read_dir(workshop.path("a.run")).unwrap().flatten().collect();
    let names: Vec<_> = left.iter().map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.starts_with(".")), "half a file is left: {names:?}");
}

#[test]
fn settings_out_of_range_are_told_with_the_range() {
    let workshop = Workshop::new();
    for (option, value, told) in [
        ("--crop", "98", "a multiple of 4"),
        ("--crop", "8", "from 32 to 2048"),
        ("--batch", "0", "from 1 to 256"),
        ("--steps", "0", "from 1 to"),
        ("--style-size", "8", "from 32 to 4096"),
        ("--style-weight", "0", "from 0.000000001 to"),
        ("--content-weight", "-1", "from 0.000000001 to"),
        ("--total-variation-weight", "-1", "from 0 to"),
        ("--stability-from", "1.5", "from 0 to 1"),
        ("--noise", "300", "from 0 to 255"),
        ("--shift", "41", "from 0 to 40"),
        ("--learning-rate", "-1", "--learning-rate is -1"),
        ("--learning-rate", "nan", "--learning-rate is NaN"),
        ("--stability-weight", "inf", "from 0 to"),
        ("--width", "7", "a multiple of 6"),
        ("--blocks", "0", "from 1 to 32"),
        ("--blocks", "33", "from 1 to 32"),
        ("--architecture", "resnet", "transformer_net, lengstrom, swift, johnson"),
    ] {
        let mut command = workshop.program();
        command.args(["style", "painting.png", "--photos", "photos", "-o", "a.safetensors"]);
        command.args(["--loss-net", "vgg.safetensors", &format!("{option}={value}")]);
        let error = refusal(command, 2);
        assert!(error.contains(option) && error.contains(told), "{error}");
    }
    for (option, value) in
        [("--style-weight", "nan"), ("--content-weight", "-1"), ("--total-variation-weight", "inf")]
    {
        let mut command = workshop.program();
        command.args(["optimize", "photos/1.png", "--painting", "painting.png", "-o", "a.png"]);
        command.args(["--loss-net", "vgg.safetensors", &format!("{option}={value}")]);
        let error = refusal(command, 2);
        assert!(error.contains(option) && error.contains("must be from"), "{error}");
    }
    assert!(!workshop.path("a.png").exists());
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    let workshop = Workshop::new();
    let enlarging = ["evaluate", "--super-resolution", "photos"];
    let single = ["optimize", "photos/1.png", "-o", "a.png", "--content-only", "relu1_1"];
    for (command, useless) in [
        (&enlarging[..], &["--count", "3"][..]),
        (&enlarging, &["--iterations", "5"]),
        (&enlarging, &["--stability"]),
        (&enlarging, &["--plot", "a.svg"]),
        (&single, &["--style-layers", "relu1_2"]),
        (&single, &["--content-layers", "relu1_2"]),
        (&single, &["--style-size", "64"]),
    ] {
        let mut program = workshop.program();
        program.args(command).args(useless);
        let error = refusal(program, 2);
        assert!(error.contains("cannot be used with") && error.contains(useless[0]), "{error}");
    }
}

#[test]
fn outputs_that_could_not_be_written_are_refused_before_the_work() {
    let workshop = Workshop::new();
    let error = refusal(workshop.style("style.pth", &[]), 2);
    assert!(error.contains("must end with .safetensors"), "{error}");
    let error = failure(workshop.style("nowhere/a.safetensors", &[]));
    assert!(error.contains("folder for the result does not exist"), "{error}");
    for (name, code, told) in [("out.webp", 2, ".png or .jpg"), ("nowhere/out.png", 1, "does not exist")] {
        let mut command = workshop.program();
        command.args(["optimize", "photos/1.png", "--painting", "painting.png", "-o", name]);
        command.args(["--loss-net", "vgg.safetensors"]);
        let error = refusal(command, code);
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn without_a_network_the_error_says_which_file_to_fetch_and_where_to_put_it() {
    let workshop = Workshop::new();
    let mut command = workshop.program();
    command.args(["style", "painting.png", "--photos", "photos", "-o", "a.safetensors"]);
    // Nobody listens there, and nothing was fetched before.
    command.env("HF_ENDPOINT", "http://127.0.0.1:9");
    for folder in ["HF_HOME", "XDG_CACHE_HOME", "HOME"] {
        command.env(folder, workshop.path("empty home"));
    }
    let error = failure(command);
    for told in ["could not be fetched", "timm/vgg16.tv_in1k", "--loss-net FILE", "vgg16.tv_in1k.safetensors"]
    {
        assert!(error.contains(told), "{error}");
    }
}
