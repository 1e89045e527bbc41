//! Rosters: CSV lists of the people of a group, as an officer exports them from a case system. Not contacts and not
//! a decision: being on a roster makes a person exposable, it exposes nobody.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::hex;
use crate::message::Address;
use crate::message::text::clean;

/// A list of people, by canonical address.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// `roster:<file stem>`.
    pub group: String,
    /// Each address and what the roster says of it. One address may stand for several people.
    pub entries: BTreeMap<Address, Vec<RosterEntry>>,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}

/// One row of a roster.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct RosterEntry {
    /// The person's name.
    pub name: String,
    /// What ties several addresses to one person.
    pub person: String,
    /// The group, where the row names one.
    pub group: String,
    /// How the person may be contacted: `email|letter|phone|through|do-not-contact|unknown`.
    pub contact: String,
    /// An address that is safe to write to.
    pub safe_address: String,
    /// What to know before contacting.
    pub contact_note: String,
}

/// The values of `contact_by`.
pub const CONTACTS: [&str; 6] = [
    "email",
    "letter",
    "phone",
    "through",
    "do-not-contact",
    "unknown",
];

impl Roster {
    /// Reads a roster: a CSV (comma, semicolon or tab; UTF-8 or Windows-1252) with a column `address`, or with one
    /// column that holds addresses. `name` is the file's name as given.
    ///
    /// # Errors
    /// A file that has no addresses, or a `contact` that is none of [`CONTACTS`].
    pub fn read(name: &str, bytes: &[u8]) -> anyhow::Result<Self> {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let rows = rows(bytes)?;
        let (header, from) = header(&rows);
        let Some(address) = header
            .iter()
            .position(|name| name == "address")
            .or_else(|| address_column(&rows[from.min(rows.len())..]))
        else {
            bail!("'{name}' has no column `address`, and no column of addresses");
        };
        let column = |name: &str| header.iter().position(|known| known == name);
        let columns = [
            "name",
            "person",
            "group",
            "contact",
            "safe_address",
            "contact_note",
        ]
        .map(column);
        let mut entries: BTreeMap<Address, Vec<RosterEntry>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate().skip(from) {
            let cell = |at: Option<usize>| {
                clean(at.and_then(|at| row.get(at)).map_or("", |cell| cell.trim()))
            };
            let Some(key) = row.get(address).and_then(|cell| Address::new(cell.trim())) else {
                continue;
            };
            let [shown, person, group, contact, safe_address, contact_note] = columns.map(cell);
            let contact = contact.to_lowercase();
            if !contact.is_empty() && !CONTACTS.contains(&contact.as_str()) {
                bail!(
                    "'{name}', row {}: contact is '{contact}', not one of {}",
                    index + 1,
                    CONTACTS.join(", ")
                );
            }
            let entry = RosterEntry {
                name: shown,
                person,
                group,
                contact,
                safe_address,
                contact_note,
            };
            let known = entries.entry(key).or_default();
            if !known.contains(&entry) {
                known.push(entry);
            }
        }
        if entries.is_empty() {
            bail!("'{name}' holds no address");
        }
        Ok(Roster {
            group: format!("roster:{stem}"),
            entries,
            sha256: hex(&Sha256::digest(bytes)),
        })
    }
}

impl Roster {
    /// The rows for an address; for `nia+police@…` those of `nia@…` where the roster has only these.
    pub fn rows(&self, address: &Address) -> Option<&Vec<RosterEntry>> {
        self.entries.get(address).or_else(|| {
            let (plain, _) = address.local().split_once('+')?;
            self.entries
                .get(&Address::new(&format!("{plain}@{}", address.domain()))?)
        })
    }
}

/// The rows of a CSV as spreadsheets save it: comma, semicolon or tab; UTF-8 with or without BOM, or Windows-1252.
///
/// # Errors
/// What is no CSV at all.
pub fn rows(bytes: &[u8]) -> anyhow::Result<Vec<Vec<String>>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
    };
    let first = text.lines().next().unwrap_or_default();
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|d| (first.bytes().filter(|b| b == d).count(), *d == b','))
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        rows.push(
            record
                .context("it is no CSV")?
                .iter()
                .map(str::to_owned)
                .collect(),
        );
    }
    Ok(rows)
}

/// The header's names in lower case, and the row that the data begins with.
fn header(rows: &[Vec<String>]) -> (Vec<String>, usize) {
    match rows.first() {
        Some(first) if !first.iter().any(|cell| Address::new(cell.trim()).is_some()) => (
            first
                .iter()
                .map(|cell| cell.trim().to_lowercase().replace([' ', '-'], "_"))
                .collect(),
            1,
        ),
        _ => (Vec::new(), 0),
    }
}

/// The only column that holds addresses.
fn address_column(rows: &[Vec<String>]) -> Option<usize> {
    let width = rows.iter().map(Vec::len).max()?;
    let mut holding = (0..width).filter(|at| {
        rows.iter().any(|row| {
            row.get(*at)
                .is_some_and(|cell| Address::new(cell.trim()).is_some())
        })
    });
    let only = holding.next()?;
    holding.next().is_none().then_some(only)
}
