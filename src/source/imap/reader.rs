//! Reads one folder after another, in windows of UIDs. `heads` reads the header fields of all messages of a window,
//! `texts` more of the few that judgement wants more of, `missing` asks for what did not come, `ask` puts every question,
//! through failure.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::access::Access;
use super::folders::Chosen;
use super::heads::{Came, Headed};
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
    /// Why nothing more can be read of this account.
    pub(super) ended: Option<Trouble>,
    /// The folder that is read, as it must be asked for, and its UIDVALIDITY.
    pub(super) open: (String, u32),
    /// Messages in a row that could not be had.
    pub(super) broken: u32,
    /// Connections that broke since something came.
    pub(super) stalled: u32,
    /// The number of the last message that came, in its folder.
    pub(super) number: Option<u32>,
    /// What came and was not taken yet.
    pub(super) came: Came,
    /// The UIDs whose header fields the server was asked for already.
    pub(super) planned: Option<(u64, u64)>,
}

/// What became of a folder.
#[derive(Clone, Debug, Default)]
pub(super) struct Covered {
    /// As the server counted, when reading began.
    pub(super) exists: u64,
    /// Messages that were got now.
    pub(super) got: u64,
    /// Messages that could not be read.
    pub(super) unread: u64,
    /// Where an earlier scan had stopped.
    pub(super) before: bool,
    /// Why it could not be opened.
    pub(super) closed: Option<String>,
}

