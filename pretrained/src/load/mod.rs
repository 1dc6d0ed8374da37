//! From files to a spec and its parameters.

mod build;
mod config;
pub mod folder;
pub mod gguf;
mod tensors;

use crate::error::Problem;
use crate::weights::{Matrix, Weights};
use rayon::prelude::*;

/// Refuses matrices that hold NaN or infinity. Vectors were checked when they were
/// read.
pub fn check_finite(weights: &Weights) -> Result<(), Problem> {
    let mut matrices: Vec<(String, &Matrix)> = vec![("embedding".into(), &weights.embedding)];
    matrices.extend(weights.positions.iter().map(|m| ("positions".into(), m)));
    matrices.extend(weights.output.iter().map(|l| ("output".into(), &l.matrix)));
    for (i, layer) in weights.layers.iter().enumerate() {
        let linears = [
            ("query", Some(&layer.query)),
            ("key", Some(&layer.key)),
            ("value", Some(&layer.value)),
            ("out", Some(&layer.out)),
            ("gate", layer.gate.as_ref()),
            ("up", Some(&layer.up)),
            ("down", Some(&layer.down)),
        ];
        for (name, linear) in linears {
            matrices.extend(linear.map(|l| (format!("{name} of block {i}"), &l.matrix)));
        }
    }
    let bad = matrices.par_iter().find_map_any(|(name, matrix)| {
        let row = matrix.stored().first_non_finite_row()?;
        Some(Problem::NotFinite {
            name: name.clone(),
            row,
        })
    });
    bad.map_or(Ok(()), Err)
}
