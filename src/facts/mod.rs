//! One mail as stored to what is kept of it: a line for history, and a candidate where it may expose. Pure, and the only
//! place where a message meets the rules before judgement. It drops what can never become a finding: history only ever
//! lowers the confidence of a first pass, so a message that falls short without any history falls short for good.

mod domains;
mod greeting;
mod inside;
pub mod notice;
mod want;
mod wanted;

use std::borrow::Cow;

use rustc_hash::FxHashSet;
use sha2::{Digest as _, Sha256};

use crate::exposure::{self, Candidate, Rules};
use crate::history::{Digest, Digester, Line};
use crate::message::address::Address;
use crate::message::header::Name;
use crate::message::key::Quick;
use crate::message::mentions::{Mention, Mentions};
use crate::message::recipients;
use crate::message::{Body, Key, Message};
use crate::place::Role;
use crate::query::hex;
use crate::query::pattern::{Shows, fold};
use crate::signal::aftermath::Says;
use crate::signal::series::{Sketch, Subject};
use crate::source::{Extent, Raw};
use domains::Domains;
use greeting::Greeting;
use inside::searched;
use notice::Notice;
pub use wanted::{Original, Wanted};

/// How much of a body is looked at for phrases, in bytes of text.
const BODY_LOOKED_AT: usize = 256 << 10;
/// 1980-01-01: mail that claims to be older has a broken clock.
const EARLIEST: i64 = 315_532_800;
const DAY: i64 = 86_400;
/// How many mailboxes are compared with one another rather than looked up in a set.
const FEW: usize = 8;
/// From so many people in Bcc on, a mail hides a list.
const HIDDEN: usize = 2;
/// How many Message-IDs of an In-Reply-To history notes.
const MOST_ANSWERS: usize = 8;

/// What reading is told from outside.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// Queries, rosters, organisation.
    pub rules: &'a Rules,
    /// Incidents asked about: then nothing with two visible people may be dropped before they are found.
    pub wanted: &'a Wanted,
    /// When reading began, seconds since 1970 UTC: mail from later has a broken clock.
    pub now: i64,
}

/// What is kept of one message. It stands in the reader's own memory until the next is read.
#[derive(Debug)]
pub struct Facts<'r> {
    /// For history.
    pub line: &'r Line,
    /// Author, where their address belongs to the organisation or nobody knows yet who does.
    pub author: Option<(&'r str, Digest)>,
    /// Sender header, where it names somebody else; likewise.
    pub sender: Option<(&'r str, Digest)>,
    /// True where its store marks it as a draft.
    pub draft: bool,
    /// True where its store marks it as deleted, and still holds it.
    pub deleted: bool,
    /// True where its folder or label says that it was sent from here.
    pub sent_here: bool,
    /// True where it has a Received field: it came through a server.
    pub received: bool,
    /// True where its head was too long for all of it to be read: it may name people who are not seen.
    pub cut: bool,
    /// Present where it may expose.
    pub candidate: Option<Box<Candidate>>,
    /// Present where it says something of an earlier mail, or hides its list.
    pub notice: Option<Box<Notice>>,
}

/// The text of a mail that is looked at.
#[derive(Debug)]
struct Text<'m> {
    /// Two or more others are in view, or somebody asked about it.
    shown: bool,
    /// A person named it as an incident.
    asked: bool,
    /// Lists may stand inside it.
    lists: bool,
    body: Body<'m>,
    says: Says,
}

/// Reads one mail after another to facts. What one message needs of memory serves for the next, so that an ordinary
/// message is read without asking for any.
#[derive(Debug)]
pub struct Reader<'t> {
    task: Task<'t>,
    mentions: Mentions,
    /// Of each mention, in order.
    digests: Vec<Digest>,
    quick: Quick,
    domains: Domains,
    /// Recipients that are in the line already.
    placed: FxHashSet<Digest>,
    /// Authors, sorted.
    authors: Vec<Digest>,
    line: Line,
}

impl<'t> Reader<'t> {
    /// For one task: what it learns of domains holds for no other.
    pub fn new(task: Task<'t>) -> Self {
        Reader {
            task,
            mentions: Mentions::default(),
            digests: Vec::new(),
            quick: Quick::default(),
            domains: Domains::default(),
            placed: FxHashSet::default(),
            authors: Vec::new(),
            line: Line::default(),
        }
    }

