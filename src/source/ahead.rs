//! Reads ahead in a thread of its own: what is unpacked or hashed on the way need not wait for whoever takes it in.
//!
//! The thread stays at most [`BUFFERS`] buffers ahead, so memory does not grow with the source. It asks for as many
//! bytes at a time as its own asker did: what a damaged archive still gives depends on that, and must not depend on
//! threads. Its first error, its end and its panic reach the asker after all bytes that precede them, and what
//! follows an error is read without the thread, on demand, as if there had been none. An asker that leaves early
//! closes the way to it, which ends the thread.
//!
//! This and `in_order.rs` are the only places outside `pipeline` that start threads.

use std::io::{self, ErrorKind, Read};
use std::mem::replace;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};

/// How many full buffers may wait.
const BUFFERS: usize = 4;
/// A buffer is handed over when it holds this many bytes.
const FULL: usize = 256 << 10;
/// How much is read before a thread is worth its start: most members of archives end before that.
const NEAR: usize = 512 << 10;

/// What is read from: it may be lent to another thread.
pub(super) type Input<'a> = dyn Read + Send + 'a;

/// Lets `then` read `input`, from some point on through a thread. Tells beside its result whether it read to the end.
pub(super) fn read_ahead<T>(
    input: &mut Input<'_>,
    then: impl FnOnce(&mut Input<'_>) -> T,
) -> (T, bool) {
    scope(|scope| {
        let mut ahead = Ahead {
            scope,
            input: Some(input),
            near: NEAR,
            thread: None,
            now: Buffer::default(),
            at: 0,
            ended: false,
        };
        let result = then(&mut ahead);
        (result, ahead.ended)
    })
}

/// Starts a thread. Its name tells that a panic in it is passed on, and not printed as well.
pub(super) fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    run: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new()
        .name("ccspill-unpack".into())
        .stack_size(8 << 20)
        .spawn_scoped(scope, run)
}

/// What is read, and by whom.
struct Ahead<'scope, 'env, 'input> {
    scope: &'scope Scope<'scope, 'env>,
    /// While no thread has it.
    input: Option<&'scope mut Input<'input>>,
    /// How much is still to be read without a thread.
    near: usize,
    thread: Option<Thread<'scope, 'input>>,
    now: Buffer,
    at: usize,
    ended: bool,
}

/// Bytes that were read. The space behind them stays as it is, so that it need not be cleared for every filling.
#[derive(Default)]
struct Buffer {
    space: Vec<u8>,
    filled: usize,
}

/// The thread that reads ahead.
struct Thread<'scope, 'input> {
    full: Receiver<Buffer>,
    used: Sender<Buffer>,
    handle: ScopedJoinHandle<'scope, (&'scope mut Input<'input>, io::Result<()>)>,
}

impl<'scope, 'input> Ahead<'scope, '_, 'input>
where
    'input: 'scope,
{
    fn start(&mut self, input: &'scope mut Input<'input>, step: usize) -> io::Result<()> {
        let (to_asker, full) = sync_channel(BUFFERS - 1);
        let (used, from_asker) = channel();
        let handle = start(self.scope, move || {
            let end = fill(input, step, &to_asker, &from_asker);
            (input, end)
        })?;
        self.thread = Some(Thread { full, used, handle });
        Ok(())
    }

    /// Takes the next full buffer; false where there is none and the input is back.
    fn next(&mut self) -> io::Result<bool> {
        let Some(thread) = self.thread.take() else {
            return Ok(false);
        };
        match thread.full.recv() {
            Ok(buffer) => {
                // The thread may have ended since: then nobody needs the old buffer.
                let _ = thread.used.send(replace(&mut self.now, buffer));
                self.at = 0;
                self.thread = Some(thread);
                Ok(true)
            }
            Err(_) => {
                let (input, end) = thread
                    .handle
                    .join()
                    .unwrap_or_else(|why| resume_unwind(why));
                self.input = Some(input);
                self.near = usize::MAX;
                end.map(|()| {
                    self.ended = true;
                    false
                })
            }
        }
    }
}

impl<'scope, 'input> Read for Ahead<'scope, '_, 'input>
where
    'input: 'scope,
{
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        if self.near == 0
            && let Some(input) = self.input.take()
        {
            self.start(input, into.len().min(FULL))?;
        }
        if self.at == self.now.filled && self.thread.is_some() && !self.next()? {
            return Ok(0);
        }
        if self.at < self.now.filled {
            let n = (&self.now.space[self.at..self.now.filled]).read(into)?;
            self.at += n;
            return Ok(n);
        }
        let Some(input) = &mut self.input else {
            return Err(io::Error::other(
                "the thread that reads it could not be started",
            ));
        };
        let n = input.read(into)?;
        if self.near < usize::MAX {
            self.near = self.near.saturating_sub(n);
        }
        self.ended |= n == 0;
        Ok(n)
    }
}

