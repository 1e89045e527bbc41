//! `people.csv`: each exposed person, the follow-up list. It is also the officer's worksheet; see `worksheet`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::csv::{Table, time};
use crate::case::follow_up::FollowUp;
use crate::case::people::{People, Person, Shown};
use crate::exposure::longer;
use crate::person::NamedBy;
use crate::query::Harm;

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
/// None in practice.
pub fn make(all: &People, follow_ups: &BTreeMap<String, FollowUp>) -> anyhow::Result<Vec<u8>> {
    let mut rows: Vec<_> = all
        .people
        .iter()
        .filter_map(|person| {
            let shown = all.appearances(person).map(|(shown, _)| shown);
            let severity = shown.map(|shown| shown.severity).max()?;
            let addresses = all.appearances(person).map(|(_, seen)| seen.address());
            let first = addresses.filter(|address| !address.is_empty()).min();
            Some((Reverse(severity), first.unwrap_or_default(), person))
        })
        .collect();
    rows.sort_unstable_by(|a, b| (a.0, a.1, &a.2.id).cmp(&(b.0, b.1, &b.2.id)));
    let nothing = FollowUp::default();
    let mut table = Table::new(&COLUMNS)?;
    for (severity, address, person) in rows {
        let follow_up = follow_ups.get(&*person.id).unwrap_or(&nothing);
        row(&mut table, all, person, severity.0, address, follow_up)?;
    }
    table.finish()
}

fn row(
    table: &mut Table,
    all: &People,
    person: &Person,
    severity: Harm,
    address: &str,
    follow_up: &FollowUp,
) -> anyhow::Result<()> {
    let mut shown: Vec<&Shown> = all.appearances(person).map(|(shown, _)| shown).collect();
    shown.dedup_by(|a, b| std::ptr::eq(*a, *b));
    let appearances = all.appearances(person).map(|(_, seen)| seen);
    let mut name = "";
    for seen in appearances.clone() {
        if longer(&seen.name, name) {
            name = &seen.name;
        }
    }
    let others: Vec<&str> = match person.appearances.len() {
        1 => Vec::new(),
        _ => all.addresses(person).into_iter().skip(1).collect(),
    };
    let first = appearances.clone().next();
    let named_by = appearances.map(|seen| seen.named_by).max();
    let times = shown.iter().filter_map(|shown| shown.sent);
    let (from, to) = (times.clone().min(), times.max());
    let ids: Vec<&str> = shown.iter().map(|shown| shown.id.as_str()).collect();
    let count = shown.len().to_string();
    let first_time = time(from);
    let contact_by = match follow_up.contact_by.as_str() {
        "" => "unknown",
        by => by,
    };
    table.row([
        &*person.id,
        if follow_up.name.is_empty() {
            name
        } else {
            &follow_up.name
        },
        address,
        &others.join(";"),
        if follow_up.shared { "yes" } else { "no" },
        first.map_or("", |seen| seen.kind.as_str()),
        first.map_or("", |seen| seen.relation.as_str()),
        named_by.map_or("", NamedBy::as_str),
        &groups(&mut shown),
        severity.as_str(),
        &count,
        &first_time,
        &if from == to {
            first_time.clone()
        } else {
            time(to)
        },
        &person.seen_by.to_string(),
        all.delivery(all.appearances(person).map(|(_, seen)| seen)),
        &ids.join(";"),
        &follow_up.review,
        contact_by,
        &follow_up.contacted_at,
        &follow_up.contacted_by,
        &follow_up.notes,
    ])
}

/// The groups that a person was shown in, those of the worst exposure first.
fn groups(shown: &mut [&Shown]) -> String {
    shown.sort_by_key(|shown| Reverse(shown.severity));
    let mut groups: Vec<&str> = Vec::new();
    for group in shown.iter().flat_map(|shown| &shown.groups) {
        if !groups.contains(&group.as_str()) {
            groups.push(group);
        }
    }
    groups.join(";")
}
