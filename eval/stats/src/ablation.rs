//! What each change is worth: the trials of a sweep against one of them, in
//! pairs of the same seed.
//!
//! A seed draws the start of the weights and the order of the bytes, and runs
//! that share both differ by much less than runs that share neither. So the
//! difference to the base is taken seed by seed; its mean has a standard error
//! from the spread between the pairs.

use serde::{Deserialize, Serialize};

use crate::distribution::student_quantile;
use crate::selection::gathered;
use brevity_length::{Row, byte_sets, source_name};

/// Changes on one byte set against one base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ablation {
    /// Where the data came from; with what tells the bytes from others of that source, where
    /// there are several sets of them.
    pub source: String,
    /// Bytes of it that were trained on.
    pub data_bytes: u64,
    /// What was measured, all in bits per byte: `online` (the mean cost over the
    /// last tenth of a training that saw no byte twice, each before its update)
    /// or `training` (the same of one that did), the raw rate by regime, and the
    /// adjusted one by regime and convention, as in `held-out, stored`. Where the sweep has
    /// several sets of held-out bytes, each is named: `held-out (data.holdout.source=a)`.
    pub measures: Vec<String>,
    /// What the base is set to.
    pub base: String,
    /// Parameters of the base.
    pub parameters: u64,
    /// Seeds of the base.
    pub seeds: usize,
    /// The base itself by measure, mean over its seeds.
    pub means: Vec<Option<f64>>,
    /// The other trials, in the order of the sweep.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What it sets.
    pub settings: String,
    /// Parameters with it.
    pub parameters: u64,
    /// Differences to the base by measure, where a seed has both.
    pub differences: Vec<Option<Difference>>,
}

/// A paired difference, positive where the change costs bits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Mean over seeds, bits per byte.
    pub mean: f64,
    /// Standard error of the mean; nothing with one seed.
    pub standard_error: Option<f64>,
    /// Half of the 95% interval of the mean: the standard error times Student's quantile for
    /// so few pairs, 12.7 for two and 4.3 for three.
    #[serde(default)]
    pub half_width: Option<f64>,
    /// Pairs behind it.
    pub seeds: usize,
}

/// No trial has the id that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no scored trial has an id that starts with `{0}`")]
pub struct NoSuchTrial(pub String);

/// Compares the scored trials of each byte set with a base: the trial whose id
/// starts with `base`, or the first one of the set.
///
/// # Errors
///
/// When there is no such trial.
pub fn ablations(rows: &[Row], base: Option<&str>) -> Result<Vec<Ablation>, NoSuchTrial> {
    let scored: Vec<&Row> = rows.iter().filter(|row| row.is_candidate()).collect();
    let sets = byte_sets(&scored);
    let keys = scored.iter().zip(&sets).map(|(row, set)| {
        let source = row.data.source.as_str();
        (source, row.data.bytes, set.as_str())
    });
    let wanted = |row: &&&Row| base.is_none_or(|id| row.id().starts_with(id));
    let found: Vec<Ablation> = gathered(&scored, keys)
        .into_iter()
        .filter_map(|((source, _, set), rows)| {
            let base = rows.iter().find(wanted)?.settings();
            Some(against(&rows, source_name(source, &[set]), base))
        })
        .collect();
    match base {
        Some(id) if found.is_empty() => Err(NoSuchTrial(id.into())),
        _ => Ok(found),
    }
}

/// A measure of a trial: its name, the trial's seed, bits per byte.
type Measured = (String, Option<u64>, f64);

