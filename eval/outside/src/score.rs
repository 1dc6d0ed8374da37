//! A predictor on a byte set: its code length, and the length of an archive that was
//! decoded again.

use crate::OutsideError;
use crate::predictor::{PredictorModel, check_causal, code_lengths, description};
use brevity_codec::archive::{Models, Options, Source, compress, decompress, inspect};
use brevity_codec::{Method, ScoreResult};
use brevity_length::{Code, Convention, Description, Evidence, Regime, Scored};
use brevity_task::{Control, Progress};
use std::io;

/// How far lengths in blocks and byte by byte may differ without a note, bits a byte.
const SAME: f64 = 5e-4;

/// A predictor on a byte set.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The description of the bytes, by one convention: [`Convention::stated`].
    pub description: Description,
    /// Bytes of the predictor's model, as its user states them; without them there is
    /// no adjusted rate.
    pub model_bytes: Option<u64>,
    /// What is to be known beside the numbers.
    pub notes: Vec<String>,
}

impl Score {
    /// The adjusted rate, if bytes of a model were stated.
    #[must_use]
    pub fn adjusted_rate(&self) -> Option<f64> {
        self.model_bytes?;
        self.description.adjusted_rate(Convention::STATED)
    }
}

/// Scores a predictor on `bytes`. It is tried for reading ahead, prices the bytes in
/// blocks, and, if `decode` says so, codes them byte by byte to an archive that is decoded
/// again by another instance of it. What its training bytes were is not known.
///
/// # Errors
/// A predictor that fails, reads ahead, or does not predict the same again;
/// [`OutsideError::Stopped`].
pub fn score(
    model: &PredictorModel,
    bytes: &[u8],
    model_bytes: Option<u64>,
    decode: bool,
    control: &Control<'_>,
) -> Result<Score, OutsideError> {
    model.with(|predictor| check_causal(predictor, bytes))?;
    let tell = |what: &str| {
        control.tell(Progress {
            of: 1,
            what,
            ..Progress::default()
        });
    };
    tell("pricing");
    let lengths = model.with(|predictor| code_lengths(predictor, bytes, control.stop))?;
    let bits = lengths.iter().map(|&b| f64::from(b)).sum();
    let mut coded = ScoreResult {
        bytes: bytes.len() as u64,
        bits,
    }
    .stream_bytes();
    let mut notes = Vec::new();
    if decode {
        tell("coding and decoding");
        let (archive, stored) = archive(model, bytes)?;
        let difference = (8.0 * archive as f64 - bits) / bytes.len().max(1) as f64;
        if stored && !bytes.is_empty() {
            notes.push("a block does not get shorter: the archive stores its bytes".to_owned());
        } else if difference.abs() > SAME + 16.0 / bytes.len().max(1) as f64 {
            notes.push(format!(
                "byte by byte, as archives are coded, the predictor needs {difference:+.4} bits a \
                 byte more than in blocks"
            ));
        }
        coded = archive;
    }
    let scored = Scored {
        bytes: bytes.len() as u64,
        hash: blake3::hash(bytes).to_string(),
    };
    let code = Code {
        convention: Convention::stated(),
        coded_bytes: coded,
        model_bytes: model_bytes.unwrap_or(0),
    };
    let evidence = match decode {
        true => Evidence::Decoded,
        false => Evidence::Estimate,
    };
    Ok(Score {
        description: Description::by(Regime::Unknown, scored, bits, code, 0).evidence(evidence),
        model_bytes,
        notes,
    })
}

/// Bytes of the streams of an archive by the predictor alone, which was decoded again, and
/// whether a block is stored as it is.
fn archive(model: &PredictorModel, bytes: &[u8]) -> Result<(u64, bool), OutsideError> {
    let options = Options {
        method: Some(Method::Model),
        ..Options::default()
    };
    let source = Source::outside(description(model.about()), Box::new(model.clone()));
    let mut archive = Vec::new();
    let written = compress(bytes, &mut archive, &source, &options, &|_| {})?;
    let find = |described: &[u8]| model.described(described);
    let models = Models {
        outside: Some(&find),
        ..Models::default()
    };
    // It compares with the hash of the bytes, and so do we.
    let read = decompress(&archive[..], io::sink(), &models, &|_| {})?;
    if read != written {
        return Err(OutsideError::Failed(
            "the archive decodes to other bytes".into(),
        ));
    }
    let parts = inspect(&archive[..])?;
    let stored = parts.blocks.iter().any(|block| block.method == Method::Raw);
    Ok((parts.payload(), stored))
}
