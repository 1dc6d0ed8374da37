//! What weights cost.

use crate::{errors, work};
use brevity_codec::weights::Tensor;
use brevity_outside::price::{Coded, Kind, PriceError, Stored, Weights, price as priced};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

/// A tensor: name, shape, type such as `f4`, little-endian bytes.
type Given<'py> = (String, Vec<usize>, String, Bound<'py, PyBytes>);

/// Prices tensors; `loss`, if there is one, gets a list of (name, shape, bytes of 32-bit
/// floats) and returns the bits of the data.
#[pyfunction]
#[pyo3(signature = (tensors, loss))]
pub fn price<'py>(
    py: Python<'py>,
    tensors: Vec<Given<'py>>,
    loss: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let mut weights = Weights::default();
    for (name, shape, kind, bytes) in tensors {
        let kind = Kind::of_numpy(&kind).ok_or_else(|| {
            errors::WeightsError::new_err(format!(
                "tensor `{name}` is of type {kind}, which is no weight: leave it out"
            ))
        })?;
        let stored = Stored {
            name,
            shape,
            kind,
            bytes: bytes.as_bytes(),
        };
        weights.push(&stored).map_err(errors::price)?;
    }
    let mut raised = None;
    let found = work::run(py, |stop| {
        let Some(loss) = loss else {
            return priced(&weights, None);
        };
        let mut ask = |tensors: &[Tensor]| {
            if stop.is_set() {
                return Err(PriceError::Stopped);
            }
            Python::attach(|py| {
                call(py, &loss, tensors).map_err(|error| {
                    let text = error.to_string();
                    raised = Some(error);
                    PriceError::Loss(text)
                })
            })
        };
        priced(&weights, Some(&mut ask))
    })?;
    // What the callback raised is raised again, as it was.
    if let Some(error) = raised {
        return Err(error);
    }
    let found = found.map_err(errors::price)?;
    let out = PyDict::new(py);
    out.set_item("tensors", found.tensors)?;
    out.set_item("parameters", found.parameters)?;
    out.set_item("given_bytes", found.in_file)?;
    out.set_item("fp32", found.fp32)?;
    out.set_item("fp16", found.fp16)?;
    out.set_item("exact_data_bits", found.exact_bits)?;
    let coded = PyList::empty(py);
    for one in found.coded.iter().chain(&found.shortest) {
        coded.append(to_dict(py, one)?)?;
    }
    out.set_item("coded", coded)?;
    Ok(out)
}

fn call(py: Python<'_>, loss: &Py<PyAny>, tensors: &[Tensor]) -> PyResult<f64> {
    let list = PyList::empty(py);
    for tensor in tensors {
        let bytes: Vec<u8> = tensor.values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let bytes = PyBytes::new(py, &bytes);
        list.append((tensor.name.as_str(), tensor.shape.clone(), bytes))?;
    }
    loss.call1(py, (list,))?.extract(py)
}

fn to_dict<'py>(py: Python<'py>, coded: &Coded) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("name", &coded.name)?;
    out.set_item("bytes", coded.bytes)?;
    out.set_item("relative_error", coded.relative_error)?;
    out.set_item("data_bits", coded.data_bits)?;
    Ok(out)
}
