//! Pretrained language models: `brevity import`, and the parts of `compress`,
//! `decompress` and `compare` that handle them.

use super::files::{self, Common, Run};
use super::output::{Target, stdout_for_archives};
use crate::console;
use crate::exit::{Stopped, Usage};
use anyhow::{Context, Result, bail};
use brevity_codec::archive::{self as codec, Source};
use brevity_codec::{Level, Method};
use brevity_pretrained::archive::{self, ArchiveError, Compressed, Limits, MAGIC, Settings};
use brevity_pretrained::price::{self, PriceError};
use brevity_pretrained::{Form, Model, byte_bits};
use brevity_task::{Control, Counter};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Says what a pretrained language model is: a GGUF file or a Hugging Face folder.
///
/// Nothing is copied: other commands read the model where it is.
#[derive(clap::Args)]
pub struct Args {
    /// Models
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    run: Run,
}

/// Runs `brevity import`.
///
/// # Errors
/// A model that cannot be loaded.
pub fn run(args: Args) -> Result<()> {
    args.run.each(&args.models, |path| {
        let description = Model::load(path)?.describe();
        let mut out = console::stdout()?;
        if args.json {
            serde_json::to_writer(&mut out, &description)?;
            return Ok(writeln!(out)?);
        }
        Ok(write!(out, "{description}")?)
    })
}

/// Whether a file is an archive made with a pretrained model.
pub fn is_archive(path: &Path) -> bool {
    // What is no regular file cannot be read twice.
    let mut start = [0; MAGIC.len()];
    path.is_file()
        && File::open(path)
            .and_then(|mut file| file.read_exact(&mut start))
            .is_ok()
        && start == MAGIC
}

/// How to compress with a pretrained model.
pub struct Compress<'a> {
    pub model: &'a Path,
    pub lanes: Option<usize>,
    pub form: Form,
    /// Tokens, or their bytes mixed with context models; the shortest archive if it is
    /// left open, that of the context models alone included.
    pub method: Option<Method>,
    pub verify: bool,
    pub common: &'a Common,
}

impl Compress<'_> {
    /// Compresses files; `derived` is the name of an archive.
    ///
    /// # Errors
    /// A file that cannot be read or written; an archive that gives other bytes back,
    /// which is then not kept.
    pub fn files(
        &self,
        paths: &[PathBuf],
        derived: impl Fn(&Path) -> PathBuf + Sync,
    ) -> Result<()> {
        let run = &self.common.run;
        let model = run.with_threads(|| Model::load(self.model))??;
        run.each(paths, |path| {
            self.file(&model, path, self.common.target(path, Some(derived(path)))?)
        })
    }

    fn file(&self, model: &Model, path: &Path, mut target: Target) -> Result<()> {
        let run = &self.common.run;
        let mut settings = Settings::new(model);
        settings.lanes = self.lanes.unwrap_or(settings.lanes);
        settings.form = self.form;
        let content = read(path)?;
        let context = || format!("cannot compress {}", path.display());
        let mut ways = Vec::new();
        if self.method != Some(Method::Mixed) {
            ways.push(archive::compress as Way);
        }
        let mixed = match self.method {
            None => settings.can_mix(),
            method => method == Some(Method::Mixed),
        };
        if mixed {
            ways.push(archive::compress_mixed);
        }
        let done = watched(run, |control| {
            let count = Counter::new(control, "compress", (ways.len() * content.len()) as u64);
            let more = |more: usize| count.add(more as u64);
            let way = |way: &Way| way(model, &settings, &content, &more);
            ways.iter().map(way).collect::<Result<Vec<_>, _>>()
        });
        let done = stopped(done).with_context(context)?.into_iter();
        let done = done.min_by_key(|done| done.archive.len());
        let mut done = done.expect("a way at least");
        let alone = match self.method {
            Some(_) => None,
            None => Some(by_contexts(&content).with_context(context)?),
        };
        let alone = alone.filter(|alone| alone.len() < done.archive.len());
        if let Some(alone) = alone {
            run.say(|| {
                let (path, with) = (path.display(), done.archive.len());
                format!("{path}: {with} bytes with the model; the context models need none")
            });
            done.archive = alone;
        } else if self.verify {
            let limits = Limits {
                bytes: content.len() as u64,
                memory: u64::MAX,
            };
            let back = decode(model, &done.archive, &limits, run, "verify");
            if back.context("the archive does not decode")? != content {
                bail!("the archive does not decode to its source");
            }
        }
        let name = match target {
            Target::Stdout => {
                stdout_for_archives(self.common.force)?.write_all(&done.archive)?;
                "standard output".to_owned()
            }
            Target::File(ref mut file) => {
                file.write_all(&done.archive)?;
                file.path().display().to_string()
            }
        };
        if let Target::File(file) = target {
            file.finish()?;
        }
        run.say(|| {
            let (from, to) = (content.len(), done.archive.len());
            let rate = 100.0 * to as f64 / from.max(1) as f64;
            let path = path.display();
            let how = match archive::header(&done.archive) {
                Ok(header) if header.mixed.is_some() => "; mixed with context models".into(),
                Ok(_) => format!("; entropy sum {:.1}", done.bits / 8.0),
                Err(_) => String::new(),
            };
            format!("{path}: {from} bytes to {to} ({rate:.2}%{how}), {name}")
        });
        Ok(())
    }
}

