//! `brevity completions` and `brevity man`: completions for shells and the manual page.

use crate::console;
use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use std::io::Write;
use std::path::PathBuf;

/// Prints a script that completes commands, options and file names.
///
/// bash: brevity completions bash > ~/.local/share/bash-completion/completions/brevity
///
/// zsh: brevity completions zsh > DIR/_brevity, where DIR is one of $fpath
///
/// fish: brevity completions fish > ~/.config/fish/completions/brevity.fish
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// Prints the manual page, for `brevity man | man -l -`, or writes one for each command.
#[derive(clap::Args)]
pub struct Man {
    /// Write brevity.1 and the pages of all commands into this folder
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

/// Runs `brevity completions`.
///
/// # Errors
/// Standard output that is closed or full.
pub fn completions(args: Completions) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut crate::Cli::command(),
        "brevity",
        &mut script,
    );
    Ok(console::stdout()?.write_all(&script)?)
}

/// Runs `brevity man`.
///
/// # Errors
/// A folder that cannot be written, standard output that is closed or full.
pub fn man(args: Man) -> Result<()> {
    let command = crate::Cli::command();
    let Some(folder) = args.output else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return Ok(console::stdout()?.write_all(&page)?);
    };
    std::fs::create_dir_all(&folder)
        .and_then(|()| clap_mangen::generate_to(command, &folder))
        .with_context(|| format!("cannot write into {}", folder.display()))
}