fn against(rows: &[&Row], source: String, base: String) -> Ablation {
    let mut trials: Vec<(String, u64, Vec<Measured>)> = Vec::new();
    let mut measures: Vec<String> = Vec::new();
    for row in rows {
        let settings = row.settings();
        let at = match trials.iter().position(|trial| trial.0 == settings) {
            Some(at) => at,
            None => {
                trials.push((settings, row.parameters, Vec::new()));
                trials.len() - 1
            }
        };
        for measured in measured(row) {
            if !measures.contains(&measured.0) {
                measures.push(measured.0.clone());
            }
            trials[at].2.push(measured);
        }
    }
    // Raw lengths before those that count the model.
    measures.sort_by_key(|name| name.contains(", "));
    let at = trials.iter().position(|trial| trial.0 == base);
    let (base, parameters, of_base) = trials.remove(at.expect("the base is one of the rows"));
    let means = measures.iter().map(|name| {
        let values: Vec<f64> = seeds(&of_base, name).map(|(_, value)| value).collect();
        mean(&values)
    });
    let seeds_of = |name: &String| seeds(&of_base, name).count();
    Ablation {
        seeds: measures.iter().map(seeds_of).max().unwrap_or(0),
        source,
        data_bytes: rows[0].data.bytes,
        means: means.collect(),
        changes: trials
            .into_iter()
            .map(|(settings, parameters, measured)| Change {
                settings,
                parameters,
                differences: measures
                    .iter()
                    .map(|name| difference(&of_base, &measured, name))
                    .collect(),
            })
            .collect(),
        measures,
        base,
        parameters,
    }
}

/// All that a row says of its trial.
fn measured(row: &Row) -> Vec<Measured> {
    let mut found = Vec::new();
    let training = row.training.unwrap_or_default();
    if let (Some(loss), Some(seen), Some(steps)) = (training.loss, training.bytes, training.steps) {
        // The last step may begin the next pass.
        let (seen, steps) = (seen as f64, steps as f64);
        let once = seen - seen / steps < row.data.bytes as f64;
        let name = if once { "online" } else { "training" };
        found.push((name.to_owned(), row.seed, loss));
    }
    let regime = match row.regime_name() {
        "" => "scored",
        name => name,
    };
    // Several sets of held-out bytes are several measures. What follows ", " in the name of
    // a measure is the convention.
    let regime = source_name(regime, &[&row.test_set().replace(", ", ",")]);
    if let Some(raw) = row.raw() {
        found.push((regime.clone(), row.seed, 8.0 * raw));
    }
    for convention in row.conventions() {
        if let Some(adjusted) = row.adjusted(convention.as_str()) {
            let name = format!("{regime}, {convention}");
            found.push((name, row.seed, 8.0 * adjusted));
        }
    }
    found
}

/// Seeds and values of one measure. What belongs to the training stands in the
/// rows of all regimes; the first counts.
fn seeds<'a>(
    measured: &'a [Measured],
    name: &str,
) -> impl Iterator<Item = (Option<u64>, f64)> + use<'a> {
    let mut found: Vec<(Option<u64>, f64)> = Vec::new();
    for (_, seed, value) in measured.iter().filter(|m| m.0 == name) {
        if found.iter().all(|(other, _)| other != seed) {
            found.push((*seed, *value));
        }
    }
    found.into_iter()
}

