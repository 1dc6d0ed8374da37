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

/// A tensor of the parameters.
pub(crate) enum Part<'a> {
    /// A matrix, in stored form.
    Matrix(&'a mut Matrix),
    /// Gains or biases.
    Vector(&'a mut Vec<f32>),
}

/// Parts with their names.
type Named<'a> = Vec<(String, Part<'a>)>;

fn linear<'a>(name: &str, linear: &'a mut Linear, out: &mut Named<'a>) {
    out.push((format!("{name}.weight"), Part::Matrix(&mut linear.matrix)));
    let bias = linear.bias.as_mut();
    out.extend(bias.map(|bias| (format!("{name}.bias"), Part::Vector(bias))));
}

fn gains<'a>(name: &str, gains: &'a mut Gains, out: &mut Named<'a>) {
    out.push((format!("{name}.gain"), Part::Vector(&mut gains.gain)));
    let bias = gains.bias.as_mut();
    out.extend(bias.map(|bias| (format!("{name}.bias"), Part::Vector(bias))));
}

impl Layer {
    fn parts<'a>(&'a mut self, i: usize, out: &mut Named<'a>) {
        for (name, norm) in [
            ("attention_norm", &mut self.attention_norm),
            ("query_norm", &mut self.query_norm),
            ("key_norm", &mut self.key_norm),
            ("attention_after", &mut self.attention_after),
            ("hidden_norm", &mut self.hidden_norm),
            ("hidden_after", &mut self.hidden_after),
        ] {
            let norm = norm.as_mut();
            norm.into_iter()
                .for_each(|norm| gains(&format!("{i}.{name}"), norm, out));
        }
        for (name, layer) in [
            ("query", Some(&mut self.query)),
            ("key", Some(&mut self.key)),
            ("value", Some(&mut self.value)),
            ("out", Some(&mut self.out)),
            ("gate", self.gate.as_mut()),
            ("up", Some(&mut self.up)),
            ("down", Some(&mut self.down)),
        ] {
            let layer = layer.into_iter();
            layer.for_each(|layer| linear(&format!("{i}.{name}"), layer, out));
        }
    }
}

impl Weights {
    /// All tensors with their names, always in the same order.
    pub(crate) fn parts(&mut self) -> Named<'_> {
        let mut out = vec![("embedding".to_owned(), Part::Matrix(&mut self.embedding))];
        let positions = self.positions.as_mut();
        out.extend(positions.map(|m| ("positions".to_owned(), Part::Matrix(m))));
        for (i, layer) in self.layers.iter_mut().enumerate() {
            layer.parts(i, &mut out);
        }
        gains("last_norm", &mut self.last_norm, &mut out);
        let output = self.output.as_mut();
        output
            .into_iter()
            .for_each(|output| linear("output", output, &mut out));
        out
    }

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
