//! What the tests of sources share: reading as the pipeline does, and numbers that look random but never change.
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use super::sink::{Flow, Sink};
use super::{Coverage, Extent, Item, Position, Span, Unit};
use sha2::{Digest, Sha256};
use std::ops::ControlFlow;

/// One message or unread row, as text that can be compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    pub(super) folder: String,
    pub(super) position: String,
    /// Of a message its hash and marks; of what is unread the reason.
    pub(super) what: String,
    pub(super) mail: bool,
}

/// Everything that `give` hands out, read as the pipeline reads it: a range whose guess does not fit is read again.
pub(super) fn read(give: impl FnOnce(&mut Sink<'_>) -> Flow) -> (Vec<Seen>, Coverage) {
    let mut units: Vec<Box<dyn Unit>> = Vec::new();
    let mut each = |unit| {
        units.push(unit);
        ControlFlow::Continue(())
    };
    let mut sink = Sink::new(&mut each);
    assert!(give(&mut sink).is_continue());
    let coverage = sink.finish();
    (read_units(&units), coverage)
}

/// Reads units in order.
pub(super) fn read_units(units: &[Box<dyn Unit>]) -> Vec<Seen> {
    let (mut all, mut border) = (Vec::new(), None);
    for unit in units {
        let (mut seen, mut span) = read_unit(&**unit);
        if let (Some(border), Some(got)) = (border, span)
            && got.began != border
            && let Some(unit) = unit.beginning_at(border)
        {
            (seen, span) = read_unit(&*unit);
            assert_eq!(span.unwrap().began, border);
        }
        border = span.map(|s| s.ended);
        all.extend(seen);
    }
    all
}

fn read_unit(unit: &dyn Unit) -> (Vec<Seen>, Option<Span>) {
    let folder = unit.folder().chain.clone();
    let mut all = Vec::new();
    let span = unit.read(&mut |item| {
        let (position, what, mail) = match item {
            Item::Mail(raw) => {
                assert_eq!(raw.extent == Extent::Whole, raw.sha256.is_none());
                let is_end = |end: &u32| raw.bytes.get(*end as usize).is_none_or(|b| *b == b'\n');
                assert!(raw.head_lines.iter().all(is_end));
                if let (Position::Bytes { length, .. }, true) =
                    (&raw.position, raw.extent == Extent::Whole)
                {
                    assert_eq!(*length, raw.bytes.len() as u64);
                }
                let sha256 = raw
                    .sha256
                    .unwrap_or_else(|| Sha256::digest(raw.bytes).into());
                (
                    Some(raw.position),
                    format!("{sha256:02x?} {:?}", raw.marks),
                    true,
                )
            }
            Item::Unread(unread) => {
                let sort = if unread.message { "message" } else { "part" };
                (unread.position, format!("{sort}: {}", unread.reason), false)
            }
        };
        let position = position.map_or_else(String::new, |p| p.to_string());
        all.push(Seen {
            folder: folder.clone(),
            position,
            what,
            mail,
        });
    });
    (all, span)
}

/// Numbers of a xorshift generator (Marsaglia 2003).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    /// The next, less than `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit
    }

    /// One of several.
    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A reader that gives as few bytes at a time as `Numbers` says.
pub(super) struct Dribble<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) numbers: Numbers,
    pub(super) most: usize,
}

impl std::io::Read for Dribble<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = (1 + self.numbers.below(self.most))
            .min(into.len())
            .min(self.bytes.len());
        into[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}
