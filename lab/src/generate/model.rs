//! Continuations from a transformer.

use brevity_codec::SYMBOLS;
use brevity_model::{ForwardError, State, Transformer};
use brevity_task::Progress;

use super::sampler::Sampler;
use super::{GenerateError, Options};

/// Continues `prompt` with a model; the prompt is not repeated.
///
/// A model with an attention window reads the whole prompt. A model whose positions
/// restart every `context` bytes reads the end of the prompt: as many bytes as leave room
/// for the requested bytes, but at least half a context. When a context is full, its
/// second half begins the next one.
///
/// # Errors
/// A model whose output is not finite.
///
/// ```
/// use brevity_lab::generate::{Options, Temperature, from_model};
/// use brevity_model::{Spec, Transformer, Weights};
/// use brevity_task::Control;
///
/// let weights = Weights::from_fn(Spec::aspect(16, 64), |info| vec![0.0; info.len()])?;
/// let options = Options {
///     bytes: 5,
///     seed: 1,
///     temperature: Temperature::default(),
///     control: Control::none(),
/// };
/// // All weights are zero: every byte is equally likely.
/// assert_eq!(from_model(&Transformer::new(&weights), b"to be", &options)?.len(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_model(
    model: &Transformer,
    prompt: &[u8],
    options: &Options<'_>,
) -> Result<Vec<u8>, GenerateError> {
    let spec = model.spec();
    let mut sampler = Sampler::new(options);
    let mut text = prompt.to_vec();
    let end = prompt.len() + options.bytes;
    while text.len() < end {
        let missing = end - text.len();
        let (read, drawn) = match spec.window {
            Some(_) => (text.len(), missing),
            None => {
                let room = spec.context.saturating_sub(missing).max(spec.context / 2);
                let read = text.len().min(room);
                (read, missing.min(spec.context - read))
            }
        };
        let mut context = Context::read(model, &text[text.len() - read..], drawn)?;
        for step in 0..drawn {
            if options.control.stop.is_set() {
                return Err(GenerateError::Stopped);
            }
            let byte = sampler.draw(&context.logits)?;
            text.push(byte);
            options.control.tell(Progress {
                done: (text.len() - prompt.len()) as u64,
                of: options.bytes as u64,
                ..Progress::default()
            });
            // No prediction is needed after the last byte.
            if step + 1 < drawn {
                context.advance(&[byte])?;
            }
        }
    }
    Ok(text.split_off(prompt.len()))
}

/// A context with its KV cache.
struct Context<'a> {
    model: &'a Transformer,
    state: State,
    /// Logits of the next byte.
    logits: [f32; SYMBOLS],
}

impl<'a> Context<'a> {
    /// A context that begins with `bytes` and has room for `more`.
    fn read(model: &'a Transformer, bytes: &[u8], more: usize) -> Result<Self, ForwardError> {
        let mut context = Self {
            model,
            state: model.state_for(1, bytes.len() + more),
            logits: [0.0; SYMBOLS],
        };
        // The first byte has no predecessor; this value is ignored.
        let previous: Vec<u8> = std::iter::once(0).chain(bytes.iter().copied()).collect();
        context.advance(&previous)?;
        Ok(context)
    }

    /// Feeds the model the bytes it has not read yet.
    fn advance(&mut self, previous: &[u8]) -> Result<(), ForwardError> {
        let sinks = &mut [&mut self.logits];
        self.model.forward_each(
            &mut self.state,
            previous,
            previous.len(),
            sinks,
            |sink, _, logits| **sink = *logits,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Temperature;
    use brevity_model::{Spec, Weights};
    use brevity_task::Control;

    fn model(window: Option<usize>) -> Transformer {
        let mut spec = Spec::aspect(16, 32);
        spec.window = window;
        let weights = Weights::from_fn(spec, |info| {
            let value = |i: usize| ((i * 7919 + info.len()) % 31) as f32 * 0.2 - 3.0;
            (0..info.len()).map(value).collect()
        });
        Transformer::new(&weights.unwrap())
    }

    fn continued(model: &Transformer, prompt: &[u8], bytes: usize, seed: u64) -> Vec<u8> {
        let options = Options {
            bytes,
            seed,
            temperature: Temperature::default(),
            control: Control::none(),
        };
        from_model(model, prompt, &options).unwrap()
    }

    #[test]
    fn a_seed_gives_the_same_bytes_with_any_threads() {
        for window in [None, Some(8)] {
            let model = model(window);
            let alone = rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .build()
                .unwrap();
            for length in [0, 1, 20, 31, 32, 100] {
                let prompt = vec![b'x'; length];
                let bytes = continued(&model, &prompt, 70, 3);
                assert_eq!(bytes.len(), 70);
                assert_eq!(alone.install(|| continued(&model, &prompt, 70, 3)), bytes);
                assert_ne!(continued(&model, &prompt, 70, 4), bytes);
            }
        }
    }

    /// Within one context or one stream, the first bytes do not depend on how many are
    /// drawn.
    #[test]
    fn a_shorter_continuation_begins_a_longer_one() {
        for (window, long) in [(None, 27), (Some(8), 80)] {
            let model = model(window);
            let whole = continued(&model, b"hello", long, 9);
            assert_eq!(continued(&model, b"hello", 10, 9), whole[..10]);
        }
    }

    #[test]
    fn what_is_drawn_depends_on_the_prompt() {
        let model = model(None);
        let first = continued(&model, b"abcdef", 20, 0);
        assert_ne!(continued(&model, b"uvwxyz", 20, 0), first);
    }
}
