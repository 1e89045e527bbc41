//! How to get into an account: encryption, secrets, patience. Secrets come from the environment, a command or a prompt,
//! never from a command line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use native_tls::TlsConnector;

use super::command;
use super::secret::Secret;
use super::socket;
use super::token::{self, Tokens};
use super::trace::{Show, Trace};
use super::trouble::{LATER, Trouble};
use super::url::Url;

/// Where the password may stand in the environment.
const PASSWORD: &str = "CCSPILL_PASSWORD";

/// Whether a folder is one that a person named.
pub type Named = Box<dyn Fn(&str) -> bool + Send + Sync>;
/// Gives a variable of the environment.
pub type Variable = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;
/// Asks a person for a secret.
pub type Ask = Box<dyn Fn(&str) -> anyhow::Result<String> + Send + Sync>;

/// What a person wishes for accounts, and where secrets can be had.
pub struct How {
    /// Certificates of further authorities, a PEM file.
    pub ca_file: Option<PathBuf>,
    /// A certificate of our own and its key, PEM files.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Who logs in, where that is not the user of the URL.
    pub login: Option<String>,
    /// A command that prints the password.
    pub password_command: Option<String>,
    /// A command that prints an access token.
    pub token_command: Option<String>,
    /// Whether a connection to this computer may be without encryption.
    pub plain: bool,
    /// Longest time for one command.
    pub timeout: Duration,
    /// Whether answers are compressed.
    pub compress: Compress,
    /// Only what is known as sent mail is read.
    pub sent_only: bool,
    /// Whether Received fields are asked for: they tell who sent mail where nobody knows the organisation.
    pub stamps: bool,
    /// Whether a folder is one that a person named; `None` where nobody named any.
    pub named: Option<Named>,
    /// Takes what is said on the connection.
    pub show: Option<Show>,
    /// Gives a variable of the environment.
    pub variable: Variable,
    /// Asks a person for a secret.
    pub ask: Ask,
}

/// Whether answers are compressed (RFC 4978).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compress {
    /// Where the line is slow.
    Auto,
    /// Where the server can.
    Always,
    /// Not.
    Never,
}

impl fmt::Debug for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("How")
    }
}

/// What one account is opened with.
pub(super) struct Access {
    pub(super) tls: TlsConnector,
    pub(super) secret: Secrets,
    pub(super) login: Option<String>,
    /// Whether a certificate of our own is shown.
    pub(super) certified: bool,
    pub(super) timeout: Duration,
    pub(super) compress: Compress,
    pub(super) trace: Trace,
}

/// What proves who we are.
pub(super) enum Secrets {
    Password(Secret),
    Tokens(Box<Tokens>),
}

impl Access {
    /// Makes ready what an account is opened with.
    ///
    /// # Errors
    /// Files, commands and variables that cannot be used; a person who gives no password.
    pub(super) fn new(how: &How, url: &Url) -> anyhow::Result<Self> {
        let authorities = how.ca_file.as_deref().map(|path| file(path, "--ca-file"));
        let authorities = authorities.transpose()?;
        let own = match &how.client {
            Some((certificate, key)) => Some((
                file(certificate, "--client-cert")?,
                file(key, "--client-key")?,
            )),
            None => None,
        };
        let own = own
            .as_ref()
            .map(|(cert, key)| (cert.as_slice(), key.as_slice()));
        let tls = socket::connector(authorities.as_deref(), own).with_context(|| {
            let files = how.ca_file.iter().chain(how.client.iter().map(|(cert, _)| cert));
            let names: Vec<String> = files.map(|file| format!("'{}'", file.display())).collect();
            format!(
                "the certificates of {} cannot be used\n  try: PEM files, as they begin with -----BEGIN",
                crate::signal::listed(&names, 3)
            )
        })?;
        Ok(Access {
            tls,
            secret: secret(how, url)?,
            login: how.login.clone().filter(|login| *login != url.user),
            certified: own.is_some(),
            timeout: how.timeout,
            compress: how.compress,
            trace: Trace::new(how.show.clone()),
        })
    }
}

fn file(path: &Path, option: &str) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| {
        format!(
            "cannot read '{}' of {option}\n  try: name a PEM file",
            path.display()
        )
    })
}

/// The way that was named on the command line; else what the environment holds; else what a person answers.
fn secret(how: &How, url: &Url) -> anyhow::Result<Secrets> {
    if how.token_command.is_some() && how.password_command.is_some() {
        bail!("--token-command and --password-command do not go together\n  try: one of them");
    }
    if let Some(command) = &how.token_command {
        return Ok(Secrets::Tokens(Box::new(Tokens::command(command))));
    }
    if let Some(command) = &how.password_command {
        let command = Secret::new(command.clone());
        return Ok(Secrets::Password(command::first_line(
            "password command",
            &command,
            &url.user,
            command::TIME,
        )?));
    }
    let tokens = Tokens::from_environment(&how.variable)?;
    let password = (how.variable)(PASSWORD).filter(|password| !password.is_empty());
    match (tokens, password) {
        (Some(_), Some(_)) => bail!(
            "the environment holds both {PASSWORD} and what fetches a token\n  try: unset one of them"
        ),
        (Some(tokens), None) => Ok(Secrets::Tokens(Box::new(tokens))),
        (None, Some(password)) => Ok(Secrets::Password(Secret::new(password))),
        (None, None) => {
            let who = how.login.as_deref().unwrap_or(&url.user);
            let asked = (how.ask)(&format!("Password of {who} at {}", url.server.host))?;
            Ok(Secrets::Password(Secret::new(asked)))
        }
    }
}

impl Secrets {
    pub(super) fn is_token(&self) -> bool {
        matches!(self, Secrets::Tokens(_))
    }

    /// The password, or a token that is good for a while.
    pub(super) fn get(&self, user: &str) -> Result<Secret, Trouble> {
        match self {
            Secrets::Password(password) => Ok(Secret::new(password.reveal().to_owned())),
            Secrets::Tokens(tokens) => {
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                let now = now.map_or(0, |now| now.as_secs() as i64);
                tokens.token(user, now).map_err(|error| {
                    if token::is_passing(&error) {
                        return Trouble::Unreachable(format!("{error:#}"), LATER);
                    }
                    let text = format!("{error:#}");
                    let (what, mend) = text.split_once("\n  try: ").unwrap_or((&text, "-vv"));
                    Trouble::refused(what.to_owned(), mend.to_owned())
                })
            }
        }
    }

    /// The server says that a token has expired.
    pub(super) fn forget(&self, user: &str) {
        if let Secrets::Tokens(tokens) = self {
            tokens.forget(user);
        }
    }
}
