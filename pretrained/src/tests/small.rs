//! Small random models as GGUF files.

use crate::gguf::tests::Writer;
use crate::model::Model;
use std::io::Write;
use tempfile::NamedTempFile;

pub const WIDTH: usize = 32;
pub const HIDDEN: usize = 40;
pub const LAYERS: usize = 3;
pub const HEAD: usize = 12;
pub const HEADS: usize = 4;
pub const CONTEXT: usize = 96;

/// Numbers that look random, of mean 0.
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn values(&mut self, n: usize, scale: f32) -> Vec<f32> {
        let unit = (1u64 << 30) as f32;
        (0..n)
            .map(|_| (self.next() as f32 / unit - 1.0) * scale)
            .collect()
    }
}

/// Tokens: the start, all bytes but `~`, and some words.
pub fn tokens() -> Vec<Vec<u8>> {
    let mut tokens = vec![b"<s>".to_vec()];
    tokens.extend((0..=255u8).filter(|&b| b != b'~').map(|b| vec![b]));
    tokens.extend(["th", "the", " the", "he", "\n\n", "\u{e4}", "in", "ing"].map(|t| t.into()));
    tokens
}

/// The file of a model of a family that [`Model::load`] knows.
pub fn file(family: &str, seed: u64) -> Writer {
    let mut w = Writer::default();
    let mut noise = Noise(seed);
    let layer_norm = matches!(family, "gpt2" | "gptneox");
    let kv_heads = if layer_norm { HEADS } else { 2 };
    w.text("general.architecture", family);
    w.text("general.name", "small");
    let mut size = |key: &str, value: usize| w.integer(&format!("{family}.{key}"), value as u32);
    size("block_count", LAYERS);
    size("context_length", CONTEXT);
    size("embedding_length", WIDTH);
    size("feed_forward_length", HIDDEN);
    size("attention.head_count", HEADS);
    size("attention.head_count_kv", kv_heads);
    size("attention.key_length", HEAD);
    size(
        "rope.dimension_count",
        if family == "gptneox" { 4 } else { HEAD },
    );
    size("attention.sliding_window", 7);
    let kind = if layer_norm { "epsilon" } else { "rms_epsilon" };
    w.float(&format!("{family}.attention.layer_norm_{kind}"), 1e-5);
    if family == "gemma2" {
        w.float("gemma2.attn_logit_softcapping", 2.0);
        w.float("gemma2.final_logit_softcapping", 5.0);
    }
    let tokens = tokens();
    let texts: Vec<String> = tokens.iter().map(|t| written(t)).collect();
    w.text("tokenizer.ggml.model", "gpt2");
    w.texts(
        "tokenizer.ggml.tokens",
        &texts.iter().map(|t| t.as_bytes()).collect::<Vec<_>>(),
    );
    let kinds: Vec<i32> = (0..tokens.len())
        .map(|id| if id == 0 { 3 } else { 1 })
        .collect();
    w.integers("tokenizer.ggml.token_type", &kinds);
    let merges = [
        "t h",
        "h e",
        "th e",
        "\u{120} the",
        "i n",
        "in g",
        "\u{10a} \u{10a}",
        "\u{c3} \u{a4}",
    ];
    w.texts("tokenizer.ggml.merges", &merges.map(str::as_bytes));
    w.integer("tokenizer.ggml.bos_token_id", 0);

    let mut tensor = |name: &str, shape: &[usize]| {
        let n = shape.iter().product();
        let values = match shape {
            [_] => noise.values(n, 0.3).iter().map(|x| x + 1.0).collect(),
            [_, cols] => noise.values(n, 2.0 / (*cols as f32).sqrt()),
            _ => unreachable!("vectors and matrices"),
        };
        w.tensor(name, shape, &values);
    };
    tensor("token_embd.weight", &[tokens.len(), WIDTH]);
    if family == "gpt2" {
        tensor("position_embd.weight", &[CONTEXT, WIDTH]);
    }
    let (q, kv) = (HEADS * HEAD, kv_heads * HEAD);
    for i in 0..LAYERS {
        let mut norm = |name: &str, len: usize| {
            tensor(&format!("blk.{i}.{name}.weight"), &[len]);
            if layer_norm {
                tensor(&format!("blk.{i}.{name}.bias"), &[len]);
            }
        };
        if family != "olmo2" {
            norm("attn_norm", WIDTH);
            norm("ffn_norm", WIDTH);
        }
        if matches!(family, "olmo2" | "gemma2" | "gemma3") {
            norm("post_attention_norm", WIDTH);
            norm("post_ffw_norm", WIDTH);
        }
        if family == "olmo2" {
            norm("attn_q_norm", q);
            norm("attn_k_norm", kv);
        }
        if matches!(family, "qwen3" | "gemma3") {
            norm("attn_q_norm", HEAD);
            norm("attn_k_norm", HEAD);
        }
        let mut linear = |name: &str, out: usize, inputs: usize, bias: bool| {
            tensor(&format!("blk.{i}.{name}.weight"), &[out, inputs]);
            if bias {
                tensor(&format!("blk.{i}.{name}.bias"), &[out]);
            }
        };
        if layer_norm {
            linear("attn_qkv", q + 2 * kv, WIDTH, true);
        } else {
            let bias = family == "qwen2";
            linear("attn_q", q, WIDTH, bias);
            linear("attn_k", kv, WIDTH, bias);
            linear("attn_v", kv, WIDTH, bias);
            linear("ffn_gate", HIDDEN, WIDTH, false);
        }
        linear("attn_output", WIDTH, q, layer_norm);
        linear("ffn_up", HIDDEN, WIDTH, layer_norm);
        linear("ffn_down", WIDTH, HIDDEN, layer_norm);
    }
    tensor("output_norm.weight", &[WIDTH]);
    if layer_norm {
        tensor("output_norm.bias", &[WIDTH]);
    }
    if family == "llama" {
        tensor("output.weight", &[tokens.len(), WIDTH]);
    }
    w
}

/// A token as byte-level tokenizers write it.
fn written(token: &[u8]) -> String {
    if token == b"<s>" {
        return "<s>".into();
    }
    let all: Vec<char> = ('\0'..='\u{200}').collect();
    let character = |byte: &u8| {
        let found = all
            .iter()
            .find(|c| crate::tokenizer::byte_of(**c) == Some(*byte));
        *found.expect("every byte has a character")
    };
    token.iter().map(character).collect()
}

/// The bytes on disk.
pub fn on_disk(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("a temporary file");
    file
}

/// A model of a family.
pub fn model(family: &str) -> Model {
    let file = on_disk(&file(family, 1).finish());
    Model::load(file.path()).expect("a good file")
}
