//! The second stage of reading: of the few messages that judgement wants more of, their text, or all of them. How answers
//! are had through failure is no matter here.

use std::collections::BTreeMap;

use super::ask::LONGEST_PIECE;
use super::heads::{Headed, PIECE, row};
use super::parts;
use super::reader::{FolderReader, Halt};
use super::set::Uids;
use super::window::{Mail, Window};
use crate::source::{Extent, LONGEST_HELD, Terms};

/// Longest head that is asked for, in bytes.
const LONGEST_HEAD: u64 = 8 << 20;
/// How much of a message's text is asked for, in bytes as they are sent.
const LONGEST_TEXT: u64 = 4 << 20;
/// Bytes of text that one answer should have.
const TEXTS: u64 = 3 << 20;
/// Why a list may be longer than was seen.
const CUT_HEAD: &str =
    "the end of its header fields could not be read: it may name more people than were seen";

impl FolderReader<'_> {
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
            let lost = self.ask(Uids::list(vec![uid]), &self.heads(before), &mut |answer| {
                head.truncate(before);
                head.extend(answer.of(uid, |told| told.head()).unwrap_or_default());
            })?;
            if !lost.is_empty() {
                window.lacks(uid, CUT_HEAD.to_owned());
            }
            if head.len() == before {
                break;
            }
        }
        if head.len() as u64 >= LONGEST_HEAD {
            let row = row(&window.folder, uid, CUT_HEAD.to_owned(), false);
            window.unread.push(row);
        }
        mail.bytes = head;
        Ok(())
    }

    /// What will be asked for of these messages in any case.
    pub(super) fn starts_of(headed: &Headed) -> Vec<Uids> {
        let mut uids: Vec<u32> = headed.texts.iter().chain(&headed.wholes).copied().collect();
        uids.sort_unstable();
        let size = |uid: &u32| {
            let size = headed.mails.get(uid).and_then(|mail| mail.size);
            size.unwrap_or(PIECE).min(PIECE)
        };
        Uids::batches(&uids, TEXTS, &size)
    }

    /// The items of that question.
    pub(super) fn start_items() -> String {
        format!("(UID BODY.PEEK[]<0.{PIECE}>)")
    }

    /// Gets more of the messages of which more is wanted, and adds all to a window.
    pub(super) fn finish(
        &mut self,
        mut headed: Headed,
        window: &mut Window,
        terms: &mut Terms<'_>,
    ) -> Result<(), Halt> {
        window.unread.append(&mut headed.unread);
        for uid in std::mem::take(&mut headed.long) {
            self.long_head(uid, &mut headed.mails, window)?;
            if let Some(mail) = headed.mails.get(&uid) {
                let want = (terms.want)(&mail.raw(window.folder.validity), &window.folder);
                headed.want(uid, want);
            }
        }
        // The start of a message is the whole of nearly every one, and has its text in the others.
        for some in Self::starts_of(&headed) {
            let starts = self.starts(some.clone(), window)?;
            // What went meanwhile is as gone as if it had gone before. The check at the end tells whether it did.
            for uid in some.iter().filter(|uid| !starts.contains_key(uid)) {
                if !window.unread.iter().any(|row| row.uid() == Some(uid)) {
                    headed.mails.remove(&uid);
                    window.gone = true;
                }
            }
            for (uid, start) in starts {
                let Some(mail) = headed.mails.get_mut(&uid) else {
                    continue;
                };
                let (bytes, extent) = if (start.len() as u64) < PIECE {
                    (start, Extent::Whole)
                } else if headed.wholes.contains(&uid) {
                    self.whole(uid, start, window)?
                } else {
                    self.text(uid, start, window)?
                };
                // A head that breaks off says less than its header fields, which came before.
                let lacks = window.lacking.binary_search(&uid).is_ok();
                if !lacks || parts::head_length(&bytes).is_some() {
                    (mail.bytes, mail.extent) = (bytes, extent);
                }
            }
        }
        window.mails.extend(headed.mails.into_values());
        window.unread.sort();
        Ok(())
    }

    /// The first bytes of each of these messages.
    fn starts(&mut self, uids: Uids, window: &mut Window) -> Result<BTreeMap<u32, Vec<u8>>, Halt> {
        let lost = self.ask_ahead(&uids, &Self::start_items())?;
        let starts = self.came.starts_of(&uids);
        for (uids, why) in lost {
            let why = format!("its text could not be read, and it was judged without: {why}");
            for uid in uids.iter() {
                window.lacks(uid, why.clone());
            }
        }
        Ok(starts)
    }

    /// Head and text of a long message, and what names its attachments, as one message whose attachments are left out. All
    /// of a message whose parts are not as simple as that.
    fn text(
        &mut self,
        uid: u32,
        mut start: Vec<u8>,
        window: &mut Window,
    ) -> Result<(Vec<u8>, Extent), Halt> {
        let mut head = parts::head_length(&start);
        while head.is_none() && (start.len() as u64) < LONGEST_HEAD {
            let before = start.len();
            let more = before as u64 + LONGEST_PIECE;
            if self.go_on(uid, &mut start, more, window)? {
                return Ok((start, Extent::Whole));
            }
            if start.len() == before {
                return Ok((start, Extent::Text));
            }
            head = parts::head_length(&start);
        }
        let enough = head.unwrap_or(start.len()) as u64 + LONGEST_TEXT;
        let Some(boundary) = parts::boundary(&start) else {
            let whole = self.go_on(uid, &mut start, enough, window)?;
            return Ok((start, if whole { Extent::Whole } else { Extent::Text }));
        };
        let mut later = Vec::new();
        let lost = self.ask(Uids::list(vec![uid]), &parts::items(), &mut |answer| {
            let heads = answer.of(uid, |told| Some(parts::heads(told)));
            later = heads.unwrap_or_default();
        })?;
        if !lost.is_empty() || !parts::are_simple(&start, &boundary, &later) {
            return self.whole(uid, start, window);
        }
        if !parts::shows_its_text(&start) {
            self.go_on(uid, &mut start, enough, window)?;
            if !parts::shows_its_text(&start) {
                return self.whole(uid, start, window);
            }
        }
        Ok((parts::stitched(start, &boundary, &later), Extent::Text))
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
            let lost = self.ask(Uids::list(vec![uid]), &items, &mut |answer| {
                bytes.truncate(before);
                bytes.extend(answer.of(uid, |told| told.body()).unwrap_or_default());
            })?;
            if !lost.is_empty() {
                let why = "the end of its text could not be read, and it was judged without";
                window.lacks(uid, why.to_owned());
                return Ok(false);
            }
            if ((bytes.len() - before) as u64) < piece {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