/// Reads to the end, to the first error, or until nobody asks any more.
fn fill(
    input: &mut Input<'_>,
    step: usize,
    to_asker: &SyncSender<Buffer>,
    from_asker: &Receiver<Buffer>,
) -> io::Result<()> {
    loop {
        let mut buffer = from_asker.try_recv().unwrap_or_default();
        buffer.space.resize(FULL + step, 0);
        buffer.filled = 0;
        let end = loop {
            let room = &mut buffer.space[buffer.filled..][..step];
            match input.read(room) {
                Ok(0) => break Some(Ok(())),
                Ok(n) => buffer.filled += n,
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Err(why) => break Some(Err(why)),
            }
            if buffer.filled >= FULL {
                break None;
            }
        };
        if buffer.filled > 0 && to_asker.send(buffer).is_err() {
            return Ok(());
        }
        if let Some(end) = end {
            return end;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
mod tests {
    use super::{Input, NEAR, read_ahead};
    use crate::source::testing::{Dribble, Numbers};
    use std::io::{self, Read, empty, repeat};
    use std::panic::catch_unwind;

    /// More than is read without a thread, and more than the thread may read ahead.
    const LONG: usize = 4 * NEAR;

    /// Fails once.
    struct Failing(bool);

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            match std::mem::take(&mut self.0) {
                true => Err(io::Error::other("damaged")),
                false => Ok(0),
            }
        }
    }

    /// Panics.
    struct Bug;

    impl Read for Bug {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            std::panic::resume_unwind(Box::new("a bug"))
        }
    }

    /// All bytes, or those that precede an error, and whether the error came again.
    fn read(input: &mut Input<'_>) -> (Vec<u8>, Option<String>, bool) {
        let (read, ended) = read_ahead(input, |ahead| {
            let mut bytes = Vec::new();
            let why = ahead.read_to_end(&mut bytes).err();
            if why.is_some() {
                assert_eq!(ahead.read(&mut [0; 10]).unwrap(), 0, "the end after it");
            }
            (bytes, why.map(|why| why.to_string()))
        });
        (read.0, read.1, ended)
    }

    #[test]
    fn the_bytes_are_the_same() {
        let mut numbers = Numbers(9);
        for length in [0, 1, NEAR - 1, NEAR, NEAR + 1, LONG] {
            let bytes: Vec<u8> = (0..length).map(|_| numbers.below(256) as u8).collect();
            let mut input = Dribble {
                bytes: &bytes,
                numbers: Numbers(7),
                most: 90_000,
            };
            let (read, why, ended) = read(&mut input);
            assert!(read == bytes && why.is_none() && ended, "{length}");
        }
    }

    #[test]
    fn an_error_comes_after_what_precedes_it_and_the_rest_after_the_error() {
        for length in [0, NEAR, LONG] {
            let mut input = repeat(b'x').take(length as u64).chain(Failing(true));
            let (read, why, ended) = read(&mut input);
            assert_eq!(
                (read.len(), why.as_deref(), ended),
                (length, Some("damaged"), true)
            );
        }
    }

    #[test]
    fn who_leaves_early_ends_the_thread_and_has_not_read_to_the_end() {
        let (all, ended) = read_ahead(&mut repeat(b'x'), |ahead| {
            io::copy(&mut ahead.take(LONG as u64), &mut io::sink()).unwrap()
        });
        assert_eq!((all, ended), (LONG as u64, false));
        let mut short = repeat(b'x').take(NEAR as u64 + 9).chain(empty());
        let (_, ended) = read_ahead(&mut short, |ahead| {
            io::copy(&mut ahead.take(NEAR as u64 + 9), &mut io::sink()).unwrap()
        });
        assert!(!ended, "the end was there, but nobody asked for it");
    }

    #[test]
    fn a_panic_is_the_askers() {
        for length in [0, LONG] {
            let failed = catch_unwind(|| {
                read(&mut repeat(b'x').take(length as u64).chain(Bug));
            });
            assert_eq!(failed.unwrap_err().downcast_ref(), Some(&"a bug"));
        }
    }
}