    /// Reads one mail.
    ///
    /// # Errors
    /// A plain reason why it is no mail at all.
    pub fn read(&mut self, raw: &Raw<'_>, role: Role) -> Result<Facts<'_>, &'static str> {
        let message = Message::with_lines(raw.bytes, raw.head_lines)?;
        let task = self.task;
        let digester = &task.rules.digester;
        self.domains.next();
        self.mentions.read(message.head());
        self.digests.clear();
        for mention in self.mentions.all() {
            self.digests.push(if mention.address {
                digester.canonical(self.mentions.bytes(*mention))
            } else {
                digester.name(fold(self.mentions.text(*mention)).trim())
            });
        }
        let first = |name: Name| {
            let mentions = self.mentions.all().iter().zip(&self.digests);
            mentions
                .filter(move |(mention, _)| mention.name == name)
                .map(|(mention, digest)| (*mention, *digest))
        };
        let author = first(Name::From).find(|(mention, _)| mention.address);
        let sender = first(Name::Sender).next().filter(|(mention, digest)| {
            mention.address && author.is_none_or(|(_, author)| author != *digest)
        });
        let message_id = message.message_id();
        self.line.key = self.quick.key(
            &message,
            message_id.as_deref().unwrap_or_default(),
            &self.mentions,
            self.digests.iter().map(|digest| digest.0),
            (digester.k0, digester.k1),
        );
        self.line.sent = sent(&message, raw, task.now);
        self.line.author = author.map(|(_, digest)| digest);
        self.line.sender = sender.map(|(_, digest)| digest);
        self.line.id = message_id.as_deref().map(|id| digester.message_id(id));
        self.line.answers.clear();
        let answers = message.in_reply_to();
        let answers = answers.iter().take(MOST_ANSWERS);
        self.line
            .answers
            .extend(answers.map(|id| digester.message_id(id)));
        self.place();
        let subject = message.subject();
        let title = Subject::of(&subject);
        self.line.series = (!title.series().is_empty()).then(|| digester.series(title.series()));
        let text = self.text(&message, &title, message_id.as_deref());
        let notice = self.notice(&message, text.as_ref());
        let candidate = text
            .filter(|text| text.shown || text.lists)
            .and_then(|text| self.candidate(&message, raw, message_id, subject, &text));
        let organisation = &task.rules.organisation;
        let mut of_interest = |(mention, digest): (Mention, Digest)| {
            (organisation.is_unknown()
                || self
                    .domains
                    .inside(self.mentions.bytes(mention), organisation))
            .then(|| (self.mentions.text(mention), digest))
        };
        let (author, sender) = (
            author.and_then(&mut of_interest),
            sender.and_then(&mut of_interest),
        );
        let label = message.gmail_sent();
        Ok(Facts {
            draft: raw.marks.draft || role == Role::Drafts || message.draft(),
            deleted: raw.marks.deleted || message.deleted(),
            sent_here: label.unwrap_or(role == Role::Sent),
            received: message.has_received(),
            cut: message.head().cut(),
            line: &self.line,
            author,
            sender,
            candidate,
            notice,
        })
    }

