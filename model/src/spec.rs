//! The spec: the hyperparameters of a byte transformer's architecture.

use brevity_kernels::attention::MAX_HEAD_DIM;
use serde::{Deserialize, Serialize};

/// Vocabulary size: the byte values.
pub const SYMBOLS: usize = 256;

/// The most parameters of a model: 2^31, 8 GiB of `f32`.
pub const MAX_PARAMETERS: u64 = 1 << 31;

/// The most lags.
pub(crate) const MAX_LAGS: usize = 16;

/// The most taps on an embedding.
pub const MAX_TAPS: usize = 64;

/// Kind of normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// Layer norm with scale and shift (Ba et al. 2016).
    Layer,
    /// RMS norm with scale (Zhang & Sennrich 2019).
    Rms,
}

impl Norm {
    /// Epsilon: added to the variance or to the mean square.
    pub fn epsilon(self) -> f32 {
        match self {
            Norm::Layer => 1e-5,
            Norm::Rms => 1e-6,
        }
    }
}

/// Place of the normalisation: pre-norm or post-norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Pre-norm: `x + f(norm(x))`, with a final norm before the output.
    Pre,
    /// Post-norm: `norm(x + f(x))`, without a final norm (Vaswani et al. 2017).
    Post,
}

/// Kind of position embedding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Fixed sines and cosines, added to the embedding
    /// ([`sinusoidal_positions`](crate::sinusoidal_positions)).
    Sinusoidal,
    /// A learned vector for each position, added to the embedding.
    Learned,
    /// Rotary position embedding (RoPE) of queries and keys (Su et al. 2021).
    Rope,
}

/// Nonlinearity of the feed-forward layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// GELU by its tanh approximation, as in JAX and GPT-2.
    Gelu,
    /// GELU by the error function.
    GeluErf,
    /// Squared ReLU (So et al. 2021).
    Relu2,
    /// SwiGLU, `silu(gate) * value` (Shazeer 2020); the up projection is twice as wide.
    Swiglu,
}

/// The complete description of a transformer over bytes.
///
/// The input at position `t` is the byte before the predicted one; at the start of a
/// stream or of an independent chunk it is the byte 0. The output is 256 logits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Width of the residual stream, `d`.
    pub width: usize,
    /// Number of blocks, `L`.
    pub layers: usize,
    /// Number of attention heads; divides `width`. With RoPE the head dimension is
    /// even.
    pub heads: usize,
    /// Width of the hidden feed-forward layer.
    pub hidden: usize,
    /// Number of earlier bytes whose embeddings, weighted by channel, are added to
    /// that of each input byte: the taps of a causal depthwise convolution over the
    /// embedded bytes. It gives a small model the preceding bytes without attention.
    /// 0 is none.
    #[serde(default)]
    pub taps: usize,
    /// Further earlier bytes that are added in the same way, given by their distances
    /// from the predicted byte: ascending, greater than `taps + 1` and less than
    /// `context`. In an image with rows of `r` bytes and pixels of `b` bytes, `r` is
    /// the byte above, `r - b` and `r + b` are its neighbours; in sound with samples
    /// of two bytes, even distances are the same byte of earlier samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lags: Vec<usize>,
    /// Sequence length in training, in bytes. Without a window, also the length of the
    /// independent chunks in which data is scored and coded.
    pub context: usize,
    /// Sliding window: a query attends to this many positions, its own included.
    /// Data is then scored and coded as one unbounded stream. Needs RoPE; at most
    /// `context`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Kind of normalisation.
    pub norm: Norm,
    /// Pre-norm or post-norm.
    pub placement: Placement,
    /// Kind of position embedding.
    pub position: Position,
    /// Nonlinearity of the feed-forward layer.
    pub activation: Activation,
    /// Whether the feed-forward projections have biases.
    pub mlp_bias: bool,
    /// Whether the attention projections have biases.
    pub attention_bias: bool,
    /// Whether the logits have a bias.
    pub output_bias: bool,
    /// Tied embeddings: the output projection is the transposed embedding.
    pub tied: bool,
    /// Whether the embedding is multiplied by `sqrt(width)`.
    pub scale_embedding: bool,
    /// QK-norm: queries and keys of each head are RMS-normalised, and a learned gain
    /// for each head scales the attention scores.
    pub qk_norm: bool,
}

/// An invalid field of a [`Spec`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("model.{field}: {reason}")]
pub struct SpecError {
    /// The name of the field.
    pub field: &'static str,
    /// Why it is invalid.
    pub reason: String,
}