/// A way to compress.
type Way = fn(&Model, &Settings, &[u8], price::Progress) -> Result<Compressed, ArchiveError>;

/// The archive of the context models at their best level, which was decoded again.
fn by_contexts(content: &[u8]) -> Result<Vec<u8>> {
    let options = codec::Options {
        level: Level::Best,
        ..codec::Options::default()
    };
    let mut out = Vec::new();
    codec::compress(content, &mut out, &Source::none(), &options, &|_| {})?;
    let models = codec::Models::default();
    codec::decompress(&out[..], std::io::sink(), &models, &|_| {})
        .context("the archive does not decode")?;
    Ok(out)
}

/// Decompresses an archive with the model at `model` in at most the allowed memory, besides
/// the model, and with at most the allowed operations.
///
/// # Errors
/// An archive that is damaged or of another model; a file that cannot be written.
pub fn decompress(
    model: Option<&Path>,
    path: &Path,
    out: &mut dyn Write,
    allowed: &codec::Limits,
    run: &Run,
) -> Result<()> {
    let Some(model) = model else {
        bail!(Usage(format!(
            "{} was made with a pretrained model: give it with -m",
            path.display()
        )));
    };
    let context = || format!("cannot decompress {}", path.display());
    let model = Model::load(model)?;
    let archive = read(path)?;
    let length = archive::header(&archive).with_context(context)?.bytes;
    // A token has a byte at least, and takes two operations a parameter.
    let operations = 2.0 * model.describe().parameters as f64 * length as f64;
    if operations > allowed.operations {
        bail!(
            "decompressing {} takes up to {operations:.1e} operations, more than {:.1e}: allow \
             them with --work",
            path.display(),
            allowed.operations
        );
    }
    // The content is held more than once, as bytes and as text.
    let limits = Limits {
        bytes: allowed.memory / 8,
        memory: allowed.memory / 2,
    };
    let content = decode(&model, &archive, &limits, run, "decompress");
    let content = content.map_err(|error| match error.downcast_ref() {
        Some(ArchiveError::TooLarge { .. }) => error.context(
            "--memory allows too little, of which an eighth is for the content and half for the \
             rest",
        ),
        _ => error,
    });
    Ok(out.write_all(&content.with_context(context)?)?)
}

/// Decodes an archive and writes nothing.
///
/// # Errors
/// As [`decompress`].
pub fn verify(model: Option<&Path>, path: &Path, allowed: &codec::Limits, run: &Run) -> Result<()> {
    let mut count = Counted(0);
    decompress(model, path, &mut count, allowed, run)?;
    run.say(|| format!("{}: ok, {} bytes", path.display(), count.0));
    Ok(())
}

