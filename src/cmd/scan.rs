//! `ccspill scan`: reads mail stores, judges what was sent, writes a case.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use clap::ValueEnum;
use sha2::{Digest, Sha256};

use super::plan::{Plan, place};
use super::settings::{self, Given, Settings};
use super::{access, now, summary};
use crate::case::Case;
use crate::case::count::Bounds;
use crate::case::keep::Start;
use crate::case::people::People;
use crate::cli::ExitStatus;
use crate::export::{self, worksheet};
use crate::exposure::Rules;
use crate::facts::{Task, Wanted};
use crate::message::text::clean;
use crate::person::Organisation;
use crate::pipeline::read::Outcome;
use crate::pipeline::{self, aside, beside, judge};
use crate::platform;
use crate::progress::{Amount, Progress};
use crate::query::{Harm, Patterns, hex};
use crate::source::Source;
use crate::source::imap::How;
use crate::terminal;

/// Options of `scan`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A SOURCE is an mbox, a Maildir, a folder of .eml files, a Google Takeout, an Apple Mail or Thunderbird folder, an archive of these (gzip, zstd, zip, tar), - for standard input, or an IMAP account: imaps://user@host[:port][/Folder], or imap:// where encryption starts after the greeting. What a file is, is seen from its content.\n\nThe password of an account is taken from CCSPILL_PASSWORD, from --password-command, or asked for; README.md says how to give access. Nothing is changed in an account.\n\nA roster is a CSV with a column `address`, and optional ones: name, person, group, contact, safe_address, contact_note.\n\nExit status: 0 done, 1 --fail-on was met, 2 could not run, 3 some mail could not be read (it is listed), 130 stopped."
)]
pub struct Options {
    /// Where mail is: a file, a folder, or - for standard input
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// Folder of the case to write, or to add to
    #[arg(short = 'o', long, value_name = "DIR", default_value = "ccspill-case")]
    case: PathBuf,
    /// Domain of the organisation that sent the mail; may be repeated
    #[arg(long = "org", value_name = "DOMAIN")]
    organisation: Vec<String>,
    /// CSV of people of the group; may be repeated
    #[arg(long = "roster", value_name = "CSV")]
    rosters: Vec<PathBuf>,
    /// Queries to add to the built-in ones: a .toml file or a folder of them; may be repeated
    #[arg(long, value_name = "PATH")]
    queries: Vec<PathBuf>,
    /// Leave the built-in queries out
    #[arg(long)]
    no_builtin_queries: bool,
    /// A message known to be an incident: its Message-ID, or a file; may be repeated
    #[arg(long = "incident", value_name = "MESSAGE-ID|FILE")]
    incidents: Vec<String>,
    /// Judge only mail from this day on (2024-10-01)
    #[arg(long, value_name = "DATE", value_parser = first_second)]
    since: Option<i64>,
    /// Judge only mail up to and with this day
    #[arg(long, value_name = "DATE", value_parser = past_last_second)]
    until: Option<i64>,
    /// Judge only this folder; may be repeated
    #[arg(long = "folder", value_name = "NAME")]
    folders: Vec<String>,
    /// Read only what is known as sent mail
    #[arg(long)]
    sent_only: bool,
    /// Judge mail from outside the organisation too
    #[arg(long)]
    received: bool,
    /// Report findings from this confidence on, 0 to 100 [default: 50]
    #[arg(long, value_name = "N", value_parser = percent)]
    min_confidence: Option<u8>,
    /// Judge the whole case anew by the settings given
    #[arg(long)]
    rejudge: bool,
    /// How many threads read [default: one per core]
    #[arg(long, value_name = "N", value_parser = jobs)]
    jobs: Option<u16>,
    /// Do not take SHA-256 of the sources
    #[arg(long)]
    no_source_hash: bool,
    /// Exit with 1 if something new of this severity or worse is found: low, medium, high, critical
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    fail_on: Option<Harm>,
    /// Progress bars
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    progress: When,
    /// Say less
    #[arg(short, long)]
    quiet: bool,
    /// Say more: a line for each finding; -vv: what is said with IMAP servers, too
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(flatten)]
    access: access::Options,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    /// On a terminal.
    Auto,
    /// Never.
    Never,
}

fn percent(text: &str) -> Result<u8, String> {
    text.parse()
        .ok()
        .filter(|number| *number <= 100)
        .ok_or_else(|| "write a number from 0 to 100".to_owned())
}

