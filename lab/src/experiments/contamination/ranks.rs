//! How each measure ranks the models of the dose ladder.
//!
//! The reference ranking is by the raw rate on bytes of the same source that did not
//! leak. A measure that is robust to leaks gives the same ranking; Kendall's tau-b
//! measures the agreement, seed by seed. Ties lower tau-b below 1, as with the
//! prequential length, which is the same at every dose.

use serde::Serialize;

use super::{Contamination, Leaked, MEASURES, Spread};
use brevity_stats::rank::kendall_tau;

/// A model of the ladder, by kind and dose, all seeds together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// `honest` or `memoriser`.
    pub model: String,
    /// Copies of the test it was trained on.
    pub copies: u64,
    /// Mean rank over seeds by the rate on clean bytes, from 1.
    pub truth: f64,
    /// Mean rank by each of [`MEASURES`].
    pub ranks: Vec<f64>,
}

/// Kendall's tau-b between a measure and the reference ranking.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tau {
    /// The measure.
    pub measure: String,
    /// Its spread over seeds.
    pub tau: Spread,
}

/// The rankings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranks {
    /// Seeds that all candidates have.
    pub seeds: Vec<u64>,
    /// In the order of the reference ranking.
    pub candidates: Vec<Candidate>,
    /// One for each of [`MEASURES`].
    pub taus: Vec<Tau>,
}

/// `None` if no seed has two candidates with every measure.
pub(super) fn rank(found: &Contamination) -> Option<Ranks> {
    let mut keys: Vec<(&str, u64)> = Vec::new();
    for model in found.models() {
        keys.extend(found.doses().into_iter().map(|copies| (model, copies)));
    }
    let mut seeds = super::distinct(found.leaked.iter().map(|l| l.seed));
    seeds.sort_unstable();
    // For each seed, every candidate's reference value, then its measures.
    let scores: Vec<(u64, Vec<Vec<f64>>)> = seeds
        .into_iter()
        .filter_map(|seed| Some((seed, of_seed(found, &keys, seed)?)))
        .collect();
    if keys.len() < 2 || scores.is_empty() {
        return None;
    }
    let mean_rank = |column: usize, at: usize| {
        let ranks = scores.iter().map(|(_, s)| midrank(&s[column], at));
        ranks.sum::<f64>() / scores.len() as f64
    };
    let mut candidates: Vec<Candidate> = keys
        .iter()
        .enumerate()
        .map(|(at, (model, copies))| Candidate {
            model: (*model).to_owned(),
            copies: *copies,
            truth: mean_rank(0, at),
            ranks: (1..=MEASURES.len()).map(|m| mean_rank(m, at)).collect(),
        })
        .collect();
    candidates.sort_by(|x, y| x.truth.total_cmp(&y.truth));
    let taus = MEASURES.iter().enumerate().filter_map(|(m, measure)| {
        let taus = scores.iter().map(|(_, s)| kendall_tau(&s[m + 1], &s[0]));
        Some(Tau {
            measure: (*measure).to_owned(),
            tau: Spread::of(taus)?,
        })
    });
    Some(Ranks {
        taus: taus.collect(),
        candidates,
        seeds: scores.into_iter().map(|(seed, _)| seed).collect(),
    })
}

/// Columns of scores of every candidate: the reference, then each measure; `None` if a
/// trial is missing.
fn of_seed(found: &Contamination, keys: &[(&str, u64)], seed: u64) -> Option<Vec<Vec<f64>>> {
    let mut columns = vec![Vec::with_capacity(keys.len()); 1 + MEASURES.len()];
    for (model, copies) in keys {
        let leaked: &Leaked = found.seeds(model, *copies, 0).find(|l| l.seed == seed)?;
        let learned = found.learned(model, *copies).find(|p| p.seed == seed)?;
        let scores = [
            leaked.clean_rate,
            leaked.raw_rate,
            *leaked.adjusted_rate.get("fp16")?,
            *leaked.adjusted_rate.get("stored")?,
            learned.rate,
        ];
        for (column, score) in columns.iter_mut().zip(scores) {
            column.push(score);
        }
    }
    Some(columns)
}

/// The rank of one score, from 1; ties share the mean of their ranks.
fn midrank(scores: &[f64], at: usize) -> f64 {
    let below = scores.iter().filter(|s| **s < scores[at]).count();
    let equal = scores.iter().filter(|s| **s == scores[at]).count();
    below as f64 + (equal + 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_ranks() {
        let scores = [0.3, 0.1, 0.3, 0.7];
        let ranks: Vec<f64> = (0..4).map(|at| midrank(&scores, at)).collect();
        assert_eq!(ranks, [2.5, 1.0, 2.5, 4.0]);
    }
}
