//! Options of `brevity compress --train`.

use brevity_lab::pack::{self, Budget};
use brevity_train::{DeviceKind, TrainSetup};

/// How the model is trained.
#[derive(clap::Args)]
pub struct Training {
    /// Train a model on the file and store it in the archive, if that is shorter;
    /// an interrupted training resumes
    #[arg(long, conflicts_with_all = ["external", "stdout"])]
    pub train: bool,
    /// Approximate number of parameters [default: the predicted critical size, if a
    /// model of that size is expected to pay]
    #[arg(long, value_name = "COUNT", requires = "train")]
    pub(super) size: Option<u64>,
    /// Epochs: passes over the file [default: by its length]
    #[arg(long, value_name = "COUNT", requires = "train")]
    epochs: Option<f64>,
    /// Bytes to train on, counting repetitions
    #[arg(
        long,
        value_name = "BYTES",
        requires = "train",
        conflicts_with = "epochs"
    )]
    budget: Option<u64>,
    /// Seed of the training
    #[arg(long, value_name = "NUMBER", requires = "train", default_value_t = 0)]
    seed: u64,
}

impl Training {
    fn budget(&self) -> Budget {
        match (self.epochs, self.budget) {
            (Some(epochs), _) => Budget::Epochs(epochs),
            (_, Some(bytes)) => Budget::Bytes(bytes),
            _ => Budget::Usual,
        }
    }

    /// The training of a model of about so many parameters on so many bytes.
    pub(super) fn setup(&self, parameters: u64, bytes: u64) -> TrainSetup {
        TrainSetup {
            spec: pack::spec_near(parameters),
            config: pack::recipe(bytes, self.budget()),
            seed: self.seed,
            device: DeviceKind::Flex,
        }
    }
}
