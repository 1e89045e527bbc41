//! Adds up what was read: in each source and in total, `read = judged + received + duplicates + unread`.

use rusqlite::params;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::keep::Days;
use super::lines::Record;
use super::{Case, lines};
use crate::history::Told;

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

/// One place of one message, packed so that ten million fit in memory: the key, then from the highest bit on: draft, not
/// known as sent, the order of reading, judged. The lowest of a key is where it counts.
type At = [u64; 3];

/// Messages being counted, block by block in any order.
#[derive(Debug)]
pub struct Tally {
    readings: Vec<(i64, Bounds)>,
    insiders: FxHashSet<i64>,
    /// By row of the block: the order of its first message, the index of its reading, whether its folder is wanted.
    blocks: FxHashMap<i64, (u64, usize, bool)>,
    /// The order of the first message of each reading.
    starts: Vec<u64>,
    outside: Vec<u64>,
    places: Vec<At>,
    days: Days,
    everybody: bool,
}

impl Tally {
    /// Adds a message: the `index`th of the block in row `block`.
    fn add(&mut self, block: Option<(u64, usize, bool)>, index: u64, record: &Record<'_>) {
        let sent = record.line.sent;
        self.days.add(sent);
        // A superseded reading is history, and counts no more.
        let Some((first, reading, wanted)) = block else {
            return;
        };
        let bounds = &self.readings[reading].1;
        if !wanted || !bounds.hold(sent) {
            self.outside[reading] += 1;
            return;
        }
        let inside = [record.line.author, record.line.sender]
            .into_iter()
            .flatten()
            .any(|author| self.insiders.contains(&author.0.cast_signed()));
        let judged = !record.draft && (inside || self.everybody || bounds.received);
        self.places.push([
            (record.key >> 64) as u64,
            record.key as u64,
            u64::from(record.draft) << 63
                | u64::from(!record.sent_here) << 62
                | (first + index) << 1
                | u64::from(judged),
        ]);
    }

    /// Puts the places of each message beside one another, the one that counts first.
    pub fn sort(&mut self) {
        // Half a key nearly always tells messages apart, and one number is sorted in half the time of three.
        self.places.sort_unstable_by_key(|place| place[0]);
        for same in self.places.chunk_by_mut(|a, b| a[0] == b[0]) {
            if same.len() > 1 {
                same.sort_unstable();
            }
        }
    }

    /// Reads a block, counts its messages and gives each to `also`.
    ///
    /// # Errors
    /// A damaged block.
    pub fn block(
        &mut self,
        row: i64,
        block: &[u8],
        also: &mut dyn FnMut(&Told<'_>),
    ) -> anyhow::Result<()> {
        let place = self.blocks.get(&row).copied();
        let mut index = 0;
        lines::read(block, |record| {
            self.add(place, index, &record);
            index += 1;
            also(&record.line);
        })
    }
}

impl Case {
    /// Makes ready to count every current reading anew. `everybody` is true where no organisation is known.
    ///
    /// # Errors
    /// Those of the database.
    pub fn tally(&self, everybody: bool) -> anyhow::Result<Tally> {
        let readings = self.current_readings()?;
        let mut statement = self.db.prepare("SELECT folder.chain, block.unit, block.rowid, block.messages FROM block JOIN folder ON folder.id = block.folder_id WHERE block.reading_id = ?1")?;
        let (mut blocks, mut starts, mut order) = (FxHashMap::default(), Vec::new(), 0);
        for (index, (id, bounds)) in readings.iter().enumerate() {
            let rows = statement.query_map([id], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
            let mut rows: Vec<(String, i64, i64, i64)> = rows.collect::<Result<_, _>>()?;
            rows.sort_unstable();
            starts.push(order);
            for (chain, _, row, messages) in rows {
                blocks.insert(row, (order, index, bounds.hold_folder(&chain)));
                order += messages.unsigned_abs();
            }
        }
        Ok(Tally {
            outside: vec![0; readings.len()],
            insiders: self.insiders()?,
            readings,
            blocks,
            starts,
            places: Vec::with_capacity(order as usize),
            days: Days::default(),
            everybody,
        })
    }

    /// Counts what was tallied and sorted, and notes the counts with each reading.
    ///
    /// # Errors
    /// Those of the database.
    pub fn count(&self, tally: Tally) -> anyhow::Result<()> {
        self.note_span(&tally.days)?;
        let mut counts = vec![Counts::default(); tally.readings.len()];
        let mut last = None;
        for [high, low, rank] in &tally.places {
            let order = rank << 2 >> 3;
            let reading = tally.starts.partition_point(|start| *start <= order) - 1;
            let count = &mut counts[reading];
            match (last == Some((high, low)), rank & 1 == 1) {
                (true, _) => count.duplicates += 1,
                (false, true) => count.judged += 1,
                (false, false) => count.received += 1,
            }
            last = Some((high, low));
        }
        for (((id, _), count), outside) in tally.readings.iter().zip(&mut counts).zip(tally.outside)
        {
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
            count.unread = unread.unsigned_abs();
            count.outside = outside + dropped.unsigned_abs();
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
