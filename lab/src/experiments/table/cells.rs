//! A cache of measured cells, kept between runs.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::config::SetConfig;
use super::models::{self, Trained};
use super::pretrained::Reading;
use super::prices::{Price, Prices};
use super::sets::Bytes;
use super::{Cell, MatrixError, Options, Row, check, paper};
use brevity_baselines::{BaselineError, Coder, CoderResult, measure, measure_set_bytes};
use brevity_codec::Level;
use brevity_codec::archive::{self, Source, compress, decompress};
use brevity_task::Progress;
use rayon::prelude::*;

/// Counts what changes within a version in the archives of our context models.
const ENCODER: u32 = 1;

/// What marks the folder of a table.
const MARKS: [&str; 2] = ["cells.json", "table.json"];
/// What a table writes beside it.
const RESULTS: [&str; 4] = ["table.html", "table.csv", "curves.csv", "prices.json"];

/// Cells by a key of everything that determines them.
pub(super) struct Cells {
    path: PathBuf,
    known: BTreeMap<String, Cell>,
    prices: Prices,
}

impl Cells {
    /// Reads the cells of a table's folder, with those that tasks measured.
    pub fn open(folder: &Path) -> Result<Cells, MatrixError> {
        if let Some(path) = brevity_files::foreign(folder, &MARKS, &RESULTS) {
            return Err(MatrixError::File {
                action: "replace",
                path,
                source: io::Error::other("the folder holds no table: name another one with --out"),
            });
        }
        let mut cells = Cells::only(folder)?;
        for entry in fs::read_dir(folder.join(models::TASKS))
            .into_iter()
            .flatten()
        {
            let Ok(entry) = entry else { continue };
            cells.known.extend(Cells::only(&entry.path())?.known);
        }
        Ok(cells)
    }

