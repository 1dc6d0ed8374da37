//! Models that learn a file while it is coded, and models for decoding any archive.

use super::PackError;
use brevity_codec::archive::{Models, Source};
use brevity_codec::predict::{LstmModel, LstmRecipe};
use brevity_codec::weights::{self, Plan};
use brevity_model::Weights;
use brevity_train::online::{LearningModel, OnlineConfig, OnlineError, Recipe};
use brevity_train::{OptimizerKind, TrainConfig};

/// An LSTM network that learns a source of about `bytes` bytes while it is coded, beside
/// context models; `None` if their number is unknown. The archive holds its recipe.
pub fn learning_source(bytes: Option<u64>) -> Source<'static> {
    let model = LstmModel::new(LstmRecipe::for_bytes(bytes));
    Source::lstm(model.expect("the defaults make sense"))
}

/// A trained model that goes on learning while it codes, beside context models. The archive
/// holds its weights, stored by `plan`, and the recipe of the learning.
///
/// # Errors
/// If the learner's device is missing; a model of too many parameters.
///
/// # Panics
/// If the plan is for another spec.
pub fn learning_on_source(weights: &Weights, plan: &Plan) -> Result<Source<'static>, PackError> {
    let recipe = going_on(weights);
    let mut stored = recipe.to_bytes();
    stored.extend(weights::encode(weights, plan));
    // What a reader decodes has no gates: its blocks have.
    let start = weights::quantise(weights, plan).with_gates(None)?;
    let model = LearningModel::new(recipe).map_err(OnlineError::from)?;
    let source = Source::recipe(stored, Box::new(model.starting_with(start)?));
    Ok(match weights.gates() {
        Some(gates) => source.with_gates(gates),
        None => source,
    })
}

/// The recipe by which a trained model goes on learning: small steps on what was just
/// coded.
fn going_on(weights: &Weights) -> Recipe {
    let train = TrainConfig {
        // As its figures in docs/results.md were measured.
        optimizer: OptimizerKind::Muon,
        learning_rate: 0.002,
        weight_decay: 0.0,
        ..TrainConfig::default()
    };
    let spec = weights.spec();
    let online = OnlineConfig {
        lanes: 1,
        window: (spec.context as u32 / 2).max(1),
        replay: 0,
        floor: 0,
        ..OnlineConfig::default()
    };
    let recipe = Recipe::new(spec.clone(), 0, &train, online);
    recipe
        .expect("the spec of a model makes sense")
        .beside_contexts()
}

/// The models for decoding an archive: the given one, if any, and the one that an
/// archive's recipe describes.
pub fn models(external: Option<&Weights>) -> Models<'_> {
    Models {
        external,
        recipe: Some(&LearningModel::follow),
        ..Models::default()
    }
}
