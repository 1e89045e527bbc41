//! Who spoke in view of whom, and when first. People are numbers here.
//!
//! In view of a few, each pair is stored. In view of many no pairs are: the list is kept once, however often and by
//! whomever it is used, and a speaker keeps which lists they spoke to. One who writes to 5,000 costs one entry.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::places::{Places, Row};
use super::{Digest, Digests};

/// In view of more people who matter than this, no pairs are stored. Below it a list would hardly be smaller.
pub(super) const FEW: usize = 32;
/// Members of all lists together (64 MiB). A mailbox that passes it has its longest lists left out.
pub(super) const MOST_MEMBERS: usize = 16 << 20;

/// In what way somebody spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// They were answered by somebody else.
    Answered,
    /// They answered somebody themselves.
    Wrote,
    /// They wrote themselves, and answered nobody: they know whom they write to.
    Began,
}

/// When somebody first spoke in view of another, or of a list; `i64::MAX` for never.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoke {
    /// Wrote themselves.
    pub(super) wrote: i64,
    /// Wrote themselves, or was answered by somebody else.
    pub(super) at_all: i64,
    /// Wrote themselves, and answered nobody.
    pub(super) began: i64,
}

impl Spoke {
    const NEVER: Spoke = Spoke {
        wrote: i64::MAX,
        at_all: i64::MAX,
        began: i64::MAX,
    };

    fn note(&mut self, sent: i64, how: How) {
        self.at_all = self.at_all.min(sent);
        if how >= How::Wrote {
            self.wrote = self.wrote.min(sent);
        }
        if how == How::Began {
            self.began = self.began.min(sent);
        }
    }
}

/// Who spoke in view of whom.
#[derive(Debug, Default)]
pub(super) struct Speech {
    /// By speaker, then by who could see it.
    pairs: FxHashMap<u32, FxHashMap<u32, Spoke>>,
    /// By speaker, then by the list that could see it.
    to_lists: FxHashMap<u32, FxHashMap<u32, Spoke>>,
    /// Members of each list in order, by its number; empty for one that was left out.
    lists: Vec<Box<[u32]>>,
}

impl Speech {
    /// True where nobody spoke to anybody.
    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty() && self.to_lists.is_empty()
    }

    /// How many pairs of `people` have spoken, where what was said counts as `before` says. `None` is somebody who never
    /// spoke or is not to be counted; nobody stands there twice.
    pub(super) fn count(&self, people: &[Option<u32>], before: impl Fn(&Spoke) -> bool) -> u64 {
        let mut spoken: FxHashSet<(usize, usize)> = FxHashSet::default();
        let mut pair = |a: usize, b: usize| {
            spoken.insert((a.min(b), a.max(b)));
        };
        let place: FxHashMap<u32, usize> = people
            .iter()
            .enumerate()
            .filter_map(|(index, number)| Some(((*number)?, index)))
            .collect();
        for (index, number) in people.iter().enumerate() {
            let heard = number.and_then(|number| self.pairs.get(&number));
            match heard {
                // Whichever is shorter is gone through: the list, or all whom this person ever spoke to.
                Some(heard) if heard.len() < place.len() => heard
                    .iter()
                    .filter(|(_, spoke)| before(spoke))
                    .filter_map(|(other, _)| place.get(other))
                    .for_each(|at| pair(index, *at)),
                Some(heard) => place
                    .iter()
                    .filter(|(other, _)| heard.get(other).is_some_and(&before))
                    .for_each(|(_, at)| pair(index, *at)),
                None => {}
            }
        }
        if self.to_lists.is_empty() {
            return spoken.len() as u64;
        }
        let writers = self.writers(people, before);
        if writers.is_empty() {
            return spoken.len() as u64;
        }
        Question {
            place,
            lists: &self.lists,
            spoken,
            writers,
        }
        .count(people.len())
    }

    /// To how many others of `people` the one who reached most of them wrote first, at one time, as `before` counts.
    pub(super) fn widest(&self, people: &[Option<u32>], before: impl Fn(&Spoke) -> bool) -> u64 {
        let all: FxHashSet<u32> = people.iter().copied().flatten().collect();
        let mut most = 0;
        for person in &all {
            let heard = self.pairs.get(person);
            let near = heard.map_or(0, |heard| {
                let others = heard.iter().filter(|(other, _)| all.contains(other));
                others.filter(|(_, spoke)| before(spoke)).count()
            });
            let lists = self.to_lists.get(person).into_iter().flatten();
            let far = lists
                .filter(|(_, spoke)| before(spoke))
                .map(|(list, _)| {
                    let members = self.lists[*list as usize].iter();
                    members
                        .filter(|member| *member != person && all.contains(member))
                        .count()
                })
                .max();
            most = most.max(near).max(far.unwrap_or(0));
        }
        most as u64
    }

    /// Those of `people` who spoke to lists, by place, and the lists.
    fn writers(
        &self,
        people: &[Option<u32>],
        before: impl Fn(&Spoke) -> bool,
    ) -> Vec<(usize, Vec<u32>)> {
        let to = |number: &Option<u32>| self.to_lists.get(&(*number)?);
        let all = people.iter().enumerate();
        let with_lists = all.filter_map(|(index, number)| Some((index, to(number)?)));
        with_lists
            .map(|(index, lists)| {
                let in_time = lists.iter().filter(|(_, spoke)| before(spoke));
                (index, in_time.map(|(list, _)| *list).collect())
            })
            .filter(|(_, lists): &(usize, Vec<u32>)| !lists.is_empty())
            .collect()
    }
}

