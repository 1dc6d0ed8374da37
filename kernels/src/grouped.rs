//! Causal attention in which several query heads share keys and values
//! (Ainslie et al. 2023, arXiv 2305.13245), over a [`History`] that grows.
//!
//! Grouped-query attention for pretrained models. In addition to
//! [`attention`](crate::attention) it supports heads of any width, fewer heads
//! for keys and values than for queries, any scale, and a soft cap on the
//! scores (Gemma 2, arXiv 2408.00118). The caller applies the positions:
//! queries and keys are already rotated ([`phases`](crate::phases)).
//!
//! # Order of operations
//!
//! For a query head `h` at position `p` and a key at position `j` that it sees
//! (`j <= p`, with a window of `w` also `j > p - w`):
//! 1. the score is one chain over the components that starts from zero; the
//!    query is first multiplied by the scale (and by `log2 e` if there is no
//!    cap);
//! 2. with a cap `c`, the score becomes `c tanh(score / c)`, times `log2 e`;
//! 3. the maximum is exact; `e_j = 2^(score_j - maximum)` by a fixed polynomial;
//! 4. the `e_j` are added to eight partial sums by position modulo 8, in
//!    increasing position; these are added as `((0+1)+(2+3)) + ((4+5)+(6+7))`;
//! 5. each component of the output is one chain over the keys in increasing
//!    position from zero, plus zero, times the inverse of the sum.
//!
//! A masked key has the weight zero. This changes no bit of a chain of finite
//! values, except that a chain that underflowed may keep the sign of its zero;
//! adding zero removes the sign. So the output of a position does not depend on
//! how the stream is divided into calls.

use crate::attention::exp2::exp2;
use crate::gemm::{Epilogue, View, ViewMut, gemm};
use crate::math;
use crate::scratch;
use crate::simd::{Kernel, LANES, Simd, dispatch};
use crate::threads::{self, Shared};

/// Positions of a task.
const BLOCK: usize = 16;

/// Number of positions by which a history grows: a multiple of the widest
/// vector.
const GROWTH: usize = 64;

/// The shape of an attention layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grouped {
    /// Query heads.
    pub heads: usize,
    /// Heads of keys and values; the number divides `heads`.
    pub kv_heads: usize,
    /// Components of a head.
    pub head_dim: usize,
    /// Sliding window: a query sees this many last positions, its own included.
    pub window: Option<usize>,
    /// Factor of the scores, usually `1 / sqrt(head_dim)`.
    pub scale: f32,
    /// Soft cap: scores are limited to between `-cap` and `cap`.
    pub cap: Option<f32>,
}

/// Keys and values of the positions so far, for one stream and one layer.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// `[kv_heads, head_dim, room]`
    keys: Vec<f32>,
    /// `[room, kv_heads * head_dim]`
    values: Vec<f32>,
    /// Number of positions for which memory is allocated: a multiple of
    /// [`GROWTH`].
    room: usize,
    len: usize,
}

impl History {
    /// Number of positions.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no positions yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all positions and keeps the memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Makes room for `len` positions.
    fn reserve(&mut self, shape: &Grouped, len: usize) {
        if len <= self.room {
            return;
        }
        let room = len.max(self.room + self.room / 2).next_multiple_of(GROWTH);
        let width = shape.kv_width();
        let mut keys = vec![0.0; width * room];
        if self.room > 0 {
            for (old, new) in self.keys.chunks(self.room).zip(keys.chunks_mut(room)) {
                new[..self.len].copy_from_slice(&old[..self.len]);
            }
        }
        self.keys = keys;
        self.values.resize(room * width, 0.0);
        self.room = room;
    }

