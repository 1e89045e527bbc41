//! Who stands in one message, and what the list looks like: the people that signals count. Nobody is judged here.
//!
//! Most lists that are looked at turn out to expose nobody: [`look`] therefore borrows all it can, and only what becomes a
//! verdict is told in full as [`Seen`].

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Candidate, Rules, inside};
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
pub struct Fields(u16);

impl Fields {
    const ALL: [Field; 9] = [
        Field::To,
        Field::Cc,
        Field::Bcc,
        Field::ResentTo,
        Field::ResentCc,
        Field::ResentBcc,
        Field::Quoted,
        Field::Attached,
        Field::Calendar,
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
        self.iter().any(Field::is_visible)
    }

    fn receives(self) -> bool {
        self.iter().any(Field::receives)
    }

    fn inside(self) -> bool {
        self.iter().any(Field::is_inside)
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
    /// True where it stands in To or Cc, or a Resent- form of these.
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
    /// True for whoever has the message, and so for nobody who stands only in the list of a quoted or attached one.
    pub fn receives(&self) -> bool {
        self.author || self.fields.receives()
    }

    /// True where it stands in a list inside the message that was shown to somebody who had not seen it.
    pub fn inside(&self) -> bool {
        self.fields.inside()
    }

    /// True for somebody who is shown, and is neither author nor insider, or is on a roster.
    pub fn is_shown_outsider(&self) -> bool {
        (self.visible || self.inside())
            && !self.author
            && (self.relation == Relation::Outsider || self.on_roster)
    }

    /// Canonical address, or `name:` and the folded name: what joins appearances of one mailbox.
    pub fn identity(&self) -> Cow<'_, str> {
        match &self.mailbox.address {
            Some(address) => Cow::Borrowed(address.as_str()),
            None => Cow::Owned(identity(&self.mailbox)),
        }
    }
}

/// Marks as exposed all who are shown to somebody, and forgets the others of lists inside. The only one outside to whom a
/// list was forwarded is shown to nobody.
pub fn expose_shown(seen: &mut Vec<Seen>) {
    let shown = seen.iter().filter(|seen| seen.is_shown_outsider());
    let visible = shown.filter(|seen| seen.visible).count();
    let inside = seen.iter().any(Seen::inside);
    for seen in seen.iter_mut() {
        seen.exposed = seen.is_shown_outsider() && (!inside || seen.inside() || visible >= 2);
    }
    seen.retain(|seen| seen.exposed || seen.receives());
}

/// What joins appearances of one mailbox: canonical address, or `name:` and the folded name.
pub fn identity(mailbox: &Mailbox) -> String {
    match &mailbox.address {
        Some(address) => address.as_str().to_owned(),
        None => format!("name:{}", fold(&mailbox.name).trim()),
    }
}

/// Everybody of a message, each once: authors first, then recipients in header order, then who stands only inside.
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
    /// In a list inside that the organisation itself wrote.
    ours: bool,
    relation: Relation,
    kind: Kind,
    on_roster: bool,
}

impl Looked<'_> {
    /// True where others of the audience see it: attendees of an invitation see one another.
    pub(super) fn open(&self) -> bool {
        self.visible || self.fields.iter().any(|field| field == Field::Calendar)
    }

    /// True where only its name is known, and from a list inside: mail programs name colleagues so when they quote.
    pub(super) fn may_be_a_colleague(&self) -> bool {
        self.mailbox.address.is_none() && !self.visible
    }

    /// True where it stands in a quoted or attached list that was shown to somebody who had not seen it. `known` where the
    /// list may be anybody's.
    pub(super) fn inside(&self, known: bool) -> bool {
        let mut fields = self.fields.iter();
        (self.ours || known) && fields.any(|field| field.is_inside() && !field.receives())
    }

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
    let mut out = Gathered::with_room(candidate.recipients.len() + 1);
    for mailbox in &candidate.from {
        out.at(mailbox).author = true;
    }
    for recipient in &candidate.recipients {
        out.add(&recipient.mailbox, recipient.field);
    }
    inside::add(&mut out, candidate, rules);
    let mut out = out.all;
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

