//! Reads one folder after another, in windows of UIDs. `heads` reads the header fields of all messages of a window,
//! `texts` more of the few that judgement wants more of, `missing` asks for what did not come, `ask` puts every question,
//! through failure.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::access::Access;
use super::course::{Course, Covered};
use super::folders::{Chosen, UNNAMED};
use super::heads::{Came, Headed, Place};
use super::line::Line;
use super::pace::Pace;
use super::session::Count;
use super::set::Uids;
use super::trouble::Trouble;
use super::url::Url;
use super::window::Window;
use crate::place::{Folder, Mark, Unread};
use crate::source::{Terms, Unit};

/// Reads the folders of an account.
pub(super) struct FolderReader<'a> {
    pub(super) access: &'a Access,
    pub(super) url: &'a Url,
    pub(super) line: &'a mut Line,
    pub(super) stop: &'a dyn Fn() -> bool,
    /// Received is asked for.
    pub(super) stamps: bool,
    /// Anything was got at all.
    pub(super) got_any: bool,
    /// Why nothing more can be read of the folder: one that is denied, or the account.
    pub(super) ended: Option<Trouble>,
    /// The folder that is read, as it must be asked for, and its UIDVALIDITY.
    pub(super) open: (String, u32),
    /// Messages in a row that could not be had.
    pub(super) broken: u32,
    /// Connections that broke since something came.
    pub(super) stalled: u32,
    /// How far along its folder reading is, as the header fields tell.
    pub(super) place: Place,
    /// What came and was not taken yet.
    pub(super) came: Came,
    /// The UIDs whose header fields the server was asked for already.
    pub(super) planned: Option<(u64, u64)>,
}

/// The UIDs of a folder that are to be read.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: u64,
    last: u64,
    /// Whether the server told the last.
    certain: bool,
    /// More is in it than when it was read last, as the server counts, or it was not read to its end.
    grown: bool,
}

/// How far along a folder reading is.
struct Way {
    /// A window whose texts are asked for.
    first: Option<Headed>,
    /// The one behind it: its header fields are read.
    second: Option<Headed>,
    /// The first UID of the one behind that.
    next: u64,
    /// The last UID of all.
    last: u64,
}

impl Way {
    fn is_over(&self) -> bool {
        self.first.is_none() && self.second.is_none() && self.next > self.last
    }
}

/// Why reading a folder does not go on.
pub(super) enum Halt {
    /// Nothing more can be had of it now.
    GaveUp,
    /// It is another folder now: its UIDs mean other messages.
    Changed,
    /// Somebody pressed Ctrl-C.
    Stopped,
}

impl<'a> FolderReader<'a> {
    pub(super) fn new(
        access: &'a Access,
        url: &'a Url,
        line: &'a mut Line,
        stop: &'a dyn Fn() -> bool,
        stamps: bool,
    ) -> Self {
        FolderReader {
            access,
            url,
            line,
            stop,
            stamps,
            got_any: false,
            ended: None,
            open: (String::new(), 0),
            broken: 0,
            stalled: 0,
            place: Place::default(),
            came: Came::default(),
            planned: None,
        }
    }
}