    /// Reads the text of a mail where it can matter: where others are in view, or its list was hidden, or its subject may
    /// be sorry for something. Nearly all mail stops here.
    fn text<'m>(
        &mut self,
        message: &Message<'m>,
        title: &Subject,
        id: Option<&str>,
    ) -> Option<Text<'m>> {
        let wanted = self.task.wanted;
        let named = || id.is_some_and(|id| wanted.message_ids.contains(id));
        let known = || !wanted.keys.is_empty() && wanted.keys.contains(&Key::of(message).to_hex());
        let asked = named() || known();
        let shown = self.others() >= 2 || asked;
        let hidden = self.line.blind.len() >= HIDDEN;
        let lists = !shown && self.may_show_a_list(message, title);
        (shown || lists || hidden || notice::may_say(title)).then(|| {
            let body = message.body_text(BODY_LOOKED_AT);
            Text {
                shown,
                asked,
                lists,
                says: notice::says(title, &body.text),
                body,
            }
        })
    }

    /// What a mail says of an earlier one, and what is kept of a hidden list.
    fn notice(&self, message: &Message<'_>, text: Option<&Text<'_>>) -> Option<Box<Notice>> {
        let digester = &self.task.rules.digester;
        if let Some(bounce) = notice::bounce(message, digester) {
            return Some(Box::new(bounce));
        }
        let text = text?;
        let hidden = self.line.blind.len() >= HIDDEN;
        (hidden || !text.says.is_nothing()).then(|| {
            Box::new(Notice {
                says: text.says,
                sketch: Sketch::of(&text.body.text, digester.k0),
                ..Notice::default()
            })
        })
    }

    /// Writes the recipients into the line: the visible, each once, and the blind that are not visible too.
    fn place(&mut self) {
        self.line.visible.clear();
        self.line.blind.clear();
        let recipients = || {
            let all = self.mentions.all().iter().zip(&self.digests);
            all.filter_map(|(mention, digest)| Some((mention.field()?, *digest)))
        };
        // Most messages have one or two recipients: those need no set, which a long list may have left large.
        let few = self.digests.len() <= FEW;
        if !few {
            self.placed.clear();
        }
        for (_, digest) in recipients().filter(|(field, _)| field.is_visible()) {
            let visible = &mut self.line.visible;
            let new = match few {
                true => !visible.contains(&digest),
                false => self.placed.insert(digest),
            };
            if new {
                visible.push(digest);
            }
        }
        for (_, digest) in recipients().filter(|(field, _)| !field.is_visible()) {
            let Line { visible, blind, .. } = &mut self.line;
            let new = match few {
                true => !visible.contains(&digest) && !blind.contains(&digest),
                false => self.placed.insert(digest),
            };
            if new {
                blind.push(digest);
            }
        }
    }

    /// Visible recipients who are no authors.
    fn others(&mut self) -> usize {
        self.authors.clear();
        let all = self.mentions.all().iter().zip(&self.digests);
        let authors = all.filter(|(mention, _)| mention.name == Name::From);
        self.authors.extend(authors.map(|(_, digest)| *digest));
        self.authors.sort_unstable();
        let visible = self.line.visible.iter();
        visible
            .filter(|digest| self.authors.binary_search(digest).is_err())
            .count()
    }

    /// What judgement needs of the message, where it may expose or belongs to an incident that was asked about.
    fn candidate(
        &mut self,
        message: &Message<'_>,
        raw: &Raw<'_>,
        message_id: Option<Cow<'_, str>>,
        subject: Cow<'_, str>,
        text: &Text<'_>,
    ) -> Option<Box<Candidate>> {
        let Task { rules, wanted, .. } = self.task;
        let (body, says, asked) = (&text.body, text.says, text.asked);
        let from = message.from();
        let inside = self.inside(message, body, &from, asked);
        if !text.shown && inside.lists.is_empty() {
            return None;
        }
        let lists: Vec<String> = message.list().into_iter().collect();
        let author = from.iter().find_map(|mailbox| mailbox.address.as_ref());
        // A plain list has no groups, and a mail-out of hundreds need not be read with all its names to see that.
        let mut names = lists.clone();
        if !self.mentions.plain() {
            let recipients = message.recipients().iter();
            names.extend(recipients.filter_map(|recipient| recipient.group.clone()));
            names.dedup();
        }
        names.extend(self.names_of_lists(message));
        names.extend(
            inside
                .lists
                .iter()
                .flat_map(|list| list.groups.iter().cloned()),
        );
        let (text, attachments) = searched(body, &inside);
        let found = rules.patterns.find(Shows {
            from: author.map_or("", Address::as_str),
            from_name: from.first().map_or("", |mailbox| &mailbox.name),
            subject: &subject,
            body: &text,
            attachments: &attachments,
            lists: &names,
        });
        let decided = !rules.organisation.is_unknown() && wanted.is_empty();
        // Whatever shows a list again in a recall or an apology may belong to an exposure, though it says nothing else.
        let bland = found.is_empty() && says.is_nothing();
        if decided && bland && rules.by_words_alone() && !self.can_be_mass(&inside.lists) {
            return None;
        }
        let greeting = Greeting::of(&body.text);
        let greets = greeted(&greeting, message.recipients(), &rules.digester);
        let mut candidate = Candidate {
            key: Key::of(message).to_hex(),
            quick: format!("{:032x}", self.line.key),
            message_id: message_id.map(Cow::into_owned),
            sent: self.line.sent,
            found,
            greets,
            greeting: greeting.crowd,
            several: greeting::to_several(&subject, &body.text),
            answers: self.line.answers.iter().map(|digest| digest.0).collect(),
            quoted_author: crate::message::quoted::quoted_author(&body.text),
            from,
            sender: message.sender().and_then(|mailbox| mailbox.address),
            recipients: message.recipients().to_vec(),
            subject: subject.into_owned(),
            inside: inside.lists,
            lists,
            says,
            sketch: Sketch::default(),
            sha256: String::new(),
            named: asked,
            cut: raw.extent == Extent::Start,
        };
        let author = candidate.author().cloned();
        candidate.sender = candidate
            .sender
            .filter(|sender| Some(sender) != author.as_ref());
        let keep = rules.organisation.is_unknown()
            || !says.is_nothing()
            || wanted.may_hold(&candidate)
            || exposure::may_be_kept(&candidate, rules);
        keep.then(|| {
            candidate.sketch = Sketch::of(&body.text, rules.digester.k0);
            candidate.sha256 = match (raw.sha256, raw.extent) {
                (Some(digest), _) => hex(&digest),
                (None, Extent::Whole) => hex(&Sha256::digest(raw.bytes)),
                // Of part of a message there is none; findings are asked for later.
                (None, _) => String::new(),
            };
            Box::new(candidate)
        })
    }
}

