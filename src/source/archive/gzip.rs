//! gzip (RFC 1952): one compressed file, in one member or in several after one another, which are read as one.
//!
//! Tapes and block devices leave zeros behind the last member; they are skipped. Other bytes there are no part of the
//! file. They end it, as they do for `gzip -d`, but [`Gunzip::trailing`] tells of them.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

/// Unpacks.
pub(in crate::source) struct Gunzip<R> {
    member: Option<GzDecoder<R>>,
    trailing: bool,
}

impl<R: BufRead> Gunzip<R> {
    pub(in crate::source) fn new(reader: R) -> Gunzip<R> {
        Gunzip {
            member: Some(GzDecoder::new(reader)),
            trailing: false,
        }
    }

    /// True where bytes that are no gzip follow.
    pub(super) fn trailing(&self) -> bool {
        self.trailing
    }

    /// Goes on to the next member, if there is one.
    fn next_member(&mut self) -> io::Result<()> {
        let Some(member) = self.member.take() else {
            return Ok(());
        };
        let mut reader = member.into_inner();
        loop {
            let bytes = reader.fill_buf()?;
            let zeros = bytes.iter().take_while(|b| **b == 0).count();
            match bytes.get(zeros) {
                Some(0x1f) => {
                    reader.consume(zeros);
                    self.member = Some(GzDecoder::new(reader));
                    return Ok(());
                }
                Some(_) => {
                    self.trailing = true;
                    return Ok(());
                }
                None if zeros == 0 => return Ok(()),
                None => reader.consume(zeros),
            }
        }
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(into)? {
                0 if !into.is_empty() => self.next_member()?,
                n => return Ok(n),
            }
        }
        Ok(0)
    }
}
