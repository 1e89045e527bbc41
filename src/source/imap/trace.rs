//! What is said on a connection, for `-vv`, with secrets struck out. It decides nothing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::message::text::clean;

/// Longest text that is shown of one line, in characters.
const LONGEST: usize = 300;
/// A shorter secret is not struck out of other texts: that would tell more than it hides.
const SHORTEST_SECRET: usize = 4;

/// Takes a line that is to be shown.
pub type Show = Arc<dyn Fn(&str) + Send + Sync>;

/// Where what is said goes, and what must not be shown of it.
#[derive(Clone, Default)]
pub(super) struct Trace {
    show: Option<Show>,
    secrets: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trace")
    }
}

impl Trace {
    pub(super) fn new(show: Option<Show>) -> Self {
        Trace {
            show,
            secrets: Arc::default(),
        }
    }

    /// From now on this text is struck out, wherever it turns up.
    pub(super) fn hide(&self, secret: &str) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        // As it stands, and as it stands in a text that was cleaned.
        for secret in [secret.to_owned(), clean(secret)] {
            if secret.len() >= SHORTEST_SECRET && !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
    }

    /// A text of the server without secrets.
    pub(super) fn struck(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), "…")
        })
    }

    pub(super) fn sent(&self, line: &str) {
        if let Some(show) = &self.show {
            show(&format!("> {}", self.cut(line)));
        }
    }

    /// A line outside literals; `goes_on` where it follows one.
    pub(super) fn received(&self, line: &[u8], goes_on: bool) {
        let Some(show) = &self.show else { return };
        let text = self.cut(&String::from_utf8_lossy(line));
        let of_fetch = goes_on || text.get(..16).unwrap_or(&text).contains(" FETCH ");
        // There is one for each message: what matters of them is how many were asked for.
        if !of_fetch {
            show(&format!("< {text}"));
        }
    }

    fn cut(&self, line: &str) -> String {
        let text = clean(&self.struck(line.trim_end()));
        if text.chars().count() <= LONGEST {
            return text;
        }
        let short: String = text.chars().take(LONGEST).collect();
        format!("{short} …")
    }
}
