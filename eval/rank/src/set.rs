//! Byte sets and their documents.

use crate::config::SetConfig;
use crate::{Date, RankError};
use brevity_data::{ByteSet, DataConfig};
use std::ops::Range;

/// A byte set, cut into documents.
pub(crate) struct Set {
    pub name: String,
    pub date: Option<Date>,
    pub bytes: ByteSet,
    pub documents: Vec<Range<usize>>,
    /// Bytes of the same kind that no model has seen.
    pub reference: Option<ByteSet>,
    separator: Option<String>,
    piece: usize,
}

impl Set {
    pub fn load(config: &SetConfig) -> Result<Set, RankError> {
        let read = |data: DataConfig, what: String| match data.load() {
            Ok(split) => Ok(split.train),
            Err(error) => Err(RankError::Data {
                what,
                source: Box::new(error),
            }),
        };
        let bytes = read(config.data(), config.name.clone())?;
        let reference = config.reference.as_deref().map(source).map(|data| {
            let what = format!("the reference of {}", config.name);
            read(data, what)
        });
        let mut set = Set {
            name: config.name.clone(),
            date: config.date.clone(),
            documents: Vec::new(),
            reference: reference.transpose()?,
            separator: config.separator.clone(),
            piece: config.document,
            bytes,
        };
        set.documents = set.cut(&set.bytes.bytes);
        Ok(set)
    }

    /// Cuts bytes as this set's: into pieces, or after each separator. Every byte is in
    /// one document.
    pub fn cut(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let Some(separator) = self.separator.as_ref().map(String::as_bytes) else {
            let starts = (0..bytes.len()).step_by(self.piece);
            return starts
                .map(|start| start..(start + self.piece).min(bytes.len()))
                .collect();
        };
        let (mut documents, mut start, mut at) = (Vec::new(), 0, 0);
        while at < bytes.len() {
            match bytes[at..].starts_with(separator) {
                true => {
                    at += separator.len();
                    documents.push(start..at);
                    start = at;
                }
                false => at += 1,
            }
        }
        if start < bytes.len() {
            documents.push(start..bytes.len());
        }
        documents
    }

    /// Some documents of bytes, evenly spread: `most` at most.
    pub fn sample<'a>(&self, bytes: &'a [u8], most: usize) -> Vec<&'a [u8]> {
        let documents = self.cut(bytes);
        let count = documents.len().min(most);
        let at = |i: usize| documents[i * documents.len() / count].clone();
        (0..count).map(|i| &bytes[at(i)]).collect()
    }
}

/// A source whose form the config's check has seen.
pub(crate) fn source(text: &str) -> DataConfig {
    text.parse().expect("the config was checked")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(separator: Option<&str>) -> Set {
        Set {
            name: "set".into(),
            date: None,
            bytes: ByteSet::new("set", Vec::new()),
            documents: Vec::new(),
            reference: None,
            separator: separator.map(str::to_owned),
            piece: 4,
        }
    }

    #[test]
    fn every_byte_is_in_one_document() {
        assert_eq!(set(None).cut(b"123456789"), [0..4, 4..8, 8..9]);
        assert_eq!(set(Some("\n\n")).cut(b"a\n\nbc\n\nd"), [0..3, 3..7, 7..8]);
        assert_eq!(
            set(Some("\n\n")).cut(b"a\n\n"),
            std::slice::from_ref(&(0..3))
        );
        assert!(set(None).cut(b"").is_empty());
        assert_eq!(set(None).sample(b"123456789", 2), [b"1234", b"5678"]);
    }
}
