//! Classical compressors, as baselines for learned models.
//!
//! A [`Coder`] compresses bytes to a stream of its own format and back. [`measure`] runs
//! a list of them on one byte set, whole or in chunks that are compressed independently
//! (a transformer with a context of 2048 bytes sees no more either). It decodes every
//! stream that has a decoder, compares, and only then reports its size.
//!
//! Two sizes are reported for each coder. [`CoderResult::bytes`] counts everything that
//! a decoder reads, headers included. [`CoderResult::paper_bytes`] follows the
//! accounting of Delétang et al. (arXiv 2309.10668), who count the header once: for all
//! chunks but one they subtract the compressed length of a single zero byte. The two
//! agree if the input is one chunk.
//!
//! ```
//! use brevity_baselines::{Coder, measure};
//!
//! let text = b"to be or not to be ".repeat(50);
//! let measured = measure(&text, None, &[Coder::Gzip, Coder::Ppmd])?;
//! assert!(measured.results.iter().all(|r| r.rate < 0.2));
//! # Ok::<(), brevity_baselines::BaselineError>(())
//! ```

mod cjxl;
mod coder;
mod marginal;
mod pictures;
mod pieces;
mod raster;
mod sounds;
mod streams;

use std::path::PathBuf;

use brevity_data::{ByteSet, DataConfig, DataError};
use brevity_media::Geometry;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use coder::Coder;
pub use marginal::{Marginal, marginal_bits};
pub use pieces::{Piece, pieces};

/// Size of one byte set compressed by one coder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoderResult {
    /// Name of the coder and its setting, such as `xz -9e`.
    pub coder: String,
    /// Bytes of all streams, headers included.
    pub bytes: u64,
    /// `bytes` over the raw length.
    pub rate: f64,
    /// Bytes with the header of a chunk counted only once, as in the paper.
    pub paper_bytes: u64,
    /// `paper_bytes` over the raw length.
    pub paper_rate: f64,
    /// Whether every stream was decoded and compared; false for a format without an
    /// available decoder.
    #[serde(default = "always")]
    pub decoded: bool,
}

/// The default for files of earlier versions, in which all coders had decoders.
fn always() -> bool {
    true
}

/// A coder that could not measure the bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoderFailure {
    /// Name of the coder and its setting.
    pub coder: String,
    /// Why it failed.
    pub message: String,
}

/// The results of the requested coders. If one fails, only its own size is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// One entry for each coder that did not fail, in the requested order.
    pub results: Vec<CoderResult>,
    /// The coders that failed.
    pub failed: Vec<CoderFailure>,
}

/// All coders' results on one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileBaselines {
    /// The file or data set, or `-` for standard input.
    pub path: PathBuf,
    /// Raw length in bytes.
    pub bytes: u64,
    /// Chunk length in bytes; `None` if the file was compressed whole.
    pub chunk: Option<usize>,
    /// One entry per coder, in the given order.
    pub results: Vec<CoderResult>,
    /// Coders that could not measure it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<CoderFailure>,
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
    #[error("--chunk is 0; give the bytes per chunk, such as 2048")]
    ZeroChunk,
    /// No coder has that name.
    #[error("unknown coder `{name}`; known are {known}")]
    UnknownCoder {
        /// The name given.
        name: String,
        /// The known names.
        known: String,
    },
    /// The bytes could not be read.
    #[error("cannot measure the classical coders")]
    Data {
        /// Why.
        source: Box<DataError>,
    },
    /// A coder's programs are missing.
    #[error("{coder}: its programs are not on the PATH")]
    Missing {
        /// Name of the coder.
        coder: &'static str,
    },
    /// A coder refused its input or its own output.
    #[error("{coder}: cannot {action} the chunk at byte {offset}")]
    Coder {
        /// Name of the coder.
        coder: &'static str,
        /// `compress` or `decompress`.
        action: &'static str,
        /// Offset of the chunk in bytes.
        offset: usize,
        /// The coder's error.
        source: std::io::Error,
    },
    /// A stream decodes to other bytes than its input, so its size is meaningless.
    #[error("{coder}: the chunk at byte {offset} does not decode to its input")]
    Mismatch {
        /// Name of the coder.
        coder: &'static str,
        /// Offset of the chunk in bytes.
        offset: usize,
    },
}

