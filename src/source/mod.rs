//! Where mail comes from: files and folders on disk, archives of these, standard input, IMAP accounts.
//!
//! A [`Source`] is opened by [`open`], which looks at the content and not at the name. It hands out [`Unit`]s of
//! work in a fixed order; any worker may read a unit, and reading it is a pure function of the source's bytes.
//! Sources are only ever opened for reading. Nothing here knows what a message means.

mod ahead;
mod archive;
mod disk;
mod eml;
pub mod imap;
mod in_order;
mod local;
mod maildir;
mod mbox;
mod recognise;
mod role;
mod sink;
mod stdin;
#[cfg(test)]
mod testing;
mod walk;

use std::ops::ControlFlow;
use std::sync::Arc;

pub use crate::place::{Folder, Headway, Mark, Position, Role, Unread};

/// What the store itself says of a message, beside the message's own bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Marked as a draft (Maildir flag `D`, emlx flag, IMAP `\Draft`).
    pub draft: bool,
    /// Marked as deleted, but still there (Maildir flag `T`, emlx flag, IMAP `\Deleted`).
    pub deleted: bool,
    /// When the store took it in: From_ line, IMAP INTERNALDATE; in seconds since 1970 UTC.
    pub stored: Option<i64>,
}

/// One mail as stored.
#[derive(Debug)]
pub struct Raw<'a> {
    /// Where it stands in its folder.
    pub position: Position,
    /// Its bytes, as far as they are held.
    pub bytes: &'a [u8],
    /// How much of the message that is.
    pub extent: Extent,
    /// SHA-256 of the whole message, for [`Extent::Start`]: of a whole message it is made from its bytes, and of less a
    /// source that can is asked for it later ([`Source::digests`]).
    pub sha256: Option<[u8; 32]>,
    /// What the store says of it.
    pub marks: Marks,
    /// Where the lines of its head end, the empty one included: the offset of each LF in `bytes`. Empty where the store
    /// has not looked; then whoever reads the head does.
    pub head_lines: &'a [u32],
}

/// How much of a message is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its first bytes: it is longer than [`LONGEST_HELD`].
    Start,
    /// Its head, its text, and the heads of its attachments: all that judgement looks at.
    Text,
    /// Only the header fields that ccspill reads.
    Head,
}

impl Extent {
    /// Of a message that is held from its start.
    fn of(whole: bool) -> Self {
        if whole { Extent::Whole } else { Extent::Start }
    }
}

/// How much of a message is needed, of which only header fields are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// No more.
    Nothing,
    /// Its whole head and its text.
    Text,
    /// All of it.
    Whole,
}

/// Longest part of one message that is held in memory, in bytes. What lies beyond is counted and hashed, not parsed.
pub const LONGEST_HELD: usize = 32 << 20;

/// What a worker is given of each unit.
#[derive(Debug)]
pub enum Item<'a> {
    /// A mail.
    Mail(Raw<'a>),
    /// Something that could not be read.
    Unread(Unread),
}

/// How far a unit reached: for an mbox that is cut by bytes, its first border and the border after its last message.
/// Two neighbours fit where `ended` of the one is `began` of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first border (From_ line) that the unit read from.
    pub began: u64,
    /// Offset of the border that follows its last message, or the end of the file.
    pub ended: u64,
}

/// A piece of work for any thread: some messages of one folder.
pub trait Unit: Send + Sync {
    /// The folder that all its messages belong to.
    fn folder(&self) -> &Arc<Folder>;
    /// About how many bytes of the source it covers, for progress.
    fn size(&self) -> u64;
    /// How many bytes it holds in memory while it waits.
    fn held(&self) -> usize;
    /// Reads its messages in the order in which they stand and gives each to `each`.
    ///
    /// Gives its [`Span`] where it is a range of an mbox on disk. `None` for all others, and where the range broke
    /// off: then nothing can be said of the range behind it, and what that one guessed has to do.
    ///
    /// # Errors
    /// None: what cannot be read is given to `each` as [`Item::Unread`].
    fn read(&self, each: &mut dyn FnMut(Item<'_>)) -> Option<Span>;
    /// For a unit with a [`Span`]: the same unit, made to begin at `border` because its neighbour ended there. The
    /// caller uses it where a guess at the first border was wrong. `None` where there was nothing to guess: also for
    /// the first range of a file.
    fn beginning_at(&self, border: u64) -> Option<Box<dyn Unit>>;
    /// Over IMAP, how far its folder has been read when it is kept.
    fn headway(&self) -> Option<Headway<'_>> {
        None
    }
}

/// What a source is told when it is to be read.
pub struct Terms<'a> {
    /// At most so many members of an archive are unpacked at a time; it changes nothing else.
    pub jobs: usize,
    /// Asked now and then by a source that waits for others.
    pub stop: &'a dyn Fn() -> bool,
    /// How far its folders were read before, for a source that [grows](Source::grows).
    pub marks: &'a [Mark],
    /// Asked by a source that reads header fields first: how much it must get of this message.
    pub want: &'a mut dyn FnMut(&Raw<'_>, &Folder) -> Want,
}

