//! The `config.json` of a Hugging Face folder.

use crate::error::Problem;
use crate::spec::{Norm, Placement, Positions, Spec};
use brevity_kernels::activation::Activation;
use brevity_kernels::elementwise::Gate;
use brevity_kernels::phases::{Rotary, frequencies};
use serde_json::Value;

/// A spec, and whether the output layer is the embedding.
pub struct Described {
    pub spec: Spec,
    pub tied: bool,
}

/// The fields of a configuration.
struct Config<'a>(&'a Value);

/// Families that we know, by `model_type`.
const KNOWN: [&str; 10] = [
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "gemma",
    "gemma2",
    "gemma3_text",
    "gpt2",
    "gpt_neox",
    "olmo2",
];

/// Reads a configuration.
pub fn describe(json: &Value) -> Result<Described, Problem> {
    // Models of text and pictures keep the language model's part apart.
    let config = Config(json.get("text_config").unwrap_or(json));
    let family = config.text("model_type")?.unwrap_or_default();
    if !KNOWN.contains(&family) {
        return Err(unsupported(
            "model_type",
            format!("{family} (known are {})", KNOWN.join(", ")),
        ));
    }
    let gemma = family.starts_with("gemma");
    let (gpt2, neox) = (family == "gpt2", family == "gpt_neox");
    let width = config.size(if gpt2 { "n_embd" } else { "hidden_size" })?;
    let heads = config.size(if gpt2 {
        "n_head"
    } else {
        "num_attention_heads"
    })?;
    let layers = config.size(if gpt2 { "n_layer" } else { "num_hidden_layers" })?;
    let layers = layers.min(1 << 11);
    let usual = match family {
        "gemma" | "gemma2" | "gemma3_text" => 256,
        _ => width / heads.max(1),
    };
    let head_dim = config.optional("head_dim")?.unwrap_or(usual);
    let context = config.size(if gpt2 {
        "n_positions"
    } else {
        "max_position_embeddings"
    })?;
    let hidden = match gpt2 {
        true => config.optional("n_inner")?.unwrap_or(4 * width),
        false => config.size("intermediate_size")?,
    };
    let (norm, epsilon) = match (gpt2, neox) {
        (true, _) => (Norm::Layer, "layer_norm_epsilon"),
        (_, true) => (Norm::Layer, "layer_norm_eps"),
        _ => (Norm::Rms, "rms_norm_eps"),
    };
    let usual = if norm == Norm::Layer { 1e-5 } else { 1e-6 };
    let scaled = config
        .number("query_pre_attn_scalar")?
        .unwrap_or(head_dim as f64);
    let spec = Spec {
        family: family.into(),
        width,
        heads,
        kv_heads: config.optional("num_key_value_heads")?.unwrap_or(heads),
        head_dim,
        hidden,
        vocabulary: config.size("vocab_size")?,
        context,
        windows: config.windows(family, layers)?,
        norm,
        epsilon: config.number(epsilon)?.unwrap_or(usual) as f32,
        placement: match family {
            "gemma2" | "gemma3_text" => Placement::Both,
            "olmo2" => Placement::After,
            _ => Placement::Before,
        },
        parallel: neox && config.flag("use_parallel_residual")?.unwrap_or(true),
        positions: config.positions(family, head_dim)?,
        activation: config.activation(family)?,
        embedding_scale: if gemma { (width as f32).sqrt() } else { 1.0 },
        attention_scale: (1.0 / scaled.sqrt()) as f32,
        attention_cap: config.number("attn_logit_softcapping")?.map(|x| x as f32),
        logit_cap: config.number("final_logit_softcapping")?.map(|x| x as f32),
    };
    spec.validate()?;
    let tied = config.flag("tie_word_embeddings")?.unwrap_or(gemma || gpt2);
    Ok(Described { spec, tied })
}

fn unsupported(field: &str, value: impl Into<String>) -> Problem {
    Problem::Unsupported {
        field: field.into(),
        value: value.into(),
    }
}

