//! How every CSV of a case is written: UTF-8 with BOM (spreadsheets need it), RFC 4180, and no cell that a spreadsheet
//! would run as a formula. Not for reading mail.

use std::borrow::Cow;

use anyhow::Context;

use crate::case::readings::utc;
use crate::message::text::cleaned;

/// Characters that make a spreadsheet run a cell (OWASP, CSV injection), full-width forms included.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A table on its way to a file.
pub struct Table {
    writer: csv::Writer<Vec<u8>>,
}

impl Table {
    /// With a header row.
    ///
    /// # Errors
    /// None in practice: it writes to memory.
    pub fn new(columns: &[&str]) -> anyhow::Result<Self> {
        let mut out = Vec::with_capacity(64 << 10);
        out.extend_from_slice("\u{feff}".as_bytes());
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        writer.write_record(columns)?;
        Ok(Table { writer })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// A row of another length than the header.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
        for cell in cells {
            self.writer.write_field(safe(cell).as_bytes())?;
        }
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// None in practice.
    pub fn finish(self) -> anyhow::Result<Vec<u8>> {
        self.writer
            .into_inner()
            .map_err(|error| anyhow::anyhow!("{error}"))
            .context("cannot write a table")
    }
}

/// A cell without control characters, made harmless with an apostrophe where a spreadsheet would run it.
fn safe(cell: &str) -> Cow<'_, str> {
    let cell = cleaned(cell);
    if cell.starts_with(FORMULA) {
        Cow::Owned(format!("'{cell}"))
    } else {
        cell
    }
}

/// What a person wrote into a cell that came back with the apostrophe that made it harmless.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) => rest,
        _ => cell,
    }
}

/// A time as RFC 3339 in UTC; empty where there is none.
pub fn time(seconds: Option<i64>) -> String {
    utc(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_text_and_control_characters_vanish() {
        assert_eq!(safe("=1+1"), "'=1+1");
        assert_eq!(safe("\t@x"), "'@x");
        assert_eq!(safe("a\u{1b}[31mb\u{202e}"), "a[31mb");
        assert_eq!(safe("plain"), "plain");
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(time(Some(0)), "1970-01-01T00:00:00Z");
        assert_eq!(time(None), "");
    }
}
