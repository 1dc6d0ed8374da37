//! The noise between seeds, which need not be the same for all candidates.
//!
//! A few seeds tell little of a candidate's own variance; the variances of the others tell
//! something of it only where all are alike. The variances are taken to be drawn from a
//! scaled inverse chi-squared distribution, and each is moderated towards their pooled value
//! as by this many further degrees of freedom (Smyth 2004). The number is not known either:
//! many mean one noise for all, few mean that each candidate has its own. It is taken at the
//! 5% quantile of its posterior, so that candidates are pooled as far as their
//! variances show that they may be. Of fewer than three candidates with several seeds,
//! variances show nothing, and each stands for itself (Welch).
//!
//! A candidate of one seed shows no noise of its own. It gets the pooled variance.

use crate::distribution::ln_gamma;

/// Degrees of freedom that the other candidates may be worth, as powers of two.
const POWERS: std::ops::RangeInclusive<i32> = -4..=6;

/// The variance of the noise between seeds of some candidates, from the values of each by
/// seed.
pub(crate) struct Moderated {
    /// Variance of the mean over the seeds of each candidate.
    variances: Vec<f64>,
    /// Degrees of freedom of each.
    degrees: Vec<f64>,
    /// Those of the pooled variance, zero where no candidate has several seeds.
    pooled_degrees: f64,
}

impl Moderated {
    pub(crate) fn new(values: &[Vec<f64>]) -> Self {
        let own: Vec<Option<Own>> = values.iter().map(|values| Own::of(values)).collect();
        let repeated: Vec<Own> = own.iter().copied().flatten().collect();
        let pooled_degrees: f64 = repeated.iter().map(|own| own.degrees).sum();
        let squares: f64 = repeated.iter().map(|o| o.degrees * o.variance).sum();
        let pooled = match pooled_degrees > 0.0 {
            true => squares / pooled_degrees,
            false => 0.0,
        };
        let prior = prior_degrees(&repeated, pooled);
        let one = |own: &Option<Own>| match own {
            None => (pooled, pooled_degrees),
            Some(own) => {
                let degrees = prior + own.degrees;
                let sum = prior * pooled + own.degrees * own.variance;
                (sum / degrees, degrees.min(pooled_degrees))
            }
        };
        let (variances, degrees): (Vec<f64>, Vec<f64>) = own.iter().map(one).unzip();
        let means = variances.iter().zip(values);
        Self {
            variances: means.map(|(v, values)| v / values.len() as f64).collect(),
            degrees,
            pooled_degrees,
        }
    }

    /// One noise for all candidates, which each have several seeds.
    #[cfg(test)]
    pub(crate) fn pooled(values: &[Vec<f64>]) -> Self {
        let own: Vec<Own> = values.iter().filter_map(|values| Own::of(values)).collect();
        let degrees: f64 = own.iter().map(|own| own.degrees).sum();
        let pooled = own.iter().map(|o| o.degrees * o.variance).sum::<f64>() / degrees;
        Self {
            variances: values.iter().map(|v| pooled / v.len() as f64).collect(),
            degrees: vec![degrees; values.len()],
            pooled_degrees: degrees,
        }
    }

    /// Whether no candidate has several seeds.
    pub(crate) fn is_unknown(&self) -> bool {
        self.pooled_degrees == 0.0
    }

    /// Standard error of the mean of a candidate.
    pub(crate) fn error(&self, candidate: usize) -> f64 {
        self.variances[candidate].sqrt()
    }

    /// Degrees of freedom of the standard error of a candidate.
    pub(crate) fn degrees(&self, candidate: usize) -> f64 {
        self.degrees[candidate]
    }

    /// Variance of the difference between the means of two candidates, and its degrees of
    /// freedom (Welch and Satterthwaite), no more than those of the pooled variance.
    pub(crate) fn difference(&self, i: usize, j: usize) -> (f64, f64) {
        let both = [i, j].map(|c| (self.variances[c], self.degrees[c]));
        let sum = both[0].0 + both[1].0;
        let share = |(variance, degrees): (f64, f64)| match variance > 0.0 {
            true => variance * variance / degrees,
            false => 0.0,
        };
        let shares = share(both[0]) + share(both[1]);
        let degrees = match shares > 0.0 {
            true => sum * sum / shares,
            false => self.pooled_degrees,
        };
        (sum, degrees.min(self.pooled_degrees))
    }
}

/// What the seeds of one candidate say of its noise.
#[derive(Clone, Copy)]
struct Own {
    variance: f64,
    degrees: f64,
}

