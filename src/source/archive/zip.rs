//! zip: members anywhere in the file, listed in a directory at its end (PKWARE APPNOTE 6.3).
//!
//! Members are read in the directory's order, also those that share a name. An archive whose end is missing has no
//! directory; its members are then read one after the other until the break.

use super::{CONTINUE, Place, maildir, plain, stream};
use crate::source::ahead::Input;
use crate::source::sink::{Flow, Sink};
use std::io::{Read, Seek};
use zip::ZipReadOptions;
use zip::read::{Config, ZipFileEntry, read_zipfile_from_stream};
use zip::result::ZipError;
// Marked as unstable by its crate, but the only reader that gives members of the same name.
use zip::unstable::read::ZipIterable;

/// Hands out the members.
pub(super) fn members<R: Read + Seek + Send>(
    mut reader: R,
    place: &Place<'_>,
    sink: &mut Sink<'_>,
) -> Flow {
    match ZipIterable::try_new(&mut reader, Config::default()) {
        Ok(mut archive) => listed(&mut archive, place, sink),
        Err(why) => unlisted(&mut reader, &why, place, sink),
    }
}

/// By the directory.
fn listed<R: Read + Seek + Send>(
    archive: &mut ZipIterable<R>,
    place: &Place<'_>,
    sink: &mut Sink<'_>,
) -> Flow {
    let files = match archive.files() {
        Ok(files) => files,
        Err(why) => return damaged(&why, place, sink),
    };
    let mut number = 0;
    while let Some(entry) = files.next() {
        number += 1;
        let entry = match entry {
            Ok(entry) => entry,
            Err(why) => return damaged(&why, place, sink),
        };
        let member = place.member(&name(&entry), number);
        if entry.is_dir() {
            continue;
        }
        if entry.is_symlink() {
            sink.links += 1;
            continue;
        }
        if entry.encrypted() {
            member.unread(sink, "it is encrypted".into())?;
            continue;
        }
        match entry.with_reader(files.reader_mut(), ZipReadOptions::new()) {
            Ok(mut body) => one(&mut body, &member, sink)?,
            Err(why) => member.unread(sink, reason(&why))?,
        }
    }
    CONTINUE
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
        sink.not_mail += 1;
        return CONTINUE;
    }
    stream(body, member, sink)
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
