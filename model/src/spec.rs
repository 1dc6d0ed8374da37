//! The complete description of a byte transformer.

use brevity_kernels::attention::MAX_HEAD_DIM;
use serde::{Deserialize, Serialize};

/// Symbols of the alphabet: the byte values.
pub const SYMBOLS: usize = 256;

/// The most parameters a model may have: 2^31, 8 GiB of `f32`.
pub const MAX_PARAMETERS: u64 = 1 << 31;

/// The most lags.
pub(crate) const MAX_LAGS: usize = 16;

/// The most taps on an embedding.
pub const MAX_TAPS: usize = 64;

/// Which normalisation a block uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// Layer norm with scale and shift (Ba et al. 2016).
    Layer,
    /// Root-mean-square norm with scale (Zhang & Sennrich 2019).
    Rms,
}

impl Norm {
    /// What is added to the variance, or to the mean square.
    pub fn epsilon(self) -> f32 {
        match self {
            Norm::Layer => 1e-5,
            Norm::Rms => 1e-6,
        }
    }
}

/// Where the normalisation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// `x + f(norm(x))`, with a final norm before the output.
    Pre,
    /// `norm(x + f(x))`, without a final norm (Vaswani et al. 2017).
    Post,
}

/// How the model knows positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Fixed sines and cosines added to the embedding
    /// ([`sinusoidal_positions`](crate::sinusoidal_positions)).
    Sinusoidal,
    /// A learned vector a position, added to the embedding.
    Learned,
    /// Rotary embedding of queries and keys (Su et al. 2021).
    Rope,
}

/// The nonlinearity of the feed-forward block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// GELU by its tanh approximation, as JAX and GPT-2 have it.
    Gelu,
    /// GELU by the error function.
    GeluErf,
    /// The square of the rectifier (So et al. 2021).
    Relu2,
    /// `silu(gate) * value` (Shazeer 2020); the up projection is twice as wide.
    Swiglu,
}

/// A transformer over bytes, completely described.
///
/// Input and output are the 256 byte values. The input at position `t` is the
/// byte before the one predicted; at the start of a stream or of an independent
/// chunk it is the byte 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Width of the residual stream, `d`.
    pub width: usize,
    /// Number of blocks, `L`.
    pub layers: usize,
    /// Attention heads; divides `width` into an even head dimension.
    pub heads: usize,
    /// Width of the feed-forward layer.
    pub hidden: usize,
    /// Earlier bytes whose embeddings are added to that of each byte, weighted
    /// by channel: the taps of a causal depthwise convolution over the embedded
    /// bytes, which tells a small model the bytes just before without the use
    /// of attention. 0 is none.
    #[serde(default)]
    pub taps: usize,
    /// Further bytes that are added so: distances from the byte that is predicted,
    /// ascending, more than `taps` reach and less than the context. In a picture of
    /// `r` bytes a row and `b` a pixel, `r` is the byte above, `r - b` and `r + b`
    /// its neighbours; in sound of two bytes a sample, even distances are the same
    /// byte of earlier samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lags: Vec<usize>,
    /// Bytes in a training sequence; without a window, also the length of the
    /// independent chunks that are scored and coded.
    pub context: usize,
    /// Attend to the last `window` positions only, own position included. Data
    /// is then scored and coded as one unbounded stream (needs RoPE).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Kind of normalisation.
    pub norm: Norm,
    /// Place of the normalisation.
    pub placement: Placement,
    /// Position information.
    pub position: Position,
    /// Feed-forward nonlinearity.
    pub activation: Activation,
    /// Biases in the feed-forward projections.
    pub mlp_bias: bool,
    /// Biases in the attention projections.
    pub attention_bias: bool,
    /// A bias on the output logits.
    pub output_bias: bool,
    /// The output projection is the transposed embedding.
    pub tied: bool,
    /// Multiply the embedding by `sqrt(width)`.
    pub scale_embedding: bool,
    /// RMS-normalise queries and keys a head, with a learned gain a head on
    /// the attention scores.
    pub qk_norm: bool,
}

/// A field of a [`Spec`] that makes no sense, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("model.{field}: {reason}")]
pub struct SpecError {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl Spec {
    /// The transformer of "Language Modeling Is Compression": post-norm, GELU
    /// with a feed-forward layer of four times the width, biases there but not
    /// in attention, untied output with bias. `position` is
    /// [`Position::Sinusoidal`] in the released code and [`Position::Rope`] in
    /// the paper's runs; this preset has the former.
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

    /// Our recipe for small byte models: three taps on the embedding,
    /// pre-RMSNorm, rotary positions, normalised queries and keys, squared
    /// rectifier, no biases but on the output, tied embeddings.
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

    /// The [`brevity`](Spec::brevity) preset along the one aspect rule of our
    /// size ladders, so that a ladder has one free axis: a layer for each 32 of
    /// width, two at least, and heads of the largest even dimension up to 32
    /// that divides the width. Widths of whole multiples of 8 are good ones.
    pub fn aspect(width: usize, context: usize) -> Spec {
        let layers = ((width + 16) / 32).max(2);
        let head_dim = (2..=32)
            .rev()
            .find(|head_dim| *head_dim % 2 == 0 && width.is_multiple_of(*head_dim))
            .unwrap_or(width.max(1));
        Spec::brevity(width, layers, width / head_dim, context)
    }

    /// Size of a head: `width / heads`.
    pub fn head_dim(&self) -> usize {
        self.width / self.heads
    }

    /// How far before a byte the taps and the lags look, ascending: the distances
    /// from the byte predicted, less one.
    pub fn tap_distances(&self) -> Vec<usize> {
        let lags = self.lags.iter().map(|lag| lag - 1);
        (1..=self.taps).chain(lags).collect()
    }

    /// Positions a query sees at most, its own included.
    pub fn reach(&self) -> usize {
        self.window.unwrap_or(self.context)
    }

    /// Checks every field against the others.
    ///
    /// # Errors
    /// The first field that makes no sense.
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
                format!("rotary positions need an even head dimension, not {head_dim}"),
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
        // The last byte is at distance 1, the first tap at 2.
        let mut nearer = self.taps + 1;
        for &lag in &self.lags {
            if lag <= nearer {
                return err("lags", format!("{lag} does not lie beyond {nearer}"));
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
