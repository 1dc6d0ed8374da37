//! The default recipe for a given number of bytes.
//!
//! Its hyperparameters were chosen on the first 98,304 and 200,000 bytes of English prose. The
//! learning rate is higher than for training over many epochs; a moving average of the
//! weights compensates for this. `docs/mdl.md` has the figures.

use super::recipe::{OnlineConfig, Recipe, RecipeError};
use crate::{OptimizerKind, TrainConfig};
use brevity_model::Spec;

/// Width of the model for up to this many bytes: two cores then learn some 3,000 bytes a
/// second, and less of the longest files.
const WIDTHS: [(u64, usize); 4] = [
    (20_000, 16),
    (100_000, 24),
    (2_000_000, 32),
    (16_000_000, 48),
];

/// Width for more bytes.
const WIDEST: usize = 64;

impl Recipe {
    /// A recipe for a source of about `bytes` bytes (one megabyte if unknown), with a
    /// larger model for more bytes. A decoder does not choose: the recipe is in the
    /// archive.
    ///
    /// It has one lane, because it is for a model beside context models, which know
    /// nothing at the start of a lane: 16 lanes cost them more than the model saves.
    pub fn for_bytes(bytes: Option<u64>) -> Recipe {
        let bytes = bytes.unwrap_or(1_000_000);
        let width = WIDTHS.iter().find(|(most, _)| bytes <= *most);
        let width = width.map_or(WIDEST, |(_, width)| *width);
        let train = TrainConfig {
            ema: 0.98,
            ..train()
        };
        let online = OnlineConfig {
            lanes: 1,
            window: 128,
            replay: 3,
            ..OnlineConfig::default()
        };
        Recipe::new(Spec::aspect(width, 256), 0, &train, online).expect("the defaults make sense")
    }

    /// The same training of another model, in the lanes and windows of
    /// [`OnlineConfig::default`].
    ///
    /// # Errors
    /// An invalid spec.
    pub fn for_spec(spec: Spec) -> Result<Recipe, RecipeError> {
        let mut online = OnlineConfig::default();
        online.window = online.window.min(spec.context as u32);
        Recipe::new(spec, 0, &train(), online)
    }
}

fn train() -> TrainConfig {
    TrainConfig {
        // NorMuon gains nothing here (docs/recipe.md).
        optimizer: OptimizerKind::Muon,
        learning_rate: 0.02,
        ema: 0.95,
        ..TrainConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_bytes_get_larger_models() {
        let parameters = |bytes| Recipe::for_bytes(bytes).spec().parameters();
        let mut last = 0;
        for bytes in [0, 50_000, 1_000_000, 10_000_000, 1 << 40] {
            assert!(parameters(Some(bytes)) > last);
            last = parameters(Some(bytes));
        }
        assert_eq!(parameters(None), parameters(Some(1_000_000)));
    }
}
