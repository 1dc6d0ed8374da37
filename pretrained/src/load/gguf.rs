//! Models in GGUF files.

use super::build::{self, Names};
use super::tensors::{Fused, Tensor, Tensors};
use crate::error::Problem;
use crate::gguf::Gguf;
use crate::mapped::{Bytes, Mapped};
use crate::spec::{Norm, Placement, Positions, Spec};
use crate::weights::Weights;
use brevity_kernels::activation::Activation;
use brevity_kernels::elementwise::Gate;
use brevity_kernels::phases::{Rotary, frequencies};

const NAMES: Names = Names {
    embedding: "token_embd",
    positions: "position_embd",
    block: "blk.",
    attention_norm: "attn_norm",
    query: "attn_q",
    key: "attn_k",
    value: "attn_v",
    fused: None,
    query_norm: "attn_q_norm",
    key_norm: "attn_k_norm",
    out: "attn_output",
    attention_after: "post_attention_norm",
    hidden_norm: "ffn_norm",
    gate: "ffn_gate",
    up: "ffn_up",
    down: "ffn_down",
    hidden_after: "post_ffw_norm",
    last_norm: "output_norm",
    output: "output",
};

/// Spec and parameters of a file.
pub fn load(file: &Mapped, gguf: &Gguf) -> Result<(Spec, Weights), Problem> {
    let tensors = gguf.tensor_names().filter_map(|name| {
        let info = gguf.tensor(name)?;
        let tensor = Tensor {
            shape: info.shape.clone(),
            format: info.format,
            bytes: Bytes::Mapped(file.clone(), info.bytes.clone()),
        };
        Some((name.to_owned(), tensor))
    });
    let mut tensors = Tensors::new(tensors.collect());
    let header = Header { gguf };
    let spec = header.spec(&mut tensors)?;
    spec.validate()?;
    let mut names = NAMES;
    if matches!(spec.family.as_str(), "gpt2" | "gptneox") {
        // The converter has put GPT-NeoX's rows in this order too.
        names.fused = Some(("attn_qkv", Fused::Apart));
        names.gate = "";
    }
    let weights = build::weights(&names, &spec, None, &mut tensors)?;
    if let Some(name) = tensors.left(|_| false) {
        return Err(Problem::Unsupported {
            field: format!("tensor `{name}`"),
            value: format!("no part of the family {}", spec.family),
        });
    }
    Ok((spec, weights))
}

struct Header<'a> {
    gguf: &'a Gguf<'a>,
}

