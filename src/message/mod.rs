//! What one mail says: its head, its recipients, its text, its key.
//!
//! A [`Message`] borrows the bytes of one mail as stored and answers questions about them; it never fails on
//! malformed mail, it says less. It knows no file, folder, query or clock.
//! It is not a general MIME library: bodies are read only for the few messages that judgement needs.

pub mod address;
mod comma;
mod date;
pub mod header;
mod html;
pub mod key;
mod labels;
mod list;
mod mailbox;
pub mod mime;
pub mod quoted;
pub mod recipients;
pub mod text;

use header::{Head, unfold};
use std::sync::OnceLock;

pub use address::Address;
pub use key::Key;
pub use mime::Body;
pub use recipients::{Field, Mailbox, Recipient};

/// Most ids that are read of one In-Reply-To.
const MOST_IDS: usize = 100;
/// Most Received fields that are looked at; a mail that took more hops has looped.
const MOST_HOPS: usize = 200;
/// X-Mozilla-Status: deleted, but not yet removed from the file (`nsMsgMessageFlags::Expunged`).
const EXPUNGED: u32 = 0x0008;
/// Seconds of 1980-01-01 and 2100-01-01: a Received date outside was written by a broken clock.
const PLAUSIBLE: std::ops::Range<i64> = 315_532_800..4_102_444_800;

/// One mail, as stored.
#[derive(Debug)]
pub struct Message<'a> {
    head: Head<'a>,
    recipients: OnceLock<Vec<Recipient>>,
}

impl<'a> Message<'a> {
    /// Slices the head of a mail as stored; a From_ line before it is borne. Nothing is decoded until it is asked for.
    ///
    /// # Errors
    /// Why these bytes are no mail, in plain English.
    pub fn new(raw: &'a [u8]) -> Result<Self, &'static str> {
        let head = Head::new(raw);
        if !head.is_empty() {
            Ok(Self {
                head,
                recipients: OnceLock::new(),
            })
        } else if raw.iter().all(|b| b.is_ascii_whitespace()) {
            Err("it is empty")
        } else if raw.iter().all(|b| *b == 0 || b.is_ascii_whitespace()) {
            Err("it holds nothing but zero bytes")
        } else {
            Err("it has no header fields")
        }
    }

    /// The fields.
    pub fn head(&self) -> &Head<'a> {
        &self.head
    }

