//! Cuts an mbox into messages, one after the other.
//!
//! Where a message ends depends on nothing but the file's bytes and the border that it begins with. So a file may be
//! cut into ranges that any thread reads, and a stream is split exactly as the same bytes are on disk.

use super::from_line::{self, Before, FromLine, Habit, LOOK, Once};
use super::length;
use super::window::{Input, Window};
use crate::source::{Extent, LONGEST_HELD, Marks, Position, Raw, Unread};
use memchr::memchr;
use memchr::memmem::Finder;
use sha2::{Digest, Sha256};

/// How much of a long message's tail stays in the window: what the test of a border looks back at.
const TAIL: u64 = 16;
/// How far a message may grow beyond what is held before it is hashed on the way.
const SLACK: u64 = 1 << 20;

/// Reads one message after the other.
pub(super) struct Splitter<I> {
    window: Window<I>,
    habit: Habit,
    finder: Finder<'static>,
    border: u64,
    line: FromLine,
    found: Found,
    /// Where the lines of its head end, where the head was found whole.
    head_lines: Vec<u32>,
    long: Option<Long>,
}

/// The message that [`Splitter::step`] found.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    start: u64,
    end: u64,
    next: u64,
    /// Of the next border; `None` at the end of the file.
    next_line: Option<FromLine>,
}

/// A message longer than what is held.
struct Long {
    held: Vec<u8>,
    sha: Sha256,
    /// Everything before this offset is hashed.
    hashed: u64,
}

/// How far the search for a head's end has come.
struct Head {
    searched: u64,
    ended: bool,
    noted: u64,
    once: Once,
}

/// What a step came to.
pub(super) enum Step {
    /// A whole message: [`Splitter::raw`] has it.
    Message,
    /// The input broke off within it.
    Torn,
}

impl<I: Input> Splitter<I> {
    /// Over a window; the border is set by [`Splitter::begin`] or [`Splitter::guess`].
    pub(super) fn new(window: Window<I>, habit: Habit) -> Splitter<I> {
        let finder = Finder::new(if habit.cr { b"\rFrom " } else { b"\nFrom " });
        Splitter {
            window,
            habit,
            finder,
            border: 0,
            line: FromLine::default(),
            found: Found::default(),
            head_lines: Vec::new(),
            long: None,
        }
    }

    /// Goes on at a border that is known.
    pub(super) fn begin(&mut self, border: u64) {
        self.window.keep(border);
        let cr = self.habit.cr;
        self.line = FromLine::parse(self.window.see(border, LOOK), cr).unwrap_or_default();
        self.border = border;
    }

    /// Goes on at the first border at or after `low` and before `high`, taking what lies between for a body. False
    /// where there is none.
    pub(super) fn guess(&mut self, low: u64, high: u64) -> bool {
        let mut scanned = low - 1;
        while scanned + 1 < high {
            match self.candidate(scanned) {
                Some(at) if at >= high => return false,
                Some(at) => {
                    if let Some(line) = self.judge(at, self.blank_before(at, 0) > 0, None) {
                        self.window.keep(at);
                        (self.border, self.line) = (at, line);
                        return true;
                    }
                    scanned = at;
                }
                None if self.window.ended() => return false,
                None => scanned = self.read_on(scanned, self.window.end()),
            }
            self.window.keep(scanned.saturating_sub(TAIL));
        }
        false
    }

    /// Where the next message's From_ line begins, or where the file ends.
    pub(super) fn border(&self) -> u64 {
        self.border
    }

    /// True where no message follows.
    pub(super) fn at_end(&mut self) -> bool {
        let border = self.border;
        self.window.see(border, 1).is_empty()
    }

    /// What broke the input off.
    pub(super) fn why_torn(&self) -> String {
        self.window
            .broke()
            .map_or_else(String::new, crate::source::plain)
    }

