//! Writes the logits of token ids, `f32` after `f32`, for comparison with another
//! program: `logits MODEL IDS OUT`, the ids being `u32` after `u32`. Activations are
//! not rounded, as other programs do not.

use brevity_pretrained::{Model, Piece};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, ids, out] = arguments.as_slice() else {
        return Err("logits MODEL IDS OUT".into());
    };
    let model = Model::load(Path::new(model))?.exact();
    let ids = std::fs::read(ids)?;
    let ids: Vec<u32> = ids
        .as_chunks()
        .0
        .iter()
        .map(|b| u32::from_le_bytes(*b))
        .collect();
    let hidden = model.hidden(&mut model.state(1), &[Piece { lane: 0, ids: &ids }]);
    let mut logits = vec![0.0; ids.len() * model.spec().vocabulary];
    model.logits(&hidden, &mut logits);
    let bytes: Vec<u8> = logits.iter().flat_map(|x| x.to_le_bytes()).collect();
    std::fs::write(out, bytes)?;
    Ok(())
}
