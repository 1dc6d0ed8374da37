//! Statistics of description lengths: rows or points in, claims out.
//!
//! - [`critical`]: the size at which more parameters stop paying for themselves, with its
//!   interval, and [`critical::joint`], the scaling law over data size;
//! - [`selection`]: models ranked by description length, and how sure that is;
//! - [`model_table`]: models from anybody's table, to be ranked;
//! - [`gap`]: two code lengths of the same bytes, and the interval of their difference;
//! - [`ablation`]: what each change is worth, in pairs of the same seed;
//! - [`design`]: which model to train next;
//! - [`checks`]: whether a ladder of models supports what is concluded from it;
//! - [`blocks`]: contiguous pieces drawn again, in runs where neighbours are alike, and
//!   [`simultaneous`]: intervals of differences that hold for all pairs at once;
//! - [`rank`]: how well a number tells two groups apart, and how two numbers rank models.
//!
//! What goes in are the [`Row`](brevity_length::Row)s of a sweep, or
//! [`Point`](critical::Point)s from anybody's table. Nothing here trains, draws or depends
//! on burn. The formulas are in `docs/mdl.md`; `data/paper-fig2.csv` has the digitised
//! points of the paper's size curve.
//!
//! ```
//! use brevity_stats::critical::{Estimator, critical_sizes, points::parse_csv};
//!
//! let table = "parameters,data_bytes,bits_per_byte\n\
//!     4e3,5e5,2.70\n8e3,5e5,2.37\n16e3,5e5,2.11\n32e3,5e5,1.90\n64e3,5e5,1.74\n";
//! let points = parse_csv(table, "table", 2.0)?;
//! let found = critical_sizes(&points, &Estimator::default())?;
//! assert!(found[0].n_star > 8e3 && found[0].n_star < 32e3);
//! # Ok::<(), brevity_stats::critical::CriticalError>(())
//! ```

pub mod ablation;
pub mod blocks;
pub mod checks;
pub mod critical;
pub mod design;
pub mod distribution;
pub mod gap;
pub mod model_table;
mod moderated;
pub mod random;
pub mod rank;
pub mod selection;
pub mod simultaneous;
mod ties;
