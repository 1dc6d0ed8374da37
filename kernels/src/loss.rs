//! Softmax cross entropy over the 256 byte values, in nats.
//!
//! The softmax sum of a row is 32 partial sums (logit `j` goes to sum `j mod 32`),
//! added by a fixed tree. Terms below `2^-126` of the largest count as zero.

use crate::math;
use crate::reduce;
use crate::simd::{Kernel, LANES, Simd, Vector, dispatch};
use crate::threads::{self, Shared};

/// Number of classes: the byte values.
pub const CLASSES: usize = 256;

/// Rows of a task: 64 KiB of logits.
const BLOCK: usize = 64;

/// The cross entropy of each row: `nats[r] = -ln softmax(logits[r])[targets[r]]`.
/// logits is [rows, 256]; targets and nats are `[rows]`.
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn cross_entropy(logits: &[f32], targets: &[u8], nats: &mut [f32]) {
    check(logits.len(), targets.len(), nats.len());
    // SAFETY: lengths are checked, and without a gradient nothing is written
    // to the logits.
    unsafe {
        rows::<false>(
            logits.as_ptr(),
            logits.as_ptr().cast_mut(),
            targets,
            0.0,
            nats,
        )
    };
}

/// Computes [`cross_entropy`] and its gradient:
/// `dlogits = scale (softmax(logits) - onehot(target))`, [rows, 256].
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn cross_entropy_with_gradient(
    logits: &[f32],
    targets: &[u8],
    scale: f32,
    nats: &mut [f32],
    dlogits: &mut [f32],
) {
    check(logits.len(), targets.len(), nats.len());
    assert_eq!(
        dlogits.len(),
        logits.len(),
        "logits and their gradient have one length"
    );
    // SAFETY: lengths are checked; the slices are distinct.
    unsafe { rows::<true>(logits.as_ptr(), dlogits.as_mut_ptr(), targets, scale, nats) };
}

/// Like [`cross_entropy_with_gradient`], but replaces the logits by their gradient.
///
/// # Panics
/// If the lengths do not match.
#[track_caller]
pub fn cross_entropy_in_place(logits: &mut [f32], targets: &[u8], scale: f32, nats: &mut [f32]) {
    check(logits.len(), targets.len(), nats.len());
    let p = logits.as_mut_ptr();
    // SAFETY: lengths are checked; a row is read before it is written.
    unsafe { rows::<true>(p, p, targets, scale, nats) };
}

#[track_caller]
fn check(logits: usize, targets: usize, nats: usize) {
    assert_eq!(logits, targets * CLASSES, "256 logits for each target");
    assert_eq!(nats, targets, "one value for each target");
}

/// # Safety
/// `logits` is readable and, if `GRADIENT`, `out` is writable, for 256 values for each
/// target; they are the same or do not overlap.
unsafe fn rows<const GRADIENT: bool>(
    logits: *const f32,
    out: *mut f32,
    targets: &[u8],
    scale: f32,
    nats: &mut [f32],
) {
    let count = targets.len();
    let nats = Shared::new(nats);
    let shared = Rows(logits, out);
    threads::each(count.div_ceil(BLOCK), count * CLASSES * 4, |task| {
        let rows = task * BLOCK..count.min((task + 1) * BLOCK);
        let (logits, out) = shared.at(rows.start * CLASSES);
        dispatch(Block::<GRADIENT> {
            logits,
            out,
            targets: &targets[rows.clone()],
            scale,
            // SAFETY: blocks of rows are disjoint and inside `nats`.
            nats: unsafe { nats.slice(rows.start, rows.len()) },
        });
    });
}

/// The logits and the place of their gradient.
struct Rows(*const f32, *mut f32);

// SAFETY: each task reads and writes only its own rows.
unsafe impl Sync for Rows {}

impl Rows {
    fn at(&self, place: usize) -> (*const f32, *mut f32) {
        (self.0.wrapping_add(place), self.1.wrapping_add(place))
    }
}

struct Block<'a, const GRADIENT: bool> {
    logits: *const f32,
    out: *mut f32,
    targets: &'a [u8],
    scale: f32,
    nats: &'a mut [f32],
}

impl<const GRADIENT: bool> Kernel for Block<'_, GRADIENT> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for (r, (&target, nats)) in self.targets.iter().zip(self.nats).enumerate() {
            // SAFETY: the caller of `rows` promises 256 values for each target.
            unsafe {
                let row = self.logits.add(r * CLASSES);
                let out = self.out.add(r * CLASSES);
                *nats = one::<S, GRADIENT>(row, out, target, self.scale);
            }
        }
    }
}

/// One row.
///
/// # Safety
/// The conditions of [`rows`], for 256 values.
#[inline(always)]
unsafe fn one<S: Simd, const GRADIENT: bool>(
    row: *const f32,
    out: *mut f32,
    target: u8,
    scale: f32,
) -> f32 {
    // 32 partial sums in two vectors of sixteen lanes.
    const STEP: usize = 4 * LANES;
    const WIDE: usize = 2 * LANES;
    // SAFETY: all offsets are below 256, or inside the array.
    unsafe {
        let logit = *row.add(target as usize);
        let mut tops = [S::W::load_ptr(row); 2];
        for j in (0..CLASSES).step_by(STEP) {
            for (v, top) in tops.iter_mut().enumerate() {
                *top = S::W::load_ptr(row.add(j + v * WIDE)).max(*top);
            }
        }
        let mut lanes = [0.0; STEP];
        tops[0].max(tops[1]).store_ptr(lanes.as_mut_ptr());
        let top = lanes[..WIDE]
            .iter()
            .fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
        let peak = S::W::splat(top);
        let mut sums = [S::W::splat(0.0); 2];
        for j in (0..CLASSES).step_by(STEP) {
            for (v, sum) in sums.iter_mut().enumerate() {
                let x = S::W::load_ptr(row.add(j + v * WIDE)).sub(peak);
                let e = math::exp_negative(x);
                *sum = sum.add(e);
                if GRADIENT {
                    e.store_ptr(out.add(j + v * WIDE));
                }
            }
        }
        for (v, sum) in sums.into_iter().enumerate() {
            sum.store_ptr(lanes[v * WIDE..].as_mut_ptr());
        }
        let [s0, s1, s2, s3] = std::array::from_fn(|v| S::load(&lanes[v * LANES..]));
        let sum = S::add(S::add(s0, s1), S::add(s2, s3));
        let sum = reduce::lanes::<S>(sum);
        if GRADIENT {
            let factor = S::W::splat(scale / sum);
            for j in (0..CLASSES).step_by(WIDE) {
                let p = S::W::load_ptr(out.add(j)).mul(factor);
                p.store_ptr(out.add(j));
            }
            *out.add(target as usize) -= scale;
        }
        S::to_array(math::ln::<S>(S::splat(sum)))[0] - (logit - top)
    }
}
