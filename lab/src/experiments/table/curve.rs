//! In-context curves: the rate of a row on the first bytes of each chunk, for several
//! prefix lengths. The curve of a coder that needs long contexts falls late. The curve of
//! a model trained on such bytes falls immediately.
//!
//! Figure 3 of "Language Modeling Is Compression" (arXiv 2309.10668).

use brevity_codec::{ScoreError, code_lengths};
use brevity_model::{Transformer, Weights};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::MatrixError;
use super::cells::{CONTEXTS, context_bytes};
use super::config::SetConfig;
use super::sets::Bytes;
use brevity_baselines::{Coder, measure};

/// A row's rates on one byte set, one for each of [`Matrix::lengths`].
///
/// [`Matrix::lengths`]: super::Matrix::lengths
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Name of the row.
    pub name: String,
    /// Name of the byte set.
    pub set: String,
    /// Whether the header of a stream is charged only once, as the paper does.
    pub headers_once: bool,
    /// Parameters, of a model.
    pub parameters: Option<u64>,
    /// Coded bytes over raw bytes of each prefix, over all whole chunks; for a model
    /// the exact code length, without its own bytes.
    pub rates: Vec<f64>,
}

/// The whole chunks of a set.
fn whole_chunks(bytes: &Bytes, chunk: usize) -> std::slice::ChunksExact<'_, u8> {
    bytes.test.bytes.chunks_exact(chunk)
}

/// Whether a set has at least one whole chunk.
pub(super) fn has_chunks(bytes: &Bytes, chunk: usize) -> bool {
    whole_chunks(bytes, chunk).len() > 0
}

/// The curves of a coder: one with every header counted, and one with headers counted as
/// in the paper. A coder that fails has a note in place of curves.
pub(super) fn of_coder(
    coder: Coder,
    (set, bytes): (&SetConfig, &Bytes),
    chunk: usize,
    lengths: &[usize],
    notes: &mut Vec<String>,
) -> Result<Option<[Curve; 2]>, MatrixError> {
    let (mut all, mut once) = (Vec::new(), Vec::new());
    for &length in lengths {
        let first: Vec<u8> = whole_chunks(bytes, chunk)
            .flat_map(|chunk| &chunk[..length])
            .copied()
            .collect();
        let measured = measure(&first, Some(length), &[coder]);
        let measured = measured.map_err(|source| MatrixError::Coder {
            set: set.name.clone(),
            source: source.into(),
        })?;
        if let Some(failure) = measured.failed.first() {
            notes.push(format!("no curve on {}: {}", set.name, failure.message));
            return Ok(None);
        }
        all.push(measured.results[0].rate);
        once.push(measured.results[0].paper_rate);
    }
    let curve = |headers_once, rates| Curve {
        name: coder.name().to_owned(),
        set: set.name.clone(),
        headers_once,
        parameters: None,
        rates,
    };
    Ok(Some([curve(false, all), curve(true, once)]))
}

/// The curves of our context models, as [`of_coder`].
pub(super) fn of_contexts(
    (set, bytes): (&SetConfig, &Bytes),
    chunk: usize,
    lengths: &[usize],
) -> Result<[Curve; 2], MatrixError> {
    let chunks: Vec<&[u8]> = whole_chunks(bytes, chunk).collect();
    // As for other coders: what a single zero byte takes.
    let header = context_bytes(&[0])? as f64;
    let (mut all, mut once) = (Vec::new(), Vec::new());
    for &length in lengths {
        let firsts = chunks
            .par_iter()
            .map(|chunk| context_bytes(&chunk[..length]));
        let sum = firsts.sum::<Result<u64, MatrixError>>()? as f64;
        let n = (length * chunks.len()) as f64;
        all.push(sum / n);
        once.push((sum - header * (chunks.len() - 1) as f64) / n);
    }
    let curve = |headers_once, rates| Curve {
        name: CONTEXTS.to_owned(),
        set: set.name.clone(),
        headers_once,
        parameters: None,
        rates,
    };
    Ok([curve(false, all), curve(true, once)])
}

/// The curve of a model, whose context holds only bytes of the same chunk.
pub(super) fn of_model(
    name: &str,
    weights: &Weights,
    (set, bytes): (&SetConfig, &Bytes),
    chunk: usize,
    lengths: &[usize],
) -> Result<Curve, MatrixError> {
    let costs = costs_by_position(
        &Transformer::new(weights),
        whole_chunks(bytes, chunk),
        chunk,
    );
    let costs = costs.map_err(|source| MatrixError::Train {
        row: name.to_owned(),
        source: source.into(),
    })?;
    let rate = |&length: &usize| costs[..length].iter().sum::<f64>() / 8.0 / length as f64;
    Ok(Curve {
        name: name.to_owned(),
        set: set.name.clone(),
        headers_once: false,
        parameters: Some(weights.spec().parameters()),
        rates: lengths.iter().map(rate).collect(),
    })
}

/// Mean bits of the bytes at each position of a chunk.
fn costs_by_position(
    model: &Transformer,
    chunks: std::slice::ChunksExact<'_, u8>,
    chunk: usize,
) -> Result<Vec<f64>, ScoreError> {
    let spec = model.spec();
    let count = chunks.len() as f64;
    let mut sums = vec![0.0; chunk];
    let mut add = |bits: Vec<f32>| {
        for bits in bits.chunks_exact(chunk) {
            for (sum, &bits) in sums.iter_mut().zip(bits) {
                *sum += f64::from(bits);
            }
        }
    };
    if spec.window.is_none() && chunk.is_multiple_of(spec.context) {
        // The model's contexts never cross the border of a chunk.
        let all: Vec<u8> = chunks.flatten().copied().collect();
        add(code_lengths(model, &all)?);
    } else {
        for bytes in chunks {
            add(code_lengths(model, bytes)?);
        }
    }
    Ok(sums.into_iter().map(|sum| sum / count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_model::Spec;

    /// Each chunk is priced independently, for any context length of the model.
    #[test]
    fn positions_do_not_depend_on_the_chunks_before() {
        let text = b"every chunk begins where the model knows nothing yet; ".repeat(12);
        let chunk = 96;
        for spec in [
            Spec::aspect(8, 32),
            Spec::aspect(8, 40),
            Spec {
                window: Some(16),
                ..Spec::aspect(8, 32)
            },
        ] {
            let mut at = 0_u32;
            let weights = Weights::from_fn(spec, |info| {
                let mut next = || {
                    at = at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (at >> 8) as f32 / 2f32.powi(24) - 0.5
                };
                (0..info.len()).map(|_| next()).collect()
            });
            let model = Transformer::new(&weights.unwrap());
            let chunks = text.chunks_exact(chunk);
            let mut expected = vec![0.0; chunk];
            for bytes in chunks.clone() {
                for (sum, bits) in expected
                    .iter_mut()
                    .zip(code_lengths(&model, bytes).unwrap())
                {
                    *sum += f64::from(bits) / chunks.len() as f64;
                }
            }
            let costs = costs_by_position(&model, chunks, chunk).unwrap();
            for (cost, expected) in costs.iter().zip(&expected) {
                assert!((cost - expected).abs() < 1e-9, "{:?}", model.spec());
            }
        }
    }
}
