//! Logging in: which way the server and the secrets at hand allow, and what a refusal means. Where secrets come from is
//! no matter here.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine as _;
use imap::{Authenticator, Client, Error};

use super::guard::Guard;
use super::session::{self, Session};
use super::trace::Trace;
use super::trouble::{LATER, TOO_MANY, Trouble};
use super::url::{Security, Server};
use crate::message::text::clean;

/// What proves who we are.
pub(super) enum Proof<'a> {
    /// A password.
    Password(&'a str),
    /// An OAuth 2.0 access token.
    Token(&'a str),
}

/// Who logs in to what.
pub(super) struct Login<'a> {
    pub(super) server: &'a Server,
    /// Whose mailbox it is.
    pub(super) user: &'a str,
    /// Who logs in, where that is somebody else: a master user, or a delegate.
    pub(super) by: Option<&'a str>,
    pub(super) proof: Proof<'a>,
}

/// Looks at a server's greeting.
///
/// # Errors
/// One that does not let us log in.
pub(super) fn greeting(line: &str) -> Result<(), Trouble> {
    let upper = line.to_ascii_uppercase();
    if upper.starts_with("* OK") {
        return Ok(());
    }
    let text = clean(line.get(2..).unwrap_or_default());
    if upper.starts_with("* PREAUTH") {
        return Err(Trouble::refused(
            "the server says that somebody is logged in already; ccspill cannot tell whose mailbox that is".to_owned(),
            "use the server's usual port, 993".to_owned(),
        ));
    }
    if upper.starts_with("* BYE") {
        return Err(match Trouble::said(&text) {
            Trouble::Denied(text) => {
                Trouble::Unreachable(format!("the server sent us away: {text}"), TOO_MANY)
            }
            known => known,
        });
    }
    Err(Trouble::refused(
        "what answers there is no IMAP server".to_owned(),
        "look at host and port".to_owned(),
    ))
}

