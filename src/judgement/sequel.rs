//! What the rest of a mailbox says of the findings: who hid the same list before or after, who answered, what did not
//! arrive, who was sorry. It is told every line once, in any order, and keeps counts and events, no lines.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::compared::Compared;
use super::event::{Event, What};
use super::{DAY, Delivery, INCIDENT_LASTS, Judged};
use crate::exposure::Rules;
use crate::facts::notice::Notice;
use crate::history::{Digest, Told};
use crate::signal::aftermath::{Aftermath, Says};
use crate::signal::habit::Habit;

/// How long after a message an answer without In-Reply-To, by its subject alone, is one to it.
const ANSWERED_WITHIN: i64 = 30 * DAY;
/// How long after a message a bounce that names no message is one of it.
const BOUNCED_WITHIN: i64 = 5 * DAY;
/// With how many lists of findings, before a mail and after it, somebody is compared: of a mailbox that shows them the same
/// person ten thousand times those nearest in time tell enough.
const LISTS_BEFORE: usize = 192;
const LISTS_AFTER: usize = 64;
/// How many findings one Message-ID is taken for: a broken program gives all its mails the same.
const MOST_OF_ID: usize = 16;

/// What was counted for one finding.
#[derive(Clone, Debug, Default)]
pub(super) struct After {
    pub(super) delivery: Delivery,
    pub(super) habit: Habit,
    pub(super) aftermath: Aftermath,
    /// Who answered it by its Message-ID, and so was reached.
    reached: FxHashSet<Digest>,
    last_answer: Option<i64>,
    reply_alls: FxHashMap<u128, bool>,
    bounced_at: Option<i64>,
}

/// The mails of one author and series.
#[derive(Default)]
struct Series {
    hidden: FxHashSet<u128>,
    shown: FxHashSet<u128>,
    /// To one person alone, and to whom.
    apart: FxHashMap<u128, Digest>,
    findings: Vec<usize>,
}

/// Findings that show exactly the same people.
struct List {
    people: Rc<[Digest]>,
    /// In the order of time.
    findings: Vec<usize>,
    /// Mails that hid half of them or more, and how many.
    hidden: FxHashMap<u128, usize>,
}

/// By quick key of the message, what it was and the place of the finding: when, whether from inside, and how many people
/// it concerns.
type Events = FxHashMap<(u128, What, usize), (i64, bool, usize)>;

/// Collects what the lines of a mailbox say of the findings.
pub struct Sequel {
    all: Vec<Compared>,
    after: Vec<After>,
    by_id: FxHashMap<Digest, Vec<usize>>,
    by_series: FxHashMap<Digest, Vec<usize>>,
    series: FxHashMap<(Digest, Digest), Series>,
    lists: Vec<List>,
    by_person: FxHashMap<Digest, Vec<u32>>,
    /// Of each author of a finding: the mails that hid three or more.
    hiders: FxHashMap<Digest, FxHashSet<u128>>,
    events: Events,
    any_bcc: bool,
    /// Message-IDs that what is waiting answers, and whether a mail of that id was seen.
    answered: FxHashMap<Digest, bool>,
    /// Of what is waiting, by Message-ID: whom it did not reach, and who answered it.
    waiting: FxHashMap<Digest, Delivery>,
    touched: Vec<u32>,
    overlap: Vec<u32>,
}

