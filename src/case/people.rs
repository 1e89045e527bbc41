//! People across the exposures of a case, as the exports and the summary need them: each exposed person once, who saw
//! whom. `seen` is read once for all of them; findings that were dismissed do not stand in it.
//!
//! Whoever is counted has a number here, so that a list of a hundred thousand people is counted without a set of texts.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::Case;
use super::ladder::{AtLeast, Ladder};
use super::merged::Merged;
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
    pub identity: Box<str>,
    /// The people behind it who are exposed somewhere, joined by `;`; several where it is shared, none where it is no
    /// person.
    pub person_ids: Box<str>,
    /// True where it has an address, and is not known by name only.
    pub addressed: bool,
    /// As shown.
    pub name: Box<str>,
    /// Fields, joined by `;`.
    pub field: Cow<'static, str>,
    /// An author.
    pub author: bool,
    /// Seen by the others.
    pub visible: bool,
    /// Exposed here.
    pub exposed: bool,
    /// Insider or outsider.
    pub relation: Relation,
    /// What it is.
    pub kind: Kind,
    /// How far it can be named.
    pub named_by: NamedBy,
    /// A bounce says that it did not arrive.
    pub bounced: bool,
    /// An answer to it was found.
    pub replied: bool,
    /// When they first answered so that others of the list saw it, seconds since 1970 UTC.
    pub replied_all: Option<i64>,
    who: Range<usize>,
}

impl Appearance {
    /// Canonical address; empty for a name only.
    pub fn address(&self) -> &str {
        if self.addressed { &self.identity } else { "" }
    }

    /// The ids of the people behind it.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.person_ids.split(';').filter(|id| !id.is_empty())
    }

    /// Whether it has the message: whoever stands only in the list of a quoted or attached one has not, nor has whom it
    /// did not reach.
    pub fn receives(&self) -> bool {
        let mut fields = self.field.split(';');
        let listed = self.author || fields.any(|field| !matches!(field, "quoted" | "attached"));
        listed && !self.bounced
    }

    /// Whether it counts among those who can see the others: all who have the message but authors and insiders who are
    /// not exposed.
    pub fn sees(&self) -> bool {
        (self.exposed || !(self.author || self.relation == Relation::Insider)) && self.receives()
    }
}

/// Somebody who is exposed, and where.
#[derive(Clone, Debug)]
pub struct Person {
    /// Id.
    pub id: Box<str>,
    /// Index of the exposure, and of the appearance in it; in the order of the exposures.
    pub appearances: Vec<(u32, u32)>,
    /// How many distinct others could see them.
    pub seen_by: usize,
}

/// People across all exposures.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// Exposures that are reported and not dismissed, by time and id.
    pub shown: Vec<Shown>,
    /// Exposed people by person id.
    pub people: Vec<Person>,
    /// True where received mail was read too: only there can a bounce or an answer be found.
    pub looked: bool,
    /// Which of their addresses are merged, and what is kept apart.
    pub merges: Vec<Merged>,
    /// How they are counted, step by step.
    pub ladder: Ladder,
    /// What could raise the count.
    pub at_least: AtLeast,
    who: Vec<u32>,
    /// How many numbers there are.
    numbers: usize,
}

impl People {
    /// What tells people apart when they are counted, as numbers: the people behind an appearance, else its identity.
    pub fn who(&self, seen: &Appearance) -> &[u32] {
        &self.who[seen.who.clone()]
    }

    /// A count of distinct people, with nobody in it.
    pub fn nobody(&self) -> Distinct {
        Distinct {
            round: 0,
            count: 0,
            last: vec![0; self.numbers],
        }
    }

