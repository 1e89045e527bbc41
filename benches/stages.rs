//! Where the time of a scan goes, stage by stage, with one thread and through the library's own interface:
//! `cargo bench --bench stages` on A and B, `-- FILE` on another mbox. Prints Markdown.
//!
//! A stage is what it adds: read (the bytes, nothing more), then split less read, facts less split, kept less facts.
//! What is kept is written by a thread of its own, as in a scan, so that only what is not hidden behind reading shows.
//! Then history, built once more on its own, judge less history, and write. Medians of rounds in turn.

#![expect(clippy::print_stdout, reason = "a bench tells what it measured")]

mod invented;
mod machine;
mod workshop;

use std::collections::BTreeSet;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use ccspill::case::Case;
use ccspill::case::count::Bounds;
use ccspill::case::keep::Start;
use ccspill::case::lines;
use ccspill::export;
use ccspill::exposure::Rules;
use ccspill::facts::{Reader, Task, Wanted};
use ccspill::history::{Digest, Digester, History};
use ccspill::judgement;
use ccspill::person::Organisation;
use ccspill::pipeline::judge;
use ccspill::pipeline::read::{self, Outcome};
use ccspill::progress::{Amount, Progress};
use ccspill::query::{Patterns, builtin};
use ccspill::source::{self, Item, Raw, Role, Source};
use clap::Parser;
use machine::{markdown, median};
use workshop::Workshop;

/// Where the time of a scan goes.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench stages --")]
struct Options {
    /// A, B, a file that `generate` can make (1GB), or an mbox file
    #[arg(value_name = "WHAT", default_values = ["A", "B"])]
    what: Vec<String>,
    /// Keep the files that are made in this folder, and use those that are there
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// Rounds; in each, every stage runs once
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one round took, in the order of a scan. The first four are from the beginning: each holds the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    read: Duration,
    split: Duration,
    facts: Duration,
    kept: Duration,
    kept_by_two: Duration,
    history: Duration,
    judge: Duration,
    write: Duration,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why:#}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    // Judging spreads over all cores, which is not to be measured here.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()?;
    let workshop = Workshop::new(options.files.as_deref())?;
    println!("{}", machine::line(&[]));
    for what in &options.what {
        let file = if invented::is_named(what) {
            workshop.file(what)?
        } else {
            PathBuf::from(what)
        };
        if !file.is_file() {
            bail!("cannot measure '{what}': it is no file\n  try: A, B, 1GB, or an mbox file");
        }
        let messages = split(&*open(&file)?)?;
        let mut rounds = Vec::new();
        for _ in 0..options.rounds {
            rounds.push(round(&file, &workshop)?);
        }
        print_table(what, messages, file.metadata()?.len(), &rounds);
        workshop.done_with(&file)?;
    }
    Ok(())
}

fn open(file: &Path) -> anyhow::Result<Box<dyn Source>> {
    source::open_path(file.to_str().context("a path that is text")?)
}

/// Every stage once.
fn round(file: &Path, workshop: &Workshop) -> anyhow::Result<Round> {
    let mut round = Round::default();
    let begin = Instant::now();
    bytes(file)?;
    round.read = begin.elapsed();

    let begin = Instant::now();
    split(&*open(file)?)?;
    round.split = begin.elapsed();

    let rules = rules(Digester { k0: 1, k1: 2 })?;
    let begin = Instant::now();
    to_facts(&*open(file)?, &rules)?;
    round.facts = begin.elapsed();

    let room = workshop.room()?;
    let two = Case::open_or_make(&room.path().join("two"), now())?;
    round.kept_by_two = keep(&two, file, 2)?.0;
    drop(two);

    let case = Case::open_or_make(&room.path().join("one"), now())?;
    let (kept, reading, rules) = keep(&case, file, 1)?;
    round.kept = kept;
    let begin = Instant::now();
    case.begin()?;
    judge::judge(
        &case,
        &rules,
        &Wanted::default(),
        &BTreeSet::new(),
        &[reading],
    )?;
    round.judge = begin.elapsed();
    let begin = Instant::now();
    case.commit()?;
    write(&case)?;
    round.write = begin.elapsed();
    round.history = history(&case, &rules)?;
    Ok(round)
}

/// Reads the bytes of a file in pieces of the size that a source reads, and does nothing with them.
fn bytes(file: &Path) -> anyhow::Result<()> {
    let mut piece = vec![0; 1 << 20];
    let mut file = File::open(file)?;
    while file.read(&mut piece)? > 0 {
        black_box(&piece);
    }
    Ok(())
}

