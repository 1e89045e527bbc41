//! A case as a reader finds it: its tables, checked against the columns of the contract, and its manifest.

use super::Output;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Index;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tempfile::TempDir;

/// The tables of a case.
pub(crate) const EXPORTS: [&str; 6] = [
    "people.csv",
    "viewers.csv",
    "messages.csv",
    "timeline.csv",
    "exposures.csv",
    "unread.csv",
];

/// The columns of each table, in the order of [`EXPORTS`].
const COLUMNS: [&str; 6] = [
    "person_id,name,address,other_addresses,shared,kind,relation,named_by,groups,severity,exposures,first_exposed,\
     last_exposed,seen_by,delivery,exposure_ids,review,contact_by,contacted_at,contacted_by,notes",
    "address,name,kind,exposed,exposure_ids,people_seen,delivery,asked_to_delete_at,confirmed_deleted_at,replied_all,\
     notes",
    "exposure_id,incident_id,groups,severity,confidence,why,sent,from,subject,visible,exposed,audience,named_full,\
     named_partial,field,aftermath,repeat_of,source,folder,position,message_id,sha256,also_at,review,circle_id",
    "incident_id,at,event,by,people,exposure_id,source,folder,position",
    "exposure_id,person_id,address,name_shown,field,named_by,kind,seen_by",
    "source,folder,position,bytes,reason",
];

/// A row of a table; `row["address"]` is its cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row(BTreeMap<String, String>);

impl Index<&str> for Row {
    type Output = str;
    fn index(&self, column: &str) -> &str {
        self.0
            .get(column)
            .unwrap_or_else(|| panic!("there is no column '{column}'"))
    }
}

