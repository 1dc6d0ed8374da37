//! The gap by literal: the strings that make it.

use crate::{Pair, Side};
use serde::Serialize;
use std::collections::HashMap;

/// How many are told, each way.
const MOST: usize = 20;

/// The longest literal, bytes.
const LONGEST: usize = 64;

/// A string wherever it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfLiteral {
    /// The string; bytes that are no UTF-8 are escaped.
    pub literal: String,
    /// How often it is there.
    pub count: u64,
    /// All its bytes.
    #[serde(flatten)]
    pub pair: Pair,
}

/// What joins bytes to a literal: words, and runs of one other character.
fn class(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | 128.. => 0,
        other => other,
    }
}

/// The strings with the largest gaps: those that the second side pays more for, then
/// those that the first does.
pub(crate) fn by_literal(a: &Side, b: &Side, bytes: &[u8]) -> Vec<OfLiteral> {
    let mut found: HashMap<&[u8], (u64, Pair)> = HashMap::new();
    let mut start = 0;
    for run in bytes.chunk_by(|&x, &y| class(x) == class(y)) {
        for literal in run.chunks(LONGEST) {
            let (count, pair) = found.entry(literal).or_default();
            *count += 1;
            for i in start..start + literal.len() {
                pair.add(a.bits[i], b.bits[i]);
            }
            start += literal.len();
        }
    }
    let mut all: Vec<(&[u8], (u64, Pair))> = found.into_iter().collect();
    all.sort_by(|x, y| {
        let gap = y.1.1.gap().total_cmp(&x.1.1.gap());
        gap.then_with(|| x.0.cmp(y.0))
    });
    let second = all.iter().take(MOST).filter(|l| l.1.1.gap() > 0.0);
    let first = all.iter().rev().take(MOST).filter(|l| l.1.1.gap() < 0.0);
    let told = second
        .chain(first)
        .map(|(literal, (count, pair))| OfLiteral {
            literal: match std::str::from_utf8(literal) {
                Ok(text) => text.to_owned(),
                Err(_) => literal.escape_ascii().to_string(),
            },
            count: *count,
            pair: *pair,
        });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_summed_wherever_they_stand() {
        let bytes = b"the cat, the dog";
        let a = Side::new("a", vec![1.0; bytes.len()]);
        let mut b = vec![1.0; bytes.len()];
        b[..3].fill(2.0);
        b[9..12].fill(3.0);
        b[13..].fill(0.5);
        let found = by_literal(&a, &Side::new("b", b), bytes);
        let short: Vec<(&str, u64, f64)> = found
            .iter()
            .map(|l| (l.literal.as_str(), l.count, l.pair.gap()))
            .collect();
        assert_eq!(short, [("the", 2, 9.0), ("dog", 1, -1.5)]);
    }
}
