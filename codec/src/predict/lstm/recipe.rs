//! The recipe of an LSTM network, and its encoding.

use crate::cdf::SYMBOLS;
use brevity_kernels::lstm::GATES;
use brevity_model::varint;

/// Everything that determines an LSTM network that learns while it codes.
///
/// ```
/// use brevity_codec::predict::LstmRecipe;
///
/// let recipe = LstmRecipe::for_bytes(Some(1_000_000));
/// let bytes = recipe.to_bytes();
/// assert!(bytes.len() < 16);
/// assert_eq!(LstmRecipe::from_bytes(&bytes)?, recipe);
/// # Ok::<(), brevity_codec::predict::LstmRecipeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LstmRecipe {
    /// Cells of a layer: a multiple of 16, at most 4096.
    pub cells: usize,
    /// Number of layers, 1 to 8.
    pub layers: usize,
    /// Bytes between two steps of the optimizer, through which gradients go back: 1 to
    /// 1024.
    pub horizon: usize,
    /// Learning rate of the cells' weights, above 0 and at most 1; embedding and output
    /// learn twice as fast.
    pub rate: f32,
}

impl Default for LstmRecipe {
    /// That for a megabyte.
    fn default() -> LstmRecipe {
        LstmRecipe::for_bytes(None)
    }
}

/// Why a recipe is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LstmRecipeError {
    /// A field is out of its bounds.
    #[error("{field}: {reason}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The bytes are not those of such a recipe.
    #[error("the recipe is malformed at byte {offset}: {what}")]
    Malformed {
        /// Offset from the recipe's start.
        offset: usize,
        /// The field.
        what: &'static str,
    },
    /// The recipe was written by a newer version.
    #[error("the recipe has version {0}, this program reads version {VERSION}: update it")]
    Version(u8),
}

/// The first byte of the encoding. Recipes of transformers begin with the version of
/// their spec, a small number.
const TAG: u8 = 0x80;

/// Version of the encoding.
const VERSION: u8 = 1;

const MOST_CELLS: usize = 4096;
const MOST_LAYERS: usize = 8;
const MOST_HORIZON: usize = 1024;

/// Cells are a multiple of this.
const UNIT: usize = 16;

impl LstmRecipe {
    /// A recipe for a source of about `bytes` bytes, one megabyte if unknown: more bytes
    /// get more cells. A decoder does not choose: the recipe is in the archive.
    pub fn for_bytes(bytes: Option<u64>) -> LstmRecipe {
        let (cells, rate) = match bytes.unwrap_or(1_000_000) {
            ..100_000 => (128, 0.01),
            100_000..4_000_000 => (192, 0.006),
            _ => (256, 0.005),
        };
        LstmRecipe {
            cells,
            layers: 2,
            horizon: 24,
            rate,
        }
    }

    /// Checks every field. The bounds also limit the memory and time that a recipe from a
    /// stranger can demand.
    ///
    /// # Errors
    /// The first invalid field, and why.
    pub fn validate(&self) -> Result<(), LstmRecipeError> {
        let error = |field, reason| Err(LstmRecipeError::Field { field, reason });
        if self.cells == 0 || !self.cells.is_multiple_of(UNIT) || self.cells > MOST_CELLS {
            let cells = self.cells;
            let reason = format!("{cells} is not a multiple of {UNIT} from {UNIT} to {MOST_CELLS}");
            return error("cells", reason);
        }
        for (field, value, most) in [
            ("layers", self.layers, MOST_LAYERS),
            ("horizon", self.horizon, MOST_HORIZON),
        ] {
            if value == 0 || value > most {
                return error(field, format!("{value} is not between 1 and {most}"));
            }
        }
        if !(self.rate > 0.0 && self.rate <= 1.0) {
            return error(
                "rate",
                format!("{} is not above 0 and at most 1", self.rate),
            );
        }
        Ok(())
    }

    /// Whether these bytes begin like those of [`to_bytes`](LstmRecipe::to_bytes).
    pub fn is_at(bytes: &[u8]) -> bool {
        bytes.first() == Some(&TAG)
    }

