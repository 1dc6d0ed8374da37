//! Models in Hugging Face folders: `config.json`, `model.safetensors` or its shards,
//! `tokenizer.json`.

use super::build::{self, Names};
use super::config::{self, Described};
use super::tensors::{Fused, Tensor, Tensors};
use crate::error::Problem;
use crate::mapped::{Bytes, Mapped};
use crate::spec::Spec;
use crate::weights::Weights;
use brevity_kernels::stored::Format;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// Largest file of JSON that is read.
const MAX_JSON: u64 = 1 << 28;

const LLAMA: Names = Names {
    embedding: "model.embed_tokens",
    positions: "",
    block: "model.layers.",
    attention_norm: "input_layernorm",
    query: "self_attn.q_proj",
    key: "self_attn.k_proj",
    value: "self_attn.v_proj",
    fused: None,
    query_norm: "self_attn.q_norm",
    key_norm: "self_attn.k_norm",
    out: "self_attn.o_proj",
    attention_after: "post_attention_layernorm",
    hidden_norm: "post_attention_layernorm",
    gate: "mlp.gate_proj",
    up: "mlp.up_proj",
    down: "mlp.down_proj",
    hidden_after: "post_feedforward_layernorm",
    last_norm: "model.norm",
    output: "lm_head",
};

const GPT2: Names = Names {
    embedding: "wte",
    positions: "wpe",
    block: "h.",
    attention_norm: "ln_1",
    query: "",
    key: "",
    value: "",
    fused: Some(("attn.c_attn", Fused::Apart)),
    query_norm: "",
    key_norm: "",
    out: "attn.c_proj",
    attention_after: "",
    hidden_norm: "ln_2",
    gate: "",
    up: "mlp.c_fc",
    down: "mlp.c_proj",
    hidden_after: "",
    last_norm: "ln_f",
    output: "lm_head",
};

const NEOX: Names = Names {
    embedding: "gpt_neox.embed_in",
    block: "gpt_neox.layers.",
    attention_norm: "input_layernorm",
    fused: Some(("attention.query_key_value", Fused::ByHead)),
    out: "attention.dense",
    up: "mlp.dense_h_to_4h",
    down: "mlp.dense_4h_to_h",
    last_norm: "gpt_neox.final_layer_norm",
    output: "embed_out",
    hidden_norm: "post_attention_layernorm",
    ..GPT2
};

/// The files of a folder that make the model, the same for the same model.
pub fn files(folder: &Path) -> Result<Vec<String>, Problem> {
    let mut files = vec!["config.json".to_owned(), "tokenizer.json".to_owned()];
    files.extend(shards(folder)?);
    Ok(files)
}

/// The files of tensors.
fn shards(folder: &Path) -> Result<Vec<String>, Problem> {
    let index = "model.safetensors.index.json";
    if !folder.join(index).exists() {
        return Ok(vec!["model.safetensors".to_owned()]);
    }
    let json = json(folder, index)?;
    let map = json.get("weight_map").and_then(Value::as_object);
    let map = map.ok_or_else(|| Problem::Missing(format!("{index}: weight_map")))?;
    let mut shards = BTreeSet::new();
    for shard in map.values() {
        match shard.as_str() {
            // A name that leaves the folder is none of the model's.
            Some(name) if !name.contains(['/', '\\']) => shards.insert(name.to_owned()),
            _ => {
                return Err(Problem::Unsupported {
                    field: format!("{index}: weight_map"),
                    value: shard.to_string(),
                });
            }
        };
    }
    Ok(shards.into_iter().collect())
}

/// A file of JSON.
pub fn json(folder: &Path, name: &str) -> Result<Value, Problem> {
    let path = folder.join(name);
    let named =
        |e: std::io::Error| Problem::Io(std::io::Error::new(e.kind(), format!("{name}: {e}")));
    if std::fs::metadata(&path).map_err(named)?.len() > MAX_JSON {
        return Err(named(std::io::Error::other("too large for a file of JSON")));
    }
    let text = std::fs::read(&path).map_err(named)?;
    serde_json::from_slice(&text).map_err(|source| Problem::Json {
        file: name.into(),
        source,
    })
}

/// Spec and parameters of a folder.
pub fn load(folder: &Path) -> Result<(Spec, Weights), Problem> {
    let Described { spec, tied } = config::describe(&json(folder, "config.json")?)?;
    let mut tensors = tensors(folder)?;
    let mut names = match spec.family.as_str() {
        "gpt2" => GPT2,
        "gpt_neox" => NEOX,
        _ => LLAMA,
    };
    match spec.family.as_str() {
        "gpt2" => tensors.transposed = true,
        "gpt_neox" if spec.kv_heads != spec.heads => {
            return Err(Problem::Unsupported {
                field: "num_key_value_heads".into(),
                value: "fewer than query heads".into(),
            });
        }
        "gemma" | "gemma2" | "gemma3_text" => tensors.gain_offset = 1.0,
        _ => {}
    }
    if matches!(spec.family.as_str(), "gemma2" | "gemma3_text") {
        names.hidden_norm = "pre_feedforward_layernorm";
    }
    let weights = build::weights(&names, &spec, Some(tied), &mut tensors)?;
    // Masks and frequencies that older files keep, and a copy of a tied layer.
    let ignored = |name: &str| {
        name.ends_with("rotary_emb.inv_freq")
            || name.ends_with("attn.bias")
            || name.ends_with("attn.masked_bias")
            || name.ends_with("attention.bias")
            || name.ends_with("attention.masked_bias")
            || name == "lm_head.weight" && tied
    };
    if let Some(name) = tensors.left(ignored) {
        return Err(Problem::Unsupported {
            field: format!("tensor `{name}`"),
            value: format!("no part of the family {}", spec.family),
        });
    }
    Ok((spec, weights))
}

/// The tensors of all shards. GPT-2's names may have a prefix, those of models of
/// text and pictures another, which is taken off.
fn tensors(folder: &Path) -> Result<Tensors, Problem> {
    let mut tensors = HashMap::new();
    for file in shards(folder)? {
        let map = Mapped::open(&folder.join(&file))
            .map_err(|e| Problem::Io(std::io::Error::new(e.kind(), format!("{file}: {e}"))))?;
        let parsed =
            SafeTensors::deserialize(map.bytes()).map_err(|source| Problem::Safetensors {
                file: file.clone(),
                source,
            })?;
        for (name, view) in parsed.tensors() {
            let format = match view.dtype() {
                Dtype::F32 => Format::F32,
                Dtype::F16 => Format::F16,
                Dtype::BF16 => Format::Bf16,
                // Masks.
                Dtype::BOOL | Dtype::U8 => continue,
                other => {
                    return Err(Problem::Unsupported {
                        field: format!("{file}: tensor `{name}`"),
                        value: format!("{other:?}"),
                    });
                }
            };
            let start = view.data().as_ptr() as usize - map.bytes().as_ptr() as usize;
            let tensor = Tensor {
                shape: view.shape().to_vec(),
                format,
                bytes: Bytes::Mapped(map.clone(), start..start + view.data().len()),
            };
            let short = name.strip_prefix("transformer.").unwrap_or(&name);
            let short = short.strip_prefix("language_model.").unwrap_or(short);
            tensors.insert(short.to_owned(), tensor);
        }
    }
    Ok(Tensors::new(tensors))
}
