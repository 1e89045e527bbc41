//! Which person an exposed mailbox is. A roster can say that several mailboxes are one person, or that one mailbox is
//! several people. Nothing else joins people: a name alone never does.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;
use rustc_hash::FxHashMap;

use super::Case;
use crate::exposure::{Rules, Seen};
use crate::judgement::Finding;
use crate::person::person_id;
use crate::query::RosterEntry;
use crate::query::pattern::fold;

/// Person ids by identity; several where one mailbox is several people.
pub(super) type PersonIds = FxHashMap<String, Vec<String>>;

/// Mailboxes that are one person, and what rosters say of that person.
#[derive(Default)]
struct Union<'a> {
    identities: BTreeSet<&'a str>,
    rows: Vec<&'a RosterEntry>,
}

impl Case {
    /// Gives each exposed identity its person or people; an id that the case knows stays.
    pub(super) fn unite(&self, findings: &[Finding], rules: &Rules) -> anyhow::Result<PersonIds> {
        let exposed: FxHashMap<Cow<'_, str>, &Seen> = findings
            .iter()
            .filter(|finding| finding.reported)
            .flat_map(|finding| finding.verdict.exposed())
            .filter(|seen| seen.person)
            .map(|seen| (seen.identity(), seen))
            .collect();
        let mut exposed: Vec<(Cow<'_, str>, &Seen)> = exposed.into_iter().collect();
        exposed.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if rules.rosters.is_empty() {
            let identities = exposed.into_iter().map(|(identity, _)| identity);
            return self.each_for_itself(identities.collect());
        }
        let mut unions: BTreeMap<String, Union<'_>> = BTreeMap::new();
        let mut shared: BTreeSet<&str> = BTreeSet::new();
        for (identity, seen) in &exposed {
            let named = named(identity, seen, rules);
            if named.len() > 1 {
                shared.insert(identity);
            }
            for (key, rows) in named {
                let union = unions.entry(key).or_default();
                union.identities.insert(identity);
                union.rows.extend(rows);
            }
        }
        let mut out = PersonIds::default();
        for (key, union) in &unions {
            let id = self.person(key, union, &shared)?;
            for identity in &union.identities {
                out.entry((*identity).to_owned())
                    .or_default()
                    .push(id.clone());
            }
            let is_shared = union
                .identities
                .iter()
                .any(|identity| shared.contains(identity));
            self.note_roster(&id, &union.rows, is_shared)?;
        }
        for (identity, ids) in &mut out {
            ids.sort();
            ids.dedup();
            self.db
                .prepare_cached("INSERT INTO identity (identity, person_id) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET person_id = excluded.person_id")?
                .execute([identity.as_str(), &ids.join(";")])?;
        }
        Ok(out)
    }

    /// Without a roster each mailbox is one person. `identities` are in order, as the table is.
    fn each_for_itself(&self, identities: Vec<Cow<'_, str>>) -> anyhow::Result<PersonIds> {
        let mut statement = self
            .db
            .prepare("SELECT identity, person_id FROM identity ORDER BY identity")?;
        let mut rows = statement.query([])?;
        let mut out = PersonIds::default();
        out.reserve(identities.len());
        let mut new = Vec::new();
        let mut row = rows.next()?;
        for identity in identities {
            let mut known = None;
            while let Some(next) = row {
                match next.get_ref(0)?.as_str()?.cmp(&identity) {
                    Ordering::Less => row = rows.next()?,
                    Ordering::Equal => {
                        // A mailbox that a roster shared stands alone again.
                        let id = next.get_ref(1)?.as_str()?;
                        known = Some(id).filter(|id| !id.contains(';')).map(str::to_owned);
                        break;
                    }
                    Ordering::Greater => break,
                }
            }
            let id = known.unwrap_or_else(|| {
                new.push(identity.clone());
                match identity.strip_prefix("name:") {
                    Some(name) => person_id(None, name),
                    None => person_id(Some(&identity), ""),
                }
            });
            out.insert(identity.into_owned(), vec![id]);
        }
        let mut insert = self.db.prepare("INSERT INTO identity (identity, person_id) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET person_id = excluded.person_id")?;
        for identity in new {
            insert.execute([&*identity, out[&*identity][0].as_str()])?;
        }
        Ok(out)
    }

    /// The id of a person: the one that the case knows for one of their mailboxes, else made from the first.
    fn person(
        &self,
        key: &str,
        union: &Union<'_>,
        shared: &BTreeSet<&str>,
    ) -> anyhow::Result<String> {
        let own: Vec<&str> = union
            .identities
            .iter()
            .copied()
            .filter(|identity| !shared.contains(identity))
            .collect();
        let known: BTreeSet<String> = own
            .iter()
            .filter_map(|identity| self.person_of(identity).transpose())
            .collect::<Result<_, _>>()?;
        let mut known = known.into_iter().filter(|id| !id.contains(';'));
        if let Some(id) = known.next() {
            for other in known {
                self.absorb(&other, &id)?;
            }
            return Ok(id);
        }
        let first = own
            .iter()
            .find(|identity| !identity.starts_with("name:"))
            .or(own.first());
        Ok(
            match first.map(|first| (first, first.strip_prefix("name:"))) {
                Some((_, Some(name))) => person_id(None, name),
                Some((address, None)) => person_id(Some(address), ""),
                // Every mailbox of this person is shared: the roster's word for the person tells them apart.
                None => person_id(Some(key), ""),
            },
        )
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

/// The people that rosters see behind a mailbox, each by a key that tells them apart; without any, the mailbox itself.
fn named<'a>(
    identity: &str,
    seen: &'a Seen,
    rules: &'a Rules,
) -> BTreeMap<String, Vec<&'a RosterEntry>> {
    let mut out: BTreeMap<String, Vec<&RosterEntry>> = BTreeMap::new();
    let Some(address) = &seen.mailbox.address else {
        return BTreeMap::from([(identity.to_owned(), Vec::new())]);
    };
    for (roster, row) in rules.on_rosters(address) {
        let key = match (row.person.as_str(), row.name.as_str()) {
            ("", "") => identity.to_owned(),
            ("", name) => format!("{identity}\u{1f}{}", fold(name).trim()),
            (person, _) => format!("{}\u{1f}{}", roster.group, fold(person).trim()),
        };
        out.entry(key).or_default().push(row);
    }
    // One name on a mailbox says nothing that the mailbox does not.
    if out.len() == 1 && out.keys().all(|key| key.starts_with(identity)) {
        out = out
            .into_values()
            .map(|rows| (identity.to_owned(), rows))
            .collect();
    }
    if out.is_empty() {
        out.insert(identity.to_owned(), Vec::new());
    }
    out
}
