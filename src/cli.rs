//! The command line as a whole: the list of commands and the exit statuses. Each command's options stand in its own file
//! under `cmd`.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::pipeline::read::hide_panics_of_readers;
use crate::{cmd, terminal};

/// Finds sent mail that showed people of a sensitive group to one another, and lists everyone who was exposed.
#[derive(Debug, Parser)]
#[command(
    name = "ccspill",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = false
)]
#[command(
    after_help = "First steps:\n  ccspill scan SENT.mbox --org your-domain.example\n  ccspill scan --help\n\nNothing is ever written to a source, and nothing leaves this computer but what a mail server is asked."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find exposures in mail stores; write a case
    Scan(Box<cmd::scan::Options>),
    /// Write the exports of a case again
    Export(cmd::export::Options),
    /// Say what a case holds
    Case(cmd::case::Options),
    /// Test a connection to an IMAP account; show its folders
    Folders(Box<cmd::folders::Options>),
    /// List, check and test queries; show what other thresholds would report
    Queries(cmd::queries::Options),
    /// Print completions for a shell
    Completions(cmd::completions::Options),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Done.
    Done,
    /// Done, and the answer is no: something new met `--fail-on`, or examples failed.
    No,
    /// The command could not run.
    CannotRun,
    /// Done, but some mail could not be read; all of it is listed.
    SomeUnread,
    /// Stopped by Ctrl-C.
    Stopped,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        ExitCode::from(match status {
            ExitStatus::Done => 0,
            ExitStatus::No => 1,
            ExitStatus::CannotRun => 2,
            ExitStatus::SomeUnread => 3,
            ExitStatus::Stopped => 130,
        })
    }
}

/// Runs the program with these arguments, the program's name first.
///
/// # Errors
/// Why the command could not run, with the mend.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<ExitStatus> {
    hide_panics_of_readers();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::command()
        .try_get_matches_from(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches))
    {
        Ok(cli) => cli,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            terminal::write(&error.render().to_string());
            return Ok(ExitStatus::Done);
        }
        Err(error) => return Err(misused(&error, &arguments)),
    };
    let shown = arguments
        .iter()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    match cli.command {
        Command::Scan(options) => cmd::scan::run(&options, shown),
        Command::Export(options) => cmd::export::run(&options),
        Command::Case(options) => cmd::case::run(&options),
        Command::Folders(options) => cmd::folders::run(&options),
        Command::Queries(options) => cmd::queries::run(&options),
        Command::Completions(options) => cmd::completions::run(&options),
    }
}

/// A usage error as the house writes errors: what and why, then the mend.
fn misused(error: &clap::Error, arguments: &[OsString]) -> anyhow::Error {
    let text = error.render().to_string();
    let command = arguments.get(1).map(|command| command.to_string_lossy());
    let known =
        command.filter(|command| Cli::command().find_subcommand(command.as_ref()).is_some());
    let help = known.map_or_else(
        || "ccspill --help".to_owned(),
        |command| format!("ccspill {command} --help"),
    );
    let mut what = Vec::new();
    let mut mend = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            mend.get_or_insert_with(|| tip.to_owned());
        } else if line.starts_with("Usage:") {
            mend.get_or_insert_with(|| line.replace("Usage: ", ""));
        } else if !line.starts_with("For more information") {
            what.push(line.trim_start_matches("error: ").to_owned());
        }
    }
    anyhow::anyhow!("{}\n  try: {}", what.join(" "), mend.unwrap_or(help))
}
