//! Archive files: written, decoded, compared, kept.

use crate::{Decoder, Decoding, MeasureError, Parts};
use brevity_codec::Method;
use brevity_codec::archive::{self, EXTENSION, Header, Options, Source, compress, inspect};
use brevity_files::Temporary;
use brevity_task::{Stop, chain};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The folder and the decoder of archives.
#[derive(Clone, Copy)]
pub struct Archives<'a> {
    /// The folder; created if needed.
    pub folder: &'a Path,
    /// The name of the archive that is kept, without extension.
    pub name: &'a str,
    /// The file with the weights as trained, for decoding archives that do not hold
    /// them.
    pub model: &'a Path,
    /// Decodes the archives.
    pub decoder: &'a dyn Decoder,
}

impl Archives<'_> {
    /// Path of the archive that is kept.
    pub fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.{EXTENSION}", self.name))
    }

    /// The length of an archive of `bytes`, coded by the model alone. The archive is
    /// decoded, compared and kept.
    ///
    /// # Errors
    /// Those of [`measure`](crate::measure).
    pub fn length(
        &self,
        source: &Source<'_>,
        bytes: &[u8],
        stop: &Stop,
    ) -> Result<Parts, MeasureError> {
        let method = Method::Model;
        let (file, length) = self.verified(source, method, bytes, blake3::hash(bytes), stop)?;
        self.keep(file)?;
        Ok(length)
    }

    /// Writes an archive of `bytes`, in one lane if the model is mixed with others, to a
    /// temporary file and checks the hash of what it decodes to; also returns its parts.
    pub(crate) fn verified(
        &self,
        source: &Source<'_>,
        method: Method,
        bytes: &[u8],
        hash: blake3::Hash,
        stop: &Stop,
    ) -> Result<(Temporary, Parts), MeasureError> {
        let io = |action, path: &Path| {
            let path = path.to_path_buf();
            move |source| MeasureError::Io {
                action,
                path,
                source,
            }
        };
        fs::create_dir_all(self.folder).map_err(io("create", self.folder))?;
        let file = brevity_files::temporary(self.folder).map_err(io("write in", self.folder))?;
        let options = Options {
            method: Some(method),
            lanes: (method == Method::Mixed).then_some(1),
            ..Options::default()
        };
        let output = BufWriter::new(file.as_file());
        compress(bytes, output, source, &options, &|_| {}).map_err(|source| {
            MeasureError::Compress {
                folder: self.folder.to_path_buf(),
                source,
            }
        })?;
        let external = matches!(source.header(), Header::External(_));
        let decoding = Decoding {
            archive: file.path(),
            model: external.then_some(self.model),
            threads: rayon::current_num_threads(),
        };
        let mut decoded = Hashed {
            hasher: blake3::Hasher::new(),
            stop,
        };
        self.decoder.decode(&decoding, &mut decoded, stop)?;
        let (found, count) = (decoded.hasher.finalize(), decoded.hasher.count());
        if found != hash {
            return Err(MeasureError::Differs {
                decoded: count,
                found,
                bytes: bytes.len() as u64,
                expected: hash,
            });
        }
        let reread = File::open(file.path()).map_err(io("read", file.path()))?;
        let parts = inspect(BufReader::new(reread)).map_err(|error| MeasureError::Decode {
            message: chain(&error).to_string(),
        })?;
        let length = Parts {
            coded: parts.payload(),
            rest: parts.stored - parts.payload(),
        };
        Ok((file, length))
    }

    /// Renames a verified archive to its final name.
    pub(crate) fn keep(&self, file: Temporary) -> Result<(), MeasureError> {
        let path = self.path();
        brevity_files::publish(file, &path).map_err(|source| MeasureError::Io {
            action: "write",
            path,
            source,
        })
    }
}

/// A writer that hashes its input and fails after a stop request.
struct Hashed<'a> {
    hasher: blake3::Hasher,
    stop: &'a Stop,
}

impl Write for Hashed<'_> {
    fn write(&mut self, decoded: &[u8]) -> io::Result<usize> {
        if self.stop.is_set() {
            return Err(io::Error::other("stopped"));
        }
        self.hasher.update(decoded);
        Ok(decoded.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<archive::Error> for MeasureError {
    fn from(error: archive::Error) -> MeasureError {
        MeasureError::Decode {
            message: chain(&error).to_string(),
        }
    }
}
