//! Lists of the same people among many lists, found without comparing each with each. Knows nothing of what they are.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::history::Digest;

/// Lists of people so far, each once.
///
/// Two lists that share four fifths share somebody among the first fifth of each, in any order that both follow: only
/// lists that do are compared, so that a thousand mail-outs of one series are not compared each with each.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// Each list with the first finding that shows it, and its place among them.
    lists: FxHashMap<Rc<[Digest]>, usize>,
    in_order: Vec<(Rc<[Digest]>, usize)>,
    /// Lists, by place, that have somebody among their first.
    by_first: FxHashMap<Digest, Vec<usize>>,
}

impl Earlier {
    /// The earliest finding that shows the same people, four fifths of the larger list in both; adds this one.
    pub(super) fn same_people(&mut self, exposed: Rc<[Digest]>, index: usize) -> Option<usize> {
        let found = self.find(&exposed);
        self.add(exposed, index);
        found
    }

    /// The earliest finding that shows the same people, four fifths of the larger list in both.
    pub(super) fn find(&self, exposed: &[Digest]) -> Option<usize> {
        let same = self.lists.get(exposed).copied();
        let mut places: Vec<usize> = firsts(exposed)
            .iter()
            .filter_map(|person| self.by_first.get(person))
            .flatten()
            .copied()
            .filter(|place| same.is_none_or(|same| *place < same))
            .filter(|place| {
                let other = self.in_order[*place].0.len();
                exposed.len().min(other) * 5 >= exposed.len().max(other) * 4
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        let alike = places
            .into_iter()
            .find(|place| same_people(exposed, &self.in_order[*place].0));
        alike.or(same).map(|place| self.in_order[place].1)
    }

    /// Adds a list.
    pub(super) fn add(&mut self, exposed: Rc<[Digest]>, index: usize) {
        if exposed.is_empty() || self.lists.contains_key(&exposed) {
            return;
        }
        let place = self.in_order.len();
        for person in firsts(&exposed) {
            self.by_first.entry(*person).or_default().push(place);
        }
        self.lists.insert(Rc::clone(&exposed), place);
        self.in_order.push((exposed, index));
    }
}

/// The first fifth of a list, one of whom stands among the first of every other list of the same people.
fn firsts(exposed: &[Digest]) -> &[Digest] {
    let least = (exposed.len() * 4).div_ceil(5);
    &exposed[..(exposed.len() + 1 - least).min(exposed.len())]
}

/// Whether two lists, each in order, are of the same people: four fifths of the larger are in both.
fn same_people(a: &[Digest], b: &[Digest]) -> bool {
    let (mut both, mut rest) = (0, b);
    for person in a {
        while let Some((first, more)) = rest.split_first().filter(|(first, _)| *first <= person) {
            both += usize::from(first == person);
            rest = more;
        }
    }
    both * 5 >= a.len().max(b.len()) * 4
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_earliest_list_of_the_same_people_is_found_without_comparing_all() {
        let mut seed = 7u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let mut earlier = Earlier::default();
        let mut all: Vec<Rc<[Digest]>> = Vec::new();
        for index in 0..3000 {
            let most = [3, 9, 30][index % 3];
            let length = next(most) + 1;
            let set: BTreeSet<Digest> = (0..length).map(|_| Digest(next(most + 3))).collect();
            let list: Rc<[Digest]> = set.into_iter().collect();
            let due = all.iter().position(|other| same_people(&list, other));
            assert_eq!(earlier.same_people(Rc::clone(&list), index), due);
            all.push(list);
        }
    }
}
