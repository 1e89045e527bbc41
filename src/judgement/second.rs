//! The second pass: habit and aftermath raise confidence, answers to all join the exposure that they answer, findings are
//! tied to incidents and circles. Pass one is not repeated here: what speaks against a finding was weighed there.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::circles::circles;
use super::event::{Event, What};
use super::same_people::Earlier;
use super::sequel::{After, Counted, Sequel};
use super::ties::{Groups, incidents, shared};
use super::{Delivery, Entry, Finding, INCIDENT_LASTS, Judged, Step, made, order};
use crate::exposure::{self, Rules, Verdict};
use crate::history::Digest;
use crate::signal::aftermath::{self, Says};
use crate::signal::series::series;
use crate::signal::{Signal, habit, people};

/// What judgement comes to.
#[derive(Debug)]
pub struct Outcome {
    /// In the order of (sent, key).
    pub findings: Vec<Finding>,
    /// What happened beside them, with the id of the incident.
    pub events: Vec<(String, Event)>,
    /// Keys of messages that are no findings, and may yet belong to one that was not read.
    pub waiting: Vec<String>,
}

/// Judges what the first pass left, in the light of the whole mailbox. `known` are the ids of incidents that the case
/// wrote before, by exposure id: they stay.
pub fn second(
    judged: Judged,
    sequel: Sequel,
    rules: &Rules,
    known: &BTreeMap<String, String>,
) -> Outcome {
    let Judged {
        mut findings,
        waiting,
    } = judged;
    let ids: Vec<String> = findings
        .iter()
        .map(|finding| finding.id().to_owned())
        .collect();
    let Counted {
        after,
        events,
        any_bcc,
        waiting: mut deliveries,
        here,
    } = sequel.finish(&ids);
    for (finding, after) in findings.iter_mut().zip(after) {
        raise(finding, after, any_bcc, rules);
    }
    repeats(&mut findings, rules.min_confidence);
    let left = answers(&mut findings, waiting, rules);
    for finding in &mut findings {
        let id = finding.entry.candidate.message_id.as_deref();
        if let Some(id) = id.filter(|_| !finding.again_of.is_empty())
            && let Some(mut delivery) = deliveries.remove(&rules.digester.message_id(id))
        {
            let Delivery {
                bounced, replied, ..
            } = &mut delivery;
            bounced.retain(|person| !replied.contains(person));
            finding.delivery = delivery;
        }
    }
    let waiting = waits(&left, &findings, &here, rules);
    findings.sort_by_cached_key(order);
    repeats(&mut findings, rules.min_confidence);
    steps(&mut findings);
    let mut groups = incidents(&findings, rules);
    join_written(&mut groups, &findings, known);
    let firsts = ids_of(&findings, &groups, known, |finding| {
        (!finding.incident_id.is_empty()).then_some(finding.incident_id.as_str())
    });
    tokens(&mut findings, &groups, &events);
    let circle_ids = ids_of(&findings, &circles(&findings), &BTreeMap::new(), |_| None);
    for ((finding, incident), circle) in findings.iter_mut().zip(firsts).zip(circle_ids) {
        finding.incident_id = incident;
        finding.circle_id = circle;
    }
    let events = of_incidents(events, &findings);
    Outcome {
        findings,
        events,
        waiting,
    }
}

