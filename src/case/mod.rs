//! The case: the folder that a scan writes. `case.db` (SQLite) is the one truth. This file opens it, locks it, remembers
//! its settings and logs what is done; `keep` takes what is read (`folders` where, `hashes` what is hashed later), `findings`
//! what is judged, `identity` says who is who, `follow_up` what an officer writes; `count`, `readings` and `people` give it
//! back; `lines` is the format of a block.
//!
//! A case knows no source and judges nothing.

pub mod count;
pub mod findings;
mod folders;
pub mod follow_up;
mod hashes;
mod identity;
pub mod keep;
pub mod lines;
pub mod people;
pub mod readings;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use crate::history::Digester;
use crate::platform;

/// Version of the format of `case.db`.
const FORMAT: &str = "4";

/// Bytes of a page of a new `case.db`.
const PAGE: i64 = 16 << 10;
/// How much of `case.db` is held in memory; what was written waits there, and is not spilled before it must.
const CACHE_KIB: i64 = 2 << 10;

/// An open case. While it is open no other process can use it.
#[derive(Debug)]
pub struct Case {
    /// SQLite.
    pub(crate) db: Connection,
    /// The folder.
    pub folder: PathBuf,
    /// True where this process made it.
    pub new: bool,
}

impl Case {
    /// Opens the case in `folder`, or makes one there.
    ///
    /// # Errors
    /// A folder that holds something else; a case that another process uses, that a newer version wrote, or that cannot
    /// be written.
    pub fn open_or_make(folder: &Path, now: i64) -> anyhow::Result<Self> {
        let database = folder.join("case.db");
        if database.is_file() {
            return match Self::existing(folder)? {
                Some(case) => Ok(case),
                None => Self::make(folder, &database, now),
            };
        }
        if let Ok(mut entries) = std::fs::read_dir(folder)
            && entries.next().is_some()
        {
            bail!(
                "cannot write a case into '{}': the folder holds something else\n  try: name a new folder with --case",
                folder.display()
            );
        }
        let made = !folder.exists();
        let case = Self::make(folder, &database, now);
        if case.is_err() {
            let _ = std::fs::remove_file(&database);
            if made {
                let _ = std::fs::remove_dir(folder);
            }
        }
        case
    }

