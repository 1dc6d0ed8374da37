//! How content is cut into streams of tokens.

use super::error::ArchiveError;
use crate::contexts::Contexts;
use crate::form::Form;
use crate::model::Model;
use crate::tokenizer::Item;
use brevity_codec::Layout;
use rayon::prelude::*;

/// Tokens of a context unless it is said otherwise.
pub const CONTEXT: usize = 2048;

/// How content is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Sizes of contexts.
    pub contexts: Contexts,
    /// Bytes of chunks that are coded independently of each other, if they are.
    pub chunk: Option<usize>,
    /// Lanes that are decoded side by side, at most: faster, and each lane starts
    /// without a past.
    pub lanes: usize,
    /// How bytes become text.
    pub form: Form,
}

impl Settings {
    /// For a model: contexts of [`CONTEXT`] tokens or of its own size, one lane, text.
    pub fn new(model: &Model) -> Settings {
        Settings {
            contexts: Contexts::new(CONTEXT.min(model.spec().context).max(2)),
            chunk: None,
            lanes: 1,
            form: Form::Text,
        }
    }

    /// How content of `bytes` bytes is cut into lanes.
    pub(super) fn layout(&self, bytes: usize) -> Layout {
        Layout::new(bytes, self.chunk.unwrap_or(1), self.lanes)
    }

    /// Lengths of the streams of a lane of `bytes` bytes.
    pub(super) fn streams(&self, bytes: usize) -> impl Iterator<Item = usize> + use<> {
        let chunk = self.chunk.unwrap_or(usize::MAX);
        let count = bytes.div_ceil(chunk);
        (0..count).map(move |i| chunk.min(bytes - i * chunk))
    }

    /// Bytes that the keys and values of all lanes take at most.
    pub fn memory(&self, model: &Model, bytes: usize) -> usize {
        let tokens = self.contexts.tokens.min(bytes.saturating_add(1));
        let lanes = self.layout(bytes).lanes();
        // A history grows by half at a time.
        (tokens * 3 / 2 + 64)
            .saturating_mul(lanes)
            .saturating_mul(model.spec().position_bytes())
    }

    /// Whether bytes can be mixed with context models: those are coded one after the
    /// other, as they are.
    pub fn can_mix(&self) -> bool {
        self.lanes == 1 && matches!(self.form, Form::Text | Form::Bytes)
    }
}

/// Refuses settings that the model cannot do.
pub(super) fn check(model: &Model, settings: &Settings) -> Result<(), ArchiveError> {
    let (tokens, context) = (settings.contexts.tokens, model.spec().context);
    match tokens <= context {
        true => Ok(()),
        false => Err(ArchiveError::Context { tokens, context }),
    }
}

/// The streams of content, lane by lane, tokenised.
pub fn tokenise(model: &Model, settings: &Settings, content: &[u8]) -> Vec<Vec<Vec<Item>>> {
    let layout = settings.layout(content.len());
    let lanes = (0..layout.lanes()).into_par_iter().map(|lane| {
        let mut rest = &content[layout.range(lane)];
        let streams = settings.streams(rest.len()).map(|len| {
            let (stream, after) = rest.split_at(len);
            rest = after;
            settings.form.items(model, stream)
        });
        streams.collect()
    });
    lanes.collect()
}
