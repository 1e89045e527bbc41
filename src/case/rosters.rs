//! What rosters say of exposed mailboxes: that several are one person, or that one is several people; and what to know
//! before somebody is contacted. Not the reading of a roster: that is `query`.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::Case;
use super::identity::Exposed;
use crate::exposure::{Rules, Seen};
use crate::query::RosterEntry;
use crate::query::pattern::fold;

impl Case {
    /// Keeps what rosters say of a person.
    pub(super) fn note_roster(
        &self,
        id: &str,
        rows: &[&RosterEntry],
        shared: bool,
    ) -> anyhow::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let first = |of: fn(&RosterEntry) -> &String| {
            rows.iter()
                .map(|row| of(row))
                .find(|text| !text.is_empty())
                .cloned()
                .unwrap_or_default()
        };
        let mut notes = first(|row| &row.contact_note);
        let safe = first(|row| &row.safe_address);
        if !safe.is_empty() {
            notes = [format!("write to {safe}"), notes]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
        }
        self.db
            .prepare_cached(
                "INSERT INTO follow_up (person_id, name, shared, roster_contact, roster_notes) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET name = excluded.name, shared = excluded.shared, roster_contact = excluded.roster_contact, roster_notes = excluded.roster_notes",
            )?
            .execute(params![id, first(|row| &row.name), shared, first(|row| &row.contact), notes])?;
        Ok(())
    }
}

/// What rosters say.
#[derive(Default)]
pub(super) struct Rosters<'a> {
    /// What they say of each identity; empty where there is no roster.
    of: Vec<Named<'a>>,
    /// For each person that a roster names by `person` or by one of several names: the identities, in order.
    pub(super) persons: BTreeMap<String, Vec<usize>>,
}

impl<'a> Rosters<'a> {
    /// Every row for an identity.
    pub(super) fn rows(&self, at: usize) -> impl Iterator<Item = &'a RosterEntry> + '_ {
        let named = self.of.get(at).into_iter();
        named
            .flat_map(|named| named.people.values())
            .flatten()
            .copied()
    }

    /// The people behind an identity, by key, each with their rows.
    pub(super) fn people(&self, at: usize) -> impl Iterator<Item = (&str, &[&'a RosterEntry])> {
        let named = self.of.get(at).into_iter();
        let people = named.flat_map(|named| &named.people);
        people.map(|(key, rows)| (key.as_str(), rows.as_slice()))
    }

    /// Whether one roster sees several people behind an identity.
    pub(super) fn shared(&self, at: usize) -> bool {
        self.of.get(at).is_some_and(|named| named.shared)
    }
}

/// Asks the rosters about every identity.
pub(super) fn by_roster<'a>(exposed: &[Exposed<'a>], rules: &'a Rules) -> Rosters<'a> {
    if rules.rosters.is_empty() {
        return Rosters::default();
    }
    let mut out = Rosters::default();
    for (at, one) in exposed.iter().enumerate() {
        let named = named(&one.identity, one.seen, rules);
        for key in named.people.keys().filter(|key| **key != *one.identity) {
            out.persons.entry(key.clone()).or_default().push(at);
        }
        out.of.push(named);
    }
    out
}

/// What rosters say of one mailbox.
#[derive(Default)]
struct Named<'a> {
    /// The people behind it, each by a key that tells them apart; without any, the mailbox itself.
    people: BTreeMap<String, Vec<&'a RosterEntry>>,
    /// True where one roster names several.
    shared: bool,
}

fn named<'a>(identity: &str, seen: &'a Seen, rules: &'a Rules) -> Named<'a> {
    let mut out = Named::default();
    let mut of_roster: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let address = seen.mailbox.address.iter();
    for (roster, row) in address.flat_map(|address| rules.on_rosters(address)) {
        let key = match (row.person.as_str(), row.name.as_str()) {
            ("", "") => identity.to_owned(),
            ("", name) => format!("{identity}\u{1f}{}", fold(name).trim()),
            (person, _) => format!("{}\u{1f}{}", roster.group, fold(person).trim()),
        };
        if key != identity {
            of_roster
                .entry(&roster.group)
                .or_default()
                .insert(key.clone());
        }
        out.people.entry(key).or_default().push(row);
    }
    out.shared = of_roster.values().any(|keys| keys.len() > 1);
    // A row that names nobody, and one name on a mailbox, say nothing that the mailbox does not; neither do two rosters that
    // write one person in two ways.
    let of_mailbox = |key: &str| key.starts_with(identity);
    let nobody = out.people.remove(identity);
    if !out.shared && out.people.keys().all(|key| of_mailbox(key)) {
        let rows = std::mem::take(&mut out.people).into_values().flatten();
        let rows = rows.chain(nobody.into_iter().flatten()).collect();
        out.people.insert(identity.to_owned(), rows);
    } else {
        if !out.shared {
            let names: Vec<String> = out
                .people
                .keys()
                .filter(|key| of_mailbox(key))
                .cloned()
                .collect();
            let rows: Vec<&RosterEntry> = names
                .iter()
                .filter_map(|name| out.people.remove(name))
                .flatten()
                .collect();
            out.people
                .values_mut()
                .next()
                .into_iter()
                .for_each(|all| all.extend(&rows));
        }
        let rows = nobody.unwrap_or_default();
        out.people.values_mut().for_each(|all| all.extend(&rows));
    }
    out
}
