//! A training that is killed and goes on ends where one ends that was never stopped, bit for bit.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use candle_core::Device;
use pastiche_nn::WeightsFile;
use pastiche_train::StepReport;
use support::{Workshop, failure, said};

/// Everything that is in a file of tensors, as bits.
fn tensors(path: &std::path::Path) -> Vec<(String, Vec<u32>)> {
    let file = WeightsFile::open(path).unwrap();
    let bits = |name: &String| {
        let values: Vec<f32> =
            file.tensor(name, &Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        values.into_iter().map(f32::to_bits).collect()
    };
    file.names().into_iter().map(|name| (name.clone(), bits(&name))).collect()
}

/// The losses of every step that is on record.
fn losses(path: &std::path::Path) -> Vec<(u64, f32, f32)> {
    let text = fs::read_to_string(path).unwrap();
    let steps = text.lines().map(|line| serde_json::from_str::<StepReport>(line).unwrap());
    steps.map(|step| (step.step, step.total, step.stability)).collect()
}

#[test]
fn resume() {
    let workshop = Workshop::new();
    let twenty = ["--steps", "20", "--checkpoint-every", "10", "--stability-from", "0.6", "--blocks", "2"];
    let straight = workshop.style("straight.safetensors", &twenty).output().unwrap();
    assert!(straight.status.success(), "{}", said(&straight));

    let mut killed = workshop.style("killed.safetensors", &twenty).stderr(Stdio::null()).spawn().unwrap();
    let checkpoint = workshop.path("killed.run/checkpoint.safetensors");
    let deadline = Instant::now() + Duration::from_secs(120);
    while !checkpoint.exists() {
        assert!(Instant::now() < deadline, "no checkpoint");
        assert!(killed.try_wait().unwrap().is_none(), "it ended before its checkpoint");
        thread::sleep(Duration::from_millis(2));
    }
    // On Unix: SIGKILL, which leaves no time for anything.
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success(), "it was too fast to be killed");
    assert!(!workshop.path("killed.safetensors").exists());
    assert_eq!(WeightsFile::open(&checkpoint).unwrap().metadata("pastiche.step"), Some("10"));

    // With another number of threads, too.
    let resumed = [&twenty[..], &["--resume", "--threads", "1"]].concat();
    let resumed = workshop.style("killed.safetensors", &resumed).output().unwrap();
    assert!(resumed.status.success(), "{}", said(&resumed));
    assert!(!said(&resumed).contains("step 10 of"), "it began at step 11: {}", said(&resumed));
    for file in ["NAME.safetensors", "NAME.run/checkpoint.safetensors"] {
        let of = |name| tensors(&workshop.path(&file.replace("NAME", name)));
        let (straight, killed) = (of("straight"), of("killed"));
        assert!(straight.len() > 20);
        assert!(straight == killed, "{file}");
    }
    let of = |name| losses(&workshop.path(&format!("{name}.run/metrics.jsonl")));
    assert_eq!(of("straight").len(), 20);
    // The stability term sets in after the checkpoint, by its share of all steps.
    let stability: Vec<bool> = of("killed").iter().map(|step| step.2 > 0.0).collect();
    assert!(stability[..12].iter().all(|there| !there) && stability[13..].iter().all(|there| *there));
    assert_eq!(of("straight"), of("killed"));
    // The comparison can fail: another seed makes another network.
    let other = [&twenty[..], &["--seed", "1"]].concat();
    assert!(workshop.style("other.safetensors", &other).output().unwrap().status.success());
    let of = |name: &str| tensors(&workshop.path(&format!("{name}.safetensors")));
    assert!(of("other") != of("straight"));
}

