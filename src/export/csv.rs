//! How every CSV of a case is written: UTF-8 with BOM (spreadsheets need it), RFC 4180, and no cell that a spreadsheet
//! would run as a formula. Not for reading mail.

use anyhow::bail;

use crate::case::readings::utc;
use crate::message::text::clean;

/// Characters that make a spreadsheet run a cell (OWASP, CSV injection), full-width forms included.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A table on its way to a file.
pub struct Table {
    out: Vec<u8>,
    columns: usize,
}

impl Table {
    /// With a header row.
    ///
    /// # Errors
    /// None in practice: it writes to memory.
    pub fn new(columns: &[&str]) -> anyhow::Result<Self> {
        let mut out = Vec::with_capacity(64 << 10);
        out.extend_from_slice("\u{feff}".as_bytes());
        let mut table = Table {
            out,
            columns: columns.len(),
        };
        table.row(columns.iter().copied())?;
        Ok(table)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// A row of another length than the header.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
        let mut count = 0;
        for cell in cells {
            if count > 0 {
                self.out.push(b',');
            }
            count += 1;
            self.cell(cell);
        }
        self.out.extend_from_slice(b"\r\n");
        if count != self.columns {
            bail!(
                "a row has {count} cells, the table has {} columns",
                self.columns
            );
        }
        Ok(())
    }

    fn cell(&mut self, cell: &str) {
        if is_plain(cell.as_bytes()) {
            return self.out.extend_from_slice(cell.as_bytes());
        }
        let cell = safe(cell);
        if !cell.contains([',', '"', '\r', '\n']) {
            return self.out.extend_from_slice(cell.as_bytes());
        }
        self.out.push(b'"');
        for (index, part) in cell.split('"').enumerate() {
            if index > 0 {
                self.out.extend_from_slice(b"\"\"");
            }
            self.out.extend_from_slice(part.as_bytes());
        }
        self.out.push(b'"');
    }

    /// The bytes of the file.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// A cell without control characters, made harmless with an apostrophe where a spreadsheet would run it.
fn safe(cell: &str) -> String {
    let cell = clean(cell);
    if cell.starts_with(FORMULA) {
        format!("'{cell}")
    } else {
        cell
    }
}

/// True for printable ASCII with single spaces inside that begins no formula and needs no quotes, as nearly every cell
/// is: it stays as it is.
fn is_plain(cell: &[u8]) -> bool {
    let mut last = b' ';
    for byte in cell {
        let as_it_is = matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b',');
        if !as_it_is || (*byte == b' ' && last == b' ') {
            return false;
        }
        last = *byte;
    }
    !matches!(cell.first(), Some(b'=' | b'+' | b'-' | b'@')) && (last != b' ' || cell.is_empty())
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
    fn cells_are_written_as_the_csv_library_writes_them() {
        let cells = [
            "", " ", "a b", "a  b", " a", "a ", "-", "a=", "café", "a,b", "a\"b\"", "\"", "#a",
            "a;b", "x\r\ny", "=\"a\",b", "'a", "＝a",
        ];
        for cell in cells {
            let mut ours = Table::new(&["one", "two"]).expect("a table");
            ours.row([cell, "x"]).expect("two cells");
            let mut theirs = csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .from_writer("\u{feff}".as_bytes().to_vec());
            theirs.write_record(["one", "two"]).expect("a row");
            theirs
                .write_record([safe(cell).as_str(), "x"])
                .expect("a row");
            let theirs = theirs.into_inner().expect("the bytes");
            assert_eq!(ours.finish(), theirs, "{cell:?}");
        }
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(time(Some(0)), "1970-01-01T00:00:00Z");
        assert_eq!(time(None), "");
    }
}
