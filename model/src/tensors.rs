//! The named parameters of a [`Spec`], and how much arithmetic they cost.

use crate::spec::{Activation, Norm, Placement, Position, SYMBOLS, Spec};

/// What a parameter tensor does, which decides how it is initialised, which
/// optimiser takes it, whether it decays, and how finely it is quantised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Byte embedding, `[256, width]`; also the output matrix of tied models.
    Embedding,
    /// Weights of earlier bytes' embeddings, `[taps + lags, width]`, zero at the start.
    Taps,
    /// Learned position vectors, `[context, width]`.
    Position,
    /// A block's matrix that reads the residual stream, `[in, out]`.
    Hidden,
    /// A block's matrix that writes to the residual stream, `[in, out]`.
    Residual,
    /// The output matrix of untied models, `[width, 256]`.
    Output,
    /// Scale of a norm, one at the start.
    Scale,
    /// Shift of a norm or bias of a projection, zero at the start.
    Bias,
    /// Gain a head on normalised attention scores, one at the start.
    Gain,
}

impl Role {
    /// Whether this is a matrix that multiplies activations. The embedding
    /// counts: it is a matrix, if only a looked-up one when untied.
    pub fn is_matrix(self) -> bool {
        use Role::*;
        matches!(self, Embedding | Position | Hidden | Residual | Output)
    }
}

/// Name, shape and role of one parameter tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Dotted name, as in the safetensors file.
    pub name: String,
    /// One or two extents; matrices are row-major `[in, out]`.
    pub shape: Vec<usize>,
    /// What the tensor does.
    pub role: Role,
}

impl TensorInfo {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there are no values; never for a tensor of a valid spec.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tensor as rows times columns; a vector is one row.
    pub fn rows_columns(&self) -> (usize, usize) {
        match self.shape[..] {
            [rows, columns] => (rows, columns),
            _ => (1, self.len()),
        }
    }
}

impl Spec {
    /// Every parameter tensor, in the canonical order: embedding, taps, positions,
    /// blocks from the first to the last, final norm, output.
    pub fn tensors(&self) -> Vec<TensorInfo> {
        let d = self.width;
        let up = self.up_width();
        let mut list = List(Vec::new());
        list.push("embedding.weight", &[SYMBOLS, d], Role::Embedding);
        let taps = self.taps + self.lags.len();
        if taps > 0 {
            list.push("embedding.taps", &[taps, d], Role::Taps);
        }
        if self.position == Position::Learned {
            list.push("position.weight", &[self.context, d], Role::Position);
        }
        for i in 0..self.layers {
            let name = |part: &str| format!("blocks.{i}.{part}");
            list.norm(self, &name("attention_norm"));
            let attention = self.attention_bias;
            list.linear(&name("attention.qkv"), d, 3 * d, Role::Hidden, attention);
            if self.qk_norm {
                list.push(&name("attention.gain"), &[self.heads], Role::Gain);
            }
            list.linear(&name("attention.output"), d, d, Role::Residual, attention);
            list.norm(self, &name("mlp_norm"));
            list.linear(&name("mlp.up"), d, up, Role::Hidden, self.mlp_bias);
            let hidden = self.hidden;
            list.linear(&name("mlp.down"), hidden, d, Role::Residual, self.mlp_bias);
        }
        if self.placement == Placement::Pre {
            list.norm(self, "final_norm");
        }
        if !self.tied {
            list.push("output.weight", &[d, SYMBOLS], Role::Output);
        }
        if self.output_bias {
            list.push("output.bias", &[SYMBOLS], Role::Bias);
        }
        list.0
    }

