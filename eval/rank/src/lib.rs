//! Models ranked by bits per byte on dated texts, with contamination columns.
//!
//! A [`Config`] names byte sets with dates and models: ours, pretrained ones, programs and
//! classical coders. [`rank()`] gives their [`Ranking`]: bits per *raw* byte with intervals
//! over documents, the adjusted rate with the model as stored, the worst set, how alike the
//! sets order the models, what each set has in common with known training bytes, and what
//! contamination [detectors](Detector) flag beside their false alarms. [`page()`] shows it,
//! [`table_csv`] is for other programs.
//!
//! Everything is an estimate: sums of code lengths, with nothing decoded.
//!
//! ```
//! use brevity_rank::{Config, rank, text};
//! use brevity_task::{Control, Stop};
//! use std::time::Duration;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("fresh.toml");
//! std::fs::write(&path, "
//!     [[set]]
//!     name = 'noise'
//!     date = 2026-03-01
//!     source = 'random'
//!     bytes = 10_000
//!     [[model]]
//!     name = 'PPMd'
//!     coder = 'ppmd'
//!     [[model]]
//!     name = 'gzip'
//!     coder = 'gzip'
//! ")?;
//! let (config, stop) = (Config::read(&path)?, Stop::new());
//! let found = rank(&config, Duration::from_secs(60), &Control::silent(&stop))?;
//! // Noise has no code shorter than itself.
//! assert!(found.models.iter().all(|model| model.bits_per_byte > 8.0));
//! assert!(text(&found).contains("gzip"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bootstrap;
mod config;
mod date;
mod detect;
mod error;
mod model;
mod page;
mod ranking;
mod set;
mod text;

pub use config::{Config, Kind, ModelConfig, SetConfig};
pub use date::Date;
pub use detect::Detector;
use detect::FLAGGED;
pub use error::RankError;
pub use page::page;
pub use ranking::{Cell, Correlation, OfModel, OfSet, Ranking, VERSION, rank};
pub use text::{table_csv, text};
