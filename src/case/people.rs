//! People across the exposures of a case, as the exports and the summary need them: each exposed person once, each viewer
//! once, who saw whom. Reads `seen` once; findings that were dismissed do not stand in it.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Case;
use crate::person::{Kind, NamedBy, Relation};
use crate::query::Harm;

/// One exposure, as far as people are concerned.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// Seconds since 1970 UTC.
    pub sent: Option<i64>,
    /// Groups, the most harmful first.
    pub groups: Vec<String>,
    /// How much it hurts.
    pub severity: Harm,
    /// Everybody of it.
    pub seen: Vec<Appearance>,
}

/// Somebody in one exposure.
#[derive(Clone, Debug)]
pub struct Appearance {
    /// Canonical address, or `name:` and the folded name.
    pub identity: String,
    /// The people behind it who are exposed somewhere; several where it is shared, none where it is no person.
    pub person_ids: Vec<String>,
    /// Canonical address; empty for a name only.
    pub address: String,
    /// As shown.
    pub name: String,
    /// Fields, joined by `;`.
    pub field: String,
    /// An author.
    pub author: bool,
    /// Exposed here.
    pub exposed: bool,
    /// Neither a role nor a list.
    pub person: bool,
    /// Insider or outsider.
    pub relation: Relation,
    /// What it is.
    pub kind: Kind,
    /// How far it can be named.
    pub named_by: NamedBy,
}

impl Appearance {
    /// What tells people apart when viewers are counted: the people behind it, else the identity.
    pub fn who(&self) -> impl Iterator<Item = &str> {
        let itself = self.person_ids.is_empty().then_some(self.identity.as_str());
        self.person_ids.iter().map(String::as_str).chain(itself)
    }

    /// Whether it counts among those who can see the others: all but authors and insiders who are not exposed.
    pub fn sees(&self) -> bool {
        self.exposed || !(self.author || self.relation == Relation::Insider)
    }
}

impl Shown {
    /// Each exposed person with each of their appearances.
    pub fn exposed(&self) -> impl Iterator<Item = (&str, &Appearance)> {
        self.seen
            .iter()
            .filter(|seen| seen.exposed)
            .flat_map(|seen| seen.person_ids.iter().map(move |id| (id.as_str(), seen)))
    }

    /// Those who can see the others, each once.
    pub fn viewers(&self) -> BTreeSet<&str> {
        self.seen
            .iter()
            .filter(|seen| seen.sees())
            .flat_map(Appearance::who)
            .collect()
    }
}

/// Everything an exposed person is told by.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Canonical addresses, sorted.
    pub addresses: BTreeSet<String>,
    /// The longest name shown.
    pub name: String,
    /// What they are; the first that was seen.
    pub kind: Option<Kind>,
    /// Insider or outsider.
    pub relation: Option<Relation>,
    /// The best that any exposure gives.
    pub named_by: Option<NamedBy>,
    /// Indexes of their exposures.
    pub exposures: BTreeSet<usize>,
    /// How many distinct others could see them.
    pub seen_by: usize,
}

/// People across all exposures.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// Exposures that are reported and not dismissed, by time and id.
    pub shown: Vec<Shown>,
    /// Exposed people by person id.
    pub people: BTreeMap<String, Person>,
}

impl Case {
    /// Reads everybody of every exposure that is reported and not dismissed.
    ///
    /// # Errors
    /// Those of the database.
    pub fn everybody(&self) -> anyhow::Result<People> {
        let mut out = People {
            shown: self.shown()?,
            people: BTreeMap::new(),
        };
        for (index, shown) in out.shown.iter().enumerate() {
            for (id, seen) in shown.exposed() {
                let person = out.people.entry(id.to_owned()).or_default();
                if !seen.address.is_empty() {
                    person.addresses.insert(seen.address.clone());
                }
                if seen.name.chars().count() > person.name.chars().count() {
                    person.name.clone_from(&seen.name);
                }
                person.kind.get_or_insert(seen.kind);
                person.relation.get_or_insert(seen.relation);
                person.named_by = person.named_by.max(Some(seen.named_by));
                person.exposures.insert(index);
            }
        }
        count_viewers(&mut out);
        Ok(out)
    }

    fn shown(&self) -> anyhow::Result<Vec<Shown>> {
        let mut findings = self.db.prepare(
            "SELECT exposure_id, sent, groups, severity FROM finding LEFT JOIN decision USING (exposure_id)
             WHERE reported = 1 AND coalesce(decision.review, '') <> 'dismissed' ORDER BY sent IS NULL, sent, exposure_id",
        )?;
        let mut seen = self.db.prepare("SELECT identity, person_id, address, name, field, author, exposed, person, relation, kind, named_by FROM seen WHERE exposure_id = ?1 ORDER BY identity")?;
        let mut rows = findings.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            let appearances = seen.query_map([&id], |row| {
                Ok(Appearance {
                    identity: row.get(0)?,
                    person_ids: row
                        .get_ref(1)?
                        .as_str()?
                        .split(';')
                        .filter(|id| !id.is_empty())
                        .map(str::to_owned)
                        .collect(),
                    address: row.get(2)?,
                    name: row.get(3)?,
                    field: row.get(4)?,
                    author: row.get(5)?,
                    exposed: row.get(6)?,
                    person: row.get(7)?,
                    relation: Relation::from_word(row.get_ref(8)?.as_str()?)
                        .unwrap_or(Relation::Outsider),
                    kind: Kind::from_word(row.get_ref(9)?.as_str()?).unwrap_or(Kind::Private),
                    named_by: NamedBy::from_word(row.get_ref(10)?.as_str()?)
                        .unwrap_or(NamedBy::None),
                })
            })?;
            out.push(Shown {
                sent: row.get(1)?,
                groups: row
                    .get_ref(2)?
                    .as_str()?
                    .split(';')
                    .map(str::to_owned)
                    .collect(),
                severity: Harm::from_word(row.get_ref(3)?.as_str()?).unwrap_or(Harm::Low),
                seen: appearances.collect::<Result<_, _>>()?,
                id,
            });
        }
        Ok(out)
    }
}

/// Counts for each person how many distinct others could see them. People with the same exposures share one union, so
/// that a list of many thousands costs no more than its length.
fn count_viewers(out: &mut People) {
    let mut unions: FxHashMap<Vec<usize>, FxHashSet<&str>> = FxHashMap::default();
    let shown = &out.shown;
    for (id, person) in &mut out.people {
        let key: Vec<usize> = person.exposures.iter().copied().collect();
        let union = unions.entry(key).or_insert_with_key(|key| {
            key.iter()
                .flat_map(|index| {
                    shown[*index]
                        .seen
                        .iter()
                        .filter(|seen| seen.sees())
                        .flat_map(Appearance::who)
                })
                .collect()
        });
        person.seen_by = union.len() - usize::from(union.contains(id.as_str()));
    }
}
