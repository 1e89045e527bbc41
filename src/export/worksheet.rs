//! Reads back what an officer wrote into `people.csv` before the file is replaced. Spreadsheets save it with other
//! separators, without BOM, in another character set, in another order: all of that is read. What cannot be read is kept
//! under another name.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::case::follow_up::FollowUp;
use crate::export::csv::unguarded;
use crate::message::Address;
use crate::query::{hex, roster};

/// The words that column `review` of `messages.csv` takes.
const REVIEWS: [&str; 3] = ["confirmed", "dismissed", "look-again"];
/// Tables that are not read back: an edited one is kept under another name.
const OTHERS: [&str; 4] = ["viewers.csv", "exposures.csv", "timeline.csv", "unread.csv"];

/// Reads the decisions that somebody wrote into column `review` of `messages.csv`, and keeps what was edited in tables that
/// are not read back. Gives a sentence for each.
///
/// # Errors
/// A database or folder that cannot be written.
pub fn read_others(case: &Case, now: i64) -> anyhow::Result<Vec<String>> {
    let mut said = Vec::new();
    for file in ["messages.csv"].into_iter().chain(OTHERS) {
        let path = case.folder.join(file);
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let Some(written) = case.exported(file)? else {
            continue;
        };
        if written == hex(&Sha256::digest(&bytes)) {
            continue;
        }
        let read = if file == "messages.csv" {
            decisions(case, &bytes, now)?
        } else {
            None
        };
        if let Some(text) = read {
            said.push(text);
            continue;
        }
        let kept = keep_aside(case, file)?;
        case.log(
            now,
            "an edited table was kept aside",
            &kept.display().to_string(),
        )?;
        said.push(format!(
            "{file} was edited. It is kept as '{}'; what was written in it is not in the case.",
            kept.display()
        ));
    }
    Ok(said)
}

/// A table as another program saved it.
struct Saved {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Saved {
    /// `None` where it is no table.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rows = roster::rows(bytes).ok()?;
        if rows.is_empty() {
            return None;
        }
        Some(Saved {
            header: rows.remove(0),
            rows,
        })
    }

    /// The place of a column, by its name in any case.
    fn column(&self, name: &str) -> Option<usize> {
        self.header
            .iter()
            .position(|cell| cell.trim().eq_ignore_ascii_case(name))
    }
}

/// Moves an edited table to the first free name `NAME.edited-N.csv`.
fn keep_aside(case: &Case, file: &str) -> anyhow::Result<PathBuf> {
    let stem = file.trim_end_matches(".csv");
    let kept = (1..)
        .map(|number| case.folder.join(format!("{stem}.edited-{number}.csv")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| case.folder.join(file));
    std::fs::rename(case.folder.join(file), &kept)?;
    Ok(kept)
}

/// Notes each decision that differs from the case's; `None` where the file is no such table.
fn decisions(case: &Case, bytes: &[u8], now: i64) -> anyhow::Result<Option<String>> {
    let Some(table) = Saved::read(bytes) else {
        return Ok(None);
    };
    let column = |name: &str| table.column(name);
    let rows = &table.rows;
    let (Some(id), Some(review)) = (column("exposure_id"), column("review")) else {
        return Ok(None);
    };
    let known = case.decisions()?;
    let (mut changed, mut unknown) = (0, Vec::new());
    case.begin()?;
    for row in rows {
        let cell = |at: usize| {
            row.get(at).map_or_else(String::new, |cell| {
                cell.trim().trim_start_matches('\'').to_lowercase()
            })
        };
        let (id, review) = (cell(id), cell(review));
        let Some(old) = known.get(&id).filter(|old| **old != review) else {
            continue;
        };
        if review.is_empty() || REVIEWS.contains(&review.as_str()) {
            case.decide(&id, &review, now)?;
            case.log(
                now,
                "decision read from messages.csv",
                &format!("{id}: {} to {}", word(old), word(&review)),
            )?;
            changed += 1;
        } else if !unknown.contains(&review) {
            unknown.push(crate::message::text::clean(&review));
        }
    }
    case.commit()?;
    let mut text = format!("{changed} decisions were read from messages.csv.")
        .replace("1 decisions were", "1 decision was");
    if !unknown.is_empty() {
        text += &format!(
            " Not understood in column review: {}. Write {}.",
            unknown.join(", "),
            REVIEWS.join(", ")
        );
    }
    Ok(Some(text))
}

fn word(review: &str) -> &str {
    if review.is_empty() {
        "awaiting decision"
    } else {
        review
    }
}

/// What became of an edited `people.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// It is as the case wrote it, or there is none.
    No,
    /// It was read: for so many people something was written.
    Read(usize),
    /// It could not be read and stands under this name now.
    Kept(PathBuf),
}

