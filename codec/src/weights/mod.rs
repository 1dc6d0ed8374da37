//! The weight coder: quantises and entropy-codes the weights of a model.
//!
//! Contents:
//! - [`Plan`]: how finely each tensor is quantised, made by [`Plan::new`] for a
//!   fixed [`Precision`] or by [`Plan::minimise`] for the shortest description
//!   of weights and data together;
//! - [`encode`] and [`decode`]: uniform quantisation and adaptive arithmetic
//!   coding of the integers;
//! - [`quantise`]: the weights that the decoder will have. Code data with these;
//! - [`encode_tensors`] and [`decode_tensors`]: the same for any named tensors;
//!   [`TensorEncoder`] and [`TensorDecoder`] have a row of them in memory at a time.
//!
//! Quantisation-aware training is in `brevity-train`.
//!
//! # Stored form
//!
//! `Spec::to_bytes`, then one stream of the range coder with the tensors in
//! canonical order, as 16-bit floats, as integers with one quantisation step, or as
//! integers with a step per row. The magnitude of an integer is coded in the context
//! of the magnitudes around it, so that the code adapts to rows and columns of
//! different scale. `docs/format.md` has the details.
//!
//! ```
//! use brevity_codec::weights::{self, Plan, Precision};
//! use brevity_model::{Spec, Weights};
//!
//! let model = Weights::from_fn(Spec::aspect(16, 64), |info| {
//!     (0..info.len()).map(|i| (i % 7) as f32 * 0.02 - 0.06).collect()
//! }).unwrap();
//! let plan = Plan::new(&model, Precision::Int8);
//! let bytes = weights::encode(&model, &plan);
//! assert!((bytes.len() as u64) < model.parameters());
//! let decoded = weights::decode(&bytes).unwrap();
//! assert_eq!(decoded, weights::quantise(&model, &plan));
//! ```

mod integers;
mod io;
mod lossless;
mod plan;
mod search;
mod streamed;
mod tensors;

pub use plan::{Plan, Precision, Storage, step};
pub use streamed::{TensorDecoder, TensorEncoder, TensorShape, step_at_bits};
pub use tensors::{Tensor, decode_tensors, encode_tensors, whole};

use crate::range::{Decoder, Encoder};
use brevity_model::{DecodeError, Spec, TensorInfo, Weights, WeightsError};
use half::f16;
use integers::{Integers, Scale};
use io::{Adaptive, Io};

/// The largest magnitude of a stored integer.
pub const LARGEST: i32 = (1 << 20) - 1;

/// Why bytes cannot be decoded to weights. Offsets count from their start.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// They do not begin with a spec.
    #[error(transparent)]
    Spec(#[from] DecodeError),
    /// The spec has more parameters than the bytes can hold.
    #[error(
        "the model spec claims {parameters} parameters, more than {bytes} bytes of weights can hold"
    )]
    Claim {
        /// Parameters of the spec.
        parameters: u64,
        /// Bytes available.
        bytes: usize,
    },
    /// The stream ends before the last tensor does, or is damaged.
    #[error("weights are damaged: their stream does not end with tensor `{tensor}`")]
    Stream {
        /// The tensor that was being decoded.
        tensor: String,
    },
    /// A value that no encoder writes.
    #[error("weights are damaged: tensor `{tensor}` has {what}")]
    Value {
        /// The tensor that was being decoded.
        tensor: String,
        /// What was found.
        what: &'static str,
    },
    /// The values are not valid weights.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// The weights as the decoder will have them.
///
/// # Panics
/// If the plan is for another spec.
pub fn quantise(weights: &Weights, plan: &Plan) -> Weights {
    let mut tensors = weights.iter().zip(plan.storage());
    let quantised = Weights::from_fn(weights.spec().clone(), |_| {
        let ((info, values), storage) = tensors.next().expect("a plan for this spec");
        let (_, columns) = info.rows_columns();
        match storage {
            Storage::Float16 => values.iter().map(|&x| half(x).to_f32()).collect(),
            Storage::Zeros => vec![0.0; values.len()],
            Storage::Step(_) | Storage::Rows(_) => {
                let rows = values.chunks(columns).enumerate();
                rows.flat_map(|(row, values)| {
                    let step = storage.row_step(row);
                    values.iter().map(move |&x| integer(x, step) as f32 * step)
                })
                .collect()
            }
        }
    });
    let quantised = quantised.and_then(|w| w.with_gates(weights.gates().copied()));
    quantised.expect("finite values of the same shape")
}

