//! `ccspill folders`: tests a connection to an account, shows its folders, and says which a scan would read as sent mail
//! and why. It reads no mail.

use anyhow::bail;

use super::access;
use crate::cli::ExitStatus;
use crate::place::Role;
use crate::signal::thousands;
use crate::source::imap;
use crate::terminal;

/// Options of `folders`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The password is taken from CCSPILL_PASSWORD, from --password-command, or asked for. README.md says how to give access."
)]
pub struct Options {
    /// The account: imaps://user@host[:port], or imap:// where encryption starts after the greeting
    #[arg(value_name = "IMAP-URL")]
    url: String,
    #[command(flatten)]
    access: access::Options,
    /// Show what is said on the connection (-vv, as in scan)
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// Shows the folders of an account.
///
/// # Errors
/// An account that cannot be opened.
pub fn run(options: &Options) -> anyhow::Result<ExitStatus> {
    if !imap::is_url(&options.url) {
        bail!(
            "'{}' is no URL of a mail account\n  try: ccspill folders imaps://user@mail.example",
            crate::message::text::clean(&options.url)
        );
    }
    let account = imap::open(&options.url, &options.access.how(options.verbose > 1))?;
    let folders = account.folder_lines()?;
    let width = folders.iter().map(|one| one.name.chars().count());
    let width = width.max().unwrap_or(0).clamp(6, 40);
    terminal::say(&format!(
        "{:<width$}  {:>9}  {:<10}  {}",
        "folder", "messages", "read as", "why"
    ));
    let (mut read, mut messages, mut sent) = (0, 0, 0);
    for one in &folders {
        let count = one.messages.map_or_else(|| "-".to_owned(), thousands);
        let taken = match (one.read, one.role) {
            (false, _) => "not read",
            (true, Role::Sent) => "sent mail",
            (true, Role::Drafts) => "drafts",
            (true, Role::Other) => "other mail",
        };
        if one.read {
            read += 1;
            messages += one.messages.unwrap_or(0);
            sent += u64::from(one.role == Role::Sent);
        }
        terminal::say(&format!(
            "{:<width$}  {count:>9}  {taken:<10}  {}",
            one.name, one.why
        ));
    }
    terminal::say(&format!(
        "\nA scan reads {read} of {} folders, {} messages. {}",
        folders.len(),
        thousands(messages),
        match sent {
            0 => "None is known to hold sent mail: name it with --folder.".to_owned(),
            1 => "One is read as sent mail.".to_owned(),
            _ => format!("{sent} are read as sent mail."),
        }
    ));
    Ok(ExitStatus::Done)
}
