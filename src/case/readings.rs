//! What was read and when, as the manifest and the summary tell it.

use rusqlite::params;
use serde_json::{Value, json};

use super::Case;
use super::count::Counts;

/// One source as it stands in the case.
#[derive(Clone, Debug)]
pub struct Read {
    /// As given.
    pub source: String,
    /// Its absolute path.
    pub absolute: String,
    /// Kind of store.
    pub kind: String,
    /// On disk.
    pub bytes: Option<i64>,
    /// Of the source as it was read.
    pub sha256: Option<String>,
    /// When reading began.
    pub started: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// What of it was wanted, as JSON.
    pub bounds: String,
    /// Folders: chain, role, messages.
    pub folders: Vec<Value>,
    /// What it cannot show.
    pub limits: Vec<String>,
    /// Messages.
    pub counts: Counts,
}

impl Case {
    /// Each source that is read, in a fixed order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn readings(&self) -> anyhow::Result<Vec<Read>> {
        let mut statement = self.db.prepare(
            "SELECT source, absolute, kind, bytes, sha256, started, ended, bounds, not_mail, limits, read, judged, received, duplicates, unread, outside, id
             FROM reading WHERE current = 1 ORDER BY source, absolute, id",
        )?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let count =
                |at: usize| -> rusqlite::Result<u64> { Ok(row.get::<_, i64>(at)?.unsigned_abs()) };
            out.push(Read {
                source: row.get(0)?,
                absolute: row.get(1)?,
                kind: row.get(2)?,
                bytes: row.get(3)?,
                sha256: row.get(4)?,
                started: row.get(5)?,
                ended: row.get(6)?,
                bounds: row.get(7)?,
                limits: serde_json::from_str(row.get_ref(9)?.as_str()?)?,
                counts: Counts {
                    read: count(10)?,
                    judged: count(11)?,
                    received: count(12)?,
                    duplicates: count(13)?,
                    unread: count(14)?,
                    outside: count(15)?,
                    not_mail: count(8)?,
                },
                folders: self.folders(row.get(16)?)?,
            });
        }
        Ok(out)
    }

    fn folders(&self, reading: i64) -> anyhow::Result<Vec<Value>> {
        let mut statement = self.db.prepare_cached(
            "SELECT chain, role, coalesce(sum(messages), 0) FROM folder LEFT JOIN block ON block.folder_id = folder.id WHERE folder.reading_id = ?1 GROUP BY folder.id ORDER BY chain",
        )?;
        let rows = statement.query_map([reading], |row| Ok(json!({ "folder": row.get::<_, String>(0)?, "role": row.get::<_, String>(1)?, "messages": row.get::<_, i64>(2)? })))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every run of `scan`, for the manifest.
    ///
    /// # Errors
    /// Those of the database.
    pub fn scans(&self) -> anyhow::Result<Vec<Value>> {
        let mut statement = self
            .db
            .prepare("SELECT started, ended, version, command FROM scan ORDER BY id")?;
        let rows = statement.query_map([], |row| {
            let command: Value = serde_json::from_str(row.get_ref(3)?.as_str()?).unwrap_or(Value::Null);
            let (started, ended): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
            Ok(json!({ "started": crate::case::readings::utc(Some(started)), "ended": crate::case::readings::utc(ended), "version": row.get::<_, String>(2)?, "command": command }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes that a scan began, and gives its row.
    ///
    /// # Errors
    /// Those of the database.
    pub fn start_scan(&self, command: &[String], jobs: usize, now: i64) -> anyhow::Result<i64> {
        self.db.execute(
            "INSERT INTO scan (started, version, command, jobs) VALUES (?1, ?2, ?3, ?4)",
            params![
                now,
                env!("CARGO_PKG_VERSION"),
                serde_json::to_string(command)?,
                jobs as i64
            ],
        )?;
        Ok(self.db.last_insert_rowid())
    }

    /// Notes that a scan ended.
    ///
    /// # Errors
    /// Those of the database.
    pub fn end_scan(&self, scan: i64, now: i64) -> anyhow::Result<()> {
        self.db
            .execute("UPDATE scan SET ended = ?2 WHERE id = ?1", [scan, now])?;
        Ok(())
    }

    /// Findings that are reported, and those below the threshold.
    ///
    /// # Errors
    /// Those of the database.
    pub fn finding_counts(&self) -> anyhow::Result<[i64; 2]> {
        Ok(self.db.query_row(
            "SELECT coalesce(sum(reported), 0), coalesce(sum(1 - reported), 0) FROM finding",
            [],
            |row| Ok([row.get(0)?, row.get(1)?]),
        )?)
    }

    /// Message-IDs of the incidents that a person named.
    ///
    /// # Errors
    /// Those of the database.
    pub fn incidents(&self) -> anyhow::Result<Vec<String>> {
        let mut statement = self
            .db
            .prepare("SELECT message_id FROM incident ORDER BY key")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// A time as RFC 3339 in UTC.
pub fn utc(seconds: Option<i64>) -> Option<String> {
    seconds
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map(|time| time.to_string())
}
