//! The vocabulary and tokenizer of a `tokenizer.json`.
//!
//! Of what the format can say we read two kinds: byte-level BPE with any splitting
//! pattern that the `regex` crate knows, and BPE over characters with `▁` for the
//! space and bytes as a last resort. Normalisers that change the text are not
//! applied: they would not be lossless.

use super::gguf::Loaded;
use super::unicode::{byte_token, bytes_of};
use super::{Kind, Merges, Pattern, Tokenizer};
use crate::error::Problem;
use crate::vocabulary::Vocabulary;
use serde_json::Value;
use std::collections::HashMap;

fn error<T>(problem: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Tokenizer(problem.into()))
}

/// Reads the tokenizer of a model with `rows` rows of logits. `config` is the
/// model's, which says what token a text begins with.
pub fn load(json: &Value, config: &Value, rows: usize) -> Result<Loaded, Problem> {
    let model = &json["model"];
    match model["type"].as_str() {
        Some("BPE") => {}
        // Old files do not say it.
        None if model["merges"].is_array() => {}
        other => {
            return error(format!(
                "a model of the type {other:?} is not supported, only BPE"
            ));
        }
    }
    let Some(vocabulary) = model["vocab"].as_object() else {
        return error("`model.vocab` is missing");
    };
    let byte_level = uses_bytes(json);
    let mut tokens: Vec<Option<Vec<u8>>> = vec![None; rows];
    let mut ids: HashMap<&str, u32> = HashMap::new();
    for (text, id) in vocabulary {
        let Some(id) = id.as_u64().filter(|&id| id < rows as u64) else {
            return error(format!(
                "the token `{text}` has the id {id}, but there are logits for {rows}"
            ));
        };
        ids.insert(text, id as u32);
        tokens[id as usize] = match byte_level {
            true => bytes_of(text),
            false => match byte_token(text) {
                Some(byte) => Some(vec![byte]),
                None => Some(text.replace('\u{2581}', " ").into_bytes()),
            },
        };
    }
    let mut added = HashMap::new();
    for token in json["added_tokens"].as_array().into_iter().flatten() {
        let (Some(text), Some(id)) = (token["content"].as_str(), token["id"].as_u64()) else {
            return error("an added token without content or id");
        };
        let Some(place) = tokens.get_mut(id as usize) else {
            return error(format!(
                "the added token `{text}` has the id {id}, but there are logits for {rows}"
            ));
        };
        *place = match token["special"].as_bool() {
            Some(true) => None,
            _ => {
                added.insert(text.as_bytes().to_vec(), id as u32);
                Some(text.as_bytes().to_vec())
            }
        };
    }
    let merges = merges(model, &ids)?;
    let kind = match byte_level {
        true => Kind::Bytes {
            pattern: pattern(&json["pre_tokenizer"]),
            merges,
        },
        false => Kind::Characters {
            tokens: ids
                .values()
                .filter_map(|&id| {
                    let bytes = tokens[id as usize].clone()?;
                    // A byte of a character is none.
                    std::str::from_utf8(&bytes).is_ok().then_some((bytes, id))
                })
                .collect(),
            merges,
        },
    };
    Ok(Loaded {
        vocabulary: Vocabulary::new(tokens.iter().map(Option::as_deref)),
        tokenizer: Tokenizer::new(kind, added),
        bos: first(config)
            .filter(|&id| id < rows as u64)
            .map(|id| id as u32),
    })
}

/// The token that a text begins with, or where there is none the one it ends with.
fn first(config: &Value) -> Option<u64> {
    let text = config.get("text_config").unwrap_or(config);
    let of = |value: &Value| match value {
        Value::Array(several) => several.first().and_then(Value::as_u64),
        one => one.as_u64(),
    };
    let find = |name: &str| of(&text[name]).or(of(&config[name]));
    find("bos_token_id").or(find("eos_token_id"))
}

/// Whether symbols are bytes: some part is of the type `ByteLevel`.
fn uses_bytes(json: &Value) -> bool {
    let parts = ["pre_tokenizer", "decoder"].map(|name| parts(&json[name]));
    let mut parts = parts.into_iter().flatten();
    parts.any(|part| part["type"] == "ByteLevel")
}

/// The parts of a sequence, or the one thing.
fn parts(value: &Value) -> Vec<&Value> {
    for name in ["pretokenizers", "decoders"] {
        if let Some(several) = value[name].as_array() {
            return several.iter().collect();
        }
    }
    vec![value]
}

/// What cuts words; GPT-2's pattern if it is not understood.
fn pattern(pre: &Value) -> Pattern {
    let parts = parts(pre);
    let digits = parts.iter().any(|part| {
        part["type"] == "Digits" && part["individual_digits"].as_bool() == Some(true)
            || part["type"] == "Split" && part["pattern"]["Regex"] == r"\p{N}"
    });
    let split = parts.iter().find_map(|part| {
        let regex = part["pattern"]["Regex"].as_str()?;
        (part["type"] == "Split" && regex != r"\p{N}").then_some(regex)
    });
    let found = split.and_then(|regex| Pattern::new(regex, digits));
    found.unwrap_or_else(|| Pattern::gpt2(digits))
}

fn merges(model: &Value, ids: &HashMap<&str, u32>) -> Result<Merges, Problem> {
    let Some(list) = model["merges"].as_array() else {
        return error("`model.merges` is missing");
    };
    let pair = |merge: &Value| -> Option<(u32, u32, u32)> {
        let (left, right) = match merge {
            Value::String(text) => text.split_once(' ')?,
            Value::Array(pair) => (pair.first()?.as_str()?, pair.get(1)?.as_str()?),
            _ => return None,
        };
        let merged = format!("{left}{right}");
        Some((
            *ids.get(left)?,
            *ids.get(right)?,
            *ids.get(merged.as_str())?,
        ))
    };
    Ok(Merges::new(list.iter().filter_map(pair)))
}
