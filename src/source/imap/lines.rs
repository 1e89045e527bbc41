//! Single lines of the protocol, out of their context: what a command asks for and whether it may be said, how it may be
//! shown, what a line of an answer announces. Pure.

use std::collections::BTreeSet;
use std::io;

/// The running command, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// The greeting is awaited.
    Greeting,
    Capability,
    /// `AUTHENTICATE`: what is written next is no command, but its secrets.
    Authenticate,
    Examine,
    Fetch,
    Login,
    Compress,
    List,
    Status,
    Other,
}

/// The number in a tag: the client counts its commands, `a1`, `a2` …
pub(super) fn tag(line: &[u8]) -> Option<u64> {
    let tag = line
        .strip_prefix(b"a")?
        .split(|byte| *byte == b' ')
        .next()?;
    std::str::from_utf8(tag).ok()?.parse().ok()
}

/// The command of a line, if it is one of the few that cannot change anything.
pub(super) fn allowed(line: &[u8]) -> Option<Command> {
    let line = std::str::from_utf8(line).ok()?.trim_end_matches("\r\n");
    if line.ends_with('}') || line.contains(['\r', '\n', '\0']) {
        return None;
    }
    let (_, line) = line.split_once(' ')?;
    let upper = line.to_ascii_uppercase();
    let (verb, rest) = upper.split_once(' ').unwrap_or((&upper, ""));
    match verb {
        "CAPABILITY" if rest.is_empty() => Some(Command::Capability),
        "NOOP" | "LOGOUT" if rest.is_empty() => Some(Command::Other),
        "LIST" => Some(Command::List),
        "STATUS" => Some(Command::Status),
        "LOGIN" => Some(Command::Login),
        "AUTHENTICATE" => Some(Command::Authenticate),
        "EXAMINE" => Some(Command::Examine),
        "COMPRESS" if rest == "DEFLATE" => Some(Command::Compress),
        "UID" => peeks(rest).then_some(Command::Fetch),
        _ => None,
    }
}

/// Whether `FETCH` with these arguments leaves every flag as it is.
fn peeks(rest: &str) -> bool {
    let Some((_, items)) = rest.strip_prefix("FETCH ").and_then(|r| r.split_once(' ')) else {
        return false;
    };
    let peeked = items.replace("BODY.PEEK[", "").replace("RFC822.SIZE", "");
    !peeked.contains("BODY") && !peeked.contains("RFC822") && !peeked.contains("BINARY")
}

/// A command as it may be shown: without what logs in.
pub(super) fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut words = text.trim_end().splitn(3, ' ');
    match (words.next(), words.next()) {
        (Some(tag), Some(verb)) if verb.eq_ignore_ascii_case("LOGIN") => {
            format!("{tag} {verb} (what logs in)")
        }
        (Some(tag), Some(verb)) if verb.eq_ignore_ascii_case("AUTHENTICATE") => {
            let mut rest = words.next().unwrap_or_default().split(' ');
            let mechanism = rest.next().unwrap_or_default();
            let more = rest.next().map_or("", |_| " (what logs in)");
            format!("{tag} {verb} {mechanism}{more}")
        }
        _ => text.into_owned(),
    }
}

/// The client reads nothing of a server that names only the second revision of IMAP4 (RFC 9051), which does all that is
/// asked of it here.
pub(super) fn revision(line: &mut Vec<u8>) -> io::Result<()> {
    let upper = line.to_ascii_uppercase();
    let named = |word: &[u8]| upper.split(u8::is_ascii_whitespace).any(|one| one == word);
    if named(b"IMAP4REV1") {
        return Ok(());
    }
    if !named(b"IMAP4REV2") {
        return Err(io::Error::other(
            "the server speaks neither IMAP4rev1 nor IMAP4rev2",
        ));
    }
    line.truncate(line.trim_ascii_end().len());
    line.extend_from_slice(b" IMAP4rev1\r\n");
    Ok(())
}

/// What a line tells of what the server can do: data of its own, or a code within a status.
pub(super) fn told(line: &[u8]) -> Option<BTreeSet<String>> {
    let text = std::str::from_utf8(line).ok()?.trim_end();
    let upper = text.to_ascii_uppercase();
    let list = match upper.strip_prefix("* CAPABILITY ") {
        Some(list) => list,
        None => {
            let (_, rest) = upper.split_once(" OK [CAPABILITY ")?;
            rest.split_once(']')?.0
        }
    };
    Some(list.split_whitespace().map(str::to_owned).collect())
}

/// The client parses an answer anew at each line end that comes, also at those within a message. So they are hidden from
/// it: within literals a line feed and an SOH change places.
pub(super) fn veiled(byte: &u8) -> u8 {
    match byte {
        b'\n' => 1,
        1 => b'\n',
        other => *other,
    }
}