/// Pairs of one list, some of whom spoke to many at once.
struct Question<'a> {
    /// Where each person stands in it.
    place: FxHashMap<u32, usize>,
    lists: &'a [Box<[u32]>],
    /// Pairs that are known to have spoken in view of a few.
    spoken: FxHashSet<(usize, usize)>,
    /// Who spoke to lists, by place and in its order, and to which.
    writers: Vec<(usize, Vec<u32>)>,
}

/// What is known of a list while a [`Question`] is counted.
struct Known {
    /// Who of the question stands on it.
    members: Places,
    /// Writers to it who were gone through already.
    earlier: Places,
}

impl Question<'_> {
    /// How many pairs have spoken, of so many people.
    ///
    /// Writers are gone through one by one, each against all who are no writers and against the writers before: so no
    /// pair is counted twice, and none need be held.
    fn count(self, people: usize) -> u64 {
        let mut count = 0;
        let order: FxHashMap<usize, usize> = (self.writers.iter().enumerate())
            .map(|(order, (at, _))| (*at, order))
            .collect();
        let mut near = vec![Vec::new(); self.writers.len()];
        for (a, b) in &self.spoken {
            let (first, second) = (order.get(a), order.get(b));
            if first.is_none() && second.is_none() {
                count += 1;
            }
            first.iter().for_each(|first| near[**first].push(*b));
            second.iter().for_each(|second| near[**second].push(*a));
        }
        let mut everybody = Row::new(people);
        self.place.values().for_each(|at| everybody.set(*at));
        let mut open = everybody.clone();
        self.writers.iter().for_each(|(at, _)| open.clear(*at));
        let mut stands_on: Vec<Vec<u32>> = vec![Vec::new(); self.writers.len()];
        let mut known: FxHashMap<u32, Known> = FxHashMap::default();
        let mut row = Row::new(people);
        for (writer, (at, lists)) in self.writers.iter().enumerate() {
            row.empty();
            row.set(*at);
            for list in lists {
                let this = known.entry(*list).or_insert_with(|| {
                    let members = self.on(&self.lists[*list as usize]);
                    let writing = members.iter().filter_map(|at| order.get(at));
                    writing.for_each(|writer| stands_on[*writer].push(*list));
                    Known {
                        members: members.iter().copied().collect(),
                        earlier: Places::default(),
                    }
                });
                this.earlier.push(*at);
                this.members.mark(&mut row);
                // One who wrote to the same people day by day spoke to all of them on the first.
                if row.holds(&everybody) {
                    break;
                }
            }
            for list in &stands_on[writer] {
                known[list].earlier.mark(&mut row);
            }
            near[writer].iter().for_each(|other| row.set(*other));
            row.clear(*at);
            count += row.both(&open);
            open.set(*at);
        }
        count
    }

    /// Where those stand who are on a list, in order.
    fn on(&self, list: &[u32]) -> Vec<usize> {
        let mut at: Vec<usize> = if list.len() < self.place.len() {
            let known = list.iter().filter_map(|member| self.place.get(member));
            known.copied().collect()
        } else {
            let on = |member: &u32| list.binary_search(member).is_ok();
            let members = self.place.iter().filter(|(member, _)| on(member));
            members.map(|(_, at)| *at).collect()
        };
        at.sort_unstable();
        at
    }
}

/// Lists while they are collected.
#[derive(Debug)]
struct Lists {
    /// By length, then by members: a number for each.
    known: BTreeMap<usize, FxHashMap<Box<[u32]>, u32>>,
    members: usize,
    most_members: usize,
    /// Lists of this length and longer are left out.
    too_long: usize,
    /// Numbers given.
    given: u32,
}

