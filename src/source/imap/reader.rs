//! Reads one folder after another: header fields of all messages in windows of UIDs, and of the few that judgement wants
//! more of, their text. What breaks is tried anew, in smaller pieces, down to the one message that breaks it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use imap::types::{Fetch, Fetches, Flag, Mailbox};
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use super::access::Access;
use super::folders::Chosen;
use super::guard::{LONGEST_LITERAL, unveiled};
use super::line::Line;
use super::pace::Pace;
use super::parts;
use super::session::Count;
use super::set::Uids;
use super::trouble::Trouble;
use super::url::Url;
use super::window::{Mail, Window};
use crate::place::{Folder, Mark, Position, Unread};
use crate::source::{Digests, Extent, LONGEST_HELD, Marks, Terms, Unit, Want};

/// The header fields that tell who wrote to whom, and whether more of a message is needed: then its whole head is asked
/// for. Servers repeat this list with each message. Received is long, and asked for only where nothing else tells sent
/// mail.
const FIELDS: &str = "From Sender To Cc Bcc Resent-To Resent-Cc Resent-Bcc Subject Date Message-ID In-Reply-To X-Unsent";
/// How much of a message is asked for at a time, in bytes.
const PIECE: u64 = 1 << 16;
/// How much of a long message is asked for at a time, in bytes.
const LONGEST_PIECE: u64 = LONGEST_LITERAL / 4;
/// Longest head that is asked for, in bytes.
const LONGEST_HEAD: u64 = 8 << 20;
/// How much of a message's text is asked for, in bytes as they are sent.
const LONGEST_TEXT: u64 = 1 << 19;
/// Bytes of text that one answer should have.
const TEXTS: u64 = 3 << 20;
/// How many UIDs are asked for at once to see which there are.
const CHECKED_AT_ONCE: u64 = 20_000;
/// After so many messages in a row that break the connection a folder is given up.
const MOST_BROKEN: u32 = 16;

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
    open: (String, u32),
    /// Messages in a row that could not be had.
    broken: u32,
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
struct Span {
    first: u64,
    last: u64,
    /// Whether the server told the last.
    certain: bool,
}

/// Why reading a folder does not go on.
enum Halt {
    /// Nothing more can be had of it now.
    GaveUp,
    /// It is another folder now: its UIDs mean other messages.
    Changed,
    /// Somebody pressed Ctrl-C.
    Stopped,
}

/// Why one question had no answer.
enum Unanswered {
    Trouble(Trouble),
    Changed,
}

impl From<Trouble> for Unanswered {
    fn from(trouble: Trouble) -> Self {
        Unanswered::Trouble(trouble)
    }
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
        }
    }

    /// SHA-256 of whole messages. Those of one folder should stand beside one another.
    pub(super) fn digests(
        &mut self,
        folders: &[Chosen],
        places: &[(String, Position)],
        each: &mut Digests<'_>,
    ) {
        let mut entered: Option<(&str, Result<u32, String>)> = None;
        for (at, (chain, position)) in places.iter().enumerate() {
            let Position::Uid { validity, uid } = position else {
                continue;
            };
            if entered.as_ref().is_none_or(|(name, _)| name != chain) {
                let raw = folders.iter().find(|one| one.listed.name == *chain);
                let opened = match raw {
                    Some(one) => self
                        .enter(&one.listed.raw)
                        .map_err(|trouble| trouble.what().to_owned()),
                    None => Err("its folder is not there any more".to_owned()),
                };
                let opened = opened.map(|mailbox| mailbox.uid_validity.unwrap_or_default());
                entered = Some((chain, opened));
            }
            let digest = match &entered {
                Some((_, Ok(now))) if now == validity => self.digest(*uid),
                Some((_, Err(why))) => Err(why.clone()),
                _ => Err("its folder was made anew".to_owned()),
            };
            each(at, digest);
        }
    }

    fn digest(&mut self, uid: u32) -> Result<[u8; 32], String> {
        let (mut hash, mut length) = (Sha256::new(), 0u64);
        loop {
            let items = format!("(UID BODY.PEEK[]<{length}.{LONGEST_PIECE}>)");
            let mut piece: Option<Vec<u8>> = None;
            let asked = self.ask(Uids::list(vec![uid]), &items, &mut |fetches| {
                piece = of(fetches, uid).find_map(|fetch| fetch.body().map(unveiled));
            });
            let lost = match asked {
                Ok(lost) => lost,
                Err(Halt::Stopped) => return Err("the scan was stopped".to_owned()),
                Err(Halt::Changed) => return Err("its folder was made anew".to_owned()),
                Err(Halt::GaveUp) => {
                    let why = self.ended.as_ref().map(|trouble| trouble.what().to_owned());
                    return Err(why.unwrap_or_else(|| "the server does not give it".to_owned()));
                }
            };
            if let Some((_, why)) = lost.into_iter().next() {
                return Err(why);
            }
            let piece = piece.ok_or("it is not there any more")?;
            hash.update(&piece);
            length += piece.len() as u64;
            if (piece.len() as u64) < LONGEST_PIECE {
                return Ok(hash.finalize().into());
            }
        }
    }
}

