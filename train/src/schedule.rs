//! Learning-rate schedules.

use crate::recipe::{ScheduleKind, TrainConfig};

/// The learning rate at `step` of `steps`, as a share of its peak.
///
/// The learning-rate warm-up is linear and reaches the peak at the end of its share.
/// The cooldown of [`ScheduleKind::Wsd`] is `1 - sqrt(x)` over its share (Hägele et
/// al. 2024, arXiv 2405.18392); the cosine falls to zero at the end. In both, the
/// last step still has a rate above zero.
///
/// Only correctly rounded operations of `f64` are used, and our own
/// cosine, so the rate is the same on every machine.
pub fn rate(config: &TrainConfig, step: u64, steps: u64) -> f64 {
    let (step, steps) = (step as f64, steps as f64);
    let warmup = config.warmup * steps;
    if step + 1.0 < warmup {
        return (step + 1.0) / warmup;
    }
    match config.schedule {
        ScheduleKind::Wsd => {
            let cooldown = config.cooldown * steps;
            let start = steps - cooldown;
            if step < start {
                1.0
            } else {
                1.0 - ((step - start) / cooldown).sqrt()
            }
        }
        ScheduleKind::Cosine => {
            let done = (step - warmup).max(0.0) / (steps - warmup).max(1.0);
            let half = half_sine(0.5 - 0.5 * done);
            half * half
        }
    }
}

/// `sin(pi x)` for `x` in `[0, 1/2]`, by its Taylor series: within 1e-9.
fn half_sine(x: f64) -> f64 {
    let y = std::f64::consts::PI * x;
    let square = y * y;
    let mut term = y;
    let mut sum = y;
    for n in 1..9 {
        let k = f64::from(2 * n);
        term *= -square / (k * (k + 1.0));
        sum += term;
    }
    sum
}

/// Share of the loss beside context models that is the model's alone, at step `step` from
/// 0 of `steps`: it falls from 1 to 0. What context models leave to a model says too
/// little to learn from at first; once it predicts the bytes, it learns what is left.
///
/// At time `t` from 0 to 1 the share is `(1 - t)^p`, where `p` is 3 below 1000 steps, 6 below
/// 4000, 12 below 16,000, and so on. So the number of steps until it is one half grows about
/// as the square root of all steps (measured in `docs/recipe.md`).
pub(crate) fn alone(step: u64, steps: u64) -> f32 {
    let left = 1.0 - step as f32 / steps as f32;
    let mut share = left * left * left;
    let mut long = 1000;
    while steps >= long {
        share *= share;
        long *= 4;
    }
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(schedule: ScheduleKind) -> TrainConfig {
        TrainConfig {
            schedule,
            warmup: 0.1,
            cooldown: 0.4,
            ..TrainConfig::default()
        }
    }

    #[test]
    fn wsd_rises_stays_and_falls() {
        let config = config(ScheduleKind::Wsd);
        let rate = |step| rate(&config, step, 100);
        assert_eq!(rate(0), 0.1);
        assert_eq!(rate(9), 1.0);
        assert_eq!(rate(60), 1.0);
        assert_eq!(rate(70), 0.5);
        assert!(rate(99) > 0.0 && rate(99) < 0.02);
    }

    #[test]
    fn the_cosine_agrees_with_the_library() {
        let config = config(ScheduleKind::Cosine);
        for step in 10..100 {
            let done = (step as f64 - 10.0) / 90.0;
            let expected = 0.5 + 0.5 * (std::f64::consts::PI * done).cos();
            assert!((rate(&config, step, 100) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn the_share_is_half_after_a_multiple_of_the_square_root_of_the_steps() {
        let powers = [
            (489, 3),
            (999, 3),
            (1000, 6),
            (3999, 6),
            (4000, 12),
            (15_999, 12),
        ];
        for (steps, power) in powers {
            assert_eq!(alone(0, steps), 1.0);
            let quarter = alone(steps / 4, steps);
            let t = (steps / 4) as f32 / steps as f32;
            assert!((quarter - (1.0 - t).powi(power)).abs() < 1e-5, "{steps}");
            assert!(alone(steps - 1, steps) < 1e-6);
        }
        for steps in (500..40_000).step_by(250).chain([1_000_000]) {
            let half = (0..steps).find(|&step| alone(step, steps) < 0.5).unwrap();
            let ratio = half as f64 / (steps as f64).sqrt();
            assert!((3.0..8.0).contains(&ratio), "{half} of {steps}");
        }
    }
}
