//! Tensors by name, checked when they are taken.

use crate::error::Problem;
use crate::mapped::Bytes;
use crate::weights::{Gains, Linear, Matrix};
use brevity_kernels::stored::{Format, Stored};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A tensor of a file.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Rows first.
    pub shape: Vec<usize>,
    /// How values are stored.
    pub format: Format,
    /// They.
    pub bytes: Bytes,
}

impl Tensor {
    /// All values, and where the first row is that has one which is not finite.
    fn values(&self) -> (Vec<f32>, Option<usize>) {
        let cols = *self.shape.last().unwrap_or(&1);
        let len: usize = self.shape.iter().product();
        let mut values = vec![0.0; len];
        let rows = len / cols.max(1);
        if let Some(stored) = Stored::new(self.format, self.bytes.get(), rows, cols) {
            stored.decode_rows(0..rows, &mut values);
        }
        let bad = values.iter().position(|x| !x.is_finite());
        (values, bad.map(|i| i / cols))
    }
}

/// How three projections lie in one tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fused {
    /// All queries, all keys, all values.
    Apart,
    /// Query, key and value of each head: GPT-NeoX.
    ByHead,
}

/// The tensors of a model.
pub struct Tensors {
    tensors: HashMap<String, Tensor>,
    used: HashSet<String>,
    /// Matrices are `[in, out]`: GPT-2 in Hugging Face's files.
    pub transposed: bool,
    /// What is added to the gains of norms: 1 for Gemma in Hugging Face's files.
    pub gain_offset: f32,
}

impl Tensors {
    /// Of names and tensors.
    pub fn new(tensors: HashMap<String, Tensor>) -> Tensors {
        Tensors {
            tensors,
            used: HashSet::new(),
            transposed: false,
            gain_offset: 0.0,
        }
    }

    /// Whether there is such a tensor.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Rows of a matrix.
    pub fn rows_of(&self, name: &str) -> Result<usize, Problem> {
        match self.tensors.get(name).map(|tensor| tensor.shape.as_slice()) {
            Some([rows, _]) => Ok(*rows),
            _ => Err(Problem::NoTensor(name.into())),
        }
    }

    /// A tensor that nothing has taken, if there is one that `ignored` does not
    /// know: the model has a part that we would leave out.
    pub fn left(&self, ignored: impl Fn(&str) -> bool) -> Option<&str> {
        let left = self.tensors.keys().map(String::as_str);
        left.filter(|name| !self.used.contains(*name) && !ignored(name))
            .min()
    }

    fn take(&mut self, name: &str, expected: &[usize]) -> Result<Tensor, Problem> {
        let tensor = self
            .tensors
            .get(name)
            .ok_or_else(|| Problem::NoTensor(name.into()))?;
        if tensor.shape != expected {
            return Err(Problem::Shape {
                name: name.into(),
                expected: expected.to_vec(),
                got: tensor.shape.clone(),
            });
        }
        self.used.insert(name.into());
        Ok(tensor.clone())
    }

    /// The values of a vector.
    pub fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, Problem> {
        let (values, bad) = self.take(name, &[len])?.values();
        match bad {
            None => Ok(values),
            Some(row) => Err(Problem::NotFinite {
                name: name.into(),
                row,
            }),
        }
    }

    /// A matrix `[rows, cols]` as it is stored.
    pub fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> Result<Matrix, Problem> {
        let tensor = self.take(name, &[rows, cols])?;
        let matrix = Matrix::new(tensor.bytes, tensor.format, rows, cols);
        matrix.ok_or_else(|| Problem::NoTensor(name.into()))
    }

    /// A layer: `base.weight`, and `base.bias` if it is there.
    pub fn linear(&mut self, base: &str, rows: usize, cols: usize) -> Result<Linear, Problem> {
        let name = format!("{base}.weight");
        let matrix = if self.transposed {
            let tensor = self.take(&name, &[cols, rows])?;
            let (values, _) = tensor.values();
            let turned = (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c)));
            owned(turned.map(|(r, c)| values[c * rows + r]), rows, cols)
        } else {
            self.matrix(&name, rows, cols)?
        };
        let bias = self.bias(base, rows)?;
        Ok(Linear { matrix, bias })
    }

    fn bias(&mut self, base: &str, len: usize) -> Result<Option<Vec<f32>>, Problem> {
        let name = format!("{base}.bias");
        match self.has(&name) {
            true => self.vector(&name, len).map(Some),
            false => Ok(None),
        }
    }

    /// Queries, keys and values, of `width` and twice `kv_width` outputs, from one
    /// tensor.
    pub fn fused(
        &mut self,
        base: &str,
        fused: Fused,
        (width, kv_width, head_dim): (usize, usize, usize),
        cols: usize,
    ) -> Result<[Linear; 3], Problem> {
        let all = self.linear(base, width + 2 * kv_width, cols)?;
        let heads = width / head_dim;
        let part = |which: usize| -> Linear {
            let rows: Vec<usize> = match fused {
                Fused::Apart => {
                    let start = [0, width, width + kv_width][which];
                    let len = if which == 0 { width } else { kv_width };
                    (start..start + len).collect()
                }
                Fused::ByHead => (0..heads)
                    .flat_map(|h| {
                        let start = (3 * h + which) * head_dim;
                        start..start + head_dim
                    })
                    .collect(),
            };
            let stored = all.matrix.stored();
            let mut row = vec![0.0; cols];
            let values = rows.iter().flat_map(|&r| {
                stored.decode_rows(r..r + 1, &mut row);
                row.clone()
            });
            let matrix = owned(values, rows.len(), cols);
            let bias = all.bias.as_ref();
            let bias = bias.map(|bias| rows.iter().map(|&r| bias[r]).collect());
            Linear { matrix, bias }
        };
        Ok([part(0), part(1), part(2)])
    }

    /// A normalisation: `base.weight`, and `base.bias` if it is there.
    pub fn gains(&mut self, base: &str, len: usize) -> Result<Gains, Problem> {
        let mut gain = self.vector(&format!("{base}.weight"), len)?;
        for gain in &mut gain {
            *gain += self.gain_offset;
        }
        let bias = self.bias(base, len)?;
        Ok(Gains { gain, bias })
    }

    /// A normalisation of one of two lengths, if it is there.
    pub fn gains_of(&mut self, base: &str, lengths: [usize; 2]) -> Result<Option<Gains>, Problem> {
        let Some(tensor) = self.tensors.get(&format!("{base}.weight")) else {
            return Ok(None);
        };
        let long = tensor.shape == [lengths[1]];
        self.gains(base, lengths[usize::from(long)]).map(Some)
    }
}

/// A matrix of `f32` values, row-major.
fn owned(values: impl Iterator<Item = f32>, rows: usize, cols: usize) -> Matrix {
    let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
    Matrix::new(Bytes::Owned(Arc::new(bytes)), Format::F32, rows, cols)
        .expect("as many values as the shape says")
}
