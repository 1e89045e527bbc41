//! `exposures.csv`: each address of each exposed person in each exposure.

use super::csv::Table;
use crate::case::people::People;

const COLUMNS: [&str; 8] = [
    "exposure_id",
    "person_id",
    "address",
    "name_shown",
    "field",
    "named_by",
    "kind",
    "seen_by",
];

/// Makes the file, by time and id of the exposure, then by address.
///
/// # Errors
/// None in practice.
pub fn make(all: &People) -> anyhow::Result<Vec<u8>> {
    let mut table = Table::new(&COLUMNS)?;
    let mut viewers = all.nobody();
    for shown in &all.shown {
        viewers.clear();
        let sees = shown.seen.iter().filter(|seen| seen.sees());
        sees.for_each(|seen| viewers.add(all.who(seen)));
        let count = viewers.count();
        // Whoever is exposed and has the message sees the others, and is one of them.
        let [all, others] = [count, count.saturating_sub(1)].map(|count| count.to_string());
        for seen in shown.seen.iter().filter(|seen| seen.exposed) {
            // What a person named as an incident may expose a role or a list too; it is no person, and has no id.
            let nobody = seen.person_ids.is_empty().then_some("");
            for id in seen.ids().chain(nobody) {
                table.row([
                    shown.id.as_str(),
                    id,
                    seen.address(),
                    &seen.name,
                    &seen.field,
                    seen.named_by.as_str(),
                    seen.kind.as_str(),
                    if seen.sees() { &others } else { &all },
                ])?;
            }
        }
    }
    table.finish()
}
