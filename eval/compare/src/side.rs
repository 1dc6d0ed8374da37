//! One of the two that are compared.

use brevity_baselines::{BaselineError, Coder, marginal_bits};
use serde::Serialize;

/// What each byte costs under a model, a predictor or a coder.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// Bits of each byte.
    pub bits: Vec<f32>,
    /// Bytes over which a cost is spread, the mean: 1 for models.
    pub grain: f64,
    /// What is to be known of its costs.
    pub note: Option<String>,
}

impl Side {
    /// A model or predictor, with the code length of each byte.
    #[must_use]
    pub fn new(name: impl Into<String>, bits: Vec<f32>) -> Side {
        Side {
            name: name.into(),
            bits,
            grain: 1.0,
            note: None,
        }
    }

    /// With what is to be known of its costs.
    #[must_use]
    pub fn with_note(self, note: impl Into<String>) -> Side {
        Side {
            note: Some(note.into()),
            ..self
        }
    }

    /// A classical coder, by the growth of its stream: see [`marginal_bits`].
    ///
    /// # Errors
    /// If the coder fails.
    pub fn coder(coder: Coder, bytes: &[u8]) -> Result<Side, BaselineError> {
        let found = marginal_bits(coder, bytes)?;
        Ok(Side {
            name: coder.name().to_owned(),
            bits: found.bits,
            grain: found.grain,
            note: None,
        })
    }
}

/// A side in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// Bits of all bytes.
    pub data_bits: f64,
    /// Bits a byte.
    pub bits_per_byte: f64,
    /// Bytes over which a cost is spread, the mean.
    pub grain: f64,
}

impl Summary {
    pub(crate) fn of(side: &Side) -> Summary {
        let data_bits = side.bits.iter().map(|&b| f64::from(b)).sum::<f64>();
        Summary {
            name: side.name.clone(),
            data_bits,
            bits_per_byte: data_bits / side.bits.len().max(1) as f64,
            grain: side.grain,
        }
    }
}
