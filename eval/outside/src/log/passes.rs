//! How often a run saw its data, as its log tells.

use super::{LogError, Settings};

/// What is known of the number of passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// One, by the epochs that are logged.
    OneByEpochs,
    /// One, by the bytes of the data.
    OneByBytes,
    /// Nothing: one is assumed.
    Assumed,
    /// More than one: the integral is no code length.
    Many,
}

/// The epochs of a log.
#[derive(Default)]
pub(super) struct Epochs {
    first: Option<f64>,
    last: f64,
    /// Whether any is no whole number.
    parts: bool,
}

impl Epochs {
    pub fn see(&mut self, epoch: Option<f64>) {
        if let Some(epoch) = epoch {
            self.first.get_or_insert(epoch);
            self.last = epoch;
            self.parts |= epoch.fract() != 0.0;
        }
    }

    /// How often the data were seen. Whole numbers from 0 are those of passes under way; from
    /// 1, or with parts, they tell how many passes were done.
    pub fn passes(&self) -> Option<f64> {
        let under_way = !self.parts && self.first? == 0.0;
        Some(self.last + if under_way { 1.0 } else { 0.0 })
    }
}

/// How often the data were seen, if that is known.
pub(super) fn passes(
    epochs: Option<f64>,
    seen: Option<f64>,
    settings: &Settings,
) -> Result<Passes, LogError> {
    let by_bytes = settings.data_bytes.and_then(|bytes| Some(seen? / bytes));
    let known = by_bytes.or(epochs);
    match known {
        // Batches are whole, and so may go a little further than the data.
        Some(passes) if passes > 1.001 && !settings.many_passes => Err(LogError::Passes { passes }),
        Some(passes) if passes > 1.001 => Ok(Passes::Many),
        _ if settings.many_passes => Ok(Passes::Many),
        Some(_) if by_bytes.is_some() => Ok(Passes::OneByBytes),
        Some(_) => Ok(Passes::OneByEpochs),
        None => Ok(Passes::Assumed),
    }
}
