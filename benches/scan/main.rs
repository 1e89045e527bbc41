//! How long a whole `ccspill scan` takes and how much memory, beside other tools on the same files in the same run:
//! machines differ and are shared, so only ratios within one run mean something.
//!
//! `cargo bench --bench scan` makes the files A and B, measures them in cache and from disk, then 10,000 mails as a
//! Maildir, and prints Markdown: three to four minutes, 3 GB of disk. `-- growth` and `-- ten-million` take longer;
//! `-- --help` lists all. Nothing is asserted: a figure is no test.

#![expect(clippy::print_stdout, reason = "a bench tells what it measured")]

mod growth;
#[path = "../invented/mod.rs"]
mod invented;
#[path = "../machine/mod.rs"]
mod machine;
mod maildir;
#[path = "../measure/mod.rs"]
mod measure;
mod peers;
#[path = "../split/mod.rs"]
mod split;
mod whole;
#[path = "../workshop/mod.rs"]
mod workshop;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use peers::Peer;
use workshop::Workshop;

/// Ratios of whole commands within one run.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench scan --")]
struct Options {
    /// What to measure: A, B, maildir, growth, ten-million, a file that `generate` can make (1GB), or an mbox file
    #[arg(value_name = "WHAT", default_values = ["A", "B", "maildir"])]
    what: Vec<String>,
    /// Keep the files that are made in this folder, and use those that are there
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// Rounds; in each, every tool runs once
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Leave out what reads from disk
    #[arg(long)]
    warm_only: bool,
    /// Leave out Python, which takes half of the time
    #[arg(long)]
    no_python: bool,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match measure_all(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::from(2)
        }
    }
}

fn measure_all(options: &Options) -> io::Result<()> {
    let workshop = Workshop::new(options.files.as_deref())?;
    let known = ["maildir", "growth", "ten-million"];
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for what in options.what.iter().filter(|w| !known.contains(&w.as_str())) {
        if invented::is_named(what) {
            files.push((what.clone(), workshop.file(what)?));
        } else if Path::new(what).is_file() {
            files.push((what.clone(), PathBuf::from(what)));
        } else {
            return Err(io::Error::other(format!(
                "cannot measure '{what}': it is no file\n  try: A, B, 1GB, maildir, growth, ten-million"
            )));
        }
    }
    let growing = |what: &String| ["growth", "ten-million"].contains(&what.as_str());
    println!("{}", heading(options.what.iter().all(growing)));
    if !files.is_empty() {
        whole::warm(&files, options, &workshop)?;
        if !options.warm_only {
            whole::cold(&files, &workshop)?;
        }
    }
    for what in &options.what {
        match what.as_str() {
            "maildir" => maildir::table(options, &workshop)?,
            "growth" => growth::growth(options, &workshop)?,
            "ten-million" => growth::ten_million(&workshop)?,
            _ => {}
        }
    }
    Ok(())
}

/// Where, when and with what.
fn heading(alone: bool) -> String {
    if alone {
        return machine::line(&[]);
    }
    let others = [
        Peer::Cat,
        Peer::Rg,
        Peer::Grep,
        Peer::Openssl,
        Peer::Python,
        Peer::Mu,
        Peer::Notmuch,
        Peer::Mboxshell,
    ];
    machine::line(&others.map(Peer::version))
}

/// Seconds in three digits that count.
fn seconds(value: f64) -> String {
    digits(value)
}

/// A ratio likewise.
fn digits(value: f64) -> String {
    match value {
        v if v.is_nan() => String::new(),
        v if v < 0.0995 => format!("{v:.3}"),
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// Bytes in MB, for peaks.
fn megabytes(bytes: u64) -> String {
    match bytes as f64 / 1e6 {
        0.0 => "unknown".into(),
        few if few < 9.95 => format!("{few:.1}"),
        many => format!("{many:.0}"),
    }
}
