//! Content-Length: how mboxcl and mboxcl2 say where a body ends.
//!
//! Other programs leave wrong ones in mail that they store (counted with other line ends, kept from a longer copy). A
//! length is believed where it leads exactly to a From_ line whose own message has a length that leads to a From_ line
//! or to the end of the file, or where it leads to the end of the file itself. A wrong length does that once by
//! chance; twice running hardly ever.

use super::from_line::{FromLine, Habit, LINE};
use super::window::{Input, Window};
use memchr::memmem::{self, Finder};
use std::sync::LazyLock;

/// Longest body that a length is believed of. A stream has to hold that much to see whether it holds good.
const LONGEST_BODY: u64 = 16 << 20;
/// How much of the next message's head is looked at for its length.
const NEXT_HEAD: usize = 64 << 10;
/// How many lengths of one head are tried.
const TRIED: usize = 4;

/// Where a message ends by its Content-Length, if that is proven: the next border and its line, `None` at the end of
/// the file. `start`: of the message; `body`: of its body.
pub(super) fn proven<I: Input>(
    window: &mut Window<I>,
    start: u64,
    body: u64,
    habit: Habit,
) -> Option<(u64, Option<FromLine>)> {
    let (lengths, count) = lengths(window.held(start, body), habit.cr);
    for length in &lengths[..count] {
        match landing(window, body + length, habit) {
            Some((next, None)) => return Some((next, None)),
            Some((next, Some(line))) if leads_on(window, next, &line, habit) => {
                return Some((next, Some(line)));
            }
            _ => {}
        }
    }
    None
}

/// True where the message at `border` has a length that leads to a From_ line or to the end of the file.
fn leads_on<I: Input>(window: &mut Window<I>, border: u64, line: &FromLine, habit: Habit) -> bool {
    let start = border + line.length as u64;
    let head = window.peek(start, NEXT_HEAD);
    let Some(end) = head_end(head, true, habit.cr) else {
        return false;
    };
    let (lengths, count) = lengths(&head[..end], habit.cr);
    lengths[..count]
        .iter()
        .any(|length| landing(window, start + end as u64 + length, habit).is_some())
}

/// The From_ line at `at`, or behind up to two line ends there; or the end of the file.
fn landing<I: Input>(
    window: &mut Window<I>,
    at: u64,
    habit: Habit,
) -> Option<(u64, Option<FromLine>)> {
    const WANT: usize = LINE + 16;
    let seen = window.peek(at.checked_sub(1)?, WANT);
    let mut on_line = is_eol(*seen.first()?);
    let mut rest = &seen[1..];
    for _ in 0..2 {
        let Some(shorter) = strip_eol(rest, habit.cr) else {
            break;
        };
        (rest, on_line) = (shorter, true);
    }
    let next = at + (seen.len() - 1 - rest.len()) as u64;
    if rest.is_empty() {
        let whole = seen.len() < WANT;
        return (whole && window.broke().is_none()).then_some((next, None));
    }
    let line = on_line.then(|| FromLine::parse(rest, habit.cr)).flatten()?;
    Some((next, Some(line)))
}

fn is_eol(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn strip_eol(bytes: &[u8], cr: bool) -> Option<&[u8]> {
    match bytes {
        [b'\r', rest @ ..] if cr => Some(rest),
        [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// Where the body begins in a message's first bytes, or in a later part of its head (`first` is then false).
pub(super) fn head_end(bytes: &[u8], first: bool, cr: bool) -> Option<usize> {
    if first && let Some(rest) = strip_eol(bytes, cr) {
        return Some(bytes.len() - rest.len());
    }
    if cr {
        return memmem::find(bytes, b"\r\r").map(|at| at + 2);
    }
    // The likelier of the two first: the other is then looked for in the head alone.
    let crlf = memchr::memchr(b'\n', bytes).is_some_and(|at| at > 0 && bytes[at - 1] == b'\r');
    let (one, other) = if crlf { (&CRLF, &LF) } else { (&LF, &CRLF) };
    let end =
        |finder: &Finder<'_>, within: &[u8]| Some(finder.find(within)? + finder.needle().len());
    let found = end(one, bytes);
    end(other, &bytes[..found.unwrap_or(bytes.len())]).or(found)
}

// Made once: every message needs them, and making one costs as much as searching a head.
static LF: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n\n"));
static CRLF: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n\r\n"));
static LOWER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"ength"));
static UPPER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"ENGTH"));

/// The values of the Content-Length fields in a head.
fn lengths(head: &[u8], cr: bool) -> ([u64; TRIED], usize) {
    let (mut lengths, mut count) = ([0; TRIED], 0);
    for tail in [&LOWER, &UPPER] {
        for at in tail.find_iter(head) {
            if count == TRIED {
                break;
            }
            if let Some(length) = length_at(head, at + tail.needle().len(), cr) {
                lengths[count] = length;
                count += 1;
            }
        }
    }
    (lengths, count)
}

const NAME: &[u8] = b"content-length";

/// True where a line of a head may be a Content-Length.
pub(super) fn is_length(line: &[u8]) -> bool {
    line.get(..NAME.len())
        .is_some_and(|name| name.eq_ignore_ascii_case(NAME))
}

/// The value of the field whose name ends at `end`, if that is a Content-Length.
fn length_at(head: &[u8], end: usize, cr: bool) -> Option<u64> {
    let begin = end.checked_sub(NAME.len())?;
    let eol = if cr { b'\r' } else { b'\n' };
    let on_line = begin == 0 || head[begin - 1] == eol;
    if !on_line || !head[begin..end].eq_ignore_ascii_case(NAME) {
        return None;
    }
    let value = head[end..].trim_ascii_start().strip_prefix(b":")?;
    let value = value[..value.iter().position(|&b| is_eol(b)).unwrap_or(value.len())].trim_ascii();
    let number = std::str::from_utf8(value).ok()?.parse().ok()?;
    (number <= LONGEST_BODY).then_some(number)
}
