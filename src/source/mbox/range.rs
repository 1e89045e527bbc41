//! An mbox on disk, cut by bytes into ranges that any thread may read.
//!
//! A message belongs to the range that its From_ line begins in, however far it reaches. A range after the first has
//! to guess its first border: it takes its first bytes for a body and the first line that passes for a From_ line for
//! a border. Nearly always it is one. Where it is not (an unquoted line that a Content-Length would have stepped
//! over), the neighbour's [`Span`] shows it, and the range is read again from the border that was proven.

use super::from_line::Habit;
use super::splitter::{Splitter, Step};
use super::window::{Input, Window};
use crate::source::disk::Disk;
use crate::source::sink::{Flow, Sink};
use crate::source::{Folder, Item, Span, Unit, Unread};
use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

/// How far beyond its end a range reads at first, to see its last message's end.
const BEYOND: u64 = 16 << 10;
/// How far before its beginning a range reads, to see the empty line before a border.
const BEFORE: u64 = 4;

/// Cuts the mbox into ranges of `piece` bytes and hands them out.
pub(in crate::source) fn ranges(
    disk: &Arc<Disk>,
    first: u64,
    habit: Habit,
    folder: &Arc<Folder>,
    piece: u64,
    sink: &mut Sink<'_>,
) -> Flow {
    let mut low = first;
    while low < disk.len() {
        let high = (low + piece.max(1)).min(disk.len());
        let begin = if low == first {
            Begin::First(first)
        } else {
            Begin::Guess
        };
        sink.unit(Box::new(Range {
            disk: Arc::clone(disk),
            folder: Arc::clone(folder),
            habit,
            low,
            high,
            begin,
        }))?;
        low = high;
    }
    ControlFlow::Continue(())
}

/// The messages whose From_ lines begin at `low` or after and before `high`.
struct Range {
    disk: Arc<Disk>,
    folder: Arc<Folder>,
    habit: Habit,
    low: u64,
    high: u64,
    begin: Begin,
}

/// Where a range's first border is.
#[derive(Clone, Copy)]
enum Begin {
    /// Where the file's first border is.
    First(u64),
    At(u64),
    Guess,
}

impl Unit for Range {
    fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    fn size(&self) -> u64 {
        self.high - self.low
    }

    fn held(&self) -> usize {
        0
    }

    fn read(&self, each: &mut dyn FnMut(Item<'_>)) -> Option<Span> {
        let from = match self.begin {
            Begin::At(border) if border >= self.high => {
                return Some(Span {
                    began: border,
                    ended: border,
                });
            }
            Begin::First(border) | Begin::At(border) => border,
            Begin::Guess => self.low.saturating_sub(BEFORE),
        };
        let input = Slice {
            disk: &self.disk,
            at: from,
            high: self.high,
        };
        let mut splitter = Splitter::new(Window::new(input, from, SPARE.take()), self.habit);
        match self.begin {
            Begin::First(border) | Begin::At(border) => splitter.begin(border),
            Begin::Guess if splitter.guess(self.low, self.high) => {}
            Begin::Guess => {
                let why = splitter.why_torn();
                SPARE.set(splitter.into_buffer());
                return self.without_border(&why, each);
            }
        }
        let span = self.split(&mut splitter, each);
        SPARE.set(splitter.into_buffer());
        span
    }

    fn beginning_at(&self, border: u64) -> Option<Box<dyn Unit>> {
        // What stands before a file's first range is another file, whatever the two are called.
        if matches!(self.begin, Begin::First(_)) {
            return None;
        }
        let (disk, folder) = (Arc::clone(&self.disk), Arc::clone(&self.folder));
        Some(Box::new(Range {
            disk,
            folder,
            begin: Begin::At(border),
            ..*self
        }))
    }
}

thread_local! {
    /// The window of the last range that this thread read.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Range {
    fn split(
        &self,
        splitter: &mut Splitter<Slice<'_>>,
        each: &mut dyn FnMut(Item<'_>),
    ) -> Option<Span> {
        let began = splitter.border();
        while splitter.border() < self.high {
            match splitter.step() {
                Step::Message => each(Item::Mail(splitter.raw())),
                Step::Torn => {
                    let reason = format!("cannot be read: {}", splitter.why_torn());
                    each(Item::Unread(splitter.torn(&self.folder.chain, reason)));
                    return None;
                }
            }
            splitter.advance();
        }
        Some(Span {
            began,
            ended: splitter.border(),
        })
    }

    /// A range within a long message has nothing to say; its neighbours fit where they say so.
    fn without_border(&self, why: &str, each: &mut dyn FnMut(Item<'_>)) -> Option<Span> {
        if why.is_empty() {
            return Some(Span {
                began: self.high,
                ended: self.high,
            });
        }
        each(Item::Unread(Unread {
            folder: self.folder.chain.clone(),
            position: Some(crate::source::Position::Bytes {
                offset: self.low,
                length: self.high - self.low,
            }),
            bytes: Some(self.high - self.low),
            reason: format!("cannot be read: {why}"),
            message: false,
        }));
        None
    }
}

/// A file from some offset on.
struct Slice<'a> {
    disk: &'a Disk,
    at: u64,
    high: u64,
}

impl Input for Slice<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // Most messages end soon after the range does.
        let stop = if self.at < self.high {
            (self.high + BEYOND).min(self.disk.len())
        } else {
            self.disk.len()
        };
        let want = usize::try_from(stop - self.at)
            .unwrap_or(into.len())
            .min(into.len());
        let n = self.disk.read_at(self.at, &mut into[..want])?;
        if n == 0 && want > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file became shorter while it was read",
            ));
        }
        self.at += n as u64;
        Ok(n)
    }

    fn read_ahead(&mut self, offset: u64, into: &mut [u8]) -> Option<io::Result<usize>> {
        let mut filled = 0;
        let room = usize::try_from(self.disk.len().saturating_sub(offset))
            .unwrap_or(into.len())
            .min(into.len());
        while filled < room {
            match self
                .disk
                .read_at(offset + filled as u64, &mut into[filled..room])
            {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Some(Err(e)),
            }
        }
        Some(Ok(filled))
    }
}
