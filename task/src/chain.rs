//! An error with its causes, in one line.

use std::error::Error;
use std::fmt;

/// An error followed by its sources, joined by `": "`.
///
/// This relies on a rule for all errors of the project: an error has a source or
/// includes the cause in its own message, never both.
///
/// ```
/// use std::{error::Error, fmt, io};
///
/// #[derive(Debug)]
/// struct CannotRead(io::Error);
///
/// impl fmt::Display for CannotRead {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.write_str("cannot read a.txt")
///     }
/// }
///
/// impl Error for CannotRead {
///     fn source(&self) -> Option<&(dyn Error + 'static)> {
///         Some(&self.0)
///     }
/// }
///
/// let error = CannotRead(io::Error::other("the disk is gone"));
/// assert_eq!(
///     brevity_task::chain(&error).to_string(),
///     "cannot read a.txt: the disk is gone",
/// );
/// ```
pub fn chain<'a>(error: &'a (dyn Error + 'static)) -> Chain<'a> {
    Chain(error)
}

/// The display of [`chain()`].
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
