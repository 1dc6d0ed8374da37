//! Decoding of a block.

use super::{Coded, Failure, Method, Progress, Spread, check_beside, contexts, lanes, needed};
use crate::cm::{Models, Transform};
use crate::coder::ByteDecoder;
use crate::layout::Layout;
use crate::mixing::Mixing;
use crate::predict::Model;

/// Decodes `length` bytes.
///
/// # Panics
/// If the method needs a model and there is none.
pub(crate) fn decode(
    coded: &Coded,
    length: usize,
    model: Option<&dyn Model>,
    progress: Progress<'_>,
) -> Result<Vec<u8>, Failure> {
    if coded.method == Method::Raw {
        progress(length as u64);
        return Ok(coded.payload.clone());
    }
    let mut coder = ByteDecoder::new(&coded.payload);
    decode_stream(&mut coder, coded, length, model, progress)
}

/// The code length in bits of the block's bytes, under the frequencies that code
/// them.
///
/// # Panics
/// As [`decode`].
pub(crate) fn code_length(
    coded: &Coded,
    length: usize,
    model: Option<&dyn Model>,
    progress: Progress<'_>,
) -> Result<f64, Failure> {
    if coded.method == Method::Raw {
        progress(length as u64);
        return Ok(8.0 * length as f64);
    }
    let mut coder = ByteDecoder::new(&coded.payload);
    coder.bits = Some(0.0);
    decode_stream(&mut coder, coded, length, model, progress)?;
    Ok(coder.bits.unwrap_or_default())
}

fn decode_stream(
    coder: &mut ByteDecoder,
    coded: &Coded,
    length: usize,
    model: Option<&dyn Model>,
    progress: Progress<'_>,
) -> Result<Vec<u8>, Failure> {
    let model = needed(coded.method, model);
    let transform = coded.models.map_or(Transform::None, Models::transform);
    let coded_length = transform.coded_length(length);
    let spread = Spread::new(coded_length, length);
    let progress = &|coded| progress(spread.more(coded));
    let mixture = |lanes| {
        let models = coded.models;
        models.map(|m| Mixing::new(m, coded.gates, lanes, coded_length, model.is_some()))
    };
    let out = match model {
        None => {
            let mixture = mixture(1).expect("context models");
            contexts::decode(coder, mixture, coded_length, progress)?
        }
        Some(model) => {
            let layout = Layout::new(coded_length, model.unit(), 1 << coded.lanes_log2);
            check_beside(model, coded.gates)?;
            lanes::decode(coder, &layout, model, mixture(layout.lanes()), progress)?
        }
    };
    if coded
        .frequencies
        .is_some_and(|hash| coder.hash.finish() != hash)
    {
        return Err(Failure::Diverged);
    }
    if !coder.decoder.ended() {
        return Err(Failure::Stream);
    }
    Ok(transform.undo(out, length))
}