/// The nearest finite half-precision number.
fn half(x: f32) -> f16 {
    f16::from_f32(x.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()))
}

/// The nearest multiple of the step.
fn integer(x: f32, step: f32) -> i32 {
    (x / step).round().clamp(-LARGEST as f32, LARGEST as f32) as i32
}

/// Weights in their stored form.
///
/// # Panics
/// If the plan is for another spec.
pub fn encode(weights: &Weights, plan: &Plan) -> Vec<u8> {
    assert_eq!(
        plan.storage().len(),
        weights.iter().len(),
        "a plan for this spec"
    );
    let mut out = weights.spec().to_bytes();
    let tensors = weights.iter().zip(plan.storage());
    out.extend(stream(tensors.map(|((info, values), s)| (info, values, s))));
    out
}

/// The range coder's stream of these tensors.
fn stream<'a>(tensors: impl Iterator<Item = (&'a TensorInfo, &'a [f32], &'a Storage)>) -> Vec<u8> {
    let mut models = Models::new();
    let mut encoder = Encoder::default();
    for (info, values, storage) in tensors {
        let mut values = values.to_vec();
        let written = models.tensor(&mut encoder, info, storage, &mut values);
        debug_assert_eq!(written, Ok(()));
    }
    encoder.finish()
}

/// Decodes the stored form, which must fill all of `bytes`.
///
/// # Errors
/// Bytes that [`encode`] cannot have written. Damage may go unnoticed and give other
/// weights: use a checksum to detect it.
pub fn decode(bytes: &[u8]) -> Result<Weights, WeightError> {
    let (spec, start) = Spec::from_bytes(bytes)?;
    let stream = &bytes[start..];
    let parameters = spec.parameters();
    if parameters > io::most_decisions(stream.len()) {
        return Err(WeightError::Claim {
            parameters,
            bytes: bytes.len(),
        });
    }
    let mut models = Models::new();
    let mut decoder = Decoder::new(stream);
    let mut tensors = Vec::new();
    for info in spec.tensors() {
        let mut values = vec![0.0; info.len()];
        let read = models.tensor(&mut decoder, &info, &Storage::Float16, &mut values);
        let tensor = info.name;
        match read {
            _ if decoder.overrun() => return Err(WeightError::Stream { tensor }),
            Err(what) => return Err(WeightError::Value { tensor, what }),
            Ok(()) => tensors.push((tensor, values)),
        }
    }
    if !decoder.ended() {
        let tensor = tensors.pop().map_or_else(String::new, |(name, _)| name);
        return Err(WeightError::Stream { tensor });
    }
    Ok(Weights::new(spec, tensors)?)
}

/// The adaptive state of the weight coder.
///
/// Encoder and decoder are the same code: the encoder passes each binary decision to
/// [`Io::bit`]; the decoder passes anything and gets the decision back.
struct Models {
    /// High bytes of half-precision numbers.
    halves: Adaptive,
    /// Differences between the steps of tensors and of rows.
    steps: Integers,
    matrices: Integers,
    vectors: Integers,
    last_step: u8,
}

/// A tensor that is coded row by row.
struct Rows {
    floats: bool,
    /// Whether each row has a step of its own.
    by_row: bool,
    matrix: bool,
    scale: Scale,
    /// Rows that are coded.
    done: usize,
}

impl Models {
    fn new() -> Models {
        Models {
            halves: Adaptive::new(256),
            steps: Integers::new(),
            matrices: Integers::new(),
            vectors: Integers::new(),
            last_step: 0,
        }
    }

