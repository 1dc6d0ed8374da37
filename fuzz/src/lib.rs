//! What must hold for any bytes: one function for each fuzz target, which panics if its
//! claim fails. The tests of the crates run the claims on each seed, and with changes
//! ([`mutate`]) for as long as they are told to.

pub mod archives;
pub mod folders;
pub mod gguf;
pub mod media;
pub mod mutate;
pub mod pretrained;
pub mod tables;
