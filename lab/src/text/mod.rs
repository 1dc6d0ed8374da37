//! Findings as text for a terminal.

mod ablation;
mod critical;
mod selection;

pub use ablation::ablations;
pub use critical::{interval, laws, sizes};
pub use selection::rankings;
