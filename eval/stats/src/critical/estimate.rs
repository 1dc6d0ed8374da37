//! The critical size of one ladder.

use super::{
    CriticalError, CriticalSize, Estimator, ModelCost, Point,
    akima::Akima,
    bootstrap,
    interval::{self, allowed},
    ladder::Ladder,
    law::Law,
    near::near,
    points,
    solve::minimise,
    warnings,
};

pub(super) fn one_size(
    group: &[Point],
    estimator: &Estimator,
) -> Result<CriticalSize, CriticalError> {
    let means = points::mean_by_size(group);
    let first = &group[0];
    let falling = falling_part(&means);
    let usable: Vec<Point> = group
        .iter()
        .filter(|p| p.parameters <= falling)
        .cloned()
        .collect();
    let mut ladder = Ladder::new(&usable);
    let too_few = || CriticalError::TooFewSizes {
        group: first.group_name(),
        sizes: ladder.sizes(),
        rising: ladder.sizes() < means.len(),
    };
    let plain = Law::fit(&ladder.pairs()).ok_or_else(too_few)?;
    let scatter = ladder.scatter(plain.squares(&ladder.pairs()), 3);
    // What a size costs does not depend on the seed but for noise.
    let costs: Vec<(f64, f64)> = means
        .iter()
        .map(|p| (p.parameters, p.model_bytes))
        .collect();
    let model_cost = ModelCost::fit(&costs).ok_or_else(too_few)?;
    ladder.weigh(&scatter);

    let (law, unknowns) = chosen(&ladder, plain);
    let scatter = ladder.scatter(law.squares(&ladder.pairs()), unknowns);
    // Where larger models are no better, the smallest one is the best there is.
    let n_star = match law.a == 0.0 {
        true => means[0].parameters,
        false => model_cost.optimum(&law, first.data_bytes),
    };
    let resampled = Resampled::new(&ladder, &means, &law, &model_cost, estimator);
    let allowed = match law.a > 0.0 {
        true => allowed(&ladder, &model_cost, &costs, &law, n_star, estimator),
        false => None,
    };
    let akima_n_star = akima_optimum(&means, first.data_bytes);
    let akima_ci95 = bootstrap::interval(resampled.akima.clone());
    let ci95 = allowed
        .map(|found| found.ci95)
        .or_else(|| akima_ci95.map(|[low, high]| [low.min(n_star), high.max(n_star)]));
    let coded = first.data_bytes * law.bits_per_byte(n_star) / 8.0;
    let model = model_cost.bytes(n_star);
    let reducible = first.data_bytes * law.a * n_star.powf(-law.alpha) / 8.0;
    let residuals = law.relative_residuals(&ladder.pairs());
    let residual = (residuals.iter().map(|r| r * r).sum::<f64>() / residuals.len() as f64).sqrt();
    let mut found = CriticalSize {
        data_bytes: first.data_bytes,
        convention: first.convention.clone(),
        regime: first.regime.clone(),
        source: first.source.clone(),
        variant: first.variant.clone(),
        near: near(&law, &model_cost, first.data_bytes, n_star, ci95),
        n_star,
        ci95,
        envelope: allowed.map(|found| found.envelope),
        rate: (coded + model) / first.data_bytes,
        alpha: law.alpha,
        akima_n_star,
        akima_ci95,
        warnings: Vec::new(),
        law,
        model_cost,
        model_share: model / (coded + model),
        reducible_share: reducible / (coded + model),
        points: usable.len(),
        residual,
        scatter,
        grid: [means[0].parameters, means[means.len() - 1].parameters],
        band: resampled.laws,
    };
    let evidence = warnings::Evidence {
        falling,
        ladder: &ladder,
        bounded: allowed.map(|found| found.bounded),
        outside: allowed.map_or([false; 2], |found| found.outside),
        apart: resampled.apart,
        cost_miss: model_cost.worst_miss(&costs),
        doubt: interval::doubt(
            &ladder,
            plain.squares(&ladder.pairs()),
            law.squares(&ladder.pairs()),
        ),
    };
    found.warnings = warnings::of(&found, &evidence);
    Ok(found)
}

