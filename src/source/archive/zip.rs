//! zip: members anywhere in the file, listed in a directory at its end (PKWARE APPNOTE 6.3).
//!
//! Members are handed out in the directory's order, also those that share a name; several are unpacked at a time. An archive whose end is missing has no
//! directory; its members are then read one after the other until the break.

use super::{CONTINUE, Place, maildir, plain, stream};
use crate::source::Unit;
use crate::source::ahead::{Input, read_ahead};
use crate::source::in_order::{Hand, in_order};
use crate::source::sink::{Counts, Flow, Sink};
use std::io::{self, Read, Seek};
use std::sync::Arc;
use zip::ZipReadOptions;
use zip::read::{Config, ZipFileEntry, read_zipfile_from_stream};
use zip::result::{ZipError, ZipResult};
// Marked as unstable by its crate, but the only reader that gives members of the same name.
use zip::unstable::read::ZipIterable;

/// How many bytes of members, as the directory has them, a thread takes at once.
const RUN: u64 = 512 << 10;
/// How many members a thread takes at once.
const RUN_MEMBERS: usize = 256;

/// Hands out the members. `open` gives a reader of its own to each thread.
pub(super) fn members<R: Read + Seek + Send>(
    open: &(impl Fn() -> R + Sync),
    place: &Place<'_>,
    sink: &mut Sink<'_>,
) -> Flow {
    let mut archive = match ZipIterable::try_new(open(), Config::default()) {
        Ok(archive) => archive,
        Err(why) => return unlisted(&mut open(), &why, place, sink),
    };
    let count = archive.len();
    let mut listed = match archive.files() {
        Ok(files) => files.zip(1..),
        Err(why) => return damaged(&why, place, sink),
    };
    // Only the outermost archive is read side by side: else threads would multiply.
    if place.depth == 0 && place.walk.threads > 1 && count > 1 {
        let threads = place.walk.threads.min(count);
        if let Ok(flow) = side_by_side(open, threads, &mut listed, place, sink) {
            return flow;
        }
    }
    let mut reader = open();
    listed.try_for_each(|listed| one_listed(listed, &mut reader, place, sink))
}

/// A line of the directory, and its number.
type Listed = (ZipResult<ZipFileEntry<'static>>, usize);

/// What a thread hands in of its members.
enum Given {
    Unit(Box<dyn Unit>),
    Counts(Counts),
}

/// Reads members in several threads and hands out what they hold in the directory's order.
fn side_by_side<R: Read + Seek + Send>(
    open: &(impl Fn() -> R + Sync),
    threads: usize,
    listed: &mut (impl Iterator<Item = Listed> + Send),
    place: &Place<'_>,
    sink: &mut Sink<'_>,
) -> io::Result<Flow> {
    let spare = Arc::default();
    let work = |run: Vec<Listed>, hand: &Hand<'_, Given>| {
        let turn = || hand.wait_for_turn();
        let place = Place {
            turn: Some(&turn),
            ..place.clone()
        };
        let mut reader = open();
        let mut each = |unit: Box<dyn Unit>| {
            let held = unit.held();
            hand.give(Given::Unit(unit), held)
        };
        let mut part = Sink::of_part(&mut each, &spare);
        // Who asked to stop knows that he did.
        let _ = run
            .into_iter()
            .try_for_each(|listed| one_listed(listed, &mut reader, &place, &mut part));
        let counts = part.end_part();
        let _ = hand.give(Given::Counts(counts), 0);
    };
    in_order(threads, || run(listed), work, &mut |given| match given {
        Given::Unit(unit) => sink.items(&*unit),
        Given::Counts(counts) => {
            sink.counts += counts;
            CONTINUE
        }
    })
}

/// The members that a thread takes next: a large one alone, small ones together.
fn run(listed: &mut impl Iterator<Item = Listed>) -> Option<Vec<Listed>> {
    let (mut run, mut bytes) = (Vec::new(), 0u64);
    while bytes < RUN && run.len() < RUN_MEMBERS {
        let Some(next) = listed.next() else { break };
        bytes = bytes.saturating_add(next.0.as_ref().map_or(0, ZipFileEntry::size));
        run.push(next);
    }
    (!run.is_empty()).then_some(run)
}

/// Hands out one member of the directory.
fn one_listed<R: Read + Seek + Send>(
    (entry, number): Listed,
    reader: &mut R,
    place: &Place<'_>,
    sink: &mut Sink<'_>,
) -> Flow {
    let entry = match entry {
        Ok(entry) => entry,
        Err(why) => return damaged(&why, place, sink),
    };
    if entry.is_dir() {
        return CONTINUE;
    }
    if entry.is_symlink() {
        sink.counts.links += 1;
        return CONTINUE;
    }
    let member = place.member(&name(&entry), number);
    if entry.encrypted() {
        return member.unread(sink, "it is encrypted".into());
    }
    match entry.with_reader(reader, ZipReadOptions::new()) {
        Ok(mut body) => one(&mut body, &member, sink),
        Err(why) => member.unread(sink, reason(&why)),
    }
}

/// Without a directory, until something is broken.
fn unlisted<R: Read + Seek + Send>(
    reader: &mut R,
    why: &ZipError,
    place: &Place<'_>,
    sink: &mut Sink<'_>,
) -> Flow {
    if reader.rewind().is_ok() {
        let mut number = 0;
        while let Ok(Some(mut body)) = read_zipfile_from_stream(reader) {
            number += 1;
            let name = body.name().map_or_else(
                |_| String::from_utf8_lossy(body.name_raw()).into_owned(),
                |n| n.into_owned(),
            );
            let member = place.member(&name, number);
            if !body.is_dir() {
                one(&mut body, &member, sink)?;
            }
        }
    }
    damaged(why, place, sink)
}

fn one(body: &mut Input<'_>, member: &Place<'_>, sink: &mut Sink<'_>) -> Flow {
    if maildir::split(&member.path).is_some_and(|(_, position)| position.starts_with("tmp/")) {
        sink.counts.not_mail += 1;
        return CONTINUE;
    }
    let read = |ahead: &mut Input<'_>| stream(ahead, member, sink);
    read_ahead(body, read).0
}

fn name(entry: &ZipFileEntry<'_>) -> String {
    entry.name().map_or_else(
        |_| String::from_utf8_lossy(entry.name_raw()).into_owned(),
        |n| n.into_owned(),
    )
}

fn damaged(why: &ZipError, place: &Place<'_>, sink: &mut Sink<'_>) -> Flow {
    place.unread(
        sink,
        format!(
            "the zip archive is damaged: {}; members may be missing",
            reason(why)
        ),
    )
}

fn reason(why: &ZipError) -> String {
    match why {
        ZipError::Io(why) => format!("cannot be unpacked: {}", plain(why)),
        ZipError::CompressionMethodNotSupported(method) => {
            format!("its compression method ({method}) is not supported")
        }
        ZipError::InvalidPassword | ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            "it is encrypted".into()
        }
        other => format!("cannot be unpacked: {}", other.to_string().to_lowercase()),
    }
}
