//! Description lengths: from measured models to statements about them.
//!
//! What lives here takes numbers that others measured (result rows of a sweep,
//! a table of points, code lengths) or plain bytes, and says what follows:
//!
//! - [`baselines`]: how far classical coders get on the same bytes, each stream
//!   decoded and compared before its size is told;
//! - [`critical`]: the size at which more parameters stop paying for themselves,
//!   with its interval, and [`critical::joint`], the law over data size;
//! - [`ablation`]: what each change is worth, in pairs of the same seed;
//! - [`selection`]: models ranked by description length, and how sure that is;
//! - [`prequential`]: what learners need for data they have not seen, beside
//!   two-part codes of the same ladder;
//! - [`checks`]: whether a ladder of models supports what is concluded from it;
//! - [`contamination`]: detectors of test text in training text, to set beside
//!   description lengths, which need none;
//! - [`score`]: models and byte sets of one's own, every length of every pair;
//! - [`matrix`]: byte sets times coders times models, as in the paper's Table 1;
//! - [`maps`]: pictures of where the bits go, byte by byte;
//! - [`generate`]: continuations sampled from models and from classical coders;
//! - [`view`]: bytes as pictures and sounds;
//! - [`report`]: all of it as one page, pictures, tables, CSV and JSON;
//! - [`rows`]: the rows of `results.json`, read with tolerance.
//!
//! What does not live here: training and sweeps (`brevity-train`), models
//! (`brevity-model`), coding (`brevity-codec`), byte sets (`brevity-data`). The
//! definitions behind the numbers are in `docs/mdl.md`. `data/paper-fig2.csv`
//! has the digitised points of the paper's size curve.
//!
//! ```
//! use brevity_eval::critical::{Estimator, critical_sizes, points::parse_csv};
//!
//! let table = "parameters,data_bytes,bits_per_byte\n\
//!     4e3,5e5,2.70\n8e3,5e5,2.37\n16e3,5e5,2.11\n32e3,5e5,1.90\n64e3,5e5,1.74\n";
//! let points = parse_csv(table, "table", 2.0)?;
//! let found = critical_sizes(&points, &Estimator::default())?;
//! assert!(found[0].n_star > 8e3 && found[0].n_star < 32e3);
//! # Ok::<(), brevity_eval::critical::CriticalError>(())
//! ```

pub mod ablation;
pub mod baselines;
pub mod checks;
pub mod contamination;
pub mod critical;
pub mod format;
pub mod generate;
pub mod maps;
pub mod matrix;
mod output;
mod page;
pub mod prequential;
mod random;
pub mod report;
pub mod rows;
pub mod score;
pub mod selection;
pub mod table;
pub mod view;
