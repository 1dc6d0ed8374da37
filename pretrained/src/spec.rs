//! What a decoder-only transformer is, for all families: sizes and switches.

use brevity_kernels::elementwise::Gate;
use brevity_kernels::phases::Rotary;

/// Most positions that a model may claim.
pub const MAX_CONTEXT: usize = 1 << 24;

/// The kind of normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// Mean and variance, gain and bias (Ba et al. 2016).
    Layer,
    /// Root of the mean square, gain (Zhang & Sennrich 2019).
    Rms,
}

/// Where a block's normalisations stand. `f` is attention or the feed-forward layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// `x + f(norm(x))`: GPT-2, Llama and most others.
    Before,
    /// `x + norm(f(x))`: OLMo 2.
    After,
    /// `x + norm(f(norm(x)))`: Gemma 2 and 3.
    Both,
}

/// How positions enter.
#[derive(Clone, Debug, PartialEq)]
pub enum Positions {
    /// A learned vector a position, added to the embedding: GPT-2.
    Learned,
    /// Queries and keys are turned.
    Rotary {
        /// In layers that see everything.
        global: Rotary,
        /// In layers with a window: Gemma 3 has another base there.
        local: Rotary,
    },
}

/// A transformer, completely described but for its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The architecture's name in the file, for people.
    pub family: String,
    /// Width of the residual stream.
    pub width: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values; divides `heads`.
    pub kv_heads: usize,
    /// Components of a head; not always `width / heads`.
    pub head_dim: usize,
    /// Width of the feed-forward layer.
    pub hidden: usize,
    /// Rows of the output layer: tokens, and perhaps padding.
    pub vocabulary: usize,
    /// Positions that the model was made for.
    pub context: usize,
    /// The window of each layer, `None` for one that sees everything.
    pub windows: Vec<Option<usize>>,
    /// Kind of normalisation.
    pub norm: Norm,
    /// What is added to the variance or mean square.
    pub epsilon: f32,
    /// Where the normalisations are.
    pub placement: Placement,
    /// Attention and feed-forward layer both read the block's input, each by its
    /// own norm: GPT-NeoX.
    pub parallel: bool,
    /// Positions.
    pub positions: Positions,
    /// Nonlinearity of the feed-forward layer.
    pub activation: Gate,
    /// What the embedding is multiplied by: Gemma has the root of the width.
    pub embedding_scale: f32,
    /// What attention scores are multiplied by, usually `1 / sqrt(head_dim)`.
    pub attention_scale: f32,
    /// A soft cap on attention scores: Gemma 2.
    pub attention_cap: Option<f32>,
    /// A soft cap on the logits: Gemma 2.
    pub logit_cap: Option<f32>,
}

/// A field of a model's description that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct SpecError {
    /// The field, by the name it has here.
    pub field: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl Spec {
    /// Number of blocks.
    pub fn layers(&self) -> usize {
        self.windows.len()
    }

    /// Bytes that the keys and values of one position take in all layers.
    pub fn position_bytes(&self) -> usize {
        8 * self.layers() * self.kv_heads * self.head_dim
    }

    /// Checks sizes against each other.
    ///
    /// # Errors
    /// The first field that makes no sense.
    pub fn validate(&self) -> Result<(), SpecError> {
        let error = |field, reason: String| Err(SpecError { field, reason });
        for (field, value, most) in [
            ("width", self.width, 1 << 16),
            ("layers", self.layers(), 1 << 10),
            ("heads", self.heads, 1 << 10),
            ("kv_heads", self.kv_heads, 1 << 10),
            ("head_dim", self.head_dim, 1 << 10),
            ("hidden", self.hidden, 1 << 20),
            ("vocabulary", self.vocabulary, 1 << 22),
            ("context", self.context, MAX_CONTEXT),
        ] {
            if value == 0 || value > most {
                return error(field, format!("{value} is not between 1 and {most}"));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            let reason = format!("{} heads cannot share {}", self.heads, self.kv_heads);
            return error("kv_heads", reason);
        }
        for (field, value) in [
            ("epsilon", Some(self.epsilon)),
            ("embedding_scale", Some(self.embedding_scale)),
            ("attention_scale", Some(self.attention_scale)),
            ("attention_cap", self.attention_cap),
            ("logit_cap", self.logit_cap),
        ] {
            if let Some(value) = value
                && !(value.is_normal() && value > 0.0)
            {
                return error(field, format!("{value} is no positive number"));
            }
        }
        if self.windows.contains(&Some(0)) {
            return error("windows", "a layer that sees nothing".into());
        }
        Ok(())
    }
}