    /// Reads the cells of one folder.
    pub fn only(folder: &Path) -> Result<Cells, MatrixError> {
        let path = folder.join("cells.json");
        let known = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => {
                return Err(MatrixError::File {
                    action: "read",
                    path,
                    source,
                });
            }
        };
        let prices = Prices::open(folder);
        Ok(Cells {
            path,
            known,
            prices,
        })
    }

    /// Whether every cell of a model is known.
    pub fn has(
        &self,
        model: &Trained<'_>,
        columns: &[(&SetConfig, &Bytes)],
        decoded: bool,
    ) -> bool {
        let origin = models::origin(model.setup, model.learned);
        let key = |bytes: &Bytes| format!("model {origin} {}", bytes.test.blake3());
        let known = |bytes: &Bytes| self.known.get(&key(bytes));
        columns
            .iter()
            .all(|(_, bytes)| known(bytes).is_some_and(|cell| cell.decoded || !decoded))
    }

    fn keep(&mut self, key: String, cell: &Cell) -> Result<(), MatrixError> {
        self.known.insert(key, cell.clone());
        let text = serde_json::to_string_pretty(&self.known).expect("cells are plain data");
        brevity_files::write(&self.path, text.as_bytes()).map_err(|source| MatrixError::File {
            action: "write",
            path: self.path.clone(),
            source,
        })
    }

    /// The row of a coder. A chunked coder gets a second row, which counts headers as the
    /// paper does. If the coder fails, its cell is empty, and a note says why.
    pub fn coder(
        &mut self,
        coder: Coder,
        chunk: Option<usize>,
        columns: &[(&SetConfig, &Bytes)],
        notes: &mut Vec<String>,
    ) -> Result<Vec<Row>, MatrixError> {
        let (mut honest, mut once) = (Vec::new(), Vec::new());
        for (set, bytes) in columns {
            let key = |counted: &str| {
                let chunk = chunk.map_or("whole".into(), |chunk| chunk.to_string());
                format!("{} {chunk} {counted} {}", coder.name(), bytes.test.blake3())
            };
            let known = |counted| self.known.get(&key(counted)).cloned();
            let (all, shared) = match (known("all"), known("once")) {
                (Some(all), Some(shared)) => (all, shared),
                _ => {
                    let result = match chunk {
                        Some(chunk) => measure(&bytes.test.bytes, Some(chunk), &[coder]),
                        None => measure_set_bytes(&bytes.test, &[coder]),
                    };
                    let measured = result.map_err(|source: BaselineError| MatrixError::Coder {
                        set: set.name.clone(),
                        source: source.into(),
                    })?;
                    if let Some(failure) = measured.failed.first() {
                        notes.push(format!("no cell on {}: {}", set.name, failure.message));
                        honest.push(None);
                        once.push(None);
                        continue;
                    }
                    let result = &measured.results[0];
                    let cell = |rate| cell(result, bytes.test.len() as u64, rate);
                    let (all, shared) = (cell(result.rate), cell(result.paper_rate));
                    self.keep(key("all"), &all)?;
                    self.keep(key("once"), &shared)?;
                    (all, shared)
                }
            };
            honest.push(Some(all));
            once.push(Some(shared));
        }
        let row = |headers_once, cells| Row {
            name: coder.name().to_owned(),
            chunks: chunk.is_some(),
            headers_once,
            parameters: None,
            learned: None,
            paper: paper::name_of(coder).map(str::to_owned),
            cells,
        };
        Ok(match chunk {
            None => vec![row(false, honest)],
            Some(_) => vec![row(false, honest), row(true, once)],
        })
    }

    /// The row of our context models at their best level.
    pub fn contexts(
        &mut self,
        chunk: Option<usize>,
        columns: &[(&SetConfig, &Bytes)],
    ) -> Result<Row, MatrixError> {
        let mut cells = Vec::new();
        for (_, bytes) in columns {
            let data = &bytes.test.bytes;
            let length = chunk.unwrap_or(data.len().max(1));
            // Another version may choose other context models.
            let version = env!("CARGO_PKG_VERSION");
            let hash = bytes.test.blake3();
            let key = format!("contexts {version} {ENCODER} {length} {hash}");
            if let Some(known) = self.known.get(&key) {
                cells.push(Some(known.clone()));
                continue;
            }
            let archives = data.par_chunks(length).map(context_bytes);
            let stored: u64 = archives.sum::<Result<u64, MatrixError>>()?;
            let rate = stored as f64 / data.len().max(1) as f64;
            let cell = Cell {
                bytes: data.len() as u64,
                raw: rate,
                adjusted: rate,
                stored: None,
                regime: None,
                decoded: true,
            };
            self.keep(key, &cell)?;
            cells.push(Some(cell));
        }
        Ok(Row {
            name: CONTEXTS.into(),
            chunks: chunk.is_some(),
            headers_once: false,
            parameters: None,
            learned: None,
            paper: None,
            cells,
        })
    }

    /// The cell of a pretrained model on a set, and the code lengths of its chunks.
    pub fn pretrained(
        &mut self,
        model: &Reading<'_>,
        column: (&SetConfig, &Bytes),
        lengths: &[usize],
        options: &Options<'_>,
    ) -> Result<(Cell, Price), MatrixError> {
        let key = format!("{} {}", model.key(), column.1.test.blake3());
        let price_key = format!("{key} {lengths:?}");
        // A cached estimate does not replace a decoded length.
        let decoded = options.decoder.is_some();
        let known = self.known.get(&key).filter(|cell| cell.decoded || !decoded);
        if let (Some(cell), Some(price)) = (known, self.prices.get(&price_key)) {
            return Ok((cell.clone(), price.clone()));
        }
        check(options)?;
        let (cell, price) = match known {
            Some(cell) => (cell.clone(), model.price(column, lengths, options)?),
            None => model.cell(column, lengths, options)?,
        };
        self.keep(key, &cell)?;
        self.prices.keep(price_key, &price)?;
        Ok((cell, price))
    }

    /// The cells of a model; the model is trained if any of them is missing.
    pub fn model(
        &mut self,
        model: &Trained<'_>,
        columns: &[(&SetConfig, &Bytes)],
        options: &Options<'_>,
    ) -> Result<Vec<Option<Cell>>, MatrixError> {
        let origin = models::origin(model.setup, model.learned);
        let decoded = options.decoder.is_some();
        let mut weights = None;
        let mut cells = Vec::new();
        for (set, bytes) in columns {
            let key = format!("model {origin} {}", bytes.test.blake3());
            // A cached estimate does not replace a decoded length.
            let known = self.known.get(&key).filter(|cell| cell.decoded || !decoded);
            if let Some(cell) = known {
                cells.push(Some(cell.clone()));
                continue;
            }
            if weights.is_none() {
                weights = Some(model.weights(options)?);
            }
            check(options)?;
            let what = format!("{} measured on {}", model.name, set.name);
            (options.progress)(Progress {
                done: cells.len() as u64,
                of: columns.len() as u64,
                what: &what,
                ..Progress::default()
            });
            let weights = weights.as_ref().expect("they were just loaded");
            let cell = model.cell(weights, &bytes.test, options)?;
            self.keep(key, &cell)?;
            cells.push(Some(cell));
        }
        Ok(cells)
    }
}

/// The name of our context models.
pub(super) const CONTEXTS: &str = "brevity -9";

/// Bytes of the archive of a piece by our context models at their best level, which was
/// decoded again.
pub(super) fn context_bytes(piece: &[u8]) -> Result<u64, MatrixError> {
    let options = archive::Options {
        level: Level::Best,
        ..archive::Options::default()
    };
    let mut stored = Vec::new();
    let models = archive::Models::default();
    compress(piece, &mut stored, &Source::none(), &options, &|_| {})
        // The archive's own hashes say whether the same bytes come back.
        .and_then(|_| decompress(&stored[..], io::sink(), &models, &|_| {}))
        .map_err(|e| MatrixError::Train {
            row: CONTEXTS.into(),
            source: e.into(),
        })?;
    Ok(stored.len() as u64)
}

fn cell(result: &CoderResult, bytes: u64, rate: f64) -> Cell {
    Cell {
        bytes,
        raw: rate,
        adjusted: rate,
        stored: None,
        regime: None,
        decoded: result.decoded,
    }
}
