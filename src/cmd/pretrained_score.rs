//! `brevity score` of pretrained language models.

use super::pretrained::stopped;
use super::units;
use crate::exit::{Stopped, Usage};
use anyhow::{Context, Result, bail};
use brevity_baselines::{Coder, stream_length};
use brevity_data::DataConfig;
use brevity_lab::maps::{Kind, Map, Prices};
use brevity_pretrained::archive::{ArchiveError, Settings};
use brevity_pretrained::cover::{Beam, Marginal, marginal};
use brevity_pretrained::score::{BreakEven, Length, Score, score, score_with_bits};
use brevity_pretrained::{CodedError, Form, Model, byte_bits};
use brevity_stats::blocks::mean_interval;
use brevity_task::{Control, Counter};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// How to score with pretrained models.
#[derive(clap::Args, Clone)]
pub struct Scoring {
    /// How bytes become the text of a pretrained model: text, bytes (a token each),
    /// latin1 (a character each) or ascii7 (the upper seven bits as a character, the
    /// last one charged one bit)
    #[arg(long = "as", value_name = "FORM", default_value_t = Form::Text)]
    pub form: Form,
    /// Code chunks of so many bytes on their own under a pretrained model; the paper
    /// has 2048
    #[arg(long, value_name = "BYTES", value_parser = units::length)]
    pub chunk: Option<usize>,
    /// Say how many bytes of data pay for a pretrained model beside this classical
    /// coder
    #[arg(long, value_name = "CODER", value_parser = Coder::from_name)]
    pub against: Option<Coder>,
    /// Store the parameters of a pretrained model with our weight coder at so many bits
    /// each, 1 to 16, and score what is left of the model: gives what a description of
    /// it takes then
    #[arg(long, value_name = "BITS")]
    pub bits: Option<f64>,
    /// Also bound the code length over all ways to cut the bytes into tokens of a
    /// pretrained model: slow
    #[arg(long)]
    pub marginal: bool,
}

impl Scoring {
    /// Whether an option is given that only pretrained models know.
    pub fn is_given(&self) -> bool {
        self.form != Form::Text
            || self.chunk.is_some()
            || self.against.is_some()
            || self.bits.is_some()
            || self.marginal
    }

    /// How archives are cut.
    pub fn settings(&self, model: &Model) -> Settings {
        let usual = Settings::new(model);
        Settings {
            form: self.form,
            chunk: self.chunk,
            // Chunks start anew, so that they lose nothing side by side.
            lanes: self.chunk.map_or(usual.lanes, |_| 16),
            ..usual
        }
    }
}

/// One model on one byte set.
#[derive(serde::Serialize)]
pub struct Scored {
    model: PathBuf,
    /// Bits of a parameter that were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<f64>,
    /// Number of parameters.
    parameters: u64,
    data: String,
    #[serde(flatten)]
    score: Score,
    #[serde(skip_serializing_if = "Option::is_none")]
    break_even: Option<BreakEven>,
    /// Bounds of the code length over all ways to cut the bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    marginal: Option<Marginal>,
}

