//! Judging a mailbox: the first pass over each message, the incidents that a person named, and the second pass that ties
//! findings to one another. Pure: order of reading, number of threads and parts of a scan leave no trace in it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::exposure::{self, Candidate, Rules, Seen, Verdict};
use crate::facts::Wanted;
use crate::history::{Digest, History};
use crate::query::{Harm, pattern::fold};
use crate::signal::habit::{Earlier, series};
use crate::signal::people;

/// How long after its first message an incident can go on.
const INCIDENT_LASTS: i64 = 14 * 86_400;

/// Where one copy of a message stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// As given.
    pub source: String,
    /// Chain inside it.
    pub folder: String,
    /// `offset+length`, or a path.
    pub position: String,
    /// SHA-256 of the copy's bytes.
    pub sha256: String,
}

/// A message that may expose, with all its copies.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What judgement needs of it.
    pub candidate: Candidate,
    /// Every copy, the one that counts first.
    pub places: Vec<At>,
    /// False for mail from outsiders and drafts: they are judged only as part of an incident.
    pub judged: bool,
    /// True where every copy is marked as deleted, and still stands in its store.
    pub deleted: bool,
    /// True where its source was read again and holds it no more.
    pub gone: bool,
}

/// A message that was judged an exposure, or belongs to one.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The message.
    pub entry: Entry,
    /// The judgement.
    pub verdict: Verdict,
    /// False below the threshold.
    pub reported: bool,
    /// Id of the first exposure of its incident.
    pub incident_id: String,
    /// Tokens: what came after, or what this is.
    pub aftermath: BTreeSet<&'static str>,
    /// Earliest exposure of the same people and series, if this is not it.
    pub repeat_of: String,
}

impl Finding {
    /// Its id.
    pub fn id(&self) -> &str {
        self.entry.candidate.id()
    }
}

/// The people who matter to history: every recipient of a candidate, and who stands in lists inside it.
pub fn who_matters(entries: &[Entry], rules: &Rules) -> FxHashSet<Digest> {
    let digest = |mailbox: &crate::message::recipients::Mailbox| match &mailbox.address {
        Some(address) => rules.digester.address(address),
        None => rules.digester.name(fold(&mailbox.name).trim()),
    };
    entries
        .iter()
        .flat_map(|entry| {
            let Candidate {
                recipients, inside, ..
            } = &entry.candidate;
            let header = recipients.iter().map(|recipient| &recipient.mailbox);
            header.chain(inside.iter().flat_map(|list| &list.recipients))
        })
        .map(digest)
        .collect()
}

/// The first pass on one message; `None` where it exposes nobody, or is not to be judged on itself.
pub fn first_pass(entry: &Entry, history: &History, rules: &Rules) -> Option<Verdict> {
    if entry.judged {
        exposure::judge(&entry.candidate, history, rules)
    } else {
        None
    }
}

/// Judges everything that a mailbox holds, from the first pass on each entry, `verdicts`, in the same order.
///
/// `incident_ids` are those that the case wrote before, by exposure id. Findings come in the order of (sent, key).
pub fn judge(
    entries: Vec<Entry>,
    verdicts: Vec<Option<Verdict>>,
    history: &History,
    rules: &Rules,
    wanted: &Wanted,
    incident_ids: &BTreeMap<String, String>,
) -> Vec<Finding> {
    let named = Named::new(&entries, &verdicts, rules, wanted);
    let mut findings = Vec::with_capacity(verdicts.iter().flatten().count());
    let judged = entries.into_iter().zip(verdicts);
    findings.extend(
        judged.filter_map(|(entry, verdict)| finding(entry, verdict, &named, history, rules)),
    );
    // A finding is large: its place is found first, and it is moved once.
    findings.sort_by_cached_key(order);
    second_pass(&mut findings, rules.min_confidence, incident_ids);
    findings
}

/// What is kept of one entry; `None` where it is no finding.
fn finding(
    entry: Entry,
    verdict: Option<Verdict>,
    named: &Named,
    history: &History,
    rules: &Rules,
) -> Option<Finding> {
    let (mut verdict, reported, incident_id) =
        match named.judge(&entry, verdict.as_ref(), history, rules) {
            Some((verdict, incident)) => (verdict, true, incident),
            None => {
                let verdict = verdict.filter(|verdict| verdict.confidence >= rules.kept_from())?;
                let reported = verdict.confidence >= rules.min_confidence;
                (verdict, reported, String::new())
            }
        };
    for (is, says) in [
        (
            entry.candidate.cut,
            " It is so long that only its beginning was looked at.",
        ),
        (
            entry.gone,
            " Its source holds it no more: the place is that of an earlier reading.",
        ),
        (
            entry.deleted,
            " It is marked as deleted, and still stands in its store.",
        ),
    ] {
        if is {
            verdict.why.push_str(says);
        }
    }
    Some(Finding {
        entry,
        verdict,
        reported,
        incident_id,
        aftermath: BTreeSet::new(),
        repeat_of: String::new(),
    })
}

fn order(finding: &Finding) -> (i64, String) {
    let candidate = &finding.entry.candidate;
    (candidate.sent.unwrap_or(i64::MAX), candidate.key.clone())
}

