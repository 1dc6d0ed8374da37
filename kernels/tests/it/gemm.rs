//! Matrix products against the three loops of `naive`, to the bit.

use crate::support::{assert_bits, everywhere, values};
use brevity_kernels::activation::{self, Activation};
use brevity_kernels::gemm::{Epilogue, Packed, View, ViewMut, gemm, naive};
use brevity_kernels::linear;
use proptest::prelude::*;

/// Shapes around every border: of tiles, panels, and blocks of steps and rows.
const SHAPES: &[(usize, usize, usize)] = &[
    (1, 1, 1),
    (1, 64, 256),
    (2, 3, 5),
    (3, 16, 33),
    (4, 8, 8),
    (5, 17, 9),
    (6, 16, 16),
    (7, 31, 40),
    (12, 255, 15),
    (13, 256, 24),
    (48, 257, 64),
    (64, 64, 192),
    (97, 20, 100),
    (100, 600, 50),
    (193, 48, 16),
    (5, 0, 4),
    (0, 3, 4),
];

fn check(m: usize, k: usize, n: usize, ta: bool, tb: bool, accumulate: bool, seed: u64) {
    let (a, b) = (values(m * k, seed), values(k * n, seed + 1));
    let c = values(m * n, seed + 2);
    let a = if ta {
        View::new(&a, k, m).t()
    } else {
        View::new(&a, m, k)
    };
    let b = if tb {
        View::new(&b, n, k).t()
    } else {
        View::new(&b, k, n)
    };
    let mut want = c.clone();
    naive(a, b, ViewMut::new(&mut want, m, n), accumulate);
    everywhere(|| {
        let mut got = c.clone();
        gemm(
            a,
            b,
            ViewMut::new(&mut got, m, n),
            accumulate,
            Epilogue::default(),
        );
        assert_bits(&got, &want, &format!("{m} {k} {n} {ta} {tb} {accumulate}"));
        let mut got = c.clone();
        let packed = Packed::new(b);
        gemm(
            a,
            &packed,
            ViewMut::new(&mut got, m, n),
            accumulate,
            Epilogue::default(),
        );
        assert_bits(
            &got,
            &want,
            &format!("{m} {k} {n} {ta} {tb} {accumulate} packed"),
        );
    });
}