/// Measures a file, a data set or any other source with every coder. Picture and sound
/// coders get the items of an imported set one by one.
///
/// # Errors
///
/// If the bytes cannot be read or are empty; those of [`measure`].
pub fn measure_set(
    set: &DataConfig,
    chunk: Option<usize>,
    coders: &[Coder],
) -> Result<FileBaselines, BaselineError> {
    let data = set.load().map_err(|source| BaselineError::Data {
        source: source.into(),
    })?;
    let data = data.train;
    let measured = match chunk {
        None => measure_set_bytes(&data, coders)?,
        chunk => measure(&data.bytes, chunk, coders)?,
    };
    Ok(FileBaselines {
        path: set.source.to_string().into(),
        bytes: data.len() as u64,
        chunk,
        results: measured.results,
        failed: measured.failed,
    })
}

/// Calls [`measure_pieces`] if the set records the geometry of its bytes, otherwise
/// [`measure`].
///
/// # Errors
///
/// Those of [`measure`]; a damaged record of the set.
pub fn measure_set_bytes(data: &ByteSet, coders: &[Coder]) -> Result<Measured, BaselineError> {
    match pieces::pieces_of(data)? {
        Some(pieces) => measure_pieces(&data.bytes, &pieces, coders),
        None => measure(&data.bytes, None, coders),
    }
}

/// Compresses, decompresses, compares and sizes `data` with each coder.
///
/// `chunk` is the number of bytes compressed independently; the last chunk may
/// be shorter. Sizes do not depend on the number of threads.
///
/// # Errors
///
/// When `data` is empty or `chunk` is zero. A coder that fails, or whose stream
/// does not decode to its input, is among [`Measured::failed`].
pub fn measure(
    data: &[u8],
    chunk: Option<usize>,
    coders: &[Coder],
) -> Result<Measured, BaselineError> {
    check_length(data)?;
    let chunk = chunk.unwrap_or(data.len());
    if chunk == 0 {
        return Err(BaselineError::ZeroChunk);
    }
    let whole = [Piece {
        bytes: data.len(),
        geometry: None,
    }];
    Ok(each(coders, |coder| in_pieces(data, &whole, chunk, coder)))
}

/// Like [`measure`], for `data` that consist of `pieces`: a coder that uses their
/// geometry compresses each picture or sound separately, any other coder compresses all
/// at once.
///
/// # Errors
///
/// Those of [`measure`].
///
/// # Panics
///
/// If the pieces are not as long as the data.
pub fn measure_pieces(
    data: &[u8],
    pieces: &[Piece],
    coders: &[Coder],
) -> Result<Measured, BaselineError> {
    check_length(data)?;
    let length: usize = pieces.iter().map(|piece| piece.bytes).sum();
    assert_eq!(length, data.len(), "pieces of other data");
    let whole = [Piece {
        bytes: data.len(),
        geometry: None,
    }];
    let uses = |coder: Coder, piece: &Piece| piece.geometry.is_some_and(|g| coder.uses(g));
    Ok(each(coders, |coder| {
        match pieces.iter().any(|piece| uses(coder, piece)) {
            true => in_pieces(data, pieces, usize::MAX, coder),
            false => in_pieces(data, &whole, data.len(), coder),
        }
    }))
}

fn check_length(data: &[u8]) -> Result<(), BaselineError> {
    match data.is_empty() {
        false => Ok(()),
        true => Err(BaselineError::Empty {
            path: "input".into(),
        }),
    }
}