    /// Appends the keys and values of new positions, `[n, kv_heads * head_dim]`
    /// each.
    ///
    /// # Panics
    /// If the lengths do not match.
    pub fn push(&mut self, shape: &Grouped, keys: &[f32], values: &[f32]) {
        let width = shape.kv_width();
        assert_eq!(keys.len(), values.len(), "keys and values");
        assert!(keys.len().is_multiple_of(width), "rows of {width} values");
        let n = keys.len() / width;
        self.reserve(shape, self.len + n);
        self.values[self.len * width..][..values.len()].copy_from_slice(values);
        for (c, row) in self.keys.chunks_exact_mut(self.room).enumerate() {
            for (i, place) in row[self.len..][..n].iter_mut().enumerate() {
                *place = keys[i * width + c];
            }
        }
        self.len += n;
    }
}

/// A stream and the queries of its newest positions.
#[derive(Debug)]
pub struct Asking<'a> {
    /// All positions, including those of the queries.
    pub history: &'a History,
    /// Queries of the last `n` positions, `[n, heads * head_dim]`.
    pub queries: &'a [f32],
    /// `[n, heads * head_dim]`, overwritten.
    pub out: &'a mut [f32],
}

impl Grouped {
    /// Number of key values of a position.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Number of query values of a position.
    pub fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Computes the attention of the newest positions of several streams.
    ///
    /// # Panics
    /// If the lengths do not match.
    pub fn attend(&self, streams: &mut [Asking]) {
        assert!(
            self.kv_heads > 0 && self.heads.is_multiple_of(self.kv_heads),
            "{} heads share {}",
            self.heads,
            self.kv_heads
        );
        let width = self.width();
        let mut tasks = Vec::new();
        let mut work = 0;
        for stream in streams {
            assert_eq!(stream.queries.len(), stream.out.len(), "queries and output");
            assert!(stream.out.len().is_multiple_of(width), "rows of {width}");
            let n = stream.out.len() / width;
            let len = stream.history.len;
            assert!(n <= len, "{n} positions ask, {len} are there");
            work += 2 * n * len.min(self.reach()) * width;
            let out = Shared::new(stream.out);
            for first in (0..n).step_by(BLOCK) {
                for kv in 0..self.kv_heads {
                    tasks.push(Task {
                        shape: self,
                        history: stream.history,
                        queries: stream.queries,
                        out,
                        kv,
                        first,
                        count: BLOCK.min(n - first),
                        position: len - n + first,
                    });
                }
            }
        }
        threads::each(tasks.len(), work, |i| threads::alone(|| tasks[i].run()));
    }

    /// The most positions that a query sees.
    fn reach(&self) -> usize {
        self.window.unwrap_or(usize::MAX)
    }
}

/// A task: some positions, and the query heads that share one head of keys.
struct Task<'a> {
    shape: &'a Grouped,
    history: &'a History,
    queries: &'a [f32],
    out: Shared,
    kv: usize,
    /// The first position, counted among the positions with queries.
    first: usize,
    count: usize,
    /// The first position, counted from the start of the stream.
    position: usize,
}