    /// Number of parameters, `N`.
    pub fn parameters(&self) -> u64 {
        let [d, hidden] = [self.width as u64, self.hidden as u64];
        let norm = match self.norm {
            Norm::Layer => 2 * d,
            Norm::Rms => d,
        };
        let up = self.up_width() as u64;
        let mut block = 2 * norm + 4 * d * d + d * up + hidden * d;
        if self.attention_bias {
            block += 4 * d;
        }
        if self.mlp_bias {
            block += up + d;
        }
        if self.qk_norm {
            block += self.heads as u64;
        }
        let taps = self.taps + self.lags.len();
        let mut total = (SYMBOLS + taps) as u64 * d + self.layers as u64 * block;
        if self.position == Position::Learned {
            total += self.context as u64 * d;
        }
        if self.placement == Placement::Pre {
            total += norm;
        }
        if !self.tied {
            total += d * SYMBOLS as u64;
        }
        if self.output_bias {
            total += SYMBOLS as u64;
        }
        total
    }

    /// Columns of the up projection: twice `hidden` for SwiGLU.
    pub(crate) fn up_width(&self) -> usize {
        match self.activation {
            Activation::Swiglu => 2 * self.hidden,
            _ => self.hidden,
        }
    }

    /// Parameters that multiply activations for each byte: the matrices of the
    /// blocks and the output matrix (which is the embedding when tied). The
    /// gather of an embedding row is no multiplication.
    pub fn matrix_parameters(&self) -> u64 {
        let [d, hidden] = [self.width as u64, self.hidden as u64];
        let block = 4 * d * d + d * self.up_width() as u64 + hidden * d;
        self.layers as u64 * block + d * SYMBOLS as u64
    }

    /// Bytes of keys and values that a lane remembers at most, `8 L d reach`:
    /// each step of a lane reads them all, so decoding is fast while those of
    /// all lanes together fit a CPU's last-level cache.
    pub fn lane_bytes(&self) -> u64 {
        8 * (self.layers * self.width) as u64 * self.reach() as u64
    }

    /// Keys a query attends to, averaged over the positions of one training
    /// sequence of `context` bytes.
    pub fn mean_keys(&self) -> f64 {
        let [context, reach] = [self.context as f64, self.reach() as f64];
        // The first `reach` queries see 1, 2, .. reach keys, the others reach.
        reach - reach * (reach - 1.0) / (2.0 * context)
    }

    /// Floating-point operations to train on one byte, forward and backward:
    /// `6 M + 12 L d K` for `M` [matrix parameters](Spec::matrix_parameters)
    /// and `K` [mean keys](Spec::mean_keys). A multiply-add counts as two, the
    /// backward pass as two forward passes; norms, activations and softmax are
    /// not counted (Kaplan et al. 2020, section 2.1).
    pub fn flops_per_byte(&self) -> f64 {
        3.0 * self.forward_flops_per_byte(self.mean_keys())
    }

    /// Floating-point operations to predict one byte that attends to `keys`
    /// positions: `2 M + 4 L d keys`. Use [`Spec::reach`] keys for a stream
    /// in its steady state, [`Spec::mean_keys`] for chunks.
    pub fn forward_flops_per_byte(&self, keys: f64) -> f64 {
        2.0 * self.matrix_parameters() as f64 + 4.0 * (self.layers * self.width) as f64 * keys
    }
}

struct List(Vec<TensorInfo>);

impl List {
    fn push(&mut self, name: &str, shape: &[usize], role: Role) {
        self.0.push(TensorInfo {
            name: name.into(),
            shape: shape.into(),
            role,
        });
    }

    fn norm(&mut self, spec: &Spec, name: &str) {
        self.push(&format!("{name}.weight"), &[spec.width], Role::Scale);
        if spec.norm == Norm::Layer {
            self.push(&format!("{name}.bias"), &[spec.width], Role::Bias);
        }
    }

    fn linear(&mut self, name: &str, input: usize, output: usize, role: Role, bias: bool) {
        self.push(&format!("{name}.weight"), &[input, output], role);
        if bias {
            self.push(&format!("{name}.bias"), &[output], Role::Bias);
        }
    }
}
