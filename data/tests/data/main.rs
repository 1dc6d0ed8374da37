//! Tests of the public interface: sources, splits, imports, and fetching from a
//! server that misbehaves.

mod fetch;
mod import;
mod large;
mod server;
mod sources;
mod splits;

use std::error::Error;

/// An error with all its causes, as the command prints it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
