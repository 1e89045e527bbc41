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

    /// Makes each point at the first of its group, so that nobody has far to go.
    pub(super) fn flatten(&mut self) {
        for index in 0..self.0.len() {
            self.0[index] = self.0[self.0[index]];
        }
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
    id: Option<Digest>,
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
    join_again(&mut groups, findings);
    let mut earlier = Earlier::default();
    let mut tied: Vec<Tied> = Vec::with_capacity(findings.len());
    for (index, finding) in findings.iter().enumerate() {
        let candidate = &finding.entry.candidate;
        let author = candidate
            .author()
            .map(|address| rules.digester.address(address));
        let id = candidate.message_id.as_deref();
        let this = Tied {
            id: id.map(|id| rules.digester.message_id(id)),
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
        earlier.add(index, &this);
        tied.push(this);
    }
    groups.flatten();
    groups
}

/// What is a finding because it carries the list of another again is of its incident, whenever it was sent.
fn join_again(groups: &mut Groups, findings: &[Finding]) {
    let again = |finding: &&Finding| !finding.again_of.is_empty();
    if !findings.iter().any(|finding| again(&finding)) {
        return;
    }
    let alone = |finding: &&Finding| finding.incident_id.is_empty();
    let places: FxHashMap<&str, usize> = findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| alone(finding))
        .map(|(index, finding)| (finding.id(), index))
        .collect();
    for finding in findings.iter().filter(again) {
        let pair = (places.get(finding.id()), places.get(&*finding.again_of));
        if let (Some(this), Some(other)) = pair {
            groups.join(*other, *this);
        }
    }
    groups.flatten();
}

/// Whether a finding belongs to the event of an earlier one that it shares something with.
fn tied_to(finding: &Finding, this: &Tied, other: &Finding, that: &Tied) -> bool {
    let (candidate, earlier) = (&finding.entry.candidate, &other.entry.candidate);
    let same_author = this.author == that.author;
    let same_series = !this.series.is_empty() && this.series == that.series;
    let near = candidate.sketch.near(&earlier.sketch);
    if same_author && (same_series || near) {
        return true;
    }
    let mut answers = candidate.answers.iter();
    let answers = answers.any(|id| that.id == Some(Digest(*id)));
    let shared = shared(&this.people, &that.people);
    if answers && shared >= 2 {
        return true;
    }
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
    let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if few.len() * 16 < many.len() {
        let both = few.iter().filter(|one| many.binary_search(one).is_ok());
        return both.count();
    }
    let (mut both, mut rest) = (0, many);
    for person in few {
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

    fn add(&mut self, index: usize, this: &Tied) {
        self.threads
            .insert((this.author, this.series.clone()), index);
        if let Some(id) = this.id {
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
