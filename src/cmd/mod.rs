//! One file a command: its options, the library function it calls, what it
//! prints.

pub mod baselines;
pub mod critical;
pub mod data;
pub mod report;
pub mod sweep;
pub mod train;
