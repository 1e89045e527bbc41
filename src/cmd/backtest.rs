//! `ccspill queries backtest`: what other thresholds would report, from what a case already holds. It reads and counts;
//! it judges nothing and writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::settings::MIN_CONFIDENCE;
use super::summary::wrap;
use crate::case::Case;
use crate::case::findings::Kept;
use crate::case::people::People;
use crate::cli::ExitStatus;
use crate::exposure::KEPT_FROM;
use crate::signal::thousands;
use crate::terminal;

/// Options of `queries backtest`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The folder of the case
    case: PathBuf,
}

/// Prints what each threshold would report, and what each query found.
///
/// # Errors
/// A case that cannot be used.
pub(super) fn run(options: &Options) -> anyhow::Result<ExitStatus> {
    let case = Case::open(&options.case)?;
    let own = case
        .recall("min_confidence")?
        .and_then(|text| text.parse().ok())
        .unwrap_or(MIN_CONFIDENCE);
    let findings = case.kept()?;
    let folder = options.case.display();
    if findings.is_empty() {
        terminal::say(&format!(
            "The case in '{folder}' holds no finding: no threshold would report one."
        ));
        return Ok(ExitStatus::Done);
    }
    // What a person's incident brings along below the threshold is reported at any: no threshold tells about it.
    let (judged, named): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|finding| finding.confidence >= own || !finding.reported);
    terminal::say(&wrap(&format!(
        "What each threshold (--min-confidence) would report in the case in '{folder}'. Its own is {own}."
    )));
    terminal::say("");
    let rows = thresholds(&judged, &case.everybody()?, own);
    terminal::say(&table(&rows, &[]));
    terminal::say(&format!(
        "\nWhat each query found at {own}, and below it.\n"
    ));
    terminal::say(&table(&groups(&judged, own), &[0]));
    terminal::say("");
    for line in notes(own, named.len()) {
        terminal::say(&wrap(&line));
    }
    Ok(ExitStatus::Done)
}

/// One row for each threshold, the header first.
fn thresholds(findings: &[Kept], everybody: &People, own: u8) -> Vec<Vec<String>> {
    let header = [
        "threshold",
        "findings",
        "incidents",
        "confirmed",
        "dismissed",
        "awaiting",
        "people",
    ];
    let confidence: BTreeMap<&str, u8> = (findings.iter())
        .map(|finding| (finding.id.as_str(), finding.confidence))
        .collect();
    // The surest finding of each person: from this threshold on nothing shows them.
    let surest: Vec<u8> = (everybody.people.iter())
        .filter_map(|person| {
            let shown = everybody.appearances(person).map(|(shown, _)| shown);
            shown
                .filter_map(|shown| confidence.get(shown.id.as_str()).copied())
                .max()
        })
        .collect();
    let mut steps: BTreeSet<u8> = (KEPT_FROM..=95).step_by(5).collect();
    steps.insert(own);
    let rows = steps.into_iter().map(|threshold| {
        let found = || {
            let all = findings.iter();
            all.filter(move |finding| finding.confidence >= threshold)
        };
        let decided = |review| found().filter(|finding| finding.review == review).count();
        let incidents: BTreeSet<&str> = found().map(|f| f.incident_id.as_str()).collect();
        let (confirmed, dismissed) = (decided("confirmed"), decided("dismissed"));
        let people = surest.iter().filter(|surest| **surest >= threshold);
        vec![
            threshold.to_string(),
            number(found().count()),
            number(incidents.len()),
            number(confirmed),
            number(dismissed),
            number(found().count() - confirmed - dismissed),
            if threshold < own {
                "?".to_owned()
            } else {
                number(people.count())
            },
        ]
    });
    std::iter::once(header.map(str::to_owned).to_vec())
        .chain(rows)
        .collect()
}

/// One row for each group that was found, the one with most reported findings first; the header before it.
fn groups(findings: &[Kept], own: u8) -> Vec<Vec<String>> {
    #[derive(Default)]
    struct Found {
        reported: usize,
        confirmed: usize,
        dismissed: usize,
        below: usize,
    }
    let mut all: BTreeMap<&str, Found> = BTreeMap::new();
    for finding in findings {
        for group in &finding.groups {
            let found = all.entry(group).or_default();
            if finding.confidence < own {
                found.below += 1;
                continue;
            }
            found.reported += 1;
            found.confirmed += usize::from(finding.review == "confirmed");
            found.dismissed += usize::from(finding.review == "dismissed");
        }
    }
    let mut rows: Vec<(&str, Found)> = all.into_iter().collect();
    // The sort is stable: what is alike stays in the order of its names.
    rows.sort_by_key(|(_, found)| std::cmp::Reverse((found.reported, found.below)));
    let header = ["query", "reported", "confirmed", "dismissed", "below"];
    std::iter::once(header.map(str::to_owned).to_vec())
        .chain(rows.into_iter().map(|(group, found)| {
            let Found {
                reported,
                confirmed,
                dismissed,
                below,
            } = found;
            let counts = [reported, confirmed, dismissed, below].map(number);
            [vec![group.to_owned()], counts.to_vec()].concat()
        }))
        .collect()
}

/// What the tables mean.
fn notes(own: u8, named: usize) -> Vec<String> {
    let mut out = vec![
        "A threshold is good where nearly all it reports is confirmed, and nothing below it would be.".to_owned(),
        "A finding counts for each of its groups. One that a person dismissed still counts as a finding, its people do not.".to_owned(),
        format!("People are told apart only in what is reported: below {own} their number is not known (?). A repeat of a reported message counts as sure as {own} at least."),
    ];
    if named > 0 {
        out.push(format!(
            "Not counted: {} that only a named incident brings along, at any threshold.",
            if named == 1 {
                "1 message".to_owned()
            } else {
                format!("{} messages", thousands(named as u64))
            }
        ));
    }
    out.push(
        "To apply another: scan the same sources again with --min-confidence N --rejudge."
            .to_owned(),
    );
    out
}

fn number(count: usize) -> String {
    thousands(count as u64)
}

/// Rows as columns that are as wide as their widest cell: those of `texts` begin at the left, numbers end at the right.
fn table(rows: &[Vec<String>], texts: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let lengths = rows.iter().map(|row| cell(row, column).chars().count());
            lengths.max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = (0..columns).map(|column| {
            let (text, width) = (cell(row, column), widths[column]);
            if texts.contains(&column) {
                format!("{text:<width$}")
            } else {
                format!("{text:>width$}")
            }
        });
        let text = cells.collect::<Vec<_>>().join("  ");
        format!("  {}", text.trim_end())
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