    /// Codes one tensor: writes `values` as `storage` says, or reads them. In both cases
    /// `values` then hold the decoder's values.
    fn tensor(
        &mut self,
        io: &mut impl Io,
        info: &TensorInfo,
        storage: &Storage,
        values: &mut [f32],
    ) -> Result<(), &'static str> {
        let mut rows = self.begin(io, info, storage);
        let (_, columns) = info.rows_columns();
        let mut all = values.chunks_mut(columns);
        all.try_for_each(|values| self.row(io, &mut rows, storage, values))
    }

    /// Begins a tensor, whose rows follow by [`row`](Self::row).
    fn begin(&mut self, io: &mut impl Io, info: &TensorInfo, storage: &Storage) -> Rows {
        let (_, columns) = info.rows_columns();
        let floats = io.even_bit(matches!(storage, Storage::Float16));
        Rows {
            floats,
            by_row: !floats && io.even_bit(matches!(storage, Storage::Rows(_))),
            matrix: info.role.is_matrix(),
            scale: Scale::new(if floats { 0 } else { columns }),
            done: 0,
        }
    }

    /// Codes the next row of a tensor, as [`tensor`](Self::tensor) does all of them.
    fn row(
        &mut self,
        io: &mut impl Io,
        rows: &mut Rows,
        storage: &Storage,
        values: &mut [f32],
    ) -> Result<(), &'static str> {
        if matches!(storage, Storage::Zeros) {
            values.fill(0.0);
        }
        let row = rows.done;
        rows.done += 1;
        if rows.floats {
            values.iter_mut().for_each(|x| *x = self.half(io, *x));
            return match values.iter().all(|x| x.is_finite()) {
                true => Ok(()),
                false => Err("a number that is not finite"),
            };
        }
        if row == 0 || rows.by_row {
            let change = i32::from(storage.row_index(row)) - i32::from(self.last_step);
            let change = self.steps.code(io, change, 0);
            let index = i32::from(self.last_step) + change;
            self.last_step = u8::try_from(index).map_err(|_| "a step out of range")?;
        }
        let step = step(self.last_step);
        let integers = match rows.matrix {
            true => &mut self.matrices,
            false => &mut self.vectors,
        };
        for (column, value) in values.iter_mut().enumerate() {
            let context = rows.scale.context(column);
            let coded = integers.code(io, integer(*value, step), context);
            rows.scale.add(column, coded);
            *value = coded as f32 * step;
        }
        match io.overrun() {
            true => Err("too few bytes"),
            false => Ok(()),
        }
    }

    /// Codes a half-precision number: the high byte adaptively, the low one plainly.
    fn half(&mut self, io: &mut impl Io, value: f32) -> f32 {
        let bits = half(value).to_bits();
        let mut coded = 1_u32;
        for k in (0..16).rev() {
            let bit = bits >> k & 1 == 1;
            let bit = if k >= 8 {
                self.halves.code(io, bit, coded as usize)
            } else {
                io.even_bit(bit)
            };
            coded = coded << 1 | u32::from(bit);
        }
        f16::from_bits(coded as u16).to_f32()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::{RngCore, SeedableRng};

    /// Roughly Gaussian weights, norm scales near one.
    fn model(spec: Spec) -> Weights {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut unit = move || f32::from((rng.next_u32() >> 16) as u16) / 65_536.0 - 0.5;
        Weights::from_fn(spec, |info| {
            let matrix = info.role.is_matrix();
            let gauss = |_| (unit() + unit() + unit() + unit()) * 0.1;
            let values = (0..info.len()).map(gauss);
            values.map(|x| if matrix { x } else { 1.0 + x }).collect()
        })
        .unwrap()
    }

    #[test]
    fn decoding_gives_the_quantised_weights() {
        for spec in [Spec::aspect(16, 32), Spec::lmic(8, 2, 2, 16)] {
            let model = model(spec);
            for precision in [
                Precision::Float16,
                Precision::Int8,
                Precision::Bits(4),
                Precision::Bits(2),
                Precision::Step(0.01),
            ] {
                let plan = Plan::new(&model, precision);
                let decoded = decode(&encode(&model, &plan)).unwrap();
                assert_eq!(decoded, quantise(&model, &plan), "{precision:?}");
            }
            let none = Plan::zeros(&model);
            let decoded = decode(&encode(&model, &none)).unwrap();
            assert_eq!(decoded, quantise(&model, &none));
            let mut values = decoded.iter().flat_map(|(_, values)| values);
            assert!(values.all(|&x| x == 0.0));
        }
    }

    #[test]
    fn integers_cost_what_their_entropy_says() {
        let model = model(Spec::aspect(32, 64));
        for index in [40, 48, 56] {
            let plan = Plan::new(&model, Precision::Step(step(index)));
            let bits = encode(&model, &plan).len() as f64 * 8.0;
            let entropy: f64 = model
                .iter()
                .filter(|(info, _)| info.role.is_matrix())
                .map(|(_, values)| {
                    let mut counts = std::collections::HashMap::new();
                    for &x in values {
                        *counts.entry(integer(x, step(index))).or_insert(0.0) += 1.0;
                    }
                    let n = values.len() as f64;
                    let of = |c: &f64| c * (n / c).log2();
                    counts.values().map(of).sum::<f64>()
                })
                .sum();
            let n = model.parameters() as f64;
            assert!(
                bits < entropy * 1.03 + 6_000.0,
                "{} and {}",
                bits / n,
                entropy / n
            );
        }
    }

    #[test]
    fn every_truncation_is_noticed() {
        let model = model(Spec::aspect(8, 16));
        let bytes = encode(&model, &Plan::new(&model, Precision::Int8));
        for length in (0..64).chain(bytes.len() - 64..bytes.len()) {
            assert!(decode(&bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn claims_are_bounded_by_the_bytes() {
        let mut bytes = Spec::brevity(512, 12, 16, 256).to_bytes();
        bytes.extend([0; 100]);
        assert!(matches!(decode(&bytes), Err(WeightError::Claim { .. })));
    }

    #[test]
    fn plans_are_moved_to_so_many_bits() {
        let model = model(Spec::aspect(32, 64));
        let rows = Plan::new(&model, Precision::Bits(6));
        let step = Plan::from_storage(vec![Storage::Step(40); rows.storage().len()]);
        for plan in [rows, step, Plan::zeros(&model)] {
            for bits in [2.0, 4.0, 6.5, 8.0] {
                let moved = plan.at_bits(&model, bits);
                let stored = encode(&model, &moved);
                let taken = stored.len() as f64 * 8.0 / model.parameters() as f64;
                assert!((bits - 0.15..=bits).contains(&taken), "{bits}: {taken}");
                assert_eq!(decode(&stored).unwrap(), quantise(&model, &moved));
            }
            // The spec alone needs more.
            let coarsest = encode(&model, &plan.at_bits(&model, 1e-3));
            assert!(coarsest.len() < 2500, "{}", coarsest.len());
        }
    }

    #[test]
    fn the_shortest_description_is_found() {
        let model = model(Spec::aspect(16, 32));
        // The code length of the data grows with the square of the error.
        let mut evaluations = 0;
        let mut data_bits = |weights: &Weights| -> Result<f64, ()> {
            evaluations += 1;
            let errors = model
                .iter()
                .zip(weights.iter())
                .flat_map(|((_, a), (_, b))| {
                    a.iter()
                        .zip(b)
                        .map(|(a, b)| f64::from(a - b) * f64::from(a - b))
                });
            Ok(errors.sum::<f64>() * 1e6)
        };
        let plan = Plan::minimise(&model, &mut data_bits).unwrap();
        let mut total = |plan: &Plan| {
            data_bits(&quantise(&model, plan)).unwrap() + encode(&model, plan).len() as f64 * 8.0
        };
        let best = total(&plan);
        for index in (16..90).step_by(6) {
            let other = total(&Plan::new(&model, Precision::Step(step(index))));
            assert!(best <= other * 1.002, "step {index}: {best} and {other}");
        }
        assert!(evaluations < 40, "{evaluations}");
    }

    #[test]
    fn a_model_that_is_not_worth_its_bits_is_dropped() {
        let model = model(Spec::aspect(16, 32));
        let zeros = quantise(&model, &Plan::zeros(&model));
        // An overfitted model depends on every digit of its weights; with coarse
        // steps it is worse than no model.
        let data_bits = |weights: &Weights| -> Result<f64, ()> {
            if *weights == zeros {
                return Ok(5e3);
            }
            let tensors = model.iter().zip(weights.iter());
            let errors = tensors.flat_map(|((_, a), (_, b))| a.iter().zip(b));
            let errors = errors.map(|(a, b)| f64::from(a - b) * f64::from(a - b));
            Ok((errors.sum::<f64>() * 1e6).min(8e3))
        };
        let plan = Plan::minimise(&model, data_bits).unwrap();
        assert_eq!(plan, Plan::zeros(&model));
        // A model with a plan is dropped too, but only if it does not pay.
        let given = Plan::new(&model, Precision::Int8);
        let plan = given.clone().or_zeros(&model, data_bits).unwrap();
        assert_eq!(plan, Plan::zeros(&model));
        let stored = encode(&model, &given).len() as f64 * 8.0;
        let worth = |weights: &Weights| -> Result<f64, ()> {
            Ok(if *weights == zeros { 2.0 * stored } else { 0.0 })
        };
        assert_eq!(given.clone().or_zeros(&model, worth).unwrap(), given);
    }
}
