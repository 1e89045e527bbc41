//! Which lists inside a message show anybody anything new, and to which of its people they add. Reading them is
//! `message::inside`; what they expose is judged with everybody else.
//!
//! - Attendees of an invitation see one another, and receive it.
//! - People in a quoted or attached list receive nothing. They are shown where at least one outsider gets the message who
//!   was not on that list, and did not write it: forwarding to a colleague shows nobody, nor does an answer to one of them.
//! - A list that an outsider wrote was open among those on it before it came here: its author has spoken with all of them,
//!   so that it is no mail-out to strangers. Only people who are known to be of a group by their addresses are shown by it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::seen::Gathered;
use super::{Candidate, Rules};
use crate::message::Address;
use crate::message::inside::List;
use crate::message::recipients::{Field, Mailbox, Recipient};
use crate::person::Relation;
use crate::query::pattern::fold;

/// Adds the people of lists that show something new.
pub(super) fn add<'a>(out: &mut Gathered<'a>, candidate: &'a Candidate, rules: &Rules) {
    if candidate.inside.is_empty() {
        return;
    }
    let mut names: Option<Names> = None;
    for list in &candidate.inside {
        if list.field != Field::Calendar
            && !candidate.named
            && !shows_news(list, &candidate.from, &candidate.recipients, rules)
        {
            continue;
        }
        let ours = is_ours(list, &candidate.from, rules);
        for mailbox in &list.recipients {
            if mailbox.address.is_some() {
                out.add(mailbox, list.field).stands_inside(list.field, ours);
                continue;
            }
            // Programs that quote names only mean people who may stand elsewhere with their addresses.
            let names = names.get_or_insert_with(|| Names::of(candidate));
            match names.place(mailbox) {
                Some(known) => out.add(known, list.field),
                None => out.add(mailbox, list.field),
            }
            .stands_inside(list.field, ours);
        }
    }
}

/// Whether a list can show anybody anything in a message from these authors to these recipients, whatever is found in its
/// text. Who is of the organisation must be known.
pub fn may_show(list: &List, from: &[Mailbox], to: &[Recipient], rules: &Rules) -> bool {
    list.field == Field::Calendar
        || (is_ours(list, from, rules) || !rules.by_words_alone())
            && shows_news(list, from, to, rules)
}

/// Whether somebody outside gets the message who was not on the list.
fn shows_news(list: &List, from: &[Mailbox], to: &[Recipient], rules: &Rules) -> bool {
    let on_list = || list.recipients.iter().chain(&list.author);
    let addresses: FxHashSet<&str> = on_list()
        .filter_map(|mailbox| mailbox.address.as_ref())
        .map(|address| address.as_str())
        .collect();
    let mut names: Option<FxHashSet<String>> = None;
    to.iter()
        .map(|recipient| &recipient.mailbox)
        .any(|mailbox| {
            let address = mailbox.address.as_ref();
            let known = |address: &Address| {
                is_author(from, address) || addresses.contains(address.as_str())
            };
            if rules.organisation.relation(address) == Relation::Insider
                || address.is_some_and(known)
                || from.contains(mailbox)
            {
                return false;
            }
            // Whoever was on the list may write from another address, or stand on it by name only.
            let names = names.get_or_insert_with(|| on_list().flat_map(keys).collect());
            !keys(mailbox).any(|key| names.contains(&key))
        })
}

/// Whether a list is one that the organisation, or the sender, made: an author who is known by name only is taken for a
/// colleague, as mail programs show these; contacts have none.
fn is_ours(list: &List, from: &[Mailbox], rules: &Rules) -> bool {
    let Some(address) = list
        .author
        .as_ref()
        .and_then(|author| author.address.as_ref())
    else {
        return true;
    };
    rules.organisation.is_unknown()
        || list.field == Field::Calendar
        || rules.organisation.holds(address)
        || is_author(from, address)
}

fn is_author(from: &[Mailbox], address: &Address) -> bool {
    from.iter()
        .any(|from| from.address.as_ref() == Some(address))
}

/// Mailboxes with an address, by the words of their names.
struct Names<'a>(FxHashMap<String, &'a Mailbox>);

impl<'a> Names<'a> {
    fn of(candidate: &'a Candidate) -> Self {
        let header = candidate
            .recipients
            .iter()
            .map(|recipient| &recipient.mailbox);
        let inside = candidate.inside.iter().flat_map(|list| &list.recipients);
        let mut names = FxHashMap::default();
        for mailbox in candidate.from.iter().chain(header).chain(inside) {
            if mailbox.address.is_some() && !mailbox.name.is_empty() {
                names.entry(key(&mailbox.name)).or_insert(mailbox);
            }
        }
        Names(names)
    }

    fn place(&self, mailbox: &Mailbox) -> Option<&'a Mailbox> {
        self.0.get(&key(&mailbox.name)).copied()
    }
}

/// By what a mailbox is known again: the words of its name, or of the local part of its address; two at least, but for a
/// name without an address.
fn keys(mailbox: &Mailbox) -> impl Iterator<Item = String> {
    let local = mailbox.address.as_ref().map(|address| address.local());
    let short = local.is_none();
    let keys = [Some(&*mailbox.name), local].into_iter().flatten().map(key);
    keys.filter(move |key| key.contains(' ') || short && !key.is_empty())
}

/// The words of a name in a fixed order: `Bee, Ann` and `Ann Bee` are one.
fn key(name: &str) -> String {
    let folded = fold(name);
    let mut words: Vec<&str> = folded
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    words.join(" ")
}
