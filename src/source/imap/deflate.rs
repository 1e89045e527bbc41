//! Both directions of `COMPRESS=DEFLATE` (RFC 4978): raw deflate, flushed after each command. What is packed and when
//! is no matter here.

use std::io;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// The two streams of one connection.
pub(super) struct Deflate {
    out: Compress,
    into: Decompress,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Deflate {
            out: Compress::new(Compression::fast(), false),
            into: Decompress::new(false),
        }
    }

    /// Packs what is sent, so that the other side can read all of it.
    pub(super) fn pack(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut packed = Vec::with_capacity(bytes.len() + 64);
        let mut rest = bytes;
        loop {
            packed.reserve(256);
            let before = self.out.total_in();
            self.out
                .compress_vec(rest, &mut packed, FlushCompress::Sync)?;
            rest = &rest[(self.out.total_in() - before) as usize..];
            // Room that is left over tells that nothing waits to be flushed.
            if rest.is_empty() && packed.len() < packed.capacity() {
                return Ok(packed);
            }
        }
    }

    /// Unpacks what was received behind `plain`, at most about `room` bytes.
    ///
    /// # Errors
    /// Bytes that are not deflated, or that unpack to more.
    pub(super) fn unpack(
        &mut self,
        bytes: &[u8],
        room: usize,
        plain: &mut Vec<u8>,
    ) -> io::Result<()> {
        let (mut rest, before) = (bytes, plain.len());
        loop {
            plain.reserve(rest.len().max(1024) * 4);
            let (seen, made) = (self.into.total_in(), plain.len());
            let status = self
                .into
                .decompress_vec(rest, plain, FlushDecompress::Sync)
                .map_err(|_| io::Error::other("the server's compressed answer cannot be read"))?;
            rest = &rest[(self.into.total_in() - seen) as usize..];
            if plain.len() - before > room {
                return Err(io::Error::other(
                    "the server's compressed answer unpacks to more than ccspill takes",
                ));
            }
            let full = plain.len() == plain.capacity();
            let stuck = plain.len() == made && !full;
            if status == Status::StreamEnd || (rest.is_empty() && !full) || stuck {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Deflate;

    #[test]
    fn what_one_side_packs_the_other_unpacks_at_once() {
        let (mut here, mut there) = (Deflate::new(), Deflate::new());
        let long: Vec<u8> = (0..200_000u32)
            .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
            .collect();
        for text in [&b"a1 NOOP\r\n"[..], b"", &long, b"a2 LOGOUT\r\n"] {
            let packed = here.pack(text).expect("it packs");
            let mut plain = Vec::new();
            for piece in packed.chunks(7) {
                there
                    .unpack(piece, 2 << 20, &mut plain)
                    .expect("it unpacks");
            }
            assert_eq!(plain, text);
        }
    }

    #[test]
    fn what_swells_is_refused() {
        let packed = Deflate::new().pack(&vec![0; 4 << 20]).expect("it packs");
        let mut plain = Vec::new();
        assert!(Deflate::new().unpack(&packed, 1 << 20, &mut plain).is_err());
        assert!(
            Deflate::new()
                .unpack(b"* OK plain\r\n", 1 << 20, &mut plain)
                .is_err()
        );
    }
}
