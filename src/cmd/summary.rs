//! What a scan says at its end, in about ten lines: what was found, in what, what was covered, what to do next.

use std::collections::BTreeSet;

use super::settings::domains;
use crate::case::Case;
use crate::case::count::Counts;
use crate::case::findings::Reported;
use crate::case::ladder::{AtLeast, Ladder};
use crate::case::people::People;
use crate::case::readings::utc;
use crate::export::worksheet::Edited;
use crate::person::Organisation;
use crate::signal::{listed, people, thousands};
use crate::terminal;

/// What the summary is told beside the case.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    /// The case was there before.
    pub(super) added: bool,
    /// What became of edited tables.
    pub(super) edited: Vec<String>,
    /// Remarks of judgement.
    pub(super) notes: Vec<String>,
    /// Who of each roster was exposed.
    pub(super) rosters: Vec<String>,
    /// A line for each finding.
    pub(super) list: bool,
    /// One line.
    pub(super) brief: bool,
}

/// What became of an edited people.csv, as a sentence.
pub(super) fn edited(edited: &Edited) -> Option<String> {
    match edited {
        Edited::No => None,
        Edited::Read(0) => {
            Some("people.csv was saved by another program; nothing in it had changed.".to_owned())
        }
        Edited::Read(count) => Some(format!(
            "What was written into people.csv about {} is kept.",
            people(*count)
        )),
        Edited::Kept(path) => Some(format!(
            "people.csv could not be read back. It is kept as '{}'; what was written in it is not in the case.",
            path.display()
        )),
    }
}

/// How many of something, with its word.
fn count(number: u64, word: &str) -> String {
    let plural = match word.strip_suffix('y') {
        _ if number == 1 => word.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None => format!("{word}s"),
    };
    format!("{} {plural}", thousands(number))
}

/// The summary, ready to print.
///
/// # Errors
/// Those of the database.
pub(super) fn of(case: &Case, everybody: &People, context: &Context) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    let folder = case.folder.display().to_string();
    if context.added {
        lines.push(format!("Added to the case in '{folder}'."));
    }
    let findings = case.findings()?;
    let reported: Vec<_> = findings
        .iter()
        .filter(|finding| finding.review != "dismissed")
        .collect();
    // What a named incident brings along may expose nobody: it is told, and not counted.
    let (open, contact): (Vec<_>, Vec<_>) =
        reported.iter().partition(|finding| finding.exposed > 0);
    let mut total = Counts::default();
    case.readings()?
        .iter()
        .for_each(|reading| total.add(&reading.counts));
    lines.push(match (open.is_empty(), total.judged) {
        (false, _) => headline(&open, everybody.people.len()),
        (true, 0) => nothing_judged(case, &total)?,
        (true, _) => "No message was found that showed people of a sensitive group to one another."
            .to_owned(),
    });
    if !context.brief {
        lines.extend(worst(&open, context.list));
        if !open.is_empty() {
            lines.extend(counted(&everybody.ladder, everybody.at_least.is_exact()));
            lines.extend(may_be_more(&everybody.at_least));
        }
        if !contact.is_empty() {
            lines.push(format!(
                "{} of ordinary contact between people of the incident; see messages.csv.",
                count(contact.len() as u64, "message")
            ));
        }
        lines.extend(context.rosters.iter().cloned());
        lines.extend(context.notes.iter().cloned());
        let [_, kept] = case.finding_counts()?;
        if kept > 0 {
            lines.push(format!("{} below the threshold {} in the case; see them with --min-confidence and --rejudge.", count(kept.unsigned_abs(), "more message"), if kept == 1 { "stays" } else { "stay" }));
        }
        lines.push(String::new());
        lines.extend(coverage(case)?);
        lines.extend(context.edited.clone());
        lines.push(String::new());
        lines.push(next(&folder, reported.is_empty()));
    }
    Ok(lines
        .iter()
        .map(|line| wrap(line))
        .collect::<Vec<_>>()
        .join("\n"))
}

/// How many people, in how many messages, how far decided.
fn headline(open: &[&Reported], exposed: usize) -> String {
    let incidents: BTreeSet<&str> = open
        .iter()
        .map(|finding| finding.incident_id.as_str())
        .collect();
    let waiting = open
        .iter()
        .filter(|finding| finding.review != "confirmed")
        .count();
    let decided = match open.len() - waiting {
        0 => "all awaiting decision".to_owned(),
        confirmed if waiting == 0 => format!("{confirmed} confirmed"),
        confirmed => format!("{confirmed} confirmed, {waiting} awaiting decision"),
    };
    format!(
        "{} exposed in {}, {}; {decided}.",
        people(exposed),
        count(open.len() as u64, "message"),
        count(incidents.len() as u64, "incident")
    )
}

