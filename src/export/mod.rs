//! The files of a case that people read, one file of code each. Every export is made from `case.db` alone, whole, in a
//! fixed order of rows; it is written aside and renamed, `manifest.json` last.

pub mod csv;
pub mod exposures;
pub mod manifest;
pub mod messages;
pub mod people;
pub mod timeline;
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

/// Does all jobs side by side, and meanwhile what can be done in this thread only.
pub type Run<'r> = dyn Fn(&[Job<'_>], &mut dyn FnMut()) -> Vec<anyhow::Result<Staged>> + 'r;

/// Writes every export anew. `people` are [`Case::everybody`]. What an officer wrote into `people.csv` must have been
/// read back before, by [`worksheet::read_back`].
///
/// # Errors
/// A file that cannot be written; the previous one is then still whole.
pub fn write_all(case: &Case, people: &People, run: &Run<'_>) -> anyhow::Result<()> {
    let cannot = |name: &str| format!("cannot make {name}");
    let folder = case.folder.as_path();
    let follow_ups = case.follow_ups().with_context(|| cannot("people.csv"))?;
    let write = |name, made: anyhow::Result<Vec<u8>>| {
        stage(folder, name, &made.with_context(|| cannot(name))?)
    };
    let jobs: [Job<'_>; 3] = [
        Box::new(|| write("people.csv", people::make(people, &follow_ups))),
        Box::new(|| write("viewers.csv", viewers::make(people))),
        Box::new(|| write("exposures.csv", exposures::make(people))),
    ];
    // What is asked of the database is asked from one thread.
    let mut asked = Vec::new();
    let mut staged = run(&jobs, &mut || {
        asked.push(write("messages.csv", messages::make(case)));
        asked.push(write("timeline.csv", timeline::make(case)));
        asked.push(write("unread.csv", unread::make(case)));
    });
    staged.append(&mut asked);
    let mut staged: Vec<Staged> = staged.into_iter().collect::<anyhow::Result<_>>()?;
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
