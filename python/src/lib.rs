//! The compiled part of the Python package `brevity`.
//!
//! Arrays cross the border as bytes, which numpy reads without a copy: the stable interface
//! of Python 3.9 has no buffers. `python/brevity/` has what users see; names here begin
//! with nothing that they call.

mod archives;
mod errors;
mod model;
mod predictor;
mod price;
mod work;

use pyo3::prelude::*;

#[pymodule]
fn _brevity(m: &Bound<'_, PyModule>) -> PyResult<()> {
    errors::add(m)?;
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add_class::<model::Model>()?;
    m.add_class::<model::Stream>()?;
    m.add_function(wrap_pyfunction!(archives::compress, m)?)?;
    m.add_function(wrap_pyfunction!(archives::decompress, m)?)?;
    m.add_function(wrap_pyfunction!(predictor::code_lengths, m)?)?;
    m.add_function(wrap_pyfunction!(predictor::score, m)?)?;
    m.add_function(wrap_pyfunction!(predictor::overlap, m)?)?;
    m.add_function(wrap_pyfunction!(price::price, m)?)?;
    Ok(())
}
