//! Reads sources with many workers into a case.
//!
//! One reader per source hands out units; workers turn them into facts; this thread keeps them, in order. What waits is
//! bounded in number and bytes. Whatever the number of workers, the case holds the same rows in the same order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::case::Case;
use crate::case::count::Bounds;
use crate::case::keep::{Batch, Copy, Noticed, Reading};
use crate::facts::{Facts, Reader, Task};
use crate::place::{Folder, Role, Unread};
use crate::progress::Progress;
use crate::source::{Coverage, Item, Source, Span, Terms, Unit};

/// How long what is read may wait to be made lasting.
const CHECKPOINT: Duration = Duration::from_secs(5);
/// Bytes that may wait in memory, whatever the number of workers.
const WAITING_BYTES: usize = 64 << 20;

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Workers.
    pub jobs: usize,
    /// Set by Ctrl-C.
    pub stop: &'a AtomicBool,
    /// Rules and incidents.
    pub task: Task<'a>,
    /// What of the source is wanted.
    pub bounds: &'a Bounds,
    /// Whether SHA-256 of the source is wanted.
    pub hash: bool,
}

/// How reading a source ended.
#[derive(Debug)]
pub enum Outcome {
    /// Read to its end.
    Done(Coverage, Option<String>),
    /// Stopped; what was read is kept.
    Stopped,
}

/// What a worker made of one unit.
struct Done {
    number: u64,
    unit: Box<dyn Unit>,
    batch: Batch,
    span: Option<Span>,
}

/// Reads a source into the case, from where an earlier reading stopped.
///
/// # Errors
/// A source that cannot be read at all; a case that cannot be written.
pub fn read(
    source: &dyn Source,
    reading: Reading,
    case: &Case,
    options: Options<'_>,
    progress: &mut Progress,
) -> anyhow::Result<Outcome> {
    let jobs = options.jobs.max(1);
    let room = Room::new(jobs * 4, WAITING_BYTES);
    let halt = AtomicBool::new(false);
    let stopped = || options.stop.load(Ordering::Relaxed) || halt.load(Ordering::Relaxed);
    let marks = case.marks(reading.id)?;
    let free: Free = Mutex::new(None);
    std::thread::scope(|scope| {
        let (to_workers, units) = bounded::<(u64, Box<dyn Unit>)>(jobs * 2);
        let (to_keeper, done) = bounded::<Done>(jobs * 4);
        let reader = thread("read", scope, || {
            let to_workers = to_workers;
            let mut reader = Reader::new(options.task);
            let mut terms = Terms {
                jobs,
                stop: &stopped,
                marks: &marks,
                want: &mut |raw, folder| {
                    let bounds = options.bounds;
                    let wanted = |sent| bounds.hold_folder(&folder.chain) && bounds.hold(sent);
                    reader.want(raw, folder.role, &wanted, bounds.received)
                },
            };
            hand_out(source, &mut terms, reading.units, &to_workers, &room)
        })?;
        let early = options.hash && source.stamp().is_some();
        // Hashing keeps a core busy for as long as the source is long, so it takes a worker's place, and gives it back.
        let workers = if early { jobs - 1 } else { jobs }.max(1);
        let place = (workers < jobs).then(|| (units.clone(), to_keeper.clone()));
        *free.lock().unwrap_or_else(PoisonError::into_inner) = place;
        for _ in 0..workers {
            let (units, to_keeper) = (units.clone(), to_keeper.clone());
            let free = &free;
            thread("facts", scope, move || {
                work(&units, &to_keeper, options);
                // All is read: the keeper waits for nobody else.
                drop(taken(free));
            })?;
        }
        drop((units, to_keeper));
        let hasher = if early {
            let (free, stopped) = (&free, &stopped);
            Some(thread("hash", scope, move || {
                let sha256 = source.sha256(stopped);
                if let Some((units, to_keeper)) = taken(free) {
                    work(&units, &to_keeper, options);
                }
                sha256
            })?)
        } else {
            None
        };
        let kept = keep(&done, reading, case, options, &room, progress);
        if kept.is_err() {
            halt.store(true, Ordering::Relaxed);
            room.open();
            done.iter().for_each(drop);
        }
        let coverage = reader
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("reading '{}' failed", source.name())));
        kept?;
        let coverage = coverage?;
        if options.stop.load(Ordering::Relaxed) {
            return Ok(Outcome::Stopped);
        }
        progress.waiting("hashing the source");
        let sha256 = match hasher {
            Some(hasher) => hasher
                .join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("hashing '{}' failed", source.name())))?,
            None if options.hash => source.sha256(&stopped)?,
            None => None,
        };
        if options.stop.load(Ordering::Relaxed) {
            Ok(Outcome::Stopped)
        } else {
            Ok(Outcome::Done(coverage, sha256))
        }
    })
}

