//! One step of a layer of LSTM cells (Hochreiter & Schmidhuber 1997), forward and
//! backward.
//!
//! The input gate is what the forget gate leaves ("coupled", Greff et al. 2017), and each
//! gate's inputs are divided by their root mean square (Zhang & Sennrich 2019). For `n`
//! cells, `z` is [3, n]: what the forget gates, the candidates and the output gates get
//! from the weights.
//!
//! ```text
//! a     = scale z / sqrt(mean(z^2) + 1e-5) + shift     for each of the three
//! gates = sigmoid(a0), tanh(a1), sigmoid(a2) = f, g, o
//! after = f before + (1 - f) g
//! h     = o tanh(after)
//! ```
//!
//! The squares are summed in eight chains of fused multiply-adds (value `j` goes to chain
//! `j mod 8`), added by the tree of [`crate::reduce`]. `n` is a multiple of eight.

use crate::math;
use crate::reduce;
use crate::simd::{Kernel, LANES, Simd, dispatch};

/// Number of gates: forget gate, candidate, output gate.
pub const GATES: usize = 3;

/// Added to the mean square.
const EPSILON: f32 = 1e-5;

/// What a forward step leaves for the backward step.
#[derive(Clone, Copy, Debug)]
pub struct Saved<'a> {
    /// The normalised inputs of the gates, [3, n].
    pub normed: &'a [f32],
    /// The reciprocals of the three root mean squares.
    pub inverse: [f32; GATES],
    /// The gates, [3, n].
    pub gates: &'a [f32],
    /// The states before the step, `[n]`.
    pub before: &'a [f32],
    /// `tanh` of the states after it, `[n]`.
    pub squashed: &'a [f32],
}

/// Where a forward step writes, each `[n]`, but [3, n] for the gates.
#[derive(Debug)]
pub struct Output<'a> {
    /// The gates.
    pub gates: &'a mut [f32],
    /// The states after the step.
    pub after: &'a mut [f32],
    /// `tanh` of them.
    pub squashed: &'a mut [f32],
    /// The output `h`.
    pub hidden: &'a mut [f32],
}

/// A forward step: replaces `z`, [3, n], by its normalised values, and returns the
/// reciprocals of the three root mean squares. `scale` and `shift` are [3, n], `before` is
/// `[n]`.
///
/// # Panics
/// If the lengths do not match, or `n` is not a multiple of eight.
#[track_caller]
pub fn forward(
    z: &mut [f32],
    scale: &[f32],
    shift: &[f32],
    before: &[f32],
    out: Output<'_>,
) -> [f32; GATES] {
    let n = before.len();
    check(n);
    let wide = [z.len(), scale.len(), shift.len(), out.gates.len()];
    let narrow = [out.after.len(), out.squashed.len(), out.hidden.len()];
    assert_eq!(wide, [GATES * n; 4], "three values for each cell");
    assert_eq!(narrow, [n; 3], "a value for each cell");
    dispatch(Forward {
        z,
        scale,
        shift,
        before,
        out,
    })
}

/// A backward step: from the gradient of `h`, `[n]`, and of the states after the step in
/// `dstate`, `[n]`, the gradients of `z`, [3, n], and, in `dstate`, of the states before.
/// The gradients of `scale` and `shift`, [3, n], are added to what is there.
///
/// # Panics
/// If the lengths do not match, or `n` is not a multiple of eight.
#[track_caller]
pub fn backward(
    saved: Saved<'_>,
    scale: &[f32],
    dhidden: &[f32],
    dstate: &mut [f32],
    dz: &mut [f32],
    (dscale, dshift): (&mut [f32], &mut [f32]),
) {
    let n = dhidden.len();
    check(n);
    let narrow = [saved.before.len(), saved.squashed.len(), dstate.len()];
    let wide = [saved.normed.len(), saved.gates.len(), scale.len(), dz.len()];
    assert_eq!(narrow, [n; 3], "a value for each cell");
    assert_eq!(wide, [GATES * n; 4], "three values for each cell");
    assert_eq!([dscale.len(), dshift.len()], [GATES * n; 2]);
    dispatch(Backward {
        saved,
        scale,
        dhidden,
        dstate,
        dz,
        dscale,
        dshift,
    });
}

#[track_caller]
fn check(n: usize) {
    assert!(n > 0 && n.is_multiple_of(LANES), "{n} cells");
}

struct Forward<'a> {
    z: &'a mut [f32],
    scale: &'a [f32],
    shift: &'a [f32],
    before: &'a [f32],
    out: Output<'a>,
}