    /// The encoding: a tag, a version, three varints, the rate.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![TAG, VERSION];
        for number in [self.cells / UNIT, self.layers, self.horizon] {
            varint::put(&mut out, number as u64);
        }
        out.extend(self.rate.to_le_bytes());
        out
    }

    /// Reads [`to_bytes`](LstmRecipe::to_bytes).
    ///
    /// # Errors
    /// Bytes that are not those of a valid recipe, more or fewer bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<LstmRecipe, LstmRecipeError> {
        let mut offset = 0;
        let mut next = |what| {
            let byte = bytes.get(offset).copied();
            offset += 1;
            byte.ok_or(LstmRecipeError::Malformed {
                offset: offset - 1,
                what,
            })
        };
        if next("tag")? != TAG {
            return Err(LstmRecipeError::Malformed {
                offset: 0,
                what: "tag",
            });
        }
        match next("version")? {
            VERSION => {}
            version => return Err(LstmRecipeError::Version(version)),
        }
        let mut number = |what, most: usize| {
            let value = varint::read(most as u64, || next(what))?;
            value
                .map(|value| value as usize)
                .ok_or_else(|| LstmRecipeError::Field {
                    field: what,
                    reason: format!("it is more than {most}, or longer than it has to be"),
                })
        };
        let cells = number("cells", MOST_CELLS / UNIT)? * UNIT;
        let layers = number("layers", MOST_LAYERS)?;
        let horizon = number("horizon", MOST_HORIZON)?;
        let mut rate = [0; 4];
        for byte in &mut rate {
            *byte = next("rate")?;
        }
        if offset != bytes.len() {
            return Err(LstmRecipeError::Malformed {
                offset,
                what: "there are bytes after the end",
            });
        }
        let recipe = LstmRecipe {
            cells,
            layers,
            horizon,
            rate: f32::from_le_bytes(rate),
        };
        recipe.validate()?;
        Ok(recipe)
    }

    /// Inputs of a layer from its own outputs and from the layer below.
    pub(super) fn inputs(&self, layer: usize) -> usize {
        if layer == 0 {
            self.cells
        } else {
            2 * self.cells
        }
    }

    /// Weights of the products of a step.
    fn products(&self) -> usize {
        let cells: usize = (0..self.layers).map(|layer| self.inputs(layer)).sum();
        cells * GATES * self.cells + self.layers * self.cells * SYMBOLS
    }

    /// Number of parameters.
    ///
    /// ```
    /// # use brevity_codec::predict::LstmRecipe;
    /// let recipe = LstmRecipe { cells: 16, layers: 1, horizon: 8, rate: 0.01 };
    /// // Cells, embedding, scale and shift of their inputs; output and its bias.
    /// assert_eq!(recipe.parameters(), 16 * 48 + 256 * 48 + 2 * 48 + 16 * 256 + 256);
    /// ```
    pub fn parameters(&self) -> u64 {
        let each = (SYMBOLS + 2) * GATES * self.cells;
        (self.products() + self.layers * each + SYMBOLS) as u64
    }

    /// Bytes that a network takes, at most.
    pub(super) fn memory(&self) -> u64 {
        // Weights, their gradients and mean squares, and what products pack of them; what
        // each step of a horizon leaves.
        let weights = 4 * self.parameters() * size_of::<f32>() as u64;
        let step = self.layers * 24 * self.cells + 2 * SYMBOLS;
        weights + (self.horizon * step * size_of::<f32>()) as u64 + (1 << 20)
    }

    /// Floating-point operations for a byte.
    pub(super) fn operations(&self) -> f64 {
        // Two for each weight forward, four backward, and an optimizer step.
        6.0 * self.products() as f64 + 10.0 * self.parameters() as f64 / self.horizon as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_of_data_has_a_recipe() {
        let mut last = 0;
        for bytes in [0, 1_000_000, 1 << 40] {
            let recipe = LstmRecipe::for_bytes(Some(bytes));
            recipe.validate().unwrap();
            assert!(recipe.parameters() > last);
            last = recipe.parameters();
        }
    }

    #[test]
    fn bad_bytes_are_refused() {
        let good = LstmRecipe::default().to_bytes();
        for length in 0..good.len() {
            assert!(LstmRecipe::from_bytes(&good[..length]).is_err(), "{length}");
        }
        let mut long = good.clone();
        long.push(0);
        let error = LstmRecipe::from_bytes(&long).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the recipe is malformed at byte {}: there are bytes after the end",
                good.len()
            )
        );
        let mut newer = good.clone();
        newer[1] = 9;
        assert_eq!(
            LstmRecipe::from_bytes(&newer),
            Err(LstmRecipeError::Version(9))
        );
        for at in 0..good.len() {
            for value in 0..=255 {
                let mut bad = good.clone();
                bad[at] = value;
                if let Ok(recipe) = LstmRecipe::from_bytes(&bad) {
                    recipe.validate().unwrap();
                    assert_eq!(recipe.to_bytes(), bad);
                }
            }
        }
    }

    #[test]
    fn fields_have_bounds() {
        let good = LstmRecipe::default();
        let bad = [
            LstmRecipe { cells: 0, ..good },
            LstmRecipe { cells: 24, ..good },
            LstmRecipe {
                cells: 8192,
                ..good
            },
            LstmRecipe { layers: 0, ..good },
            LstmRecipe { layers: 9, ..good },
            LstmRecipe { horizon: 0, ..good },
            LstmRecipe {
                horizon: 2000,
                ..good
            },
            LstmRecipe { rate: 0.0, ..good },
            LstmRecipe {
                rate: f32::NAN,
                ..good
            },
        ];
        for recipe in bad {
            assert!(recipe.validate().is_err(), "{recipe:?}");
        }
    }
}