    /// A person's appearances with the exposures that they stand in.
    pub fn appearances<'a>(
        &'a self,
        person: &'a Person,
    ) -> impl Iterator<Item = (&'a Shown, &'a Appearance)> + Clone {
        person.appearances.iter().map(|(shown, seen)| {
            let shown = &self.shown[*shown as usize];
            (shown, &shown.seen[*seen as usize])
        })
    }

    /// What the mailbox shows of how it arrived: the word of column `delivery`.
    pub fn delivery<'a>(
        &self,
        mut seen: impl Iterator<Item = &'a Appearance> + Clone,
    ) -> &'static str {
        if seen.clone().any(|seen| seen.replied) {
            "replied"
        } else if seen.clone().all(|seen| seen.bounced) && seen.next().is_some() {
            "bounced"
        } else if self.looked {
            "sent"
        } else {
            "not looked for"
        }
    }

    /// Canonical addresses of a person, sorted.
    pub fn addresses<'a>(&'a self, person: &'a Person) -> BTreeSet<&'a str> {
        self.appearances(person)
            .map(|(_, seen)| seen.address())
            .filter(|address| !address.is_empty())
            .collect()
    }
}

/// Counts distinct people by their numbers, again and again without making a set anew.
#[derive(Debug)]
pub struct Distinct {
    round: u32,
    count: usize,
    last: Vec<u32>,
}

impl Distinct {
    /// Forgets everybody.
    pub fn clear(&mut self) {
        self.count = 0;
        if self.round == u32::MAX {
            self.last.fill(0);
            self.round = 0;
        }
        self.round += 1;
    }

    /// Adds people.
    pub fn add(&mut self, who: &[u32]) {
        for number in who {
            let last = &mut self.last[*number as usize];
            self.count += usize::from(*last != self.round);
            *last = self.round;
        }
    }

    /// How many are in it.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether somebody is in it.
    pub fn holds(&self, number: u32) -> bool {
        self.last[number as usize] == self.round
    }
}

impl Case {
    /// Reads everybody of every exposure that is reported and not dismissed.
    ///
    /// # Errors
    /// Those of the database.
    pub fn everybody(&self) -> anyhow::Result<People> {
        let mut out = People {
            shown: self.shown()?,
            ..People::default()
        };
        let mut seen = out.shown.iter().flat_map(|shown| &shown.seen);
        // A bounce of the organisation's own server is no received mail, and tells of it all the same.
        out.looked = seen.any(|seen| seen.bounced || seen.replied)
            || self
                .readings()?
                .iter()
                .any(|reading| reading.counts.received > 0);
        number(&mut out);
        count_viewers(&mut out);
        out.merges = self.merges_of(&out)?;
        (out.ladder, out.at_least) = self.ladder(&out, &out.merges)?;
        Ok(out)
    }

    fn shown(&self) -> anyhow::Result<Vec<Shown>> {
        let mut findings = self.db.prepare(
            "SELECT exposure_id, sent, groups, severity FROM finding LEFT JOIN decision USING (exposure_id)
             WHERE reported = 1 AND coalesce(decision.review, '') <> 'dismissed' ORDER BY sent IS NULL, sent, exposure_id",
        )?;
        let mut rows = findings.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(Shown {
                id: row.get(0)?,
                sent: row.get(1)?,
                groups: row
                    .get_ref(2)?
                    .as_str()?
                    .split(';')
                    .map(str::to_owned)
                    .collect(),
                severity: Harm::from_word(row.get_ref(3)?.as_str()?).unwrap_or(Harm::Low),
                seen: Vec::new(),
            });
        }
        // In the order of the table, which is that of the ids: no page is read twice.
        let mut order: Vec<usize> = (0..out.len()).collect();
        order.sort_unstable_by(|a, b| out[*a].id.cmp(&out[*b].id));
        let mut order = order.into_iter().peekable();
        let mut statement = self.db.prepare("SELECT identity, person_id, address <> '', name, field, author, exposed, relation, kind, named_by, exposure_id, visible, bounced, replied, replied_all FROM seen ORDER BY exposure_id, identity")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = row.get_ref(10)?.as_str()?;
            while order.next_if(|at| out[*at].id.as_str() < id).is_some() {}
            // Of an exposure that was dismissed nobody is wanted.
            if let Some(at) = order.peek().filter(|at| out[**at].id == id) {
                out[*at].seen.push(appearance(row)?);
            }
        }
        Ok(out)
    }
}