/// The UIDs of a folder that are to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) first: u64,
    last: u64,
    /// Whether the server told the last.
    certain: bool,
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
            number: None,
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
            let folder = Arc::new(Folder {
                chain: chosen.listed.name.clone(),
                role: chosen.role,
                validity,
            });
            let mark = mark(terms, &folder);
            let first = mark.map_or(1, |mark| u64::from(mark.upto) + 1);
            let mut covered = Covered {
                exists: u64::from(mailbox.exists),
                before: first > 1,
                ..Covered::default()
            };
            let last = match (mailbox.exists, mailbox.uid_next) {
                (0, None) => 0,
                (_, Some(next)) => u64::from(next).saturating_sub(1),
                (_, None) => u64::from(u32::MAX) - 1,
            };
            let span = Span {
                first,
                last,
                certain: mailbox.uid_next.is_some(),
            };
            match self.windows(&folder, span, &mut covered, terms, each) {
                Ok(()) | Err(Halt::GaveUp) => return Some(covered),
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
        let known = mark.is_some_and(|mark| mark.upto >= upto && mark.again.is_empty());
        if validity == 0 || !(known || (messages == 0 && mark.is_none())) {
            return None;
        }
        let mut window = Window::new(&folder);
        window.upto = Some(mark.map_or(upto, |mark| mark.upto.max(upto)));
        window.ends = true;
        let covered = Covered {
            exists: u64::from(messages),
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
        folder: &Arc<Folder>,
        span: Span,
        covered: &mut Covered,
        terms: &mut Terms<'_>,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> Result<(), Halt> {
        let mut pace = Pace::new();
        // Those that came, and those of which it is said why not.
        let mut known: BTreeSet<u32> = BTreeSet::new();
        let mut upto = u32::try_from(span.first - 1).unwrap_or(u32::MAX);
        self.broken = 0;
        // The first message of a folder has the number 1; that of the first new one nobody knows.
        self.number = (span.first == 1).then_some(0);
        self.once_more(folder, upto, covered, &mut pace, terms, each)?;
        let mut gone = false;
        let mut way = Way {
            first: None,
            second: None,
            next: span.first,
            last: span.last,
        };
        while !way.is_over() {
            let (mut window, end) = match self.step(folder, &mut way, &mut pace, terms) {
                Ok(Some(read)) => read,
                Ok(None) => continue,
                Err(Halt::GaveUp) => {
                    return self.give_up(folder, u64::from(upto) + 1, covered, each);
                }
                Err(halt) => return Err(halt),
            };
            known.extend(window.mails.iter().map(|mail| mail.uid));
            known.extend(window.unread.iter().filter_map(Unread::uid));
            upto = if span.certain {
                u32::try_from(end).unwrap_or(u32::MAX)
            } else {
                known.last().copied().unwrap_or(upto)
            };
            window.upto = Some(upto);
            gone |= window.gone;
            self.hand_out(window, covered, each)?;
        }
        let counted = self.number.map(u64::from);
        let fewer = match counted {
            Some(number) => number + covered.unread < covered.exists,
            None => !covered.before && covered.got + covered.unread < covered.exists,
        };
        let new = covered.before && span.first <= span.last;
        if fewer || gone || new {
            self.still_there()?;
            upto = self.check(folder, span, upto, &known, covered, terms, each)?;
        }
        // Also where there was nothing: that the folder was looked at is worth knowing.
        let mut rest = Window::new(folder);
        (rest.upto, rest.ends) = (Some(upto), true);
        self.hand_out(rest, covered, each)
    }

    /// Reads these messages, one stage after the other.
    pub(super) fn window(
        &mut self,
        window: &mut Window,
        uids: Uids,
        pace: &mut Pace,
        terms: &mut Terms<'_>,
    ) -> Result<(), Halt> {
        let folder = Arc::clone(&window.folder);
        let headed = self.headed(&folder, &uids, pace, terms)?;
        self.finish(headed, window, terms)
    }

    /// One step along a folder. Three windows are under way, so that the server always has something to do while its last
    /// answers travel: the texts of the first were asked for in the last step, those of the second are asked for now,
    /// together with header fields for the step after this; those of the third were asked for in the last step too.
    ///
    /// Gives the first, finished, and the last UID of it; `None` while there is none yet.
    fn step(
        &mut self,
        folder: &Arc<Folder>,
        way: &mut Way,
        pace: &mut Pace,
        terms: &mut Terms<'_>,
    ) -> Result<Option<(Window, u64)>, Halt> {
        let third = (way.next <= way.last).then(|| {
            let planned = self.planned.take().filter(|(first, _)| *first == way.next);
            planned.unwrap_or_else(|| (way.next, pace.end(way.next, way.last)))
        });
        let clear = way.first.as_ref().is_none_or(|first| !first.is_long());
        if let Some(second) = way.second.as_ref().filter(|_| clear) {
            let next = third.map_or(way.next, |(_, last)| last + 1);
            self.plan(second, next, way.last, pace);
        }
        let finished = match way.first.take() {
            Some(first) => {
                let (mut window, end) = (Window::new(folder), first.end);
                self.finish(first, &mut window, terms)?;
                Some((window, end))
            }
            None => None,
        };
        let third = match third {
            Some((first, last)) => {
                way.next = last + 1;
                Some(self.headed(folder, &Uids::range(first, last), pace, terms)?)
            }
            None => None,
        };
        way.first = std::mem::replace(&mut way.second, third);
        Ok(finished)
    }

    /// Says in advance what will be asked in the next step: the texts of messages whose header fields are read, then the
    /// header fields of those from `next` on. Only where nothing else can come between.
    fn plan(&mut self, second: &Headed, next: u64, last: u64, pace: &Pace) {
        if second.is_long() {
            return;
        }
        for some in Self::starts_of(second) {
            self.line.plan(&some, &Self::start_items());
            self.came.expect(&some);
        }
        if next <= last {
            let end = pace.end(next, last);
            let uids = Uids::range(next, end);
            if self.line.plan(&uids, &self.heads(0)) {
                self.came.expect(&uids);
                self.planned = Some((next, end));
            }
        }
    }

    pub(super) fn hand_out(
        &self,
        window: Window,
        covered: &mut Covered,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> Result<(), Halt> {
        covered.got += window.mails.len() as u64;
        covered.unread += window.unread.iter().filter(|row| row.message).count() as u64;
        if each(Box::new(window)).is_break() || (self.stop)() {
            return Err(Halt::Stopped);
        }
        Ok(())
    }
}

/// How far an earlier scan read this folder, if it is the same.
pub(super) fn mark<'t>(terms: &Terms<'t>, folder: &Folder) -> Option<&'t Mark> {
    let same = |mark: &&Mark| mark.folder == folder.chain && mark.validity == folder.validity;
    terms.marks.iter().find(same)
}