/// Adds what habit and aftermath say to a finding. Together they never add more than lies between what the case keeps
/// and what it reports, so that nothing that reading dropped could have been raised to a finding.
fn raise(finding: &mut Finding, after: After, any_bcc: bool, rules: &Rules) {
    let people = finding.verdict.exposed().count();
    let named = finding.verdict.confidence == 100;
    let signals: Vec<Signal> = [
        habit::signal(after.habit, people, any_bcc),
        aftermath::signal(after.aftermath),
    ]
    .into_iter()
    .flatten()
    .filter(|_| people > 0)
    .collect();
    let most = i32::from(rules.min_confidence.saturating_sub(rules.kept_from())).max(0);
    let weight: i32 = signals.iter().map(|signal| signal.weight).sum();
    if !named {
        let raised = i32::from(finding.verdict.confidence) + weight.min(most);
        finding.verdict.confidence = raised.clamp(0, 99) as u8;
        finding.reported |= finding.verdict.confidence >= rules.min_confidence;
    }
    for signal in signals {
        finding.verdict.add(&signal.says);
    }
    for (is, token) in [
        (after.aftermath.recalled, "recall"),
        (after.aftermath.apology, "apology"),
        (after.aftermath.resent_blind > 0, "resent-blind"),
        (after.aftermath.reply_alls != (0, 0), "reply-all"),
    ] {
        if is {
            finding.aftermath.insert(token);
        }
    }
    finding.delivery = after.delivery;
}

/// What an answer to all, a recall or an apology is looked up by.
#[derive(Default)]
struct Places {
    by_id: FxHashMap<Digest, usize>,
    by_series: FxHashMap<String, Vec<usize>>,
}

impl Places {
    fn add(&mut self, finding: &Finding, index: usize, rules: &Rules) {
        let candidate = &finding.entry.candidate;
        if let Some(id) = &candidate.message_id {
            let id = rules.digester.message_id(id);
            self.by_id.entry(id).or_insert(index);
        }
        let series = series(&candidate.subject);
        self.by_series.entry(series).or_default().push(index);
    }
}

/// Makes findings of what answers, recalls or is sorry for a reported exposure and shows two or more of its people again
/// (DESIGN section 2). Gives back what is left.
fn answers(findings: &mut Vec<Finding>, waiting: Vec<Entry>, rules: &Rules) -> Vec<Entry> {
    let mut places = Places::default();
    for (index, finding) in findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| finding.reported)
    {
        places.add(finding, index, rules);
    }
    for index in 0..findings.len() {
        if !findings[index].reported
            && let Some(again) = again(&findings[index].entry, findings, &places, rules)
        {
            raise_again(findings, index, again);
            places.add(&findings[index], index, rules);
        }
    }
    let mut left = Vec::new();
    for entry in waiting {
        match again(&entry, findings, &places, rules) {
            Some((verdict, step, earlier)) => {
                let mut finding = made(entry, verdict);
                finding.step = step;
                finding.again_of = findings[earlier].id().to_owned();
                places.add(&finding, findings.len(), rules);
                findings.push(finding);
            }
            None => left.push(entry),
        }
    }
    left
}

/// Reports what was not sure enough in itself, and shows the people of a reported exposure again.
fn raise_again(
    findings: &mut [Finding],
    index: usize,
    (verdict, step, earlier): (Verdict, Step, usize),
) {
    let of = findings[earlier].id().to_owned();
    let finding = &mut findings[index];
    (finding.reported, finding.step, finding.again_of) = (true, step, of);
    let own = &mut finding.verdict;
    own.confidence = own.confidence.max(verdict.confidence);
    own.severity = own.severity.max(verdict.severity);
    let new = verdict.groups.iter();
    let new = new.filter(|group| !own.groups.contains(group));
    let new: Vec<String> = new.cloned().collect();
    own.groups.extend(new);
    own.add(verdict.why.trim_end_matches('.'));
    let exposed: FxHashSet<Digest> = verdict.exposed().map(|seen| seen.digest).collect();
    for seen in &mut own.seen {
        seen.exposed |= exposed.contains(&seen.digest);
    }
}

