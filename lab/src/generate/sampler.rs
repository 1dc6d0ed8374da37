//! Draws bytes from logits.

use brevity_codec::{Frequencies, NonFinite, PRECISION, SYMBOLS};
use rand_chacha::ChaCha8Rng;
use rand_core::RngCore;

use super::{Options, Temperature};
use brevity_stats::random::stream;

/// Draws bytes, one after another.
pub(super) struct Sampler {
    random: ChaCha8Rng,
    temperature: f32,
}

impl Sampler {
    pub fn new(options: &Options<'_>) -> Self {
        let Temperature(temperature) = options.temperature;
        Self {
            random: stream(options.seed, 0),
            temperature,
        }
    }

    /// Draws a byte from its logits, in nats up to a constant.
    pub fn draw(&mut self, logits: &[f32; SYMBOLS]) -> Result<u8, NonFinite> {
        if self.temperature == 0.0 {
            Frequencies::from_logits(logits)?;
            let first = (0..=u8::MAX).rev();
            let of = |byte: &u8| logits[usize::from(*byte)];
            return Ok(first.max_by(|a, b| of(a).total_cmp(&of(b))).unwrap_or(0));
        }
        let next = Frequencies::from_logits(&logits.map(|z| z / self.temperature))?;
        let target = self.random.next_u32() >> (u32::BITS - PRECISION);
        Ok(next.find(target).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_task::Control;

    fn sampler(temperature: &str) -> Sampler {
        Sampler::new(&Options {
            bytes: 0,
            seed: 5,
            temperature: temperature.parse().unwrap(),
            control: Control::none(),
        })
    }

    #[test]
    fn draws_follow_the_distribution() {
        let mut logits = [-30.0; SYMBOLS];
        logits[7] = 3f32.ln();
        logits[9] = 0.0;
        let share = |temperature: &str| {
            let mut sampler = sampler(temperature);
            let draws = (0..4000).map(|_| sampler.draw(&logits).unwrap());
            draws.filter(|&byte| byte == 7).count() as f64 / 4000.0
        };
        assert!((share("1") - 0.75).abs() < 0.03);
        // Odds of 3 to 1 become 9 to 1.
        assert!((share("0.5") - 0.9).abs() < 0.02);
        assert_eq!(share("0"), 1.0);
    }

    #[test]
    fn of_equal_bytes_the_first_is_taken_at_zero() {
        assert_eq!(sampler("0").draw(&[1.0; SYMBOLS]), Ok(0));
        assert!(sampler("0").draw(&[f32::NAN; SYMBOLS]).is_err());
        for bad in ["-1", "nan", "inf", "0.001", "", "warm"] {
            assert!(bad.parse::<Temperature>().is_err(), "{bad}");
        }
    }
}
