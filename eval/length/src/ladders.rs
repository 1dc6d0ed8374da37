//! Which rows describe the same bytes, and which are of one ladder.

use crate::row::{is_seed, is_setting};
use crate::{AxisValue, Regime, Row, SIZE_KEYS};

/// For each row, the text that distinguishes its ladder from others of the same source: its
/// [bytes](byte_sets), and the values of the axes that vary independently and are not size,
/// training data or seed. An axis that always changes with the size (such as a tuned
/// learning rate) does not separate ladders; several sets of held-out bytes do.
#[must_use]
pub fn variants(rows: &[&Row]) -> Vec<String> {
    let mut keys: Vec<&str> = Vec::new();
    for (i, x) in rows.iter().enumerate() {
        for y in &rows[..i] {
            if x.data != y.data || x.regime() != y.regime() {
                continue;
            }
            let mut differing = x
                .axes
                .iter()
                .filter(|(key, value)| {
                    let tells = is_setting(key) || x.tells_test_set(key);
                    tells && y.axes.get(key) != Some(value)
                })
                .map(|(key, _)| key);
            if let (Some(key), None) = (differing.next(), differing.next())
                && !SIZE_KEYS.contains(&key)
                && !keys.contains(&key)
            {
                keys.push(key);
            }
        }
    }
    rows.iter()
        .zip(byte_sets(rows))
        .map(|(row, bytes)| {
            let settings = keys
                .iter()
                .filter(|key| is_setting(key) || row.tells_test_set(key))
                .map(|key| format!("{key}={}", value(row, key)));
            joined([bytes].into_iter().chain(settings))
        })
        .collect()
}

/// For each row, the text that distinguishes its bytes from others of the same source and
/// length: the values of the `data` axes that tell them apart, such as
/// `data.offset=1000000`. Where no axis does, as between sweeps with other settings in
/// common, the first digits of the hashes. Bytes that only a seed changed are not told
/// apart, nor held-out bytes that axes do: those are [`Row::test_set`].
#[must_use]
pub fn byte_sets(rows: &[&Row]) -> Vec<String> {
    // With the source for which a key tells something.
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for (i, x) in rows.iter().enumerate() {
        for y in &rows[..i] {
            let alike = x.data == y.data && !x.data.hash.is_empty();
            if x.data.source != y.data.source || x.data.bytes != y.data.bytes || alike {
                continue;
            }
            for key in x.axes.keys().chain(y.axes.keys()) {
                let known = keys.contains(&(x.data.source.as_str(), key));
                if tells_bytes(key) && x.axes.get(key) != y.axes.get(key) && !known {
                    keys.push((x.data.source.as_str(), key));
                }
            }
        }
    }
    let by_axes = rows.iter().map(|row| {
        let keys = keys.iter().filter(|(source, _)| *source == row.data.source);
        joined(keys.map(|(_, key)| format!("{key}={}", value(row, key))))
    });
    let by_axes: Vec<String> = by_axes.collect();
    (0..rows.len())
        .map(|i| {
            let same = |j: &usize| by_axes[*j] == by_axes[i] && same_but_hashes(rows[*j], rows[i]);
            let others: Vec<&Row> = (0..rows.len()).filter(same).map(|j| rows[j]).collect();
            let hash = |name: &str, of: fn(&Row) -> &str| {
                let mut known = others.iter().map(|row| of(row)).filter(|h| !h.is_empty());
                let first = known.next();
                let differ = known.any(|hash| Some(hash) != first);
                differ.then(|| format!("{name}={}", of(rows[i]).get(..8).unwrap_or(of(rows[i]))))
            };
            let trained = hash("data.hash", |row| &row.data.hash);
            let scored = match rows[i].regime() {
                Some(Regime::InSample | Regime::Prequential) => None,
                _ => hash("scored.hash", scored_hash),
            };
            let axes = [by_axes[i].clone()].into_iter();
            joined(axes.chain(trained).chain(scored))
        })
        .collect()
}

/// A source, or a regime, with what else tells its bytes from others, where that is not
/// empty.
///
/// ```
/// use brevity_length::source_name;
///
/// assert_eq!(source_name("prose", &["data.offset=100", ""]), "prose (data.offset=100)");
/// assert_eq!(source_name("held-out", &[""]), "held-out");
/// ```
#[must_use]
pub fn source_name(source: &str, more: &[&str]) -> String {
    let told = more.iter().copied().filter(|text| !text.is_empty());
    match told.collect::<Vec<_>>().join(" ").as_str() {
        "" => source.to_owned(),
        told => format!("{source} ({told})"),
    }
}

