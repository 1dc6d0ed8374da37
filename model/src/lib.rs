//! What a byte transformer is: its spec, its named parameters, its files, and a
//! deterministic forward pass with state. Nothing here trains.

mod spec;

pub use spec::{Activation, Norm, Placement, Position, SYMBOLS, Spec, SpecError};
