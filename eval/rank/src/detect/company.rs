//! CoDeC: whether texts become likelier when others of their set stand before them.
//!
//! A model learns from texts of an unknown set in its context; of one that it has
//! memorised it learns nothing, and is distracted. The measure is the share of samples
//! whose likelihood falls (Zawalski et al. 2025, arXiv 2510.27055).

use crate::error::ModelError;
use crate::model::{Context, Model};
use brevity_codec::Frequencies;
use brevity_stats::random::{below, stream};
use brevity_task::Stop;

/// Bytes of a sample, and of what is put before it, where the context has no end.
const SAMPLE: usize = 512;

/// The least of a sample, bytes.
const LEAST: usize = 16;

/// The share of documents whose first bytes, half a context, need more bits after as many
/// bytes of other documents than alone. None where there are no two documents long enough.
pub(super) fn share_that_falls(
    model: &Model,
    documents: &[&[u8]],
    stop: &Stop,
) -> Result<Option<f64>, ModelError> {
    let half = match model.context() {
        Context::Bytes(context) => context / 2,
        _ => SAMPLE,
    };
    if half < LEAST {
        return Ok(None);
    }
    let long: Vec<&[u8]> = documents
        .iter()
        .filter(|document| document.len() >= half)
        .map(|document| &document[..half])
        .collect();
    if long.len() < 2 {
        return Ok(None);
    }
    let bits = |bytes: &[u8]| -> Result<f64, ModelError> {
        let price = |next: &Frequencies, byte| next.bits(byte) as f32;
        let priced = model.windows(bytes, None, stop, price)?;
        Ok(priced[bytes.len() - half..]
            .iter()
            .map(|&b| f64::from(b))
            .sum())
    };
    let mut fell = 0;
    for (i, sample) in long.iter().enumerate() {
        let other = below(&mut stream(1, i), long.len() - 1);
        let other = long[(i + 1 + other) % long.len()];
        fell += usize::from(bits(&[other, sample].concat())? > bits(sample)?);
    }
    Ok(Some(fell as f64 / long.len() as f64))
}