fn difference(base: &[Measured], change: &[Measured], name: &str) -> Option<Difference> {
    let base: Vec<_> = seeds(base, name).collect();
    let pairs = seeds(change, name).filter_map(|(seed, value)| {
        let same = base.iter().find(|(other, _)| *other == seed)?;
        Some(value - same.1)
    });
    let pairs: Vec<f64> = pairs.collect();
    let centre = mean(&pairs)?;
    let n = pairs.len() as f64;
    let squares: f64 = pairs.iter().map(|d| (d - centre).powi(2)).sum();
    let standard_error = (pairs.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt());
    Some(Difference {
        mean: centre,
        standard_error,
        half_width: standard_error.map(|error| error * student_quantile(0.05, n - 1.0)),
        seeds: pairs.len(),
    })
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brevity_length::AxisValue;

    fn row(change: Option<f64>, seed: u64, online: f64, held_out: f64) -> Row {
        let axes = match change {
            Some(rate) => serde_json::json!({"train.learning_rate": rate}),
            None => serde_json::json!({}),
        };
        serde_json::from_value(serde_json::json!({
            "id": format!("{}-{seed}", change.unwrap_or(0.0)), "axes": axes, "seed": seed,
            "parameters": 1000, "data": {"source": "t", "bytes": 4_000_000, "hash": "h"},
            "state": "done", "regime": "held-out", "raw_rate": held_out / 8.0,
            "training": {"steps": 10, "bytes": 4_100_000, "loss": online},
        }))
        .unwrap()
    }

    #[test]
    fn seeds_are_compared_in_pairs() {
        let rows = [
            row(None, 0, 2.0, 3.0),
            row(Some(0.1), 0, 2.1, 3.0),
            row(None, 1, 2.4, 3.6),
            row(Some(0.1), 1, 2.52, 3.5),
            row(Some(0.1), 2, 9.0, 9.0),
        ];
        let found = &ablations(&rows, None).unwrap()[0];
        assert_eq!(found.measures, ["online", "held-out", "held-out, fp16"]);
        assert!((found.means[0].unwrap() - 2.2).abs() < 1e-12);
        let [online, held_out, adjusted] = found.changes[0].differences[..] else {
            panic!()
        };
        let online = online.unwrap();
        assert_eq!(online.seeds, 2);
        assert!((online.mean - 0.11).abs() < 1e-12);
        assert!((online.standard_error.unwrap() - 0.01).abs() < 1e-12);
        assert!((online.half_width.unwrap() - 0.12706).abs() < 1e-4);
        assert!((held_out.unwrap().mean + 0.05).abs() < 1e-12);
        // The same model bytes on both sides.
        assert!((adjusted.unwrap().mean + 0.05).abs() < 1e-12);
    }

    #[test]
    fn each_set_of_held_out_bytes_is_a_measure_and_each_part_of_a_source_a_table() {
        let on = |change, set: &str, offset: i64, rate| {
            let mut row = row(change, 0, 2.0, rate);
            row.data.hash = format!("h{offset}");
            row.axes.set("data.offset", AxisValue::Integer(offset));
            row.axes
                .set("data.holdout.source", AxisValue::Text(set.into()));
            row
        };
        let mut rows = Vec::new();
        for (offset, worse) in [(0, 0.0), (100, 1.0)] {
            for (set, more) in [("a", 0.1), ("b", 0.3)] {
                rows.push(on(None, set, offset, 3.0));
                rows.push(on(Some(0.1), set, offset, 3.0 + more + worse));
            }
        }
        let found = ablations(&rows, None).unwrap();
        let sources: Vec<&str> = found.iter().map(|of| of.source.as_str()).collect();
        assert_eq!(sources, ["t (data.offset=0)", "t (data.offset=100)"]);
        for (of, worse) in found.iter().zip([0.0, 1.0]) {
            for (set, more) in [("a", 0.1), ("b", 0.3)] {
                let name = format!("held-out (data.holdout.source={set})");
                let at = of.measures.iter().position(|measure| *measure == name);
                let difference = of.changes[0].differences[at.unwrap()].unwrap();
                assert!((difference.mean - more - worse).abs() < 1e-9, "{name}");
                assert_eq!(difference.seeds, 1);
            }
        }
    }

    #[test]
    fn any_trial_can_be_the_base() {
        let rows = [row(None, 0, 2.0, 3.0), row(Some(0.1), 0, 2.1, 3.1)];
        let found = &ablations(&rows, Some("0.1-")).unwrap()[0];
        assert_eq!(found.base, "learning_rate 0.1");
        assert!((found.changes[0].differences[0].unwrap().mean + 0.1).abs() < 1e-12);
        let error = ablations(&rows, Some("7")).unwrap_err();
        assert_eq!(error, NoSuchTrial("7".into()));
    }
}
