//! Optimizer steps against plain `f64` code, and equal bits on every instruction set.

use crate::support::{assert_bits, same_everywhere, uniform};
use brevity_kernels::optim::{self, AdamW, Muon, NorMuon};

#[test]
fn adamw_takes_the_steps_of_its_formula() {
    let adamw = AdamW {
        learning_rate: 0.01,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        weight_decay: 0.1,
    };
    let len = 40_003;
    let start = uniform(len, 1.0, 1);
    let grads: Vec<_> = (0..5).map(|t| uniform(len, 1.0, 10 + t)).collect();
    let got = same_everywhere(|| {
        let (mut p, mut m, mut v) = (start.clone(), vec![0.0; len], vec![0.0; len]);
        for (t, g) in grads.iter().enumerate() {
            adamw.step(t as u64 + 1, 0.5, g, &mut p, &mut m, &mut v);
        }
        p
    });
    for i in (0..len).step_by(97) {
        let (mut p, mut m, mut v) = (start[i] as f64, 0.0, 0.0);
        for (t, g) in grads.iter().enumerate() {
            let g = 0.5 * g[i] as f64;
            m = 0.9 * m + 0.1 * g;
            v = 0.95 * v + 0.05 * g * g;
            let m = m / (1.0 - 0.9f64.powi(t as i32 + 1));
            let v: f64 = v / (1.0 - 0.95f64.powi(t as i32 + 1));
            p = p * (1.0 - 0.001) - 0.01 * m / (v.sqrt() + 1e-8);
        }
        assert!(
            (got[i] as f64 - p).abs() < 1e-6,
            "value {i}: {} not {p}",
            got[i]
        );
    }
}

fn product(a: &[f32], b: &[f32], n: usize, k: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            out[i * n + j] = (0..k)
                .map(|l| a[i * k + l] as f64 * b[j * k + l] as f64)
                .sum();
        }
    }
    out
}

#[test]
fn orthogonalized_matrices_have_singular_values_near_one() {
    for (rows, cols) in [(24, 24), (16, 64), (64, 16), (5, 7), (1, 9)] {
        let start = uniform(rows * cols, 3.0, 1);
        let x = same_everywhere(|| {
            let mut x = start.clone();
            optim::orthogonalize(&mut x, rows);
            x
        });
        // The Gram matrix of the short side has eigenvalues in [0.45, 1.5], so its
        // diagonal lies there too.
        let (short, long) = (rows.min(cols), rows.max(cols));
        let flat = if rows <= cols {
            x.clone()
        } else {
            (0..short * long)
                .map(|i| x[i % long * cols + i / long])
                .collect()
        };
        let gram = product(&flat, &flat, short, long);
        for i in 0..short {
            let d = gram[i * short + i];
            assert!((0.3..1.6).contains(&d), "{rows} x {cols}: diagonal {d}");
        }
        // The direction is kept: the inner product with the start is positive.
        let dot: f64 = x
            .iter()
            .zip(&start)
            .map(|(a, b)| *a as f64 * *b as f64)
            .sum();
        assert!(dot > 0.0);
    }
    let mut zero = vec![0.0; 12];
    optim::orthogonalize(&mut zero, 3);
    assert_eq!(zero, [0.0; 12]);
}

#[test]
fn orthogonalize_follows_the_quintic_in_f64() {
    let (rows, cols) = (6, 10);
    let start = uniform(rows * cols, 1.0, 3);
    let mut got = start.clone();
    optim::orthogonalize(&mut got, rows);
    let mut x: Vec<f64> = start.iter().map(|&x| x as f64).collect();
    let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    x.iter_mut().for_each(|x| *x /= norm);
    let times = |a: &[f64], b: &[f64], n: usize, k: usize, m: usize| {
        let mut c = vec![0.0; n * m];
        for i in 0..n {
            for j in 0..m {
                c[i * m + j] = (0..k).map(|l| a[i * k + l] * b[l * m + j]).sum();
            }
        }
        c
    };
    for _ in 0..5 {
        let mut xt = vec![0.0; rows * cols];
        for i in 0..rows {
            for j in 0..cols {
                xt[j * rows + i] = x[i * cols + j];
            }
        }
        let g = times(&x, &xt, rows, cols, rows);
        let gg = times(&g, &g, rows, rows, rows);
        let poly: Vec<f64> = g
            .iter()
            .zip(&gg)
            .map(|(g, gg)| -4.775 * g + 2.0315 * gg)
            .collect();
        let px = times(&poly, &x, rows, rows, cols);
        x = x.iter().zip(&px).map(|(x, px)| 3.4445 * x + px).collect();
    }
    for (g, w) in got.iter().zip(&x) {
        assert!((*g as f64 - w).abs() < 1e-5, "{g} not {w}");
    }
}

fn muon() -> Muon {
    Muon {
        learning_rate: 0.02,
        norm: 1.4,
        momentum: 0.95,
        nesterov: true,
        weight_decay: 0.1,
    }
}