/// Scores each model on each byte set; archives are decoded again if `verify` says so.
///
/// # Errors
/// A model or byte set that cannot be read; an archive that gives other bytes back; a
/// stop.
pub fn scores(
    models: &[PathBuf],
    data: &[DataConfig],
    scoring: &Scoring,
    verify: bool,
    control: &Control<'_>,
) -> Result<Vec<Scored>> {
    let sets = data.iter().map(|data| Ok(data.load()?.train));
    let sets: Vec<_> = sets.collect::<Result<_>>()?;
    let mut out = Vec::new();
    for path in models {
        let model = loaded(path, scoring, control)?;
        let settings = scoring.settings(&model);
        for set in &sets {
            let name = &set.provenance.source;
            let what = format!("{} on {name}", path.display());
            let context = || format!("cannot score `{name}`");
            let count = Counter::new(control, &what, set.len() as u64);
            let more = |more: usize| count.add(more as u64);
            let (score, break_even) = match scoring.against {
                None => {
                    let score = stopped(score(&model, &settings, &set.bytes, verify, &more));
                    (score.with_context(context)?, None)
                }
                Some(coder) => {
                    let score = stopped(score_with_bits(
                        &model, &settings, &set.bytes, verify, &more,
                    ));
                    let (score, bits) = score.with_context(context)?;
                    let beside = against(&model, settings.chunk, coder, &set.bytes, &bits)?;
                    (score, Some(beside))
                }
            };
            out.push(Scored {
                model: path.clone(),
                bits: scoring.bits,
                parameters: model.weights().parameters(),
                data: name.clone(),
                score,
                break_even,
                marginal: match scoring.marginal {
                    true => Some(covered(&model, &settings, &set.bytes, control)?),
                    false => None,
                },
            });
        }
    }
    Ok(out)
}

/// The model with its parameters coded at so many bits each.
fn at_bits(model: Model, bits: f64, control: &Control<'_>) -> Result<Model> {
    let count = Counter::new(control, "coding the weights", model.weights().parameters());
    let path = model.origin().path.display().to_string();
    let coded = model.at_bits(bits, &|more: usize| count.add(more as u64));
    match coded {
        Err(CodedError::Stopped) => Err(Stopped::Over.into()),
        Err(wrong @ CodedError::Bits(_)) => bail!(Usage(format!("--bits: {wrong}"))),
        coded => coded.with_context(|| format!("cannot code the weights of {path}")),
    }
}

/// Bounds of the code length over all ways to cut bytes.
fn covered(
    model: &Model,
    settings: &Settings,
    bytes: &[u8],
    control: &Control<'_>,
) -> Result<Marginal> {
    if settings.form != Form::Text {
        bail!(Usage("--marginal is of bytes as text".into()));
    }
    let count = Counter::new(control, "sum over all cuts", bytes.len() as u64);
    let found = marginal(model, settings, Beam::default(), bytes, &|more: usize| {
        count.add(more as u64)
    });
    match control.stop.is_set() {
        true => Err(Stopped::Over.into()),
        false => Ok(found?),
    }
}

/// Draws what each byte of a set costs under the model at `model`. Returns how many bytes
/// are shown, and of how many.
///
/// # Errors
/// A model or byte set that cannot be read; a file that cannot be written; a stop.
pub fn map(
    model: &Path,
    data: &DataConfig,
    scoring: &Scoring,
    kind: Kind,
    out: &Path,
    control: &Control<'_>,
) -> Result<(usize, usize)> {
    let set = data.load()?.train;
    let name = model.display().to_string();
    let model = loaded(model, scoring, control)?;
    let shown = &set.bytes[..set.len().min(kind.most_bytes())];
    let bits = bits(&model, &scoring.settings(&model), shown, control)?;
    let map = Map {
        prices: Prices::Bits(&bits),
        model_name: &name,
        data: &set,
        kind,
    };
    Ok(map.write(out)?)
}

/// The model at a path, its parameters coded if that is asked for.
fn loaded(path: &Path, scoring: &Scoring, control: &Control<'_>) -> Result<Model> {
    let model = Model::load(path)?;
    match scoring.bits {
        None => Ok(model),
        Some(bits) => at_bits(model, bits, control),
    }
}

/// The code length of each byte.
fn bits(
    model: &Model,
    settings: &Settings,
    bytes: &[u8],
    control: &Control<'_>,
) -> Result<Vec<f32>> {
    let count = Counter::new(control, "price of each byte", bytes.len() as u64);
    let bits = byte_bits(model, settings, bytes, &|more: usize| {
        count.add(more as u64)
    });
    stopped(bits.map_err(ArchiveError::from))
}

/// Bytes of blocks whose savings make the interval of a break-even length, where there
/// are no chunks.
const BLOCK: usize = 2048;

