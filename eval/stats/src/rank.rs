//! How well a number tells two groups apart, and how two numbers rank the same models.

/// Mean code length, in bits, of the `percent` most expensive bytes of a text.
/// Zero for no bytes.
#[must_use]
pub fn min_k(code_lengths: &[f32], percent: f64) -> f64 {
    let mut sorted: Vec<f32> = code_lengths.to_vec();
    sorted.sort_by(|x, y| y.total_cmp(x));
    let count =
        ((sorted.len() as f64 * percent / 100.0).ceil() as usize).clamp(1, sorted.len().max(1));
    let sum: f64 = sorted.iter().take(count).map(|&b| f64::from(b)).sum();
    sum / count as f64
}

/// How often a score tells a member from a non-member: the probability that a
/// random member scores lower than a random non-member, ties counting half
/// (area under the ROC curve). 0.5 is no better than a coin.
#[must_use]
pub fn auc(members: &[f64], others: &[f64]) -> f64 {
    let mut won = 0.0;
    for m in members {
        for o in others {
            won += if m < o {
                1.0
            } else if m == o {
                0.5
            } else {
                0.0
            };
        }
    }
    won / (members.len() * others.len()).max(1) as f64
}

/// Kendall's tau-b between two scores of the same models: 1 when they order
/// them alike, -1 when in reverse, ties allowed for. Zero when one of them does
/// not tell any two models apart.
///
/// # Panics
///
/// When the two have different lengths.
#[must_use]
pub fn kendall_tau(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len(), "two scores for each model");
    let (mut agree, mut tied_x, mut tied_y, mut pairs) = (0i64, 0i64, 0i64, 0i64);
    for i in 0..x.len() {
        for j in 0..i {
            let (a, b) = (x[i].total_cmp(&x[j]) as i64, y[i].total_cmp(&y[j]) as i64);
            agree += a * b;
            tied_x += i64::from(a == 0);
            tied_y += i64::from(b == 0);
            pairs += 1;
        }
    }
    let scale = (((pairs - tied_x) * (pairs - tied_y)) as f64).sqrt();
    if scale == 0.0 {
        0.0
    } else {
        agree as f64 / scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn min_k_is_the_mean_of_the_worst() {
        let bits = [1.0, 9.0, 2.0, 7.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(min_k(&bits, 20.0), 8.0);
        assert_eq!(min_k(&bits, 0.0), 9.0);
        assert_eq!(min_k(&[], 20.0), 0.0);
    }

    #[test]
    fn ranks_agree_reverse_and_tie() {
        let x = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(kendall_tau(&x, &x), 1.0);
        assert_eq!(kendall_tau(&x, &[4.0, 3.0, 2.0, 1.0]), -1.0);
        assert!((kendall_tau(&x, &[1.0, 3.0, 2.0, 4.0]) - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(kendall_tau(&x, &[1.0; 4]), 0.0);
        assert_eq!(auc(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        assert_eq!(auc(&[1.0], &[1.0]), 0.5);
    }
}
