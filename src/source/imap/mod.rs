//! IMAP accounts as sources: live sent folders, read without a trace.
//!
//! `url` names an account, `access` says how to get in, `socket` connects, `guard` stands between the network and the
//! `imap` crate, `login` proves who we are, `session` has the few commands that reading needs, `line` holds the
//! connection through failure, `folders` decides what is read, `reader` reads it (`heads`, `texts`, `missing`, `ask`), along
//! a `course`. What is judged is no matter here.

mod access;
mod answer;
mod ask;
mod command;
mod course;
mod deflate;
mod folders;
mod guard;
mod heads;
mod line;
mod lines;
mod login;
mod missing;
mod pace;
mod parts;
mod queue;
mod reader;
mod secret;
mod session;
mod set;
mod socket;
mod texts;
mod token;
mod trace;
mod trouble;
mod url;
mod window;

use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use access::{Ask, Compress, How, Named, Variable};
pub use trace::Show;
pub use url::is_url;

use self::access::Access;
use self::course::Covered;
use self::folders::{Asked, Chosen};
use self::line::Line;
use self::reader::FolderReader;
use self::session::Counts;
use self::trouble::Trouble;
use self::url::Url;
use super::{Coverage, Digests, Source, Terms, Unit};
use crate::place::{Position, Role};
use crate::signal::thousands;

/// What no IMAP server shows.
const NEVER_SHOWN: &str = "IMAP shows the folders of this account as they are now: an online archive, mail that was removed, and mail kept elsewhere are not in it.";

/// An account that was logged in to, and its folders.
pub struct Account {
    name: String,
    url: Url,
    access: Access,
    folders: Vec<Chosen>,
    /// What the server counted in each folder, where it tells that of all at once.
    counts: Option<Counts>,
    line: Mutex<Line>,
    /// Received fields are asked for.
    stamps: bool,
}

/// A folder as `ccspill folders` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderLine {
    /// Its name.
    pub name: String,
    /// How many messages it holds, if the server tells.
    pub messages: Option<u64>,
    /// What it is taken for.
    pub role: Role,
    /// Whether a scan reads it.
    pub read: bool,
    /// Why.
    pub why: &'static str,
}

/// Logs in to the account that a URL names, and looks at its folders.
///
/// # Errors
/// What is no such URL, a server that cannot be reached, a login that is refused, a folder that is not there.
pub fn open(name: &str, how: &How) -> anyhow::Result<Account> {
    let url = Url::read(name, how.plain)?;
    let access = Access::new(how, &url)?;
    let host = url.server.host.clone();
    let opened = (|| {
        prove_delegation(&access, &url)?;
        let mut line = Line::new(&access, &url)?;
        let (listed, counts, gmail) = line.through(&access, &url, |session| {
            let (listed, counts) = folders::list(session)?;
            Ok((listed, counts, session.can("X-GM-EXT-1")))
        })?;
        line.be_patient();
        Ok((line, listed, gmail, counts))
    })();
    let (line, listed, gmail, counts) =
        opened.map_err(|trouble: Trouble| trouble.into_error(&host))?;
    let named = how.named.as_deref();
    let chosen = folders::choose(
        listed,
        Asked {
            only: url.folder.as_deref(),
            named: named.unwrap_or(&|_| true),
            any_named: named.is_some(),
            sent_only: how.sent_only,
        },
        gmail,
    );
    let account = Account {
        name: name.to_owned(),
        counts,
        folders: chosen,
        access,
        line: Mutex::new(line),
        stamps: how.stamps,
        url,
    };
    account.check()?;
    Ok(account)
}

/// Proves that the server heeds whose mailbox is asked for: some open the mailbox of whoever logs in, and say nothing
/// (Courier does).
fn prove_delegation(access: &Access, url: &Url) -> Result<(), Trouble> {
    let Some(by) = &access.login else {
        return Ok(());
    };
    let nobody = format!("ccspill-nobody-{:08x}", std::process::id());
    match line::log_in(access, url, &nobody) {
        Ok(session) => {
            session.leave();
            Err(Trouble::refused(
                format!(
                    "'{}' does not heed whose mailbox is asked for: it let '{by}' in as somebody who does not exist",
                    url.server.host
                ),
                format!(
                    "log in as '{}' itself, or let IT give access in another way",
                    url.user
                ),
            ))
        }
        // Whatever else it was, the real login will show.
        Err(_) => Ok(()),
    }
}

impl Account {
    /// That there is something to read.
    fn check(&self) -> anyhow::Result<()> {
        if self.folders.iter().any(|one| one.read) {
            return Ok(());
        }
        let all: Vec<String> = self
            .folders
            .iter()
            .map(|one| one.listed.name.clone())
            .collect();
        let all = crate::signal::listed(&all, 12);
        match &self.url.folder {
            Some(folder) => anyhow::bail!(
                "there is no folder '{}' in this account; it has {all}\n  try: ccspill folders {}",
                crate::message::text::clean(folder),
                self.bare()
            ),
            None => anyhow::bail!(
                "no folder of this account is known to hold sent mail; it has {all}\n  try: name one with --folder, or leave --sent-only out"
            ),
        }
    }

