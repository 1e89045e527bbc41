//! `unread.csv`: each piece of mail that could not be read, with the reason.

use super::csv::Table;
use super::text;
use crate::case::Case;

const COLUMNS: [&str; 5] = ["source", "folder", "position", "bytes", "reason"];

/// Makes the file, by place.
///
/// # Errors
/// Those of the database.
pub fn make(case: &Case) -> anyhow::Result<Vec<u8>> {
    let mut table = Table::new(&COLUMNS)?;
    let mut statement = case.db.prepare(
        "SELECT reading.source, unread.folder, unread.position, unread.bytes, unread.reason FROM unread JOIN reading ON reading.id = unread.reading_id
         WHERE reading.current = 1 ORDER BY 1, 2, CAST(unread.position AS INTEGER), 3, 5, unread.rowid",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        table.row(text(row, COLUMNS.len())?.iter().map(|cell| &**cell))?;
    }
    table.finish()
}
