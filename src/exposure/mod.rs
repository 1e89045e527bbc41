//! Signals to exposure: which groups a message exposes, how sure that is, how much it hurts, who stands in it. Pure: the
//! same candidate, history and rules give the same verdict.
//!
//! Confidence says how sure; severity says how much it hurts. They are never mixed.

mod seen;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use seen::{Seen, everybody, identity, longer, visible};
use seen::{crowd, exposable};

use crate::history::{Digest, Digester, History, Spoken};
use crate::message::Address;
use crate::message::recipients::{Field, Mailbox, Recipient};
use crate::person::{NamedBy, Organisation};
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
            .filter_map(move |roster| roster.rows(address).map(|rows| (roster, rows)))
            .flat_map(|(roster, rows)| rows.iter().map(move |row| (roster, row)))
    }

    /// Below this a finding leaves the case.
    pub fn kept_from(&self) -> u8 {
        KEPT_FROM.min(self.min_confidence)
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

/// What history knows of some people.
#[derive(Clone, Copy)]
struct Heard {
    /// Pairs of whom one wrote to the other.
    own: Spoken,
    /// Those, and pairs in view of whom one was answered.
    all: Spoken,
    /// Whether the message answers one of them.
    answered: bool,
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
    let mut spoken: BTreeMap<Vec<usize>, Heard> = BTreeMap::new();
    let answered = answered(candidate, history, rules);
    let mut weigh = |people: &[usize], seen: &[Seen]| {
        *spoken.entry(people.to_vec()).or_insert_with(|| {
            let digests: Vec<Digest> = people.iter().map(|index| seen[*index].digest).collect();
            Heard {
                own: history.spoken(&digests, candidate.sent, None),
                all: history.spoken(&digests, candidate.sent, Some(&answered)),
                answered: digests.iter().any(|digest| answered.contains(digest)),
            }
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
    weigh: &mut impl FnMut(&[usize], &[Seen]) -> Heard,
) -> Option<Claim> {
    let rows = |seen: &Seen| {
        seen.mailbox
            .address
            .as_ref()
            .and_then(|address| roster.rows(address))
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
    let heard = weigh(&known, seen);
    let common = vec![signal::shape::signal(
        &Crowd {
            only_organisation: None,
            ..crowd
        },
        false,
    )]
    .into_iter()
    .chain(signal::strangers::signal(heard.own, true, heard.answered))
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
    weigh: &mut impl FnMut(&[usize], &[Seen]) -> Heard,
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
    let heard = weigh(&people, seen);
    // A bland list is a circle of friends where they are answered in the open; a list of victims is none for that.
    common.extend(if query.strangers {
        signal::strangers::signal(heard.all, false, false)
    } else {
        signal::strangers::signal(heard.own, certain, heard.answered)
    });
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
        .is_some_and(|roster| roster.rows(address).is_some())
        || (!query.addresses.is_empty()
            && rules
                .patterns
                .who(address.as_str())
                .iter()
                .any(|who| who.query == query.id))
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
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
