//! Coding of a block.

use super::{Coded, Method, Progress, check_beside, contexts, follow, needed, slices};
use crate::cm::{Gates, Level, Models, Transform, survey, survey_unchanged};
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
pub(crate) struct How {
    pub method: Method,
    pub level: Level,
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
pub(crate) fn lanes_log2(how: How, model: Option<&dyn Model>) -> u32 {
    needed(how.method, model).map_or(0, |m| how.lanes.unwrap_or_else(|| m.lanes()).ilog2())
}

/// Codes `bytes`, raw if nothing shorter comes of it.
///
/// # Panics
/// If the method needs a model and there is none, or if `lanes` is 0.
pub(crate) fn encode(
    bytes: &[u8],
    how: How,
    model: Option<&dyn Model>,
    progress: Progress<'_>,
) -> Result<Coded, PredictError> {
    let How {
        method,
        level,
        gates,
        ..
    } = how;
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
    let lanes_log2 = lanes_log2(how, model);
    let models = method.needs_contexts().then(|| {
        Models::Second(match model {
            None => survey(level, bytes),
            Some(_) => survey_unchanged(level, bytes),
        })
    });
    let mixture =
        |lanes| models.map(|m| Mixing::new(m, gates, lanes, bytes.len(), model.is_some()));
    let mut decoded = None;
    let (payload, frequencies) = match model {
        None => {
            let mut changed = Cow::Borrowed(bytes);
            let transform = models.expect("context models").transform();
            if transform != Transform::None {
                transform.apply(changed.to_mut());
            }
            let memory = models.map_or(0, |m| m.memory(1, bytes.len()));
            let mixture = || mixture(1).expect("context models");
            if how.decode && 2 * memory <= MOST_FOLLOWED {
                let coded;
                (coded, decoded) = follow::encode(&changed, &mixture, progress);
                if let Cow::Owned(changed) = &mut changed {
                    transform.undo(changed);
                    decoded = decoded.map(|same| same && changed == bytes);
                }
                coded
            } else {
                contexts::encode(&changed, mixture(), progress, |_| {})
            }
        }
        Some(model) => {
            let layout = Layout::new(bytes.len(), model.unit(), 1 << lanes_log2);
            check_memory(model, &layout)?;
            check_beside(model, gates)?;
            slices::encode(bytes, &layout, model, mixture(layout.lanes()), progress)?
        }
    };
    let coded = Coded {
        method,
        lanes_log2,
        models,
        gates,
        payload,
        frequencies: Some(frequencies),
        decoded,
    };
    if coded.payload.len() + coded.extra_header(how.brief) >= bytes.len() {
        return Ok(raw());
    }
    Ok(coded)
}
