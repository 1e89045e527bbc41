//! `exposures.csv`: each address of each exposed person in each exposure.

use super::csv::Table;
use crate::case::Case;

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
/// Those of the database.
pub fn make(case: &Case) -> anyhow::Result<Vec<u8>> {
    let all = case.everybody()?;
    let mut table = Table::new(&COLUMNS)?;
    for shown in &all.shown {
        let viewers = shown.viewers();
        for seen in shown.seen.iter().filter(|seen| seen.exposed) {
            // What a person named as an incident may expose a role or a list too; it is no person, and has no id.
            let nobody = seen.person_ids.is_empty().then_some("");
            for id in seen.person_ids.iter().map(String::as_str).chain(nobody) {
                let own = if id.is_empty() {
                    seen.identity.as_str()
                } else {
                    id
                };
                let others = (viewers.len() - usize::from(viewers.contains(own))).to_string();
                table.row([
                    shown.id.as_str(),
                    id,
                    &seen.address,
                    &seen.name,
                    &seen.field,
                    seen.named_by.as_str(),
                    seen.kind.as_str(),
                    &others,
                ])?;
            }
        }
    }
    table.finish()
}
