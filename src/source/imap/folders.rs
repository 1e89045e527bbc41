//! The folders of an account: which there are, which hold sent mail and how that is known. Nothing of their mail.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::alphabet::Alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::session::{Counts, Session};
use super::trouble::Trouble;
use crate::message::text::is_invisible;
use crate::place::Role;

/// Why a folder is not read whose name cannot be told from the server's words.
pub(super) const UNNAMED: &str = "its name cannot be read";
/// Longest text of a server that stands for a name, in characters.
const LONGEST_NAME: usize = 200;

/// One folder, as the server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// As it must be asked for.
    pub(super) raw: String,
    /// As people read it.
    pub(super) name: String,
    /// What the server says of it, in capitals, with the backslash.
    pub(super) attributes: BTreeSet<String>,
    /// Between its name and that of a folder within it.
    pub(super) delimiter: Option<char>,
    /// Whether its name can be read; else it cannot be opened, and stands here under the server's words.
    pub(super) named: bool,
}

/// What is to be done with a folder, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) listed: Listed,
    pub(super) role: Role,
    /// Whether its mail is read.
    pub(super) read: bool,
    /// Why: a few words.
    pub(super) why: &'static str,
}

/// What a person asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The only folder, from the URL.
    pub(super) only: Option<&'a str>,
    /// Whether a folder is one that `--folder` names; all are where nothing is named.
    pub(super) named: &'a dyn Fn(&str) -> bool,
    /// Whether `--folder` names any.
    pub(super) any_named: bool,
    /// Only what is known as sent mail.
    pub(super) sent_only: bool,
}

