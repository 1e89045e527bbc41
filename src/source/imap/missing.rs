//! What did not come: messages that a server left out, could not give before, or will not give now. Each is had in the end,
//! is gone, or has a row.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::ask::MOST_BROKEN;
use super::heads::row;
use super::pace::Pace;
use super::reader::{Covered, FolderReader, Halt, Span, mark};
use super::set::Uids;
use super::window::Window;
use crate::place::{Folder, Unread};
use crate::source::{Terms, Unit};

/// Why nothing more will be known of a message of which not all was read.
const GONE: &str =
    "not all of it could be read, and it was judged without; it is gone from the server now";
/// How many UIDs are asked for at once to see which there are.
const CHECKED_AT_ONCE: u64 = 20_000;
/// How many of those that did not come are asked for at once.
const MISSING_AT_ONCE: u64 = 500;

impl FolderReader<'_> {
    /// Asks once more for what an earlier scan could not read, or not as far as was wanted.
    pub(super) fn once_more(
        &mut self,
        folder: &Arc<Folder>,
        upto: u32,
        covered: &mut Covered,
        pace: &mut Pace,
        terms: &mut Terms<'_>,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> Result<(), Halt> {
        let Some(mark) = mark(terms, folder) else {
            return Ok(());
        };
        // One by one: what breaks the connection must not stand in the way of the others.
        for uid in mark.again.iter().copied() {
            (self.broken, self.stalled) = (0, 0);
            let mut window = Window::new(folder);
            match self.window(&mut window, Uids::list(vec![uid]), pace, terms) {
                Ok(()) => {}
                Err(Halt::GaveUp) if self.ended.is_none() => continue,
                Err(Halt::GaveUp) => return Ok(()),
                Err(halt) => return Err(halt),
            }
            let told = !window.mails.is_empty() || !window.unread.is_empty();
            let there = told || self.lists(uid)?;
            let judged = mark.lacking.binary_search(&uid).is_ok();
            match (judged, there) {
                // No better than before: what it is judged by stands, and so does its row.
                (true, true) if window.mails.is_empty() || !window.lacking.is_empty() => continue,
                // It stays judged, so that its text is missing for good must stay said. Nobody can ask for it any more.
                (true, false) => window.unread.push(row(folder, uid, GONE.to_owned(), false)),
                (false, true) => window.not_given(&Uids::list(vec![uid])),
                (true, true) | (false, false) => {}
            }
            (window.again, window.upto) = (vec![uid], Some(upto));
            self.hand_out(window, covered, each)?;
        }
        (self.broken, self.stalled) = (0, 0);
        Ok(())
    }

    /// Whether the server says that there is such a message. Where it cannot be asked, there may be.
    fn lists(&mut self, uid: u32) -> Result<bool, Halt> {
        match self.listed(&Uids::list(vec![uid])) {
            Ok(there) => Ok(!there.is_empty()),
            Err(Halt::GaveUp) => Ok(true),
            Err(halt) => Err(halt),
        }
    }

    /// Leaves the rest of a folder to another scan.
    pub(super) fn give_up(
        &self,
        folder: &Arc<Folder>,
        next: u64,
        covered: &mut Covered,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> Result<(), Halt> {
        let why = self.ended.as_ref().map_or_else(
            || format!("{MOST_BROKEN} messages in a row could not be had"),
            |trouble| trouble.what().to_owned(),
        );
        let mut window = Window::new(folder);
        window.unread.push(Unread {
            folder: folder.chain.clone(),
            position: None,
            bytes: None,
            reason: format!("its messages from UID {next} on could not be read: {why}"),
            message: false,
        });
        window.ends = true;
        self.hand_out(window, covered, each)?;
        Err(Halt::GaveUp)
    }

    /// Where fewer messages came than the server had counted, or its last number is higher than the last that came: asks
    /// which there are, and for those that did not come. Gives the highest UID that is behind then.
    #[expect(clippy::too_many_arguments, reason = "each is of another kind")]
    pub(super) fn check(
        &mut self,
        folder: &Arc<Folder>,
        span: Span,
        upto: u32,
        known: &BTreeSet<u32>,
        covered: &mut Covered,
        terms: &mut Terms<'_>,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> Result<u32, Halt> {
        let (mut first, mut step, mut pace) = (span.first, CHECKED_AT_ONCE, Pace::new());
        let mut highest = upto;
        // A server may tell a UIDNEXT that is too low.
        while first < u64::from(u32::MAX) {
            let uids = Uids::range(first, (first + step - 1).min(u64::from(u32::MAX) - 1));
            let there = match self.listed(&uids) {
                Ok(there) => there,
                Err(Halt::GaveUp) => {
                    self.say_unchecked(folder, covered, each)?;
                    return Err(Halt::GaveUp);
                }
                Err(halt) => return Err(halt),
            };
            step = if there.is_empty() {
                step.saturating_mul(8)
            } else {
                CHECKED_AT_ONCE
            };
            first = uids.last() + 1;
            let missing: Vec<u32> = there.difference(known).copied().collect();
            for some in Uids::batches(&missing, MISSING_AT_ONCE, &|_| 1) {
                let mut window = Window::new(folder);
                match self.window(&mut window, some.clone(), &mut pace, terms) {
                    Ok(()) => {}
                    Err(Halt::GaveUp) => {
                        self.say_unchecked(folder, covered, each)?;
                        return Err(Halt::GaveUp);
                    }
                    Err(halt) => return Err(halt),
                }
                window.not_given(&some);
                highest = highest.max(u32::try_from(some.last()).unwrap_or(0));
                window.upto = Some(highest);
                self.hand_out(window, covered, each)?;
            }
        }
        Ok(highest)
    }

    /// Which of these UIDs the server lists.
    pub(super) fn listed(&mut self, uids: &Uids) -> Result<BTreeSet<u32>, Halt> {
        let mut there = BTreeSet::new();
        let lost = self.ask(uids.clone(), "(UID)", &mut |answer| {
            answer.each(|told| there.extend(told.uid().filter(|uid| uids.holds(*uid))));
        })?;
        // What breaks that question too may be there.
        there.extend(lost.iter().flat_map(|(uids, _)| uids.iter()));
        Ok(there)
    }

    /// That it is not known whether all came.
    fn say_unchecked(
        &self,
        folder: &Arc<Folder>,
        covered: &mut Covered,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> Result<(), Halt> {
        let why = self
            .ended
            .as_ref()
            .map_or("its answers break", |trouble| trouble.what());
        let mut window = Window::new(folder);
        window.unread.push(Unread {
            folder: folder.chain.clone(),
            position: None,
            bytes: None,
            reason: format!(
                "fewer messages came than the server counts, and not all of these could be had: {why}"
            ),
            message: false,
        });
        window.ends = true;
        self.hand_out(window, covered, each)
    }
}
