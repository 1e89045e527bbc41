//! tar: files after one another, each behind a header of 512 bytes and filled up to a multiple of 512.
//!
//! Read here: the oldest format, ustar, pax (`path` and `size` of extended headers) and GNU (long names, sizes beyond
//! 8 GiB). Two empty blocks end an archive; what `cat` put behind them is read too. The `tar` crate reads the fields
//! of a header; it is not used to iterate, because it holds a long name of any length in memory and cannot tell a
//! member that is cut off from one that ends.
//! See POSIX.1-2017 `pax`, <https://www.gnu.org/software/tar/manual/html_node/Standard.html>.

use super::{CONTINUE, Place, plain, stream};
use crate::source::ahead::Input;
use crate::source::recognise::tar_sum;
use crate::source::sink::{Flow, Sink};
use std::io::{self, Read};
use tar::{EntryType, Header};

const BLOCK: usize = 512;
/// Longest extended header or long name that is read.
const LONGEST_EXTRA: u64 = 1 << 20;

/// What precedes a member and belongs to it.
#[derive(Default)]
struct Extra {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Hands out the members.
pub(super) fn members(reader: &mut Input<'_>, place: &Place<'_>, sink: &mut Sink<'_>) -> Flow {
    let (mut extra, mut number, mut zeros, mut last) = (Extra::default(), 0, false, String::new());
    loop {
        let header = match next_header(reader, &mut zeros) {
            Ok(Some(header)) => header,
            Ok(None) if zeros => return CONTINUE,
            Ok(None) => return damaged(place, &last, "it has no end mark", sink),
            Err(why) => return damaged(place, &last, &plain(&why), sink),
        };
        number += 1;
        let Some(size) = extra.size.take().or_else(|| header.entry_size().ok()) else {
            return damaged(place, &last, "a size in it is wrong", sink);
        };
        let sort = header.entry_type();
        let name = extra
            .path
            .take()
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let mut body = Body {
            reader,
            left: size,
            padding: (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64,
        };
        let done = match sort {
            EntryType::GNULongName | EntryType::XHeader if size <= LONGEST_EXTRA => {
                body.note(sort, &mut extra)
            }
            _ => {
                last = String::from_utf8_lossy(&name).into_owned();
                let member = place.member(&last, number);
                one(sort, &header, &mut body, &member, sink)?;
                body.skip()
            }
        };
        if let Err(why) = done {
            return damaged(place, &last, &plain(&why), sink);
        }
    }
}

/// Hands out one member.
fn one(
    sort: EntryType,
    header: &Header,
    body: &mut Body<'_>,
    member: &Place<'_>,
    sink: &mut Sink<'_>,
) -> Flow {
    match sort {
        EntryType::Regular | EntryType::Continuous if is_unfinished(&member.path) => {
            sink.counts.not_mail += 1
        }
        // The oldest format marks a folder by a slash alone.
        EntryType::Regular | EntryType::Continuous if header.path_bytes().ends_with(b"/") => {}
        EntryType::Regular | EntryType::Continuous => return stream(body, member, sink),
        EntryType::Symlink | EntryType::Link => sink.counts.links += 1,
        EntryType::GNUSparse => {
            return member.unread(
                sink,
                "a sparse file in a tar archive: this version does not read it".into(),
            );
        }
        EntryType::Fifo | EntryType::Char | EntryType::Block => sink.counts.special += 1,
        _ => {}
    }
    CONTINUE
}

/// Messages in a Maildir's `tmp` are still being written.
fn is_unfinished(path: &str) -> bool {
    super::maildir::split(path).is_some_and(|(_, position)| position.starts_with("tmp/"))
}

/// The next header; `None` at the end. `zeros` tells whether an empty block was seen since the last header.
fn next_header(reader: &mut Input<'_>, zeros: &mut bool) -> io::Result<Option<Header>> {
    let mut seen = false;
    loop {
        let mut header = Header::new_old();
        let block = header.as_mut_bytes();
        let filled = fill(reader, block)?;
        let empty = block[..filled].iter().all(|b| *b == 0);
        *zeros = seen || empty && filled > 0;
        if filled < BLOCK {
            return if filled == 0 || empty {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
        if empty {
            seen = true;
            continue;
        }
        if header.cksum().ok() == Some(tar_sum(header.as_bytes())) {
            return Ok(Some(header));
        }
        // Rubbish behind the end mark is no part of the archive.
        return if seen {
            Ok(None)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a header in it is damaged",
            ))
        };
    }
}

fn fill(reader: &mut Input<'_>, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match reader.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

fn damaged(place: &Place<'_>, last: &str, why: &str, sink: &mut Sink<'_>) -> Flow {
    let after = if last.is_empty() {
        String::new()
    } else {
        format!(" after '{last}'")
    };
    place.unread(
        sink,
        format!("the tar archive is damaged{after}: {why}; what follows was not read"),
    )
}

/// The bytes of one member. Unlike a `Take` it does not pass off a broken archive as the member's end.
struct Body<'a> {
    reader: &'a mut Input<'a>,
    left: u64,
    padding: u64,
}

impl Read for Body<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left)
            .unwrap_or(into.len())
            .min(into.len());
        let n = self.reader.read(&mut into[..want])?;
        if n == 0 && want > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= n as u64;
        Ok(n)
    }
}

impl Body<'_> {
    /// Passes over what has not been read.
    fn skip(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink())?;
        // Some programs leave out the padding of the last member.
        io::copy(&mut self.reader.take(self.padding), &mut io::sink())?;
        Ok(())
    }

    /// Reads a long name or an extended header.
    fn note(&mut self, sort: EntryType, extra: &mut Extra) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        if sort == EntryType::GNULongName {
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            bytes.truncate(end);
            extra.path = Some(bytes);
        } else {
            pax(&bytes, extra);
        }
        self.skip()
    }
}

/// Reads the records of an extended header: `length key=value\n`.
fn pax(mut bytes: &[u8], extra: &mut Extra) {
    while let Some(space) = bytes.iter().take(20).position(|b| *b == b' ') {
        let length = std::str::from_utf8(&bytes[..space])
            .ok()
            .and_then(|n| n.parse::<usize>().ok());
        let Some(record) = length.and_then(|l| bytes.get(space + 1..l.checked_sub(1)?)) else {
            return;
        };
        if let Some(path) = record.strip_prefix(b"path=") {
            extra.path = Some(path.to_vec());
        } else if let Some(size) = record.strip_prefix(b"size=") {
            extra.size = std::str::from_utf8(size).ok().and_then(|s| s.parse().ok());
        }
        bytes = &bytes[length.unwrap_or(bytes.len())..];
    }
}
