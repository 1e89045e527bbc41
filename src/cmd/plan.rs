//! What one scan is to read: sources, each opened once, and the incidents asked about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::case::Case;
use crate::facts::Wanted;
use crate::message::text::clean;
use crate::message::{Key, Message};
use crate::source::imap::{How, is_url};
use crate::source::{self, Item, Source};

/// What is to be read.
pub(super) struct Plan {
    /// In the order given, each once.
    pub(super) sources: Vec<Box<dyn Source>>,
    /// Incidents asked about now or before.
    pub(super) wanted: Wanted,
    /// Message-IDs asked about in this scan: each must be found.
    pub(super) asked: BTreeSet<String>,
}

impl Plan {
    /// Opens the sources and looks at the incidents.
    ///
    /// # Errors
    /// A source that cannot be opened, an incident that is neither file nor Message-ID, nothing to scan.
    pub(super) fn new(
        sources: &[String],
        incidents: &[String],
        rejudge: bool,
        case: Option<&Case>,
        how: &How,
    ) -> anyhow::Result<Self> {
        let mut names: Vec<String> = Vec::new();
        let mut places: BTreeSet<PathBuf> = BTreeSet::new();
        let mut add = |name: &str| {
            if places.insert(place(name)) {
                names.push(name.to_owned());
            }
        };
        sources.iter().for_each(|name| add(name));
        let mut wanted = Wanted::default();
        let mut asked = BTreeSet::new();
        for incident in incidents {
            if Path::new(incident).is_file() {
                add(incident);
                known(incident, &mut wanted)?;
            } else {
                let id = clean(
                    incident
                        .trim()
                        .trim_start_matches('<')
                        .trim_end_matches('>'),
                );
                if !id.contains('@') && !id.is_empty() {
                    bail!(
                        "--incident '{id}' is neither a file nor a Message-ID\n  try: --incident '<id@host>', as the message's header Message-ID gives it"
                    );
                }
                asked.insert(id.clone());
                wanted.message_ids.insert(id);
            }
        }
        if let Some(case) = case {
            wanted.keys.extend(case.incident_keys()?);
            wanted.people.extend(case.incident_people()?);
            if rejudge {
                for reading in case.readings()? {
                    if reading.absolute == "-" {
                        bail!(
                            "the case holds mail from standard input, which cannot be read again to judge it anew\n  try: scan it into a new case with --case"
                        );
                    }
                    add(if places_same(&reading.source, &reading.absolute) {
                        &reading.source
                    } else {
                        &reading.absolute
                    });
                }
            }
        }
        if names.is_empty() {
            bail!(
                "there is nothing to scan: no SOURCE is given\n  try: ccspill scan SENT.mbox --org your-domain.example"
            );
        }
        if names.iter().filter(|name| *name == "-").count() > 0 && names.len() > 1 && rejudge {
            bail!(
                "--rejudge and standard input do not go together\n  try: save the mail to a file first"
            );
        }
        let sources = names
            .iter()
            .map(|name| source::open(name, how))
            .collect::<anyhow::Result<_>>()?;
        Ok(Plan {
            sources,
            wanted,
            asked,
        })
    }
}

/// Where a source is, for telling whether it is one that was read before; `-` for standard input.
pub(super) fn place(name: &str) -> PathBuf {
    if name == "-" || is_url(name) {
        PathBuf::from(name)
    } else {
        std::fs::canonicalize(name).unwrap_or_else(|_| PathBuf::from(name))
    }
}

fn places_same(name: &str, absolute: &str) -> bool {
    place(name) == Path::new(absolute)
}

/// Notes the messages in an incident's file, and the people they show.
fn known(file: &str, wanted: &mut Wanted) -> anyhow::Result<()> {
    let source =
        source::open_path(file).with_context(|| format!("cannot use the incident '{file}'"))?;
    let before = wanted.keys.len();
    source::all_units(source.as_ref(), 1, &mut |unit| {
        unit.read(&mut |item| {
            let Item::Mail(raw) = item else { return };
            let Ok(message) = Message::new(raw.bytes) else {
                return;
            };
            let key = Key::of(&message).to_hex();
            wanted.add_copy(&key, &message);
            wanted.add(key, &message.from(), message.recipients());
        });
        std::ops::ControlFlow::Continue(())
    })?;
    if wanted.keys.len() == before {
        bail!(
            "the incident '{file}' holds no message that can be read\n  try: save the message as .eml and name that file"
        );
    }
    Ok(())
}
