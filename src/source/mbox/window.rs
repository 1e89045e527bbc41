//! A window that moves forward over bytes, whether they lie on disk or come from a stream.
//!
//! It holds what the splitter asked to keep and reads on in chunks. On disk, bytes far ahead are looked at by
//! position; a stream has to be read up to them, so the splitter bounds how far it looks.

use std::io;

/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// A buffer that grew for a long message is given back when it is longer than this.
const USUAL: usize = 8 << 20;

/// What a window moves over.
pub(super) trait Input {
    /// Reads the next bytes; 0 at the end.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;
    /// Reads bytes anywhere ahead, as many as there are. `None`: this input can only be read in order.
    fn read_ahead(&mut self, offset: u64, into: &mut [u8]) -> Option<io::Result<usize>>;
}

/// Any reader, in order.
pub(super) struct Stream<R>(pub(super) R);

impl<R: io::Read> Input for Stream<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }

    fn read_ahead(&mut self, _: u64, _: &mut [u8]) -> Option<io::Result<usize>> {
        None
    }
}

/// The bytes from `base` on that are held.
pub(super) struct Window<I> {
    input: I,
    buffer: Vec<u8>,
    /// How many bytes of the buffer are filled.
    filled: usize,
    base: u64,
    keep: u64,
    ended: bool,
    broke: Option<io::Error>,
    side: Vec<u8>,
}

impl<I: Input> Window<I> {
    /// Over an input whose next byte has the offset `base`. `buffer` is used again, whatever it holds.
    pub(super) fn new(input: I, base: u64, buffer: Vec<u8>) -> Window<I> {
        Window {
            input,
            buffer,
            filled: 0,
            base,
            keep: base,
            ended: false,
            broke: None,
            side: Vec::new(),
        }
    }

    /// Bytes before `offset` are not asked for again.
    pub(super) fn keep(&mut self, offset: u64) {
        self.keep = self.keep.max(offset);
    }

    /// Offset of the first byte that is not held.
    pub(super) fn end(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// True where nothing follows [`Window::end`].
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// What broke the input off, if anything did.
    pub(super) fn broke(&self) -> Option<&io::Error> {
        self.broke.as_ref()
    }

    /// All held bytes from `offset` on: at least `want`, or up to the end.
    pub(super) fn see(&mut self, offset: u64, want: usize) -> &[u8] {
        while !self.ended && self.end() < offset + want as u64 {
            self.more();
        }
        self.held(offset, self.end())
    }

    /// Held bytes.
    pub(super) fn held(&self, from: u64, to: u64) -> &[u8] {
        let at = |offset: u64| {
            usize::try_from(offset.saturating_sub(self.base))
                .unwrap_or(usize::MAX)
                .min(self.filled)
        };
        &self.buffer[at(from).min(at(to))..at(to)]
    }

    /// `want` bytes from `offset` on, fewer only at the end, without moving on where the input allows it.
    pub(super) fn peek(&mut self, offset: u64, want: usize) -> &[u8] {
        let to = offset + want as u64;
        if offset < self.base || to > self.end() && !self.ended {
            self.side.resize(want, 0);
            match self.input.read_ahead(offset, &mut self.side) {
                Some(Ok(n)) => return &self.side[..n],
                Some(Err(_)) => return &[],
                None => {}
            }
        }
        let seen = self.see(offset, want);
        &seen[..seen.len().min(want)]
    }

    /// Reads another chunk, or notes the end.
    pub(super) fn more(&mut self) {
        if self.buffer.len() - self.filled < CHUNK {
            self.make_room();
        }
        let room = &mut self.buffer[self.filled..self.filled + CHUNK];
        match self.input.read(room) {
            Ok(0) => self.ended = true,
            Ok(n) => self.filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                self.broke = Some(e);
                self.ended = true;
            }
        }
    }

    fn make_room(&mut self) {
        let gone = usize::try_from(self.keep.min(self.end()) - self.base).unwrap_or(0);
        self.buffer.copy_within(gone..self.filled, 0);
        self.base += gone as u64;
        self.filled -= gone;
        if self.buffer.len() > USUAL && self.filled < CHUNK {
            self.buffer.truncate(4 * CHUNK);
            self.buffer.shrink_to_fit();
        }
        if self.buffer.len() - self.filled < CHUNK {
            // By a fourth only: the longest that is held should not take twice its length.
            let more = (self.buffer.len() / 4).max(4 * CHUNK);
            self.buffer.resize(self.buffer.len() + more, 0);
        }
    }

    /// The buffer, to be used again.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}
