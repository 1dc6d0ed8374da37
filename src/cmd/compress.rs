//! `brevity compress`: files into archives.

use super::files::{self, Common, is_dash, watched};
use super::level::LevelOptions;
use super::output::{OutputFile, Target, is_systems_own, no_place, stdout_for_archives};
use super::own_model::{self, Training};
use super::predictor::{self, Predictor, Readers};
use super::{decompress, inspect, pretrained, units, verify};
use crate::exit::{Stopped, Usage};
use anyhow::{Context, Result, bail};
use brevity_codec::archive::{
    self, EXTENSION, MAX_BLOCK, MAX_LANES, Models, Options, Source, Summary, Written,
};
use brevity_codec::weights::{Plan, Precision};
use brevity_codec::{Method, Progress};
use brevity_data::Bytes;
use brevity_lab::experiments::score::model_file;
use brevity_lab::pack::{self, OwnModel};
use brevity_model::Weights;
use brevity_outside::predictor::PredictorModel;
use brevity_pretrained::{Form, Model};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Compresses files to FILE.bvy. Each archive is decoded again before it gets its
/// name.
///
/// Without a model, each file is coded by context mixing, which learns from nothing.
/// With -m, the model's predictions are mixed in. With --train, a model is trained
/// on each file and stored in the archive. With --online, an LSTM network learns each
/// file while it is coded, and is not stored.
#[derive(clap::Args)]
pub struct Args {
    /// Files to compress; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Compress with this trained model: a safetensors file, or with --external a GGUF
    /// file or Hugging Face folder
    #[arg(short, long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    predictor: Predictor,
    #[command(flatten)]
    level: LevelOptions,
    #[command(flatten)]
    training: Training,
    /// Mix in an LSTM network that learns each file while it is coded: no model is stored,
    /// and decompressing takes as long (some 60 s for a megabyte). Give -9, too: alone, -9 has
    /// a small network and is shorter than this at level 5
    #[arg(long, conflicts_with = "model")]
    online: bool,
    /// Let the model of -m or --train go on learning while it codes: smaller archives of
    /// long files, longer ones of short files; decompressing takes as long as compressing
    #[arg(long, conflicts_with_all = ["online", "external", "lanes", "method"])]
    learn: bool,
    /// Leave the model out of the archive; decompressing then needs it
    #[arg(long, requires = "model")]
    external: bool,
    /// How bytes become the text of a pretrained model: text, bytes, latin1 or ascii7
    /// (see `brevity score`)
    #[arg(long = "as", value_name = "FORM", default_value_t = Form::Text, requires = "external")]
    form: Form,
    /// How to store the model: fp16, int8, a number of bits per parameter (2 to
    /// 16), or auto for the smallest archive by an estimate (of standard input, which
    /// cannot be read twice: int8)
    #[arg(long, value_name = "BITS", default_value = "auto", value_parser = width)]
    bits: Width,
    /// How to code: mixed (context models and the model), model, contexts or raw
    /// [default: mixed with a model, else contexts]
    #[arg(long, value_name = "METHOD", value_parser = method)]
    method: Option<Method>,
    /// Parts of a block that a model decodes side by side, rounded down to a
    /// power of two. Fewer lanes make smaller archives and slower decoding
    /// [default: 1 with --train, otherwise 8 to 32, by the model's size]
    #[arg(long, value_name = "COUNT", conflicts_with = "online", value_parser = lanes)]
    lanes: Option<usize>,
    /// Block size, such as 16K: each block is coded, and can be decoded, independently
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().block, value_parser = block)]
    block: usize,
    /// Do not check the archive by decoding it
    #[arg(long)]
    no_verify: bool,
    /// Decompress instead
    #[arg(short, long, group = "mode", conflicts_with_all = CODING)]
    decompress: bool,
    /// Verify instead
    #[arg(short = 't', long, group = "mode", conflicts_with_all = CODING)]
    test: bool,
    /// Inspect instead
    #[arg(short, long, group = "mode", conflicts_with_all = CODING)]
    list: bool,
    #[command(flatten)]
    common: Common,
}

/// What says how to code, and nothing to those who read an archive. Levels are not among
/// them: gzip and xz take `-d9`, too.
const CODING: [&str; 7] = [
    "train", "online", "learn", "bits", "method", "lanes", "block",
];

/// How to store a model.
#[derive(Clone, Copy, Debug)]
enum Width {
    Auto,
    Fixed(Precision),
}

fn width(text: &str) -> Result<Width, String> {
    Ok(match text {
        "auto" => Width::Auto,
        "fp16" => Width::Fixed(Precision::Float16),
        "int8" => Width::Fixed(Precision::Int8),
        _ => match text.parse() {
            Ok(bits @ 2..=16) => Width::Fixed(Precision::Bits(bits)),
            _ => return Err("not auto, fp16, int8 or a number from 2 to 16".into()),
        },
    })
}

