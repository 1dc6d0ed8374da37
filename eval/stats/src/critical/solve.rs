//! Two small solvers: three linear equations, and a search without derivatives.

/// Solves a 3x3 system by elimination with pivoting; nothing if it is singular.
pub(super) fn solve3(mut m: [[f64; 3]; 3], mut r: [f64; 3]) -> Option<[f64; 3]> {
    let scale = m.iter().flatten().fold(0.0f64, |s, x| s.max(x.abs()));
    for column in 0..3 {
        let pivot =
            (column..3).max_by(|&i, &j| m[i][column].abs().total_cmp(&m[j][column].abs()))?;
        if m[pivot][column].abs() <= 1e-14 * scale {
            return None;
        }
        m.swap(column, pivot);
        r.swap(column, pivot);
        for row in column + 1..3 {
            let factor = m[row][column] / m[column][column];
            let above = m[column];
            for (x, y) in m[row].iter_mut().zip(above).skip(column) {
                *x -= factor * y;
            }
            r[row] -= factor * r[column];
        }
    }
    let mut x = [0.0; 3];
    for i in (0..3).rev() {
        let known: f64 = (i + 1..3).map(|k| m[i][k] * x[k]).sum();
        x[i] = (r[i] - known) / m[i][i];
    }
    Some(x)
}

/// Nelder and Mead's simplex in the plane from a right angle of `size` at
/// `start`, until the values agree to `tolerance` of their magnitude or 400
/// steps. Returns the least value and where it is.
pub(super) fn nelder_mead(
    f: impl Fn([f64; 2]) -> f64,
    start: [f64; 2],
    size: f64,
    tolerance: f64,
) -> (f64, [f64; 2]) {
    let at = |x: [f64; 2]| (f(x), x);
    let mut simplex = [
        at(start),
        at([start[0] + size, start[1]]),
        at([start[0], start[1] + size]),
    ];
    for _ in 0..400 {
        simplex.sort_by(|p, q| p.0.total_cmp(&q.0));
        let [best, middle, worst] = simplex;
        let spread = (0..2)
            .map(|i| (best.1[i] - worst.1[i]).abs())
            .fold(0.0, f64::max);
        if worst.0 - best.0 <= tolerance * best.0.abs() && spread < 1e-4 {
            break;
        }
        let centre = [0, 1].map(|i| (best.1[i] + middle.1[i]) / 2.0);
        let along = |t: f64| at([0, 1].map(|i| centre[i] + t * (worst.1[i] - centre[i])));
        let reflected = along(-1.0);
        simplex[2] = if reflected.0 < best.0 {
            let expanded = along(-2.0);
            if expanded.0 < reflected.0 {
                expanded
            } else {
                reflected
            }
        } else if reflected.0 < middle.0 {
            reflected
        } else {
            let inner = along(if reflected.0 < worst.0 { -0.5 } else { 0.5 });
            if inner.0 < worst.0.min(reflected.0) {
                inner
            } else {
                let shrink = |v: (f64, [f64; 2])| at([0, 1].map(|i| (best.1[i] + v.1[i]) / 2.0));
                simplex[1] = shrink(middle);
                shrink(worst)
            }
        };
        if spread < 1e-12 {
            break;
        }
    }
    simplex.sort_by(|p, q| p.0.total_cmp(&q.0));
    simplex[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_refuses() {
        let x = solve3([[0., 2., 1.], [1., 1., 0.], [3., 0., 1.]], [7., 3., 6.]).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
        assert!(solve3([[1., 2., 3.], [2., 4., 6.], [0., 0., 1.]], [1., 2., 3.]).is_none());
    }

    #[test]
    fn finds_the_bottom_of_a_curved_valley() {
        let rosenbrock = |[x, y]: [f64; 2]| 100.0 * (y - x * x).powi(2) + (1.0 - x).powi(2);
        let (value, x) = nelder_mead(rosenbrock, [-1.2, 1.0], 0.5, 1e-10);
        assert!(value < 1e-10 && (x[0] - 1.0).abs() < 1e-4);
    }
}
