//! Which person an exposed mailbox is. Rosters are asked first: they can say that several mailboxes are one person, or that
//! one mailbox is several people. Then `person` says what goes together by itself; what an officer keeps apart stays apart.
//! Here people get their ids; why they are merged is kept by `merged`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Case;
use super::merged::Link;
use crate::exposure::{Rules, Seen};
use crate::judgement::Finding;
use crate::person::merge::{Known, Merge, Reason, merges};
use crate::person::{Relation, person_id, shared};
use crate::query::RosterEntry;
use crate::query::pattern::fold;

/// Person ids by identity; several where one mailbox is several people.
pub(super) type PersonIds = FxHashMap<String, Vec<String>>;

/// How many names of one address are looked at.
const MOST_NAMES: usize = 32;

/// An exposed mailbox, with every name that was shown with it.
struct Exposed<'a> {
    identity: Cow<'a, str>,
    seen: &'a Seen,
    names: Vec<&'a str>,
}

/// One person: their mailboxes, and what is known of them.
#[derive(Default)]
struct Unit<'a> {
    /// Mailboxes of this person alone, in order.
    own: Vec<usize>,
    /// Mailboxes that others share.
    shared: Vec<usize>,
    /// What rosters say.
    rows: Vec<&'a RosterEntry>,
    /// What an id is made from where no mailbox is this person's alone: each form of it.
    keys: Vec<String>,
    /// The name, where it is one of several on a mailbox.
    name: String,
}

/// Mailboxes joined into people.
struct United<'a> {
    units: Vec<Unit<'a>>,
    links: Vec<Link>,
}

impl Case {
    /// Gives each exposed identity its person or people; an id that the case knows stays.
    pub(super) fn unite(&self, findings: &[Finding], rules: &Rules) -> anyhow::Result<PersonIds> {
        let exposed = exposed(findings);
        let apart = self.apart()?;
        let known = self.known_ids(&exposed)?;
        let united = unite(&exposed, findings, rules, &apart);
        let ids = self.give_ids(&exposed, &united.units, &known)?;
        let mut out: Vec<Vec<&str>> = vec![Vec::new(); exposed.len()];
        for (unit, id) in united.units.iter().zip(&ids) {
            for at in unit.own.iter().chain(&unit.shared) {
                out[*at].push(id);
            }
            self.note_roster(id, &unit.rows, !unit.shared.is_empty())?;
            if !unit.name.is_empty() {
                self.note_shared(id, &unit.name)?;
            }
        }
        let mut insert = self.db.prepare("INSERT INTO identity (identity, person_id) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET person_id = excluded.person_id")?;
        for ((exposed, ids), known) in exposed.iter().zip(&mut out).zip(&known) {
            ids.sort_unstable();
            ids.dedup();
            match (&ids[..], known) {
                ([only], Some(known)) if *only == known => {}
                _ => drop(insert.execute([&*exposed.identity, &ids.join(";")])?),
            }
        }
        let people = |address: &str| -> Vec<&str> {
            let at = exposed.binary_search_by(|one| (*one.identity).cmp(address));
            at.map(|at| out[at].clone()).unwrap_or_default()
        };
        self.note_merged(&united.links, &people)?;
        let owned = |ids: &Vec<&str>| ids.iter().map(|id| (*id).to_owned()).collect();
        Ok(exposed
            .iter()
            .zip(&out)
            .map(|(exposed, ids)| (exposed.identity.clone().into_owned(), owned(ids)))
            .collect())
    }

