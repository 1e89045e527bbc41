//! What judgement is told from outside: queries and rosters from files, organisation, threshold; and what a case
//! remembers of them. A scan that differs from its case is an error that names the difference.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::message::Address;
use crate::person::Organisation;
use crate::query::{Query, Roster, builtin};

/// Which queries, by id and hash; kept in a case as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Id of a query, or path of a roster.
    pub(super) id: String,
    /// SHA-256.
    pub(super) sha256: String,
}

/// Settings of a scan, loaded.
#[derive(Debug)]
pub(super) struct Settings {
    /// Queries by id.
    pub(super) queries: Vec<Query>,
    /// Rosters in the order given.
    pub(super) rosters: Vec<Roster>,
    roster_paths: Vec<String>,
    query_paths: Vec<String>,
    builtin: bool,
    /// Organisation, where it is given or remembered.
    pub(super) organisation: Option<Organisation>,
    /// Threshold.
    pub(super) min_confidence: u8,
}

/// Settings as the command line gives them.
#[derive(Debug)]
pub(super) struct Given<'a> {
    /// `--queries`.
    pub(super) queries: &'a [PathBuf],
    /// `--no-builtin-queries`.
    pub(super) no_builtin: bool,
    /// `--roster`.
    pub(super) rosters: &'a [PathBuf],
    /// `--org`.
    pub(super) organisation: &'a [String],
    /// `--min-confidence`.
    pub(super) min_confidence: Option<u8>,
    /// `--rejudge`.
    pub(super) rejudge: bool,
}

/// From this confidence on a finding is reported, unless `--min-confidence` says otherwise.
pub(super) const MIN_CONFIDENCE: u8 = 50;

impl Settings {
    /// Loads what is given and, where nothing is given, what the case remembers; compares the two.
    ///
    /// # Errors
    /// A query, roster or domain that is wrong; a difference from the case without `--rejudge`.
    pub(super) fn load(given: &Given<'_>, case: Option<&Case>) -> anyhow::Result<Self> {
        let remembered = |key: &str| -> anyhow::Result<Option<String>> {
            case.map_or(Ok(None), |case| case.recall(key))
        };
        let old_paths = |key: &str| -> anyhow::Result<Vec<String>> {
            Ok(remembered(key)?
                .map(|text| serde_json::from_str(&text))
                .transpose()?
                .unwrap_or_default())
        };
        let absolute = |paths: &[PathBuf]| -> Vec<String> {
            paths
                .iter()
                .map(|path| text(&std::path::absolute(path).unwrap_or_else(|_| path.clone())))
                .collect()
        };
        let as_given =
            |paths: &[PathBuf], key: &str| -> anyhow::Result<(Vec<String>, Vec<String>)> {
                let (shown, whole) = (
                    paths.iter().map(|path| text(path)).collect(),
                    absolute(paths),
                );
                if paths.is_empty() {
                    old_paths(key).map(|old| (old.clone(), old))
                } else {
                    Ok((shown, whole))
                }
            };
        let (shown_queries, query_paths) = as_given(given.queries, "query_paths")?;
        let (shown_rosters, roster_paths) = as_given(given.rosters, "roster_paths")?;
        let builtin = !given.no_builtin && remembered("builtin")?.as_deref() != Some("false");
        let organisation = match given.organisation {
            [] => remembered("organisation")?
                .map(|text| serde_json::from_str(&text))
                .transpose()?,
            domains => Some(organisation(domains)?),
        };
        let min_confidence = match given.min_confidence {
            Some(number) => number,
            None => remembered("min_confidence")?
                .and_then(|text| text.parse().ok())
                .unwrap_or(MIN_CONFIDENCE),
        };
        let own = if builtin {
            builtin::for_scan()?
        } else {
            Vec::new()
        };
        let queries = queries(&shown_queries, own)?;
        let rosters = shown_rosters
            .iter()
            .map(|path| roster(path))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let settings = Settings {
            queries,
            rosters,
            roster_paths,
            query_paths,
            builtin,
            organisation,
            min_confidence,
        };
        if let Some(case) = case.filter(|_| !given.rejudge) {
            settings.compare(case)?;
        }
        Ok(settings)
    }

    fn known_queries(&self) -> Vec<Known> {
        self.queries
            .iter()
            .map(|query| Known {
                id: query.id.clone(),
                sha256: query.sha256.clone(),
            })
            .collect()
    }

    fn known_rosters(&self) -> Vec<Known> {
        self.roster_paths
            .iter()
            .zip(&self.rosters)
            .map(|(path, roster)| Known {
                id: path.clone(),
                sha256: roster.sha256.clone(),
            })
            .collect()
    }

