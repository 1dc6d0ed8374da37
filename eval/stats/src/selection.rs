//! Which model to choose: ranking by description length.
//!
//! The rows of a sweep are grouped into byte sets (trained on and scored) and regimes; within each, the
//! runs of one configuration over several seeds are one candidate. Candidates
//! are ranked by coded plus model bytes under one convention. The totals are exact for
//! these bytes and these models. The intervals answer what other bytes of the same source
//! and other seeds would give. Contiguous pieces of the data are drawn in runs whose length
//! follows from their autocorrelation, the same pieces for all candidates (all models find
//! the same pieces hard). Each candidate has noise between its seeds of its own (the module
//! `moderated`); one of a single seed gets the pooled noise of the others. The intervals hold
//! for all pairs at once (the module `ties`). With one seed they contain no noise between
//! seeds, and no candidate gets a probability of being best.
//!
//! Naming one of K candidates costs log2 K bits, which every total includes. This does not
//! correct the optimism of choosing by the same bytes. That optimism is a number of its
//! own: how much longer the shortest candidate is expected to be on other bytes or seeds.
//!
//! Blocks come from a row's `block_bits`: code lengths in bits of equally long
//! contiguous blocks. Without them only seeds are drawn, and with one seed a
//! candidate there is no interval.

use serde::{Deserialize, Serialize};

use crate::ties::{self, Runs, Ties};
use brevity_length::{Row, byte_sets, source_name};

/// Settings of a selection.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// How model bytes are counted; nothing for every convention that some row
    /// has. Rows without it are left out.
    pub convention: Option<String>,
    /// Resamples of the bootstrap.
    pub resamples: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            convention: None,
            resamples: 2000,
            seed: 1,
        }
    }
}

/// Candidates on one byte set, regime and convention, the shortest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Where the data came from; with what tells the bytes from others of that source, or the
    /// set of held-out bytes, where there are several.
    pub source: String,
    /// Bytes described.
    pub data_bytes: u64,
    /// Relation of the data to the training data.
    pub regime: String,
    /// How model bytes are counted.
    pub convention: String,
    /// log2 of the number of candidates: bits that naming the chosen one costs.
    pub choice_bits: f64,
    /// The candidates.
    pub candidates: Vec<Candidate>,
    /// What the intervals could be drawn from: `blocks and seeds`, `blocks`,
    /// `seeds` or `nothing`.
    pub resampled: String,
    /// Autocorrelation of the differences between neighbouring blocks.
    #[serde(default)]
    pub autocorrelation: Option<f64>,
    /// Blocks that are drawn in one run.
    #[serde(default)]
    pub run: Option<usize>,
    /// Bytes by which the first is expected to come out longer on other bytes or seeds
    /// because it was chosen for being the shortest here.
    #[serde(default)]
    pub optimism_bytes: Option<f64>,
}

/// One configuration, averaged over its seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Place, from 1.
    pub rank: usize,
    /// What the sweep varied, without the seed.
    pub settings: String,
    /// Trials behind it.
    pub ids: Vec<String>,
    /// Parameters of the model; nothing where they are unknown.
    pub parameters: Option<u64>,
    /// Coded data, mean over seeds.
    pub coded_bytes: f64,
    /// Model, mean over seeds.
    pub model_bytes: f64,
    /// Coded data, model and the cost of the choice, in bytes.
    pub total_bytes: f64,
    /// `total_bytes` over data bytes.
    pub rate: f64,
    /// Standard deviation of the rate over seeds; nothing with one seed.
    pub seed_sd: Option<f64>,
    /// Bits per byte of raw data by which it is longer than the first.
    pub behind: f64,
    /// 95% interval of `behind`, simultaneous over all pairs of candidates.
    pub behind_ci95: Option<[f64; 2]>,
    /// Share of resamples in which it was the shortest, noise between seeds drawn from Student's
    /// distribution for its degrees of freedom; nothing where a candidate has one seed only.
    pub probability_best: Option<f64>,
    /// Whether no other candidate has both a smaller model and a shorter code.
    pub pareto: bool,
}

