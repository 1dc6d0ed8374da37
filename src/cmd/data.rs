//! `brevity data`: lists, fetches, imports and measures data sets.

use std::io::Write;
use std::path::PathBuf;

use brevity_data::{
    Client, DataConfig, Import, Imported, PassedOver, Registry, Select, SetRecord, Source, Stats,
    Store, default_name, export, import, list, passed_over,
};
use brevity_draw::Table;
use brevity_media::Conversion;
use clap::Subcommand;
use clap::builder::{OsStringValueParser, TypedValueParser};
use serde_json::{Value, json};

use super::files::Run;
use super::units;
use crate::console;
use crate::exit::Usage;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the data sets
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download, verify and unpack data sets of the registry
    ///
    /// Run the command again to resume an interrupted download. Lengths and hashes are those of the
    /// registry, also from a mirror.
    Fetch {
        /// Names, as in `brevity data list`
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Fetch again even if already fetched
        #[arg(long)]
        force: bool,
        /// Fetch the files from this folder on a server instead of from their own
        /// addresses [default: $BREVITY_MIRROR]
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        run: Run,
    },
    /// Turn files, folders and patterns into a data set
    ///
    /// Files of a folder are recognised by their content. Skipped files are listed with
    /// the reason.
    Import {
        /// Files, folders, patterns; an existing path takes precedence over a pattern
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Conversion: `gray-patches`, `rgb`, `rgb-planar` for PNG, JPEG, WebP and PPM;
        /// `pcm8`, `pcm16`, `pcm16-planes`, `pcm16-deltas` for FLAC and WAV
        #[arg(long = "as", value_name = "CONVERSION", default_value = "bytes", value_parser = conversion)]
        conversion: Conversion,
        /// Name of the data set [default: that of the file or folder]
        #[arg(long)]
        name: Option<String>,
        /// Replace an existing data set of this name
        #[arg(long)]
        force: bool,
        /// Leave out files that do not decode, and list them
        #[arg(long)]
        skip_bad: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Turn a data set back into files: PNG, WAV, or plain bytes
    Export {
        /// Name of the data set
        name: String,
        /// Items to export, counted from 0, such as 3 or 0-9 [default: all]
        #[arg(long, value_name = "RANGE")]
        items: Option<Select>,
        /// New or empty folder for the files [default: the set's name]
        #[arg(long, short, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// Measure files or data sets: length, hash, entropies, duplicates
    Stats {
        /// Files, folders, patterns, data sets (`set:NAME` where a path is called so
        /// too); `-` is standard input
        #[arg(required = true, value_name = "SOURCE", value_parser = OsStringValueParser::new().map(|name| Source::from(&*name)))]
        sources: Vec<Source>,
        /// Use only this many bytes; `random` and the synthetic sets need it
        #[arg(long, value_parser = units::bytes)]
        bytes: Option<u64>,
        /// Seed of generated sets
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let store = Store::default();
    match args.action {
        Action::List { json } => print_list(&store, json),
        Action::Fetch {
            names,
            force,
            mirror,
            json,
            run,
        } => {
            let variable = || std::env::var("BREVITY_MIRROR").ok();
            let client = Client {
                mirror: mirror.or_else(variable).filter(|url| !url.is_empty()),
                ..Client::default()
            };
            let records = fetch(&names, force, &client, &run, &store)?;
            print_records(&records, json, &store)
        }
        Action::Import {
            paths,
            conversion,
            name,
            force,
            skip_bad,
            json,
        } => {
            let name = name.or_else(|| default_name(&paths)).ok_or_else(|| {
                let first = paths[0].display();
                Usage(format!(
                    "`{first}` gives no name for a data set: check the path or pass --name"
                ))
            })?;
            let options = Import {
                conversion,
                name,
                replace: force,
                skip_bad,
            };
            let imported = import(&paths, &options, &store)?;
            tell(&imported);
            print_records(&[imported.record], json, &store)
        }
        Action::Export { name, items, out } => {
            let name = name.strip_prefix("set:").unwrap_or(&name).to_owned();
            let folder = out.unwrap_or_else(|| PathBuf::from(&name));
            let files = export(&name, items.unwrap_or(Select::ALL), &folder, &store)?;
            let mut out = console::stdout()?;
            for file in files {
                writeln!(out, "{}", file.display())?;
            }
            Ok(())
        }
        Action::Stats {
            sources,
            bytes,
            seed,
            json,
        } => print_stats(sources, bytes, seed, json),
    }
}

fn conversion(text: &str) -> Result<Conversion, String> {
    Conversion::by_name(text).ok_or_else(|| {
        let names = Conversion::ALL.map(Conversion::name).join(", ");
        format!("there are {names}")
    })
}

/// Prints on standard error how many files were imported and skipped.
fn tell(imported: &Imported) {
    let (record, left) = (&imported.record, &imported.passed_over);
    note(left);
    let mut text = format!("{}: {} imported", record.name, record.item.len());
    if !left.is_empty() {
        let mut reasons: Vec<(&str, usize)> = Vec::new();
        for PassedOver { why, .. } in left {
            match reasons.iter_mut().find(|reason| reason.0 == why) {
                Some(reason) => reason.1 += 1,
                None => reasons.push((why, 1)),
            }
        }
        let reasons: Vec<_> = reasons
            .iter()
            .map(|(why, count)| format!("{count} {why}"))
            .collect();
        text += &format!(", {} passed over ({})", left.len(), reasons.join("; "));
    }
    console::note(&text);
    let name = &record.name;
    if PathBuf::from(name).symlink_metadata().is_ok() {
        console::note(format_args!(
            "`{name}` is a path here too: the set is `set:{name}`, the path `./{name}`"
        ));
    }
}

/// Lists the skipped files on standard error.
pub fn note(passed_over: &[PassedOver]) {
    const MOST: usize = 20;
    for one in passed_over.iter().take(MOST) {
        console::note(format_args!("passed over {one}"));
    }
    if passed_over.len() > MOST {
        console::note(format_args!(
            "passed over {} more",
            passed_over.len() - MOST
        ));
    }
}

/// Lists on standard error what is passed over of the sources of these tables, each once.
pub fn note_of<'a>(tables: impl Iterator<Item = &'a DataConfig>) {
    let mut known: Vec<&Source> = Vec::new();
    for table in tables {
        let held_out = table.holdout.as_ref().and_then(|h| h.source.as_ref());
        for source in std::iter::once(&table.source).chain(held_out) {
            if known.contains(&source) {
                continue;
            }
            known.push(source);
            // A source that cannot be looked up is an error of whoever reads it.
            note(&passed_over(source, &Store::default()).unwrap_or_default());
        }
    }
}

fn print_list(store: &Store, json: bool) -> anyhow::Result<()> {
    let sets = list(store)?;
    if json {
        return print_json(&serde_json::to_value(&sets)?);
    }
    let mut table = Table::new(&["name", "state", "bytes", "what", "licence"]).left(&[1, 3, 4]);
    for set in sets {
        table.push(vec![
            set.name,
            set.state.name().to_owned(),
            set.bytes
                .map_or_else(|| "-".to_owned(), |bytes| bytes.to_string()),
            set.about,
            set.licence.unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    let mut out = console::stdout()?;
    write!(out, "{table}")?;
    writeln!(out, "\nsets are kept in {}", store.root().display())?;
    Ok(())
}

fn fetch(
    names: &[String],
    force: bool,
    client: &Client,
    run: &Run,
    store: &Store,
) -> anyhow::Result<Vec<SetRecord>> {
    let entries = names
        .iter()
        .map(|name| {
            Registry::builtin().get(name).ok_or_else(|| {
                let known: Vec<_> = Registry::builtin().sets.iter().map(|s| &*s.name).collect();
                Usage(format!(
                    "no data set `{name}` to fetch; there are {}",
                    known.join(", ")
                ))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut records = Vec::new();
    for entry in entries {
        let bar = run.bar(&entry.name, Some(0));
        let record = client.fetch(entry, force, store, &bar);
        bar.finish_and_clear();
        records.push(record?);
    }
    Ok(records)
}

fn print_records(records: &[SetRecord], json: bool, store: &Store) -> anyhow::Result<()> {
    if json {
        return print_json(&serde_json::to_value(records)?);
    }
    let mut out = console::stdout()?;
    for record in records {
        let path = store.data_path(&record.name);
        writeln!(
            out,
            "{}: {} bytes in {}",
            record.name,
            record.bytes,
            path.display()
        )?;
        writeln!(
            out,
            "  sha256 {}\n  blake3 {}",
            record.sha256, record.blake3
        )?;
    }
    Ok(())
}

fn print_stats(
    sources: Vec<Source>,
    bytes: Option<u64>,
    seed: u64,
    json: bool,
) -> anyhow::Result<()> {
    let mut measured = Vec::new();
    for source in sources {
        note(&passed_over(&source, &Store::default())?);
        let config = DataConfig {
            bytes,
            seed,
            ..DataConfig::from(source)
        };
        let set = config.load()?.train;
        measured.push((set.provenance.source.clone(), Stats::of_set(&set)));
    }
    if json {
        let object = |(source, stats): &(String, Stats)| -> anyhow::Result<Value> {
            let mut value = json!({ "source": source });
            if let (Value::Object(all), Value::Object(own)) =
                (&mut value, serde_json::to_value(stats)?)
            {
                all.extend(own);
            }
            Ok(value)
        };
        let values = measured
            .iter()
            .map(object)
            .collect::<anyhow::Result<Vec<_>>>()?;
        return print_json(&Value::Array(values));
    }
    let mut out = console::stdout()?;
    for (source, stats) in &measured {
        writeln!(out, "{source}")?;
        writeln!(out, "  bytes            {}", stats.bytes)?;
        writeln!(out, "  blake3           {}", stats.blake3)?;
        writeln!(out, "  distinct values  {}", stats.distinct)?;
        writeln!(out, "  order-0 entropy  {:.4} bits/byte", stats.order0)?;
        writeln!(out, "  order-1 entropy  {:.4} bits/byte", stats.order1)?;
        let share = 100.0 * stats.duplicate_share;
        let note = match stats.duplicate_sampling {
            1 => String::new(),
            of => format!(", by one of {of}"),
        };
        writeln!(
            out,
            "  duplicates       {share:.2} % of blocks of 100 bytes{note}"
        )?;
    }
    Ok(())
}

fn print_json(value: &Value) -> anyhow::Result<()> {
    let mut out = console::stdout()?;
    writeln!(out, "{value:#}")?;
    Ok(())
}
