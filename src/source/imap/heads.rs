//! The first stage of reading: the header fields of many messages at once, and which of them judgement wants more of.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::answer::{Answer, Told};
use super::missing::MISSING_AT_ONCE;
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
#[derive(Default)]
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
    /// The numbers of all that came or have a row, as far as they are known.
    told: BTreeMap<u32, Option<u32>>,
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

    /// Takes over what came, and a row for each message that came without its header fields.
    fn take_over(&mut self, mut mails: BTreeMap<u32, Mail>, folder: &Folder) {
        // An answer that tells of a message nobody asked about names neither its size nor its fields.
        mails.retain(|_, mail| mail.size.is_some() || !mail.bytes.is_empty());
        let told = mails.iter().map(|(uid, mail)| (*uid, Some(mail.number)));
        self.told.extend(told);
        for (uid, _) in mails.extract_if(.., |_, mail| mail.bytes.is_empty()) {
            let why = "the server gives no header fields for it".to_owned();
            self.lost(folder, uid, why);
        }
        self.mails.append(&mut mails);
    }

    /// Adds the row of a message that did not come.
    fn lost(&mut self, folder: &Folder, uid: u32, why: String) {
        self.told.entry(uid).or_default();
        self.unread.push(row(folder, uid, why, true));
    }

    /// Adds a row for each of these, which the server lists, that neither came nor has a row.
    pub(super) fn not_given(&mut self, folder: &Folder, uids: &Uids) {
        for uid in uids.iter() {
            if !self.told.contains_key(&uid) {
                self.lost(folder, uid, NOT_GIVEN.to_owned());
            }
        }
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

/// How far along a folder reading is. Numbers in a folder have no gaps, so they tell whether a server left some out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// The number of the last message that came, where that is known.
    number: Option<u32>,
    /// How many are behind it of which it is known only why they did not come.
    unnumbered: u32,
    /// The UID of the last of either.
    behind: u64,
}

impl Place {
    /// Before the first message of all, or before the first of which an earlier scan knows nothing: what its number is
    /// nobody knows.
    pub(super) fn before(first: u64) -> Self {
        Place {
            number: (first == 1).then_some(0),
            unnumbered: 0,
            behind: first - 1,
        }
    }

    /// The number of the last message that came.
    pub(super) fn number(&self) -> Option<u32> {
        self.number
    }

    /// Goes on past these messages, of which some have a number. Gives whether others may stand before or between them.
    fn pass(&mut self, told: &BTreeMap<u32, Option<u32>>) -> bool {
        let mut between = false;
        for (uid, number) in told {
            match (self.number, number) {
                // Where no number is known to go by, only a UID that follows the last one leaves no room.
                (None, _) => between |= u64::from(*uid) > self.behind + 1,
                (Some(last), Some(number)) => {
                    between |= *number > last.saturating_add(self.unnumbered).saturating_add(1);
                }
                (Some(_), None) => {}
            }
            match number {
                Some(_) => (self.number, self.unnumbered) = (*number, 0),
                None => self.unnumbered += 1,
            }
            self.behind = self.behind.max(u64::from(*uid));
        }
        between
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
        if let Some(start) = told.body(0, PIECE) {
            self.starts.insert(uid, start);
            return;
        }
        let mail = self.heads.entry(uid).or_insert_with(|| Mail::new(uid));
        mail.number = told.number;
        if let Some(head) = told.head(0, PIECE) {
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
        let mails = self.came.heads_of(uids);
        match (uids, lost.is_empty()) {
            (Uids::Range(first, last), true) => {
                let seen = self.line.last();
                pace.learn(last + 1 - first, mails.len() as u64, seen.bytes, seen.took);
            }
            (_, false) => pace.slow(),
            _ => {}
        }
        let mut headed = Headed::default();
        for (uids, why) in lost {
            let why = format!("the server does not give it: {why}");
            for uid in uids.iter() {
                headed.lost(folder, uid, why.clone());
            }
        }
        headed.take_over(mails, folder);
        if matches!(uids, Uids::Range(..)) {
            let before = self.place;
            if self.place.pass(&headed.told) {
                // They may stand before the first of these, too.
                let around = Uids::range(before.behind + 1, uids.last());
                self.complete(&mut headed, &around, folder)?;
                self.place = before;
                self.place.pass(&headed.told);
            }
        }
        let mails = std::mem::take(&mut headed.mails);
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

    /// Asks which of these there are, and for those that were left out.
    fn complete(
        &mut self,
        headed: &mut Headed,
        around: &Uids,
        folder: &Folder,
    ) -> Result<(), Halt> {
        self.line.settle();
        let there = self.listed(around)?.into_iter();
        let missing: Vec<u32> = there.filter(|uid| !headed.told.contains_key(uid)).collect();
        for some in Uids::batches(&missing, MISSING_AT_ONCE, &|_| 1) {
            self.ask_ahead(&some, &self.heads(0))?;
            headed.take_over(self.came.heads_of(&some), folder);
            headed.not_given(folder, &some);
        }
        Ok(())
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
    pub(super) fn heads(&self, from: u64) -> String {
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
