//! Python objects as predictors.

use crate::{errors, work};
use brevity_outside::predictor::{
    About, Make, Outside, OutsideError, PredictorModel, check_causal, code_lengths as lengths,
};
use brevity_task::{Control, Stop};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Mutex;

/// A Python object with `name`, `context`, `streams`, `start(streams)` and
/// `take(bytes, steps)`, the latter two returning 32-bit floats as bytes:
/// `brevity/_predictors.py` makes it of what users have.
pub struct Object {
    object: Py<PyAny>,
    about: About,
}

impl Object {
    pub fn new(object: &Bound<'_, PyAny>) -> PyResult<Object> {
        let about = About {
            name: object.getattr("name")?.extract()?,
            context: object.getattr("context")?.extract()?,
            streams: object.getattr("streams")?.extract()?,
        };
        about.check().map_err(errors::outside)?;
        Ok(Object {
            object: object.clone().unbind(),
            about,
        })
    }

    /// A model of archives. The object is one: it codes one block at a time.
    pub fn model(object: &Bound<'_, PyAny>) -> PyResult<PredictorModel> {
        let only: Mutex<Option<Box<dyn Outside>>> =
            Mutex::new(Some(Box::new(Object::new(object)?)));
        let make: Make = Box::new(move || {
            let mut only = only.lock().expect("nothing panics here");
            only.take().ok_or_else(|| {
                OutsideError::Failed("the predictor is in use, or has failed before".into())
            })
        });
        PredictorModel::new(make).map_err(errors::outside)
    }
}

fn fill(next: &mut [f32], bytes: &Bound<'_, PyBytes>) -> Result<(), OutsideError> {
    let bytes = bytes.as_bytes();
    if bytes.len() != 4 * next.len() {
        return Err(OutsideError::Failed(format!(
            "the predictor gave {} log-probabilities, not {}",
            bytes.len() / 4,
            next.len()
        )));
    }
    for (value, bytes) in next.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *value = f32::from_le_bytes(*bytes);
    }
    Ok(())
}

/// An exception of the object, with its kind, as an error.
fn raised(py: Python<'_>, error: PyErr) -> OutsideError {
    let kind = error.get_type(py);
    let kind = kind
        .name()
        .map_or_else(|_| "exception".into(), |name| name.to_string());
    error.print(py);
    OutsideError::Failed(format!("the predictor raised {kind}: {}", error.value(py)))
}

impl Outside for Object {
    fn about(&self) -> &About {
        &self.about
    }

    fn start(&mut self, streams: usize, next: &mut [f32]) -> Result<(), OutsideError> {
        Python::attach(|py| {
            let given = self.object.bind(py).call_method1("start", (streams,));
            let given = given.and_then(|given| Ok(given.cast_into::<PyBytes>()?));
            fill(next, &given.map_err(|error| raised(py, error))?)
        })
    }

    fn take(&mut self, bytes: &[u8], steps: usize, next: &mut [f32]) -> Result<(), OutsideError> {
        Python::attach(|py| {
            let bytes = PyBytes::new(py, bytes);
            let given = self.object.bind(py).call_method1("take", (bytes, steps));
            let given = given.and_then(|given| Ok(given.cast_into::<PyBytes>()?));
            fill(next, &given.map_err(|error| raised(py, error))?)
        })
    }
}

/// Bits of each byte under a predictor, 32-bit floats; `check` looks whether it reads ahead.
#[pyfunction]
pub fn code_lengths<'py>(
    py: Python<'py>,
    predictor: &Bound<'py, PyAny>,
    data: &[u8],
    check: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut object = Object::new(predictor)?;
    let bits = work::run(py, |stop: &Stop| {
        if check {
            check_causal(&mut object, data)?;
        }
        lengths(&mut object, data, stop)
    })?;
    let bits = bits.map_err(errors::outside)?;
    let bytes: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    Ok(PyBytes::new(py, &bytes))
}

/// Bits, coded bytes, raw rate, adjusted rate, notes.
type Scored = (f64, u64, f64, Option<f64>, Vec<String>);

/// Scores a predictor.
#[pyfunction]
#[pyo3(signature = (predictor, data, model_bytes, decode))]
pub fn score(
    py: Python<'_>,
    predictor: &Bound<'_, PyAny>,
    data: &[u8],
    model_bytes: Option<u64>,
    decode: bool,
) -> PyResult<Scored> {
    let model = Object::model(predictor)?;
    let found = work::run(py, |stop| {
        let control = Control::silent(stop);
        brevity_outside::score(&model, data, model_bytes, decode, &control)
    })?;
    let found = found.map_err(errors::outside)?;
    Ok((
        found.description.bits(),
        found.description.coded_bytes(),
        found.description.raw_rate(),
        found.adjusted_rate(),
        found.notes,
    ))
}

/// Overlap of two texts: word 8-grams, 13-grams, spaced seeds, longest match, share in long
/// matches.
#[pyfunction]
pub fn overlap(py: Python<'_>, train: &[u8], test: &[u8]) -> PyResult<(f64, f64, f64, usize, f64)> {
    let found = work::run(py, |_| brevity_data::overlap::overlap(train, test))?;
    Ok((
        found.ngram8,
        found.ngram13,
        found.spaced.unwrap_or(0.0),
        found.longest_match,
        found.in_long_matches,
    ))
}
