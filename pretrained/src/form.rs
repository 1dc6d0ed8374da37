//! How bytes become a text that a model reads.

use crate::model::Model;
use crate::tokenizer::{Item, by_byte};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// How bytes become a text that a model reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// They are one, cut as the model's tokenizer does.
    #[default]
    Text,
    /// Each is a token of its own.
    Bytes,
    /// Each is the character with its number: U+0000 to U+00FF.
    Latin1,
    /// The upper seven bits of each are an ASCII character, and the last bit costs one
    /// bit: what "Language Modeling Is Compression" does with pictures and sound.
    Ascii7,
}

impl Form {
    /// All of them, by their number in archives.
    pub const ALL: [Form; 4] = [Form::Text, Form::Bytes, Form::Latin1, Form::Ascii7];

    /// Its name: `text`, `bytes`, `latin1` or `ascii7`.
    pub fn name(self) -> &'static str {
        match self {
            Form::Text => "text",
            Form::Bytes => "bytes",
            Form::Latin1 => "latin1",
            Form::Ascii7 => "ascii7",
        }
    }

    /// The text that stands for bytes.
    pub(crate) fn text(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Form::Text | Form::Bytes => bytes.into(),
            Form::Latin1 => {
                let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
                text.into_bytes().into()
            }
            Form::Ascii7 => bytes.iter().map(|byte| byte >> 1).collect(),
        }
    }

    /// The symbols that stand for bytes.
    pub(crate) fn items(self, model: &Model, bytes: &[u8]) -> Vec<Item> {
        let vocabulary = model.vocabulary();
        match self {
            Form::Bytes => by_byte(bytes, vocabulary).collect(),
            _ => model.tokenizer().encode(&self.text(bytes), vocabulary),
        }
    }

    /// The last bits of bytes, which their text does not have.
    pub(crate) fn rest(self, bytes: &[u8]) -> impl Iterator<Item = bool> {
        let bytes = if self == Form::Ascii7 { bytes } else { &[] };
        bytes.iter().map(|byte| byte & 1 == 1)
    }

    /// How many bytes stand behind a part of a text. A character counts where it
    /// ends.
    pub(crate) fn bytes_of(self, text: &[u8]) -> usize {
        match self {
            Form::Latin1 => text.iter().filter(|&&byte| byte < 0xC0).count(),
            _ => text.len(),
        }
    }

    /// The bytes behind a text and their last bits; `None` if it is no such text.
    pub(crate) fn bytes(self, text: Vec<u8>, rest: impl Iterator<Item = bool>) -> Option<Vec<u8>> {
        match self {
            Form::Text | Form::Bytes => Some(text),
            Form::Latin1 => {
                let text = String::from_utf8(text).ok()?;
                text.chars()
                    .map(|c| u8::try_from(u32::from(c)).ok())
                    .collect()
            }
            Form::Ascii7 => {
                let pairs = text.into_iter().zip(rest);
                let byte = |(text, rest)| (text < 128).then_some(text << 1 | u8::from(rest));
                pairs.map(byte).collect()
            }
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(name: &str) -> Result<Form, String> {
        let found = Form::ALL.into_iter().find(|form| form.name() == name);
        found.ok_or_else(|| format!("`{name}` is none of text, bytes, latin1, ascii7"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_are_counted() {
        let bytes: Vec<u8> = (0..=255).rev().collect();
        for form in Form::ALL {
            let text = form.text(&bytes).into_owned();
            assert_eq!(form.bytes_of(&text), 256, "{form}");
            let rest: Vec<bool> = form.rest(&bytes).collect();
            let back = form.bytes(text, rest.into_iter());
            assert_eq!(back.as_deref(), Some(&bytes[..]), "{form}");
            assert_eq!(form.name().parse(), Ok(form));
        }
        assert_eq!(Form::Latin1.text(b"\xe4"), "\u{e4}".as_bytes());
        assert_eq!(Form::Latin1.bytes_of(&[0xC3]), 0);
        assert_eq!(Form::Latin1.bytes("\u{100}".into(), [].into_iter()), None);
        assert_eq!(Form::Ascii7.bytes(vec![128], [true].into_iter()), None);
    }
}
