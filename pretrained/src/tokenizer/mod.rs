//! From bytes to tokens, for encoders only.
//!
//! Any way to cut bytes into tokens is lossless: the decoder glues tokens together
//! and never tokenises. A tokenizer like the one the model was trained with gives
//! short codes; [`Tokenizer::encode`] checks that what it gives is the input.
//!
//! Two kinds cover the families that we read: pairs of symbols merged in a learned
//! order within words that a [pattern](words) cuts (byte-level BPE: GPT-2, Llama 3,
//! Qwen), and the same over whole texts without words (SentencePiece: Llama 2,
//! Gemma).

pub mod gguf;
pub mod json;
mod merge;
mod unicode;
mod words;

#[cfg(test)]
pub(crate) use unicode::byte_of;
pub use words::Pattern;

use crate::vocabulary::Vocabulary;
use merge::{Merges, Symbol};
use regex::bytes::Regex;
use std::collections::HashMap;

/// A symbol of a text to code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// A token.
    Token(u32),
    /// A byte that has no token.
    Byte(u8),
}

impl Item {
    /// The bytes it stands for.
    pub fn append_to(self, out: &mut Vec<u8>, vocabulary: &Vocabulary) {
        match self {
            Item::Token(id) => out.extend_from_slice(vocabulary.token(id)),
            Item::Byte(byte) => out.push(byte),
        }
    }
}

/// How symbols are made and merged.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Of single bytes, within words.
    Bytes {
        /// What cuts the words.
        pattern: Pattern,
        /// Which pairs are merged, and when.
        merges: Merges,
    },
    /// Of characters, over whole texts.
    Characters {
        /// The token of each text.
        tokens: HashMap<Vec<u8>, u32>,
        /// Which pairs are merged, and when.
        merges: Merges,
    },
}

/// Cuts bytes into tokens.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    kind: Kind,
    /// Texts that are a token wherever they stand.
    added: Option<(Regex, HashMap<Vec<u8>, u32>)>,
}

impl Tokenizer {
    pub(crate) fn new(kind: Kind, added: HashMap<Vec<u8>, u32>) -> Tokenizer {
        let mut texts: Vec<&Vec<u8>> = added.keys().filter(|text| !text.is_empty()).collect();
        // The first alternative wins: the longest.
        texts.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        let texts: Vec<String> = texts
            .into_iter()
            .filter_map(|text| std::str::from_utf8(text).ok())
            .map(regex::escape)
            .collect();
        let regex = match texts.is_empty() {
            true => None,
            false => Regex::new(&texts.join("|")).ok(),
        };
        Tokenizer {
            kind,
            added: regex.map(|regex| (regex, added)),
        }
    }

    /// Cuts `bytes`, any bytes, into tokens of the vocabulary and bytes that have
    /// none. Put together they are `bytes` again.
    pub fn encode(&self, bytes: &[u8], vocabulary: &Vocabulary) -> Vec<Item> {
        let mut out = Vec::new();
        let mut glued = Vec::new();
        for chunk in bytes.utf8_chunks() {
            let start = out.len();
            self.text(chunk.valid(), vocabulary, &mut out);
            glued.clear();
            for item in &out[start..] {
                item.append_to(&mut glued, vocabulary);
            }
            if glued != chunk.valid().as_bytes() {
                out.truncate(start);
                out.extend(by_byte(chunk.valid().as_bytes(), vocabulary));
            }
            out.extend(by_byte(chunk.invalid(), vocabulary));
        }
        out
    }

    fn text(&self, text: &str, vocabulary: &Vocabulary, out: &mut Vec<Item>) {
        let Some((regex, tokens)) = &self.added else {
            return self.plain(text, vocabulary, out);
        };
        let mut done = 0;
        for found in regex.find_iter(text.as_bytes()) {
            self.plain(&text[done..found.start()], vocabulary, out);
            out.push(Item::Token(tokens[found.as_bytes()]));
            done = found.end();
        }
        self.plain(&text[done..], vocabulary, out);
    }

    fn plain(&self, text: &str, vocabulary: &Vocabulary, out: &mut Vec<Item>) {
        match &self.kind {
            Kind::Bytes { pattern, merges } => {
                let mut known: HashMap<&str, Vec<Item>> = HashMap::new();
                pattern.words(text, &mut |word| {
                    let items = known.entry(word).or_insert_with(|| {
                        let symbols = by_byte(word.as_bytes(), vocabulary);
                        merges.apply(symbols.map(Symbol::from))
                    });
                    out.extend_from_slice(items);
                });
            }
            Kind::Characters { tokens, merges } => {
                let mut buffer = [0; 4];
                let symbols = text.chars().flat_map(|c| {
                    let bytes = c.encode_utf8(&mut buffer).as_bytes();
                    match tokens.get(bytes) {
                        Some(&id) => vec![Item::Token(id)],
                        None => by_byte(bytes, vocabulary).collect(),
                    }
                });
                out.extend(merges.apply(symbols.map(Symbol::from)));
            }
        }
    }
}

/// Each byte on its own.
pub fn by_byte<'a>(
    bytes: &'a [u8],
    vocabulary: &'a Vocabulary,
) -> impl Iterator<Item = Item> + use<'a> {
    bytes.iter().map(|&byte| match vocabulary.single(byte) {
        Some(id) => Item::Token(id),
        None => Item::Byte(byte),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary(tokens: &[&[u8]]) -> Vocabulary {
        Vocabulary::new(tokens.iter().map(|t| Some(*t)))
    }

    #[test]
    fn pairs_merge_in_their_order_within_words() {
        let v = vocabulary(&[b"a", b"b", b" ", b"ab", b" ab", b"ba"]);
        let merges = Merges::new([(0, 1, 3), (2, 3, 4), (1, 0, 5)].into_iter());
        let kind = Kind::Bytes {
            pattern: Pattern::gpt2(false),
            merges,
        };
        let tokenizer = Tokenizer::new(kind, HashMap::new());
        let ids = |text: &[u8]| tokenizer.encode(text, &v);
        assert_eq!(ids(b"aba ab"), [3, 0, 4].map(Item::Token));
        assert_eq!(
            ids(b"a\xffc"),
            [Item::Token(0), Item::Byte(0xff), Item::Byte(b'c')]
        );
    }

    #[test]
    fn added_tokens_are_cut_out_first_the_longest_before_others() {
        let v = vocabulary(&[b"\n", b"x", b"\n\n", b"\n\n\n"]);
        let added = [(b"\n\n".to_vec(), 2), (b"\n\n\n".to_vec(), 3)];
        let kind = Kind::Characters {
            tokens: [(b"\n".to_vec(), 0), (b"x".to_vec(), 1)].into(),
            merges: Merges::new(std::iter::empty()),
        };
        let tokenizer = Tokenizer::new(kind, added.into());
        let ids = tokenizer.encode(b"x\n\n\n\n\nx\n", &v);
        assert_eq!(ids, [1, 3, 2, 1, 0].map(Item::Token));
    }
}
