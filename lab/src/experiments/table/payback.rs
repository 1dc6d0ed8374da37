//! How many bytes of data pay for a pretrained model beside each coder of the table.

use super::config::SetConfig;
use super::sets::Bytes;
use super::{Cell, Matrix, MatrixError, Row, cells};
use brevity_baselines::{Coder, stream_length};
use brevity_length::format::bytes;
use brevity_pretrained::ModelBytes;
use brevity_pretrained::score::{BreakEven, Length};
use brevity_stats::blocks::mean_interval;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The break-even length of a pretrained model on a set, beside a coder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payback {
    /// Name of the model's row.
    pub row: String,
    /// Name of the byte set.
    pub set: String,
    /// Whether the coder codes chunk by chunk, as the model does; otherwise its rate is
    /// that of the whole set.
    pub chunks: bool,
    /// The lengths. The interval is by a block bootstrap of the chunks.
    #[serde(flatten)]
    pub found: BreakEven,
}

/// A coder beside which models may pay.
pub(super) struct Side {
    pub name: String,
    /// Rate on each column; `None` if it could not be measured.
    rates: Vec<Option<f64>>,
    /// Bytes of each chunk of each column, if it codes chunk by chunk.
    chunks: Option<Vec<Vec<u64>>>,
}

impl Side {
    /// A coder's row, with every header counted.
    pub fn of_coder(
        coder: Coder,
        row: &Row,
        chunk: usize,
        columns: &[(&SetConfig, &Bytes)],
    ) -> Result<Side, MatrixError> {
        Side::new(row, chunk, columns, &|piece| {
            stream_length(coder, piece).map_err(|source| MatrixError::Coder {
                set: row.name.clone(),
                source: source.into(),
            })
        })
    }

    /// The row of our context models.
    pub fn of_contexts(
        row: &Row,
        chunk: usize,
        columns: &[(&SetConfig, &Bytes)],
    ) -> Result<Side, MatrixError> {
        Side::new(row, chunk, columns, &cells::context_bytes)
    }

    fn new(
        row: &Row,
        chunk: usize,
        columns: &[(&SetConfig, &Bytes)],
        length: &(dyn Fn(&[u8]) -> Result<u64, MatrixError> + Sync),
    ) -> Result<Side, MatrixError> {
        let rate = |cell: &Option<Cell>| cell.as_ref().map(|cell| cell.raw);
        let chunks = |cell: &Option<Cell>, bytes: &Bytes| match cell {
            None => Ok(Vec::new()),
            Some(_) => bytes.test.bytes.par_chunks(chunk).map(length).collect(),
        };
        let cells = row.cells.iter().zip(columns);
        Ok(Side {
            name: row.name.clone(),
            rates: row.cells.iter().map(rate).collect(),
            chunks: match row.chunks {
                false => None,
                true => Some(
                    cells
                        .map(|(cell, (_, bytes))| chunks(cell, bytes))
                        .collect::<Result<_, _>>()?,
                ),
            },
        })
    }

    /// What pays for a model whose chunks of column `at` take `own` bytes, `None` where
    /// the coder has no rate. Chunks are of `chunk` bytes, of `len` in all.
    pub fn payback(
        &self,
        at: usize,
        (row, set): (&str, &str),
        model: ModelBytes,
        own: &[f64],
        (chunk, len): (usize, usize),
    ) -> Option<Payback> {
        let rate = self.rates[at]?;
        // Blocks of equal length; a rest is left out, unless it is all there is.
        let whole = (len / chunk).max(1);
        let n = chunk.min(len).max(1) as f64;
        let saved = own.iter().take(whole).enumerate().map(|(i, own)| {
            let beside = match &self.chunks {
                Some(chunks) => chunks[at][i] as f64,
                None => rate * n,
            };
            (beside - own) / n
        });
        let saved: Vec<f64> = saved.collect();
        let mean = saved.iter().sum::<f64>() / saved.len().max(1) as f64;
        Some(Payback {
            row: row.to_owned(),
            set: set.to_owned(),
            chunks: self.chunks.is_some(),
            found: BreakEven::new(&self.name, rate, model, mean, mean_interval(&saved)),
        })
    }
}