impl Kernel for Forward<'_> {
    type Out = [f32; GATES];

    #[inline(always)]
    fn run<S: Simd>(self) -> [f32; GATES] {
        let n = self.before.len();
        let mut inverse = [0.0; GATES];
        for (gate, inverse) in inverse.iter_mut().enumerate() {
            let range = gate * n..(gate + 1) * n;
            let z = &mut self.z[range.clone()];
            let mut sum = S::splat(0.0);
            for z in z.chunks_exact(LANES) {
                let z = S::load(z);
                sum = S::mul_add(z, z, sum);
            }
            let mean = reduce::lanes::<S>(sum) / n as f32;
            *inverse = 1.0 / (mean + EPSILON).sqrt();
            let by = S::splat(*inverse);
            let weights = self.scale[range.clone()].chunks_exact(LANES);
            let weights = weights.zip(self.shift[range.clone()].chunks_exact(LANES));
            let out = self.out.gates[range].chunks_exact_mut(LANES);
            for ((z, (scale, shift)), out) in z.chunks_exact_mut(LANES).zip(weights).zip(out) {
                let normed = S::mul(S::load(z), by);
                S::store(normed, z);
                let a = S::mul_add(normed, S::load(scale), S::load(shift));
                let value = match gate {
                    1 => math::tanh::<S>(a),
                    _ => math::sigmoid::<S>(a),
                };
                S::store(value, out);
            }
        }
        let one = S::splat(1.0);
        for at in (0..n).step_by(LANES) {
            let gate = |gate: usize| S::load(&self.out.gates[gate * n + at..]);
            let (forget, candidate, output) = (gate(0), gate(1), gate(2));
            let new = S::mul(S::sub(one, forget), candidate);
            let after = S::mul_add(forget, S::load(&self.before[at..]), new);
            let squashed = math::tanh::<S>(after);
            S::store(after, &mut self.out.after[at..]);
            S::store(squashed, &mut self.out.squashed[at..]);
            S::store(S::mul(output, squashed), &mut self.out.hidden[at..]);
        }
        inverse
    }
}

