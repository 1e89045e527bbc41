//! One connection to a server after login: the few commands that reading needs, each with its troubles told apart.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use imap::Error;
use imap::types::Mailbox;
use imap_proto::{MailboxDatum, Response, StatusAttribute};

use super::answer::Answer;
use super::guard::{Guard, Seen};
use super::set::Uids;
use super::trouble::Trouble;
use crate::message::text::clean;

/// What a server counts in a folder, without opening it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) messages: Option<u32>,
    pub(super) next: Option<u32>,
    pub(super) validity: Option<u32>,
}

/// Counts by the folder's name as it must be asked for.
pub(super) type Counts = BTreeMap<String, Count>;

impl Count {
    fn of(status: &[StatusAttribute]) -> Self {
        let mut count = Count::default();
        for item in status {
            match item {
                StatusAttribute::Messages(number) => count.messages = Some(*number),
                StatusAttribute::UidNext(number) => count.next = Some(*number),
                StatusAttribute::UidValidity(number) => count.validity = Some(*number),
                _ => {}
            }
        }
        count
    }
}

/// A connection that is logged in.
pub(super) struct Session {
    client: imap::Session<Guard>,
    guard: Guard,
    /// What the server can do, in capitals.
    pub(super) capabilities: BTreeSet<String>,
    /// Whether both sides deflate.
    pub(super) compressed: bool,
}

impl Session {
    /// Takes over a connection that was just logged in, and learns what the server can do.
    pub(super) fn new(client: imap::Session<Guard>, guard: Guard) -> Result<Self, Trouble> {
        let mut session = Session {
            client,
            guard,
            capabilities: BTreeSet::new(),
            compressed: false,
        };
        if session.guard.capabilities().is_none() {
            session.run(|client| client.capabilities().map(drop))?;
        }
        session.capabilities = session.guard.capabilities().unwrap_or_default();
        Ok(session)
    }

    /// Whether the server has said that it can do something.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// What the last reply was like.
    pub(super) fn seen(&self) -> Seen {
        self.guard.seen()
    }

    /// The answers to `LIST` with these arguments, as the server wrote them, with their literals; and what it counts in
    /// each folder, where that was asked for (RFC 5819).
    pub(super) fn list(&mut self, arguments: &str) -> Result<(Vec<Vec<u8>>, Counts), Trouble> {
        let _ = self.guard.listed();
        let answer =
            self.run(|client| client.run_command_and_read_response(format!("LIST {arguments}")))?;
        let (mut rest, mut counts) = (answer.as_slice(), Counts::new());
        while let Ok((more, response)) = imap_proto::parser::parse_response(rest) {
            rest = more;
            if let Response::MailboxData(MailboxDatum::Status { mailbox, status }) = response {
                counts.insert(mailbox.into_owned(), Count::of(&status));
            }
        }
        Ok((self.guard.listed(), counts))
    }

    /// `STATUS` of a folder: how many messages it has, its UIDNEXT and its UIDVALIDITY, as far as the server tells.
    pub(super) fn status(&mut self, folder: &str) -> Result<Mailbox, Trouble> {
        self.run(|client| client.status(folder, "(MESSAGES UIDNEXT UIDVALIDITY)"))
    }

    /// `EXAMINE`: opens a folder for reading only.
    pub(super) fn examine(&mut self, folder: &str) -> Result<Mailbox, Trouble> {
        self.run(|client| client.examine(folder))
    }

    /// `UID FETCH`.
    pub(super) fn fetch(&mut self, uids: &Uids, items: &str) -> Result<Answer, Trouble> {
        let command = format!("UID FETCH {uids} {items}");
        self.run(|client| client.run_command_and_read_response(command))
            .map(Answer::new)
    }

    /// Sends this `UID FETCH` behind the next command, though its answer is not waited for yet.
    pub(super) fn plan(&mut self, uids: &Uids, items: &str) {
        self.guard.plan(format!("UID FETCH {uids} {items}"));
    }

    /// How many commands are under way, or will be, whose answers are not waited for yet.
    pub(super) fn ahead(&self) -> usize {
        self.guard.ahead()
    }

    /// `COMPRESS DEFLATE` (RFC 4978), where the server can. A server that will not is left as it is.
    pub(super) fn compress(&mut self) -> Result<(), Trouble> {
        if self.compressed || !self.can("COMPRESS=DEFLATE") {
            return Ok(());
        }
        match self.run(|client| client.run_command_and_check_ok("COMPRESS DEFLATE")) {
            Ok(()) => {
                self.compressed = true;
                let began = self.guard.deflate();
                began.map_err(|error| Trouble::Lost(error.to_string()))
            }
            Err(Trouble::Denied(_)) => {
                self.capabilities.remove("COMPRESS=DEFLATE");
                Ok(())
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Says goodbye, and does not wait for the answer; nobody minds if that fails.
    pub(super) fn leave(mut self) {
        let _ = self.run(|client| client.run_command("LOGOUT"));
    }

    fn run<T>(
        &mut self,
        command: impl FnOnce(&mut imap::Session<Guard>) -> imap::Result<T>,
    ) -> Result<T, Trouble> {
        let _ = self.guard.remarks();
        let client = &mut self.client;
        // The crate has panicked on some answers of real servers.
        let done = catch_unwind(AssertUnwindSafe(|| command(client)));
        done.unwrap_or(Err(Error::Append))
            .map_err(|error| trouble(&error, &self.guard))
    }
}

/// What a server can do before anybody is logged in.
///
/// # Errors
/// A server that speaks no IMAP4.
pub(super) fn offered(
    client: &mut imap::Client<Guard>,
    guard: &Guard,
) -> Result<BTreeSet<String>, Trouble> {
    if guard.capabilities().is_none() {
        let asked = catch_unwind(AssertUnwindSafe(|| client.capabilities().map(drop)));
        asked
            .unwrap_or(Err(Error::Append))
            .map_err(|error| trouble(&error, guard))?;
    }
    let offered = guard.capabilities().unwrap_or_default();
    if offered.contains("IMAP4REV1") || offered.contains("IMAP4REV2") {
        return Ok(offered);
    }
    Err(Trouble::Garbled(
        "the server speaks neither IMAP4rev1 nor IMAP4rev2".to_owned(),
    ))
}

/// What an error of the client means.
pub(super) fn trouble(error: &Error, guard: &Guard) -> Trouble {
    let remarks = guard.remarks();
    match error {
        Error::No(no) => return Trouble::said(&guard.struck(&clean(&no.information))),
        Error::Bad(bad) => return Trouble::said(&guard.struck(&clean(&bad.information))),
        Error::Validate(_) => {
            return Trouble::Denied("its name holds what no command can say".to_owned());
        }
        _ => {}
    }
    // What a server says before it hangs up tells more than that it did.
    for remark in &remarks {
        match Trouble::said(remark) {
            Trouble::Denied(_) => {}
            known => return known,
        }
    }
    let said = remarks
        .last()
        .map_or_else(String::new, |remark| format!(" (it said: {remark})"));
    let what = match (guard.broken(), error) {
        (Some(why), _) => return Trouble::Garbled(why),
        (None, Error::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut => {
            "the server did not answer in time".to_owned()
        }
        (None, Error::Io(error)) => {
            format!("the connection broke: {}", crate::source::plain(error))
        }
        (None, Error::ConnectionLost) => "the server ended the connection".to_owned(),
        (None, _) => {
            return Trouble::Garbled(format!("the server's answer cannot be understood{said}"));
        }
    };
    Trouble::Lost(format!("{what}{said}"))
}
