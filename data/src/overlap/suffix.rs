//! Longest matches by suffix array.

/// For each position of `test`, the length in bytes of the longest string that
/// starts there and occurs in `train`.
///
/// Sorts the suffixes of both texts together, with a unique separator between them; a
/// suffix of the test has its longest match with the nearest suffix of the training text
/// above or below it. Time grows as n log² n for matches of any length; memory is about
/// 20 bytes for each byte of both texts.
///
/// # Panics
///
/// If the texts have 4 GiB or more together.
#[must_use]
pub fn longest_matches(train: &[u8], test: &[u8]) -> Vec<usize> {
    const SEPARATOR: u16 = 256;
    let text: Vec<u16> = train
        .iter()
        .map(|&b| b.into())
        .chain([SEPARATOR])
        .chain(test.iter().map(|&b| b.into()))
        .collect();
    let (sorted, rank) = suffix_array(&text);
    let common = common_prefixes(&text, &sorted, &rank);
    let mut longest = vec![0; test.len()];
    let first = train.len() + 1;
    // The common prefix of the last training suffix and the current suffix, downwards
    // and then upwards through the order.
    let mut shared = 0;
    let mut visit = |place: usize, shared: usize| {
        let at = sorted[place] as usize;
        if at >= first {
            let best: &mut usize = &mut longest[at - first];
            *best = shared.max(*best);
        }
        at < train.len()
    };
    for (place, &common) in common.iter().enumerate() {
        shared = shared.min(common as usize);
        if visit(place, shared) {
            shared = usize::MAX;
        }
    }
    shared = 0;
    for (place, &common) in common.iter().enumerate().rev() {
        if visit(place, shared) {
            shared = usize::MAX;
        }
        shared = shared.min(common as usize);
    }
    longest
}

/// The suffix array and its inverse, by prefix doubling: suffixes sorted by their first
/// 2, 4, 8, ... symbols.
fn suffix_array(text: &[u16]) -> (Vec<u32>, Vec<u32>) {
    let n = text.len();
    assert!(
        u32::try_from(n).is_ok(),
        "a suffix array of at most 4 GiB, not {n} bytes"
    );
    // The end of the text sorts before any symbol.
    let pair = |i: usize| {
        let second = text.get(i + 1).map_or(0, |&s| usize::from(s) + 1);
        usize::from(text[i]) * 258 + second
    };
    let mut sorted = counting_sort(n, 257 * 258, pair);
    let mut rank = vec![0u32; n];
    let whole = if n == 0 { Vec::new() } else { vec![(0, n)] };
    let mut groups = regroup(&sorted, &mut rank, &whole, |a, b| {
        pair(a as usize) == pair(b as usize)
    });
    let mut depth = 2;
    while !groups.is_empty() {
        let before = rank.clone();
        let next = |i: u32| {
            let at = before.get(i as usize + depth);
            at.map_or(0, |&r| u64::from(r) + 1)
        };
        for &(from, to) in &groups {
            sorted[from..to].sort_unstable_by_key(|&i| next(i));
        }
        groups = regroup(&sorted, &mut rank, &groups, |a, b| next(a) == next(b));
        depth *= 2;
    }
    (sorted, rank)
}

/// Sorts the numbers below `n` by a key that is less than `keys`.
fn counting_sort(n: usize, keys: usize, key: impl Fn(usize) -> usize) -> Vec<u32> {
    let mut starts = vec![0usize; keys + 1];
    for i in 0..n {
        starts[key(i) + 1] += 1;
    }
    for k in 0..keys {
        starts[k + 1] += starts[k];
    }
    let mut sorted = vec![0u32; n];
    for i in 0..n {
        let place = &mut starts[key(i)];
        sorted[*place] = i as u32;
        *place += 1;
    }
    sorted
}

/// Splits sorted ranges into runs of equal suffixes and returns the runs with more than
/// one suffix. A rank is the last index of its run, so that ranks stay in order when runs
/// are split later.
fn regroup(
    sorted: &[u32],
    rank: &mut [u32],
    ranges: &[(usize, usize)],
    equal: impl Fn(u32, u32) -> bool,
) -> Vec<(usize, usize)> {
    let mut left = Vec::new();
    for &(from, to) in ranges {
        let mut start = from;
        while start < to {
            let mut end = start + 1;
            while end < to && equal(sorted[start], sorted[end]) {
                end += 1;
            }
            for &suffix in &sorted[start..end] {
                rank[suffix as usize] = (end - 1) as u32;
            }
            if end - start > 1 {
                left.push((start, end));
            }
            start = end;
        }
    }
    left
}

/// The LCP array: symbols that each suffix shares with the one before it in the order
/// (Kasai et al., 2001: dropping the first symbol loses at most one).
fn common_prefixes(text: &[u16], sorted: &[u32], rank: &[u32]) -> Vec<u32> {
    let mut common = vec![0u32; text.len()];
    let mut shared = 0usize;
    for i in 0..text.len() {
        let place = rank[i] as usize;
        if place == 0 {
            shared = 0;
            continue;
        }
        let other = sorted[place - 1] as usize;
        let (a, b) = (&text[i + shared..], &text[other + shared..]);
        shared += a.iter().zip(b).take_while(|(a, b)| a == b).count();
        common[place] = shared as u32;
        shared = shared.saturating_sub(1);
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(text: &[u8], wanted: &[u8]) -> usize {
        let shared = |i: usize| {
            let pairs = text[i..].iter().zip(wanted);
            pairs.take_while(|(a, b)| a == b).count()
        };
        (0..text.len()).map(shared).max().unwrap_or(0)
    }

    #[test]
    fn long_repeats_take_no_longer() {
        for text in [vec![7u8; 100_000], b"ab".repeat(50_000)] {
            assert_eq!(longest_matches(&text, &text)[0], 100_000);
        }
    }

    #[test]
    fn empty_texts_share_nothing() {
        assert_eq!(longest_matches(b"", b"abc"), [0, 0, 0]);
        assert!(longest_matches(b"abc", b"").is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn matches_are_the_longest(
            train in prop::collection::vec(0u8..4, 0..120),
            test in prop::collection::vec(0u8..4, 0..40),
        ) {
            let found = longest_matches(&train, &test);
            for i in 0..test.len() {
                prop_assert_eq!(found[i], naive(&train, &test[i..]));
            }
        }
    }
}
