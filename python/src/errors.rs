//! The exceptions.

use brevity_codec::archive;
use brevity_outside::OutsideError;
use brevity_outside::price::PriceError;
use brevity_task::chain;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt};
use pyo3::prelude::*;

create_exception!(
    brevity,
    BrevityError,
    PyException,
    "What all errors of brevity are."
);
create_exception!(
    brevity,
    ModelError,
    BrevityError,
    "A model that cannot be read or used."
);
create_exception!(
    brevity,
    PredictorError,
    BrevityError,
    "A predictor that fails, gives no distribution, or reads ahead."
);
create_exception!(
    brevity,
    ArchiveError,
    BrevityError,
    "An archive that is damaged, or was made with another model or predictor."
);
create_exception!(
    brevity,
    WeightsError,
    BrevityError,
    "Tensors that are no weights."
);

/// Adds them to the module.
pub fn add(m: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = m.py();
    m.add("BrevityError", py.get_type::<BrevityError>())?;
    m.add("ModelError", py.get_type::<ModelError>())?;
    m.add("PredictorError", py.get_type::<PredictorError>())?;
    m.add("ArchiveError", py.get_type::<ArchiveError>())?;
    m.add("WeightsError", py.get_type::<WeightsError>())
}

/// What an archive's error is in Python.
pub fn archive(error: archive::Error) -> PyErr {
    let text = chain(&error).to_string();
    match error {
        archive::Error::Predict { .. } => PredictorError::new_err(text),
        archive::Error::ModelMissing(_) | archive::Error::ModelMismatch { .. } => {
            ModelError::new_err(text)
        }
        _ => ArchiveError::new_err(text),
    }
}

/// What a predictor's error is in Python.
pub fn outside(error: OutsideError) -> PyErr {
    match error {
        OutsideError::Stopped => PyKeyboardInterrupt::new_err(()),
        OutsideError::Archive(error) => archive(error),
        error => PredictorError::new_err(chain(&error).to_string()),
    }
}

/// What an error of weights is in Python.
pub fn price(error: PriceError) -> PyErr {
    match error {
        PriceError::Stopped => PyKeyboardInterrupt::new_err(()),
        error => WeightsError::new_err(chain(&error).to_string()),
    }
}
