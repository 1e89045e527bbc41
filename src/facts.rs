//! One mail as stored to what is kept of it: a line for history, and a candidate where it may expose. Pure, and the only
//! place where a message meets the rules before judgement. It drops what can never become a finding: history only ever
//! lowers the confidence of a first pass, so a message that falls short without any history falls short for good.

use rustc_hash::FxHashSet;
use sha2::{Digest as _, Sha256};

use crate::exposure::{self, Candidate, Rules};
use crate::history::{Digest, History, Line};
use crate::message::address::Address;
use crate::message::recipients::{self, Mailbox};
use crate::message::{Key, Message, key};
use crate::place::Role;
use crate::query::hex;
use crate::query::pattern::{Shows, fold};
use crate::source::Raw;

/// How much of a body is looked at for phrases, in bytes of text.
const BODY_LOOKED_AT: usize = 256 << 10;
/// 1980-01-01: mail that claims to be older has a broken clock.
const EARLIEST: i64 = 315_532_800;
const DAY: i64 = 86_400;

/// Incidents that the scan was asked about.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Message-IDs named by a person, without angle brackets.
    pub message_ids: FxHashSet<String>,
    /// Keys of messages given as files, or found in an earlier scan.
    pub keys: FxHashSet<String>,
    /// Identities of the people visible in those.
    pub people: FxHashSet<String>,
}

impl Wanted {
    /// True where no incident was asked about.
    pub fn is_empty(&self) -> bool {
        self.message_ids.is_empty() && self.keys.is_empty()
    }

    /// Adds a message that is one of them, and the people it shows.
    pub fn add(&mut self, key: String, from: &[Mailbox], all: &[recipients::Recipient]) {
        let authors: FxHashSet<String> = from.iter().map(exposure::identity).collect();
        let visible = recipients::visible(all);
        let people = visible
            .iter()
            .map(|recipient| exposure::identity(&recipient.mailbox));
        self.people
            .extend(people.filter(|identity| !authors.contains(identity)));
        self.keys.insert(key);
    }

    /// Whether this is one of them.
    pub fn holds(&self, candidate: &Candidate) -> bool {
        candidate
            .message_id
            .as_ref()
            .is_some_and(|id| self.message_ids.contains(id))
            || self.keys.contains(&candidate.key)
    }

    /// Whether a message may belong to one of them: it shows two or more of their people, or these are not known yet.
    pub fn may_hold(&self, candidate: &Candidate) -> bool {
        let shown = || {
            let visible = recipients::visible(&candidate.recipients);
            visible
                .iter()
                .filter(|recipient| {
                    self.people
                        .contains(&exposure::identity(&recipient.mailbox))
                })
                .count()
        };
        !self.message_ids.is_empty()
            || self.holds(candidate)
            || (!self.people.is_empty() && shown() >= 2)
    }
}

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

/// What is kept of one message.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// For history.
    pub line: Line,
    /// Author's address, to find out who the organisation is.
    pub author: Option<Address>,
    /// Sender header, where it names somebody else.
    pub sender: Option<Address>,
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
}

/// Reads one mail.
///
/// # Errors
/// A plain reason why it is no mail at all.
pub fn facts(raw: &Raw<'_>, role: Role, task: Task<'_>) -> Result<Facts, &'static str> {
    let message = Message::new(raw.bytes)?;
    let digester = &task.rules.digester;
    let from = message.from();
    let author = from.iter().find_map(|mailbox| mailbox.address.clone());
    let sender = message
        .sender()
        .and_then(|mailbox| mailbox.address)
        .filter(|sender| Some(sender) != author.as_ref());
    let recipients = message.recipients().to_vec();
    let (visible, blind) = (
        recipients::visible(&recipients),
        recipients::blind(&recipients),
    );
    let sent = sent(&message, raw, task.now);
    let message_id = message.message_id();
    let answers: Vec<Digest> = message
        .in_reply_to()
        .iter()
        .take(8)
        .map(|id| digester.message_id(id))
        .collect();
    let digest = |mailbox: &Mailbox| match &mailbox.address {
        Some(address) => digester.address(address),
        None => digester.name(fold(&mailbox.name).trim()),
    };
    let line = Line {
        key: key::quick(&message, digester.k0, digester.k1),
        sent,
        author: author.as_ref().map(|address| digester.address(address)),
        sender: sender.as_ref().map(|address| digester.address(address)),
        visible: visible
            .iter()
            .map(|recipient| digest(&recipient.mailbox))
            .collect(),
        blind: blind
            .iter()
            .map(|recipient| digest(&recipient.mailbox))
            .collect(),
        id: message_id.as_deref().map(|id| digester.message_id(id)),
        answers,
    };
    let authors: FxHashSet<String> = from.iter().map(exposure::identity).collect();
    let others = visible
        .iter()
        .filter(|recipient| !authors.contains(&exposure::identity(&recipient.mailbox)))
        .count();
    let named = message_id
        .as_ref()
        .is_some_and(|id| task.wanted.message_ids.contains(id));
    let known =
        || !task.wanted.keys.is_empty() && task.wanted.keys.contains(&Key::of(&message).to_hex());
    let candidate = (others >= 2 || named || known())
        .then(|| {
            candidate(
                &message,
                raw,
                Head {
                    quick: line.key,
                    from,
                    sender: sender.clone(),
                    recipients,
                    sent,
                    message_id,
                    answers: &line.answers,
                },
                task,
            )
        })
        .flatten();
    let label = message.gmail_sent();
    Ok(Facts {
        draft: raw.marks.draft || role == Role::Drafts || message.draft(),
        deleted: raw.marks.deleted || message.deleted(),
        sent_here: label.unwrap_or(role == Role::Sent),
        received: message.has_received(),
        cut: message.head().cut(),
        line,
        author,
        sender,
        candidate,
    })
}

