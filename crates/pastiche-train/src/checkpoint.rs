//! Everything that a training needs to go on as if it had never stopped, in one file.
//!
//! Tensors `weights/NAME`, `adam.first/NAME` and `adam.second/NAME`; in the metadata the step and the configuration, whose
//! seed together with the step is the whole state of the random numbers.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
};

use candle_core::{Device, Tensor};
use pastiche_nn::WeightsFile;
use serde::Serialize;
use serde_json::Value;

use crate::{TrainError, learner::Learner, run::write_whole};

/// What this version writes and reads.
const VERSION: &str = "1";

/// Writes the learner's state, so that the file is there whole or as it was before.
pub(crate) fn save(
    learner: &Learner,
    recipe: &impl Serialize,
    about: &HashMap<String, String>,
    path: &Path,
) -> Result<(), TrainError> {
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    let mut add = |group: &str, name: &str, tensor: &Tensor| -> Result<(), TrainError> {
        tensors.insert(format!("{group}/{name}"), tensor.to_device(&Device::Cpu)?.contiguous()?);
        Ok(())
    };
    for (name, var) in &learner.variables {
        add("weights", name, var)?;
    }
    for (group, moments) in [("adam.first", &learner.adam.first), ("adam.second", &learner.adam.second)] {
        for (name, tensor) in moments {
            add(group, name, tensor)?;
        }
    }
    let json =
        |text: serde_json::Result<String>| text.map_err(|error| TrainError::unwritable(path)(error.into()));
    let metadata = HashMap::from([
        ("pastiche.checkpoint".to_owned(), VERSION.to_owned()),
        ("pastiche.step".to_owned(), learner.step.to_string()),
        ("pastiche.recipe".to_owned(), json(serde_json::to_string(recipe))?),
        ("pastiche.about".to_owned(), json(serde_json::to_string(about))?),
    ]);
    let bytes = safetensors::serialize(tensors.iter(), Some(metadata)).map_err(io::Error::other);
    bytes.and_then(|bytes| write_whole(path, &bytes)).map_err(TrainError::unwritable(path))
}

/// Puts a learner where the checkpoint left off, and gives what the network is to say about itself. Of the settings only
/// those of [`FREE`] may differ.
pub(crate) fn restore(
    learner: &mut Learner,
    recipe: &impl Serialize,
    path: &Path,
) -> Result<HashMap<String, String>, TrainError> {
    let unreadable = |source| TrainError::Checkpoint { source, path: path.to_owned() };
    let no_checkpoint = |reason: String| TrainError::NotACheckpoint { reason, path: path.to_owned() };
    let file = WeightsFile::open(path).map_err(unreadable)?;
    let told = |key: &str| {
        file.metadata(key).ok_or_else(|| no_checkpoint(format!("its metadata do not tell {key}")))
    };
    match told("pastiche.checkpoint")? {
        VERSION => {}
        other => return Err(no_checkpoint(format!("it is of kind {other}"))),
    }
    let bad_json = |error: serde_json::Error| no_checkpoint(error.to_string());
    let saved: Value = serde_json::from_str(told("pastiche.recipe")?).map_err(bad_json)?;
    // By way of text, since reading may round what writing does not.
    let given = serde_json::to_string(recipe).and_then(|text| serde_json::from_str(&text));
    let differences = differences(&saved, &given.map_err(bad_json)?);
    if !differences.is_empty() {
        let differences = differences.join("; ");
        return Err(TrainError::OtherConfiguration { differences, path: path.to_owned() });
    }
    let step = told("pastiche.step")?;
    learner.step = step.parse().map_err(|_| no_checkpoint(format!("its step is `{step}`")))?;
    for (name, var) in &learner.variables {
        let read = |group: &str| {
            let tensor = file.tensor(&format!("{group}/{name}"), var.device()).map_err(unreadable)?;
            if tensor.dims() == var.dims() {
                Ok(tensor)
            } else {
                Err(no_checkpoint(format!("{group}/{name} has shape {:?}", tensor.dims())))
            }
        };
        var.set(&read("weights")?)?;
        learner.adam.first.insert(name.clone(), read("adam.first")?);
        learner.adam.second.insert(name.clone(), read("adam.second")?);
    }
    serde_json::from_str(told("pastiche.about")?).map_err(bad_json)
}

/// Settings that may change when a training goes on: how long it is to be, and how bold its steps.
const FREE: [&str; 2] = ["steps", "learning_rate"];

/// The settings in which two recipes differ, as text.
fn differences(saved: &Value, given: &Value) -> Vec<String> {
    let (Some(saved), Some(given)) = (saved.as_object(), given.as_object()) else {
        return vec!["its settings are no object".to_owned()];
    };
    let mut names: Vec<&String> = saved.keys().chain(given.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let nothing = Value::Null;
    let mut differences = Vec::new();
    for name in names.into_iter().filter(|name| !FREE.contains(&name.as_str())) {
        let (was, is) = (saved.get(name).unwrap_or(&nothing), given.get(name).unwrap_or(&nothing));
        if was != is {
            differences.push(format!("{name} was {was} and is {is}"));
        }
    }
    differences
}
