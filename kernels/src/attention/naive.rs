//! The definition of attention in plain scalar loops.
//!
//! Slow and simple: the fast passes are tested against it bit for bit. It has the
//! order of operations that [`attention`](super) documents.

use super::exp2::exp2_scalar;
use super::{Attention, NORM_EPS, Saved};
use crate::rope;

/// A query or key after QK-norm and RoPE.
struct Row {
    /// The row, not yet scaled.
    unit: Vec<f32>,
    /// The inverse root mean square of the raw row; 1 without QK-norm.
    inverse_rms: f32,
}

fn chain(a: &[f32], b: &[f32]) -> f32 {
    let mut acc = a[0] * b[0];
    for (x, y) in a[1..].iter().zip(&b[1..]) {
        acc = x.mul_add(*y, acc);
    }
    acc
}

fn rotate(x: &mut [f32], position: u64, back: bool) {
    let half = x.len() / 2;
    for (i, k) in rope::steps(x.len()).into_iter().enumerate() {
        let (c, s) = rope::cos_sin(position, k);
        let s = if back { 0.0 - s } else { s };
        let (a, b) = (x[i], x[i + half]);
        x[i] = b.mul_add(0.0 - s, a * c);
        x[i + half] = a.mul_add(s, b * c);
    }
}

fn prepare(a: &Attention, x: &[f32], position: u64, norm: bool) -> Row {
    let mut unit = x.to_vec();
    let mut inverse_rms = 1.0;
    if norm {
        let mean = chain(x, x) * (1.0 / x.len() as f32);
        inverse_rms = 1.0 / (mean + NORM_EPS).sqrt();
        unit.iter_mut().for_each(|u| *u *= inverse_rms);
    }
    if a.rope {
        rotate(&mut unit, position, false);
    }
    Row { unit, inverse_rms }
}

/// The gradient of a raw row from that of the row after QK-norm and RoPE.
fn prepare_backward(
    a: &Attention,
    row: &Row,
    mut grad: Vec<f32>,
    position: u64,
    norm: bool,
) -> Vec<f32> {
    if norm {
        // A rotation preserves inner products, so it can be undone afterwards.
        let mean = chain(&row.unit, &grad) * (1.0 / grad.len() as f32);
        for (g, u) in grad.iter_mut().zip(&row.unit) {
            *g = u.mul_add(0.0 - mean, *g) * row.inverse_rms;
        }
    }
    if a.rope {
        rotate(&mut grad, position, true);
    }
    grad
}

/// The sum of eight partial sums, in a fixed order.
pub(super) fn tree(l: [f32; 8]) -> f32 {
    ((l[0] + l[1]) + (l[2] + l[3])) + ((l[4] + l[5]) + (l[6] + l[7]))
}

/// The rows of one head of one sequence; queries and keys after QK-norm and RoPE.
struct Head {
    q: Vec<Row>,
    /// `q` times [`Attention::factor`].
    scaled: Vec<Vec<f32>>,
    k: Vec<Row>,
    v: Vec<Vec<f32>>,
}

impl Head {
    fn new(a: &Attention, qkv: &[f32], h: usize, gain: Option<&[f32]>, start: u64) -> Head {
        let (d, dh) = (a.width(), a.head_dim);
        let factor = a.factor(gain.map(|g| g[h]));
        let rows = |part: usize| {
            qkv.chunks_exact(3 * d)
                .map(move |r| &r[part * d + h * dh..][..dh])
                .enumerate()
        };
        let prepared = |part| {
            rows(part)
                .map(|(t, x)| prepare(a, x, start + t as u64, gain.is_some()))
                .collect::<Vec<_>>()
        };
        let q = prepared(0);
        Head {
            scaled: q
                .iter()
                .map(|r| r.unit.iter().map(|u| u * factor).collect())
                .collect(),
            q,
            k: prepared(1),
            v: rows(2).map(|(_, x)| x.to_vec()).collect(),
        }
    }

    /// The indices of the keys that query `i` sees.
    fn keys(a: &Attention, i: usize) -> std::ops::RangeInclusive<usize> {
        (i + 1).saturating_sub(a.window.unwrap_or(usize::MAX))..=i
    }
}

