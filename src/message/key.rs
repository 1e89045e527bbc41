//! What makes two stored copies one message. Nothing that a store adds or drops enters a key.
//!
//! The bytes that are hashed, so that anybody can make them again. An *item* is its length in bytes as a decimal
//! number, a colon, its bytes, and a line feed (`3:abc⏎`). In this order:
//! 1. the item `ccspill-key-1`;
//! 2. the Message-ID: the first such field that is not empty, between `<` and `>`, without white space; empty if none;
//! 3. the Date: the first such field as written, white space collapsed; empty if none;
//! 4. a list for each of From, To and Cc, and for Resent-To and Resent-Cc where they name anybody: the item of the
//!    field's name in lower case, the item of how many entries follow, and an item for each entry. Entries are the
//!    canonical addresses of all fields of that name, or `name:` and the name in lower case where there is no
//!    address; each once, sorted by bytes;
//! 5. the Subject: the first such field, decoded, white space collapsed; empty if none;
//! 6. only where item 2 is empty: the item `body`, then the body as stored, with every CRLF and CR as LF, without the
//!    `>`s before a `From ` at the start of a line, without line feeds at its end, no more than 8 MiB of it.
//!
//! Resent-To and Resent-Cc are in it because a message that was redirected to others keeps its Message-ID, and shows
//! other people.

use super::Message;
use super::header::Name;
use super::mentions::Mentions;
use super::recipients::{Field, Mailbox, fold};
use sha2::{Digest, Sha256};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::borrow::Cow;
use std::hash::Hasher;

/// How much of a normalised body enters. Less than half of what is held of a long message, so that CRLF and LF copies
/// that are both held in part agree.
const LONGEST_BODY: usize = 8 << 20;
/// The recipient fields that enter, and the names they have in a key.
const RECIPIENTS: [(Name, &str); 4] = [
    (Name::To, "to"),
    (Name::Cc, "cc"),
    (Name::ResentTo, "resent-to"),
    (Name::ResentCc, "resent-cc"),
];

/// SHA-256 over Message-ID, Date, From, the sorted canonical To and Cc, and the decoded Subject, each unfolded;
/// without a Message-ID also the body text, line ends and mbox quoting normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// The key of a message.
    pub fn of(message: &Message<'_>) -> Self {
        let mut hash = Sha256::new();
        feed(message, &mut |bytes| hash.update(bytes));
        Self(hash.finalize().into())
    }

    /// The first 16 hexadecimal digits: what a reported message is called.
    pub fn id(&self) -> String {
        hex(&self.0[..8])
    }

    /// All 64 hexadecimal digits, lower-case.
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }
}

/// Makes quick keys: 128-bit hashes of what enters a [`Key`], for messages that are not reported. Equal keys give equal
/// quick keys. A secret keeps others from making messages that collide.
///
/// Of a list not the entries are hashed but their keyed 64-bit digests, sorted: that needs no copy of them.
#[derive(Debug, Default)]
pub struct Quick {
    bytes: Vec<u8>,
    sorted: Vec<u64>,
}

impl Quick {
    /// The quick key of a message that mentions these mailboxes. `digests` are those of the addresses among them, by the
    /// same secret, in the same order; `id` is its Message-ID.
    pub fn key(
        &mut self,
        message: &Message<'_>,
        id: &str,
        mentions: &Mentions,
        digests: impl Iterator<Item = u64> + Clone,
        (k0, k1): (u64, u64),
    ) -> u128 {
        self.bytes.clear();
        self.item(id.as_bytes());
        self.item(&date(message));
        let recipients = RECIPIENTS.iter().map(|(name, _)| *name);
        for name in [Name::From].into_iter().chain(recipients) {
            self.list(name, mentions, digests.clone(), (k0, k1));
        }
        self.item(message.subject().as_bytes());
        let mut hash = SipHasher13::new_with_keys(k0, k1);
        if !id.is_empty() {
            return hash.hash(&self.bytes).as_u128();
        }
        hash.write(&self.bytes);
        normalised(message.body(), LONGEST_BODY, &mut |part| hash.write(part));
        hash.finish128().as_u128()
    }