fn method(text: &str) -> Result<Method, String> {
    [Method::Raw, Method::Contexts, Method::Model, Method::Mixed]
        .into_iter()
        .find(|m| m.name() == text)
        .ok_or_else(|| "not mixed, model, contexts or raw".into())
}

fn block(text: &str) -> Result<usize, String> {
    match units::length(text)? {
        bytes if bytes > MAX_BLOCK => Err(format!("more than {MAX_BLOCK} bytes")),
        bytes => Ok(bytes),
    }
}

fn lanes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=MAX_LANES) => Ok(number),
        _ => Err(format!("not a number from 1 to {MAX_LANES}")),
    }
}

/// Runs `brevity compress`.
///
/// # Errors
/// Wrong usage; a file that cannot be read or written; an archive that does not
/// decode to its source, which is then not kept.
pub fn run(mut args: Args) -> Result<()> {
    if args.decompress {
        let args = decompress::Args::new(args.files, args.model, args.predictor, args.common);
        return decompress::run(args);
    }
    if args.test {
        let run = args.common.run;
        return verify::run(verify::Args::new(
            args.files,
            args.model,
            args.predictor,
            run,
        ));
    }
    if args.list {
        return inspect::run(inspect::Args::new(args.files));
    }
    if args.common.output.is_some() && args.files.len() > 1 {
        bail!(Usage("-o takes one file".into()));
    }
    if args.files.iter().filter(|path| is_dash(path)).count() > 1 {
        bail!(Usage("standard input, `-`, can be read once".into()));
    }
    if args.common.stdout && args.files.len() > 1 {
        bail!(Usage(
            "-c takes one file: archives one after another cannot be read".into()
        ));
    }
    args.level.check()?;
    args.common.model.clone_from(&args.model);
    let has_trained = args.model.is_some() || args.training.train;
    if args.training.train && args.online {
        bail!(Usage(
            "--train stores a model, --online stores none: give one of them".into()
        ));
    }
    if args.learn && !has_trained {
        bail!(Usage(
            "--learn is for a trained model: give it with -m, or --train".into()
        ));
    }
    if args.training.train && (args.model.is_some() || args.method.is_some()) {
        bail!(Usage(
            "--train makes the model and chooses the method: leave out -m and --method".into()
        ));
    }
    let from_outside = args.predictor.predictor.is_some();
    if from_outside && (args.model.is_some() || args.online || args.training.train) {
        bail!(Usage(
            "--predictor takes the place of a model: leave out -m, --online and --train".into()
        ));
    }
    let has_model = args.model.is_some() || args.online || from_outside;
    if !has_model && args.method.is_some_and(Method::needs_model) {
        bail!(Usage(
            "this method needs a model: give it with -m, --predictor or --online".into()
        ));
    }
    if args.lanes.is_some() && !has_model && !args.training.train {
        bail!(Usage(
            "--lanes is for a model: give it with -m, or --train".into()
        ));
    }
    let pretrained = args.model.as_deref().filter(|path| Model::is_at(path));
    let stores_none = !has_trained || pretrained.is_some();
    if matches!(args.bits, Width::Fixed(_)) && stores_none {
        bail!(Usage(
            "--bits is for a model that the archive stores: give one of your own with -m, or --train"
                .into()
        ));
    }
    if let Some(model) = pretrained {
        return args.pretrained(model);
    }
    if has_model && args.method.is_some_and(|method| !method.needs_model()) {
        bail!(Usage(
            "this method uses no model: leave out -m, --predictor and --online".into()
        ));
    }
    if args.form != Form::Text {
        bail!(Usage("--as is for pretrained models".into()));
    }
    let weights = args
        .model
        .as_deref()
        .map(|path| Weights::load(&model_file(path)))
        .transpose()?;
    let predictor = args.predictor.start()?;
    let given = Given {
        weights: weights.as_ref(),
        readers: Readers::new(predictor.as_ref()),
        predictor,
    };
    let work = |path: &Path| args.compress(path, &given);
    args.common.run.each(&args.files, work)
}

/// The models that are given.
struct Given<'a> {
    weights: Option<&'a Weights>,
    predictor: Option<PredictorModel>,
    readers: Readers,
}

impl Given<'_> {
    /// What archives are read with.
    fn models(&self) -> Models<'_> {
        Models {
            limits: archive::Limits::NONE,
            ..self.readers.models(self.weights)
        }
    }
}

