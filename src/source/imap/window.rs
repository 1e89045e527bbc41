//! Some messages of a folder, read over IMAP and waiting to be worked on. How they came is no matter here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::heads::row;
use crate::place::{Folder, Headway, Position, Unread};
use crate::source::{Extent, Item, Marks, Raw, Span, Unit};

/// One message, as far as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) uid: u32,
    /// Its number in the folder when it came.
    pub(super) number: u32,
    pub(super) bytes: Vec<u8>,
    pub(super) extent: Extent,
    pub(super) marks: Marks,
    /// Of the whole message, in bytes, as the server tells.
    pub(super) size: Option<u64>,
}

/// A unit of work: messages in the order of their UIDs, and what could not be read between them.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) folder: Arc<Folder>,
    pub(super) mails: Vec<Mail>,
    pub(super) unread: Vec<Unread>,
    /// Up to which UID the folder has been read when this is kept.
    pub(super) upto: Option<u32>,
    /// No more of its folder is read now: what was said before of the folder's rest is overtaken.
    pub(super) ends: bool,
    /// How many messages the server counted in it, where all of them are behind then.
    pub(super) held: Option<u64>,
    /// UIDs that could not be read before, and were asked for again.
    pub(super) again: Vec<u32>,
    /// UIDs of which less came than is wanted: a row tells of each. In order.
    pub(super) lacking: Vec<u32>,
}

impl Window {
    /// Nothing of this folder yet.
    pub(super) fn new(folder: &Arc<Folder>) -> Self {
        Window {
            folder: Arc::clone(folder),
            mails: Vec::new(),
            unread: Vec::new(),
            upto: None,
            ends: false,
            held: None,
            again: Vec::new(),
            lacking: Vec::new(),
        }
    }
}

impl Window {
    /// Adds the row of a message that is judged by less than is wanted; one, however much of it is missing.
    pub(super) fn lacks(&mut self, uid: u32, why: String) {
        if let Err(at) = self.lacking.binary_search(&uid) {
            self.lacking.insert(at, uid);
            self.unread.push(row(&self.folder, uid, why, false));
        }
    }

    /// Whether less of this one came than is wanted.
    pub(super) fn is_lacking(&self, uid: u32) -> bool {
        self.lacking.binary_search(&uid).is_ok()
    }

    /// Adds what came after it.
    pub(super) fn join(&mut self, later: Window) {
        self.mails.extend(later.mails);
        self.unread.extend(later.unread);
        self.lacking.extend(later.lacking);
    }

    /// Cuts off all up to this UID; `mails` are those that it will be given.
    pub(super) fn cut(&mut self, uid: u32, mails: &mut BTreeMap<u32, Mail>) -> Window {
        let mut part = Window::new(&self.folder);
        let later = mails.split_off(&uid.saturating_add(1));
        part.mails = std::mem::replace(mails, later).into_values().collect();
        let before = |row: &mut Unread| row.uid().is_none_or(|one| one <= uid);
        part.unread = self.unread.extract_if(.., before).collect();
        part.unread.sort();
        let later = self.lacking.partition_point(|one| *one <= uid);
        part.lacking = self.lacking.drain(..later).collect();
        part
    }
}

impl Mail {
    /// As it is read further.
    pub(super) fn raw(&self, validity: u32) -> Raw<'_> {
        Raw {
            position: Position::Uid {
                validity,
                uid: self.uid,
            },
            bytes: &self.bytes,
            extent: self.extent,
            sha256: None,
            marks: self.marks,
            head_lines: &[],
        }
    }
}

impl Unit for Window {
    fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    fn size(&self) -> u64 {
        self.mails.len() as u64
    }

    fn held(&self) -> usize {
        let mails = self.mails.iter();
        mails.map(|mail| mail.bytes.len() + size_of::<Mail>()).sum()
    }

    fn read(&self, each: &mut dyn FnMut(Item<'_>)) -> Option<Span> {
        for unread in &self.unread {
            each(Item::Unread(unread.clone()));
        }
        for mail in &self.mails {
            each(Item::Mail(mail.raw(self.folder.validity)));
        }
        None
    }

    fn beginning_at(&self, _: u64) -> Option<Box<dyn Unit>> {
        None
    }

    fn headway(&self) -> Option<Headway<'_>> {
        Some(Headway {
            upto: self.upto,
            again: &self.again,
            lacking: &self.lacking,
            ends: self.ends,
            held: self.held,
        })
    }
}
