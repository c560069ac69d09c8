//! What a loss network takes: told by the file, or by the user; never guessed from the names.

use std::{path::Path, str::FromStr};

use pastiche_nn::{PadMode, WeightsError, WeightsFile, networks::LossNetInput};

use crate::TrainError;

/// What the user says a loss network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossNetInputChoice {
    /// RGB with torchvision's mean and deviation; zero padding unless the file says otherwise.
    Torchvision,
    /// BGR on 0-255 minus Caffe's means; zero padding unless the file says otherwise.
    Caffe,
}

impl FromStr for LossNetInputChoice {
    type Err = TrainError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "torchvision" => Ok(Self::Torchvision),
            "caffe" => Ok(Self::Caffe),
            _ => Err(TrainError::UnknownLossNetInput { word: word.to_owned() }),
        }
    }
}

impl From<LossNetInputChoice> for LossNetInput {
    fn from(choice: LossNetInputChoice) -> Self {
        match choice {
            LossNetInputChoice::Torchvision => Self::Torchvision,
            LossNetInputChoice::Caffe => Self::Caffe,
        }
    }
}

/// What the network takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Input {
    pub(super) values: LossNetInput,
    pub(super) padding: PadMode,
}

/// Words of the metadata `input`.
const INPUTS: [(&str, LossNetInput); 4] = [
    ("bgr_0_255_minus_103.939_116.779_123.68", LossNetInput::Caffe),
    ("caffe", LossNetInput::Caffe),
    ("rgb_0_1_mean_0.485_0.456_0.406_std_0.229_0.224_0.225", LossNetInput::Torchvision),
    ("torchvision", LossNetInput::Torchvision),
];

/// Reads the metadata `input` and `padding`; `choice` stands in for what they do not say.
pub(super) fn read(
    file: &WeightsFile,
    choice: Option<LossNetInputChoice>,
    path: &Path,
) -> Result<Input, TrainError> {
    let wrong = |key: &str, value: &str, expected: String| TrainError::LossNet {
        source: WeightsError::Metadata { key: key.to_owned(), value: value.to_owned(), expected },
        path: path.to_owned(),
    };
    let values = match (file.metadata("input"), choice) {
        (Some(word), _) => {
            let known = INPUTS.iter().find(|(name, _)| *name == word);
            known.map(|(_, input)| *input).ok_or_else(|| {
                wrong("input", word, format!("one of {}", INPUTS.map(|(name, _)| name).join(", ")))
            })?
        }
        (None, Some(choice)) => choice.into(),
        (None, None) => return Err(TrainError::LossNetInput { path: path.to_owned() }),
    };
    let padding = match file.metadata("padding") {
        Some("reflect") => PadMode::Reflect,
        Some("zero") | None => PadMode::Zero,
        Some(word) => return Err(wrong("padding", word, "reflect or zero".to_owned())),
    };
    Ok(Input { values, padding })
}