impl FolderReader<'_> {
    /// Reads one folder. `None` where the reading was stopped.
    pub(super) fn folder(
        &mut self,
        chosen: &Chosen,
        count: Option<&Count>,
        terms: &mut Terms<'_>,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> Option<Covered> {
        if !chosen.listed.named {
            let denied = Trouble::Denied(UNNAMED.to_owned());
            return self.cannot_open(chosen, denied, each);
        }
        if let Some(covered) = count.and_then(|count| Self::nothing_new(chosen, *count, terms)) {
            let (covered, window) = covered;
            return each(Box::new(window)).is_continue().then_some(covered);
        }
        let raw = chosen.listed.raw.as_str();
        let mut foreseen = count.and_then(|count| self.foresee(chosen, *count, terms));
        // A folder that was made anew while it was read is read anew.
        for _ in 0..4 {
            let mailbox = match self.enter(raw) {
                Ok(mailbox) => mailbox,
                Err(trouble) => return self.cannot_open(chosen, trouble, each),
            };
            if let Some((first, last)) = foreseen.take() {
                self.came.expect(&Uids::range(first, last));
                self.planned = Some((first, last));
            }
            let validity = mailbox.uid_validity.unwrap_or_default();
            let folder = Folder {
                chain: chosen.listed.name.clone(),
                role: chosen.role,
                validity,
            };
            let mark = mark(terms, &folder);
            let exists = u64::from(mailbox.exists);
            let last = match (mailbox.exists, mailbox.uid_next) {
                (0, None) => 0,
                (_, Some(next)) => u64::from(next).saturating_sub(1),
                (_, None) => u64::from(u32::MAX) - 1,
            };
            let span = Span {
                first: mark.map_or(1, |mark| u64::from(mark.upto) + 1),
                last,
                certain: mailbox.uid_next.is_some(),
                grown: mark.is_some_and(|mark| mark.is_short_of(exists)),
            };
            let covered = Covered {
                exists,
                before: span.first > 1,
                ..Covered::default()
            };
            let upto = mark.map_or(0, |mark| mark.upto);
            let mut course = Course::new(folder, upto, covered, self.stop, each);
            match self.windows(&mut course, span, terms) {
                Ok(()) | Err(Halt::GaveUp) => return Some(course.covered),
                Err(Halt::Changed) => {}
                Err(Halt::Stopped) => return None,
            }
        }
        let again = Trouble::Denied("it is made anew again and again while it is read".to_owned());
        self.cannot_open(chosen, again, each)
    }

    /// Asks for the first header fields of a folder together with the folder itself, where the server has told which UIDs
    /// it holds. Should that have changed, the connection is made anew.
    fn foresee(&mut self, chosen: &Chosen, count: Count, terms: &Terms<'_>) -> Option<(u64, u64)> {
        let folder = Folder {
            chain: chosen.listed.name.clone(),
            role: chosen.role,
            validity: count.validity?,
        };
        let mark = mark(terms, &folder);
        let first = mark.map_or(1, |mark| u64::from(mark.upto) + 1);
        let last = u64::from(count.next?).saturating_sub(1);
        if first > last || mark.is_some_and(|mark| !mark.again.is_empty()) {
            return None;
        }
        let last = Pace::new().end(first, last);
        let planned = self.line.plan(&Uids::range(first, last), &self.heads(0));
        planned.then_some((first, last))
    }

    /// Whether a folder need not be opened: nothing is in it, or nothing that was not read before.
    fn nothing_new(chosen: &Chosen, count: Count, terms: &Terms<'_>) -> Option<(Covered, Window)> {
        let (messages, next, validity) = (count.messages?, count.next?, count.validity?);
        let folder = Arc::new(Folder {
            chain: chosen.listed.name.clone(),
            role: chosen.role,
            validity,
        });
        let mark = mark(terms, &folder);
        let upto = next.saturating_sub(1);
        let exists = u64::from(messages);
        let known = mark.is_some_and(|mark| {
            mark.upto >= upto && mark.again.is_empty() && !mark.is_short_of(exists)
        });
        if validity == 0 || !(known || (messages == 0 && mark.is_none())) {
            return None;
        }
        let mut window = Window::new(&folder);
        window.upto = Some(mark.map_or(upto, |mark| mark.upto.max(upto)));
        (window.ends, window.held) = (true, Some(exists));
        let covered = Covered {
            exists,
            before: known,
            ..Covered::default()
        };
        Some((covered, window))
    }

    fn cannot_open(
        &mut self,
        chosen: &Chosen,
        trouble: Trouble,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> Option<Covered> {
        if (self.stop)() {
            return None;
        }
        self.line.settle();
        let reason = format!("the folder cannot be opened: {}", trouble.what());
        if !matches!(trouble, Trouble::Denied(_)) {
            self.ended = Some(trouble);
        }
        let folder = Arc::new(Folder {
            chain: chosen.listed.name.clone(),
            role: chosen.role,
            validity: 0,
        });
        let row = Unread {
            folder: folder.chain.clone(),
            position: None,
            bytes: None,
            reason: reason.clone(),
            message: false,
        };
        let mut window = Window::new(&folder);
        window.unread.push(row);
        window.ends = true;
        match each(Box::new(window)) {
            ControlFlow::Continue(()) => Some(Covered {
                closed: Some(reason),
                ..Covered::default()
            }),
            ControlFlow::Break(()) => None,
        }
    }

    fn windows(
        &mut self,
        course: &mut Course<'_>,
        span: Span,
        terms: &mut Terms<'_>,
    ) -> Result<(), Halt> {
        let mut pace = Pace::new();
        self.broken = 0;
        self.place = Place::before(span.first);
        self.once_more(course, &mut pace, terms)?;
        let mut way = Way {
            first: None,
            second: None,
            next: span.first,
            last: span.last,
        };
        while !way.is_over() {
            match self.step(course, &mut way, &mut pace, terms) {
                Err(Halt::GaveUp) => return self.give_up(course),
                done => done?,
            }
        }
        if self.may_lack(course, span) {
            let opened = self.still_there();
            match opened.and_then(|()| self.check(course, span.first, terms)) {
                Err(Halt::GaveUp) => return self.say_unchecked(course),
                done => done?,
            }
        }
        // Only now it is known that nothing was left out behind the last that came.
        let last = u32::try_from(span.last).unwrap_or(u32::MAX);
        let upto = if span.certain { last } else { 0 };
        course.end(course.upto.max(upto))
    }

    /// Whether messages may have been left out: the last that came is not the last that the server counted, or nobody knows
    /// which number that should have had.
    fn may_lack(&self, course: &Course<'_>, span: Span) -> bool {
        let exists = course.covered.exists;
        let new = course.covered.before && span.first <= span.last;
        match self.place.number() {
            Some(number) => new || u64::from(number) < exists,
            None => new || (span.grown && exists > 0),
        }
    }

    /// Reads these messages, which the server lists, one stage after the other.
    pub(super) fn window(
        &mut self,
        course: &mut Course<'_>,
        uids: &Uids,
        pace: &mut Pace,
        terms: &mut Terms<'_>,
    ) -> Result<(), Halt> {
        let folder = Arc::clone(&course.folder);
        let mut headed = self.headed(&folder, uids, pace, terms)?;
        headed.not_given(&folder, uids);
        self.finish(&folder, headed, terms, &mut |window| course.give(window))
    }

    /// One step along a folder. Three windows are under way, so that the server always has something to do while its last
    /// answers travel: the texts of the first were asked for in the last step, those of the second are asked for now,
    /// together with header fields for the step after this; those of the third were asked for in the last step too.
    ///
    /// The first is finished and handed out.
    fn step(
        &mut self,
        course: &mut Course<'_>,
        way: &mut Way,
        pace: &mut Pace,
        terms: &mut Terms<'_>,
    ) -> Result<(), Halt> {
        let third = (way.next <= way.last).then(|| {
            let planned = self.planned.take().filter(|(first, _)| *first == way.next);
            planned.unwrap_or_else(|| (way.next, pace.end(way.next, way.last)))
        });
        self.plan(way, third, pace);
        let folder = Arc::clone(&course.folder);
        if let Some(first) = way.first.take() {
            self.finish(&folder, first, terms, &mut |window| course.give(window))?;
        }
        let third = match third {
            Some((first, last)) => {
                way.next = last + 1;
                Some(self.headed(&folder, &Uids::range(first, last), pace, terms)?)
            }
            None => None,
        };
        way.first = std::mem::replace(&mut way.second, third);
        Ok(())
    }

    /// Says in advance what will be asked behind the next question: what else is asked in this step, then the texts of the
    /// second window, and the header fields that follow those of the third, which are asked for in the next step. Only
    /// where nothing else can come between.
    fn plan(&mut self, way: &Way, third: Option<(u64, u64)>, pace: &Pace) {
        let both = [way.first.as_ref(), way.second.as_ref()];
        if both.into_iter().flatten().any(Headed::is_long) {
            return;
        }
        let [mut now, then] =
            both.map(|headed| headed.map_or_else(Vec::new, FolderReader::starts_of));
        let heads = third.map(|(first, last)| Uids::range(first, last));
        let count = now.len() + usize::from(heads.is_some());
        // What is said in advance goes behind a question that is not among it.
        if count == 0 {
            return;
        }
        match self.line.ahead() {
            0 if now.is_empty() => {}
            0 => {
                now.remove(0);
                self.plan_texts(&now);
                if let Some(heads) = heads {
                    self.plan_heads(heads);
                }
            }
            ahead if ahead == count => {}
            _ => return,
        }
        if way.second.is_none() {
            return;
        }
        self.plan_texts(&then);
        let next = third.map_or(way.next, |(_, last)| last + 1);
        if next <= way.last {
            let end = pace.end(next, way.last);
            if self.plan_heads(Uids::range(next, end)) {
                self.planned = Some((next, end));
            }
        }
    }

    fn plan_texts(&mut self, batches: &[Uids]) {
        for some in batches {
            if self.line.plan(some, &Self::start_items()) {
                self.came.expect(some);
            }
        }
    }

    fn plan_heads(&mut self, uids: Uids) -> bool {
        let planned = self.line.plan(&uids, &self.heads(0));
        if planned {
            self.came.expect(&uids);
        }
        planned
    }
}

/// How far an earlier scan read this folder, if it is the same.
pub(super) fn mark<'t>(terms: &Terms<'t>, folder: &Folder) -> Option<&'t Mark> {
    terms.marks.iter().find(|mark| mark.is_of(folder))
}
