//! Tokens sorted by their bytes: those that start alike are a range.

use crate::vocabulary::Vocabulary;
use std::ops::Range;

/// The tokens that have bytes, in the order of their bytes.
#[derive(Clone, Debug)]
pub struct Prefixes {
    order: Vec<u32>,
}

impl Prefixes {
    /// Of a vocabulary.
    pub fn new(vocabulary: &Vocabulary) -> Prefixes {
        let ids = 0..vocabulary.len() as u32;
        let mut order: Vec<u32> = ids.filter(|&id| !vocabulary.token(id).is_empty()).collect();
        order.sort_by_key(|&id| vocabulary.token(id));
        Prefixes { order }
    }

    /// The tokens, in order.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The first token that has the bytes of another.
    ///
    /// # Panics
    /// If that one has none.
    pub fn first_alike(&self, vocabulary: &Vocabulary, id: u32) -> u32 {
        let bytes = vocabulary.token(id);
        let before = |other: &u32| vocabulary.token(*other) < bytes;
        self.order[self.order.partition_point(before)]
    }

    /// The range of all tokens.
    pub fn all(&self) -> Range<usize> {
        0..self.order.len()
    }

    /// Of a range of tokens that share `depth` bytes, those that go on with `byte`.
    pub fn next(
        &self,
        vocabulary: &Vocabulary,
        range: Range<usize>,
        depth: usize,
        byte: u8,
    ) -> Range<usize> {
        let tokens = &self.order[range.clone()];
        let at = |id: &u32| vocabulary.token(*id).get(depth).copied();
        let first = tokens.partition_point(|id| at(id) < Some(byte));
        let len = tokens[first..].partition_point(|id| at(id) <= Some(byte));
        range.start + first..range.start + first + len
    }

    /// The tokens at the front of a range that have just `depth` bytes.
    pub fn ending(
        &self,
        vocabulary: &Vocabulary,
        range: Range<usize>,
        depth: usize,
    ) -> Range<usize> {
        let tokens = &self.order[range.clone()];
        let len = tokens.partition_point(|&id| vocabulary.token(id).len() <= depth);
        range.start..range.start + len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_start_alike_are_a_range() {
        let tokens: [&[u8]; 7] = [b"b", b"", b"ab", b"a", b"abc", b"a\0", b"ab"];
        let vocabulary = Vocabulary::new(tokens.iter().map(|t| Some(*t)));
        let prefixes = Prefixes::new(&vocabulary);
        assert_eq!(prefixes.order(), [3, 5, 2, 6, 4, 0]);
        assert_eq!(
            [6, 4].map(|id| prefixes.first_alike(&vocabulary, id)),
            [2, 4]
        );
        let a = prefixes.next(&vocabulary, prefixes.all(), 0, b'a');
        assert_eq!(a, 0..5);
        assert_eq!(prefixes.ending(&vocabulary, a.clone(), 1), 0..1);
        let ab = prefixes.next(&vocabulary, a.clone(), 1, b'b');
        assert_eq!(ab, 2..5);
        assert_eq!(prefixes.ending(&vocabulary, ab, 2), 2..4);
        assert!(prefixes.next(&vocabulary, a, 1, b'z').is_empty());
    }
}
