//! `ccspill completions`: completions for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::{Cli, ExitStatus};
use crate::terminal;

/// Options of `completions`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Which shell
    shell: Shell,
}

/// Prints the completions.
///
/// # Errors
/// None.
pub fn run(options: &Options) -> anyhow::Result<ExitStatus> {
    let mut out = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "ccspill", &mut out);
    terminal::write(&String::from_utf8_lossy(&out));
    Ok(ExitStatus::Done)
}