/// The incidents that a person named, and the people shown in each.
struct Named {
    incidents: Vec<Incident>,
}

struct Incident {
    key: String,
    people: BTreeSet<String>,
    author: Option<String>,
    series: String,
    groups: Vec<String>,
    severity: Harm,
}

impl Named {
    fn new(
        entries: &[Entry],
        verdicts: &[Option<Verdict>],
        rules: &Rules,
        wanted: &Wanted,
    ) -> Self {
        let named = entries
            .iter()
            .zip(verdicts)
            .filter(|(entry, _)| wanted.holds(&entry.candidate));
        let mut incidents: Vec<Incident> = named
            .map(|(entry, verdict)| {
                let candidate = &entry.candidate;
                let seen = exposure::everybody(candidate, rules);
                Incident {
                    key: candidate.key.clone(),
                    people: seen
                        .iter()
                        .filter(|seen| seen.is_shown_outsider())
                        .map(|seen| seen.identity().into_owned())
                        .collect(),
                    author: candidate.author().map(ToString::to_string),
                    series: series(&candidate.subject),
                    groups: verdict
                        .as_ref()
                        .filter(|verdict| verdict.confidence >= rules.min_confidence)
                        .map_or_else(
                            || vec!["incident".to_owned()],
                            |verdict| verdict.groups.clone(),
                        ),
                    severity: verdict
                        .as_ref()
                        .map_or(Harm::High, |verdict| verdict.severity.max(Harm::High)),
                }
            })
            .collect();
        incidents.sort_by(|a, b| a.key.cmp(&b.key));
        incidents.dedup_by(|a, b| a.key == b.key);
        Named { incidents }
    }

    /// The verdict on a message that is an incident, or shows two or more of its people, and the incident's id.
    fn judge(
        &self,
        entry: &Entry,
        own: Option<&Verdict>,
        history: &History,
        rules: &Rules,
    ) -> Option<(Verdict, String)> {
        if let Some(incident) = self
            .incidents
            .iter()
            .find(|incident| incident.key == entry.candidate.key)
        {
            return Some((
                incident.itself(entry, own, rules),
                String::from(&incident.key[..16]),
            ));
        }
        if self.incidents.is_empty() {
            return None;
        }
        let seen = exposure::everybody(&entry.candidate, rules);
        let best = self.incidents.iter().max_by_key(|incident| {
            (
                incident.shown(&seen).len(),
                std::cmp::Reverse(&incident.key),
            )
        })?;
        if best.shown(&seen).len() < 2 {
            return None;
        }
        Some((
            best.related(entry, own, seen, history, rules),
            best.key[..16].to_owned(),
        ))
    }
}

impl Incident {
    /// Its people who are shown in a message, by index.
    fn shown(&self, seen: &[Seen]) -> Vec<usize> {
        (0..seen.len())
            .filter(|index| {
                (seen[*index].visible || seen[*index].inside())
                    && !seen[*index].author
                    && self.people.contains(&*seen[*index].identity())
            })
            .collect()
    }

    fn itself(&self, entry: &Entry, own: Option<&Verdict>, rules: &Rules) -> Verdict {
        let mut seen = exposure::everybody(&entry.candidate, rules);
        exposure::expose_shown(&mut seen);
        let shown = seen.iter().filter(|seen| seen.exposed).count();
        let why = format!(
            "Named as an incident by a person: {} in view of one another.{}",
            people(shown),
            own.map_or_else(String::new, |own| format!(" {}", own.why))
        );
        Verdict {
            confidence: 100,
            severity: self.severity,
            groups: self.groups.clone(),
            why,
            seen,
        }
    }

    /// The three classes of DESIGN section 3, told in `why`.
    fn related(
        &self,
        entry: &Entry,
        own: Option<&Verdict>,
        mut seen: Vec<Seen>,
        history: &History,
        rules: &Rules,
    ) -> Verdict {
        let shown = self.shown(&seen);
        let (k, n) = (shown.len(), self.people.len());
        let all = seen.iter().filter(|seen| seen.is_shown_outsider()).count();
        let digests: Vec<Digest> = shown.iter().map(|index| seen[*index].digest).collect();
        let speak = history
            .spoken(&digests, entry.candidate.sent, Some(&[]))
            .share();
        let same_author = entry.candidate.author().map(ToString::to_string) == self.author;
        let same_series =
            !self.series.is_empty() && series(&entry.candidate.subject) == self.series;
        let of_theirs = entry
            .candidate
            .author()
            .is_some_and(|author| self.people.contains(author.as_str()));
        let reported = own.is_some_and(|own| own.confidence >= rules.min_confidence);
        let (class, exposes) = if (of_theirs || !entry.judged) && !same_series {
            ("ordinary contact between some of them", false)
        } else if speak >= 0.34 && !reported {
            (
                "ordinary contact between some of them, who speak with one another",
                false,
            )
        } else if all * 4 <= k * 5 {
            (
                if k == n {
                    "the same list"
                } else {
                    "part of the same list"
                },
                true,
            )
        } else if same_author || same_series {
            (
                if same_series {
                    "the same series to others of the group"
                } else {
                    "the same sender to others of the group"
                },
                true,
            )
        } else {
            ("some of them among others", reported)
        };
        if exposes {
            exposure::expose_shown(&mut seen);
        } else {
            seen.retain(Seen::receives);
        }
        let own_why = own.map_or_else(String::new, |own| format!(" {}", own.why));
        let why = format!("Shows {k} of the {n} people of the incident: {class}.{own_why}");
        let groups = own
            .filter(|own| own.confidence >= rules.min_confidence)
            .map_or_else(|| self.groups.clone(), |own| own.groups.clone());
        let severity = if exposes {
            own.map_or(self.severity, |own| own.severity.max(self.severity))
        } else {
            Harm::Low
        };
        Verdict {
            confidence: own.map_or(0, |own| own.confidence),
            severity,
            groups,
            why,
            seen,
        }
    }
}

