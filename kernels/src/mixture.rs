//! Code length of bytes whose bits are coded by two models together, in nats.
//!
//! A byte is eight binary decisions, the highest bit first. The 256 logits of a row
//! define a logit for each decision on the byte's path: the logarithm of the mass of
//! the bytes that share its bits so far and the next one, less that of those which
//! share its bits so far and not the next one. Another model has a logit of its own
//! for each decision. Their weighted sum is the mixture's logit:
//!
//! ```text
//! m(k) = ln (mass of the subtree that is taken) - ln (mass of the one that is not)
//! u(k) = gates[c][0] beside(k) + gates[c][1] m(k),   c = confidence(beside(k))
//! nats = sum over k of ln (1 + e^-u(k))
//! ```
//!
//! Logits are those of the bit that comes. As in the frequencies of `brevity-codec`,
//! each of the 256 bytes has `2^-24` of the whole mass besides its share, so that no
//! decision is impossible.
//!
//! Masses of eight or more bytes are sums of eight partial sums (byte `j` goes to sum
//! `j mod 8`), smaller ones are sums of pairs. Terms below `2^-126` of the largest
//! count as zero.

use crate::loss::CLASSES;
use crate::math;
use crate::reduce;
use crate::simd::{Kernel, LANES, Simd, Vector, dispatch};
use crate::threads::{self, Shared};

/// Decisions of a byte.
pub const BITS: usize = 8;

/// Classes of the other model's confidence.
pub const CONFIDENCES: usize = 8;

/// Values of all gates, `[CONFIDENCES, 2]`: for each class the weight of the other
/// model's logit and that of the logit of the 256.
pub const GATES: usize = 2 * CONFIDENCES;

/// Gates that add both logits as they are.
pub const PLAIN: [f32; GATES] = [1.0; GATES];

/// The class of a logit of the other model, by its magnitude.
#[inline(always)]
pub fn confidence(logit: f32) -> usize {
    const EDGES: [f32; CONFIDENCES - 1] = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];
    let magnitude = logit.abs();
    EDGES
        .iter()
        .map(|edge| usize::from(magnitude >= *edge))
        .sum()
}

/// Share of each byte in the whole mass, besides its own: that of the smallest
/// frequency.
const FLOOR: f32 = 1.0 / 16_777_216.0;

/// Rows of a task: 64 KiB of logits.
const BLOCK: usize = 64;

/// Known bytes, and what the other model says of them.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// The bytes, `[rows]`.
    pub targets: &'a [u8],
    /// The other model's logit of each bit that comes, `[rows, 8]`, highest bit first.
    pub logits: &'a [f32],
    /// The gates, `[GATES]`.
    pub gates: &'a [f32],
}

/// The code length of each row's byte in `nats`, `[rows]`; replaces the `logits`,
/// [rows, 256], by their gradient times `scale`, and writes the gradient of the gates
/// times `scale` for each row to `dgates`, [rows, GATES].
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn mixture_in_place(
    logits: &mut [f32],
    beside: Beside<'_>,
    scale: f32,
    nats: &mut [f32],
    dgates: &mut [f32],
) {
    let rows = beside.targets.len();
    assert_eq!(logits.len(), rows * CLASSES, "256 logits for each target");
    assert_eq!(beside.logits.len(), rows * BITS, "8 logits for each target");
    assert_eq!(beside.gates.len(), GATES, "two gates for each class");
    assert_eq!(nats.len(), rows, "one value for each target");
    assert_eq!(dgates.len(), rows * GATES, "all gates for each target");
    let (logits, nats, dgates) = (Shared::new(logits), Shared::new(nats), Shared::new(dgates));
    threads::each(rows.div_ceil(BLOCK), rows * CLASSES * 4, |task| {
        let (first, end) = (task * BLOCK, rows.min((task + 1) * BLOCK));
        let count = end - first;
        // SAFETY: blocks of rows are disjoint and inside the slices.
        let (logits, nats, dgates) = unsafe {
            (
                logits.slice(first * CLASSES, count * CLASSES),
                nats.slice(first, count),
                dgates.slice(first * GATES, count * GATES),
            )
        };
        dispatch(Block {
            logits,
            beside: Beside {
                targets: &beside.targets[first..end],
                logits: &beside.logits[first * BITS..end * BITS],
                gates: beside.gates,
            },
            scale,
            nats,
            dgates,
        });
    });
}

struct Block<'a> {
    logits: &'a mut [f32],
    beside: Beside<'a>,
    scale: f32,
    nats: &'a mut [f32],
    dgates: &'a mut [f32],
}