#[test]
fn a_training_that_exists_is_neither_lost_nor_mixed_up() {
    let workshop = Workshop::new();
    let two = ["--steps", "2", "--credit", "Nobody"];
    let first = workshop.style("a.safetensors", &two).output().unwrap();
    assert!(first.status.success(), "{}", said(&first));
    let again = failure(workshop.style("a.safetensors", &two));
    assert!(again.contains("exists already; add -y"), "{again}");
    fs::remove_file(workshop.path("a.safetensors")).unwrap();
    let again = failure(workshop.style("a.safetensors", &two));
    assert!(again.contains("add --resume to go on with it, or -y"), "{again}");
    let none = failure(workshop.style("b.safetensors", &["--steps", "2", "--resume"]));
    assert!(none.contains("no checkpoint to resume from"), "{none}");
    let other = failure(workshop.style("a.safetensors", &["--resume", "--seed", "7", "--batch", "1"]));
    assert!(other.contains("another configuration"), "{other}");
    assert!(other.contains("seed was 0 and is 7") && other.contains("batch was 2 and is 1"), "{other}");
    // A training can be made longer, and what it says of itself stays.
    let more = workshop.style("a.safetensors", &["--resume", "--steps", "3"]).output().unwrap();
    assert!(more.status.success(), "{}", said(&more));
    assert_eq!(losses(&workshop.path("a.run/metrics.jsonl")).len(), 3);
    let style = WeightsFile::open(&workshop.path("a.safetensors")).unwrap();
    assert_eq!(style.metadata("pastiche.credit"), Some("Nobody"));
    let told: serde_json::Value =
        serde_json::from_str(style.metadata("pastiche.trained_with").unwrap()).unwrap();
    assert_eq!((&told["steps_done"], &told["recipe"]["crop"]), (&3.into(), &96.into()));
    // Started afresh, nothing of the old training is left.
    let afresh = workshop.style("a.safetensors", &["-y", "--steps", "1", "--seed", "7"]).output().unwrap();
    assert!(afresh.status.success(), "{}", said(&afresh));
    assert_eq!(losses(&workshop.path("a.run/metrics.jsonl")).len(), 1);
    assert_eq!(fs::read_dir(workshop.path("a.run/samples")).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_checkpoint_and_a_style_and_says_how_to_go_on() {
    let workshop = Workshop::new();
    let mut command = workshop.style("a.safetensors", &["--steps", "100000"]);
    let training = command.stderr(Stdio::piped()).spawn().unwrap();
    let metrics = workshop.path("a.run/metrics.jsonl");
    let deadline = Instant::now() + Duration::from_secs(120);
    while fs::metadata(&metrics).map_or(0, |file| file.len()) == 0 {
        assert!(Instant::now() < deadline, "no step");
        thread::sleep(Duration::from_millis(10));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &training.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let output = training.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(said(&output).contains("--resume goes on"), "{}", said(&output));
    let steps = losses(&metrics).len().to_string();
    let checkpoint = WeightsFile::open(&workshop.path("a.run/checkpoint.safetensors")).unwrap();
    assert_eq!(checkpoint.metadata("pastiche.step"), Some(steps.as_str()));
    let style = WeightsFile::open(&workshop.path("a.run/style.safetensors")).unwrap();
    assert!(style.style_network(&Device::Cpu).is_ok());
}

#[test]
fn the_report_shows_curves_and_the_held_out_photographs() {
    let workshop = Workshop::new();
    let options = ["--steps", "4", "--sample-every", "2"];
    let training = workshop.style("a.safetensors", &options).output().unwrap();
    assert!(training.status.success(), "{}", said(&training));
    let page = fs::read_to_string(workshop.path("a.run/report.html")).unwrap();
    assert!(page.contains("<h1>Step 4 of 4</h1>") && page.contains("<svg"), "{page}");
    for picture in ["photos", "step-0000002", "step-0000004"] {
        let file = format!("samples/{picture}.png");
        assert!(page.contains(&format!("src=\"{file}\"")), "{file}");
        // Two of eight photographs of 112x96, side by side at a height of 256.
        let sheet = image::open(workshop.path("a.run").join(file)).unwrap();
        assert_eq!((sheet.width(), sheet.height()), (2 * 296, 256));
    }
    assert!(said(&training).contains("0:00 left"), "{}", said(&training));
}

#[test]
fn a_training_starts_from_a_style_that_is_there() {
    let workshop = Workshop::new();
    let twelve = ["--steps", "12", "--learning-rate", "1e-9"];
    assert!(workshop.style("first.safetensors", &["--steps", "12"]).output().unwrap().status.success());
    let from_first = [&twelve[..], &["--from", "first.safetensors", "--seed", "5"]].concat();
    let second = workshop.style("second.safetensors", &from_first).output().unwrap();
    assert!(second.status.success(), "{}", said(&second));
    // With steps that small it ends where it began, which is where the first ended, but for the rounding to 16 bits.
    let of = |name| tensors(&workshop.path(name));
    let (first, second) = (of("first.safetensors"), of("second.safetensors"));
    for ((name, was), (_, is)) in first.iter().zip(&second) {
        for (was, is) in was.iter().zip(is).map(|(was, is)| (f32::from_bits(*was), f32::from_bits(*is))) {
            assert!((was - is).abs() <= 1e-3 * was.abs() + 1e-5, "{name}: {was} {is}");
        }
    }
    let told = WeightsFile::open(&workshop.path("second.safetensors")).unwrap();
    assert!(told.metadata("pastiche.trained_with").unwrap().contains("\"from\""));
    // Going on from another file is another training.
    fs::remove_file(workshop.path("second.safetensors")).unwrap();
    let other =
        failure(workshop.style("second.safetensors", &[&twelve[..], &["--seed", "5", "--resume"]].concat()));
    assert!(other.contains("from was"), "{other}");
    let wider =
        ["--steps", "2", "--from", "first.safetensors", "--architecture", "transformer_net", "--width", "4"];
    let error = failure(workshop.style("third.safetensors", &wider));
    assert!(error.contains("cannot be used") && error.contains("--architecture"), "{error}");
    let error = failure(workshop.style("third.safetensors", &["--from", "nowhere.safetensors"]));
    assert!(error.contains("cannot be read") && error.contains("nowhere"), "{error}");
}
