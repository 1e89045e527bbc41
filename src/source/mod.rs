//! Where mail comes from: files and folders on disk, archives of these, standard input.
//!
//! A [`Source`] is opened by [`open`], which looks at the content and not at the name. It hands out [`Unit`]s of
//! work in a fixed order; any worker may read a unit, and reading it is a pure function of the source's bytes.
//! Sources are only ever opened for reading. Nothing here knows what a message means.

mod ahead;
mod archive;
mod disk;
mod eml;
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

pub use crate::place::{Folder, Position, Role, Unread};

/// What the store itself says of a message, beside the message's own bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Marked as a draft (Maildir flag `D`, emlx flag).
    pub draft: bool,
    /// Marked as deleted, but still there (Maildir flag `T`, emlx flag).
    pub deleted: bool,
    /// When the store took it in: From_ line, in seconds since 1970 UTC.
    pub stored: Option<i64>,
}

/// One mail as stored.
#[derive(Debug)]
pub struct Raw<'a> {
    /// Where it stands in its folder.
    pub position: Position,
    /// Its bytes. Fewer than the message's whole length where it is longer than [`LONGEST_HELD`].
    pub bytes: &'a [u8],
    /// True where `bytes` is the whole message.
    pub whole: bool,
    /// SHA-256 of the whole message. Some only where `bytes` is not all of it: else it is made from these.
    pub sha256: Option<[u8; 32]>,
    /// What the store says of it.
    pub marks: Marks,
    /// Where the lines of its head end, the empty one included: the offset of each LF in `bytes`. Empty where the store
    /// has not looked; then whoever reads the head does.
    pub head_lines: &'a [u32],
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
}

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
    /// Hands out its units in a fixed order: by folder (sorted by path), then by position.
    ///
    /// `each` may ask to stop. Things that cannot be read are handed out as units that give [`Item::Unread`]. At most
    /// `jobs` members of an archive are unpacked at a time; it changes nothing else.
    ///
    /// # Errors
    /// Only what makes the whole source unreadable from the start.
    fn units(
        &self,
        jobs: usize,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> anyhow::Result<Coverage>;
    /// What tells that the source's files are the same as at an earlier reading, without reading them: paths,
    /// sizes, times. `None` for standard input. A folder is walked for it.
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

/// Opens what a person named: a path, or `-` for standard input. What it is, is seen from its content.
///
/// # Errors
/// What is not there, cannot be opened, or is no mail; with the mend on a line of its own that begins `  try: `.
pub fn open(name: &str) -> anyhow::Result<Box<dyn Source>> {
    if name.starts_with("imap://") || name.starts_with("imaps://") {
        anyhow::bail!(
            "cannot open '{name}': this version does not read IMAP accounts\n  try: export the folder as mbox or .eml and scan that"
        );
    }
    if name == "-" {
        stdin::open()
    } else {
        local::open(name)
    }
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
