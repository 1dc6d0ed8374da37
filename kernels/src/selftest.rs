//! Self-test: whether this CPU and this build compute the recorded bits.
//!
//! Every kernel runs on fixed inputs; the hash of its outputs is compared with the one
//! recorded here. A program can run it before it decodes an archive from another machine.
//!
//! ```
//! brevity_kernels::selftest::run()?;
//! # Ok::<(), brevity_kernels::selftest::Mismatch>(())
//! ```

use crate::activation::{self, Activation};
use crate::attention::{Attention, Saved};
use crate::embedding::Embedding;
use crate::gemm::{Epilogue, View};
use crate::optim::{AdamW, Muon, NorMuon, RmsProp};
use crate::{linear, loss, lstm, math, mixture, norm, optim, reduce};
use std::fmt;

/// A group of kernels whose results differ from the recorded ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The group of kernels.
    pub kernel: &'static str,
    /// The computed hash.
    pub got: u64,
    /// The recorded hash.
    pub want: u64,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "the self-test of `{}` gave {:016x} instead of {:016x}: this machine or this build \
             does not compute the same as others, and must not encode or decode",
            self.kernel, self.got, self.want
        )
    }
}

impl std::error::Error for Mismatch {}

/// A group: its name, its recorded hash, its computation.
type Group = (&'static str, u64, fn(&mut Hash));

const GROUPS: [Group; 11] = [
    ("math", 0x46f9_e082_a34e_cd59, elementary),
    ("linear", 0xb7c2_fb51_6fe0_5860, products),
    ("norm", 0xf652_20d1_b8d1_4f29, norms),
    ("activation", 0x843f_c147_7f70_9ca2, activations),
    ("loss", 0x6a9c_8be9_1127_8b42, losses),
    ("mixture", 0x92c4_10d6_56d0_eb92, mixtures),
    ("embedding", 0x3b11_302c_24b9_84d0, embeddings),
    ("attention", 0x7306_788a_f311_004d, attentions),
    ("optim", 0x60ea_f599_13df_dfba, optimizers),
    ("normuon", 0x3f81_c1ac_0a48_061c, normuon),
    ("lstm", 0x99b2_2801_9154_b9cd, cells),
];

/// Runs every group on the current instruction set, in some milliseconds. Returns the
/// hash of all recorded hashes, by which machines can be compared.
///
/// # Errors
/// The first group whose bits differ.
pub fn run() -> Result<u64, Mismatch> {
    let mut all = Hash(OFFSET);
    for (kernel, want, compute) in GROUPS {
        let mut hash = Hash(OFFSET);
        compute(&mut hash);
        if hash.0 != want {
            return Err(Mismatch {
                kernel,
                got: hash.0,
                want,
            });
        }
        all.bytes(&want.to_le_bytes());
    }
    Ok(all.0)
}

/// FNV-1a with 64 bits.
struct Hash(u64);

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl Hash {
    fn add(&mut self, values: &[f32]) {
        for value in values {
            self.bytes(&value.to_bits().to_le_bytes());
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
}

/// Values in [-1, 1) from a linear congruential generator.
fn values(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn bytes(len: usize, seed: u32) -> Vec<u8> {
    let to_byte = |x: f32| ((x + 1.0) * 128.0) as u8;
    values(len, seed).into_iter().map(to_byte).collect()
}

fn elementary(hash: &mut Hash) {
    let functions = [
        math::exp_f32,
        math::exp_negative_f32,
        math::ln_f32,
        math::sigmoid_f32,
        math::tanh_f32,
        math::erf_f32,
    ];
    for x in values(500, 1) {
        for f in functions {
            // The logarithm of a negative number is NaN, and the bits of NaN may differ.
            let y = f(x * 20.0);
            hash.add(&[if y.is_nan() { 0.0 } else { y }]);
        }
    }
    for phase in (0..=u16::MAX).step_by(257) {
        let (sin, cos) = math::sin_cos_phase(phase);
        hash.add(&[sin, cos]);
    }
}

fn products(hash: &mut Hash) {
    for (rows, inputs, outputs) in [(1, 40, 100), (50, 300, 24), (2100, 20, 40)] {
        let (x, w) = (values(rows * inputs, 1), values(inputs * outputs, 2));
        let (dy, bias) = (values(rows * outputs, 3), values(outputs, 4));
        let weight = View::new(&w, inputs, outputs);
        let mut y = vec![0.0; dy.len()];
        let epilogue = Epilogue {
            bias: Some(&bias),
            activation: Some(Activation::Relu2),
            residual: Some(&dy),
            ..Epilogue::default()
        };
        linear::forward(&x, weight, &mut y, epilogue);
        let (mut dx, mut dw) = (x.clone(), w.clone());
        linear::backward_input(&dy, weight, &mut dx, true, Epilogue::default());
        linear::backward_weight(&x, &dy, inputs, outputs, &mut dw, false);
        let mut db = vec![0.0; outputs];
        linear::backward_bias(&dy, &mut db, false);
        [y, dx, dw, db].iter().for_each(|v| hash.add(v));
    }
}

fn norms(hash: &mut Hash) {
    let (rows, width) = (300, 20);
    let (x, dy) = (values(rows * width, 1), values(rows * width, 2));
    let (gain, bias) = (values(width, 3), values(width, 4));
    let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    let (mut mean, mut inverse) = (vec![0.0; rows], vec![0.0; rows]);
    let (mut dgain, mut dbias) = (vec![0.0; width], vec![0.0; width]);
    let part = reduce::part_rows(rows, 1);
    let mut dgains = vec![0.0; rows.div_ceil(part) * width];
    let mut dbiases = dgains.clone();
    norm::rms_norm(&x, &gain, 1e-6, &mut y, Some(&mut inverse));
    norm::rms_norm_backward(&x, &gain, &inverse, &dy, &mut dx, false, part, &mut dgains);
    reduce::add_parts(&dgains, &mut dgain, false);
    [&y, &dx, &dgain].iter().for_each(|v| hash.add(v));
    let saved = Some((&mut mean[..], &mut inverse[..]));
    norm::layer_norm(&x, &gain, &bias, 1e-5, &mut y, saved);
    norm::layer_norm_backward(
        &x,
        &gain,
        &mean,
        &inverse,
        &dy,
        &mut dx,
        true,
        part,
        &mut dgains,
        &mut dbiases,
    );
    reduce::add_parts(&dgains, &mut dgain, false);
    reduce::add_parts(&dbiases, &mut dbias, false);
    [&y, &dx, &dgain, &dbias].iter().for_each(|v| hash.add(v));
}

fn activations(hash: &mut Hash) {
    let (rows, hidden) = (30, 9);
    let x: Vec<f32> = values(rows * 2 * hidden, 1)
        .iter()
        .map(|x| x * 5.0)
        .collect();
    let dy = values(x.len(), 2);
    let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    for f in [Activation::Gelu, Activation::GeluErf, Activation::Relu2] {
        activation::forward(f, &x, &mut y);
        activation::backward(f, if f.needs_input() { &x } else { &y }, &dy, &mut dx);
        [&y, &dx].iter().for_each(|v| hash.add(v));
    }
    let half = rows * hidden;
    activation::swiglu(&x, hidden, &mut y[..half]);
    activation::swiglu_backward(&x, hidden, &dy[..half], &mut dx);
    [&y, &dx].iter().for_each(|v| hash.add(v));
}

fn losses(hash: &mut Hash) {
    let rows = 9;
    let logits: Vec<f32> = values(rows * loss::CLASSES, 1)
        .iter()
        .map(|x| x * 30.0)
        .collect();
    let (mut nats, mut grad) = (vec![0.0; rows], vec![0.0; logits.len()]);
    loss::cross_entropy_with_gradient(&logits, &bytes(rows, 2), 0.1, &mut nats, &mut grad);
    hash.add(&nats);
    hash.add(&grad);
}

fn mixtures(hash: &mut Hash) {
    let rows = 9;
    let scaled = |len, seed, factor| -> Vec<f32> {
        let values = values(len, seed).into_iter();
        values.map(|x| x * factor).collect()
    };
    let mut logits = scaled(rows * loss::CLASSES, 1, 12.0);
    let (mut nats, mut dgates) = (vec![0.0; rows], vec![0.0; rows * mixture::GATES]);
    let beside = mixture::Beside {
        targets: &bytes(rows, 2),
        logits: &scaled(rows * mixture::BITS, 3, 9.0),
        gates: &values(mixture::GATES, 4),
    };
    mixture::mixture_in_place(&mut logits, beside, 0.1, &mut nats, &mut dgates);
    [&nats, &logits, &dgates].iter().for_each(|v| hash.add(v));
}

fn embeddings(hash: &mut Hash) {
    let (width, length, before) = (12, 10, 2);
    let (table, tokens) = (values(256 * width, 1), bytes(4 * (before + length), 2));
    let (positions, taps) = (values(length * width, 3), values(3 * width, 4));
    let embedding = Embedding {
        table: &table,
        width,
        scale: 2.5,
        taps: &taps,
        distances: &[1, 2, 3],
        length,
        before,
    };
    let mut y = vec![0.0; 4 * length * width];
    let (mut dtable, mut dtaps) = (vec![0.0; table.len()], vec![0.0; taps.len()]);
    embedding.forward(&tokens, Some(&positions), &mut y);
    embedding.backward(&tokens, &y, &mut dtable, &mut dtaps);
    hash.add(&y);
    hash.add(&dtable);
    hash.add(&dtaps);
}

fn attentions(hash: &mut Hash) {
    let (batch, time) = (2, 37);
    for (gain, window) in [(None, None), (Some([1.5, -0.5]), Some(20))] {
        let attention = Attention {
            heads: 2,
            head_dim: 12,
            rope: gain.is_some(),
            window,
        };
        let qkv = values(batch * time * 3 * attention.width(), 1);
        let gain = gain.as_ref().map(|g| &g[..]);
        let mut out = vec![0.0; qkv.len() / 3];
        let mut stats = vec![0.0; attention.stats_len(batch, time)];
        attention.forward(time, &qkv, gain, &mut out, Some(&mut stats));
        let saved = Saved {
            qkv: &qkv,
            gain,
            out: &out,
            stats: &stats,
        };
        let (dout, mut dqkv) = (values(out.len(), 2), vec![0.0; qkv.len()]);
        let (mut dgain, mut dgains) = ([0.0; 2], [0.0; 4]);
        let apart = gain.map(|_| &mut dgains[..]);
        attention.backward(time, saved, &dout, &mut dqkv, apart);
        reduce::add_parts(&dgains, &mut dgain, true);
        hash.add(&out);
        hash.add(&dqkv);
        hash.add(&dgain);
    }
}

fn optimizers(hash: &mut Hash) {
    let (rows, len) = (12, 12 * 24);
    let (mut p, grad) = (values(len, 1), values(len, 2));
    let (mut m, mut v) = (vec![0.0; len], vec![0.0; len]);
    let adamw = AdamW {
        learning_rate: 0.01,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        weight_decay: 0.1,
    };
    let muon = muon();
    let norm = optim::global_norm([&grad[..]]);
    for step in 1..=3 {
        adamw.step(
            step,
            optim::clip_factor(norm, 1.0),
            &grad,
            &mut p,
            &mut m,
            &mut v,
        );
        muon.step(1.0, &grad, &mut p, &mut m, rows, 3);
    }
    let mut average = values(len, 3);
    optim::ema(0.9, &p, &mut average);
    [&p, &m, &v, &average].iter().for_each(|v| hash.add(v));
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

fn normuon(hash: &mut Hash) {
    // Columns beyond a whole vector, wide and narrow.
    for (rows, cols, split) in [(12, 33, 3), (20, 9, 1)] {
        let len = rows * cols;
        let (mut p, grad) = (values(len, 1), values(len, 2));
        let (mut m, mut v) = (vec![0.0; len], vec![0.0; cols]);
        let optimizer = NorMuon {
            muon: muon(),
            second_decay: 0.95,
        };
        for _ in 0..3 {
            optimizer.step(1.0, &grad, &mut p, &mut m, &mut v, rows, split);
        }
        [&p, &m, &v].iter().for_each(|v| hash.add(v));
    }
}

/// A step of LSTM cells and back, and what an optimizer makes of the gradients.
fn cells(hash: &mut Hash) {
    const N: usize = 24;
    const WIDE: usize = lstm::GATES * N;
    let [mut z, mut scale, mut shift] = [1, 2, 3].map(|seed| values(WIDE, seed));
    let before = values(N, 4);
    let mut gates = vec![0.0; WIDE];
    let [mut after, mut squashed, mut hidden] = [(); 3].map(|()| vec![0.0; N]);
    let out = lstm::Output {
        gates: &mut gates,
        after: &mut after,
        squashed: &mut squashed,
        hidden: &mut hidden,
    };
    let inverse = lstm::forward(&mut z, &scale, &shift, &before, out);
    let saved = lstm::Saved {
        normed: &z,
        inverse,
        gates: &gates,
        before: &before,
        squashed: &squashed,
    };
    let (mut dstate, mut dz) = (values(N, 5), vec![0.0; WIDE]);
    let (mut dscale, mut dshift) = (values(WIDE, 6), values(WIDE, 7));
    let sums = (&mut dscale[..], &mut dshift[..]);
    lstm::backward(saved, &scale, &hidden, &mut dstate, &mut dz, sums);
    let rms = RmsProp {
        learning_rate: 0.01,
        beta2: 0.999,
        epsilon: 1e-4,
    };
    let mut squares = vec![0.0; WIDE];
    for step in 1..=3 {
        rms.step(step, &dscale, &mut scale, &mut squares);
    }
    let mut square = 0.0;
    for step in 1..=3 {
        rms.step_row(step, &dshift, &mut shift, &mut square);
    }
    let weights = values(N * WIDE, 8);
    let (mut forward, mut back) = (values(WIDE, 9), values(N, 10));
    linear::forward_row(&hidden, &weights, &mut forward);
    // A multiple of sixteen outputs.
    let outputs = WIDE / 16 * 16;
    linear::backward_row(&dz[..outputs], &weights[..N * outputs], &mut back);
    hash.add(&forward);
    hash.add(&back);
    let all = [&z, &gates, &after, &hidden, &dstate, &dz, &dscale, &dshift];
    all.iter().for_each(|v| hash.add(v));
    hash.add(&scale);
    hash.add(&shift);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_computes_the_recorded_bits() {
        let hashes = GROUPS.map(|(name, want, compute)| {
            let mut hash = Hash(OFFSET);
            compute(&mut hash);
            (name, format!("{:#018x}", hash.0), hash.0 == want)
        });
        assert!(hashes.iter().all(|h| h.2), "{hashes:#?}");
        assert!(run().is_ok());
    }
}
