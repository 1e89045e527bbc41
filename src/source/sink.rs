//! Where a source hands out what it found: units, and single messages that are packed into units.

use super::{Coverage, Extent, Folder, Item, Marks, Position, Raw, Span, Unit, Unread};
use std::io;
use std::mem::take;
use std::ops::AddAssign;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Break: the caller asked to stop.
pub(super) type Flow = ControlFlow<()>;

/// How many bytes of messages a packed unit holds: above this it is handed out.
const PACK: usize = 4 << 20;
/// How many bytes of messages a packed unit of a part holds: it is only read once, to be packed again.
const PART_PACK: usize = 1 << 20;
/// How many messages a packed unit holds.
const PACK_ITEMS: usize = 4096;
/// How many buffers of packs that were read wait to be filled again: enough to save the system from giving and
/// clearing new memory for every pack.
const SPARE: usize = 4;

/// Hands out units and keeps count of what is no mail.
pub(super) struct Sink<'a> {
    each: &'a mut dyn FnMut(Box<dyn Unit>) -> Flow,
    pack: Option<Packed>,
    spare: Arc<Spare>,
    /// How many bytes of the source were read so far, where its reader counts them.
    read: Arc<AtomicU64>,
    told: u64,
    pack_bytes: usize,
    /// What is counted beside the units.
    pub(super) counts: Counts,
}

/// What a source holds beside units.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Files that are no mail.
    pub(super) not_mail: u64,
    /// Symbolic links that were not followed.
    pub(super) links: u64,
    /// Pipes, sockets and devices.
    pub(super) special: u64,
    /// Apple Mail messages whose attachments stand elsewhere.
    pub(super) partial: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.not_mail += more.not_mail;
        self.links += more.links;
        self.special += more.special;
        self.partial += more.partial;
    }
}

impl<'a> Sink<'a> {
    pub(super) fn new(each: &'a mut dyn FnMut(Box<dyn Unit>) -> Flow) -> Sink<'a> {
        Sink {
            each,
            pack: None,
            spare: Arc::default(),
            read: Arc::default(),
            told: 0,
            pack_bytes: PACK,
            counts: Counts::default(),
        }
    }

    /// A sink for a part of the source, whose units are given to [`Sink::items`] of the whole one.
    pub(super) fn of_part(
        each: &'a mut dyn FnMut(Box<dyn Unit>) -> Flow,
        spare: &Arc<Spare>,
    ) -> Sink<'a> {
        Sink {
            pack_bytes: PART_PACK,
            spare: Arc::clone(spare),
            ..Sink::new(each)
        }
    }

    /// Hands out what is left of a part; gives what it counted.
    pub(super) fn end_part(mut self) -> Counts {
        // Whether the caller wants to stop, it knows.
        let _ = self.flush();
        self.counts
    }

    /// Where readers of the source count the bytes that they read.
    pub(super) fn read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// Packs again what a sink of a part packed: the whole's units are the same as if there had been no parts.
    pub(super) fn items(&mut self, unit: &dyn Unit) -> Flow {
        let mut flow = ControlFlow::Continue(());
        unit.read(&mut |item| {
            if flow.is_continue() {
                flow = self.item(unit.folder(), item);
            }
        });
        flow
    }

    /// Hands out a unit.
    pub(super) fn unit(&mut self, unit: Box<dyn Unit>) -> Flow {
        self.flush()?;
        (self.each)(unit)
    }