impl Row {
    /// A cell that holds a number.
    pub(crate) fn number(&self, column: &str) -> u64 {
        self[column]
            .parse()
            .unwrap_or_else(|_| panic!("{column} is no number: '{}'", &self[column]))
    }
    /// A cell that holds a list joined by `;`.
    pub(crate) fn list(&self, column: &str) -> BTreeSet<String> {
        self[column]
            .split(';')
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// The different values of one column.
pub(crate) fn column(rows: &[Row], name: &str) -> BTreeSet<String> {
    rows.iter().map(|row| row[name].to_owned()).collect()
}

/// What a scan wrote, and what it said.
#[derive(Debug)]
pub(crate) struct Case {
    home: Rc<TempDir>,
    path: PathBuf,
    /// What the scan said.
    pub(crate) output: Output,
}

impl Case {
    pub(super) fn new(home: Rc<TempDir>, path: PathBuf, output: Output) -> Self {
        Case { home, path, output }
    }
    /// A case that a scan left behind without an end.
    pub(crate) fn at(home: Rc<TempDir>, path: PathBuf) -> Self {
        Case {
            home,
            path,
            output: Output {
                stdout: String::new(),
                stderr: String::new(),
                status: -1,
            },
        }
    }
    /// The same case in another place.
    pub(crate) fn copy(&self) -> Self {
        let home = Rc::new(
            tempfile::Builder::new()
                .prefix("ccspill-copy-")
                .tempdir()
                .expect("a folder for a copy"),
        );
        let path = home.path().join("case");
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .arg(&self.path)
            .arg(&path)
            .status();
        assert!(copied.expect("cp").success());
        Case::at(home, path)
    }
    pub(super) fn home(&self) -> Rc<TempDir> {
        Rc::clone(&self.home)
    }
    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
    /// The follow-up list.
    pub(crate) fn people(&self) -> Vec<Row> {
        self.table(0)
    }
    /// Who may still hold a list.
    pub(crate) fn viewers(&self) -> Vec<Row> {
        self.table(1)
    }
    /// The exposures.
    pub(crate) fn messages(&self) -> Vec<Row> {
        self.table(2)
    }
    /// Each incident in the order of time.
    pub(crate) fn timeline(&self) -> Vec<Row> {
        self.table(3)
    }
    /// Writes a decision on an exposure into its row, as an officer would.
    pub(crate) fn decide(&self, exposure: &str, review: &str) {
        let text = self.text("messages.csv");
        let lines = text.split_inclusive("\r\n").map(|line| {
            if !line.trim_start_matches('\u{feff}').starts_with(exposure) {
                return line.to_owned();
            }
            // The columns at the end are review and circle_id.
            let (before, circle) = line.rsplit_once(',').unwrap();
            let (before, _) = before.rsplit_once(',').unwrap();
            format!("{before},{review},{circle}")
        });
        fs::write(self.path.join("messages.csv"), lines.collect::<String>()).unwrap();
    }
    /// Each address in each exposure.
    pub(crate) fn exposures(&self) -> Vec<Row> {
        self.table(4)
    }
    /// What could not be read.
    pub(crate) fn unread(&self) -> Vec<Row> {
        self.table(5)
    }
    /// The Message-IDs of what was found, without their brackets and domain, in the order of the table.
    pub(crate) fn found(&self) -> Vec<String> {
        let short = |row: &Row| {
            row["message_id"]
                .trim_matches(['<', '>'])
                .split('@')
                .next()
                .unwrap_or("")
                .to_owned()
        };
        self.messages().iter().map(short).collect()
    }
    /// The one message that was found.
    pub(crate) fn only_message(&self) -> Row {
        let [one] = <[Row; 1]>::try_from(self.messages())
            .unwrap_or_else(|all| panic!("{} messages: {all:#?}", all.len()));
        one
    }
    /// The addresses of the exposed.
    pub(crate) fn exposed(&self) -> BTreeSet<String> {
        column(&self.people(), "address")
    }
    /// The row of the person at this address.
    pub(crate) fn person(&self, address: &str) -> Row {
        let mut people = self.people();
        let at = people.iter().position(|row| {
            &row["address"] == address || row.list("other_addresses").contains(address)
        });
        people.swap_remove(at.unwrap_or_else(|| panic!("nobody at {address}: {people:#?}")))
    }
    /// The evidence.
    pub(crate) fn manifest(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.path.join("manifest.json")).expect("a manifest"))
            .expect("JSON")
    }
    /// One of the counts of the manifest, over all sources.
    pub(crate) fn count(&self, what: &str) -> u64 {
        count(&self.manifest()["counts"], what)
    }
    /// The counts of each source, in the order of the manifest.
    pub(crate) fn counts_by_source(&self) -> Vec<serde_json::Value> {
        let sources = self.manifest()["sources"]
            .as_array()
            .expect("a list of sources")
            .clone();
        sources
            .into_iter()
            .map(|source| source["counts"].clone())
            .collect()
    }
    /// The tables as they stand on disk.
    pub(crate) fn exports(&self) -> BTreeMap<&'static str, String> {
        EXPORTS.map(|name| (name, self.text(name))).into()
    }
    /// A file of the case as text.
    pub(crate) fn text(&self, name: &str) -> String {
        let bytes = fs::read(self.path.join(name)).unwrap_or_else(|why| panic!("{name}: {why}"));
        String::from_utf8(bytes).unwrap_or_else(|why| panic!("{name} is not UTF-8: {why}"))
    }
    /// The names of everything in the case's folder.
    pub(crate) fn files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(&self.path)
            .expect("a case")
            .map(|entry| entry.expect("an entry").file_name());
        entries
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    fn table(&self, which: usize) -> Vec<Row> {
        let text = self.text(EXPORTS[which]);
        let text = text
            .strip_prefix('\u{feff}')
            .unwrap_or_else(|| panic!("{} has no BOM", EXPORTS[which]));
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let header = reader.headers().expect("a header row").clone();
        assert_eq!(
            header.iter().collect::<Vec<_>>().join(","),
            COLUMNS[which],
            "columns of {}",
            EXPORTS[which]
        );
        let cells = |row: csv::StringRecord| {
            header
                .iter()
                .zip(&row)
                .map(|(n, c)| (n.to_owned(), c.to_owned()))
                .collect()
        };
        reader
            .records()
            .map(|row| Row(cells(row.expect("rows as long as the header"))))
            .collect()
    }
}

/// A count by its name.
pub(crate) fn count(counts: &serde_json::Value, what: &str) -> u64 {
    counts[what]
        .as_u64()
        .unwrap_or_else(|| panic!("no count '{what}' in {counts}"))
}