impl Sequel {
    /// Of the findings of the first pass.
    pub fn new(judged: &Judged, rules: &Rules) -> Self {
        let all: Vec<Compared> = judged
            .findings
            .iter()
            .map(|finding| Compared::new(finding, rules))
            .collect();
        let mut out = Sequel {
            after: vec![After::default(); all.len()],
            by_id: FxHashMap::default(),
            by_series: FxHashMap::default(),
            series: FxHashMap::default(),
            lists: Vec::new(),
            by_person: FxHashMap::default(),
            hiders: FxHashMap::default(),
            events: FxHashMap::default(),
            any_bcc: false,
            answered: FxHashMap::default(),
            waiting: FxHashMap::default(),
            touched: Vec::new(),
            overlap: Vec::new(),
            all,
        };
        let mut places: FxHashMap<Rc<[Digest]>, usize> = FxHashMap::default();
        for (index, finding) in judged.findings.iter().enumerate() {
            let compared = &out.all[index];
            if let Some(id) = &finding.entry.candidate.message_id {
                let id = rules.digester.message_id(id);
                let alike = out.by_id.entry(id).or_default();
                if alike.len() < MOST_OF_ID {
                    alike.push(index);
                }
            }
            if let Some(author) = compared.author {
                out.hiders.entry(author).or_default();
            }
            if let Some(series) = compared.series {
                out.by_series.entry(series).or_default().push(index);
                if let Some(author) = compared.author {
                    let series = out.series.entry((series, author)).or_default();
                    series.findings.push(index);
                }
            }
            let people = Rc::clone(&compared.people);
            let place = *places.entry(Rc::clone(&people)).or_insert_with(|| {
                let place = out.lists.len();
                for person in &*people {
                    out.by_person.entry(*person).or_default().push(place as u32);
                }
                out.lists.push(List {
                    people,
                    findings: Vec::new(),
                    hidden: FxHashMap::default(),
                });
                place
            });
            out.lists[place].findings.push(index);
        }
        out.overlap = vec![0; out.lists.len()];
        let answers = judged
            .waiting
            .iter()
            .flat_map(|entry| &entry.candidate.answers);
        out.answered = answers.map(|id| (Digest(*id), false)).collect();
        let ids = judged.waiting.iter();
        let ids = ids.filter_map(|entry| entry.candidate.message_id.as_deref());
        let ids = ids.map(|id| rules.digester.message_id(id));
        out.waiting = ids.map(|id| (id, Delivery::default())).collect();
        out
    }

    /// True where no line can say anything.
    pub fn is_idle(&self) -> bool {
        self.all.is_empty() && self.answered.is_empty()
    }

    /// Notes what one message says. `inside` tells whether somebody is of the organisation; `notice` is what was kept of the
    /// message beside its line.
    pub fn line(
        &mut self,
        line: &Told<'_>,
        key: u128,
        inside: &dyn Fn(Digest) -> bool,
        notice: Option<&Notice>,
    ) {
        if let Some(known) = line.id.and_then(|id| self.answered.get_mut(&id)) {
            *known = true;
        }
        self.any_bcc |= !line.blind.is_empty();
        if line.blind.len() >= 3
            && let Some(hidden) = line.author.and_then(|author| self.hiders.get_mut(&author))
        {
            hidden.insert(key);
        }
        self.series(line, key);
        self.answers(line, key, inside);
        if notice.is_none() && line.blind.len() < 2 {
            return;
        }
        if let Some(notice) = notice.filter(|notice| notice.says.has(Says::BOUNCE)) {
            self.bounce(line, notice);
            return;
        }
        let authors = [line.author, line.sender].into_iter().flatten();
        if authors.into_iter().any(inside) {
            self.hidden(line, key, notice);
            if let Some(notice) = notice.filter(|notice| !notice.says.is_nothing()) {
                self.said(line, key, notice.says);
            }
        }
    }

    /// Counts a mail of the series of a finding.
    fn series(&mut self, line: &Told<'_>, key: u128) {
        let (Some(series), Some(author)) = (line.series, line.author) else {
            return;
        };
        if let Some(series) = self.series.get_mut(&(series, author)) {
            match (line.visible.len(), line.blind.len()) {
                (_, 2..) => drop(series.hidden.insert(key)),
                (2.., _) => drop(series.shown.insert(key)),
                (1, 0) | (0, 1) => {
                    let only = line.visible.iter().chain(line.blind.iter()).next();
                    if let Some(only) = only {
                        let known = series.apart.entry(key).or_insert(only);
                        *known = only.min(*known);
                    }
                }
                _ => {}
            }
        }
        // Who answers by the subject alone.
        let (Some(sent), true) = (line.sent, line.answers.is_empty()) else {
            return;
        };
        let Some(findings) = self.by_series.get(&series) else {
            return;
        };
        if !self.by_person.contains_key(&author) {
            return;
        }
        for index in before(&self.all, findings, sent, ANSWERED_WITHIN) {
            let finding = &self.all[*index];
            if finding.exposes(author) && finding.key != key {
                self.after[*index].answer(author, sent);
            }
        }
    }

