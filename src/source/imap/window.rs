//! Some messages of a folder, read over IMAP and waiting to be worked on. How they came is no matter here.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::heads::{NOT_GIVEN, row};
use super::set::Uids;

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
    /// Some that were there went while they were read.
    pub(super) gone: bool,
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
            gone: false,
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

    /// Adds a row for each of these, which the server lists, that neither came nor has a row.
    pub(super) fn not_given(&mut self, uids: &Uids) {
        let mut told: BTreeSet<u32> = self.mails.iter().map(|mail| mail.uid).collect();
        told.extend(self.unread.iter().filter_map(Unread::uid));
        for uid in uids.iter().filter(|uid| !told.contains(uid)) {
            let row = row(&self.folder, uid, NOT_GIVEN.to_owned(), true);
            self.unread.push(row);
        }
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
        })
    }
}