/// What of the head a candidate needs, read already.
struct Head<'a> {
    quick: u128,
    from: Vec<Mailbox>,
    sender: Option<Address>,
    recipients: Vec<recipients::Recipient>,
    sent: Option<i64>,
    message_id: Option<String>,
    answers: &'a [Digest],
}

fn candidate(
    message: &Message<'_>,
    raw: &Raw<'_>,
    head: Head<'_>,
    task: Task<'_>,
) -> Option<Box<Candidate>> {
    let body = message.body_text(BODY_LOOKED_AT);
    let subject = message.subject();
    let lists: Vec<String> = message.list().into_iter().collect();
    let mut names = lists.clone();
    names.extend(
        head.recipients
            .iter()
            .filter_map(|recipient| recipient.group.clone()),
    );
    names.dedup();
    let author = head
        .from
        .iter()
        .find_map(|mailbox| mailbox.address.as_ref());
    let shows = Shows {
        from: author.map_or("", Address::as_str),
        from_name: head.from.first().map_or("", |mailbox| &mailbox.name),
        subject: &subject,
        body: &body.text,
        attachments: &body.attachments,
        lists: &names,
    };
    let mut candidate = Candidate {
        key: Key::of(message).to_hex(),
        quick: format!("{:032x}", head.quick),
        message_id: head.message_id,
        sent: head.sent,
        found: task.rules.patterns.find(shows),
        greeting: greeting(&body.text),
        answers: head.answers.iter().map(|digest| digest.0).collect(),
        quoted_author: crate::message::quoted::quoted_author(&body.text),
        from: head.from,
        sender: head.sender,
        recipients: head.recipients,
        subject,
        lists,
        sha256: String::new(),
        cut: !raw.whole,
    };
    let undecided = task.rules.organisation.is_unknown() || task.wanted.may_hold(&candidate);
    let keep = undecided
        || exposure::judge(&candidate, &History::default(), task.rules)
            .is_some_and(|verdict| verdict.confidence >= task.rules.kept_from());
    keep.then(|| {
        candidate.sha256 = raw
            .sha256
            .map_or_else(|| hex(&Sha256::digest(raw.bytes)), |digest| hex(&digest));
        Box::new(candidate)
    })
}

/// When a message was sent: its Date if plausible, else the newest Received, else what the store says, else nothing.
fn sent(message: &Message<'_>, raw: &Raw<'_>, now: i64) -> Option<i64> {
    let plausible = |time: &i64| (EARLIEST..=now + DAY).contains(time);
    message
        .date()
        .filter(plausible)
        .or_else(|| message.received().filter(plausible))
        .or_else(|| raw.marks.stored.filter(plausible))
}

const HAILS: [&str; 16] = [
    "dear",
    "hi",
    "hello",
    "hey",
    "greetings",
    "morning",
    "afternoon",
    "evening",
    "good",
    "annwyl",
    "helo",
    "liebe",
    "guten",
    "bonjour",
    "chers",
    "hola",
];
const CROWDS: [&str; 44] = [
    "all",
    "everyone",
    "everybody",
    "folks",
    "colleagues",
    "members",
    "friends",
    "team",
    "applicant",
    "applicants",
    "patients",
    "patient",
    "complainants",
    "complainant",
    "survivors",
    "survivor",
    "victims",
    "witnesses",
    "students",
    "student",
    "parents",
    "carers",
    "clients",
    "client",
    "tenants",
    "resident",
    "residents",
    "volunteers",
    "customer",
    "customers",
    "claimants",
    "claimant",
    "sir",
    "madam",
    "sirs",
    "participant",
    "participants",
    "service",
    "bawb",
    "alle",
    "zusammen",
    "tous",
    "todos",
    "supporters",
];

/// A greeting to nobody in particular (`Dear all`, `Dear complainants`), from the first lines of a text.
fn greeting(text: &str) -> Option<String> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(2);
    // Only the greeting itself: what follows it on its line is the body's, and stays out of the case.
    let mut heads = lines.map(|line| {
        line.split([',', '.', ':', ';', '!', '?', '–', '—'])
            .next()
            .unwrap_or_default()
            .trim()
    });
    let head = heads.find(|head| {
        let folded = fold(head);
        let mut words = folded.split_whitespace();
        let hail = words.next().unwrap_or_default();
        let crowd = words.take(4).any(|word| CROWDS.contains(&word));
        head.len() <= 48
            && (HAILS.contains(&hail) && crowd
                || matches!(folded.trim(), "all" | "everyone" | "helo bawb"))
    })?;
    Some(head.to_owned())
}

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn a_greeting_to_a_crowd_is_told_from_one_to_a_person() {
        assert_eq!(greeting("Dear all,\nplease").as_deref(), Some("Dear all"));
        assert_eq!(
            greeting("\nDear complainants\n").as_deref(),
            Some("Dear complainants")
        );
        assert_eq!(greeting("Dear Nia,\nall is well"), None);
        assert_eq!(greeting("Hi Nia, all your injuries are logged"), None);
        assert_eq!(
            greeting("Dear all, she was hurt.").as_deref(),
            Some("Dear all")
        );
    }
}