/// [`Attention::forward`] for sequences whose first position is `start`.
pub fn forward(
    a: &Attention,
    start: u64,
    seq_len: usize,
    qkv: &[f32],
    gain: Option<&[f32]>,
    out: &mut [f32],
    mut stats: Option<&mut [f32]>,
) {
    let (d, dh) = (a.width(), a.head_dim);
    for (b, qkv) in qkv.chunks_exact(seq_len * 3 * d).enumerate() {
        for h in 0..a.heads {
            let head = Head::new(a, qkv, h, gain, start);
            for i in 0..seq_len {
                let scores: Vec<f32> = Head::keys(a, i)
                    .map(|j| chain(&head.scaled[i], &head.k[j].unit))
                    .collect();
                let mut max = f32::NEG_INFINITY;
                for &s in &scores {
                    max = if max > s { max } else { s };
                }
                let mut sums = [0.0; 8];
                let mut acc = vec![0.0f32; dh];
                for (j, s) in Head::keys(a, i).zip(scores) {
                    let p = exp2_scalar(s - max);
                    sums[((start + j as u64) % 8) as usize] += p;
                    for (o, v) in acc.iter_mut().zip(&head.v[j]) {
                        *o = p.mul_add(*v, *o);
                    }
                }
                let inverse = 1.0 / tree(sums);
                for (o, x) in out[(b * seq_len + i) * d + h * dh..][..dh]
                    .iter_mut()
                    .zip(acc)
                {
                    *o = x * inverse;
                }
                if let Some(stats) = stats.as_deref_mut() {
                    let stats = &mut stats[(b * a.heads + h) * 2 * seq_len..];
                    stats[i] = max;
                    stats[seq_len + i] = inverse;
                }
            }
        }
    }
}

/// [`Attention::backward`].
pub fn backward(
    a: &Attention,
    seq_len: usize,
    saved: Saved,
    dout: &[f32],
    dqkv: &mut [f32],
    dgain: Option<&mut [f32]>,
) {
    let (d, dh) = (a.width(), a.head_dim);
    let norm = saved.gain.is_some();
    let batch = saved.out.len() / (seq_len * d);
    let inverse_root = a.inverse_root();
    let mut dgains = vec![0.0; batch * a.heads];
    for b in 0..batch {
        let qkv = &saved.qkv[b * seq_len * 3 * d..][..seq_len * 3 * d];
        for h in 0..a.heads {
            let head = Head::new(a, qkv, h, saved.gain, 0);
            let stats = &saved.stats[(b * a.heads + h) * 2 * seq_len..];
            let mut dk = vec![vec![0.0f32; dh]; seq_len];
            let mut dv = vec![vec![0.0f32; dh]; seq_len];
            let mut gain_sums = [0.0; 8];
            for i in 0..seq_len {
                let (max, inverse) = (stats[i], stats[seq_len + i]);
                let at = (b * seq_len + i) * d + h * dh;
                let dout: Vec<f32> = dout[at..][..dh].iter().map(|x| x * inverse).collect();
                let mean = chain(&dout, &saved.out[at..][..dh]);
                let mut dq = vec![0.0f32; dh];
                for j in Head::keys(a, i) {
                    let e = exp2_scalar(chain(&head.scaled[i], &head.k[j].unit) - max);
                    let ds = e * (chain(&dout, &head.v[j]) - mean);
                    for c in 0..dh {
                        dq[c] = ds.mul_add(head.k[j].unit[c], dq[c]);
                        dk[j][c] = ds.mul_add(head.scaled[i][c], dk[j][c]);
                        dv[j][c] = e.mul_add(dout[c], dv[j][c]);
                    }
                }
                if norm {
                    gain_sums[i % 8] += chain(&head.q[i].unit, &dq);
                }
                let scale = saved.gain.map_or(1.0, |g| g[h]) * inverse_root;
                dq.iter_mut().for_each(|x| *x *= scale);
                let dq = prepare_backward(a, &head.q[i], dq, i as u64, norm);
                dqkv[(b * seq_len + i) * 3 * d + h * dh..][..dh].copy_from_slice(&dq);
            }
            for (j, (mut dk, dv)) in dk.into_iter().zip(dv).enumerate() {
                dk.iter_mut().for_each(|x| *x *= std::f32::consts::LN_2);
                let dk = prepare_backward(a, &head.k[j], dk, j as u64, norm);
                let row = &mut dqkv[(b * seq_len + j) * 3 * d..][..3 * d];
                row[d + h * dh..][..dh].copy_from_slice(&dk);
                row[2 * d + h * dh..][..dh].copy_from_slice(&dv);
            }
            dgains[b * a.heads + h] = tree(gain_sums) * inverse_root;
        }
    }
    if let Some(dgain) = dgain {
        dgain.copy_from_slice(&dgains);
    }
}
