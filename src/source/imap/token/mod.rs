//! Access tokens (OAuth 2.0) for IMAP logins: from a command, from Microsoft 365 or from Google Workspace.
//!
//! Both providers let an organisation name an application that may read its mailboxes without their users. Microsoft's
//! token serves all mailboxes that the application was given (client credentials, RFC 6749 4.4; with a certificate
//! RFC 7523). Google's serves one user, for whom a service account signs (RFC 7523). No token, key or assertion ever
//! reaches an error or a log.

mod endpoint;
mod environment;
mod google;
mod key;
mod microsoft;

use super::command::{TIME, first_line};
use super::secret::Secret;
use anyhow::{Result, bail};
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A token is asked for anew this long before it ends, in seconds: a login may be slow, and clocks differ.
const BEFORE: i64 = 5 * 60;

/// Gives access tokens, and remembers them while they are fresh. Any thread may ask.
pub(crate) struct Tokens {
    giver: Giver,
    held: Mutex<HashMap<String, Place>>,
}

/// Locked while its token is fetched: those who need the same token wait for it, all others do not.
type Place = Arc<Mutex<Option<Held>>>;

/// Where tokens come from.
#[derive(Debug)]
enum Giver {
    Command(Secret),
    Microsoft(microsoft::App),
    Google(google::Account),
}

/// A token as it was given.
#[derive(Debug)]
struct Grant {
    token: Secret,
    /// How long it lives, in seconds.
    life: i64,
}

/// A token that is remembered.
struct Held {
    token: Secret,
    from: i64,
    until: i64,
}

impl Tokens {
    /// From a shell command: the first line that it prints is the token. It finds the mailbox's user in
    /// `CCSPILL_USER`, and is run for each login: it knows how long its tokens live.
    pub(crate) fn command(text: &str) -> Self {
        Self::new(Giver::Command(Secret::new(text.to_owned())))
    }

    /// From what the environment names; `None` where it names nothing.
    ///
    /// # Errors
    /// Variables that contradict or miss one another, and files that cannot be used; with the mend.
    pub(crate) fn from_environment(
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>> {
        Ok(environment::giver(variable, endpoint::TIME)?.map(Self::new))
    }

    fn new(giver: Giver) -> Self {
        Self {
            giver,
            held: Mutex::default(),
        }
    }

    /// A token for a user's mailbox: from memory while it is fresh, else fetched. `now` is in seconds since 1970 UTC.
    ///
    /// # Errors
    /// Why there is none, with the mend: see [`is_passing`].
    pub(crate) fn token(&self, user: &str, now: i64) -> Result<Secret> {
        let place = Arc::clone(locked(&self.held).entry(self.whose(user)).or_default());
        let mut place = locked(&place);
        if let Some(held) = place.as_ref().filter(|h| (h.from..h.until).contains(&now)) {
            return Ok(held.token.clone());
        }
        let grant = match &self.giver {
            Giver::Command(text) => from_command(text, user)?,
            Giver::Microsoft(app) => app.grant(now)?,
            Giver::Google(account) => account.grant(user, now)?,
        };
        // A short life is used by half. So a token is never asked for anew at once, and no longer than it lives.
        let fresh = (grant.life - BEFORE).max(grant.life / 2);
        *place = Some(Held {
            token: grant.token.clone(),
            from: now,
            until: now.saturating_add(fresh),
        });
        Ok(grant.token)
    }

    /// Forgets a user's token, because the server said that it has ended.
    pub(crate) fn forget(&self, user: &str) {
        locked(&self.held).remove(&self.whose(user));
    }

    /// Whom a token serves: the user, or everyone.
    fn whose(&self, user: &str) -> String {
        match self.giver {
            Giver::Microsoft(_) => String::new(),
            Giver::Command(_) | Giver::Google(_) => user.to_owned(),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Tokens").field(&self.giver).finish()
    }
}

fn from_command(text: &Secret, user: &str) -> Result<Grant> {
    let token = first_line("token command", text, user, TIME)?;
    if !is_token(token.reveal()) {
        bail!(
            "the first line of the token command is no access token: it has spaces or other characters that none has\n  try: run it by hand; it must print the token alone"
        );
    }
    Ok(Grant { token, life: 0 })
}

/// RFC 6750 2.1. Anything else could end the token inside a login, and begin something else.
fn is_token(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    !text.is_empty() && text.bytes().all(allowed)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is held is ever half made.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a provider gave no token, with the mend.
#[derive(Debug)]
struct Failure {
    text: String,
    passing: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl Error for Failure {}

/// True for an error of [`Tokens::token`] that may be gone at a second try: no answer, or a server that is too busy.
pub(crate) fn is_passing(why: &anyhow::Error) -> bool {
    why.downcast_ref::<Failure>().is_some_and(|why| why.passing)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
#[path = "token_tests.rs"]
mod tests;
