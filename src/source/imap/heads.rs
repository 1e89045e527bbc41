//! The first stage of reading: the header fields of many messages at once, and which of them judgement wants more of.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::answer::{Answer, Told};
use super::pace::Pace;
use super::reader::{FolderReader, Halt};
use super::set::Uids;
use super::window::Mail;
use crate::place::{Folder, Position, Unread};
use crate::source::{Extent, Marks, Terms, Want};

/// The header fields that tell who wrote to whom, and whether more of a message is needed: then its whole head is asked
/// for. Servers repeat this list with each message. Received is long, and asked for only where nothing else tells sent
/// mail.
const FIELDS: &str = "From Sender To Cc Bcc Resent-To Resent-Cc Resent-Bcc Subject Date Message-ID In-Reply-To X-Unsent X-Gmail-Labels";
/// How much of a message is asked for at a time, in bytes.
pub(super) const PIECE: u64 = 1 << 16;

/// Messages of which header fields are read, and what is still to be asked for of them.
pub(super) struct Headed {
    pub(super) mails: BTreeMap<u32, Mail>,
    /// Whose header fields go on behind what was asked for: what more is wanted of them is not known yet.
    pub(super) long: Vec<u32>,
    /// Of which text is wanted.
    pub(super) texts: Vec<u32>,
    /// Of which all is wanted.
    pub(super) wholes: Vec<u32>,
    /// What could not be read.
    pub(super) unread: Vec<Unread>,
    /// The last UID that was asked for.
    pub(super) end: u64,
}

/// Why a message is missing of which the server says that it is there.
pub(super) const NOT_GIVEN: &str = "the server lists it, but does not give it";

impl Headed {
    /// Whether more must be asked for than one start of each message that is wanted.
    pub(super) fn is_long(&self) -> bool {
        let mut wanted = self.texts.iter().chain(&self.wholes);
        let size = |uid: &u32| self.mails.get(uid).and_then(|mail| mail.size);
        !self.long.is_empty() || wanted.any(|uid| size(uid).is_none_or(|size| size >= PIECE))
    }

    /// Notes how much of a message is wanted.
    pub(super) fn want(&mut self, uid: u32, want: Want) {
        match want {
            Want::Nothing => {}
            Want::Text => self.texts.push(uid),
            Want::Whole => self.wholes.push(uid),
        }
    }
}

/// What came of answers and was not taken yet. A server that knows several commands may answer a later one within the
/// answer to an earlier one (RFC 9051 5.5): so it is told by what it is, and not by when it came.
#[derive(Default)]
pub(super) struct Came {
    heads: BTreeMap<u32, Mail>,
    starts: BTreeMap<u32, Vec<u8>>,
    /// What was asked for, or will be next. Nothing else is taken.
    awaited: Vec<Uids>,
}

impl Came {
    /// Takes in an answer, as far as it holds header fields or starts of messages.
    pub(super) fn take_in(&mut self, answer: &Answer) {
        // What a server says of one message may come in several pieces, of which one bears its UID.
        let (mut named, mut pieces) = (FxHashMap::default(), false);
        answer.each(|told| match told.uid() {
            Some(uid) => {
                named.insert(told.number, uid);
                self.take(uid, told);
            }
            None => pieces = true,
        });
        if pieces {
            answer.each(|told| {
                if let (None, Some(uid)) = (told.uid(), named.get(&told.number)) {
                    self.take(*uid, told);
                }
            });
        }
    }

    /// From now on answers about these are taken.
    pub(super) fn expect(&mut self, uids: &Uids) {
        if !self.awaited.contains(uids) {
            self.awaited.push(uids.clone());
        }
    }

    fn take(&mut self, uid: u32, told: &Told<'_>) {
        if !self.awaited.iter().any(|uids| uids.holds(uid)) {
            return;
        }
        if let Some(start) = told.body() {
            self.starts.insert(uid, start);
            return;
        }
        let mail = self.heads.entry(uid).or_insert_with(|| Mail::new(uid));
        mail.number = told.number;
        if let Some(head) = told.head() {
            mail.bytes = head;
        }
        mail.size = mail.size.or(told.size());
        told.mark(&mut mail.marks);
    }

    fn heads_of(&mut self, uids: &Uids) -> BTreeMap<u32, Mail> {
        self.heads
            .extract_if(.., |uid, _| uids.holds(*uid))
            .collect()
    }

    /// The starts of these messages, as far as they came.
    pub(super) fn starts_of(&mut self, uids: &Uids) -> BTreeMap<u32, Vec<u8>> {
        self.starts
            .extract_if(.., |uid, _| uids.holds(*uid))
            .collect()
    }
}

