//! The parameter tensors of a [`Spec`]: names, shapes, roles and number.

use crate::spec::{Activation, Norm, Placement, Position, SYMBOLS, Spec};

/// The role of a parameter tensor. It determines the initialisation, the optimizer,
/// weight decay and the precision of quantisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Byte embedding, `[256, width]`; in tied models also the output matrix.
    Embedding,
    /// Weights of the embeddings of earlier bytes, `[taps + lags, width]`; initially 0.
    Taps,
    /// Learned position vectors, `[context, width]`.
    Position,
    /// A matrix of a block that reads the residual stream, `[in, out]`.
    Hidden,
    /// A matrix of a block that writes to the residual stream, `[in, out]`.
    Residual,
    /// The output matrix of untied models, `[width, 256]`.
    Output,
    /// Scale of a norm, `[width]`; initially 1.
    Scale,
    /// Shift of a norm or bias of a projection, a vector; initially 0.
    Bias,
    /// Gain of each head on the scores with QK-norm, `[heads]`; initially 1.
    Gain,
}

impl Role {
    /// Whether the tensor is a weight matrix or a table of vectors (embedding,
    /// positions), rather than taps, a scale, a bias or a gain.
    pub fn is_matrix(self) -> bool {
        use Role::*;
        matches!(self, Embedding | Position | Hidden | Residual | Output)
    }
}

/// Name, shape and role of one parameter tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// The name in the safetensors file, with dots.
    pub name: String,
    /// One or two dimensions; matrices are row-major `[in, out]`.
    pub shape: Vec<usize>,
    /// The role.
    pub role: Role,
}

impl TensorInfo {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there are no values; false for every tensor of a valid spec.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of rows and columns; a vector is one row.
    pub fn rows_columns(&self) -> (usize, usize) {
        match self.shape[..] {
            [rows, columns] => (rows, columns),
            _ => (1, self.len()),
        }
    }
}

impl Spec {
    /// All parameter tensors in canonical order: embedding, taps, positions, blocks,
    /// final norm, output.
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