impl<'a> Config<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn typed<T>(
        &self,
        name: &str,
        get: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match get(value) {
                Some(value) => Ok(Some(value)),
                None => Err(unsupported(name, value.to_string())),
            },
        }
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, Problem> {
        self.typed(name, Value::as_str)
    }

    fn number(&self, name: &str) -> Result<Option<f64>, Problem> {
        self.typed(name, Value::as_f64)
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        self.typed(name, Value::as_bool)
    }

    fn optional(&self, name: &str) -> Result<Option<usize>, Problem> {
        self.typed(name, |value| usize::try_from(value.as_u64()?).ok())
    }

    fn size(&self, name: &str) -> Result<usize, Problem> {
        self.optional(name)?
            .ok_or_else(|| Problem::Missing(name.into()))
    }

    fn activation(&self, family: &str) -> Result<Gate, Problem> {
        let mut name = None;
        for field in ["hidden_activation", "hidden_act", "activation_function"] {
            name = name.or(self.text(field)?);
        }
        // Gemma's first configurations say `gelu` and mean its approximation.
        let gemma = family.starts_with("gemma");
        Ok(match name {
            Some("silu" | "swish") => Gate::Silu,
            Some("gelu_pytorch_tanh" | "gelu_new" | "gelu_fast") => Gate::Of(Activation::Gelu),
            Some("gelu") if !gemma => Gate::Of(Activation::GeluErf),
            Some("gelu") => Gate::Of(Activation::Gelu),
            None => match family {
                "gpt2" => Gate::Of(Activation::Gelu),
                "gpt_neox" => Gate::Of(Activation::GeluErf),
                _ if gemma => Gate::Of(Activation::Gelu),
                _ => Gate::Silu,
            },
            Some(other) => return Err(unsupported("hidden_act", other)),
        })
    }

    fn windows(&self, family: &str, layers: usize) -> Result<Vec<Option<usize>>, Problem> {
        let window = match family {
            "qwen2" | "qwen3" if self.flag("use_sliding_window")? != Some(true) => None,
            _ => self.optional("sliding_window")?,
        };
        let Some(window) = window else {
            return Ok(vec![None; layers]);
        };
        if let Some(kinds) = self.get("layer_types").and_then(Value::as_array) {
            if kinds.len() != layers {
                return Err(unsupported(
                    "layer_types",
                    format!("{} layers", kinds.len()),
                ));
            }
            return kinds
                .iter()
                .map(|kind| match kind.as_str() {
                    Some("full_attention") => Ok(None),
                    Some("sliding_attention") => Ok(Some(window)),
                    _ => Err(unsupported("layer_types", kind.to_string())),
                })
                .collect();
        }
        let every = match family {
            "gemma2" => 2,
            "gemma3_text" => self.optional("sliding_window_pattern")?.unwrap_or(6),
            "qwen2" | "qwen3" => {
                let full = self.optional("max_window_layers")?.unwrap_or(0);
                return Ok((0..layers).map(|i| (i >= full).then_some(window)).collect());
            }
            _ => return Ok(vec![Some(window); layers]),
        };
        let local = |i: usize| !(i + 1).is_multiple_of(every.max(1));
        Ok((0..layers).map(|i| local(i).then_some(window)).collect())
    }

    fn positions(&self, family: &str, head_dim: usize) -> Result<Positions, Problem> {
        if family == "gpt2" {
            return Ok(Positions::Learned);
        }
        // Newer configurations have all of it in one place, for each kind of layer
        // if they differ.
        let parameters = self.get("rope_parameters").or(self.get("rope_scaling"));
        let of = |kind: &str| match parameters.and_then(|p| p.get(kind)) {
            Some(inner) => Some(inner),
            None => parameters,
        };
        let global = self.frequencies(family, head_dim, of("full_attention").map(Config))?;
        let local = match of("sliding_attention") {
            _ if family != "gemma3_text" => global.clone(),
            Some(p) if parameters.is_some_and(|all| all.get("sliding_attention").is_some()) => {
                self.frequencies(family, head_dim, Some(Config(p)))?
            }
            _ => {
                let base = self.number("rope_local_base_freq")?.unwrap_or(10_000.0);
                turns(base, head_dim)?
            }
        };
        Ok(Positions::Rotary {
            global: Rotary::new(&global, false),
            local: Rotary::new(&local, false),
        })
    }

    fn frequencies(
        &self,
        family: &str,
        head_dim: usize,
        parameters: Option<Config>,
    ) -> Result<Vec<f64>, Problem> {
        let inner = |name: &str| match &parameters {
            Some(p) => p.number(name),
            None => Ok(None),
        };
        let field = if family == "gpt_neox" {
            "rotary_emb_base"
        } else {
            "rope_theta"
        };
        let mut base = inner("rope_theta")?;
        for name in [field, "rope_theta"] {
            base = base.or(self.number(name)?);
        }
        let mut part = inner("partial_rotary_factor")?;
        for name in ["partial_rotary_factor", "rotary_pct"] {
            part = part.or(self.number(name)?);
        }
        let part = part.unwrap_or(if family == "gpt_neox" { 0.25 } else { 1.0 });
        let dims = (head_dim as f64 * part) as usize;
        let mut out = turns(base.unwrap_or(10_000.0), dims.min(head_dim))?;
        let kind = match &parameters {
            Some(p) => p.text("rope_type")?.or(p.text("type")?),
            None => None,
        };
        match kind {
            None | Some("default") => {}
            Some("linear") => {
                let factor = inner("factor")?.unwrap_or(1.0);
                out.iter_mut().for_each(|f| *f /= factor);
            }
            Some("llama3") => {
                let needed = |name: &str| {
                    inner(name)?.ok_or_else(|| Problem::Missing(format!("rope_scaling.{name}")))
                };
                llama3(
                    &mut out,
                    needed("factor")?,
                    needed("low_freq_factor")?,
                    needed("high_freq_factor")?,
                    needed("original_max_position_embeddings")?,
                );
            }
            Some(other) => return Err(unsupported("rope_scaling.rope_type", other)),
        }
        match out.iter().all(|f| (0.0..6.0).contains(f)) {
            true => Ok(out),
            false => Err(unsupported(
                "rope_scaling.factor",
                "a factor that turns too fast",
            )),
        }
    }
}

/// [`frequencies`], of values that a file says.
fn turns(base: f64, dims: usize) -> Result<Vec<f64>, Problem> {
    if !(1.0..=1e12).contains(&base) {
        return Err(unsupported("rope_theta", base.to_string()));
    }
    if dims == 0 || !dims.is_multiple_of(2) {
        return Err(unsupported("rotary components", dims.to_string()));
    }
    Ok(frequencies(base, dims))
}

/// Llama 3.1's scaling: slow pairs turn `factor` times slower, fast ones as before,
/// and those between in between. By wave length against the context the model was
/// first trained with.
fn llama3(frequencies: &mut [f64], factor: f64, low: f64, high: f64, context: f64) {
    for f in frequencies {
        let wave = std::f64::consts::TAU / *f;
        if wave > context / low {
            *f /= factor;
        } else if wave >= context / high {
            let smooth = (context / wave - low) / (high - low);
            *f = (1.0 - smooth) * *f / factor + smooth * *f;
        }
    }
}