    /// The bytes behind the head.
    pub fn body(&self) -> &'a [u8] {
        self.head.body()
    }

    /// The authors: every mailbox of every From field.
    pub fn from(&self) -> Vec<Mailbox> {
        self.head
            .all("From")
            .flat_map(recipients::parse_list)
            .map(|(mailbox, _)| mailbox)
            .collect()
    }

    /// Who sent it for the author (Sender), if that is told.
    pub fn sender(&self) -> Option<Mailbox> {
        self.head
            .all("Sender")
            .flat_map(recipients::parse_list)
            .map(|(mailbox, _)| mailbox)
            .next()
    }

    /// Every mailbox of every recipient field, in order; parsed once.
    pub fn recipients(&self) -> &[Recipient] {
        self.recipients
            .get_or_init(|| recipients::recipients(&self.head))
    }

    /// The first Subject, decoded; empty where there is none.
    pub fn subject(&self) -> String {
        self.head
            .first("Subject")
            .map(text::decode)
            .unwrap_or_default()
    }

    /// The first Date that can be read, in seconds since 1970 UTC, plausible or not.
    pub fn date(&self) -> Option<i64> {
        self.head
            .all("Date")
            .find_map(|value| date::parse(&text::guess(value)))
    }

    /// The newest plausible date of the Received fields, in seconds since 1970 UTC.
    pub fn received(&self) -> Option<i64> {
        let stamps = self
            .head
            .all("Received")
            .take(MOST_HOPS)
            .filter_map(|value| {
                let stamp = value.rsplit(|b| *b == b';').next()?;
                date::parse(&text::guess(stamp)).filter(|seconds| PLAUSIBLE.contains(seconds))
            });
        stamps.max()
    }

    /// True where some server has received it: a sent copy has no Received field.
    pub fn has_received(&self) -> bool {
        self.head.first("Received").is_some()
    }

    /// The first Message-ID that is not empty, without its angle brackets and white space.
    pub fn message_id(&self) -> Option<String> {
        self.head
            .all("Message-ID")
            .find_map(|value| ids(value).next().or_else(|| bare_id(value)))
    }

    /// The ids of the messages that it answers, likewise.
    pub fn in_reply_to(&self) -> Vec<String> {
        let ids: Vec<_> = self
            .head
            .all("In-Reply-To")
            .flat_map(ids)
            .take(MOST_IDS)
            .collect();
        if !ids.is_empty() {
            return ids;
        }
        // Without brackets only what looks like an id is one: old mailers wrote prose here.
        let values = self.head.all("In-Reply-To");
        values
            .filter_map(bare_id)
            .filter(|id| id.contains('@'))
            .take(MOST_IDS)
            .collect()
    }

    /// What the mailing list calls itself, decoded: List-Id, else X-Mailing-List, else List-Post.
    pub fn list(&self) -> Option<String> {
        ["List-Id", "X-Mailing-List", "List-Post"]
            .iter()
            .find_map(|name| {
                self.head
                    .first(name)
                    .map(text::decode)
                    .filter(|list| !list.is_empty())
            })
    }

    /// True where a machine answered (RFC 3834 5, and what was used before it).
    pub fn auto_submitted(&self) -> bool {
        let word = |value: &[u8]| {
            let text = text::decode(value).to_lowercase();
            text.split([';', ' ', '('])
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        self.head
            .first("Auto-Submitted")
            .is_some_and(|value| !matches!(word(value).as_str(), "no" | ""))
            || self
                .head
                .first("Precedence")
                .is_some_and(|value| word(value) == "auto_reply")
            || ["X-Autoreply", "X-Autorespond"]
                .iter()
                .any(|name| self.head.first(name).is_some())
    }

    /// True where it was never sent: `X-Unsent: 1` (Outlook), or Gmail's label for drafts in any common language.
    ///
    /// Not `X-Mozilla-Draft-Info`: Thunderbird leaves it in mail that was sent later, and it arrives with it.
    pub fn draft(&self) -> bool {
        let unsent = || {
            self.head
                .first("X-Unsent")
                .is_some_and(|value| value.trim_ascii() == b"1")
        };
        let label = || {
            self.labels()
                .is_some_and(|labels| labels.draft && !labels.sent)
        };
        !self.has_received() && (unsent() || label())
    }

    /// True where Thunderbird has deleted it, but not yet removed it from its file.
    pub fn deleted(&self) -> bool {
        let flags = self.head.first("X-Mozilla-Status").and_then(|value| {
            u32::from_str_radix(std::str::from_utf8(value.trim_ascii()).ok()?, 16).ok()
        });
        flags.is_some_and(|flags| flags & EXPUNGED != 0)
    }

    /// Whether Gmail has it labelled as sent; `None` where it has no labels.
    pub fn gmail_sent(&self) -> Option<bool> {
        self.labels().map(|labels| labels.sent)
    }

    fn labels(&self) -> Option<labels::Labels> {
        self.head.first("X-Gmail-Labels").map(labels::read)
    }

    /// Text and attachment names. At most about `limit` bytes of text are decoded.
    pub fn body_text(&self, limit: usize) -> Body {
        mime::read(&self.head, limit)
    }
}

/// The ids in angle brackets, without white space and control characters.
fn ids(value: &[u8]) -> impl Iterator<Item = String> + '_ {
    let mut rest = value;
    std::iter::from_fn(move || {
        loop {
            let open = memchr::memchr(b'<', rest)?;
            let close = open + memchr::memchr(b'>', &rest[open..])?;
            let id = without_space(&rest[open + 1..close]);
            rest = &rest[close + 1..];
            if !id.is_empty() {
                return Some(id);
            }
        }
    })
}

/// A whole value as an id.
fn bare_id(value: &[u8]) -> Option<String> {
    let value = unfold(value);
    let id = value.strip_prefix(b"<").unwrap_or(&value);
    Some(without_space(id)).filter(|id| !id.is_empty())
}

fn without_space(bytes: &[u8]) -> String {
    text::guess(bytes)
        .chars()
        .filter(|c| !c.is_whitespace() && !text::is_invisible(*c))
        .collect()
}

/// Text with its lines kept, else as [`text::clean`] leaves it; no more than one blank line in a row.
fn clean_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    let lines = text
        .lines()
        .flat_map(|line| line.split(['\r', '\u{85}', '\u{2028}', '\u{2029}']));
    for line in lines {
        let line = text::clean(line);
        if line.is_empty() {
            blank += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        out.push_str(&line);
    }
    out
}