impl FolderReader<'_> {
    /// Reads the header fields of these messages.
    pub(super) fn headed(
        &mut self,
        folder: &Folder,
        uids: &Uids,
        pace: &mut Pace,
        terms: &mut Terms<'_>,
    ) -> Result<Headed, Halt> {
        let lost = self.ask_ahead(uids, &self.heads(0))?;
        let mut mails = self.came.heads_of(uids);
        match (uids, lost.is_empty()) {
            (Uids::Range(first, last), true) => {
                let seen = self.line.last();
                pace.learn(last + 1 - first, mails.len() as u64, seen.bytes, seen.took);
            }
            (_, false) => pace.slow(),
            _ => {}
        }
        let mut unread = Vec::new();
        for (uids, why) in lost {
            let why = format!("the server does not give it: {why}");
            unread.extend(uids.iter().map(|uid| row(folder, uid, why.clone(), true)));
        }
        // An answer that tells of a message nobody asked about names neither its size nor its fields.
        mails.retain(|_, mail| mail.size.is_some() || !mail.bytes.is_empty());
        for (uid, _) in mails.extract_if(.., |_, mail| mail.bytes.is_empty()) {
            let why = "the server gives no header fields for it".to_owned();
            unread.push(row(folder, uid, why, true));
        }
        if matches!(uids, Uids::Range(..)) && self.skipped(&mails) > unread.len() as u64 {
            // Numbers in a folder have no gaps: the server left some out.
            self.line.settle();
            let known = mails
                .keys()
                .copied()
                .chain(unread.iter().filter_map(Unread::uid));
            let known: BTreeSet<u32> = known.collect();
            let there = self.listed(uids)?;
            let missing: Vec<u32> = there.difference(&known).copied().collect();
            if !missing.is_empty() {
                let missing = Uids::list(missing);
                self.ask_ahead(&missing, &self.heads(0))?;
                mails.extend(self.came.heads_of(&missing));
                mails.retain(|_, mail| !mail.bytes.is_empty());
                for uid in missing.iter().filter(|uid| !mails.contains_key(uid)) {
                    unread.push(row(folder, uid, NOT_GIVEN.to_owned(), true));
                }
            }
        }
        let mut headed = Headed {
            mails: BTreeMap::new(),
            long: Vec::new(),
            texts: Vec::new(),
            wholes: Vec::new(),
            unread,
            end: uids.last(),
        };
        for mail in mails.values() {
            if mail.bytes.len() as u64 >= PIECE {
                headed.long.push(mail.uid);
            } else {
                headed.want(mail.uid, (terms.want)(&mail.raw(folder.validity), folder));
            }
        }
        headed.mails = mails;
        Ok(headed)
    }

    /// How many others stand between these messages, and between them and the last before them, as their numbers tell.
    fn skipped(&mut self, mails: &BTreeMap<u32, Mail>) -> u64 {
        let mut between = 0;
        for mail in mails.values() {
            let last = self.number.unwrap_or(mail.number.saturating_sub(1));
            between += u64::from(mail.number.saturating_sub(last.saturating_add(1)));
            self.number = Some(mail.number);
        }
        between
    }

    /// Asks what may be answered within another answer: see [`Came`].
    pub(super) fn ask_ahead(
        &mut self,
        uids: &Uids,
        items: &str,
    ) -> Result<Vec<(Uids, String)>, Halt> {
        self.came.expect(uids);
        let mut came = std::mem::take(&mut self.came);
        let lost = self.ask(uids.clone(), items, &mut |answer| came.take_in(answer));
        self.came = came;
        self.came.awaited.retain(|one| one != uids);
        lost
    }

    /// What to ask for of every message: its header fields from this byte on.
    pub(super) fn heads(&self, from: usize) -> String {
        let stamps = if self.stamps { " Received" } else { "" };
        let fields = format!("BODY.PEEK[HEADER.FIELDS ({FIELDS}{stamps})]<{from}.{PIECE}>");
        match from {
            0 => format!("(UID FLAGS INTERNALDATE RFC822.SIZE {fields})"),
            _ => format!("(UID {fields})"),
        }
    }
}

impl Mail {
    fn new(uid: u32) -> Self {
        Mail {
            uid,
            number: 0,
            bytes: Vec::new(),
            extent: Extent::Head,
            marks: Marks::default(),
            size: None,
        }
    }
}

pub(super) fn row(folder: &Folder, uid: u32, reason: String, message: bool) -> Unread {
    Unread {
        folder: folder.chain.clone(),
        position: Some(Position::Uid {
            validity: folder.validity,
            uid,
        }),
        bytes: None,
        reason,
        message,
    }
}