impl Args {
    fn pretrained(&self, model: &Path) -> Result<()> {
        if !self.external {
            bail!(Usage(
                "archives do not hold pretrained models, and decompressing needs them: \
                 say so with --external"
                    .into()
            ));
        }
        if self.method.is_some_and(|method| !method.needs_model()) {
            bail!(Usage(
                "with a pretrained model --method is `model`, which codes tokens, or `mixed`, \
                 which mixes their bytes with context models; without it, the shortest archive \
                 is kept, that of the context models alone included"
                    .into()
            ));
        }
        let one_lane = self.lanes.is_none_or(|lanes| lanes == 1);
        let as_it_is = matches!(self.form, Form::Text | Form::Bytes);
        if self.method == Some(Method::Mixed) && !(one_lane && as_it_is) {
            bail!(Usage(
                "--method mixed is for one lane of bytes as they are: leave out --lanes and --as"
                    .into()
            ));
        }
        let compress = pretrained::Compress {
            model,
            lanes: self.lanes,
            form: self.form,
            method: self.method,
            verify: !self.no_verify,
            common: &self.common,
        };
        compress.files(&self.files, derived)
    }

    fn compress(&self, path: &Path, given: &Given<'_>) -> Result<()> {
        if self.training.train {
            return self.train(path, given);
        }
        let mut target = self.common.target(path, Some(derived(path)))?;
        let source = match (given.weights, &given.predictor) {
            (None, Some(predictor)) => predictor::source(predictor),
            (None, None) if self.online => {
                // Each block is learned anew.
                let most = self.block as u64;
                pack::learning_source(length(path)?.map(|length| length.min(most)))
            }
            (None, None) => Source::none(),
            (Some(weights), _) if self.external => Source::external(weights),
            (Some(weights), _) => {
                let plan = self.plan(weights, path)?;
                match self.learn {
                    true => pack::learning_on_source(weights, &plan)?,
                    false => Source::embedded(weights, &plan),
                }
            }
        };
        let (input, length) = files::open(path)?;
        let options = self.options();
        let summary = match &mut target {
            Target::Stdout => {
                let out = stdout_for_archives(self.common.force)?;
                self.write(path, length, |progress| match self.no_verify {
                    true => archive::compress(input, out, &source, &options, progress),
                    // It cannot be read again, so it is decoded while it is written.
                    false => {
                        let models = given.models();
                        archive::compress_verified(input, out, &source, &options, &models, progress)
                    }
                })?
            }
            Target::File(file) if self.no_verify => self.write(path, length, |progress| {
                archive::compress(input, &mut *file, &source, &options, progress)
            })?,
            Target::File(file) => {
                let mut written = None;
                let summary = self.write(path, length, |progress| {
                    let out = &mut *file;
                    let done = archive::compress_decoding(input, out, &source, &options, progress)?;
                    written = done.decoded.then_some(done);
                    Ok(done.summary)
                })?;
                match written {
                    // Its blocks were decoded as they were coded.
                    Some(written) => self.check(file, &written)?,
                    None => self.verify(file, &summary, given.models())?,
                }
                summary
            }
        };
        match target {
            Target::Stdout => self.report(path, &summary, "standard output"),
            Target::File(file) => {
                let name = file.path().display().to_string();
                file.finish()?;
                self.report(path, &summary, &name);
            }
        }
        Ok(())
    }

    /// Compresses a file with a model that is trained on it, or without one
    /// where that is shorter.
    fn train(&self, path: &Path, given: &Given<'_>) -> Result<()> {
        let output = match &self.common.output {
            Some(output) if is_dash(output) => None,
            Some(output) => Some(output.clone()),
            None if is_dash(path) => None,
            None if is_systems_own(path) => bail!(Usage(no_place(path))),
            None => Some(derived(path)),
        };
        let Some(output) = output else {
            bail!(Usage(
                "--train needs a file to write: its checkpoints lie beside it".into()
            ));
        };
        self.common.free(&output, path)?;
        let data = whole(path)?;

        let run = &self.common.run;
        let options = OwnModel {
            precision: match self.bits {
                Width::Auto => None,
                Width::Fixed(precision) => Some(precision),
            },
            learn: self.learn,
            archive: self.options(),
            ..self.training.own_model()
        };
        let mut folder = output.as_os_str().to_owned();
        folder.push(".training");
        let report = |event: &pack::Event<'_>| {
            let size = self.training.size;
            if let Some(line) = own_model::on_the_way(event, path, size, run.verbose) {
                run.say(|| line);
            }
        };
        let packed = watched(&run.bar("", Some(0)), |control| {
            pack::compress_with_own_model(&data, folder.as_ref(), &options, control, &report)
        });
        let packed = packed.with_context(|| format!("cannot train on {}", path.display()))?;
        let packed = packed.ok_or(Stopped::Continues)?;

