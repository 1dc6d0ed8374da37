//! How much the mean of a size may scatter about a law, where few sizes are there to tell.
//!
//! The standard deviation of a size's mean, the noise of its seeds included, is taken to lie
//! anywhere between nothing and a few percent of the loss, each factor as likely as the next.
//! Intervals average the likelihood over these values. Without the two bounds that gives
//! Student's t. With one or two sizes more than unknowns the upper bound keeps intervals from
//! becoming endless. The lower one is far below any scatter that was measured (0.1%), so that it
//! only keeps the intervals of exact points from vanishing: near the true scatter it makes
//! intervals of five sizes too wide, which then hold the truth in all ladders instead of 95%.

/// Least and greatest standard deviation that is looked at, as shares of the loss.
const RANGE: (f64, f64) = (0.000_05, 0.02);

/// From one standard deviation to the next.
const STEP: f64 = 1.45;

/// Standard deviations of a size's mean, all equally likely beforehand; up to three times the
/// `residual` of a law where that is more.
pub(super) fn deviations(residual: f64) -> Vec<f64> {
    let most = RANGE.1.max(3.0 * residual);
    let count = ((most / RANGE.0).ln() / STEP.ln()).ceil() as i32;
    (0..=count).map(|i| RANGE.0 * STEP.powi(i)).collect()
}