/// Ranks the scored rows. One ranking for each set of bytes, regime and convention; empty
/// when nothing is scored.
#[must_use]
pub fn rank(rows: &[Row], options: &Options) -> Vec<Ranking> {
    let scored: Vec<&Row> = rows.iter().filter(|r| r.is_candidate()).collect();
    let sets = byte_sets(&scored);
    let keys = scored.iter().zip(&sets).map(|(row, set)| {
        let bytes = (row.data.source.as_str(), row.charged_to(), set.as_str());
        (bytes, row.regime(), row.test_set())
    });
    let mut rankings = Vec::new();
    for ((bytes, _, test_set), group) in gathered(&scored, keys) {
        let source = source_name(bytes.0, &[bytes.2, &test_set]);
        let conventions = match &options.convention {
            Some(name) => vec![name.clone()],
            None => conventions_of(&group),
        };
        for convention in conventions {
            let priced: Vec<&Row> = group
                .iter()
                .copied()
                .filter(|r| r.coded(&convention).is_some())
                .collect();
            if !priced.is_empty() {
                rankings.push(one_ranking(&priced, &source, &convention, options));
            }
        }
    }
    rankings
}

/// The ways in which scored rows count model bytes, in order of appearance.
#[must_use]
pub fn conventions(rows: &[Row]) -> Vec<String> {
    let candidates: Vec<&Row> = rows.iter().filter(|r| r.is_candidate()).collect();
    conventions_of(&candidates)
}

