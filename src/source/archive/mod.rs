//! Mail inside archives: gzip and zstd streams, tar, zip, and these within one another.
//!
//! Nothing is unpacked to disk. Members are read in the order in which they stand, as streams; what a member is, its
//! first bytes tell. A mbox member is split as it is on disk; small messages of one folder are packed together. A
//! zip within another archive has to be held in memory, up to [`NESTED_ZIP`] for all levels together; archives are
//! followed [`DEEPEST`] levels down. A member that is damaged, encrypted or beyond these bounds is listed as unread,
//! and the next one is read. Names of members are never used as paths.
//!
//! A folder's chain is joined by `!` at each archive inside the source: `backup.tar.gz!Mail/Sent.mbox`.

mod gzip;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

pub(super) use gzip::Gunzip;

use super::ahead::{Input, read_ahead};
use super::disk::{Cursor, Disk};
use super::eml::Loaded;
use super::recognise::{self, Kind};
use super::sink::{Counted, Flow, Sink};
use super::walk::Walk;
use super::{Folder, Item, Position, Unread, maildir, mbox, plain};
use crate::message::text::is_invisible;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

/// How many archives may stand within one another.
const DEEPEST: u8 = 5;
/// How many bytes of zip archives within other archives are held in memory, all levels together.
const NESTED_ZIP: u64 = 256 << 20;
/// How much of a compound file is looked at to tell an Outlook message from an old Office document.
const COMPOUND: u64 = 32 << 20;

/// Where in a source a file stands.
#[derive(Clone)]
pub(super) struct Place<'w> {
    walk: &'w Walk<'w>,
    /// The chain of the archive that holds the file, with its `!`; empty where that is the source or none.
    archive: String,
    /// The file's path in it.
    path: String,
    depth: u8,
    /// How many bytes may still be held for nested zips.
    room: u64,
    /// Where members are read side by side: waits until all before this one are done.
    turn: Option<&'w (dyn Fn() -> Flow + Sync)>,
}

impl<'w> Place<'w> {
    /// Of a file on disk, `chain` leading to it.
    pub(super) fn of_file(walk: &'w Walk<'w>, chain: &str) -> Place<'w> {
        Place {
            walk,
            archive: String::new(),
            path: chain.to_owned(),
            depth: 0,
            room: NESTED_ZIP,
            turn: None,
        }
    }

    fn chain(&self) -> String {
        format!("{}{}", self.archive, self.path)
    }

    /// The file as a folder of many messages.
    fn as_folder(&self) -> Arc<Folder> {
        self.walk.folder(&self.chain())
    }

    /// The folder that the file stands in and its position there, as one message.
    fn as_message(&self) -> (Arc<Folder>, String) {
        let (dir, position) = maildir::split(&self.path)
            .unwrap_or_else(|| self.path.rsplit_once('/').unwrap_or(("", &self.path)));
        let chain = match dir {
            "" => self
                .archive
                .strip_suffix('!')
                .unwrap_or(&self.archive)
                .to_owned(),
            dir => format!("{}{dir}", self.archive),
        };
        let position = if position.is_empty() {
            self.walk.name
        } else {
            position
        };
        (self.walk.folder(&chain), position.to_owned())
    }

    /// A member of this file, which is an archive. `name` is what the archive says; only its plain parts are kept.
    fn member(&self, name: &str, number: usize) -> Place<'w> {
        let name: String = name.chars().filter(|c| !is_invisible(*c)).collect();
        let parts: Vec<&str> = name
            .split(['/', '\\'])
            .filter(|p| !matches!(*p, "" | "." | ".."))
            .collect();
        let path = if parts.is_empty() {
            format!("member {number}")
        } else {
            parts.join("/")
        };
        let chain = self.chain();
        let archive = if chain.is_empty() { chain } else { chain + "!" };
        Place {
            walk: self.walk,
            archive,
            path,
            depth: self.depth + 1,
            room: self.room,
            turn: self.turn,
        }
    }

    /// The same file, unpacked: a compressed file has no members with names.
    fn inside(&self) -> Place<'w> {
        Place {
            depth: self.depth + 1,
            ..self.clone()
        }
    }

    fn unread(&self, sink: &mut Sink<'_>, reason: String) -> Flow {
        let (folder, position) = self.as_message();
        let position = (!self.path.is_empty()).then_some(Position::Path(position));
        sink.unread(&folder, position, None, reason)
    }
}

