//! `viewers.csv`: each person who received a list, exposed or not: who may still hold it.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::csv::Table;
use crate::case::Case;
use crate::case::people::Appearance;

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

#[derive(Default)]
struct Viewer<'a> {
    name: &'a str,
    first: Option<&'a Appearance>,
    exposed: bool,
    exposures: Vec<usize>,
}

/// Makes the file, by address, those without one last.
///
/// # Errors
/// Those of the database.
pub fn make(case: &Case) -> anyhow::Result<Vec<u8>> {
    let all = case.everybody()?;
    let mut viewers: BTreeMap<(bool, &str), Viewer<'_>> = BTreeMap::new();
    for (index, shown) in all.shown.iter().enumerate() {
        for seen in &shown.seen {
            let viewer = viewers
                .entry((seen.address.is_empty(), &seen.identity))
                .or_default();
            if seen.name.chars().count() > viewer.name.chars().count() {
                viewer.name = &seen.name;
            }
            viewer.first.get_or_insert(seen);
            viewer.exposed |= seen.exposed;
            viewer.exposures.push(index);
        }
    }
    let mut unions: BTreeMap<Vec<usize>, FxHashSet<&str>> = BTreeMap::new();
    let mut table = Table::new(&COLUMNS)?;
    for viewer in viewers.values() {
        let Some(first) = viewer.first else { continue };
        let union = unions
            .entry(viewer.exposures.clone())
            .or_insert_with_key(|key| {
                key.iter()
                    .flat_map(|index| {
                        all.shown[*index]
                            .seen
                            .iter()
                            .filter(|seen| seen.exposed)
                            .flat_map(Appearance::who)
                    })
                    .collect()
            });
        let people = union.len() - first.who().filter(|who| union.contains(who)).count();
        let ids: Vec<&str> = viewer
            .exposures
            .iter()
            .map(|index| all.shown[*index].id.as_str())
            .collect();
        let exposed = if viewer.exposed { "yes" } else { "no" };
        table.row([
            first.address.as_str(),
            viewer.name,
            first.kind.as_str(),
            exposed,
            &ids.join(";"),
            &people.to_string(),
            "not looked for",
            "",
            "",
            "",
            "",
        ])?;
    }
    table.finish()
}
