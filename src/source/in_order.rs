//! Works on many things in threads of their own and hands out what comes of them in their order.
//!
//! Whoever is free takes the next thing. What was made before its turn waits, all together at most [`WAITING`] bytes;
//! the first in the line may always go on, so nobody waits for ever. When the taker leaves, or a thread panics, all
//! end: a panic becomes the taker's.

use super::ahead::start;
use super::sink::Flow;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{panicking, scope};

/// How many threads are of use: more would only wait for the one that takes what they hand in.
pub(super) const MOST: usize = 4;
/// How many bytes may wait for their turn.
const WAITING: usize = 16 << 20;
/// How many things may wait for their turn, for each thread.
const THINGS: usize = 8;

/// Does `work` on everything that `next` gives, on so many threads, and gives to `take` what they hand in: in the
/// order of the things.
///
/// # Errors
/// No thread can be started. Then nothing has been done.
pub(super) fn in_order<T, G: Send>(
    threads: usize,
    next: impl FnMut() -> Option<T> + Send,
    work: impl Fn(T, &Hand<'_, G>) + Sync,
    take: &mut dyn FnMut(G) -> Flow,
) -> io::Result<Flow> {
    let line = Line {
        state: Mutex::new(State {
            things: VecDeque::new(),
            first: 0,
            bytes: 0,
            working: 0,
            left: false,
        }),
        changed: Condvar::new(),
        most: threads * THINGS,
    };
    let next = Mutex::new(next);
    scope(|scope| {
        let leave = Leaving(&line);
        let mut handles = Vec::new();
        for _ in 0..threads {
            line.lock().working += 1;
            match start(scope, || line.work(&next, &work)) {
                Ok(handle) => handles.push(handle),
                Err(why) => {
                    line.lock().working -= 1;
                    if handles.is_empty() {
                        return Err(why);
                    }
                    break;
                }
            }
        }
        let flow = line.take(take);
        drop(leave);
        for handle in handles {
            handle.join().unwrap_or_else(|why| resume_unwind(why));
        }
        Ok(flow)
    })
}

/// What is being worked on and what waits for its turn.
struct Line<G> {
    state: Mutex<State<G>>,
    changed: Condvar,
    /// How many things may be in it.
    most: usize,
}

struct State<G> {
    things: VecDeque<Thing<G>>,
    /// The number of the first of them.
    first: usize,
    bytes: usize,
    /// How many threads there are.
    working: usize,
    /// The taker left, or a thread panicked.
    left: bool,
}

/// What was made of one thing so far.
struct Thing<G> {
    given: VecDeque<(G, usize)>,
    done: bool,
}

/// What works on a thing hands in through this.
pub(super) struct Hand<'l, G> {
    line: &'l Line<G>,
    number: usize,
}

impl<G> Hand<'_, G> {
    /// Hands in something that holds so many bytes, when there is room for it.
    pub(super) fn give(&self, what: G, bytes: usize) -> Flow {
        let mut state = self.line.wait(|state| {
            let first = self.number == state.first && state.things[0].given.is_empty();
            first || state.bytes + bytes <= WAITING
        })?;
        state.bytes += bytes;
        let at = self.number - state.first;
        state.things[at].given.push_back((what, bytes));
        self.line.changed.notify_all();
        ControlFlow::Continue(())
    }

    /// Waits until all things before this one are done.
    pub(super) fn wait_for_turn(&self) -> Flow {
        drop(self.line.wait(|state| self.number == state.first)?);
        ControlFlow::Continue(())
    }
}

impl<G> Drop for Hand<'_, G> {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        state.left |= panicking();
        let at = self.number - state.first;
        state.things[at].done = true;
        self.line.changed.notify_all();
    }
}

/// Tells the threads that nobody takes any more, also where the taker panics.
struct Leaving<'l, G>(&'l Line<G>);

impl<G> Drop for Leaving<'_, G> {
    fn drop(&mut self) {
        self.0.lock().left = true;
        self.0.changed.notify_all();
    }
}