    /// Finds where the message that begins at the border ends.
    pub(super) fn step(&mut self) -> Step {
        let start = self.border + self.line.length as u64;
        self.long = None;
        self.window.keep(self.border);
        let mut head = Head {
            searched: start,
            ended: false,
            noted: start,
            once: Once::default(),
        };
        let mut scanned = start;
        let mut by_length = None;
        if let Some((body, with_length)) = self.whole_head(start) {
            head.ended = true;
            scanned = body - 1;
            if with_length {
                by_length = length::proven(&mut self.window, start, body, self.habit);
            }
        }
        let (next, next_line) = by_length.unwrap_or_else(|| self.search(start, scanned, &mut head));
        self.take_in(start, next);
        let blank = if next_line.is_some() {
            self.blank_before(next, start)
        } else {
            0
        };
        let end = (next - blank).max(start).min(self.window.end().max(start));
        self.found = Found {
            start,
            end,
            next,
            next_line,
        };
        if self.window.broke().is_some() && (next_line.is_none() || self.window.end() < next) {
            return Step::Torn;
        }
        self.hash_rest(start, end);
        Step::Message
    }

    /// The next border and its line, `None` at the end of the file, for the message at `start` whose bytes up to `scanned`
    /// hold none.
    fn search(&mut self, start: u64, mut scanned: u64, head: &mut Head) -> (u64, Option<FromLine>) {
        loop {
            let candidate = self.candidate(scanned);
            // What a Content-Length makes the window read ahead has not been searched yet.
            let searched = self.window.end();
            let limit = candidate.unwrap_or(searched);
            if !head.ended
                && let Some(body) = self.head_end(head, start, limit)
                && let Some(next) = length::proven(&mut self.window, start, body, self.habit)
            {
                return next;
            }
            match candidate {
                Some(at) => {
                    let before = (!head.ended).then(|| self.note(head, at));
                    if let Some(line) = self.judge(at, self.blank_before(at, start) > 0, before) {
                        return (at, Some(line));
                    }
                    scanned = at;
                }
                None if self.window.ended() && self.window.end() == searched => {
                    return (searched, None);
                }
                None => scanned = self.read_on(scanned, searched),
            }
            self.hash_what_is_too_long(start, scanned, head);
        }
    }

    /// Where the body of the message at `start` begins, and whether a line of its head may be a Content-Length. `None`
    /// where the head is not held whole, holds a From_ line or ends its lines with a bare CR: then it is looked for
    /// step by step.
    fn whole_head(&mut self, start: u64) -> Option<(u64, bool)> {
        self.head_lines.clear();
        if self.habit.cr {
            return None;
        }
        let seen = self.window.see(start, LOOK);
        let (mut at, mut with_length) = (0, false);
        loop {
            let rest = &seen[at..];
            let end = memchr(b'\n', rest)?;
            self.head_lines.push(u32::try_from(at + end).ok()?);
            match rest[0] {
                b'\n' => return Some((start + at as u64 + 1, with_length)),
                b'\r' if end == 1 => return Some((start + at as u64 + 2, with_length)),
                b'F' if rest.starts_with(b"From ") => return None,
                b'C' | b'c' => with_length |= length::is_length(&rest[..end]),
                _ => {}
            }
            at += end + 1;
        }
    }

    /// Makes the next border the one to go on from.
    pub(super) fn advance(&mut self) {
        self.border = self.found.next;
        self.line = self.found.next_line.unwrap_or_default();
    }