fn appearance(row: &rusqlite::Row<'_>) -> rusqlite::Result<Appearance> {
    let text = |at: usize| -> rusqlite::Result<&str> { Ok(row.get_ref(at)?.as_str()?) };
    Ok(Appearance {
        identity: text(0)?.into(),
        person_ids: text(1)?.into(),
        addressed: row.get(2)?,
        name: text(3)?.into(),
        field: match text(4)? {
            "to" => "to".into(),
            "cc" => "cc".into(),
            "" => "".into(),
            other => other.to_owned().into(),
        },
        author: row.get(5)?,
        visible: row.get(11)?,
        exposed: row.get(6)?,
        relation: Relation::from_word(text(7)?).unwrap_or(Relation::Outsider),
        kind: Kind::from_word(text(8)?).unwrap_or(Kind::Private),
        named_by: NamedBy::from_word(text(9)?).unwrap_or(NamedBy::None),
        bounced: row.get(12)?,
        replied: row.get(13)?,
        replied_all: row.get(14)?,
        who: 0..0,
    })
}

/// Gives a number to everybody who is counted, and gathers the exposed by id.
fn number(out: &mut People) {
    let mut numbers: FxHashMap<&str, u32> = FxHashMap::default();
    let mut places: FxHashMap<&str, usize> = FxHashMap::default();
    let mut people: Vec<Person> = Vec::new();
    let mut ranges = Vec::new();
    for (at, shown) in out.shown.iter().enumerate() {
        for (index, seen) in shown.seen.iter().enumerate() {
            let start = out.who.len();
            let itself = seen.person_ids.is_empty().then_some(&*seen.identity);
            for text in seen.ids().chain(itself) {
                let next = numbers.len() as u32;
                out.who.push(*numbers.entry(text).or_insert(next));
            }
            ranges.push(start..out.who.len());
            for id in seen.ids().filter(|_| seen.exposed) {
                let place = *places.entry(id).or_insert_with(|| {
                    people.push(Person {
                        id: id.into(),
                        appearances: Vec::new(),
                        seen_by: 0,
                    });
                    people.len() - 1
                });
                people[place].appearances.push((at as u32, index as u32));
            }
        }
    }
    out.numbers = numbers.len();
    people.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    out.people = people;
    let seen = out.shown.iter_mut().flat_map(|shown| &mut shown.seen);
    seen.zip(ranges).for_each(|(seen, range)| seen.who = range);
}

/// Counts for each person how many distinct others could see them. People with the same exposures share one count, so
/// that a list of many thousands costs no more than its length.
fn count_viewers(out: &mut People) {
    let mut keys: Vec<Vec<u32>> = out
        .people
        .iter()
        .map(|person| {
            let mut key: Vec<u32> = person.appearances.iter().map(|(shown, _)| *shown).collect();
            key.dedup();
            key
        })
        .collect();
    let mut counts: FxHashMap<Vec<u32>, usize> = FxHashMap::default();
    let mut viewers = out.nobody();
    for (index, key) in keys.iter_mut().enumerate() {
        let count = match counts.get(key) {
            Some(count) => *count,
            None => {
                viewers.clear();
                for shown in &*key {
                    let seen = out.shown[*shown as usize].seen.iter();
                    seen.filter(|seen| seen.sees())
                        .for_each(|seen| viewers.add(out.who(seen)));
                }
                counts.insert(std::mem::take(key), viewers.count());
                viewers.count()
            }
        };
        // Whoever is exposed and has a message sees the others, and is one of them.
        let person = &out.people[index];
        let own = out.appearances(person).any(|(_, seen)| seen.sees());
        out.people[index].seen_by = count - usize::from(own);
    }
}