impl Lists {
    /// The number of a list, whose members are sorted; `None` where it is left out.
    ///
    /// Where all together would have too many members, the longest are left out, and all others of that length too:
    /// then it does not matter in which order they came.
    fn number(&mut self, list: &[u32]) -> Option<u32> {
        if list.len() >= self.too_long {
            return None;
        }
        let alike = self.known.entry(list.len()).or_default();
        if let Some(number) = alike.get(list) {
            return Some(*number);
        }
        let number = self.given;
        self.given = number.checked_add(1)?;
        alike.insert(list.into(), number);
        self.members += list.len();
        while self.members > self.most_members
            && let Some((length, left_out)) = self.known.pop_last()
        {
            self.members -= length * left_out.len();
            self.too_long = length;
        }
        (list.len() < self.too_long).then_some(number)
    }
}

/// Collects what is said, line by line.
#[derive(Debug)]
pub(super) struct Hearing {
    speech: Speech,
    lists: Lists,
    /// Who spoke, and how. Filled for each line; its room is used again for the next.
    pub(super) speakers: Vec<(u32, How)>,
    seen_by: Vec<u32>,
}

impl Hearing {
    /// Hears nothing yet, and will keep lists with so many members in all.
    pub(super) fn new(most_members: usize) -> Self {
        Hearing {
            speech: Speech::default(),
            lists: Lists {
                known: BTreeMap::new(),
                members: 0,
                most_members,
                too_long: usize::MAX,
                given: 0,
            },
            speakers: Vec::new(),
            seen_by: Vec::new(),
        }
    }

    /// Notes that the speakers spoke in view of those who matter, in a message of `author` if that is one of them.
    pub(super) fn hear(
        &mut self,
        sent: i64,
        author: Option<u32>,
        visible: Digests<'_>,
        people: &FxHashMap<Digest, u32>,
    ) {
        if self.speakers.is_empty() {
            return;
        }
        self.seen_by.clear();
        let known = visible.iter().filter_map(|person| people.get(&person));
        self.seen_by.extend(known.copied());
        if self.seen_by.len() > FEW {
            self.seen_by.sort_unstable();
            self.seen_by.dedup();
            if self.seen_by.len() > FEW {
                self.hear_list(sent, author);
                return;
            }
        }
        for (speaker, how) in &self.speakers {
            if !self.seen_by.iter().any(|person| person != speaker) {
                continue;
            }
            let heard = self.speech.pairs.entry(*speaker).or_default();
            for other in self.seen_by.iter().filter(|person| *person != speaker) {
                let spoke = heard.entry(*other).or_insert(Spoke::NEVER);
                spoke.note(sent, *how);
            }
        }
    }

    /// Notes that the speakers spoke in view of many.
    ///
    /// Nobody speaks to themselves, so the author may be told among those who see: then everybody who answers all on a
    /// list writes to the same list. So may they where somebody is answered who sees it: to them the author spoke anyway.
    fn hear_list(&mut self, sent: i64, author: Option<u32>) {
        for with_author in [false, true] {
            if with_author
                && let Some(author) = author
                && let Err(at) = self.seen_by.binary_search(&author)
            {
                self.seen_by.insert(at, author);
            }
            let seen = |person: &u32| self.seen_by.binary_search(person).is_ok();
            let inside = |speaker: &u32| Some(*speaker) == author || seen(speaker);
            let speakers = self.speakers.iter();
            let mut these = speakers
                .filter(|(speaker, _)| inside(speaker) == with_author)
                .peekable();
            if these.peek().is_none() {
                continue;
            }
            let Some(list) = self.lists.number(&self.seen_by) else {
                continue;
            };
            for (speaker, how) in these {
                let spoke_to = self.speech.to_lists.entry(*speaker).or_default();
                let spoke = spoke_to.entry(list).or_insert(Spoke::NEVER);
                spoke.note(sent, *how);
            }
        }
    }

    /// What was heard.
    pub(super) fn done(self) -> Speech {
        let mut speech = self.speech;
        speech.lists = vec![Box::default(); self.lists.given as usize];
        for (members, number) in self.lists.known.into_values().flatten() {
            speech.lists[number as usize] = members;
        }
        let kept = |list: &u32| !speech.lists[*list as usize].is_empty();
        speech.to_lists.retain(|_, lists| {
            lists.retain(|list, _| kept(list));
            !lists.is_empty()
        });
        speech
    }
}

/// How much is stored.
#[cfg(test)]
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) pairs: usize,
    pub(super) lists: usize,
    pub(super) members: usize,
    pub(super) to_lists: usize,
}

#[cfg(test)]
impl Speech {
    pub(super) fn stored(&self) -> Stored {
        Stored {
            pairs: self.pairs.values().map(FxHashMap::len).sum(),
            lists: self.lists.iter().filter(|list| !list.is_empty()).count(),
            members: self.lists.iter().map(|list| list.len()).sum(),
            to_lists: self.to_lists.values().map(FxHashMap::len).sum(),
        }
    }
}
