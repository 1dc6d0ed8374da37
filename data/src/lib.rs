//! Byte sets: their sources, splits, registry, overlap, statistics.
//!
//! - [`Source`] names bytes, [`ByteSet`] holds them with their [`Provenance`];
//! - [`DataConfig`] is the `[data]` table: a prefix and a disjoint held-out part;
//! - [`CratesList`] is the built-in set `crates`, [`Generator`] makes seeded bytes;
//! - [`Registry`] lists public sets, [`Client`] fetches them, [`import()`] makes sets
//!   of files, [`export()`] makes files of sets;
//! - [`overlap`] measures what two byte strings share, [`Stats`] the entropies of one.
//!
//! Not here: decoding of pictures and sounds (`brevity-media`), batches and the order
//! of training sequences (`brevity-train`), classical coders (`brevity-baselines`).
//!
//! ```
//! use brevity_data::{DataConfig, Stats, regime};
//! use brevity_length::Regime;
//!
//! let config: DataConfig = toml::from_str(
//!     "source = 'synthetic-audio'
//!      bytes = 10_000
//!      holdout = { bytes = 1_000 }",
//! )
//! .unwrap();
//! let split = config.load()?;
//! let holdout = split.holdout.unwrap();
//! assert_eq!((split.train.len(), holdout.len()), (10_000, 1_000));
//! assert_eq!(regime(&split.train, &holdout), Regime::HeldOut);
//! assert!(Stats::of(&split.train.bytes).order0 < 8.0);
//! # Ok::<(), brevity_data::DataError>(())
//! ```
//!
//! `README.md` of this folder describes the sources, the registry's format and the
//! store.

mod bytes;
mod byteset;
mod config;
mod crates;
mod data_argument;
mod described;
mod error;
mod export;
mod fetch;
mod files;
mod generate;
mod hashes;
mod import;
mod leak;
mod listing;
mod meaning;
pub mod overlap;
mod packed;
mod pattern;
mod plan;
mod regime;
mod registry;
mod source;
mod source_content;
mod stats;
mod store;
mod together;

pub use bytes::{Bytes, IN_MEMORY};
pub use byteset::{ByteSet, Provenance};
pub use config::{DataConfig, HoldoutConfig, Split};
pub use crates::CratesList;
pub use error::{DataError, Result};
pub use export::{Select, export};
pub use fetch::{Client, SLOWEST};
pub use files::PassedOver;
pub use generate::Generator;
pub use import::{Import, Imported, default_name, import};
pub use leak::{LeakConfig, in_word, without_words};
pub use listing::{Listing, State, list};
pub use plan::Plan;
pub use regime::{SHARED_WINDOW, regime, regime_by_provenance, shared_bytes};
pub use registry::{Entry, Registry, RemoteFile, Unpack};
pub use source::Source;
pub use source_content::passed_over;
pub use stats::{DUPLICATE_BLOCK, Stats};
pub use store::{FileRecord, SetRecord, Store};
