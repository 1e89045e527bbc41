//! Asking a server, through failure: what breaks is tried anew, in smaller pieces, down to the one message that breaks it.
//! Also what needs no more than that: SHA-256 of whole messages.

use imap::types::Mailbox;
use sha2::{Digest as _, Sha256};

use super::answer::Answer;
use super::folders::Chosen;
use super::guard::LONGEST_LITERAL;
use super::heads::Came;
use super::reader::{FolderReader, Halt};
use super::set::Uids;
use super::trouble::Trouble;
use crate::place::Position;
use crate::source::Digests;

/// How much of a long message is asked for at a time, in bytes.
pub(super) const LONGEST_PIECE: u64 = LONGEST_LITERAL / 4;
/// No message is longer, in bytes: IMAP counts with 32 bits.
const LONGEST_MESSAGE: u64 = 1 << 32;
/// After so many broken connections in a row, while nothing comes, an account is given up; sooner where nothing ever came.
const MOST_STALLED: u32 = 15;
const FEWEST_STALLED: u32 = 4;
/// After so many messages in a row that break the connection a folder is given up.
pub(super) const MOST_BROKEN: u32 = 16;

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
        // It is never 0 (RFC 9051 2.3.1.1): that stands for none.
        let validity = |mailbox: &Mailbox| mailbox.uid_validity.filter(|validity| *validity != 0);
        mailbox.uid_validity = validity(&mailbox);
        if mailbox.uid_next.is_none() || mailbox.uid_validity.is_none() {
            // Courier tells it only so.
            let status = session.status(raw)?;
            mailbox.uid_next = mailbox.uid_next.or(status.uid_next);
            mailbox.uid_validity = mailbox.uid_validity.or(validity(&status));
        }
        if mailbox.uid_validity.is_none() {
            return Err(Trouble::Denied(
                "the server tells no UIDVALIDITY, so that no message in it can be named".to_owned(),
            ));
        }
        Ok(mailbox)
    }

    /// As [`FolderReader::examine`], through failure.
    pub(super) fn enter(&mut self, raw: &str) -> Result<Mailbox, Trouble> {
        loop {
            match self.examine(raw) {
                Ok(mailbox) => {
                    let validity = mailbox.uid_validity.unwrap_or_default();
                    self.open = (raw.to_owned(), validity);
                    self.came = Came::default();
                    self.planned = None;
                    return Ok(mailbox);
                }
                Err(denied @ Trouble::Denied(_)) => return Err(denied),
                Err(trouble) => self
                    .line
                    .failed(trouble, self.access, self.url, self.stop)?,
            }
        }
    }

    /// Asks for messages of a folder, through failure: what breaks the connection is asked for anew, then in halves. Gives
    /// what could not be had, message by message, with the reason. `each` may be given a message twice.
    pub(super) fn ask(
        &mut self,
        uids: Uids,
        items: &str,
        each: &mut dyn FnMut(&Answer),
    ) -> Result<Vec<(Uids, String)>, Halt> {
        let mut lost = Vec::new();
        let mut waiting = vec![(uids, false)];
        while let Some((uids, again)) = waiting.pop() {
            if (self.stop)() {
                return Err(Halt::Stopped);
            }
            let trouble = match self.ask_once(&uids, items, each) {
                Ok(()) => {
                    (self.broken, self.stalled, self.got_any) = (0, 0, true);
                    continue;
                }
                Err(Unanswered::Changed) => return Err(Halt::Changed),
                Err(Unanswered::Trouble(trouble)) => trouble,
            };
            let what = trouble.what().to_owned();
            self.stalled += u32::from(matches!(trouble, Trouble::Lost(_)));
            let most = if self.got_any {
                MOST_STALLED
            } else {
                FEWEST_STALLED
            };
            if self.stalled > most {
                self.ended = Some(trouble);
                return Err(Halt::GaveUp);
            }
            if matches!(trouble, Trouble::Denied(_)) && again {
                self.still_there()?;
            }
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

    /// Opens the folder anew, and sees whether it is the one that it was: where the server does not answer a question about
    /// it, and before it is asked what was left out.
    pub(super) fn still_there(&mut self) -> Result<(), Halt> {
        let (raw, validity) = self.open.clone();
        match self.examine(&raw) {
            Ok(mailbox) if mailbox.uid_validity != Some(validity) => Err(Halt::Changed),
            Err(denied @ Trouble::Denied(_)) => {
                self.ended = Some(denied);
                Err(Halt::GaveUp)
            }
            // Whatever else it is, the next question will show.
            _ => Ok(()),
        }
    }

    fn ask_once(
        &mut self,
        uids: &Uids,
        items: &str,
        each: &mut dyn FnMut(&Answer),
    ) -> Result<(), Unanswered> {
        if !self.line.is_up() {
            let (raw, validity) = self.open.clone();
            if self.examine(&raw)?.uid_validity != Some(validity) {
                return Err(Unanswered::Changed);
            }
        }
        let session = self.line.session(self.access, self.url, self.stop)?;
        let answer = session.fetch(uids, items)?;
        each(&answer);
        self.line.got_on(self.access);
        Ok(())
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
                self.ended
                    .take_if(|trouble| matches!(trouble, Trouble::Denied(_)));
                let raw = folders.iter().find(|one| one.listed.name == *chain);
                let opened = match raw {
                    Some(one) => self.enter(&one.listed.raw).map_err(|trouble| {
                        let what = trouble.what().to_owned();
                        if !matches!(trouble, Trouble::Denied(_)) {
                            self.ended = Some(trouble);
                        }
                        what
                    }),
                    None => Err("its folder is not there any more".to_owned()),
                };
                let opened = opened.map(|mailbox| mailbox.uid_validity.unwrap_or_default());
                entered = Some((chain, opened));
            }
            if let Some(ended) = &self.ended {
                each(at, Err(ended.what().to_owned()));
                continue;
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
            let asked = self.ask(Uids::list(vec![uid]), &items, &mut |answer| {
                piece = answer.of(uid, |told| told.body(length, LONGEST_PIECE));
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
            if length > LONGEST_MESSAGE {
                return Err("it has no end".to_owned());
            }
            if (piece.len() as u64) < LONGEST_PIECE {
                return Ok(hash.finalize().into());
            }
        }
    }
}
