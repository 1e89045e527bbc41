//! `messages.csv`: one row for each exposure. Dismissed ones stay here, and only here.

use super::csv::{Table, time};
use super::text;
use crate::case::Case;

const COLUMNS: [&str; 25] = [
    "exposure_id",
    "incident_id",
    "groups",
    "severity",
    "confidence",
    "why",
    "sent",
    "from",
    "subject",
    "visible",
    "exposed",
    "audience",
    "named_full",
    "named_partial",
    "field",
    "aftermath",
    "repeat_of",
    "source",
    "folder",
    "position",
    "message_id",
    "sha256",
    "also_at",
    "review",
    "circle_id",
];

/// Makes the file, by time and id.
///
/// # Errors
/// Those of the database.
pub fn make(case: &Case) -> anyhow::Result<Vec<u8>> {
    let mut table = Table::new(&COLUMNS)?;
    let mut statement = case.db.prepare(
        "SELECT exposure_id, incident_id, groups, severity, confidence, why, '', author, subject, visible, exposed, audience, named_full, named_partial,
                field, aftermath, repeat_of, source, folder, position, message_id, sha256, also_at, coalesce(decision.review, ''), circle_id, sent
         FROM finding LEFT JOIN decision USING (exposure_id) WHERE reported = 1 ORDER BY sent IS NULL, sent, exposure_id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut cells = text(row, COLUMNS.len())?;
        cells[6] = time(row.get(COLUMNS.len())?).into();
        table.row(cells.iter().map(|cell| &**cell))?;
    }
    table.finish()
}
