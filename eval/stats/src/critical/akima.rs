//! Akima's interpolant: a cubic through the points that does not overshoot.

/// Piecewise cubic of Akima (1970) through `(x, y)`, `x` strictly increasing.
pub(crate) struct Akima {
    x: Vec<f64>,
    y: Vec<f64>,
    /// Derivative at each point.
    slope: Vec<f64>,
}

impl Akima {
    /// Needs three points; nothing with fewer.
    pub(crate) fn new(x: Vec<f64>, y: Vec<f64>) -> Option<Self> {
        let n = x.len();
        if n < 3 || y.len() != n {
            return None;
        }
        // Secants, with two more at each end by quadratic extrapolation.
        let mut m = vec![0.0; n + 3];
        for i in 0..n - 1 {
            m[i + 2] = (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
        }
        m[1] = 2.0 * m[2] - m[3];
        m[0] = 2.0 * m[1] - m[2];
        m[n + 1] = 2.0 * m[n] - m[n - 1];
        m[n + 2] = 2.0 * m[n + 1] - m[n];
        let slope = (0..n)
            .map(|i| {
                let (w1, w2) = ((m[i + 3] - m[i + 2]).abs(), (m[i + 1] - m[i]).abs());
                if w1 + w2 > 0.0 {
                    (w1 * m[i + 1] + w2 * m[i + 2]) / (w1 + w2)
                } else {
                    (m[i + 1] + m[i + 2]) / 2.0
                }
            })
            .collect();
        Some(Self { x, y, slope })
    }

    pub(crate) fn range(&self) -> (f64, f64) {
        (self.x[0], self.x[self.x.len() - 1])
    }

    /// Value at `x`, which is clamped to the range of the points.
    pub(crate) fn at(&self, x: f64) -> f64 {
        let (low, high) = self.range();
        let x = x.clamp(low, high);
        let i = self.x[1..self.x.len() - 1].partition_point(|&knot| knot <= x);
        let h = self.x[i + 1] - self.x[i];
        let t = (x - self.x[i]) / h;
        let (y0, y1) = (self.y[i], self.y[i + 1]);
        let (d0, d1) = (h * self.slope[i], h * self.slope[i + 1]);
        let (c2, c3) = (3.0 * (y1 - y0) - 2.0 * d0 - d1, 2.0 * (y0 - y1) + d0 + d1);
        y0 + t * (d0 + t * (c2 + t * c3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_through_points_and_keeps_lines_straight() {
        let line = Akima::new(vec![0.0, 1.0, 3.0, 4.0], vec![1.0, 3.0, 7.0, 9.0]).unwrap();
        for x in [0.0, 0.5, 1.0, 2.7, 4.0] {
            assert!((line.at(x) - (1.0 + 2.0 * x)).abs() < 1e-12);
        }
        let step = Akima::new(
            (0..6).map(f64::from).collect(),
            vec![0., 0., 0., 1., 1., 1.],
        );
        let step = step.unwrap();
        assert_eq!(step.at(1.5), 0.0, "flat parts stay flat");
        assert_eq!(step.at(3.0), 1.0);
    }
}
