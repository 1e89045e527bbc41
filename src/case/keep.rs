//! Takes what is read: readings, folders, blocks of history lines, copies of messages that may expose, what could not be
//! read. One unit of work is kept whole or not at all, so that a reading that was cut off goes on after it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use rusqlite::{OptionalExtension, params};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::Case;
use super::lines;
use crate::exposure::Candidate;
use crate::facts::notice::Notice;
use crate::history::{Digest, Line};
use crate::message::Address;
use crate::place::{Folder, Headway, Position, Unread};

/// A source about to be read.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// As given on the command line.
    pub source: &'a str,
    /// Its absolute path.
    pub absolute: &'a str,
    /// Kind of store.
    pub kind: &'a str,
    /// Tells whether its files are those of an earlier reading.
    pub stamp: Option<String>,
    /// On disk.
    pub bytes: Option<u64>,
    /// What of it is wanted, as JSON.
    pub bounds: &'a str,
    /// What was read of it stays, and only more comes: a reading that was ended goes on too.
    pub grows: bool,
    /// All of it is to be read again.
    pub anew: bool,
}

/// A reading under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its row.
    pub id: i64,
    /// How many units are kept already.
    pub units: u64,
    /// The border after the last of them.
    pub border: Option<u64>,
}

/// One copy of a message that may expose.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Where in its folder.
    pub position: Position,
    /// A draft.
    pub draft: bool,
    /// Marked as deleted.
    pub deleted: bool,
    /// The message.
    pub candidate: Box<Candidate>,
}

/// What one message says of an earlier one.
#[derive(Clone, Debug)]
pub struct Noticed {
    /// Where in its folder.
    pub position: Position,
    /// The message's quick key.
    pub key: u128,
    /// What it says.
    pub notice: Box<Notice>,
}

/// How often an author was seen, while the organisation is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Authored {
    /// In folders known as sent.
    pub sent: u64,
    /// Without a Received field.
    pub unstamped: u64,
    /// In all.
    pub messages: u64,
}

/// The time that was covered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First day.
    pub first: String,
    /// Last day.
    pub last: String,
    /// Months between them without any mail.
    pub without: Vec<String>,
}

/// What is called with each block of lines: its row, its reading, its bytes.
pub type EachBlock<'a> = dyn FnMut(i64, i64, &[u8]) -> anyhow::Result<()> + 'a;

/// Under which key the case remembers what [`Case::span`] found.
const SPAN: &str = "span";

/// The days on which mail was sent.
#[derive(Debug, Default)]
pub(super) struct Days {
    /// First and last second.
    ends: Option<(i64, i64)>,
    days: FxHashSet<i64>,
    last: i64,
}

impl Days {
    /// Adds a message; one without a time, or with one outside the calendar, says nothing.
    pub(super) fn add(&mut self, sent: Option<i64>) {
        let calendar = jiff::Timestamp::MIN.as_second()..=jiff::Timestamp::MAX.as_second();
        let Some(sent) = sent.filter(|sent| calendar.contains(sent)) else {
            return;
        };
        let (first, last) = self.ends.unwrap_or((sent, sent));
        self.ends = Some((first.min(sent), last.max(sent)));
        let day = sent.div_euclid(86_400);
        if day != self.last || self.days.is_empty() {
            self.days.insert(day);
            self.last = day;
        }
    }

    fn span(&self) -> Option<Span> {
        let (first, last) = self.ends?;
        let day = |time| {
            super::readings::utc(Some(time)).map(|text| text.chars().take(10).collect::<String>())
        };
        let months: BTreeSet<(i16, i8)> = self
            .days
            .iter()
            .filter_map(|day| jiff::Timestamp::from_second(day * 86_400).ok())
            .map(|time| jiff::tz::TimeZone::UTC.to_datetime(time))
            .map(|day| (day.year(), day.month()))
            .collect();
        let mut without = Vec::new();
        if let (Some(mut month), Some(end)) = (months.first().copied(), months.last().copied()) {
            while month < end {
                if !months.contains(&month) {
                    without.push(format!("{:04}-{:02}", month.0, month.1));
                }
                month = if month.1 == 12 {
                    (month.0 + 1, 1)
                } else {
                    (month.0, month.1 + 1)
                };
            }
        }
        Some(Span {
            first: day(first)?,
            last: day(last)?,
            without,
        })
    }
}