fn jobs(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=256).contains(number))
        .ok_or_else(|| "write a number from 1 to 256".to_owned())
}

fn severity(text: &str) -> Result<Harm, String> {
    Harm::from_word(text).ok_or_else(|| "write low, medium, high or critical".to_owned())
}

/// A day (UTC) or an RFC 3339 time, as its first second.
fn first_second(text: &str) -> Result<i64, String> {
    time(text).map(|(from, _)| from)
}

/// A day (UTC) or an RFC 3339 time, as the second after its last.
fn past_last_second(text: &str) -> Result<i64, String> {
    time(text).map(|(_, to)| to)
}

fn time(text: &str) -> Result<(i64, i64), String> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok((time.as_second(), time.as_second() + 1));
    }
    let day = text
        .parse::<jiff::civil::Date>()
        .map_err(|_| "write a day as 2024-11-29, or a time as 2024-11-29T16:00:00Z".to_owned())?;
    let start = jiff::tz::TimeZone::UTC
        .to_timestamp(day.at(0, 0, 0, 0))
        .map_err(|error| error.to_string())?
        .as_second();
    Ok((start, start + 86_400))
}

/// Scans.
///
/// # Errors
/// Sources, settings or a case that cannot be used; an incident that was found nowhere.
pub fn run(options: &Options, command: Vec<String>) -> anyhow::Result<ExitStatus> {
    if options.quiet {
        terminal::quiet();
    }
    if options
        .since
        .zip(options.until)
        .is_some_and(|(since, until)| since >= until)
    {
        bail!("--since is later than --until\n  try: --since 2024-01-01 --until 2024-12-31");
    }
    let stop = Arc::new(AtomicBool::new(false));
    platform::on_interrupt(&stop)?;
    let existing = Case::existing(&options.case)?;
    let settings = Settings::load(&options.given(), existing.as_ref())?;
    let (patterns, opened) = beside(
        || Patterns::new(&settings.queries),
        || -> anyhow::Result<(Plan, Case)> {
            let plan = Plan::new(
                &options.sources,
                &options.incidents,
                options.rejudge,
                existing.as_ref(),
                &options.how(settings.organisation.is_none()),
            )?;
            let case = match existing {
                Some(case) => case,
                None => Case::open_or_make(&options.case, now())?,
            };
            Ok((plan, case))
        },
    );
    let (plan, case) = opened?;
    let scanned = patterns
        .and_then(|patterns| scan(options, &case, settings, patterns, &plan, command, &stop));
    match scanned {
        Ok(status) => Ok(status),
        Err(error) => {
            // A disk that is full, or a file that is in the way, costs nothing that was read.
            let of_the_system = error
                .chain()
                .any(|cause| cause.is::<rusqlite::Error>() || cause.is::<std::io::Error>());
            if !of_the_system {
                case.unmake();
            }
            Err(error)
        }
    }
}

impl Options {
    fn given(&self) -> Given<'_> {
        Given {
            queries: &self.queries,
            no_builtin: self.no_builtin_queries,
            rosters: &self.rosters,
            organisation: &self.organisation,
            min_confidence: self.min_confidence,
            rejudge: self.rejudge,
        }
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            since: self.since,
            until: self.until,
            folders: self.folders.clone(),
            sent_only: self.sent_only,
            received: self.received,
        }
    }

    /// How accounts are got into. `unknown`: nobody knows the organisation.
    fn how(&self, unknown: bool) -> How {
        let mut how = self.access.how(self.verbose > 1);
        how.stamps = unknown;
        how.sent_only = self.sent_only;
        let bounds = self.bounds();
        how.named = (!self.folders.is_empty())
            .then(|| Box::new(move |folder: &str| bounds.hold_folder(folder)) as _);
        how
    }

    fn jobs(&self) -> usize {
        self.jobs.map_or_else(pipeline::read::cores, usize::from)
    }
}

