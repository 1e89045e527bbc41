//! A queue of bytes in one piece, so that lines can be searched for in it.

/// Bytes that come in at one end and go out at the other.
#[derive(Default)]
pub(super) struct Queue {
    /// All that came in and was not let go of yet; more is added at its end.
    pub(super) bytes: Vec<u8>,
    gone: usize,
}

impl Queue {
    /// What has not gone out.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.gone..]
    }

    /// So many bytes have gone out.
    pub(super) fn pass(&mut self, length: usize) {
        self.gone += length;
        if self.gone == self.bytes.len() {
            self.bytes.clear();
            self.gone = 0;
        }
    }

    /// Gives out as much as there is room for.
    pub(super) fn give(&mut self, into: &mut [u8]) -> usize {
        let length = self.rest().len().min(into.len());
        into[..length].copy_from_slice(&self.rest()[..length]);
        self.pass(length);
        length
    }
}
