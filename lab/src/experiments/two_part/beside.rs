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

/// More bytes are not coded here: that takes minutes.
const MOST_ALONE: usize = 1 << 26;

/// More bytes are not mixed here: decoding takes minutes.
const MOST_MIXED: usize = 1 << 20;

/// Context models on a byte set, and the sweep's stored models mixed with them.
pub(super) struct Beside<'a> {
    /// The sweep.
    pub folder: &'a Path,
    pub rows: &'a [Row],
    pub bytes: &'a [u8],
    /// BLAKE3 of the bytes in hexadecimal.
    pub hash: &'a str,
}

/// An archive that is about to be measured.
struct Archive {
    coder: String,
    stored: Vec<u8>,
}

impl Beside<'_> {
    /// The archive without a model; for up to [`MOST_MIXED`], if models of the sweep are
    /// stored, also the shortest with one of them, which is kept in the sweep's folder.
    /// Both were decoded. Also returns messages about what could not be measured.
    pub fn measure(&self) -> (Vec<CoderResult>, Vec<String>) {
        let (mut found, mut messages) = (Vec::new(), Vec::new());
        if self.bytes.len() > MOST_ALONE {
            return (found, messages);
        }
        let alone = || {
            let stored = self.archive(&Source::none(), Method::Contexts)?;
            let coder = name();
            self.decoded(Archive { coder, stored }, false)
        };
        let mixed = || match self.bytes.len() > MOST_MIXED {
            true => None,
            false => self
                .mixture(&mut messages)
                .map(|archive| self.decoded(archive, true)),
        };
        // The longer one first: another thread takes the second.
        let (mixed, alone) = rayon::join(mixed, alone);
        for measured in std::iter::once(alone).chain(mixed) {
            match measured {
                Ok(result) => found.push(result),
                Err(message) => messages.push(message),
            }
        }
        (found, messages)
    }

    /// Measures an archive, which decodes, and keeps it if it is to be `kept`.
    fn decoded(&self, archive: Archive, kept: bool) -> Result<CoderResult, String> {
        let models = archive::Models::default();
        // The archive's own hash says whether the same bytes come back.
        decompress(&archive.stored[..], io::sink(), &models, &|_| {})
            .map_err(|e| format!("{}: {}", archive.coder, chain(&e)))?;
        if kept {
            let path = self.folder.join(mixture_name(self.hash));
            replace(&path, &archive.stored).map_err(|e| chain(&e).to_string())?;
        }
        let bytes = archive.stored.len() as u64;
        let rate = bytes as f64 / self.bytes.len() as f64;
        Ok(CoderResult {
            coder: archive.coder,
            bytes,
            rate,
            paper_bytes: bytes,
            paper_rate: rate,
            decoded: true,
        })
    }

    /// The shortest archive with a stored model, of all seeds of the sizes up to the first
    /// that is longer than a smaller one. Models that cannot be read are told and left out.
    fn mixture(&self, messages: &mut Vec<String>) -> Option<Archive> {
        let mut best: Option<Archive> = None;
        let models = self.models();
        for size in models.chunk_by(|a, b| a.0 == b.0) {
            let mut of_size: Option<Archive> = None;
            for (parameters, _, path) in size {
                let stored = match self.with_model(path) {
                    Ok(stored) => stored,
                    Err(error) => {
                        messages.push(format!("{}: {error}", path.display()));
                        continue;
                    }
                };
                if of_size
                    .as_ref()
                    .is_none_or(|b| stored.len() < b.stored.len())
                {
                    let coder = format!("{} + {}", name(), count(*parameters as f64));
                    of_size = Some(Archive { coder, stored });
                }
            }
            let length = |archive: &Option<Archive>| archive.as_ref().map(|a| a.stored.len());
            if of_size.is_none() {
                continue;
            }
            if best.is_some() && length(&of_size) >= length(&best) {
                break;
            }
            best = of_size;
        }
        best
    }

    /// The archive with the model that another one holds.
    fn with_model(&self, path: &Path) -> Result<Vec<u8>, String> {
        let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
        let other =
            archive::inspect(io::BufReader::new(file)).map_err(|e| chain(&e).to_string())?;
        let Header::Embedded(model) = other.header else {
            return Err("it holds no model".into());
        };
        let source = Source::stored(model).map_err(|e| chain(&e).to_string())?;
        self.archive(&source, Method::Mixed)
    }

    /// Parameters, trials and archives of the models that were trained on the bytes, the
    /// smallest first.
    fn models(&self) -> Vec<(u64, String, PathBuf)> {
        let trials = self.folder.join("trials");
        let file = format!("archive/{}.{EXTENSION}", Regime::InSample.name());
        let mut found: Vec<(u64, String, PathBuf)> = self
            .rows
            .iter()
            .filter(|row| {
                row.is_candidate()
                    && row.regime() == Some(Regime::InSample)
                    && row.scored_hash() == self.hash
                    && row.adjusted(Convention::stored().as_str()).is_some()
            })
            .map(|row| {
                let path = trials.join(row.id()).join(&file);
                (row.parameters, row.id().to_owned(), path)
            })
            .filter(|(.., path)| path.exists())
            .collect();
        found.sort();
        found
    }

    /// Whether this was measured, and the mixture's archive is still there.
    pub fn is_measured(&self, found: &[CoderResult], trials: Option<&[String]>) -> bool {
        let kept = found.len() < 2 || self.folder.join(mixture_name(self.hash)).exists();
        kept && trials == Some(&self.trials())
    }

    /// The trials whose models are mixed in.
    pub fn trials(&self) -> Vec<String> {
        self.models()
            .into_iter()
            .map(|(_, trial, _)| trial)
            .collect()
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
}

/// The file in the sweep's folder that holds the mixture's archive.
fn mixture_name(hash: &str) -> String {
    format!("mixture-{}.{EXTENSION}", &hash[..hash.len().min(12)])
}

/// The name of the context models.
fn name() -> String {
    format!("brevity -{}", Level::default().number())
}
