//! One mailbox of an address list, once its structure is known: which of its words are the address, what its name
//! reads as, and whether it is anybody at all. Structure is found in [`super::list`].

use super::address::Address;
use super::recipients::Mailbox;
use super::text::{decode, guess};
use memchr::{memchr, memmem};

/// A word of a mailbox: where it stands in the text, without its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    /// It stood in quotes.
    pub(super) quoted: bool,
    /// White space or a comment stood before it.
    pub(super) space: bool,
    /// A line end stood before it.
    pub(super) fold: bool,
}

impl Word {
    pub(super) fn bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start..self.end]
    }

    /// True where it holds the `@` of an address: one in quotes or in an encoded word is part of a name.
    pub(super) fn holds_at(&self, text: &[u8]) -> bool {
        let bytes = self.bytes(text);
        !self.quoted
            && memchr(b'@', bytes).is_some()
            && !(bytes.starts_with(b"=?") && bytes.ends_with(b"?="))
    }

    /// True for what stands before the colon of `mailto:ann@x.example`, `[mailto:…]`, `SMTP:…`, `EX:/O=…`.
    pub(super) fn is_scheme(&self, text: &[u8]) -> bool {
        let bytes = self.bytes(text);
        let bytes = bytes.strip_prefix(b"[").unwrap_or(bytes);
        !self.quoted
            && ["mailto", "smtp", "ex", "e-mail", "email"]
                .iter()
                .any(|s| bytes.eq_ignore_ascii_case(s.as_bytes()))
    }
}

/// The mailbox of an address and a name; `None` where it is nobody: no letter or digit, or a marker such as
/// `undisclosed-recipients`.
pub(super) fn make(address: Option<Address>, mut name: String) -> Option<Mailbox> {
    let address = match address {
        Some(address) if is_unreachable(address.as_str()) => {
            if name.is_empty() {
                name = address.as_str().to_owned();
            }
            None
        }
        Some(address) if is_marker(address.local()) => return None,
        other => other,
    };
    match &address {
        Some(address) if repeats(&name, address) => name.clear(),
        None if is_marker(&name) || !name.chars().any(char::is_alphanumeric) => return None,
        _ => {}
    }
    Some(Mailbox { address, name })
}

/// True where a name merely repeats the address.
fn repeats(name: &str, address: &Address) -> bool {
    name.eq_ignore_ascii_case(address.as_str())
        || (name.contains('@')
            && Address::new(name.strip_prefix("mailto:").unwrap_or(name)).as_ref() == Some(address))
}

/// True for what Exchange makes of an X.500 name (`IMCEAEX-_O=ORG_…@x.example`): no mail reaches it from outside.
fn is_unreachable(address: &str) -> bool {
    address
        .get(..5)
        .is_some_and(|front| front.eq_ignore_ascii_case("imcea"))
        && address.contains('-')
}

/// True for an X.500 name (`/O=ORG/OU=SITE/CN=RECIPIENTS/CN=ANN`).
pub(super) fn is_dn(text: &[u8]) -> bool {
    text.get(..3)
        .is_some_and(|front| front.eq_ignore_ascii_case(b"/o="))
}

/// True for the local part of what is, or may be, no mailbox: a marker, or what Exchange makes of an X.500 name. `local`
/// is in ASCII and lower case.
pub(super) fn is_nobody(local: &[u8]) -> bool {
    local.starts_with(b"imcea")
        || local.len() >= SHORTEST_MARKER
            // The first two letters of the markers: hardly any name begins with them.
            && (matches!(
                &local[..2],
                b"un" | b"no" | b"re" | b"su" | b"hi" | b"ve" | b"ni" | b"de"
            ) || !local[..2].iter().all(u8::is_ascii_alphanumeric))
            && std::str::from_utf8(local).is_ok_and(is_marker)
}

/// Letters of the shortest of the markers.
const SHORTEST_MARKER: usize = 15;