    /// The account's URL without a folder.
    fn bare(&self) -> String {
        match &self.url.folder {
            Some(_) => {
                let from = self.name.find("://").map_or(0, |at| at + 3);
                let end = self.name[from..]
                    .find('/')
                    .map_or(self.name.len(), |at| from + at);
                self.name[..end].to_owned()
            }
            None => self.name.clone(),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its folders with what a scan would do with each. Each is asked for the number of its messages.
    ///
    /// # Errors
    /// A connection that breaks.
    pub fn folder_lines(&self) -> anyhow::Result<Vec<FolderLine>> {
        let mut line = self.line();
        let count = |raw: &str, line: &mut Line| -> Result<Option<u64>, Trouble> {
            match line.through(&self.access, &self.url, |session| session.status(raw)) {
                Ok(status) => Ok(Some(u64::from(status.exists))),
                Err(Trouble::Denied(_)) => Ok(None),
                Err(trouble) => Err(trouble),
            }
        };
        let mut out = Vec::new();
        for one in &self.folders {
            let told = self
                .counts
                .as_ref()
                .and_then(|all| all.get(&one.listed.raw));
            let told = told.and_then(|count| count.messages).map(u64::from);
            let messages = if told.is_some() {
                told
            } else if one.listed.can_be_opened() {
                let counted = count(&one.listed.raw, &mut line);
                counted.map_err(|trouble| trouble.into_error(&self.url.server.host))?
            } else {
                None
            };
            out.push(FolderLine {
                name: one.listed.name.clone(),
                messages,
                role: one.role,
                read: one.read && one.listed.named,
                why: one.why,
            });
        }
        line.leave();
        Ok(out)
    }

    fn reader<'a>(&'a self, line: &'a mut Line, stop: &'a dyn Fn() -> bool) -> FolderReader<'a> {
        FolderReader::new(&self.access, &self.url, line, stop, self.stamps)
    }
}

impl Source for Account {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "IMAP account"
    }

    fn bytes(&self) -> Option<u64> {
        None
    }

    fn messages(&self) -> Option<u64> {
        let counts = self.counts.as_ref()?;
        let read = self.folders.iter().filter(|one| one.read);
        let counts = read.filter_map(|one| counts.get(&one.listed.raw)?.messages);
        Some(counts.map(u64::from).sum())
    }

    fn grows(&self) -> bool {
        true
    }

    fn units(
        &self,
        terms: &mut Terms<'_>,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> anyhow::Result<Coverage> {
        let mut line = self.line();
        let mut reader = self.reader(&mut line, terms.stop);
        let (mut covered, mut ended) = (Vec::new(), None);
        for chosen in self.folders.iter().filter(|one| one.read) {
            let count = self
                .counts
                .as_ref()
                .and_then(|all| all.get(&chosen.listed.raw));
            match reader.folder(chosen, count, terms, each) {
                Some(one) => covered.push((chosen, one)),
                None => return Ok(Coverage::default()),
            }
            // That of one folder says nothing of the next.
            let trouble = reader.ended.take();
            ended = trouble
                .filter(|trouble| !matches!(trouble, Trouble::Denied(_)))
                .or(ended);
        }
        if let (Some(trouble), false) = (ended, reader.got_any) {
            return Err(trouble.into_error(&self.url.server.host));
        }
        Ok(Coverage {
            not_mail: 0,
            limits: self.limits(&covered),
        })
    }

    fn digests(
        &self,
        places: &[(String, Position)],
        stop: &dyn Fn() -> bool,
        each: &mut Digests<'_>,
    ) -> anyhow::Result<()> {
        let mut line = self.line();
        let mut reader = self.reader(&mut line, stop);
        reader.digests(&self.folders, places, each);
        line.leave();
        Ok(())
    }

    fn stamp(&self) -> Option<String> {
        // What was read of an account stays as it was: only more comes. What does not has its mark.
        Some(self.url.user.clone())
    }

    fn sha256(&self, _: &dyn Fn() -> bool) -> anyhow::Result<Option<String>> {
        Ok(None)
    }
}

impl Account {
    /// What was covered, in sentences.
    fn limits(&self, covered: &[(&Chosen, Covered)]) -> Vec<String> {
        let mut out = Vec::new();
        let name = |one: &Chosen| format!("'{}'", one.listed.name);
        let counted = |one: &Chosen, covered: &Covered| {
            format!(
                "{} ({} messages on the server)",
                name(one),
                thousands(covered.exists)
            )
        };
        let sent: Vec<String> = covered
            .iter()
            .filter(|(one, _)| one.role == Role::Sent)
            .map(|(one, covered)| counted(one, covered))
            .collect();
        out.push(if sent.is_empty() {
            "No folder of this account is known to hold sent mail; name it with --folder."
                .to_owned()
        } else {
            format!("Read as sent mail: {}.", crate::signal::listed(&sent, 8))
        });
        let left: Vec<String> = self
            .folders
            .iter()
            .filter(|one| !one.read && one.listed.can_be_opened())
            .map(name)
            .collect();
        if !left.is_empty() {
            let of = if left.len() == 1 { "folder" } else { "folders" };
            out.push(format!(
                "{} {of} of this account were not read ({}).",
                left.len(),
                crate::signal::listed(&left, 6)
            ));
        }
        for (one, covered) in covered {
            let had = covered.got + covered.unread;
            if !covered.before && covered.closed.is_none() && had < covered.exists {
                out.push(format!(
                    "In {} the server counted {} messages; {} went before they could be read, or could not be had.",
                    name(one),
                    thousands(covered.exists),
                    thousands(covered.exists - had)
                ));
            }
        }
        out.push(NEVER_SHOWN.to_owned());
        out
    }
}
