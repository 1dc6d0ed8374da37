//! Kinds of bytes.

use crate::{Pair, Side};
use serde::Serialize;

/// What a byte is part of, the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `http://...`, `https://...`, `www....`, up to white space, a quote or a bracket.
    Url,
    /// `<...>` without a line's end, and `&name;`.
    Markup,
    /// A digit, and a point or comma between two.
    Number,
    /// A small letter.
    Lower,
    /// A capital letter.
    Upper,
    /// A line's end.
    LineEnd,
    /// A space or tab.
    Space,
    /// Other characters of ASCII.
    Punctuation,
    /// A byte of 128 or more: of another script, or of no text.
    High,
    /// Control characters.
    Control,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 10] = [
        Kind::Url,
        Kind::Markup,
        Kind::Number,
        Kind::Lower,
        Kind::Upper,
        Kind::LineEnd,
        Kind::Space,
        Kind::Punctuation,
        Kind::High,
        Kind::Control,
    ];

    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Url => "URLs",
            Kind::Markup => "markup",
            Kind::Number => "numbers",
            Kind::Lower => "small letters",
            Kind::Upper => "capitals",
            Kind::LineEnd => "line ends",
            Kind::Space => "spaces",
            Kind::Punctuation => "punctuation",
            Kind::High => "high bytes",
            Kind::Control => "control bytes",
        }
    }

    /// Of a byte by itself.
    fn alone(byte: u8) -> Kind {
        match byte {
            b'0'..=b'9' => Kind::Number,
            b'a'..=b'z' => Kind::Lower,
            b'A'..=b'Z' => Kind::Upper,
            b'\n' | b'\r' => Kind::LineEnd,
            b' ' | b'\t' => Kind::Space,
            b'!'..=b'~' => Kind::Punctuation,
            128.. => Kind::High,
            _ => Kind::Control,
        }
    }
}

/// The longest tag that is taken for one, bytes.
const LONGEST_TAG: usize = 1000;

/// The kind of each byte.
#[must_use]
pub fn kinds(bytes: &[u8]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = bytes.iter().map(|&byte| Kind::alone(byte)).collect();
    for i in 1..bytes.len().saturating_sub(1) {
        let between = bytes[i - 1].is_ascii_digit() && bytes[i + 1].is_ascii_digit();
        if between && matches!(bytes[i], b'.' | b',') {
            kinds[i] = Kind::Number;
        }
    }
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (kind, length) = match (url(rest), markup(rest)) {
            (Some(length), _) => (Kind::Url, length),
            (None, Some(length)) => (Kind::Markup, length),
            (None, None) => {
                at += 1;
                continue;
            }
        };
        kinds[at..at + length].fill(kind);
        at += length;
    }
    kinds
}

fn url(rest: &[u8]) -> Option<usize> {
    let starts: [&[u8]; 3] = [b"http://", b"https://", b"www."];
    starts.iter().find(|start| rest.starts_with(start))?;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'<>()[]{}|".contains(byte);
    Some(rest.iter().position(ends).unwrap_or(rest.len()))
}

fn markup(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'<', next, ..] if next.is_ascii_alphabetic() || b"/!?".contains(next) => {
            let tag = &rest[..rest.len().min(LONGEST_TAG)];
            let end = tag.iter().position(|&byte| byte == b'>' || byte == b'\n')?;
            (tag[end] == b'>').then_some(end + 1)
        }
        [b'&', ..] => {
            let name = &rest[1..rest.len().min(12)];
            let end = name.iter().position(|&byte| byte == b';')?;
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
            (end > 0 && name[..end].iter().all(plain)).then_some(end + 2)
        }
        _ => None,
    }
}

/// The bytes of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OfKind {
    /// Which.
    pub kind: Kind,
    /// The bytes of it.
    #[serde(flatten)]
    pub pair: Pair,
}

pub(crate) fn by_kind(a: &Side, b: &Side, bytes: &[u8]) -> Vec<OfKind> {
    let mut pairs = [Pair::default(); Kind::ALL.len()];
    for (i, kind) in kinds(bytes).into_iter().enumerate() {
        pairs[kind as usize].add(a.bits[i], b.bits[i]);
    }
    let all = Kind::ALL.into_iter().zip(pairs);
    let mut found: Vec<OfKind> = all
        .filter(|(_, pair)| pair.bytes > 0)
        .map(|(kind, pair)| OfKind { kind, pair })
        .collect();
    found.sort_by(|x, y| y.pair.gap().abs().total_cmp(&x.pair.gap().abs()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_of_what_they_are_part_of() {
        let text = b"See <a href=\"x\">www.a.org/b?c=1</a>, A&amp;B: 1,234.5 if a < b\xC3\xA9\0\n";
        let marks: String = kinds(text)
            .into_iter()
            .map(|kind| match kind {
                Kind::Url => 'u',
                Kind::Markup => 'm',
                Kind::Number => '0',
                Kind::Lower => 'a',
                Kind::Upper => 'A',
                Kind::LineEnd => 'n',
                Kind::Space => '_',
                Kind::Punctuation => '.',
                Kind::High => 'h',
                Kind::Control => 'c',
            })
            .collect();
        assert_eq!(
            marks,
            "Aaa_mmmmmmmmmmmmuuuuuuuuuuuuuuummmm._AmmmmmA._0000000_aa_a_._ahhcn"
        );
        assert!(kinds(b"").is_empty());
    }
}
