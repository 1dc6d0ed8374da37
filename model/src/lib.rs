//! What a byte transformer is: its spec, its named parameters, its files, and a
//! deterministic forward pass with state. Nothing here trains.

mod encoding;
mod file;
mod sinusoidal;
mod spec;
mod tensors;
mod transformer;
mod weights;

pub use encoding::{DecodeError, MAX_ENCODED_SPEC};
pub use file::{FileError, FormatError};
pub use sinusoidal::sinusoidal_positions;
pub use spec::{Activation, MAX_PARAMETERS, Norm, Placement, Position, SYMBOLS, Spec, SpecError};
pub use tensors::{Role, TensorInfo};
pub use transformer::{ForwardError, State, Transformer};
pub use weights::{Weights, WeightsError};
