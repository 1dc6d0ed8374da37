//! Bytes as shaded characters.

use super::costs::Cost;
use brevity_draw::{escape, is_hidden};
use std::fmt::Write;

/// Bits at which each shade begins; below the first there is no shade.
pub(super) const SHADES: [f32; 8] = [0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0];

/// Bytes of text after which a new block begins at the next line. A browser lays out
/// only visible blocks.
const BLOCK: usize = 4096;

/// The character that starts here and its length: valid UTF-8, else one byte.
fn character(bytes: &[u8]) -> (Option<char>, usize) {
    let length = match bytes[0] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    let valid = bytes
        .get(..length)
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    match valid.and_then(|text| text.chars().next()) {
        Some(c) => (Some(c), length),
        None => (None, 1),
    }
}

/// The shade for a number of bits.
fn shade(bits: f32) -> usize {
    SHADES.iter().filter(|&&from| bits >= from).count()
}

/// Writes each character as an element of class `k0` to `k8`, by the sum of the bits of
/// its bytes. `data-n` is the number of its bytes if it is not one. Invisible characters
/// are represented by a sign of class `q`. A page has 130 thousand of these elements, so
/// they are written without a template and without quotes.
pub(super) fn shaded(bytes: &[u8], costs: &[Cost]) -> String {
    let mut out = String::with_capacity(20 * bytes.len());
    out.push_str("<div>");
    let (mut at, mut block) = (0, 0);
    while at < bytes.len() {
        let (c, length) = character(&bytes[at..]);
        let bits: f32 = costs[at..at + length].iter().map(|cost| cost.bits).sum();
        let k = shade(bits);
        let sign = match c {
            Some('\n') => Some("↵"),
            Some('\t') => Some("⇥"),
            Some(c) if !is_hidden(c) => None,
            _ => Some("·"),
        };
        let _ = match (sign, c, length) {
            (None, Some(c), 1) => write!(out, "<i class=k{k}>{}</i>", escape(c)),
            (None, Some(c), _) => write!(out, "<i class=k{k} data-n={length}>{}</i>", escape(c)),
            (sign, _, 1) => write!(out, "<i class=\"k{k} q\">{}</i>", sign.unwrap_or("·")),
            (sign, ..) => write!(
                out,
                "<i class=\"k{k} q\" data-n={length}>{}</i>",
                sign.unwrap_or("·")
            ),
        };
        at += length;
        match c {
            Some('\n') if at - block >= BLOCK => {
                out.push_str("\n</div><div>");
                block = at;
            }
            Some(c @ ('\n' | '\t')) => out.push(c),
            _ => {}
        }
    }
    out.push_str("</div>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_and_invisible_characters_stand_for_themselves() {
        let bytes = b"a\xC3\xA9\xC3\n\0<";
        let costs = vec![Cost::default(); bytes.len()];
        assert_eq!(
            shaded(bytes, &costs),
            "<div><i class=k0>a</i><i class=k0 data-n=2>é</i><i class=\"k0 q\">·</i>\
             <i class=\"k0 q\">↵</i>\n<i class=\"k0 q\">·</i><i class=k0>&lt;</i></div>"
        );
    }

    #[test]
    fn every_byte_is_in_one_element() {
        let bytes: Vec<u8> = (0..9000u32).map(|i| (i * 7919 % 251) as u8).collect();
        let costs = vec![Cost::default(); bytes.len()];
        let html = shaded(&bytes, &costs);
        let more: usize = html
            .split("data-n=")
            .skip(1)
            .map(|rest| rest.as_bytes()[0] as usize - usize::from(b'1'))
            .sum();
        assert_eq!(html.matches("<i ").count() + more, bytes.len());
        assert!(html.matches("<div>").count() > 1);
    }

    #[test]
    fn shades_follow_the_bits() {
        assert_eq!([0.0, 0.5, 7.9, 8.0, 30.0].map(shade), [0, 1, 6, 7, 8]);
    }
}
