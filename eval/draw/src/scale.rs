//! Axes: from values to pixels, and where the ticks go.

/// Maps values to pixels, linearly or by the logarithm.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    from: (f64, f64),
    to: (f64, f64),
    log: bool,
}

impl Scale {
    /// Maps the ends of `from` to the ends of `to`, linearly.
    pub fn linear(from: (f64, f64), to: (f64, f64)) -> Self {
        Self {
            from,
            to,
            log: false,
        }
    }

    /// Both ends of `from` are positive.
    pub fn log(from: (f64, f64), to: (f64, f64)) -> Self {
        Self {
            from,
            to,
            log: true,
        }
    }

    /// The pixel of a value, which may lie beyond the ends.
    pub fn at(&self, value: f64) -> f64 {
        let place = |v: f64| if self.log { v.max(1e-300).ln() } else { v };
        let (low, high) = (place(self.from.0), place(self.from.1));
        self.to.0 + (place(value) - low) / (high - low) * (self.to.1 - self.to.0)
    }

    /// As [`at`](Self::at), but no further out than the ends.
    pub fn clamped(&self, value: f64) -> f64 {
        self.at(value.clamp(self.from.0, self.from.1))
    }

    /// Whether a value lies between the ends.
    pub fn contains(&self, value: f64) -> bool {
        self.from.0 <= value && value <= self.from.1
    }

    /// `count` values from end to end, evenly spaced in pixels.
    pub fn samples(&self, count: usize) -> Vec<f64> {
        (0..count)
            .map(|i| i as f64 / (count - 1) as f64)
            .map(|t| {
                if self.log {
                    self.from.0 * (self.from.1 / self.from.0).powf(t)
                } else {
                    self.from.0 + t * (self.from.1 - self.from.0)
                }
            })
            .collect()
    }

    /// Round values inside, about one for every `spacing` pixels.
    pub fn ticks(&self, spacing: f64) -> Vec<f64> {
        let wanted = ((self.to.1 - self.to.0).abs() / spacing).max(2.0);
        if self.log {
            let steps: [&[f64]; 4] = [
                &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
                &[1.0, 2.0, 3.0, 5.0],
                &[1.0, 3.0],
                &[1.0],
            ];
            for step in steps {
                let found = self.decades(step);
                if (found.len() as f64) <= wanted {
                    if found.len() >= 2 {
                        return found;
                    }
                    break;
                }
            }
            // A short range: linear ticks serve it better than too few decades.
            return self.even_ticks(wanted);
        }
        self.even_ticks(wanted)
    }

    fn decades(&self, steps: &[f64]) -> Vec<f64> {
        let (low, high) = (self.from.0.log10().floor(), self.from.1.log10().ceil());
        (low as i32..=high as i32)
            .flat_map(|d| steps.iter().map(move |s| s * 10f64.powi(d)))
            .filter(|v| self.contains(*v))
            .collect()
    }

    fn even_ticks(&self, wanted: f64) -> Vec<f64> {
        let rough = (self.from.1 - self.from.0) / wanted;
        let unit = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|s| s * unit)
            .find(|s| *s >= rough * 0.999)
            .unwrap_or(10.0 * unit);
        let first = (self.from.0 / step).ceil() as i64;
        (first..)
            .map(|i| i as f64 * step)
            .take_while(|v| *v <= self.from.1 * (1.0 + 1e-12))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_map_to_pixels() {
        let log = Scale::log((1e3, 1e5), (0.0, 200.0));
        assert!((log.at(1e4) - 100.0).abs() < 1e-9);
        let linear = Scale::linear((0.0, 50.0), (300.0, 0.0));
        assert_eq!(linear.at(25.0), 150.0);
        assert_eq!(linear.clamped(99.0), 0.0);
    }

    #[test]
    fn ticks_are_round_and_few() {
        let linear = Scale::linear((23.0, 61.0), (0.0, 300.0));
        assert_eq!(linear.ticks(60.0), [30.0, 40.0, 50.0, 60.0]);
        let log = Scale::log((3.5e3, 1.4e5), (0.0, 600.0));
        let ticks = log.ticks(90.0);
        assert!(ticks.len() >= 3 && ticks.len() <= 7, "{ticks:?}");
        assert!(ticks.contains(&1e4) && ticks.contains(&1e5));
    }
}
