//! What a sweep's bytes take by context models, alone and with a stored model mixed in.

use std::io;
use std::path::{Path, PathBuf};

use brevity_baselines::CoderResult;
use brevity_codec::archive::{self, EXTENSION, Header, Options, Source, compress, decompress};
use brevity_codec::{Level, Method};
use brevity_draw::replace;
use brevity_length::format::count;
use brevity_length::{Convention, Regime, Row};
use brevity_task::chain;

/// More bytes are not mixed here: decoding takes minutes.
const MOST_BYTES: usize = 1 << 20;

/// Context models on a byte set, and the sweep's stored models mixed with them.
pub(super) struct Beside<'a> {
    /// The sweep.
    pub folder: &'a Path,
    pub rows: &'a [Row],
    pub bytes: &'a [u8],
    /// BLAKE3 of the bytes in hexadecimal.
    pub hash: &'a str,
}

/// An archive that was decoded again.
struct Archive {
    coder: String,
    stored: Vec<u8>,
}

impl Beside<'_> {
    /// The archive without a model; for up to [`MOST_BYTES`], if models of the sweep are
    /// stored, also the shortest with one of them, which is kept in the sweep's folder.
    ///
    /// # Errors
    /// A message, if an archive cannot be made, decoded or kept.
    pub fn measure(&self) -> Result<Vec<CoderResult>, String> {
        let alone = Archive {
            coder: name(),
            stored: self.archive(&Source::none(), Method::Contexts)?,
        };
        let mut found = vec![alone];
        if self.bytes.len() <= MOST_BYTES
            && let Some(mixture) = self.mixture()?
        {
            let path = self.folder.join(mixture_name(self.hash));
            replace(&path, &mixture.stored).map_err(|e| chain(&e).to_string())?;
            found.push(mixture);
        }
        let models = archive::Models::default();
        for archive in &found {
            // The archive's own hash says whether the same bytes come back.
            decompress(&archive.stored[..], io::sink(), &models, &|_| {})
                .map_err(|e| format!("{}: {}", archive.coder, chain(&e)))?;
        }
        Ok(found.into_iter().map(|a| self.result(a)).collect())
    }

    /// The shortest archive with a stored model among those up to the first that is longer
    /// than a smaller one.
    fn mixture(&self) -> Result<Option<Archive>, String> {
        let mut best: Option<Archive> = None;
        for (parameters, path) in self.models() {
            let file = std::fs::File::open(&path).map_err(|e| e.to_string());
            let inspected = file.and_then(|f| {
                archive::inspect(io::BufReader::new(f)).map_err(|e| chain(&e).to_string())
            });
            let told = |e| format!("{}: {e}", path.display());
            let Header::Embedded(model) = inspected.map_err(told)?.header else {
                continue;
            };
            let source = Source::stored(model).map_err(|e| told(chain(&e).to_string()))?;
            let stored = self.archive(&source, Method::Mixed)?;
            if best
                .as_ref()
                .is_some_and(|b| b.stored.len() <= stored.len())
            {
                break;
            }
            best = Some(Archive {
                coder: format!("{} + {}", name(), count(parameters as f64)),
                stored,
            });
        }
        Ok(best)
    }

    /// Parameters and archives of the models that were trained on the bytes, the smallest
    /// first.
    fn models(&self) -> Vec<(u64, PathBuf)> {
        let stored = Convention::stored();
        let mut found: Vec<(u64, PathBuf)> = self
            .rows
            .iter()
            .filter(|row| {
                row.is_candidate()
                    && row.regime() == Some(Regime::InSample)
                    && row.scored_hash() == self.hash
                    && row.adjusted(stored.as_str()).is_some()
            })
            .map(|row| {
                let file = format!("{}.{EXTENSION}", Regime::InSample.name());
                let path = self.folder.join("trials").join(row.id());
                (row.parameters, path.join("archive").join(file))
            })
            .filter(|(_, path)| path.exists())
            .collect();
        found.sort();
        found
    }

    fn archive(&self, source: &Source<'_>, method: Method) -> Result<Vec<u8>, String> {
        let options = Options {
            method: Some(method),
            lanes: Some(1),
            ..Options::default()
        };
        let mut stored = Vec::new();
        compress(self.bytes, &mut stored, source, &options, &|_| {})
            .map_err(|e| chain(&e).to_string())?;
        Ok(stored)
    }

    fn result(&self, archive: Archive) -> CoderResult {
        let bytes = archive.stored.len() as u64;
        let rate = bytes as f64 / self.bytes.len() as f64;
        CoderResult {
            coder: archive.coder,
            bytes,
            rate,
            paper_bytes: bytes,
            paper_rate: rate,
            decoded: true,
        }
    }
}

/// The file in the sweep's folder that holds the mixture's archive.
fn mixture_name(hash: &str) -> String {
    format!("mixture-{}.{EXTENSION}", &hash[..hash.len().min(12)])
}

/// The name of the context models.
fn name() -> String {
    format!("brevity -{}", Level::default().number())
}
