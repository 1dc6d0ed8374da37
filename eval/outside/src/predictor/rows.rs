//! From log-probabilities to the coder's integer frequencies.

use super::OutsideError;
use super::error::Place;
use brevity_codec::{Frequencies, SYMBOLS};

/// How far the sum of probabilities may be from one: the rounding of 16-bit
/// log-probabilities of some nats passes, logits do not.
const TOLERANCE: f64 = 2e-3;

/// Writes the frequencies of one distribution. They are those of the coder's softmax, so
/// what the sum is short of one is shared out in proportion.
///
/// # Errors
/// Values that are not finite, or probabilities that do not sum to one.
pub(super) fn frequencies(
    row: &[f32],
    next: &mut Frequencies,
    place: impl Fn() -> Place,
) -> Result<(), OutsideError> {
    debug_assert_eq!(row.len(), SYMBOLS);
    if next.set_logits(row).is_err() {
        let symbol = row.iter().position(|x| !x.is_finite()).unwrap_or(0);
        return Err(OutsideError::NotFinite {
            place: place(),
            symbol,
            value: row[symbol],
        });
    }
    let sum: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
    if (sum - 1.0).abs() > TOLERANCE {
        return Err(OutsideError::NotNormalised {
            place: place(),
            sum,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(row: &[f32]) -> String {
        let place = || Place {
            stream: 512,
            byte: 3,
        };
        match frequencies(row, &mut Frequencies::default(), place) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_no_distribution_is_named() {
        let fair = vec![-(256f32.ln()); 256];
        assert_eq!(said(&fair), "");
        for (value, says) in [(f32::NAN, "byte 7 is NaN"), (f32::NEG_INFINITY, "-inf")] {
            let mut row = fair.clone();
            row[7] = value;
            let said = said(&row);
            assert!(said.contains(says) && said.contains("byte 515"), "{said}");
        }
        assert!(said(&[0.0; 256]).contains("sum to 256"));
        let half: Vec<f32> = fair.iter().map(|x| x - 2f32.ln()).collect();
        let said = said(&half);
        assert!(
            said.contains("sum to 0.5") || said.contains("sum to 0.4999"),
            "{said}"
        );
    }

    #[test]
    fn lengths_are_those_of_the_distribution() {
        let weights: Vec<f64> = (0..256)
            .map(|i| 1.0 / (1.0 + f64::from(i)).powi(2))
            .collect();
        let sum: f64 = weights.iter().sum();
        let row: Vec<f32> = weights.iter().map(|w| (w / sum).ln() as f32).collect();
        let mut next = Frequencies::default();
        let place = || Place { stream: 0, byte: 0 };
        frequencies(&row, &mut next, place).unwrap();
        let more: f64 = (0..256)
            .map(|i| weights[i] / sum * (next.bits(i as u8) + (weights[i] / sum).log2()))
            .sum();
        assert!((0.0..5e-4).contains(&more), "{more}");
    }
}
