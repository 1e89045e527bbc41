//! Compressed files and archives, read without unpacking to disk: gzip (RFC 1952, several members), zstd (RFC 8878,
//! several frames), tar (POSIX ustar, pax, GNU), zip (APPNOTE). They may stand in one another to a bounded depth. Names in
//! an archive are shown, never used as paths.

use std::io::{Cursor as Memory, Read, Seek};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::disk::{Cursor, Disk};
use super::mbox;
use super::recognise::{Kind, PREFIX, recognise};
use super::role::role;
use super::sink::{Counted, Flow, Sink};
use super::{Folder, eml, maildir};
use crate::message::text::clean;

/// How deep archives are opened inside archives.
const DEEPEST: usize = 5;
/// The largest zip inside another archive that is read: it must stand in memory, for its list is at its end.
const LARGEST_INNER_ZIP: u64 = 256 << 20;

/// Where a file stands in a source.
#[derive(Clone, Debug, Default)]
pub(super) struct Spot {
    /// The chain of what it stands in: archives and their places.
    outer: String,
    /// Its path in the innermost of these, or in the source.
    path: String,
    /// How many archives it stands in.
    depth: usize,
}

impl Spot {
    /// A file of the source itself; empty where the source is the file.
    pub(super) fn new(path: &str) -> Spot {
        Spot {
            path: path.to_owned(),
            ..Spot::default()
        }
    }

    /// The whole chain, joined by `!` at each archive.
    fn chain(&self) -> String {
        join(&self.outer, &self.path)
    }

    /// A member of this archive.
    fn member(&self, name: &str) -> Spot {
        let name = clean(&name.replace('\\', "/"));
        let parts: Vec<&str> = name
            .split('/')
            .filter(|part| !matches!(*part, "" | "." | ".."))
            .collect();
        Spot {
            outer: self.chain(),
            path: parts.join("/"),
            depth: self.depth + 1,
        }
    }

    pub(super) fn folder(&self) -> Arc<Folder> {
        let chain = self.chain();
        Arc::new(Folder {
            role: role(&chain),
            chain,
        })
    }
}

fn join(outer: &str, path: &str) -> String {
    [outer, path]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("!")
}

/// Reads a gzip, zstd or tar file or a zip archive on disk.
pub(super) fn on_disk(disk: &Disk, kind: Kind, spot: &Spot, sink: &mut Sink<'_>) -> Flow {
    let cursor = Counted {
        input: Cursor { disk, at: 0 },
        read: sink.counter(),
    };
    match kind {
        Kind::Zip => zip(cursor, spot, sink),
        kind => inner(Box::new(cursor), kind, spot, sink),
    }
}

/// Reads whatever a stream holds.
pub(super) fn stream(mut input: Box<dyn Read + '_>, spot: &Spot, sink: &mut Sink<'_>) -> Flow {
    match prefix(&mut input) {
        Ok(bytes) => {
            let kind = recognise(&bytes);
            inner(Box::new(Memory::new(bytes).chain(input)), kind, spot, sink)
        }
        Err(error) => sink.unread(
            &spot.folder(),
            None,
            None,
            format!("cannot be unpacked: {error}"),
        ),
    }
}

/// The first bytes of a stream, for [`recognise`].
pub(super) fn prefix(input: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(PREFIX);
    match input.take(PREFIX as u64).read_to_end(&mut bytes) {
        // A stream that breaks after its first bytes still has them.
        Err(error) if bytes.is_empty() => Err(error),
        _ => Ok(bytes),
    }
}

/// Opens one layer of compression, for looking at what is in it.
pub(super) fn unpack<'a>(input: Box<dyn Read + 'a>, kind: Kind) -> Option<Box<dyn Read + 'a>> {
    match kind {
        Kind::Gzip => Some(Box::new(flate2::read::MultiGzDecoder::new(input))),
        Kind::Zstd => zstd::stream::read::Decoder::new(input)
            .ok()
            .map(|decoder| Box::new(decoder) as Box<dyn Read + 'a>),
        _ => None,
    }
}

fn inner(mut input: Box<dyn Read + '_>, kind: Kind, spot: &Spot, sink: &mut Sink<'_>) -> Flow {
    let too_deep =
        matches!(kind, Kind::Gzip | Kind::Zstd | Kind::Zip | Kind::Tar) && spot.depth >= DEEPEST;
    if too_deep {
        return sink.unread(&spot.folder(), None, None, format!("archives stand in one another more than {DEEPEST} deep: unpack it and scan what is in it"));
    }
    match kind {
        Kind::Mbox(first, habit) => mbox::stream(input, first, habit, &spot.folder(), sink),
        Kind::Mail | Kind::Emlx => message(input.as_mut(), spot, sink),
        Kind::Gzip | Kind::Zstd => match unpack(input, kind) {
            Some(unpacked) => stream(
                unpacked,
                &Spot {
                    depth: spot.depth + 1,
                    ..spot.clone()
                },
                sink,
            ),
            None => sink.unread(&spot.folder(), None, None, "cannot be unpacked".to_owned()),
        },
        Kind::Tar => tar(input, spot, sink),
        Kind::Zip => {
            let mut bytes = Vec::new();
            match input.take(LARGEST_INNER_ZIP + 1).read_to_end(&mut bytes) {
                Err(error) => sink.unread(&spot.folder(), None, None, format!("cannot be unpacked: {error}")),
                Ok(_) if bytes.len() as u64 > LARGEST_INNER_ZIP => {
                    sink.unread(&spot.folder(), None, None, "a zip archive in another archive is larger than 256 MiB: unpack it and scan it by itself".to_owned())
                }
                Ok(_) => zip(Memory::new(bytes), spot, sink),
            }
        }
        Kind::Empty | Kind::Other | Kind::Compound | Kind::Pst | Kind::OtherArchive(_) => {
            not_read(kind, spot, sink, input.as_mut())
        }
    }
}