    /// The message that the last step found.
    pub(super) fn raw(&self) -> Raw<'_> {
        let Found { start, end, .. } = self.found;
        let (bytes, sha256) = match &self.long {
            Some(long) => (&long.held[..], Some(long.sha.clone().finalize().into())),
            None => (self.window.held(start, end), None),
        };
        let marks = Marks {
            stored: self.line.date.flatten(),
            ..Marks::default()
        };
        let position = Position::Bytes {
            offset: start,
            length: end - start,
        };
        Raw {
            position,
            bytes,
            extent: Extent::of(self.long.is_none()),
            sha256,
            marks,
            head_lines: &self.head_lines,
        }
    }

    /// What is left of a message that was torn.
    pub(super) fn torn(&self, folder: &str, reason: String) -> Unread {
        let Found { start, end, .. } = self.found;
        let position = Position::Bytes {
            offset: start.min(end),
            length: end - start.min(end),
        };
        Unread {
            folder: folder.into(),
            position: Some(position),
            bytes: Some(end - start.min(end)),
            reason,
            message: true,
        }
    }

    /// The next `From ` at the beginning of a line whose end is at or after `scanned`, within what is held.
    fn candidate(&mut self, scanned: u64) -> Option<u64> {
        let seen = self.window.see(scanned, LOOK);
        self.finder.find(seen).map(|at| scanned + at as u64 + 1)
    }

    /// Reads more than what was searched; gives where the search goes on.
    fn read_on(&mut self, scanned: u64, searched: u64) -> u64 {
        if self.window.end() == searched {
            self.window.more();
        }
        searched.saturating_sub(5).max(scanned)
    }

    fn judge(&mut self, at: u64, blank: bool, head: Option<Once>) -> Option<FromLine> {
        let habit = self.habit;
        from_line::border(self.window.see(at, LOOK), Before { blank, head }, habit)
    }

    /// How long the empty line before `at` is; 0 where there is none. `start`: where the message begins.
    fn blank_before(&self, at: u64, start: u64) -> u64 {
        let before = self.window.held(at.saturating_sub(4).max(start), at);
        let first = at - before.len() as u64 == start;
        match before {
            [.., b'\r', b'\r'] if self.habit.cr => 1,
            [b'\r'] if self.habit.cr && first => 1,
            [.., b'\n', b'\n'] => 1,
            [.., b'\n', b'\r', b'\n'] => 2,
            [b'\n'] if first => 1,
            [b'\r', b'\n'] if first => 2,
            _ => 0,
        }
    }

    /// Looks for the head's end before `limit`; gives where the body begins.
    fn head_end(&mut self, head: &mut Head, start: u64, limit: u64) -> Option<u64> {
        let at = head.searched.saturating_sub(3).max(start);
        let end = length::head_end(self.window.held(at, limit), at == start, self.habit.cr);
        head.searched = limit;
        head.ended = end.is_some();
        end.map(|e| at + e as u64)
    }

    /// Notes the fields of the unfinished head up to `at`.
    fn note(&mut self, head: &mut Head, at: u64) -> Once {
        let eol = self.habit.eol();
        for line in self.window.held(head.noted, at).split(|&b| b == eol) {
            head.once.note(line);
        }
        head.noted = at;
        head.once
    }

    /// Once a message is longer than what is held, its beginning is put aside and the rest is only hashed.
    fn hash_what_is_too_long(&mut self, start: u64, scanned: u64, head: &mut Head) {
        let done = scanned.saturating_sub(TAIL);
        if self.long.is_none() {
            if done < start + LONGEST_HELD as u64 + SLACK {
                return;
            }
            head.ended = true;
            self.put_aside(start);
        }
        self.hash_until(done);
        self.window.keep(done);
    }

    fn put_aside(&mut self, start: u64) {
        let held = self
            .window
            .held(start, start + LONGEST_HELD as u64)
            .to_vec();
        let sha = Sha256::new_with_prefix(&held);
        self.long = Some(Long {
            hashed: start + held.len() as u64,
            held,
            sha,
        });
    }

    fn hash_until(&mut self, until: u64) {
        if let Some(long) = &mut self.long
            && until > long.hashed
        {
            long.sha.update(self.window.held(long.hashed, until));
            long.hashed = until;
        }
    }

    /// Brings into the window what a Content-Length stepped over.
    fn take_in(&mut self, start: u64, next: u64) {
        if self.long.is_none() && next > start {
            self.window
                .see(start, usize::try_from(next - start).unwrap_or(LONGEST_HELD));
        }
    }

    /// Hashes what of the found message is too long to be held.
    fn hash_rest(&mut self, start: u64, end: u64) {
        if self.long.is_none() && end - start > LONGEST_HELD as u64 {
            self.put_aside(start);
        }
        self.hash_until(end);
    }

    /// The window's buffer, to be used again.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.window.into_buffer()
    }
}