impl Header<'_> {
    fn family(&self) -> Result<&str, Problem> {
        let family = self.gguf.text("general.architecture")?;
        family.ok_or_else(|| Problem::Missing("general.architecture".into()))
    }

    fn key(&self, name: &str) -> Result<String, Problem> {
        Ok(format!("{}.{name}", self.family()?))
    }

    fn size(&self, name: &str) -> Result<Option<usize>, Problem> {
        let value = self.gguf.integer(&self.key(name)?)?;
        Ok(value.map(|n| usize::try_from(n).unwrap_or(usize::MAX)))
    }

    fn needed(&self, name: &str) -> Result<usize, Problem> {
        let size = self.size(name)?;
        size.ok_or(Problem::Missing(self.key(name)?))
    }

    fn number(&self, name: &str) -> Result<Option<f64>, Problem> {
        Ok(self.gguf.number(&self.key(name)?)?)
    }

    fn spec(&self, tensors: &mut Tensors) -> Result<Spec, Problem> {
        let family = self.family()?;
        let known = [
            "llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "gpt2", "gptneox", "olmo2",
        ];
        if !known.contains(&family) {
            return Err(Problem::Unsupported {
                field: "general.architecture".into(),
                value: format!("{family} (known are {})", known.join(", ")),
            });
        }
        if self.size("expert_count")?.is_some_and(|n| n > 0) {
            return Err(Problem::Unsupported {
                field: self.key("expert_count")?,
                value: "a mixture of experts".into(),
            });
        }
        let gemma = family.starts_with("gemma");
        let layer_norm = matches!(family, "gpt2" | "gptneox");
        let width = self.needed("embedding_length")?;
        let heads = self.needed("attention.head_count")?;
        let head_dim = match self.size("attention.key_length")? {
            Some(n) => n,
            None => width / heads.max(1),
        };
        if self
            .size("attention.value_length")?
            .is_some_and(|n| n != head_dim)
        {
            return Err(Problem::Unsupported {
                field: self.key("attention.value_length")?,
                value: "another length than that of keys".into(),
            });
        }
        let layers = self.needed("block_count")?.min(1 << 11);
        let epsilon = match layer_norm {
            true => "attention.layer_norm_epsilon",
            false => "attention.layer_norm_rms_epsilon",
        };
        let epsilon = self.number(epsilon)?;
        let epsilon = epsilon.ok_or(Problem::Missing(self.key("attention.layer_norm_epsilon")?))?;
        let vocabulary = tensors.rows_of("token_embd.weight")?;
        let windows = self.windows(family, layers)?;
        let positions = self.positions(family, head_dim, tensors)?;
        Ok(Spec {
            family: family.into(),
            width,
            heads,
            kv_heads: self.size("attention.head_count_kv")?.unwrap_or(heads),
            head_dim,
            hidden: self.needed("feed_forward_length")?,
            vocabulary,
            context: self.needed("context_length")?,
            windows,
            norm: if layer_norm { Norm::Layer } else { Norm::Rms },
            epsilon: epsilon as f32,
            placement: match family {
                "gemma2" | "gemma3" => Placement::Both,
                "olmo2" => Placement::After,
                _ => Placement::Before,
            },
            parallel: self.gguf.flag(&self.key("use_parallel_residual")?)? == Some(true),
            positions,
            activation: match family {
                "gptneox" => Gate::Of(Activation::GeluErf),
                _ if gemma || family == "gpt2" => Gate::Of(Activation::Gelu),
                _ => Gate::Silu,
            },
            embedding_scale: if gemma { (width as f32).sqrt() } else { 1.0 },
            attention_scale: 1.0 / self.scale_dim(family, width, heads, head_dim).sqrt(),
            attention_cap: self.number("attn_logit_softcapping")?.map(|x| x as f32),
            logit_cap: self.number("final_logit_softcapping")?.map(|x| x as f32),
        })
    }

    /// The number whose root divides attention scores: the 27B models of Gemma
    /// have the width by the heads, which their files do not say.
    fn scale_dim(&self, family: &str, width: usize, heads: usize, head_dim: usize) -> f32 {
        let layers = self.size("block_count").ok().flatten();
        let largest = matches!(
            (family, layers),
            ("gemma2", Some(46)) | ("gemma3", Some(62))
        );
        (if largest { width / heads } else { head_dim }) as f32
    }

    /// Gemma 2 sees everything in every second layer, Gemma 3 in every sixth.
    fn windows(&self, family: &str, layers: usize) -> Result<Vec<Option<usize>>, Problem> {
        let window = self.size("attention.sliding_window")?;
        let every = match family {
            "gemma2" => 2,
            "gemma3" => 6,
            _ => return Ok(vec![None; layers]),
        };
        let local = |i: usize| !(i + 1).is_multiple_of(every);
        Ok((0..layers).map(|i| window.filter(|_| local(i))).collect())
    }

    /// The base of rotary positions at a key, 10,000 if it is not there.
    fn base(&self, name: &str) -> Result<f64, Problem> {
        let base = self.number(name)?.unwrap_or(10_000.0);
        match (1.0..=1e12).contains(&base) {
            true => Ok(base),
            false => Err(Problem::Unsupported {
                field: self.key(name)?,
                value: base.to_string(),
            }),
        }
    }

    fn positions(
        &self,
        family: &str,
        head_dim: usize,
        tensors: &mut Tensors,
    ) -> Result<Positions, Problem> {
        if family == "gpt2" {
            return Ok(Positions::Learned);
        }
        let dims = self.size("rope.dimension_count")?.unwrap_or(head_dim);
        if !dims.is_multiple_of(2) || dims == 0 || dims > head_dim {
            return Err(Problem::Unsupported {
                field: self.key("rope.dimension_count")?,
                value: format!("{dims} of {head_dim} components"),
            });
        }
        let base = self.base("rope.freq_base")?;
        let mut global = frequencies(base, dims);
        match self.gguf.text(&self.key("rope.scaling.type")?)? {
            None | Some("none") => {}
            Some("linear") => {
                let factor = self.number("rope.scaling.factor")?.unwrap_or(1.0);
                global.iter_mut().for_each(|f| *f /= factor);
            }
            Some(other) => {
                return Err(Problem::Unsupported {
                    field: self.key("rope.scaling.type")?,
                    value: other.into(),
                });
            }
        }
        if tensors.has("rope_freqs.weight") {
            let factors = tensors.vector("rope_freqs.weight", dims / 2)?;
            for (f, factor) in global.iter_mut().zip(factors) {
                *f /= f64::from(factor);
            }
        }
        if !global.iter().all(|f| (0.0..6.0).contains(f)) {
            return Err(Problem::Unsupported {
                field: self.key("rope.scaling.factor")?,
                value: "a factor that turns too fast".into(),
            });
        }
        let local = match family {
            "gemma3" => frequencies(self.base("rope.freq_base_swa")?, dims),
            _ => global.clone(),
        };
        // The rows of Llama's queries and keys are stored for neighbouring pairs.
        let interleaved = family == "llama";
        Ok(Positions::Rotary {
            global: Rotary::new(&global, interleaved),
            local: Rotary::new(&local, interleaved),
        })
    }
}