impl Task<'_> {
    fn run(&self) {
        let Grouped { head_dim, .. } = *self.shape;
        let group = self.shape.heads / self.shape.kv_heads;
        let (width, kv_width) = (self.shape.width(), self.shape.kv_width());
        let rows = self.count * group;
        let seen = (self.position + 1).saturating_sub(self.shape.reach());
        let start = seen - seen % LANES;
        let end = self.position + self.count;
        let keys = (end - start).next_multiple_of(LANES);
        scratch::with(rows * (2 * head_dim + keys + 1), |buffer| {
            let (queries, buffer) = buffer.split_at_mut(rows * head_dim);
            let (inverse, buffer) = buffer.split_at_mut(rows);
            let (out, scores) = buffer.split_at_mut(rows * head_dim);
            let factor = match self.shape.cap {
                None => self.shape.scale * std::f32::consts::LOG2_E,
                Some(_) => self.shape.scale,
            };
            for (row, to) in queries.chunks_exact_mut(head_dim).enumerate() {
                let at =
                    (self.first + row / group) * width + (self.kv * group + row % group) * head_dim;
                for (to, x) in to.iter_mut().zip(&self.queries[at..][..head_dim]) {
                    *to = x * factor;
                }
            }
            let room = self.history.room;
            let k = &self.history.keys[self.kv * head_dim * room + start..];
            gemm(
                View::new(queries, rows, head_dim),
                View::strided(k, head_dim, keys, room),
                ViewMut::new(scores, rows, keys),
                false,
                Epilogue::default(),
            );
            for (row, scores) in scores.chunks_exact_mut(keys).enumerate() {
                let position = self.position + row / group;
                let from = (position + 1).saturating_sub(self.shape.reach());
                let sum = dispatch(Softmax {
                    scores,
                    from: from - start,
                    to: position + 1 - start,
                    cap: self.shape.cap,
                });
                inverse[row] = 1.0 / sum;
            }
            let v = &self.history.values[start * kv_width + self.kv * head_dim..];
            gemm(
                View::strided(scores, rows, end - start, keys),
                View::strided(v, end - start, head_dim, kv_width),
                ViewMut::new(out, rows, head_dim),
                false,
                Epilogue::default(),
            );
            for (row, from) in out.chunks_exact(head_dim).enumerate() {
                let at =
                    (self.first + row / group) * width + (self.kv * group + row % group) * head_dim;
                // SAFETY: positions and heads of the task are its own.
                let to = unsafe { self.out.slice(at, head_dim) };
                for (to, x) in to.iter_mut().zip(from) {
                    *to = (x + 0.0) * inverse[row];
                }
            }
        });
    }
}

/// Replaces scores by weights, which are zero outside `from..to`. Returns the
/// sum of the weights.
struct Softmax<'a> {
    scores: &'a mut [f32],
    from: usize,
    to: usize,
    cap: Option<f32>,
}

