//! The second stage of reading: of the few messages that judgement wants more of, their text, or all of them. How answers
//! are had through failure is no matter here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answer::Told;
use super::ask::LONGEST_PIECE;
use super::heads::{Headed, PIECE, row};
use super::parts;
use super::reader::{FolderReader, Halt};
use super::set::Uids;
use super::window::{Mail, Window};
use crate::place::Folder;
use crate::source::{Extent, LONGEST_HELD, Terms, Want};

/// Longest head that is asked for, in bytes.
const LONGEST_HEAD: u64 = 8 << 20;
/// How much of a message's text is asked for, in bytes as they are sent.
const LONGEST_TEXT: u64 = 4 << 20;
/// A window of which so many bytes are held is handed out as far as it is read.
const LONGEST_WINDOW: usize = 16 << 20;
/// Bytes of text that one answer should have.
const TEXTS: u64 = 3 << 20;
/// Why a message may be judged otherwise than by all that it says.
const NO_TEXT: &str = "its text could not be read, and it was judged without";
/// Why a list may be longer than was seen.
const CUT_HEAD: &str =
    "the end of its header fields could not be read: it may name more people than were seen";

impl FolderReader<'_> {
    /// The rest of the header fields of a message that has more of them than were asked for.
    fn long_head(&mut self, mail: &mut Mail, window: &mut Window) -> Result<(), Halt> {
        let (uid, mut from) = (mail.uid, 0);
        // The last piece is the first that is shorter than it may be.
        while mail.bytes.len() as u64 >= from + PIECE {
            from = mail.bytes.len() as u64;
            if from >= LONGEST_HEAD {
                let row = row(&window.folder, uid, CUT_HEAD.to_owned(), false);
                window.unread.push(row);
                break;
            }
            let items = self.heads(from);
            let piece = self.piece(uid, &items, &|told| told.head(from, PIECE))?;
            match piece {
                Some(piece) => mail.bytes.extend(piece),
                None => window.lacks(uid, CUT_HEAD.to_owned()),
            }
        }
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
        let mut rest = uids.as_slice();
        let mut out = Vec::new();
        // A long head comes first, for it tells whether its text is wanted, and everything in its turn.
        for long in &headed.long {
            let (before, after) = rest.split_at(rest.partition_point(|uid| uid < long));
            out.extend(Uids::batches(before, TEXTS, &size));
            out.push(Uids::list(vec![*long]));
            rest = after;
        }
        out.extend(Uids::batches(rest, TEXTS, &size));
        out
    }

    /// The items of that question.
    pub(super) fn start_items() -> String {
        format!("(UID BODY.PEEK[]<0.{PIECE}>)")
    }

    /// Gets more of the messages of which more is wanted, and gives all of them, in the order of their UIDs; in parts where
    /// they are many bytes.
    pub(super) fn finish(
        &mut self,
        folder: &Arc<Folder>,
        mut headed: Headed,
        terms: &mut Terms<'_>,
        give: &mut dyn FnMut(Window) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let mut window = Window::new(folder);
        window.unread.append(&mut headed.unread);
        let mut held = 0;
        for some in Self::starts_of(&headed) {
            if let Some(uid) = some.iter().next().filter(|uid| headed.long.contains(uid))
                && let Some(mail) = headed.mails.get_mut(&uid)
            {
                self.long_head(mail, &mut window)?;
                held += mail.bytes.len();
                let want = (terms.want)(&mail.raw(folder.validity), folder);
                headed.want(uid, want);
                if want == Want::Nothing {
                    if held > LONGEST_WINDOW {
                        give(window.cut(uid, &mut headed.mails))?;
                        held = 0;
                    }
                    continue;
                }
            }
            // The start of a message is the whole of nearly every one, and has its text in the others.
            for (uid, start) in self.starts(&some, &mut headed, &mut window)? {
                held += self.more(uid, start, &mut headed, &mut window)?;
                if held > LONGEST_WINDOW {
                    give(window.cut(uid, &mut headed.mails))?;
                    held = 0;
                }
            }
        }
        give(window.cut(u32::MAX, &mut headed.mails))
    }

    /// Reads on behind the start of a message, as far as is wanted of it. Gives how many bytes of it are held then.
    fn more(
        &mut self,
        uid: u32,
        start: Vec<u8>,
        headed: &mut Headed,
        window: &mut Window,
    ) -> Result<usize, Halt> {
        let Some(mail) = headed.mails.get_mut(&uid) else {
            return Ok(0);
        };
        if start.trim_ascii().is_empty() {
            // It has header fields: they came before.
            window.lacks(uid, format!("{NO_TEXT}: the server gives nothing"));
            return Ok(mail.bytes.len());
        }
        let (mut bytes, extent) = if (start.len() as u64) < PIECE {
            (start, Extent::Whole)
        } else if headed.wholes.contains(&uid) {
            self.whole(uid, start, window)?
        } else {
            self.text(uid, start, window)?
        };
        // A head that breaks off says less than its header fields, which came before.
        if !window.is_lacking(uid) || parts::head_length(&bytes).is_some() {
            // It may have to wait.
            bytes.shrink_to_fit();
            (mail.bytes, mail.extent) = (bytes, extent);
        }
        Ok(mail.bytes.len())
    }

    /// The first bytes of each of these messages, as far as there are any to be had. One that went meanwhile is as gone as if
    /// it had gone before; one that the server still lists is judged without.
    fn starts(
        &mut self,
        uids: &Uids,
        headed: &mut Headed,
        window: &mut Window,
    ) -> Result<BTreeMap<u32, Vec<u8>>, Halt> {
        let mut starts = self.starts_once(uids, window)?;
        let missing: Vec<u32> = uids
            .iter()
            .filter(|uid| !starts.contains_key(uid) && !window.is_lacking(*uid))
            .collect();
        if missing.is_empty() {
            return Ok(starts);
        }
        self.line.settle();
        let there = self.listed(&Uids::list(missing.clone()))?;
        for gone in missing.iter().filter(|uid| !there.contains(uid)) {
            headed.mails.remove(gone);
        }
        if !there.is_empty() {
            let there = Uids::list(there.into_iter().collect());
            starts.extend(self.starts_once(&there, window)?);
            for uid in there.iter().filter(|uid| !starts.contains_key(uid)) {
                window.lacks(uid, NO_TEXT.to_owned());
            }
        }
        Ok(starts)
    }

    fn starts_once(
        &mut self,
        uids: &Uids,
        window: &mut Window,
    ) -> Result<BTreeMap<u32, Vec<u8>>, Halt> {
        let lost = self.ask_ahead(uids, &Self::start_items())?;
        let starts = self.came.starts_of(uids);
        for (uids, why) in lost {
            let why = format!("{NO_TEXT}: {why}");
            for uid in uids.iter() {
                window.lacks(uid, why.clone());
            }
        }
        Ok(starts)
    }

    /// One piece of one message; `None` where it does not come.
    fn piece(
        &mut self,
        uid: u32,
        items: &str,
        take: &dyn Fn(&Told<'_>) -> Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, Halt> {
        let mut piece = None;
        let lost = self.ask(Uids::list(vec![uid]), items, &mut |answer| {
            piece = answer.of(uid, take);
        })?;
        Ok(piece.filter(|_| lost.is_empty()))
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
        let mut later = None;
        let lost = self.ask(Uids::list(vec![uid]), &parts::items(), &mut |answer| {
            later = None;
            answer.each_of(uid, |told| {
                later
                    .get_or_insert_with(Vec::new)
                    .extend(parts::heads(told));
            });
        })?;
        let simple = |later: &Vec<Vec<u8>>| parts::are_simple(&start, &boundary, later);
        let Some(later) = later.filter(|later| lost.is_empty() && simple(later)) else {
            return self.whole(uid, start, window);
        };
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
            let from = bytes.len() as u64;
            let most = (end - from).min(LONGEST_PIECE);
            let items = format!("(UID BODY.PEEK[]<{from}.{most}>)");
            let Some(piece) = self.piece(uid, &items, &|told| told.body(from, most))? else {
                let why = "the end of its text could not be read, and it was judged without";
                window.lacks(uid, why.to_owned());
                return Ok(false);
            };
            bytes.extend_from_slice(&piece);
            if (piece.len() as u64) < most {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
