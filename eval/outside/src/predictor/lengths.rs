//! What bytes cost under a predictor, in blocks.

use super::error::Place;
use super::rows::frequencies;
use super::{Outside, OutsideError};
use brevity_codec::{Frequencies, Layout, SYMBOLS};
use brevity_task::Stop;

/// Most bytes of all streams that are asked for at once: 64 MiB of log-probabilities.
const AT_ONCE: usize = 1 << 16;

/// Most bytes of a stream that are asked for at once, where it goes on.
const STEPS: usize = 1 << 10;

/// The code length of each byte in bits, by the coder's frequencies.
///
/// # Errors
/// As [`price_each`].
pub fn code_lengths(
    predictor: &mut dyn Outside,
    bytes: &[u8],
    stop: &Stop,
) -> Result<Vec<f32>, OutsideError> {
    price_each(predictor, bytes, stop, |next, byte| next.bits(byte) as f32)
}

/// What `price` says of the frequencies of each byte and the byte.
///
/// With a context, the bytes are cut into chunks that are priced on their own, side by
/// side. Without, they are cut into as many streams as an archive's block would be.
///
/// # Errors
/// A predictor that fails or gives no distribution; [`OutsideError::Stopped`].
pub fn price_each<T: Clone + Default>(
    predictor: &mut dyn Outside,
    bytes: &[u8],
    stop: &Stop,
    price: impl Fn(&Frequencies, u8) -> T,
) -> Result<Vec<T>, OutsideError> {
    let about = predictor.about().clone();
    about.check()?;
    let mut prices = vec![T::default(); bytes.len()];
    let chunk = match about.context {
        0 => Layout::new(bytes.len(), 1, about.lanes()).steps().max(1),
        context => context,
    };
    let mut starts: Vec<usize> = (0..bytes.len()).step_by(chunk).collect();
    // The last chunk may be shorter: it goes by itself.
    let short = starts.pop_if(|&mut last| bytes.len() - last < chunk);
    for group in starts.chunks(about.lanes()) {
        streams(predictor, bytes, (group, chunk), &mut prices, &price, stop)?;
    }
    if let Some(last) = short {
        let rest = bytes.len() - last;
        streams(predictor, bytes, (&[last], rest), &mut prices, &price, stop)?;
    }
    Ok(prices)
}

/// Prices streams of equal length that begin at `starts`.
fn streams<T>(
    predictor: &mut dyn Outside,
    bytes: &[u8],
    (starts, length): (&[usize], usize),
    prices: &mut [T],
    price: &impl Fn(&Frequencies, u8) -> T,
    stop: &Stop,
) -> Result<(), OutsideError> {
    let streams = starts.len();
    let most = match predictor.about().context {
        0 => STEPS,
        context => context,
    };
    let most = most.min(AT_ONCE / streams).max(1);
    let mut frequency = Frequencies::default();
    let mut take = |row: &[f32], stream: usize, at: usize| -> Result<(), OutsideError> {
        let place = || Place {
            stream: starts[stream],
            byte: at,
        };
        frequencies(row, &mut frequency, place)?;
        let at = starts[stream] + at;
        prices[at] = price(&frequency, bytes[at]);
        Ok(())
    };
    let mut next = vec![0.0; streams * SYMBOLS];
    predictor.start(streams, &mut next)?;
    for (stream, row) in next.chunks(SYMBOLS).enumerate() {
        take(row, stream, 0)?;
    }
    // The last byte of a stream need not be taken.
    let mut at = 0;
    while at + 1 < length {
        if stop.is_set() {
            return Err(OutsideError::Stopped);
        }
        let steps = most.min(length - 1 - at);
        let taken: Vec<u8> = starts
            .iter()
            .flat_map(|start| &bytes[start + at..][..steps])
            .copied()
            .collect();
        next.resize(streams * steps * SYMBOLS, 0.0);
        predictor.take(&taken, steps, &mut next)?;
        for (i, row) in next.chunks(SYMBOLS).enumerate() {
            take(row, i / steps, at + 1 + i % steps)?;
        }
        at += steps;
    }
    Ok(())
}
