//! The prequential code length by online learning, without an archive.

use super::OnlineError;
use super::learner::Learner;
use super::recipe::Recipe;
use super::tally::{PrequentialLength, Tally, column};
use brevity_codec::Layout;
use brevity_codec::predict::{Predictor, Priced};
use brevity_task::{Control, Progress};

/// The prequential code length of `bytes` under `recipe`: each byte is priced by a
/// model that has learned only from the bytes before it. An archive of one block
/// has the same length.
///
/// `control.progress` is called after each window; `None` if it was
/// stopped. Every bit of the result depends only on recipe and bytes.
///
/// # Errors
/// See [`OnlineError`].
///
/// # Panics
/// If the model is to learn beside context models: only archives have them.
///
/// ```
/// use brevity_model::Spec;
/// use brevity_train::online::{OnlineConfig, Recipe, prequential};
/// use brevity_train::{Control, Stop, TrainConfig};
///
/// let online = OnlineConfig { lanes: 2, window: 8, ..OnlineConfig::default() };
/// let recipe = Recipe::new(Spec::brevity(8, 1, 1, 16), 0, &TrainConfig::default(), online)?;
/// let stop = Stop::new();
/// let text = b"to be or not to be, ".repeat(20);
/// let length = prequential(&recipe, &text, &Control::silent(&stop))?.expect("nobody stopped it");
/// assert!(length.bits < 8.0 * text.len() as f64);
/// assert_eq!(length.curve.last().map(|end| end.bytes), Some(400));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn prequential(
    recipe: &Recipe,
    bytes: &[u8],
    control: &Control<'_>,
) -> Result<Option<PrequentialLength>, OnlineError> {
    assert!(!recipe.is_beside_contexts(), "no context models are beside");
    let layout = Layout::new(bytes.len(), 1, recipe.online().lanes as usize);
    let mut learner = Learner::new(recipe, None, layout)?;
    let mut tally = Tally::new(bytes.len());
    let mut first = 0;
    while first < layout.steps() {
        if control.stop.is_set() {
            return Ok(None);
        }
        let steps = learner.left();
        let column = column(bytes, &layout, first, steps);
        let mut priced = vec![Priced::default(); column.len()];
        learner.price(&column, steps, &mut priced)?;
        tally.add(0, &layout, first, &priced);
        first += steps;
        let end = tally.end();
        control.tell(Progress {
            done: first as u64,
            of: layout.steps() as u64,
            bytes: end.bytes,
            bits_per_byte: Some(end.bits / end.bytes as f64),
            ..Progress::default()
        });
    }
    Ok(Some(
        tally.total(recipe.to_bytes().len(), learner.finish()?),
    ))
}
