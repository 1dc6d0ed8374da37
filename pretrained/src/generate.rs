//! Text that a model expects.

use crate::contexts::{Contexts, Stream};
use crate::decoder::Piece;
use crate::frequencies::{ESCAPE_START, Frequencies, NonFinite};
use crate::model::Model;
use crate::tokenizer::Item;

/// Bytes that follow `prompt`, at least `bytes` of them and a token's end; `random`
/// gives numbers that are uniform over 32 bits. Tokens are drawn by the frequencies that
/// an archive codes with, so the same numbers give the same text on any CPU.
///
/// # Errors
/// Logits that are not finite.
pub fn generate(
    model: &Model,
    contexts: &Contexts,
    prompt: &[u8],
    bytes: usize,
    random: &mut dyn FnMut() -> u32,
) -> Result<Vec<u8>, NonFinite> {
    let mut stream = Stream::new(model.first());
    let mut state = model.state(1);
    let mut frequencies = Frequencies::default();
    let mut logits = vec![0.0; model.spec().vocabulary];
    let mut see = |stream: &mut Stream| {
        if stream.fresh() {
            state.reset(0);
        }
        let ids = stream.pending();
        let hidden = model.hidden(&mut state, &[Piece { lane: 0, ids }]);
        stream.seen();
        hidden
    };
    for item in model.tokenizer().encode(prompt, model.vocabulary()) {
        if let Item::Token(id) = item {
            stream.push(contexts, model.first(), id);
        }
    }
    let mut out = Vec::new();
    while out.len() < bytes {
        let hidden = see(&mut stream);
        let last = &hidden[hidden.len() - model.spec().width..];
        model.logits(last, &mut logits);
        frequencies.set(&mut logits, model.vocabulary().barred())?;
        let target = (u64::from(random()) * u64::from(ESCAPE_START)) >> 32;
        let Some((id, _)) = frequencies.find(target as u32) else {
            continue;
        };
        stream.push(contexts, model.first(), id);
        out.extend_from_slice(model.vocabulary().token(id));
    }
    Ok(out)
}