/// What pays for a model beside a coder, by what each byte costs. In chunks both code
/// each on its own; otherwise the coder's rate is that of the whole.
fn against(
    model: &Model,
    chunk: Option<usize>,
    coder: Coder,
    bytes: &[u8],
    bits: &[f32],
) -> Result<BreakEven> {
    let block = chunk.unwrap_or(BLOCK);
    let pieces = match chunk {
        Some(chunk) => bytes.chunks(chunk).collect(),
        None => vec![bytes],
    };
    let lengths: Vec<u64> = pieces
        .par_iter()
        .map(|piece| stream_length(coder, piece))
        .collect::<Result<_, _>>()?;
    let rate = lengths.iter().sum::<u64>() as f64 / bytes.len().max(1) as f64;
    // Blocks of equal length; a rest is left out, unless it is all there is.
    let whole = match bytes.len() / block {
        0 => 1,
        count => count,
    };
    let saved = bits.chunks(block).take(whole).enumerate().map(|(i, bits)| {
        let own = bits.iter().map(|&bits| f64::from(bits)).sum::<f64>() / 8.0;
        let n = bits.len() as f64;
        match chunk {
            Some(_) => (lengths[i] as f64 - own) / n,
            None => rate - own / n,
        }
    });
    let saved: Vec<f64> = saved.collect();
    Ok(BreakEven::new(
        coder.name(),
        rate,
        model.model_bytes(),
        saved.iter().sum::<f64>() / saved.len().max(1) as f64,
        mean_interval(&saved),
    ))
}

/// A line for each, and one for its break-even length.
pub fn text(scores: &[Scored]) -> String {
    scores.iter().map(Scored::text).collect()
}

impl Scored {
    fn text(&self) -> String {
        let Scored {
            model, data, score, ..
        } = self;
        let percent = |rate: f64| format!("{:.2}%", 100.0 * rate);
        let state = if score.verified {
            "decoded"
        } else {
            "estimate"
        };
        let form = match score.form {
            Form::Text => String::new(),
            form => format!(" as {form}"),
        };
        let at = self
            .bits
            .map_or(String::new(), |bits| format!(" at {bits} bits"));
        let mut out = format!(
            "{}{at}, {} bytes of {data}{form}: {:.4} bits a byte, raw {}, adjusted {} (stored), {} (fp16), {state}\n",
            model.display(),
            score.data_bytes,
            score.bits_per_byte,
            percent(score.raw_rate),
            percent(score.adjusted_rate.stored),
            percent(score.adjusted_rate.fp16),
        );
        if self.bits.is_some() {
            let stored = score.model_bytes.stored;
            let each = 8.0 * stored as f64 / self.parameters as f64;
            out += &format!("  stored in {stored} bytes, {each:.3} bits a parameter\n");
        }
        if let Some(Marginal { bits, least_bits }) = self.marginal {
            let n = score.data_bytes.max(1) as f64;
            out += &format!(
                "  over all ways to cut it into tokens between {:.4} and {:.4} bits a byte\n",
                least_bits / n,
                bits / n
            );
        }
        if let Some(beside) = &self.break_even {
            let (coder, rate) = (&beside.coder, percent(beside.coder_rate));
            out += &match beside.stored.bytes {
                None => format!("  beside {coder} at {rate} it saves nothing\n"),
                Some(_) => format!(
                    "  beside {coder} at {rate} it pays from so many bytes of data on: {} (stored), {} (fp16)\n",
                    length(&beside.stored),
                    length(&beside.fp16)
                ),
            };
        }
        out
    }
}

/// A break-even length with its interval.
fn length(length: &Length) -> String {
    let number = |n: Option<u64>| n.map_or("never".into(), |n| n.to_string());
    let bytes = number(length.bytes);
    match length.ci95 {
        None => bytes,
        Some([low, high]) => {
            let (low, high) = (number(low), number(high));
            format!("{bytes} [95%: {low} to {high}]")
        }
    }
}
