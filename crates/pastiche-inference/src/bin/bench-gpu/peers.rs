//! PyTorch's times, by scripts.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use candle_core::DType;
use pastiche_nn::weights;
use serde_json::Value;

use crate::{
    Bench, report,
    speed::{random, timed_networks},
};

/// It comes along inside this program.
const SCRIPT: &str = include_str!("../../../bench/torch_peers.py");

/// PyTorch on the networks and sizes that are timed, 1920x1080 first: each takes minutes to compile. `keep` takes what is done
/// so far, after each row.
pub(crate) fn networks(bench: &Bench<'_>, keep: &mut impl FnMut(Value) -> Result<()>) -> Result<Value> {
    let script = bench.folder.join("torch_peers.py");
    fs::write(&script, SCRIPT).with_context(|| format!("cannot write {}", script.display()))?;
    let mut files = Vec::new();
    for (name, description) in timed_networks() {
        let file = bench.folder.join(format!("{name}.safetensors"));
        weights::save(&random(description)?, &HashMap::new(), DType::F32, &file)?;
        files.push((name, file));
    }
    let mut sizes = bench.cli.sizes.clone();
    sizes.sort_by_key(|size| *size != (1920, 1080));
    let mut rows = Vec::new();
    for (width, height) in sizes {
        for (name, file) in &files {
            let (size, runs) = (format!("{width}x{height}"), bench.cli.runs.to_string());
            let options: [&OsStr; 6] = [
                "--weights".as_ref(),
                file.as_os_str(),
                "--size".as_ref(),
                size.as_ref(),
                "--runs".as_ref(),
                runs.as_ref(),
            ];
            let mut command = Command::new(&bench.cli.python);
            command.arg(&script).args(options);
            let row = last_json(&mut command);
            rows.push(row.unwrap_or_else(|error| report::missing(format!("{name} {size}: {error:#}"))));
            eprintln!("   {name} {size}");
            keep(rows.clone().into())?;
        }
    }
    Ok(rows.into())
}

/// A step of the training beside PyTorch's.
pub(crate) fn training(bench: &Bench<'_>) -> Result<Value> {
    let Some(script) = &bench.cli.train_script else {
        return Ok(report::missing("no --train-script, so the training step has no opponent"));
    };
    let mut command = Command::new(&bench.cli.python);
    command.arg(script).args(["--device", "cuda"]);
    if let Some(ours) = &bench.cli.train_ours {
        command.args(["--ours", ours]);
    }
    last_json(&mut command)
}

/// The JSON in the last line that a program prints.
fn last_json(command: &mut Command) -> Result<Value> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} failed ({}): {}", output.status, said.lines().last().unwrap_or("it said nothing"));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let line = printed.lines().last().with_context(|| format!("{program} printed nothing"))?;
    serde_json::from_str(line).with_context(|| format!("{program} printed no JSON"))
}
