//! Why addresses are merged, and how a merge is undone: what an officer keeps apart is another person at once, and stays so.
//! Not who is merged: that is found by `identity`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Context;
use rusqlite::params;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Case;
use super::ids::natural_id;
use super::people::People;
use crate::person::merge::Reason;
use crate::person::{NamedBy, person_id};

/// Two addresses of one person.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// One address.
    pub(super) address: String,
    /// Another.
    pub(super) with: String,
    /// Why.
    pub(super) reason: Reason,
    /// The same as a sentence.
    pub(super) says: String,
}

/// An address that is merged with another, or was until an officer kept it apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The person that it is.
    pub person_id: String,
    /// The address.
    pub address: String,
    /// The address that it goes with.
    pub merged_with: String,
    /// Why.
    pub kind: Reason,
    /// The same as a sentence.
    pub reason: String,
    /// True where an officer keeps it apart.
    pub keep_apart: bool,
}

impl Case {
    /// Pairs of addresses that an officer keeps apart.
    pub(super) fn apart(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut statement = self
            .db
            .prepare("SELECT address, merged_with FROM apart ORDER BY address, merged_with")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Replaces the reasons for merges. Each person's addresses hang from the one that the person's id was made from, so
    /// that whoever is split off is never the one who gave the id.
    pub(super) fn note_merged<'a>(
        &self,
        links: &'a [Link],
        people: &dyn Fn(&str) -> Vec<&'a str>,
    ) -> anyhow::Result<()> {
        self.db.execute("DELETE FROM merged", [])?;
        let mut of_person: BTreeMap<&str, Vec<&Link>> = BTreeMap::new();
        for link in links {
            if let [id] = people(&link.address)[..] {
                of_person.entry(id).or_default().push(link);
            }
        }
        for (id, links) in of_person {
            for row in tree(id, &links) {
                self.insert_merged(&row)?;
            }
        }
        Ok(())
    }

