//! Progress on a terminal: one bar for each source, by bytes or messages, with messages, rate and time left. Nothing at all where
//! nobody watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::signal::thousands;
use crate::terminal;

/// How much of a source's name is shown: its end.
const NAME: usize = 24;

/// How much there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many bytes.
    Bytes(u64),
    /// So many messages.
    Messages(u64),
    /// Nobody knows.
    Unknown,
}

/// One bar, shown or not.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    messages: u64,
}

impl Progress {
    /// For one source of so much. `shown` is what the user asked for; a bar also needs a terminal.
    pub fn new(source: &str, amount: Amount, shown: bool) -> Self {
        let bar = match amount {
            Amount::Bytes(length) | Amount::Messages(length) => ProgressBar::new(length),
            Amount::Unknown => ProgressBar::new_spinner(),
        };
        if !(shown && terminal::watched()) {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let template = match amount {
            Amount::Bytes(_) => {
                "{prefix} {wide_bar:.dim} {percent:>3} %  {msg}  {bytes_per_sec}  {eta} left"
            }
            Amount::Messages(_) => "{prefix} {wide_bar:.dim} {percent:>3} %  {msg}  {eta} left",
            Amount::Unknown => "{prefix} {spinner}  {bytes}  {msg}  {bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let length = source.chars().count();
        let mut name: String = source.chars().skip(length.saturating_sub(NAME)).collect();
        if length > NAME {
            name.insert(0, '…');
        }
        bar.set_prefix(crate::message::text::clean(&name));
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar, messages: 0 }
    }

    /// So many bytes and messages more.
    pub fn advance(&mut self, bytes: u64, messages: u64) {
        self.messages += messages;
        self.bar.inc(bytes);
        self.bar
            .set_message(format!("{} messages", thousands(self.messages)));
    }

    /// Says what the bar now waits for.
    pub fn waiting(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Takes the bar away.
    pub fn end(self) {
        self.bar.finish_and_clear();
    }
}
