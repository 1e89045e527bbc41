//! `viewers.csv`: each person who received a list, exposed or not: who may still hold it.

use rustc_hash::FxHashMap;

use super::csv::{Table, time};
use crate::case::people::{Appearance, People};
use crate::exposure::longer;

const COLUMNS: [&str; 11] = [
    "address",
    "name",
    "kind",
    "exposed",
    "exposure_ids",
    "people_seen",
    "delivery",
    "asked_to_delete_at",
    "confirmed_deleted_at",
    "replied_all",
    "notes",
];

struct Viewer<'a> {
    name: &'a str,
    first: &'a Appearance,
    exposed: bool,
    /// The exposures that it stands in, and its place in each.
    exposures: Vec<u32>,
    places: Vec<u32>,
    replied_all: Option<i64>,
}

impl Viewer<'_> {
    fn seen<'a>(&'a self, all: &'a People) -> impl Iterator<Item = &'a Appearance> + Clone {
        let each = self.exposures.iter().zip(&self.places);
        each.map(|(shown, place)| &all.shown[*shown as usize].seen[*place as usize])
    }
}

/// Makes the file, by address, those without one last.
///
/// # Errors
/// None in practice.
pub fn make(all: &People) -> anyhow::Result<Vec<u8>> {
    let viewers = viewers(all);
    let people = people_seen(&viewers, all);
    let mut table = Table::new(&COLUMNS)?;
    let mut order: Vec<usize> = (0..viewers.len()).collect();
    order.sort_unstable_by_key(|at| {
        let first = viewers[*at].first;
        (!first.addressed, &first.identity)
    });
    let mut ids = String::new();
    for at in order {
        let viewer = &viewers[at];
        ids.clear();
        for index in &viewer.exposures {
            if !ids.is_empty() {
                ids.push(';');
            }
            ids.push_str(&all.shown[*index as usize].id);
        }
        table.row([
            viewer.first.address(),
            viewer.name,
            viewer.first.kind.as_str(),
            if viewer.exposed { "yes" } else { "no" },
            &ids,
            &people[at].to_string(),
            all.delivery(viewer.seen(all)),
            "",
            "",
            &time(viewer.replied_all),
            "",
        ])?;
    }
    table.finish()
}

/// Everybody who has the message of an exposure, once.
fn viewers(all: &People) -> Vec<Viewer<'_>> {
    let mut places: FxHashMap<(bool, &str), usize> = FxHashMap::default();
    let mut out: Vec<Viewer<'_>> = Vec::new();
    for (index, shown) in all.shown.iter().enumerate() {
        let all_of_it = shown.seen.iter().enumerate();
        for (place_in, seen) in all_of_it.filter(|(_, seen)| seen.receives()) {
            let key = (seen.addressed, &*seen.identity);
            let place = *places.entry(key).or_insert_with(|| {
                out.push(Viewer {
                    name: "",
                    first: seen,
                    exposed: false,
                    exposures: Vec::new(),
                    places: Vec::new(),
                    replied_all: None,
                });
                out.len() - 1
            });
            let viewer = &mut out[place];
            if longer(&seen.name, viewer.name) {
                viewer.name = &seen.name;
            }
            viewer.exposed |= seen.exposed;
            viewer.exposures.push(index as u32);
            viewer.places.push(place_in as u32);
            viewer.replied_all = viewer.replied_all.into_iter().chain(seen.replied_all).min();
        }
    }
    out
}

/// How many exposed people each viewer saw, but themselves. Those with the same exposures are counted together.
fn people_seen(viewers: &[Viewer<'_>], all: &People) -> Vec<usize> {
    let mut order: Vec<usize> = (0..viewers.len()).collect();
    order.sort_unstable_by(|a, b| viewers[*a].exposures.cmp(&viewers[*b].exposures));
    let mut out = vec![0; viewers.len()];
    let mut exposed = all.nobody();
    let mut last: Option<&[u32]> = None;
    for at in order {
        let viewer = &viewers[at];
        if last != Some(&viewer.exposures) {
            exposed.clear();
            let seen = viewer.exposures.iter();
            seen.flat_map(|index| &all.shown[*index as usize].seen)
                .filter(|seen| seen.exposed)
                .for_each(|seen| exposed.add(all.who(seen)));
            last = Some(&viewer.exposures);
        }
        let who = all.who(viewer.first);
        let own = who.iter().filter(|who| exposed.holds(**who)).count();
        out[at] = exposed.count() - own;
    }
    out
}
