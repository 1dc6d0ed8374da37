//! Compression that decodes the archive while writing it.

use super::Summary;
use super::error::Error;
use super::models::Models;
use super::read::decompress;
use super::write::{Options, Source, compress};
use crate::block::Progress;
use std::io::{self, BufReader, PipeWriter, Read, Write};
use std::thread;

/// Like [`compress`], but decodes the archive while writing it, for an output that
/// cannot be read again. Needs the memory of compressing and decompressing
/// together, and runs at the speed of the slower of the two, decoding.
///
/// `models` are those that a reader of the archive has.
///
/// # Errors
/// As [`compress`], and [`Error::Unverified`] if the archive does not decode to
/// its source. The output is then not a valid archive.
///
/// # Panics
/// As [`compress`].
pub fn compress_verified(
    input: impl Read,
    output: impl Write,
    source: &Source,
    options: &Options,
    models: &Models,
    progress: Progress<'_>,
) -> Result<Summary, Error> {
    let (copy, pipe) = io::pipe().map_err(Error::Write)?;
    // A separate thread pool: threads that wait for the pipe must not be those that
    // fill it.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(rayon::current_num_threads())
        .build()
        .map_err(|error| Error::Write(io::Error::other(error)))?;
    thread::scope(|scope| {
        let decoding = scope.spawn(move || {
            let copy = BufReader::with_capacity(1 << 16, copy);
            pool.install(|| decompress(copy, io::sink(), models, &|_| {}))
        });
        let mut both = Both {
            output,
            pipe,
            broken: false,
        };
        let written = compress(input, &mut both, source, options, progress);
        let Both { pipe, broken, .. } = both;
        drop(pipe);
        let decoded = match decoding.join() {
            Ok(decoded) => decoded,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        match (written, decoded) {
            (Err(error), _) if !broken => Err(error),
            (_, Err(error)) => Err(Error::Unverified(Box::new(error))),
            (Ok(written), Ok(decoded)) if written == decoded => Ok(written),
            // The decoder has compared its output with the hash at the end.
            _ => Err(Error::Unverified(Box::new(Error::Malformed {
                offset: 0,
                what: "it ends early",
            }))),
        }
    })
}

/// Writes to an output and to the decoder.
struct Both<W> {
    output: W,
    pipe: PipeWriter,
    /// The decoder has failed.
    broken: bool,
}

impl<W: Write> Write for Both<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.output.write(buffer)?;
        if let Err(error) = self.pipe.write_all(&buffer[..count]) {
            self.broken = true;
            return Err(error);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
