//! Continuations from a compressor.

use rayon::prelude::*;

use super::sampler::Sampler;
use super::{GenerateError, Options};
use brevity_baselines::{Coder, stream_length};
use brevity_task::Progress;

/// Context length of a coder in bytes, the paper's chunk length.
pub const CONTEXT: usize = 2048;

/// Continues `prompt` with a coder; the prompt is not repeated.
///
/// For each byte, all 256 candidates are appended to the last `context` bytes and
/// compressed. The probability of a candidate is proportional to `2^-k`, where `k` is the
/// number of bits by which the compressed length grows. Streams are whole bytes, so many
/// candidates tie: a byte that continues a match costs nothing, and most others cost one
/// byte.
///
/// # Errors
/// A coder that fails.
///
/// ```
/// use brevity_baselines::Coder;
/// use brevity_lab::generate::{CONTEXT, Options, from_coder};
/// use brevity_task::Control;
///
/// let options = Options {
///     bytes: 3,
///     seed: 0,
///     temperature: "0.5".parse()?,
///     control: Control::none(),
/// };
/// let prompt = b"the same again, ".repeat(20);
/// assert_eq!(from_coder(Coder::Gzip, &prompt, CONTEXT, &options)?.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_coder(
    coder: Coder,
    prompt: &[u8],
    context: usize,
    options: &Options<'_>,
) -> Result<Vec<u8>, GenerateError> {
    let mut sampler = Sampler::new(options);
    let mut text = prompt.to_vec();
    for done in 1..=options.bytes {
        if options.control.stop.is_set() {
            return Err(GenerateError::Stopped);
        }
        let seen = &text[text.len().saturating_sub(context)..];
        let lengths = (0..=u8::MAX).into_par_iter().map(|candidate| {
            let mut bytes = Vec::with_capacity(seen.len() + 1);
            bytes.extend_from_slice(seen);
            bytes.push(candidate);
            stream_length(coder, &bytes)
        });
        let lengths = lengths.collect::<Result<Vec<u64>, _>>()?;
        let least = lengths.iter().min().copied().unwrap_or(0);
        // The growth relative to the smallest one; a common offset has no effect.
        let logits = std::array::from_fn(|i| {
            let bits = 8 * (lengths[i] - least);
            -(bits as f32) * std::f32::consts::LN_2
        });
        text.push(sampler.draw(&logits)?);
        options.control.tell(Progress {
            done: done as u64,
            of: options.bytes as u64,
            ..Progress::default()
        });
    }
    Ok(text.split_off(prompt.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Temperature;
    use brevity_task::Control;

    #[test]
    fn every_coder_continues_the_same_way_for_a_seed() {
        let prompt = b"round and round and ".repeat(6);
        let bytes = |coder, seed| {
            let options = Options {
                bytes: 3,
                seed,
                temperature: Temperature::default(),
                control: Control::none(),
            };
            from_coder(coder, &prompt, 64, &options).unwrap()
        };
        for &coder in [Coder::Gzip, Coder::Bzip2, Coder::Ppmd, Coder::Png].iter() {
            let first = bytes(coder, 1);
            assert_eq!(first.len(), 3, "{}", coder.name());
            assert_eq!(bytes(coder, 1), first, "{}", coder.name());
        }
    }

    #[test]
    fn a_cold_draw_adds_least_to_the_stream() {
        let options = Options {
            bytes: 1,
            seed: 8,
            temperature: "0.01".parse().unwrap(),
            control: Control::none(),
        };
        let mut text = b"round and round and ".repeat(6);
        let drawn = from_coder(Coder::Gzip, &text, CONTEXT, &options).unwrap();
        text.push(0);
        let mut length = |byte| {
            *text.last_mut().unwrap() = byte;
            stream_length(Coder::Gzip, &text).unwrap()
        };
        let least = (0..=255).map(&mut length).min().unwrap();
        assert_eq!(length(drawn[0]), least);
    }

    #[test]
    fn an_empty_prompt_is_continued() {
        let options = Options {
            bytes: 2,
            seed: 0,
            temperature: Temperature::default(),
            control: Control::none(),
        };
        let bytes = from_coder(Coder::Gzip, b"", CONTEXT, &options).unwrap();
        assert_eq!(bytes.len(), 2);
    }
}