fn scan(
    options: &Options,
    case: &Case,
    settings: Settings,
    patterns: Patterns,
    plan: &Plan,
    command: Vec<String>,
    stop: &AtomicBool,
) -> anyhow::Result<ExitStatus> {
    let notes = settings.notes()?;
    case.begin()?;
    let run = case.start_scan(&command, options.jobs(), now())?;
    if case.new {
        // What a first scan reads is kept under its settings, should it be stopped.
        settings::remember(case, &notes)?;
    }
    case.commit()?;
    let filter = filter(&notes, &plan.wanted);
    let before = case.reported()?;
    let mut rules = Rules {
        patterns,
        queries: settings.queries,
        rosters: settings.rosters,
        organisation: settings.organisation.unwrap_or_default(),
        min_confidence: settings.min_confidence,
        digester: case.digester()?,
    };
    let mut read_now = Vec::new();
    for source in &plan.sources {
        match read(
            options,
            case,
            source.as_ref(),
            &rules,
            &plan.wanted,
            &filter,
            stop,
        )? {
            Some(reading) => read_now.push(reading),
            None => return stopped(options),
        }
    }
    let mut edited: Vec<String> = summary::edited(&worksheet::read_back(case, now())?)
        .into_iter()
        .collect();
    edited.extend(worksheet::read_others(case, now())?);
    let judging = Progress::new(
        "judging",
        Amount::Unknown,
        options.progress == When::Auto && !options.quiet,
    );
    case.begin()?;
    let settled = settings::remember(case, &notes)
        .and_then(|()| settle(options, case, &mut rules, plan, &read_now))
        .and_then(|remarks| Ok((remarks, hash(case, plan, &read_now, stop)?)));
    let (remarks, hashed) = match settled {
        Ok(settled) => settled,
        Err(error) => {
            case.roll_back();
            return Err(error);
        }
    };
    case.end_scan(run, now())?;
    case.log(now(), "scan", &command.join(" "))?;
    case.commit().context("the findings cannot be written; the case is as it was before\n  try: make room on the disk, then scan again: reading goes on where it stopped")?;
    let people = case.everybody()?;
    export::write_all(case, &people, &aside).with_context(|| format!("the findings are in the case, its tables could not be written\n  try: make room on the disk, then run: ccspill export '{}'", case.folder.display()))?;
    judging.end();
    let status = finish(options, case, &people, &rules, &before, edited, &remarks)?;
    if hashed {
        return Ok(status);
    }
    terminal::note("stopped. All is judged, but the SHA-256 of some messages was not taken");
    terminal::note("the same command takes it");
    Ok(ExitStatus::Stopped)
}