impl Kernel for Softmax<'_> {
    type Out = f32;
    #[inline(always)]
    fn run<S: Simd>(self) -> f32 {
        // Scores outside the range must not be the maximum, and their weight
        // must be zero.
        self.scores[..self.from].fill(f32::MIN);
        self.scores[self.to..].fill(f32::MIN);
        if let Some(cap) = self.cap {
            let (cap, inverse) = (S::splat(cap), S::splat(1.0 / cap));
            let log2e = S::splat(std::f32::consts::LOG2_E);
            let least = S::splat(f32::MIN);
            for part in self.scores.as_chunks_mut::<LANES>().0 {
                let x = S::load(part);
                let y = S::mul(S::mul(math::tanh::<S>(S::mul(x, inverse)), cap), log2e);
                S::store(S::select_lt(least, x, y, least), part);
            }
        }
        let mut max = S::splat(f32::MIN);
        for part in self.scores.as_chunks::<LANES>().0 {
            max = S::max(max, S::load(part));
        }
        let max = S::splat(S::to_array(max).into_iter().fold(f32::MIN, f32::max));
        let mut sum = S::splat(0.0);
        for part in self.scores.as_chunks_mut::<LANES>().0 {
            let e = exp2(S::sub(S::load(part), max));
            sum = S::add(sum, e);
            S::store(e, part);
        }
        let s = S::to_array(sum);
        ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;

    fn noise(len: usize, seed: usize) -> Vec<f32> {
        (0..len)
            .map(|i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 500.0 - 2.0)
            .collect()
    }

    /// The definition as plain loops, from queries, keys and values of all
    /// positions.
    fn naive(shape: &Grouped, q: &[f32], k: &[f32], v: &[f32]) -> Vec<f32> {
        let (width, kv_width, dim) = (shape.width(), shape.kv_width(), shape.head_dim);
        let mut out = vec![0.0; q.len()];
        for p in 0..q.len() / width {
            for h in 0..shape.heads {
                let kv = h / (shape.heads / shape.kv_heads);
                let from = (p + 1).saturating_sub(shape.window.unwrap_or(usize::MAX));
                let log2e = std::f32::consts::LOG2_E;
                let factor = shape.scale * shape.cap.map_or(log2e, |_| 1.0);
                let scores: Vec<f32> = (from..=p)
                    .map(|j| {
                        let score = (0..dim).fold(0.0f32, |s, c| {
                            let x = q[p * width + h * dim + c] * factor;
                            x.mul_add(k[j * kv_width + kv * dim + c], s)
                        });
                        match shape.cap {
                            None => score,
                            Some(cap) => math::tanh_f32(score * (1.0 / cap)) * cap * log2e,
                        }
                    })
                    .collect();
                let max = scores.iter().copied().fold(f32::MIN, f32::max);
                let mut s = [0.0; 8];
                let e: Vec<f32> = scores
                    .iter()
                    .map(|&x| crate::attention::exp2::exp2_scalar(x - max))
                    .collect();
                for (j, e) in (from..=p).zip(&e) {
                    s[j % 8] += e;
                }
                let sum = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
                for c in 0..dim {
                    let chain = (from..=p).zip(&e).fold(0.0f32, |acc, (j, &e)| {
                        e.mul_add(v[j * kv_width + kv * dim + c], acc)
                    });
                    out[p * width + h * dim + c] = (chain + 0.0) * (1.0 / sum);
                }
            }
        }
        out
    }

    #[test]
    fn every_cut_of_a_stream_gives_the_bits_of_the_definition() {
        for (heads, kv_heads, head_dim, window, cap) in [
            (3, 1, 8, None, None),
            (4, 2, 20, Some(5), None),
            (2, 2, 32, Some(70), Some(3.0)),
            (14, 2, 16, None, Some(1.5)),
        ] {
            let shape = Grouped {
                heads,
                kv_heads,
                head_dim,
                window,
                scale: 0.3,
                cap,
            };
            let n = 83;
            let q = noise(n * shape.width(), 1);
            let k = noise(n * shape.kv_width(), 2);
            let v = noise(n * shape.kv_width(), 3);
            let expected = naive(&shape, &q, &k, &v);
            for cut in [1, 7, 16, 40, n] {
                for threads in [1, 8] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                    let pool = pool.build().unwrap();
                    let mut history = History::default();
                    let mut out = vec![f32::NAN; q.len()];
                    for first in (0..n).step_by(cut) {
                        let last = (first + cut).min(n);
                        let kv = first * shape.kv_width()..last * shape.kv_width();
                        let rows = first * shape.width()..last * shape.width();
                        history.push(&shape, &k[kv.clone()], &v[kv]);
                        let mut stream = [Asking {
                            history: &history,
                            queries: &q[rows.clone()],
                            out: &mut out[rows],
                        }];
                        pool.install(|| shape.attend(&mut stream));
                    }
                    for (i, (a, b)) in out.iter().zip(&expected).enumerate() {
                        assert_eq!(a.to_bits(), b.to_bits(), "{shape:?} cut {cut} at {i}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_history_that_was_cleared_leaves_nothing() {
        let shape = Grouped {
            heads: 2,
            kv_heads: 1,
            head_dim: 4,
            window: None,
            scale: 0.5,
            cap: None,
        };
        let mut used = History::default();
        used.push(&shape, &noise(400, 9), &noise(400, 8));
        used.clear();
        assert!(used.is_empty());
        let mut fresh = History::default();
        let mut outs = [[0.0; 24], [0.0; 24]];
        for (history, out) in [&mut used, &mut fresh].into_iter().zip(&mut outs) {
            history.push(&shape, &noise(12, 1), &noise(12, 2));
            shape.attend(&mut [Asking {
                history,
                queries: &noise(24, 3),
                out,
            }]);
        }
        assert_eq!(outs[0], outs[1]);
        assert_eq!(used.len(), 3);
    }
}
