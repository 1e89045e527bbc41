//! The folders of a reading. Of an account also how far each was read, and what becomes of one that was made anew.

use rusqlite::{OptionalExtension, params};

use super::Case;
use crate::place::{Folder, Headway, Mark, Position, Role};

impl Case {
    /// The row of a folder, made if need be.
    pub(super) fn folder(&self, reading: i64, folder: &Folder) -> anyhow::Result<i64> {
        let role = folder.role.as_str();
        let known: Option<(i64, u32, bool)> = self
            .db
            .prepare_cached(
                "SELECT id, validity, role = ?3 FROM folder WHERE reading_id = ?1 AND chain = ?2",
            )?
            .query_row(params![reading, folder.chain, role], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        match known {
            // A validity of 0 is that of a folder that could not be opened now, or of one that is in no account.
            Some((id, _, _)) if folder.validity == 0 => return Ok(id),
            Some((id, validity, true)) if validity == folder.validity => return Ok(id),
            Some((id, 0, _)) => {
                self.db.execute(
                    "UPDATE folder SET validity = ?2, role = ?3 WHERE id = ?1",
                    params![id, folder.validity, role],
                )?;
                return Ok(id);
            }
            Some((id, _, _)) => self.set_aside(reading, id, &folder.chain)?,
            None => {}
        }
        self.db
            .prepare_cached(
                "INSERT INTO folder (reading_id, chain, role, validity) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![reading, folder.chain, role, folder.validity])?;
        Ok(self.db.last_insert_rowid())
    }

    /// Moves a folder to a reading of its own that is superseded, as one whose source was read again is: its UIDs mean
    /// other messages now, or it is read as something else. What is found again is known by its key; what is not stays a
    /// finding. How often its authors were seen in this scan is not taken back: that is counted by reading only.
    fn set_aside(&self, reading: i64, folder: i64, chain: &str) -> anyhow::Result<()> {
        self.db.execute(
            "INSERT INTO reading (mailbox, source, absolute, kind, started, ended, current, units, bounds)
             SELECT mailbox, source, absolute, kind, started, coalesce(ended, started), 0, units, bounds FROM reading WHERE id = ?1",
            [reading],
        )?;
        let old = self.db.last_insert_rowid();
        for table in ["block", "copy", "notice"] {
            self.db.execute(
                &format!("UPDATE {table} SET reading_id = ?2 WHERE folder_id = ?1"),
                [folder, old],
            )?;
        }
        self.db.execute(
            "UPDATE folder SET reading_id = ?2 WHERE id = ?1",
            [folder, old],
        )?;
        for (reading, sign) in [(reading, -1), (old, 1)] {
            self.db.execute(
                "UPDATE reading SET dropped = dropped + ?3 * (SELECT dropped FROM folder WHERE id = ?2) WHERE id = ?1",
                params![reading, folder, sign],
            )?;
        }
        self.db.execute(
            "DELETE FROM unread WHERE reading_id = ?1 AND folder = ?2",
            params![reading, chain],
        )?;
        Ok(())
    }

    /// How far the folders of a reading were read, for those of an account.
    ///
    /// # Errors
    /// Those of the database.
    pub fn marks(&self, reading: i64) -> anyhow::Result<Vec<Mark>> {
        let mut statement = self.db.prepare(
            "SELECT id, chain, validity, upto, held, role FROM folder WHERE reading_id = ?1 AND validity <> 0",
        )?;
        let mut lacking = self.db.prepare(
            "SELECT uid FROM block WHERE folder_id = ?1 AND uid IS NOT NULL ORDER BY uid",
        )?;
        let rows = statement.query_map([reading], |row| {
            let lacking = lacking.query_map([row.get::<_, i64>(0)?], |row| row.get(0))?;
            let lacking: Vec<u32> = lacking.collect::<Result<_, _>>()?;
            Ok(Mark {
                folder: row.get(1)?,
                validity: row.get(2)?,
                upto: row.get(3)?,
                again: lacking.clone(),
                lacking,
                held: row.get::<_, Option<i64>>(4)?.map(i64::unsigned_abs),
                role: Role::from_word(row.get_ref(5)?.as_str()?),
            })
        })?;
        let mut marks: Vec<Mark> = rows.collect::<Result<_, _>>()?;
        let mut statement = self.db.prepare(
            "SELECT position FROM unread WHERE reading_id = ?1 AND folder = ?2 AND message = 1",
        )?;
        for mark in &mut marks {
            let rows = statement
                .query_map(params![reading, mark.folder], |row| row.get::<_, String>(0))?;
            for row in rows {
                match Position::of_account(&row?) {
                    Some(Position::Uid { validity, uid }) if validity == mark.validity => {
                        mark.again.push(uid);
                    }
                    _ => {}
                }
            }
            mark.again.sort_unstable();
        }
        Ok(marks)
    }

    /// Notes how far a folder of an account is read. Forgets what was said of its rest where no more of it is read now, and
    /// what is known of messages that were asked for again: `told` says whether anything is told of them now. True where
    /// that stands in the place of a message that was judged already.
    pub(super) fn advance(
        &self,
        reading: i64,
        folder_id: i64,
        folder: &Folder,
        headway: Headway<'_>,
        told: bool,
    ) -> anyhow::Result<bool> {
        if let Some(upto) = headway.upto {
            self.db
                .prepare_cached("UPDATE folder SET upto = ?2, held = ?3 WHERE id = ?1")?
                .execute(params![folder_id, upto, headway.held.map(u64::cast_signed)])?;
        }
        // A part on which the program failed is not read again.
        if headway.ends {
            self.db
            .prepare_cached("DELETE FROM unread WHERE reading_id = ?1 AND folder = ?2 AND position = '' AND message = 0 AND reason NOT LIKE 'ccspill failed%'")?
            .execute(params![reading, folder.chain])?;
        }
        let mut replaced = 0;
        for uid in headway.again {
            let position = Position::Uid {
                validity: folder.validity,
                uid: *uid,
            };
            let position = position.to_string();
            self.db
                .prepare_cached(
                    "DELETE FROM unread WHERE reading_id = ?1 AND folder = ?2 AND position = ?3",
                )?
                .execute(params![reading, folder.chain, position])?;
            if !told {
                // It is gone. What it is judged by stands, and is not asked for again.
                self.db
                    .prepare_cached(
                        "UPDATE block SET uid = NULL WHERE folder_id = ?1 AND uid = ?2",
                    )?
                    .execute(params![folder_id, uid])?;
                continue;
            }
            replaced += self
                .db
                .prepare_cached("DELETE FROM block WHERE folder_id = ?1 AND uid = ?2")?
                .execute(params![folder_id, uid])?;
            for forget in [
                "DELETE FROM copy WHERE folder_id = ?1 AND position = ?2",
                "DELETE FROM notice WHERE folder_id = ?1 AND position = ?2",
            ] {
                self.db
                    .prepare_cached(forget)?
                    .execute(params![folder_id, position])?;
            }
        }
        Ok(replaced > 0)
    }
}
