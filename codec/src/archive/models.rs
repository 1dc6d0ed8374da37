//! The models that a decoder brings along.

use super::error::Error;
use super::layout::{Front, Header, ModelId};
use super::limits::Limits;
use crate::predict::{LstmModel, LstmRecipe, Model, TransformerModel};
use crate::weights;
use brevity_model::{Transformer, Weights};

/// Builds the learning model that a recipe describes, or says why it cannot.
pub type Recipe<'a> = &'a (dyn Fn(&[u8]) -> Result<Box<dyn Model>, String> + Sync);

/// Models for archives that do not contain their own, and how much decoding may take.
#[derive(Clone, Copy, Default)]
pub struct Models<'a> {
    /// The model for archives that contain only its hash.
    pub external: Option<&'a Weights>,
    /// Builds the model for archives that contain a recipe of a transformer; LSTM networks
    /// need nothing from outside.
    pub recipe: Option<Recipe<'a>>,
    /// Memory and work that decoding may take.
    pub limits: Limits,
    /// Finds the predictor from outside that a description names.
    pub outside: Option<Recipe<'a>>,
}

impl Models<'_> {
    /// Whether an archive needs a model that is not here.
    pub(super) fn missing(&self, front: &Front) -> bool {
        match front.header {
            Header::External(_) => self.external.is_none(),
            Header::Recipe(ref recipe) => self.recipe.is_none() && !LstmRecipe::is_at(recipe),
            Header::Outside(_) => self.outside.is_none(),
            Header::Plain | Header::Embedded(_) => false,
        }
    }

    /// The model that a recipe describes, or why it is no recipe; `None` if the caller
    /// brought nothing that builds such models.
    pub(super) fn follow(&self, recipe: &[u8]) -> Option<Result<Box<dyn Model>, String>> {
        if !LstmRecipe::is_at(recipe) {
            return self.recipe.map(|follow| follow(recipe));
        }
        let made = LstmRecipe::from_bytes(recipe).and_then(LstmModel::new);
        let model = made.map(|model| Box::new(model) as Box<dyn Model>);
        Some(model.map_err(|error| error.to_string()))
    }

    /// The model that an archive's blocks need.
    ///
    /// # Errors
    /// A model that is missing, another one, or invalid.
    pub(super) fn resolve(&self, front: &Front) -> Result<Option<Box<dyn Model>>, Error> {
        let offset = front.model_at;
        let transformer = |weights: &Weights| -> Box<dyn Model> {
            Box::new(TransformerModel::new(Transformer::new(weights)))
        };
        match &front.header {
            Header::Plain => Ok(None),
            Header::Embedded(bytes) => match weights::decode(bytes) {
                Ok(weights) => Ok(Some(transformer(&weights))),
                Err(source) => Err(Error::Model { offset, source }),
            },
            Header::External(wanted) => {
                let weights = self.external.ok_or(Error::ModelMissing(*wanted))?;
                let given = ModelId::of(weights);
                if given != *wanted {
                    let wanted = *wanted;
                    return Err(Error::ModelMismatch { wanted, given });
                }
                Ok(Some(transformer(weights)))
            }
            Header::Recipe(bytes) => {
                let model = self
                    .follow(bytes)
                    .unwrap_or_else(|| Err("this program cannot learn while it decodes".into()));
                model
                    .map(Some)
                    .map_err(|reason| Error::Recipe { offset, reason })
            }
            Header::Outside(described) => {
                let find = self.outside.ok_or(Error::PredictorMissing)?;
                match find(described) {
                    Ok(model) => Ok(Some(model)),
                    Err(reason) => Err(Error::Predictor { reason }),
                }
            }
        }
    }
}