    /// Notes an answer to a finding.
    fn answers(&mut self, line: &Told<'_>, key: u128, inside: &dyn Fn(Digest) -> bool) {
        let Some(author) = line.author else { return };
        for id in line.answers.iter() {
            if let Some(delivery) = self.waiting.get_mut(&id) {
                delivery.replied.insert(author);
            }
        }
        for index in line
            .answers
            .iter()
            .filter_map(|id| self.by_id.get(&id))
            .flatten()
        {
            let finding = &self.all[*index];
            let after = &mut self.after[*index];
            let sent = line.sent.unwrap_or(finding.sent);
            if finding.exposes(author) {
                after.answer(author, sent);
                after.reached.insert(author);
            }
            let shown = finding.shown_in(line.visible, Some(author));
            if shown < 2 {
                continue;
            }
            let inside = inside(author);
            after.reply_alls.insert(key, inside);
            if !inside {
                let first = after.delivery.replied_all.entry(author).or_insert(sent);
                *first = sent.min(*first);
            }
            let event = (key, What::ReplyAll, *index);
            note(&mut self.events, event, (sent, inside, shown));
        }
    }

    /// Compares a hidden list with those of the findings.
    fn hidden(&mut self, line: &Told<'_>, key: u128, notice: Option<&Notice>) {
        if line.blind.len() < 2 {
            return;
        }
        for (list, shared) in self.lists_of(line.blind.iter(), line.sent) {
            // One person in the Bcc of a newsletter says nothing of two who are written to together.
            if shared < 2 || shared * 2 < self.lists[list].people.len() {
                continue;
            }
            let list = &mut self.lists[list];
            let most = list.hidden.entry(key).or_default();
            *most = shared.max(*most);
            let Some(sent) = line.sent else { continue };
            for index in before(&self.all, &list.findings, sent, INCIDENT_LASTS) {
                let finding = &self.all[*index];
                let same = line.series.is_some() && line.series == finding.series
                    || notice.is_some_and(|notice| notice.sketch.near(&finding.sketch));
                if same && sent > finding.sent && finding.key != key {
                    let aftermath = &mut self.after[*index].aftermath;
                    aftermath.resent_blind = aftermath.resent_blind.max(shared);
                    let event = (key, What::ResentBlind, *index);
                    note(&mut self.events, event, (sent, true, shared));
                }
            }
        }
    }

    /// Notes a recall, an apology or a request to delete, of everything that went to the same people shortly before.
    fn said(&mut self, line: &Told<'_>, key: u128, says: Says) {
        let Some(sent) = line.sent else { return };
        let recipients = line.visible.len() + line.blind.len();
        for (list, shared) in self.lists_of(line.visible.iter().chain(line.blind.iter()), line.sent)
        {
            let people = self.lists[list].people.len();
            if shared * 2 < recipients && shared * 2 < people {
                continue;
            }
            let findings = &self.lists[list].findings;
            for index in before(&self.all, findings, sent, INCIDENT_LASTS) {
                let index = *index;
                let finding = &self.all[index];
                if finding.key == key {
                    continue;
                }
                let aftermath = &mut self.after[index].aftermath;
                let recall = says.has(Says::RECALL) && line.series == finding.series;
                aftermath.recalled |= recall;
                aftermath.apology |= says.has(Says::APOLOGY);
                aftermath.breach |= says.has(Says::APOLOGY) && says.has(Says::BREACH);
                aftermath.delete |= says.has(Says::DELETE);
                let what = if recall {
                    What::Recall
                } else if says.has(Says::APOLOGY) {
                    What::Apology
                } else if says.has(Says::DELETE) {
                    What::Delete
                } else {
                    continue;
                };
                note(&mut self.events, (key, what, index), (sent, true, shared));
            }
        }
    }

