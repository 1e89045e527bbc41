//! Adds up what was read: in each source and in total, `read = judged + received + duplicates + unread`.

use std::collections::BTreeMap;

use rusqlite::params;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::{Case, lines};

/// What of a source is wanted; kept with each reading as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Seconds since 1970 UTC, inclusive.
    pub since: Option<i64>,
    /// Seconds since 1970 UTC, exclusive.
    pub until: Option<i64>,
    /// Folders by name; empty for all.
    pub folders: Vec<String>,
    /// Only mail known as sent.
    pub sent_only: bool,
    /// Mail from outsiders is judged too.
    pub received: bool,
}

impl Bounds {
    /// Whether a message of this time is wanted. One without a time is.
    pub fn hold(&self, sent: Option<i64>) -> bool {
        sent.is_none_or(|sent| {
            self.since.is_none_or(|since| sent >= since)
                && self.until.is_none_or(|until| sent < until)
        })
    }

    /// Whether a folder is wanted: by its chain, or by the last name in it, without regard to case.
    pub fn hold_folder(&self, chain: &str) -> bool {
        let last = |text: &str| {
            text.rsplit(['/', '!'])
                .next()
                .unwrap_or_default()
                .trim_start_matches('.')
                .trim_end_matches(".mbox")
                .to_lowercase()
        };
        self.folders.is_empty()
            || self.folders.iter().any(|wanted| {
                chain.to_lowercase() == wanted.to_lowercase()
                    || (!chain.is_empty() && last(chain) == last(wanted))
            })
    }
}

/// Counts of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The sum of the next four.
    pub read: u64,
    /// Judged on whether they expose.
    pub judged: u64,
    /// From outside the organisation, or drafts: read for history.
    pub received: u64,
    /// Known already, from another place.
    pub duplicates: u64,
    /// Could not be parsed.
    pub unread: u64,
    /// Outside `--since`, `--until`, `--folder`: not in the sum.
    pub outside: u64,
    /// Files that are no mail: not in the sum.
    pub not_mail: u64,
}

impl Counts {
    /// Adds another count.
    pub fn add(&mut self, other: &Counts) {
        self.read += other.read;
        self.judged += other.judged;
        self.received += other.received;
        self.duplicates += other.duplicates;
        self.unread += other.unread;
        self.outside += other.outside;
        self.not_mail += other.not_mail;
    }
}

/// One place of one message, packed so that ten million fit in memory.
struct At {
    key: u128,
    /// Draft, not known as sent, then the order of reading: the lowest of a key is where it counts.
    rank: u64,
    reading: u32,
    judged: bool,
}

impl Case {
    /// Counts every current reading anew and notes the counts with it. `everybody` is true where no organisation is known.
    ///
    /// # Errors
    /// Those of the database.
    pub fn count(&self, everybody: bool) -> anyhow::Result<()> {
        let insiders = self.insiders()?;
        let readings = self.current_readings()?;
        let mut counts: BTreeMap<i64, Counts> = readings
            .iter()
            .map(|(id, _)| (*id, Counts::default()))
            .collect();
        let mut all: Vec<At> = Vec::new();
        let mut order = 0u64;
        let mut statement = self.db.prepare("SELECT folder.chain, block.lines FROM block JOIN folder ON folder.id = block.folder_id WHERE block.reading_id = ?1 ORDER BY folder.chain, block.unit")?;
        for (index, (id, bounds)) in readings.iter().enumerate() {
            let mut outside = 0;
            let mut rows = statement.query([id])?;
            while let Some(row) = rows.next()? {
                let wanted = bounds.hold_folder(row.get_ref(0)?.as_str()?);
                lines::read(row.get_ref(1)?.as_blob()?, &mut |stored| {
                    let line = &stored.line;
                    if !wanted || !bounds.hold(line.sent) {
                        outside += 1;
                        return;
                    }
                    let inside = [line.author, line.sender]
                        .into_iter()
                        .flatten()
                        .any(|author| insiders.contains(&author.0.cast_signed()));
                    order += 1;
                    all.push(At {
                        key: line.key,
                        rank: u64::from(stored.draft) << 63
                            | u64::from(!stored.sent_here) << 62
                            | order,
                        reading: index as u32,
                        judged: !stored.draft && (inside || everybody || bounds.received),
                    });
                })?;
            }
            let unread: i64 = self.db.query_row(
                "SELECT count(*) FROM unread WHERE reading_id = ?1 AND message = 1",
                [id],
                |row| row.get(0),
            )?;
            let dropped: i64 =
                self.db
                    .query_row("SELECT dropped FROM reading WHERE id = ?1", [id], |row| {
                        row.get(0)
                    })?;
            let count = counts.entry(*id).or_default();
            count.unread = unread.unsigned_abs();
            count.outside = outside + dropped.unsigned_abs();
        }
        all.sort_unstable_by_key(|at| (at.key, at.rank));
        let mut last = None;
        for at in &all {
            let count = counts.entry(readings[at.reading as usize].0).or_default();
            match (last == Some(at.key), at.judged) {
                (true, _) => count.duplicates += 1,
                (false, true) => count.judged += 1,
                (false, false) => count.received += 1,
            }
            last = Some(at.key);
        }
        for (id, count) in &mut counts {
            count.read = count.judged + count.received + count.duplicates + count.unread;
            self.db.execute(
                "UPDATE reading SET read = ?2, judged = ?3, received = ?4, duplicates = ?5, unread = ?6, outside = ?7 WHERE id = ?1",
                params![id, count.read.cast_signed(), count.judged.cast_signed(), count.received.cast_signed(), count.duplicates.cast_signed(), count.unread.cast_signed(), count.outside.cast_signed()],
            )?;
        }
        Ok(())
    }

    /// Digests of the organisation's authors.
    ///
    /// # Errors
    /// Those of the database.
    pub fn insiders(&self) -> anyhow::Result<FxHashSet<i64>> {
        let mut statement = self.db.prepare("SELECT digest FROM insider")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Current readings in a fixed order, with their bounds.
    ///
    /// # Errors
    /// Those of the database.
    pub fn current_readings(&self) -> anyhow::Result<Vec<(i64, Bounds)>> {
        let mut statement = self.db.prepare(
            "SELECT id, bounds FROM reading WHERE current = 1 ORDER BY source, absolute, id",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| {
            let (id, bounds) = row?;
            Ok((id, serde_json::from_str(&bounds)?))
        })
        .collect()
    }
}
