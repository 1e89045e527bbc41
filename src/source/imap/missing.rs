//! What did not come: messages that a server left out, could not give before, or will not give now. Each is had in the end,
//! is gone, or has a row.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ask::MOST_BROKEN;
use super::course::Course;
use super::heads::{NOT_GIVEN, row};
use super::pace::Pace;
use super::reader::{FolderReader, Halt, mark};
use super::set::Uids;
use super::window::Window;
use crate::source::Terms;

/// Why nothing more will be known of a message of which not all was read.
const GONE: &str =
    "not all of it could be read, and it was judged without; it is gone from the server now";
/// How many UIDs are asked for at once to see which there are.
const CHECKED_AT_ONCE: u64 = 20_000;
/// How many of those that did not come are asked for at once.
pub(super) const MISSING_AT_ONCE: u64 = 500;

impl FolderReader<'_> {
    /// Asks once more for what an earlier scan could not read, or not as far as was wanted.
    pub(super) fn once_more(
        &mut self,
        course: &mut Course<'_>,
        pace: &mut Pace,
        terms: &mut Terms<'_>,
    ) -> Result<(), Halt> {
        let folder = Arc::clone(&course.folder);
        let Some(mark) = mark(terms, &folder) else {
            return Ok(());
        };
        // One by one: what breaks the connection must not stand in the way of the others.
        for uid in mark.again.iter().copied() {
            (self.broken, self.stalled) = (0, 0);
            let mut window = Window::new(&folder);
            let headed = self.headed(&folder, &Uids::list(vec![uid]), pace, terms);
            let read = headed.and_then(|headed| {
                self.finish(&folder, headed, terms, &mut |part| {
                    window.join(part);
                    Ok(())
                })
            });
            match read {
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
                (true, false) => window
                    .unread
                    .push(row(&folder, uid, GONE.to_owned(), false)),
                (false, true) if !told => {
                    window
                        .unread
                        .push(row(&folder, uid, NOT_GIVEN.to_owned(), true));
                }
                _ => {}
            }
            course.give_again(window, uid)?;
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
    pub(super) fn give_up(&self, course: &mut Course<'_>) -> Result<(), Halt> {
        let why = self.ended.as_ref().map_or_else(
            || format!("{MOST_BROKEN} messages in a row could not be had"),
            |trouble| trouble.what().to_owned(),
        );
        let next = u64::from(course.upto) + 1;
        course.say(format!(
            "its messages from UID {next} on could not be read: {why}"
        ))?;
        Err(Halt::GaveUp)
    }

    /// Asks which messages there are from this UID on, and for those that did not come.
    pub(super) fn check(
        &mut self,
        course: &mut Course<'_>,
        mut first: u64,
        terms: &mut Terms<'_>,
    ) -> Result<(), Halt> {
        let (mut step, mut pace) = (CHECKED_AT_ONCE, Pace::new());
        // A server may tell a UIDNEXT that is too low.
        while first < u64::from(u32::MAX) {
            let uids = Uids::range(first, (first + step - 1).min(u64::from(u32::MAX) - 1));
            let there = self.listed(&uids)?;
            step = if there.is_empty() {
                step.saturating_mul(8)
            } else {
                CHECKED_AT_ONCE
            };
            first = uids.last() + 1;
            let missing: Vec<u32> = there.difference(&course.known).copied().collect();
            for some in Uids::batches(&missing, MISSING_AT_ONCE, &|_| 1) {
                self.window(course, &some, &mut pace, terms)?;
            }
        }
        Ok(())
    }

    /// Says that it is not known whether all came.
    pub(super) fn say_unchecked(&self, course: &mut Course<'_>) -> Result<(), Halt> {
        let why = self
            .ended
            .as_ref()
            .map_or("its answers break", |trouble| trouble.what());
        course.say(format!(
            "it is not known whether all its messages came: {why}"
        ))?;
        Err(Halt::GaveUp)
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
}