/// A table: a heading, the names of columns, the lines.
type Titled = (&'static str, Vec<String>, Vec<Vec<String>>);

/// Which of the lengths is shown.
type Shown = fn(&BreakEven) -> Length;

/// The tables of break-even lengths, with the model as stored and at two bytes a
/// parameter.
pub(super) fn tables(matrix: &Matrix) -> Vec<Titled> {
    let kinds: [(_, Shown); 2] = [
        ("the model as stored", |found| found.stored),
        ("2 bytes per parameter", |found| found.fp16),
    ];
    if matrix.payback.is_empty() {
        return Vec::new();
    }
    let columns: Vec<&str> = matrix.columns.iter().map(|c| &c.name[..]).collect();
    let mut header = vec!["model".to_owned(), "beside".into(), "chunk".into()];
    header.extend(columns.iter().map(|&name| name.to_owned()));
    let mut sides: Vec<(&str, &str, bool)> = Vec::new();
    for pays in &matrix.payback {
        let side = (&pays.row[..], &pays.found.coder[..], pays.chunks);
        if !sides.contains(&side) {
            sides.push(side);
        }
    }
    let table = |length: Shown| {
        let line = |&(row, coder, chunks): &(&str, &str, bool)| {
            let chunk = match chunks {
                true => matrix.chunk.to_string(),
                false => "whole".into(),
            };
            let mut line = vec![row.to_owned(), coder.to_owned(), chunk];
            line.extend(columns.iter().map(|&set| {
                let same = |pays: &&Payback| {
                    (&pays.row[..], &pays.found.coder[..], pays.chunks) == (row, coder, chunks)
                        && pays.set == set
                };
                let found = matrix.payback.iter().find(same);
                found.map_or("-".into(), |pays| shown(length(&pays.found)))
            }));
            line
        };
        sides.iter().map(line).collect()
    };
    let table = |(title, length)| (title, header.clone(), table(length));
    kinds.into_iter().map(table).collect()
}

/// A length with its interval.
fn shown(length: Length) -> String {
    let number = |n: Option<u64>| n.map_or("never".into(), |n| bytes(n as f64));
    match (length.bytes, length.ci95) {
        // Nothing is saved, and nothing in the interval is.
        (None, None | Some([None, _])) => "never".into(),
        (mean, None) => number(mean),
        (mean, Some([low, high])) => {
            format!("{} ({} to {})", number(mean), number(low), number(high))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(chunks: Option<Vec<Vec<u64>>>) -> Side {
        Side {
            name: "gzip -9".into(),
            rates: vec![Some(0.5), None],
            chunks,
        }
    }

    const MODEL: ModelBytes = ModelBytes {
        stored: 1000,
        fp16: 4000,
    };

    #[test]
    fn chunks_are_compared_with_chunks_and_wholes_with_their_rate() {
        let own = [10.0, 20.0, 30.0, 1.0];
        let pays = |side: &Side, at| side.payback(at, ("m", "s"), MODEL, &own, (100, 310));
        let chunks = side(Some(vec![vec![40, 50, 60, 9], vec![]]));
        let found = pays(&chunks, 0).unwrap();
        assert!((found.found.saved - 0.3).abs() < 1e-12 && found.chunks);
        assert_eq!(found.found.stored.bytes, Some(3333));
        assert_eq!(found.found.fp16.bytes, Some(13_333));
        let found = pays(&side(None), 0).unwrap();
        assert!((found.found.saved - 0.3).abs() < 1e-12 && !found.chunks);
        assert_eq!(pays(&chunks, 1), None);
        // Less than a chunk is a block of its own.
        let short = side(None).payback(0, ("m", "s"), MODEL, &[5.0], (100, 50));
        assert!((short.unwrap().found.saved - 0.4).abs() < 1e-12);
    }

    #[test]
    fn lengths_are_shown_with_their_intervals() {
        let length = |bytes, ci95| shown(Length { bytes, ci95 });
        assert_eq!(length(None, None), "never");
        assert_eq!(length(None, Some([None, None])), "never");
        assert_eq!(length(Some(2_000_000), None), "2 MB");
        let text = length(Some(2_000_000), Some([Some(1_000_000), None]));
        assert_eq!(text, "2 MB (1 MB to never)");
        let text = length(None, Some([Some(3_000_000), None]));
        assert_eq!(text, "never (3 MB to never)");
    }
}
