//! What the bytes of a set cost under a pretrained model, kept between runs: a pass over
//! them takes long.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::MatrixError;
use serde::{Deserialize, Serialize};

/// The code lengths of a set's chunks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Price {
    /// Of each chunk, bytes; the last one may be shorter.
    pub chunks: Vec<f64>,
    /// Rates of the prefixes of whole chunks, one for each of [`Matrix::lengths`].
    ///
    /// [`Matrix::lengths`]: super::Matrix::lengths
    pub rates: Vec<f64>,
}

impl Price {
    /// From the code length of each byte, bits.
    pub fn new(bits: &[f32], chunk: usize, lengths: &[usize]) -> Price {
        let sum = |bits: &[f32]| bits.iter().map(|&bits| f64::from(bits)).sum::<f64>() / 8.0;
        let whole = bits.chunks_exact(chunk);
        let count = whole.len();
        let rate = |&length: &usize| {
            let firsts: f64 = whole.clone().map(|bits| sum(&bits[..length])).sum();
            firsts / (length * count) as f64
        };
        Price {
            chunks: bits.chunks(chunk).map(sum).collect(),
            rates: match count {
                0 => Vec::new(),
                _ => lengths.iter().map(rate).collect(),
            },
        }
    }
}

/// Prices by a key of everything that determines them.
pub(super) struct Prices {
    path: PathBuf,
    known: BTreeMap<String, Price>,
}

impl Prices {
    /// Reads those of a table's folder; what cannot be read is measured again.
    pub fn open(folder: &Path) -> Prices {
        let path = folder.join("prices.json");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let known = serde_json::from_str(&text).unwrap_or_default();
        Prices { path, known }
    }

    /// The price at a key.
    pub fn get(&self, key: &str) -> Option<&Price> {
        self.known.get(key)
    }

    /// Keeps a price.
    pub fn keep(&mut self, key: String, price: &Price) -> Result<(), MatrixError> {
        self.known.insert(key, price.clone());
        let text = serde_json::to_string_pretty(&self.known).expect("prices are plain data");
        brevity_files::write(&self.path, text.as_bytes()).map_err(|source| MatrixError::File {
            action: "write",
            path: self.path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_and_prefixes_are_summed() {
        let bits: Vec<f32> = (0..10).map(|i| i as f32 * 8.0).collect();
        let price = Price::new(&bits, 4, &[1, 4]);
        assert_eq!(price.chunks, [6.0, 22.0, 17.0]);
        assert_eq!(price.rates, [(0.0 + 4.0) / 2.0, 28.0 / 8.0]);
        let short = Price::new(&bits[..3], 4, &[1, 4]);
        assert_eq!((short.chunks, short.rates), (vec![3.0], vec![]));
    }
}
