//! The default recipe for a given model.
//!
//! Its hyperparameters were chosen on the first 98,304 bytes of English prose. The
//! learning rate is higher than for training over many epochs; a moving average of the
//! weights compensates for this. `docs/mdl.md` has the figures.

use super::recipe::{OnlineConfig, Recipe, RecipeError};
use crate::{OptimizerKind, TrainConfig};
use brevity_model::Spec;

impl Recipe {
    /// A recipe for this model, in the lanes and windows of [`OnlineConfig::default`].
    ///
    /// # Errors
    /// An invalid spec.
    pub fn for_spec(spec: Spec) -> Result<Recipe, RecipeError> {
        let mut online = OnlineConfig::default();
        online.window = online.window.min(spec.context as u32);
        let train = TrainConfig {
            // NorMuon gains nothing here (docs/recipe.md).
            optimizer: OptimizerKind::Muon,
            learning_rate: 0.02,
            ema: 0.95,
            ..TrainConfig::default()
        };
        Recipe::new(spec, 0, &train, online)
    }
}
