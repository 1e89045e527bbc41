//! What one mail says: its head, its recipients, its text, its key.
//!
//! A [`Message`] borrows the bytes of one mail as stored and answers questions about them; it never fails on
//! malformed mail, it says less. It knows no file, folder, query or clock.
//! It is not a general MIME library: bodies are read only for the few messages that judgement needs.

pub mod address;
mod comma;
mod content;
mod date;
pub mod header;
mod html;
pub mod inside;
pub mod key;
mod labels;
mod list;
mod mailbox;
pub mod mentions;
pub mod mime;
mod name;
pub mod quoted;
pub mod recipients;
pub mod text;
mod token;
mod words;

use header::{Head, Name};
use std::borrow::Cow;
use std::sync::OnceLock;

pub use address::Address;
pub(crate) use date::days_since_1970;
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
        Self::with_lines(raw, &[])
    }

    /// As [`Message::new`], where a store knows already where the first lines end (see [`Head::with_lines`]).
    ///
    /// # Errors
    /// As [`Message::new`].
    pub fn with_lines(raw: &'a [u8], lines: &[u32]) -> Result<Self, &'static str> {
        let head = Head::with_lines(raw, lines);
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
            .all(Name::From)
            .flat_map(recipients::parse_list)
            .map(|(mailbox, _)| mailbox)
            .collect()
    }

    /// Who sent it for the author (Sender), if that is told.
    pub fn sender(&self) -> Option<Mailbox> {
        self.head
            .all(Name::Sender)
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
    pub fn subject(&self) -> Cow<'a, str> {
        self.head
            .first(Name::Subject)
            .map(text::decoded)
            .unwrap_or_default()
    }

    /// The first Date that can be read, in seconds since 1970 UTC, plausible or not.
    pub fn date(&self) -> Option<i64> {
        self.head
            .all(Name::Date)
            .find_map(|value| date::quick(value).or_else(|| date::parse(&text::guess(value))))
    }

    /// The newest plausible date of the Received fields, in seconds since 1970 UTC.
    pub fn received(&self) -> Option<i64> {
        let stamps = self
            .head
            .all(Name::Received)
            .take(MOST_HOPS)
            .filter_map(|value| {
                let stamp = value.rsplit(|b| *b == b';').next()?;
                date::parse(&text::guess(stamp)).filter(|seconds| PLAUSIBLE.contains(seconds))
            });
        stamps.max()
    }

    /// True where some server has received it: a sent copy has no Received field.
    pub fn has_received(&self) -> bool {
        self.head.first(Name::Received).is_some()
    }

    /// The first Message-ID that is not empty, without its angle brackets and white space.
    pub fn message_id(&self) -> Option<Cow<'a, str>> {
        self.head
            .all(Name::MessageId)
            .find_map(|value| ids(value).next().or_else(|| bare_id(value)))
    }

    /// The ids of the messages that it answers, likewise.
    pub fn in_reply_to(&self) -> Vec<Cow<'a, str>> {
        let ids: Vec<_> = self
            .head
            .all(Name::InReplyTo)
            .flat_map(ids)
            .take(MOST_IDS)
            .collect();
        if !ids.is_empty() {
            return ids;
        }
        // Without brackets only what looks like an id is one: old mailers wrote prose here.
        let values = self.head.all(Name::InReplyTo);
        values
            .filter_map(bare_id)
            .filter(|id| id.contains('@'))
            .take(MOST_IDS)
            .collect()
    }

    /// What the mailing list calls itself, decoded: List-Id, else X-Mailing-List, else List-Post.
    pub fn list(&self) -> Option<String> {
        [Name::ListId, Name::XMailingList, Name::ListPost]
            .iter()
            .find_map(|name| {
                self.head
                    .first(*name)
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
            .first(Name::AutoSubmitted)
            .is_some_and(|value| !matches!(word(value).as_str(), "no" | ""))
            || self
                .head
                .first(Name::Precedence)
                .is_some_and(|value| word(value) == "auto_reply")
            || [Name::XAutoreply, Name::XAutorespond]
                .iter()
                .any(|name| self.head.first(*name).is_some())
    }

    /// True where it was never sent: `X-Unsent: 1` (Outlook), or Gmail's label for drafts in any common language.
    ///
    /// Not `X-Mozilla-Draft-Info`: Thunderbird leaves it in mail that was sent later, and it arrives with it.
    pub fn draft(&self) -> bool {
        let unsent = || {
            self.head
                .first(Name::XUnsent)
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
        let flags = self.head.first(Name::XMozillaStatus).and_then(|value| {
            u32::from_str_radix(std::str::from_utf8(value.trim_ascii()).ok()?, 16).ok()
        });
        flags.is_some_and(|flags| flags & EXPUNGED != 0)
    }

    /// Whether Gmail has it labelled as sent; `None` where it has no labels.
    pub fn gmail_sent(&self) -> Option<bool> {
        self.labels().map(|labels| labels.sent)
    }

    fn labels(&self) -> Option<labels::Labels> {
        self.head.first(Name::XGmailLabels).map(labels::read)
    }

    /// What separates the parts of its body (RFC 2046 5.1.1), if it has parts.
    pub fn boundary(&self) -> Option<Vec<u8>> {
        mime::outer_boundary(&self.head)
    }

    /// Text, attachment names, and what may hold a list of people. At most about `limit` bytes of text are decoded.
    pub fn body_text(&self, limit: usize) -> Body<'a> {
        mime::read(&self.head, limit)
    }
}

/// The ids in angle brackets, without white space and control characters.
fn ids(value: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
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
fn bare_id(value: &[u8]) -> Option<Cow<'_, str>> {
    let value = value.trim_ascii();
    let id = value.strip_prefix(b"<").unwrap_or(value);
    Some(without_space(id)).filter(|id| !id.is_empty())
}

fn without_space(bytes: &[u8]) -> Cow<'_, str> {
    let text = text::guess(bytes);
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return text;
    }
    Cow::Owned(
        text.chars()
            .filter(|c| !c.is_whitespace() && !text::is_invisible(*c))
            .collect(),
    )
}

