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

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::platform;
use crate::query::hex;

/// An export: its file name, and what makes its bytes.
type Export = (&'static str, fn(&Case) -> anyhow::Result<Vec<u8>>);

/// All but the manifest, in the order in which they are written.
const EXPORTS: [Export; 5] = [
    ("people.csv", people::make),
    ("viewers.csv", viewers::make),
    ("messages.csv", messages::make),
    ("exposures.csv", exposures::make),
    ("unread.csv", unread::make),
];

/// Writes every export anew. What an officer wrote into `people.csv` must have been read back before, by
/// [`worksheet::read_back`].
///
/// # Errors
/// A file that cannot be written; the previous one is then still whole.
pub fn write_all(case: &Case) -> anyhow::Result<()> {
    let mut hashes = BTreeMap::new();
    let mut made = Vec::new();
    for (name, make) in EXPORTS {
        let bytes = make(case).with_context(|| format!("cannot make {name}"))?;
        hashes.insert(name.to_owned(), hex(&Sha256::digest(&bytes)));
        made.push((name, bytes));
    }
    let manifest = manifest::make(case, &hashes).context("cannot make manifest.json")?;
    let staged: Vec<(tempfile::TempPath, &str)> = made
        .iter()
        .map(|(name, bytes)| (*name, bytes))
        .chain([("manifest.json", &manifest)])
        .map(|(name, bytes)| Ok((stage(&case.folder, name, bytes)?, name)))
        .collect::<anyhow::Result<_>>()?;
    for (path, name) in staged {
        let goal = case.folder.join(name);
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
fn stage(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<tempfile::TempPath> {
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
    Ok(path)
}

/// Columns of a row as text, in order.
fn text(row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<Vec<String>> {
    use rusqlite::types::ValueRef;
    (0..columns)
        .map(|at| {
            Ok(match row.get_ref(at)? {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    String::from_utf8_lossy(bytes).into_owned()
                }
            })
        })
        .collect()
}
