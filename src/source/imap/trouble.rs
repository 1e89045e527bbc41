//! What can go wrong with a server, told apart by what is to be done: give up, wait, connect anew, leave one thing out.

use std::time::Duration;

/// Longest time that a server's wish to be left alone is granted.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What helps where Exchange says "User is authenticated but not connected".
const NOT_CONNECTED: &str = "give the app full access to this mailbox (Add-MailboxPermission), and look at the object id of its service principal; if that is right the server is throttling: wait some minutes";
/// What helps where a server has enough of us.
pub(super) const TOO_MANY: &str =
    "close other mail programs that are connected to this account, or wait some minutes";
/// What helps where a server does not work just now.
pub(super) const LATER: &str = "try again in some minutes";
/// What helps where nobody answers.
pub(super) const LOOK: &str = "look at host and port, and whether this computer is on the network";

/// Why something did not work. Texts are plain English, lower case, no full stop; the server's own words are in them,
/// cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It will not work however often it is tried: what, and the mend.
    Refused(String, String),
    /// The server cannot be reached, or does not let anybody in just now: what, and the mend.
    Unreachable(String, &'static str),
    /// The connection is of no more use.
    Lost(String),
    /// What came cannot be understood, and the connection is of no more use: it was not the network.
    Garbled(String),
    /// The server did not do what was asked. The connection goes on.
    Denied(String),
    /// The server wants to be left alone for a time.
    Wait(Duration, String),
    /// The access token has expired.
    Expired(String),
}

impl Trouble {
    pub(super) fn refused(what: String, mend: String) -> Self {
        Trouble::Refused(what, mend)
    }

    /// What a `NO`, `BAD` or `BYE` means. `said` is the server's text, cleaned, its code in front.
    pub(super) fn said(said: &str) -> Self {
        let lower = said.to_lowercase();
        if let Some(time) = backoff(&lower) {
            return Trouble::Wait(time, said.to_owned());
        }
        if lower.contains("accesstokenexpired") || lower.contains("access token expired") {
            return Trouble::Expired(said.to_owned());
        }
        if lower.contains("authenticated but not connected") {
            return Trouble::Unreachable(said.to_owned(), NOT_CONNECTED);
        }
        Trouble::Denied(said.to_owned())
    }

    /// What, without a mend.
    pub(super) fn what(&self) -> &str {
        match self {
            Trouble::Refused(what, _)
            | Trouble::Unreachable(what, _)
            | Trouble::Lost(what)
            | Trouble::Garbled(what)
            | Trouble::Denied(what)
            | Trouble::Wait(_, what)
            | Trouble::Expired(what) => what,
        }
    }

    /// As a command that cannot run says it.
    pub(super) fn into_error(self, host: &str) -> anyhow::Error {
        let what = self.what();
        let mend = match &self {
            Trouble::Refused(what, mend) => return anyhow::anyhow!("{what}\n  try: {mend}"),
            Trouble::Unreachable(_, mend) if *mend == NOT_CONNECTED => {
                return anyhow::anyhow!(
                    "'{host}' accepted the login, but does not open the mailbox (it said: {what})\n  try: {mend}"
                );
            }
            Trouble::Unreachable(_, mend) => mend,
            Trouble::Lost(_) => {
                "try again; a slow line may need more time: --timeout 300; see what was said with -vv"
            }
            Trouble::Denied(_) | Trouble::Garbled(_) => {
                "see what was said with -vv, and ask who runs the server"
            }
            Trouble::Wait(time, _) => {
                return anyhow::anyhow!(
                    "'{host}' wants to be left alone for {} s: {what}\n  try: wait so long, then scan again",
                    time.as_secs()
                );
            }
            Trouble::Expired(_) => "get a new token; see --token-command",
        };
        anyhow::anyhow!("'{host}': {what}\n  try: {mend}")
    }
}

/// The time that Exchange asks for: `Suggested Backoff Time: 300000 milliseconds`.
fn backoff(lower: &str) -> Option<Duration> {
    let (_, rest) = lower.split_once("backoff time:")?;
    let digits: String = rest
        .trim_start()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let wait = Duration::from_millis(digits.parse().ok()?);
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::Trouble;
    use std::time::Duration;

    #[test]
    fn words_of_servers_are_understood() {
        let said = "Request is throttled. Suggested Backoff Time: 299974 milliseconds";
        assert_eq!(
            Trouble::said(said),
            Trouble::Wait(Duration::from_millis(299_974), said.to_owned())
        );
        assert!(matches!(
            Trouble::said("Suggested Backoff Time: 99999999999 milliseconds"),
            Trouble::Wait(time, _) if time == Duration::from_secs(3600)
        ));
        assert!(matches!(
            Trouble::said("Session invalidated - AccessTokenExpired"),
            Trouble::Expired(_)
        ));
        assert!(matches!(
            Trouble::said("User is authenticated but not connected."),
            Trouble::Unreachable(..)
        ));
        assert!(matches!(
            Trouble::said("[NONEXISTENT] no such mailbox"),
            Trouble::Denied(_)
        ));
    }
}
