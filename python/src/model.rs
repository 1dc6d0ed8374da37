//! Our own models.

use crate::errors::ModelError;
use crate::work;
use brevity_codec::{code_lengths, score};
use brevity_model::{ForwardError, State, Transformer, Weights};
use brevity_task::chain;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes priced between two looks at signals.
const PIECE: usize = 1 << 20;

/// A byte transformer.
#[pyclass(frozen, module = "brevity._brevity")]
pub struct Model {
    pub weights: Arc<Weights>,
    transformer: Arc<Transformer>,
}

#[pymethods]
impl Model {
    /// Reads a safetensors file.
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Model> {
        py.detach(|| match Weights::load(&path) {
            Ok(weights) => Ok(Model {
                transformer: Arc::new(Transformer::new(&weights)),
                weights: Arc::new(weights),
            }),
            Err(error) => Err(ModelError::new_err(chain(&error).to_string())),
        })
    }

    /// The spec, as JSON.
    fn spec(&self) -> String {
        serde_json::to_string(self.weights.spec()).expect("a spec is plain")
    }

    fn parameters(&self) -> u64 {
        self.weights.parameters()
    }

    /// Bits of each byte, 32-bit floats.
    fn bits<'py>(&self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let spec = self.weights.spec();
        // Chunks are independent; a stream is priced at once.
        let piece = match spec.window {
            None => PIECE.next_multiple_of(spec.context),
            Some(_) => usize::MAX,
        };
        let bits = work::run(py, |stop| {
            let mut out = Vec::with_capacity(4 * data.len());
            for piece in data.chunks(piece) {
                if stop.is_set() {
                    break;
                }
                let bits = code_lengths(&self.transformer, piece)?;
                out.extend(bits.iter().flat_map(|bits| bits.to_le_bytes()));
            }
            Ok::<_, brevity_codec::ScoreError>(out)
        })?;
        let bits = bits.map_err(|error| ModelError::new_err(chain(&error).to_string()))?;
        Ok(PyBytes::new(py, &bits))
    }

    /// Bits of all bytes, as the command sums them.
    fn total_bits(&self, py: Python<'_>, data: &[u8]) -> PyResult<f64> {
        let total = work::run(py, |_| score(&self.weights, data))?;
        let total = total.map_err(|error| ModelError::new_err(chain(&error).to_string()))?;
        Ok(total.bits)
    }

    /// A stream at its start.
    fn stream(&self) -> PyResult<Stream> {
        let mut stream = Stream {
            state: self.transformer.state(1),
            model: self.transformer.clone(),
            taken: 0,
            logits: vec![0.0; 256],
        };
        stream.advance(&[0]).map_err(failed)?;
        Ok(stream)
    }
}

fn failed(error: ForwardError) -> PyErr {
    ModelError::new_err(chain(&error).to_string())
}

/// A stream of bytes under a model.
#[pyclass(module = "brevity._brevity")]
pub struct Stream {
    model: Arc<Transformer>,
    state: State,
    taken: u64,
    /// Of the next byte.
    logits: Vec<f32>,
}

#[pymethods]
impl Stream {
    /// Takes bytes. A model without a window starts anew after each context.
    fn feed(&mut self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        py.detach(|| {
            let mut rest = data;
            while !rest.is_empty() {
                let spec = self.model.spec();
                let room = match spec.window {
                    Some(_) => rest.len(),
                    None => spec.context - (self.taken % spec.context as u64) as usize,
                };
                let now = room.min(rest.len());
                let full = spec.window.is_none() && now == room;
                // The last byte of a chunk is not needed for the first of the next.
                let read = now - usize::from(full);
                if read > 0 {
                    self.advance(&rest[..read])?;
                }
                self.taken += now as u64;
                if full {
                    self.state.reset();
                    self.advance(&[0])?;
                }
                rest = &rest[now..];
            }
            Ok::<_, ForwardError>(())
        })
        .map_err(failed)
    }

    /// Logits (nats, up to a constant) of the next byte, 32-bit floats.
    fn next_byte_logits<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes: Vec<u8> = self.logits.iter().flat_map(|x| x.to_le_bytes()).collect();
        PyBytes::new(py, &bytes)
    }

    /// Number of bytes taken.
    fn taken(&self) -> u64 {
        self.taken
    }
}

impl Stream {
    fn advance(&mut self, previous: &[u8]) -> Result<(), ForwardError> {
        let sinks = &mut [&mut self.logits];
        self.model.forward_each(
            &mut self.state,
            previous,
            previous.len(),
            sinks,
            |sink, _, logits| sink.copy_from_slice(logits),
        )
    }
}