impl<G> Line<G> {
    fn lock(&self) -> MutexGuard<'_, State<G>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something; breaks where all end.
    fn wait(&self, until: impl Fn(&State<G>) -> bool) -> ControlFlow<(), MutexGuard<'_, State<G>>> {
        let state = self
            .changed
            .wait_while(self.lock(), |state| !state.left && !until(state))
            .unwrap_or_else(PoisonError::into_inner);
        if state.left {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(state)
        }
    }

    /// What each thread does.
    fn work<T>(&self, next: &Mutex<impl FnMut() -> Option<T>>, work: &impl Fn(T, &Hand<'_, G>)) {
        let _end = Working(self);
        while let Some((thing, hand)) = self.next(next) {
            work(thing, &hand);
        }
    }

    /// Takes the next thing and stands it in the line. The lock on `next` is held until it stands there.
    fn next<T>(&self, next: &Mutex<impl FnMut() -> Option<T>>) -> Option<(T, Hand<'_, G>)> {
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        drop(
            self.wait(|state| state.things.len() < self.most)
                .continue_value()?,
        );
        let thing = next()?;
        let mut state = self.lock();
        state.things.push_back(Thing {
            given: VecDeque::new(),
            done: false,
        });
        let number = state.first + state.things.len() - 1;
        Some((thing, Hand { line: self, number }))
    }

    /// Takes what is handed in, in the order of the things.
    fn take(&self, take: &mut dyn FnMut(G) -> Flow) -> Flow {
        loop {
            let mut state = self.wait(|state| match state.things.front() {
                Some(first) => first.done || !first.given.is_empty(),
                None => state.working == 0,
            })?;
            let Some(first) = state.things.front_mut() else {
                return ControlFlow::Continue(());
            };
            match first.given.pop_front() {
                Some((what, bytes)) => {
                    state.bytes -= bytes;
                    drop(state);
                    self.changed.notify_all();
                    take(what)?;
                }
                None => {
                    state.things.pop_front();
                    state.first += 1;
                    self.changed.notify_all();
                }
            }
        }
    }
}

/// A thread that works.
struct Working<'l, G>(&'l Line<G>);

impl<G> Drop for Working<'_, G> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.working -= 1;
        state.left |= panicking();
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
mod tests {
    use super::{Hand, WAITING, in_order};
    use crate::source::sink::Flow;
    use std::ops::ControlFlow;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    const THINGS: usize = 300;

    /// What comes of the numbers up to [`THINGS`], taken until `most` have been taken.
    fn taken(
        threads: usize,
        most: usize,
        work: impl Fn(usize, &Hand<'_, (usize, usize)>) + Sync,
    ) -> (Vec<(usize, usize)>, Flow) {
        let (mut things, mut all) = (0..THINGS, Vec::new());
        let flow = in_order(threads, || things.next(), work, &mut |given| {
            all.push(given);
            if all.len() < most {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        (all, flow.unwrap())
    }

    /// Hands in three, none, or one that holds more than may wait.
    fn several(thing: usize, hand: &Hand<'_, (usize, usize)>) {
        let (count, bytes) = match thing % 3 {
            0 => (3, 1000),
            1 => (0, 0),
            _ => (1, WAITING + 1),
        };
        for part in 0..count {
            if hand.give((thing, part), bytes).is_break() {
                return;
            }
        }
    }

    #[test]
    fn what_is_made_side_by_side_is_taken_in_order() {
        let (one, flow) = taken(1, usize::MAX, several);
        assert!(flow.is_continue() && one.len() == THINGS / 3 * 4 && one.is_sorted());
        for threads in [2, 16] {
            let (many, flow) = taken(threads, usize::MAX, several);
            assert!(flow.is_continue() && many == one);
        }
    }

    #[test]
    fn who_waits_for_his_turn_gets_it() {
        let (all, flow) = taken(8, usize::MAX, |thing, hand| {
            if thing % 2 == 0 && hand.wait_for_turn().is_break() {
                return;
            }
            several(thing, hand);
        });
        assert!(flow.is_continue() && all == taken(1, usize::MAX, several).0);
    }

    #[test]
    fn all_end_when_the_taker_leaves() {
        for most in [1, 50] {
            let (all, flow) = taken(8, most, several);
            assert!(flow.is_break() && all == taken(1, most, several).0);
        }
    }

    #[test]
    fn a_panic_of_any_becomes_the_takers() {
        fn bug<T>() -> T {
            resume_unwind(Box::new("a bug"))
        }
        let fails = |run: &dyn Fn()| {
            let why = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
            assert_eq!(why.downcast_ref(), Some(&"a bug"));
        };
        fails(&|| {
            let _ = taken(4, usize::MAX, |thing, hand| match thing {
                77 => bug(),
                _ => several(thing, hand),
            });
        });
        fails(&|| {
            let mut things = 0..THINGS;
            let next = || things.next().filter(|thing| *thing < 77 || bug());
            let _ = in_order(4, next, several, &mut |_| ControlFlow::Continue(()));
        });
        fails(&|| {
            let mut things = 0..THINGS;
            let _ = in_order(4, || things.next(), several, &mut |_| bug());
        });
    }
}
