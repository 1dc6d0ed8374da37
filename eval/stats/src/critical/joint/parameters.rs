//! Every number of a joint law with its interval, and those that a bound decides.

use serde::{Deserialize, Serialize};

use super::{DataTerm, JointLaw, fit::Fitted};
use crate::critical::{bootstrap, law::ALPHA_RANGE};

/// One number of the law.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// `E`, `A`, `alpha`, `B`, `beta` or `C`.
    pub name: String,
    /// The fitted value.
    pub value: f64,
    /// 95% interval, for the law's form taken for granted.
    pub ci95: Option<[f64; 2]>,
    /// Whether it is at the end of what is looked at.
    pub at_bound: bool,
}

/// All numbers of the fitted law.
pub(super) fn of(fitted: &Fitted) -> Vec<Parameter> {
    let law = &fitted.joint.law;
    let most_beta = match law.term {
        DataTerm::ParametersPerByte => 1.0,
        _ => ALPHA_RANGE.1,
    };
    let near = |value: f64, bound: f64| (value / bound).ln().abs() < 0.01;
    let exponent = |value: f64, most: f64| near(value, ALPHA_RANGE.0) || near(value, most);
    type Of = fn(&JointLaw) -> f64;
    let all: [(&str, Of, bool); 6] = [
        ("E", |law| law.e, law.e == 0.0),
        ("A", |law| law.a, law.a == 0.0),
        ("alpha", |law| law.alpha, exponent(law.alpha, ALPHA_RANGE.1)),
        ("B", |law| law.b, false),
        (
            "beta",
            |law| law.beta,
            law.b != 0.0 && exponent(law.beta, most_beta),
        ),
        ("C", |law| law.c, false),
    ];
    let of_form = |name: &str| match law.term {
        DataTerm::Both => true,
        _ => name != "C",
    };
    let all = all.into_iter().filter(|(name, ..)| of_form(name));
    all.map(|(name, of, at_bound)| Parameter {
        name: name.into(),
        value: of(law),
        ci95: bootstrap::interval(
            fitted
                .resampled
                .iter()
                .map(|joint| of(&joint.law))
                .collect(),
        ),
        at_bound,
    })
    .collect()
}
