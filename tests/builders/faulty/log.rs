//! What the server was told, connection by connection.

use std::time::{Duration, Instant};

/// The command lines of one connection and when they came, logins without their secrets.
#[derive(Clone, Debug)]
struct Talk {
    since: Instant,
    lines: Vec<(Instant, String)>,
    /// Which UIDs were asked for by which FETCH line.
    fetched: Vec<(String, Vec<u32>)>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Vec<Talk>);

impl Log {
    pub(super) fn connect(&mut self) -> usize {
        self.0.push(Talk {
            since: Instant::now(),
            lines: Vec::new(),
            fetched: Vec::new(),
        });
        self.0.len() - 1
    }
    pub(super) fn line(&mut self, connection: usize, text: String) {
        self.0[connection].lines.push((Instant::now(), text));
    }
    pub(super) fn fetch(&mut self, connection: usize, line: &str, uids: Vec<u32>) {
        self.0[connection].fetched.push((line.to_owned(), uids));
    }
    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.0.len()
    }
    /// All command lines without their tags, in the order of the connections.
    pub(crate) fn lines(&self) -> Vec<&str> {
        let all = self.0.iter().flat_map(|talk| &talk.lines);
        all.map(|(_, text)| text.as_str()).collect()
    }
    /// Those that begin so.
    pub(crate) fn count(&self, start: &str) -> usize {
        let all = self.lines().into_iter();
        all.filter(|line| line.starts_with(start)).count()
    }
    /// How often this message was in the set of a FETCH whose line has these words.
    pub(crate) fn asked(&self, uid: u32, words: &str) -> usize {
        let all = self.0.iter().flat_map(|talk| &talk.fetched);
        all.filter(|(line, uids)| line.contains(words) && uids.contains(&uid))
            .count()
    }
    /// From the last command of a connection to the next connection.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.0
            .windows(2)
            .map(|pair| {
                let last = pair[0].lines.last().map_or(pair[0].since, |(at, _)| *at);
                pair[1].since.saturating_duration_since(last)
            })
            .collect()
    }
}
