//! What a description length is, and who pays for the model.

pub mod format;
pub mod rows;