/// Counts what is written.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What the header of an archive says, as `brevity inspect` prints it, in text and JSON.
///
/// # Errors
/// A header that is damaged.
pub fn inspect(path: &Path) -> Result<(String, Value)> {
    let bytes = read(path)?;
    let context = || path.display().to_string();
    let header = archive::header(&bytes).with_context(context)?;
    let (stored, raw) = (bytes.len(), header.bytes);
    let rate = stored as f64 / raw.max(1) as f64;
    let settings = header.settings;
    let (form, lanes) = settings.map_or((Form::Text, 1), |s| (s.form, s.lanes));
    let chunk = settings.and_then(|s| s.chunk);
    let context = settings.map(|s| s.contexts.tokens);
    let json = serde_json::json!({
        "path": path,
        "model": { "kind": "pretrained", "hash": format!("{:06x}", header.model) },
        "bytes": raw,
        "archive_bytes": stored,
        "raw_rate": (stored as u64).saturating_sub(header.header_bytes() as u64) as f64
            / raw.max(1) as f64,
        "overhead_bytes": header.header_bytes(),
        "context": context,
        "chunk": chunk,
        "lanes": lanes,
        "as": form,
        "mixed": header.mixed.is_some(),
    });
    let context = context.map_or("the default".into(), |tokens| format!("{tokens} tokens"));
    let chunk = chunk.map_or(String::new(), |chunk| format!(", chunks of {chunk} bytes"));
    let what = match header.mixed {
        Some(_) => "bytes of tokens, mixed with context models,",
        None => "tokens",
    };
    let text = format!(
        "{}: {stored} bytes of {raw} ({:.2}%), {what} of a pretrained model\n  \
         model     the one whose hash begins with {:06x}\n  \
         contexts  {context}{chunk}\n  \
         lanes     {lanes}\n  \
         as        {form}\n  \
         header    {} bytes\n",
        path.display(),
        100.0 * rate,
        header.model,
        header.header_bytes(),
    );
    Ok((text, json))
}

fn decode(model: &Model, bytes: &[u8], limits: &Limits, run: &Run, what: &str) -> Result<Vec<u8>> {
    let length = archive::header(bytes)?.bytes;
    let content = watched(run, |control| {
        let count = Counter::new(control, what, length);
        archive::decompress(model, bytes, limits, &|more: usize| count.add(more as u64))
    });
    stopped(content)
}

/// Runs work that tells how far it is and can be stopped.
fn watched<T>(run: &Run, work: impl FnOnce(&Control<'_>) -> T) -> T {
    files::watched(&run.steps(), work)
}

/// The stop of a library as that of the command.
pub(super) fn stopped<T>(done: Result<T, ArchiveError>) -> Result<T> {
    match done {
        Err(ArchiveError::Stopped | ArchiveError::Price(PriceError::Stopped)) => {
            Err(Stopped::Over.into())
        }
        done => Ok(done?),
    }
}

/// What each byte of some texts costs under the model at `path`, in bits, one text after
/// the other; each starts without a past.
///
/// # Errors
/// A model that cannot be loaded, or has no finite logits; a stop.
pub fn byte_costs(path: &Path, texts: &[&[u8]], control: &Control<'_>) -> Result<Vec<f32>> {
    let model = Model::load(path)?;
    let settings = Settings::new(&model);
    let what = path.display().to_string();
    let length: usize = texts.iter().map(|text| text.len()).sum();
    let count = Counter::new(control, &what, length as u64);
    let mut out = Vec::new();
    for text in texts {
        let bits = byte_bits(&model, &settings, text, &|more: usize| {
            count.add(more as u64)
        });
        out.extend(stopped(bits.map_err(ArchiveError::from))?);
    }
    Ok(out)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let (mut input, _) = files::open(path)?;
    input
        .read_to_end(&mut content)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(content)
}