#[test]
fn every_case_matches_the_three_loops() {
    for (i, &(m, k, n)) in SHAPES.iter().enumerate() {
        for case in 0..8 {
            check(m, k, n, case & 1 > 0, case & 2 > 0, case & 4 > 0, i as u64);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn random_shapes_match_the_three_loops(
        m in 1usize..80, k in 1usize..300, n in 1usize..90, case in 0..8u8, seed: u64,
    ) {
        check(m, k, n, case & 1 > 0, case & 2 > 0, case & 4 > 0, seed);
    }
}

#[test]
fn threads_do_not_change_large_products() {
    for (m, k, n) in [(300, 64, 60), (40, 256, 300), (26, 1030, 280)] {
        check(m, k, n, false, true, false, 7);
        check(m, k, n, true, false, true, 8);
    }
    // Each task packs its part of a right operand this large.
    check(25, 1050, 504, false, true, false, 9);
}

#[test]
fn strides_leave_the_rest_alone() {
    let (m, k, n) = (11, 21, 19);
    let (a, b) = (values(m * 30, 1), values(k * 25, 2));
    let a = View::strided(&a[3..], m, k, 30);
    let b = View::strided(&b[2..], k, n, 25);
    let c = values(m * 40, 3);
    let mut want = c.clone();
    naive(a, b, ViewMut::strided(&mut want[5..], m, n, 40), true);
    everywhere(|| {
        let mut got = c.clone();
        let view = ViewMut::strided(&mut got[5..], m, n, 40);
        gemm(a, b, view, true, Epilogue::default());
        assert_bits(&got, &want, "strided");
    });
}

#[test]
fn a_row_does_not_depend_on_the_others() {
    let (m, k, n) = (131, 70, 50);
    let (a, b) = (values(m * k, 1), values(k * n, 2));
    let b = View::new(&b, k, n);
    let mut all = vec![0.0; m * n];
    gemm(
        View::new(&a, m, k),
        b,
        ViewMut::new(&mut all, m, n),
        false,
        Epilogue::default(),
    );
    let mut first = 0;
    for rows in [1, 2, 3, 4, 5, 6, 7, 13, 90] {
        let a = View::new(&a[first * k..(first + rows) * k], rows, k);
        let mut part = vec![0.0; rows * n];
        gemm(
            a,
            b,
            ViewMut::new(&mut part, rows, n),
            false,
            Epilogue::default(),
        );
        assert_bits(&part, &all[first * n..(first + rows) * n], "rows alone");
        first += rows;
    }
}

#[test]
fn the_epilogue_does_what_separate_passes_do() {
    for (m, k, n) in [(9, 5, 21), (130, 300, 72)] {
        let (a, b) = (values(m * k, 1), values(k * n, 2));
        let (bias, residual) = (values(n, 3), values(m * n, 4));
        for f in [Activation::Gelu, Activation::GeluErf, Activation::Relu2] {
            let mut pre = vec![0.0; m * n];
            naive(
                View::new(&a, m, k),
                View::new(&b, k, n),
                ViewMut::new(&mut pre, m, n),
                false,
            );
            for (i, x) in pre.iter_mut().enumerate() {
                *x += bias[i % n];
            }
            let mut want = vec![0.0; m * n];
            activation::forward(f, &pre, &mut want);
            for (x, r) in want.iter_mut().zip(&residual) {
                *x += r;
            }
            everywhere(|| {
                let (mut y, mut kept) = (vec![0.0; m * n], vec![0.0; m * n]);
                let epilogue = Epilogue {
                    bias: Some(&bias),
                    pre_activation: Some(&mut kept),
                    activation: Some(f),
                    residual: Some(&residual),
                    ..Epilogue::default()
                };
                linear::forward(&a, View::new(&b, k, n), &mut y, epilogue);
                assert_bits(&y, &want, "epilogue");
                assert_bits(&kept, &pre, "kept input");
            });
            // Backward: dx = (dy W^T) f'(saved), with dy = a, W^T = b.
            let saved: Vec<f32> = values(m * n, 5).iter().map(|x| x.abs()).collect();
            let mut plain = vec![0.0; m * n];
            naive(
                View::new(&a, m, k),
                View::new(&b, k, n),
                ViewMut::new(&mut plain, m, n),
                false,
            );
            let mut want = vec![0.0; m * n];
            activation::backward(f, &saved, &plain, &mut want);
            everywhere(|| {
                let mut dx = vec![0.0; m * n];
                let epilogue = Epilogue {
                    derivative: Some((f, &saved)),
                    ..Epilogue::default()
                };
                linear::backward_input(&a, View::new(&b, k, n).t(), &mut dx, false, epilogue);
                assert_bits(&dx, &want, "derivative");
            });
        }
    }
}

#[test]
fn weight_gradients_match_their_definition() {
    // The shapes from the third on have just enough work for several threads, because an
    // emulator is slow. They cover several parts of a narrow matrix, of a matrix read in
    // place, and of a packed matrix; and two blocks of columns and of steps.
    for (rows, inputs, outputs) in [
        (1, 1, 1),
        (50, 16, 48),
        (2050, 20, 26),
        (3080, 38, 9),
        (2050, 37, 66),
        (300, 40, 264),
    ] {
        let (x, dy) = (values(rows * inputs, 1), values(rows * outputs, 2));
        for accumulate in [false, true] {
            let start = values(inputs * outputs, 3);
            let mut want = start.clone();
            linear::naive_backward_weight(&x, &dy, inputs, outputs, &mut want, accumulate);
            everywhere(|| {
                let mut got = start.clone();
                linear::backward_weight(&x, &dy, inputs, outputs, &mut got, accumulate);
                assert_bits(
                    &got,
                    &want,
                    &format!("{rows} {inputs} {outputs} {accumulate}"),
                );
            });
        }
    }
}

#[test]
fn nan_infinity_and_subnormals_follow_the_chain() {
    let (m, k, n) = (7, 9, 17);
    let (mut a, b) = (values(m * k, 1), values(k * n, 2));
    a[3] = f32::INFINITY;
    a[k + 2] = f32::NAN;
    for x in &mut a[2 * k..4 * k] {
        *x *= 1e-41;
    }
    let (a, b) = (View::new(&a, m, k), View::new(&b, k, n));
    let mut want = vec![0.0; m * n];
    naive(a, b, ViewMut::new(&mut want, m, n), false);
    everywhere(|| {
        let mut got = vec![0.0; m * n];
        gemm(
            a,
            b,
            ViewMut::new(&mut got, m, n),
            false,
            Epilogue::default(),
        );
        assert_bits(&got, &want, "specials");
    });
}
