//! `brevity baselines`: files through the classical coders.

use std::io::{Read, Write};
use std::path::PathBuf;

use brevity_eval::baselines::{self, Coder, FileBaselines};
use brevity_eval::{format, table::Table};

/// Every stream is decoded and compared before its size is printed.
#[derive(clap::Args)]
pub struct Args {
    /// Files to compress; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Compress chunks of this many bytes independently (the paper: 2048)
    #[arg(long, value_name = "BYTES")]
    chunk: Option<usize>,
    /// Coders to run, by name, separated by commas [default: the general-purpose ones]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    coders: Vec<String>,
    /// Also run PNG, for images stored as rows of 64 bytes
    #[arg(long)]
    images: bool,
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
        coders.extend([Coder::Png, Coder::PngPaper]);
    }
    let mut measured = Vec::new();
    for path in &args.files {
        measured.push(if path.as_os_str() == "-" {
            let mut data = Vec::new();
            std::io::stdin().read_to_end(&mut data)?;
            baselines::measure_bytes(path, &data, args.chunk, &coders)?
        } else {
            baselines::measure_file(path, args.chunk, &coders)?
        });
    }
    let mut out = std::io::stdout().lock();
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
    format!("{title}\n{table}")
}