    fn insert_merged(&self, row: &Merged) -> anyhow::Result<()> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO merged (address, person_id, merged_with, kind, reason) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![row.address, row.person_id, row.merged_with, row.kind.as_str(), row.reason])?;
        Ok(())
    }

    fn all_merged(&self) -> anyhow::Result<Vec<Merged>> {
        let mut statement = self.db.prepare(
            "SELECT person_id, address, merged_with, kind, reason, 0 FROM merged
             UNION ALL SELECT coalesce(person_id, ''), address, merged_with, kind, reason, 1 FROM apart LEFT JOIN identity ON identity.identity = address
             ORDER BY 2, 3, 6",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Merged {
                person_id: row.get(0)?,
                address: row.get(1)?,
                merged_with: row.get(2)?,
                kind: Reason::from_word(row.get_ref(3)?.as_str()?).unwrap_or(Reason::Roster),
                reason: row.get(4)?,
                keep_apart: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The merges among the people of the exposures that are not dismissed: for each of them all addresses but one; then
    /// what is kept apart. By address.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn merges_of(&self, people: &People) -> anyhow::Result<Vec<Merged>> {
        let all = self.all_merged()?;
        if all.is_empty() {
            return Ok(all);
        }
        let (apart, merged): (Vec<Merged>, Vec<Merged>) =
            all.into_iter().partition(|row| row.keep_apart);
        let addresses: FxHashMap<&str, BTreeSet<&str>> = people
            .people
            .iter()
            .map(|person| (&*person.id, people.addresses(person)))
            .collect();
        let mut out = Vec::new();
        let mut of_person: BTreeMap<&str, Vec<&Merged>> = BTreeMap::new();
        for row in &merged {
            of_person.entry(&row.person_id).or_default().push(row);
        }
        for (id, rows) in of_person {
            let Some(here) = addresses.get(id) else {
                continue;
            };
            let has_row: BTreeSet<&str> = rows.iter().map(|row| row.address.as_str()).collect();
            let mut heads = here.iter().filter(|address| !has_row.contains(*address));
            // Where the one that the others hang from was in a dismissed message only, the first takes its place.
            let Some(head) = heads.next().or(here.first()).copied() else {
                continue;
            };
            for row in rows
                .into_iter()
                .filter(|row| here.contains(row.address.as_str()) && row.address != head)
            {
                let mut row = row.clone();
                if !here.contains(row.merged_with.as_str()) {
                    row.merged_with = head.to_owned();
                }
                out.push(row);
            }
        }
        let exposed: FxHashSet<&str> = addresses.values().flatten().copied().collect();
        let both = |row: &Merged| {
            exposed.contains(row.address.as_str()) && exposed.contains(row.merged_with.as_str())
        };
        out.extend(apart.into_iter().filter(both));
        out.sort_by(|a, b| (&a.address, &a.merged_with).cmp(&(&b.address, &b.merged_with)));
        Ok(out)
    }

    /// An officer keeps a merged address apart: it, and what was merged with it, is another person from now on. Gives the
    /// new person's id. Runs inside a transaction.
    ///
    /// # Errors
    /// Those of the database.
    pub fn keep_apart(&self, row: &Merged, now: i64) -> anyhow::Result<String> {
        self.db.execute(
            "INSERT OR REPLACE INTO apart (address, merged_with, kind, reason, decided_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![row.address, row.merged_with, row.kind.as_str(), row.reason, now],
        )?;
        // Another row of the same table may have moved it already.
        let from = self.person_of(&row.address)?.unwrap_or_default();
        let rows = self.all_merged()?;
        let rows: Vec<&Merged> = rows
            .iter()
            .filter(|other| other.person_id == from && !other.keep_apart)
            .collect();
        let mut off = BTreeSet::from([row.address.as_str()]);
        while let Some(next) = rows.iter().find(|row| {
            off.contains(row.merged_with.as_str()) && !off.contains(row.address.as_str())
        }) {
            off.insert(&next.address);
        }
        let first = off.first().copied().unwrap_or_default();
        let mut id = natural_id(first);
        while self.is_taken(&id)? {
            id = person_id(Some(&id), "");
        }
        self.db
            .execute("DELETE FROM merged WHERE address = ?1", [&row.address])?;
        self.move_to(&off, &from, &id)?;
        self.revive(&id)?;
        // What a roster says of the two is true of each.
        self.db.execute(
            "INSERT INTO follow_up (person_id, name, roster_contact, roster_notes)
             SELECT ?2, name, roster_contact, roster_notes FROM follow_up
             WHERE person_id = ?1 AND name || roster_contact || roster_notes <> ''
             ON CONFLICT DO UPDATE SET name = excluded.name, roster_contact = excluded.roster_contact, roster_notes = excluded.roster_notes",
            [&from, &id],
        )?;
        Ok(id)
    }

    /// An officer takes it back: the address is the same person's again, as long as the next scan finds that too. Gives
    /// that person's id. Runs inside a transaction.
    ///
    /// # Errors
    /// Those of the database.
    pub fn merge_again(&self, row: &Merged) -> anyhow::Result<String> {
        self.db.execute(
            "DELETE FROM apart WHERE address = ?1 AND merged_with = ?2",
            [&row.address, &row.merged_with],
        )?;
        let id = self.person_of(&row.merged_with)?.unwrap_or_default();
        let from = self.person_of(&row.address)?.unwrap_or_default();
        if id == from
            || [&id, &from]
                .iter()
                .any(|id| id.is_empty() || id.contains(';'))
        {
            return Ok(id);
        }
        let mut statement = self
            .db
            .prepare("SELECT identity FROM identity WHERE person_id = ?1")?;
        let rows = statement.query_map([&from], |row| row.get(0))?;
        let addresses: Vec<String> = rows.collect::<Result<_, _>>()?;
        let all = addresses.iter().map(String::as_str).collect();
        self.move_to(&all, &from, &id)?;
        self.insert_merged(&Merged {
            person_id: id.clone(),
            keep_apart: false,
            ..row.clone()
        })?;
        self.absorb(&from, &id)?;
        Ok(id)
    }

    fn is_taken(&self, id: &str) -> anyhow::Result<bool> {
        Ok(self.db.query_row(
            "SELECT EXISTS (SELECT 1 FROM identity WHERE person_id = ?1)",
            [id],
            |row| row.get(0),
        )?)
    }

    /// Gives addresses of one person to another, and counts the people of their exposures anew.
    fn move_to(&self, addresses: &BTreeSet<&str>, from: &str, to: &str) -> anyhow::Result<()> {
        let mut exposures: BTreeSet<String> = BTreeSet::new();
        for address in addresses {
            for table in ["identity", "seen", "merged"] {
                let key = if table == "merged" {
                    "address"
                } else {
                    "identity"
                };
                self.db
                    .prepare_cached(&format!(
                        "UPDATE {table} SET person_id = ?3 WHERE {key} = ?1 AND person_id = ?2"
                    ))?
                    .execute([address, from, to])?;
            }
        }
        let mut statement = self
            .db
            .prepare("SELECT DISTINCT exposure_id FROM seen WHERE person_id IN (?1, ?2)")?;
        let mut rows = statement.query([from, to])?;
        while let Some(row) = rows.next()? {
            exposures.insert(row.get(0)?);
        }
        exposures
            .iter()
            .try_for_each(|exposure| self.recount(exposure))
    }

    /// Counts the people of an exposure anew.
    fn recount(&self, exposure: &str) -> anyhow::Result<()> {
        let mut statement = self.db.prepare_cached("SELECT identity, person_id, named_by FROM seen WHERE exposure_id = ?1 AND exposed = 1 AND person = 1")?;
        let mut rows = statement.query([exposure])?;
        let mut people: BTreeMap<String, NamedBy> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let named = NamedBy::from_word(row.get_ref(2)?.as_str()?).context("named_by")?;
            let ids = match row.get_ref(1)?.as_str()? {
                "" => row.get_ref(0)?.as_str()?,
                ids => ids,
            };
            for id in ids.split(';') {
                let best = people.entry(id.to_owned()).or_insert(named);
                *best = named.max(*best);
            }
        }
        let count = |by| people.values().filter(|named| **named == by).count() as i64;
        self.db.prepare_cached("UPDATE finding SET exposed = ?2, named_full = ?3, named_partial = ?4 WHERE exposure_id = ?1")?
            .execute(params![exposure, people.len() as i64, count(NamedBy::Full), count(NamedBy::Partial)])?;
        Ok(())
    }
}

/// A person's links as a tree: every address but the root with the one that it hangs from.
fn tree(id: &str, links: &[&Link]) -> Vec<Merged> {
    let mut near: BTreeMap<&str, Vec<(&str, &Link)>> = BTreeMap::new();
    for link in links {
        near.entry(&link.address)
            .or_default()
            .push((&link.with, link));
        near.entry(&link.with)
            .or_default()
            .push((&link.address, link));
    }
    let made = near.keys().find(|address| natural_id(address) == id);
    let Some(root) = made.or(near.keys().next()).copied() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut known = BTreeSet::from([root]);
    let mut next = VecDeque::from([root]);
    while let Some(at) = next.pop_front() {
        for (address, link) in near.get(at).into_iter().flatten() {
            if known.insert(address) {
                out.push(Merged {
                    person_id: id.to_owned(),
                    address: (*address).to_owned(),
                    merged_with: at.to_owned(),
                    kind: link.reason,
                    reason: link.says.clone(),
                    keep_apart: false,
                });
                next.push_back(address);
            }
        }
    }
    out
}
