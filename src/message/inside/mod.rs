//! Recipient lists inside a message: heads of quoted messages in its text, lists of attached messages, attendees of an
//! invitation, contacts. Who is exposed by them is no matter here.
//!
//! Bounded in every way: bytes decoded, depth of attached messages, lists, people in each. Parts stand beside or inside
//! one another and never overlap, so that looking into attached messages costs at most their bytes times the depth.

mod calendar;
mod cards;
mod heads;
mod lines;

use super::mime::{Body, Enclosed, What};
use super::recipients::{Field, Mailbox, fold};
use super::{Message, recipients};
use std::collections::HashSet;

/// Deepest nesting of attached messages that is followed.
const DEEPEST: usize = 5;
/// Most lists of one message.
const MOST_LISTS: usize = 64;
/// Most people of one list, and of all.
const MOST_PEOPLE: usize = 10_000;
const MOST_PEOPLE_IN_ALL: usize = 20_000;
/// Most names of groups of one list, and the longest, in characters.
const MOST_GROUPS: usize = 20;
const LONGEST_GROUP: usize = 256;
/// Longest parts of an address that are looked at before anything is decoded, in bytes (RFC 5321 4.5.3.1).
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 255;
/// How much is decoded of one part, and of all, in bytes.
const LONGEST_PART: usize = 1 << 20;
const LONGEST_IN_ALL: usize = 4 << 20;
/// How much text of attached messages is given for phrases to be found in, in bytes.
const LONGEST_TEXT: usize = 64 << 10;

/// A list of people that stands inside a message.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct List {
    /// Where it stands: [`Field::Quoted`], [`Field::Attached`] or [`Field::Calendar`].
    pub field: Field,
    /// Who wrote the quoted or attached message, or invited; `None` where that is not told, as with contacts.
    pub author: Option<Mailbox>,
    /// The others on it, two at least, each once, in order.
    pub recipients: Vec<Mailbox>,
    /// Names of groups that recipients stand in, and of groups of contacts.
    pub groups: Vec<String>,
    /// Message-ID of an attached message. Not kept in a case.
    #[serde(skip)]
    pub message_id: Option<String>,
    /// Subject of the quoted or attached message, or of the invitation; empty where there is none. Not kept in a case.
    #[serde(skip)]
    pub subject: String,
}

impl List {
    /// True where another shows the same people at the same place, as every answer of a thread does.
    fn is_same(&self, other: &List) -> bool {
        let whole = |list: &List| (list.field, list.recipients.len());
        whole(self) == whole(other)
            && self.author == other.author
            && self.recipients == other.recipients
    }
}

/// What stands inside a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Lists of two people or more, in order, each once.
    pub lists: Vec<List>,
    /// The text of attached messages; bounded.
    pub text: String,
}

/// Reads what stands inside a message: in `text`, its own text with lines, and in the parts that `body` tells.
pub fn read(body: &Body<'_>) -> Inside {
    let mut reader = Reader {
        out: Inside::default(),
        people: 0,
        left: LONGEST_IN_ALL,
    };
    reader.body(body, 0);
    reader.out
}

/// How near addresses of one list stand: links and styles may stand between them.
pub const NEAR: usize = 1000;

/// The addresses in the first 64 KiB of a body as it is sent, with their places: a cheap look at whether a list may stand
/// in it. What quoted-printable breaks over lines is told in part, and nothing can be told of base64.
pub fn addresses(raw: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    const LOOKED_AT: usize = 64 << 10;
    let raw = &raw[..raw.len().min(LOOKED_AT)];
    let in_domain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    memchr::memchr_iter(b'@', raw).filter_map(move |at| {
        let (local, domain) = (raw[..at].iter().rev(), raw[at + 1..].iter());
        let local = local
            .take(LONGEST_LOCAL)
            .take_while(|byte| in_domain(byte) || matches!(byte, b'_' | b'+' | b'\''))
            .count();
        let domain = domain
            .take(LONGEST_DOMAIN)
            .take_while(|byte| in_domain(byte));
        let address = &raw[at - local..at + 1 + domain.count()];
        // Names of embedded pictures look like addresses, but end in digits.
        let last = address.rsplit(|byte| *byte == b'.').next()?;
        let letters = last.iter().all(u8::is_ascii_alphabetic) && last.len() >= 2;
        (local > 0 && letters).then_some((at, address))
    })
}

