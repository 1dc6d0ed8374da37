//! Text that a model expects.

use crate::contexts::{Contexts, Stream};
use crate::decoder::Piece;
use crate::frequencies::{ESCAPE_START, Frequencies, NonFinite};
use crate::model::Model;
use crate::state::State;
use crate::tokenizer::Item;

/// The tokens that follow `prompt`, without an end, each as its bytes; `random` gives
/// numbers that are uniform over 32 bits. Tokens are drawn by the frequencies that an
/// archive codes with, so the same numbers give the same text on any CPU. Logits are
/// divided by `temperature` first; at 0 the likeliest token is taken, the first one on
/// a tie.
///
/// An item is an error if a logit is not finite; after it there is nothing.
pub fn generate<'a, R: FnMut() -> u32 + 'a>(
    model: &'a Model,
    contexts: &'a Contexts,
    prompt: &[u8],
    temperature: f32,
    mut random: R,
) -> impl Iterator<Item = Result<&'a [u8], NonFinite>> + use<'a, R> {
    let mut stream = Stream::new(model.first());
    for item in model.tokenizer().encode(prompt, model.vocabulary()) {
        if let Item::Token(id) = item {
            stream.push(contexts, model.first(), id);
        }
    }
    let mut writer = Writer {
        model,
        state: model.state(1),
        stream,
        frequencies: Frequencies::default(),
    };
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed {
            return None;
        }
        if let Err(error) = writer.predict(temperature) {
            failed = true;
            return Some(Err(error));
        }
        let id = writer.draw(temperature == 0.0, &mut random);
        writer.stream.push(contexts, model.first(), id);
        Some(Ok(model.vocabulary().token(id)))
    })
}

/// A text under way.
struct Writer<'a> {
    model: &'a Model,
    state: State,
    stream: Stream,
    frequencies: Frequencies,
}

impl Writer<'_> {
    /// Computes the frequencies of the next token.
    fn predict(&mut self, temperature: f32) -> Result<(), NonFinite> {
        if self.stream.fresh() {
            self.state.reset(0);
        }
        let ids = &self.stream.take_pending()[..];
        let pieces = [Piece { lane: 0, ids }];
        let mut logits = self.model.next_logits(&mut self.state, &pieces);
        if temperature > 0.0 && temperature != 1.0 {
            logits.iter_mut().for_each(|x| *x /= temperature);
        }
        let barred = self.model.vocabulary().barred();
        self.frequencies.set(&mut logits, barred)
    }

    /// A token that stands for bytes.
    fn draw(&self, likeliest: bool, random: &mut dyn FnMut() -> u32) -> u32 {
        if likeliest {
            let counts = self.frequencies.counts();
            let most = counts.iter().max();
            let first = counts.iter().position(|count| Some(count) == most);
            return first.unwrap_or(0) as u32;
        }
        loop {
            let target = (u64::from(random()) * u64::from(ESCAPE_START)) >> 32;
            match self.frequencies.find(target as u32) {
                Some((id, _)) if !self.model.vocabulary().token(id).is_empty() => return id,
                _ => {}
            }
        }
    }
}
