//! LOGIN and SASL: who is let in, and as whom.

use super::{MASTER, PASSWORD, Script};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a login tried, without its secrets, and whether it is let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) told: String,
    pub(super) welcome: bool,
}

/// What a token that is not taken is answered with; the client must say that it has seen it.
pub(super) const REFUSED: &str = r#"{"status":"401","schemes":"bearer","scope":"mail"}"#;

/// The same, with all that the client's answer held, as it is and as it came.
pub(super) fn refused_with(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line).into_owned();
    let text = String::from_utf8(STANDARD.decode(&line).unwrap_or_default()).unwrap_or_default();
    let token = text.split("Bearer ").nth(1).unwrap_or_default();
    let token = token.trim_end_matches('\u{1}');
    serde_json::json!({"status": "401", "token": token, "text": text, "line": line}).to_string()
}

/// `LOGIN user password`.
pub(super) fn plain_text(user: &[u8], password: &[u8]) -> Attempt {
    Attempt {
        told: format!("LOGIN {}", String::from_utf8_lossy(user)),
        welcome: user == b"u" && password == PASSWORD.as_bytes(),
    }
}

/// The client's first answer to this mechanism, as it stands on the line; none where it is malformed.
pub(super) fn sasl(
    mechanism: &str,
    line: &[u8],
    script: &Script,
    expired: usize,
) -> Option<Attempt> {
    let text = String::from_utf8(STANDARD.decode(line).ok()?).ok()?;
    if mechanism == "PLAIN" {
        let [authzid, authcid, password] = text.split('\0').collect::<Vec<_>>().try_into().ok()?;
        let delegate = authcid == MASTER && (authzid == "u" || authzid == MASTER);
        let own = authcid == "u" && authzid == "u";
        let known = matches!(authcid, "u" | MASTER);
        return Some(Attempt {
            told: format!("AUTHENTICATE PLAIN authzid={authzid} authcid={authcid}"),
            welcome: password == PASSWORD
                && known
                && (authzid.is_empty() || own || delegate || script.deaf_to_authzid),
        });
    }
    let rest = match mechanism {
        "XOAUTH2" => text.strip_prefix("user=u\u{1}")?,
        _ => text.strip_prefix("n,a=u,\u{1}")?,
    };
    let token = rest
        .strip_suffix("\u{1}\u{1}")?
        .split('\u{1}')
        .find_map(|part| part.strip_prefix("auth=Bearer "))?;
    let at = script.tokens.iter().position(|known| *known == token);
    Some(Attempt {
        told: format!("AUTHENTICATE {mechanism} token {at:?}"),
        welcome: at.is_some_and(|at| at >= expired),
    })
}

/// How the client says that it has seen why its token was not taken.
pub(super) fn acknowledged(mechanism: &str, line: &[u8]) -> bool {
    match mechanism {
        "XOAUTH2" => line.is_empty(),
        _ => line == b"AQ==",
    }
}

/// Base64.
pub(super) fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}
