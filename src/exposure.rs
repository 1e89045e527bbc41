//! Signals to exposure: which groups a message exposes, how sure that is, how much it hurts, who stands in it. Pure: the
//! same candidate, history and rules give the same verdict.
//!
//! Confidence says how sure; severity says how much it hurts. They are never mixed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::history::{Digest, Digester, History, Spoken};
use crate::message::Address;
use crate::message::recipients::{Field, Mailbox, Recipient};
use crate::person::{self, Kind, NamedBy, Organisation, Relation};
use crate::query::pattern::fold;
use crate::query::{Found, Harm, Patterns, Query, Roster, RosterEntry};
use crate::signal::{self, Crowd, Signal};

/// Below this confidence a message is no finding at all and leaves the case; from here to the threshold it stays in the
/// case and is counted.
pub const KEPT_FROM: u8 = 25;

/// A message that may expose: what judgement needs of it, and nothing of its body but the phrases found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Candidate {
    /// SHA-256 key, lower-case hex.
    pub key: String,
    /// Quick key, as history has it, in hex.
    pub quick: String,
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// Seconds since 1970 UTC.
    pub sent: Option<i64>,
    /// Authors.
    pub from: Vec<Mailbox>,
    /// Sender header, where it names somebody else.
    pub sender: Option<Address>,
    /// Decoded, cleaned.
    pub subject: String,
    /// In header order, every occurrence.
    pub recipients: Vec<Recipient>,
    /// Texts of the List- fields.
    pub lists: Vec<String>,
    /// Phrases of queries.
    pub found: Vec<Found>,
    /// A greeting to nobody in particular.
    pub greeting: Option<String>,
    /// Digests of the Message-IDs that it answers.
    pub answers: Vec<u64>,
    /// Author of the message that it quotes.
    pub quoted_author: Option<Address>,
    /// SHA-256 of the bytes as stored, lower-case hex.
    pub sha256: String,
    /// True where the message was too long for all of it to be looked at.
    pub cut: bool,
}

impl Candidate {
    /// Id of its exposure: the first 16 hex digits of the key.
    pub fn id(&self) -> &str {
        self.key.get(..16).unwrap_or(&self.key)
    }

    /// The first author's address.
    pub fn author(&self) -> Option<&Address> {
        self.from
            .iter()
            .find_map(|mailbox| mailbox.address.as_ref())
    }

    /// Adds what another stored copy of the same message kept: blind recipients, phrases.
    pub fn merge(&mut self, other: &Candidate) {
        for recipient in other
            .recipients
            .iter()
            .filter(|recipient| matches!(recipient.field, Field::Bcc | Field::ResentBcc))
        {
            if !self.recipients.contains(recipient) {
                self.recipients.push(recipient.clone());
            }
        }
        let found: BTreeSet<Found> = self
            .found
            .drain(..)
            .chain(other.found.iter().cloned())
            .collect();
        self.found = found.into_iter().collect();
        if self.quoted_author.is_none() {
            self.quoted_author.clone_from(&other.quoted_author);
        }
    }
}

/// Everything that judgement is told from outside.
#[derive(Debug)]
pub struct Rules {
    /// Queries, by id.
    pub queries: Vec<Query>,
    /// Their matches, made ready.
    pub patterns: Patterns,
    /// Rosters given with the scan.
    pub rosters: Vec<Roster>,
    /// Who is of the organisation.
    pub organisation: Organisation,
    /// From this confidence on a finding is reported.
    pub min_confidence: u8,
    /// The case's key.
    pub digester: Digester,
}

impl Rules {
    /// What the rosters say of an address: the roster and its row.
    pub fn on_rosters<'a>(
        &'a self,
        address: &'a Address,
    ) -> impl Iterator<Item = (&'a Roster, &'a RosterEntry)> + 'a {
        self.rosters
            .iter()
            .filter_map(move |roster| roster.entries.get(address).map(|rows| (roster, rows)))
            .flat_map(|(roster, rows)| rows.iter().map(move |row| (roster, row)))
    }

    /// Below this a finding leaves the case.
    pub fn kept_from(&self) -> u8 {
        KEPT_FROM.min(self.min_confidence)
    }
}

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

/// The judgement on one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// 0 to 99; 100 where a person named the message as an incident.
    pub confidence: u8,
    /// How much it hurts.
    pub severity: Harm,
    /// Groups exposed, the most harmful first.
    pub groups: Vec<String>,
    /// Plain sentences.
    pub why: String,
    /// Everybody of the message: authors, visible, blind.
    pub seen: Vec<Seen>,
}

