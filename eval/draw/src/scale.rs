//! Scales: maps from values to pixels, and ticks.
//!
//! Values come from files, so they may be huge, equal, reversed or not finite. A scale
//! always covers a range of positive length and always returns a finite pixel.

/// Largest magnitude of a value.
const LARGEST: f64 = 1e300;

/// Smallest value of a logarithmic scale.
const LEAST: f64 = 1e-300;

/// Largest magnitude of a pixel.
const FAR: f64 = 1e6;

/// Maps values to pixels, linearly or by the logarithm.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Finite and increasing; positive on a logarithmic scale.
    from: (f64, f64),
    to: (f64, f64),
    log: bool,
}

/// The smallest and largest of some values that are at least 0; (infinity, 0) if there
/// are none.
pub fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(low, high), v| {
        (low.min(v), high.max(v))
    })
}

impl Scale {
    /// Maps the ends of `from` to the ends of `to`, linearly. Invalid ends are replaced
    /// by a short range about the first of them.
    pub fn linear(from: (f64, f64), to: (f64, f64)) -> Self {
        let [low, high] = [from.0, from.1].map(|end| end.clamp(-LARGEST, LARGEST));
        let room = 0.05 * number(low, high).abs().max(1.0);
        Self {
            from: range(low, high, |at| (at - room, at + room)),
            to,
            log: false,
        }
    }

    /// Like [`linear`](Self::linear), by the logarithm; both ends of `from` should be
    /// positive.
    pub fn log(from: (f64, f64), to: (f64, f64)) -> Self {
        let [low, high] = [from.0, from.1].map(|end| end.clamp(LEAST, LARGEST));
        Self {
            from: range(low, high, |at| (at / 1.1, at * 1.1)),
            to,
            log: true,
        }
    }

    /// A logarithmic scale from the smallest to the largest of some sizes, with a
    /// margin on both sides.
    pub fn of_sizes((least, most): (f64, f64), to: (f64, f64)) -> Self {
        let margin = (most / least).powf(0.04).max(1.05);
        Self::log((least / margin, most * margin), to)
    }

    /// The pixel of a value; it may lie beyond the ends. NaN gives the pixel of the lower
    /// end.
    pub fn at(&self, value: f64) -> f64 {
        let place = |v: f64| if self.log { v.max(LEAST).ln() } else { v };
        let (low, high) = (place(self.from.0), place(self.from.1));
        let pixel = self.to.0 + (place(value) - low) / (high - low) * (self.to.1 - self.to.0);
        match value.is_nan() || pixel.is_nan() {
            true => self.to.0,
            false => pixel.clamp(-FAR, FAR),
        }
    }

    /// Like [`at`](Self::at), clamped to the ends.
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

    /// Round values inside the range, about one for every `spacing` pixels.
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
            // On a short range, linear ticks are better than too few decades.
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

/// The first of two values that is not NaN, or 1.
fn number(low: f64, high: f64) -> f64 {
    [low, high]
        .into_iter()
        .find(|end| !end.is_nan())
        .unwrap_or(1.0)
}

/// A range of positive length: the two ends, or one `about` the first.
fn range(low: f64, high: f64, about: impl Fn(f64) -> (f64, f64)) -> (f64, f64) {
    // On shorter ranges, neighbouring ticks would be equal.
    let shortest = (1e-9 * low.abs().max(high.abs())).max(LEAST);
    match high - low > shortest {
        true => (low, high),
        false => about(number(low, high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_ends_and_values_have_pixels_and_few_ticks() {
        let odd = [
            0.0,
            -1.0,
            1.0,
            5e-324,
            1e-308,
            1e308,
            f64::MAX,
            f64::MIN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        for low in odd {
            for high in odd {
                for make in [Scale::linear, Scale::log, Scale::of_sizes] {
                    let scale = make((low, high), (400.0, 20.0));
                    assert!(scale.ticks(50.0).len() < 1000, "{scale:?}");
                    for value in odd
                        .into_iter()
                        .chain(scale.ticks(50.0))
                        .chain(scale.samples(9))
                    {
                        assert!(scale.at(value).is_finite(), "{scale:?} at {value}");
                        assert!(scale.clamped(value).abs() < 401.0, "{scale:?} at {value}");
                    }
                }
            }
        }
    }

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