struct Backward<'a> {
    saved: Saved<'a>,
    scale: &'a [f32],
    dhidden: &'a [f32],
    dstate: &'a mut [f32],
    dz: &'a mut [f32],
    dscale: &'a mut [f32],
    dshift: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let n = self.dhidden.len();
        let one = S::splat(1.0);
        // 1 - x^2 and x (1 - x): what tanh and sigmoid make of a gradient.
        let of_tanh = |y: S::F| S::sub(one, S::mul(y, y));
        let of_sigmoid = |y: S::F| S::mul(y, S::sub(one, y));
        for at in (0..n).step_by(LANES) {
            let gate = |gate: usize| S::load(&self.saved.gates[gate * n + at..]);
            let (forget, candidate, output) = (gate(0), gate(1), gate(2));
            let squashed = S::load(&self.saved.squashed[at..]);
            let before = S::load(&self.saved.before[at..]);
            let dhidden = S::load(&self.dhidden[at..]);
            let slope = S::mul(output, of_tanh(squashed));
            let dafter = S::mul_add(dhidden, slope, S::load(&self.dstate[at..]));
            let dforget = S::mul(dafter, S::sub(before, candidate));
            let dcandidate = S::mul(dafter, S::sub(one, forget));
            let doutput = S::mul(dhidden, squashed);
            S::store(S::mul(dafter, forget), &mut self.dstate[at..]);
            let das = [
                S::mul(dforget, of_sigmoid(forget)),
                S::mul(dcandidate, of_tanh(candidate)),
                S::mul(doutput, of_sigmoid(output)),
            ];
            for (gate, da) in das.into_iter().enumerate() {
                S::store(da, &mut self.dz[gate * n + at..]);
            }
        }
        for gate in 0..GATES {
            let range = gate * n..(gate + 1) * n;
            let normed = &self.saved.normed[range.clone()];
            let dz = &mut self.dz[range.clone()];
            let scale = &self.scale[range.clone()];
            let dscale = &mut self.dscale[range.clone()];
            let dshift = &mut self.dshift[range];
            let mut sum = S::splat(0.0);
            for at in (0..n).step_by(LANES) {
                let (da, normed) = (S::load(&dz[at..]), S::load(&normed[at..]));
                let dscaled = S::mul_add(da, normed, S::load(&dscale[at..]));
                S::store(dscaled, &mut dscale[at..]);
                S::store(S::add(S::load(&dshift[at..]), da), &mut dshift[at..]);
                let dnormed = S::mul(da, S::load(&scale[at..]));
                S::store(dnormed, &mut dz[at..]);
                sum = S::mul_add(dnormed, normed, sum);
            }
            // z / r, where r is the root mean square: its gradient has no part along z.
            let along = S::splat(-reduce::lanes::<S>(sum) / n as f32);
            let inverse = S::splat(self.saved.inverse[gate]);
            for at in (0..n).step_by(LANES) {
                let rest = S::mul_add(along, S::load(&normed[at..]), S::load(&dz[at..]));
                S::store(S::mul(rest, inverse), &mut dz[at..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{InstructionSet, dispatch_on};

    const N: usize = 16;

    fn values(len: usize, seed: usize) -> Vec<f32> {
        (0..len)
            .map(|i| ((i * 7 + seed * 13) as f32).sin())
            .collect()
    }

    /// `sum(h) + sum(after * 0.5)` in double precision, from the formulas above.
    fn reference(z: &[f32], scale: &[f32], shift: &[f32], before: &[f32]) -> f64 {
        let a: Vec<f64> = (0..GATES * N)
            .map(|i| {
                let gate = &z[i / N * N..][..N];
                let square: f64 = gate.iter().map(|z| f64::from(*z).powi(2)).sum();
                let root = (square / N as f64 + f64::from(EPSILON)).sqrt();
                f64::from(scale[i]) * f64::from(z[i]) / root + f64::from(shift[i])
            })
            .collect();
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        (0..N)
            .map(|i| {
                let f = sigmoid(a[i]);
                let after = f * f64::from(before[i]) + (1.0 - f) * a[N + i].tanh();
                sigmoid(a[2 * N + i]) * after.tanh() + after * 0.5
            })
            .sum()
    }

    struct Made {
        normed: Vec<f32>,
        inverse: [f32; GATES],
        gates: Vec<f32>,
        after: Vec<f32>,
        squashed: Vec<f32>,
        hidden: Vec<f32>,
    }

    fn step(z: &[f32], scale: &[f32], shift: &[f32], before: &[f32]) -> Made {
        let mut made = Made {
            normed: z.to_vec(),
            inverse: [0.0; GATES],
            gates: vec![0.0; GATES * N],
            after: vec![0.0; N],
            squashed: vec![0.0; N],
            hidden: vec![0.0; N],
        };
        let out = Output {
            gates: &mut made.gates,
            after: &mut made.after,
            squashed: &mut made.squashed,
            hidden: &mut made.hidden,
        };
        made.inverse = forward(&mut made.normed, scale, shift, before, out);
        made
    }

    #[test]
    fn gradients_are_finite_differences() {
        let [z, scale, shift] = [1, 2, 3].map(|seed| values(GATES * N, seed));
        let before = values(N, 4);
        let made = step(&z, &scale, &shift, &before);
        let sums = made.hidden.iter().zip(&made.after);
        let got: f64 = sums.map(|(h, c)| f64::from(*h) + 0.5 * f64::from(*c)).sum();
        assert!((got - reference(&z, &scale, &shift, &before)).abs() < 1e-4);

        let mut dstate = vec![0.5; N];
        let mut dz = vec![0.0; GATES * N];
        let (mut dscale, mut dshift) = (vec![0.0; GATES * N], vec![0.0; GATES * N]);
        let saved = Saved {
            normed: &made.normed,
            inverse: made.inverse,
            gates: &made.gates,
            before: &before,
            squashed: &made.squashed,
        };
        let ones = vec![1.0; N];
        let grads = (&mut dscale[..], &mut dshift[..]);
        backward(saved, &scale, &ones, &mut dstate, &mut dz, grads);

        let eps = 1e-3;
        let all = [z, scale, shift, before];
        for (which, gradient) in [dz, dscale, dshift, dstate].iter().enumerate() {
            for (i, gradient) in gradient.iter().enumerate() {
                let at = |by: f32| {
                    let mut all = all.clone();
                    all[which][i] += by;
                    reference(&all[0], &all[1], &all[2], &all[3])
                };
                let slope = (at(eps) - at(-eps)) / (2.0 * f64::from(eps));
                let error = (slope - f64::from(*gradient)).abs();
                assert!(error < 2e-4, "{which} {i}: {gradient}, not {slope}");
            }
        }
    }

    #[test]
    fn every_instruction_set_has_the_same_bits() {
        let bits = |set| {
            let mut z = values(GATES * N, 1);
            let (scale, shift) = (values(GATES * N, 2), values(GATES * N, 3));
            let before = values(N, 4);
            let mut made = step(&z, &scale, &shift, &before);
            let inverse = dispatch_on(
                set,
                Forward {
                    z: &mut z,
                    scale: &scale,
                    shift: &shift,
                    before: &before,
                    out: Output {
                        gates: &mut made.gates,
                        after: &mut made.after,
                        squashed: &mut made.squashed,
                        hidden: &mut made.hidden,
                    },
                },
            );
            let (mut dstate, mut dz) = (values(N, 5), vec![0.0; GATES * N]);
            let (mut dscale, mut dshift) = (values(GATES * N, 6), values(GATES * N, 7));
            dispatch_on(
                set,
                Backward {
                    saved: Saved {
                        normed: &z,
                        inverse,
                        gates: &made.gates,
                        before: &before,
                        squashed: &made.squashed,
                    },
                    scale: &scale,
                    dhidden: &made.hidden,
                    dstate: &mut dstate,
                    dz: &mut dz,
                    dscale: &mut dscale,
                    dshift: &mut dshift,
                },
            );
            let all = [&z, &made.gates, &made.after, &made.hidden];
            let gradients = [&dstate, &dz, &dscale, &dshift];
            let all = all.into_iter().chain(gradients).flatten();
            all.map(|x| x.to_bits()).collect::<Vec<u32>>()
        };
        let portable = bits(InstructionSet::Portable);
        for set in InstructionSet::supported() {
            assert!(bits(set) == portable, "{set}");
        }
    }
}