/// What decides which messages reading keeps: a reading that was cut off goes on only under the same.
fn filter(notes: &[(&'static str, String)], wanted: &Wanted) -> String {
    let sorted =
        |set: &rustc_hash::FxHashSet<String>| set.iter().cloned().collect::<BTreeSet<String>>();
    // Where nobody knew the organisation more was kept, and nothing else.
    let notes: Vec<_> = notes
        .iter()
        .filter(|(key, _)| *key != "organisation")
        .collect();
    format!(
        "{} {notes:?} {:?} {:?} {:?}",
        env!("CARGO_PKG_VERSION"),
        sorted(&wanted.message_ids),
        sorted(&wanted.keys),
        sorted(&wanted.people)
    )
}

/// Reads one source; `None` where it was stopped.
fn read(
    options: &Options,
    case: &Case,
    source: &dyn Source,
    rules: &Rules,
    wanted: &Wanted,
    filter: &str,
    stop: &AtomicBool,
) -> anyhow::Result<Option<i64>> {
    let bounds = options.bounds();
    let started = now();
    let absolute = place(source.name()).to_string_lossy().into_owned();
    let start = Start {
        source: source.name(),
        absolute: &absolute,
        kind: source.kind(),
        stamp: source.stamp().map(|stamp| {
            hex(&Sha256::digest(format!(
                "{stamp}
{filter}"
            )))
        }),
        bytes: source.bytes(),
        bounds: &serde_json::to_string(&bounds)?,
        grows: source.grows(),
        anew: options.rejudge,
    };
    let reading = case.start_reading(&start, started)?;
    if reading.units > 0 {
        let name = clean(source.name());
        terminal::note(&if source.grows() {
            format!("going on with '{name}': only what is new is read")
        } else {
            format!("going on with '{name}' where an earlier scan stopped")
        });
    }
    let mut progress = Progress::new(
        source.name(),
        match source.messages() {
            Some(messages) => Amount::Messages(messages),
            None => source.bytes().map_or(Amount::Unknown, Amount::Bytes),
        },
        options.progress == When::Auto && !options.quiet,
    );
    let how = pipeline::read::Options {
        jobs: options.jobs(),
        stop,
        task: Task {
            rules,
            wanted,
            now: started,
        },
        bounds: &bounds,
        hash: !options.no_source_hash,
    };
    let outcome = pipeline::read::read(source, reading, case, how, &mut progress);
    progress.end();
    match outcome.with_context(|| {
        format!(
            "reading '{}' stopped; what was read before is kept",
            clean(source.name())
        )
    })? {
        Outcome::Stopped => Ok(None),
        Outcome::Done(coverage, sha256) => {
            case.begin()?;
            case.end_reading(
                reading.id,
                sha256.as_deref(),
                coverage.not_mail,
                &coverage.limits,
                now(),
            )?;
            case.commit()?;
            Ok(Some(reading.id))
        }
    }
}

/// Takes SHA-256 of the reported messages of which it is not known yet: those that were read in part. False where it was
/// stopped before all were taken.
fn hash(case: &Case, plan: &Plan, read_now: &[i64], stop: &AtomicBool) -> anyhow::Result<bool> {
    let mut all = true;
    for (source, reading) in plan.sources.iter().zip(read_now) {
        let without = case.without_hash(*reading)?;
        if without.is_empty() {
            continue;
        }
        let mut noted = Ok(());
        let stopped = || stop.load(Ordering::Relaxed);
        source.digests(&without, &stopped, &mut |at, digest| {
            let Some((folder, position)) = without.get(at) else {
                return;
            };
            let digest = digest.map(|digest| hex(&digest));
            if digest.is_err() && stopped() {
                // It is taken by the next scan.
                all = false;
            } else if noted.is_ok() {
                noted = case.note_hash(*reading, folder, position, digest);
            }
        })?;
        noted?;
    }
    Ok(all)
}

fn stopped(options: &Options) -> anyhow::Result<ExitStatus> {
    terminal::note(&format!(
        "stopped. What was read is kept in '{}'; nothing was judged yet",
        options.case.display()
    ));
    terminal::note("the same command goes on where it stopped");
    Ok(ExitStatus::Stopped)
}

/// Judges, counts and writes the findings, inside one transaction.
fn settle(
    options: &Options,
    case: &Case,
    rules: &mut Rules,
    plan: &Plan,
    read_now: &[i64],
) -> anyhow::Result<Vec<String>> {
    if options.rejudge {
        case.forget_superseded_copies()?;
    }
    if rules.organisation.is_unknown() {
        rules.organisation = Organisation::inferred(&case.authors()?);
        if !rules.organisation.is_unknown() {
            case.remember("organisation", &serde_json::to_string(&rules.organisation)?)?;
            case.remember("inferred", "true")?;
        }
    } else if !options.organisation.is_empty() {
        case.forget("inferred")?;
    }
    let mut notes = judge::judge(case, rules, &plan.wanted, &plan.asked, read_now)?;
    let follows = case.decide_circles()?;
    if follows > 0 {
        notes.push(format!(
            "{} dismissed as their circles were: the same sender writing to the same people. Column review of messages.csv shows them; write look-again to see one again.",
            match follows {
                1 => "1 message is".to_owned(),
                several => format!("{several} messages are"),
            }
        ));
    }
    Ok(notes)
}

fn finish(
    options: &Options,
    case: &Case,
    people: &People,
    rules: &Rules,
    before: &BTreeSet<String>,
    edited: Vec<String>,
    notes: &[String],
) -> anyhow::Result<ExitStatus> {
    let added = !case.new;
    let context = summary::Context {
        added,
        edited,
        notes: notes.to_vec(),
        rosters: judge::rosters(people, rules),
        list: options.verbose > 0,
        brief: options.quiet,
    };
    terminal::say(&summary::of(case, people, &context)?);
    let new_and_bad = |harm: Harm| -> anyhow::Result<bool> {
        Ok(case
            .severities()?
            .iter()
            .any(|(id, severity)| *severity >= harm && !before.contains(id)))
    };
    if options
        .fail_on
        .map(new_and_bad)
        .transpose()?
        .unwrap_or(false)
    {
        return Ok(ExitStatus::No);
    }
    let unread = case
        .readings()?
        .iter()
        .any(|reading| reading.counts.unread > 0)
        || case.any_unread()?;
    Ok(if unread {
        ExitStatus::SomeUnread
    } else {
        ExitStatus::Done
    })
}
