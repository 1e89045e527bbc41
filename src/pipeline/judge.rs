//! Judges what a case holds: from its lines and candidates to its findings. The bridge between `case`, which keeps, and
//! `judgement`, which is pure.

use std::collections::BTreeSet;

use anyhow::bail;
use rustc_hash::FxHashSet;

use crate::case::count::Tally;
use crate::case::people::People;
use crate::case::{Case, lines};
use crate::exposure::{self, Candidate, Rules, Seen};
use crate::facts::Wanted;
use crate::history::{Digest, History};
use crate::judgement::{self, Entry, Finding, Judged, Sequel};
use crate::message::Address;
use crate::person::Organisation;
use crate::signal::{listed, people, thousands};

/// Judges everything, replaces the findings of the case and counts anew. Gives remarks for the summary.
///
/// `asked` are Message-IDs of incidents that must be found; `read_now` are the readings of this scan.
///
/// # Errors
/// A database that cannot be read or written; an incident that was found nowhere.
pub fn judge(
    case: &Case,
    rules: &Rules,
    wanted: &Wanted,
    asked: &BTreeSet<String>,
    read_now: &[i64],
) -> anyhow::Result<Vec<String>> {
    let authors = case.authors()?;
    case.settle_authors(
        authors
            .keys()
            .filter(|address| rules.organisation.holds(address))
            .map(|address| rules.digester.address(address)),
    )?;
    let everybody = rules.organisation.is_unknown();
    // Where nobody knew the organisation or the incident's people while reading, far more was kept than can be a finding.
    let people = if wanted.message_ids.is_empty() {
        wanted.clone()
    } else {
        found(case, wanted, everybody, rules)?
    };
    let may_count = |candidate: &Candidate| {
        !candidate.says.is_nothing()
            || people.may_hold(candidate)
            || exposure::may_be_kept(candidate, rules)
    };
    let mut entries = case.entries(everybody, &rules.digester, &may_count)?;
    let mut wanted = wanted.clone();
    fold_copies(&mut entries, &mut wanted);
    let wanted = &wanted;
    for id in asked {
        if !entries
            .iter()
            .any(|entry| entry.candidate.message_id.as_ref() == Some(id))
        {
            bail!(
                "the incident <{id}> was found nowhere in what was read\n  try: compare it with the header Message-ID of the message, or give the message as a file"
            );
        }
    }
    let named: Vec<(String, String)> = entries
        .iter()
        .filter(|entry| wanted.holds(&entry.candidate))
        .map(|entry| {
            (
                entry.candidate.key.clone(),
                entry.candidate.message_id.clone().unwrap_or_default(),
            )
        })
        .collect();
    case.note_incidents(&named)?;
    let mut tally = case.tally(everybody)?;
    let history = history(case, &entries, rules, &mut tally)?;
    // The counting needs no database until it is in order.
    let (tally, notes) = super::beside(
        || {
            tally.sort();
            tally
        },
        || find(case, entries, &history, rules, wanted, read_now),
    );
    let notes = notes?;
    case.count(tally)?;
    Ok(notes)
}

/// Judges every entry and replaces the findings of the case. Gives what is to be said of the incidents asked about.
fn find(
    case: &Case,
    entries: Vec<Entry>,
    history: &History,
    rules: &Rules,
    wanted: &Wanted,
    read_now: &[i64],
) -> anyhow::Result<Vec<String>> {
    let verdicts = super::read::side_by_side(&entries, |entry| {
        judgement::first_pass(entry, history, rules)
    });
    let judged = judgement::first(entries, verdicts, history, rules, wanted);
    let sequel = sequel(case, &judged, rules)?;
    let outcome = judgement::second(judged, sequel, rules, &case.incident_ids()?);
    let mut notes = Vec::new();
    if !wanted.is_empty() {
        notes.extend(incident_notes(case, &outcome.findings, wanted, read_now)?);
    }
    case.write_outcome(&outcome, rules)?;
    // To let go of a hundred thousand findings takes as long as to write some of them.
    rayon::spawn(|| drop(outcome));
    Ok(notes)
}

