//! Reasons to distrust a critical size.

use brevity_length::format::count;

use super::{CriticalSize, cost, interval, ladder::Ladder};

/// What the warnings look at beside the result.
pub(super) struct Evidence<'a> {
    /// The largest size that was used.
    pub(super) falling: f64,
    pub(super) ladder: &'a Ladder,
    /// Whether the ends of the interval were found; nothing where there is none by a law.
    pub(super) bounded: Option<[bool; 2]>,
    /// Whether N* of the law is below or above what the interval was before it was stretched.
    pub(super) outside: [bool; 2],
    /// Whether law and interpolant disagree beyond both of their errors.
    pub(super) apart: bool,
    pub(super) cost_miss: f64,
    /// Probability of the gain by the term in N/D where there is none.
    pub(super) doubt: f64,
}

pub(super) fn of(found: &CriticalSize, evidence: &Evidence<'_>) -> Vec<String> {
    let mut said = Vec::new();
    place(found, evidence, &mut said);
    large_models(found, evidence, &mut said);
    fit(found, evidence, &mut said);
    said
}

fn place(found: &CriticalSize, evidence: &Evidence<'_>, said: &mut Vec<String>) {
    let [low, high] = found.grid;
    if found.law.a == 0.0 {
        said.push("larger models are no better here; there is no critical size".into());
    } else if found.n_star <= low {
        said.push(format!(
            "N* is at or below the smallest size measured ({}); measure smaller models",
            count(low)
        ));
    } else if found.n_star >= high {
        said.push(format!(
            "N* is at or beyond the largest size measured ({}); measure larger models",
            count(high)
        ));
    }
    if found.scatter.sizes < interval::SIZES {
        said.push(format!(
            "only {} distinct sizes, too few for an interval by a law: it is that of the \
             interpolated points, with 0.5% of scatter between sizes taken for granted",
            found.scatter.sizes
        ));
    }
    let side = match evidence.outside {
        [true, _] => Some("below"),
        [_, true] => Some("above"),
        _ => None,
    };
    if let Some(side) = side {
        let why = match found.law.share {
            Some(_) => "where no more than half of a parameter's stored bits are learned",
            None => "with a term in N/D, which the law lacks because it is not clearly there",
        };
        said.push(format!(
            "N* of the law lies {side} all sizes that are likely enough {why}: the interval was \
             stretched to it and may be too short on that side; measure more sizes"
        ));
    }
    if let (Some(bounded), Some(ends)) = (evidence.bounded, found.ci95) {
        // An end far beyond the sizes measured comes from what is assumed, not from points.
        let below = !bounded[0] || ends[0] < low / FAR;
        let above = !bounded[1] || ends[1] > high * FAR;
        let side = match (below, above) {
            (true, true) => "from either side",
            (true, false) => "from below",
            (false, true) => "from above",
            (false, false) => return,
        };
        said.push(format!(
            "the points do not bound N* {side}: the interval goes more than {FAR:.0} times beyond \
             the sizes measured ({} to {}); measure more of them",
            count(low),
            count(high)
        ));
    }
}

/// An interval that goes on by this factor beyond the sizes measured has no end there.
const FAR: f64 = 2.0;

fn large_models(found: &CriticalSize, evidence: &Evidence<'_>, said: &mut Vec<String>) {
    let [_, high] = found.grid;
    if evidence.falling < high {
        said.push(format!(
            "the raw rate rises beyond {} parameters (over-fitting or under-training there); \
             larger models are left out of the fit",
            count(evidence.falling)
        ));
    } else if evidence.ladder.largest_rises(0.01) {
        said.push(format!(
            "the largest model ({}) codes the data in more bits than the one before: it failed, \
             over-fits or was trained too little",
            count(high)
        ));
    } else if interval::largest_fails(evidence.ladder) {
        said.push(format!(
            "the largest model ({}) is worse than the others predict: it failed, or large \
             models were trained too little; N* may lie higher",
            count(high)
        ));
    } else if found.regime == "in-sample"
        && let Some(share) = found.law.share
        && share.b > 0.0
        && evidence.doubt < 0.005
    {
        said.push(
            "towards large models the loss falls ever less than a law of trained models allows \
             in-sample: they were trained too little; N* is a lower bound, the rate an upper one"
                .into(),
        );
    }
}

fn fit(found: &CriticalSize, evidence: &Evidence<'_>, said: &mut Vec<String>) {
    if evidence.apart
        && let (Some(other), true) = (found.akima_n_star, found.law.a > 0.0)
    {
        said.push(format!(
            "the law and the interpolated points ({}) are {:.2} octaves apart, beyond their errors",
            count(other),
            (found.n_star / other).log2().abs()
        ));
    }
    if found.alpha < 0.1 {
        said.push(format!(
            "alpha is {:.3}, below 0.1: the optimum is too flat to place",
            found.alpha
        ));
    }
    if found.residual > 0.03 {
        said.push(format!(
            "the law misses the size means by {:.1}% (root mean square)",
            100.0 * found.residual
        ));
    }
    if evidence.cost_miss > cost::GOOD {
        said.push(format!(
            "model bytes are not a smooth function of size: off by up to {:.1}%",
            100.0 * evidence.cost_miss
        ));
    }
}