impl Own {
    /// None for one seed.
    fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        (values.len() > 1).then(|| Self {
            variance: squares / (count - 1.0),
            degrees: count - 1.0,
        })
    }
}

/// Degrees of freedom that the pooled variance is worth to a candidate: the 5% quantile of
/// its posterior, with all powers of two equally likely before.
fn prior_degrees(own: &[Own], pooled: f64) -> f64 {
    if own.len() < 3 || pooled == 0.0 {
        return 0.0;
    }
    // Seeds may agree to the bit.
    let logs: Vec<f64> = own
        .iter()
        .map(|own| (own.variance / pooled).max(1e-6).ln())
        .collect();
    let centre = logs.iter().sum::<f64>() / logs.len() as f64;
    let scales: Vec<f64> = (-32..=32).map(|i| centre + 0.25 * f64::from(i)).collect();
    let worth: Vec<f64> = POWERS.map(|power| 2f64.powi(power)).collect();
    // The scale of the distribution is not known either: each factor is equally likely.
    let likelihoods: Vec<Vec<f64>> = worth
        .iter()
        .map(|&prior| {
            let of = |&scale: &f64| -> f64 {
                let pairs = own.iter().zip(&logs);
                pairs
                    .map(|(own, log)| ln_density(log - scale, own.degrees, prior))
                    .sum()
            };
            scales.iter().map(of).collect()
        })
        .collect();
    let top = likelihoods
        .iter()
        .flatten()
        .fold(f64::NEG_INFINITY, |top, l| top.max(*l));
    let weights: Vec<f64> = likelihoods
        .iter()
        .map(|of| of.iter().map(|l| (l - top).exp()).sum())
        .collect();
    let sum: f64 = weights.iter().sum();
    let mut below = 0.0;
    for (prior, weight) in worth.iter().zip(&weights) {
        below += weight / sum;
        if below >= 0.05 {
            return *prior;
        }
    }
    worth[worth.len() - 1]
}

/// The logarithm of the density of `x`, where `exp(x)` has Fisher's F distribution with these
/// degrees of freedom.
fn ln_density(x: f64, above: f64, below: f64) -> f64 {
    let ratio = above / below;
    ln_gamma(0.5 * (above + below)) - ln_gamma(0.5 * above) - ln_gamma(0.5 * below)
        + 0.5 * above * (ratio.ln() + x)
        - 0.5 * (above + below) * (ratio * x.exp()).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{normal, stream};

    fn seeds(noise: &[f64], count: usize) -> Vec<Vec<f64>> {
        let mut rng = stream(4, 0);
        let mut of = |noise: &f64| (0..count).map(|_| noise * normal(&mut rng)).collect();
        noise.iter().map(&mut of).collect()
    }

    #[test]
    fn densities_sum_to_one() {
        for (above, below) in [(1.0, 0.25), (2.0, 8.0), (4.0, 64.0)] {
            let sum: f64 = (-4000..4000)
                .map(|i| 0.05 * ln_density(0.05 * f64::from(i), above, below).exp())
                .sum();
            assert!((sum - 1.0).abs() < 1e-6, "{above} {below}: {sum}");
        }
    }

    #[test]
    fn two_candidates_stand_for_themselves() {
        let found = Moderated::new(&[vec![0.0, 2.0], vec![0.0, 0.0, 0.0]]);
        assert!((found.error(0) - 1.0).abs() < 1e-12);
        assert_eq!(found.difference(0, 1), (1.0, 1.0));
        assert_eq!(found.difference(1, 1), (0.0, 3.0));
    }

    #[test]
    fn one_seed_gets_the_pooled_noise_and_none_repeated_is_unknown() {
        let found = Moderated::new(&[vec![0.0, 2.0], vec![0.0, 4.0], vec![7.0]]);
        assert!((found.error(2) - 5f64.sqrt()).abs() < 1e-12);
        assert!((found.difference(2, 2).1 - 2.0).abs() < 1e-12);
        let found = Moderated::new(&[vec![1.0], vec![2.0]]);
        assert!(found.is_unknown() && found.error(0) == 0.0);
    }

    #[test]
    fn many_candidates_of_equal_noise_are_pooled_and_of_unequal_noise_they_are_not() {
        let degrees = |noise: &[f64]| Moderated::new(&seeds(noise, 3)).degrees[0];
        let alike = degrees(&[1.0; 20]);
        assert!(alike >= 4.0, "{alike}");
        let noise: Vec<f64> = (0..20).map(|i| [1.0, 20.0][i % 2]).collect();
        let apart = degrees(&noise);
        assert!((2.0..3.0).contains(&apart), "{apart}");
    }
}