/// Keys of what may yet belong to an exposure: it answers a mail that was not read, or that is not sure enough yet, or
/// another answer that waits; or it is sorry for something, or a draft. What answers a mail that is here and no finding belongs to none.
fn waits(
    left: &[Entry],
    findings: &[Finding],
    here: &FxHashSet<Digest>,
    rules: &Rules,
) -> Vec<String> {
    let id = |entry: &Entry| {
        let id = entry.candidate.message_id.as_deref();
        id.map(|id| rules.digester.message_id(id))
    };
    let unsure: FxHashSet<Digest> = findings
        .iter()
        .filter(|finding| !finding.reported)
        .filter_map(|finding| id(&finding.entry))
        .collect();
    let open = |id: Digest| !here.contains(&id) || unsure.contains(&id);
    let mut answering: FxHashMap<Digest, Vec<usize>> = FxHashMap::default();
    let mut next: Vec<usize> = Vec::new();
    for (index, entry) in left.iter().enumerate() {
        let answers = || entry.candidate.answers.iter().copied().map(Digest);
        let sorry = entry.judged && !entry.candidate.says.is_nothing();
        if entry.draft || sorry || answers().any(open) {
            next.push(index);
        }
        for id in answers() {
            answering.entry(id).or_default().push(index);
        }
    }
    let mut kept = vec![false; left.len()];
    while let Some(index) = next.pop() {
        if !std::mem::replace(&mut kept[index], true) {
            let answers = id(&left[index]).and_then(|id| answering.remove(&id));
            next.extend(answers.into_iter().flatten());
        }
    }
    let waiting = left.iter().zip(kept).filter(|(_, kept)| *kept);
    waiting
        .map(|(entry, _)| entry.candidate.key.clone())
        .collect()
}

/// The verdict on a message that shows the people of an earlier exposure again, and the place of that.
fn again(
    entry: &Entry,
    findings: &[Finding],
    places: &Places,
    rules: &Rules,
) -> Option<(Verdict, Step, usize)> {
    let candidate = &entry.candidate;
    let sent = candidate.sent.filter(|_| !entry.draft)?;
    let answered = candidate
        .answers
        .iter()
        .find_map(|id| places.by_id.get(&Digest(*id)));
    let sorry = !candidate.says.is_nothing() && entry.judged;
    let recalled = || {
        let same = places.by_series.get(&series(&candidate.subject))?;
        let before = |index: &&usize| {
            let first = findings[**index].sent();
            first <= sent && sent - first <= INCIDENT_LASTS
        };
        same.iter().rev().find(before)
    };
    let place = *answered.or_else(|| if sorry { recalled() } else { None })?;
    let earlier = &findings[place];
    let known = earlier.people();
    let mut seen = exposure::everybody(candidate, rules);
    let again = |seen: &exposure::Seen| {
        seen.visible && !seen.author && known.binary_search(&seen.digest).is_ok()
    };
    let shown = seen.iter().filter(|seen| again(seen)).count();
    if shown < 2 {
        return None;
    }
    for seen in &mut seen {
        seen.exposed = again(seen) || (seen.visible && seen.is_shown_outsider());
    }
    // Of people in lists inside whom nothing exposes, nothing is kept.
    seen.retain(|seen| seen.exposed || seen.receives());
    let by_outsider = candidate
        .author()
        .is_none_or(|author| !rules.organisation.holds(author));
    let (step, says) = match candidate.says {
        says if says.has(Says::RECALL) => (Step::Recall, "A recall"),
        says if sorry && says.has(Says::APOLOGY) => (Step::Apology, "An apology"),
        _ if sorry => (Step::Apology, "A request to delete"),
        _ if by_outsider => (Step::ReplyAll, "An answer from outside the organisation"),
        _ => (Step::ReplyAll, "An answer"),
    };
    let verdict = Verdict {
        confidence: earlier.verdict.confidence.max(rules.min_confidence).min(99),
        severity: earlier.verdict.severity,
        groups: earlier.verdict.groups.clone(),
        why: format!(
            "{says} that shows {} of exposure {} again.",
            people(shown),
            earlier.id()
        ),
        seen,
    };
    Some((verdict, step, place))
}

