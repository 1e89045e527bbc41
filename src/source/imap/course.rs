//! One folder while it is read: what of it is behind, and where that goes which came. How it comes is no matter here.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::reader::Halt;
use super::window::Window;
use crate::place::{Folder, Unread};
use crate::source::Unit;

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

/// A folder that is read.
pub(super) struct Course<'c> {
    pub(super) folder: Arc<Folder>,
    pub(super) covered: Covered,
    /// UIDs of messages that came, and of those of which it is said why they did not.
    pub(super) known: BTreeSet<u32>,
    /// The highest UID that is behind: the last of these. What was left out behind it is asked for by the next scan, should
    /// this one not come to its end.
    pub(super) upto: u32,
    stop: &'c dyn Fn() -> bool,
    each: &'c mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
}

impl<'c> Course<'c> {
    /// One of which nothing is read yet but what is behind already.
    pub(super) fn new(
        folder: Folder,
        upto: u32,
        covered: Covered,
        stop: &'c dyn Fn() -> bool,
        each: &'c mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> Self {
        Course {
            folder: Arc::new(folder),
            covered,
            known: BTreeSet::new(),
            upto,
            stop,
            each,
        }
    }

    /// Hands out messages, in the order of their UIDs: all up to the last of them is behind then.
    pub(super) fn give(&mut self, mut window: Window) -> Result<(), Halt> {
        if window.mails.is_empty() && window.unread.is_empty() {
            return Ok(());
        }
        self.known.extend(window.mails.iter().map(|mail| mail.uid));
        self.known
            .extend(window.unread.iter().filter_map(Unread::uid));
        self.upto = self.upto.max(self.known.last().copied().unwrap_or(0));
        window.upto = Some(self.upto);
        self.hand_out(window)
    }

    /// Hands out what there is now of a message that an earlier scan could not read.
    pub(super) fn give_again(&mut self, mut window: Window, uid: u32) -> Result<(), Halt> {
        (window.again, window.upto) = (vec![uid], Some(self.upto));
        self.hand_out(window)
    }

    /// Says why no more is read of the folder now. What was said of its rest before is overtaken.
    pub(super) fn say(&mut self, reason: String) -> Result<(), Halt> {
        let mut window = Window::new(&self.folder);
        window.unread.push(Unread {
            folder: self.folder.chain.clone(),
            position: None,
            bytes: None,
            reason,
            message: false,
        });
        window.ends = true;
        self.hand_out(window)
    }

    /// All is read: up to this UID nothing is left out. That is handed out also where there was nothing.
    pub(super) fn end(&mut self, upto: u32) -> Result<(), Halt> {
        let mut window = Window::new(&self.folder);
        (window.upto, window.ends) = (Some(upto), true);
        window.held = Some(self.covered.exists);
        self.hand_out(window)
    }

    fn hand_out(&mut self, window: Window) -> Result<(), Halt> {
        self.covered.got += window.mails.len() as u64;
        self.covered.unread += window.unread.iter().filter(|row| row.message).count() as u64;
        if (self.each)(Box::new(window)).is_break() || (self.stop)() {
            return Err(Halt::Stopped);
        }
        Ok(())
    }
}