/// Hands out what a file on disk holds that is neither an mbox nor a message.
pub(super) fn disk(disk: &Disk, kind: Kind, place: &Place<'_>, sink: &mut Sink<'_>) -> Flow {
    let count = sink.read();
    let open = || Counted::new(Cursor { disk, at: 0 }, &count);
    match kind {
        Kind::Zip => zip::members(&|| BufReader::new(open()), place, sink),
        kind => content(&mut open(), kind, place, sink),
    }
}

/// Hands out what a stream holds, whatever that is.
pub(super) fn stream(reader: &mut Input<'_>, place: &Place<'_>, sink: &mut Sink<'_>) -> Flow {
    let (prefix, broke) = beginning(reader);
    if let (true, Some(why)) = (prefix.is_empty(), &broke) {
        return place.unread(sink, format!("cannot be unpacked: {}", plain(why)));
    }
    let kind = recognise::recognise(&prefix);
    content(
        &mut Begun {
            prefix: &prefix,
            broke,
            rest: reader,
        },
        kind,
        place,
        sink,
    )
}

/// Hands out what a stream of a known kind holds.
fn content(mut reader: &mut Input<'_>, kind: Kind, place: &Place<'_>, sink: &mut Sink<'_>) -> Flow {
    let archive = matches!(kind, Kind::Gzip | Kind::Zstd | Kind::Tar | Kind::Zip);
    if archive && place.depth >= DEEPEST {
        return place.unread(
            sink,
            format!(
                "{} within {DEEPEST} others: too deep to be read",
                kind.name()
            ),
        );
    }
    match kind {
        _ if !archive && maildir::is_named_as_mail(&place.path) && kind.is_unknown() => {
            message(reader, place, sink)
        }
        Kind::Mbox(first, habit) => mbox::stream(reader, first, habit, &place.as_folder(), sink),
        Kind::Mail | Kind::Emlx => message(reader, place, sink),
        Kind::Gzip => {
            let mut unpacked = Gunzip::new(BufReader::new(reader));
            let read = |ahead: &mut Input<'_>| stream(ahead, &place.inside(), sink);
            let (flow, ended) = read_ahead(&mut unpacked, read);
            flow?;
            if ended && unpacked.trailing() {
                place.unread(
                    sink,
                    "bytes that are no gzip follow the compressed file".into(),
                )
            } else {
                CONTINUE
            }
        }
        Kind::Zstd => match zstd::stream::read::Decoder::new(reader) {
            Ok(mut unpacked) => {
                let read = |ahead: &mut Input<'_>| stream(ahead, &place.inside(), sink);
                read_ahead(&mut unpacked, read).0
            }
            Err(why) => place.unread(sink, format!("cannot be unpacked: {}", plain(&why))),
        },
        Kind::Tar => tar::members(&mut BufReader::new(reader), place, sink),
        Kind::Zip => nested_zip(reader, place, sink),
        Kind::OtherArchive(name) => {
            place.unread(sink, format!("{name}: this version does not read it"))
        }
        Kind::Pst => place.unread(sink, OUTLOOK.into()),
        Kind::Compound if is_outlook(&mut reader) => place.unread(sink, OUTLOOK.into()),
        Kind::Compound | Kind::Empty | Kind::Other => {
            sink.counts.not_mail += 1;
            CONTINUE
        }
    }
}

