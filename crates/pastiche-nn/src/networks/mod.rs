//! The architectures: each a function from its sizes to a description, and how to recognise one in a file.

mod johnson;
mod layers;
mod lengstrom;
mod super_res;
mod swift;
mod transformer_net;
mod vgg;

pub use johnson::johnson;
pub use lengstrom::lengstrom;
pub use super_res::{Enlarger, SuperResSize, srcnn, super_res};
pub use swift::{SwiftSize, swift};
pub use transformer_net::transformer_net;
pub use vgg::{LossNetInput, VggNaming, vgg16, vgg19};

use crate::{NetworkDescription, WeightsError, weights::WeightsFile};

/// A kind of style network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// Johnson et al. with instance norm and nearest upsampling, key for key the PyTorch example's network.
    TransformerNet,
    /// The TensorFlow port's variant: zero `SAME` padding, transposed convolutions, tanh output.
    Lengstrom,
    /// Our own for processors: most of the work at a quarter of the size.
    Swift,
    /// Johnson et al. as printed: batch norm, transposed convolutions, tanh output.
    Johnson,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::TransformerNet, Self::Lengstrom, Self::Swift, Self::Johnson];

    /// The name in style files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TransformerNet => "transformer_net",
            Self::Lengstrom => "lengstrom",
            Self::Swift => "swift",
            Self::Johnson => "johnson",
        }
    }

    /// The architecture of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|architecture| architecture.name() == name)
    }

    /// The description at the architecture's usual size.
    pub fn usual(self) -> NetworkDescription {
        match self {
            Self::TransformerNet => transformer_net(32),
            Self::Lengstrom => lengstrom(),
            Self::Swift => swift(SwiftSize::default()),
            Self::Johnson => johnson(32),
        }
    }

    /// Which architecture a file holds: what its metadata says, or else what its tensors' names show.
    ///
    /// # Errors
    /// The metadata names an unknown architecture or one that enlarges, or the tensors are of none that is known.
    pub fn of_file(file: &WeightsFile) -> Result<Self, WeightsError> {
        if let Some(name) = file.metadata("pastiche.architecture") {
            return Self::from_name(name).ok_or_else(|| match Enlarger::of_architecture(name) {
                Some(_) => WeightsError::Enlarges { architecture: name.to_owned() },
                None => WeightsError::UnknownArchitecture { name: name.to_owned() },
            });
        }
        if file.shape("conv1.conv2d.weight").is_some() {
            Ok(Self::TransformerNet)
        } else if file.shape("conv1.in.scale").is_some() {
            Ok(Self::Lengstrom)
        } else if file.shape("down.weight").is_some() {
            Ok(Self::Swift)
        } else if file.shape("bn1.running_mean").is_some() {
            Ok(Self::Johnson)
        } else {
            Err(WeightsError::UnrecognisedTensors)
        }
    }

    /// The description that fits a file's tensors (its width, where the architecture has one).
    ///
    /// # Errors
    /// The tensor that tells the width is missing or senseless.
    pub fn describe(self, file: &WeightsFile) -> Result<NetworkDescription, WeightsError> {
        match self {
            Self::TransformerNet => transformer_net::of_file(file),
            Self::Lengstrom => Ok(lengstrom()),
            Self::Swift => swift::of_file(file),
            Self::Johnson => johnson::of_file(file),
        }
    }
}