impl Login<'_> {
    /// Logs in on a connection. `greeted` where the greeting was read before.
    ///
    /// # Errors
    /// Why not, in plain words.
    pub(super) fn on(
        &self,
        guard: Guard,
        greeted: bool,
        trace: &Trace,
    ) -> Result<Session, Trouble> {
        let mut client = Client::new(guard.clone());
        if greeted {
            client.greeting_read = true;
        } else {
            let line = client
                .read_greeting()
                .map_err(|error| session::trouble(&error, &guard))?;
            // It may know a secret from an earlier connection.
            greeting(&guard.struck(&clean(&String::from_utf8_lossy(&line))))?;
        }
        let offered = session::offered(&mut client, &guard)?;
        let client = self.prove(client, &offered, &guard, trace)?;
        Session::new(client, guard)
    }

    fn prove(
        &self,
        client: Client<Guard>,
        offered: &BTreeSet<String>,
        guard: &Guard,
        trace: &Trace,
    ) -> Result<imap::Session<Guard>, Trouble> {
        let can = |word: &str| offered.contains(word);
        let _ = guard.remarks();
        match self.proof {
            Proof::Token(token) => {
                let (mechanism, text) = if can("AUTH=OAUTHBEARER") {
                    ("OAUTHBEARER", self.oauthbearer(token))
                } else if can("AUTH=XOAUTH2") {
                    ("XOAUTH2", self.xoauth2(token))
                } else {
                    return Err(self.no_way(
                        "a token (OAUTHBEARER or XOAUTH2)",
                        "a password: CCSPILL_PASSWORD",
                    ));
                };
                trace.hide(token);
                let answers =
                    Answers::new(vec![text], if mechanism == "XOAUTH2" { "" } else { "\x01" });
                self.sasl(client, mechanism, answers, offered, guard, trace)
            }
            Proof::Password(password) => {
                trace.hide(password);
                trace.hide(&password.replace('\\', "\\\\").replace('"', "\\\""));
                if can("AUTH=PLAIN") {
                    let (authorise, by) = match self.by {
                        Some(by) => (self.user, by),
                        None => ("", self.user),
                    };
                    let text = format!("{authorise}\0{by}\0{password}");
                    let answers = Answers::new(vec![text], "");
                    return self.sasl(client, "PLAIN", answers, offered, guard, trace);
                }
                if self.by.is_some() {
                    return Err(self.no_way("somebody else's name (PLAIN)", "without --login"));
                }
                if can("AUTH=LOGIN") && can("LOGINDISABLED") {
                    let answers = vec![self.user.to_owned(), password.to_owned()];
                    let answers = Answers::new(answers, "");
                    return self.sasl(client, "LOGIN", answers, &BTreeSet::new(), guard, trace);
                }
                if can("LOGINDISABLED") {
                    return Err(match self.server.security {
                        Security::Plain => self.no_way("a password without encryption", "imaps://"),
                        _ => self.no_way("a password", "a token: --token-command"),
                    });
                }
                self.login(client, password, guard)
            }
        }
    }

    fn no_way(&self, way: &str, mend: &str) -> Trouble {
        Trouble::refused(
            format!(
                "'{}' does not let anybody log in with {way}",
                self.server.host
            ),
            mend.to_owned(),
        )
    }

    fn xoauth2(&self, token: &str) -> String {
        format!("user={}\x01auth=Bearer {token}\x01\x01", self.user)
    }

    /// RFC 7628 3.1.
    fn oauthbearer(&self, token: &str) -> String {
        let user = self.user.replace('=', "=3D").replace(',', "=2C");
        format!(
            "n,a={user},\x01host={}\x01port={}\x01auth=Bearer {token}\x01\x01",
            self.server.host, self.server.port
        )
    }

    /// `LOGIN`, with quoted strings: for servers that know nothing better.
    fn login(
        &self,
        client: Client<Guard>,
        password: &str,
        guard: &Guard,
    ) -> Result<imap::Session<Guard>, Trouble> {
        if !password.is_ascii() || !self.user.is_ascii() {
            return Err(self.no_way(
                "a name or password that has letters beyond ASCII",
                "a password of plain letters, digits and signs",
            ));
        }
        let done = catch_unwind(AssertUnwindSafe(|| {
            client
                .login(self.user, password)
                .map_err(|(error, _)| error)
        }));
        match done {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(Error::Validate(_))) => Err(self.no_way(
                "a name or password that holds a line end",
                "look at what --password-command prints",
            )),
            Ok(Err(error)) => Err(self.refusal(&error, guard, "")),
            Err(_) => Err(Trouble::Lost(
                "the server's answer cannot be understood".to_owned(),
            )),
        }
    }

    fn sasl(
        &self,
        client: Client<Guard>,
        mechanism: &'static str,
        answers: Answers,
        offered: &BTreeSet<String>,
        guard: &Guard,
        trace: &Trace,
    ) -> Result<imap::Session<Guard>, Trouble> {
        // The first answer may go with the question (RFC 4959): a round trip less.
        // A server may repeat what it was told: in its words no form of a secret is shown.
        for answer in &answers.answers {
            trace.hide(&base64::engine::general_purpose::STANDARD.encode(answer));
        }
        let command = if offered.contains("SASL-IR") {
            let first = base64::engine::general_purpose::STANDARD.encode(answers.next());
            format!("{mechanism} {first}")
        } else {
            mechanism.to_owned()
        };
        let done = catch_unwind(AssertUnwindSafe(|| {
            client
                .authenticate(&command, &answers)
                .map_err(|(error, _)| error)
        }));
        let reason = guard.struck(&answers.reason.into_inner());
        match done {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(error)) => Err(self.refusal(&error, guard, &reason)),
            Err(_) => Err(Trouble::Lost(
                "the server's answer cannot be understood".to_owned(),
            )),
        }
    }

    /// What a refused login means. `reason` is what the server said of a token.
    fn refusal(&self, error: &Error, guard: &Guard, reason: &str) -> Trouble {
        let said = match session::trouble(error, guard) {
            Trouble::Denied(said) => said,
            // Some servers hang up on a name that they do not know.
            Trouble::Lost(said) if self.by.is_some() && matches!(error, Error::ConnectionLost) => {
                said
            }
            known => return known,
        };
        let (user, host) = (&self.user, &self.server.host);
        let code = code(&said);
        let what = match code.as_str() {
            "UNAVAILABLE" | "INUSE" => {
                return Trouble::Unreachable(
                    format!("logging in does not work just now: {said}"),
                    LATER,
                );
            }
            "LIMIT" => {
                return Trouble::Unreachable(format!("too many connections: {said}"), TOO_MANY);
            }
            "EXPIRED" => (
                format!("the password of '{user}' has expired (it said: {said})"),
                "change it, then scan again",
            ),
            "CONTACTADMIN" => (
                format!("the server does not let '{user}' in: {said}"),
                "ask who runs the server",
            ),
            "PRIVACYREQUIRED" => (
                format!("'{host}' wants an encrypted connection (it said: {said})"),
                "imaps:// instead of imap://",
            ),
            _ if said.to_lowercase().contains("too many")
                || said.to_lowercase().contains("simultaneous") =>
            {
                return Trouble::Unreachable(format!("too many connections: {said}"), TOO_MANY);
            }
            _ if said.to_lowercase().contains("certificate") => (
                format!("'{host}' wants a certificate of yours (it said: {said})"),
                "name it: --client-cert mine.pem --client-key mine.key",
            ),
            _ => self.not_accepted(&said, reason),
        };
        Trouble::refused(what.0, what.1.to_owned())
    }

    fn not_accepted(&self, said: &str, reason: &str) -> (String, &'static str) {
        let (user, host) = (&self.user, &self.server.host);
        match (&self.proof, self.by) {
            (Proof::Token(_), _) => {
                let reason = if reason.is_empty() {
                    String::new()
                } else {
                    format!("; of the token: {reason}")
                };
                (
                    format!(
                        "'{host}' did not accept the access token for '{user}' (it said: {said}{reason})"
                    ),
                    "a new token; for Microsoft 365 look at IMAP.AccessAsApp, the object id of the service principal, and whether IMAP is on for the mailbox; for Google at the scope and the delegation",
                )
            }
            (Proof::Password(_), Some(by)) => (
                format!(
                    "'{host}' does not let '{by}' open the mailbox of '{user}' (it said: {said})"
                ),
                "look at both names and the password; the server must know this name as a master user or delegate",
            ),
            (Proof::Password(_), None) => (
                format!("'{host}' did not accept the password of '{user}' (it said: {said})"),
                "look at name and password; an account with two-step sign-in needs an app password, or a token (--token-command)",
            ),
        }
    }
}