/// How the people were counted, where that says more than their number.
fn counted(ladder: &Ladder, exact: bool) -> Option<String> {
    if ladder.repeats + ladder.merged + ladder.shared == 0 {
        return None;
    }
    let mut steps = vec![
        count(ladder.appearances, "appearance"),
        match ladder.addresses {
            1 => "1 distinct address".to_owned(),
            addresses => format!("{} distinct addresses", thousands(addresses)),
        },
    ];
    let address = |number, word: &str| match number {
        1 => format!("1 {word} address"),
        number => format!("{} {word} addresses", thousands(number)),
    };
    for (number, words) in [
        (ladder.lists, count(ladder.lists, "list")),
        (
            ladder.role_addresses,
            address(ladder.role_addresses, "role"),
        ),
        (
            ladder.insiders,
            match ladder.insiders {
                1 => "1 insider who is not exposed".to_owned(),
                insiders => format!("{} insiders who are not exposed", thousands(insiders)),
            },
        ),
        (ladder.senders, count(ladder.senders, "sender")),
        (
            ladder.not_exposed,
            format!("{} not of the group", thousands(ladder.not_exposed)),
        ),
    ] {
        if number > 0 {
            steps.push(format!("less {words}"));
        }
    }
    if ladder.merged > 0 {
        steps.push(format!("{} merged", thousands(ladder.merged)));
    }
    if ladder.shared > 0 {
        let by = match (ladder.shared_addresses, ladder.shared) {
            (addresses, more) if addresses == more => "two".to_owned(),
            (addresses, more) => format!("{} people", thousands(addresses + more)),
        };
        steps.push(format!(
            "{} shared by {by}",
            thousands(ladder.shared_addresses)
        ));
    }
    let at_least = if exact { "" } else { ", at least" };
    let undo = match ladder.merged {
        0 => "",
        _ => " merges.csv says why they were merged; yes in its column keep_apart undoes it.",
    };
    Some(format!(
        "{}: {}{at_least}.{undo}",
        steps.join(", "),
        people(ladder.people as usize)
    ))
}

/// What could raise the number of people.
fn may_be_more(at_least: &AtLeast) -> Option<String> {
    let lists = match at_least.lists {
        1 => "1 list address whose members are not known".to_owned(),
        lists => format!(
            "{} list addresses whose members are not known",
            thousands(lists)
        ),
    };
    let why: Vec<String> = [
        (at_least.lists, lists),
        (
            at_least.unread_messages + at_least.unread_files,
            match (at_least.unread_messages, at_least.unread_files) {
                (messages, 0) => format!("{} that could not be read", count(messages, "message")),
                (0, files) => format!("{} that could not be read", count(files, "file")),
                (messages, files) => format!(
                    "{} and {} that could not be read",
                    count(messages, "message"),
                    count(files, "file")
                ),
            },
        ),
        (
            at_least.cut_messages,
            format!(
                "{} too long to be looked at whole",
                count(at_least.cut_messages, "message")
            ),
        ),
        (
            at_least.names_only,
            format!(
                "{} shown by name only",
                count(at_least.names_only, "recipient")
            ),
        ),
    ]
    .into_iter()
    .filter_map(|(number, words)| (number > 0).then_some(words))
    .collect();
    (!why.is_empty()).then(|| format!("There may be more people: {}.", why.join(", ")))
}

/// Why nothing was judged: a clean result would be a lie.
fn nothing_judged(case: &Case, total: &Counts) -> anyhow::Result<String> {
    let organisation: Option<Organisation> = case
        .recall("organisation")?
        .map(|text| serde_json::from_str(&text))
        .transpose()?;
    let mut why = Vec::new();
    if total.received > 0 {
        why.push(match organisation {
            Some(organisation) => format!(
                "no message that was read was sent from {}; check --org",
                domains(&organisation)
            ),
            None => "all that was read are drafts".to_owned(),
        });
    }
    if total.outside > 0 {
        why.push(format!(
            "{} outside --since, --until, --folder or --sent-only",
            count(total.outside, "message")
        ));
    }
    if why.is_empty() {
        why.push("no message was read".to_owned());
    }
    Ok(format!(
        "Nothing was judged: {}. This says nothing about the mailbox.",
        why.join("; ")
    ))
}

