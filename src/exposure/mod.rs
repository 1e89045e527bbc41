//! Signals to exposure: which groups a message exposes, how sure that is, how much it hurts, who stands in it. Pure: the
//! same candidate, history and rules give the same verdict.
//!
//! Confidence says how sure; severity says how much it hurts. They are never mixed.

mod claim;
mod inside;
mod seen;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use claim::{Breadth, Claim, claims};
pub use inside::may_show;
use seen::look;
pub use seen::{Fields, Seen, everybody, expose_shown, identity, longer};

use crate::history::{Digester, History};
use crate::message::Address;
use crate::message::inside::List;
use crate::message::recipients::{Field, Mailbox, Recipient};
use crate::person::{NamedBy, Organisation};
use crate::query::{Found, Harm, Patterns, Query, Roster, RosterEntry};
use crate::signal::{self, aftermath::Says, series::Sketch};

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
    /// Lists that stand inside it: quoted, attached, of an invitation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<List>,
    /// Texts of the List- fields.
    pub lists: Vec<String>,
    /// Phrases of queries.
    pub found: Vec<Found>,
    /// A greeting to nobody in particular.
    pub greeting: Option<String>,
    /// True where it speaks to people as several of a sort (`each of you`, `complainants`).
    pub several: bool,
    /// Digests of the recipients whom it greets by name, in order.
    pub greets: Vec<u64>,
    /// Digests of the Message-IDs that it answers.
    pub answers: Vec<u64>,
    /// Author of the message that it quotes.
    pub quoted_author: Option<Address>,
    /// What it says of an earlier mail.
    pub says: Says,
    /// By which nearly the same texts are known.
    pub sketch: Sketch,
    /// SHA-256 of the bytes as stored, lower-case hex.
    pub sha256: String,
    /// True where a person named it as an incident: then every list inside it belongs to that.
    pub named: bool,
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

    /// Adds what another stored copy of the same message kept: blind recipients, phrases, lists inside.
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
        if self.inside != other.inside {
            // A server may have taken an attachment out of one copy. In a fixed order, as copies come in any.
            let inside: BTreeSet<List> = self
                .inside
                .drain(..)
                .chain(other.inside.iter().cloned())
                .collect();
            self.inside = inside.into_iter().collect();
        }
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

    /// True where no roster and no query knows people by their addresses: then only what a message says, or a mass list
    /// of strangers, can speak for an exposure.
    pub fn by_words_alone(&self) -> bool {
        self.rosters.is_empty()
            && self
                .queries
                .iter()
                .all(|query| query.roster.is_none() && query.addresses.is_empty())
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
    /// Everybody who has the message, or is exposed by it: authors, visible, blind, who stands in lists inside.
    pub seen: Vec<Seen>,
}

impl Verdict {
    /// Adds a sentence to what it says.
    pub fn add(&mut self, says: &str) {
        if !self.why.is_empty() {
            self.why.push(' ');
        }
        self.why.push_str(&capital(says));
        self.why.push('.');
    }

    /// The exposed.
    pub fn exposed(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(|seen| seen.exposed)
    }
}

/// Judges one message on itself and on what its mailbox knew before it (the first pass of DESIGN section 2). `None`
/// where nothing speaks for an exposure.
pub fn judge(candidate: &Candidate, history: &History, rules: &Rules) -> Option<Verdict> {
    if shows_too_few(candidate, rules) {
        return None;
    }
    let looked = look(candidate, rules);
    let mut claims = claims(candidate, &looked, history, rules);
    claims.sort_by(|a, b| {
        b.harm
            .cmp(&a.harm)
            .then(b.confidence.cmp(&a.confidence))
            .then(a.group.cmp(&b.group))
    });
    let best = best(&claims)?;
    let bar = best.min(i32::from(rules.min_confidence));
    claims.retain(|claim| claim.confidence >= bar && claim.confidence > 0);
    let narrow = claims
        .iter()
        .filter(|claim| claim.breadth == Breadth::Narrow);
    let narrow = narrow.map(|claim| claim.confidence).max();
    claims.retain(|claim| {
        claim.breadth != Breadth::Broad || narrow.is_none_or(|narrow| narrow < claim.confidence)
    });
    let claims = joined(claims);
    let mut seen: Vec<Seen> = looked
        .iter()
        .map(|looked| looked.seen(&rules.digester))
        .collect();
    for claim in &claims {
        for index in &claim.exposed {
            seen[*index].exposed = true;
        }
    }
    // Of people in lists inside whom nothing exposes, nothing is kept.
    seen.retain(|seen| seen.exposed || seen.receives());
    let harm = claims.iter().map(|claim| claim.harm).max()?;
    Some(Verdict {
        confidence: best.clamp(0, 99) as u8,
        severity: severity(harm, &seen),
        groups: groups(&claims),
        why: why(&claims) + &where_inside(&seen),
        seen,
    })
}