impl Verdict {
    /// The exposed.
    pub fn exposed(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(|seen| seen.exposed)
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

/// Whether recipients in a field are seen by the others.
pub fn visible(field: Field) -> bool {
    !matches!(field, Field::Bcc | Field::ResentBcc)
}

/// Who may be exposed by a query: visible people but the authors and insiders, unless the query or a roster says so.
fn exposable(seen: &Seen, insiders: bool) -> bool {
    seen.visible
        && !seen.author
        && (seen.person || seen.on_roster)
        && (seen.relation == Relation::Outsider || insiders || seen.on_roster)
}

/// One query's or roster's case for a message.
struct Claim {
    group: String,
    title: String,
    harm: Harm,
    confidence: i32,
    own: Vec<Signal>,
    common: Vec<Signal>,
    exposed: BTreeSet<usize>,
}

/// Judges one message on itself and on what its mailbox knew before it (the first pass of DESIGN section 2). `None`
/// where nothing speaks for an exposure.
pub fn judge(candidate: &Candidate, history: &History, rules: &Rules) -> Option<Verdict> {
    let mut seen = everybody(candidate, rules);
    let mut claims = Vec::new();
    let mut spoken: BTreeMap<Vec<usize>, Spoken> = BTreeMap::new();
    let answered = answered(candidate, history, rules);
    let mut weigh = |people: &[usize], seen: &[Seen]| {
        *spoken.entry(people.to_vec()).or_insert_with(|| {
            let digests: Vec<Digest> = people.iter().map(|index| seen[*index].digest).collect();
            history.spoken(&digests, candidate.sent, &answered)
        })
    };
    for roster in &rules.rosters {
        claims.extend(roster_claim(roster, candidate, &seen, rules, &mut weigh));
    }
    for query in &rules.queries {
        claims.extend(query_claim(query, candidate, &seen, rules, &mut weigh));
    }
    claims.sort_by(|a, b| {
        b.harm
            .cmp(&a.harm)
            .then(b.confidence.cmp(&a.confidence))
            .then(a.group.cmp(&b.group))
    });
    let best = claims.iter().map(|claim| claim.confidence).max()?;
    let bar = best.min(i32::from(rules.min_confidence));
    claims.retain(|claim| claim.confidence >= bar && claim.confidence > 0);
    if claims.is_empty() {
        return None;
    }
    for claim in &claims {
        for index in &claim.exposed {
            seen[*index].exposed = true;
        }
    }
    let harm = claims.iter().map(|claim| claim.harm).max()?;
    Some(Verdict {
        confidence: best.clamp(0, 99) as u8,
        severity: severity(harm, &seen),
        groups: groups(&claims),
        why: why(&claims),
        seen,
    })
}

/// The visible people whose own message this one answers.
fn answered(candidate: &Candidate, history: &History, rules: &Rules) -> Vec<Digest> {
    let mut out: Vec<Digest> = candidate
        .answers
        .iter()
        .filter_map(|id| history.author(Digest(*id)))
        .collect();
    out.extend(
        candidate
            .quoted_author
            .as_ref()
            .map(|address| rules.digester.address(address)),
    );
    out
}

fn roster_claim(
    roster: &Roster,
    candidate: &Candidate,
    seen: &[Seen],
    rules: &Rules,
    weigh: &mut impl FnMut(&[usize], &[Seen]) -> Spoken,
) -> Option<Claim> {
    let rows = |seen: &Seen| {
        seen.mailbox
            .address
            .as_ref()
            .and_then(|address| roster.entries.get(address))
    };
    let known: Vec<usize> = (0..seen.len())
        .filter(|index| exposable(&seen[*index], true) && rows(&seen[*index]).is_some())
        .collect();
    // Two mailboxes of one person, by the roster's own word, are one person.
    let people: BTreeSet<String> = known
        .iter()
        .filter_map(|index| rows(&seen[*index]).map(|rows| (index, rows)))
        .flat_map(|(index, rows)| {
            rows.iter().map(|row| {
                if row.person.is_empty() {
                    seen[*index].identity()
                } else {
                    format!("person:{}", fold(&row.person))
                }
            })
        })
        .collect();
    if people.len() < 2 {
        return None;
    }
    let labels: BTreeSet<&str> = known
        .iter()
        .filter_map(|index| rows(&seen[*index]))
        .flatten()
        .map(|row| row.group.as_str())
        .filter(|group| !group.is_empty())
        .collect();
    let group = if labels.is_empty() {
        roster.group.clone()
    } else {
        labels.into_iter().collect::<Vec<_>>().join(";")
    };
    let name = roster.group.trim_start_matches("roster:");
    let own = signal::who::signal(known.len(), 2, &format!("on the roster '{name}'"))?;
    let harm = rules
        .queries
        .iter()
        .find(|query| query.id == group)
        .map_or(Harm::High, |query| query.harm);
    let crowd = crowd(&known, seen, candidate);
    let common = vec![signal::shape::signal(
        &Crowd {
            only_organisation: None,
            ..crowd
        },
        false,
    )]
    .into_iter()
    .chain(signal::strangers::signal(weigh(&known, seen), true))
    .collect();
    Some(claim(
        group,
        format!("roster {name}"),
        harm,
        vec![own],
        common,
        known.into_iter().collect(),
    ))
}

fn query_claim(
    query: &Query,
    candidate: &Candidate,
    seen: &[Seen],
    rules: &Rules,
    weigh: &mut impl FnMut(&[usize], &[Seen]) -> Spoken,
) -> Option<Claim> {
    let known: Vec<usize> = (0..seen.len())
        .filter(|index| exposable(&seen[*index], true) && is_known(query, &seen[*index], rules))
        .collect();
    let found: Vec<&Found> = candidate
        .found
        .iter()
        .filter(|found| found.query == query.id)
        .collect();
    if known.is_empty() && found.is_empty() && !query.strangers {
        return None;
    }
    let people: Vec<usize> = (0..seen.len())
        .filter(|index| exposable(&seen[*index], query.insiders) || known.contains(index))
        .collect();
    if people.len() < query.at_least && !query.strangers {
        return None;
    }
    let crowd = crowd(&people, seen, candidate);
    let mut own = Vec::new();
    own.extend(signal::who::signal(
        known.len(),
        query.at_least,
        "known to be of this group by their addresses",
    ));
    own.extend(signal::about::signal(&found));
    let mass = if query.strangers {
        signal::shape::mass(&crowd, query.at_least)
    } else {
        None
    };
    if query.strangers && mass.is_none() {
        return None;
    }
    own.extend(mass);
    let certain = known.len() >= query.at_least;
    let shape = if certain {
        signal::shape::signal(
            &Crowd {
                only_organisation: None,
                ..crowd
            },
            false,
        )
    } else {
        signal::shape::signal(&crowd, !query.strangers)
    };
    let mut common = vec![shape];
    common.extend(signal::strangers::signal(weigh(&people, seen), certain));
    let exposed = if certain && found.is_empty() && !query.strangers {
        known
    } else {
        people
    };
    Some(claim(
        query.id.clone(),
        query.title.clone(),
        query.harm,
        own,
        common,
        exposed.into_iter().collect(),
    ))
}

fn claim(
    group: String,
    title: String,
    harm: Harm,
    own: Vec<Signal>,
    common: Vec<Signal>,
    exposed: BTreeSet<usize>,
) -> Claim {
    let confidence = own.iter().chain(&common).map(|signal| signal.weight).sum();
    Claim {
        group,
        title,
        harm,
        confidence,
        own,
        common,
        exposed,
    }
}

fn is_known(query: &Query, seen: &Seen, rules: &Rules) -> bool {
    let Some(address) = &seen.mailbox.address else {
        return false;
    };
    query
        .roster
        .as_ref()
        .is_some_and(|roster| roster.entries.contains_key(address))
        || (!query.addresses.is_empty()
            && rules
                .patterns
                .who(address.as_str())
                .iter()
                .any(|who| who.query == query.id))
}

fn crowd(people: &[usize], seen: &[Seen], candidate: &Candidate) -> Crowd {
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

/// Severity starts at the query's harm. A hundred people or more, some of whom can be named, are one step worse; fewer
/// than a dozen of whom nobody can be named, one step less.
fn severity(harm: Harm, seen: &[Seen]) -> Harm {
    let exposed = seen.iter().filter(|seen| seen.exposed).count();
    let named = seen
        .iter()
        .any(|seen| seen.exposed && seen.named_by > NamedBy::None);
    match (harm, named) {
        (Harm::Low, true) if exposed >= 100 => Harm::Medium,
        (Harm::Medium, true) if exposed >= 100 => Harm::High,
        (Harm::High, true) if exposed >= 100 => Harm::Critical,
        (Harm::Critical, false) if exposed < signal::shape::MASS => Harm::High,
        (Harm::High, false) if exposed < signal::shape::MASS => Harm::Medium,
        (Harm::Medium, false) if exposed < signal::shape::MASS => Harm::Low,
        (harm, _) => harm,
    }
}

fn groups(claims: &[Claim]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for group in claims.iter().flat_map(|claim| claim.group.split(';')) {
        if !out.iter().any(|known| known == group) {
            out.push(group.to_owned());
        }
    }
    out
}

/// Sentences: each group's own reasons, then what is said of the list as a whole.
fn why(claims: &[Claim]) -> String {
    let mut sentences = Vec::new();
    for claim in claims {
        let own: Vec<&str> = claim
            .own
            .iter()
            .map(|signal| signal.says.as_str())
            .collect();
        if !own.is_empty() {
            sentences.push(format!("{}: {}", claim.title, own.join("; ")));
        }
    }
    let common = claims
        .iter()
        .max_by_key(|claim| claim.exposed.len())
        .map(|claim| &claim.common);
    sentences.extend(
        common
            .into_iter()
            .flatten()
            .map(|signal| signal.says.clone()),
    );
    sentences
        .iter()
        .map(|sentence| format!("{}.", capital(sentence)))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A sentence with a capital letter.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
