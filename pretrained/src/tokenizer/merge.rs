//! Merging pairs of symbols in a learned order.

use super::Item;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// A symbol as one number: a token's, or above all of them a byte without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Symbol(u32);

const BYTES: u32 = 1 << 31;

impl From<Item> for Symbol {
    fn from(item: Item) -> Symbol {
        Symbol(match item {
            Item::Token(id) => id,
            Item::Byte(byte) => BYTES + u32::from(byte),
        })
    }
}

impl From<Symbol> for Item {
    fn from(symbol: Symbol) -> Item {
        match symbol.0.checked_sub(BYTES) {
            None => Item::Token(symbol.0),
            Some(byte) => Item::Byte(byte as u8),
        }
    }
}

/// Pairs of tokens, the rank at which they are merged and the token they become.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merges(HashMap<(u32, u32), (u32, u32)>);

impl Merges {
    /// Of `(left, right, merged)`, the first pair first.
    pub(crate) fn new(pairs: impl Iterator<Item = (u32, u32, u32)>) -> Merges {
        Merges::ranked((0..).zip(pairs))
    }

    /// Of ranks and `(left, right, merged)`. The first of several of a pair counts.
    pub(crate) fn ranked(pairs: impl Iterator<Item = (u32, (u32, u32, u32))>) -> Merges {
        let mut out = HashMap::new();
        for (rank, (left, right, merged)) in pairs {
            out.entry((left, right)).or_insert((rank, merged));
        }
        Merges(out)
    }

    /// Merges the pair of the lowest rank, the leftmost of several, until there is
    /// none. Time n log n.
    pub(crate) fn apply(&self, symbols: impl Iterator<Item = Symbol>) -> Vec<Item> {
        // A list of symbols; one that was merged into its left neighbour is gone.
        let mut symbols: Vec<Option<Symbol>> = symbols.map(Some).collect();
        let n = symbols.len();
        let mut next: Vec<usize> = (1..=n).collect();
        let mut previous: Vec<usize> = (0..n).map(|i| i.wrapping_sub(1)).collect();
        let mut queue = BinaryHeap::new();
        let propose =
            |queue: &mut BinaryHeap<_>, symbols: &[Option<Symbol>], i: usize, j: usize| {
                if let (Some(Some(a)), Some(Some(b))) = (symbols.get(i), symbols.get(j))
                    && let Some(&(rank, merged)) = self.0.get(&(a.0, b.0))
                {
                    queue.push(Reverse((rank, i, j, a.0, b.0, merged)));
                }
            };
        for i in 1..n {
            propose(&mut queue, &symbols, i - 1, i);
        }
        while let Some(Reverse((_, i, j, a, b, merged))) = queue.pop() {
            let still = symbols[i] == Some(Symbol(a)) && symbols[j] == Some(Symbol(b));
            if !still || next[i] != j {
                continue;
            }
            symbols[i] = Some(Symbol(merged));
            symbols[j] = None;
            next[i] = next[j];
            if let Some(after) = previous.get_mut(next[i]) {
                *after = i;
            }
            propose(&mut queue, &symbols, previous[i], i);
            propose(&mut queue, &symbols, i, next[i]);
        }
        symbols.into_iter().flatten().map(Item::from).collect()
    }
}
