//! How people are counted, step by step, so that the count adds up: appearances, less repeats, less lists, role addresses,
//! insiders and senders, less merged, plus shared. And what could raise it. Computed from the case once.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::Case;
use super::merged::Merged;
use super::people::People;
use crate::judgement::CUT;
use crate::person::merge::Reason;
use crate::person::{Kind, Relation};

/// The ladder from appearances to people, over the exposures that are reported and not dismissed and that expose somebody:
///
/// `appearances - repeats = addresses`, and
/// `addresses - lists - role_addresses - insiders - senders - not_exposed - merged + shared = people`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ladder {
    /// Visible recipients, each once a message.
    pub appearances: u64,
    /// Those that stood in an earlier message already.
    pub repeats: u64,
    /// Different addresses, and names without one.
    pub addresses: u64,
    /// Mailing lists.
    pub lists: u64,
    /// Role addresses.
    pub role_addresses: u64,
    /// Insiders who are not exposed.
    pub insiders: u64,
    /// Senders who are visible in their own messages, or in others'.
    pub senders: u64,
    /// Outsiders who are visible and not of the group.
    pub not_exposed: u64,
    /// Addresses of people who have another one too.
    pub merged: u64,
    /// The same by reason.
    pub merged_by_reason: BTreeMap<&'static str, u64>,
    /// People at shared addresses, but one for each of these.
    pub shared: u64,
    /// Addresses that several people share.
    pub shared_addresses: u64,
    /// People.
    pub people: u64,
}

/// Why the count of people is the least, and could rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AtLeast {
    /// List addresses among the visible recipients: their members are not known.
    pub lists: u64,
    /// Messages that could not be read.
    pub unread_messages: u64,
    /// Files or folders of which nobody knows how many messages could not be read.
    pub unread_files: u64,
    /// Exposures of which only the beginning was looked at.
    pub cut_messages: u64,
    /// Exposed recipients who are known by name only: one name may be several people.
    pub names_only: u64,
}

impl AtLeast {
    /// Whether nothing could raise the count.
    pub fn is_exact(&self) -> bool {
        *self == AtLeast::default()
    }
}

/// What one visible address is, over all messages.
#[derive(Default)]
struct Rung {
    people: usize,
    list: bool,
    role: bool,
    author: bool,
    insider: bool,
    addressed: bool,
}

impl Case {
    /// Counts people step by step, and what could raise the count.
    pub(super) fn ladder(
        &self,
        people: &People,
        merges: &[Merged],
    ) -> anyhow::Result<(Ladder, AtLeast)> {
        let ladder = climb(people, merges);
        let one = |sql: &str| -> anyhow::Result<u64> {
            let count: i64 = self.db.query_row(sql, [], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        };
        let unread = |message: u8| {
            one(&format!(
                "SELECT count(*) FROM unread JOIN reading ON reading.id = unread.reading_id WHERE reading.current = 1 AND message = {message}"
            ))
        };
        let at_least = AtLeast {
            lists: ladder.0.lists,
            unread_messages: unread(1)?,
            unread_files: unread(0)?,
            cut_messages: one(&format!(
                "SELECT count(*) FROM finding LEFT JOIN decision USING (exposure_id) WHERE reported = 1 AND exposed > 0 AND coalesce(decision.review, '') <> 'dismissed' AND instr(why, '{CUT}') > 0"
            ))?,
            names_only: ladder.1,
        };
        Ok((ladder.0, at_least))
    }
}

/// The ladder, and how many people are known by name only.
fn climb(people: &People, merges: &[Merged]) -> (Ladder, u64) {
    let mut out = Ladder::default();
    let mut rungs: FxHashMap<&str, Rung> = FxHashMap::default();
    let exposing = people
        .shown
        .iter()
        .filter(|shown| shown.seen.iter().any(|seen| seen.exposed));
    for seen in exposing.flat_map(|shown| &shown.seen) {
        if !seen.visible {
            continue;
        }
        out.appearances += 1;
        let rung = rungs.entry(&seen.identity).or_default();
        if seen.exposed {
            rung.people = rung.people.max(seen.ids().count());
        }
        rung.list |= seen.kind == Kind::List;
        rung.role |= seen.kind == Kind::RoleAddress;
        rung.author |= seen.author;
        rung.insider |= seen.relation == Relation::Insider;
        rung.addressed = seen.addressed;
    }
    out.addresses = rungs.len() as u64;
    out.repeats = out.appearances - out.addresses;
    let mut names_only = 0;
    for rung in rungs.values() {
        let step = match rung {
            Rung { people: 1.., .. } => {
                names_only += u64::from(!rung.addressed);
                out.shared += rung.people as u64 - 1;
                out.shared_addresses += u64::from(rung.people > 1);
                continue;
            }
            Rung { list: true, .. } => &mut out.lists,
            Rung { role: true, .. } => &mut out.role_addresses,
            Rung { author: true, .. } => &mut out.senders,
            Rung { insider: true, .. } => &mut out.insiders,
            _ => &mut out.not_exposed,
        };
        *step += 1;
    }
    out.people = people.people.len() as u64;
    let mut reasons: FxHashMap<&str, Vec<Reason>> = FxHashMap::default();
    for row in merges.iter().filter(|row| !row.keep_apart) {
        reasons.entry(&row.person_id).or_default().push(row.kind);
    }
    for person in people
        .people
        .iter()
        .filter(|person| person.appearances.len() > 1)
    {
        let mut identities: Vec<&str> = people
            .appearances(person)
            .map(|(_, seen)| &*seen.identity)
            .collect();
        identities.sort_unstable();
        identities.dedup();
        let more = identities.len() - 1;
        out.merged += more as u64;
        // What was merged by the people of a shared address, a roster said.
        let why = reasons.get(&*person.id).into_iter().flatten().copied();
        for reason in why.chain(std::iter::repeat(Reason::Roster)).take(more) {
            *out.merged_by_reason.entry(reason.as_str()).or_default() += 1;
        }
    }
    (out, names_only)
}