#[test]
fn muon_treats_each_split_by_itself() {
    let muon = muon();
    let (rows, cols, split) = (16, 16, 3);
    let width = cols * split;
    let (start, grad) = (uniform(rows * width, 1.0, 1), uniform(rows * width, 1.0, 2));
    let together = same_everywhere(|| {
        let (mut p, mut m) = (start.clone(), vec![0.0; rows * width]);
        for _ in 0..3 {
            muon.step(0.7, &grad, &mut p, &mut m, rows, split);
        }
        p
    });
    for s in 0..split {
        let part = |x: &[f32]| {
            let rows = x.chunks(width);
            rows.flat_map(|r| r[s * cols..(s + 1) * cols].to_vec())
                .collect::<Vec<f32>>()
        };
        let (mut p, mut m) = (part(&start), vec![0.0; rows * cols]);
        for _ in 0..3 {
            muon.step(0.7, &part(&grad), &mut p, &mut m, rows, 1);
        }
        assert_bits(&p, &part(&together), "one part alone");
    }
    // All singular values are about 1.4 times the learning rate, which determines the
    // root mean square.
    let (mut p, mut m) = (vec![0.0; rows * width], vec![0.0; rows * width]);
    muon.step(1.0, &grad, &mut p, &mut m, rows, split);
    let rms = (optim::sum_squares(&p) / p.len() as f64).sqrt();
    let expected = 0.02 * 1.4 / (rows as f64).sqrt();
    assert!((0.75..1.25).contains(&(rms / expected)), "{rms}");
}

#[test]
fn normuon_follows_its_formula_in_f64() {
    let optimizer = NorMuon {
        muon: Muon {
            momentum: 0.0,
            weight_decay: 0.0,
            ..muon()
        },
        second_decay: 0.9,
    };
    for (rows, cols, split) in [(5, 33, 3), (20, 9, 1), (8, 16, 2)] {
        let len = rows * cols;
        let mut want_second = vec![0.0_f64; cols];
        let (mut momentum, mut second) = (vec![0.0; len], vec![0.0; cols]);
        for step in 0..3 {
            let mut grad = uniform(len, 1.0, step);
            // Outputs of very different gradients, one of them without any.
            for (i, g) in grad.iter_mut().enumerate() {
                *g *= [1.0, 0.01, 0.0, 3.0][i % cols % 4];
            }
            let mut got = vec![0.0; len];
            optimizer.step(
                1.0,
                &grad,
                &mut got,
                &mut momentum,
                &mut second,
                rows,
                split,
            );
            // Muon's update of a parameter that is zero.
            let (mut update, mut none) = (vec![0.0; len], vec![0.0; len]);
            optimizer
                .muon
                .step(1.0, &grad, &mut update, &mut none, rows, split);
            let width = cols / split;
            let (short, long) = (rows.min(width) as f64, rows.max(width) as f64);
            let scale = -0.02 * 1.4 * (long / short).sqrt();
            for s in 0..split {
                let columns = s * width..(s + 1) * width;
                let o = |i: usize, j: usize| f64::from(update[i * cols + j]) / scale;
                let (mut before, mut after) = (0.0, 0.0);
                for j in columns.clone() {
                    let squares: f64 = (0..rows).map(|i| o(i, j).powi(2)).sum();
                    want_second[j] = 0.9 * want_second[j] + 0.1 * squares / rows as f64;
                    before += squares;
                    after += squares / (want_second[j].sqrt() + 1e-10).powi(2);
                }
                for i in 0..rows {
                    for j in columns.clone() {
                        let divided = o(i, j) / (want_second[j].sqrt() + 1e-10);
                        let want = scale * divided * (before / after).sqrt();
                        let got = f64::from(got[i * cols + j]);
                        assert!((got - want).abs() < 1e-6, "{got} not {want}");
                    }
                }
            }
        }
        for (got, want) in second.iter().zip(&want_second) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{got} not {want}");
        }
    }
}

#[test]
fn normuon_has_the_same_bits_everywhere_and_leaves_zeros() {
    let optimizer = NorMuon {
        muon: muon(),
        second_decay: 0.95,
    };
    let (rows, cols, split) = (16, 57, 3);
    let (start, grad) = (uniform(rows * cols, 1.0, 1), uniform(rows * cols, 1.0, 2));
    same_everywhere(|| {
        let (mut p, mut m) = (start.clone(), vec![0.0; rows * cols]);
        let mut v = vec![0.0; cols];
        for _ in 0..3 {
            optimizer.step(0.7, &grad, &mut p, &mut m, &mut v, rows, split);
        }
        [p, v].concat()
    });
    let (mut p, mut m) = (vec![0.0; 12], vec![0.0; 12]);
    optimizer.step(1.0, &[0.0; 12], &mut p, &mut m, &mut [0.0; 4], 3, 1);
    assert_eq!(p, [0.0; 12]);
}

#[test]
fn norm_clipping_and_average() {
    let x = uniform(70_001, 1.0, 1);
    let want = x.iter().map(|&x| x as f64 * x as f64).sum::<f64>();
    let got = same_everywhere(|| {
        let norm = optim::global_norm([&x[..30_000], &x[30_000..]]);
        vec![norm as f32, (norm - norm as f32 as f64) as f32]
    });
    assert!((got[0] as f64 / want.sqrt() - 1.0).abs() < 1e-6);
    assert_eq!(optim::clip_factor(2.0, 1.0), 0.5);
    assert_eq!(optim::clip_factor(0.5, 1.0), 1.0);
    let mut average = [1.0, 2.0];
    optim::ema(0.75, &[3.0, 2.0], &mut average);
    assert_eq!(average, [1.5, 2.0]);
}
