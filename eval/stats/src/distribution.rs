//! Student's and Fisher's distributions, by the incomplete beta function.

/// The logarithm of the gamma function at `x > 0` (Lanczos, 9 terms, 1e-14).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let t = x + 7.5;
    let series = (1..9).fold(C[0], |sum, i| sum + C[i] / (x + i as f64));
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + series.ln()
}

/// The regularised incomplete beta function `I_x(a, b)` by its continued fraction
/// (Abramowitz and Stegun 26.5.8, evaluated by Lentz's method).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let ln_front =
        ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln() - a.ln();
    let safe = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let (mut c, mut d) = (1.0, 1.0 / safe(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..300 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for term in [even, odd] {
            d = 1.0 / safe(1.0 + term * d);
            c = safe(1.0 + term / c);
            fraction *= c * d;
        }
        if (fraction / before - 1.0).abs() < 1e-14 {
            break;
        }
    }
    ln_front.exp() * fraction
}

/// The probability of a value of Fisher's F above `f`.
pub(crate) fn f_tail(f: f64, above: f64, below: f64) -> f64 {
    incomplete_beta(
        below / 2.0,
        above / 2.0,
        below / (below + above * f.max(0.0)),
    )
}

/// The probability of a standard normal value beyond `x` in absolute value.
pub(crate) fn normal_tail(x: f64) -> f64 {
    f_tail(x * x, 1.0, 1e7)
}

/// The value that Student's t exceeds in absolute value with probability `p`, for a
/// positive number of degrees of freedom.
#[must_use]
pub fn student_quantile(p: f64, degrees: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..100 {
        let middle: f64 = 0.5 * (low + high);
        if f_tail(middle * middle, 1.0, degrees) > p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The degrees of freedom, 1 or more, at which Student's t exceeds `quantile` in absolute value
/// with probability `p`.
pub(crate) fn student_degrees(p: f64, quantile: f64) -> f64 {
    let (mut low, mut high) = (0.0f64, 1e6f64.ln());
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        match f_tail(quantile * quantile, 1.0, middle.exp()) > p {
            true => low = middle,
            false => high = middle,
        }
    }
    (0.5 * (low + high)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_tails_agree_with_tables() {
        let cases = [
            (1.0, 12.706),
            (2.0, 4.303),
            (3.0, 3.182),
            (5.0, 2.571),
            (30.0, 2.042),
        ];
        for (degrees, t) in cases {
            assert!(
                (student_quantile(0.05, degrees) - t).abs() < 1e-3,
                "{degrees}"
            );
            assert!(
                (student_degrees(0.05, t) / degrees - 1.0).abs() < 1e-2,
                "{t}"
            );
        }
        assert!(student_degrees(0.05, 20.0) < 1.001 && student_degrees(0.05, 1.5) > 9e5);
        assert!((normal_tail(1.959_964) - 0.05).abs() < 1e-5);
        assert!((f_tail(3.33, 5.0, 10.0) - 0.05).abs() < 5e-4);
        assert!((f_tail(5.99, 1.0, 6.0) - 0.05).abs() < 5e-4);
    }
}