/// Marks what shows the same people in the same series again: it exposes the same groups and hurts as much, whatever it
/// says. A recall says nothing, and shows the list.
fn repeats(findings: &mut [Finding], threshold: u8) {
    // What was reported is kept apart: nobody can look up what was not.
    let mut threads: FxHashMap<(String, String), [Earlier; 2]> = FxHashMap::default();
    for index in 0..findings.len() {
        let candidate = &findings[index].entry.candidate;
        let author = candidate
            .author()
            .map_or_else(String::new, ToString::to_string);
        let [unsure, sure] = threads
            .entry((author, series(&candidate.subject)))
            .or_default();
        let people = findings[index].people();
        let earlier = sure.find(&people).or_else(|| {
            let alone = !findings[index].reported;
            alone.then(|| unsure.find(&people)).flatten()
        });
        let earlier = earlier.filter(|_| findings[index].repeat_of.is_empty());
        if let Some(earlier) = earlier {
            repeat(findings, earlier, index, threshold);
        }
        let reported = findings[index].reported;
        if reported { sure } else { unsure }.add(people, index);
    }
}

/// Marks a finding as what shows the people of an earlier one again.
fn repeat(findings: &mut [Finding], earlier: usize, index: usize, threshold: u8) {
    let (before, after) = findings.split_at_mut(index);
    let (first, again) = (&before[earlier], &mut after[0]);
    again.repeat_of = first.id().to_owned();
    let mut groups = first.verdict.groups.clone();
    let new = again.verdict.groups.iter();
    groups.extend(
        new.filter(|group| !first.verdict.groups.contains(group))
            .cloned(),
    );
    if first.reported && !again.reported {
        again.reported = true;
        again.verdict.confidence = again.verdict.confidence.max(threshold);
    }
    again.verdict.groups = groups;
    again.verdict.severity = again.verdict.severity.max(first.verdict.severity);
    again.verdict.add(&format!(
        "the same people were shown before, in exposure {}",
        first.id()
    ));
}

/// What each finding is in its incident, as far as it tells itself.
fn steps(findings: &mut [Finding]) {
    for finding in findings {
        let says = finding.entry.candidate.says;
        finding.step = if says.has(Says::RECALL) {
            Step::Recall
        } else if finding.step != Step::First {
            finding.step
        } else if says.has(Says::APOLOGY) || says.has(Says::DELETE) {
            Step::Apology
        } else if !finding.repeat_of.is_empty() {
            Step::Again
        } else {
            Step::Batch
        };
    }
}

/// Notes on the first message of each incident, and on each event itself, what came after; and makes the first the first.
fn tokens(findings: &mut [Finding], groups: &Groups, events: &[Event]) {
    let places: FxHashMap<String, usize> = findings
        .iter()
        .enumerate()
        .map(|(index, finding)| (finding.id().to_owned(), index))
        .collect();
    let firsts = reported_firsts(findings, groups);
    for index in 0..findings.len() {
        let first = firsts[index];
        if index == first {
            findings[index].step = Step::First;
            continue;
        }
        let token = match findings[index].step {
            Step::Recall => "recall",
            Step::Apology => "apology",
            Step::ReplyAll => "reply-all",
            Step::Batch
                if shared(&findings[index].people(), &findings[first].people()) * 2
                    < findings[index].people().len() =>
            {
                "next-batch"
            }
            Step::First | Step::Batch | Step::Again => continue,
        };
        findings[index].aftermath.insert(token);
        findings[first].aftermath.insert(token);
    }
    for event in events {
        let Some(index) = places.get(&event.exposure_id) else {
            continue;
        };
        let first = firsts[*index];
        let tokens: BTreeSet<&'static str> = findings[*index].aftermath.clone();
        if first != *index {
            findings[first].aftermath.extend(tokens);
        }
    }
}

/// Makes one of what the case wrote as one incident before: its id stays, though an earlier message that was found since
/// may have begun another.
fn join_written(groups: &mut Groups, findings: &[Finding], known: &BTreeMap<String, String>) {
    let mut written: FxHashMap<&str, usize> = FxHashMap::default();
    for (index, finding) in findings.iter().enumerate() {
        if let Some(id) = known.get(finding.id())
            && finding.incident_id.is_empty()
        {
            let first = *written.entry(id).or_insert(index);
            groups.join(first, index);
        }
    }
    groups.flatten();
}

