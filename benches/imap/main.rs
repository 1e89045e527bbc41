//! How fast a mailbox on a server is read, and with how many bytes, beside Python's imaplib and mbsync on the same
//! Dovecot in the same run: this bench starts it, and the slow line to it.
//!
//! `cargo bench --bench imap` reads 50,000 messages over loopback, from 40 ms away, and through 50 Mbit/s, then 200,000
//! for memory: about five minutes, 2 GB of disk. `-- 2000` is a quick try, `-- memory` the memory alone. All lines lead
//! through the bench's own proxy, loopback too, so that bytes are counted. Nothing is asserted: a figure is no test.

#![expect(clippy::print_stdout, reason = "a bench tells what it measured")]

mod clients;
#[expect(dead_code, reason = "another bench asks which files can be made")]
#[path = "../invented/mod.rs"]
mod invented;
mod lines;
#[path = "../machine/mod.rs"]
mod machine;
#[path = "../measure/mod.rs"]
mod measure;
mod memory;
mod proxy;
mod server;
#[path = "../split/mod.rs"]
mod split;
#[path = "../workshop/mod.rs"]
mod workshop;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use clients::{Client, Compress, Folder};
use proxy::Line;
use server::Dovecot;
use workshop::Workshop;

/// Mail on a server: ratios of whole commands within one run.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench imap --")]
struct Options {
    /// What to measure: lines to a folder of so many messages, or memory
    #[arg(value_name = "MESSAGES|memory", default_values = ["50000", "memory"], value_parser = what)]
    what: Vec<What>,
    /// Messages in the folder that memory is measured with
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    large: u64,
    /// Rounds; in each, everybody reads once, and mbsync in the first only
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Leave out mbsync, which takes most of the time
    #[arg(long)]
    no_mbsync: bool,
    /// Make files in this folder, and keep the mail there for another run
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Lines(u64),
    Memory,
}

fn what(text: &str) -> Result<What, String> {
    match text.parse() {
        _ if text == "memory" => Ok(What::Memory),
        Ok(messages) if messages > 0 => Ok(What::Lines(messages)),
        _ => Err("a number of messages, or memory".into()),
    }
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
    let missing = [
        ("dovecot", server::program().is_some()),
        ("python3", Client::Imaplib.is_installed()),
        (
            "mbsync",
            options.no_mbsync || Client::Mbsync { disk: true }.is_installed(),
        ),
    ];
    if let Some((name, _)) = missing.iter().find(|(_, there)| !there) {
        return Err(io::Error::other(format!(
            "cannot measure: {name} is not installed\n  try: .ci/install bench"
        )));
    }
    let workshop = Workshop::new(options.files.as_deref())?;
    println!("{}", heading());
    println!("{}", proxy::alone()?);
    for what in &options.what {
        match what {
            What::Lines(messages) => {
                with_folder(*messages, &workshop, |folder| {
                    println!(
                        "Whole commands, medians of {} rounds in turn{}.",
                        options.rounds,
                        if options.no_mbsync {
                            ""
                        } else {
                            " (mbsync: one run)"
                        },
                    );
                    lines::table(folder, options, &workshop)
                })?;
            }
            What::Memory => with_folder(options.large, &workshop, |folder| {
                memory::table(folder, &workshop)
            })?,
        }
    }
    Ok(())
}

/// Where, when and with what.
fn heading() -> String {
    let version = |program: &str| machine::said(program, &["--version"]).unwrap_or_default();
    let dovecot = server::program().unwrap_or_default();
    let dovecot = version(&dovecot.to_string_lossy());
    let number = dovecot.split_whitespace().next().unwrap_or_default();
    machine::line(&[
        format!("Dovecot {number}"),
        version("mbsync"),
        version("python3"),
    ])
}

/// A server with a folder of so many messages that has been read before, by each that reads header fields.
fn with_folder(
    messages: u64,
    workshop: &Workshop,
    measured: impl FnOnce(Folder<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let home = workshop.room()?;
    let begin = Instant::now();
    let file = workshop.file(&messages.to_string())?;
    let many = usize::try_from(messages).map_err(io::Error::other)?;
    let bytes = server::fill(home.path(), "bench", &file, many)?;
    workshop.done_with(&file)?;
    let filled = begin.elapsed();
    let server = Dovecot::start(home.path())?;
    let folder = Folder {
        server: &server,
        owner: "bench",
        messages,
    };
    let mut warmed = Vec::new();
    for client in [Client::Imaplib, Client::Ccspill(Compress::Auto)] {
        let room = workshop.room()?;
        warmed.push(match client.go(folder, Line::PLAIN, room.path()) {
            Ok(run) => format!("{} {} s", client.title(), digits(run.seconds)),
            Err(why) => format!("{} failed, {why}", client.title()),
        });
    }
    println!(
        "\n{messages} messages, {} MB, in a Maildir, made in {} s. The server is warm, for the folder has been read: {}.",
        bytes / 1_000_000,
        digits(filled.as_secs_f64()),
        warmed.join(", then "),
    );
    measured(folder)
}

/// Three digits that count.
fn digits(value: f64) -> String {
    match value {
        v if v.is_nan() => String::new(),
        v if v < 0.0995 => format!("{v:.3}"),
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// Bytes in MB likewise.
fn megabytes(bytes: f64) -> String {
    digits(bytes / 1e6)
}