/// Runs every coder on its own, on all threads.
fn each(
    coders: &[Coder],
    measure: impl Fn(Coder) -> Result<CoderResult, BaselineError> + Sync,
) -> Measured {
    let all: Vec<_> = coders.par_iter().map(|&coder| measure(coder)).collect();
    let mut measured = Measured::default();
    for (coder, result) in coders.iter().zip(all) {
        match result {
            Ok(result) => measured.results.push(result),
            Err(error) => measured.failed.push(CoderFailure {
                coder: coder.name().to_owned(),
                message: error.to_string(),
            }),
        }
    }
    measured
}

/// Compresses the pieces in order, each in chunks.
fn in_pieces(
    data: &[u8],
    pieces: &[Piece],
    chunk: usize,
    coder: Coder,
) -> Result<CoderResult, BaselineError> {
    if !coder.available() {
        return Err(BaselineError::Missing {
            coder: coder.name(),
        });
    }
    let mut streams = Vec::new();
    let mut start = 0;
    for piece in pieces {
        let end = start + piece.bytes;
        while start < end {
            let stop = start.saturating_add(chunk).min(end);
            streams.push((start..stop, piece.geometry));
            start = stop;
        }
    }
    let bytes = streams
        .par_iter()
        .map(|(range, geometry)| {
            verified_length(coder, &data[range.clone()], *geometry, range.start)
        })
        .try_reduce(|| 0, |a, b| Ok(a + b))?;
    let header = verified_length(coder, &[0], None, 0)?;
    let paper_bytes = bytes.saturating_sub((streams.len() as u64 - 1) * header);
    let n = data.len() as f64;
    Ok(CoderResult {
        coder: coder.name().to_owned(),
        bytes,
        rate: bytes as f64 / n,
        paper_bytes,
        paper_rate: paper_bytes as f64 / n,
        decoded: coder.decodes(),
    })
}

/// Length in bytes of a coder's stream of `data`, headers included. The stream is not
/// decoded: use it to compare continuations, not to report a size.
///
/// # Errors
///
/// If the coder fails.
pub fn stream_length(coder: Coder, data: &[u8]) -> Result<u64, BaselineError> {
    let stream = coder
        .compress(data, None)
        .map_err(|source| BaselineError::Coder {
            coder: coder.name(),
            action: "compress",
            offset: 0,
            source,
        })?;
    Ok(stream.len() as u64)
}

