//! Who stands in one message, and what the list looks like: the people that signals count. Nobody is judged here.
//!
//! Most lists that are looked at turn out to expose nobody: [`look`] therefore borrows all it can, and only what becomes a
//! verdict is told in full as [`Seen`].

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Candidate, Rules};
use crate::history::{Digest, Digester};
use crate::message::Address;
use crate::message::recipients::{Field, Mailbox};
use crate::person::name::FullName;
use crate::person::{self, Kind, NamedBy, Relation};
use crate::query::pattern::fold;
use crate::signal::Crowd;

/// In longer lists a family name that occurs twice says nothing.
const MOST_KIN: usize = 5;

/// The fields that a mailbox stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields(u8);

impl Fields {
    const ALL: [Field; 6] = [
        Field::To,
        Field::Cc,
        Field::Bcc,
        Field::ResentTo,
        Field::ResentCc,
        Field::ResentBcc,
    ];

    fn add(&mut self, field: Field) {
        self.0 |= 1 << field as u8;
    }

    /// Each field, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        let each = Self::ALL.into_iter();
        each.filter(move |field| self.0 & (1 << *field as u8) != 0)
    }

    fn visible(self) -> bool {
        self.iter().any(visible)
    }
}

impl FromIterator<Field> for Fields {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        let mut out = Fields::default();
        fields.into_iter().for_each(|field| out.add(field));
        out
    }
}

/// One mailbox of a message: who it is and how it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Address, and the longest name shown with it.
    pub mailbox: Mailbox,
    /// Every field that it stands in; empty for the sender alone.
    pub fields: Fields,
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
    pub fn identity(&self) -> Cow<'_, str> {
        match &self.mailbox.address {
            Some(address) => Cow::Borrowed(address.as_str()),
            None => Cow::Owned(identity(&self.mailbox)),
        }
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
    let looked = look(candidate, rules);
    looked
        .iter()
        .map(|looked| looked.seen(&rules.digester))
        .collect()
}

/// One mailbox of a message, borrowed from it.
#[derive(Clone, Debug)]
pub(super) struct Looked<'a> {
    /// Where it stands first.
    pub(super) mailbox: &'a Mailbox,
    /// The longest name shown with it.
    pub(super) name: &'a str,
    fields: Fields,
    visible: bool,
    author: bool,
    relation: Relation,
    kind: Kind,
    on_roster: bool,
}

impl Looked<'_> {
    pub(super) fn address(&self) -> Option<&Address> {
        self.mailbox.address.as_ref()
    }

    fn person(&self) -> bool {
        !matches!(self.kind, Kind::RoleAddress | Kind::List)
    }

    /// As history knows it.
    pub(super) fn digest(&self, digester: &Digester) -> Digest {
        match self.address() {
            Some(address) => digester.address(address),
            None => digester.name(fold(self.name).trim()),
        }
    }

    /// Told in full.
    pub(super) fn seen(&self, digester: &Digester) -> Seen {
        Seen {
            mailbox: Mailbox {
                name: self.name.to_owned(),
                address: self.mailbox.address.clone(),
            },
            fields: self.fields,
            visible: self.visible,
            author: self.author,
            relation: self.relation,
            kind: self.kind,
            named_by: person::named_by(self.name, self.address()),
            on_roster: self.on_roster,
            digest: self.digest(digester),
            exposed: false,
            person: self.person(),
        }
    }
}

/// As [`everybody`], without a copy of anything.
pub(super) fn look<'a>(candidate: &'a Candidate, rules: &Rules) -> Vec<Looked<'a>> {
    let mut out: Vec<Looked<'a>> = Vec::with_capacity(candidate.recipients.len() + 1);
    let mut by_address: FxHashMap<&str, usize> = FxHashMap::default();
    by_address.reserve(candidate.recipients.len() + 1);
    let mut by_name: FxHashMap<String, usize> = FxHashMap::default();
    let authors = candidate.from.iter().map(|mailbox| (mailbox, None));
    let recipients = candidate
        .recipients
        .iter()
        .map(|recipient| (&recipient.mailbox, Some(recipient.field)));
    for (mailbox, field) in authors.chain(recipients) {
        let new = out.len();
        let at = match &mailbox.address {
            Some(address) => *by_address.entry(address.as_str()).or_insert(new),
            None => *by_name
                .entry(fold(&mailbox.name).trim().to_owned())
                .or_insert(new),
        };
        if at == new {
            out.push(Looked {
                mailbox,
                name: &mailbox.name,
                fields: Fields::default(),
                visible: false,
                author: false,
                relation: Relation::Outsider,
                kind: Kind::Private,
                on_roster: false,
            });
        }
        let looked = &mut out[at];
        if field.is_some() && longer(&mailbox.name, looked.name) {
            looked.name = &mailbox.name;
        }
        match field {
            Some(field) => looked.fields.add(field),
            None => looked.author = true,
        }
    }
    for looked in &mut out {
        let address = looked.mailbox.address.as_ref();
        looked.visible = looked.fields.visible();
        looked.relation = rules.organisation.relation(address);
        looked.kind = person::kind(looked.mailbox, looked.relation, &candidate.lists);
        looked.on_roster =
            address.is_some_and(|address| rules.on_rosters(address).next().is_some());
    }
    out
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
pub(super) fn exposable(looked: &Looked<'_>, insiders: bool) -> bool {
    looked.visible
        && !looked.author
        && (looked.person() || looked.on_roster)
        && (looked.relation == Relation::Outsider || insiders || looked.on_roster)
}