    /// Bytes behind their number, so that no two rows of items are the same bytes.
    fn item(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    fn length(&mut self, length: usize) {
        self.bytes.extend_from_slice(&(length as u64).to_le_bytes());
    }

    fn list(
        &mut self,
        name: Name,
        mentions: &Mentions,
        digests: impl Iterator<Item = u64>,
        (k0, k1): (u64, u64),
    ) {
        self.sorted.clear();
        for (mention, digest) in mentions.all().iter().zip(digests) {
            if mention.name == name {
                self.sorted.push(if mention.address {
                    digest
                } else {
                    let mut hash = siphasher::sip::SipHasher13::new_with_keys(k0, k1);
                    hash.write(entry_of_name(mentions.text(*mention)).as_bytes());
                    hash.finish()
                });
            }
        }
        if self.sorted.len() > 1 {
            self.sorted.sort_unstable();
            self.sorted.dedup();
        }
        self.length(self.sorted.len());
        for digest in &self.sorted {
            self.bytes.extend_from_slice(&digest.to_le_bytes());
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Gives the bytes described at the top of this file to `out`.
fn feed(message: &Message<'_>, out: &mut dyn FnMut(&[u8])) {
    let mut front = Vec::with_capacity(1024);
    let id = message.message_id().unwrap_or_default();
    item(&mut front, b"ccspill-key-1");
    item(&mut front, id.as_bytes());
    item(&mut front, &date(message));
    list(
        &mut front,
        "from",
        message.from().iter().map(entry).collect(),
    );
    for (field, name) in RECIPIENTS {
        let entries: Vec<_> = message
            .recipients()
            .iter()
            .filter(|r| Field::named(field) == Some(r.field))
            .map(|r| entry(&r.mailbox))
            .collect();
        if !entries.is_empty() || !name.starts_with("resent-") {
            list(&mut front, name, entries);
        }
    }
    item(&mut front, message.subject().as_bytes());
    if id.is_empty() {
        item(&mut front, b"body");
    }
    out(&front);
    if id.is_empty() {
        normalised(message.body(), LONGEST_BODY, out);
    }
}

fn item(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len());
    out.push(b':');
    out.extend_from_slice(bytes);
    out.push(b'\n');
}

/// A number in decimal, without the cost of formatting.
fn number(out: &mut Vec<u8>, mut number: usize) {
    let from = out.len();
    loop {
        out.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out[from..].reverse();
}

fn entry(mailbox: &Mailbox) -> Cow<'_, str> {
    match &mailbox.address {
        Some(address) => Cow::Borrowed(address.as_str()),
        None => Cow::Owned(entry_of_name(&mailbox.name)),
    }
}

fn entry_of_name(name: &str) -> String {
    format!("name:{}", fold(name))
}

/// The first Date as written, white space collapsed.
fn date<'a>(message: &Message<'a>) -> Cow<'a, [u8]> {
    let date = message.head().first(Name::Date);
    date.map(super::header::unfold).unwrap_or_default()
}

fn list(out: &mut Vec<u8>, name: &str, mut entries: Vec<Cow<'_, str>>) {
    entries.sort_unstable();
    entries.dedup();
    item(out, name.as_bytes());
    let mut count = Vec::with_capacity(8);
    number(&mut count, entries.len());
    item(out, &count);
    for entry in entries {
        item(out, entry.as_bytes());
    }
}

/// The body as every store would give it back, in pieces.
fn normalised(body: &[u8], limit: usize, out: &mut dyn FnMut(&[u8])) {
    let mut left = limit;
    // Line feeds that may turn out to be the last; they are given out when something follows.
    let mut ends = 0usize;
    let mut rest = body;
    while !rest.is_empty() && left > 0 {
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        rest = match tail {
            [b'\r', b'\n', more @ ..] | [_, more @ ..] => more,
            [] => tail,
        };
        let line = unquoted(line);
        if !line.is_empty() {
            for _ in 0..ends.min(left) {
                out(b"\n");
            }
            left -= ends.min(left);
            ends = 0;
            let part = &line[..line.len().min(left)];
            out(part);
            left -= part.len();
        }
        ends += 1;
    }
}

/// A line without the `>`s that an mbox puts before `From `.
fn unquoted(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|&&b| b == b'>').count();
    if line[marks..].starts_with(b"From ") {
        &line[marks..]
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(raw: &str) -> Key {
        Key::of(&Message::new(raw.as_bytes()).expect("a mail"))
    }

    const HEAD: &str = "From: Ann <ann@x.example>\nTo: b@x.example,\n c@x.example\nDate: Fri, 22 Feb 2008 17:06:23 +0000\nSubject: One\n";

    #[test]
    fn stores_and_line_ends_make_no_difference() {
        let body = "Dear all,\n\nFrom Russia\n>From here\n\nAnn\n";
        let plain = format!("{HEAD}\n{body}");
        let quoted = format!("{HEAD}\n{}\n", body.replace("From ", ">From "));
        let doubly = format!(
            "From - Fri Feb 22 17:06:23 2008\n{HEAD}\n{}\n\n",
            body.replace("From ", ">>From ")
        );
        let stored = format!(
            "Received: by x\nReturn-Path: <ann@x.example>\n{HEAD}Status: RO\nContent-Length: 99\nX-UID: 7\nBcc: d@x.example\n\n{body}"
        );
        for copy in [&quoted, &doubly, &stored] {
            assert_eq!(key(copy), key(&plain), "{copy}");
            assert_eq!(key(&copy.replace('\n', "\r\n")), key(&plain), "{copy}");
        }
        assert_eq!(key(&plain.replace('\n', "\r")), key(&plain));
        assert_eq!(key(plain.trim_end()), key(&plain));
    }

    #[test]
    fn the_body_enters_only_without_a_message_id() {
        assert_ne!(key(&format!("{HEAD}\none")), key(&format!("{HEAD}\ntwo")));
        let head = format!("Message-ID: <1@x.example>\n{HEAD}");
        assert_eq!(key(&format!("{head}\none")), key(&format!("{head}\ntwo")));
    }

    #[test]
    fn order_names_and_folds_of_recipients_make_no_difference() {
        let other = HEAD.replace(
            "b@x.example,\n c@x.example",
            "\"Cee\" <C@x.example>\nTo: b@x.example, b@x.example",
        );
        assert_eq!(key(&format!("{HEAD}\nx")), key(&format!("{other}\nx")));
    }

    #[test]
    fn fields_cannot_be_shifted_into_one_another() {
        let keys = [
            key("To: a@x.example\nCc: b@x.example\n\n"),
            key("To: a@x.example, b@x.example\n\n"),
            key("To: b@x.example\nCc: a@x.example\n\n"),
            key("From: a@x.example\nCc: b@x.example\n\n"),
            key("To: a@x.example\nResent-To: b@x.example\n\n"),
            key("Subject: a@x.example\nCc: b@x.example\n\n"),
            key("Subject: a@x.example\n\nCc: b@x.example"),
        ];
        for (i, one) in keys.iter().enumerate() {
            assert!(!keys[i + 1..].contains(one), "{i}");
        }
    }

    #[test]
    fn the_recipe_stands_as_documented() {
        let mut bytes = Vec::new();
        let raw = b"Message-ID: <1@x.example>\nTo: b@x.example, Cee\nSubject: One\n\nbody";
        feed(&Message::new(raw).expect("a mail"), &mut |part| {
            bytes.extend_from_slice(part)
        });
        let want = "13:ccspill-key-1\n11:1@x.example\n0:\n4:from\n1:0\n2:to\n1:2\n11:b@x.example\n8:name:cee\n2:cc\n1:0\n3:One\n";
        assert_eq!(String::from_utf8_lossy(&bytes), want);
        assert_eq!(
            key(&String::from_utf8_lossy(raw)).to_hex(),
            hex(&Sha256::digest(want))
        );
        assert_eq!(key("To: a@x.example\n\n").id().len(), 16);
    }

    #[test]
    fn equal_keys_give_equal_quick_hashes() {
        let one = format!("{HEAD}\n>From x\r\n\n");
        let two = format!("Status: R\r\n{}\r\nFrom x", HEAD.replace('\n', "\r\n"));
        let quick = |raw: &str| {
            let message = Message::new(raw.as_bytes()).expect("a mail");
            let mut mentions = Mentions::default();
            mentions.read(message.head());
            let digests: Vec<u64> = mentions
                .all()
                .iter()
                .map(|mention| mentions.text(*mention).bytes().map(u64::from).sum())
                .collect();
            let id = message.message_id().unwrap_or_default();
            Quick::default().key(&message, &id, &mentions, digests.iter().copied(), (1, 2))
        };
        assert_eq!(key(&one), key(&two));
        assert_eq!(quick(&one), quick(&two));
        assert_ne!(quick(&one), quick(&format!("{HEAD}\nother")));
    }

    #[test]
    fn a_long_body_counts_to_its_limit() {
        let mut out = Vec::new();
        normalised(b"ab\r\n\r\ncd\nef\n", 5, &mut |part| {
            out.extend_from_slice(part)
        });
        assert_eq!(out, b"ab\n\nc");
    }
}
