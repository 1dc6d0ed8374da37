//! Classical compressors as the bar that a learned model has to clear.
//!
//! A [`Coder`] turns bytes into a stream of its own format and back. [`measure`]
//! runs a list of them over one byte set, whole or cut into chunks that are
//! compressed independently (a transformer with a context of 2048 bytes sees
//! no more than that either), decodes every stream, compares, and only then
//! reports its size.
//!
//! Two sizes are given for each coder. [`CoderResult::bytes`] counts everything
//! that a decoder reads, headers included. [`CoderResult::paper_bytes`] repeats
//! the accounting of Delétang et al. (arXiv 2309.10668), who charge the header
//! once: for all chunks but one they subtract the length of the compressed form
//! of a single zero byte. The two agree when the input is one chunk.
//!
//! ```
//! use brevity_eval::baselines::{Coder, measure};
//!
//! let text = b"to be or not to be ".repeat(50);
//! let results = measure(&text, None, &[Coder::Gzip, Coder::Ppmd])?;
//! assert!(results.iter().all(|r| r.rate < 0.2));
//! # Ok::<(), brevity_eval::baselines::BaselineError>(())
//! ```

mod coder;
mod streams;

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use coder::Coder;

/// Size of one byte set under one coder; the stream was decoded and compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoderResult {
    /// Name of the coder and its setting, such as `xz -9e`.
    pub coder: String,
    /// Bytes of all streams, headers included.
    pub bytes: u64,
    /// `bytes` over the raw length.
    pub rate: f64,
    /// Bytes when the header of a chunk is charged only once, as the paper does.
    pub paper_bytes: u64,
    /// `paper_bytes` over the raw length.
    pub paper_rate: f64,
}

/// All coders' results on one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileBaselines {
    /// The file, or `-` for standard input.
    pub path: PathBuf,
    /// Raw length in bytes.
    pub bytes: u64,
    /// Bytes a chunk, or nothing when the file was compressed whole.
    pub chunk: Option<usize>,
    /// One entry a coder, in the order asked for.
    pub results: Vec<CoderResult>,
}

/// Why a baseline could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// There is nothing to compress.
    #[error("{path}: the file is empty; a rate needs at least one byte")]
    Empty {
        /// The file or byte set.
        path: String,
    },
    /// A chunk of zero bytes was asked for.
    #[error("--chunk is 0; give the bytes a chunk, such as 2048")]
    ZeroChunk,
    /// No coder has that name.
    #[error("unknown coder `{name}`; known are {known}")]
    UnknownCoder {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The file could not be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A coder refused its input or its own output.
    #[error("{coder}: cannot {action} the chunk at byte {offset}: {source}")]
    Coder {
        /// Name of the coder.
        coder: &'static str,
        /// `compress` or `decompress`.
        action: &'static str,
        /// Where the chunk starts, in bytes.
        offset: usize,
        /// What the coder said.
        source: std::io::Error,
    },
    /// A stream decodes to other bytes than went in; its size means nothing.
    #[error("{coder}: the chunk at byte {offset} does not decode to the bytes that went in")]
    Mismatch {
        /// Name of the coder.
        coder: &'static str,
        /// Where the chunk starts, in bytes.
        offset: usize,
    },
}

/// Reads a file and measures it with every coder.
///
/// # Errors
///
/// When the file cannot be read or is empty, and as [`measure`].
pub fn measure_file(
    path: &Path,
    chunk: Option<usize>,
    coders: &[Coder],
) -> Result<FileBaselines, BaselineError> {
    let data = std::fs::read(path).map_err(|source| BaselineError::Read {
        path: path.to_owned(),
        source,
    })?;
    measure_bytes(path, &data, chunk, coders)
}

/// As [`measure_file`], for bytes that came from elsewhere, such as standard input.
///
/// # Errors
///
/// When `data` is empty, and as [`measure`].
pub fn measure_bytes(
    path: &Path,
    data: &[u8],
    chunk: Option<usize>,
    coders: &[Coder],
) -> Result<FileBaselines, BaselineError> {
    if data.is_empty() {
        return Err(BaselineError::Empty {
            path: path.display().to_string(),
        });
    }
    Ok(FileBaselines {
        path: path.to_owned(),
        bytes: data.len() as u64,
        chunk,
        results: measure(data, chunk, coders)?,
    })
}