/// The conventions that any of some rows has, in order of appearance.
fn conventions_of(rows: &[&Row]) -> Vec<String> {
    let mut found = Vec::new();
    for name in rows.iter().flat_map(|row| row.conventions()) {
        let name = String::from(name);
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Rows with the same key together, in order of first appearance.
pub(crate) fn gathered<'a, K: PartialEq>(
    rows: &[&'a Row],
    keys: impl Iterator<Item = K>,
) -> Vec<(K, Vec<&'a Row>)> {
    let mut found: Vec<(K, Vec<&Row>)> = Vec::new();
    for (&row, key) in rows.iter().zip(keys) {
        match found.iter_mut().find(|(k, _)| *k == key) {
            Some((_, group)) => group.push(row),
            None => found.push((key, vec![row])),
        }
    }
    found
}

fn one_ranking(rows: &[&Row], source: &str, convention: &str, options: &Options) -> Ranking {
    let n = rows[0].charged_to() as f64;
    let groups = gathered(rows, rows.iter().map(|row| row.settings()));
    let blocks = common_blocks(rows);
    let choice_bits = (groups.len() as f64).log2();
    let mut entries: Vec<(Candidate, Runs)> = groups
        .iter()
        .map(|(_, group)| candidate(group, convention, choice_bits, blocks))
        .collect();
    entries.sort_by(|x, y| x.0.total_bytes.total_cmp(&y.0.total_bytes));
    let seeds = entries.iter().any(|e| e.1.model_bits.len() > 1);
    let best = entries[0].0.total_bytes;
    let (mut candidates, runs): (Vec<Candidate>, Vec<Runs>) = entries.into_iter().unzip();
    let ties = ties::compare(&runs, options.resamples, options.seed);
    if let Some(ties) = &ties {
        fill_in(&mut candidates, ties, n);
    }
    for i in 0..candidates.len() {
        candidates[i].rank = i + 1;
        candidates[i].behind = 8.0 * (candidates[i].total_bytes - best) / n;
        candidates[i].pareto = !candidates.iter().any(|c| dominates(c, &candidates[i]));
    }
    Ranking {
        source: source.to_owned(),
        data_bytes: rows[0].charged_to(),
        regime: rows[0].regime_name().to_owned(),
        convention: convention.to_owned(),
        choice_bits,
        candidates,
        resampled: match (blocks > 1, seeds) {
            (true, true) => "blocks and seeds",
            (true, false) => "blocks",
            (false, true) => "seeds",
            (false, false) => "nothing",
        }
        .into(),
        autocorrelation: ties
            .as_ref()
            .filter(|_| blocks > 1)
            .map(|t| t.autocorrelation),
        run: ties.as_ref().filter(|_| blocks > 1).map(|t| t.run),
        optimism_bytes: ties.map(|t| t.optimism / 8.0),
    }
}

/// Intervals and probabilities of candidates in order of rank.
fn fill_in(candidates: &mut [Candidate], ties: &Ties, n: f64) {
    for (i, candidate) in candidates.iter_mut().enumerate() {
        candidate.behind_ci95 = Some(ties.behind[i].map(|bits| bits / n));
        candidate.probability_best = ties.best.as_ref().map(|best| best[i]);
    }
}

/// Code lengths of the blocks of what a row scored; nothing where they were not kept.
fn blocks(row: &Row) -> Option<Vec<f64>> {
    let bits: Vec<f64> = row
        .description()?
        .block_bits()
        .iter()
        .map(|&b| b as f64)
        .collect();
    (bits.iter().sum::<f64>() > 0.0).then_some(bits)
}

/// The number of blocks that all rows have, or 1.
fn common_blocks(rows: &[&Row]) -> usize {
    let count = |row: &Row| blocks(row).map_or(1, |b| b.len());
    let first = count(rows[0]);
    if rows.iter().all(|row| count(row) == first) {
        first
    } else {
        1
    }
}

fn candidate(
    group: &[&Row],
    convention: &str,
    choice_bits: f64,
    blocks: usize,
) -> (Candidate, Runs) {
    let n = group[0].charged_to() as f64;
    let coded: Vec<f64> = group.iter().filter_map(|r| r.coded(convention)).collect();
    let model: Vec<f64> = group.iter().filter_map(|r| r.model(convention)).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let total_bytes = mean(&coded) + mean(&model) + choice_bits / 8.0;
    let seed_sd = (coded.len() > 1).then(|| {
        let rates: Vec<f64> = coded.iter().zip(&model).map(|(c, m)| (c + m) / n).collect();
        let centre = mean(&rates);
        let squares: f64 = rates.iter().map(|r| (r - centre).powi(2)).sum();
        (squares / (rates.len() - 1) as f64).sqrt()
    });
    let runs = Runs {
        model_bits: model.iter().map(|m| 8.0 * m).collect(),
        blocks: group
            .iter()
            .zip(&coded)
            .map(|(row, coded)| {
                // Scaled to the convention's own code length of the whole.
                let shares = self::blocks(row).filter(|b| b.len() == blocks);
                let shares = shares.unwrap_or_else(|| vec![1.0]);
                let sum: f64 = shares.iter().sum();
                shares.iter().map(|b| 8.0 * coded * b / sum).collect()
            })
            .collect(),
    };
    let candidate = Candidate {
        rank: 0,
        settings: group[0].settings(),
        ids: group.iter().map(|r| r.id().to_owned()).collect(),
        // Tables of any models need not say.
        parameters: Some(group[0].parameters).filter(|&n| n > 0),
        coded_bytes: mean(&coded),
        model_bytes: mean(&model),
        total_bytes,
        rate: total_bytes / n,
        seed_sd,
        behind: 0.0,
        behind_ci95: None,
        probability_best: None,
        pareto: false,
    };
    (candidate, runs)
}

fn dominates(x: &Candidate, y: &Candidate) -> bool {
    x.model_bytes <= y.model_bytes
        && x.coded_bytes <= y.coded_bytes
        && (x.model_bytes < y.model_bytes || x.coded_bytes < y.coded_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_length::{AxisValue, Description, Regime, Scored, TrainedOn};

    /// A row whose four blocks cost `base` plus their own difficulty.
    fn row(width: u64, seed: u64, base: f64, model: u64) -> Row {
        let blocks: Vec<u64> = (0..4)
            .map(|b| (1000.0 * (base + 0.1 * f64::from(b))).round() as u64)
            .collect();
        with_blocks(width, seed, blocks, model)
    }

    fn with_blocks(width: u64, seed: u64, blocks: Vec<u64>, model: u64) -> Row {
        let bits: u64 = blocks.iter().sum();
        let scored = Scored {
            bytes: 4000,
            hash: "h".into(),
        };
        let parameters = model / 2;
        let found = Description::two_part(
            Regime::InSample,
            scored,
            bits as f64,
            bits / 8,
            parameters,
            4000,
        )
        .with_blocks(blocks);
        Row {
            id: Some(format!("{width}-{seed}")),
            axes: [("model.width", AxisValue::Integer(width as i64))]
                .into_iter()
                .collect(),
            seed: Some(seed),
            parameters,
            data: TrainedOn {
                source: "t".into(),
                bytes: 4000,
                hash: "h".into(),
            },
            score: Some(found.into()),
            ..Row::default()
        }
    }

    #[test]
    fn the_shortest_description_wins_and_seeds_are_one_candidate() {
        let rows = [
            row(8, 0, 3.0, 100),
            row(8, 1, 3.02, 100),
            row(16, 0, 2.0, 200),
            row(16, 1, 2.02, 200),
            row(32, 0, 1.9, 2000),
        ];
        let ranking = &rank(&rows, &Options::default())[0];
        let settings: Vec<&str> = ranking
            .candidates
            .iter()
            .map(|c| c.settings.as_str())
            .collect();
        assert_eq!(settings, ["width 16", "width 8", "width 32"]);
        assert!((ranking.choice_bits - 3f64.log2()).abs() < 1e-12);
        assert_eq!(ranking.resampled, "blocks and seeds");
        let [first, second, last] = &ranking.candidates[..] else {
            panic!()
        };
        // The last has one seed.
        assert_eq!(first.probability_best, None);
        assert!(first.pareto && second.pareto && last.pareto);
        let coded = 1000.0 * (4.0 * 2.01 + 0.6) / 8.0;
        assert!((first.total_bytes - coded - 200.0 - 3f64.log2() / 8.0).abs() < 1e-6);
        // Blocks are drawn for both alike, so their difficulty cancels; seeds stay, of
        // which two say little.
        let [low, high] = second.behind_ci95.unwrap();
        assert!(
            low > 0.5 && low < 0.8 && high > 0.8 && high < 1.1,
            "{low} {high}"
        );
    }

    #[test]
    fn two_parts_of_a_source_are_two_rankings() {
        let rows = [(8, 0), (16, 0), (8, 4000), (16, 4000)].map(|(width, offset)| {
            let mut row = row(width, 0, 3.0, 100);
            row.data.hash = format!("h{offset}");
            row.axes.set("data.offset", AxisValue::Integer(offset));
            row
        });
        let rankings = rank(&rows, &Options::default());
        let sources: Vec<&str> = rankings.iter().map(|r| r.source.as_str()).collect();
        assert_eq!(sources, ["t (data.offset=0)", "t (data.offset=4000)"]);
        let candidates = rankings.iter().flat_map(|ranking| &ranking.candidates);
        assert!(candidates.into_iter().all(|c| c.ids.len() == 1));
    }

    #[test]
    fn two_sets_of_held_out_bytes_are_two_rankings() {
        let rows = [(8, "a"), (16, "a"), (8, "b"), (16, "b")].map(|(width, set)| {
            let mut row = row(width, 0, 3.0, 100);
            let scored = Scored {
                bytes: 4000,
                hash: set.into(),
            };
            let found = Description::two_part(Regime::HeldOut, scored, 12e3, 1500, 50, 4000);
            row.score = Some(found.into());
            row.axes
                .set("data.holdout.source", AxisValue::Text(set.into()));
            row
        });
        let rankings = rank(&rows, &Options::default());
        assert_eq!(rankings.len(), 2);
        assert_eq!(rankings[1].source, "t (data.holdout.source=b)");
        assert!(rankings.iter().all(|ranking| ranking.candidates.len() == 2));
        assert!(rankings[0].candidates.iter().all(|c| c.ids.len() == 1));
    }

    #[test]
    fn near_ties_are_no_order() {
        let reversed = with_blocks(16, 0, vec![3300, 3200, 3100, 3000], 100);
        let rows = vec![row(8, 0, 3.0, 100), reversed];
        let ranking = &rank(&rows, &Options::default())[0];
        let [low, high] = ranking.candidates[1].behind_ci95.unwrap();
        assert!(low < 0.0 && high > 0.0, "{low} {high}");
        assert!(ranking.optimism_bytes.unwrap() > 0.0);
        assert_eq!(ranking.candidates[0].probability_best, None, "one seed");
        let dominated = rank(
            &[row(8, 0, 3.0, 100), row(16, 0, 3.5, 120)],
            &Options::default(),
        );
        assert!(!dominated[0].candidates[1].pareto);
    }

    #[test]
    fn nothing_to_resample_gives_no_interval() {
        let lone = [8, 16].map(|width| {
            let mut row = row(width, 0, 24.0 / width as f64, 100);
            let found = row.score.unwrap().description.with_blocks(Vec::new());
            row.score = Some(found.into());
            row
        });
        let ranking = &rank(&lone, &Options::default())[0];
        assert_eq!(ranking.resampled, "nothing");
        assert_eq!(ranking.candidates[1].behind_ci95, None);
    }
}