/// For each finding the first reported one of its group, else the first.
fn reported_firsts(findings: &[Finding], groups: &Groups) -> Vec<usize> {
    let mut firsts: FxHashMap<usize, usize> = FxHashMap::default();
    for (index, _) in findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| finding.reported)
    {
        firsts.entry(groups.first(index)).or_insert(index);
    }
    (0..findings.len())
        .map(|index| {
            let root = groups.first(index);
            firsts.get(&root).copied().unwrap_or(root)
        })
        .collect()
}

/// The id of each finding's group: the one that the case wrote before for any of it, the older where there are two; else
/// that of its first reported finding. `named` groups those that a person named by another id.
fn ids_of<'f>(
    findings: &'f [Finding],
    groups: &Groups,
    known: &BTreeMap<String, String>,
    named: impl Fn(&'f Finding) -> Option<&'f str>,
) -> Vec<String> {
    let firsts = reported_firsts(findings, groups);
    let place: FxHashMap<&str, usize> = findings
        .iter()
        .enumerate()
        .map(|(index, finding)| (finding.id(), index))
        .collect();
    // Those that a person named are one group by that name, and begin with the first that exposes anybody.
    let mut by_name: FxHashMap<&str, usize> = FxHashMap::default();
    for (index, finding) in findings.iter().enumerate() {
        if let Some(name) = named(finding)
            && finding.verdict.exposed().next().is_some()
        {
            by_name.entry(name).or_insert(index);
        }
    }
    let first = |index: usize| {
        named(&findings[index])
            .and_then(|name| by_name.get(name).copied())
            .unwrap_or(firsts[index])
    };
    let mut written: FxHashMap<usize, &str> = FxHashMap::default();
    for (index, finding) in findings.iter().enumerate() {
        let Some(id) = known.get(finding.id()) else {
            continue;
        };
        let age = |id: &str| place.get(id).copied().unwrap_or(usize::MAX);
        let written = written.entry(first(index)).or_insert(id);
        if age(id) < age(written) {
            *written = id;
        }
    }
    (0..findings.len())
        .map(|index| {
            let first = first(index);
            written
                .get(&first)
                .map_or_else(|| findings[first].id().to_owned(), |id| (*id).to_owned())
        })
        .collect()
}

/// Events of reported findings, with the ids of their incidents; what is a finding of the same incident itself is none. A
/// message that recalls one of an incident is no apology for another too.
fn of_incidents(events: Vec<Event>, findings: &[Finding]) -> Vec<(String, Event)> {
    let by_id: FxHashMap<&str, &Finding> = findings
        .iter()
        .filter(|finding| finding.reported)
        .map(|finding| (finding.id(), finding))
        .collect();
    let own: FxHashMap<u128, &str> = findings
        .iter()
        .filter(|finding| finding.reported)
        .filter_map(|finding| {
            let key = u128::from_str_radix(&finding.entry.candidate.quick, 16).ok()?;
            Some((key, finding.incident_id.as_str()))
        })
        .collect();
    let said = |what| matches!(what, What::Recall | What::Apology | What::Delete);
    let mut says: FxHashMap<(u128, &str), What> = FxHashMap::default();
    let mut out: Vec<(String, Event)> = Vec::new();
    for event in events {
        let Some(finding) = by_id.get(event.exposure_id.as_str()) else {
            continue;
        };
        let incident = finding.incident_id.as_str();
        if own.get(&event.key).is_some_and(|own| *own == incident) {
            continue;
        }
        if said(event.what) {
            let known = says.entry((event.key, incident)).or_insert(event.what);
            *known = event.what.min(*known);
        }
        out.push((incident.to_owned(), event));
    }
    for (incident, event) in &mut out {
        if let Some(what) = says.get(&(event.key, incident.as_str()))
            && said(event.what)
        {
            event.what = *what;
        }
    }
    out.sort_unstable();
    out
}
