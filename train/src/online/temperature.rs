//! The softmax temperature, fitted to the priced bytes.

use brevity_codec::{Frequencies, TOTAL};

/// Decay per window of the weight of earlier windows.
const DECAY: f64 = 0.9;

/// Weight of the prior that the temperature is 1, as a curvature in nats. It
/// equals that of about a hundred bytes.
const PRIOR: f64 = 100.0;

/// The inverse temperature that multiplies all logits.
///
/// The code length is a convex function of it. Each window adds the
/// second-order expansion of its code length at the inverse temperature it was
/// priced with; the weight of older windows decays. The next window uses the
/// minimum of the sum. All arithmetic is correctly rounded, in a fixed order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Temperature {
    inverse: f64,
    /// Sum of curvature times minimum, over the parabolas of all windows.
    moment: f64,
    /// Sum of curvatures.
    curvature: f64,
}

impl Default for Temperature {
    fn default() -> Temperature {
        Temperature {
            inverse: 1.0,
            moment: PRIOR,
            curvature: PRIOR,
        }
    }
}

/// First and second derivative of the code length in nats with respect to a
/// factor of the scaled logits, at factor 1, summed over the bytes of a lane.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    slope: f64,
    curvature: f64,
}

impl Temperature {
    /// Multiplies logits by the inverse temperature.
    pub fn scale(&self, logits: &[f32; 256]) -> [f32; 256] {
        let factor = self.inverse as f32;
        logits.map(|z| z * factor)
    }

    /// Adds the derivatives of one window and fits the temperature.
    pub fn fit(&mut self, lanes: &mut [Moments]) {
        let (mut slope, mut curvature) = (0.0, 0.0);
        for lane in lanes {
            slope += lane.slope;
            curvature += lane.curvature;
            *lane = Moments::default();
        }
        // Converts derivatives with respect to a factor of the scaled logits to
        // derivatives with respect to the inverse temperature.
        slope /= self.inverse;
        curvature /= self.inverse * self.inverse;
        self.moment = DECAY * self.moment + curvature * self.inverse - slope;
        self.curvature = DECAY * self.curvature + curvature;
        if self.curvature > 1.0 {
            self.inverse = (self.moment / self.curvature).clamp(0.25, 4.0);
        }
    }
}

impl Moments {
    /// Adds a byte that was priced with `next`, the softmax of `scaled`.
    pub fn add(&mut self, next: &Frequencies, scaled: &[f32; 256], byte: u8) {
        // Eight partial sums, so that the compiler can vectorise.
        let mut mean = [0.0; 8];
        let mut square = [0.0; 8];
        // Logits are taken relative to the byte's own logit.
        let origin = f64::from(scaled[usize::from(byte)]);
        let counts = next.as_array().chunks_exact(8);
        for (counts, logits) in counts.zip(scaled.chunks_exact(8)) {
            for i in 0..8 {
                let z = f64::from(logits[i]) - origin;
                let share = f64::from(counts[i]) * z;
                mean[i] += share;
                square[i] += share * z;
            }
        }
        let sum = |s: [f64; 8]| ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
        let total = f64::from(TOTAL);
        let mean = sum(mean) / total;
        self.slope += mean;
        self.curvature += (sum(square) / total - mean * mean).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logits, and bytes that follow the softmax of `factor` times the logits.
    fn sample(factor: f32) -> ([f32; 256], Vec<u8>) {
        let logits: [f32; 256] = std::array::from_fn(|i| -((i * 7 % 256) as f32) / 40.0);
        let truth = Frequencies::from_logits(&logits.map(|z| z * factor)).unwrap();
        let bytes = (0..4096u64).map(|i| {
            let target = (i * 2_654_435_761) % u64::from(TOTAL);
            truth.find(target as u32).0
        });
        (logits, bytes.collect())
    }

    #[test]
    fn the_temperature_of_the_data_is_found() {
        for factor in [0.6, 1.0, 1.7] {
            let (logits, bytes) = sample(factor);
            let mut temperature = Temperature::default();
            for window in bytes.chunks(256).cycle().take(60) {
                let mut moments = [Moments::default(); 2];
                let scaled = temperature.scale(&logits);
                let next = Frequencies::from_logits(&scaled).unwrap();
                for (i, &byte) in window.iter().enumerate() {
                    moments[i % 2].add(&next, &scaled, byte);
                }
                temperature.fit(&mut moments);
            }
            let found = temperature.inverse;
            assert!((found - f64::from(factor)).abs() < 0.05, "{found} {factor}");
        }
    }

    #[test]
    fn a_model_that_knows_nothing_leaves_it_alone() {
        let mut temperature = Temperature::default();
        let mut moments = [Moments::default()];
        moments[0].add(&Frequencies::default(), &[0.0; 256], 3);
        temperature.fit(&mut moments);
        assert_eq!(temperature.inverse, 1.0);
    }
}