/// Length in bytes of a stream that was decoded back to `piece`.
fn verified_length(
    coder: Coder,
    piece: &[u8],
    geometry: Option<Geometry>,
    offset: usize,
) -> Result<u64, BaselineError> {
    let failed = |action| {
        move |source| BaselineError::Coder {
            coder: coder.name(),
            action,
            offset,
            source,
        }
    };
    let stream = coder
        .compress(piece, geometry)
        .map_err(failed("compress"))?;
    if !coder.decodes() {
        return Ok(stream.len() as u64);
    }
    let back = coder
        .decompress(&stream, geometry, piece.len())
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
    use brevity_media::Pcm16;

    fn random(n: usize) -> Vec<u8> {
        use rand_chacha::ChaCha8Rng;
        use rand_core::{RngCore, SeedableRng};
        let mut bytes = vec![0; n];
        ChaCha8Rng::seed_from_u64(7).fill_bytes(&mut bytes);
        bytes
    }

    /// The paper's Table 1, column of random bytes.
    #[test]
    fn random_bytes_give_the_papers_column() {
        let data = random(1 << 20);
        let percent = |chunk, coder| {
            let r = &all(measure(&data, chunk, &[coder]))[0];
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
        let header = |coder| verified_length(coder, &[0], None, 0).unwrap();
        assert_eq!(header(Coder::Gzip), 21);
        assert_eq!(header(Coder::Xz), 60);
        assert_eq!(header(Coder::Png), 67);
    }

    #[test]
    fn every_coder_round_trips_awkward_lengths() {
        let text: Vec<u8> = b"abracadabra, said the kernel; ".repeat(200);
        for n in [1, 2, 31, 32, 33, 2047, 2048, 5001] {
            for data in [&random(n), &text[..n.min(text.len())], &vec![0; n]] {
                all(measure(data, None, &here()));
            }
        }
    }

    /// The results; no coder may have failed.
    fn all(measured: Result<Measured, BaselineError>) -> Vec<CoderResult> {
        let measured = measured.unwrap();
        assert!(measured.failed.is_empty(), "{:?}", measured.failed);
        measured.results
    }

    /// A picture that is too large for WebP loses only the result of WebP.
    #[test]
    fn a_coder_that_fails_loses_its_own_size_only() {
        let width = 20_000;
        let data = vec![7; 3 * width];
        let pieces = [Piece {
            bytes: data.len(),
            geometry: Some(Geometry::Rgb { width }),
        }];
        let coders = [Coder::Webp, Coder::Png, Coder::Gzip];
        let measured = measure_pieces(&data, &pieces, &coders).unwrap();
        let names: Vec<_> = measured.results.iter().map(|r| &*r.coder).collect();
        assert_eq!(names, ["png 64", "gzip -9"]);
        assert_eq!(measured.failed.len(), 1);
        assert_eq!(measured.failed[0].coder, "webp");
        assert!(measured.failed[0].message.contains("webp: cannot"));
    }

    /// One pixel, and pictures of one column or row.
    #[test]
    fn the_smallest_pictures_are_pictures() {
        for (width, height) in [(1, 1), (1, 3), (3, 1), (2, 1)] {
            let data = vec![9; 3 * width * height];
            for geometry in [
                Geometry::Rgb { width },
                Geometry::RgbPlanar { width, height },
            ] {
                let piece = Piece {
                    bytes: data.len(),
                    geometry: Some(geometry),
                };
                all(measure_pieces(&data, &[piece], &here()));
            }
        }
    }

    fn here() -> Vec<Coder> {
        let all = Coder::ALL.iter().copied();
        all.filter(|coder| coder.available()).collect()
    }

    /// Two pictures, two sounds, and bytes, each in its own geometry.
    #[test]
    fn pieces_keep_their_geometry() {
        let smooth = |n: usize| -> Vec<u8> { (0..n).map(|i| (i / 7 % 256) as u8).collect() };
        let sound = |order| {
            Some(Geometry::Pcm16 {
                channels: 2,
                rate: 44_100,
                order,
            })
        };
        let geometries = [
            Some(Geometry::Rgb { width: 40 }),
            Some(Geometry::RgbPlanar {
                width: 40,
                height: 30,
            }),
            sound(Pcm16::LittleEndian),
            sound(Pcm16::Planes),
            sound(Pcm16::Deltas),
            None,
        ];
        let pieces = geometries.map(|geometry| Piece {
            bytes: match geometry {
                Some(geometry) if geometry.is_picture() => 3600,
                _ => 5000,
            },
            geometry,
        });
        let data = smooth(pieces.iter().map(|p| p.bytes).sum());
        let results = all(measure_pieces(&data, &pieces, &here()));
        assert!(results.iter().all(|r| r.rate < 1.1), "{results:?}");
        let whole = all(measure(&data, None, &[Coder::Gzip]));
        assert_eq!(results[0], whole[0]);
    }

    /// Bytes with more rows than the formats allow become several pictures.
    #[test]
    fn long_bytes_are_cut_into_pictures() {
        let data: Vec<u8> = (0..64 * 8192 + 70).map(|i| (i / 64) as u8).collect();
        for coder in [Coder::Png, Coder::Webp, Coder::Jxl] {
            assert!(all(measure(&data, None, &[coder]))[0].rate < 0.1);
        }
    }

    #[test]
    fn honest_chunked_sizes_exceed_the_papers() {
        let data: Vec<u8> = b"the quick brown fox ".repeat(500);
        for r in all(measure(&data, Some(2048), Coder::DEFAULT)) {
            assert!(r.bytes > r.paper_bytes, "{}", r.coder);
        }
        for r in all(measure(&data, None, Coder::DEFAULT)) {
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
