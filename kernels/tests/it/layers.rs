//! Norms, activations, loss and embedding: values against plain `f64` code, gradients
//! against its finite differences, and equal bits on every instruction set.

use crate::support::{
    assert_bits, bytes, close, differences, everywhere, same_everywhere, uniform, values, wide,
};
use brevity_kernels::activation::{self, Activation};
use brevity_kernels::embedding::{self, Embedding};
use brevity_kernels::gemm::{self, View, ViewMut};
use brevity_kernels::{linear, loss, norm, reduce};

fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..120 {
        term *= -x * x / n as f64;
        sum += term / (2 * n + 1) as f64;
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

fn activate(f: Activation, x: f64) -> f64 {
    let c = (2.0 / std::f64::consts::PI).sqrt();
    match f {
        Activation::Gelu => 0.5 * x * (1.0 + (c * (x + 0.044715 * x * x * x)).tanh()),
        Activation::GeluErf => 0.5 * x * (1.0 + erf(x / 2f64.sqrt())),
        Activation::Relu2 => x.max(0.0) * x.max(0.0),
    }
}

const ACTIVATIONS: [Activation; 3] = [Activation::Gelu, Activation::GeluErf, Activation::Relu2];

#[test]
fn activations_and_their_gradients() {
    let (x, dy) = (uniform(301, 4.0, 1), uniform(301, 1.0, 2));
    for f in ACTIVATIONS {
        let y = same_everywhere(|| {
            let mut y = vec![0.0; x.len()];
            activation::forward(f, &x, &mut y);
            y
        });
        let want: Vec<f64> = x.iter().map(|&x| activate(f, x as f64)).collect();
        close(&y, &want, 1e-6, &format!("{f:?}"));
        let saved = if f.needs_input() { &x } else { &y };
        let dx = same_everywhere(|| {
            let mut dx = vec![0.0; x.len()];
            activation::backward(f, saved, &dy, &mut dx);
            dx
        });
        let want: Vec<f64> = x
            .iter()
            .zip(&dy)
            .map(|(&x, &d)| {
                let (x, h) = (x as f64, 1e-5);
                d as f64 * (activate(f, x + h) - activate(f, x - h)) / (2.0 * h)
            })
            .collect();
        close(&dx, &want, 2e-6, &format!("{f:?} backward"));
    }
}

#[test]
fn activations_far_out() {
    for f in ACTIVATIONS {
        let x = [-1e30, -100.0, -20.0, 0.0, -0.0, 1e-40, 20.0, 1e15];
        let mut y = [1.0; 8];
        activation::forward(f, &x, &mut y);
        assert!(y[..5].iter().all(|&y| y.abs() < 1e-6), "{f:?} {y:?}");
        let top = if f == Activation::Relu2 { 400.0 } else { 20.0 };
        assert_eq!(y[6], top);
        let mut nan = [0.0];
        activation::forward(f, &[f32::NAN], &mut nan);
        assert!(nan[0].is_nan(), "{f:?}");
    }
}

#[test]
fn swiglu_and_its_gradient() {
    let (rows, hidden) = (5, 13);
    let (x, dy) = (
        uniform(rows * 2 * hidden, 3.0, 1),
        uniform(rows * hidden, 1.0, 2),
    );
    let forward = |x: &[f64]| {
        let rows = x.chunks(2 * hidden);
        let row = |r: &[f64]| {
            let (g, v) = r.split_at(hidden);
            g.iter()
                .zip(v)
                .map(|(g, v)| g / (1.0 + (-g).exp()) * v)
                .collect::<Vec<_>>()
        };
        rows.flat_map(row).collect::<Vec<_>>()
    };
    let y = same_everywhere(|| {
        let mut y = vec![0.0; dy.len()];
        activation::swiglu(&x, hidden, &mut y);
        y
    });
    close(&y, &forward(&wide(&x)), 1e-6, "swiglu");
    let dx = same_everywhere(|| {
        let mut dx = vec![0.0; x.len()];
        activation::swiglu_backward(&x, hidden, &dy, &mut dx);
        dx
    });
    close(&dx, &differences(&x, &dy, forward), 1e-6, "swiglu backward");
}

const EPS: f32 = 1e-5;

fn norm_f64(rms: bool, x: &[f64], gain: &[f64], bias: &[f64]) -> Vec<f64> {
    let n = gain.len() as f64;
    x.chunks(gain.len())
        .flat_map(|x| {
            let mean = if rms { 0.0 } else { x.iter().sum::<f64>() / n };
            let var = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            let r = 1.0 / (var + EPS as f64).sqrt();
            let out = x.iter().zip(gain.iter().zip(bias));
            out.map(|(x, (g, b))| (x - mean) * r * g + b)
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn norms_and_their_gradients() {
    for (rows, width) in [(3, 1), (4, 13), (9, 32), (600, 5)] {
        for rms in [true, false] {
            let x = uniform(rows * width, 2.0, 1);
            let dy = uniform(rows * width, 1.0, 2);
            let gain = uniform(width, 1.5, 3);
            let bias = if rms {
                vec![0.0; width]
            } else {
                uniform(width, 1.0, 4)
            };
            let (g, b) = (wide(&gain), wide(&bias));
            let zero = vec![0.0; width];
            // The concatenation of y, dx, dgain, dbias.
            let all = same_everywhere(|| {
                let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
                let (mut mean, mut inverse) = (vec![0.0; rows], vec![0.0; rows]);
                let (mut dgain, mut dbias) = (zero.clone(), zero.clone());
                let part = reduce::part_rows(rows, 1);
                let parts = rows.div_ceil(part);
                let mut dgains = vec![0.0; parts * width];
                let mut dbiases = dgains.clone();
                if rms {
                    norm::rms_norm(&x, &gain, EPS, &mut y, Some(&mut inverse));
                    norm::rms_norm_backward(
                        &x,
                        &gain,
                        &inverse,
                        &dy,
                        &mut dx,
                        false,
                        part,
                        &mut dgains,
                    );
                } else {
                    let saved = Some((&mut mean[..], &mut inverse[..]));
                    norm::layer_norm(&x, &gain, &bias, EPS, &mut y, saved);
                    norm::layer_norm_backward(
                        &x,
                        &gain,
                        &mean,
                        &inverse,
                        &dy,
                        &mut dx,
                        false,
                        part,
                        &mut dgains,
                        &mut dbiases,
                    );
                }
                reduce::add_parts(&dgains, &mut dgain, false);
                reduce::add_parts(&dbiases, &mut dbias, false);
                [y, dx, dgain, dbias].concat()
            });
            let what = format!("rms {rms} {rows} x {width}");
            let (y, rest) = all.split_at(x.len());
            let (dx, rest) = rest.split_at(x.len());
            let (dgain, dbias) = rest.split_at(width);
            close(y, &norm_f64(rms, &wide(&x), &g, &b), 2e-6, &what);
            if rows < 100 {
                let want = differences(&x, &dy, |x| norm_f64(rms, x, &g, &b));
                close(dx, &want, 3e-5, &format!("{what} dx"));
            }
            let want = differences(&gain, &dy, |g| norm_f64(rms, &wide(&x), g, &b));
            close(dgain, &want, 1e-5, &format!("{what} dgain"));
            if !rms {
                let want = differences(&bias, &dy, |b| norm_f64(rms, &wide(&x), &g, b));
                close(dbias, &want, 1e-5, &format!("{what} dbias"));
            }
        }
    }
}

#[test]
fn norm_gradients_accumulate() {
    let (rows, width) = (7, 24);
    let (x, dy, start) = (
        uniform(rows * width, 1.0, 1),
        uniform(rows * width, 1.0, 2),
        uniform(rows * width, 1.0, 3),
    );
    let gain = vec![1.0; width];
    let (mut y, mut inverse) = (vec![0.0; x.len()], vec![0.0; rows]);
    norm::rms_norm(&x, &gain, EPS, &mut y, Some(&mut inverse));
    let (mut alone, mut added, mut dgain) = (vec![0.0; x.len()], start.clone(), vec![0.0; width]);
    norm::rms_norm_backward(
        &x, &gain, &inverse, &dy, &mut alone, false, rows, &mut dgain,
    );
    norm::rms_norm_backward(&x, &gain, &inverse, &dy, &mut added, true, rows, &mut dgain);
    let want: Vec<f32> = start.iter().zip(&alone).map(|(a, b)| a + b).collect();
    assert_bits(&added, &want, "accumulated");
}

fn nats_f64(logits: &[f64], targets: &[u8]) -> Vec<f64> {
    let rows = logits.chunks(256).zip(targets);
    rows.map(|(x, &t)| {
        let top = x.iter().copied().fold(f64::MIN, f64::max);
        x.iter().map(|x| (x - top).exp()).sum::<f64>().ln() + top - x[t as usize]
    })
    .collect()
}

#[test]
fn cross_entropy_and_its_gradient() {
    let rows = 70;
    let (logits, targets) = (uniform(rows * 256, 8.0, 1), bytes(rows, 2));
    let scale = 0.37;
    let all = same_everywhere(|| {
        let (mut nats, mut grad) = (vec![0.0; rows], vec![0.0; logits.len()]);
        loss::cross_entropy_with_gradient(&logits, &targets, scale, &mut nats, &mut grad);
        let (mut place, mut again) = (logits.clone(), vec![0.0; rows]);
        loss::cross_entropy_in_place(&mut place, &targets, scale, &mut again);
        assert_bits(&place, &grad, "in place");
        assert_bits(&again, &nats, "in place");
        loss::cross_entropy(&logits, &targets, &mut again);
        assert_bits(&again, &nats, "without gradient");
        [nats, grad].concat()
    });
    let (nats, grad) = all.split_at(rows);
    close(nats, &nats_f64(&wide(&logits), &targets), 1e-6, "nats");
    let dy = vec![scale; 2];
    let want = differences(&logits[..512], &dy, |x| nats_f64(x, &targets[..2]));
    close(&grad[..512], &want, 1e-6, "cross entropy backward");
}

#[test]
fn cross_entropy_of_extreme_logits() {
    let mut logits = vec![-1e30f32; 512];
    logits[7] = 1e30;
    logits[256..].fill(-100.0);
    logits[256 + 9] = 5.0;
    let mut nats = [0.0; 2];
    loss::cross_entropy(&logits, &[7, 9], &mut nats);
    assert_eq!(nats, [0.0, 0.0]);
    loss::cross_entropy(&logits, &[0, 8], &mut nats);
    assert_eq!(nats, [2e30, 105.0]);
}

#[test]
fn embedding_gathers_and_scatters() {
    for (sequences, length, before, width, distances) in [
        (2, 5, 0, 5, &[][..]),
        (1, 1, 0, 3, &[1, 2, 3, 4]),
        (3, 7, 2, 8, &[1, 2, 3]),
        (10, 103, 0, 40, &[1, 2, 3, 4]),
        // The row of an image, and a distance beyond the sequence length.
        (2, 30, 0, 8, &[1, 11, 12, 13, 40]),
        (3, 7, 9, 16, &[2, 15]),
    ] {
        let taps = distances.len();
        let rows = sequences * length;
        let tokens = bytes(sequences * (before + length), 2);
        let (table, tap) = (values(256 * width, 1), values(taps * width, 6));
        let (place, dy) = (values(length * width, 3), values(rows * width, 4));
        let start = values(256 * width, 5);
        let (mut plain, mut placed) = (vec![0.0; rows * width], vec![0.0; rows * width]);
        let (mut dtable, mut dplace) = (start.clone(), vec![0.0f32; place.len()]);
        let mut dtaps = vec![0.0f32; tap.len()];
        for j in 0..width {
            for s in 0..sequences {
                let mut part = vec![0.0f32; taps];
                for t in 0..length {
                    let at = (s * length + t) * width + j;
                    let seen = &tokens[s * (before + length)..][..before + t + 1];
                    let entry = |back: usize| {
                        let token = seen.len().checked_sub(1 + back)?;
                        Some(usize::from(seen[token]) * width + j)
                    };
                    let own = entry(0).unwrap();
                    let mut sum = table[own];
                    dtable[own] = dy[at].mul_add(1.5, dtable[own]);
                    for (k, &distance) in distances.iter().enumerate() {
                        if let Some(from) = entry(distance) {
                            sum = tap[k * width + j].mul_add(table[from], sum);
                            let d = dy[at] * 1.5;
                            dtable[from] = d.mul_add(tap[k * width + j], dtable[from]);
                            part[k] = d.mul_add(table[from], part[k]);
                        }
                    }
                    plain[at] = sum * 1.5;
                    placed[at] = sum.mul_add(1.5, place[t * width + j]);
                    dplace[t * width + j] += dy[at];
                }
                for (k, part) in part.iter().enumerate() {
                    dtaps[k * width + j] += part;
                }
            }
        }
        everywhere(|| {
            let embedding = Embedding {
                table: &table,
                width,
                scale: 1.5,
                taps: &tap,
                distances,
                length,
                before,
            };
            let mut y = vec![0.0; rows * width];
            embedding.forward(&tokens, None, &mut y);
            assert_bits(&y, &plain, "embedding");
            embedding.forward(&tokens, Some(&place), &mut y);
            assert_bits(&y, &placed, "embedding with positions");
            let (mut d, mut t) = (start.clone(), vec![0.0; tap.len()]);
            embedding.backward(&tokens, &dy, &mut d, &mut t);
            assert_bits(&d, &dtable, "table gradient");
            assert_bits(&t, &dtaps, "tap gradient");
            let mut d = vec![0.0; place.len()];
            embedding::backward_positions(&dy, &mut d);
            assert_bits(&d, &dplace, "position gradient");
        });
    }
}

#[test]
fn sums_over_rows() {
    for (rows, cols) in [(0, 3), (1, 3), (255, 40), (2000, 13), (9000, 8)] {
        let x = uniform(rows * cols, 1.0, 1);
        let start = uniform(cols, 1.0, 2);
        let want: Vec<f64> = (0..cols)
            .map(|j| start[j] as f64 + (0..rows).map(|r| x[r * cols + j] as f64).sum::<f64>())
            .collect();
        let got = same_everywhere(|| {
            let mut out = start.clone();
            reduce::sum_rows(&x, &mut out, true);
            out
        });
        close(&got, &want, 1e-5, "sum of rows");
    }
}

#[test]
fn a_row_is_the_product_of_one_row() {
    everywhere(|| {
        for (inputs, outputs) in [(1, 1), (7, 5), (8, 16), (19, 40), (33, 24), (64, 48)] {
            let (x, w) = (values(inputs, 1), values(inputs * outputs, 2));
            let mut y = values(outputs, 3);
            let mut want = y.clone();
            gemm::naive(
                View::new(&x, 1, inputs),
                View::new(&w, inputs, outputs),
                ViewMut::new(&mut want, 1, outputs),
                true,
            );
            linear::forward_row(&x, &w, &mut y);
            assert_bits(&y, &want, "a row");
        }
    });
}

#[test]
fn a_row_goes_back_by_sixteen_chains() {
    everywhere(|| {
        for (inputs, outputs) in [(1, 16), (3, 48), (4, 32), (19, 64), (40, 96)] {
            let (dy, w) = (values(outputs, 1), values(inputs * outputs, 2));
            let mut dx = values(inputs, 3);
            let mut want = dx.clone();
            for (want, row) in want.iter_mut().zip(w.chunks(outputs)) {
                let mut c = [0.0_f32; 16];
                for (j, (w, dy)) in row.iter().zip(&dy).enumerate() {
                    c[j % 16] = dy.mul_add(*w, c[j % 16]);
                }
                let s: [f32; 8] = std::array::from_fn(|i| c[i] + c[i + 8]);
                *want += ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
            }
            linear::backward_row(&dy, &w, &mut dx);
            assert_bits(&dx, &want, "back");
        }
    });
}
