//! mbox: many messages in one file, each behind a line that begins with `From `.
//!
//! # The format
//! There is no standard, only RFC 4155 (a media type with a default format in its appendix A) and habits:
//!
//! ```text
//! From pat@force.example Fri Mar  1 09:00:00 2024      the From_ line: envelope sender, date (asctime, UTC)
//! Subject: …                                           the message, as RFC 5322 has it
//!
//! >From here on all is well.                           a body line that would look like a From_ line
//!                                                      one empty line, no part of the message
//! From …
//! ```
//!
//! | variant | a body line `From x` is stored as | a message ends |
//! | --- | --- | --- |
//! | mboxo | `>From x` (and `>From x` as itself: not to be undone) | at the next From_ line |
//! | mboxrd | `>From x`, and `>From x` as `>>From x` (qmail, RFC 4155) | at the next From_ line |
//! | mboxcl | as mboxo | after Content-Length bytes of body |
//! | mboxcl2 | unchanged | after Content-Length bytes of body (System V, Solaris) |
//!
//! What stands in real files beside that: From_ lines without a date (`From -` of Netscape and Thunderbird, a bare
//! `From `, Takeout's `From 1844@xxx`), with the zone before or after the year, without an empty line before them;
//! a Content-Length that is wrong; body lines that nobody quoted; a BOM before the first line; CRLF, LF, both; bare
//! CR. See <https://www.rfc-editor.org/rfc/rfc4155>, <https://www.jwz.org/doc/content-length.html>,
//! <http://qmail.org/man/man5/mbox.html>, <https://github.com/dcarrero/mboxshell/issues/16>.
//!
//! # How it is read
//! The variant is never asked for. A message ends where its Content-Length proves right (`length.rs`), and else at
//! the next line that passes for a From_ line (`from_line.rs`). That is a function of the bytes from the message's
//! From_ line on. So a stream (`stream`) and the ranges of a file on disk (`range.rs`) give the same messages.
//! Quoting is left as it is: the bytes given are the bytes stored.

mod from_line;
mod length;
mod range;
mod splitter;
#[cfg(test)]
mod tests;
mod window;

pub(super) use from_line::Habit;
pub(super) use range::ranges;

use super::sink::{Flow, Sink};
use super::{Folder, Item};
use splitter::{Splitter, Step};
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;
use window::{Stream, Window};

/// Where the first From_ line of an mbox begins and how its lines are written; `None` where the bytes begin none.
pub(super) fn beginning(prefix: &[u8]) -> Option<(u64, Habit)> {
    let bom = if prefix.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let blank = prefix[bom..]
        .iter()
        .take_while(|b| matches!(b, b'\n' | b'\r' | b' ' | b'\t' | 0))
        .count();
    let at = bom + blank;
    let on_line = blank == 0 || matches!(prefix[at - 1], b'\n' | b'\r' | 0);
    let habit = on_line.then(|| Habit::of(&prefix[at..])).flatten()?;
    Some((at as u64, habit))
}

/// Reads an mbox from a stream, in order, and hands its messages to `sink`.
pub(super) fn stream(
    input: impl Read,
    first: u64,
    habit: Habit,
    folder: &Arc<Folder>,
    sink: &mut Sink<'_>,
) -> Flow {
    let mut splitter = Splitter::new(Window::new(Stream(input), 0, Vec::new()), habit);
    splitter.begin(first);
    while !splitter.at_end() {
        match splitter.step() {
            Step::Message => sink.item(folder, Item::Mail(splitter.raw()))?,
            Step::Torn => {
                let reason = format!("the message is cut off: {}", splitter.why_torn());
                return sink.item(folder, Item::Unread(splitter.torn(&folder.chain, reason)));
            }
        }
        splitter.advance();
    }
    ControlFlow::Continue(())
}