    /// The ids that the case knows, for each identity; both are in order.
    fn known_ids(&self, exposed: &[Exposed<'_>]) -> anyhow::Result<Vec<Option<String>>> {
        let mut statement = self
            .db
            .prepare("SELECT identity, person_id FROM identity ORDER BY identity")?;
        let mut rows = statement.query([])?;
        let mut row = rows.next()?;
        let mut out = Vec::with_capacity(exposed.len());
        for one in exposed {
            let mut known = None;
            while let Some(next) = row {
                match next.get_ref(0)?.as_str()?.cmp(&one.identity) {
                    Ordering::Less => row = rows.next()?,
                    Ordering::Equal => {
                        known = Some(next.get_ref(1)?.as_str()?.to_owned());
                        break;
                    }
                    Ordering::Greater => break,
                }
            }
            out.push(known);
        }
        Ok(out)
    }

    /// The id of each person: the one that the case knows for one of their mailboxes, else made from the first. What an
    /// officer wrote goes with it.
    fn give_ids(
        &self,
        exposed: &[Exposed<'_>],
        units: &[Unit<'_>],
        known: &[Option<String>],
    ) -> anyhow::Result<Vec<String>> {
        let holders = holders(exposed, units, known);
        let mut ids: Vec<String> = Vec::with_capacity(units.len());
        let mut taken: FxHashSet<String> = FxHashSet::default();
        let mut moved: Vec<(String, usize)> = Vec::new();
        let mut fresh = Vec::new();
        for (index, unit) in units.iter().enumerate() {
            let held: BTreeSet<&str> = alone(unit, known)
                .filter(|id| holders.get(id) == Some(&index))
                .collect();
            let mut held = held.into_iter();
            let id = match held.next() {
                Some(id) => id.to_owned(),
                None => {
                    fresh.push(index);
                    let mut id = new_id(exposed, unit, known);
                    while holders.contains_key(id.as_str()) || taken.contains(&id) {
                        id = person_id(Some(&id), "");
                    }
                    id
                }
            };
            moved.extend(held.map(|other| (other.to_owned(), index)));
            taken.insert(id.clone());
            ids.push(id);
        }
        for (other, index) in moved {
            self.absorb(&other, &ids[index])?;
        }
        if self.any_absorbed()? {
            for index in fresh {
                self.revive(&ids[index])?;
            }
        }
        self.follow_shared(units, known, &ids, &taken)?;
        Ok(ids)
    }

    /// Where a mailbox turned out to be shared, or to be shared no more, what an officer wrote about it goes to its people.
    fn follow_shared(
        &self,
        units: &[Unit<'_>],
        known: &[Option<String>],
        ids: &[String],
        taken: &FxHashSet<String>,
    ) -> anyhow::Result<()> {
        for (unit, id) in units.iter().zip(ids) {
            let was = unit.shared.iter().filter_map(|at| known[*at].as_deref());
            for old in was.filter(|old| !old.contains(';') && !taken.contains(*old)) {
                self.hand_on(old, id)?;
            }
            let was = unit.own.iter().filter_map(|at| known[*at].as_deref());
            for old in was
                .filter(|old| old.contains(';'))
                .flat_map(|old| old.split(';'))
            {
                if !taken.contains(old) {
                    self.absorb(old, id)?;
                }
            }
        }
        Ok(())
    }

    fn note_shared(&self, id: &str, name: &str) -> anyhow::Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO follow_up (person_id, name, shared) VALUES (?1, ?2, 1)
                 ON CONFLICT DO UPDATE SET name = excluded.name, shared = 1",
            )?
            .execute([id, name])?;
        Ok(())
    }

    fn note_roster(&self, id: &str, rows: &[&RosterEntry], shared: bool) -> anyhow::Result<()> {
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

/// Every exposed person's mailbox of the reported findings, in order.
fn exposed(findings: &[Finding]) -> Vec<Exposed<'_>> {
    let mut by: FxHashMap<Cow<'_, str>, Exposed<'_>> = FxHashMap::default();
    let reported = findings.iter().filter(|finding| finding.reported);
    let seen = reported.flat_map(|finding| finding.verdict.exposed());
    for seen in seen.filter(|seen| seen.person) {
        let identity = seen.identity();
        let one = by.entry(identity.clone()).or_insert_with(|| Exposed {
            identity,
            seen,
            names: Vec::new(),
        });
        let name = seen.mailbox.name.as_str();
        if !name.is_empty() && one.names.len() < MOST_NAMES && !one.names.contains(&name) {
            one.names.push(name);
        }
    }
    let mut out: Vec<Exposed<'_>> = by.into_values().collect();
    out.sort_unstable_by(|a, b| a.identity.cmp(&b.identity));
    // What is looked at first decides nothing.
    out.iter_mut().for_each(|one| one.names.sort_unstable());
    out
}

/// Sets of mailboxes that are one person each.
struct Sets<'a> {
    parent: Vec<usize>,
    /// Mailboxes that an officer keeps apart.
    apart: Vec<(usize, usize)>,
    /// Who a set is by the word of rosters: roster and person, by root.
    persons: FxHashMap<usize, BTreeSet<&'a str>>,
}

impl Sets<'_> {
    fn root(&self, mut at: usize) -> usize {
        while self.parent[at] != at {
            at = self.parent[at];
        }
        at
    }

    /// Joins two sets, unless an officer keeps somebody of one apart from somebody of the other.
    fn join(&mut self, one: usize, other: usize) -> bool {
        let (a, b) = (self.root(one), self.root(other));
        let kept = self.apart.iter().any(|(x, y)| {
            let (x, y) = (self.root(*x), self.root(*y));
            (x, y) == (a, b) || (y, x) == (a, b)
        });
        if a == b || kept {
            return false;
        }
        self.parent[a.max(b)] = a.min(b);
        if let Some(persons) = self.persons.remove(&a.max(b)) {
            self.persons.entry(a.min(b)).or_default().extend(persons);
        }
        true
    }

    /// Whether one roster says that two sets are two people.
    fn are_two(&self, one: usize, other: usize) -> bool {
        let persons = |at| self.persons.get(&self.root(at));
        let roster = |key: &str| key.split('\u{1f}').next().map(str::to_owned);
        persons(one)
            .zip(persons(other))
            .is_some_and(|(mine, theirs)| {
                mine.iter().any(|a| {
                    let same_roster = |b: &&&str| roster(a) == roster(b);
                    theirs.iter().filter(same_roster).any(|b| a != b)
                })
            })
    }
}

/// Joins mailboxes into people: by roster, by what `person::merge` finds, but for what is kept `apart`.
fn unite<'a>(
    exposed: &'a [Exposed<'a>],
    findings: &[Finding],
    rules: &'a Rules,
    apart: &[(String, String)],
) -> United<'a> {
    let place = |address: &str| exposed.binary_search_by(|one| (*one.identity).cmp(address));
    let rosters = by_roster(exposed, rules);
    let mut sets = Sets {
        parent: (0..exposed.len()).collect(),
        apart: apart
            .iter()
            .filter_map(|(one, other)| place(one).ok().zip(place(other).ok()))
            .collect(),
        persons: FxHashMap::default(),
    };
    for (key, members) in &rosters.persons {
        for at in members.iter().filter(|at| !rosters.shared(**at)) {
            sets.persons.entry(*at).or_default().insert(key);
        }
    }
    let mut links = Vec::new();
    let link = |address: usize, with: usize, reason, says| Link {
        address: exposed[address].identity.clone().into_owned(),
        with: exposed[with].identity.clone().into_owned(),
        reason,
        says,
    };
    for (key, members) in &rosters.persons {
        let roster = key.split('\u{1f}').next().unwrap_or_default();
        let says = format!(
            "the roster '{}' says so",
            roster.trim_start_matches("roster:")
        );
        let mut own = members.iter().filter(|at| !rosters.shared(**at));
        let first = own.next();
        for at in own {
            if let Some(first) = first.filter(|first| sets.join(**first, *at)) {
                links.push(link(*at, *first, Reason::Roster, says.clone()));
            }
        }
    }
    let several = several(exposed, &rosters);
    for merge in proposed(exposed, findings, &rosters, &several) {
        let (at, with) = (merge.address, merge.with);
        if !sets.are_two(at, with) && sets.join(at, with) {
            links.push(link(at, with, merge.reason, merge.says));
        }
    }
    United {
        units: units(exposed, &rosters, several, &sets),
        links,
    }
}

