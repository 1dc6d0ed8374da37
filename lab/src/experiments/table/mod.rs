//! Tables of rates, with byte sets as columns and coders and models as rows: the paper's
//! Table 1, and the rates of models on other kinds of data than they were trained on.
//!
//! A [`Config`] lists byte sets, the columns, and coders and models, the rows. [`run`]
//! measures every cell, whole and in chunks. It keeps models and cells in a folder, so
//! that a stopped run can continue and nothing is computed twice. With `lengths`, each
//! [`Curve`] shows how the rate of a row falls with context; every run measures the
//! curves again. The resulting [`Matrix`] writes text, CSV, JSON and a page, with the
//! paper's figures in the columns that have the same bytes.
//!
//! ```
//! use brevity_lab::experiments::table::{Config, NEVER, Options, run};
//!
//! let config = "
//!     [[set]]
//!     name = 'noise'
//!     source = 'random'
//!     bytes = 4096
//!     paper = 'random'
//!     [coders]
//!     chunks = ['gzip -9']
//! ";
//! let config = Config::parse("noise.toml".as_ref(), config)?;
//! let folder = tempfile::tempdir()?;
//! let options = Options { decoder: None, stop: &NEVER, progress: &|_| {} };
//! let matrix = run(&config, folder.path(), Default::default(), &options)?;
//! assert_eq!(matrix.rows[0].cells[0].as_ref().unwrap().decoded, true);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cells;
mod config;
mod crossing;
mod curve;
mod curve_chart;
mod error;
mod html;
mod models;
pub mod paper;
mod payback;
mod predictor;
mod pretrained;
mod prices;
mod sets;
mod tasks;
mod text;

use std::path::{Path, PathBuf};

use brevity_files::OwnedFolder;
use brevity_length::{Convention, Description, Regime};
use brevity_measure::Decoder;
use brevity_task::{Progress, Stop};
use brevity_train::DeviceKind;
use serde::{Deserialize, Serialize};

pub use config::{CodersConfig, Config, ModelRow, PredictorRow, PretrainedRow, SetConfig};
pub use curve::Curve;
pub use error::MatrixError;
pub use models::NEVER;
pub use payback::Payback;
pub use tasks::{Part, freeze, plan, run_part};

use brevity_baselines::Coder;
use cells::Cells;
use payback::Side;

/// Options for filling a table.
pub struct Options<'a> {
    /// Decodes the archives of models; without it, their lengths are estimates.
    pub decoder: Option<&'a dyn Decoder>,
    /// Set to request a stop.
    pub stop: &'a Stop,
    /// Receives progress reports.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

/// One row on one byte set. Rates are coded bytes over raw bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Number of bytes measured.
    pub bytes: u64,
    /// Raw rate, without the bytes of a model.
    pub raw: f64,
    /// Adjusted rate with 2 bytes per parameter; equals `raw` for coders.
    pub adjusted: f64,
    /// Adjusted rate with the model as stored in an archive.
    pub stored: Option<f64>,
    /// How these bytes relate to the model's training data.
    pub regime: Option<Regime>,
    /// Whether the length is that of decoded streams.
    pub decoded: bool,
}

impl Row {
    /// Whether it is a model whose training data are not known.
    fn learned_elsewhere(&self) -> bool {
        self.parameters.is_some() && self.learned.is_none()
    }
}

impl Cell {
    /// The cell of a model.
    fn of(found: &Description) -> Cell {
        let adjusted = found.adjusted_rate(Convention::FP16);
        Cell {
            bytes: found.scored().bytes,
            raw: found.raw_rate(),
            adjusted: adjusted.unwrap_or(found.raw_rate()),
            stored: found.adjusted_rate(Convention::STORED),
            regime: Some(found.regime()),
            decoded: found.is_decoded(),
        }
    }
}

/// A row: a coder or a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Whether it compresses chunk by chunk. For models this is true: they compress
    /// context by context.
    pub chunks: bool,
    /// Whether the header of a chunk is charged only once, as the paper does.
    pub headers_once: bool,
    /// Parameters, of a model.
    pub parameters: Option<u64>,
    /// The training data of a model.
    pub learned: Option<String>,
    /// Its name in the paper.
    pub paper: Option<String>,
    /// One cell per column; `None` if it could not be measured.
    pub cells: Vec<Option<Cell>>,
}

/// A column: a byte set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its source.
    pub source: String,
    /// Number of bytes measured.
    pub bytes: u64,
    /// Their BLAKE3, in hexadecimal.
    pub hash: String,
    /// The paper's name for the same bytes.
    pub paper: Option<String>,
}