/// The list as signals count it: the people who could be exposed in it.
pub(super) fn crowd(
    people: &[usize],
    looked: &[Looked<'_>],
    candidate: &Candidate,
    digester: &Digester,
) -> Crowd {
    let mut crowd = Crowd {
        people: people.len(),
        greeting: candidate.greeting.clone(),
        ..Crowd::default()
    };
    let mut organisations: FxHashSet<&str> = FxHashSet::default();
    for person in people.iter().map(|index| &looked[*index]) {
        match (person.relation, person.kind) {
            (Relation::Insider, _) => crowd.insiders += 1,
            (_, Kind::Private) => crowd.personal += 1,
            _ => {
                crowd.professional += 1;
                let address = person.address();
                organisations.extend(address.map(|address| registrable(address.domain())));
            }
        }
    }
    crowd.organisations = organisations.len();
    if crowd.organisations == 1 && crowd.personal == 0 && crowd.insiders == 0 {
        crowd.only_organisation = organisations.iter().next().map(|name| (*name).to_owned());
    }
    let private = |index: &&usize| {
        let looked = &looked[**index];
        looked.relation == Relation::Insider || looked.kind == Kind::Private
    };
    if !candidate.greets.is_empty() {
        let greeted = |index: &&usize| {
            let digest = looked[**index].digest(digester).0;
            candidate.greets.binary_search(&digest).is_ok()
        };
        crowd.greeted = people.iter().filter(greeted).count();
        crowd.greeted_private = people.iter().filter(greeted).filter(private).count();
    }
    if crowd.personal <= MOST_KIN {
        crowd.kin = kin(people, looked);
        crowd.own = own(people, looked);
    }
    let beside = looked
        .iter()
        .filter(|looked| looked.visible && !looked.author && looked.relation == Relation::Insider);
    crowd.colleagues = beside.count().saturating_sub(crowd.insiders);
    crowd.alphabetical = alphabetical(people, looked);
    crowd
}

/// How many at personal mailboxes bear the full name of an author or an insider: their own mailboxes at home.
fn own(people: &[usize], looked: &[Looked<'_>]) -> usize {
    let inside = looked
        .iter()
        .filter(|looked| looked.author || looked.relation == Relation::Insider);
    let names: FxHashSet<Box<str>> = inside
        .filter_map(|looked| FullName::new(looked.name))
        .map(|name| name.key)
        .collect();
    let private = people
        .iter()
        .map(|index| &looked[*index])
        .filter(|looked| looked.kind == Kind::Private);
    private
        .filter_map(|looked| FullName::new(looked.name))
        .filter(|name| names.contains(&name.key))
        .count()
}

/// How many at personal mailboxes share a family name with another of them. One of each family is not counted.
fn kin(people: &[usize], looked: &[Looked<'_>]) -> usize {
    let private = people
        .iter()
        .map(|index| &looked[*index])
        .filter(|looked| looked.kind == Kind::Private);
    let (mut named, mut families) = (0, FxHashSet::default());
    for family in private.filter_map(|looked| person::family_name(looked.name, looked.address())) {
        named += 1;
        families.insert(family);
    }
    named - families.len()
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
fn alphabetical(people: &[usize], looked: &[Looked<'_>]) -> bool {
    let all = || people.iter().map(|index| &looked[*index]);
    let name = |looked: &Looked<'_>| fold(looked.name);
    people.len() >= 6
        && (in_order(all().map(|looked| looked.address().map_or("", Address::as_str)))
            || in_order(all().map(|looked| name(looked).trim().to_owned()))
            || in_order(all().map(|looked| {
                let folded = name(looked);
                let last = folded.split_whitespace().last();
                last.unwrap_or_default().to_owned()
            })))
}

/// Whether texts stand in order and none is empty; looks no further than to the first that does not.
fn in_order<T: AsRef<str>>(mut texts: impl Iterator<Item = T>) -> bool {
    let Some(mut last) = texts.next() else {
        return true;
    };
    if last.as_ref().is_empty() {
        return false;
    }
    for text in texts {
        if text.as_ref().is_empty() || text.as_ref() < last.as_ref() {
            return false;
        }
        last = text;
    }
    true
}
