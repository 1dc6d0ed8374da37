//! Lengths of coded bytes: those of an archive that was decoded again, or the
//! code length alone.

use super::work::WorkError;
use brevity_codec::archive::{Models, Options, Source, compress, decompress, inspect};
use brevity_codec::weights::{self, Plan};
use brevity_codec::{Method, score};
use brevity_model::Weights;
use std::io::{self, Write};

/// A model and how an archive stores it.
pub(super) struct Model {
    /// The weights as they were trained.
    pub exact: Weights,
    /// How finely each tensor is stored.
    pub plan: Plan,
}

/// Lengths of some bytes under one form of a model's weights.
pub(super) struct Length {
    /// Bytes of the coded stream.
    pub coded: u64,
    /// Bytes of everything else in the archive: the weights if it holds them,
    /// header, hashes.
    pub rest: u64,
}

impl Model {
    /// The weights as a decoder of an archive that holds them has them.
    pub fn rounded(&self) -> Weights {
        weights::quantise(&self.exact, &self.plan)
    }

    /// An archive that holds only the model's hash, decoded again.
    pub fn external(&self, bytes: &[u8]) -> Result<Length, WorkError> {
        archived(&Source::external(&self.exact), Some(&self.exact), bytes)
    }

    /// An archive that holds the model, decoded again with nothing else.
    pub fn embedded(&self, bytes: &[u8]) -> Result<Length, WorkError> {
        archived(&Source::embedded(&self.exact, &self.plan), None, bytes)
    }

    /// What [`external`](Model::external) comes to by the code length.
    pub fn external_estimate(&self, bytes: &[u8]) -> Result<Length, WorkError> {
        let coded = score(&self.exact, bytes)?.stream_bytes();
        Ok(Length { coded, rest: 0 })
    }

    /// What [`embedded`](Model::embedded) comes to by the code length.
    pub fn embedded_estimate(&self, bytes: &[u8]) -> Result<Length, WorkError> {
        let coded = score(&self.rounded(), bytes)?.stream_bytes();
        let rest = weights::encode(&self.exact, &self.plan).len() as u64;
        Ok(Length { coded, rest })
    }
}

/// Codes `bytes` with the model alone, decodes them and compares.
fn archived(
    source: &Source,
    external: Option<&Weights>,
    bytes: &[u8],
) -> Result<Length, WorkError> {
    let options = Options {
        method: Some(Method::Model),
        ..Options::default()
    };
    let mut archive = Vec::new();
    compress(bytes, &mut archive, source, &options, &mut |_| {})?;
    let models = Models {
        external,
        ..Models::default()
    };
    let mut comparison = Comparison { left: bytes };
    decompress(&archive[..], &mut comparison, &models, &mut |_| {})?;
    if !comparison.left.is_empty() {
        return Err("the archive decodes to fewer bytes than it was made of".into());
    }
    let parts = inspect(&archive[..])?;
    Ok(Length {
        coded: parts.payload(),
        rest: parts.stored - parts.payload(),
    })
}

/// Takes exactly the bytes that are left.
struct Comparison<'a> {
    left: &'a [u8],
}

impl Write for Comparison<'_> {
    fn write(&mut self, decoded: &[u8]) -> io::Result<usize> {
        match self.left.strip_prefix(decoded) {
            Some(left) => {
                self.left = left;
                Ok(decoded.len())
            }
            None => Err(io::Error::other(
                "the archive decodes to other bytes than it was made of",
            )),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