/// Mailboxes, each once.
pub(super) struct Gathered<'a> {
    pub(super) all: Vec<Looked<'a>>,
    by_address: FxHashMap<&'a str, usize>,
    by_name: FxHashMap<String, usize>,
}

impl<'a> Gathered<'a> {
    fn with_room(room: usize) -> Self {
        let mut by_address = FxHashMap::default();
        by_address.reserve(room);
        Gathered {
            all: Vec::with_capacity(room),
            by_address,
            by_name: FxHashMap::default(),
        }
    }

    /// Notes that a mailbox stands in a field.
    pub(super) fn add(&mut self, mailbox: &'a Mailbox, field: Field) -> &mut Looked<'a> {
        let looked = self.at(mailbox);
        if longer(&mailbox.name, looked.name) {
            looked.name = &mailbox.name;
        }
        looked.fields.add(field);
        looked
    }

    /// The place of a mailbox, a new one where it has none.
    fn at(&mut self, mailbox: &'a Mailbox) -> &mut Looked<'a> {
        let new = self.all.len();
        let at = match &mailbox.address {
            Some(address) => *self.by_address.entry(address.as_str()).or_insert(new),
            None => *self
                .by_name
                .entry(fold(&mailbox.name).trim().to_owned())
                .or_insert(new),
        };
        if at == new {
            self.all.push(Looked {
                mailbox,
                name: &mailbox.name,
                fields: Fields::default(),
                visible: false,
                author: false,
                ours: false,
                relation: Relation::Outsider,
                kind: Kind::Private,
                on_roster: false,
            });
        }
        &mut self.all[at]
    }
}

impl Looked<'_> {
    /// Notes that it stands in a list inside, which is the organisation's own or not.
    pub(super) fn stands_inside(&mut self, field: Field, ours: bool) {
        self.fields.add(field);
        self.ours |= ours;
    }
}

/// Whether a name has more letters than another, without counting where bytes tell it.
pub fn longer(name: &str, than: &str) -> bool {
    name.len() > than.len() && (name.is_ascii() || name.chars().count() > than.chars().count())
        || name.len() <= than.len()
            && !than.is_ascii()
            && name.chars().count() > than.chars().count()
}

/// Who may be exposed by a query among those in sight: all but the authors and insiders, unless the query or a roster
/// says so. `known` where they are known to be of its group by their addresses.
pub(super) fn exposable(looked: &Looked<'_>, sight: Sight, insiders: bool, known: bool) -> bool {
    sight.holds(looked, known)
        && !looked.author
        && (looked.person() || looked.on_roster)
        && (looked.relation == Relation::Outsider || insiders || looked.on_roster)
}

/// Which of the people of a message are looked at together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sight {
    /// Those who can see one another.
    Open,
    /// Those in quoted and attached lists, whom somebody sees who was not on the list.
    Inside,
    /// Both.
    All,
}

impl Sight {
    fn holds(self, looked: &Looked<'_>, known: bool) -> bool {
        match self {
            Sight::Open => looked.open(),
            Sight::Inside => looked.inside(known),
            Sight::All => looked.open() || looked.inside(known),
        }
    }
}

pub(super) fn crowd(
    people: &[usize],
    looked: &[Looked<'_>],
    candidate: &Candidate,
    digester: &Digester,
    sight: Sight,
) -> Crowd {
    let inside = sight == Sight::Inside;
    let mut crowd = Crowd {
        people: people.len(),
        inside,
        // Whoever is greeted is not who is quoted.
        several: candidate.several,
        greeting: candidate.greeting.clone().filter(|_| !inside),
        ..Crowd::default()
    };
    let mut organisations: FxHashSet<&str> = FxHashSet::default();
    for person in people.iter().map(|index| &looked[*index]) {
        match (person.relation, person.kind) {
            (Relation::Insider, _) => crowd.insiders += 1,
            (_, Kind::Private) => {
                crowd.personal += 1;
                crowd.name_only += usize::from(person.address().is_none());
            }
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
