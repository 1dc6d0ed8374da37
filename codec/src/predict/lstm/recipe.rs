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
    /// Contexts that have embeddings of their own, each a bit: the lowest one is the
    /// letters of the word so far, bit `n`, 1 to 8, the last `n` bytes. May be 0.
    pub contexts: u16,
    /// Rows of each of these embeddings are `2^rows_log2`, 1 to 24; 0 without contexts.
    pub rows_log2: u32,
    /// Learning rate of the cells' weights, above 0 and at most 1; embeddings of bytes and
    /// the output learn twice as fast, embeddings of contexts four times.
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

/// Newest version of the encoding. Version 1 had no contexts, and recipes without any are
/// written so.
const VERSION: u8 = 2;

const MOST_CELLS: usize = 4096;
const MOST_LAYERS: usize = 8;
const MOST_HORIZON: usize = 1024;
const MOST_CONTEXTS: u16 = (1 << 9) - 1;
const MOST_ROWS_LOG2: u32 = 24;

/// Contexts of text, which suit other bytes too: the word so far, the last three, four and
/// six bytes.
pub(crate) const TEXT: u16 = 1 | 1 << 3 | 1 << 4 | 1 << 6;

/// Cells are a multiple of this.
const UNIT: usize = 16;

impl LstmRecipe {
    /// A recipe for a source of about `bytes` bytes, one megabyte if unknown: more bytes
    /// get more cells. A decoder does not choose: the recipe is in the archive.
    pub fn for_bytes(bytes: Option<u64>) -> LstmRecipe {
        let (cells, layers, rows_log2, rate) = match bytes.unwrap_or(1_000_000) {
            ..100_000 => (128, 2, 14, 0.01),
            100_000..4_000_000 => (192, 2, 15, 0.006),
            _ => (256, 3, 16, 0.004),
        };
        LstmRecipe {
            cells,
            layers,
            horizon: 24,
            contexts: TEXT,
            rows_log2,
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
        if self.contexts > MOST_CONTEXTS {
            let contexts = self.contexts;
            return error(
                "contexts",
                format!("{contexts} is more than {MOST_CONTEXTS}"),
            );
        }
        let rows_log2 = match self.contexts {
            0 => 0..=0,
            _ => 1..=MOST_ROWS_LOG2,
        };
        if !rows_log2.contains(&self.rows_log2) {
            let (first, last) = rows_log2.into_inner();
            let reason = format!("{} is not between {first} and {last}", self.rows_log2);
            return error("rows_log2", reason);
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

    /// The encoding: a tag, a version, three varints or five, the rate.
    pub fn to_bytes(&self) -> Vec<u8> {
        let contexts = [usize::from(self.contexts), self.rows_log2 as usize];
        let (version, contexts) = match self.contexts {
            0 => (1, &[][..]),
            _ => (VERSION, &contexts[..]),
        };
        let mut out = vec![TAG, version];
        let numbers = [self.cells / UNIT, self.layers, self.horizon];
        for number in numbers.iter().chain(contexts) {
            varint::put(&mut out, *number as u64);
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
        let version = next("version")?;
        if !(1..=VERSION).contains(&version) {
            return Err(LstmRecipeError::Version(version));
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
        let (contexts, rows_log2) = match version {
            1 => (0, 0),
            _ => (
                number("contexts", usize::from(MOST_CONTEXTS))?,
                number("rows_log2", MOST_ROWS_LOG2 as usize)?,
            ),
        };
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
            contexts: contexts as u16,
            rows_log2: rows_log2 as u32,
            rate: f32::from_le_bytes(rate),
        };
        recipe.validate()?;
        if version != recipe.to_bytes()[1] {
            return Err(LstmRecipeError::Malformed {
                offset: 1,
                what: "version 2 without contexts",
            });
        }
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

    /// The contexts: 0 for the word so far, `n` for the last `n` bytes.
    pub(super) fn contexts(&self) -> impl Iterator<Item = u32> + use<> {
        let contexts = self.contexts;
        (0..=MOST_CONTEXTS.ilog2()).filter(move |context| contexts >> context & 1 == 1)
    }

    /// Rows of embeddings in each step of the lowest layer: the byte's, and the contexts'.
    pub(super) fn features(&self) -> usize {
        1 + self.contexts.count_ones() as usize
    }

    /// Rows of all embeddings of contexts.
    fn hashed(&self) -> u64 {
        ((self.features() - 1) as u64) << self.rows_log2
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
    /// let (contexts, rows_log2) = (0, 0);
    /// let recipe =
    ///     LstmRecipe { cells: 16, layers: 1, horizon: 8, contexts, rows_log2, rate: 0.01 };
    /// // Cells, embedding, scale and shift of their inputs; output and its bias.
    /// assert_eq!(recipe.parameters(), 16 * 48 + 256 * 48 + 2 * 48 + 16 * 256 + 256);
    /// ```
    pub fn parameters(&self) -> u64 {
        self.dense() as u64 + self.hashed() * (GATES * self.cells) as u64
    }

    /// The same without embeddings of contexts.
    fn dense(&self) -> usize {
        let each = (SYMBOLS + 2) * GATES * self.cells;
        self.products() + self.layers * each + SYMBOLS
    }

    /// Bytes that a network takes, at most.
    pub(crate) fn memory(&self) -> u64 {
        // Weights, their gradients and mean squares, and what products pack of them; of
        // contexts weights, and a mean and the steps of each row; what each step of a
        // horizon leaves.
        let weights = 4 * self.dense() * size_of::<f32>();
        let row = (GATES * self.cells + 1) * size_of::<f32>() + size_of::<u32>();
        let step = self.layers * 24 * self.cells + 2 * SYMBOLS + 2 * self.features();
        let others = weights + self.horizon * step * size_of::<f32>();
        self.hashed() * row as u64 + others as u64 + (1 << 20)
    }

    /// Floating-point operations for a byte.
    pub(super) fn operations(&self) -> f64 {
        // Two for each weight forward, four backward, and an optimizer step; a row of an
        // embedding is added, its gradient too, and it takes a step.
        let rows = (self.features() * GATES * self.cells) as f64;
        let steps = 10.0 * self.dense() as f64 / self.horizon as f64;
        // Each step of a horizon is compared with the others.
        let compared = 2 * self.horizon * self.features();
        6.0 * self.products() as f64 + steps + 12.0 * rows + compared as f64
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
    fn a_recipe_without_contexts_is_one_of_the_first_version() {
        let recipe = LstmRecipe {
            contexts: 0,
            rows_log2: 0,
            ..LstmRecipe::default()
        };
        let bytes = recipe.to_bytes();
        assert_eq!(bytes[1], 1);
        assert_eq!(LstmRecipe::from_bytes(&bytes), Ok(recipe));
        let second = [&bytes[..1], &[2], &bytes[2..5], &[0, 0], &bytes[5..]].concat();
        assert!(LstmRecipe::from_bytes(&second).is_err());
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
            LstmRecipe {
                contexts: 512,
                ..good
            },
            LstmRecipe {
                contexts: 0,
                ..good
            },
            LstmRecipe {
                rows_log2: 0,
                ..good
            },
            LstmRecipe {
                rows_log2: 25,
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