    /// Notes whom a finding did not reach.
    fn bounce(&mut self, line: &Told<'_>, notice: &Notice) {
        // What tells of nobody tells that it arrived, or complains of it.
        if notice.failed.is_empty() {
            return;
        }
        for id in &notice.originals {
            if let Some(delivery) = self.waiting.get_mut(&Digest(*id)) {
                let failed = notice.failed.iter().copied().map(Digest);
                delivery.bounced.extend(failed);
            }
        }
        let originals = notice.originals.iter();
        let mut findings: Vec<usize> = originals
            .filter_map(|id| self.by_id.get(&Digest(*id)))
            .flatten()
            .copied()
            .collect();
        if notice.originals.is_empty()
            && let Some(sent) = line.sent
        {
            let failed = notice.failed.iter().copied().map(Digest);
            let lists = self.lists_of(failed, line.sent);
            let near = lists
                .iter()
                .map(|(list, _)| &self.lists[*list].findings)
                .filter_map(|findings| before(&self.all, findings, sent, BOUNCED_WITHIN).last());
            // The last mail before it is the one that came back.
            findings
                .extend(near.max_by_key(|index| (self.all[**index].sent, self.all[**index].key)));
        }
        for index in findings {
            let after = &mut self.after[index];
            let failed = notice.failed.iter().copied().map(Digest);
            after.delivery.bounced.extend(failed);
            let mut failed = notice.failed.iter().copied().map(Digest);
            let at = line.sent.unwrap_or(self.all[index].sent);
            if failed.any(|person| self.all[index].exposes(person)) {
                after.bounced_at = Some(after.bounced_at.map_or(at, |first| first.min(at)));
            }
        }
    }

    /// The lists of findings, near a time, that share somebody with these people, and how many.
    fn lists_of(
        &mut self,
        people: impl Iterator<Item = Digest>,
        at: Option<i64>,
    ) -> Vec<(usize, usize)> {
        let at = at.unwrap_or(i64::MAX);
        // Lists stand in the order of their first findings.
        let began = |list: &u32| {
            let first = self.lists[*list as usize].findings.first();
            first.map_or(i64::MAX, |first| self.all[*first].sent)
        };
        for person in people {
            let Some(lists) = self.by_person.get(&person) else {
                continue;
            };
            let now = lists.partition_point(|list| began(list) <= at);
            let near = now.saturating_sub(LISTS_BEFORE)..lists.len().min(now + LISTS_AFTER);
            for list in &lists[near] {
                if self.overlap[*list as usize] == 0 {
                    self.touched.push(*list);
                }
                self.overlap[*list as usize] += 1;
            }
        }
        let mut out: Vec<(usize, usize)> = self
            .touched
            .drain(..)
            .map(|list| {
                let shared = std::mem::take(&mut self.overlap[list as usize]);
                (list as usize, shared as usize)
            })
            .collect();
        out.sort_unstable();
        out
    }

