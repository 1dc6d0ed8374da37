//! Coding of a block.

use super::{
    Coded, Method, Progress, Spread, can_hold, check_beside, contexts, follow, needed, slices,
};
use crate::cm::{Gates, Level, Models, Setup, Words, survey, survey_beside, survey_unchanged};
use crate::layout::Layout;
use crate::mixing::Mixing;
use crate::predict::{Model, PredictError};
use std::borrow::Cow;

/// Most bytes of memory that a predictor may use for a block that is coded. A reader
/// has a limit of its own.
const MOST_MEMORY: u64 = 1 << 33;

/// Most bytes of memory that a block's context models and those of a decoder that follows
/// them take.
const MOST_FOLLOWED: u64 = 1 << 30;

/// Refuses to code a block for which the predictor needs too much memory.
fn check_memory(model: &dyn Model, layout: &Layout) -> Result<(), PredictError> {
    let memory = model.memory(layout);
    if memory > MOST_MEMORY {
        return Err(PredictError(format!(
            "the model needs {memory} bytes for {} lanes of {} bytes, more than {MOST_MEMORY}: \
             make blocks smaller",
            layout.lanes(),
            layout.steps()
        )));
    }
    Ok(())
}

/// How blocks are coded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How<'a> {
    pub method: Method,
    pub level: Level,
    /// What changes the blocks that a model and context models code together.
    pub words: Option<&'a Words>,
    /// Those of a model that was trained beside context models, if the two are mixed.
    pub gates: Option<Gates>,
    /// Takes the place of the model's own number of lanes.
    pub lanes: Option<usize>,
    /// Whether to decode what context models code alone, on a thread of its own, as it is
    /// coded, where both together take at most [`MOST_FOLLOWED`].
    pub decode: bool,
    /// Whether the archive is brief.
    pub brief: bool,
}

/// The power of two of lanes, for a block that is coded like this.
pub(crate) fn lanes_log2(how: How<'_>, model: Option<&dyn Model>) -> u32 {
    needed(how.method, model).map_or(0, |m| how.lanes.unwrap_or_else(|| m.lanes()).ilog2())
}

/// Codes `bytes`, raw if nothing shorter comes of it.
///
/// # Panics
/// If the method needs a model and there is none, or if `lanes` is 0.
pub(crate) fn encode(
    bytes: &[u8],
    how: How<'_>,
    model: Option<&dyn Model>,
    progress: Progress<'_>,
) -> Result<Coded, PredictError> {
    let method = how.method;
    let raw = || Coded {
        method: Method::Raw,
        lanes_log2: 0,
        models: None,
        gates: None,
        payload: bytes.to_vec(),
        frequencies: None,
        decoded: Some(true),
    };
    if method == Method::Raw || bytes.is_empty() {
        progress(bytes.len() as u64);
        return Ok(raw());
    }
    let model = needed(method, model);
    let coded = match model {
        None => alone(bytes, how, progress),
        Some(model) => beside(bytes, how, model, progress)?,
    };
    if coded.payload.len() + coded.extra_header(how.brief) >= bytes.len() {
        return Ok(raw());
    }
    Ok(coded)
}

/// Codes `bytes` by context models alone, set up as suits them.
fn alone(bytes: &[u8], how: How<'_>, progress: Progress<'_>) -> Coded {
    debug_assert!(!how.method.needs_model());
    let (setup, changed) = survey(how.level, bytes);
    let setup = setup.with_network(changed.len());
    let coded = code_alone(bytes, setup, changed, how, progress);
    if can_hold(coded.payload.len() as u64, bytes.len() as u64) {
        return coded;
    }
    // Bytes that each stand for a word and cost next to nothing.
    let setup = survey_unchanged(how.level, bytes).with_network(bytes.len());
    code_alone(bytes, setup, bytes.into(), how, &|_| {})
}

/// Codes `bytes`, which are `changed` as `setup` says, by context models alone.
fn code_alone(
    bytes: &[u8],
    setup: Setup,
    changed: Cow<'_, [u8]>,
    how: How<'_>,
    progress: Progress<'_>,
) -> Coded {
    let models = Models::Second(setup);
    let mixture = || Mixing::new(models, how.gates, 1, changed.len(), false);
    let spread = Spread::new(changed.len(), bytes.len());
    let progress = |coded| progress(spread.more(coded));
    let mut decoded = None;
    let (payload, frequencies) =
        if how.decode && 2 * models.memory(1, changed.len()) <= MOST_FOLLOWED {
            let coded;
            (coded, decoded) = follow::encode(&changed, &mixture, &progress);
            if let Cow::Owned(changed) = changed {
                let block = setup.transform.undo(changed, bytes.len());
                decoded = decoded.map(|same| same && block == bytes);
            }
            coded
        } else {
            contexts::encode(&changed, mixture(), &progress, |_| {})
        };
    Coded {
        method: how.method,
        lanes_log2: 0,
        models: Some(models),
        gates: how.gates,
        payload,
        frequencies: Some(frequencies),
        decoded,
    }
}

/// Codes `bytes` by a model, mixed with context models if the method has them.
fn beside(
    bytes: &[u8],
    how: How<'_>,
    model: &dyn Model,
    progress: Progress<'_>,
) -> Result<Coded, PredictError> {
    let lanes_log2 = lanes_log2(how, Some(model));
    let (models, changed) = match how.method.needs_contexts() {
        false => (None, Cow::Borrowed(bytes)),
        true => {
            let (setup, changed) = match model.knows_nothing() && lanes_log2 == 0 {
                true => survey(how.level, bytes),
                false => survey_beside(how.level, bytes, how.words),
            };
            // A model that is an input of the mixer takes the place of the network.
            let setup = match how.gates.is_some() && lanes_log2 == 0 {
                true => setup.with_network(changed.len()),
                false => setup,
            };
            (Some(Models::Second(setup)), changed)
        }
    };
    let layout = Layout::new(changed.len(), model.unit(), 1 << lanes_log2);
    check_memory(model, &layout)?;
    check_beside(model, how.gates)?;
    let mixture = models.map(|m| Mixing::new(m, how.gates, layout.lanes(), changed.len(), true));
    let spread = Spread::new(changed.len(), bytes.len());
    let progress = |coded| progress(spread.more(coded));
    let (payload, frequencies) = slices::encode(&changed, &layout, model, mixture, &progress)?;
    if !can_hold(payload.len() as u64, bytes.len() as u64) {
        // Bytes that each stand for a word and cost next to nothing.
        if model.knows_nothing() {
            let without = How {
                method: Method::Contexts,
                gates: None,
                ..how
            };
            return Ok(alone(bytes, without, &|_| {}));
        }
        if how.words.is_some() {
            let unchanged = How { words: None, ..how };
            return beside(bytes, unchanged, model, &|_| {});
        }
    }
    Ok(Coded {
        method: how.method,
        lanes_log2,
        models,
        gates: how.gates,
        payload,
        frequencies: Some(frequencies),
        decoded: None,
    })
}
