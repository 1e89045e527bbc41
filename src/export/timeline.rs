//! `timeline.csv`: each incident in the order of time: its exposures, and what happened beside them.

use super::csv::{Table, time};
use super::text;
use crate::case::Case;

const COLUMNS: [&str; 9] = [
    "incident_id",
    "at",
    "event",
    "by",
    "people",
    "exposure_id",
    "source",
    "folder",
    "position",
];

/// Makes the file, by incident in the order of their beginnings, then by time. What was dismissed stands not in it.
///
/// # Errors
/// Those of the database.
pub fn make(case: &Case) -> anyhow::Result<Vec<u8>> {
    let mut table = Table::new(&COLUMNS)?;
    let mut statement = case.db.prepare(
        "WITH shown AS (
           SELECT finding.* FROM finding LEFT JOIN decision USING (exposure_id)
           WHERE reported = 1 AND coalesce(decision.review, '') <> 'dismissed'),
         began AS (SELECT incident_id, min(coalesce(sent, 9223372036854775807)) AS first FROM shown GROUP BY incident_id),
         entry AS (
           SELECT incident_id, sent AS at, step AS event,
                  iif(inside, 'insider', 'outsider') AS by,
                  exposed AS people, exposure_id, source, folder, position, 0 AS beside FROM shown
           UNION ALL
           SELECT event.incident_id, iif(what = 'last-answer', max(at), min(at)), what, iif(max(event.inside), 'insider', 'outsider'), max(people),
                  min(event.exposure_id), min(event.source), min(event.folder), min(event.position), 1
           FROM event JOIN shown USING (exposure_id) GROUP BY event.incident_id, what, key)
         SELECT incident_id, '', event, by, people, exposure_id, source, folder, position, at
         FROM entry JOIN began USING (incident_id)
         ORDER BY first, incident_id, at IS NULL, at, beside, event <> 'first', event, exposure_id, source, folder, position",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut cells = text(row, COLUMNS.len())?;
        cells[1] = time(row.get(COLUMNS.len())?).into();
        table.row(cells.iter().map(|cell| &**cell))?;
    }
    table.finish()
}