    /// What was counted for each finding, what happened beside, whether any mail shows a Bcc, and which Message-IDs that
    /// are waited for stand in the mailbox.
    pub(super) fn finish(mut self, ids: &[String]) -> Counted {
        for series in self.series.values() {
            let shown = series.shown.difference(&series.hidden).count() as u32;
            for index in &series.findings {
                let compared = &self.all[*index];
                let habit = &mut self.after[*index].habit;
                habit.series_hidden = series.hidden.len() as u32;
                habit.series_hidden -= u32::from(series.hidden.contains(&compared.key));
                habit.series_shown = shown + u32::from(series.hidden.contains(&compared.key));
                let apart = series.apart.values();
                habit.apart = apart.filter(|only| compared.exposes(**only)).count() as u32;
            }
        }
        let mut events: Vec<Event> = self
            .events
            .iter()
            .map(|((key, what, index), (at, inside, people))| Event {
                at: *at,
                what: *what,
                exposure_id: ids[*index].clone(),
                inside: *inside,
                people: *people,
                key: *key,
            })
            .collect();
        for list in &self.lists {
            list.tell(&self.all, &mut self.after);
        }
        for (index, (after, compared)) in self.after.iter_mut().zip(&self.all).enumerate() {
            // Whoever answered it has it, whatever became of a copy that was sent on.
            let After {
                delivery, reached, ..
            } = after;
            delivery.bounced.retain(|person| !reached.contains(person));
            let hidden = compared.author.and_then(|author| self.hiders.get(&author));
            after.habit.author_hidden = hidden.map_or(0, |hidden| {
                hidden.iter().filter(|key| **key != compared.key).count() as u32
            });
            let inside = after.reply_alls.values().filter(|inside| **inside).count() as u32;
            let all = after.reply_alls.len() as u32;
            after.aftermath.reply_alls = (inside, all - inside);
            let event = |at, what, people| Event {
                at,
                what,
                exposure_id: ids[index].clone(),
                inside: false,
                people,
                key: 0,
            };
            let bounced = after.delivery.bounced.iter();
            let bounced = bounced.filter(|person| compared.exposes(**person)).count();
            events.extend(
                after
                    .bounced_at
                    .filter(|_| bounced > 0)
                    .map(|at| event(at, What::Bounce, bounced)),
            );
            let replied = after.delivery.replied.len();
            events.extend(
                after
                    .last_answer
                    .map(|at| event(at, What::LastAnswer, replied)),
            );
        }
        events.sort_unstable();
        Counted {
            after: self.after,
            events,
            any_bcc: self.any_bcc,
            waiting: self.waiting,
            here: self
                .answered
                .into_iter()
                .filter_map(|(id, known)| known.then_some(id))
                .collect(),
        }
    }
}

impl List {
    /// Tells its findings how often their people were hidden elsewhere.
    fn tell(&self, all: &[Compared], after: &mut [After]) {
        let most = self.hidden.values().copied().max().unwrap_or(0);
        for index in &self.findings {
            let habit = &mut after[*index].habit;
            let own = self.hidden.contains_key(&all[*index].key);
            habit.people_hidden = (self.hidden.len() - usize::from(own)) as u32;
            habit.most_hidden = if own {
                let others = self.hidden.iter();
                let others = others.filter(|(key, _)| **key != all[*index].key);
                others.map(|(_, hidden)| *hidden).max().unwrap_or(0)
            } else {
                most
            };
        }
    }
}

/// Those of some findings, in the order of time, after which something happened, no later than so many seconds.
fn before<'f>(all: &[Compared], findings: &'f [usize], at: i64, within: i64) -> &'f [usize] {
    let from = findings.partition_point(|index| all[*index].sent < at.saturating_sub(within));
    let until = findings.partition_point(|index| all[*index].sent <= at);
    findings.get(from..until).unwrap_or_default()
}

/// Notes an event. Copies of one message may have come at other times: the first counts.
fn note(events: &mut Events, event: (u128, What, usize), (at, inside, people): (i64, bool, usize)) {
    let known = events.entry(event).or_insert((at, inside, people));
    *known = (at.min(known.0), inside, people.max(known.2));
}

impl After {
    fn answer(&mut self, author: Digest, sent: i64) {
        self.delivery.replied.insert(author);
        self.last_answer = Some(self.last_answer.map_or(sent, |last| last.max(sent)));
    }
}

/// What [`Sequel::finish`] gives.
pub(super) struct Counted {
    pub(super) after: Vec<After>,
    pub(super) events: Vec<Event>,
    pub(super) any_bcc: bool,
    /// Of what is waiting, by Message-ID.
    pub(super) waiting: FxHashMap<Digest, Delivery>,
    /// Message-IDs, answered by what is waiting, of mail that the mailbox holds.
    pub(super) here: FxHashSet<Digest>,
}
