//! Deterministic `f32` arithmetic on slices.
//!
//! The forward pass, the backward pass and the optimizer steps of a byte
//! transformer, with the same bits on every CPU and with any number of threads.
//! This crate does not depend on models, files or burn.
//!
//! # Modules
//!
//! | module | contents |
//! |---|---|
//! | [`gemm`] | matrix products (GEMM), all transpose cases, fused epilogues |
//! | [`stored`] | matrices as model files store them, with products in [`gemm`] |
//! | [`integer`] | products of matrices of small integers with rounded activations |
//! | [`linear`] | linear layers `y = x W`: forward, gradients of input, weights, bias |
//! | [`attention`], [`rope`] | causal attention forward and backward, KV cache, RoPE |
//! | [`grouped`], [`phases`] | attention of heads that share keys; rotary positions of any base |
//! | [`norm`], [`activation`] | RMS norm and layer norm; GELU, ReLU², SwiGLU |
//! | [`elementwise`] | gates and soft caps |
//! | [`embedding`], [`loss`] | byte embedding and its gradient; softmax cross entropy |
//! | [`lstm`] | a step of LSTM cells, forward and backward |
//! | [`mixture`] | code length of bits that two models code together |
//! | [`optim`] | steps of AdamW, Muon, NorMuon and RMSProp, moving average, global norm |
//! | [`math`] | exp, ln, sigmoid, tanh, erf, sine and cosine |
//! | [`reduce`] | sums in a fixed order |
//! | [`simd`] | eight-lane vectors on every CPU, choice of the instruction set |
//! | [`peak`] | the machine's peak FLOP/s in fused multiply-adds |
//! | [`threads`] | sharing of work among threads |
//! | [`selftest`] | comparison of this machine's results with recorded hashes |
//!
//! # Rules for reproducible results
//!
//! - An output is one chain of fused multiply-adds over the reduction index in
//!   increasing order, or a fixed tree that the function documents. The lanes of a
//!   vector hold independent outputs, or eight partial sums on every CPU.
//! - Where rows are split into parts to give threads work, the number of parts
//!   depends on the shape alone, and the parts are added in order.
//! - Every operation is correctly rounded: no approximate reciprocals, no library
//!   functions, no reassociation, no flush-to-zero mode.
//!
//! The naive version of a product, of a weight gradient and of attention stays
//! beside the fast one; tests compare the two by bits, on every instruction set,
//! with 1, 2 and 8 threads. Norms, activations, loss and optimizer steps are
//! compared with `f64` code and finite differences.
//!
//! # Conventions
//!
//! Matrices are row-major, weights are [in, out]. Each function documents its
//! shapes and panics if a length does not match. A function allocates nothing once
//! its thread has seen the shapes. Functions share large work among rayon's
//! threads; call them from inside a pool.
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
pub mod integer;
pub mod linear;
pub mod loss;
pub mod lstm;
pub mod math;
pub mod mixture;
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
