//! Intervals of the differences between candidates that hold for all pairs at once.

use crate::distribution::{normal_tail, student_quantile};

/// Differences between candidates, standardised over draws, and how far the largest of
/// them goes (max-t). A candidate that was chosen by the same data is no exception: its
/// pairs are among all pairs.
pub struct Simultaneous {
    /// Standard errors of the pairs, below the diagonal.
    errors: Vec<Vec<f64>>,
    /// Probability that one pair alone exceeds what 5% of the largest exceed.
    level: f64,
}

impl Simultaneous {
    /// From `draws` of the deviations of all candidates from their estimates, one draw a
    /// row, all rows of one length.
    ///
    /// # Panics
    /// Without draws.
    #[must_use]
    pub fn new(draws: &[Vec<f64>]) -> Self {
        let count = draws[0].len();
        let error = |i: usize, j: usize| {
            let squares: f64 = draws.iter().map(|d| (d[i] - d[j]).powi(2)).sum();
            (squares / draws.len() as f64).sqrt()
        };
        let row = |i: usize| (0..i).map(|j| error(i, j)).collect();
        let errors: Vec<Vec<f64>> = (0..count).map(row).collect();
        let mut largest: Vec<f64> = draws
            .iter()
            .map(|d| {
                let pairs = (0..count).flat_map(|i| (0..i).map(move |j| (i, j)));
                let of = pairs.filter(|&(i, j)| errors[i][j] > 0.0);
                of.map(|(i, j)| (d[i] - d[j]).abs() / errors[i][j])
                    .fold(0.0, f64::max)
            })
            .collect();
        largest.sort_by(f64::total_cmp);
        let critical = largest[(largest.len() * 95 / 100).min(largest.len() - 1)];
        Self {
            errors,
            level: normal_tail(critical).clamp(1e-12, 0.05),
        }
    }

    /// Standard error of the difference between two candidates, as large as a row of the
    /// draws has places; zero of one and itself.
    ///
    /// # Panics
    /// Beyond the candidates.
    #[must_use]
    pub fn error(&self, i: usize, j: usize) -> f64 {
        match i == j {
            true => 0.0,
            false => self.errors[i.max(j)][i.min(j)],
        }
    }

    /// How many standard errors half of the 95% interval of a difference is, for these degrees
    /// of freedom of its standard error, 1 or more.
    #[must_use]
    pub fn quantile(&self, degrees: f64) -> f64 {
        student_quantile(self.level, degrees.max(1.0))
    }

    /// Half of the 95% interval of the difference between two candidates, by Student's
    /// quantile for these degrees of freedom of its standard error, 1 or more.
    ///
    /// # Panics
    /// Beyond the candidates.
    #[must_use]
    pub fn half_width(&self, i: usize, j: usize, degrees: f64) -> f64 {
        self.quantile(degrees) * self.error(i, j)
    }
}