/// A filled table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// Its name.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// Chunk length in bytes.
    pub chunk: usize,
    /// The byte sets.
    pub columns: Vec<Column>,
    /// Coders on whole sets, coders on chunks, models.
    pub rows: Vec<Row>,
    /// Prefix lengths of the in-context curves, in bytes.
    pub lengths: Vec<usize>,
    /// The in-context curves of coders on chunks and of models.
    pub curves: Vec<Curve>,
    /// How many bytes of data pay for each pretrained model beside each coder; none in files
    /// of earlier versions.
    #[serde(default)]
    pub payback: Vec<Payback>,
    /// Notes for the reader.
    pub notes: Vec<String>,
}

/// Fills a table. Models and cells are kept in `folder`.
///
/// # Errors
///
/// A set that cannot be read and is not optional, a coder that fails, a model that
/// cannot be trained; [`MatrixError::Stopped`] on request.
pub fn run(
    config: &Config,
    folder: &Path,
    device: DeviceKind,
    options: &Options<'_>,
) -> Result<Matrix, MatrixError> {
    let mut notes = config.notes.clone();
    let sets = sets::read(config, &mut notes)?;
    let columns = sets::columns(config, &sets);
    let _owned = OwnedFolder::take(folder)?;
    let mut cells = Cells::open(folder)?;
    let mut rows = Vec::new();
    let mut curves = Vec::new();
    // Beside which pretrained models may pay.
    let mut sides = Vec::new();
    let wants_sides = !config.pretrained.is_empty();
    let mut with_curves = columns.clone();
    with_curves
        .retain(|(_, bytes)| !config.lengths.is_empty() && curve::has_chunks(bytes, config.chunk));
    for (names, chunk) in [
        (&config.coders.whole, None),
        (&config.coders.chunks, Some(config.chunk)),
    ] {
        for name in names {
            let coder = Coder::from_name(name).expect("the config was checked");
            if !coder.available() {
                notes.push(format!(
                    "{name} is left out: its programs are not on the PATH"
                ));
                continue;
            }
            (options.progress)(Progress {
                what: name,
                ..Progress::default()
            });
            check(options)?;
            let measured = cells.coder(coder, chunk, &columns, &mut notes)?;
            if wants_sides {
                sides.push(Side::of_coder(coder, &measured[0], config.chunk, &columns)?);
            }
            rows.extend(measured);
            let Some(chunk) = chunk else { continue };
            for &column in &with_curves {
                let lengths = &config.lengths;
                let of_coder = curve::of_coder(coder, column, chunk, lengths, &mut notes)?;
                curves.extend(of_coder.into_iter().flatten());
            }
        }
    }
    if config.coders.contexts {
        for chunk in [None, Some(config.chunk)] {
            check(options)?;
            let row = cells.contexts(chunk, &columns)?;
            if wants_sides {
                sides.push(Side::of_contexts(&row, config.chunk, &columns)?);
            }
            rows.push(row);
        }
        for &column in &with_curves {
            check(options)?;
            curves.extend(curve::of_contexts(column, config.chunk, &config.lengths)?);
        }
    }
    let mut payback = Vec::new();
    for (at, row) in config.pretrained.iter().enumerate() {
        let Some(model) = pretrained::load(at, row, &mut notes)? else {
            continue;
        };
        for &form in &row.forms {
            let model = pretrained::Reading {
                name: &row.shown(form),
                model: &model,
                form,
                chunk: config.chunk,
            };
            let mut measured = Vec::new();
            for (at, &column) in columns.iter().enumerate() {
                let (set, bytes) = column;
                if !row.measures(set) {
                    measured.push(None);
                    continue;
                }
                let (cell, price) = cells.pretrained(&model, column, &config.lengths, options)?;
                measured.push(Some(cell));
                if !price.rates.is_empty() {
                    curves.push(model.curve(set, &price));
                }
                let (names, size) = ((model.name, &set.name[..]), bytes.test.len());
                let stored = model.model.model_bytes();
                payback.extend(sides.iter().filter_map(|side| {
                    side.payback(at, names, stored, &price.chunks, (config.chunk, size))
                }));
            }
            rows.push(Row {
                name: model.name.to_owned(),
                chunks: true,
                headers_once: false,
                parameters: Some(model.model.weights().parameters()),
                learned: None,
                paper: row.paper.clone(),
                cells: measured,
            });
        }
    }
    for (at, row) in config.predictors.iter().enumerate() {
        let program = predictor::Program::start(at, row, config.chunk)?;
        let measured = columns.iter().map(|&column| program.cell(column, options));
        rows.push(Row {
            name: row.name.clone(),
            chunks: true,
            headers_once: false,
            parameters: Some(row.parameters),
            learned: None,
            paper: None,
            cells: measured
                .map(|cell| cell.map(Some))
                .collect::<Result<_, _>>()?,
        });
    }
    for of in models::all(config, &sets, &mut notes) {
        let (setup, learned) = (of.setup(device), of.learned());
        let model = of.trained(folder, &setup, &learned);
        let cells = cells.model(&model, &columns, options)?;
        if !with_curves.is_empty() {
            let weights = model.weights(options)?;
            for &column in &with_curves {
                let (chunk, lengths) = (config.chunk, &config.lengths[..]);
                curves.push(curve::of_model(&of.name, &weights, column, chunk, lengths)?);
            }
        }
        rows.push(Row {
            parameters: Some(setup.spec.parameters()),
            learned: Some(of.learns.to_owned()),
            paper: of.row.paper.clone(),
            chunks: true,
            headers_once: false,
            cells,
            name: of.name,
        });
    }
    let column = |(set, bytes): &(&SetConfig, &sets::Bytes)| Column {
        name: set.name.clone(),
        source: set.source.to_string(),
        bytes: bytes.test.len() as u64,
        hash: bytes.test.blake3().to_owned(),
        paper: set.paper.clone(),
    };
    Ok(Matrix {
        name: config.name().to_owned(),
        title: config
            .title
            .clone()
            .unwrap_or_else(|| config.name().to_owned()),
        chunk: config.chunk,
        columns: columns.iter().map(column).collect(),
        rows,
        lengths: config.lengths.clone(),
        curves,
        payback,
        notes,
    })
}

