//! Which messages are looked into for a list inside, and what else there says whom it concerns. Text costs ten times what a
//! head costs: of mail that shows two people in its head it is read anyhow, of the rest only where a list may be shown to
//! somebody new.

use std::borrow::Cow;

use memchr::memmem;

use super::Reader;
use super::domains::Noted;
use crate::exposure;
use crate::message::header::Name;
use crate::message::inside::{self, Inside, List, NEAR};
use crate::message::recipients::{Field, Mailbox};
use crate::message::{Body, Message};
use crate::person;
use crate::signal::series::Subject;
use crate::signal::shape;

/// How far into a body an invitation begins, behind its text and HTML.
const INVITATION_WITHIN: usize = 64 << 10;

/// What a message is by its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    /// Neither of the others.
    Plain,
    /// It answers something.
    Answer,
    /// It forwards something, or is itself an invitation or another message.
    Forward,
}

impl Sort {
    /// As the subject, In-Reply-To and Content-Type say.
    pub(super) fn of(message: &Message<'_>, title: &Subject) -> Self {
        let head = message.head();
        let content_type = head.first(Name::ContentType).unwrap_or_default();
        let is = |kind: &[u8]| {
            let front = content_type.trim_ascii_start().get(..kind.len());
            front.is_some_and(|front| front.eq_ignore_ascii_case(kind))
        };
        if is(b"message/") || is(b"text/calendar") || is(b"multipart/digest") {
            return Sort::Forward;
        }
        if title.forward {
            Sort::Forward
        } else if title.answer || title.recall || head.first(Name::InReplyTo).is_some() {
            Sort::Answer
        } else {
            Sort::Plain
        }
    }
}

impl Reader<'_> {
    /// Whether a list may stand inside a message that shows fewer than two people in its head, and be news to a recipient
    /// from outside. Only then is its text worth its cost.
    pub(super) fn may_show_a_list(&mut self, message: &Message<'_>, title: &Subject) -> bool {
        let parts = message.boundary().is_some();
        let sort = Sort::of(message, title);
        if parts && self.invites(message) {
            return true;
        }
        if (sort == Sort::Plain && !parts) || !self.leaves_the_organisation() {
            return false;
        }
        match sort {
            Sort::Forward => true,
            Sort::Answer if encoded(message) || self.may_quote(message.body()) => true,
            // Heads of parts are read without their contents.
            Sort::Plain | Sort::Answer => parts && !message.body_text(0).enclosed.is_empty(),
        }
    }

    /// Whether it holds an invitation, whoever gets it: its attendees see one another.
    fn invites(&self, message: &Message<'_>) -> bool {
        let body = message.body();
        let near = &body[..body.len().min(INVITATION_WITHIN)];
        memmem::find(near, b"text/calendar").is_some()
    }

    /// Whether an answer may quote a list, as its bytes look: the addresses of two people outside, who do not get it, stand
    /// near one another. Where others count too, three addresses of anybody.
    fn may_quote(&mut self, raw: &[u8]) -> bool {
        let rules = self.task.rules;
        if rules.organisation.is_unknown() || !rules.by_words_alone() {
            let all: Vec<usize> = inside::addresses(raw).map(|(at, _)| at).collect();
            return all.windows(3).any(|three| three[2] - three[0] <= NEAR);
        }
        let mut last: Option<(usize, Vec<u8>)> = None;
        for (at, address) in inside::addresses(raw) {
            let address = address.to_ascii_lowercase();
            let gets_it = |address: &[u8]| {
                let mut all = self.mentions.all().iter();
                all.any(|mention| self.mentions.bytes(*mention) == address)
            };
            if self.domains.inside(&address, &rules.organisation) || gets_it(&address) {
                continue;
            }
            let near =
                |(before, other): &(usize, Vec<u8>)| at - before <= NEAR && *other != address;
            if last.as_ref().is_some_and(near) {
                return true;
            }
            last = Some((at, address));
        }
        false
    }

    /// The lists inside that may show somebody something new. Most answers quote heads that whoever is answered stands in.
    pub(super) fn inside(
        &mut self,
        message: &Message<'_>,
        body: &Body<'_>,
        from: &[Mailbox],
        asked: bool,
    ) -> Inside {
        if asked {
            // A person named this message: whatever it shows belongs to the incident.
            return inside::read(body);
        }
        if !self.reaches_outside() && !self.invites(message) {
            return Inside::default();
        }
        let rules = self.task.rules;
        let mut inside = inside::read(body);
        if !inside.lists.is_empty() && !rules.organisation.is_unknown() {
            let to = message.recipients();
            inside
                .lists
                .retain(|list| exposure::may_show(list, from, to, rules));
        }
        if !inside
            .lists
            .iter()
            .any(|list| list.field == Field::Attached)
        {
            // What is attached speaks for its own list only.
            inside.text.clear();
        }
        inside
    }

    /// Whether somebody of the organisation sends it to somebody outside, or nobody knows yet who is of it.
    pub(super) fn leaves_the_organisation(&mut self) -> bool {
        let organisation = &self.task.rules.organisation;
        let mut authors = self
            .mentions
            .all()
            .iter()
            .filter(|mention| mention.field().is_none());
        let sent_here = organisation.is_unknown()
            || authors.any(|mention| {
                let text = self.mentions.bytes(*mention);
                mention.address && self.domains.inside(text, organisation)
            });
        sent_here && self.reaches_outside()
    }

    /// Whether somebody outside gets it.
    pub(super) fn reaches_outside(&mut self) -> bool {
        let organisation = &self.task.rules.organisation;
        let mut recipients = self
            .mentions
            .all()
            .iter()
            .filter(|mention| mention.field().is_some());
        recipients.any(|mention| {
            let text = self.mentions.bytes(*mention);
            !mention.address || !self.domains.inside(text, organisation)
        })
    }

    /// Whether the visible recipients and those of lists inside can be a mass list of strangers: an upper bound, by their
    /// domains alone.
    pub(super) fn can_be_mass(&mut self, inside: &[List]) -> bool {
        let organisation = &self.task.rules.organisation;
        let (mut personal, mut domains) = (0, 0);
        let visible = self.mentions.all().iter();
        let visible = visible
            .filter(|mention| mention.field().is_some_and(Field::is_visible))
            .map(|mention| {
                let text = self.mentions.bytes(*mention);
                mention.address.then_some(text)
            });
        let inside = inside.iter().flat_map(|list| &list.recipients);
        let inside = inside.map(|mailbox| {
            let address = mailbox.address.as_ref();
            address.map(|address| address.as_str().as_bytes())
        });
        for address in visible.chain(inside) {
            let Some(address) = address else {
                personal += 1;
                continue;
            };
            if !self.domains.inside(address, organisation) {
                match self.domains.note(address, organisation) {
                    Noted::Personal => personal += 1,
                    Noted::New => domains += 1,
                    Noted::Again => {}
                }
            }
        }
        shape::can_be_mass(personal, domains)
    }

    /// Display names of mailing lists among the visible: `HIV clinic patients <list-12@clinic.example>`.
    pub(super) fn names_of_lists(&self, message: &Message<'_>) -> Vec<String> {
        let like_a_list = |text: &str| {
            let parts = text.rsplit_once('@');
            parts.is_some_and(|(local, domain)| person::like_a_list(local, domain))
        };
        let visible = |field: Option<Field>| field.is_some_and(Field::is_visible);
        let mut mentions = self.mentions.all().iter();
        if !mentions.any(|mention| {
            visible(mention.field()) && mention.address && like_a_list(self.mentions.text(*mention))
        }) {
            return Vec::new();
        }
        let recipients = message.recipients().iter();
        recipients
            .filter(|recipient| visible(Some(recipient.field)))
            .map(|recipient| &recipient.mailbox)
            .filter(|mailbox| {
                let address = mailbox.address.as_ref();
                address.is_some_and(|address| like_a_list(address.as_str()))
            })
            .map(|mailbox| mailbox.name.clone())
            .filter(|name| !name.is_empty())
            .collect()
    }
}

