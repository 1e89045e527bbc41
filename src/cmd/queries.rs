//! `ccspill queries`: lists, checks and tests queries; `backtest` stands in its own file.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;

use super::{backtest, settings};
use crate::cli::ExitStatus;
use crate::exposure::{self, Rules, Verdict};
use crate::facts::{Reader, Task, Wanted};
use crate::history::{Digester, History};
use crate::message::Address;
use crate::person::Organisation;
use crate::place::{Position, Role};
use crate::query::{Example, Patterns, Query, builtin};
use crate::source::{Extent, Marks, Raw};
use crate::terminal;

/// Options of `queries`.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List queries: built-in ones, or those of PATH
    List(Paths),
    /// Check that queries are well written
    Check(Paths),
    /// Run every example of every query as if it were mail
    Test(Paths),
    /// Show what each threshold would report, from the findings and decisions of a case
    ///
    /// A case keeps what it does not report, from confidence 25 on. Nothing is read or judged anew, and nothing is
    /// changed. Decisions count as the case holds them: where messages.csv was edited, run `ccspill export CASE` first.
    Backtest(backtest::Options),
}

#[derive(Debug, clap::Args)]
struct Paths {
    /// A .toml file, or a folder of them; without any, the built-in queries
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Paths {
    fn load(&self) -> anyhow::Result<Vec<Query>> {
        let paths: Vec<String> = self
            .paths
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        let builtin = if paths.is_empty() {
            builtin::all()?
        } else {
            Vec::new()
        };
        settings::queries(&paths, builtin)
    }
}

/// Lists, checks, tests or looks back.
///
/// # Errors
/// A path that cannot be read; for `list` and `test` a query that is wrong; for `backtest` a case that cannot be used.
pub fn run(options: &Options) -> anyhow::Result<ExitStatus> {
    match &options.action {
        Action::List(paths) => list(&paths.load()?),
        Action::Check(paths) => check(paths),
        Action::Test(paths) => test(paths.load()?),
        Action::Backtest(options) => backtest::run(options),
    }
}

fn list(queries: &[Query]) -> anyhow::Result<ExitStatus> {
    let width = queries
        .iter()
        .map(|query| query.id.chars().count())
        .max()
        .unwrap_or(0);
    for query in queries {
        terminal::say(&format!(
            "{:<width$}  {:<8}  {}",
            query.id, query.harm, query.title
        ));
    }
    Ok(ExitStatus::Done)
}

/// Checks each file and names everything that is wrong, not only the first.
fn check(paths: &Paths) -> anyhow::Result<ExitStatus> {
    if paths.paths.is_empty() {
        let all = paths.load()?;
        terminal::say(&format!("{} built-in queries are well written.", all.len()));
        return Ok(ExitStatus::Done);
    }
    let mut good = 0;
    let mut wrong = Vec::new();
    for path in &paths.paths {
        for file in settings::query_files(path)? {
            match settings::query(&file) {
                Ok(_) => good += 1,
                Err(error) => wrong.push(error),
            }
        }
    }
    if wrong.is_empty() {
        paths.load()?;
        terminal::say(&format!(
            "{good} {} well written.",
            if good == 1 { "query is" } else { "queries are" }
        ));
        return Ok(ExitStatus::Done);
    }
    let last = wrong.pop();
    wrong.iter().for_each(terminal::complain);
    match last {
        Some(error) => Err(error),
        None => Ok(ExitStatus::CannotRun),
    }
}

/// Runs every example through reading and judging. Each query is tried beside all others given, as in a scan; an example
/// must be reported, or not, for its own query.
fn test(queries: Vec<Query>) -> anyhow::Result<ExitStatus> {
    if queries.is_empty() {
        bail!("there is no query to test");
    }
    let mut rules = Rules {
        patterns: Patterns::new(&queries)?,
        queries,
        rosters: Vec::new(),
        organisation: Organisation::default(),
        min_confidence: 50,
        digester: Digester { k0: 1, k1: 2 },
    };
    let (mut right, mut wrong) = (0, 0);
    for index in 0..rules.queries.len() {
        let (id, examples) = (
            rules.queries[index].id.clone(),
            rules.queries[index].examples.clone(),
        );
        for (number, example) in examples.iter().enumerate() {
            let verdict = run_example(example, &mut rules)
                .with_context(|| format!("example {} of '{id}'", number + 1))?;
            let reported = verdict.as_ref().is_some_and(|verdict| {
                verdict.confidence >= rules.min_confidence
                    && (!example.exposes || verdict.groups.contains(&id))
            });
            if reported == example.exposes {
                right += 1;
                continue;
            }
            wrong += 1;
            let what = if example.exposes {
                "should be reported and is not"
            } else {
                "should not be reported and is"
            };
            terminal::say(&format!(
                "{id}, example {} ({}): {what}",
                number + 1,
                example.subject
            ));
            match &verdict {
                Some(verdict) => terminal::say(&format!(
                    "  confidence {}, groups {}: {}",
                    verdict.confidence,
                    verdict.groups.join(", "),
                    verdict.why
                )),
                None => terminal::say("  no signal at all"),
            }
        }
    }
    terminal::say(&format!("{right} examples hold, {wrong} do not."));
    Ok(if wrong == 0 {
        ExitStatus::Done
    } else {
        ExitStatus::No
    })
}

fn run_example(example: &Example, rules: &mut Rules) -> anyhow::Result<Option<Verdict>> {
    rules.organisation = Organisation::default();
    if let Some(domain) = Address::new(&format!("x@{}", example.organisation())) {
        rules
            .organisation
            .domains
            .insert(domain.domain().to_owned());
    }
    let mail = example.mail();
    let raw = Raw {
        position: Position::Path("example".to_owned()),
        bytes: mail.as_bytes(),
        extent: Extent::Whole,
        sha256: None,
        marks: Marks::default(),
        head_lines: &[],
    };
    let wanted = Wanted::default();
    let task = Task {
        rules,
        wanted: &wanted,
        now: 4_102_444_800,
    };
    let mut reader = Reader::new(task);
    let facts = reader
        .read(&raw, Role::Sent)
        .map_err(|reason| anyhow::anyhow!("it is no mail: {reason}"))?;
    Ok(facts
        .candidate
        .and_then(|candidate| exposure::judge(&candidate, &History::default(), rules)))
}
