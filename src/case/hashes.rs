//! SHA-256 of findings whose messages were read in part: which are still without, and what was found out later. No message
//! is read here.

use rusqlite::params;

use super::Case;
use crate::place::Position;

/// How the reason begins where a hash could not be had.
const CANNOT: &str = "its SHA-256 could not be taken";

impl Case {
    /// Where the reported messages of a reading stand that have no SHA-256 yet: folder and position, in that order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn without_hash(&self, reading: i64) -> anyhow::Result<Vec<(String, Position)>> {
        let mut statement = self.db.prepare(
            "SELECT DISTINCT folder.chain, copy.position
             FROM finding JOIN copy ON copy.position = finding.position AND substr(copy.key, 1, 16) = finding.exposure_id
             JOIN folder ON folder.id = copy.folder_id AND folder.chain = finding.folder
             WHERE copy.reading_id = ?1 AND finding.reported = 1 AND finding.sha256 = ''
             ORDER BY folder.chain, copy.place",
        )?;
        let rows = statement.query_map([reading], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let mut out = Vec::new();
        for row in rows {
            let (folder, position) = row?;
            out.extend(Position::of_account(&position).map(|position| (folder, position)));
        }
        Ok(out)
    }

    /// Notes the SHA-256 of a message (lower-case hex), or why it cannot be had.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_hash(
        &self,
        reading: i64,
        folder: &str,
        position: &Position,
        sha256: Result<String, String>,
    ) -> anyhow::Result<()> {
        let position = position.to_string();
        self.db.execute(
            "DELETE FROM unread WHERE reading_id = ?1 AND folder = ?2 AND position = ?3 AND reason LIKE ?4 || '%'",
            params![reading, folder, position, CANNOT],
        )?;
        match sha256 {
            Ok(sha256) => {
                self.db.execute(
                    "UPDATE copy SET candidate = json_set(candidate, '$.sha256', ?4)
                     WHERE reading_id = ?1 AND position = ?3 AND folder_id IN (SELECT id FROM folder WHERE reading_id = ?1 AND chain = ?2)",
                    params![reading, folder, position, sha256],
                )?;
                self.db.execute(
                    "UPDATE finding SET sha256 = ?4 WHERE folder = ?2 AND position = ?3 AND sha256 = '' AND source = (SELECT source FROM reading WHERE id = ?1)",
                    params![reading, folder, position, sha256],
                )?;
            }
            Err(why) => {
                self.db.execute(
                    "INSERT INTO unread (reading_id, folder, position, bytes, reason, message)
                     SELECT ?1, ?2, ?3, NULL, ?4, 0 WHERE NOT EXISTS (SELECT 1 FROM unread WHERE reading_id = ?1 AND folder = ?2 AND position = ?3)",
                    params![reading, folder, position, format!("{CANNOT}: {why}")],
                )?;
            }
        }
        Ok(())
    }
}