/// True for what mailers write in place of a hidden list.
fn is_marker(name: &str) -> bool {
    const MARKERS: [&str; 16] = [
        "undisclosedrecipient",
        "undisclosedlist",
        "unlistedrecipient",
        "nondisclosedrecipient",
        "recipientlistnotshown",
        "recipientlistsuppressed",
        "recipientssuppressed",
        "suppressedrecipient",
        "hiddenrecipient",
        "verborgeneempfänger",
        "nichtgenannteempfänger",
        "destinatairesinconnus",
        "destinatairesnonrévélés",
        "destinatariosnorevelados",
        "destinatarinascosti",
        "verborgenontvangers",
    ];
    // Nearly every name differs from all in its first letter.
    let first = name
        .bytes()
        .find(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
        .filter(u8::is_ascii)
        .map(|first| first.to_ascii_lowercase());
    let begins = |marker: &&&str| first.is_none_or(|first| marker.as_bytes()[0] == first);
    name.len() >= SHORTEST_MARKER
        && MARKERS.iter().filter(begins).any(|marker| {
            let mut folded = name
                .chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_lowercase);
            marker.chars().all(|c| folded.next() == Some(c))
        })
}

/// The name that words give: joined, decoded, without quotes around it.
pub(super) fn name(text: &[u8], words: &[Word]) -> String {
    let mut raw = Vec::with_capacity(words.iter().map(|word| word.end - word.start + 1).sum());
    for word in words {
        if word.space && !raw.is_empty() {
            raw.push(b' ');
        }
        if word.quoted {
            unescape(word.bytes(text), &mut raw)
        } else {
            raw.extend_from_slice(word.bytes(text))
        }
    }
    tidy(decode(&raw))
}

/// The name that a comment gives, or the text in angle brackets that is no address.
pub(super) fn plain_name(text: &[u8]) -> String {
    let mut raw = Vec::with_capacity(text.len());
    unescape(text, &mut raw);
    tidy(decode(&raw))
}

/// Quoted pairs to what they stand for.
fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut escaped = false;
    for &byte in text {
        escaped = byte == b'\\' && !escaped;
        if !escaped {
            out.push(byte);
        }
    }
}

/// Without quotes around the whole (`'ann@x.example'` is how Outlook shows a name that it does not know).
fn tidy(name: String) -> String {
    let mut inner = name.as_str();
    for (open, close) in [('"', '"'), ('\'', '\''), ('"', '"'), ('“', '”'), ('‘', '’')] {
        let within = inner
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close));
        inner = within.map_or(inner, str::trim);
    }
    if inner.len() == name.len() {
        name
    } else {
        inner.to_owned()
    }
}

/// Which words are the first address: from and to. Words are joined over the white space that obsolete syntax allows
/// around `@` and `.` (RFC 5322 4.4): in angle brackets (`tight`) everywhere, else where it cannot be prose.
pub(super) fn addr_words(text: &[u8], words: &[Word], tight: bool) -> Option<(usize, usize)> {
    let at = words.iter().position(|word| word.holds_at(text))?;
    let mut from = at;
    while from > 0 {
        let (left, right) = (&words[from - 1], &words[from]);
        let first = right.bytes(text).first();
        let joins = first == Some(&b'@')
            || (first == Some(&b'.')
                && (tight || right.space == left.space || left.end - left.start > 1))
            || (!right.space && !left.quoted && !right.quoted)
            || (left.quoted && !right.space && first == Some(&b'.'))
            || (left.bytes(text) == b".")
            || (tight && left.bytes(text).last() == Some(&b'.'));
        if !joins || left.holds_at(text) {
            break;
        }
        from -= 1;
    }
    let mut to = at + 1;
    while let Some(right) = words.get(to) {
        let (last, first) = (words[to - 1].bytes(text).last(), right.bytes(text).first());
        let joins = last == Some(&b'@')
            || (first == Some(&b'.') && !right.quoted)
            || words[to - 1].bytes(text) == b"."
            || (!right.space && !right.quoted)
            || (tight && last == Some(&b'.'));
        if !joins || right.holds_at(text) {
            break;
        }
        to += 1;
    }
    Some((from, to))
}

