//! Min-K%++: how likely the unlikeliest bytes of a text are, by the standard of the
//! predictions made at them.
//!
//! The score of a byte is the deviation of its log-probability from the mean of its
//! distribution, in standard deviations; a document's is the mean of the lowest fifth
//! (Zhang et al. 2024, arXiv 2404.02936). Texts that were learned score higher.

use crate::error::ModelError;
use crate::model::Model;
use brevity_codec::{Frequencies, TOTAL, code_length};
use brevity_task::Stop;

/// Share of a document's bytes that its score is the mean of.
const SHARE: f64 = 0.2;

/// The scores of documents.
pub(super) fn scores(
    model: &Model,
    documents: &[&[u8]],
    stop: &Stop,
) -> Result<Vec<f64>, ModelError> {
    let score = |document: &&[u8]| {
        let mut bytes = model.windows(document, None, stop, of_byte)?;
        bytes.sort_by(f32::total_cmp);
        let count = (bytes.len() as f64 * SHARE).ceil() as usize;
        let sum: f64 = bytes[..count].iter().map(|&z| f64::from(z)).sum();
        Ok(sum / count.max(1) as f64)
    };
    documents.iter().map(score).collect()
}

/// The score of a byte under the frequencies that predict it; 0 where all are alike.
fn of_byte(next: &Frequencies, byte: u8) -> f32 {
    let (mut mean, mut square) = (0.0, 0.0);
    for &count in next.as_array() {
        let (p, bits) = (f64::from(count) / f64::from(TOTAL), code_length(count));
        mean += p * bits;
        square += p * bits * bits;
    }
    let deviation = (square - mean * mean).max(0.0).sqrt();
    match deviation > 1e-6 {
        true => ((mean - next.bits(byte)) / deviation) as f32,
        false => 0.0,
    }
}

/// The lowest score that 5% of clean documents reach.
pub(super) fn threshold(clean: &[f64]) -> f64 {
    let mut sorted = clean.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() as f64 * 0.95) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_scored_by_the_standard_of_its_distribution() {
        assert_eq!(of_byte(&Frequencies::default(), 7), 0.0);
        let mut logits = [0.0; 256];
        logits[7] = 5.0;
        let next = Frequencies::from_logits(&logits).expect("finite");
        // The mean of the scores under the distribution is 0, their variance 1.
        let p = |byte: u8| f64::from(next.of(byte)) / f64::from(TOTAL);
        let z = |byte: u8| f64::from(of_byte(&next, byte));
        let mean: f64 = (0..=255).map(|b| p(b) * z(b)).sum();
        let square: f64 = (0..=255).map(|b| p(b) * z(b) * z(b)).sum();
        assert!(mean.abs() < 1e-5 && (square - 1.0).abs() < 1e-4);
        assert!(of_byte(&next, 7) > 0.0 && of_byte(&next, 8) < 0.0);
        assert_eq!(threshold(&[1.0, 2.0, 3.0, 4.0]), 4.0);
    }
}
