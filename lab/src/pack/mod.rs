//! Compression of one file with a model of its own.
//!
//! - [`compress_with_own_model`] trains a model on the file and stores it in the
//!   archive, if that is shorter. Its parts: [`spec_near`] and [`recipe`] choose model
//!   and training for given parameters and bytes, [`pilots`] measures by two short
//!   trainings how compressible the bytes are, and [`train`] trains in a folder,
//!   [`Workspace`], continuing a run that was stopped;
//! - [`shortest_plan`] finds the precision at which to store an existing model;
//! - [`learning_source`] is a model that learns the file while it is coded; [`models`]
//!   has the models for decoding any archive.
//!
//! `brevity-stats` predicts the size of the model; `brevity-codec` writes the
//! archive.

mod contexts;
mod learning;
mod own_model;
mod pilots;
mod plan;
mod workspace;

pub use learning::{learning_on_source, learning_source, models};
pub use own_model::{Event, OwnModel, Packed, Verdict, compress_with_own_model};
pub use pilots::{PILOT_BYTES, pilots};
pub use plan::shortest_plan;
pub use workspace::{PackError, Workspace};

use brevity_measure::{MeasureError, StoredModel};
use brevity_model::Spec;
use brevity_task::Control;
use brevity_train::Outcome;
use brevity_train::QuantiseConfig;
use brevity_train::TrainConfig;
use brevity_train::TrainSetup;

/// Sequence length of training, in bytes.
const CONTEXT: usize = 256;

/// Widths of models are multiples of this.
const WIDTH: usize = 8;

/// The largest width tried.
const WIDEST: usize = 2048;

/// Share of the training steps that are quantisation-aware.
const QUANTISED: f64 = 0.3;

/// The `brevity` model whose number of parameters is nearest to `parameters` by ratio.
///
/// ```
/// let spec = brevity_lab::pack::spec_near(100_000);
/// assert!((90_000..120_000).contains(&spec.parameters()));
/// ```
pub fn spec_near(parameters: u64) -> Spec {
    let distance = |spec: &Spec| {
        (spec.parameters() as f64 / parameters.max(1) as f64)
            .ln()
            .abs()
    };
    let specs = (1..=WIDEST / WIDTH).map(|i| Spec::aspect(i * WIDTH, CONTEXT));
    specs
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .expect("there are widths")
}

/// Length of training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// The usual number of epochs for the length of the data: 50 up to 100 KB, 20 at 1
    /// MB, 8 at 10 MB, 2 from 320 MB on.
    Usual,
    /// This many epochs.
    Epochs(f64),
    /// This many bytes, with repetition.
    Bytes(u64),
}

/// The training options for `bytes` bytes of data: the defaults, with
/// quantisation-aware training. The batch size grows with the data as `D^0.38`, from 1
/// KB at 40 KB to 8 KB at 10 MB.
pub fn recipe(bytes: u64, budget: Budget) -> TrainConfig {
    let ten_megabytes = bytes as f64 / 1e7;
    let batch = (8192.0 * ten_megabytes.powf(0.38)).clamp(1024.0, 65_536.0);
    let usual = (8.0 * ten_megabytes.powf(-0.4)).clamp(2.0, 50.0);
    let (epochs, bytes) = match budget {
        Budget::Usual => (Some(usual), None),
        Budget::Epochs(epochs) => (Some(epochs), None),
        Budget::Bytes(bytes) => (None, Some(bytes)),
    };
    TrainConfig {
        epochs,
        bytes,
        batch_bytes: 1 << batch.log2().round() as u32,
        checkpoint_seconds: 30.0,
        quantise: QuantiseConfig {
            share: QUANTISED,
            bits: None,
        },
        ..TrainConfig::default()
    }
}

/// Trains a model on `data` and finds the precision at which to store it: beside context
/// models, if the setup has what they say, by the code length of the mixture. `None` if a
/// stop was requested; the work so far is in the workspace.
///
/// # Errors
/// An invalid setup, a workspace of another run, a training that fails.
pub fn train(
    setup: &TrainSetup,
    data: &[u8],
    workspace: &Workspace,
    control: &Control<'_>,
) -> Result<Option<StoredModel>, PackError> {
    let weights = match workspace.begin(setup, data)? {
        Some(weights) => weights,
        None => match brevity_train::run(setup, data, workspace.folder(), control)? {
            Outcome::Finished { weights, .. } => weights,
            Outcome::Interrupted { .. } => return Ok(None),
        },
    };
    let model = match &setup.beside {
        None => StoredModel::for_data(weights, data, control.stop),
        Some(contexts) => StoredModel::for_mixture(weights, data, contexts, control.stop),
    };
    match model {
        Err(MeasureError::Stopped) => Ok(None),
        model => Ok(Some(model?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_are_near_what_was_asked_for() {
        for parameters in [10_000, 50_000, 300_000, 1_000_000, 20_000_000] {
            let near = spec_near(parameters).parameters() as f64 / parameters as f64;
            assert!((0.7..1.4).contains(&near), "{parameters}: {near}");
        }
        assert_eq!(spec_near(0), spec_near(1));
    }

    #[test]
    fn recipes_are_valid_and_see_what_they_should() {
        for (bytes, epochs, batch) in [(1_000, 50.0, 1024), (10_000_000, 8.0, 8192)] {
            let config = recipe(bytes, Budget::Usual);
            config.validate().unwrap();
            assert_eq!((config.epochs, config.batch_bytes), (Some(epochs), batch));
        }
        let config = recipe(1000, Budget::Bytes(123));
        assert_eq!((config.epochs, config.bytes), (None, Some(123)));
    }
}
