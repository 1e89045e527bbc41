//! Judging a mailbox: the first pass over each message, the incidents that a person named, and the second pass that looks
//! at what came before and after, and ties findings to one another. Pure: order of reading, number of threads and parts of
//! a scan leave no trace in it.
//!
//! [`first`] judges each message on itself. [`Sequel`] is then told every line of the mailbox, and notes what the others
//! say of the findings. [`second`] makes of both what is reported.

mod circles;
mod compared;
mod event;
mod named;
mod same_people;
mod second;
mod sequel;
mod ties;

use std::collections::BTreeSet;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::exposure::{self, Candidate, Rules, Verdict};
use crate::facts::Wanted;
use crate::history::{Digest, History};
use crate::message::Address;
use crate::query::pattern::fold;
pub use event::{Event, What};
use named::Named;
pub use second::{Outcome, second};
pub use sequel::Sequel;

/// What is said of a message that is longer than all of what is looked at.
pub const CUT: &str = "It is so long that only its beginning was looked at.";

const DAY: i64 = 86_400;
/// How long after its last message an incident can go on.
const INCIDENT_LASTS: i64 = 14 * DAY;

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
    /// True where every copy is a draft.
    pub draft: bool,
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
    /// Id of the first exposure of its circle: the same organisation writing to the same people.
    pub circle_id: String,
    /// What it is in its incident.
    pub step: Step,
    /// Tokens: what came after, or what this is.
    pub aftermath: BTreeSet<&'static str>,
    /// Earliest exposure of the same people and series, if this is not it.
    pub repeat_of: String,
    /// Id of the exposure whose list it carries again, if it is a finding for that alone.
    pub again_of: String,
    /// What became of it with those who were sent it.
    pub delivery: Delivery,
}

/// What a finding is in its incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// Where it begins.
    #[default]
    First,
    /// To other people.
    Batch,
    /// To the same people.
    Again,
    /// A recall.
    Recall,
    /// An apology, or a request to delete.
    Apology,
    /// An answer to all.
    ReplyAll,
}

impl Step {
    /// Its word in the timeline.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::First => "first",
            Step::Batch => "batch",
            Step::Again => "again",
            Step::Recall => "recall",
            Step::Apology => "apology",
            Step::ReplyAll => "reply-all",
        }
    }
}

/// What the mailbox shows of how a message arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Whom it did not reach.
    pub bounced: FxHashSet<Digest>,
    /// Who answered it.
    pub replied: FxHashSet<Digest>,
    /// Who answered it so that others of the list saw that, and when first.
    pub replied_all: FxHashMap<Digest, i64>,
}

impl Finding {
    /// Its id.
    pub fn id(&self) -> &str {
        self.entry.candidate.id()
    }

    /// The people whom it exposes, in order.
    fn people(&self) -> Rc<[Digest]> {
        let mut all: Vec<Digest> = self.verdict.exposed().map(|seen| seen.digest).collect();
        all.sort_unstable();
        all.into()
    }

    /// When it was sent; what has no time stands last.
    fn sent(&self) -> i64 {
        self.entry.candidate.sent.unwrap_or(i64::MAX)
    }
}

/// What the first pass left: findings in the order of (sent, key), and what may yet belong to one of them.
#[derive(Debug)]
pub struct Judged {
    /// Findings.
    pub findings: Vec<Finding>,
    /// Answers, recalls and apologies that show others, and drafts, which are no findings in themselves.
    pub waiting: Vec<Entry>,
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

/// Makes findings of the first pass on each entry, `verdicts`, in the same order, and of the incidents that a person named.
pub fn first(
    entries: Vec<Entry>,
    verdicts: Vec<Option<Verdict>>,
    history: &History,
    rules: &Rules,
    wanted: &Wanted,
) -> Judged {
    let named = Named::new(&entries, &verdicts, rules, wanted);
    let mut judged = Judged {
        findings: Vec::with_capacity(verdicts.iter().flatten().count()),
        waiting: Vec::new(),
    };
    for (entry, verdict) in entries.into_iter().zip(verdicts) {
        match finding(entry, verdict, &named, history, rules) {
            Ok(finding) => judged.findings.push(*finding),
            Err(entry) if may_belong(&entry, history, rules) => judged.waiting.push(*entry),
            Err(_) => {}
        }
    }
    // A finding is large: its place is found first, and it is moved once.
    judged.findings.sort_by_cached_key(order);
    let sent = |entry: &Entry| {
        (
            entry.candidate.sent.unwrap_or(i64::MAX),
            entry.candidate.key.clone(),
        )
    };
    judged.waiting.sort_by_cached_key(sent);
    judged
}

/// Whether what is no finding in itself can belong to one: it answers a mail, recalls one or is sorry for one; or it is the
/// draft of one, a place of what was sent.
fn may_belong(entry: &Entry, history: &History, rules: &Rules) -> bool {
    let candidate = &entry.candidate;
    if !entry.draft {
        return !candidate.answers.is_empty() || !candidate.says.is_nothing();
    }
    let mut authors = [candidate.author(), candidate.sender.as_ref()].into_iter();
    let ours =
        |author: &Address| rules.organisation.is_unknown() || rules.organisation.holds(author);
    authors.any(|author| author.is_some_and(ours))
        && exposure::judge(candidate, history, rules)
            .is_some_and(|verdict| verdict.confidence >= rules.kept_from())
}

/// What is kept of one entry, or the entry where it is no finding.
fn finding(
    entry: Entry,
    verdict: Option<Verdict>,
    named: &Named,
    history: &History,
    rules: &Rules,
) -> Result<Box<Finding>, Box<Entry>> {
    let (verdict, reported, incident_id) =
        match named.judge(&entry, verdict.as_ref(), history, rules) {
            Some((verdict, incident)) => (verdict, true, incident),
            None => match verdict.filter(|verdict| verdict.confidence >= rules.kept_from()) {
                Some(verdict) => {
                    let reported = verdict.confidence >= rules.min_confidence;
                    (verdict, reported, String::new())
                }
                None => return Err(Box::new(entry)),
            },
        };
    let mut finding = made(entry, verdict);
    finding.reported = reported;
    finding.incident_id = incident_id;
    Ok(Box::new(finding))
}

/// A finding of an entry and its verdict, which says what is to be said of the copies.
fn made(entry: Entry, mut verdict: Verdict) -> Finding {
    for (is, says) in [
        (entry.candidate.cut, CUT),
        (
            entry.gone,
            "Its source holds it no more: the place is that of an earlier reading.",
        ),
        (
            entry.deleted,
            "It is marked as deleted, and still stands in its store.",
        ),
    ] {
        if is {
            verdict.why.push(' ');
            verdict.why.push_str(says);
        }
    }
    Finding {
        entry,
        verdict,
        reported: true,
        incident_id: String::new(),
        circle_id: String::new(),
        step: Step::default(),
        aftermath: BTreeSet::new(),
        repeat_of: String::new(),
        again_of: String::new(),
        delivery: Delivery::default(),
    }
}

fn order(finding: &Finding) -> (i64, String) {
    (finding.sent(), finding.entry.candidate.key.clone())
}
