//! `people.csv`: each exposed person, the follow-up list. It is also the officer's worksheet; see `worksheet`.

use std::cmp::Reverse;

use super::csv::{Table, time};
use crate::case::Case;
use crate::case::people::Shown;

/// The columns, in order.
pub const COLUMNS: [&str; 21] = [
    "person_id",
    "name",
    "address",
    "other_addresses",
    "shared",
    "kind",
    "relation",
    "named_by",
    "groups",
    "severity",
    "exposures",
    "first_exposed",
    "last_exposed",
    "seen_by",
    "delivery",
    "exposure_ids",
    "review",
    "contact_by",
    "contacted_at",
    "contacted_by",
    "notes",
];

/// Makes the file: the worst first, then by address.
///
/// # Errors
/// Those of the database.
pub fn make(case: &Case) -> anyhow::Result<Vec<u8>> {
    let all = case.everybody()?;
    let follow_ups = case.follow_ups()?;
    let mut rows = Vec::new();
    for (id, person) in &all.people {
        let shown: Vec<&Shown> = person
            .exposures
            .iter()
            .map(|index| &all.shown[*index])
            .collect();
        let Some(severity) = shown.iter().map(|shown| shown.severity).max() else {
            continue;
        };
        let follow_up = follow_ups.get(id).cloned().unwrap_or_default();
        let mut groups: Vec<&str> = Vec::new();
        let mut worst = shown.clone();
        worst.sort_by_key(|shown| Reverse(shown.severity));
        for group in worst.iter().flat_map(|shown| shown.groups.iter()) {
            if !groups.contains(&group.as_str()) {
                groups.push(group);
            }
        }
        let times: Vec<i64> = shown.iter().filter_map(|shown| shown.sent).collect();
        let addresses: Vec<&str> = person.addresses.iter().map(String::as_str).collect();
        let address = addresses.first().copied().unwrap_or_default();
        let name = if follow_up.name.is_empty() {
            &person.name
        } else {
            &follow_up.name
        };
        let contact_by = if follow_up.contact_by.is_empty() {
            "unknown"
        } else {
            &follow_up.contact_by
        };
        let cells = vec![
            id.clone(),
            name.clone(),
            address.to_owned(),
            addresses.get(1..).unwrap_or_default().join(";"),
            if follow_up.shared { "yes" } else { "no" }.to_owned(),
            person.kind.map(|kind| kind.to_string()).unwrap_or_default(),
            person
                .relation
                .map(|relation| relation.to_string())
                .unwrap_or_default(),
            person
                .named_by
                .map(|named| named.to_string())
                .unwrap_or_default(),
            groups.join(";"),
            severity.to_string(),
            shown.len().to_string(),
            time(times.iter().min().copied()),
            time(times.iter().max().copied()),
            person.seen_by.to_string(),
            "not looked for".to_owned(),
            shown
                .iter()
                .map(|shown| shown.id.as_str())
                .collect::<Vec<_>>()
                .join(";"),
            follow_up.review,
            contact_by.to_owned(),
            follow_up.contacted_at,
            follow_up.contacted_by,
            follow_up.notes,
        ];
        rows.push((Reverse(severity), address.to_owned(), cells));
    }
    rows.sort();
    let mut table = Table::new(&COLUMNS)?;
    for (_, _, cells) in &rows {
        table.row(cells.iter().map(String::as_str))?;
    }
    table.finish()
}