/// Text with its lines kept, else as [`text::clean`] leaves it; no more than one blank line in a row.
fn clean_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    let mut add = |line: &str| {
        if line.is_empty() {
            blank += 1;
            return;
        }
        if !out.is_empty() {
            out.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        out.push_str(line);
    };
    for line in text.lines() {
        match text::cleaned(line) {
            Cow::Borrowed(plain) => add(plain),
            // It may hold line ends that are none of this system's.
            Cow::Owned(_) => line
                .split(['\r', '\u{85}', '\u{2028}', '\u{2029}'])
                .for_each(|line| add(&text::cleaned(line))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(raw: &str) -> Message<'_> {
        Message::new(raw.as_bytes()).expect("a mail")
    }

    #[test]
    fn what_is_no_mail_says_why() {
        let why = |raw: &[u8]| Message::new(raw).err();
        assert_eq!(why(b""), Some("it is empty"));
        assert_eq!(why(b"\r\n \n"), Some("it is empty"));
        assert_eq!(why(b"\0\0\0"), Some("it holds nothing but zero bytes"));
        assert_eq!(why(b"\x7fELF no mail"), Some("it has no header fields"));
        assert_eq!(
            why(b"From a@x.example Fri Feb 22 17:06:23 2008\n\nbody"),
            Some("it has no header fields")
        );
        assert_eq!(why(b"A: b"), None);
    }

    #[test]
    fn the_head_is_answered_from() {
        let raw = "From: Ann <ann@x.example>\nSender: Desk (for Ann) <desk@x.example>\nDate: nonsense\n\
                   Date: Fri, 22 Feb 2008 17:06:23 +0000\nSubject: =?utf-8?Q?Caf=C3=A9?=\n at one\n\
                   Message-ID:\nMessage-Id: < 1@\n x.example >\nIn-Reply-To: your mail <2@x.example> <3@x.example>\n\
                   List-Id: =?utf-8?Q?Survivors?= <survivors.x.example>\n\nbody";
        let message = message(raw);
        assert_eq!(message.from()[0].address, Address::new("ann@x.example"));
        assert_eq!(
            message.sender().and_then(|s| s.address),
            Address::new("desk@x.example")
        );
        assert_eq!(message.date(), Some(1_203_699_983));
        assert_eq!(message.subject(), "Café at one");
        assert_eq!(message.message_id().as_deref(), Some("1@x.example"));
        assert_eq!(message.in_reply_to(), ["2@x.example", "3@x.example"]);
        assert_eq!(
            message.list().as_deref(),
            Some("Survivors <survivors.x.example>")
        );
        assert_eq!(message.body(), b"body");
        assert!(!message.has_received() && message.received().is_none());
    }

    #[test]
    fn ids_without_brackets_are_read_where_they_look_like_ids() {
        let message = message("Message-ID: 1@x.example\nIn-Reply-To: Your message of Friday\n\n");
        assert_eq!(message.message_id().as_deref(), Some("1@x.example"));
        assert_eq!(message.in_reply_to(), Vec::<String>::new());
        assert_eq!(super::tests::message("A: b\n\n").message_id(), None);
    }

    #[test]
    fn the_newest_plausible_received_date_counts() {
        let raw = "Received: from a by b; Fri, 22 Feb 2008 17:06:23 +0000\nReceived: by c; Fri, 22 Feb 2008 16:00:00 +0000\n\
                   Received: by d; Fri, 1 Jan 2200 00:00:00 +0000\nReceived: by e; Thu, 1 Jan 1970 00:00:00 +0000\nReceived: by f\n\n";
        assert_eq!(message(raw).received(), Some(1_203_699_983));
        assert!(message(raw).has_received());
    }

    #[test]
    fn drafts_and_deleted_mail_are_told() {
        assert!(message("X-Unsent: 1\n\n").draft());
        assert!(message("X-Gmail-Labels: =?UTF-8?Q?Entw=C3=BCrfe?=\n\n").draft());
        assert!(!message("X-Unsent: 1\nReceived: by x\n\n").draft());
        assert!(!message("X-Mozilla-Draft-Info: internal/draft; vcard=0\n\n").draft());
        assert!(message("X-Mozilla-Status: 0009\n\n").deleted());
        assert!(!message("X-Mozilla-Status: 0001\n\n").deleted());
        assert!(!message("X-Mozilla-Status: wrong\n\n").deleted());
    }

    #[test]
    fn gmail_says_what_was_sent() {
        assert_eq!(
            message("X-Gmail-Labels: Sent,Opened\n\n").gmail_sent(),
            Some(true)
        );
        assert_eq!(
            message("X-Gmail-Labels: Inbox\n\n").gmail_sent(),
            Some(false)
        );
        assert_eq!(message("A: b\n\n").gmail_sent(), None);
    }

    #[test]
    fn answers_of_machines_are_told() {
        assert!(message("Auto-Submitted: auto-replied (vacation)\n\n").auto_submitted());
        assert!(message("Precedence: auto_reply\n\n").auto_submitted());
        assert!(!message("Auto-Submitted: no; a=b\n\n").auto_submitted());
        assert!(!message("Precedence: bulk\n\n").auto_submitted());
    }
}
