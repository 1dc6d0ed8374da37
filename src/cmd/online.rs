//! Archives whose model learns what it codes: their bars, for a block takes
//! long.

use anyhow::Result;
use brevity_codec::archive::Source;
use brevity_codec::predict::Model;
use brevity_train::online::{LearningModel, Recipe, Watch};
use indicatif::ProgressBar;
use std::sync::{Arc, Mutex, PoisonError};

/// Moves a bar along with the windows that a learning model has priced.
#[derive(Clone, Default)]
pub struct Pace(Arc<Mutex<Option<ProgressBar>>>);

impl Pace {
    /// The bar to move from now on.
    pub fn set(&self, bar: &ProgressBar) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
    }

    fn watch(&self) -> Watch {
        let slot = Arc::clone(&self.0);
        Arc::new(move |bytes| {
            if let Some(bar) = &*slot.lock().unwrap_or_else(PoisonError::into_inner) {
                bar.inc(bytes);
            }
        })
    }

    /// A model that learns a source of about so many bytes.
    pub fn source(&self, bytes: Option<u64>) -> Result<Source<'static>> {
        let recipe = Recipe::for_bytes(bytes);
        let stored = recipe.to_bytes();
        let model = LearningModel::new(recipe)?.watched(self.watch());
        Ok(Source::recipe(stored, Box::new(model)))
    }

    /// The model of an archive that holds a recipe.
    pub fn follow(&self, recipe: &[u8]) -> Result<Box<dyn Model>, String> {
        Ok(Box::new(
            LearningModel::of_archive(recipe)?.watched(self.watch()),
        ))
    }
}