/// What rosters say.
#[derive(Default)]
struct Rosters<'a> {
    /// What they say of each identity; empty where there is no roster.
    of: Vec<Named<'a>>,
    /// For each person that a roster names by `person` or by one of several names: the identities, in order.
    persons: BTreeMap<String, Vec<usize>>,
}

impl<'a> Rosters<'a> {
    fn rows(&self, at: usize) -> impl Iterator<Item = &'a RosterEntry> + '_ {
        let named = self.of.get(at).into_iter();
        named
            .flat_map(|named| named.people.values())
            .flatten()
            .copied()
    }

    fn people(&self, at: usize) -> impl Iterator<Item = (&str, &[&'a RosterEntry])> {
        let named = self.of.get(at).into_iter();
        let people = named.flat_map(|named| &named.people);
        people.map(|(key, rows)| (key.as_str(), rows.as_slice()))
    }

    /// Whether one roster sees several people behind an identity.
    fn shared(&self, at: usize) -> bool {
        self.of.get(at).is_some_and(|named| named.shared)
    }
}

fn by_roster<'a>(exposed: &[Exposed<'a>], rules: &'a Rules) -> Rosters<'a> {
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

/// For each identity the people at it by the names that were shown, where these are several and no roster names anybody.
fn several(exposed: &[Exposed<'_>], rosters: &Rosters<'_>) -> FxHashMap<usize, Vec<shared::One>> {
    let mut out = FxHashMap::default();
    for (at, one) in exposed.iter().enumerate() {
        let named = rosters
            .rows(at)
            .any(|row| !(row.name.is_empty() && row.person.is_empty()));
        let people = match (&one.seen.mailbox.address, named) {
            (Some(address), false) => shared::people(address.as_str(), &one.names),
            _ => Vec::new(),
        };
        if !people.is_empty() {
            out.insert(at, people);
        }
    }
    out
}

/// The merges that the addresses and names speak for, by index of the identities.
fn proposed(
    exposed: &[Exposed<'_>],
    findings: &[Finding],
    rosters: &Rosters<'_>,
    several: &FxHashMap<usize, Vec<shared::One>>,
) -> Vec<Merge> {
    let mut places = Vec::with_capacity(exposed.len());
    let mut all = Vec::with_capacity(exposed.len());
    for (at, one) in exposed.iter().enumerate() {
        let Some(address) = &one.seen.mailbox.address else {
            continue;
        };
        places.push(at);
        all.push(Known {
            address: address.as_str(),
            shown: one.names.clone(),
            inside: one.seen.relation == Relation::Insider,
            roster_name: rosters
                .rows(at)
                .map(|row| row.name.as_str())
                .find(|name| !name.is_empty()),
            shared: rosters.shared(at) || several.contains_key(&at),
        });
    }
    let mut out = merges(&all);
    let doubtful: Vec<(&str, &str)> = out
        .iter()
        .map(|merge| match merge.unless_together {
            true => (all[merge.address].address, all[merge.with].address),
            false => ("", ""),
        })
        .collect();
    let mut together = together(findings, &doubtful).into_iter();
    out.retain(|_| !together.next().unwrap_or(false));
    for merge in &mut out {
        (merge.address, merge.with) = (places[merge.address], places[merge.with]);
    }
    out
}

/// For each pair of addresses whether one reported message shows both. Pairs of nobody are told by empty addresses.
fn together(findings: &[Finding], pairs: &[(&str, &str)]) -> Vec<bool> {
    let mut out = vec![false; pairs.len()];
    let mut at: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (index, (one, other)) in pairs.iter().enumerate().filter(|(_, p)| !p.0.is_empty()) {
        at.entry(one).or_default().push(index);
        at.entry(other).or_default().push(index);
    }
    if at.is_empty() {
        return out;
    }
    let mut last = vec![usize::MAX; pairs.len()];
    let reported = findings.iter().filter(|finding| finding.reported);
    for (number, finding) in reported.enumerate() {
        let visible = finding.verdict.seen.iter().filter(|seen| seen.visible);
        for address in visible.filter_map(|seen| seen.mailbox.address.as_ref()) {
            for index in at.get(address.as_str()).into_iter().flatten() {
                out[*index] |= last[*index] == number;
                last[*index] = number;
            }
        }
    }
    out
}

/// The people: sets of mailboxes, and those behind shared ones.
fn units<'a>(
    exposed: &[Exposed<'a>],
    rosters: &Rosters<'a>,
    mut several: FxHashMap<usize, Vec<shared::One>>,
    sets: &Sets<'_>,
) -> Vec<Unit<'a>> {
    let mut out: Vec<Unit<'a>> = Vec::with_capacity(exposed.len());
    let mut of_root: FxHashMap<usize, usize> = FxHashMap::default();
    let mut of_key: BTreeMap<&str, usize> = BTreeMap::new();
    for at in 0..exposed.len() {
        if let Some(people) = several.remove(&at) {
            let key = |key: &String| format!("{}\u{1f}{key}", exposed[at].identity);
            out.extend(people.into_iter().map(|one| Unit {
                shared: vec![at],
                keys: one.keys.iter().map(key).collect(),
                name: one.name,
                rows: rosters.rows(at).collect(),
                ..Unit::default()
            }));
        } else if !rosters.shared(at) {
            let unit = *of_root.entry(sets.root(at)).or_insert(out.len());
            if unit == out.len() {
                out.push(Unit::default());
            }
            out[unit].own.push(at);
            out[unit].rows.extend(rosters.rows(at));
            for (key, _) in rosters.people(at) {
                of_key.entry(key).or_insert(unit);
            }
        }
    }
    for at in (0..exposed.len()).filter(|at| rosters.shared(*at)) {
        for (key, rows) in rosters.people(at) {
            let unit = *of_key.entry(key).or_insert(out.len());
            if unit == out.len() {
                out.push(Unit {
                    keys: vec![key.to_owned()],
                    ..Unit::default()
                });
            }
            out[unit].shared.push(at);
            out[unit].rows.extend(rows);
        }
    }
    out
}

/// The ids that the case knows for the mailboxes that are a person's alone.
fn alone<'k>(unit: &Unit<'_>, known: &'k [Option<String>]) -> impl Iterator<Item = &'k str> {
    let own: Vec<&str> = unit
        .own
        .iter()
        .filter_map(|at| known[*at].as_deref())
        .filter(|id| !id.contains(';'))
        .collect();
    own.into_iter()
}

/// Who keeps each known id. Where people were split, it is whoever has the mailbox that the id was made from, or the first.
fn holders<'k>(
    exposed: &[Exposed<'_>],
    units: &[Unit<'_>],
    known: &'k [Option<String>],
) -> FxHashMap<&'k str, usize> {
    let mut out: FxHashMap<&str, usize> = FxHashMap::default();
    for (index, unit) in units.iter().enumerate() {
        for id in alone(unit, known) {
            let holder = *out.entry(id).or_insert(index);
            let made = |unit: &Unit<'_>| {
                let mut own = unit.own.iter();
                own.any(|at| natural_id(&exposed[*at].identity) == id)
            };
            if holder != index && !made(&units[holder]) && made(unit) {
                out.insert(id, index);
            }
        }
    }
    out
}

/// The id that is made from an identity.
pub(super) fn natural_id(identity: &str) -> String {
    match identity.strip_prefix("name:") {
        Some(name) => person_id(None, name),
        None => person_id(Some(identity), ""),
    }
}

/// An id made from the first address, from the name where there is none, or from what tells somebody apart at a shared
/// mailbox; there an id that the mailbox had stays.
fn new_id(exposed: &[Exposed<'_>], unit: &Unit<'_>, known: &[Option<String>]) -> String {
    let identity = |at: &usize| &*exposed[*at].identity;
    let mut own = unit.own.iter();
    if let Some(first) = own
        .find(|at| !identity(at).starts_with("name:"))
        .or(unit.own.first())
    {
        return natural_id(identity(first));
    }
    let made: Vec<String> = unit
        .keys
        .iter()
        .map(|key| person_id(Some(key), ""))
        .collect();
    let had = |id: &&String| {
        let mut shared = unit.shared.iter().filter_map(|at| known[*at].as_deref());
        shared.any(|known| known.split(';').any(|known| known == id.as_str()))
    };
    made.iter()
        .find(had)
        .or(made.first())
        .cloned()
        .unwrap_or_default()
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
