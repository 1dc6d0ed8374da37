//! What bytes and hashed contexts add to the inputs of gates.

use super::recipe::LstmRecipe;
use crate::cdf::SYMBOLS;
use crate::cm::prefetch;
use brevity_kernels::optim::RmsProp;

/// A row of values for each byte, or for each hash of a context. Each row learns when its
/// byte or context came.
pub struct Embedding {
    /// [rows, width]
    values: Vec<f32>,
    means: Means,
    /// Steps of each row.
    steps: Vec<u32>,
}

/// Means of squared gradients.
enum Means {
    /// One for each value.
    OfValues(Vec<f32>),
    /// One for each row, which takes half the memory.
    OfRows(Vec<f32>),
}

impl Embedding {
    /// Of bytes, with these values.
    pub fn of_bytes(values: Vec<f32>) -> Embedding {
        Embedding {
            means: Means::OfValues(vec![0.0; values.len()]),
            values,
            steps: vec![0; SYMBOLS],
        }
    }

    /// Of hashes of contexts, with zeros.
    pub fn of_hashes(rows: usize, width: usize) -> Embedding {
        Embedding {
            values: vec![0.0; rows * width],
            means: Means::OfRows(vec![0.0; rows]),
            steps: vec![0; rows],
        }
    }

    /// Brings a row near.
    pub fn prefetch(&self, row: usize) {
        /// Floats of a line of the cache.
        const LINE: usize = 16;
        let width = self.values.len() / self.steps.len();
        let row = &self.values[row * width..][..width];
        row.iter().step_by(LINE).for_each(prefetch);
    }

    /// Adds a row to `z`.
    pub fn add(&self, row: usize, z: &mut [f32]) {
        let row = &self.values[row * z.len()..][..z.len()];
        z.iter_mut().zip(row).for_each(|(z, value)| *z += value);
    }

    /// A row.
    #[cfg(test)]
    pub fn row(&mut self, row: usize) -> &mut [f32] {
        let width = self.values.len() / self.steps.len();
        &mut self.values[row * width..][..width]
    }

    /// A step for every row of a horizon: `rows` are those of its steps, and `dz` the
    /// gradients of what they were added to, [horizon, width]. `sum`, `[width]`, is
    /// overwritten.
    pub fn learn(
        &mut self,
        rms: &RmsProp,
        rows: impl Iterator<Item = usize> + Clone,
        dz: &[f32],
        sum: &mut [f32],
    ) {
        for (t, row) in rows.clone().enumerate() {
            if rows.clone().take(t).any(|before| before == row) {
                continue;
            }
            sum.fill(0.0);
            for (other, dz) in rows.clone().zip(dz.chunks_exact(sum.len())) {
                if other == row {
                    sum.iter_mut().zip(dz).for_each(|(sum, dz)| *sum += dz);
                }
            }
            self.steps[row] += 1;
            let step = u64::from(self.steps[row]);
            let place = row * sum.len()..(row + 1) * sum.len();
            let values = &mut self.values[place.clone()];
            match &mut self.means {
                Means::OfValues(means) => rms.step(step, sum, values, &mut means[place]),
                Means::OfRows(means) => rms.step_row(step, sum, values, &mut means[row]),
            }
        }
    }
}

/// The contexts in which a byte stands: the last bytes, and the letters of a word.
#[derive(Default)]
pub struct Past {
    /// The last eight bytes, the last one lowest.
    recent: u64,
    /// A hash of the letters since the last byte that is none.
    word: u64,
}

/// Odd multipliers that spread bits (Steele et al. 2014).
const SPREAD: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9];

impl Past {
    /// Takes a byte.
    pub fn take(&mut self, byte: u8) {
        self.recent = self.recent << 8 | u64::from(byte);
        self.word = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | 128.. => {
                let letter = u64::from(byte.to_ascii_lowercase());
                self.word.wrapping_add(letter + 1).wrapping_mul(SPREAD[0])
            }
            _ => 0,
        };
    }

    /// The rows of the embeddings of a layer: that of the last byte, then those of the
    /// recipe's contexts.
    pub fn rows<'a>(&self, recipe: &'a LstmRecipe) -> impl Iterator<Item = usize> + 'a {
        let (recent, word) = (self.recent, self.word);
        let hashed = recipe.contexts().map(move |context| {
            let value = match context {
                0 => word,
                order => recent & (u64::MAX >> (64 - 8 * order)),
            };
            let mixed = value.wrapping_mul(SPREAD[0]);
            let mixed = (mixed ^ mixed >> 32).wrapping_mul(SPREAD[1]);
            (mixed >> (64 - recipe.rows_log2)) as usize
        });
        std::iter::once((recent % SYMBOLS as u64) as usize).chain(hashed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_one_step_with_the_sum_of_its_gradients() {
        let rms = RmsProp {
            learning_rate: 0.01,
            beta2: 0.999,
            epsilon: 1e-4,
        };
        let dz: Vec<f32> = (0..3 * 8).map(|i| (i as f32).sin()).collect();
        let mut embedding = Embedding::of_hashes(4, 8);
        embedding.learn(&rms, [2, 0, 2].into_iter(), &dz, &mut [9.0; 8]);
        let mut expected = vec![0.0; 4 * 8];
        let both: Vec<f32> = (0..8).map(|i| dz[i] + dz[16 + i]).collect();
        rms.step_row(1, &both, &mut expected[16..24], &mut 0.0);
        rms.step_row(1, &dz[8..16], &mut expected[..8], &mut 0.0);
        assert_eq!(embedding.values, expected);
        assert_eq!(embedding.steps, [1, 0, 1, 0]);
    }

    #[test]
    fn rows_are_those_of_the_specification() {
        let recipe = LstmRecipe {
            contexts: 0b1_0000_0101,
            rows_log2: 7,
            ..LstmRecipe::default()
        };
        let row = |x: u64| {
            let m = x.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            ((m ^ m >> 32).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 57) as usize
        };
        let word = |letters: &[u8]| {
            letters.iter().fold(0_u64, |word, letter| {
                (word.wrapping_add(u64::from(*letter) + 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            })
        };
        let mut past = Past::default();
        let rows = |past: &Past| past.rows(&recipe).collect::<Vec<_>>();
        assert_eq!(rows(&past), [0, 0, 0, 0]);
        past.take(b'1');
        let last = u64::from(b'1');
        assert_eq!(rows(&past), [0x31, 0, row(last), row(last)]);
        for byte in *b"Now 2Be\xC3" {
            past.take(byte);
        }
        let eight = u64::from_be_bytes(*b"Now 2Be\xC3");
        let expected = [0xC3, row(word(b"be\xC3")), row(0x65C3), row(eight)];
        assert_eq!(rows(&past), expected);
    }
}