/// What one unit of work gave.
#[derive(Debug, Default)]
pub struct Batch {
    /// Block of lines.
    pub lines: Vec<u8>,
    /// How many.
    pub messages: u64,
    /// The lines of messages of which less was read than is wanted, by UID.
    pub lacking: Vec<(u32, Vec<u8>)>,
    /// Messages that may expose.
    pub copies: Vec<Copy>,
    /// Messages that say something of an earlier one.
    pub notices: Vec<Noticed>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Messages that are not wanted and not kept.
    pub dropped: u64,
    /// Authors, by digest.
    pub authors: FxHashMap<Digest, (Box<str>, Authored)>,
}

impl Batch {
    /// Adds a message's line. `lacking` is its UID where less was read of it than is wanted.
    pub fn line(&mut self, line: &Line, draft: bool, sent_here: bool, lacking: Option<u32>) {
        if let Some(uid) = lacking {
            let mut alone = Vec::new();
            lines::write(&mut alone, line, draft, sent_here);
            self.lacking.push((uid, alone));
        } else {
            lines::write(&mut self.lines, line, draft, sent_here);
            self.messages += 1;
        }
    }

    /// Whether it tells of any message, be it that it could not be read.
    fn tells(&self) -> bool {
        let any = self.messages + self.dropped > 0 || !self.lacking.is_empty();
        any || self.unread.iter().any(|row| row.message)
    }

    /// How often an author was seen, to be counted up.
    pub fn author(&mut self, address: &str, digest: Digest) -> &mut Authored {
        let (_, count) = self
            .authors
            .entry(digest)
            .or_insert_with(|| (address.into(), Authored::default()));
        count
    }

    /// Its authors were counted when less was read of their messages: they are noted, and not counted once more.
    pub fn was_counted(&mut self) {
        for (_, count) in self.authors.values_mut() {
            *count = Authored::default();
        }
    }

    /// Takes over the authors of a batch that was kept: they are kept by [`Case::keep_authors`], which costs a row for
    /// each of them and not for each batch.
    pub fn add_authors(&mut self, other: &mut Batch) {
        for (digest, (address, more)) in other.authors.drain() {
            let count = self.author(&address, digest);
            count.sent += more.sent;
            count.unstamped += more.unstamped;
            count.messages += more.messages;
        }
    }
}

