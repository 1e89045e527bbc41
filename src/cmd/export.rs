//! `ccspill export`: writes the exports of a case again, from `case.db` alone.

use std::path::PathBuf;

use super::{now, summary};
use crate::case::Case;
use crate::cli::ExitStatus;
use crate::export;
use crate::pipeline::aside;
use crate::terminal;

/// Options of `export`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder of the case
    case: PathBuf,
}

/// Reads back what an officer wrote into people.csv, then writes every export.
///
/// # Errors
/// A case that cannot be used, a file that cannot be written.
pub fn run(options: &Options) -> anyhow::Result<ExitStatus> {
    let case = Case::open(&options.case)?;
    let edited = export::worksheet::read_back(&case, now())?;
    let others = export::worksheet::read_others(&case, now())?;
    case.decide_circles()?;
    export::write_all(&case, &case.everybody()?, &aside)?;
    others.iter().for_each(|text| terminal::say(text));
    if let Some(text) = summary::edited(&edited) {
        terminal::say(&text);
    }
    terminal::say(&format!(
        "The exports of '{}' are written.",
        options.case.display()
    ));
    Ok(ExitStatus::Done)
}