impl Spec {
    /// The transformer of "Language Modeling Is Compression": post-norm, GELU
    /// with a feed-forward layer of four times the width, biases in it but not in
    /// attention, untied output with bias. The released code has
    /// [`Position::Sinusoidal`], the runs of the paper [`Position::Rope`]; this preset
    /// has the former.
    pub fn lmic(width: usize, layers: usize, heads: usize, context: usize) -> Spec {
        Spec {
            width,
            layers,
            heads,
            hidden: 4 * width,
            taps: 0,
            lags: Vec::new(),
            context,
            window: None,
            norm: Norm::Layer,
            placement: Placement::Post,
            position: Position::Sinusoidal,
            activation: Activation::Gelu,
            mlp_bias: true,
            attention_bias: false,
            output_bias: true,
            tied: false,
            scale_embedding: true,
            qk_norm: false,
        }
    }

    /// Our architecture for small byte models: three taps on the embedding, pre-norm
    /// with RMS norm, RoPE, QK-norm, squared ReLU, a bias only on the output, tied
    /// embeddings.
    pub fn brevity(width: usize, layers: usize, heads: usize, context: usize) -> Spec {
        Spec {
            width,
            layers,
            heads,
            hidden: 4 * width,
            taps: 3,
            lags: Vec::new(),
            context,
            window: None,
            norm: Norm::Rms,
            placement: Placement::Pre,
            position: Position::Rope,
            activation: Activation::Relu2,
            mlp_bias: false,
            attention_bias: false,
            output_bias: true,
            tied: true,
            scale_embedding: false,
            qk_norm: true,
        }
    }

    /// The [`brevity`](Spec::brevity) preset with a fixed aspect ratio, so that the
    /// width alone determines the size: one layer for each 32 of width (rounded, at
    /// least two), and heads of the largest even dimension up to 32 that divides the
    /// width. Multiples of 8 are good widths.
    pub fn aspect(width: usize, context: usize) -> Spec {
        let layers = ((width + 16) / 32).max(2);
        let head_dim = (2..=32)
            .rev()
            .find(|head_dim| *head_dim % 2 == 0 && width.is_multiple_of(*head_dim))
            .unwrap_or(width.max(1));
        Spec::brevity(width, layers, width / head_dim, context)
    }

    /// Head dimension: `width / heads`.
    pub fn head_dim(&self) -> usize {
        self.width / self.heads
    }

    /// The distances of taps and lags from the input byte, ascending: their distances
    /// from the predicted byte, minus one.
    pub fn tap_distances(&self) -> Vec<usize> {
        let lags = self.lags.iter().map(|lag| lag - 1);
        (1..=self.taps).chain(lags).collect()
    }

    /// The most positions that a query sees, its own included.
    pub fn reach(&self) -> usize {
        self.window.unwrap_or(self.context)
    }

    /// Checks every field, also against the others.
    ///
    /// # Errors
    /// The first invalid field.
    pub fn validate(&self) -> Result<(), SpecError> {
        let err = |field, reason: String| Err(SpecError { field, reason });
        for (field, value, most) in [
            ("width", self.width, 1 << 14),
            ("layers", self.layers, 1 << 10),
            ("heads", self.heads, 1 << 10),
            ("hidden", self.hidden, 1 << 16),
            ("context", self.context, 1 << 20),
        ] {
            if value == 0 || value > most {
                return err(field, format!("{value} is not between 1 and {most}"));
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            return err(
                "heads",
                format!("{} heads do not divide width {}", self.heads, self.width),
            );
        }
        let head_dim = self.head_dim();
        if head_dim > MAX_HEAD_DIM {
            return err(
                "heads",
                format!("the head dimension {head_dim} is above {MAX_HEAD_DIM}"),
            );
        }
        if self.position == Position::Rope && !head_dim.is_multiple_of(2) {
            return err(
                "heads",
                format!("RoPE needs an even head dimension, not {head_dim}"),
            );
        }
        if self.position == Position::Sinusoidal && !self.width.is_multiple_of(2) {
            return err(
                "width",
                format!(
                    "sinusoidal positions need an even width, not {}",
                    self.width
                ),
            );
        }
        if let Some(window) = self.window {
            if window == 0 || window > self.context {
                return err(
                    "window",
                    format!("{window} is not between 1 and the context {}", self.context),
                );
            }
            if self.position != Position::Rope {
                return err("window", "a window needs position = \"rope\"".into());
            }
        }
        if self.taps > MAX_TAPS {
            return err("taps", format!("{} is more than {MAX_TAPS}", self.taps));
        }
        if self.lags.len() > MAX_LAGS {
            return err(
                "lags",
                format!("{} are more than {MAX_LAGS}", self.lags.len()),
            );
        }
        // The input byte is at distance 1, the first tap at 2.
        let mut nearer = self.taps + 1;
        for &lag in &self.lags {
            if lag <= nearer {
                return err("lags", format!("{lag} is not greater than {nearer}"));
            }
            if lag >= self.context {
                let context = self.context;
                return err(
                    "lags",
                    format!("{lag} is not less than the context {context}"),
                );
            }
            nearer = lag;
        }
        let parameters = self.parameters();
        if parameters > MAX_PARAMETERS {
            return err(
                "width",
                format!("{parameters} parameters are more than {MAX_PARAMETERS}"),
            );
        }
        Ok(())
    }
}