impl Kernel for Block<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = self.logits.chunks_exact_mut(CLASSES);
        let known = self.beside.targets.iter();
        let known = known.zip(self.beside.logits.chunks_exact(BITS));
        let out = self
            .nats
            .iter_mut()
            .zip(self.dgates.chunks_exact_mut(GATES));
        for ((row, (&target, beside)), (nats, dgates)) in rows.zip(known).zip(out) {
            *nats = one::<S>(row, target, beside, self.beside.gates, self.scale, dgates);
        }
    }
}

/// The subtree that is not taken at a depth: its first byte and their number.
#[inline(always)]
fn other(target: u8, depth: usize) -> (usize, usize) {
    let count = CLASSES >> (depth + 1);
    ((usize::from(target) & !(count - 1)) ^ count, count)
}

/// Replaces a row by the powers of its logits, relative to the largest.
#[inline(always)]
fn powers<S: Simd>(row: &mut [f32]) {
    let mut tops = S::load(row);
    for part in row.chunks_exact(LANES) {
        tops = S::max(S::load(part), tops);
    }
    let top = S::to_array(tops);
    let top = top
        .iter()
        .fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    let peak = S::W::splat(top);
    for part in row.chunks_exact_mut(2 * LANES) {
        // SAFETY: the part has sixteen values.
        unsafe {
            let x = S::W::load_ptr(part.as_ptr()).sub(peak);
            math::exp_negative(x).store_ptr(part.as_mut_ptr());
        }
    }
}

#[inline(always)]
fn sum<S: Simd>(part: &[f32]) -> f32 {
    match *part {
        [a] => a,
        [a, b] => a + b,
        [a, b, c, d] => (a + b) + (c + d),
        _ => {
            let mut sums = S::splat(0.0);
            for part in part.chunks_exact(LANES) {
                sums = S::add(sums, S::load(part));
            }
            reduce::lanes::<S>(sums)
        }
    }
}

/// One row.
#[inline(always)]
fn one<S: Simd>(
    row: &mut [f32],
    target: u8,
    beside: &[f32],
    gates: &[f32],
    scale: f32,
    dgates: &mut [f32],
) -> f32 {
    powers::<S>(row);
    let mut taken = [0.0; BITS];
    let mut others = [0.0; BITS];
    let mut mass = row[usize::from(target)];
    for depth in (0..BITS).rev() {
        let (first, count) = other(target, depth);
        taken[depth] = mass;
        others[depth] = sum::<S>(&row[first..first + count]);
        mass += others[depth];
    }
    let mut weights = [[0.0; BITS]; 2];
    for (depth, &logit) in beside.iter().enumerate() {
        let class = confidence(logit);
        weights[0][depth] = gates[2 * class];
        weights[1][depth] = gates[2 * class + 1];
    }
    let shares: [f32; BITS] = std::array::from_fn(|depth| (CLASSES >> (depth + 1)) as f32 * FLOOR);
    let floor = S::mul(S::load(&shares), S::splat(mass));
    let taken = S::add(S::load(&taken), floor);
    let others = S::add(S::load(&others), floor);
    let own = S::sub(math::ln::<S>(taken), math::ln::<S>(others));
    let [first, second] = [S::load(&weights[0]), S::load(&weights[1])];
    let beside = S::load(beside);
    let u = S::mul_add(second, own, S::mul(first, beside));

    // ln (1 + e^-u), and its slope by -u.
    let (zero, one) = (S::splat(0.0), S::splat(1.0));
    let e = math::exp_negative(S::sub(zero, S::abs(u)));
    let both = S::add(one, e);
    let nats = S::add(S::max(S::sub(zero, u), zero), math::ln::<S>(both));
    // Maxima and powers lose NaN, which must stay.
    let nats = S::mul_add(u, zero, nats);
    let slope = S::div(S::select_lt(u, zero, one, e), both);
    let slope = S::mul(slope, S::splat(-scale));

    dgates.fill(0.0);
    let by_gate = [S::mul(slope, beside), S::mul(slope, own)].map(S::to_array);
    let by_own = S::mul(slope, second);
    let by_taken = S::to_array(S::div(by_own, taken));
    let by_others = S::to_array(S::div(by_own, others));
    let known = S::to_array(beside);
    // Through the floor, every byte has part in every mass.
    let mut along = 0.0;
    for depth in 0..BITS {
        along += (by_taken[depth] - by_others[depth]) * shares[depth];
    }
    for depth in 0..BITS {
        let class = confidence(known[depth]);
        dgates[2 * class] += by_gate[0][depth];
        dgates[2 * class + 1] += by_gate[1][depth];
        let (first, count) = other(target, depth);
        let factor = along - by_others[depth];
        for x in &mut row[first..first + count] {
            *x *= factor;
        }
        along += by_taken[depth];
    }
    row[usize::from(target)] *= along;
    reduce::lanes::<S>(nats)
}