/// A worker's place: where units come from and where facts go.
type Place = (Receiver<(u64, Box<dyn Unit>)>, Sender<Done>);

/// One that nobody has taken yet.
type Free = Mutex<Option<Place>>;

fn taken(free: &Free) -> Option<Place> {
    free.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Starts a thread whose name tells that a panic in it is listed, not printed.
fn thread<'scope, T: Send + 'scope>(
    name: &str,
    scope: &'scope std::thread::Scope<'scope, '_>,
    run: impl FnOnce() -> T + Send + 'scope,
) -> std::io::Result<std::thread::ScopedJoinHandle<'scope, T>> {
    std::thread::Builder::new()
        .name(format!("ccspill-{name}"))
        .stack_size(8 << 20)
        .spawn_scoped(scope, run)
}

fn hand_out(
    source: &dyn Source,
    terms: &mut Terms<'_>,
    kept: u64,
    to_workers: &Sender<(u64, Box<dyn Unit>)>,
    room: &Room,
) -> anyhow::Result<Coverage> {
    let stopped = terms.stop;
    // What grows hands out only what is new.
    let (mut number, skip) = if source.grows() { (kept, 0) } else { (0, kept) };
    source.units(terms, &mut |unit| {
        let this = number;
        number += 1;
        if this < skip {
            return if stopped() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            };
        }
        room.take(unit.held());
        if stopped() || to_workers.send((this, unit)).is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}

fn work(units: &Receiver<(u64, Box<dyn Unit>)>, to_keeper: &Sender<Done>, options: Options<'_>) {
    let mut reader = Reader::new(options.task);
    for (number, unit) in units {
        let (batch, span) = digest(unit.as_ref(), &mut reader, options);
        if to_keeper
            .send(Done {
                number,
                unit,
                batch,
                span,
            })
            .is_err()
        {
            return;
        }
    }
}

/// Keeps what the workers made, in the order of the units.
fn keep(
    done: &Receiver<Done>,
    reading: Reading,
    case: &Case,
    options: Options<'_>,
    room: &Room,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let mut waiting: BTreeMap<u64, Done> = BTreeMap::new();
    let mut next = reading.units;
    let mut chain = Chain {
        folder: None,
        border: reading.border,
    };
    case.begin()?;
    let mut authors = Batch::default();
    let mut since = Instant::now();
    for one in done {
        waiting.insert(one.number, one);
        while let Some(mut one) = waiting.remove(&next) {
            chain.join(&mut one, options);
            let replaced = case.keep(
                reading.id,
                next,
                one.unit.folder(),
                &one.batch,
                chain.border,
                one.unit.headway(),
            )?;
            if replaced {
                one.batch.was_counted();
            }
            authors.add_authors(&mut one.batch);
            room.give(one.unit.held());
            let messages = one.batch.messages + one.batch.lacking.len() as u64;
            progress.advance(one.unit.size(), messages);
            next += 1;
        }
        if since.elapsed() > CHECKPOINT {
            case.keep_authors(reading.id, &mut authors)?;
            case.commit()?;
            case.begin()?;
            since = Instant::now();
        }
    }
    case.keep_authors(reading.id, &mut authors)?;
    case.commit()
}

/// Proves that units which were cut from one file by bytes fit to one another: each must begin at the border where the
/// one before it ended. A unit that guessed another border is read again from the right one.
struct Chain {
    folder: Option<Arc<Folder>>,
    border: Option<u64>,
}

impl Chain {
    fn join(&mut self, one: &mut Done, options: Options<'_>) {
        let folder = one.unit.folder();
        if self.folder.as_ref().is_some_and(|known| known != folder) {
            self.border = None;
        }
        self.folder = Some(Arc::clone(folder));
        let Some(span) = one.span else {
            self.border = None;
            return;
        };
        if let Some(border) = self.border.filter(|border| *border != span.began)
            && let Some(unit) = one.unit.beginning_at(border)
        {
            let (batch, span) = digest(unit.as_ref(), &mut Reader::new(options.task), options);
            one.batch = batch;
            self.border = span.map(|span| span.ended);
            return;
        }
        self.border = Some(span.ended);
    }
}

/// Reads one unit to facts. A panic in one message, or in the unit, becomes a row of what could not be read.
fn digest(unit: &dyn Unit, reader: &mut Reader<'_>, options: Options<'_>) -> (Batch, Option<Span>) {
    let mut batch = Batch::default();
    let folder = unit.folder();
    let lacking = unit.headway().map_or(&[][..], |headway| headway.lacking);
    let span = catch_unwind(AssertUnwindSafe(|| {
        unit.read(&mut |item| take(item, folder, lacking, &mut batch, reader, options))
    }));
    let span = span.unwrap_or_else(|_| {
        batch.unread.push(Unread {
            folder: folder.chain.clone(),
            position: None,
            bytes: Some(unit.size()),
            reason: "ccspill failed on a part of this folder; please report it".to_owned(),
            message: false,
        });
        None
    });
    // What is no mail at all, or is dropped, lacks nothing.
    let kept = |uid: u32| {
        let place = batch.lacking.binary_search_by_key(&uid, |(uid, _)| *uid);
        place.is_ok() || lacking.binary_search(&uid).is_err()
    };
    batch
        .unread
        .retain(|row| row.message || row.uid().is_none_or(kept));
    (batch, span)
}

fn take(
    item: Item<'_>,
    folder: &Folder,
    lacking: &[u32],
    batch: &mut Batch,
    reader: &mut Reader<'_>,
    options: Options<'_>,
) {
    let raw = match item {
        Item::Unread(unread) => return batch.unread.push(unread),
        Item::Mail(raw) => raw,
    };
    let uid = raw.position.uid();
    let lacking = uid.filter(|uid| lacking.binary_search(uid).is_ok());
    let mail = &raw;
    let read = catch_unwind(AssertUnwindSafe(move || {
        let reader = reader;
        reader.read(mail, folder.role)
    }))
    .unwrap_or(Err("ccspill failed on this message; please report it"));
    let facts = match read {
        Ok(facts) => facts,
        Err(reason) => {
            return batch.unread.push(Unread {
                folder: folder.chain.clone(),
                position: Some(raw.position),
                bytes: Some(raw.bytes.len() as u64),
                reason: reason.to_owned(),
                message: true,
            });
        }
    };
    if facts.cut {
        batch.unread.push(Unread {
            folder: folder.chain.clone(),
            position: Some(raw.position.clone()),
            bytes: None,
            reason: "its head is longer than ccspill reads: it may name more people than were seen"
                .to_owned(),
            message: false,
        });
    }
    if options.bounds.sent_only && !facts.sent_here {
        batch.dropped += 1;
        return;
    }
    note_authors(&facts, folder, batch);
    if let Some(candidate) = facts
        .candidate
        .filter(|_| options.bounds.hold_folder(&folder.chain))
    {
        batch.copies.push(Copy {
            position: raw.position.clone(),
            draft: facts.draft,
            deleted: facts.deleted,
            candidate,
        });
    }
    if let Some(notice) = facts.notice.filter(|_| !facts.draft) {
        batch.notices.push(Noticed {
            position: raw.position,
            key: facts.line.key,
            notice,
        });
    }
    batch.line(facts.line, facts.draft, facts.sent_here, lacking);
}

/// Counts a message of its author; whoever sent it for them is noted too.
fn note_authors(facts: &Facts<'_>, folder: &Folder, batch: &mut Batch) {
    for (address, digest) in [facts.author, facts.sender].into_iter().flatten() {
        let count = batch.author(address, digest);
        if Some((address, digest)) == facts.author {
            count.messages += 1;
            count.sent += u64::from(facts.sent_here && folder.role != Role::Drafts);
            count.unstamped += u64::from(!facts.received);
        }
    }
}

/// Bounds what waits between the reader and the keeper, in number and in bytes.
struct Room {
    most: (usize, usize),
    used: Mutex<(usize, usize)>,
    freed: Condvar,
}

impl Room {
    fn new(units: usize, bytes: usize) -> Self {
        Room {
            most: (units, bytes),
            used: Mutex::new((0, 0)),
            freed: Condvar::new(),
        }
    }

    /// Waits until there is room for one more unit of so many bytes; a single one always fits.
    fn take(&self, bytes: usize) {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |used: &mut (usize, usize)| {
            used.0 > 0 && (used.0 >= self.most.0 || used.1 + bytes > self.most.1)
        };
        let mut used = self
            .freed
            .wait_while(used, full)
            .unwrap_or_else(PoisonError::into_inner);
        *used = (used.0 + 1, used.1 + bytes);
    }

    fn give(&self, bytes: usize) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = (used.0.saturating_sub(1), used.1.saturating_sub(bytes));
        self.freed.notify_all();
    }

    /// Lets everybody through: nobody keeps any more.
    fn open(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = (0, 0);
        self.freed.notify_all();
    }
}

/// Applies a pure function to each item on all cores; the results stand in the order of the items.
pub fn side_by_side<T: Sync, R: Send>(items: &[T], of: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    items.par_iter().map(of).collect()
}

/// How many workers this machine has room for.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// A panic in a reading thread becomes a row of what could not be read; printing it as well would only frighten.
pub fn hide_panics_of_readers() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !std::thread::current()
            .name()
            .is_some_and(|name| name.starts_with("ccspill-"))
        {
            usual(panic);
        }
    }));
}