/// Asks the server for its folders, and for what it counts in each where it tells that of all at once (RFC 5819).
///
/// Every \Sent that it tells of itself counts; SPECIAL-USE (RFC 6154) is asked for only where it is advertised, as
/// others answer that with an error, or with everything.
pub(super) fn list(session: &mut Session) -> Result<(Vec<Listed>, Option<Counts>), Trouble> {
    let special = session.can("SPECIAL-USE");
    if session.can("LIST-STATUS") {
        let more = if special { "SPECIAL-USE " } else { "" };
        let all = format!("\"\" \"*\" RETURN ({more}STATUS (MESSAGES UIDNEXT UIDVALIDITY))");
        match session.list(&all) {
            Ok((answers, counts)) => return Ok((read(answers), Some(counts))),
            Err(Trouble::Denied(_)) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    let mut all = read(session.list("\"\" \"*\"")?.0);
    if special && !all.iter().any(|folder| folder.is("\\SENT")) {
        match session.list("\"\" \"*\" RETURN (SPECIAL-USE)") {
            Ok((answers, _)) => {
                let special: BTreeMap<String, BTreeSet<String>> = read(answers)
                    .into_iter()
                    .map(|folder| (folder.raw, folder.attributes))
                    .collect();
                for folder in &mut all {
                    let more = special.get(&folder.raw).into_iter().flatten();
                    folder.attributes.extend(more.cloned());
                }
            }
            Err(Trouble::Denied(_)) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok((all, None))
}

fn read(answers: Vec<Vec<u8>>) -> Vec<Listed> {
    let all: BTreeMap<String, Listed> = answers
        .iter()
        .map(|answer| parse(answer).unwrap_or_else(|| Listed::unnamed(answer)))
        .map(|folder| (folder.raw.clone(), folder))
        .collect();
    let mut all: Vec<Listed> = all.into_values().collect();
    all.sort_by(|a, b| (&a.name, &a.raw).cmp(&(&b.name, &b.raw)));
    // Names that differ only in what is not shown must not be taken for one folder.
    let mut taken = BTreeSet::new();
    for folder in &mut all {
        while !taken.insert(folder.name.clone()) {
            folder.name.push('~');
        }
    }
    all
}

/// Reads one answer to `LIST` (RFC 9051 7.3.1), whatever else the server adds to it: `* LIST (\HasNoChildren) "/" name`.
fn parse(answer: &[u8]) -> Option<Listed> {
    let rest = listed(answer)?.strip_prefix(b"(")?;
    let end = memchr::memchr(b')', rest)?;
    let (attributes, rest) = (String::from_utf8_lossy(&rest[..end]), &rest[end + 1..]);
    let (delimiter, rest) = string(rest.trim_ascii_start())?;
    let (raw, _) = string(rest.trim_ascii_start())?;
    let attributes = attributes.split_whitespace().map(str::to_ascii_uppercase);
    Some(Listed {
        name: shown(&decoded(&raw)),
        raw,
        attributes: attributes.collect(),
        delimiter: delimiter
            .chars()
            .next()
            .filter(|_| !delimiter.eq_ignore_ascii_case("NIL")),
        named: true,
    })
}

/// What follows `* LIST`.
fn listed(answer: &[u8]) -> Option<&[u8]> {
    let (start, rest) = answer.split_at_checked(7)?;
    start
        .eq_ignore_ascii_case(b"* LIST ")
        .then(|| rest.trim_ascii_start())
}

/// A quoted string, literal or atom at the start of a text, and what follows.
fn string(text: &[u8]) -> Option<(String, &[u8])> {
    let read = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some(quoted) = text.strip_prefix(b"\"") {
        let (mut out, mut at) = (Vec::new(), 0);
        loop {
            match quoted.get(at)? {
                b'"' => return Some((read(&out), &quoted[at + 1..])),
                b'\\' => {
                    at += 1;
                    out.push(*quoted.get(at)?);
                }
                byte => out.push(*byte),
            }
            at += 1;
        }
    }
    if let Some(announced) = text.strip_prefix(b"{") {
        let end = memchr::memchr(b'}', announced)?;
        let digits = std::str::from_utf8(&announced[..end]).ok()?;
        let length: usize = digits.trim_end_matches('+').parse().ok()?;
        let rest = &announced[end + 1..];
        let rest = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n"))?;
        let (name, rest) = rest.split_at_checked(length)?;
        return Some((read(name), rest));
    }
    let end = text.iter().position(u8::is_ascii_whitespace);
    let (atom, rest) = text.split_at(end.unwrap_or(text.len()));
    (!atom.is_empty()).then(|| (read(atom), rest))
}

/// A name without what must not reach a terminal.
fn shown(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_control() || is_invisible(c) {
                '?'
            } else {
                c
            }
        })
        .collect()
}

/// A name in modified UTF-7 (RFC 3501 5.1.3) as people read it; one that is not is left as it stands.
fn decoded(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, shifted)) = rest.split_once('&') {
        out.push_str(before);
        let Some((code, after)) = shifted.split_once('-') else {
            return raw.to_owned();
        };
        if code.is_empty() {
            out.push('&');
        } else {
            match unshifted(code) {
                Some(text) => out.push_str(&text),
                None => return raw.to_owned(),
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn unshifted(code: &str) -> Option<String> {
    let alphabet =
        Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").ok()?;
    let how = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(&alphabet, how).decode(code).ok()?;
    let (pairs, odd) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    String::from_utf16(&units).ok().filter(|_| odd.is_empty())
}

impl Listed {
    /// A folder whose name cannot be told from the server's words.
    fn unnamed(answer: &[u8]) -> Self {
        let words = String::from_utf8_lossy(listed(answer).unwrap_or(answer));
        Listed {
            name: shown(words.trim_end()).chars().take(LONGEST_NAME).collect(),
            raw: words.into_owned(),
            attributes: BTreeSet::new(),
            delimiter: None,
            named: false,
        }
    }

    /// Whether the server says this of it.
    pub(super) fn is(&self, attribute: &str) -> bool {
        self.attributes.contains(attribute)
    }

    /// Whether it holds mail at all.
    pub(super) fn can_be_opened(&self) -> bool {
        self.named && !self.is("\\NOSELECT") && !self.is("\\NONEXISTENT")
    }

    /// What it is for, and how that is known.
    fn role(&self) -> (Role, &'static str) {
        if !self.named {
            return (Role::Other, UNNAMED);
        }
        let path = match self.delimiter {
            Some(delimiter) => self.name.replace(delimiter, "/"),
            None => self.name.clone(),
        };
        if self.is("\\SENT") {
            return (Role::Sent, "the server marks it as sent mail");
        }
        if self.is("\\DRAFTS") {
            return (Role::Drafts, "the server marks it as drafts");
        }
        match Role::of(&path) {
            Role::Sent => (Role::Sent, "its name is one for sent mail"),
            Role::Drafts => (Role::Drafts, "its name is one for drafts"),
            Role::Other => (
                Role::Other,
                "for history, and for mail of the organisation in it",
            ),
        }
    }

    /// Whether a person who names it can mean sent mail: not the inbox, and none that the server marks otherwise.
    fn can_be_sent(&self) -> bool {
        const OTHERWISE: [&str; 5] = ["\\TRASH", "\\JUNK", "\\ALL", "\\ARCHIVE", "\\DRAFTS"];
        !self.name.eq_ignore_ascii_case("INBOX") && !OTHERWISE.iter().any(|other| self.is(other))
    }
}

/// Decides which folders are read, and as what. Every folder is in it, in the order of names.
pub(super) fn choose(all: Vec<Listed>, asked: Asked<'_>, gmail: bool) -> Vec<Chosen> {
    // Gmail's labels show again what All Mail holds.
    let labels = gmail && all.iter().any(|folder| folder.is("\\ALL"));
    let one = |listed: Listed| {
        let (mut role, mut why) = listed.role();
        let meant = asked
            .only
            .is_some_and(|only| only == listed.name || only == listed.raw);
        let named = meant || (asked.any_named && (asked.named)(&listed.name));
        if named && role == Role::Other && listed.can_be_sent() {
            (role, why) = (Role::Sent, "you named it");
        }
        let left_out = if listed.named && !listed.can_be_opened() {
            Some("it holds folders only")
        } else if asked.only.is_some() && !meant {
            Some("you named another")
        } else if !listed.named {
            // It may be any: that it is not read is said in its place.
            None
        } else if asked.sent_only && role != Role::Sent {
            Some("--sent-only")
        } else if labels && role == Role::Other && !named && is_label(&listed) {
            Some("a label: All Mail holds its mail")
        } else {
            None
        };
        Chosen {
            listed,
            role,
            read: left_out.is_none(),
            why: left_out.unwrap_or(why),
        }
    };
    all.into_iter().map(one).collect()
}

/// Whether a folder of Gmail is one that a person made, or the inbox.
fn is_label(folder: &Listed) -> bool {
    const OWN: [&str; 3] = ["\\ALL", "\\TRASH", "\\JUNK"];
    !OWN.iter().any(|own| folder.is(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(raw: &[&str]) -> Vec<Listed> {
        // Of 8-bit text each letter is one byte.
        let bytes = |line: &&str| {
            line.chars()
                .map(|c| u8::try_from(c).unwrap_or(b'?'))
                .collect()
        };
        read(raw.iter().map(bytes).collect())
    }

    fn role_of(line: &str) -> (Role, bool) {
        let asked = Asked {
            only: None,
            named: &|_| true,
            any_named: false,
            sent_only: false,
        };
        let chosen = choose(names(&[line]), asked, false);
        (chosen[0].role, chosen[0].read)
    }

    #[test]
    fn answers_are_read_however_servers_write_them() {
        let all = names(&[
            "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"\r\n",
            "* list () NIL INBOX\r\n",
            "* LIST () \".\" INBOX.Envoy&AOk-s\r\n",
            "* LIST () \"/\" {9}\r\nodd \"name\r\n",
            "* LIST () \"/\" \"a \\\"b\\\" \\\\ c\"\r\n",
            "* LIST () \"/\" 100%\r\n",
            "* LIST (HasChildren) \"/\" New (\"OLDNAME\" (\"Old\"))\r\n",
            "* LIST broken\r\n",
            "* LIST () \"/\" {9}\r\nEnvoy\u{e9}s \u{e9}\r\n",
        ]);
        let read: Vec<(&str, Option<char>)> = all
            .iter()
            .map(|folder| (folder.name.as_str(), folder.delimiter))
            .collect();
        let want = [
            ("100%", Some('/')),
            ("Envoy\u{fffd}s \u{fffd}", Some('/')),
            ("INBOX", None),
            ("INBOX.Envoyés", Some('.')),
            ("New", Some('/')),
            ("Sent Items", Some('/')),
            ("a \"b\" \\ c", Some('/')),
            ("broken", None),
            ("odd \"name", Some('/')),
        ];
        assert_eq!(read, want);
        assert_eq!(all[3].raw, "INBOX.Envoy&AOk-s");
        assert!(all[5].is("\\SENT"));
        let named = all.iter().filter(|folder| folder.named).count();
        assert_eq!((named, all[7].named), (8, false));
    }

    #[test]
    fn names_in_modified_utf_7_are_read() {
        for (raw, name) in [
            ("&AMk-l&AOk-ments envoy&AOk-s", "Éléments envoyés"),
            ("&XfJT0ZAB-", "已发送"),
            ("Q&-A", "Q&A"),
            ("&2D3cTA-", "\u{1f44c}"),
            ("broken &AOk", "broken &AOk"),
            ("&AO-", "&AO-"),
        ] {
            assert_eq!(decoded(raw), name);
        }
    }

    #[test]
    fn sent_mail_is_known_by_mark_by_name_or_because_somebody_says_so() {
        assert_eq!(role_of("* LIST (\\Sent) \"/\" Box\r\n"), (Role::Sent, true));
        assert_eq!(
            role_of("* LIST () \".\" INBOX.Gesendet.2023\r\n"),
            (Role::Sent, true)
        );
        assert_eq!(
            role_of("* LIST (\\Drafts) \"/\" Box\r\n"),
            (Role::Drafts, true)
        );
        assert_eq!(
            role_of("* LIST () \"/\" Witnesses\r\n"),
            (Role::Other, true)
        );
        assert_eq!(
            role_of("* LIST (\\Noselect) \"/\" Sent\r\n"),
            (Role::Sent, false)
        );
        let all = names(&[
            "* LIST () \"/\" Case\r\n",
            "* LIST () \"/\" INBOX\r\n",
            "* LIST (\\Sent) \"/\" Sent\r\n",
        ]);
        let asked = Asked {
            only: None,
            named: &|name| name != "Sent",
            any_named: true,
            sent_only: true,
        };
        let chosen = choose(all.clone(), asked, false);
        let read: Vec<(&str, bool)> = chosen
            .iter()
            .map(|one| (one.listed.name.as_str(), one.read))
            .collect();
        assert_eq!(read, [("Case", true), ("INBOX", false), ("Sent", true)]);
        let only = Asked {
            only: Some("INBOX"),
            sent_only: false,
            any_named: false,
            ..asked
        };
        let chosen = choose(all, only, false);
        assert!(
            chosen
                .iter()
                .all(|one| one.read == (one.listed.name == "INBOX"))
        );
        assert_eq!(chosen[1].role, Role::Other);
    }

    #[test]
    fn the_labels_of_gmail_are_not_read_twice() {
        let all = names(&[
            "* LIST () \"/\" INBOX\r\n",
            "* LIST () \"/\" Witnesses\r\n",
            "* LIST (\\All) \"/\" \"[Gmail]/All Mail\"\r\n",
            "* LIST (\\Sent) \"/\" \"[Gmail]/Sent Mail\"\r\n",
            "* LIST (\\Trash) \"/\" \"[Gmail]/Bin\"\r\n",
        ]);
        let asked = Asked {
            only: None,
            named: &|_| true,
            any_named: false,
            sent_only: false,
        };
        let read = |gmail| {
            choose(all.clone(), asked, gmail)
                .iter()
                .filter(|one| one.read)
                .count()
        };
        assert_eq!((read(true), read(false)), (3, 5));
    }
}
