//! A token under way: the tokens that begin with the bytes since the last one ended.

use crate::prefixes::Prefixes;
use crate::vocabulary::Vocabulary;
use brevity_codec::{Frequencies, SYMBOLS};
use std::ops::Range;

/// Tokens that begin with some bytes.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    vocabulary: &'a Vocabulary,
    prefixes: &'a Prefixes,
    range: Range<usize>,
    /// How many bytes that are.
    depth: usize,
}

/// Whether a token ends, as far as its bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// It goes on.
    No,
    /// It ends: the first token of these bytes, none for a byte that has no token.
    Yes(Option<u32>),
    /// Either: the token if it ends, and the masses of going on and of ending.
    Open(Option<u32>, (u32, u32)),
}

impl<'a> Walk<'a> {
    /// Before the first byte of a token.
    pub fn new(vocabulary: &'a Vocabulary, prefixes: &'a Prefixes) -> Walk<'a> {
        Walk {
            vocabulary,
            prefixes,
            range: prefixes.all(),
            depth: 0,
        }
    }

    /// How many bytes the token has so far.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// What the frequencies of all tokens say of the next byte, if there is one.
    pub fn next(&self, counts: &[u32]) -> Frequencies {
        let mut weights = [0; SYMBOLS];
        let mut start = self.range.start;
        while start < self.range.end {
            let byte = self.vocabulary.token(self.prefixes.order()[start])[self.depth];
            let rest = start..self.range.end;
            let next = self.prefixes.next(self.vocabulary, rest, self.depth, byte);
            start = next.end;
            weights[usize::from(byte)] = self.mass(next, counts);
        }
        Frequencies::from_weights(&weights)
    }

    /// Takes the next byte. After an open border, the token is the one that goes on.
    pub fn take(&mut self, byte: u8, counts: &[u32]) -> Border {
        let (vocabulary, prefixes) = (self.vocabulary, self.prefixes);
        let range = prefixes.next(vocabulary, self.range.clone(), self.depth, byte);
        self.depth += 1;
        let ending = prefixes.ending(vocabulary, range.clone(), self.depth);
        self.range = ending.end..range.end;
        let id = (!ending.is_empty()).then(|| prefixes.order()[ending.start]);
        if self.range.is_empty() {
            return Border::Yes(id);
        }
        let longer = self.mass(self.range.clone(), counts);
        match id {
            Some(_) => Border::Open(id, (longer, self.mass(ending, counts))),
            // A first byte may be one that has no token.
            None if self.depth == 1 => Border::Open(None, (longer, 1)),
            None => Border::No,
        }
    }

    /// At least 1 for tokens that there are, and less than 2^32.
    fn mass(&self, range: Range<usize>, counts: &[u32]) -> u32 {
        let ids = self.prefixes.order()[range].iter();
        ids.map(|&id| counts[id as usize]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_where_tokens_can_end() {
        let tokens: [&[u8]; 6] = [b"", b"a", b"ab", b"abc", b"ab", b"cd"];
        let vocabulary = Vocabulary::new(tokens.iter().map(|t| Some(*t)));
        let prefixes = Prefixes::new(&vocabulary);
        let counts = [7, 1, 2, 4, 8, 16];
        let mut walk = Walk::new(&vocabulary, &prefixes);
        let next = walk.next(&counts);
        assert!(next.of(b'c') > next.of(b'a') && next.of(b'a') > 100 * next.of(b'b'));
        assert_eq!(walk.take(b'a', &counts), Border::Open(Some(1), (14, 1)));
        assert_eq!(walk.take(b'b', &counts), Border::Open(Some(2), (4, 10)));
        assert_eq!(walk.take(b'c', &counts), Border::Yes(Some(3)));
        let mut walk = Walk::new(&vocabulary, &prefixes);
        assert_eq!(walk.take(b'c', &counts), Border::Open(None, (16, 1)));
        assert_eq!(walk.take(b'd', &counts), Border::Yes(Some(5)));
        let mut walk = Walk::new(&vocabulary, &prefixes);
        assert_eq!(walk.take(b'z', &counts), Border::Yes(None));
    }
}
