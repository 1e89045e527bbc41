//! Incidents that a scan was asked about: by Message-ID, or by a copy of a message as a file. Tells which messages are one of
//! them, or may belong to one; what follows from that is judged in `judgement`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use super::BODY_LOOKED_AT;
use crate::exposure::{self, Candidate};
use crate::message::recipients::{self, Mailbox};
use crate::message::{Message, inside};
use crate::signal::series::series;

/// Incidents that the scan was asked about.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Message-IDs named by a person, without angle brackets.
    pub message_ids: FxHashSet<String>,
    /// Keys of messages given as files, or found in an earlier scan.
    pub keys: FxHashSet<String>,
    /// Identities of the people visible in those.
    pub people: FxHashSet<String>,
    /// By key of a message given as a file: what it is a copy of, by what it shows. A gateway may have changed it on its
    /// way, or somebody has forwarded it.
    pub copies: BTreeMap<String, Vec<Original>>,
}

/// A message of which a copy was given, as the copy shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Original {
    /// Without angle brackets; `None` where a forward does not tell it.
    pub message_id: Option<String>,
    /// The series of its subject.
    pub series: String,
    /// Identities of its recipients.
    pub people: BTreeSet<String>,
}

impl Original {
    /// Whether a message is it: by its Message-ID, or by its series and four fifths of its people.
    pub fn is(&self, candidate: &Candidate) -> bool {
        if let (Some(id), Some(own)) = (&self.message_id, &candidate.message_id) {
            return id == own;
        }
        let visible = recipients::visible(&candidate.recipients);
        let all: BTreeSet<String> = visible
            .iter()
            .map(|recipient| exposure::identity(&recipient.mailbox))
            .collect();
        let both = all.intersection(&self.people).count();
        both >= 2
            && both * 5 >= all.len().max(self.people.len()) * 4
            && !self.series.is_empty()
            && series(&candidate.subject) == self.series
    }
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

    /// Notes what a message given as a file is a copy of: of itself as it was sent, and of what it forwards.
    pub fn add_copy(&mut self, key: &str, message: &Message<'_>) {
        let identities = |all: &[Mailbox]| all.iter().map(exposure::identity).collect();
        let visible = recipients::visible(message.recipients());
        let visible: Vec<Mailbox> = visible.into_iter().map(|one| one.mailbox).collect();
        let mut originals = vec![Original {
            message_id: message.message_id().map(Cow::into_owned),
            series: series(&message.subject()),
            people: identities(&visible),
        }];
        let lists = inside::read(&message.body_text(BODY_LOOKED_AT)).lists;
        for list in lists {
            let original = Original {
                series: series(&list.subject),
                people: identities(&list.recipients),
                message_id: list.message_id,
            };
            self.people.extend(original.people.iter().cloned());
            originals.push(original);
        }
        self.copies.insert(key.to_owned(), originals);
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
            let visible = visible.iter().map(|recipient| &recipient.mailbox);
            let inside = candidate.inside.iter().flat_map(|list| &list.recipients);
            let all: FxHashSet<String> = visible.chain(inside).map(exposure::identity).collect();
            all.iter().filter(|one| self.people.contains(*one)).count()
        };
        !self.message_ids.is_empty()
            || self.holds(candidate)
            || (!self.people.is_empty() && shown() >= 2)
    }
}
