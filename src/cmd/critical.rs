//! `brevity critical`: the size beyond which more parameters cost more than they save.

use super::files::{self, is_dash};
use super::units;
use crate::console;
use crate::exit::Usage;
use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use brevity_lab::experiments::two_part::law_picture;
use brevity_lab::text;
use brevity_stats::critical::{
    CriticalError, CriticalSize, Estimator, HUBER, Point, each_critical_size,
    joint::{DataLaw, each_data_law},
    points::{Format, from_rows, parse_table, read_table},
};
use brevity_task::chain;

/// Fits a scaling law of bits per byte over parameters and prints the critical
/// size N*.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of a sweep, or its results.json
    sweep: Option<PathBuf>,
    /// Read a table instead: CSV with columns parameters; data_bytes, tokens or flops;
    /// bits_per_byte, raw_rate, nats_per_byte, bits_per_token or nats_per_token; `-` is
    /// standard input
    #[arg(long, value_name = "FILE.csv", conflicts_with = "sweep")]
    points: Option<PathBuf>,
    /// Bytes per parameter, for tables without a column model_bytes
    /// [default: 2]
    #[arg(long, value_name = "NUMBER", conflicts_with = "sweep", value_parser = positive)]
    bytes_per_parameter: Option<f64>,
    /// Name of the column of a field, where the table calls it otherwise: tokens=D, may be repeated
    #[arg(long, value_name = "FIELD=NAME", conflicts_with = "sweep", value_parser = column)]
    column: Vec<(String, String)>,
    /// Bytes of a token, for tables of tokens [default: 1, so that lengths are those of tokens]
    #[arg(long, value_name = "NUMBER", conflicts_with = "sweep", value_parser = positive)]
    bytes_per_token: Option<f64>,
    /// Leave out models with more parameters
    #[arg(long, value_name = "PARAMETERS", value_parser = units::parameters)]
    max_parameters: Option<u64>,
    /// Print the scaling law over data size instead of N* at each data size
    #[arg(long)]
    law: bool,
    /// Predict N* for these data sizes, separated by commas (implies --law)
    #[arg(long, value_name = "BYTES", value_delimiter = ',', value_parser = units::some_bytes)]
    predict: Vec<u64>,
    /// Draw N* against data size into this file (implies --law)
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
    /// Number of bootstrap resamples
    #[arg(long, value_name = "COUNT", default_value_t = 2000, value_parser = resamples)]
    resamples: usize,
    /// Relative errors beyond this count linearly in the law over data size
    #[arg(long, value_name = "SHARE", default_value_t = HUBER, value_parser = positive)]
    huber: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("a positive number is needed".into()),
    }
}

fn column(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, name)) if !field.is_empty() && !name.is_empty() => {
            Ok((field.to_owned(), name.to_owned()))
        }
        _ => Err("FIELD=NAME is needed, such as tokens=D".into()),
    }
}

/// More resamples would run for hours and change no printed digit.
const MOST_RESAMPLES: usize = 1_000_000;

pub(super) fn resamples(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count <= MOST_RESAMPLES => Ok(count),
        _ => Err(format!("a number from 0 to {MOST_RESAMPLES} is needed")),
    }
}

pub fn run(args: Args) -> anyhow::Result<()> {
    if let Some(svg) = &args.svg {
        let read = args.points.iter().chain(&args.sweep);
        files::apart(svg, read.map(PathBuf::as_path), [])?;
    }
    let mut points = match (&args.points, &args.sweep) {
        (Some(table), _) => {
            let format = Format {
                bytes_per_parameter: args.bytes_per_parameter.unwrap_or(2.0),
                bytes_per_token: args.bytes_per_token.unwrap_or(1.0),
                columns: args.column,
            };
            match is_dash(table) {
                true => parse_table(&files::standard_input()?, "standard input", &format)?,
                false => read_table(table, &format)?,
            }
        }
        (None, Some(sweep)) => {
            files::no_table(sweep, "--points")?;
            from_rows(&brevity_length::read(sweep)?)
        }
        (None, None) => bail!(Usage(
            "give the folder of a sweep, or a table with --points FILE.csv".into()
        )),
    };
    let left_out = match args.max_parameters {
        Some(most) => leave_out(&mut points, most)?,
        None => None,
    };
    let estimator = Estimator {
        resamples: args.resamples,
        huber: args.huber,
        ..Estimator::default()
    };
    let mut out = console::stdout()?;
    if args.law || !args.predict.is_empty() || args.svg.is_some() {
        let bar = files::waiting("fitting laws over data size");
        let predict: Vec<f64> = args.predict.iter().map(|bytes| *bytes as f64).collect();
        let each = each_data_law(&points, &predict, &estimator);
        bar.finish_and_clear();
        let each = each?;
        let laws: Vec<DataLaw> = those_found(each, left_out.as_deref())?;
        if let Some(file) = &args.svg {
            let critical = each_critical_size(&points, &estimator)?;
            let critical: Vec<CriticalSize> = critical.into_iter().flatten().collect();
            let Some(picture) = law_picture(&laws, &critical) else {
                bail!("nothing to draw: no series has two data sizes with a critical size");
            };
            brevity_draw::replace(file, picture.as_bytes())?;
        }
        if args.json {
            serde_json::to_writer_pretty(&mut out, &laws)?;
            writeln!(out)?;
        } else {
            write!(out, "{}", text::laws(&laws))?;
        }
    } else {
        let each = each_critical_size(&points, &estimator)?;
        let found: Vec<CriticalSize> = those_found(each, left_out.as_deref())?;
        if args.json {
            serde_json::to_writer_pretty(&mut out, &found)?;
            writeln!(out)?;
        } else {
            write!(out, "{}", text::sizes(&found))?;
        }
    }
    Ok(())
}

/// Leaves out points with more parameters, and says how many.
///
/// # Errors
/// If no point is left.
fn leave_out(points: &mut Vec<Point>, most: u64) -> anyhow::Result<Option<String>> {
    let all = points.len();
    let fewest = points.iter().map(|p| p.parameters).reduce(f64::min);
    points.retain(|p| p.parameters <= most as f64);
    if let (Some(fewest), true) = (fewest, points.is_empty()) {
        bail!(Usage(format!(
            "--max-parameters {most} leaves out all {all} points: the smallest has {fewest} \
             parameters"
        )));
    }
    Ok(match all - points.len() {
        0 => None,
        out => Some(format!(
            "--max-parameters {most} leaves out {out} of {all} points"
        )),
    })
}

/// The results; what could not be fitted is told, with what was left out of it, and is an error
/// where nothing could.
fn those_found<T>(
    each: Vec<Result<T, CriticalError>>,
    left_out: Option<&str>,
) -> anyhow::Result<Vec<T>> {
    let (found, failed): (Vec<_>, Vec<_>) = each.into_iter().partition(Result::is_ok);
    let found: Vec<T> = found.into_iter().flatten().collect();
    let mut errors = failed.into_iter().filter_map(Result::err).peekable();
    if found.is_empty()
        && let Some(error) = errors.next()
    {
        let error = anyhow::Error::from(error);
        return Err(match left_out {
            Some(left_out) => error.context(left_out.to_owned()),
            None => error,
        });
    }
    if let (Some(left_out), Some(_)) = (left_out, errors.peek()) {
        console::note(format_args!("brevity: {left_out}"));
    }
    for error in errors {
        console::note(format_args!("brevity: {}", chain(&error)));
    }
    Ok(found)
}