/// Whether its text is encoded so that addresses cannot be seen in it.
fn encoded(message: &Message<'_>) -> bool {
    /// Heads of text stand near the front.
    const LOOKED_AT: usize = 16 << 10;
    let whole = message.head().first(Name::ContentTransferEncoding);
    let body = message.body();
    let front = &body[..body.len().min(LOOKED_AT)];
    whole.is_some_and(|encoding| encoding.trim_ascii().eq_ignore_ascii_case(b"base64"))
        || memchr::memmem::find(front, b"base64").is_some()
}

/// The text and the names in which phrases are looked for: the message's own, and those of what is attached to it.
pub(super) fn searched<'b>(
    body: &'b Body<'_>,
    inside: &Inside,
) -> (Cow<'b, str>, Cow<'b, [String]>) {
    let mut text = Cow::Borrowed(body.text.as_str());
    if !inside.text.is_empty() {
        let text = text.to_mut();
        text.push('\n');
        text.push_str(&inside.text);
    }
    let mut names = Cow::Borrowed(body.attachments.as_slice());
    let subjects = inside.lists.iter();
    let subjects = subjects.filter(|list| list.field != Field::Quoted && !list.subject.is_empty());
    let subjects: Vec<String> = subjects.map(|list| list.subject.clone()).collect();
    if !subjects.is_empty() {
        names.to_mut().extend(subjects);
    }
    (text, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort(head: &str) -> Sort {
        let raw = format!("From: a@x.example\n{head}\n\nbody");
        {
            let message = Message::new(raw.as_bytes()).expect("a mail");
            let title = Subject::of(&message.subject());
            Sort::of(&message, &title)
        }
    }

    #[test]
    fn the_head_tells_answers_and_forwards() {
        for subject in [
            "FW: Bail",
            "Fwd: Re: Bail",
            "WG: Bail",
            "TR : Bail",
            "I: Bail",
            "Doorst.: Bail",
        ] {
            assert_eq!(
                sort(&format!("Subject: {subject}")),
                Sort::Forward,
                "{subject}"
            );
        }
        assert_eq!(sort("Subject: =?utf-8?Q?FW=3A_Bail?="), Sort::Forward);
        assert_eq!(
            sort("Subject: x\nContent-Type: Text/Calendar; method=REQUEST"),
            Sort::Forward
        );
        assert_eq!(sort("Subject: Antw: Bail"), Sort::Answer);
        assert_eq!(
            sort("Subject: Bail\nIn-Reply-To: <1@x.example>"),
            Sort::Answer
        );
        assert_eq!(sort("Subject: Update on the case: bail"), Sort::Plain);
        assert_eq!(sort("Subject: Bail"), Sort::Plain);
    }
}
