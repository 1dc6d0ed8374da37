//! `brevity baselines`: byte sets compressed by the classical coders.

use super::units;
use crate::console;
use std::io::Write;

use brevity_baselines::{Coder, FileBaselines};
use brevity_data::{DataConfig, Store, passed_over};
use brevity_draw::Table;
use brevity_length::format;
use clap::builder::{OsStringValueParser, TypedValueParser};

/// Compresses byte sets with the classical coders. Every stream is decoded and
/// compared before its size is printed.
///
/// Pictures and sounds of sets made by `brevity data import` are compressed one
/// by one with their own size or sampling rate. The picture and sound coders read
/// other bytes as rows of 64 grey pixels and as 16 kHz sound.
#[derive(clap::Args)]
pub struct Args {
    /// Files or data sets to compress, or a part of one, as in
    /// crates,bytes=100000; `-` is standard input
    #[arg(required = true, value_name = "SOURCE", value_parser = OsStringValueParser::new().try_map(DataConfig::try_from))]
    sets: Vec<DataConfig>,
    /// Compress chunks of this many bytes independently (the paper: 2048)
    #[arg(long, value_name = "BYTES", value_parser = units::length)]
    chunk: Option<usize>,
    /// Coders to run, by name, separated by commas [default: the general-purpose ones]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    coders: Vec<String>,
    /// Also run the image coders: PNG, oxipng, WebP, JPEG XL
    #[arg(long)]
    images: bool,
    /// Also run FLAC, on 8-bit and on 16-bit samples
    #[arg(long)]
    sounds: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let mut coders = args
        .coders
        .iter()
        .map(|name| Coder::from_name(name))
        .collect::<Result<Vec<_>, _>>()?;
    if coders.is_empty() {
        coders = Coder::DEFAULT.to_vec();
    }
    if args.images {
        coders.extend(Coder::PICTURES);
        coders.extend(Some(Coder::Cjxl).filter(|coder| coder.available()));
    }
    if args.sounds {
        coders.extend(Coder::SOUNDS);
    }
    let mut measured = Vec::new();
    for set in &args.sets {
        super::data::note(&passed_over(&set.source, &Store::default())?);
        let file = brevity_baselines::measure_set(set, args.chunk, &coders)?;
        // A table without any size is not printed.
        if let ([], Some(failure)) = (&file.results[..], file.failed.first()) {
            anyhow::bail!("{}", failure.message);
        }
        measured.push(file);
    }
    let mut out = console::stdout()?;
    if args.json {
        serde_json::to_writer_pretty(&mut out, &measured)?;
        writeln!(out)?;
    } else {
        for file in &measured {
            write!(out, "{}", text(file))?;
        }
    }
    Ok(())
}

fn text(file: &FileBaselines) -> String {
    let mut title = format!("{}: {} bytes", file.path.display(), file.bytes);
    let mut table = match file.chunk {
        None => Table::new(&["coder", "bytes", "rate %"]),
        Some(chunk) => {
            title += &format!(", in chunks of {chunk}");
            Table::new(&["coder", "bytes", "rate %", "headers charged once %"])
        }
    };
    for r in &file.results {
        let mut row = vec![
            r.coder.clone(),
            r.bytes.to_string(),
            format::percent(r.rate),
        ];
        if file.chunk.is_some() {
            row.push(format::percent(r.paper_rate));
        }
        table.push(row);
    }
    let mut text = format!("{title}\n{table}");
    for failure in &file.failed {
        text += &format!("note: {}\n", failure.message);
    }
    for r in file.results.iter().filter(|r| !r.decoded) {
        text += &format!("note: {} is not decoded here: an estimate\n", r.coder);
    }
    text
}
