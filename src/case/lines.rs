//! How a block of history lines is written: a run of records in one BLOB, so that ten million messages stay small and
//! quick to read. Not for people: names and addresses are keyed digests.
//!
//! A record: flags (1 byte) · key (16 bytes) · sent (zigzag varint, if flag) · author, sender, id (8 bytes each, if flag)
//! · visible, blind, answers (varint count, then 8 bytes each).
//! Numbers are little-endian; varints are LEB128.

use anyhow::{Context, bail};

use crate::history::{Digest, Line};

const SENT: u8 = 1;
const AUTHOR: u8 = 2;
const SENDER: u8 = 4;
const ID: u8 = 8;
const DRAFT: u8 = 16;
const SENT_HERE: u8 = 32;

/// One message of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What history knows of it.
    pub line: Line,
    /// A draft.
    pub draft: bool,
    /// In a folder, or under a label, of sent mail.
    pub sent_here: bool,
}

/// Adds one message to a block.
pub fn write(out: &mut Vec<u8>, line: &Line, draft: bool, sent_here: bool) {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(
        flag(line.sent.is_some(), SENT)
            | flag(line.author.is_some(), AUTHOR)
            | flag(line.sender.is_some(), SENDER)
            | flag(line.id.is_some(), ID)
            | flag(draft, DRAFT)
            | flag(sent_here, SENT_HERE),
    );
    out.extend_from_slice(&line.key.to_le_bytes());
    if let Some(sent) = line.sent {
        varint(out, (sent.wrapping_shl(1) ^ (sent >> 63)) as u64);
    }
    for digest in [line.author, line.sender, line.id].into_iter().flatten() {
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

/// Reads every message of a block, in order.
///
/// # Errors
/// A block that this program did not write, or that was damaged.
pub fn read(mut bytes: &[u8], each: &mut dyn FnMut(Stored)) -> anyhow::Result<()> {
    while !bytes.is_empty() {
        each(record(&mut bytes).context("case.db is damaged: a block of messages cannot be read\n  try: scan the sources again into a new case")?);
    }
    Ok(())
}

fn record(bytes: &mut &[u8]) -> anyhow::Result<Stored> {
    let flags = take(bytes, 1)?[0];
    let mut line = Line {
        key: u128::from_le_bytes(take(bytes, 16)?.try_into()?),
        ..Line::default()
    };
    if flags & SENT != 0 {
        let value = number(bytes)?;
        line.sent = Some((value >> 1) as i64 ^ -((value & 1) as i64));
    }
    let mut one = |bit: u8| -> anyhow::Result<Option<Digest>> {
        if flags & bit != 0 {
            digest(bytes).map(Some)
        } else {
            Ok(None)
        }
    };
    line.author = one(AUTHOR)?;
    line.sender = one(SENDER)?;
    line.id = one(ID)?;
    for list in [&mut line.visible, &mut line.blind, &mut line.answers] {
        let count = number(bytes)?;
        if count > bytes.len() as u64 / 8 {
            bail!("a list is longer than its block");
        }
        for _ in 0..count {
            list.push(digest(bytes)?);
        }
    }
    Ok(Stored {
        line,
        draft: flags & DRAFT != 0,
        sent_here: flags & SENT_HERE != 0,
    })
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> anyhow::Result<&'a [u8]> {
    let (head, tail) = bytes.split_at_checked(count).context("it ends too early")?;
    *bytes = tail;
    Ok(head)
}

fn digest(bytes: &mut &[u8]) -> anyhow::Result<Digest> {
    Ok(Digest(u64::from_le_bytes(take(bytes, 8)?.try_into()?)))
}

fn number(bytes: &mut &[u8]) -> anyhow::Result<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    bail!("a number is too long")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        };
        let all = [
            Stored {
                line: full,
                draft: true,
                sent_here: false,
            },
            Stored {
                line: Line::default(),
                draft: false,
                sent_here: true,
            },
        ];
        let mut bytes = Vec::new();
        all.iter()
            .for_each(|stored| write(&mut bytes, &stored.line, stored.draft, stored.sent_here));
        let mut back = Vec::new();
        read(&bytes, &mut |stored| back.push(stored)).expect("it is whole");
        assert_eq!(back, all);
        assert!(read(&bytes[..bytes.len() - 1], &mut |_| ()).is_err());
    }
}
