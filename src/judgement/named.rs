//! Incidents that a person named: the message itself, and every other on which two or more of its people are visible, in
//! the three classes of DESIGN section 3.

use std::collections::BTreeSet;

use super::Entry;
use crate::exposure::{self, Rules, Seen, Verdict};
use crate::facts::Wanted;
use crate::history::{Digest, History};
use crate::person::Relation;
use crate::query::Harm;
use crate::signal::people;
use crate::signal::series::series;

/// The incidents that a person named, and the people shown in each.
pub(super) struct Named {
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
    pub(super) fn new(
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
    pub(super) fn judge(
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
        // Whoever forwards a list that she stands on herself, as a complaint, is one of those it exposed.
        for seen in seen.iter_mut().filter(|seen| seen.author && seen.inside()) {
            seen.exposed |= seen.relation == Relation::Outsider;
        }
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