/// The address that words make together; words in quotes get their quotes back.
pub(super) fn joined_address(text: &[u8], words: &[Word]) -> Option<Address> {
    match words {
        [word] if !word.quoted => spec(word.bytes(text)),
        _ => {
            let mut raw = Vec::new();
            for word in words {
                let quote: &[u8] = if word.quoted { b"\"" } else { b"" };
                raw.extend_from_slice(quote);
                raw.extend_from_slice(word.bytes(text));
                raw.extend_from_slice(quote);
            }
            spec(&raw)
        }
    }
}

/// An address from its raw bytes, without a scheme before it and brackets or quotes around it.
fn spec(raw: &[u8]) -> Option<Address> {
    let text = guess(raw);
    let mut text = text.as_ref();
    if memmem::find(raw, b"=?").is_some() {
        return Address::new(&tidy(decode(raw)));
    }
    if !text.starts_with('"') {
        // `mailto:`, but also `<Undisclosed-Recipient:@list.example;>`, which then has no local part.
        let local_end = text.rfind('@')?;
        text = text[..local_end]
            .rfind(':')
            .map_or(text, |colon| &text[colon + 1..]);
        text = text
            .trim_start_matches(['[', '(', '{'])
            .trim_end_matches([')', '}', '\\']);
        if !text.contains("@[") {
            text = text.trim_end_matches(']');
        }
        if text.starts_with('\'') && text.ends_with('\'') {
            text = text.trim_matches('\'');
        }
    }
    Address::new(text)
}

/// The address in angle brackets: comments dropped, white space around dots closed, words before it ignored.
pub(super) fn angle_address(content: &[u8]) -> Option<Address> {
    let content = content.trim_ascii();
    if !content
        .iter()
        .any(|b| b.is_ascii_whitespace() || b"\"(\\".contains(b))
    {
        return spec(content);
    }
    let words = words_of(content);
    let (from, to) = addr_words(content, &words, true)?;
    joined_address(content, &words[from..to])
}

/// The words between angle brackets.
fn words_of(text: &[u8]) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut at, mut space, mut depth) = (0, false, 0usize);
    while let Some(&byte) = text.get(at) {
        let start = at;
        match byte {
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b'"' if depth == 0 => {
                let end = text[at + 1..].iter().scan(false, |escaped, b| {
                    let was = std::mem::replace(escaped, *b == b'\\' && !*escaped);
                    Some(*b == b'"' && !was)
                });
                if let Some(n) = end.into_iter().position(|found| found) {
                    at += n + 1;
                    words.push(Word {
                        start: start + 1,
                        end: at,
                        quoted: true,
                        space,
                        fold: false,
                    });
                    space = false;
                }
            }
            _ if depth > 0 || byte.is_ascii_whitespace() => {}
            _ => {
                let stop = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'(');
                at = text[at..]
                    .iter()
                    .position(stop)
                    .map_or(text.len(), |n| at + n)
                    - 1;
                words.push(Word {
                    start,
                    end: at + 1,
                    quoted: false,
                    space,
                    fold: false,
                });
                space = false;
                at += 1;
                continue;
            }
        }
        space |= byte != b'"';
        at += 1;
    }
    words
}

/// Some mailers quote or encode a whole mailbox as if it were a name: the address in such a name, and its rest.
pub(super) fn hidden_in_name(name: String) -> (Option<Address>, String) {
    if !name.contains('@') || is_dn(name.as_bytes()) {
        return (None, name);
    }
    if let Some((front, inner)) = name
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
        && let Some(address) = Address::new(inner)
    {
        return (Some(address), tidy(front.trim().to_owned()));
    }
    if name.matches('@').count() == 1
        && !name.contains(char::is_whitespace)
        && let Some(address) = spec(name.as_bytes())
    {
        return (Some(address), String::new());
    }
    (None, name)
}
