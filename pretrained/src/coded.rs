//! A model with the parameters that our weight coder makes of them: what a description of
//! it takes at chosen bits, and what it then predicts.

use crate::error::{LoadError, Problem};
use crate::gguf::Gguf;
use crate::mapped::{Bytes, Mapped};
use crate::model::Model;
use crate::price::Progress;
use crate::weights::{Matrix, Part, Weights};
use brevity_codec::archive::{self, Options, Source};
use brevity_codec::weights::{
    Storage, TensorDecoder, TensorEncoder, TensorShape, WeightError, step_at_bits,
};
use brevity_kernels::stored::{Format, Stored};
use std::sync::Arc;

/// Values of a matrix by which its step is chosen.
const SAMPLE: usize = 1 << 17;

/// Values that are decoded from the model's file at once.
const BLOCK: usize = 1 << 16;

/// Why a model's parameters cannot be coded.
#[derive(Debug, thiserror::Error)]
pub enum CodedError {
    /// So many bits a value are not possible.
    #[error("{0} bits a value: give a number from 1 to 16")]
    Bits(f64),
    /// The rest of the model cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The rest of the model cannot be compressed.
    #[error(transparent)]
    Rest(#[from] archive::Error),
    /// What was coded does not decode to tensors of the same shapes.
    #[error("the coded parameters do not decode")]
    Decode(#[from] WeightError),
    /// The caller asked for it.
    #[error("stopped")]
    Stopped,
}

impl Model {
    /// The model that is left when its parameters have gone through our weight coder
    /// ([`brevity_codec::weights`]) and back, at no more than `bits` bits a value, 1 to 16.
    /// Each matrix has one step for all values, the finest with which a sample of its rows
    /// takes so many bits; gains and biases are 16-bit floats.
    ///
    /// Its stored bytes ([`model_bytes`](Self::model_bytes)) are those of the coded
    /// parameters, and of the rest of the files (tokens, sizes) compressed by our context
    /// models. In memory the parameters take 4 bytes each; no more than a few rows are
    /// there twice. `progress` hears of the parameters that are coded, and stops the work
    /// if it returns false.
    ///
    /// # Errors
    /// Bits out of range; files that have gone; a stop.
    pub fn at_bits(self, bits: f64, progress: Progress) -> Result<Model, CodedError> {
        if !(1.0..=16.0).contains(&bits) {
            return Err(CodedError::Bits(bits));
        }
        let rest = self.rest().map_err(|problem| LoadError {
            path: self.origin().path.clone(),
            problem,
        })?;
        let mut stored = Vec::new();
        archive::compress(
            &rest[..],
            &mut stored,
            &Source::none(),
            &Options::default(),
            &|_| {},
        )?;
        let coded = encode(self.weights(), bits, progress)?;
        let weights = decode(self.weights(), &coded)?;
        stored.extend(coded);
        let hash = *blake3::hash(&stored).as_bytes();
        Ok(self.with_weights(weights, stored.len() as u64, hash))
    }

    /// The bytes of the model's files that are no parameters.
    fn rest(&self) -> Result<Vec<u8>, Problem> {
        let path = &self.origin().path;
        if !path.is_dir() {
            let file = Mapped::open(path)?;
            let header = Gguf::parse(file.bytes())?.header_bytes();
            return Ok(file.bytes()[..header].to_vec());
        }
        let mut rest = Vec::new();
        for name in ["config.json", "tokenizer.json"] {
            rest.extend(std::fs::read(path.join(name))?);
        }
        Ok(rest)
    }
}

/// Parameters in the stored form of the weight coder.
fn encode(weights: &Weights, bits: f64, progress: Progress) -> Result<Vec<u8>, CodedError> {
    let mut encoder = TensorEncoder::new();
    // Matrices of files are shared, not copied.
    for (name, part) in weights.clone().parts() {
        match part {
            Part::Vector(values) => {
                let shape = TensorShape {
                    name,
                    shape: vec![values.len()],
                };
                let largest = values.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
                encoder.begin(&shape, largest, Storage::Float16);
                encoder.row(values);
            }
            Part::Matrix(matrix) => matrix_at_bits(&mut encoder, name, matrix, bits, progress)?,
        }
    }
    Ok(encoder.finish())
}

fn matrix_at_bits(
    encoder: &mut TensorEncoder,
    name: String,
    matrix: &Matrix,
    bits: f64,
    progress: Progress,
) -> Result<(), CodedError> {
    let (stored, rows, columns) = (matrix.stored(), matrix.rows(), matrix.cols());
    let mut largest = 0.0_f32;
    in_blocks(&stored, |values| {
        largest = values.iter().fold(largest, |m, x| m.max(x.abs()));
        progress(0)
    })?;
    // Rows from all over the matrix.
    let count = (SAMPLE / columns).clamp(1, rows);
    let mut sample = vec![0.0; count * columns];
    for (i, row) in sample.chunks_mut(columns).enumerate() {
        let at = i * rows / count;
        stored.decode_rows(at..at + 1, row);
    }
    let storage = step_at_bits(&sample, columns, largest, bits);
    let shape = TensorShape {
        name,
        shape: vec![rows, columns],
    };
    encoder.begin(&shape, largest, storage);
    in_blocks(&stored, |values| {
        values.chunks(columns).for_each(|row| encoder.row(row));
        progress(values.len())
    })
}

/// The values of a matrix, some rows at a time, until `take` returns false.
fn in_blocks(stored: &Stored, mut take: impl FnMut(&[f32]) -> bool) -> Result<(), CodedError> {
    let (rows, columns) = (stored.rows(), stored.cols());
    let step = (BLOCK / columns).max(1);
    let mut values = vec![0.0; step * columns];
    for start in (0..rows).step_by(step) {
        let end = rows.min(start + step);
        let values = &mut values[..(end - start) * columns];
        stored.decode_rows(start..end, values);
        if !take(values) {
            return Err(CodedError::Stopped);
        }
    }
    Ok(())
}

/// Parameters of the same shapes from the stored form.
fn decode(weights: &Weights, coded: &[u8]) -> Result<Weights, WeightError> {
    let mut weights = weights.clone();
    let mut decoder = TensorDecoder::new(coded)?;
    for (name, part) in weights.parts() {
        let other = |what| WeightError::Value {
            tensor: name.clone(),
            what,
        };
        let mut values: Vec<u8> = Vec::new();
        let mut take = |shape: &TensorShape, row: &[f32]| {
            if values.is_empty() {
                values.reserve_exact(4 * shape.values());
            }
            values.extend(row.iter().flat_map(|x| x.to_le_bytes()));
        };
        let shape = decoder.next_tensor(&mut take)?;
        let shape = shape.filter(|shape| shape.name == name);
        let shape = shape.ok_or_else(|| other("another name"))?;
        match part {
            Part::Vector(vector) if shape.shape == [vector.len()] => {
                let floats = values.as_chunks::<4>().0.iter();
                *vector = floats.map(|&x| f32::from_le_bytes(x)).collect();
            }
            Part::Matrix(matrix) if shape.shape == [matrix.rows(), matrix.cols()] => {
                let bytes = Bytes::Owned(Arc::new(values));
                let decoded = Matrix::new(bytes, Format::F32, matrix.rows(), matrix.cols());
                *matrix = decoded.expect("as many values as the shape says");
            }
            _ => return Err(other("another shape")),
        }
    }
    // That there is no more.
    match decoder.next_tensor(&mut |_, _| {})? {
        None => Ok(weights),
        Some(shape) => Err(WeightError::Value {
            tensor: shape.name,
            what: "no place in the model",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Settings, compress, decompress};
    use crate::tests::small;

    fn values(weights: &Weights) -> Vec<(String, Vec<f32>)> {
        let mut weights = weights.clone();
        let parts = weights.parts().into_iter();
        let values = parts.map(|(name, part)| match part {
            Part::Vector(values) => (name, values.clone()),
            Part::Matrix(matrix) => {
                let mut values = vec![0.0; matrix.rows() * matrix.cols()];
                matrix.stored().decode_rows(0..matrix.rows(), &mut values);
                (name, values)
            }
        });
        values.collect()
    }

    #[test]
    fn every_parameter_is_a_part_and_comes_back() {
        for family in ["llama", "gemma3", "gpt2", "qwen2", "olmo2"] {
            let model = small::model(family);
            let before = values(model.weights());
            let count: usize = before.iter().map(|(_, values)| values.len()).sum();
            assert_eq!(count as u64, model.weights().parameters(), "{family}");
            let coded = encode(model.weights(), 16.0, &|_| true).unwrap();
            let after = values(&decode(model.weights(), &coded).unwrap());
            for ((name, before), (same, after)) in before.iter().zip(&after) {
                assert_eq!(name, same);
                let largest = before.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
                let pairs = before.iter().zip(after);
                let error = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(error < largest * 1e-3, "{family} {name}: {error}");
            }
        }
    }

    #[test]
    fn fewer_bits_make_shorter_models_of_coarser_parameters() {
        let text = b"in the thing, the thin king; ".repeat(8);
        let model = small::model("llama");
        let price = |model: &Model| {
            let settings = Settings::new(model);
            let made = compress(model, &settings, &text, &|_| true).unwrap();
            let back = decompress(model, &made.archive, &Default::default(), &|_| true);
            assert_eq!(back.unwrap(), text);
            made.bits
        };
        let exact = price(&small::model("llama").exact());
        let parameters = model.weights().parameters() as f64;
        let mut before = (f64::INFINITY, 0.0);
        let mut hashes = vec![model.origin().hash];
        for bits in [12.0, 6.0, 3.0, 1.5] {
            let coded = small_at(bits, &|_| true).unwrap();
            let bytes = coded.model_bytes().stored as f64;
            // Gains, tokens and sizes are besides.
            let taken = 8.0 * bytes / parameters;
            assert!((bits - 0.3..bits + 3.0).contains(&taken), "{bits}: {taken}");
            let pairs = values(model.weights()).into_iter();
            let pairs = pairs.zip(values(coded.weights()));
            let error: f64 = pairs
                .flat_map(|((_, a), (_, b))| a.into_iter().zip(b))
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum();
            assert!(bytes < before.0 && error > before.1, "{bits}: {error}");
            before = (bytes, error);
            let off = (price(&coded) / exact - 1.0).abs();
            let most = if bits > 10.0 { 1e-3 } else { 0.1 };
            assert!(off > 0.0 && off < most, "{bits}: {off}");
            assert!(!hashes.contains(&coded.origin().hash));
            hashes.push(coded.origin().hash);
        }
    }

    fn small_at(bits: f64, progress: Progress) -> Result<Model, CodedError> {
        let file = small::on_disk(&small::file("llama", 1).finish());
        Model::load(file.path()).unwrap().at_bits(bits, progress)
    }

    #[test]
    fn wrong_bits_and_stops_are_told() {
        for bits in [0.0, 0.9, 17.0, f64::NAN, -3.0] {
            let error = small_at(bits, &|_| true).unwrap_err().to_string();
            assert!(error.contains("from 1 to 16"), "{error}");
        }
        let stopped = small_at(4.0, &|_| false);
        assert!(matches!(stopped, Err(CodedError::Stopped)));
        let model = small::model("llama");
        let coded = encode(model.weights(), 3.0, &|_| true).unwrap();
        for cut in [0, 5, coded.len() / 2, coded.len() - 1] {
            assert!(decode(model.weights(), &coded[..cut]).is_err(), "{cut}");
        }
        let other = small::model("gemma3");
        assert!(decode(other.weights(), &coded).is_err());
    }
}
