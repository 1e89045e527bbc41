//! How a block of history lines is written: a run of records in one BLOB, so that ten million messages stay small and
//! quick to read. Not for people: names and addresses are keyed digests.
//!
//! A record: flags (1 byte) · key (16 bytes) · sent (zigzag varint, if flag) · author, sender, id, series (8 bytes each,
//! if flag) · visible, blind, answers (varint count, then 8 bytes each).
//! Numbers are little-endian; varints are LEB128.

use anyhow::Context;

use crate::history::{Digest, Digests, Line, Told};

const SENT: u8 = 1;
const AUTHOR: u8 = 2;
const SENDER: u8 = 4;
const ID: u8 = 8;
const DRAFT: u8 = 16;
const SENT_HERE: u8 = 32;
const SERIES: u8 = 64;

/// Adds one message to a block.
pub fn write(out: &mut Vec<u8>, line: &Line, draft: bool, sent_here: bool) {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(
        flag(line.sent.is_some(), SENT)
            | flag(line.author.is_some(), AUTHOR)
            | flag(line.sender.is_some(), SENDER)
            | flag(line.id.is_some(), ID)
            | flag(line.series.is_some(), SERIES)
            | flag(draft, DRAFT)
            | flag(sent_here, SENT_HERE),
    );
    out.extend_from_slice(&line.key.to_le_bytes());
    if let Some(sent) = line.sent {
        varint(out, (sent.wrapping_shl(1) ^ (sent >> 63)) as u64);
    }
    for digest in [line.author, line.sender, line.id, line.series]
        .into_iter()
        .flatten()
    {
        out.extend_from_slice(&digest.0.to_le_bytes());
    }
    for list in [&line.visible, &line.blind, &line.answers] {
        varint(out, list.len() as u64);
        for digest in list {
            out.extend_from_slice(&digest.0.to_le_bytes());
        }
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// One message of a block, where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What history knows of it.
    pub line: Told<'a>,
    /// The message's quick key.
    pub key: u128,
    /// A draft.
    pub draft: bool,
    /// In a folder, or under a label, of sent mail.
    pub sent_here: bool,
}

/// Reads every message of a block, in order.
///
/// # Errors
/// A block that this program did not write, or that was damaged.
pub fn read<'a>(mut bytes: &'a [u8], mut each: impl FnMut(Record<'a>)) -> anyhow::Result<()> {
    while !bytes.is_empty() {
        each(record(&mut bytes)
            .context("a record ends too early, or a number or a list in it is too long")
            .context("case.db is damaged: a block of messages cannot be read\n  try: scan the sources again into a new case")?);
    }
    Ok(())
}

#[inline]
fn record<'a>(bytes: &mut &'a [u8]) -> Option<Record<'a>> {
    let (flags, key) = (take::<1>(bytes)?[0], take(bytes)?);
    let sent = if flags & SENT != 0 {
        let value = number(bytes)?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    } else {
        None
    };
    let mut one = |bit: u8| -> Option<Option<Digest>> {
        if flags & bit != 0 {
            let digest = take(bytes)?;
            Some(Some(Digest(u64::from_le_bytes(*digest))))
        } else {
            Some(None)
        }
    };
    let (author, sender, id, series) = (one(AUTHOR)?, one(SENDER)?, one(ID)?, one(SERIES)?);
    let (visible, blind, answers) = (list(bytes)?, list(bytes)?, list(bytes)?);
    Some(Record {
        line: Told {
            sent,
            author,
            sender,
            visible,
            blind,
            id,
            answers,
            series,
        },
        key: u128::from_le_bytes(*key),
        draft: flags & DRAFT != 0,
        sent_here: flags & SENT_HERE != 0,
    })
}

#[inline]
fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, tail) = bytes.split_first_chunk()?;
    *bytes = tail;
    Some(head)
}

#[inline]
fn list<'a>(bytes: &mut &'a [u8]) -> Option<Digests<'a>> {
    let count = usize::try_from(number(bytes)?).ok()?;
    let (head, tail) = bytes.split_at_checked(count.checked_mul(8)?)?;
    *bytes = tail;
    Some(Digests::new(head))
}

#[inline]
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take::<1>(bytes)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Record<'_> {
        fn owned(&self) -> (Line, bool, bool) {
            let line = Line {
                key: self.key,
                sent: self.line.sent,
                author: self.line.author,
                sender: self.line.sender,
                visible: self.line.visible.iter().collect(),
                blind: self.line.blind.iter().collect(),
                id: self.line.id,
                answers: self.line.answers.iter().collect(),
                series: self.line.series,
            };
            (line, self.draft, self.sent_here)
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_damage_is_an_error() {
        let full = Line {
            key: u128::MAX - 7,
            sent: Some(-5),
            author: Some(Digest(1)),
            sender: Some(Digest(2)),
            visible: vec![Digest(3), Digest(u64::MAX)],
            blind: vec![Digest(4)],
            id: Some(Digest(5)),
            answers: vec![Digest(6)],
            series: Some(Digest(7)),
        };
        let all = [(full, true, false), (Line::default(), false, true)];
        let mut bytes = Vec::new();
        all.iter()
            .for_each(|(line, draft, sent_here)| write(&mut bytes, line, *draft, *sent_here));
        let mut back = Vec::new();
        read(&bytes, |record| back.push(record.owned())).expect("it is whole");
        assert_eq!(back, all);
        assert!(read(&bytes[..bytes.len() - 1], |_| ()).is_err());
    }
}