    /// Packs a message, or something unread, into a unit of its folder.
    pub(super) fn item(&mut self, folder: &Arc<Folder>, item: Item<'_>) -> Flow {
        if self.pack.as_ref().is_some_and(|p| p.folder != *folder) {
            self.flush()?;
        }
        let pack = self
            .pack
            .get_or_insert_with(|| Packed::new(folder, &self.spare));
        pack.push(item);
        if pack.bytes.len() >= self.pack_bytes || pack.items.len() >= PACK_ITEMS {
            self.flush()
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Hands out a file or folder that could not be read.
    pub(super) fn unread(
        &mut self,
        folder: &Arc<Folder>,
        position: Option<Position>,
        bytes: Option<u64>,
        reason: String,
    ) -> Flow {
        let unread = Unread {
            folder: folder.chain.clone(),
            position,
            bytes,
            reason,
            message: false,
        };
        self.item(folder, Item::Unread(unread))
    }

    fn flush(&mut self) -> Flow {
        let Some(mut pack) = self.pack.take() else {
            return ControlFlow::Continue(());
        };
        let read = self.read.load(Ordering::Relaxed);
        pack.covers = read - self.told;
        self.told = read;
        if pack.bytes.len() < self.pack_bytes / 2 {
            // Small packs may wait in great number.
            pack.bytes.shrink_to_fit();
        }
        (self.each)(Box::new(pack))
    }

    /// Hands out what is left and sums up.
    pub(super) fn finish(mut self) -> Coverage {
        // Whether the caller wants to stop no longer matters.
        let _ = self.flush();
        let mut limits = Vec::new();
        let mut say = |n: u64, one: &str, many: &str| match n {
            0 => {}
            1 => limits.push(one.to_owned()),
            n => limits.push(format!("{n} {many}")),
        };
        say(
            self.counts.links,
            "1 symbolic link was not followed",
            "symbolic links were not followed",
        );
        say(
            self.counts.special,
            "1 pipe, socket or device was not opened",
            "pipes, sockets or devices were not opened",
        );
        say(
            self.counts.partial,
            "1 message is partial: its attachments stand in other files",
            "messages are partial: their attachments stand in other files",
        );
        Coverage {
            not_mail: self.counts.not_mail,
            limits,
        }
    }
}

/// Messages that were read in order and wait in memory.
struct Packed {
    folder: Arc<Folder>,
    bytes: Vec<u8>,
    items: Vec<Waiting>,
    covers: u64,
    spare: Arc<Spare>,
}

/// Buffers of packs that were read.
#[derive(Default)]
pub(super) struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    fn take(&self) -> Vec<u8> {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.pop().unwrap_or_default()
    }

    fn give(&self, mut buffer: Vec<u8>) {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < SPARE && (PART_PACK..=PACK * 2).contains(&buffer.capacity()) {
            buffer.clear();
            buffers.push(buffer);
        }
    }
}

impl Drop for Packed {
    fn drop(&mut self) {
        self.spare.give(take(&mut self.bytes));
    }
}

enum Waiting {
    Mail {
        position: Position,
        bytes: Range<usize>,
        extent: Extent,
        sha256: Option<[u8; 32]>,
        marks: Marks,
    },
    Unread(Unread),
}

impl Packed {
    fn new(folder: &Arc<Folder>, spare: &Arc<Spare>) -> Packed {
        Packed {
            folder: Arc::clone(folder),
            bytes: spare.take(),
            items: Vec::new(),
            covers: 0,
            spare: Arc::clone(spare),
        }
    }

    fn push(&mut self, item: Item<'_>) {
        let waiting = match item {
            Item::Unread(unread) => Waiting::Unread(unread),
            Item::Mail(Raw {
                position,
                bytes,
                extent,
                sha256,
                marks,
                head_lines: _,
            }) => {
                let begin = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                Waiting::Mail {
                    position,
                    bytes: begin..self.bytes.len(),
                    extent,
                    sha256,
                    marks,
                }
            }
        };
        self.items.push(waiting);
    }
}

impl Unit for Packed {
    fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    fn size(&self) -> u64 {
        self.covers
    }

    fn held(&self) -> usize {
        self.bytes.len() + self.items.len() * size_of::<Waiting>()
    }

    fn read(&self, each: &mut dyn FnMut(Item<'_>)) -> Option<Span> {
        for item in &self.items {
            each(match item {
                Waiting::Unread(unread) => Item::Unread(unread.clone()),
                Waiting::Mail {
                    position,
                    bytes,
                    extent,
                    sha256,
                    marks,
                } => Item::Mail(Raw {
                    position: position.clone(),
                    bytes: &self.bytes[bytes.clone()],
                    extent: *extent,
                    sha256: *sha256,
                    marks: *marks,
                    head_lines: &[],
                }),
            });
        }
        None
    }

    fn beginning_at(&self, _: u64) -> Option<Box<dyn Unit>> {
        None
    }
}

/// Counts the bytes that are read from the source, for progress.
pub(super) struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    /// Units of the sink that `count` is of cover what is read through it.
    pub(super) fn new(inner: R, count: &Arc<AtomicU64>) -> Counted<R> {
        Counted {
            inner,
            count: Arc::clone(count),
        }
    }
}

impl<R: io::Read> io::Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl<R: io::Seek> io::Seek for Counted<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
