//! The description length: bytes of data plus model, with the rates derived from it.
//!
//! - [`Description`]: bytes of data and model together, by every [`Convention`] that
//!   counts the model's bytes, under a [`Regime`]. The raw, adjusted and prequential
//!   rates are computed by its methods and nowhere else.
//! - [`Row`]: one trial of a sweep with its description length. [`read`] reads the
//!   `results.json` of a sweep's folder, of this version or an earlier one.
//! - [`format`](mod@format): counts, bytes and rates for people.
//!
//! Not here: measuring lengths (`brevity-measure`), statistics of them
//! (`brevity-stats`), training and coding. Nothing here depends on burn. The
//! definitions behind the numbers are in `docs/mdl.md`.
//!
//! ```
//! use brevity_length::{Description, Regime, Scored};
//!
//! let scored = Scored { bytes: 1_000_000, hash: String::new() };
//! let of = |parameters, coded| {
//!     let bits = 8.0 * coded as f64;
//!     Description::two_part(Regime::InSample, scored.clone(), bits, coded, parameters, 1_000_000)
//! };
//! let (small, large) = (of(10_000, 280_000), of(100_000, 220_000));
//! assert!(large.raw_rate() < small.raw_rate());
//! assert!(large.adjusted_rate("fp16") > small.adjusted_rate("fp16"));
//! ```

mod axes;
mod convention;
mod description;
mod detected;
mod fields;
mod file;
pub mod format;
mod ladders;
mod learning;
mod legacy;
mod regime;
mod row;
mod score;
mod trial;

pub use axes::{Axes, AxisValue};
pub use convention::{Convention, ConventionError};
pub use description::{Code, Description, Evidence, FP16_BYTES, Scored};
pub use detected::{Detected, MinK, Overlap};
pub use file::{RowError, parse, read};
pub use ladders::{byte_sets, source_name, variants};
pub use learning::{CurvePoint, Learning};
pub use regime::Regime;
pub use row::{ROW_VERSION, Row, SIZE_KEYS};
pub use score::Score;
pub use trial::{Check, Provenance, State, TrainedOn, Training};
