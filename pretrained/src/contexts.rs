//! Which tokens a model sees before the one it predicts.
//!
//! Every stream starts with the model's first token, which is context and never
//! coded. A context takes so many tokens; when it is full, the model starts anew
//! with the first token and the last few of the stream, and goes on. Windows slide
//! over tokens, never over text, so the decoder does the same without a tokenizer.

/// Sizes of contexts, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contexts {
    /// Tokens of a context, the first one included; at least 2.
    pub tokens: usize,
    /// Tokens of the stream that a new context starts with; less than `tokens - 1`.
    pub keep: usize,
}

impl Contexts {
    /// Contexts of `tokens` tokens that start with half of the one before.
    ///
    /// # Panics
    /// If there is no room for a token to predict.
    pub fn new(tokens: usize) -> Contexts {
        assert!(tokens >= 2, "a context of {tokens} tokens");
        Contexts {
            tokens,
            keep: (tokens / 2).min(tokens - 2),
        }
    }

    /// Where a context begins that predicts token `t` of a stream, if one does there.
    pub fn begins(&self, t: usize) -> bool {
        t == 0 || t >= self.tokens && (t - self.tokens).is_multiple_of(self.tokens - self.keep)
    }

    /// Tokens of the stream at the front of the context that begins at `t`.
    pub fn kept(&self, t: usize) -> usize {
        if t == 0 { 0 } else { self.keep }
    }

    /// The first token that the next context predicts.
    pub fn end(&self, begin: usize) -> usize {
        match begin {
            0 => self.tokens,
            _ => begin + self.tokens - self.keep,
        }
    }
}

/// A stream that is decoded: what the model has to see next.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The tokens so far.
    ids: Vec<u32>,
    /// What the model has not seen yet.
    pending: Vec<u32>,
    /// Whether it has to forget first.
    fresh: bool,
}

impl Stream {
    /// A stream before its first token; `first` is the model's.
    pub fn new(first: u32) -> Stream {
        Stream {
            ids: Vec::new(),
            pending: vec![first],
            fresh: true,
        }
    }

    /// Takes the next token.
    pub fn push(&mut self, contexts: &Contexts, first: u32, id: u32) {
        self.ids.push(id);
        let t = self.ids.len();
        if contexts.begins(t) {
            self.fresh = true;
            self.pending.clear();
            self.pending.push(first);
            self.pending
                .extend_from_slice(&self.ids[t - contexts.kept(t)..]);
        } else {
            self.pending.push(id);
        }
    }

    /// What the model has to see before it can predict.
    pub fn pending(&self) -> &[u32] {
        &self.pending
    }

    /// Whether the model has to forget before it sees that.
    pub fn fresh(&self) -> bool {
        self.fresh
    }

    /// What is pending; the model is about to see it.
    pub fn take_pending(&mut self) -> Vec<u32> {
        self.fresh = false;
        std::mem::take(&mut self.pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_never_exceed_their_size_and_follow_each_other() {
        for (tokens, keep) in [(2, 0), (3, 1), (8, 4), (8, 0), (10, 8)] {
            let contexts = Contexts { tokens, keep };
            let mut stream = Stream::new(99);
            let (mut len, mut begin) = (0, 0);
            for t in 0..60 {
                if contexts.begins(t) {
                    assert!(t == 0 || t == contexts.end(begin));
                    begin = t;
                }
                if stream.fresh() {
                    assert!(contexts.begins(t));
                    len = 0;
                }
                len += stream.pending().len();
                assert!(
                    !stream.pending().is_empty() && len <= tokens,
                    "{len} of {tokens}"
                );
                stream.take_pending();
                stream.push(&contexts, 99, t as u32);
            }
        }
    }
}
