//! What a byte transformer is: its spec, its named parameters, its files, and a
//! deterministic forward pass with state. Nothing here trains, and nothing here
//! knows of archives; burn is not needed.
//!
//! - [`Spec`] describes a transformer completely: sizes, and a switch for every
//!   variant. It is a table of TOML in configurations and a dozen
//!   [bytes](Spec::to_bytes) in archives. From it follow the
//!   [tensors](Spec::tensors), their names and [roles](Role), the
//!   [number of parameters](Spec::parameters) and the
//!   [arithmetic a byte costs](Spec::flops_per_byte).
//! - [`Weights`] are a spec with the values of its parameters, complete and
//!   finite. They are read and written as safetensors files.
//! - [`Transformer`] predicts: the logits of the next byte for many streams
//!   (lanes) at once, byte by byte ([`Transformer::forward`]) or over data that
//!   is known ([`Transformer::score`]), with the same bits either way.
//!
//! ```
//! use brevity_model::{Spec, Transformer, Weights};
//!
//! // 64 wide, two layers, positions that start anew every 256 bytes.
//! let spec = Spec::aspect(64, 256);
//! assert_eq!(spec.parameters(), 115_460);
//! // Whoever trains gives better values than these.
//! let weights = Weights::from_fn(spec, |info| vec![0.02; info.len()])?;
//!
//! // Three streams, decoded in lock-step.
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
//! The input at a position is the byte before it, 0 at the start, and the output
//! is a logit for each byte that may stand there. With `E` the embedding, `b`
//! the output bias, and norms, positions and biases as far as the spec has them:
//!
//! ```text
//! x = E[input] (times sqrt(d)) (plus the position's vector)
//!
//! pre-norm, each block          post-norm, each block
//!   x = x + attention(norm(x))    x = norm(x + attention(x))
//!   x = x + mlp(norm(x))          x = norm(x + mlp(x))
//! logits = norm(x) W + b        logits = x W + b
//! ```
//!
//! where `W` is the transposed `E` for tied models. Attention is that of
//! [`brevity_kernels::attention`]; the feed-forward layer is
//! `activation(x up) down`, for SwiGLU `(silu(x gate) * (x value)) down` with
//! gate and value side by side in `up`. Matrices are `[in, out]`, row-major.
//!
//! # Determinism
//!
//! A logit is a function of the weights and of the bytes before it in its lane.
//! Every kernel computes a row from that row alone (attention: from the lane's
//! history), in one fixed order of operations, so lanes, blocks, tiles and
//! threads are free to be whatever is fast. `tests/it/forward.rs` holds the
//! property over random specs, lanes, cuts and thread counts.

mod encoding;
mod file;
mod sinusoidal;
mod spec;
mod tensors;
mod transformer;
pub mod varint;
mod weights;

pub use encoding::{DecodeError, MAX_ENCODED_SPEC};
pub use file::{FileError, FormatError};
pub use sinusoidal::sinusoidal_positions;
pub use spec::{Activation, MAX_PARAMETERS, Norm, Placement, Position, SYMBOLS, Spec, SpecError};
pub use tensors::{Role, TensorInfo};
pub use transformer::{ForwardError, State, Transformer};
pub use weights::{Weights, WeightsError};
