//! Pretrained language models as rows: each chunk is coded on its own, as the paper
//! does.

use super::config::{PretrainedRow, SetConfig};
use super::prices::Price;
use super::sets::Bytes;
use super::{Cell, Curve, MatrixError, Options};
use brevity_length::Regime;
use brevity_pretrained::archive::{ArchiveError, Settings};
use brevity_pretrained::price::PriceError;
use brevity_pretrained::score::score_with_bits;
use brevity_pretrained::{Form, Model, byte_bits};
use brevity_task::{Control, Counter};

/// Chunks that are decoded side by side: that costs nothing, since each starts anew.
const LANES: usize = 16;

/// A model and how it reads bytes.
pub(super) struct Reading<'a> {
    /// Name of its row.
    pub name: &'a str,
    pub model: &'a Model,
    pub form: Form,
    /// Bytes of a chunk.
    pub chunk: usize,
}

/// The model of row number `at`; `None`, with a note, if it is optional and missing.
pub(super) fn load(
    at: usize,
    row: &PretrainedRow,
    notes: &mut Vec<String>,
) -> Result<Option<Model>, MatrixError> {
    if row.optional && !row.path.exists() {
        let path = row.path.display();
        notes.push(format!("{} is left out: there is no {path}", row.name));
        return Ok(None);
    }
    let model = Model::load(&row.path).map_err(|source| MatrixError::Named {
        key: format!("pretrained.{at}.path"),
        source: source.into(),
    })?;
    Ok(Some(model))
}

fn failed(row: &str, source: impl std::error::Error + Send + Sync + 'static) -> MatrixError {
    MatrixError::Train {
        row: row.to_owned(),
        source: source.into(),
    }
}

impl Reading<'_> {
    /// All that determines a cell but its bytes.
    pub fn key(&self) -> String {
        let hash = self.model.describe().hash;
        format!("pretrained {hash} {} {}", self.form, self.chunk)
    }

    fn settings(&self) -> Settings {
        Settings {
            form: self.form,
            chunk: Some(self.chunk),
            lanes: LANES,
            ..Settings::new(self.model)
        }
    }

    /// Runs `work` with a function that takes progress and says whether to go on.
    fn watched<T>(
        &self,
        (set, bytes): (&SetConfig, &Bytes),
        options: &Options<'_>,
        work: impl FnOnce(&(dyn Fn(usize) -> bool + Sync)) -> Result<T, ArchiveError>,
    ) -> Result<T, MatrixError> {
        let what = format!("{} measured on {}", self.name, set.name);
        let control = Control {
            stop: options.stop,
            progress: options.progress,
        };
        let counter = Counter::new(&control, &what, bytes.test.len() as u64);
        let more = |more: usize| counter.add(more as u64);
        work(&more).map_err(|error| match error {
            ArchiveError::Stopped | ArchiveError::Price(PriceError::Stopped) => {
                MatrixError::Stopped
            }
            error => failed(self.name, error),
        })
    }

    /// The cell of a set, and the code lengths of its chunks. What such models have
    /// learned is not known.
    pub fn cell(
        &self,
        column: (&SetConfig, &Bytes),
        lengths: &[usize],
        options: &Options<'_>,
    ) -> Result<(Cell, Price), MatrixError> {
        let bytes = &column.1.test.bytes;
        let verify = options.decoder.is_some();
        let (found, bits) = self.watched(column, options, |more| {
            score_with_bits(self.model, &self.settings(), bytes, verify, more)
        })?;
        let cell = Cell {
            bytes: found.data_bytes,
            raw: found.raw_rate,
            adjusted: found.adjusted_rate.fp16,
            stored: Some(found.adjusted_rate.stored),
            regime: Some(Regime::Unknown),
            decoded: found.verified,
        };
        Ok((cell, Price::new(&bits, self.chunk, lengths)))
    }

    /// The code lengths of a set's chunks, where its cell is known.
    pub fn price(
        &self,
        column: (&SetConfig, &Bytes),
        lengths: &[usize],
        options: &Options<'_>,
    ) -> Result<Price, MatrixError> {
        let bits = self.watched(column, options, |more| {
            let bytes = &column.1.test.bytes;
            Ok(byte_bits(self.model, &self.settings(), bytes, more)?)
        })?;
        Ok(Price::new(&bits, self.chunk, lengths))
    }

    /// The in-context curve on a set.
    pub fn curve(&self, set: &SetConfig, price: &Price) -> Curve {
        Curve {
            name: self.name.to_owned(),
            set: set.name.clone(),
            headers_once: false,
            parameters: Some(self.model.weights().parameters()),
            rates: price.rates.clone(),
        }
    }
}
