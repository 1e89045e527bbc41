//! A file on disk, opened for reading once and read by position, so that any thread may read any part of it.
//!
//! The file that was opened is the file that is read, even if a mail program puts another in its place meanwhile. No
//! mmap: a file that shrinks under a map kills the process. What the operating systems do differently stands here.

use sha2::{Digest, Sha256};
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// An open file and how long it was when it was opened.
#[derive(Debug)]
pub(super) struct Disk {
    file: File,
    len: u64,
}

impl Disk {
    /// Opens a regular file. Others (pipes, devices) are never opened: that could block or act.
    pub(super) fn open(path: &Path) -> io::Result<Disk> {
        let metadata = path.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is neither a file nor a folder",
            ));
        }
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Disk { file, len })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Reads at `offset`; 0 at the end.
    #[cfg(unix)]
    pub(super) fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, into, offset)
    }

    /// Reads at `offset`; 0 at the end.
    #[cfg(windows)]
    pub(super) fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, into, offset)
    }

    /// Reads at `offset`; 0 at the end.
    #[cfg(not(any(unix, windows)))]
    pub(super) fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        use std::io::{Read, Seek};
        static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _guard = ONE_AT_A_TIME.lock();
        (&self.file).seek(io::SeekFrom::Start(offset))?;
        (&self.file).read(into)
    }

    /// The first bytes, at most `most`.
    pub(super) fn prefix(&self, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most.min(usize::try_from(self.len).unwrap_or(most))];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.read_at(filled as u64, &mut bytes[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// SHA-256 of the whole file; `None` where `stop` said so.
    pub(super) fn sha256(&self, stop: &dyn Fn() -> bool) -> io::Result<Option<String>> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        let mut at = 0;
        while !stop() {
            match self.read_at(at, &mut buffer) {
                Ok(0) => return Ok(Some(hex(&hasher.finalize()))),
                Ok(n) => {
                    hasher.update(&buffer[..n]);
                    at += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(None)
    }
}

/// Reads a file in order, by position.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) disk: &'a Disk,
    pub(super) at: u64,
}

impl io::Read for Cursor<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.disk.read_at(self.at, into)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl io::Seek for Cursor<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let at = match to {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::End(by) => self.disk.len.checked_add_signed(by),
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// Size and time of last change, to tell whether a file is as it was.
pub(super) fn stamp(metadata: &Metadata) -> String {
    let changed = metadata
        .modified()
        .ok()
        .and_then(|t| t.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |d| d.as_nanos());
    format!("{} {changed}", metadata.len())
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .map(|d| char::from(DIGITS[usize::from(d)]))
        .collect()
}
