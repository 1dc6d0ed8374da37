//! Archives.

use crate::errors::{self, ModelError};
use crate::model::Model;
use crate::predictor::Object;
use crate::work;
use brevity_codec::Method;
use brevity_codec::archive::{
    self, Models, Options, Source, compress as write, decompress as read,
};
use brevity_codec::weights::{Plan, Precision};
use brevity_measure::StoredModel;
use brevity_outside::predictor::description;
use brevity_task::{Stop, chain};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

fn precision(bits: &str) -> PyResult<Option<Precision>> {
    Ok(match bits {
        "auto" => None,
        "fp16" => Some(Precision::Float16),
        "int8" => Some(Precision::Int8),
        _ => match bits.parse() {
            Ok(bits @ 2..=16) => Some(Precision::Bits(bits)),
            _ => {
                return Err(PyValueError::new_err(format!(
                    "bits is {bits}: give auto, fp16, int8 or a number from 2 to 16"
                )));
            }
        },
    })
}

fn method(name: Option<&str>) -> PyResult<Option<Method>> {
    let all = [Method::Raw, Method::Contexts, Method::Model, Method::Mixed];
    let Some(name) = name else { return Ok(None) };
    match all.into_iter().find(|method| method.name() == name) {
        Some(method) => Ok(Some(method)),
        None => Err(PyValueError::new_err(format!(
            "method is {name}: give mixed, model, contexts or raw"
        ))),
    }
}

/// An archive of the data, which was decoded again if `verify` says so.
#[pyfunction]
#[pyo3(signature = (data, model, predictor, external, bits, method, verify))]
#[expect(clippy::too_many_arguments, reason = "Python has names for them")]
pub fn compress<'py>(
    py: Python<'py>,
    data: &[u8],
    model: Option<&Bound<'py, Model>>,
    predictor: Option<&Bound<'py, PyAny>>,
    external: bool,
    bits: &str,
    method: Option<&str>,
    verify: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let precision = precision(bits)?;
    let method = self::method(method)?;
    let predictor = predictor.map(Object::model).transpose()?;
    if method.is_some_and(Method::needs_model) && model.is_none() && predictor.is_none() {
        return Err(PyValueError::new_err("this method needs a model"));
    }
    let weights = model.map(|model| model.get().weights.clone());
    let options = Options {
        method,
        ..Options::default()
    };
    let archive = work::run(py, |stop: &Stop| -> PyResult<Vec<u8>> {
        let source = match (&weights, &predictor) {
            (_, Some(model)) => {
                Source::outside(description(model.about()), Box::new(model.clone()))
            }
            (Some(weights), _) if external => Source::external(weights),
            (Some(weights), _) => {
                let plan = match precision {
                    Some(precision) => Plan::new(weights, precision),
                    None => {
                        let stored = StoredModel::for_data((**weights).clone(), data, stop);
                        stored
                            .map_err(|error| ModelError::new_err(chain(&error).to_string()))?
                            .plan
                    }
                };
                Source::embedded(weights, &plan)
            }
            (None, None) => Source::none(),
        };
        let mut out = Vec::new();
        write(data, &mut out, &source, &options, &|_| {}).map_err(errors::archive)?;
        if verify && !stop.is_set() {
            let find = predictor.as_ref().map(|model| model.finder());
            let models = Models {
                external: weights.as_deref(),
                outside: find.as_ref().map(|find| &**find as _),
                ..Models::default()
            };
            read(&out[..], std::io::sink(), &models, &|_| {}).map_err(errors::archive)?;
        }
        Ok(out)
    })??;
    Ok(PyBytes::new(py, &archive))
}

/// The bytes of an archive.
#[pyfunction]
#[pyo3(signature = (archive, model, predictor))]
pub fn decompress<'py>(
    py: Python<'py>,
    archive: &[u8],
    model: Option<&Bound<'py, Model>>,
    predictor: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let weights = model.map(|model| model.get().weights.clone());
    let predictor = predictor.map(Object::model).transpose()?;
    let find = predictor.as_ref().map(|model| model.finder());
    let bytes = work::run(py, |_| {
        let models = Models {
            external: weights.as_deref(),
            outside: find.as_ref().map(|find| &**find as _),
            ..Models::default()
        };
        let mut out = Vec::new();
        read(archive, &mut out, &models, &|_| {}).map(|_| out)
    })?;
    match bytes {
        Ok(bytes) => Ok(PyBytes::new(py, &bytes)),
        Err(error @ archive::Error::Recipe { .. }) => Err(errors::ArchiveError::new_err(format!(
            "{}; `brevity decompress` follows recipes of transformers, too",
            chain(&error)
        ))),
        Err(error) => Err(errors::archive(error)),
    }
}
