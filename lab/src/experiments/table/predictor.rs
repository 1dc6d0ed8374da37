//! Programs that predict as rows: each chunk is priced on its own.

use super::config::{PredictorRow, SetConfig};
use super::sets::Bytes;
use super::{Cell, MatrixError, Options, check};
use brevity_codec::ScoreResult;
use brevity_length::{Code, Convention, Description, Regime, Scored};
use brevity_outside::pipe::{LIMIT, Pipe};
use brevity_outside::predictor::{PredictorModel, check_causal, code_lengths};
use brevity_outside::{Outside, OutsideError};

/// A program that runs.
pub(super) struct Program<'a> {
    row: &'a PredictorRow,
    model: PredictorModel,
    /// Bytes of a chunk.
    chunk: usize,
}

impl<'a> Program<'a> {
    /// Starts the program of row number `at`.
    pub fn start(
        at: usize,
        row: &'a PredictorRow,
        chunk: usize,
    ) -> Result<Program<'a>, MatrixError> {
        let command = row.command.clone();
        let make = move || Ok(Box::new(Pipe::new(&command, LIMIT)?) as Box<dyn Outside>);
        let model = PredictorModel::new(Box::new(make)).map_err(|source| MatrixError::Named {
            key: format!("predictor.{at}.command"),
            source: source.into(),
        })?;
        Ok(Program { row, model, chunk })
    }

    /// The cell of a set: an estimate. It is never kept: another program may have the same
    /// command. What the program has learned is not known.
    pub fn cell(
        &self,
        (_, bytes): (&SetConfig, &Bytes),
        options: &Options<'_>,
    ) -> Result<Cell, MatrixError> {
        check(options)?;
        let data: &[u8] = &bytes.test.bytes;
        let bits = self.model.with(|predictor| {
            check_causal(predictor, data)?;
            // Chunks of whole contexts are independent however they are asked for.
            let context = self.model.about().context;
            let piece = match context > 0 && self.chunk.is_multiple_of(context) {
                true => data.len().max(1),
                false => self.chunk,
            };
            let mut bits = 0.0;
            for chunk in data.chunks(piece) {
                let lengths = code_lengths(predictor, chunk, options.stop)?;
                bits += lengths.iter().map(|&b| f64::from(b)).sum::<f64>();
            }
            Ok(bits)
        });
        let bits = bits.map_err(|error| match error {
            OutsideError::Stopped => MatrixError::Stopped,
            error => failed(self.row, error),
        })?;
        let scored = Scored {
            bytes: data.len() as u64,
            hash: bytes.test.blake3().to_owned(),
        };
        let coded_bytes = ScoreResult {
            bytes: scored.bytes,
            bits,
        }
        .stream_bytes();
        let parameters = self.row.parameters;
        let found =
            Description::two_part(Regime::Unknown, scored, bits, coded_bytes, parameters, 0);
        let found = match self.row.model_bytes {
            None => found,
            Some(model_bytes) => found.with(Code {
                convention: Convention::stored(),
                coded_bytes,
                model_bytes,
            }),
        };
        Ok(Cell::of(&found))
    }
}

fn failed(row: &PredictorRow, source: OutsideError) -> MatrixError {
    MatrixError::Train {
        row: row.name.clone(),
        source: source.into(),
    }
}
