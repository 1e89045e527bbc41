//! One message in a file of its own: `.eml`, `.emlx`, the files of a Maildir.
//!
//! # The formats
//! `.eml` has no standard of its own: it is a message as RFC 5322 has it, with CRLF or LF. A BOM may stand before it.
//!
//! `.emlx` (Apple Mail) is three things after one another: a line with the number of bytes of the message, the
//! message, and a property list (XML) with `flags`, a number whose bit 1 says deleted and bit 6 draft. In a
//! `.partial.emlx` the attachments are left out; they stand in files beside it.
//! See <https://docs.fileformat.com/email/emlx/> and <https://www.jwz.org/blog/2005/07/emlx-flags/>.
//!
//! A file is read whole, up to [`LONGEST_HELD`]; what lies beyond is hashed on the way.

use super::archive::Gunzip;
use super::disk::{Cursor, Disk};
use super::{
    Extent, Folder, Item, LONGEST_HELD, Marks, Position, Raw, Span, Unit, Unread, recognise,
};
use sha2::{Digest, Sha256};
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// How much of an .emlx's property list is looked at.
const PLIST: u64 = 256 << 10;

/// A message that was read from a file of its own.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Its bytes, as far as they are held; used again for the next.
    pub(super) bytes: Vec<u8>,
    whole: bool,
    sha256: Option<[u8; 32]>,
    marks: Marks,
}

impl Loaded {
    /// Reads a message, whether an .eml or an .emlx.
    pub(super) fn load(&mut self, reader: impl Read) -> io::Result<()> {
        let mut reader = reader;
        let mut first = Vec::new();
        reader
            .by_ref()
            .take(recognise::PREFIX as u64)
            .read_to_end(&mut first)?;
        self.marks = Marks::default();
        if recognise::recognise(&first) != recognise::Kind::Emlx {
            return self.read(first.as_slice().chain(reader));
        }
        let (count, at) = recognise::emlx_count(&first).unwrap_or((u64::MAX, 0));
        let mut rest = first[at..].chain(reader);
        self.read(rest.by_ref().take(count))?;
        let mut plist = Vec::new();
        rest.take(PLIST).read_to_end(&mut plist)?;
        self.marks = plist_marks(&plist);
        Ok(())
    }

    fn read(&mut self, mut reader: impl Read) -> io::Result<()> {
        self.bytes.clear();
        reader
            .by_ref()
            .take(LONGEST_HELD as u64)
            .read_to_end(&mut self.bytes)?;
        let mut buffer = Vec::new();
        reader.by_ref().take(1).read_to_end(&mut buffer)?;
        self.whole = buffer.is_empty();
        self.sha256 = None;
        if !self.whole {
            let mut hasher = Sha256::new_with_prefix(&self.bytes);
            while !buffer.is_empty() {
                hasher.update(&buffer);
                buffer.clear();
                reader.by_ref().take(64 << 10).read_to_end(&mut buffer)?;
            }
            self.sha256 = Some(hasher.finalize().into());
        }
        Ok(())
    }

    /// As a message at `position`, with what the file's name says of it.
    pub(super) fn raw(&self, position: Position, name: Marks) -> Raw<'_> {
        let marks = Marks {
            draft: self.marks.draft || name.draft,
            deleted: self.marks.deleted || name.deleted,
            stored: None,
        };
        Raw {
            position,
            bytes: &self.bytes,
            extent: Extent::of(self.whole),
            sha256: self.sha256,
            marks,
            head_lines: &[],
        }
    }
}

/// Reads `<key>flags</key><integer>…</integer>`.
fn plist_marks(plist: &[u8]) -> Marks {
    let flags = memchr::memmem::find(plist, b"<key>flags</key>").and_then(|at| {
        let after = plist[at + 16..]
            .trim_ascii_start()
            .strip_prefix(b"<integer>")?;
        let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
        std::str::from_utf8(&after[..digits])
            .ok()?
            .parse::<u64>()
            .ok()
    });
    let bit = |n: u32| flags.is_some_and(|f| f >> n & 1 == 1);
    Marks {
        deleted: bit(1),
        draft: bit(6),
        stored: None,
    }
}