/// The second pass: ties the findings of one event to one incident and marks repeats and recalls. A sender's habit and
/// the rest of what comes after an exposure are not looked at yet.
fn second_pass(findings: &mut [Finding], threshold: u8, known: &BTreeMap<String, String>) {
    let mut open: FxHashMap<(String, String), Earlier> = FxHashMap::default();
    let mut parent: Vec<usize> = (0..findings.len()).collect();
    for index in 0..findings.len() {
        let candidate = &findings[index].entry.candidate;
        let thread = (
            candidate
                .author()
                .map_or_else(String::new, ToString::to_string),
            series(&candidate.subject),
        );
        let earlier = open.entry(thread).or_default();
        if findings[index].incident_id.is_empty() {
            // Findings stand in the order of time: where the last is too long ago, all are.
            let sent = candidate.sent.unwrap_or(i64::MAX);
            let joined = earlier.last.filter(|other| {
                sent.saturating_sub(findings[*other].entry.candidate.sent.unwrap_or(i64::MIN))
                    <= INCIDENT_LASTS
            });
            if let Some(other) = joined {
                parent[index] = root(&parent, other);
            }
        }
        let repeated = earlier.same_people(exposed(&findings[index]), index);
        if let Some(other) = repeated {
            findings[index].repeat_of = findings[other].id().to_owned();
            repeat(findings, index, other, threshold);
        }
        if is_recall(&findings[index].entry.candidate.subject) {
            findings[index].aftermath.insert("recall");
            if let Some(other) = repeated {
                findings[other].aftermath.insert("recall");
            }
        }
        earlier.last = Some(index);
    }
    let ids: Vec<String> = (0..findings.len())
        .map(|index| findings[root(&parent, index)].id().to_owned())
        .collect();
    let named = named_ids(findings);
    for (finding, first) in findings.iter_mut().zip(ids) {
        let id = named.get(&finding.incident_id).cloned().unwrap_or(first);
        finding.incident_id = known.get(finding.id()).cloned().unwrap_or(id);
    }
}

/// What shows the same people in the same series again exposes the same groups and hurts as much, whatever it says: a
/// recall says nothing, and shows the list.
fn repeat(findings: &mut [Finding], index: usize, earlier: usize, threshold: u8) {
    let (before, after) = findings.split_at_mut(index);
    let (first, again) = (&before[earlier], &mut after[0]);
    let mut groups = first.verdict.groups.clone();
    groups.extend(
        again
            .verdict
            .groups
            .iter()
            .filter(|group| !first.verdict.groups.contains(group))
            .cloned(),
    );
    if first.reported && !again.reported {
        again.reported = true;
        again.verdict.confidence = again.verdict.confidence.max(threshold);
    }
    again.verdict.groups = groups;
    again.verdict.severity = again.verdict.severity.max(first.verdict.severity);
    again.verdict.why = format!(
        "{} The same people were shown before, in exposure {}.",
        again.verdict.why,
        first.id()
    );
}

/// For each incident that a person named: the id of its first exposure.
fn named_ids(findings: &[Finding]) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for finding in findings.iter().filter(|finding| {
        !finding.incident_id.is_empty() && finding.verdict.exposed().next().is_some()
    }) {
        out.entry(finding.incident_id.clone())
            .or_insert_with(|| finding.id().to_owned());
    }
    out
}

fn root(parent: &[usize], mut index: usize) -> usize {
    while parent[index] != index {
        index = parent[index];
    }
    index
}

/// The people whom a finding exposes, in order.
fn exposed(finding: &Finding) -> Rc<[Digest]> {
    let mut all: Vec<Digest> = finding.verdict.exposed().map(|seen| seen.digest).collect();
    all.sort_unstable();
    all.into()
}

/// Whether a subject is that of an Outlook recall, in the languages of Outlook that stand in public cases.
fn is_recall(subject: &str) -> bool {
    subject.split_once(':').is_some_and(|(mark, _)| {
        matches!(
            fold(mark).trim(),
            "recall"
                | "message recall"
                | "zuruckrufen"
                | "ruckruf"
                | "rappel"
                | "richiama"
                | "retirar"
                | "intrekken"
        )
    })
}