/// The worst findings, a line each.
fn worst(open: &[&Reported], all: bool) -> Vec<String> {
    let mut order: Vec<_> = open.to_vec();
    order.sort_by_key(|finding| {
        (
            std::cmp::Reverse(finding.severity),
            std::cmp::Reverse(finding.exposed),
            std::cmp::Reverse(finding.confidence),
        )
    });
    let shown = if all { order.len() } else { 5 };
    let mut lines: Vec<String> = order
        .iter()
        .take(shown)
        .map(|finding| {
            let sent = utc(finding.sent);
            let day = sent
                .as_deref()
                .map_or("no date", |sent| sent.get(..10).unwrap_or(sent));
            let confidence = if finding.confidence == 0 {
                "  –  ".to_owned()
            } else {
                format!("{:>3} %", finding.confidence)
            };
            let room = terminal::width().saturating_sub(48).max(12);
            let mut subject: String = finding.subject.chars().take(room).collect();
            if finding.subject.chars().count() > room {
                subject.pop();
                subject.push('…');
            }
            format!(
                "  {:<8}  {confidence}  {day}  {:>6} exposed  {subject}",
                finding.severity,
                thousands(finding.exposed)
            )
        })
        .collect();
    if order.len() > shown {
        lines.push(format!(
            "  … and {} more in messages.csv",
            order.len() - shown
        ));
    }
    lines
}

fn coverage(case: &Case) -> anyhow::Result<Vec<String>> {
    let readings = case.readings()?;
    let mut total = Counts::default();
    readings
        .iter()
        .for_each(|reading| total.add(&reading.counts));
    let mut lines = Vec::new();
    let time = case.span()?;
    let span = time
        .as_ref()
        .filter(|_| total.read > 0)
        .map_or_else(String::new, |time| {
            format!(", sent from {} to {}", time.first, time.last)
        });
    let outside = if total.outside > 0 {
        format!(
            "; {} more outside what was asked for",
            thousands(total.outside)
        )
    } else {
        String::new()
    };
    lines.push(format!(
        "Covered: {} from {}{span}: {} judged, {} received or drafts, {}, {} unread{outside}.",
        count(total.read, "message"),
        count(readings.len() as u64, "source"),
        thousands(total.judged),
        thousands(total.received),
        count(total.duplicates, "duplicate"),
        thousands(total.unread)
    ));
    if let Some(time) = time.filter(|time| !time.without.is_empty()) {
        lines.push(format!("No mail at all in {}.", listed(&time.without, 12)));
    }
    if case.any_unread()? {
        lines.push(
            "Some mail could not be read: unread.csv lists each piece with its place and reason."
                .to_owned(),
        );
    }
    if total.not_mail > 0 {
        let was = if total.not_mail == 1 { "was" } else { "were" };
        lines.push(format!(
            "{} in the folders {was} no mail.",
            count(total.not_mail, "file")
        ));
    }
    let limits: BTreeSet<&str> = readings
        .iter()
        .flat_map(|reading| reading.limits.iter().map(String::as_str))
        .collect();
    lines.extend(limits.into_iter().take(4).map(str::to_owned));
    let organisation: Option<Organisation> = case
        .recall("organisation")?
        .map(|text| serde_json::from_str(&text))
        .transpose()?;
    match organisation {
        None => lines.push("No organisation is known, so every sender was judged and everybody counts as an outsider; name it with --org.".to_owned()),
        Some(organisation) if case.recall("inferred")?.is_some() => {
            lines.push(format!("Organisation, inferred from the senders: {}. If that is wrong, name it with --org and --rejudge.", domains(&organisation)));
        }
        Some(_) => {}
    }
    lines.push("Not proof of absence: mail deleted before the scan, and mail elsewhere, is not in this. Bcc that a server dropped cannot be seen.".to_owned());
    Ok(lines)
}

fn next(folder: &str, nothing: bool) -> String {
    if nothing {
        return format!("The case is in '{folder}'; manifest.json says what was covered.");
    }
    let files: Vec<String> = ["people.csv", "viewers.csv", "messages.csv"]
        .map(|file| format!("{folder}/{file}"))
        .to_vec();
    format!(
        "Next: read messages.csv and write confirmed or dismissed into its column review; then follow up people.csv, and scan or export again. Do not recall the message and do not write to the list again. Files: {}.",
        listed(&files, 3)
    )
}

/// Breaks a line at the terminal's width; a table's line is cut instead.
pub(super) fn wrap(line: &str) -> String {
    let width = terminal::width();
    if line.starts_with("  ") {
        return line.chars().take(width).collect();
    }
    let mut out = String::new();
    let mut column = 0;
    for word in line.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}
