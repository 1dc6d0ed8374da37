//! The layers on slices. Each has a forward and a backward pass composed of
//! kernels.
//!
//! A forward pass saves values in [`Buffer`](super::buffers::Buffer)s, which
//! return to their pool after the backward pass. The rows of a layer are divided
//! into [`Parts`](parts::Parts), which the threads share.

mod affine;
mod embedding;
mod head;
mod parts;
mod sublayer;
mod sublayer_backward;

pub(super) use affine::{LinearGrads, LinearLayer, NormGrads, NormLayer};
pub(super) use embedding::EmbeddingLayer;
pub(super) use head::{HeadLayer, HeadSaved, Targets};
pub(super) use sublayer::{Middle, Sublayer, SublayerSaved};

use brevity_kernels::threads;
use rayon::prelude::*;

/// `y = f(y, inputs)` for each value, on all available threads.
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
