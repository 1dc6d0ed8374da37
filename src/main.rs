//! The `brevity` command: parses, calls one library function, prints.

mod cmd;
mod console;
mod exit;
mod signals;

use std::process::ExitCode;

use anyhow::Result;
use brevity_kernels::simd::InstructionSet;
use clap::{Parser, Subcommand};

/// Keeps freed buffers, so that a training step causes no page faults.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure models by description length: compressed data plus model.
#[derive(Parser)]
#[command(version, about, after_help = cmd::units::HELP)]
#[command(propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train and score every trial of a sweep config, then report
    Sweep(cmd::sweep::Args),
    /// Train one model
    Train(cmd::train::Args),
    /// Locate the critical size of a finished sweep
    Critical(cmd::critical::Args),
    /// Price the weights of any model: bytes at some precisions, entropy-coded
    Price(cmd::price::Args),
    /// Rank the models of a sweep or of a table by description length
    Select(cmd::select::Args),
    /// Measure the effect of each change in a sweep, in pairs with the same seed
    Ablation(cmd::ablation::Args),
    /// Measure prequential code lengths: each byte is scored, then learned
    Prequential(cmd::prequential::Args),
    /// Measure how leaked test data change each measure
    Contamination(cmd::contamination::Args),
    /// Score models on byte sets: raw, held-out, adjusted, prequential
    Score(cmd::score::Args),
    /// Compare two models byte by byte
    Compare(cmd::compare::Args),
    /// Rank models on dated texts, with contamination columns
    Rank(cmd::rank::Args),
    /// Say what a pretrained language model is (GGUF, Hugging Face)
    Import(cmd::pretrained::Args),
    /// Compare coders and models across byte sets, as in the paper's Table 1
    Table(cmd::table::Args),
    /// Continue a prompt with bytes sampled from a model or a classical coder
    Generate(cmd::generate::Args),
    /// Compress files with the classical coders
    Baselines(cmd::baselines::Args),
    /// Write the report of a sweep again
    Report(cmd::report::Args),
    /// Compress files losslessly, with or without a model
    Compress(cmd::compress::Args),
    /// Decompress archives
    Decompress(cmd::decompress::Args),
    /// Check that archives decode to the original bytes
    Verify(cmd::verify::Args),
    /// List the parts of archives and their sizes
    Inspect(cmd::inspect::Args),
    /// List, fetch, import and measure data sets
    Data(cmd::data::Args),
    /// Check that this CPU computes exactly the recorded bits
    Selftest(cmd::selftest::Args),
    /// Print completions for a shell
    Completions(cmd::shell::Completions),
    /// Print the manual page
    Man(cmd::shell::Man),
}

fn main() -> ExitCode {
    // clap exits with 2 on wrong usage and 0 on --help.
    let cli = Cli::parse();
    let result = prepare().and_then(|()| run(cli.command));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}

/// The set-up that all commands share.
fn prepare() -> Result<()> {
    check_instruction_set()?;
    check_threads()?;
    signals::handle()
}

/// Checks the number of threads that the environment requests. The thread pool uses it if
/// no option gives one.
fn check_threads() -> Result<()> {
    let name = "RAYON_NUM_THREADS";
    match std::env::var_os(name).map(|text| cmd::threads(&text.to_string_lossy())) {
        Some(Err(message)) => Err(exit::Usage(format!("{name}: {message}")).into()),
        _ => Ok(()),
    }
}

/// Checks that this CPU supports the instruction set that the environment requests.
fn check_instruction_set() -> Result<()> {
    InstructionSet::from_env().map_err(|error| exit::Usage(error.to_string()))?;
    Ok(())
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Sweep(args) => cmd::sweep::run(args),
        Command::Train(args) => cmd::train::run(args),
        Command::Critical(args) => cmd::critical::run(args),
        Command::Price(args) => cmd::price::run(args),
        Command::Select(args) => cmd::select::run(args),
        Command::Ablation(args) => cmd::ablation::run(args),
        Command::Prequential(args) => cmd::prequential::run(args),
        Command::Contamination(args) => cmd::contamination::run(args),
        Command::Score(args) => cmd::score::run(args),
        Command::Compare(args) => cmd::compare::run(args),
        Command::Rank(args) => cmd::rank::run(args),
        Command::Import(args) => cmd::pretrained::run(args),
        Command::Table(args) => cmd::table::run(args),
        Command::Generate(args) => cmd::generate::run(args),
        Command::Baselines(args) => cmd::baselines::run(args),
        Command::Report(args) => cmd::report::run(args),
        Command::Compress(args) => cmd::compress::run(args),
        Command::Decompress(args) => cmd::decompress::run(args),
        Command::Verify(args) => cmd::verify::run(args),
        Command::Inspect(args) => cmd::inspect::run(args),
        Command::Data(args) => cmd::data::run(args),
        Command::Selftest(args) => cmd::selftest::run(args),
        Command::Completions(args) => cmd::shell::completions(args),
        Command::Man(args) => cmd::shell::man(args),
    }
}
