//! Messages that are files of their own: `.eml` (RFC 5322 as it is), `.emlx` (Apple Mail) and the files of a Maildir.
//!
//! An `.emlx` is a line with the message's length in bytes, the message, and a property list whose `flags` hold bits:
//! 0 read, 1 deleted, 6 draft. A `.partial.emlx` lacks its attachments, which stand in other files.
//!
//! Not a reader of many messages in one file; that is `mbox`.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::disk::{Cursor, Disk};
use super::{Folder, Item, LONGEST_HELD, Marks, Position, Raw, Span, Unit, Unread, recognise};

const DELETED: u64 = 1 << 1;
const DRAFT: u64 = 1 << 6;

/// One file that is one message.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its path inside its folder.
    pub(super) position: String,
    /// What its name says of it.
    pub(super) marks: Marks,
    /// In bytes.
    pub(super) size: u64,
}

/// Files of one folder, opened by the worker that reads them.
pub(super) struct Files {
    pub(super) folder: Arc<Folder>,
    pub(super) files: Vec<Mail>,
}

impl Unit for Files {
    fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    fn held(&self) -> usize {
        self.files.len() * size_of::<Mail>()
    }

    fn read(&self, each: &mut dyn FnMut(Item<'_>)) -> Option<Span> {
        for file in &self.files {
            match Disk::open(&file.path) {
                Ok(disk) => give(
                    &mut Cursor { disk: &disk, at: 0 },
                    &self.folder,
                    &file.position,
                    file.marks,
                    each,
                ),
                Err(error) => each(Item::Unread(unread(
                    &self.folder,
                    &file.position,
                    Some(file.size),
                    format!("cannot be opened: {error}"),
                ))),
            }
        }
        None
    }

    fn beginning_at(&self, _: u64) -> Option<Box<dyn Unit>> {
        None
    }
}

fn unread(folder: &Folder, position: &str, bytes: Option<u64>, reason: String) -> Unread {
    Unread {
        folder: folder.chain.clone(),
        position: Some(Position::Path(position.to_owned())),
        bytes,
        reason,
        message: true,
    }
}

/// Reads one message to its end and gives it to `each`, unpacked where it is an `.emlx`.
pub(super) fn give(
    input: &mut dyn Read,
    folder: &Folder,
    position: &str,
    marks: Marks,
    each: &mut dyn FnMut(Item<'_>),
) {
    let mut bytes = Vec::new();
    let mut long: Option<Sha256> = None;
    let mut length = 0u64;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                length += count as u64;
                if let Some(hash) = &mut long {
                    hash.update(&buffer[..count]);
                } else if bytes.len() + count <= LONGEST_HELD {
                    bytes.extend_from_slice(&buffer[..count]);
                } else {
                    let mut hash = Sha256::new();
                    hash.update(&bytes);
                    hash.update(&buffer[..count]);
                    long = Some(hash);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                return each(Item::Unread(unread(
                    folder,
                    position,
                    Some(length),
                    format!("cannot be read to its end: {error}"),
                )));
            }
        }
    }
    let whole = long.is_none();
    let (message, marks) = if whole {
        unpacked(&bytes, marks)
    } else {
        (&bytes[..], marks)
    };
    each(Item::Mail(Raw {
        position: Position::Path(position.to_owned()),
        bytes: message,
        whole,
        sha256: long.map(|hash| hash.finalize().into()),
        marks,
    }));
}

/// The message of an `.emlx` and what its property list says; anything else is itself.
fn unpacked(bytes: &[u8], marks: Marks) -> (&[u8], Marks) {
    let Some((count, at)) = recognise::emlx_count(bytes) else {
        return (bytes, marks);
    };
    let end = usize::try_from(count)
        .ok()
        .and_then(|count| at.checked_add(count))
        .filter(|end| *end <= bytes.len())
        .unwrap_or(bytes.len());
    if !recognise::is_mail(
        bytes
            .get(at..end.min(at + recognise::PREFIX))
            .unwrap_or_default(),
    ) {
        return (bytes, marks);
    }
    let flags = flags(&bytes[end..]);
    let said = |bit: u64| flags.is_some_and(|flags| flags & bit != 0);
    (
        &bytes[at..end],
        Marks {
            draft: marks.draft || said(DRAFT),
            deleted: marks.deleted || said(DELETED),
            ..marks
        },
    )
}

/// `<key>flags</key>` of the property list.
fn flags(list: &[u8]) -> Option<u64> {
    let at = memchr::memmem::find(list, b"<key>flags</key>")?;
    let rest = list.get(at..at + 200.min(list.len() - at))?;
    let begin = memchr::memmem::find(rest, b"<integer>")? + 9;
    let digits: Vec<u8> = rest[begin..]
        .iter()
        .copied()
        .take_while(u8::is_ascii_digit)
        .collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emlx_gives_its_message_and_its_flags() {
        let mail = b"From: a@x.example\nTo: b@x.example\nSubject: s\n\nbody\n";
        let list = b"<?xml version=\"1.0\"?><plist><dict><key>flags</key>\n<integer>66</integer></dict></plist>";
        let whole = [format!("{}\n", mail.len()).as_bytes(), mail, list].concat();
        let (message, marks) = unpacked(&whole, Marks::default());
        assert_eq!(message, mail);
        assert!(marks.draft && marks.deleted);
    }
}
