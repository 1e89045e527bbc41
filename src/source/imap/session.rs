//! One connection to a server after login: the few commands that reading needs, each with its troubles told apart.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use imap::Error;
use imap::types::{Fetches, Mailbox};
use imap_proto::{MailboxDatum, Response, StatusAttribute};

use super::guard::{Guard, Seen};
use super::trouble::Trouble;
use crate::message::text::clean;

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
        session.capabilities = session.run(|client| {
            let all = client.capabilities()?;
            Ok(all.iter().map(word).collect())
        })?;
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

    /// The answers to `LIST` with these arguments, as the server wrote them, with their literals.
    pub(super) fn list(&mut self, arguments: &str) -> Result<Vec<Vec<u8>>, Trouble> {
        let _ = self.guard.listed();
        self.run(|client| client.run_command_and_check_ok(format!("LIST {arguments}")))?;
        Ok(self.guard.listed())
    }

    /// `STATUS` of a folder: how many messages it has, its UIDNEXT and its UIDVALIDITY, as far as the server tells.
    pub(super) fn status(&mut self, folder: &str) -> Result<Mailbox, Trouble> {
        self.run(|client| client.status(folder, "(MESSAGES UIDNEXT UIDVALIDITY)"))
    }

    /// How many messages each folder holds (RFC 5819), by its name as it must be asked for.
    pub(super) fn counts(&mut self) -> Result<BTreeMap<String, u64>, Trouble> {
        let _ = self.guard.listed();
        let answer = self.run(|client| {
            client.run_command_and_read_response("LIST \"\" \"*\" RETURN (STATUS (MESSAGES))")
        })?;
        let (mut rest, mut counts) = (answer.as_slice(), BTreeMap::new());
        while let Ok((more, response)) = imap_proto::parser::parse_response(rest) {
            rest = more;
            if let Response::MailboxData(MailboxDatum::Status { mailbox, status }) = response {
                let messages = status.iter().find_map(|item| match item {
                    StatusAttribute::Messages(count) => Some(u64::from(*count)),
                    _ => None,
                });
                counts.extend(messages.map(|count| (mailbox.into_owned(), count)));
            }
        }
        Ok(counts)
    }

    /// `EXAMINE`: opens a folder for reading only.
    pub(super) fn examine(&mut self, folder: &str) -> Result<Mailbox, Trouble> {
        self.run(|client| client.examine(folder))
    }

    /// `UID FETCH`.
    pub(super) fn fetch(&mut self, set: &str, items: &str) -> Result<Fetches, Trouble> {
        self.run(|client| client.uid_fetch(set, items))
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

    /// Says goodbye; nobody minds if that fails.
    pub(super) fn leave(mut self) {
        let _ = self.run(imap::Session::logout);
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

fn word(capability: &imap_proto::Capability<'_>) -> String {
    match capability {
        imap_proto::Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        imap_proto::Capability::Auth(mechanism) => {
            format!("AUTH={}", mechanism.to_ascii_uppercase())
        }
        imap_proto::Capability::Atom(word) => word.to_ascii_uppercase(),
    }
}

/// What a server can do before anybody is logged in.
pub(super) fn offered(
    client: &mut imap::Client<Guard>,
    guard: &Guard,
) -> Result<BTreeSet<String>, Trouble> {
    let read = catch_unwind(AssertUnwindSafe(|| {
        client
            .capabilities()
            .map(|all| all.iter().map(word).collect())
    }));
    read.unwrap_or(Err(Error::Append))
        .map_err(|error| trouble(&error, guard))
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
