//! Escaping of invisible characters.
//!
//! Names of sources, settings and conventions come from files. An escape sequence in
//! one would colour a terminal or move its cursor; a change of writing direction would
//! make a row misleading.

use std::borrow::Cow;

/// Text on one line, with control and direction characters escaped: `\n`, `\u{1b}`,
/// `\u{202e}`.
///
/// ```
/// assert_eq!(brevity_draw::visible("a\u{202e}b\n"), r"a\u{202e}b\n");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    write_out(text, is_hidden)
}

/// Like [`visible`], but line ends and tabs stay.
#[must_use]
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    write_out(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

/// Whether a character is a control character, or an invisible one that affects the
/// direction or lines of a text.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}'     // marks of direction
            | '\u{202a}'..='\u{202e}'               // embeddings and overrides
            | '\u{2066}'..='\u{2069}'               // isolates
            | '\u{2028}' | '\u{2029}'               // ends of lines and paragraphs
            | '\u{feff}') // byte order mark
}

fn write_out(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !hidden(c) => shown.push(c),
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            c => shown.extend(c.escape_unicode()),
        }
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_is_left_alone() {
        for text in ["", "Ünïcode ±½ 日本", "a b", "עברית"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_does_not_show_is_written_out() {
        assert_eq!(
            visible("\u{1b}[31mred\r\n\t\0"),
            r"\u{1b}[31mred\r\n\t\u{0}"
        );
        assert_eq!(visible_lines("a\n\tb\r\u{9b}"), "a\n\tb\\r\\u{9b}");
        for c in [
            '\u{200f}', '\u{202e}', '\u{2066}', '\u{2028}', '\u{7f}', '\u{85}',
        ] {
            assert_eq!(visible(&c.to_string()), c.escape_unicode().to_string());
        }
    }
}
