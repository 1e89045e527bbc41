//! Which person an exposed mailbox is. Rosters are asked first: they can say that several mailboxes are one person, or that
//! one mailbox is several people. Then `person` says what goes together by itself; what an officer keeps apart stays apart.
//! Ids are given by `ids`; why people are merged is kept by `merged`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::Case;
use super::merged::Link;
use super::rosters::{Rosters, by_roster};
use crate::exposure::{Rules, Seen};
use crate::judgement::Finding;
use crate::person::merge::{Known, Merge, Reason, merges};
use crate::person::{Relation, shared};
use crate::query::RosterEntry;

/// Person ids by identity; several where one mailbox is several people.
pub(super) type PersonIds = FxHashMap<String, Vec<String>>;

/// How many names of one address are looked at.
const MOST_NAMES: usize = 32;

/// An exposed mailbox.
pub(super) struct Exposed<'a> {
    pub(super) identity: Cow<'a, str>,
    pub(super) seen: &'a Seen,
    /// Every name that was shown with it, in order.
    pub(super) names: Vec<&'a str>,
}

/// One person: their mailboxes, and what is known of them.
#[derive(Default)]
pub(super) struct Unit<'a> {
    /// Mailboxes of this person alone, in order.
    pub(super) own: Vec<usize>,
    /// Mailboxes that others share.
    pub(super) shared: Vec<usize>,
    /// What rosters say.
    rows: Vec<&'a RosterEntry>,
    /// What an id is made from where no mailbox is this person's alone: each form of it.
    pub(super) keys: Vec<String>,
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

    fn note_shared(&self, id: &str, name: &str) -> anyhow::Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO follow_up (person_id, name, shared) VALUES (?1, ?2, 1)
                 ON CONFLICT DO UPDATE SET name = excluded.name, shared = 1",
            )?
            .execute([id, name])?;
        Ok(())
    }
}

/// Every exposed person's mailbox of the reported findings, in order.
fn exposed(findings: &[Finding]) -> Vec<Exposed<'_>> {
    let mut by: FxHashMap<Cow<'_, str>, (&Seen, Vec<&str>)> = FxHashMap::default();
    let reported = findings.iter().filter(|finding| finding.reported);
    let seen = reported.flat_map(|finding| finding.verdict.exposed());
    for seen in seen.filter(|seen| seen.person) {
        let name = seen.mailbox.name.as_str();
        // Room for one: nearly everybody has one name.
        let new = || (seen, Vec::with_capacity(1));
        let (_, names) = by.entry(seen.identity()).or_insert_with(new);
        if !name.is_empty() && names.len() < MOST_NAMES && !names.contains(&name) {
            names.push(name);
        }
    }
    let mut out: Vec<Exposed<'_>> = by
        .into_iter()
        .map(|(identity, (seen, names))| Exposed {
            identity,
            seen,
            names,
        })
        .collect();
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
            shown: &one.names,
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
    for (at, one) in exposed.iter().enumerate() {
        if let Some(people) = several.remove(&at) {
            let key = |key: &String| format!("{}\u{1f}{key}", one.identity);
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
