//! Byte transformers at inference: the architecture, the named parameters, model
//! files, and a deterministic forward pass with KV cache. Training and archives are
//! in other crates; burn is not needed.
//!
//! - [`Spec`] describes a transformer completely: the hyperparameters of its
//!   architecture, with a switch for every variant. It is a TOML table in
//!   configurations and about a dozen [bytes](Spec::to_bytes) in archives. It gives
//!   the [tensors](Spec::tensors) with their names and [roles](Role), the
//!   [number of parameters](Spec::parameters) and the
//!   [FLOPs for each byte](Spec::flops_per_byte).
//! - [`Weights`] are a spec and the values of all its parameters, each finite. They
//!   are stored as safetensors files.
//! - [`Transformer`] computes the logits of the next byte for a batch of streams
//!   (lanes), byte by byte ([`Transformer::forward`]) or for known data
//!   ([`Transformer::score`]), with the same bits either way.
//!
//! ```
//! use brevity_model::{Spec, Transformer, Weights};
//!
//! // Width 64, two layers, independent chunks of 256 bytes.
//! let spec = Spec::aspect(64, 256);
//! assert_eq!(spec.parameters(), 115_460);
//! // A trained model has better values.
//! let weights = Weights::from_fn(spec, |info| vec![0.02; info.len()])?;
//!
//! // Greedy decoding of three streams in lock-step.
//! let model = Transformer::new(&weights);
//! let mut state = model.state(3);
//! let mut logits = vec![0.0; 3 * 256];
//! let mut previous = [0, 0, 0];
//! for _ in 0..5 {
//!     model.forward(&mut state, &previous, 1, &mut logits)?;
//!     for (byte, logits) in previous.iter_mut().zip(logits.chunks(256)) {
//!         let best = (0..=255).max_by(|a, b| logits[*a as usize].total_cmp(&logits[*b as usize]));
//!         *byte = best.expect("there are 256 bytes");
//!     }
//! }
//! assert_eq!(state.position(), 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The model
//!
//! The input at a position is the byte before it (0 at the start); the output is a
//! logit for each value of the byte at the position. With the embedding `E`, the
//! output bias `b`, and the norms, positions and biases that the spec has:
//!
//! ```text
//! x = E[input] (plus taps: weighted embeddings of earlier bytes)
//!   (times sqrt(d)) (plus the position's vector)
//!
//! pre-norm, each block          post-norm, each block
//!   x = x + attention(norm(x))    x = norm(x + attention(x))
//!   x = x + mlp(norm(x))          x = norm(x + mlp(x))
//! logits = norm(x) W + b        logits = x W + b
//! ```
//!
//! where `W` is the transposed `E` in tied models. Attention is
//! [`brevity_kernels::attention`]; the feed-forward layer (MLP) is
//! `activation(x up) down`, or for SwiGLU `(silu(x gate) * (x value)) down` with gate
//! and value side by side in `up`. Matrices are `[in, out]`, row-major.
//!
//! # Determinism
//!
//! A logit depends only on the weights and on the earlier bytes of its lane. Every
//! kernel computes a row from that row alone (attention: from the lane's history), in
//! a fixed order of operations, so batch size, blocks and threads affect only the
//! speed. `tests/it/forward.rs` checks this over random specs, lanes, blocks and
//! thread counts.

mod cost;
mod memory;
mod model_file;
mod parameters;
mod sinusoidal;
mod spec;
mod spec_encoding;
mod transformer;
pub mod varint;
mod weights;

pub use model_file::{FileError, FormatError, is_whole_model};
pub use parameters::{Role, TensorInfo};
pub use sinusoidal::sinusoidal_positions;
pub use spec::{Activation, MAX_PARAMETERS, Norm, Placement, Position, SYMBOLS, Spec, SpecError};
pub use spec_encoding::{DecodeError, MAX_ENCODED_SPEC};
pub use transformer::{ForwardError, State, Transformer};
pub use weights::{Weights, WeightsError};