    fn compare(&self, case: &Case) -> anyhow::Result<()> {
        let mut differences = Vec::new();
        if let (Some(old), Some(new)) = (case.recall("organisation")?, &self.organisation) {
            let old: Organisation = serde_json::from_str(&old)?;
            if old != *new {
                differences.push(format!(
                    "--org is {}, the case has {}",
                    domains(new),
                    domains(&old)
                ));
            }
        }
        if let Some(old) = case
            .recall("min_confidence")?
            .filter(|old| *old != self.min_confidence.to_string())
        {
            differences.push(format!(
                "--min-confidence is {}, the case has {old}",
                self.min_confidence
            ));
        }
        for (key, what, new) in [
            ("queries", "query", self.known_queries()),
            ("rosters", "roster", self.known_rosters()),
        ] {
            if let Some(old) = case.recall(key)? {
                differences.extend(difference(
                    what,
                    &serde_json::from_str::<Vec<Known>>(&old)?,
                    &new,
                ));
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        bail!(
            "this scan differs from the case in '{}': {}\n  try: add --rejudge to judge the whole case by the new settings, or name another folder with --case",
            case.folder.display(),
            differences.join("; ")
        )
    }

    /// The settings as a case remembers them, by key.
    ///
    /// # Errors
    /// None in practice.
    pub(super) fn notes(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let mut notes = vec![
            ("queries", serde_json::to_string(&self.known_queries())?),
            ("rosters", serde_json::to_string(&self.known_rosters())?),
            ("query_paths", serde_json::to_string(&self.query_paths)?),
            ("roster_paths", serde_json::to_string(&self.roster_paths)?),
            ("builtin", self.builtin.to_string()),
            ("min_confidence", self.min_confidence.to_string()),
        ];
        if let Some(organisation) = &self.organisation {
            notes.push(("organisation", serde_json::to_string(organisation)?));
        }
        Ok(notes)
    }
}

/// Notes settings in a case.
///
/// # Errors
/// Those of the database.
pub(super) fn remember(case: &Case, notes: &[(&'static str, String)]) -> anyhow::Result<()> {
    notes
        .iter()
        .try_for_each(|(key, value)| case.remember(key, value))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Domains and addresses of an organisation, for people.
pub(super) fn domains(organisation: &Organisation) -> String {
    organisation
        .domains
        .iter()
        .chain(&organisation.addresses)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

fn difference(what: &str, old: &[Known], new: &[Known]) -> Vec<String> {
    let mut out = Vec::new();
    for query in new {
        match old.iter().find(|known| known.id == query.id) {
            None => out.push(format!("the {what} '{}' is new", query.id)),
            Some(known) if known.sha256 != query.sha256 => {
                out.push(format!("the {what} '{}' was changed", query.id))
            }
            Some(_) => {}
        }
    }
    out.extend(
        old.iter()
            .filter(|known| !new.iter().any(|query| query.id == known.id))
            .map(|known| format!("the {what} '{}' is missing", known.id)),
    );
    if out.len() > 4 {
        let more = out.len() - 3;
        out.truncate(3);
        out.push(format!("{more} more"));
    }
    out
}

fn organisation(domains: &[String]) -> anyhow::Result<Organisation> {
    let mut out = Organisation::default();
    for domain in domains
        .iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
    {
        let bare = domain
            .strip_prefix("*.")
            .or(domain.strip_prefix('@'))
            .unwrap_or(domain);
        if let Some(address) = Address::new(bare) {
            out.addresses.insert(address.as_str().to_owned());
            continue;
        }
        match Address::new(&format!("x@{bare}"))
            .filter(|_| !bare.contains(['@', '/', ' ']) && bare.contains('.'))
        {
            Some(address) => drop(out.domains.insert(address.domain().to_owned())),
            None => bail!("--org '{domain}' is no domain\n  try: --org force.example"),
        }
    }
    Ok(out)
}

/// Reads a roster from disk.
fn roster(path: &str) -> anyhow::Result<Roster> {
    let bytes = std::fs::read(path).with_context(|| {
        format!("cannot read the roster '{path}'\n  try: name a CSV with --roster")
    })?;
    Roster::read(path, &bytes).with_context(|| "cannot use the roster\n  try: give it a header row with a column `address`; see ccspill scan --help")
}

/// The `builtin` queries and those of `paths` (files, or folders of `.toml` files), by id.
///
/// # Errors
/// The first query that is wrong, with its line; two queries of one id.
pub(super) fn queries(paths: &[String], builtin: Vec<Query>) -> anyhow::Result<Vec<Query>> {
    let mut out = builtin;
    for path in paths {
        for file in query_files(Path::new(path))? {
            let query = query(&file)?;
            if let Some(at) = out.iter().position(|known| known.id == query.id) {
                if !out[at].builtin {
                    bail!(
                        "there are two queries '{}'\n  try: rename one of the files",
                        query.id
                    );
                }
                out.remove(at);
            }
            out.push(query);
        }
    }
    out.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(out)
}

/// Reads one query from disk.
///
/// # Errors
/// A file that cannot be read, or is wrong.
pub(super) fn query(file: &Path) -> anyhow::Result<Query> {
    let shown = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("cannot read the query '{shown}'"))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        anyhow::anyhow!("the query '{shown}' is not UTF-8 text\n  try: save it as UTF-8")
    })?;
    let id = file
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let folder = file.parent().unwrap_or(Path::new(""));
    let open = |path: &str| {
        std::fs::read(folder.join(path)).with_context(|| format!("cannot read '{path}'"))
    };
    Ok(Query::read(&id, &shown, &text, Some(&open))?)
}

/// The query files that a path names.
///
/// # Errors
/// A path that is not there; a folder without a query.
pub(super) fn query_files(path: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    if path.is_file() {
        return Ok(BTreeSet::from([path.to_owned()]));
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read the queries in '{}'\n  try: name a .toml file, or a folder that holds some", path.display()))?;
    let files: BTreeSet<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    if files.is_empty() {
        bail!(
            "there is no query in '{}'\n  try: name a folder that holds .toml files",
            path.display()
        );
    }
    Ok(files)
}
