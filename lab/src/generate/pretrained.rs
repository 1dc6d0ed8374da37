//! Continuations from a pretrained language model.

use super::{GenerateError, Options};
use brevity_pretrained::archive::Settings;
use brevity_pretrained::{Model, generate};
use brevity_task::Progress;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// Continues `prompt` with a model, token by token, until there are `bytes` bytes, of
/// which the last token may be cut; the prompt is not repeated. Contexts are those of
/// archives.
///
/// # Errors
/// A model whose output is not finite; a stop.
pub fn from_pretrained(
    model: &Model,
    prompt: &[u8],
    options: &Options<'_>,
) -> Result<Vec<u8>, GenerateError> {
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let contexts = Settings::new(model).contexts;
    let mut out = Vec::new();
    for token in generate(model, &contexts, prompt, options.temperature.0, || {
        rng.next_u32()
    }) {
        if out.len() >= options.bytes {
            break;
        }
        if options.control.stop.is_set() {
            return Err(GenerateError::Stopped);
        }
        out.extend_from_slice(token?);
        options.control.tell(Progress {
            done: out.len() as u64,
            of: options.bytes as u64,
            ..Progress::default()
        });
    }
    out.truncate(options.bytes);
    Ok(out)
}
