//! Small solvers: linear equations, a minimum on a line, and one in the plane.

/// Solves linear equations by elimination with pivoting; nothing if they are singular.
pub(super) fn solve<const K: usize>(mut m: [[f64; K]; K], mut r: [f64; K]) -> Option<[f64; K]> {
    let scale = m.iter().flatten().fold(0.0f64, |s, x| s.max(x.abs()));
    for column in 0..K {
        let pivot =
            (column..K).max_by(|&i, &j| m[i][column].abs().total_cmp(&m[j][column].abs()))?;
        if m[pivot][column].abs() <= 1e-14 * scale {
            return None;
        }
        m.swap(column, pivot);
        r.swap(column, pivot);
        for row in column + 1..K {
            let factor = m[row][column] / m[column][column];
            let above = m[column];
            for (x, y) in m[row].iter_mut().zip(above).skip(column) {
                *x -= factor * y;
            }
            r[row] -= factor * r[column];
        }
    }
    let mut x = [0.0; K];
    for i in (0..K).rev() {
        let known: f64 = (i + 1..K).map(|k| m[i][k] * x[k]).sum();
        x[i] = (r[i] - known) / m[i][i];
    }
    Some(x)
}

/// Minimum of `f` on `[low, high]`: the best of `cells + 1` grid points, then
/// golden sections between its neighbours.
pub(super) fn minimise(f: impl FnMut(f64) -> f64, low: f64, high: f64, cells: usize) -> f64 {
    minimise_to(f, low, high, cells, 1e-8)
}

/// As [`minimise`], to a chosen `tolerance`.
pub(super) fn minimise_to(
    mut f: impl FnMut(f64) -> f64,
    low: f64,
    high: f64,
    cells: usize,
    tolerance: f64,
) -> f64 {
    let step = (high - low) / cells as f64;
    let at = |i: usize| low + step * i as f64;
    let best = (0..=cells)
        .map(|i| (f(at(i)), i))
        .min_by(|x, y| x.0.total_cmp(&y.0))
        .map_or(0, |x| x.1);
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut l, mut r) = (at(best.saturating_sub(1)), at((best + 1).min(cells)));
    let (mut x1, mut x2) = (r - ratio * (r - l), l + ratio * (r - l));
    let (mut f1, mut f2) = (f(x1), f(x2));
    while r - l > tolerance * (1.0 + l.abs()) {
        if f1 < f2 {
            (r, x2, f2) = (x2, x1, f1);
            x1 = r - ratio * (r - l);
            f1 = f(x1);
        } else {
            (l, x1, f1) = (x1, x2, f2);
            x2 = l + ratio * (r - l);
            f2 = f(x2);
        }
    }
    (l + r) / 2.0
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
        let x = solve([[0., 2., 1.], [1., 1., 0.], [3., 0., 1.]], [7., 3., 6.]).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
        assert!(solve([[1., 2., 3.], [2., 4., 6.], [0., 0., 1.]], [1., 2., 3.]).is_none());
    }

    #[test]
    fn finds_the_bottom_of_a_curved_valley() {
        let rosenbrock = |[x, y]: [f64; 2]| 100.0 * (y - x * x).powi(2) + (1.0 - x).powi(2);
        let (value, x) = nelder_mead(rosenbrock, [-1.2, 1.0], 0.5, 1e-10);
        assert!(value < 1e-10 && (x[0] - 1.0).abs() < 1e-4);
    }
}
