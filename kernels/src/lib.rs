//! Deterministic `f32` arithmetic on slices.
//!
//! Everything a byte transformer computes, forward and backward, with results
//! that are the same to the last bit on any CPU and with any number of threads.
//! Nothing here knows of models, files or burn.
//!
//! # What lives here
//!
//! | module | what it has |
//! |---|---|
//! | [`gemm`] | matrix products, all transpose cases, elementwise work fused in |
//! | [`stored`] | matrices as model files store them, with products in [`gemm`] |
//! | [`linear`] | layers `y = x W`: forward, gradients of input, weights, bias |
//! | [`attention`], [`rope`] | causal attention, its cache, rotary positions |
//! | [`grouped`], [`phases`] | attention of heads that share keys; rotary positions of any base |
//! | [`norm`], [`activation`] | RMS and layer norm; GELU, ReLU², SwiGLU |
//! | [`elementwise`] | gates and soft caps |
//! | [`embedding`], [`loss`] | bytes to rows and back; softmax cross entropy |
//! | [`optim`] | steps of AdamW and Muon, moving average, global norm |
//! | [`math`] | exp, ln, tanh, erf, sine and cosine |
//! | [`reduce`] | sums in a fixed order |
//! | [`simd`] | eight lanes on every CPU, and the choice of instruction set |
//! | [`peak`] | what this machine's multiply-adds reach at most |
//! | [`threads`] | who shares work: kernels among threads, or their caller |
//! | [`selftest`] | whether this machine computes the recorded bits |
//!
//! # The rules that make results reproducible
//!
//! - An output is one chain of fused multiply-adds over the reduction index in
//!   increasing order, or a fixed tree that the function documents. Vectors run
//!   across independent outputs, or over eight lanes on every CPU alike.
//! - Where rows are cut into parts so that threads have work, the number of
//!   parts depends on the shape alone, and parts are added in order.
//! - Only correctly rounded operations: no approximate reciprocals, no library
//!   functions, nothing reassociated, subnormals kept.
//!
//! The naive version of a product, of a weight gradient and of attention stays
//! beside the fast one; tests compare the two by bits, on every path, with 1, 2
//! and 8 threads. Norms, activations, loss and optimiser steps are compared with
//! `f64` code and finite differences.
//!
//! # Conventions
//!
//! Matrices are row-major, weights are [in, out]. Shapes are in the docs of each
//! function; lengths that do not match panic. Functions allocate nothing once
//! their thread has seen the shapes. They share work among rayon's threads
//! where it is worth the hand-over, so call them from inside a pool.
//!
//! ```
//! use brevity_kernels::{activation::Activation, gemm::{Epilogue, View}, linear};
//!
//! // Two rows through a layer of 3 inputs and 2 outputs, with squared ReLU.
//! let x = [1.0, 2.0, 3.0, -1.0, 0.0, 1.0];
//! let w = [1.0, 0.0, 0.0, 1.0, 1.0, -1.0];
//! let mut y = [0.0; 4];
//! let epilogue = Epilogue {
//!     activation: Some(Activation::Relu2),
//!     ..Epilogue::default()
//! };
//! linear::forward(&x, View::new(&w, 3, 2), &mut y, epilogue);
//! assert_eq!(y, [16.0, 0.0, 0.0, 0.0]);
//! ```

pub mod activation;
pub mod attention;
pub mod elementwise;
pub mod embedding;
pub mod gemm;
pub mod grouped;
pub mod linear;
pub mod loss;
pub mod math;
pub mod norm;
pub mod optim;
pub mod peak;
pub mod phases;
pub mod reduce;
pub mod rope;
pub mod selftest;
pub mod simd;
pub mod stored;
pub mod threads;

mod scratch;
mod shape;