/// The code at the head of a text (RFC 5530), in capitals.
fn code(said: &str) -> String {
    let inside = said.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let word = inside.and_then(|(code, _)| code.split(' ').next());
    word.unwrap_or_default().to_ascii_uppercase()
}

/// What is said in answer to the challenges of a server.
struct Answers {
    answers: Vec<String>,
    /// What is said when they are all given: to a server that tells why it refuses (RFC 7628 3.2.3).
    then: &'static str,
    given: Cell<usize>,
    /// What the server said of a token that it refuses: JSON.
    reason: RefCell<String>,
}

impl Answers {
    fn new(answers: Vec<String>, then: &'static str) -> Self {
        Answers {
            answers,
            then,
            given: Cell::new(0),
            reason: RefCell::default(),
        }
    }

    fn next(&self) -> String {
        let at = self.given.replace(self.given.get() + 1);
        self.answers.get(at).cloned().unwrap_or_default()
    }
}

impl Authenticator for Answers {
    type Response = String;

    fn process(&self, challenge: &[u8]) -> String {
        if self.given.get() < self.answers.len() {
            return self.next();
        }
        let text: String = String::from_utf8_lossy(challenge)
            .chars()
            .take(300)
            .collect();
        *self.reason.borrow_mut() = clean(&text);
        self.then.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{code, greeting};
    use crate::source::imap::trouble::Trouble;

    #[test]
    fn greetings_are_told_apart() {
        assert_eq!(greeting("* OK [CAPABILITY IMAP4rev1] ready"), Ok(()));
        assert!(matches!(
            greeting("* PREAUTH hello"),
            Err(Trouble::Refused(..))
        ));
        assert!(matches!(
            greeting("* BYE Too many connections"),
            Err(Trouble::Unreachable(text, _)) if text.contains("Too many")
        ));
        assert!(matches!(
            greeting("220 mail ESMTP"),
            Err(Trouble::Refused(..))
        ));
    }

    #[test]
    fn codes_are_read_from_the_text() {
        assert_eq!(code("[AUTHENTICATIONFAILED] no"), "AUTHENTICATIONFAILED");
        assert_eq!(code("[limit 3] no"), "LIMIT");
        assert_eq!(code("no [LIMIT]"), "");
    }
}