const CONTINUE: Flow = ControlFlow::Continue(());
const OUTLOOK: &str = "Outlook store: this version does not read it";

/// Hands out a message that is a member of its own.
fn message(reader: &mut dyn Read, place: &Place<'_>, sink: &mut Sink<'_>) -> Flow {
    let (folder, position) = place.as_message();
    sink.counts.partial += u64::from(position.ends_with(".partial.emlx"));
    let mut loaded = Loaded::default();
    match loaded.load(reader) {
        Ok(()) => {
            let marks = maildir::marks(&position);
            sink.item(
                &folder,
                Item::Mail(loaded.raw(Position::Path(position), marks)),
            )
        }
        Err(why) => {
            let reason = format!("the message is cut off: {}", plain(&why));
            let (folder_chain, position) = (folder.chain.clone(), Some(Position::Path(position)));
            sink.item(
                &folder,
                Item::Unread(Unread {
                    folder: folder_chain,
                    position,
                    bytes: None,
                    reason,
                    message: true,
                }),
            )
        }
    }
}

/// A zip is read from its end, so one in a stream has to be held.
fn nested_zip(reader: &mut Input<'_>, place: &Place<'_>, sink: &mut Sink<'_>) -> Flow {
    if let Some(turn) = place.turn {
        // What is held counts for all levels together, and so for all members of the outermost zip.
        turn()?;
    }
    let mut bytes = Vec::new();
    if let Err(why) = reader.take(place.room + 1).read_to_end(&mut bytes) {
        return place.unread(
            sink,
            format!("zip archive that cannot be unpacked: {}", plain(&why)),
        );
    }
    let held = bytes.len() as u64;
    if held > place.room {
        return place.unread(
            sink,
            format!(
                "zip archive of more than {} MiB within another archive",
                NESTED_ZIP >> 20
            ),
        );
    }
    let place = Place {
        room: place.room - held,
        ..place.clone()
    };
    zip::members(&|| io::Cursor::new(&bytes[..]), &place, sink)
}

/// Outlook messages keep their fields in streams of this name.
pub(super) fn is_outlook(reader: &mut dyn Read) -> bool {
    let marker: Vec<u8> = "__properties_version1.0"
        .bytes()
        .flat_map(|b| [b, 0])
        .collect();
    let mut bytes = Vec::new();
    let read = reader.take(COMPOUND).read_to_end(&mut bytes);
    read.is_ok() && memchr::memmem::find(&bytes, &marker).is_some()
}

/// What a compressed file on disk holds; others are what they are.
pub(super) fn kind_within(disk: &Disk, kind: Kind) -> io::Result<Kind> {
    let reader = BufReader::new(Cursor { disk, at: 0 });
    let (prefix, broke) = match kind {
        Kind::Gzip => beginning(&mut Gunzip::new(reader)),
        Kind::Zstd => beginning(&mut zstd::stream::read::Decoder::with_buffer(reader)?),
        _ => return Ok(kind),
    };
    match broke {
        Some(why) if prefix.is_empty() => Err(why),
        _ => Ok(recognise::recognise(&prefix)),
    }
}

/// The first bytes of a stream, and what broke it off within them.
fn beginning(reader: &mut dyn Read) -> (Vec<u8>, Option<io::Error>) {
    let mut prefix = Vec::new();
    let read = reader
        .take(recognise::PREFIX as u64)
        .read_to_end(&mut prefix);
    (prefix, read.err())
}

/// A stream whose first bytes have been read already. Where it broke off among them it says so again: the readers of
/// archives may report an error once and an end afterwards.
struct Begun<'a> {
    prefix: &'a [u8],
    broke: Option<io::Error>,
    rest: &'a mut Input<'a>,
}

impl Read for Begun<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.prefix.is_empty() {
            return self.prefix.read(into);
        }
        match self.broke.take() {
            Some(why) => Err(why),
            None => self.rest.read(into),
        }
    }
}