        let mut file = self.common.file(output, path)?;
        let written = file.write_all(&packed.archive);
        written.with_context(|| format!("cannot write {}", file.path().display()))?;
        self.verify(&mut file, &packed.summary, given.models())?;
        let name = file.path().display().to_string();
        file.finish()?;
        self.report(path, &packed.summary, &name);
        for line in own_model::verdict(&packed) {
            run.say(|| line);
        }
        Ok(packed.forget_training()?)
    }

    fn options(&self) -> Options {
        Options {
            block: self.block,
            method: self.method,
            level: self.level.level(),
            // A user who trains a model for a file wants the smallest archive.
            lanes: self.lanes.or(self.training.train.then_some(1)),
        }
    }

    fn report(&self, path: &Path, summary: &Summary, name: &str) {
        self.common.run.say(|| {
            let (raw, stored) = (summary.raw, summary.stored);
            let rate = match raw {
                0 => String::new(),
                _ => format!(" ({:.2}%)", 100.0 * stored as f64 / raw as f64),
            };
            format!("{}: {raw} bytes to {stored}{rate}, {name}", path.display())
        });
    }

    /// Writes an archive of a file of this length by `code`.
    fn write(
        &self,
        path: &Path,
        length: Option<u64>,
        code: impl FnOnce(Progress<'_>) -> Result<Summary, archive::Error>,
    ) -> Result<Summary> {
        let bar = self.common.run.bar("compress", length);
        let start = Instant::now();
        let summary = code(&|more| bar.inc(more));
        bar.finish_and_clear();
        let summary = summary.with_context(|| format!("cannot compress {}", path.display()))?;
        self.tell_speed("coded", &summary, start);
        Ok(summary)
    }

    /// Reads an archive back whose blocks were decoded as they were coded.
    fn check(&self, file: &mut OutputFile, written: &Written) -> Result<()> {
        let same = written.is(file.reread()?);
        if !same.context("the archive cannot be read back")? {
            bail!("the archive on disk is not the one that was written");
        }
        Ok(())
    }

    /// Decodes the archive and compares, unless the user declined it.
    fn verify(&self, file: &mut OutputFile, summary: &Summary, models: Models) -> Result<()> {
        if self.no_verify {
            return Ok(());
        }
        let bar = self.common.run.bar("verify", Some(summary.raw));
        let start = Instant::now();
        let (input, progress) = (file.reread()?, |more| bar.inc(more));
        let decoded = archive::decompress(input, std::io::sink(), &models, &progress)
            .context("the archive does not decode")?;
        bar.finish_and_clear();
        if decoded != *summary {
            bail!("the archive does not decode to its source");
        }
        self.tell_speed("decoded", summary, start);
        Ok(())
    }

    /// Prints the speed: always for a model that learns, because it is slow; otherwise on
    /// request.
    fn tell_speed(&self, what: &str, summary: &Summary, start: Instant) {
        if self.online || self.learn || self.common.run.verbose {
            self.common.run.say_speed(what, summary.raw, start);
        }
    }

    /// The precision at which to store the model for this file.
    fn plan(&self, weights: &Weights, path: &Path) -> Result<Plan> {
        if let Width::Fixed(precision) = self.bits {
            return Ok(Plan::new(weights, precision));
        }
        if is_dash(path) {
            // The content of a stream is not known in advance.
            let trained = Plan::lossless(weights);
            return Ok(trained.unwrap_or_else(|| Plan::new(weights, Precision::Int8)));
        }
        let mut file = files::open_file(path)?;
        let length = file.metadata()?.len();
        let mut options = self.options();
        if self.learn && weights.gates().is_none() {
            // It will be worth more than it is now: not priced beside context models.
            options.method = Some(Method::Model);
        }
        let plan = watched(&self.common.run.bar("steps", None), |control| {
            pack::shortest_plan(weights, &mut file, length, &options, control)
        });
        let plan = plan.with_context(|| format!("cannot compress {}", path.display()))?;
        Ok(plan.ok_or(Stopped::Over)?)
    }
}

/// The archive's name beside its source.
fn derived(path: &Path) -> PathBuf {
    let mut derived = OsString::from(path);
    derived.push(format!(".{EXTENSION}"));
    derived.into()
}

/// All bytes of a source; a long file is mapped.
fn whole(path: &Path) -> Result<Bytes> {
    let (mut input, length) = files::open(path)?;
    if length.is_some_and(|length| length > 0) {
        return Ok(Bytes::open(path)?);
    }
    let mut data = Vec::new();
    let read = input.read_to_end(&mut data);
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(data.into())
}

/// The length of a source in bytes, if it is known before reading.
fn length(path: &Path) -> Result<Option<u64>> {
    if is_dash(path) {
        return Ok(None);
    }
    let metadata = files::open_file(path)?.metadata()?;
    Ok(metadata.is_file().then_some(metadata.len()))
}