impl Case {
    /// Starts to read a source, or goes on where a reading of the same files with the same bounds was cut off.
    ///
    /// # Errors
    /// Those of the database.
    pub fn start_reading(&self, start: &Start<'_>, now: i64) -> anyhow::Result<Reading> {
        let unfinished = self
            .db
            .query_row(
                "SELECT id, units, border FROM reading WHERE (ended IS NULL OR (?5 AND current = 1)) AND absolute = ?1 AND source = ?2 AND stamp IS NOT NULL AND stamp = ?3 AND bounds = ?4 ORDER BY ended IS NULL DESC",
                params![start.absolute, start.source, start.stamp, start.bounds, start.grows && !start.anew],
                |row| Ok(Reading { id: row.get(0)?, units: row.get::<_, i64>(1)?.unsigned_abs(), border: row.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs) }),
            )
            .optional()?;
        if let Some(reading) = unfinished {
            return Ok(reading);
        }
        self.db.execute(
            "DELETE FROM reading WHERE ended IS NULL AND absolute = ?1",
            [start.absolute],
        )?;
        self.db.execute(
            "INSERT INTO reading (source, absolute, kind, stamp, bytes, started, bounds) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![start.source, start.absolute, start.kind, start.stamp, start.bytes.map(u64::cast_signed), now, start.bounds],
        )?;
        Ok(Reading {
            id: self.db.last_insert_rowid(),
            units: 0,
            border: None,
        })
    }

    /// Keeps what one unit gave. True where it stands in the place of what was known already of the same message.
    ///
    /// # Errors
    /// Those of the database: a full disk among them.
    pub fn keep(
        &self,
        reading: i64,
        unit: u64,
        folder: &Folder,
        batch: &Batch,
        border: Option<u64>,
        headway: Option<Headway<'_>>,
    ) -> anyhow::Result<bool> {
        let folder_id = self.folder(reading, folder)?;
        let replaced = match headway {
            Some(headway) => self.advance(reading, folder_id, folder, headway, batch.tells())?,
            None => false,
        };
        let together = (batch.messages > 0).then_some((None, batch.messages, &batch.lines));
        let alone = batch
            .lacking
            .iter()
            .map(|(uid, line)| (Some(*uid), 1, line));
        for (uid, messages, lines) in together.into_iter().chain(alone) {
            self.db
                .prepare_cached("INSERT INTO block (reading_id, folder_id, unit, messages, uid, lines) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![reading, folder_id, unit.cast_signed(), messages.cast_signed(), uid, lines])?;
        }
        for copy in &batch.copies {
            self.db
                .prepare_cached("INSERT INTO copy (reading_id, folder_id, position, place, key, draft, deleted, candidate) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
                .execute(params![reading, folder_id, copy.position.to_string(), place(&copy.position), copy.candidate.key, copy.draft, copy.deleted, serde_json::to_string(&copy.candidate)?])?;
        }
        for noticed in &batch.notices {
            self.db
                .prepare_cached("INSERT INTO notice (reading_id, folder_id, position, place, key, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![reading, folder_id, noticed.position.to_string(), place(&noticed.position), noticed.key.to_be_bytes(), serde_json::to_string(&noticed.notice)?])?;
        }
        for unread in &batch.unread {
            let position = unread
                .position
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            self.db
                .prepare_cached("INSERT INTO unread (reading_id, folder, position, bytes, reason, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![reading, unread.folder, position, unread.bytes.map(u64::cast_signed), unread.reason, unread.message])?;
        }
        if batch.dropped > 0 {
            self.db
                .prepare_cached("UPDATE folder SET dropped = dropped + ?2 WHERE id = ?1")?
                .execute(params![folder_id, batch.dropped.cast_signed()])?;
        }
        self.db
            .prepare_cached(
                "UPDATE reading SET units = ?2, border = ?3, dropped = dropped + ?4 WHERE id = ?1",
            )?
            .execute(params![
                reading,
                (unit + 1).cast_signed(),
                border.map(u64::cast_signed),
                batch.dropped.cast_signed()
            ])?;
        Ok(replaced)
    }

    /// Keeps how often the authors of a reading were seen. To be done before what was kept of it is made lasting.
    ///
    /// # Errors
    /// Those of the database.
    pub fn keep_authors(&self, reading: i64, batch: &mut Batch) -> anyhow::Result<()> {
        let authors: BTreeMap<Box<str>, Authored> =
            batch.authors.drain().map(|(_, one)| one).collect();
        for (address, count) in authors {
            self.db
                .prepare_cached(
                    "INSERT INTO author (reading_id, address, sent, unstamped, messages) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET sent = sent + excluded.sent, unstamped = unstamped + excluded.unstamped, messages = messages + excluded.messages",
                )?
                .execute(params![reading, address, count.sent.cast_signed(), count.unstamped.cast_signed(), count.messages.cast_signed()])?;
        }
        Ok(())
    }

    /// Ends a reading: from now on it stands for its source, and an earlier one is kept for history only.
    ///
    /// # Errors
    /// Those of the database.
    pub fn end_reading(
        &self,
        reading: i64,
        sha256: Option<&str>,
        not_mail: u64,
        limits: &[String],
        now: i64,
    ) -> anyhow::Result<()> {
        self.db.execute(
            "UPDATE reading SET ended = ?2, current = 1, sha256 = ?3, not_mail = ?4, limits = ?5 WHERE id = ?1",
            params![reading, now, sha256, not_mail.cast_signed(), serde_json::to_string(limits)?],
        )?;
        self.forget(SPAN)?;
        // What comes through standard input is the same source only where it is the same bytes.
        self.db.execute(
            "UPDATE reading SET current = 0 WHERE id <> ?1 AND EXISTS (
               SELECT 1 FROM reading AS new WHERE new.id = ?1 AND new.absolute = reading.absolute AND (new.absolute <> '-' OR new.sha256 = reading.sha256))",
            [reading],
        )?;
        // An older reading of the same bytes, asked the same, tells nothing more.
        self.db.execute(
            "DELETE FROM reading WHERE current = 0 AND ended IS NOT NULL AND EXISTS (
               SELECT 1 FROM reading AS new WHERE new.id = ?1 AND new.absolute = reading.absolute AND new.bounds = reading.bounds AND new.sha256 IS NOT NULL AND new.sha256 = reading.sha256)",
            [reading],
        )?;
        Ok(())
    }

    /// Every block of lines of every reading that came to its end, superseded ones too: its row, its reading, its bytes.
    ///
    /// # Errors
    /// Those of the database, and of `each`.
    pub fn blocks(&self, each: &mut EachBlock<'_>) -> anyhow::Result<()> {
        let mut statement = self
            .db
            .prepare_cached("SELECT block.rowid, reading_id, lines FROM block JOIN reading ON reading.id = block.reading_id WHERE reading.ended IS NOT NULL ORDER BY reading_id, unit")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, row.get(1)?, row.get_ref(2)?.as_blob()?)?;
        }
        Ok(())
    }

    /// What messages of all readings that came to their end say of earlier ones, by quick key.
    ///
    /// # Errors
    /// Those of the database.
    pub fn notices(&self) -> anyhow::Result<FxHashMap<u128, Notice>> {
        let mut statement = self
            .db
            .prepare("SELECT key, told FROM notice JOIN reading ON reading.id = notice.reading_id WHERE reading.ended IS NOT NULL ORDER BY key, told")?;
        let mut rows = statement.query([])?;
        let mut out = FxHashMap::default();
        while let Some(row) = rows.next()? {
            let key = u128::from_be_bytes(row.get(0)?);
            let notice = serde_json::from_str(row.get_ref(1)?.as_str()?)
                .context("case.db is damaged: a notice cannot be read")?;
            out.insert(key, notice);
        }
        Ok(out)
    }

    /// How many messages stand in all readings that came to their end.
    ///
    /// # Errors
    /// Those of the database.
    pub fn messages(&self) -> anyhow::Result<u64> {
        let count: i64 = self.db.query_row("SELECT coalesce(sum(messages), 0) FROM block JOIN reading ON reading.id = block.reading_id WHERE reading.ended IS NOT NULL", [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// First and last day (UTC) of what was read, as `2024-11-29`, and the months between them without any mail, as
    /// `2024-04`; `None` where nothing has a date.
    ///
    /// # Errors
    /// Those of the database.
    pub fn span(&self) -> anyhow::Result<Option<Span>> {
        if let Some(text) = self.recall(SPAN)? {
            return Ok(serde_json::from_str(&text)?);
        }
        let mut days = Days::default();
        self.blocks(&mut |_, _, block| lines::read(block, |record| days.add(record.line.sent)))?;
        Ok(days.span())
    }

    /// Remembers the days that were covered, until a reading ends.
    pub(super) fn note_span(&self, days: &Days) -> anyhow::Result<()> {
        self.remember(SPAN, &serde_json::to_string(&days.span())?)
    }

    /// Whether anything of a current reading could not be read.
    ///
    /// # Errors
    /// Those of the database.
    pub fn any_unread(&self) -> anyhow::Result<bool> {
        Ok(self.db.query_row("SELECT EXISTS (SELECT 1 FROM unread JOIN reading ON reading.id = unread.reading_id WHERE reading.current = 1)", [], |row| row.get(0))?)
    }

    /// Authors of all readings with how often each was seen, while the organisation is not known.
    ///
    /// # Errors
    /// Those of the database.
    pub fn authors(&self) -> anyhow::Result<BTreeMap<Address, Authored>> {
        let mut statement = self.db.prepare(
            "SELECT address, sum(author.sent), sum(unstamped), sum(messages) FROM author JOIN reading ON reading.id = author.reading_id WHERE reading.ended IS NOT NULL GROUP BY address",
        )?;
        let mut rows = statement.query([])?;
        let mut out = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let Some(address) = Address::new(row.get_ref(0)?.as_str()?) else {
                continue;
            };
            let count =
                |at: usize| -> rusqlite::Result<u64> { Ok(row.get::<_, i64>(at)?.unsigned_abs()) };
            out.insert(
                address,
                Authored {
                    sent: count(1)?,
                    unstamped: count(2)?,
                    messages: count(3)?,
                },
            );
        }
        Ok(out)
    }

    /// Notes authors who are of the organisation, and forgets the addresses of all authors.
    ///
    /// # Errors
    /// Those of the database.
    pub fn settle_authors(&self, insiders: impl Iterator<Item = Digest>) -> anyhow::Result<()> {
        for digest in insiders {
            self.db
                .prepare_cached("INSERT OR IGNORE INTO insider (digest) VALUES (?1)")?
                .execute([digest.0.cast_signed()])?;
        }
        self.db.execute("DELETE FROM author WHERE reading_id IN (SELECT id FROM reading WHERE ended IS NOT NULL)", [])?;
        Ok(())
    }
}

/// What orders positions of one folder.
fn place(position: &Position) -> i64 {
    match position {
        Position::Bytes { offset, .. } => offset.cast_signed(),
        Position::Uid { uid, .. } => i64::from(*uid),
        Position::Path(_) => 0,
    }
}
