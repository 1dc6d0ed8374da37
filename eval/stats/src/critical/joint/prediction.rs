//! N* at a data size, measured or not.

use serde::{Deserialize, Serialize};

use super::{
    fit::{Fitted, Joint},
    power::PowerLaw,
};
use crate::critical::bootstrap;

/// N* at one data size according to the joint law.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Bytes described.
    pub data_bytes: f64,
    /// Parameters at which the description is shortest.
    pub n_star: f64,
    /// The same on the power law through the separate fits, which does not need the
    /// joint law to hold; nothing with fewer than two data sizes.
    pub free_n_star: Option<f64>,
    /// 95% interval of `n_star`.
    pub ci95: Option<[f64; 2]>,
    /// Adjusted rate there.
    pub rate: f64,
    /// Whether models were trained at this data size.
    pub measured: bool,
}

impl Prediction {
    /// N* at `data_bytes` by both laws; `measured` says whether models were trained there.
    pub(super) fn new(
        fitted: &Fitted,
        separate: Option<&PowerLaw>,
        data_bytes: f64,
        measured: bool,
    ) -> Self {
        let n_star = fitted.joint.critical_size(data_bytes);
        let all = fitted.resampled.iter();
        let Joint { law, cost } = fitted.joint;
        Self {
            data_bytes,
            n_star,
            free_n_star: separate.map(|law| law.at(data_bytes)),
            ci95: bootstrap::interval(all.map(|joint| joint.critical_size(data_bytes)).collect()),
            rate: law.bits_per_byte(n_star, data_bytes) / 8.0
                + cost.at(data_bytes).bytes(n_star) / data_bytes,
            measured,
        }
    }
}
