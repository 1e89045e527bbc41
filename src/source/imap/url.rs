//! The URL of an account: `imaps://user@host[:port][/Folder]` (RFC 5092, as far as a person types it). No password: a
//! command line can be seen by everybody on the computer.

use anyhow::bail;
use percent_encoding::percent_decode_str;

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// From the start (`imaps://`).
    Tls,
    /// After the greeting (`imap://`).
    StartTls,
    /// Not at all: to this computer only, and only where asked for.
    Plain,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
}

/// An account, and perhaps one folder of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) server: Server,
    /// Whose mailbox it is.
    pub(super) user: String,
    /// The only folder that is wanted, as people write its name.
    pub(super) folder: Option<String>,
}

/// Whether a SOURCE is the URL of an account.
pub fn is_url(name: &str) -> bool {
    let scheme = name.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case("imap") || scheme.eq_ignore_ascii_case("imaps")
    })
}

impl Url {
    /// Reads a URL. `plain` allows a connection without encryption.
    ///
    /// # Errors
    /// What is no such URL. A password in it is not repeated.
    pub(super) fn read(text: &str, plain: bool) -> anyhow::Result<Self> {
        let Ok(url) = url::Url::parse(text) else {
            bail!("this is no URL of a mail account\n  try: imaps://user@mail.example");
        };
        if url.password().is_some() {
            bail!(
                "a password does not belong in a URL: everybody on this computer can see a command line\n  try: put it into the environment variable CCSPILL_PASSWORD, or wait to be asked"
            );
        }
        let implicit = url.scheme() == "imaps";
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, host) = (
            decoded(url.username()),
            decoded(url.host_str().unwrap_or_default()),
        );
        let host = host.trim_matches(['[', ']']).to_owned();
        if user.is_empty() || host.is_empty() || user.contains(char::is_control) {
            bail!(
                "'{}' names no user or no server\n  try: {}://user@mail.example",
                crate::message::text::clean(text),
                url.scheme()
            );
        }
        let folder = decoded(url.path().trim_start_matches('/'));
        Ok(Url {
            server: Server {
                host,
                port: url.port().unwrap_or(if implicit { 993 } else { 143 }),
                security: match (implicit, plain) {
                    (true, _) => Security::Tls,
                    (false, false) => Security::StartTls,
                    (false, true) => Security::Plain,
                },
            },
            user,
            folder: Some(folder).filter(|folder| !folder.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Security, Url, is_url};

    #[test]
    fn accounts_are_read_as_people_write_them() {
        let url = Url::read("imaps://ann@mail.example", false).expect("a URL");
        assert_eq!((url.user.as_str(), url.server.port), ("ann", 993));
        assert_eq!((url.folder, url.server.security), (None, Security::Tls));
        let url = Url::read(
            "imap://ann@force.example@mail.example:1143/Sent%20Items/2024",
            false,
        )
        .expect("a URL");
        assert_eq!(url.user, "ann@force.example");
        assert_eq!(
            (url.server.host.as_str(), url.server.port),
            ("mail.example", 1143)
        );
        assert_eq!(url.server.security, Security::StartTls);
        assert_eq!(url.folder.as_deref(), Some("Sent Items/2024"));
        let url = Url::read("imap://FORCE%5Cann@[::1]/Gesendet", true).expect("a URL");
        assert_eq!(
            (url.user.as_str(), url.server.host.as_str()),
            ("FORCE\\ann", "::1")
        );
        assert_eq!(url.server.security, Security::Plain);
        assert!(is_url("IMAPS://a@b") && !is_url("imap.mbox") && !is_url("http://a@b"));
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let error = Url::read("imaps://ann:hunter2@mail.example", false).expect_err("refused");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        for wrong in ["imaps://mail.example", "imaps://ann@", "imaps://"] {
            assert!(Url::read(wrong, false).is_err(), "{wrong}");
        }
    }
}
