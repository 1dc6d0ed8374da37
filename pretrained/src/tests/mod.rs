//! Tests over whole models, small and random.

mod archives;
mod covers;
mod decoding;
mod families;
mod loading;
pub(crate) mod small;