/// Gives each mail of a source, and the role of its folder, to `each`.
fn mails(source: &dyn Source, each: &mut dyn FnMut(&Raw<'_>, Role)) -> anyhow::Result<()> {
    source::all_units(source, 1, &mut |unit| {
        let role = unit.folder().role;
        unit.read(&mut |item| {
            if let Item::Mail(raw) = item {
                each(&raw, role);
            }
        });
        ControlFlow::Continue(())
    })?;
    Ok(())
}

/// Cuts a source into its messages and counts them.
fn split(source: &dyn Source) -> anyhow::Result<u64> {
    let mut messages = 0;
    mails(source, &mut |raw, _| {
        black_box(raw.bytes);
        messages += 1;
    })?;
    Ok(messages)
}

/// Reads each message to facts, and keeps none.
fn to_facts(source: &dyn Source, rules: &Rules) -> anyhow::Result<()> {
    let wanted = Wanted::default();
    let task = Task {
        rules,
        wanted: &wanted,
        now: now(),
    };
    let mut reader = Reader::new(task);
    mails(source, &mut |raw, role| {
        let _ = black_box(reader.read(raw, role));
    })
}

/// What a scan with the built-in queries and this organisation would go by.
fn rules(digester: Digester) -> anyhow::Result<Rules> {
    let queries = builtin::all().map_err(|why| anyhow::anyhow!("{why}"))?;
    let mut organisation = Organisation::default();
    organisation.domains.insert("force.example".to_owned());
    Ok(Rules {
        patterns: Patterns::new(&queries)?,
        queries,
        rosters: Vec::new(),
        organisation,
        min_confidence: 50,
        digester,
    })
}

/// Reads a file into a case. Gives how long it took, the reading, and the rules that the case's key belongs to.
fn keep(case: &Case, file: &Path, jobs: usize) -> anyhow::Result<(Duration, i64, Rules)> {
    let (rules, wanted, bounds) = (
        rules(case.digester()?)?,
        Wanted::default(),
        Bounds::default(),
    );
    let name = file.to_string_lossy();
    let start = Start {
        source: &name,
        absolute: &name,
        kind: "mbox",
        stamp: None,
        bytes: None,
        bounds: &serde_json::to_string(&bounds)?,
        grows: false,
        anew: false,
    };
    let begin = Instant::now();
    let reading = case.start_reading(&start, now())?;
    let options = read::Options {
        jobs,
        stop: &AtomicBool::new(false),
        task: Task {
            rules: &rules,
            wanted: &wanted,
            now: now(),
        },
        bounds: &bounds,
        hash: false,
    };
    let mut progress = Progress::new("", Amount::Unknown, false);
    let outcome = read::read(&*open(file)?, reading, case, options, &mut progress)?;
    progress.end();
    let Outcome::Done(coverage, _) = outcome else {
        bail!("reading stopped");
    };
    case.begin()?;
    case.end_reading(reading.id, None, coverage.not_mail, &coverage.limits, now())?;
    case.commit()?;
    Ok((begin.elapsed(), reading.id, rules))
}

/// How long history takes to build from a case that is judged.
fn history(case: &Case, rules: &Rules) -> anyhow::Result<Duration> {
    let entries = case.entries(false, &rules.digester, &|_| true)?;
    let matter = judgement::who_matters(&entries, rules);
    let answered = entries
        .iter()
        .flat_map(|entry| entry.candidate.answers.iter().copied().map(Digest))
        .collect();
    let begin = Instant::now();
    black_box(History::new(
        &matter,
        &answered,
        case.messages()?,
        |each| case.blocks(&mut |_, _, block| lines::read(block, |record| each(&record.line))),
    )?);
    Ok(begin.elapsed())
}

fn write(case: &Case) -> anyhow::Result<()> {
    export::write_all(case, &case.everybody()?, &|jobs, here| {
        here();
        jobs.iter().map(|job| job()).collect()
    })
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn print_table(what: &str, messages: u64, bytes: u64, rounds: &[Round]) {
    // A stage that hides behind another may come out below nothing; then it costs nothing.
    let stage = |of: fn(&Round) -> (Duration, Duration)| {
        let added = rounds.iter().map(|round| {
            let (all, before) = of(round);
            all.as_secs_f64() - before.as_secs_f64()
        });
        median(added.collect()).max(0.0)
    };
    let stages = [
        ("read", stage(|r| (r.read, Duration::ZERO))),
        ("split", stage(|r| (r.split, r.read))),
        ("facts", stage(|r| (r.facts, r.split))),
        ("kept", stage(|r| (r.kept, r.facts))),
        ("history", stage(|r| (r.history, Duration::ZERO))),
        ("judge", stage(|r| (r.judge, r.history))),
        ("write", stage(|r| (r.write, Duration::ZERO))),
    ];
    let total: f64 = stages.iter().map(|(_, seconds)| seconds).sum();
    let row = |name: &str, seconds: f64| {
        vec![
            name.to_owned(),
            format!("{:.1}", seconds * 1e3),
            format!("{:.0}", seconds * 1e9 / messages as f64),
            format!("{:.2}", bytes as f64 / 1e9 / seconds),
            format!("{:.1} %", 100.0 * seconds / total),
        ]
    };
    let mut rows: Vec<_> = stages
        .iter()
        .map(|(name, seconds)| row(name, *seconds))
        .collect();
    rows.push(row("all", total));
    println!(
        "\n{what}: {messages} messages, {} MB, in cache, one thread, medians of {} rounds.\n",
        bytes / 1_000_000,
        rounds.len()
    );
    let head = [what, "ms", "ns/message", "GB/s", "share"].map(str::to_owned);
    print!("{}", markdown(&head, &rows));
    let faster = |round: &Round| {
        let history = round.history.as_secs_f64();
        (round.kept.as_secs_f64() + history) / (round.kept_by_two.as_secs_f64() + history)
    };
    println!(
        "\nFrom read to history, 2 jobs are {:.2} times as fast as 1.",
        median(rounds.iter().map(faster).collect())
    );
}