    /// The case in `folder`, if there is one. A process that was killed while it made a case leaves an empty `case.db`,
    /// which is none.
    ///
    /// # Errors
    /// As [`Case::open`].
    pub fn existing(folder: &Path) -> anyhow::Result<Option<Self>> {
        let database = folder.join("case.db");
        if !database.is_file() {
            return Ok(None);
        }
        let db = connect(&database)?;
        let tables = db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0));
        if tables.is_ok_and(|tables: i64| tables == 0) {
            Ok(None)
        } else {
            Self::connected(db, folder).map(Some)
        }
    }

    fn make(folder: &Path, database: &Path, now: i64) -> anyhow::Result<Self> {
        let cannot = || {
            format!(
                "cannot make a case in '{}'\n  try: name a folder that you may write to with --case",
                folder.display()
            )
        };
        platform::private_folder(folder).with_context(cannot)?;
        platform::private_file(database).with_context(cannot)?;
        let case = Case {
            db: connect(database)?,
            folder: folder.to_owned(),
            new: true,
        };
        // Nothing is in it that could be lost: what is written next makes this lasting too.
        case.db.pragma_update(None, "synchronous", "OFF")?;
        case.begin()?;
        case.db
            .execute_batch(include_str!("schema.sql"))
            .with_context(cannot)?;
        case.remember("format", FORMAT)?;
        let key: Vec<u8> = case
            .db
            .query_row("SELECT randomblob(16)", [], |row| row.get(0))?;
        case.remember("key", &crate::query::hex(&key))?;
        case.log(
            now,
            "case made",
            &format!("ccspill {}", env!("CARGO_PKG_VERSION")),
        )?;
        case.commit().with_context(cannot)?;
        case.db.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(case)
    }

    /// Opens an existing case.
    ///
    /// # Errors
    /// As [`Case::open_or_make`], and where there is none.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let database = folder.join("case.db");
        if !database.is_file() {
            bail!(
                "there is no case in '{}'\n  try: ccspill scan SOURCE --case '{}'",
                folder.display(),
                folder.display()
            );
        }
        Self::connected(connect(&database)?, folder)
    }

    fn connected(db: Connection, folder: &Path) -> anyhow::Result<Self> {
        let case = Case {
            db,
            folder: folder.to_owned(),
            new: false,
        };
        let format: Option<String> = case
            .db
            .query_row("SELECT value FROM meta WHERE key = 'format'", [], |row| {
                row.get(0)
            })
            .optional()
            .map_err(anyhow::Error::from)
            .or_else(|error| if busy(&error) { Err(error) } else { Ok(None) })
            .map_err(|error| in_use(folder, error))?;
        match format.as_deref() {
            Some(FORMAT) => {
                case.db
                    .execute_batch(include_str!("schema.sql"))
                    .map_err(anyhow::Error::from)
                    .map_err(|error| in_use(folder, error))?;
                Ok(case)
            }
            Some(other) => bail!(
                "the case in '{}' has format {other}; this version reads {FORMAT}\n  try: use the version of ccspill that wrote it, or scan the sources into a new case with --case",
                folder.display()
            ),
            None => bail!(
                "'{}' is no case: its case.db was not written by ccspill\n  try: name another folder with --case",
                folder.display()
            ),
        }
    }

    /// Removes a case that this process made, after a run that could not be done.
    pub fn unmake(self) {
        if self.new {
            let (database, folder) = (self.folder.join("case.db"), self.folder.clone());
            drop(self);
            let _ = std::fs::remove_file(database);
            let _ = std::fs::remove_dir(folder);
        }
    }

    /// The key of the case's digests.
    ///
    /// # Errors
    /// A case without one.
    pub fn digester(&self) -> anyhow::Result<Digester> {
        let key = self.recall("key")?.context("case.db has lost its key")?;
        let half = |at: usize| {
            key.get(at..at + 16)
                .and_then(|text| u64::from_str_radix(text, 16).ok())
                .context("the key in case.db is damaged")
        };
        Ok(Digester {
            k0: half(0)?,
            k1: half(16)?,
        })
    }

    /// Notes a setting.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remember(&self, key: &str, value: &str) -> anyhow::Result<()> {
        self.db.execute("INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value", [key, value])?;
        Ok(())
    }

    /// Forgets a setting.
    ///
    /// # Errors
    /// Those of the database.
    pub fn forget(&self, key: &str) -> anyhow::Result<()> {
        self.db.execute("DELETE FROM meta WHERE key = ?1", [key])?;
        Ok(())
    }

    /// A setting, if it was noted.
    ///
    /// # Errors
    /// Those of the database.
    pub fn recall(&self, key: &str) -> anyhow::Result<Option<String>> {
        Ok(self
            .db
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
                row.get(0)
            })
            .optional()?)
    }

    /// Adds to the log.
    ///
    /// # Errors
    /// Those of the database.
    pub fn log(&self, now: i64, what: &str, detail: &str) -> anyhow::Result<()> {
        self.db.execute(
            "INSERT INTO log (at, what, detail) VALUES (?1, ?2, ?3)",
            params![now, what, detail],
        )?;
        Ok(())
    }

    /// Takes back what was written since [`Case::begin`].
    pub fn roll_back(&self) {
        // A failure means that the database took it back itself already.
        let _ = self.db.execute_batch("ROLLBACK");
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Those of the database: a full disk among them.
    pub fn begin(&self) -> anyhow::Result<()> {
        Ok(self.db.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Makes what was written since [`Case::begin`] lasting.
    ///
    /// # Errors
    /// Those of the database: a full disk among them.
    pub fn commit(&self) -> anyhow::Result<()> {
        Ok(self.db.execute_batch("COMMIT")?)
    }
}

fn connect(database: &Path) -> anyhow::Result<Connection> {
    let folder = database.parent().unwrap_or(database);
    let open = || -> anyhow::Result<Connection> {
        let db = Connection::open(database)?;
        db.busy_timeout(std::time::Duration::ZERO)?;
        // For a new file only: blocks of lines are long, and take a fourth of the calls that pages of 4 KiB would.
        db.pragma_update(None, "page_size", PAGE)?;
        db.pragma_update(None, "cache_size", -CACHE_KIB)?;
        db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        db.pragma_update(None, "journal_mode", "DELETE")?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.pragma_update(None, "secure_delete", "ON")?;
        db.pragma_update(None, "foreign_keys", "ON")?;
        db.pragma_update(None, "temp_store", "MEMORY")?;
        db.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
        Ok(db)
    };
    open().map_err(|error| in_use(folder, error))
}

fn busy(error: &anyhow::Error) -> bool {
    matches!(
        error
            .downcast_ref::<rusqlite::Error>()
            .and_then(rusqlite::Error::sqlite_error_code),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn in_use(folder: &Path, error: anyhow::Error) -> anyhow::Error {
    if busy(&error) {
        return anyhow::anyhow!(
            "the case in '{}' is in use by another process\n  try: wait until it has ended, or name another folder with --case",
            folder.display()
        );
    }
    match error
        .downcast_ref::<rusqlite::Error>()
        .and_then(rusqlite::Error::sqlite_error_code)
    {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            anyhow::anyhow!(
                "'{}' is no case, or is damaged: its case.db cannot be read ({error})\n  try: name another folder with --case",
                folder.display()
            )
        }
        _ => error.context(format!("cannot use the case in '{}'", folder.display())),
    }
}
