//! The layers on slices: each a forward pass and its backward pass, by the
//! kernels.
//!
//! What a forward pass saves lives in [`Buffer`](super::buffers::Buffer)s, which
//! come back when the backward pass has used them. The rows of a layer are cut
//! into [`Parts`](parts::Parts), which the threads share.

mod affine;
mod embedding;
mod head;
mod parts;
mod sublayer;
mod sublayer_backward;

pub(super) use affine::{LinearGrads, LinearLayer, NormGrads, NormLayer};
pub(super) use embedding::EmbeddingLayer;
pub(super) use head::{HeadLayer, HeadSaved};
pub(super) use sublayer::{Middle, Sublayer, SublayerSaved};

use brevity_kernels::threads;
use rayon::prelude::*;

/// `y = f(y, inputs)` for each value, on all threads that may share work.
fn each<const N: usize>(
    y: &mut [f32],
    inputs: &[&[f32]; N],
    f: impl Fn(f32, [f32; N]) -> f32 + Sync,
) {
    const CHUNK: usize = 1 << 14;
    let chunk = |(i, y): (usize, &mut [f32])| {
        let inputs = inputs.map(|x| &x[i * CHUNK..i * CHUNK + y.len()]);
        for (at, y) in y.iter_mut().enumerate() {
            *y = f(*y, inputs.map(|x| x[at]));
        }
    };
    if threads::current() == 1 {
        y.chunks_mut(CHUNK).enumerate().for_each(chunk);
    } else {
        y.par_chunks_mut(CHUNK).enumerate().for_each(chunk);
    }
}