/// A message, or part of one, as the server sent it.
pub(super) fn unveiled(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(veiled).collect()
}

/// Replaces what the client cannot bear outside of literals: 8-bit text and NUL.
pub(super) fn tame(line: &mut [u8]) {
    for byte in line.iter_mut().filter(|byte| **byte >= 0x80 || **byte == 0) {
        *byte = b'?';
    }
}

/// The length of the literal that a line announces at its end.
pub(super) fn announced(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n"))?;
    let line = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', line)?;
    let digits = std::str::from_utf8(&line[open + 1..]).ok()?;
    let digits = digits.strip_suffix('+').unwrap_or(digits);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_change_a_mailbox_may_be_said() {
        for line in [
            "a1 SELECT \"INBOX\"",
            "a1 STORE 1 +FLAGS (\\Seen)",
            "a1 UID STORE 1 +FLAGS (\\Seen)",
            "a1 UID COPY 1 Trash",
            "a1 UID EXPUNGE 1",
            "a1 UID SEARCH ALL",
            "a1 UID FETCH 1 (BODY[])",
            "a1 UID FETCH 1 (BODY.PEEK[] BODY[TEXT])",
            "a1 UID FETCH 1 (RFC822)",
            "a1 UID FETCH 1 (RFC822.TEXT)",
            "a1 UID FETCH 1 (BINARY[1])",
            "a1 FETCH 1 (BODY.PEEK[])",
            "a1 APPEND INBOX {5}",
            "a1 EXAMINE {5}",
            "a1 EXPUNGE",
            "a1 CLOSE",
            "a1 DELETE x",
            "a1 IDLE",
            "a1 NOOP x",
            "a1 COMPRESS LZ4",
            "a1",
            "a1 EXAMINE x\r\na2 DELETE x",
        ] {
            assert_eq!(allowed(format!("{line}\r\n").as_bytes()), None, "{line}");
        }
        for (line, command) in [
            ("a1 CAPABILITY", Command::Capability),
            ("a1 EXAMINE \"Sent Items\"", Command::Examine),
            ("a1 LIST \"\" \"*\"", Command::List),
            ("a1 STATUS \"INBOX\" (MESSAGES)", Command::Status),
            ("a1 LOGOUT", Command::Other),
            ("a1 COMPRESS DEFLATE", Command::Compress),
            (
                "a1 UID FETCH 1:9 (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (TO)]<0.9>)",
                Command::Fetch,
            ),
        ] {
            assert_eq!(
                allowed(format!("{line}\r\n").as_bytes()),
                Some(command),
                "{line}"
            );
        }
    }

    #[test]
    fn what_logs_in_is_never_shown() {
        assert_eq!(
            shown(b"a1 LOGIN ann hunter2\r\n"),
            "a1 LOGIN (what logs in)"
        );
        assert_eq!(
            shown(b"a2 AUTHENTICATE PLAIN AGFubgBodW50ZXIy\r\n"),
            "a2 AUTHENTICATE PLAIN (what logs in)"
        );
        assert_eq!(shown(b"a2 authenticate PLAIN\r\n"), "a2 authenticate PLAIN");
    }

    #[test]
    fn literals_are_announced_at_the_end_of_a_line() {
        assert_eq!(announced(b"* 1 FETCH (BODY[] {12}\r\n"), Some(12));
        assert_eq!(announced(b"x {3+}\n"), Some(3));
        assert_eq!(
            announced(b"x {99999999999999999999999}\r\n"),
            Some(u64::MAX)
        );
        for none in [
            &b"x {}\r\n"[..],
            b"x {12} \r\n",
            b"x {-1}\r\n",
            b"x 12}\r\n",
        ] {
            assert_eq!(announced(none), None);
        }
    }

    #[test]
    fn what_a_server_can_do_is_read_wherever_it_says_so() {
        for line in [
            "* CAPABILITY imap4rev1 IDLE\r\n",
            "* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n",
            "a2 OK [CAPABILITY IMAP4rev1 IDLE] Logged in\r\n",
        ] {
            let told = told(line.as_bytes()).expect("it tells");
            assert_eq!(Vec::from_iter(told), ["IDLE", "IMAP4REV1"]);
        }
        assert_eq!(told(b"* OK ready\r\n"), None);
    }

    #[test]
    fn a_veil_is_taken_off_by_itself() {
        let bytes: Vec<u8> = (0..=255).collect();
        let veiled = unveiled(&bytes);
        assert!(veiled[10] == 1 && veiled[1] == 10);
        assert_eq!(unveiled(&veiled), bytes);
    }
}