/// Reads the file back where it is not the one the case wrote, and logs that.
///
/// # Errors
/// A database or folder that cannot be written; never a damaged file.
pub fn read_back(case: &Case, now: i64) -> anyhow::Result<Edited> {
    let path = case.folder.join("people.csv");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Edited::No),
        // It may hold an officer's entries: no bytes are no table, so it is kept aside below.
        Err(_) => Vec::new(),
    };
    if case.exported("people.csv")?.as_deref() == Some(hex(&Sha256::digest(&bytes)).as_str()) {
        return Ok(Edited::No);
    }
    match entries(case, &bytes)? {
        Some(entries) => {
            case.begin()?;
            let known = case.follow_ups()?;
            let mut changed = 0;
            for (person, entry) in &entries {
                let old = known.get(person).cloned().unwrap_or_default();
                let new = FollowUp {
                    name: old.name.clone(),
                    shared: old.shared,
                    ..entry.clone()
                };
                if new != old {
                    case.note_follow_up(person, entry)?;
                    changed += 1;
                }
            }
            case.log(
                now,
                "people.csv read back",
                &format!("{changed} people changed"),
            )?;
            case.commit()?;
            Ok(Edited::Read(changed))
        }
        None => {
            let kept = keep_aside(case, "people.csv")?;
            case.log(
                now,
                "people.csv could not be read back",
                &kept.display().to_string(),
            )?;
            Ok(Edited::Kept(kept))
        }
    }
}

/// The officer's columns of each known person; `None` where the file is no such table.
fn entries(case: &Case, bytes: &[u8]) -> anyhow::Result<Option<Vec<(String, FollowUp)>>> {
    let Some(table) = Saved::read(bytes) else {
        return Ok(None);
    };
    let column = |name: &str| table.column(name);
    let rows = &table.rows;
    let (Some(id), Some(address)) = (column("person_id"), column("address")) else {
        return Ok(None);
    };
    let columns = [
        "review",
        "contact_by",
        "contacted_at",
        "contacted_by",
        "notes",
    ]
    .map(column);
    if columns.iter().all(Option::is_none) {
        return Ok(None);
    }
    let known = case.follow_ups()?;
    let mut out = Vec::new();
    for row in rows {
        // A spreadsheet may turn an id of digits into a number: then the address tells whose row it is.
        let by_id = row
            .get(id)
            .map(|cell| cell.trim().to_lowercase())
            .filter(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let by_address = row
            .get(address)
            .and_then(|cell| Address::new(cell.trim().trim_start_matches('\'')))
            .map(|address| case.person_of(address.as_str()))
            .transpose()?
            .flatten()
            .filter(|person| !person.contains(';'));
        let Some(person) = by_id.or(by_address) else {
            continue;
        };
        let old = known.get(&person).cloned().unwrap_or_default();
        let cell = |at: Option<usize>, old: &str| {
            at.map_or_else(
                || old.to_owned(),
                |at| {
                    row.get(at).map_or(String::new(), |cell| {
                        crate::message::text::clean(unguarded(cell.trim()))
                    })
                },
            )
        };
        let [review, contact_by, contacted_at, contacted_by, notes] = columns;
        out.push((
            person,
            FollowUp {
                name: String::new(),
                shared: false,
                review: cell(review, &old.review),
                contact_by: Some(cell(contact_by, &old.contact_by))
                    .filter(|by| by != "unknown")
                    .unwrap_or_default(),
                contacted_at: cell(contacted_at, &old.contacted_at),
                contacted_by: cell(contacted_by, &old.contacted_by),
                notes: cell(notes, &old.notes),
            },
        ));
    }
    Ok(Some(out))
}
