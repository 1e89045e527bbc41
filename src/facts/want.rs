//! How much of a mail must be got where a source reads header fields first: as little as gives the same facts as all of
//! it. But for one: where fewer than two people outside are visible, a list inside is looked for only in what is marked
//! as forwarded. Whether an answer quotes a list, or an attachment holds one, no header field tells, and there are very
//! many of them.

use super::inside::Sort;
use super::{HIDDEN, Reader, Task, notice, plausible};
use crate::exposure::Rules;
use crate::message::header::Name;
use crate::message::recipients::Field;
use crate::message::{Key, Message};
use crate::place::Role;
use crate::signal::series::Subject;
use crate::source::{Raw, Want};

impl Reader<'_> {
    /// How much must be got of a mail of which only header fields are held. `wanted` says whether messages of that time
    /// are judged; `received` whether those from outside the organisation are.
    pub fn want(
        &mut self,
        raw: &Raw<'_>,
        role: Role,
        wanted: &dyn Fn(Option<i64>) -> bool,
        received: bool,
    ) -> Want {
        let Task {
            rules, wanted: of, ..
        } = self.task;
        let Ok(facts) = self.read(raw, role) else {
            // Whether it is a mail at all, its whole head tells.
            return Want::Whole;
        };
        let (id, draft, sent) = (facts.line.id, facts.draft, facts.line.sent);
        let hidden = facts.line.blind.len() >= HIDDEN;
        let inside = facts.author.is_some() || facts.sender.is_some();
        let Ok(message) = Message::new(raw.bytes) else {
            return Want::Whole;
        };
        if id.is_none() {
            // Without a Message-ID the body tells messages apart.
            return Want::Whole;
        }
        let undated = !message
            .date()
            .is_some_and(|date| plausible(date, self.task.now));
        if undated || message.head().first(Name::XUnsent).is_some() {
            // The time it was received, and whether it was, stand in the rest of its head.
            return Want::Text;
        }
        if draft || !wanted(sent) {
            return Want::Nothing;
        }
        let named = message
            .message_id()
            .is_some_and(|id| of.message_ids.contains(id.as_ref()));
        let known = !of.keys.is_empty() && of.keys.contains(&Key::of(&message).to_hex());
        if named || known {
            return Want::Text;
        }
        let title = Subject::of(&message.subject());
        let notes = notice::may_bounce(&message) || inside && (hidden || notice::may_say(&title));
        if notes {
            return Want::Text;
        }
        let judged = inside || received || !of.is_empty();
        let shows = self.others() >= 2 && self.may_expose(rules);
        if judged && (shows || self.forwards(&message, &title)) {
            Want::Text
        } else {
            Want::Nothing
        }
    }

    /// Whether it forwards something from the organisation to somebody outside.
    fn forwards(&mut self, message: &Message<'_>, title: &Subject) -> bool {
        Sort::of(message, title) == Sort::Forward && self.leaves_the_organisation()
    }

    /// Whether a list can expose anybody, whatever the text says: it shows two people who are not of the organisation, or
    /// the organisation's own people can be exposed too.
    fn may_expose(&mut self, rules: &Rules) -> bool {
        let organisation = &rules.organisation;
        if organisation.is_unknown()
            || !rules.by_words_alone()
            || !self.task.wanted.is_empty()
            || rules.queries.iter().any(|query| query.insiders)
        {
            return true;
        }
        let mentions = self.mentions.all().iter();
        let visible = mentions.filter(|mention| mention.field().is_some_and(Field::is_visible));
        let outside = visible.filter(|mention| {
            !mention.address
                || !self
                    .domains
                    .inside(self.mentions.bytes(**mention), organisation)
        });
        outside.take(2).count() == 2
    }
}