/// Compresses, decompresses, compares and sizes `data` with each coder.
///
/// `chunk` is the number of bytes compressed independently; the last chunk may
/// be shorter. Sizes do not depend on the number of threads.
///
/// # Errors
///
/// When `data` is empty, `chunk` is zero, a coder fails, or a stream does not
/// decode to its input.
pub fn measure(
    data: &[u8],
    chunk: Option<usize>,
    coders: &[Coder],
) -> Result<Vec<CoderResult>, BaselineError> {
    if data.is_empty() {
        return Err(BaselineError::Empty {
            path: "input".into(),
        });
    }
    let chunk = chunk.unwrap_or(data.len());
    if chunk == 0 {
        return Err(BaselineError::ZeroChunk);
    }
    coders
        .par_iter()
        .map(|&coder| {
            let bytes = data
                .par_chunks(chunk)
                .enumerate()
                .map(|(i, piece)| verified_length(coder, piece, i * chunk))
                .try_reduce(|| 0, |a, b| Ok(a + b))?;
            let repeated = data.len().div_ceil(chunk) as u64 - 1;
            let header = verified_length(coder, &[0], 0)?;
            let paper_bytes = bytes.saturating_sub(repeated * header);
            let n = data.len() as f64;
            Ok(CoderResult {
                coder: coder.name().to_owned(),
                bytes,
                rate: bytes as f64 / n,
                paper_bytes,
                paper_rate: paper_bytes as f64 / n,
            })
        })
        .collect()
}

/// Length in bytes of a stream that was decoded back to `piece`.
fn verified_length(coder: Coder, piece: &[u8], offset: usize) -> Result<u64, BaselineError> {
    let failed = |action| {
        move |source| BaselineError::Coder {
            coder: coder.name(),
            action,
            offset,
            source,
        }
    };
    let stream = coder.compress(piece).map_err(failed("compress"))?;
    let back = coder
        .decompress(&stream, piece.len())
        .map_err(failed("decompress"))?;
    if back != piece {
        return Err(BaselineError::Mismatch {
            coder: coder.name(),
            offset,
        });
    }
    Ok(stream.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(n: usize) -> Vec<u8> {
        use rand_chacha::ChaCha8Rng;
        use rand_core::{RngCore, SeedableRng};
        let mut bytes = vec![0; n];
        ChaCha8Rng::seed_from_u64(7).fill_bytes(&mut bytes);
        bytes
    }

    /// Table 1 of the paper, the column of random bytes.
    #[test]
    fn random_bytes_give_the_papers_column() {
        let data = random(1 << 20);
        let percent = |chunk, coder| {
            let r = &measure(&data, chunk, &[coder]).unwrap()[0];
            (r.paper_rate * 1000.0).round() / 10.0
        };
        assert_eq!(percent(None, Coder::Gzip), 100.0);
        assert_eq!(percent(None, Coder::Xz), 100.0);
        assert_eq!(percent(Some(2048), Coder::Gzip), 100.1);
        assert_eq!(percent(Some(2048), Coder::Xz), 100.0);
        assert_eq!(percent(Some(2048), Coder::PngPaper), 103.2);
        assert_eq!(percent(Some(2048), Coder::Png), 101.6);
    }

    /// The lengths that the paper subtracts: 21 bytes of gzip, 60 of xz, 67 of PNG.
    #[test]
    fn one_zero_byte_costs_what_the_paper_subtracts() {
        assert_eq!(verified_length(Coder::Gzip, &[0], 0).unwrap(), 21);
        assert_eq!(verified_length(Coder::Xz, &[0], 0).unwrap(), 60);
        assert_eq!(verified_length(Coder::Png, &[0], 0).unwrap(), 67);
    }

    #[test]
    fn every_coder_round_trips_awkward_lengths() {
        let text: Vec<u8> = b"abracadabra, said the kernel; ".repeat(200);
        for n in [1, 2, 31, 32, 33, 2047, 2048, 5001] {
            for data in [&random(n), &text[..n.min(text.len())], &vec![0; n]] {
                measure(data, None, Coder::ALL).unwrap();
            }
        }
    }

    #[test]
    fn honest_chunked_sizes_exceed_the_papers() {
        let data: Vec<u8> = b"the quick brown fox ".repeat(500);
        for r in measure(&data, Some(2048), Coder::DEFAULT).unwrap() {
            assert!(r.bytes > r.paper_bytes, "{}", r.coder);
        }
        for r in measure(&data, None, Coder::DEFAULT).unwrap() {
            assert_eq!(r.bytes, r.paper_bytes, "{}", r.coder);
        }
    }

    #[test]
    fn empty_input_and_zero_chunks_are_refused() {
        assert!(matches!(
            measure(&[], None, Coder::DEFAULT),
            Err(BaselineError::Empty { .. })
        ));
        assert!(matches!(
            measure(&[1], Some(0), Coder::DEFAULT),
            Err(BaselineError::ZeroChunk)
        ));
    }
}
