//! `manifest.json`: the evidence. Tool version, commands, queries and sources with their hashes, counts, exports.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::case::Case;
use crate::case::count::Counts;
use crate::case::people::People;
use crate::case::readings::utc;

/// How well the built-in queries and weights judge, on labelled mail: the figures that the tests hold (README, How well it
/// judges).
const MEASURED: &str = include_str!("../../tests/labelled/figures.json");

/// Makes the file. `people` are the exposed, of whom only numbers stand in it; `exports` are the SHA-256 of the other exports.
///
/// # Errors
/// Those of the database.
pub fn make(
    case: &Case,
    people: &People,
    exports: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<u8>> {
    let setting = |key: &str| -> anyhow::Result<Value> {
        Ok(case
            .recall(key)?
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or(Value::Null))
    };
    let readings = case.readings()?;
    let mut total = Counts::default();
    readings
        .iter()
        .for_each(|reading| total.add(&reading.counts));
    let sources: Vec<Value> = readings
        .iter()
        .map(|reading| {
            json!({
                "source": reading.source,
                "path": reading.absolute,
                "kind": reading.kind,
                "bytes": reading.bytes,
                "sha256": reading.sha256,
                "read_from": utc(Some(reading.started)),
                "read_to": utc(reading.ended),
                "wanted": serde_json::from_str::<Value>(&reading.bounds).unwrap_or(Value::Null),
                "folders": reading.folders,
                "limits": reading.limits,
                "counts": reading.counts,
            })
        })
        .collect();
    let [reported, kept] = case.finding_counts()?;
    let manifest = json!({
        "ccspill": { "version": env!("CARGO_PKG_VERSION"), "case_format": case.recall("format")? },
        "scans": case.scans()?,
        "organisation": setting("organisation")?,
        "organisation_inferred": case.recall("inferred")?.is_some(),
        "min_confidence": setting("min_confidence")?,
        "queries": setting("queries")?,
        "rosters": setting("rosters")?,
        "incidents": case.incidents()?,
        "sources": sources,
        "counts": total,
        "months_without_mail": case.span()?.map(|time| time.without),
        "findings": {
            "reported": reported,
            "below_threshold": kept,
            "people": people.people.len(),
            "ladder": people.ladder,
            "at_least_because": people.at_least,
        },
        "measured": serde_json::from_str::<Value>(MEASURED)?,
        "not_known": [
            "Who of those listed in a sent copy received it, where no bounce and no answer stands in the folders that were read.",
            "Mail deleted before the scan, and mail in folders or archives that were not given.",
            "Whether a server dropped Bcc: its absence proves nothing.",
        ],
        "exports": exports,
    });
    let mut bytes = serde_json::to_vec_pretty(&manifest)?;
    bytes.push(b'\n');
    Ok(bytes)
}
