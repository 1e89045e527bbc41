//! Which id a person has: the one that the case knows for one of their mailboxes, else one made from the first. What an
//! officer wrote goes with it. Not who is one person: that is `identity`.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Case;
use super::identity::{Exposed, Unit};
use crate::person::person_id;

impl Case {
    /// The ids that the case knows, for each identity; both are in order.
    pub(super) fn known_ids(&self, exposed: &[Exposed<'_>]) -> anyhow::Result<Vec<Option<String>>> {
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
    pub(super) fn give_ids(
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
