//! Which findings belong to one event: batches of one mail-out, its recall, its apology, answers to all, a list that grew.
//! Knows findings in the order of time, and nothing of what is made of an incident.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Finding, INCIDENT_LASTS, Step};
use crate::exposure::Rules;
use crate::history::Digest;
use crate::signal::aftermath::Says;
use crate::signal::series::series;

/// With how many of the latest findings of an author, and of each person, one is compared.
const LATEST_OF_AUTHOR: usize = 16;
const LATEST_OF_PERSON: usize = 4;

/// Findings that are one, as a forest: each points at an earlier one, or at itself.
#[derive(Debug)]
pub(super) struct Groups(Vec<usize>);

impl Groups {
    /// Of so many, each alone.
    pub(super) fn new(count: usize) -> Self {
        Groups((0..count).collect())
    }

    /// The first of the group.
    pub(super) fn first(&self, mut index: usize) -> usize {
        while self.0[index] != index {
            index = self.0[index];
        }
        index
    }

    /// Makes two groups one.
    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first(a), self.first(b));
        let (first, other) = (a.min(b), a.max(b));
        self.0[other] = first;
        // The way from those that were joined lately is kept short.
        let mut index = other;
        while self.0[index] != first {
            index = std::mem::replace(&mut self.0[index], first);
        }
    }
}

/// What ties one finding to others.
struct Tied {
    author: Option<Digest>,
    series: String,
    people: Rc<[Digest]>,
}

/// Findings so far, by what a later one may share with them.
#[derive(Default)]
struct Earlier {
    threads: FxHashMap<(Option<Digest>, String), usize>,
    by_id: FxHashMap<Digest, usize>,
    by_author: FxHashMap<Digest, Vec<usize>>,
    by_person: FxHashMap<Digest, Vec<usize>>,
}

/// The findings that are one incident each. `findings` are in the order of time; those that belong to an incident that a
/// person named are left alone.
pub(super) fn incidents(findings: &[Finding], rules: &Rules) -> Groups {
    let mut groups = Groups::new(findings.len());
    let mut earlier = Earlier::default();
    let mut tied: Vec<Tied> = Vec::with_capacity(findings.len());
    for (index, finding) in findings.iter().enumerate() {
        let candidate = &finding.entry.candidate;
        let author = candidate
            .author()
            .map(|address| rules.digester.address(address));
        let this = Tied {
            author,
            series: series(&candidate.subject),
            people: finding.people(),
        };
        if finding.incident_id.is_empty() {
            for other in earlier.akin(&this, candidate.answers.iter()) {
                let began = findings[groups.first(other)].sent();
                let last = findings[other].sent();
                let answer = finding.step == Step::ReplyAll || !candidate.says.is_nothing();
                // What comes after a mail-out may follow what came after it; a mail-out may not follow for ever.
                let since = if answer { last } else { began };
                let near = finding.sent().saturating_sub(since) <= INCIDENT_LASTS;
                if near
                    && findings[other].incident_id.is_empty()
                    && tied_to(finding, &this, &findings[other], &tied[other])
                {
                    groups.join(other, index);
                }
            }
        }
        earlier.add(
            index,
            &this,
            candidate
                .message_id
                .as_deref()
                .map(|id| rules.digester.message_id(id)),
        );
        tied.push(this);
    }
    groups
}

/// Whether a finding belongs to the event of an earlier one that it shares something with.
fn tied_to(finding: &Finding, this: &Tied, other: &Finding, that: &Tied) -> bool {
    let (candidate, earlier) = (&finding.entry.candidate, &other.entry.candidate);
    let answers = finding.step == Step::ReplyAll;
    let same_author = this.author == that.author;
    let same_series = !this.series.is_empty() && this.series == that.series;
    let near = candidate.sketch.near(&earlier.sketch);
    if answers || same_author && (same_series || near) {
        return true;
    }
    let shared = shared(&this.people, &that.people);
    let (fewer, more) = (
        this.people.len().min(that.people.len()),
        this.people.len().max(that.people.len()),
    );
    let same_people = shared > 0 && shared * 5 >= more * 4;
    let sorry = [Says::RECALL, Says::APOLOGY, Says::DELETE]
        .into_iter()
        .any(|says| candidate.says.has(says));
    let groups: FxHashSet<&String> = other.verdict.groups.iter().collect();
    let same_group = finding
        .verdict
        .groups
        .iter()
        .any(|group| groups.contains(group));
    same_people && (same_series || near || sorry)
        || same_author && same_group && shared >= 2 && shared * 2 >= fewer
}

/// How many stand in both of two lists, each in order.
pub(super) fn shared(a: &[Digest], b: &[Digest]) -> usize {
    let (mut both, mut rest) = (0, b);
    for person in a {
        while let Some((first, more)) = rest.split_first().filter(|(first, _)| *first <= person) {
            both += usize::from(first == person);
            rest = more;
        }
    }
    both
}

impl Earlier {
    /// Findings that this one may belong to, each once.
    fn akin<'a>(&self, this: &Tied, answers: impl Iterator<Item = &'a u64>) -> Vec<usize> {
        let thread = self.threads.get(&(this.author, this.series.clone()));
        let answered = answers.filter_map(|id| self.by_id.get(&Digest(*id)));
        let own = this.author.and_then(|author| self.by_author.get(&author));
        let people = this
            .people
            .iter()
            .filter_map(|person| self.by_person.get(person));
        let mut out: Vec<usize> = thread
            .into_iter()
            .chain(answered)
            .chain(own.into_iter().flatten())
            .chain(people.flatten())
            .copied()
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    fn add(&mut self, index: usize, this: &Tied, id: Option<Digest>) {
        self.threads
            .insert((this.author, this.series.clone()), index);
        if let Some(id) = id {
            self.by_id.entry(id).or_insert(index);
        }
        let latest = |list: &mut Vec<usize>, most: usize| {
            if list.len() == most {
                list.remove(0);
            }
            list.push(index);
        };
        if let Some(author) = this.author {
            latest(self.by_author.entry(author).or_default(), LATEST_OF_AUTHOR);
        }
        for person in &*this.people {
            latest(self.by_person.entry(*person).or_default(), LATEST_OF_PERSON);
        }
    }
}