/// What is no mail is counted; what is mail of a kind that this version does not read is listed.
fn not_read(kind: Kind, spot: &Spot, sink: &mut Sink<'_>, input: &mut dyn Read) -> Flow {
    let name = spot.path.to_lowercase();
    if named_as_mail(&spot.path) {
        return message(input, spot, sink);
    }
    match unreadable(kind, &name) {
        Some(reason) => sink.unread(&spot.folder(), None, None, reason),
        None => {
            sink.not_mail += 1;
            ControlFlow::Continue(())
        }
    }
}

/// Whether a file's name says that it is one message, whatever its content: then it is read, or listed as unread.
pub(super) fn named_as_mail(path: &str) -> bool {
    let name = path.to_lowercase();
    name.ends_with(".eml")
        || name.ends_with(".emlx")
        || matches!(path.rsplit('/').nth(1), Some("cur" | "new"))
            && !path
                .rsplit('/')
                .next()
                .is_some_and(|name| name.starts_with('.'))
}

/// Why a file that holds, or may hold, mail is not read; `None` where it is no mail.
pub(super) fn unreadable(kind: Kind, name: &str) -> Option<String> {
    let outlook = name.ends_with(".msg") || name.ends_with(".oft");
    match kind {
        Kind::Pst => Some("Outlook store (PST or OST): this version does not read it".to_owned()),
        Kind::Compound if outlook => {
            Some("Outlook message (MSG): this version does not read it".to_owned())
        }
        Kind::OtherArchive(what) => Some(format!(
            "{what}: this version does not read it; unpack it and scan what is in it"
        )),
        _ => None,
    }
}

/// One message that is a member of an archive.
fn message(input: &mut dyn Read, spot: &Spot, sink: &mut Sink<'_>) -> Flow {
    let (inner, position, marks) = maildir::place(&spot.path);
    let chain = join(&spot.outer, inner);
    let folder = Arc::new(Folder {
        role: role(&chain),
        chain,
    });
    let mut flow = ControlFlow::Continue(());
    eml::give(input, &folder, position, marks, &mut |item| {
        flow = sink.item(&folder, item)
    });
    flow
}

fn tar(input: Box<dyn Read + '_>, spot: &Spot, sink: &mut Sink<'_>) -> Flow {
    let mut archive = tar::Archive::new(input);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => {
            return sink.unread(
                &spot.folder(),
                None,
                None,
                format!("cannot be unpacked: {error}"),
            );
        }
    };
    for entry in entries {
        match entry {
            Ok(entry) if entry.header().entry_type().is_file() => {
                let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                if !in_tmp(&name) {
                    stream(Box::new(entry), &spot.member(&name), sink)?;
                }
            }
            Ok(_) => {}
            Err(error) => {
                return sink.unread(
                    &spot.folder(),
                    None,
                    None,
                    format!("the archive breaks off or is damaged: {error}"),
                );
            }
        }
    }
    ControlFlow::Continue(())
}

fn zip(input: impl Read + Seek, spot: &Spot, sink: &mut Sink<'_>) -> Flow {
    let mut archive = match zip::ZipArchive::new(input) {
        Ok(archive) => archive,
        Err(error) => {
            return sink.unread(
                &spot.folder(),
                None,
                None,
                format!("the zip archive breaks off or is damaged: {error}"),
            );
        }
    };
    for index in 0..archive.len() {
        let name = archive
            .name_for_index(index)
            .and_then(Result::ok)
            .map(std::borrow::Cow::into_owned)
            .unwrap_or_default();
        match archive.by_index(index) {
            Ok(member) if member.is_file() => {
                if !in_tmp(&name) {
                    stream(Box::new(member), &spot.member(&name), sink)?;
                }
            }
            Ok(_) => {}
            Err(error) => sink.unread(
                &spot.member(&name).folder(),
                None,
                None,
                format!("cannot be unpacked: {error}"),
            )?,
        }
    }
    ControlFlow::Continue(())
}

/// Whether a member stands in the `tmp` of a Maildir.
fn in_tmp(name: &str) -> bool {
    name.rsplit('/').nth(1) == Some("tmp")
        && name.rsplit('/').next().is_some_and(|file| {
            file.contains('.') && !file.ends_with(".eml") && file.as_bytes()[0].is_ascii_digit()
        })
}
