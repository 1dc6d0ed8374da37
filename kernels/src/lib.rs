//! Deterministic `f32` arithmetic on slices.
//!
//! Everything a byte transformer computes, forward and backward, with results
//! that are the same to the last bit on any CPU and with any number of threads.
//! Nothing here knows of models, files or burn.

pub mod activation;
pub mod attention;
pub mod embedding;
pub mod gemm;
pub mod linear;
pub mod loss;
pub mod math;
pub mod norm;
pub mod optim;
pub mod reduce;
pub mod rope;
pub mod simd;

mod scratch;
mod threads;