struct Reader {
    out: Inside,
    people: usize,
    /// Bytes that may still be decoded.
    left: usize,
}

impl Reader {
    fn body(&mut self, body: &Body<'_>, depth: usize) {
        for list in heads::read(&body.text) {
            self.add(list, depth);
        }
        let mut cards = cards::Cards::default();
        for part in &body.enclosed {
            let limit = self.left.min(LONGEST_PART);
            if limit == 0 || self.out.lists.len() >= MOST_LISTS {
                break;
            }
            match part.what {
                What::Message => self.message(part, limit, depth),
                What::Calendar => {
                    if let Some(list) = calendar::read(&self.text(part, limit)) {
                        self.add(list, depth);
                    }
                }
                What::Cards => cards.read(&self.text(part, limit)),
            }
        }
        if let Some(list) = cards.list() {
            self.add(list, depth);
        }
    }

    fn text(&mut self, part: &Enclosed<'_>, limit: usize) -> String {
        let text = part.coding.text(part.content, limit);
        self.left = self.left.saturating_sub(text.len());
        text
    }

    /// An attached message: its own list, then what stands inside it.
    fn message(&mut self, part: &Enclosed<'_>, limit: usize, depth: usize) {
        if depth == DEEPEST {
            return;
        }
        let bytes = part.coding.bytes(part.content, limit);
        let Ok(message) = Message::new(&bytes) else {
            return;
        };
        let body = message.body_text(limit);
        self.left = self.left.saturating_sub(body.text.len().max(1));
        let groups = message.recipients().iter();
        let groups = groups.filter_map(|recipient| recipient.group.clone());
        let all = message.recipients();
        let recipients = recipients::visible(all)
            .into_iter()
            .chain(recipients::blind(all))
            .map(|recipient| recipient.mailbox);
        let list = List {
            field: Field::Attached,
            author: message.from().into_iter().next(),
            recipients: recipients.take(MOST_PEOPLE).collect(),
            groups: groups.collect(),
            message_id: message.message_id().map(|id| id.into_owned()),
            subject: message.subject().into_owned(),
        };
        self.add(list, depth);
        let room = LONGEST_TEXT.saturating_sub(self.out.text.len());
        if room > 0 && !body.text.is_empty() {
            let end = body.text.floor_char_boundary(room);
            self.out.text.push_str(&body.text[..end]);
            self.out.text.push('\n');
        }
        self.body(&body, depth + 1);
    }

    /// Keeps a list that shows two people or more beside its author, and is not known yet.
    fn add(&mut self, mut list: List, depth: usize) {
        if depth > 0 {
            // Attendees of an attached invitation were not invited by this message, and a head that an attached message
            // quotes stands in an attachment.
            list.field = Field::Attached;
        }
        let mut seen: HashSet<String> = HashSet::new();
        let author = list.author.as_ref().map(identity);
        list.recipients.retain(|mailbox| {
            let identity = identity(mailbox);
            Some(&identity) != author.as_ref() && seen.insert(identity)
        });
        list.recipients.truncate(MOST_PEOPLE);
        list.groups.sort_unstable();
        list.groups.dedup();
        list.groups.truncate(MOST_GROUPS);
        for group in &mut list.groups {
            if let Some((cut, _)) = group.char_indices().nth(LONGEST_GROUP) {
                group.truncate(cut);
            }
        }
        if list.recipients.len() >= 2
            && self.out.lists.len() < MOST_LISTS
            && self.people + list.recipients.len() <= MOST_PEOPLE_IN_ALL
            && !self.out.lists.iter().any(|known| known.is_same(&list))
        {
            self.people += list.recipients.len();
            self.out.lists.push(list);
        }
    }
}

/// What makes two mailboxes one: the address, or the folded name where there is none.
fn identity(mailbox: &Mailbox) -> String {
    match &mailbox.address {
        Some(address) => address.as_str().to_owned(),
        None => format!("name:{}", fold(&mailbox.name)),
    }
}

#[cfg(test)]
#[path = "inside_tests.rs"]
mod tests;
