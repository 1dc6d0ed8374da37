//! Which bytes a token stands for: all that a decoder needs of a tokenizer.

/// The bytes of each token.
///
/// Control tokens and padding have none; they are barred: no archive holds them.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    bytes: Vec<u8>,
    /// Where the bytes of each token end.
    ends: Vec<u32>,
    barred: Vec<u32>,
    /// The token of each single byte.
    singles: Vec<Option<u32>>,
}

impl Vocabulary {
    /// From the bytes of each token, `None` for those that stand for nothing.
    pub fn new<'a>(tokens: impl Iterator<Item = Option<&'a [u8]>>) -> Vocabulary {
        let mut out = Vocabulary {
            singles: vec![None; 256],
            ..Vocabulary::default()
        };
        for (id, token) in tokens.enumerate() {
            let token = token.unwrap_or_default();
            if token.is_empty() {
                out.barred.push(id as u32);
            }
            if let [byte] = token {
                out.singles[usize::from(*byte)].get_or_insert(id as u32);
            }
            out.bytes.extend_from_slice(token);
            out.ends.push(out.bytes.len() as u32);
        }
        out
    }

    /// Number of tokens, barred ones included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of a token; none if it is barred or does not exist.
    pub fn token(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let start = match id.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before).map_or(0, |&end| end as usize),
        };
        match self.ends.get(id) {
            Some(&end) => &self.bytes[start..end as usize],
            None => &[],
        }
    }

    /// Tokens without bytes, ascending.
    pub fn barred(&self) -> &[u32] {
        &self.barred
    }

    /// The first token that stands for just this byte.
    pub fn single(&self, byte: u8) -> Option<u32> {
        self.singles.get(usize::from(byte)).copied().flatten()
    }

    /// Values of bytes for which there is no token.
    pub fn missing_bytes(&self) -> usize {
        self.singles.iter().filter(|id| id.is_none()).count()
    }
}