/// Whether an axis changes the training bytes besides their source, length and seed.
fn tells_bytes(key: &str) -> bool {
    key.starts_with("data.")
        && !key.starts_with("data.holdout.")
        && !["data.source", "data.bytes"].contains(&key)
        && !is_seed(key)
}

/// Whether nothing but hashes can tell the bytes of two rows apart.
fn same_but_hashes(x: &Row, y: &Row) -> bool {
    fn seeds(row: &Row) -> Vec<(&str, &AxisValue)> {
        let axes = row.axes.iter();
        axes.filter(|(key, _)| key.starts_with("data.") && is_seed(key))
            .collect()
    }
    x.data.source == y.data.source
        && x.data.bytes == y.data.bytes
        && x.regime() == y.regime()
        && x.test_set() == y.test_set()
        && seeds(x) == seeds(y)
}

/// Hash of bytes that are not those trained on; empty if unknown.
fn scored_hash(row: &Row) -> &str {
    row.description().map_or("", |found| &found.scored().hash)
}

fn value(row: &Row, key: &str) -> String {
    let value = row.axes.get(key).map(AxisValue::to_string);
    value.unwrap_or_else(|| "default".into())
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    let said = parts.filter(|part| !part.is_empty());
    said.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Description, TrainedOn};

    fn row(axes: &str) -> Row {
        Row {
            axes: serde_json::from_str(axes).unwrap(),
            ..Row::default()
        }
    }

    #[test]
    fn settings_varied_by_themselves_make_ladders_and_others_do_not() {
        let grid: Vec<Row> = [(8, 1), (8, 2), (16, 1), (16, 2)]
            .iter()
            .map(|(w, e)| {
                row(&format!(
                    r#"{{"model.width":{w},"train.epochs":{e},"seed":0}}"#
                ))
            })
            .collect();
        let grid: Vec<&Row> = grid.iter().collect();
        assert_eq!(variants(&grid)[1], "train.epochs=2");
        let tuned = [&grid[0], &grid[3]].map(|r| *r);
        assert_eq!(variants(&tuned), ["", ""]);
    }

    #[test]
    fn several_sets_of_held_out_bytes_make_ladders_and_in_sample_they_do_not() {
        let scored = |width: u64, set: &str, regime| {
            let scored = crate::Scored {
                bytes: 100,
                hash: set.into(),
            };
            let found = Description::two_part(regime, scored, 400.0, 50, 10, 1000);
            Row {
                score: Some(found.into()),
                ..row(&format!(
                    r#"{{"model.width":{width},"data.holdout.source":"{set}","seed":0}}"#
                ))
            }
        };
        for (regime, variant) in [
            (Regime::HeldOut, "data.holdout.source=b"),
            (Regime::InSample, ""),
        ] {
            let rows = [(8, "a"), (8, "b"), (16, "a"), (16, "b")];
            let rows = rows.map(|(width, set)| scored(width, set, regime));
            let rows: Vec<&Row> = rows.iter().collect();
            assert_eq!(variants(&rows)[1], variant);
            assert_eq!(rows[1].test_set(), variant);
        }
    }

    /// A row trained on bytes of this hash.
    fn on(hash: &str, axes: &str) -> Row {
        Row {
            data: TrainedOn {
                source: "t".into(),
                bytes: 100,
                hash: hash.into(),
            },
            ..row(axes)
        }
    }

    fn told(rows: &[Row]) -> Vec<String> {
        byte_sets(&rows.iter().collect::<Vec<_>>())
    }

    #[test]
    fn other_parts_of_a_source_are_other_bytes_and_make_ladders() {
        let rows = [
            on("a", r#"{"model.width":8,"data.offset":0}"#),
            on("b", r#"{"model.width":8,"data.offset":100}"#),
            on("a", r#"{"model.width":16,"data.offset":0}"#),
            on("b", r#"{"model.width":16,"data.offset":100}"#),
        ];
        let names = ["data.offset=0", "data.offset=100"];
        assert_eq!(told(&rows), [names, names].concat());
        let rows: Vec<&Row> = rows.iter().collect();
        assert_eq!(variants(&rows), [names, names].concat());
    }

    #[test]
    fn bytes_that_no_axis_tells_apart_are_told_by_their_hashes() {
        let rows = [on("0123456789", "{}"), on("abcdef0123", "{}")];
        assert_eq!(told(&rows), ["data.hash=01234567", "data.hash=abcdef01"]);
    }

    #[test]
    fn seeds_of_generated_bytes_and_other_lengths_are_not_other_sets() {
        let mut rows = [
            on("a", r#"{"data.seed":0}"#),
            on("b", r#"{"data.seed":1}"#),
            on("c", r#"{"data.bytes":200,"data.seed":0}"#),
        ];
        rows[2].data.bytes = 200;
        assert_eq!(told(&rows), ["", "", ""]);
    }
}