/// The plain law, or the one with a term in N/D where that is clearly supported, with the
/// number of its unknowns.
fn chosen(ladder: &Ladder, plain: Law) -> (Law, usize) {
    let pairs = ladder.pairs();
    let share = Law::fit_share(&pairs, ladder.data_bytes).filter(|share| {
        let squares = |law: &Law| law.squares(&pairs);
        interval::supported(ladder, squares(&plain), squares(share))
    });
    share.map_or((plain, 3), |share| (share, 4))
}

/// The largest size before the loss rises again by more than 2%: a law that only falls
/// says nothing about an over-fitted model.
pub(crate) fn falling_part(means: &[Point]) -> f64 {
    let mut best = &means[0];
    for point in means {
        if point.bits_per_byte < best.bits_per_byte {
            best = point;
        }
    }
    let last = &means[means.len() - 1];
    match last.bits_per_byte <= 1.02 * best.bits_per_byte {
        true => last.parameters,
        false => best.parameters,
    }
}

/// Minimum of coded plus model bytes, both interpolated over log N.
fn akima_optimum(means: &[Point], data_bytes: f64) -> Option<f64> {
    let x: Vec<f64> = means.iter().map(|p| p.parameters.ln()).collect();
    let loss = Akima::new(x.clone(), means.iter().map(|p| p.bits_per_byte).collect())?;
    let model = Akima::new(x, means.iter().map(|p| p.model_bytes.ln()).collect())?;
    let (low, high) = loss.range();
    let total = |x: f64| data_bytes * loss.at(x) / 8.0 + model.at(x).exp();
    Some(minimise(total, low, high, 64 * means.len()).exp())
}

/// Ladders drawn about the law with the scatter of its sizes.
#[derive(Default)]
struct Resampled {
    laws: Vec<Law>,
    /// Akima's N* about the measured means.
    akima: Vec<f64>,
    /// Whether the law and the interpolant are further apart than ladders about the law
    /// make them in 99% of the draws.
    apart: bool,
}

impl Resampled {
    fn new(
        ladder: &Ladder,
        means: &[Point],
        law: &Law,
        cost: &ModelCost,
        estimator: &Estimator,
    ) -> Self {
        if law.a == 0.0 || estimator.resamples == 0 {
            return Self::default();
        }
        let unknowns = if law.share.is_some() { 4 } else { 3 };
        let (variance, degrees) = ladder.variance(law.squares(&ladder.pairs()), unknowns);
        let sd = variance.sqrt() * bootstrap::inflation(degrees);
        let optimum = |law: &Law| cost.optimum(law, ladder.data_bytes).ln();
        let at = |means: &[Point]| akima_optimum(means, ladder.data_bytes).map(f64::ln);
        let draws = bootstrap::about(estimator, |noise| {
            let noise: Vec<f64> = means.iter().map(|_| sd * noise()).collect();
            let drawn = |bits: &dyn Fn(&Point) -> f64| -> Vec<Point> {
                let points = means.iter().zip(&noise).map(|(p, miss)| Point {
                    bits_per_byte: bits(p) * (1.0 + miss).max(1e-3),
                    ..p.clone()
                });
                points.collect()
            };
            let about_law = drawn(&|p| law.bits_per_byte(p.parameters));
            let pairs: Vec<(f64, f64)> = about_law
                .iter()
                .take(ladder.sizes())
                .map(|p| (p.parameters, p.bits_per_byte))
                .collect();
            let refitted = match law.share {
                Some(_) => Law::fit_share(&pairs, ladder.data_bytes)?,
                None => Law::fit(&pairs)?,
            };
            let apart = match refitted.a > 0.0 {
                true => at(&about_law)? - optimum(&refitted),
                false => return None,
            };
            Some((refitted, at(&drawn(&|p| p.bits_per_byte))?.exp(), apart))
        });
        let apart = at(means).is_some_and(|akima| {
            let mut draws: Vec<f64> = draws.iter().map(|draw| draw.2).collect();
            draws.sort_by(f64::total_cmp);
            let (distance, tail) = (akima - optimum(law), draws.len() / 200);
            !draws.is_empty()
                && (distance < draws[tail] - 0.01
                    || distance > draws[draws.len() - 1 - tail] + 0.01)
        });
        Self {
            laws: draws.iter().map(|draw| draw.0).collect(),
            akima: draws.iter().map(|draw| draw.1).collect(),
            apart,
        }
    }
}