/// One claim for each group: what it says of those who see one another, of those inside, and of all of them, joined. It
/// speaks of the largest.
fn joined(claims: Vec<Claim>) -> Vec<Claim> {
    let mut out: Vec<Claim> = Vec::with_capacity(claims.len());
    for mut claim in claims {
        let same = |known: &&mut Claim| known.group == claim.group && known.title == claim.title;
        let Some(known) = out.iter_mut().find(same) else {
            out.push(claim);
            continue;
        };
        if claim.exposed.len() > known.exposed.len() {
            std::mem::swap(known, &mut claim);
        }
        known.confidence = known.confidence.max(claim.confidence);
        known.exposed.extend(claim.exposed);
    }
    out
}

/// Sentences on the exposed who stand in no header field: where they stand.
fn where_inside(seen: &[Seen]) -> String {
    let mut out = String::new();
    let mut inside: Vec<&Seen> = seen
        .iter()
        .filter(|seen| seen.exposed && !seen.visible)
        .collect();
    for (field, place) in [
        (Field::Quoted, "in the list of a quoted message"),
        (Field::Attached, "in an attached message or contacts"),
        (Field::Calendar, "as attendees of an invitation"),
    ] {
        let before = inside.len();
        inside.retain(|seen| !seen.fields.iter().any(|other| other == field));
        match before - inside.len() {
            0 => {}
            1 => out.push_str(&format!(" 1 person stands only {place}.")),
            more => out.push_str(&format!(" {} stand only {place}.", signal::people(more))),
        }
    }
    out
}

/// Whether a message can be a finding that the case keeps, whatever history will tell: the same as [`judge`] without any
/// history, but nothing is put into words.
pub fn may_be_kept(candidate: &Candidate, rules: &Rules) -> bool {
    if shows_too_few(candidate, rules) {
        return false;
    }
    let looked = look(candidate, rules);
    best(&claims(candidate, &looked, &History::default(), rules))
        .is_some_and(|best| best.clamp(0, 99) >= i32::from(rules.kept_from()))
}

/// The highest confidence, where it is above nothing.
fn best(claims: &[Claim]) -> Option<i32> {
    let best = claims.iter().map(|claim| claim.confidence).max();
    best.filter(|best| *best > 0)
}

/// Whether a message can be told to be no finding by the length of its list alone, as nearly every one can: no phrase was
/// found, no roster or address says who is of a group, and it shows fewer people than a list of strangers must have.
fn shows_too_few(candidate: &Candidate, rules: &Rules) -> bool {
    let visible = candidate
        .recipients
        .iter()
        .filter(|recipient| recipient.field.is_visible())
        .map(|recipient| &recipient.mailbox);
    let inside = candidate.inside.iter().flat_map(|list| &list.recipients);
    // Each counts for at most one mailbox; a second mention of somebody only makes this more careful.
    let too_few = visible
        .chain(inside)
        .nth(signal::shape::FEWEST - 1)
        .is_none();
    too_few && candidate.found.is_empty() && rules.by_words_alone()
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

#[cfg(test)]
#[path = "bound_tests.rs"]
mod tests;