/// Where the sender's own copy of a message given as a file was read, it is the incident, and the file one more place of it:
/// a gateway may have changed the file's subject, or a complainant has forwarded it.
fn fold_copies(entries: &mut Vec<Entry>, wanted: &mut Wanted) {
    for (key, originals) in std::mem::take(&mut wanted.copies) {
        let at = |entries: &[Entry], is: &dyn Fn(&Entry) -> bool| entries.iter().position(is);
        let Some(copy) = at(entries, &|entry| entry.candidate.key == key) else {
            continue;
        };
        let sent = |entry: &Entry| {
            entry.judged
                && entry.candidate.key != key
                && originals
                    .iter()
                    .any(|original| original.is(&entry.candidate))
        };
        if at(entries, &sent).is_none() {
            continue;
        }
        let copy = entries.remove(copy);
        if let Some(sent) = at(entries, &sent) {
            let sent = &mut entries[sent];
            sent.places.extend(copy.places);
            wanted.keys.remove(&key);
            wanted.keys.insert(sent.candidate.key.clone());
        }
    }
}

/// What the lines of all messages say of the findings.
fn sequel(case: &Case, judged: &Judged, rules: &Rules) -> anyhow::Result<Sequel> {
    let mut sequel = Sequel::new(judged, rules);
    if sequel.is_idle() {
        return Ok(sequel);
    }
    let notices = case.notices()?;
    let insiders = case.insiders()?;
    let everybody = rules.organisation.is_unknown();
    let inside = |digest: Digest| everybody || insiders.contains(&digest.0.cast_signed());
    case.blocks(&mut |_, _, block| {
        lines::read(block, |record| {
            if !record.draft {
                sequel.line(&record.line, record.key, &inside, notices.get(&record.key));
            }
        })
    })?;
    Ok(sequel)
}

/// History, and the tally of all messages in the same pass over their lines.
fn history(
    case: &Case,
    entries: &[Entry],
    rules: &Rules,
    tally: &mut Tally,
) -> anyhow::Result<History> {
    let matter = judgement::who_matters(entries, rules);
    let answered = entries
        .iter()
        .flat_map(|entry| entry.candidate.answers.iter().copied().map(Digest))
        .collect();
    let messages = case.messages()?;
    let mut counted = false;
    let history = History::new(&matter, &answered, messages, |each| {
        let counting = !std::mem::replace(&mut counted, true);
        case.blocks(&mut |row, _, block| {
            if counting {
                tally.block(row, block, each)
            } else {
                lines::read(block, |record| each(&record.line))
            }
        })
    })?;
    if !counted {
        case.blocks(&mut |row, _, block| tally.block(row, block, &mut |_| ()))?;
    }
    Ok(history)
}

/// The incidents asked about by Message-ID, found: their keys, and the people they show.
fn found(case: &Case, wanted: &Wanted, everybody: bool, rules: &Rules) -> anyhow::Result<Wanted> {
    let mut found = Wanted {
        keys: wanted.keys.clone(),
        people: wanted.people.clone(),
        ..Wanted::default()
    };
    for entry in case.entries(everybody, &rules.digester, &|candidate| {
        wanted.holds(candidate)
    })? {
        let candidate = entry.candidate;
        found.add(candidate.key, &candidate.from, &candidate.recipients);
    }
    Ok(found)
}

