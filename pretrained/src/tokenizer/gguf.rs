//! The vocabulary and tokenizer that a GGUF file holds.

use super::unicode::{byte_token, bytes_of};
use super::{Kind, Merges, Pattern, Tokenizer};
use crate::error::Problem;
use crate::gguf::{Array, Gguf};
use crate::vocabulary::Vocabulary;
use std::collections::HashMap;

/// What a model's tokenizer says of tokens.
pub struct Loaded {
    /// Their bytes.
    pub vocabulary: Vocabulary,
    /// How to find them.
    pub tokenizer: Tokenizer,
    /// The token at the start of a text, if there is one.
    pub bos: Option<u32>,
}

/// Kinds of tokens, by ggml's numbers.
const NORMAL: i64 = 1;
const USER_DEFINED: i64 = 4;
const BYTE: i64 = 6;

fn error<T>(problem: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Tokenizer(problem.into()))
}

/// Reads the vocabulary of a model with `rows` rows of logits.
pub fn load(gguf: &Gguf, rows: usize) -> Result<Loaded, Problem> {
    let Some(Array::Texts(texts)) = gguf.array("tokenizer.ggml.tokens")? else {
        return error("`tokenizer.ggml.tokens` is missing");
    };
    if texts.len() > rows {
        return error(format!(
            "{} tokens, but the model has logits for {rows}",
            texts.len()
        ));
    }
    let kinds = match gguf.array("tokenizer.ggml.token_type")? {
        Some(Array::Integers(kinds)) if kinds.len() == texts.len() => kinds.clone(),
        None => vec![NORMAL; texts.len()],
        _ => return error("`tokenizer.ggml.token_type` is not one number a token"),
    };
    let model = gguf.text("tokenizer.ggml.model")?.unwrap_or("none");
    let byte_level = match model {
        "gpt2" => true,
        "llama" => false,
        _ => return error(format!("the model `{model}` is not `gpt2` or `llama`")),
    };
    let mut tokens: Vec<Option<Vec<u8>>> = Vec::with_capacity(rows);
    let mut added = HashMap::new();
    for (id, (text, kind)) in texts.iter().zip(&kinds).enumerate() {
        let text = String::from_utf8_lossy(text);
        let bytes = match *kind {
            NORMAL if byte_level => bytes_of(&text),
            NORMAL | USER_DEFINED => Some(text.replace('\u{2581}', " ").into_bytes()),
            BYTE => byte_token(&text).map(|byte| vec![byte]),
            _ => None,
        };
        if let (USER_DEFINED, Some(bytes)) = (*kind, &bytes) {
            added.insert(bytes.clone(), id as u32);
        }
        tokens.push(bytes);
    }
    tokens.resize(rows, None);
    let kind = match byte_level {
        true => Kind::Bytes {
            pattern: Pattern::named(gguf.text("tokenizer.ggml.pre")?.unwrap_or("default")),
            merges: listed_merges(gguf, texts)?,
        },
        false => {
            let Some(Array::Numbers(scores)) = gguf.array("tokenizer.ggml.scores")? else {
                return error("`tokenizer.ggml.scores` is missing");
            };
            if scores.len() != texts.len() {
                return error("`tokenizer.ggml.scores` is not one number a token");
            }
            let normal = |id: usize| kinds[id] == NORMAL || kinds[id] == USER_DEFINED;
            let ids = (0..texts.len()).filter(|&id| normal(id));
            let by_text: HashMap<Vec<u8>, u32> = ids
                .filter_map(|id| Some((tokens[id].clone()?, id as u32)))
                .collect();
            Kind::Characters {
                merges: scored_merges(&by_text, scores),
                tokens: by_text,
            }
        }
    };
    let bos = gguf.integer("tokenizer.ggml.bos_token_id")?;
    // GPT-2's files have no start but an end, which does for both.
    let bos = bos.or(gguf.integer("tokenizer.ggml.eos_token_id")?);
    let bos = bos.filter(|&id| id < rows as u64).map(|id| id as u32);
    Ok(Loaded {
        vocabulary: Vocabulary::new(tokens.iter().map(Option::as_deref)),
        tokenizer: Tokenizer::new(kind, added),
        bos,
    })
}

/// Merges as the file lists them: `left right`.
fn listed_merges(gguf: &Gguf, texts: &[&[u8]]) -> Result<Merges, Problem> {
    let Some(Array::Texts(merges)) = gguf.array("tokenizer.ggml.merges")? else {
        return error("`tokenizer.ggml.merges` is missing");
    };
    let ids: HashMap<&[u8], u32> = texts.iter().zip(0..).map(|(t, id)| (*t, id)).collect();
    let pairs = merges.iter().filter_map(|merge| {
        let space = merge.iter().skip(1).position(|&b| b == b' ')? + 1;
        let (left, right) = (&merge[..space], &merge[space + 1..]);
        let merged = [left, right].concat();
        Some((*ids.get(left)?, *ids.get(right)?, *ids.get(&merged[..])?))
    });
    Ok(Merges::new(pairs))
}

/// SentencePiece merges any two pieces that make a piece, the one of the highest
/// score first: all pairs of each piece, in that order.
fn scored_merges(tokens: &HashMap<Vec<u8>, u32>, scores: &[f32]) -> Merges {
    let mut order: Vec<(&Vec<u8>, u32)> = tokens.iter().map(|(text, &id)| (text, id)).collect();
    order.sort_by(|a, b| {
        let (x, y) = (scores[a.1 as usize], scores[b.1 as usize]);
        y.total_cmp(&x).then(a.1.cmp(&b.1))
    });
    let pairs = (0..).zip(order).flat_map(|(rank, (text, id))| {
        (1..text.len()).filter_map(move |cut| {
            let left = tokens.get(&text[..cut])?;
            Some((rank, (*left, *tokens.get(&text[cut..])?, id)))
        })
    });
    Merges::ranked(pairs)
}