impl FolderReader<'_> {
    /// Opens a folder, for reading only.
    fn examine(&mut self, raw: &str) -> Result<Mailbox, Trouble> {
        let session = self.line.session(self.access, self.url, self.stop)?;
        let mut mailbox = session.examine(raw)?;
        if !mailbox.is_read_only {
            // Whatever is said next could change something.
            self.line.drop();
            return Err(Trouble::Denied(
                "the server does not open it for reading only".to_owned(),
            ));
        }
        if mailbox.uid_next.is_none() || mailbox.uid_validity.is_none() {
            // Courier tells it only so.
            let status = session.status(raw)?;
            mailbox.uid_next = mailbox.uid_next.or(status.uid_next);
            mailbox.uid_validity = mailbox.uid_validity.or(status.uid_validity);
        }
        if mailbox.uid_validity.is_none() {
            return Err(Trouble::Denied(
                "the server tells no UIDVALIDITY, so that no message in it can be named".to_owned(),
            ));
        }
        Ok(mailbox)
    }

    /// As [`FolderReader::examine`], through failure.
    fn enter(&mut self, raw: &str) -> Result<Mailbox, Trouble> {
        loop {
            match self.examine(raw) {
                Ok(mailbox) => {
                    let validity = mailbox.uid_validity.unwrap_or_default();
                    self.open = (raw.to_owned(), validity);
                    return Ok(mailbox);
                }
                Err(denied @ Trouble::Denied(_)) => return Err(denied),
                Err(trouble) => self
                    .line
                    .failed(trouble, self.access, self.url, self.stop)?,
            }
        }
    }

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
        // A folder that was made anew while it was read is read anew.
        for _ in 0..4 {
            let mailbox = match self.enter(raw) {
                Ok(mailbox) => mailbox,
                Err(trouble) => return self.cannot_open(chosen, trouble, each),
            };
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
        let (mut pace, mut next) = (Pace::new(), span.first);
        let mut got: Vec<u32> = Vec::new();
        let mut upto = u32::try_from(span.first - 1).unwrap_or(u32::MAX);
        self.broken = 0;
        let again = mark(terms, folder).map_or_else(Vec::new, |mark| mark.again.clone());
        if !again.is_empty() {
            // What an earlier scan could not read may be readable now.
            let mut window = Window::new(folder);
            self.window(&mut window, Uids::list(again.clone()), &mut pace, terms)
                .or_else(|halt| match halt {
                    Halt::GaveUp => Ok(()),
                    other => Err(other),
                })?;
            (window.again, window.upto) = (again, Some(upto));
            self.hand_out(window, covered, each)?;
        }
        while next <= span.last {
            let end = pace.end(next, span.last);
            let mut window = Window::new(folder);
            match self.window(&mut window, Uids::range(next, end), &mut pace, terms) {
                Ok(()) => {}
                Err(Halt::GaveUp) => return self.give_up(folder, next, covered, each),
                Err(halt) => return Err(halt),
            }
            let uids = window.mails.iter().map(|mail| mail.uid);
            got.extend(uids);
            upto = if span.certain {
                u32::try_from(end).unwrap_or(u32::MAX)
            } else {
                got.last().copied().unwrap_or(upto)
            };
            window.upto = Some(upto);
            self.hand_out(window, covered, each)?;
            next = end + 1;
        }
        let mut rest = Window::new(folder);
        rest.upto = Some(upto);
        if !covered.before && covered.got + covered.unread < covered.exists {
            self.check(&mut rest, span.last, &got, &mut pace, terms)?;
        }
        // Also where there was nothing: that the folder was looked at is worth knowing.
        self.hand_out(rest, covered, each)
    }

    fn hand_out(
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

    /// Leaves the rest of a folder to another scan.
    fn give_up(
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
        self.hand_out(window, covered, each)?;
        Err(Halt::GaveUp)
    }

    /// Where fewer messages came than the server had counted: asks which there are, and for those that did not come.
    fn check(
        &mut self,
        window: &mut Window,
        last: u64,
        got: &[u32],
        pace: &mut Pace,
        terms: &mut Terms<'_>,
    ) -> Result<(), Halt> {
        let mut there = BTreeSet::new();
        let mut first = 1;
        // A server may tell a UIDNEXT that is too low.
        let highest = u64::from(u32::MAX) - 1;
        while first <= highest {
            let end = match first + CHECKED_AT_ONCE - 1 {
                end if end < last => end,
                end if first <= last => end.min(last),
                _ => highest,
            };
            self.ask(Uids::range(first, end), "(UID)", &mut |fetches| {
                there.extend(fetches.iter().filter_map(|fetch| fetch.uid));
            })?;
            first = end + 1;
        }
        let known: BTreeSet<u32> = got.iter().copied().collect();
        let missing = there.difference(&known).copied();
        let missing: Vec<u32> = missing.collect();
        window.upto = window.upto.max(missing.last().copied());
        for some in Uids::batches(&missing, CHECKED_AT_ONCE, &|_| 1) {
            let before = window.mails.len();
            self.window(window, some.clone(), pace, terms)?;
            let now: Vec<u32> = window.mails[before..].iter().map(|mail| mail.uid).collect();
            for uid in some.iter().filter(|uid| !now.contains(uid)) {
                let why = "the server lists it, but does not give it".to_owned();
                window.unread.push(row(&window.folder, uid, why, true));
            }
        }
        Ok(())
    }

    /// Reads these messages: header fields of all, more of those that judgement wants more of.
    fn window(
        &mut self,
        window: &mut Window,
        uids: Uids,
        pace: &mut Pace,
        terms: &mut Terms<'_>,
    ) -> Result<(), Halt> {
        let folder = Arc::clone(&window.folder);
        let mut mails: BTreeMap<u32, Mail> = BTreeMap::new();
        let lost = self.ask(uids.clone(), &self.heads(0), &mut |fetches| {
            // What a server says of one message may come in several pieces, of which one bears its UID.
            let named = fetches
                .iter()
                .filter_map(|fetch| Some((fetch.message, fetch.uid?)));
            let named: FxHashMap<u32, u32> = named.collect();
            for fetch in fetches.iter() {
                let uid = fetch.uid.or_else(|| named.get(&fetch.message).copied());
                if let Some(uid) = uid.filter(|uid| uids.holds(*uid)) {
                    note(mails.entry(uid).or_insert_with(|| Mail::new(uid)), fetch);
                }
            }
        })?;
        match (&uids, lost.is_empty()) {
            (Uids::Range(first, last), true) => {
                let seen = self.line.last();
                pace.learn(last + 1 - first, mails.len() as u64, seen.bytes, seen.took);
            }
            (_, false) => pace.slow(),
            _ => {}
        }
        for (uids, why) in lost {
            let rows = uids
                .iter()
                .map(|uid| (uid, format!("the server does not give it: {why}")));
            let rows = rows.map(|(uid, why)| row(&folder, uid, why, true));
            window.unread.extend(rows);
        }
        // An answer that tells of a message nobody asked about names neither its size nor its fields.
        mails.retain(|_, mail| mail.size.is_some() || !mail.bytes.is_empty());
        for (uid, _) in mails.extract_if(.., |_, mail| mail.bytes.is_empty()) {
            let why = "the server gives no header fields for it".to_owned();
            window.unread.push(row(&folder, uid, why, true));
        }
        let long = mails
            .iter()
            .filter(|(_, mail)| mail.bytes.len() as u64 >= PIECE);
        for uid in long.map(|(uid, _)| *uid).collect::<Vec<_>>() {
            self.long_head(uid, &mut mails, window)?;
        }
        self.more(&mut mails, window, terms)?;
        window.mails.extend(mails.into_values());
        window.unread.sort();
        Ok(())
    }

    /// What to ask for of every message: its header fields from this byte on.
    fn heads(&self, from: usize) -> String {
        let stamps = if self.stamps { " Received" } else { "" };
        let fields = format!("BODY.PEEK[HEADER.FIELDS ({FIELDS}{stamps})]<{from}.{PIECE}>");
        match from {
            0 => format!("(UID FLAGS INTERNALDATE RFC822.SIZE {fields})"),
            _ => format!("(UID {fields})"),
        }
    }

    /// The rest of the header fields of a message that has more of them than were asked for.
    fn long_head(
        &mut self,
        uid: u32,
        mails: &mut BTreeMap<u32, Mail>,
        window: &mut Window,
    ) -> Result<(), Halt> {
        let Some(mail) = mails.get_mut(&uid) else {
            return Ok(());
        };
        let mut head = std::mem::take(&mut mail.bytes);
        while (head.len() as u64).is_multiple_of(PIECE) && (head.len() as u64) < LONGEST_HEAD {
            let before = head.len();
            let lost = self.ask(Uids::list(vec![uid]), &self.heads(before), &mut |fetches| {
                head.truncate(before);
                let more = of(fetches, uid).find_map(Fetch::header);
                head.extend(unveiled(more.unwrap_or_default()));
            })?;
            if !lost.is_empty() {
                let why = "the end of its header fields could not be read: it may name more people than were seen";
                let row = row(&window.folder, uid, why.to_owned(), false);
                window.unread.push(row);
            }
            if head.len() == before {
                break;
            }
        }
        mail.bytes = head;
        Ok(())
    }

    /// Gets more of the messages of which judgement wants more.
    fn more(
        &mut self,
        mails: &mut BTreeMap<u32, Mail>,
        window: &mut Window,
        terms: &mut Terms<'_>,
    ) -> Result<(), Halt> {
        let (mut texts, mut wholes): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        let folder = &window.folder;
        for mail in mails.values() {
            match (terms.want)(&mail.raw(folder.validity), folder) {
                Want::Nothing => {}
                Want::Text => texts.push(mail.uid),
                Want::Whole => wholes.push(mail.uid),
            }
        }
        // The start of a message is the whole of nearly every one, and has its text in the others.
        let starts: Vec<u32> = texts.iter().chain(&wholes).copied().collect();
        let starts = self.starts(starts, mails, window)?;
        for (uid, start) in starts {
            let Some(mail) = mails.get_mut(&uid) else {
                continue;
            };
            if (start.len() as u64) < PIECE {
                (mail.bytes, mail.extent) = (start, Extent::Whole);
                continue;
            }
            let size = mail.size;
            let (bytes, extent) = if wholes.contains(&uid) {
                self.whole(uid, start, window)?
            } else {
                (self.text(uid, start, size, window)?, Extent::Text)
            };
            if let Some(mail) = mails.get_mut(&uid) {
                (mail.bytes, mail.extent) = (bytes, extent);
            }
        }
        Ok(())
    }

    /// The first bytes of each of these messages.
    fn starts(
        &mut self,
        mut uids: Vec<u32>,
        mails: &BTreeMap<u32, Mail>,
        window: &mut Window,
    ) -> Result<BTreeMap<u32, Vec<u8>>, Halt> {
        uids.sort_unstable();
        let mut starts = BTreeMap::new();
        let size = |uid: &u32| {
            mails
                .get(uid)
                .and_then(|mail| mail.size)
                .unwrap_or(PIECE)
                .min(PIECE)
        };
        for some in Uids::batches(&uids, TEXTS, &size) {
            let items = format!("(UID BODY.PEEK[]<0.{PIECE}>)");
            let lost = self.ask(some, &items, &mut |fetches| {
                let bodies = fetches
                    .iter()
                    .filter_map(|fetch| Some((fetch.uid?, fetch.body()?)));
                starts.extend(bodies.map(|(uid, body)| (uid, unveiled(body))));
            })?;
            for (uids, why) in lost {
                for uid in uids.iter() {
                    window.unread.push(row(
                        &window.folder,
                        uid,
                        format!("its text could not be read, and it was judged without: {why}"),
                        false,
                    ));
                }
            }
        }
        Ok(starts)
    }

    /// Head and text of a long message, and what names its attachments, as one message whose attachments are left out.
    fn text(
        &mut self,
        uid: u32,
        mut start: Vec<u8>,
        size: Option<u64>,
        window: &mut Window,
    ) -> Result<Vec<u8>, Halt> {
        if !parts::shows_its_text(&start) {
            self.go_on(
                uid,
                &mut start,
                size.unwrap_or(u64::MAX).min(LONGEST_TEXT),
                window,
            )?;
        }
        let Some(boundary) = parts::boundary(&start) else {
            return Ok(start);
        };
        let items = parts::items();
        let mut heads = Vec::new();
        let lost = self.ask(Uids::list(vec![uid]), &items, &mut |fetches| {
            heads = of(fetches, uid).flat_map(parts::heads).collect();
        })?;
        if !lost.is_empty() {
            window.unread.push(row(
                &window.folder,
                uid,
                "the names of its attachments could not be read".to_owned(),
                false,
            ));
        }
        Ok(parts::stitched(start, &boundary, &heads))
    }

    /// The whole of a message, as far as ccspill holds one.
    fn whole(
        &mut self,
        uid: u32,
        mut start: Vec<u8>,
        window: &mut Window,
    ) -> Result<(Vec<u8>, Extent), Halt> {
        let whole = self.go_on(uid, &mut start, LONGEST_HELD as u64, window)?;
        Ok((start, if whole { Extent::Whole } else { Extent::Start }))
    }

    /// Reads on in a message to `end`, in bytes. True where its end was reached.
    fn go_on(
        &mut self,
        uid: u32,
        bytes: &mut Vec<u8>,
        end: u64,
        window: &mut Window,
    ) -> Result<bool, Halt> {
        while (bytes.len() as u64) < end {
            let piece = (end - bytes.len() as u64).min(LONGEST_PIECE);
            let before = bytes.len();
            let items = format!("(UID BODY.PEEK[]<{before}.{piece}>)");
            let lost = self.ask(Uids::list(vec![uid]), &items, &mut |fetches| {
                bytes.truncate(before);
                let more = of(fetches, uid).find_map(Fetch::body);
                bytes.extend(unveiled(more.unwrap_or_default()));
            })?;
            if !lost.is_empty() {
                window.unread.push(row(
                    &window.folder,
                    uid,
                    "the end of its text could not be read, and it was judged without".to_owned(),
                    false,
                ));
                return Ok(false);
            }
            if ((bytes.len() - before) as u64) < piece {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks for messages of a folder, through failure: what breaks the connection is asked for anew, then in halves. Gives
    /// what could not be had, message by message, with the reason. `each` may be given a message twice.
    fn ask(
        &mut self,
        uids: Uids,
        items: &str,
        each: &mut dyn FnMut(&Fetches),
    ) -> Result<Vec<(Uids, String)>, Halt> {
        let mut lost = Vec::new();
        let mut waiting = vec![(uids, false)];
        while let Some((uids, again)) = waiting.pop() {
            if (self.stop)() {
                return Err(Halt::Stopped);
            }
            let trouble = match self.ask_once(&uids, items, each) {
                Ok(()) => {
                    (self.broken, self.got_any) = (0, true);
                    continue;
                }
                Err(Unanswered::Changed) => return Err(Halt::Changed),
                Err(Unanswered::Trouble(trouble)) => trouble,
            };
            let what = trouble.what().to_owned();
            // What comes from the messages comes again; anything else may be gone the next time.
            let by_content = match &trouble {
                Trouble::Garbled(_) => again || uids.halves().is_some(),
                Trouble::Lost(_) | Trouble::Denied(_) => again,
                _ => false,
            };
            if let Err(trouble) = self.line.failed(trouble, self.access, self.url, self.stop) {
                self.ended = Some(trouble);
                return Err(if (self.stop)() {
                    Halt::Stopped
                } else {
                    Halt::GaveUp
                });
            }
            if !by_content {
                waiting.push((uids, true));
                continue;
            }
            // Getting closer to what breaks it is getting on.
            self.line.rest();
            match uids.halves() {
                Some((low, high)) => waiting.extend([(high, true), (low, true)]),
                None => {
                    self.broken += 1;
                    if self.broken >= MOST_BROKEN {
                        return Err(Halt::GaveUp);
                    }
                    lost.push((uids, what));
                }
            }
        }
        Ok(lost)
    }

    fn ask_once(
        &mut self,
        uids: &Uids,
        items: &str,
        each: &mut dyn FnMut(&Fetches),
    ) -> Result<(), Unanswered> {
        if !self.line.is_up() {
            let (raw, validity) = self.open.clone();
            if self.examine(&raw)?.uid_validity != Some(validity) {
                return Err(Unanswered::Changed);
            }
        }
        let session = self.line.session(self.access, self.url, self.stop)?;
        let fetches = session.fetch(&uids.to_string(), items)?;
        each(&fetches);
        self.line.got_on(self.access);
        Ok(())
    }
}

impl Mail {
    fn new(uid: u32) -> Self {
        Mail {
            uid,
            bytes: Vec::new(),
            extent: Extent::Head,
            marks: Marks::default(),
            size: None,
        }
    }
}

/// How far an earlier scan read this folder, if it is the same.
fn mark<'t>(terms: &Terms<'t>, folder: &Folder) -> Option<&'t Mark> {
    let same = |mark: &&Mark| mark.folder == folder.chain && mark.validity == folder.validity;
    terms.marks.iter().find(same)
}

/// What an answer says of one message.
fn of(fetches: &Fetches, uid: u32) -> impl Iterator<Item = &Fetch<'_>> {
    fetches.iter().filter(move |fetch| fetch.uid == Some(uid))
}

/// Takes what an answer says of a message; servers may say it in several.
fn note(mail: &mut Mail, fetch: &Fetch<'_>) {
    if let Some(head) = fetch.header() {
        mail.bytes = unveiled(head);
    }
    mail.size = mail.size.or(fetch.size.map(u64::from));
    for flag in fetch.flags() {
        match flag {
            Flag::Draft => mail.marks.draft = true,
            Flag::Deleted => mail.marks.deleted = true,
            _ => {}
        }
    }
    let stored = fetch.internal_date().map(|date| date.timestamp());
    // The date of a message that has none.
    mail.marks.stored = mail.marks.stored.or(stored.filter(|stored| *stored != 0));
}

fn row(folder: &Folder, uid: u32, reason: String, message: bool) -> Unread {
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
