//! Parameters of a model, in the form in which its file stores them.

use crate::mapped::Bytes;
use brevity_kernels::stored::{Format, Stored};

/// A matrix of `rows` outputs and `cols` inputs.
#[derive(Clone, Debug)]
pub struct Matrix {
    bytes: Bytes,
    format: Format,
    rows: usize,
    cols: usize,
}

impl Matrix {
    /// `None` if the number of bytes is another.
    pub fn new(bytes: Bytes, format: Format, rows: usize, cols: usize) -> Option<Matrix> {
        Stored::new(format, bytes.get(), rows, cols)?;
        Some(Matrix {
            bytes,
            format,
            rows,
            cols,
        })
    }

    /// For products.
    pub fn stored(&self) -> Stored<'_> {
        Stored::new(self.format, self.bytes.get(), self.rows, self.cols)
            .expect("the length was checked")
    }

    /// Number of outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// How its values are stored.
    pub fn format(&self) -> Format {
        self.format
    }
}

/// A layer `x W^T + bias`.
#[derive(Clone, Debug)]
pub struct Linear {
    /// The weights.
    pub matrix: Matrix,
    /// One value an output.
    pub bias: Option<Vec<f32>>,
}

/// The parameters of a normalisation.
#[derive(Clone, Debug)]
pub struct Gains {
    /// What a normalised value is multiplied by.
    pub gain: Vec<f32>,
    /// What is then added; none for RMS norm.
    pub bias: Option<Vec<f32>>,
}

/// The parameters of a block.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Before attention.
    pub attention_norm: Option<Gains>,
    /// Queries.
    pub query: Linear,
    /// Keys.
    pub key: Linear,
    /// Values.
    pub value: Linear,
    /// Of queries: a head, or all of them, by its length.
    pub query_norm: Option<Gains>,
    /// Of keys.
    pub key_norm: Option<Gains>,
    /// Output of attention.
    pub out: Linear,
    /// After attention.
    pub attention_after: Option<Gains>,
    /// Before the feed-forward layer.
    pub hidden_norm: Option<Gains>,
    /// What the hidden values are multiplied by after its nonlinearity, if the
    /// layer is gated.
    pub gate: Option<Linear>,
    /// To the hidden values.
    pub up: Linear,
    /// Back.
    pub down: Linear,
    /// After the feed-forward layer.
    pub hidden_after: Option<Gains>,
}

/// All parameters.
#[derive(Clone, Debug)]
pub struct Weights {
    /// A row a token.
    pub embedding: Matrix,
    /// A row a position.
    pub positions: Option<Matrix>,
    /// Blocks in order.
    pub layers: Vec<Layer>,
    /// Before the output layer.
    pub last_norm: Gains,
    /// Logits; the embedding if it is tied.
    pub output: Option<Linear>,
}

impl Weights {
    /// Number of parameters.
    pub fn parameters(&self) -> u64 {
        let matrix = |m: &Matrix| m.rows() as u64 * m.cols() as u64;
        let bias = |b: &Option<Vec<f32>>| b.as_ref().map_or(0, |b| b.len() as u64);
        let linear = |l: &Linear| matrix(&l.matrix) + bias(&l.bias);
        let gains = |g: &Option<Gains>| {
            let one = |g: &Gains| g.gain.len() as u64 + bias(&g.bias);
            g.as_ref().map_or(0, one)
        };
        let layer = |l: &Layer| {
            let linears = [&l.query, &l.key, &l.value, &l.out, &l.up, &l.down];
            let norms = [
                &l.attention_norm,
                &l.query_norm,
                &l.key_norm,
                &l.attention_after,
                &l.hidden_norm,
                &l.hidden_after,
            ];
            linears.into_iter().map(linear).sum::<u64>()
                + l.gate.as_ref().map_or(0, linear)
                + norms.into_iter().map(gains).sum::<u64>()
        };
        matrix(&self.embedding)
            + self.positions.as_ref().map_or(0, matrix)
            + self.layers.iter().map(layer).sum::<u64>()
            + gains(&Some(self.last_norm.clone()))
            + self.output.as_ref().map_or(0, linear)
    }
}
