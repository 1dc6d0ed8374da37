//! The default recipe for a given number of bytes.
//!
//! Its hyperparameters were chosen on the first 98,304 bytes of English prose. The
//! learning rate is higher than for training over many epochs; a moving average of the
//! weights compensates for this. `docs/mdl.md` has the figures.

use super::recipe::{OnlineConfig, Recipe, RecipeError};
use crate::TrainConfig;
use brevity_model::Spec;

/// Width of the model for up to this many bytes.
const WIDTHS: [(u64, usize); 5] = [
    (20_000, 16),
    (100_000, 24),
    (400_000, 32),
    (2_000_000, 48),
    (16_000_000, 64),
];

/// Width for more bytes.
const WIDEST: usize = 96;

impl Recipe {
    /// A recipe for a source of about `bytes` bytes (one megabyte if unknown), with a
    /// larger model for more bytes. A decoder does not choose: the recipe is in the
    /// archive.
    pub fn for_bytes(bytes: Option<u64>) -> Recipe {
        let bytes = bytes.unwrap_or(1_000_000);
        let width = WIDTHS.iter().find(|(most, _)| bytes <= *most);
        let width = width.map_or(WIDEST, |(_, width)| *width);
        Recipe::for_spec(Spec::aspect(width, 256)).expect("the defaults make sense")
    }

    /// The same recipe for another model.
    ///
    /// # Errors
    /// An invalid spec.
    pub fn for_spec(spec: Spec) -> Result<Recipe, RecipeError> {
        let train = TrainConfig {
            learning_rate: 0.02,
            ema: 0.95,
            ..TrainConfig::default()
        };
        let mut online = OnlineConfig::default();
        online.window = online.window.min(spec.context as u32);
        Recipe::new(spec, 0, &train, online)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_bytes_get_larger_models() {
        let parameters = |bytes| Recipe::for_bytes(bytes).spec().parameters();
        let mut last = 0;
        for bytes in [0, 200_000, 1_000_000, 10_000_000, 1 << 40] {
            assert!(parameters(Some(bytes)) > last);
            last = parameters(Some(bytes));
        }
        assert_eq!(parameters(None), parameters(Some(1_000_000)));
    }
}
