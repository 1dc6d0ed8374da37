//! Whether a predictor reads ahead.

use super::{Outside, OutsideError};
use brevity_codec::SYMBOLS;

/// Most bytes of a stream that are tried.
const BYTES: usize = 256;

/// Two results that differ by less than this are the same with other rounding, nats.
const ROUNDING: f32 = 1e-2;

/// Feeds equal prefixes with different futures, in blocks as [`code_lengths`] does, and
/// compares: the distribution of a byte may depend only on the bytes before it. `sample`
/// should be bytes of the data; a part of it is used.
///
/// A predictor that keeps what it saw beyond a start is found out too, if it predicts
/// otherwise the second time.
///
/// [`code_lengths`]: super::code_lengths
///
/// # Errors
/// [`OutsideError::ReadsAhead`], and errors of the predictor.
pub fn check_causal(predictor: &mut dyn Outside, sample: &[u8]) -> Result<(), OutsideError> {
    let about = predictor.about();
    let streams = about.streams.min(2);
    let most = match about.context {
        0 => BYTES,
        context => BYTES.min(context - 1),
    };
    let steps = most.min(sample.len());
    if steps < 2 {
        return Ok(());
    }
    let sample = &sample[..steps];
    // Few bytes differ, so that a predictor of few bytes ahead is found at each cut.
    for known in [steps / 2, steps - 1] {
        let past = known * SYMBOLS;
        let changed: Vec<u8> = sample
            .iter()
            .enumerate()
            .map(|(i, &byte)| if i < known { byte } else { byte ^ 0x15 })
            .collect();
        let first = block(predictor, sample, streams)?;
        let second = block(predictor, &changed, streams)?;
        let row = first.len() / streams;
        for stream in 0..streams {
            let at = stream * row;
            // The start's distribution, and those after each known byte.
            let seen = at..at + SYMBOLS + past;
            let pairs = first[seen.clone()].iter().zip(&second[seen]);
            for (i, (a, b)) in pairs.enumerate() {
                let difference = (a - b).abs();
                if difference > ROUNDING {
                    return Err(OutsideError::ReadsAhead {
                        byte: i / SYMBOLS,
                        difference,
                    });
                }
            }
        }
    }
    Ok(())
}

/// What is predicted from the start of each stream through a block of the same bytes,
/// `[streams, 1 + steps, 256]`.
fn block(
    predictor: &mut dyn Outside,
    bytes: &[u8],
    streams: usize,
) -> Result<Vec<f32>, OutsideError> {
    let mut first = vec![0.0; streams * SYMBOLS];
    predictor.start(streams, &mut first)?;
    let mut rest = vec![0.0; streams * bytes.len() * SYMBOLS];
    predictor.take(&bytes.repeat(streams), bytes.len(), &mut rest)?;
    let rows = first.chunks(SYMBOLS);
    let rests = rest.chunks(bytes.len() * SYMBOLS);
    Ok(rows
        .zip(rests)
        .flat_map(|(first, rest)| first.iter().chain(rest))
        .copied()
        .collect())
}
