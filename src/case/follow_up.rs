//! What an officer writes about a person, and what the case remembers of its exports.

use std::collections::BTreeMap;

use rusqlite::params;

use super::Case;

/// The officer's columns of `people.csv` for one person, with what a roster says where the officer wrote nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FollowUp {
    /// The name that a roster gives.
    pub name: String,
    /// True where a roster gives one address to several people.
    pub shared: bool,
    /// Column `review`.
    pub review: String,
    /// Column `contact_by`.
    pub contact_by: String,
    /// Column `contacted_at`.
    pub contacted_at: String,
    /// Column `contacted_by`.
    pub contacted_by: String,
    /// Column `notes`.
    pub notes: String,
}

impl Case {
    /// What is known for the follow-up of each person, by person id.
    ///
    /// # Errors
    /// Those of the database.
    pub fn follow_ups(&self) -> anyhow::Result<BTreeMap<String, FollowUp>> {
        let mut statement = self.db.prepare("SELECT person_id, name, shared, review, contact_by, contacted_at, contacted_by, notes, roster_contact, roster_notes FROM follow_up")?;
        let mut rows = statement.query([])?;
        let mut out = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let or = |own: String, roster: String| if own.is_empty() { roster } else { own };
            out.insert(
                row.get(0)?,
                FollowUp {
                    name: row.get(1)?,
                    shared: row.get(2)?,
                    review: row.get(3)?,
                    contact_by: or(row.get(4)?, row.get(8)?),
                    contacted_at: row.get(5)?,
                    contacted_by: row.get(6)?,
                    notes: or(row.get(7)?, row.get(9)?),
                },
            );
        }
        Ok(out)
    }

    /// Keeps an officer's entries for one person.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_follow_up(&self, person_id: &str, entry: &FollowUp) -> anyhow::Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO follow_up (person_id, review, contact_by, contacted_at, contacted_by, notes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET review = excluded.review, contact_by = excluded.contact_by, contacted_at = excluded.contacted_at, contacted_by = excluded.contacted_by, notes = excluded.notes",
            )?
            .execute(params![person_id, entry.review, entry.contact_by, entry.contacted_at, entry.contacted_by, entry.notes])?;
        Ok(())
    }

    /// Two people turned out to be one: what an officer wrote about `other` is added to what is known of `id`.
    pub(super) fn absorb(&self, other: &str, id: &str) -> anyhow::Result<()> {
        let mut known = self.own_entries()?;
        let Some(from) = known.remove(other) else {
            return Ok(());
        };
        let mut into = known.remove(id).unwrap_or_default();
        let fill = |to: &mut String, from: &String| {
            if to.is_empty() {
                to.clone_from(from);
            }
        };
        fill(&mut into.review, &from.review);
        fill(&mut into.contact_by, &from.contact_by);
        fill(&mut into.contacted_at, &from.contacted_at);
        fill(&mut into.contacted_by, &from.contacted_by);
        into.notes = [into.notes, from.notes]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("; ");
        self.note_follow_up(id, &into)?;
        self.db
            .execute("DELETE FROM follow_up WHERE person_id = ?1", [other])?;
        Ok(())
    }

    /// What officers wrote, without what rosters say.
    fn own_entries(&self) -> anyhow::Result<BTreeMap<String, FollowUp>> {
        let mut statement = self.db.prepare("SELECT person_id, review, contact_by, contacted_at, contacted_by, notes FROM follow_up")?;
        let rows = statement.query_map([], |row| {
            let entry = FollowUp {
                review: row.get(1)?,
                contact_by: row.get(2)?,
                contacted_at: row.get(3)?,
                contacted_by: row.get(4)?,
                notes: row.get(5)?,
                ..FollowUp::default()
            };
            Ok((row.get(0)?, entry))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The person that an identity is, if it was exposed; several, joined by `;`, where it is shared.
    ///
    /// # Errors
    /// Those of the database.
    pub fn person_of(&self, identity: &str) -> anyhow::Result<Option<String>> {
        let mut statement = self
            .db
            .prepare_cached("SELECT person_id FROM identity WHERE identity = ?1")?;
        let mut rows = statement.query([identity])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// The decision on each reported exposure, empty where none was made, by exposure id.
    ///
    /// # Errors
    /// Those of the database.
    pub fn decisions(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut statement = self.db.prepare("SELECT exposure_id, coalesce(decision.review, '') FROM finding LEFT JOIN decision USING (exposure_id) WHERE reported = 1")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps a decision on an exposure: `confirmed`, `dismissed`, `look-again`, or nothing to take it back.
    ///
    /// # Errors
    /// Those of the database.
    pub fn decide(&self, exposure_id: &str, review: &str, now: i64) -> anyhow::Result<()> {
        if review.is_empty() {
            self.db
                .execute("DELETE FROM decision WHERE exposure_id = ?1", [exposure_id])?;
        } else {
            self.db.execute(
                "INSERT INTO decision (exposure_id, review, decided_at) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET review = excluded.review, reason = '', decided_at = excluded.decided_at",
                params![exposure_id, review, now],
            )?;
        }
        Ok(())
    }

    /// SHA-256 of an export as the case last wrote it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn exported(&self, file: &str) -> anyhow::Result<Option<String>> {
        let mut statement = self
            .db
            .prepare("SELECT sha256 FROM export WHERE file = ?1")?;
        let mut rows = statement.query([file])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// Remembers the exports as they were written.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_exports(&self, hashes: &BTreeMap<String, String>) -> anyhow::Result<()> {
        self.begin()?;
        for (file, sha256) in hashes {
            self.db.execute("INSERT INTO export (file, sha256) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET sha256 = excluded.sha256", [file, sha256])?;
        }
        self.commit()
    }
}
