//! `ccspill case`: says what a case holds.

use std::path::PathBuf;

use super::summary;
use crate::case::Case;
use crate::cli::ExitStatus;
use crate::terminal;

/// Options of `case`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder of the case
    case: PathBuf,
}

/// Prints the summary of a case.
///
/// # Errors
/// A case that cannot be used.
pub fn run(options: &Options) -> anyhow::Result<ExitStatus> {
    let case = Case::open(&options.case)?;
    terminal::say(&summary::of(
        &case,
        &case.everybody()?,
        &summary::Context::default(),
    )?);
    Ok(ExitStatus::Done)
}
