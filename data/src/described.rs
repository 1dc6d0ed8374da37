//! Looks up what the store knows about a source.

use brevity_media::Geometry;

use crate::error::{DataError, Result};
use crate::generate::Generator;
use crate::meaning::Meaning;
use crate::source::Source;
use crate::store::{SetRecord, Store};

impl Store {
    /// The record of the stored set that a source refers to; `None` for other sources,
    /// and for a set that is not in the store.
    ///
    /// # Errors
    /// Those of [`record`](Self::record); a name that is both that of a path and of a
    /// set.
    pub fn record_of(&self, source: &Source) -> Result<Option<SetRecord>> {
        match Meaning::of(source, self) {
            Ok(Meaning::Set(name)) => self.record(&name),
            Ok(_) | Err(DataError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The geometry of a source's bytes, if known: for synthetic sets, and for fetched
    /// and imported ones by the conversion of their files.
    ///
    /// # Errors
    /// Those of [`record_of`](Self::record_of).
    pub fn geometry(&self, source: &Source) -> Result<Option<Geometry>> {
        match Meaning::of(source, self) {
            Ok(Meaning::Generated(Generator::SyntheticImage)) => Ok(Some(Geometry::PATCHES)),
            Ok(Meaning::Generated(Generator::SyntheticAudio)) => Ok(Some(Geometry::SPEECH)),
            _ => Ok(self.record_of(source)?.and_then(|r| r.geometry())),
        }
    }
}
