//! The files of a case that people read, one file of code each. Every export is made from `case.db` alone, whole, in a
//! fixed order of rows; it is written aside and renamed, `manifest.json` last.

pub mod csv;
pub mod exposures;
pub mod manifest;
pub mod messages;
pub mod people;
pub mod unread;
pub mod viewers;
pub mod worksheet;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::case::people::People;
use crate::platform;
use crate::query::hex;

/// A file that is written aside: its path there, its name, its SHA-256.
pub struct Staged(tempfile::TempPath, &'static str, String);

/// What makes one file and writes it aside.
pub type Job<'a> = Box<dyn Fn() -> anyhow::Result<Staged> + Sync + 'a>;

/// Writes every export anew, the files `side_by_side`. `people` are [`Case::everybody`]. What an officer wrote into
/// `people.csv` must have been read back before, by [`worksheet::read_back`].
///
/// # Errors
/// A file that cannot be written; the previous one is then still whole.
pub fn write_all(
    case: &Case,
    people: &People,
    side_by_side: &dyn Fn(&[Job<'_>]) -> Vec<anyhow::Result<Staged>>,
) -> anyhow::Result<()> {
    let cannot = |name: &str| format!("cannot make {name}");
    let folder = case.folder.as_path();
    let follow_ups = case.follow_ups().with_context(|| cannot("people.csv"))?;
    let messages = messages::make(case).with_context(|| cannot("messages.csv"))?;
    let unread = unread::make(case).with_context(|| cannot("unread.csv"))?;
    let jobs: [Job<'_>; 5] = [
        Box::new(|| {
            let made = people::make(people, &follow_ups);
            stage(
                folder,
                "people.csv",
                &made.with_context(|| cannot("people.csv"))?,
            )
        }),
        Box::new(|| {
            let made = viewers::make(people);
            stage(
                folder,
                "viewers.csv",
                &made.with_context(|| cannot("viewers.csv"))?,
            )
        }),
        Box::new(|| stage(folder, "messages.csv", &messages)),
        Box::new(|| {
            let made = exposures::make(people);
            stage(
                folder,
                "exposures.csv",
                &made.with_context(|| cannot("exposures.csv"))?,
            )
        }),
        Box::new(|| stage(folder, "unread.csv", &unread)),
    ];
    let mut staged: Vec<Staged> = side_by_side(&jobs)
        .into_iter()
        .collect::<anyhow::Result<_>>()?;
    let hashes: BTreeMap<String, String> = staged
        .iter()
        .map(|Staged(_, name, sha256)| ((*name).to_owned(), sha256.clone()))
        .collect();
    let manifest = manifest::make(case, people.people.len(), &hashes)
        .with_context(|| cannot("manifest.json"))?;
    staged.push(stage(folder, "manifest.json", &manifest)?);
    for Staged(path, name, _) in staged {
        let goal = folder.join(name);
        path.persist(&goal).with_context(|| {
            format!(
                "cannot replace '{}'\n  try: close it in other programs, then run ccspill again",
                goal.display()
            )
        })?;
    }
    case.note_exports(&hashes)
}

/// Writes bytes to a private file beside the goal.
fn stage(folder: &Path, name: &'static str, bytes: &[u8]) -> anyhow::Result<Staged> {
    let cannot = || {
        format!(
            "cannot write {name} into '{}'\n  try: make room on the disk, then run ccspill again",
            folder.display()
        )
    };
    let path = tempfile::TempPath::try_from_path(folder.join(format!(".{name}.new")))
        .with_context(cannot)?;
    let mut file = platform::private_file(&path).with_context(cannot)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .with_context(cannot)?;
    Ok(Staged(path, name, hex(&Sha256::digest(bytes))))
}

/// Columns of a row as text, in order.
fn text<'a>(row: &'a rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<Vec<Cow<'a, str>>> {
    use rusqlite::types::ValueRef;
    (0..columns)
        .map(|at| {
            Ok(match row.get_ref(at)? {
                ValueRef::Null => Cow::Borrowed(""),
                ValueRef::Integer(number) => number.to_string().into(),
                ValueRef::Real(number) => number.to_string().into(),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes),
            })
        })
        .collect()
}
