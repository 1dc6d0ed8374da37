//! N* at a data size, measured or not.

use serde::{Deserialize, Serialize};

use super::{
    fit::{Fitted, Joint},
    foretell::Forms,
    power::PowerLaw,
};

/// N* at one data size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Bytes described.
    pub data_bytes: f64,
    /// Parameters at which the description is shortest, averaged over the forms.
    pub n_star: f64,
    /// The same by the law printed.
    #[serde(default)]
    pub law_n_star: f64,
    /// The same on the power law through the separate fits, which does not need a
    /// joint law to hold; nothing with fewer than two data sizes.
    pub free_n_star: Option<f64>,
    /// 95% interval of `n_star`, forms and their errors beyond the data included.
    pub ci95: Option<[f64; 2]>,
    /// Adjusted rate there by the law printed.
    pub rate: f64,
    /// Whether models were trained at this data size.
    pub measured: bool,
}

impl Prediction {
    /// N* at `data_bytes`; `measured` says whether models were trained there.
    pub(super) fn new(
        fitted: &Fitted,
        forms: &Forms,
        separate: Option<&PowerLaw>,
        data_bytes: f64,
        measured: bool,
    ) -> Self {
        let (n_star, ci95) = match fitted.joint.law.a > 0.0 {
            true => forms.at(data_bytes),
            false => (0.0, None),
        };
        let Joint { law, cost } = fitted.joint;
        Self {
            data_bytes,
            n_star,
            law_n_star: fitted.joint.critical_size(data_bytes),
            free_n_star: separate.map(|law| law.at(data_bytes)),
            ci95,
            rate: law.bits_per_byte(n_star, data_bytes) / 8.0
                + cost.at(data_bytes).bytes(n_star) / data_bytes,
            measured,
        }
    }
}