/// One file that holds one message.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// Where it is on disk.
    pub(super) path: PathBuf,
    /// The path inside its folder, for people.
    pub(super) position: String,
    pub(super) bytes: u64,
    /// What its name says of it.
    pub(super) marks: Marks,
}

/// Some files of one folder, opened by whoever reads the unit.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) folder: Arc<Folder>,
    pub(super) files: Vec<File>,
}

impl Files {
    /// Groups a folder's files into units.
    pub(super) fn units(folder: &Arc<Folder>, files: Vec<File>) -> Vec<Files> {
        const FILES: usize = 256;
        const BYTES: u64 = 4 << 20;
        let mut units: Vec<Files> = Vec::new();
        let mut room = 0;
        for file in files {
            match units
                .last_mut()
                .filter(|u| u.files.len() < FILES && room >= file.bytes)
            {
                Some(unit) => {
                    room -= file.bytes;
                    unit.files.push(file);
                }
                None => {
                    room = BYTES.saturating_sub(file.bytes);
                    units.push(Files {
                        folder: Arc::clone(folder),
                        files: vec![file],
                    });
                }
            }
        }
        units
    }

    fn load(file: &File, loaded: &mut Loaded) -> io::Result<()> {
        let disk = Disk::open(&file.path)?;
        let reader = BufReader::with_capacity(recognise::PREFIX, Cursor { disk: &disk, at: 0 });
        if disk.prefix(3)? == b"\x1f\x8b\x08" {
            loaded.load(Gunzip::new(reader))
        } else {
            loaded.load(reader)
        }
    }
}

impl Unit for Files {
    fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    fn size(&self) -> u64 {
        self.files.iter().map(|f| f.bytes).sum()
    }

    fn held(&self) -> usize {
        self.files
            .iter()
            .map(|f| size_of::<File>() + f.path.as_os_str().len() + f.position.len())
            .sum()
    }

    fn read(&self, each: &mut dyn FnMut(Item<'_>)) -> Option<Span> {
        let mut loaded = Loaded::default();
        for file in &self.files {
            let position = Position::Path(file.position.clone());
            match Self::load(file, &mut loaded) {
                Ok(()) => each(Item::Mail(loaded.raw(position, file.marks))),
                Err(why) => each(Item::Unread(Unread {
                    folder: self.folder.chain.clone(),
                    position: Some(position),
                    bytes: Some(file.bytes),
                    reason: format!("cannot be read: {}", super::plain(&why)),
                    message: true,
                })),
            }
        }
        None
    }

    fn beginning_at(&self, _: u64) -> Option<Box<dyn Unit>> {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
mod tests {
    use super::{LONGEST_HELD, Loaded, Marks};
    use sha2::{Digest, Sha256};

    #[test]
    fn an_emlx_is_its_message_and_its_flags() {
        let mail = "From: a@b.example\nTo: c@d.example\n\nHello\n";
        let plist = "<plist><dict><key>flags</key>\n\t<integer>66</integer></dict></plist>";
        let mut loaded = Loaded::default();
        loaded
            .load(format!("{}    \n{mail}{plist}", mail.len()).as_bytes())
            .unwrap();
        assert_eq!(loaded.bytes, mail.as_bytes());
        assert_eq!(
            loaded.marks,
            Marks {
                draft: true,
                deleted: true,
                stored: None
            }
        );
        loaded.load(mail.as_bytes()).unwrap();
        assert_eq!(
            (loaded.bytes.as_slice(), loaded.marks),
            (mail.as_bytes(), Marks::default())
        );
    }

    #[test]
    fn a_message_longer_than_is_held_is_hashed_whole() {
        let mut long = b"From: a@b.example\nTo: c@d.example\n\n".to_vec();
        long.resize(LONGEST_HELD + 100_000, b'x');
        let mut loaded = Loaded::default();
        loaded.load(long.as_slice()).unwrap();
        assert_eq!((loaded.bytes.len(), loaded.whole), (LONGEST_HELD, false));
        assert_eq!(loaded.sha256, Some(Sha256::digest(&long).into()));
    }
}