/// What is told of each place that [`Source::digests`] was asked about: which, and its SHA-256, or why it cannot be had.
pub type Digests<'a> = dyn FnMut(usize, Result<[u8; 32], String>) + 'a;

/// What a source was found to hold, told when it has been handed out whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Files that are no mail; they are counted and are no error.
    pub not_mail: u64,
    /// What this kind of source can never show, or what was noticed about it: plain sentences.
    pub limits: Vec<String>,
}

/// One place that mail comes from.
pub trait Source: Send + Sync {
    /// As given on the command line.
    fn name(&self) -> &str;
    /// What kind of store it is, for people: `mbox`, `Maildir`, `zip archive` …
    fn kind(&self) -> &'static str;
    /// How many bytes it has on disk, if that can be known; for progress.
    fn bytes(&self) -> Option<u64>;
    /// How many messages it has, if that is known before they are read; for progress.
    fn messages(&self) -> Option<u64> {
        None
    }
    /// Whether what was read of it stays as it is, and only more comes: then a scan reads what is new.
    fn grows(&self) -> bool {
        false
    }
    /// Hands out its units in a fixed order: by folder (sorted by path), then by position.
    ///
    /// `each` may ask to stop. Things that cannot be read are handed out as units that give [`Item::Unread`].
    ///
    /// # Errors
    /// Only what makes the whole source unreadable from the start.
    fn units(
        &self,
        terms: &mut Terms<'_>,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> anyhow::Result<Coverage>;
    /// SHA-256 of whole messages that were read in part, for a source that reads so; given to `each`.
    ///
    /// # Errors
    /// None so far: what cannot be had is told to `each`.
    fn digests(
        &self,
        _places: &[(String, Position)],
        _stop: &dyn Fn() -> bool,
        _each: &mut Digests<'_>,
    ) -> anyhow::Result<()> {
        Ok(())
    }
    /// What tells that the source's files are the same as at an earlier reading, without reading them: paths,
    /// sizes, times. `None` for standard input. A folder is walked for it. Of an account: whose it is; what became of its
    /// folders is told by their [`Mark`]s.
    fn stamp(&self) -> Option<String>;
    /// SHA-256 of the source as lower-case hex: of the file; of a folder, over the lines `sha256  path` (as
    /// `sha256sum` prints them) of its files sorted by path. `stop` is asked now and then. `None` where stopped.
    ///
    /// Standard input is hashed while it is read: `None` until [`Source::units`] has handed it out whole.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn sha256(&self, stop: &dyn Fn() -> bool) -> anyhow::Result<Option<String>>;
}

/// Opens what a person named: a path, `-` for standard input, the URL of an account. What a path holds is seen from its
/// content. `how` says how accounts are got into.
///
/// # Errors
/// What is not there, cannot be opened, or is no mail; with the mend on a line of its own that begins `  try: `.
pub fn open(name: &str, how: &imap::How) -> anyhow::Result<Box<dyn Source>> {
    if imap::is_url(name) {
        Ok(Box::new(imap::open(name, how)?))
    } else if name == "-" {
        stdin::open()
    } else {
        local::open(name)
    }
}

/// Opens a file or folder.
///
/// # Errors
/// As [`open`].
pub fn open_path(path: &str) -> anyhow::Result<Box<dyn Source>> {
    local::open(path)
}

/// Hands out the units of a source in full, whatever it may have read before.
///
/// # Errors
/// As [`Source::units`].
pub fn all_units(
    source: &dyn Source,
    jobs: usize,
    each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
) -> anyhow::Result<Coverage> {
    let mut terms = Terms {
        jobs,
        stop: &|| false,
        marks: &[],
        want: &mut |_, _| Want::Whole,
    };
    source.units(&mut terms, each)
}

/// What an error of the operating system means, in plain words.
fn plain(why: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let text = why.to_string();
    match (why.kind(), text.as_str()) {
        (ErrorKind::NotFound, _) => "it is not there".into(),
        (ErrorKind::PermissionDenied, _) => "permission denied".into(),
        (
            _,
            "unexpected end of file"
            | "failed to fill whole buffer"
            | "incomplete frame"
            | "incomplete deflate stream",
        ) => "it ends too early".into(),
        (_, text) => {
            let text = text.split(" (os error").next().unwrap_or_default();
            let mut letters = text.chars();
            let first = letters.next().into_iter().flat_map(char::to_lowercase);
            first.chain(letters).collect()
        }
    }
}