fn check(options: &Options<'_>) -> Result<(), MatrixError> {
    match options.stop.is_set() {
        true => Err(MatrixError::Stopped),
        false => Ok(()),
    }
}

/// Turns a name into a valid folder name.
fn slug(name: &str) -> String {
    let fine = |c: char| {
        if c.is_ascii_alphanumeric() || "+-.".contains(c) {
            c
        } else {
            '-'
        }
    };
    name.chars().map(fine).collect()
}

/// The file of all in-context curves.
const CURVES: &str = "curves.csv";

/// The picture of a set's in-context curves.
fn curve_file(set: &str) -> String {
    format!("curve-{}.svg", slug(set))
}

impl Matrix {
    /// The paper's figure for a cell, if both row and column are in the paper.
    #[must_use]
    pub fn papers(&self, row: &Row, column: &Column) -> Option<&'static paper::Figure> {
        if row.chunks && row.parameters.is_none() && !row.headers_once {
            return None;
        }
        paper::find(row.chunks, row.paper.as_deref()?, column.paper.as_deref()?)
    }

    /// The sets with in-context curves.
    fn curved(&self) -> impl Iterator<Item = &str> {
        let names = self.columns.iter().map(|column| &column.name[..]);
        names.filter(|name| self.curves.iter().any(|curve| curve.set == *name))
    }

    /// Writes `table.html`, `table.csv`, `table.json` and, if there are curves,
    /// `curves.csv` and `curve-SET.svg`, and removes the pictures of sets that the table which
    /// was there before has and this one has not; returns the page's path.
    ///
    /// # Errors
    ///
    /// A folder that is not writable.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, MatrixError> {
        self.remove_stale(folder)?;
        let json = serde_json::to_string_pretty(self).expect("a table is plain data");
        let page = folder.join("table.html");
        let mut files = vec![
            (folder.join("table.json"), json),
            (folder.join("table.csv"), text::csv(self)),
            (page.clone(), html::page(self)),
        ];
        for set in self.curved() {
            let picture = curve_chart::draw(self, set, 860.0).file();
            files.push((folder.join(curve_file(set)), picture));
        }
        if !self.curves.is_empty() {
            files.push((folder.join(CURVES), text::curves_csv(self)));
        }
        for (path, text) in files {
            brevity_files::write(&path, text.as_bytes()).map_err(|source| MatrixError::File {
                action: "write",
                path,
                source,
            })?;
        }
        Ok(page)
    }

    /// Removes what the table that lies in a folder drew and this one does not.
    fn remove_stale(&self, folder: &Path) -> Result<(), MatrixError> {
        let before = std::fs::read(folder.join("table.json")).unwrap_or_default();
        let Ok(before) = serde_json::from_slice::<Matrix>(&before) else {
            return Ok(());
        };
        let files = |table: &Matrix| -> Vec<String> {
            let table_of_curves = (!table.curves.is_empty()).then(|| CURVES.to_owned());
            table
                .curved()
                .map(curve_file)
                .chain(table_of_curves)
                .collect()
        };
        let kept = files(self);
        for name in files(&before).iter().filter(|name| !kept.contains(name)) {
            brevity_draw::remove(&folder.join(name))?;
        }
        Ok(())
    }

    /// The table for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        text::text(self)
    }
}