/// What to say of the incidents that were asked about: how many other messages show their people, and whether messages of
/// earlier scans, whose details were not kept, do too.
fn incident_notes(
    case: &Case,
    findings: &[Finding],
    wanted: &Wanted,
    read_now: &[i64],
) -> anyhow::Result<Vec<String>> {
    let mut notes = Vec::new();
    let ids: BTreeSet<&str> = findings
        .iter()
        .filter(|finding| wanted.holds(&finding.entry.candidate))
        .map(|finding| finding.incident_id.as_str())
        .collect();
    let others = findings
        .iter()
        .filter(|finding| {
            finding.reported
                && ids.contains(finding.incident_id.as_str())
                && !wanted.holds(&finding.entry.candidate)
        })
        .count();
    notes.push(match others {
        0 => "No other message that was read shows two or more people of the incident together."
            .to_owned(),
        1 => "1 other message shows two or more people of the incident together.".to_owned(),
        others => format!(
            "{} other messages show two or more people of the incident together.",
            thousands(others as u64)
        ),
    });
    let people: FxHashSet<Digest> = findings
        .iter()
        .filter(|finding| wanted.holds(&finding.entry.candidate))
        .flat_map(|finding| finding.verdict.exposed())
        .map(|seen: &Seen| seen.digest)
        .collect();
    let known: FxHashSet<&str> = findings
        .iter()
        .map(|finding| finding.entry.candidate.quick.as_str())
        .collect();
    let mut forgotten = 0u64;
    case.blocks(&mut |_, reading, block| {
        if read_now.contains(&reading) {
            return Ok(());
        }
        lines::read(block, |record| {
            let visible = record.line.visible.iter();
            let shown = visible.filter(|digest| people.contains(digest)).count();
            if shown >= 2 && !known.contains(format!("{:032x}", record.key).as_str()) {
                forgotten += 1;
            }
        })
    })?;
    if forgotten > 0 {
        notes.push(format!(
            "{} messages of earlier scans show two or more people of the incident too; their details were not kept. Scan those sources again with --incident to list them.",
            thousands(forgotten)
        ));
    }
    Ok(notes)
}

/// For each roster: how many on it were exposed, and how many were not.
pub fn rosters(all: &People, rules: &Rules) -> Vec<String> {
    if rules.rosters.is_empty() {
        return Vec::new();
    }
    let exposed: BTreeSet<&str> = all
        .people
        .iter()
        .flat_map(|person| all.addresses(person))
        .collect();
    let plain: BTreeSet<Address> = exposed
        .iter()
        .filter_map(|address| {
            let (local, domain) = address.rsplit_once('@')?;
            Address::new(&format!(
                "{}@{domain}",
                local.split('+').next().unwrap_or(local)
            ))
        })
        .collect();
    rules
        .rosters
        .iter()
        .map(|roster| {
            let (shown, spared): (Vec<&Address>, Vec<&Address>) =
                roster.entries.keys().partition(|address| {
                    exposed.contains(address.as_str()) || plain.contains(*address)
                });
            let name = roster.group.trim_start_matches("roster:");
            let spared_names: Vec<String> = spared
                .iter()
                .map(|address| address.as_str().to_owned())
                .collect();
            let who = if spared.is_empty() {
                String::new()
            } else {
                format!(" ({})", listed(&spared_names, 20))
            };
            format!(
                "On the roster '{name}': {} exposed, {} not found among the exposed{who}.",
                people(shown.len()),
                people(spared.len())
            )
        })
        .collect()
}

impl Organisation {
    /// Who sent the mail, from how often each author was seen: the domains that make up at least a tenth of the mail in
    /// folders known as sent, or else of the mail without a Received field; of a personal mail provider only the exact
    /// address (DESIGN section 3).
    pub fn inferred(
        authors: &std::collections::BTreeMap<Address, crate::case::keep::Authored>,
    ) -> Self {
        let sent: u64 = authors.values().map(|count| count.sent).sum();
        let of = |count: &crate::case::keep::Authored| {
            if sent > 0 {
                count.sent
            } else {
                count.unstamped
            }
        };
        let total: u64 = authors.values().map(of).sum();
        let mut by: std::collections::BTreeMap<(bool, &str), u64> =
            std::collections::BTreeMap::new();
        for (address, count) in authors {
            let personal = crate::person::personal_provider(address.domain());
            *by.entry((
                personal,
                if personal {
                    address.as_str()
                } else {
                    address.domain()
                },
            ))
            .or_default() += of(count);
        }
        let mut out = Organisation::default();
        for ((personal, name), count) in by {
            if total > 0 && count * 10 >= total {
                if personal {
                    out.addresses.insert(name.to_owned())
                } else {
                    out.domains.insert(name.to_owned())
                };
            }
        }
        out
    }
}