/// Digests of the recipients who are greeted by name, in order.
fn greeted(
    greeting: &Greeting,
    recipients: &[recipients::Recipient],
    digester: &Digester,
) -> Vec<u64> {
    let mut out: Vec<u64> = recipients
        .iter()
        .filter(|recipient| greeting.names(recipient))
        .map(|recipient| match &recipient.mailbox.address {
            Some(address) => digester.address(address).0,
            None => digester.name(fold(&recipient.mailbox.name).trim()).0,
        })
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// When a message was sent: its Date if plausible, else the newest Received, else what the store says, else nothing.
fn sent(message: &Message<'_>, raw: &Raw<'_>, now: i64) -> Option<i64> {
    let plausible = |time: &i64| plausible(*time, now);
    message
        .date()
        .filter(plausible)
        .or_else(|| message.received().filter(plausible))
        .or_else(|| raw.marks.stored.filter(plausible))
}

/// Whether a clock that was right can have said so.
fn plausible(time: i64, now: i64) -> bool {
    (EARLIEST..=now + DAY).contains(&time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::Organisation;
    use crate::place::Position;
    use crate::query::{Patterns, builtin};
    use crate::source::Marks;
    use std::collections::BTreeSet;

    fn rules() -> Rules {
        let queries = builtin::all().expect("the built-in queries");
        Rules {
            patterns: Patterns::new(&queries).expect("their phrases"),
            queries,
            rosters: Vec::new(),
            organisation: Organisation {
                domains: BTreeSet::from(["force.example".to_owned()]),
                addresses: BTreeSet::new(),
            },
            min_confidence: 50,
            digester: Digester { k0: 1, k1: 2 },
        }
    }

    fn kept(reader: &mut Reader<'_>, mail: &str) -> bool {
        let raw = Raw {
            position: Position::Path(String::new()),
            bytes: mail.as_bytes(),
            extent: Extent::Whole,
            sha256: None,
            marks: Marks::default(),
            head_lines: &[],
        };
        let facts = reader.read(&raw, Role::Sent).expect("a mail");
        facts.candidate.is_some()
    }

    /// A list that is dropped before its names are read would be dropped after it too: a scan that asks about an incident
    /// reads every list in full.
    #[test]
    fn what_is_dropped_early_would_be_dropped_late() {
        let rules = rules();
        let nothing = Wanted::default();
        let asked = Wanted {
            keys: FxHashSet::from_iter(["of no message here".to_owned()]),
            ..Wanted::default()
        };
        let [mut early_reader, mut late_reader] = [&nothing, &asked].map(|wanted| {
            Reader::new(Task {
                rules: &rules,
                wanted,
                now: 4_102_444_800,
            })
        });
        let hosts = [
            "force.example",
            "webmail.example",
            "council.example",
            "gmail.com",
            "a.example",
            "b.example",
            "c.example",
        ];
        let subjects = ["Rota", "Update on bail date", "HIV clinic"];
        let (mut kept_some, mut dropped) = (0, 0);
        for count in [2, 3, 5, 6, 7, 11, 12, 13, 30] {
            for spread in 1..=hosts.len() {
                for first in 0..hosts.len() {
                    for subject in subjects {
                        let list: Vec<String> = (0..count)
                            .map(|n| format!("p{n}@{}", hosts[(first + n % spread) % hosts.len()]))
                            .collect();
                        let list = list.join(", ");
                        let rest = format!(
                            "From: Pat <pat@force.example>\nTo: {list}\nSubject: {subject}\n\nDear all,\nsee you.\n"
                        );
                        let inside = format!(
                            "From: Pat <pat@force.example>\nTo: sol@firm.example\nSubject: Fwd: {subject}\n\nDear all,\n\n\
                             From: Pat <pat@force.example>\nSent: Monday\nTo: {list}\nSubject: {subject}\n\nsee you.\n"
                        );
                        for mail in [rest.clone(), format!("Bcc: (nobody)\n{rest}"), inside] {
                            let early = kept(&mut early_reader, &mail);
                            assert_eq!(early, kept(&mut late_reader, &mail), "{mail}");
                            *(if early { &mut kept_some } else { &mut dropped }) += 1;
                        }
                    }
                }
            }
        }
        assert!(kept_some > 100 && dropped > 100, "{kept_some} {dropped}");
    }
}
