//! The experiments, each with its trials, reading, findings and page side by side.

pub mod contamination;
pub mod prequential;
pub mod score;
pub mod table;
pub mod two_part;
