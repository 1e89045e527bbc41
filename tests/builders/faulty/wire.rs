//! The bytes of one connection: command lines in, answers out, deflated once COMPRESS was agreed upon.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

/// Both ends of one connection as the server sees it.
pub(super) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
    squeeze: Option<(Compress, Decompress)>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        drop(stream.set_nodelay(true));
        Wire {
            stream,
            read: Vec::new(),
            squeeze: None,
        }
    }
    /// From here on everything is raw deflate.
    pub(super) fn squeeze(&mut self) {
        self.squeeze = Some((
            Compress::new(Compression::fast(), false),
            Decompress::new(false),
        ));
        let early = std::mem::take(&mut self.read);
        self.took(&early);
    }
    /// The next line without its CRLF; none once the client has gone.
    pub(super) fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = memchr::memmem::find(&self.read, b"\r\n") {
                let line = self.read[..at].to_vec();
                self.read.drain(..at + 2);
                return Some(line);
            }
            self.more()?;
        }
    }
    /// The next `n` bytes.
    pub(super) fn exactly(&mut self, n: usize) -> Option<Vec<u8>> {
        while self.read.len() < n {
            self.more()?;
        }
        Some(self.read.drain(..n).collect())
    }
    /// Sends; none once the client has gone.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Option<()> {
        let Some((compress, _)) = &mut self.squeeze else {
            return self.stream.write_all(bytes).ok();
        };
        let start = compress.total_in();
        let mut out = Vec::with_capacity(bytes.len() + 1024);
        loop {
            let rest = &bytes[(compress.total_in() - start) as usize..];
            compress
                .compress_vec(rest, &mut out, FlushCompress::Sync)
                .expect("deflate in memory");
            if out.len() < out.capacity() {
                return self.stream.write_all(&out).ok();
            }
            out.reserve(1024);
        }
    }
    /// Nothing more in either direction.
    pub(super) fn close(&self) {
        drop(self.stream.shutdown(Shutdown::Both));
    }

    fn more(&mut self) -> Option<()> {
        let mut buffer = [0; 8192];
        let n = self.stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        self.took(&buffer[..n]);
        Some(())
    }
    fn took(&mut self, bytes: &[u8]) {
        let Some((_, decompress)) = &mut self.squeeze else {
            self.read.extend_from_slice(bytes);
            return;
        };
        let start = decompress.total_in();
        loop {
            self.read.reserve(4096);
            let rest = &bytes[(decompress.total_in() - start) as usize..];
            let inflated = decompress.decompress_vec(rest, &mut self.read, FlushDecompress::Sync);
            let full = self.read.len() == self.read.capacity();
            if inflated.is_err() || !full {
                return;
            }
        }
    }
}
