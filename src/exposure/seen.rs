//! Who stands in one message, and what the list looks like: the people that signals count. Nobody is judged here.

use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Rules};
use crate::history::Digest;
use crate::message::recipients::{Field, Mailbox};
use crate::person::{self, Kind, NamedBy, Relation};
use crate::query::pattern::fold;
use crate::signal::Crowd;

/// One mailbox of a message: who it is and how it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Address, and the longest name shown with it.
    pub mailbox: Mailbox,
    /// Every field that it stands in; empty for the sender alone.
    pub fields: BTreeSet<Field>,
    /// True where it stands in a visible field.
    pub visible: bool,
    /// True for an author.
    pub author: bool,
    /// Insider or outsider.
    pub relation: Relation,
    /// What it is.
    pub kind: Kind,
    /// How far it can be named.
    pub named_by: NamedBy,
    /// True where it is on a roster of the scan.
    pub on_roster: bool,
    /// As history knows it.
    pub digest: Digest,
    /// True where it is exposed by this message.
    pub exposed: bool,
    /// True where `people.csv` counts it: neither a role nor a list.
    pub person: bool,
}

impl Seen {
    /// Canonical address, or `name:` and the folded name: what joins appearances of one mailbox.
    pub fn identity(&self) -> String {
        identity(&self.mailbox)
    }
}

/// What joins appearances of one mailbox: canonical address, or `name:` and the folded name.
pub fn identity(mailbox: &Mailbox) -> String {
    match &mailbox.address {
        Some(address) => address.as_str().to_owned(),
        None => format!("name:{}", fold(&mailbox.name).trim()),
    }
}

/// Everybody of a message, each once: authors first, then recipients in header order.
pub fn everybody(candidate: &Candidate, rules: &Rules) -> Vec<Seen> {
    let mut order: Vec<String> = Vec::new();
    let mut by: BTreeMap<String, (Mailbox, BTreeSet<Field>, bool)> = BTreeMap::new();
    let authors = candidate.from.iter().map(|mailbox| (mailbox, None));
    let recipients = candidate
        .recipients
        .iter()
        .map(|recipient| (&recipient.mailbox, Some(recipient.field)));
    for (mailbox, field) in authors.chain(recipients) {
        let key = identity(mailbox);
        let entry = by.entry(key.clone()).or_insert_with(|| {
            order.push(key);
            (mailbox.clone(), BTreeSet::new(), false)
        });
        if field.is_some() && mailbox.name.chars().count() > entry.0.name.chars().count() {
            entry.0.name.clone_from(&mailbox.name);
        }
        match field {
            Some(field) => drop(entry.1.insert(field)),
            None => entry.2 = true,
        }
    }
    order
        .into_iter()
        .filter_map(|key| by.remove(&key))
        .map(|(mailbox, fields, author)| seen(mailbox, fields, author, candidate, rules))
        .collect()
}

fn seen(
    mailbox: Mailbox,
    fields: BTreeSet<Field>,
    author: bool,
    candidate: &Candidate,
    rules: &Rules,
) -> Seen {
    let relation = rules.organisation.relation(mailbox.address.as_ref());
    let kind = person::kind(&mailbox, relation, &candidate.lists);
    let digest = match &mailbox.address {
        Some(address) => rules.digester.address(address),
        None => rules.digester.name(fold(&mailbox.name).trim()),
    };
    Seen {
        visible: fields.iter().any(|field| visible(*field)),
        on_roster: mailbox
            .address
            .as_ref()
            .is_some_and(|address| rules.on_rosters(address).next().is_some()),
        named_by: person::named_by(&mailbox.name, mailbox.address.as_ref()),
        person: !matches!(kind, Kind::RoleAddress | Kind::List),
        exposed: false,
        mailbox,
        fields,
        author,
        relation,
        kind,
        digest,
    }
}

/// Whether a name has more letters than another, without counting where bytes tell it.
pub fn longer(name: &str, than: &str) -> bool {
    name.len() > than.len() && (name.is_ascii() || name.chars().count() > than.chars().count())
        || name.len() <= than.len()
            && !than.is_ascii()
            && name.chars().count() > than.chars().count()
}

/// Whether recipients in a field are seen by the others.
pub fn visible(field: Field) -> bool {
    !matches!(field, Field::Bcc | Field::ResentBcc)
}

/// Who may be exposed by a query: visible people but the authors and insiders, unless the query or a roster says so.
pub(super) fn exposable(seen: &Seen, insiders: bool) -> bool {
    seen.visible
        && !seen.author
        && (seen.person || seen.on_roster)
        && (seen.relation == Relation::Outsider || insiders || seen.on_roster)
}

pub(super) fn crowd(people: &[usize], seen: &[Seen], candidate: &Candidate) -> Crowd {
    let mut crowd = Crowd {
        people: people.len(),
        greeting: candidate.greeting.clone(),
        ..Crowd::default()
    };
    let mut organisations: BTreeSet<&str> = BTreeSet::new();
    for person in people.iter().map(|index| &seen[*index]) {
        match (person.relation, person.kind) {
            (Relation::Insider, _) => crowd.insiders += 1,
            (_, Kind::Private) => crowd.personal += 1,
            _ => {
                crowd.professional += 1;
                organisations.extend(
                    person
                        .mailbox
                        .address
                        .as_ref()
                        .map(|address| registrable(address.domain())),
                );
            }
        }
    }
    crowd.organisations = organisations.len();
    if crowd.organisations == 1 && crowd.personal == 0 && crowd.insiders == 0 {
        crowd.only_organisation = organisations.first().map(|domain| (*domain).to_owned());
    }
    crowd.alphabetical = alphabetical(people, seen);
    crowd
}

/// The part of a domain that one organisation registers, roughly: its last two labels, or three below a short second
/// one (`co.uk`, `nhs.uk`, `org.au`).
fn registrable(domain: &str) -> &str {
    let mut dots = domain.rmatch_indices('.').map(|(at, _)| at);
    let (Some(_), Some(second)) = (dots.next(), dots.next()) else {
        return domain;
    };
    let third = dots.next();
    let label = domain[second + 1..].split('.').next().unwrap_or_default();
    let ending = domain.rsplit('.').next().unwrap_or_default();
    match (label.len() <= 3 && ending.len() == 2, third) {
        (true, Some(third)) => &domain[third + 1..],
        (true, None) => domain,
        (false, _) => &domain[second + 1..],
    }
}

/// True for six or more that stand in alphabetical order, by name or by address.
fn alphabetical(people: &[usize], seen: &[Seen]) -> bool {
    let ordered = |of: &dyn Fn(&Seen) -> String| {
        let keys: Vec<String> = people
            .iter()
            .map(|index| of(&seen[*index]))
            .filter(|key| !key.is_empty())
            .collect();
        keys.len() >= 6
            && keys.len() == people.len()
            && keys.windows(2).all(|pair| pair[0] <= pair[1])
    };
    let last = |seen: &Seen| {
        fold(&seen.mailbox.name)
            .split_whitespace()
            .last()
            .unwrap_or_default()
            .to_owned()
    };
    ordered(&|seen| {
        seen.mailbox
            .address
            .as_ref()
            .map_or_else(String::new, |address| address.as_str().to_owned())
    }) || ordered(&|seen| fold(&seen.mailbox.name).trim().to_owned())
        || ordered(&last)
}
