//! How many messages are asked for at once: as many as bring a good number of bytes in a short time, however densely the
//! UIDs stand and however fast the line is. Pure.

use std::time::Duration;

/// Bytes that an answer should have. More would only need more memory: a round trip is paid for long before.
const BYTES: f64 = 3e6;
/// Time that an answer should take.
const TIME: f64 = 4.0;
/// Messages of the first window, and of one after something went wrong.
const FIRST: u64 = 1500;
/// Most messages that are asked for at once.
const MOST: f64 = 2500.0;
/// No window grows faster than this.
const GROWTH: f64 = 8.0;

/// The width of the next window, in UIDs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    width: f64,
}

impl Pace {
    pub(super) fn new() -> Self {
        Pace {
            width: FIRST as f64,
        }
    }

    /// The last UID of a window that begins at `first`, and ends at `last` at the latest.
    pub(super) fn end(&self, first: u64, last: u64) -> u64 {
        (first + (self.width as u64).max(1) - 1).min(last)
    }

    /// Learns from an answer: so many UIDs were asked for, so many messages came, in so many bytes and so long.
    pub(super) fn learn(&mut self, width: u64, messages: u64, bytes: u64, took: Duration) {
        let width = width.max(1) as f64;
        let room = (BYTES / bytes.max(1) as f64)
            .min(TIME / took.as_secs_f64().max(1e-3))
            .min(MOST / messages.max(1) as f64);
        self.width = (width * room.min(GROWTH)).clamp(1.0, f64::from(u32::MAX));
    }

    /// Something went wrong: smaller steps for a while.
    pub(super) fn slow(&mut self) {
        self.width = self.width.min(FIRST as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use std::time::Duration;

    #[test]
    fn a_good_line_is_asked_for_thousands_at_once() {
        let mut pace = Pace::new();
        assert_eq!(pace.end(1, 1_000_000), 1500);
        for _ in 0..3 {
            let width = pace.end(1, u64::MAX);
            pace.learn(width, width, width * 350, Duration::from_millis(60));
        }
        assert_eq!(pace.end(1, 1_000_000), 2500);
        assert_eq!(pace.end(1, 600), 600);
    }

    #[test]
    fn sparse_uids_are_passed_over_in_few_steps() {
        let (mut pace, mut first, mut steps) = (Pace::new(), 1u64, 0);
        while first < 4_000_000_000 {
            let end = pace.end(first, 4_000_000_000);
            pace.learn(end + 1 - first, 0, 40, Duration::from_millis(40));
            first = end + 1;
            steps += 1;
        }
        assert!(steps < 12, "{steps}");
    }

    #[test]
    fn a_slow_line_or_long_heads_make_small_windows() {
        let mut pace = Pace::new();
        pace.learn(500, 500, 250_000, Duration::from_secs(40));
        assert_eq!(pace.end(1, 10_000), 50);
        let mut pace = Pace::new();
        pace.learn(500, 500, 30_000_000, Duration::from_secs(1));
        assert_eq!(pace.end(1, 10_000), 50);
        pace.learn(1, 1, 60_000_000, Duration::from_secs(100));
        assert_eq!(pace.end(7, 10_000), 7);
    }
}
