//! Options that say how to get into IMAP accounts, and where their secrets come from. Shared by the commands that read
//! accounts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;

use crate::source::imap::{Compress, How};
use crate::terminal;

/// Options for IMAP accounts.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "IMAP accounts")]
#[group(id = "access")]
pub struct Options {
    /// Trust the certificate authorities in this file too
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,
    /// Show the server this certificate
    #[arg(long, value_name = "PEM", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// Key of that certificate
    #[arg(long, value_name = "PEM", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// Log in as this master user or delegate, and open the mailbox of the URL's user
    #[arg(long, value_name = "USER")]
    login: Option<String>,
    /// Take the password from the first line that this command prints
    #[arg(long, value_name = "CMD")]
    password_command: Option<String>,
    /// Take an OAuth access token from the first line that this command prints
    #[arg(long, value_name = "CMD")]
    token_command: Option<String>,
    /// Allow a connection without encryption, to this computer only
    #[arg(long)]
    insecure_plaintext: bool,
    /// Longest time for one answer of a server
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u32).range(1..=3600))]
    timeout: u32,
    /// Compress what a server sends
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    compress: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    /// Where the line is slow.
    Auto,
    /// Where the server can.
    Always,
    /// Never.
    Never,
}

impl Options {
    /// What is wished for, without anything that says which folders. With `traced` what is said on a connection is shown.
    pub(super) fn how(&self, traced: bool) -> How {
        How {
            ca_file: self.ca_file.clone(),
            client: self.client_cert.clone().zip(self.client_key.clone()),
            login: self.login.clone(),
            password_command: self.password_command.clone(),
            token_command: self.token_command.clone(),
            plain: self.insecure_plaintext,
            timeout: Duration::from_secs(self.timeout.into()),
            compress: match self.compress {
                When::Auto => Compress::Auto,
                When::Always => Compress::Always,
                When::Never => Compress::Never,
            },
            sent_only: false,
            stamps: false,
            named: None,
            show: traced.then(|| Arc::new(terminal::detail) as _),
            variable: Box::new(|name| std::env::var(name).ok()),
            ask: Box::new(ask),
        }
    }
}

/// Asks for a secret, without showing it.
fn ask(what: &str) -> anyhow::Result<String> {
    match terminal::secret(what) {
        Some(secret) if !secret.is_empty() => Ok(secret),
        _ => bail!(
            "there is no password\n  try: put it into the environment variable CCSPILL_PASSWORD, or name a command that prints it with --password-command"
        ),
    }
}
