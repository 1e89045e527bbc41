//! Header text to plain text: RFC 2047 words, RFC 2231 parameters, raw 8-bit, control characters.
//! Nothing here fails: what cannot be decoded is kept as it reads best. Not a MIME reader; that is [`super::mime`].

use super::header::unfold;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use memchr::{memchr, memmem};
use std::borrow::Cow;

/// Longest charset name that is believed.
const LONGEST_CHARSET: usize = 64;
/// Most continuations of one RFC 2231 parameter.
const MOST_CONTINUATIONS: usize = 1000;

/// As [`decode`], without a copy where there is nothing to decode.
pub fn decoded(value: &[u8]) -> Cow<'_, str> {
    plain(value).map_or_else(|| Cow::Owned(decode(value)), Cow::Borrowed)
}

/// A header value as a reader sees it: encoded words decoded, raw 8-bit guessed, white space and control characters
/// as [`clean`] leaves them.
pub fn decode(value: &[u8]) -> String {
    if let Some(plain) = plain(value) {
        return plain.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut run = Run::default();
    // `copied`: all before it stands in `out` or `run`; `at`: where to look for the next word.
    let (mut copied, mut at) = (0, 0);
    while let Some(n) = memmem::find(&value[at..], b"=?") {
        let start = at + n;
        let Some((word, end)) = encoded_word(value, start) else {
            at = start + 2;
            continue;
        };
        let gap = &value[copied..start];
        // White space between two words is no text (RFC 2047 6.2).
        if !run.open || !gap.trim_ascii().is_empty() {
            run.flush(&mut out);
            out.push_str(&guess(gap));
        }
        run.add(&word, &mut out);
        copied = end;
        at = end;
    }
    run.flush(&mut out);
    out.push_str(&guess(&value[copied..]));
    clean(&out)
}

/// As [`clean`], without a copy where there is nothing to clean.
pub fn cleaned(text: &str) -> Cow<'_, str> {
    plain(text.as_bytes()).map_or_else(|| Cow::Owned(clean(text)), Cow::Borrowed)
}

/// Without control, bidi and zero-width characters, each run of white space as one space, none at either end.
pub fn clean(text: &str) -> String {
    if let Some(plain) = plain(text.as_bytes()) {
        return plain.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = !out.is_empty();
        } else if !is_invisible(c) {
            if gap {
                out.push(' ');
                gap = false;
            }
            out.push(c);
        }
    }
    out
}

/// Control (C0, C1, DEL), bidi, zero-width and tag characters: what must never reach a terminal or a page.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// Bytes in a charset named by mail, as text. An unknown or wrong charset is guessed.
pub fn from_charset(charset: &[u8], bytes: &[u8]) -> String {
    // RFC 2231 5 allows a language behind the charset: `utf-8*en`.
    let label = charset
        .split(|b| *b == b'*')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    if label.eq_ignore_ascii_case(b"us-ascii") || label.is_empty() || label.len() > LONGEST_CHARSET
    {
        return guess(bytes).into_owned();
    }
    match Encoding::for_label_no_replacement(label) {
        Some(encoding) if encoding == UTF_8 => String::from_utf8_lossy(bytes).into_owned(),
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        // UTF-7 and the code pages of DOS, which the web does without.
        None => match mail_parser::decoders::charsets::map::charset_decoder(label) {
            Some(decoder) => decoder(bytes),
            None => guess(bytes).into_owned(),
        },
    }
}

/// Bytes without a charset: UTF-8 where they are that, else windows-1252.
pub fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// One parameter of a structured value (`attachment; filename="list.csv"`), decoded; `None` where it is not there.
///
/// RFC 2231 charsets and continuations are honoured, and so are RFC 2047 words, which do not belong there but are
/// common. The extended form wins over the plain one.
pub fn param(value: &[u8], name: &str) -> Option<String> {
    let mut plain = None;
    let mut parts: Vec<(usize, bool, Vec<u8>)> = Vec::new();
    for (key, text) in Params::new(value) {
        let Some(rest) = key
            .get(..name.len())
            .filter(|k| k.eq_ignore_ascii_case(name.as_bytes()))
            .map(|k| &key[k.len()..])
        else {
            continue;
        };
        match rest {
            b"" => plain = plain.or(Some(text)),
            b"*" => parts.push((0, true, text)),
            [b'*', number @ ..] if parts.len() < MOST_CONTINUATIONS => {
                let (number, extended) = number
                    .strip_suffix(b"*")
                    .map_or((number, false), |n| (n, true));
                if let Some(number) = std::str::from_utf8(number)
                    .ok()
                    .and_then(|n| n.parse().ok())
                {
                    parts.push((number, extended, text));
                }
            }
            _ => {}
        }
    }
    if parts.is_empty() {
        plain.map(|text| decode(&text))
    } else {
        Some(join_continuations(parts))
    }
}

/// The text of RFC 2231 continuations, put in order.
fn join_continuations(mut parts: Vec<(usize, bool, Vec<u8>)>) -> String {
    parts.sort_by_key(|(number, ..)| *number);
    let mut charset = Vec::new();
    let mut bytes = Vec::new();
    for (i, (_, extended, text)) in parts.iter().enumerate() {
        let mut text = text.as_slice();
        if i == 0 && *extended {
            let mut pieces = text.splitn(3, |b| *b == b'\'');
            if let (Some(label), Some(_), Some(rest)) =
                (pieces.next(), pieces.next(), pieces.next())
            {
                charset = label.to_vec();
                text = rest;
            }
        }
        if *extended {
            unescape(text, b'%', None, &mut bytes)
        } else {
            bytes.extend_from_slice(text)
        }
    }
    if charset.is_empty() && memmem::find(&bytes, b"=?").is_some() {
        return decode(&bytes);
    }
    clean(&from_charset(&charset, &bytes))
}

/// The parameters of a structured value: key and text, quotes and escapes removed.
struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Params<'a> {
    fn new(value: &'a [u8]) -> Self {
        Self {
            rest: memchr(b';', value).map_or(&[], |n| &value[n + 1..]),
        }
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = (&'a [u8], Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let end = self.rest.iter().position(|b| matches!(b, b'=' | b';'))?;
            let (key, rest) = (self.rest[..end].trim_ascii(), &self.rest[end + 1..]);
            if self.rest[end] == b';' {
                self.rest = rest;
                continue;
            }
            let rest = rest.trim_ascii_start();
            let (text, used) = if rest.first() == Some(&b'"') {
                quoted(rest)
            } else {
                let end = memchr(b';', rest).unwrap_or(rest.len());
                (rest[..end].trim_ascii().to_vec(), end)
            };
            let rest = &rest[used..];
            self.rest = memchr(b';', rest).map_or(&[], |n| &rest[n + 1..]);
            return Some((key, text));
        }
    }
}

/// The text of the quoted string that `bytes` begins with, unescaped and unfolded, and how many bytes it takes.
fn quoted(bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut text = Vec::new();
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return (text, at + 1),
            // Windows paths are written with single backslashes; only what needs an escape is taken for one.
            b'\\' if matches!(bytes.get(at + 1), Some(b'"' | b'\\')) => {
                at += 1;
                text.push(bytes[at]);
            }
            b'\r' | b'\n' => {}
            _ => text.push(byte),
        }
        at += 1;
    }
    (text, at)
}

/// One RFC 2047 word: its charset and its bytes.
struct EncodedWord<'a> {
    charset: &'a [u8],
    bytes: Vec<u8>,
}

/// The encoded word that begins at `start`, and where it ends.
///
/// The search never goes beyond the next `=?`, so all searches together are linear.
fn encoded_word(value: &[u8], start: usize) -> Option<(EncodedWord<'_>, usize)> {
    let rest = &value[start + 2..];
    let mark = memchr(b'?', &rest[..rest.len().min(LONGEST_CHARSET)])?;
    let charset = &rest[..mark];
    let (encoding, text) = match rest.get(mark + 1..)? {
        [encoding, b'?', text @ ..] => (encoding.to_ascii_lowercase(), text),
        _ => return None,
    };
    if !matches!(encoding, b'b' | b'q') || !charset.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let next = memmem::find(text, b"=?").unwrap_or(text.len());
    let end = memmem::find(&text[..text.len().min(next + 1)], b"?=")
        // Base64 padding before the end: `…==?=`.
        .or_else(|| text[next..].starts_with(b"=?=").then_some(next + 1))?;
    let mut bytes = Vec::with_capacity(end);
    if encoding == b'b' {
        base64(&text[..end], usize::MAX, &mut bytes);
    } else {
        unescape(&text[..end], b'=', Some(b'_'), &mut bytes);
    }
    Some((
        EncodedWord { charset, bytes },
        start + 2 + mark + 3 + end + 2,
    ))
}

/// Adjacent encoded words of one charset: their bytes are joined before they are decoded, because mailers split
/// characters of several bytes over words, although RFC 2047 5 forbids it.
#[derive(Default)]
struct Run {
    open: bool,
    charset: Vec<u8>,
    bytes: Vec<u8>,
}

impl Run {
    fn add(&mut self, word: &EncodedWord<'_>, out: &mut String) {
        if self.open && !self.charset.eq_ignore_ascii_case(word.charset) {
            self.flush(out);
        }
        if !self.open {
            self.open = true;
            self.charset.clear();
            self.charset.extend_from_slice(word.charset);
        }
        self.bytes.extend_from_slice(&word.bytes);
    }

    fn flush(&mut self, out: &mut String) {
        if self.open {
            out.push_str(&from_charset(&self.charset, &self.bytes));
            self.bytes.clear();
            self.open = false;
        }
    }
}

/// `value` itself where there is nothing to decode or clean: printable ASCII, no `=?`, no double or outer space.
fn plain(value: &[u8]) -> Option<&str> {
    // Without a branch for each byte: every subject and every cell comes by here.
    let (mut plain, mut last) = (true, b' ');
    for &byte in value {
        let two_spaces = (byte == b' ') & (last == b' ');
        let encoded = (byte == b'?') & (last == b'=');
        plain &= (b' '..=b'~').contains(&byte) & !two_spaces & !encoded;
        last = byte;
    }
    if plain && (last != b' ' || value.is_empty()) {
        std::str::from_utf8(value).ok()
    } else {
        None
    }
}

/// Decodes `=41` or `%41` escapes and the character that stands for a space, if any; all else stands for itself.
pub(super) fn unescape(text: &[u8], mark: u8, space: Option<u8>, out: &mut Vec<u8>) {
    let mut at = 0;
    while at < text.len() {
        match hex_pair(&text[at + 1..]).filter(|_| text[at] == mark) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if Some(text[at]) == space {
                    b' '
                } else {
                    text[at]
                });
                at += 1;
            }
        }
    }
}

/// The byte that two hexadecimal digits at the front of `bytes` stand for.
pub(super) fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    Some((digit(*bytes.first()?)? << 4 | digit(*bytes.get(1)?)?) as u8)
}

/// Decodes base64 leniently until `limit` bytes stand in `out`: what is not of its alphabet is skipped, and text
/// joined behind padding is read on (RFC 2045 6.8).
pub(super) fn base64(text: &[u8], limit: usize, out: &mut Vec<u8>) {
    let (mut bits, mut held) = (0u32, 0u32);
    for &byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                (bits, held) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            if out.len() >= limit {
                return;
            }
            out.push((bits >> held) as u8);
        }
    }
}

/// [`unfold`], then [`decode`]: for values whose folds are no part of the text.
pub fn decode_folded(value: &[u8]) -> String {
    decode(&unfold(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_decoded_and_joined() {
        assert_eq!(decode(b"=?ISO-8859-1?Q?Andr=E9_?= Pirard"), "André Pirard");
        assert_eq!(
            decode(b"=?utf-8?Q?a?= =?utf-8?q?b?=\r\n =?UTF-8?B?Yw==?= d"),
            "abc d"
        );
        assert_eq!(decode(b"Re: =?utf-8?B?w6k=?=!"), "Re: é!");
        assert_eq!(decode(b"=?utf-8?Q?What??="), "What?");
        assert_eq!(decode(b"=?utf-8?Q?a_=5F?="), "a _");
    }

    #[test]
    fn a_character_split_over_two_words_survives() {
        assert_eq!(decode(b"=?utf-8?Q?=C3?= =?utf-8?Q?=A9?="), "é");
        assert_eq!(decode(b"=?utf-8?B?4oI=?=\n =?UTF-8?B?rA==?="), "€");
        assert_eq!(decode(b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?="), "日本");
    }

    #[test]
    fn a_bad_charset_or_word_never_fails() {
        assert_eq!(decode(b"=?x-nothing?Q?=C3=A9?="), "é");
        assert_eq!(decode(b"=?x-nothing?Q?=E9?="), "é");
        assert_eq!(decode(b"=?utf-8*en?Q?a?="), "a");
        assert_eq!(
            decode(b"=?utf-8?X?a?= =?utf-8?Q?open"),
            "=?utf-8?X?a?= =?utf-8?Q?open"
        );
        assert_eq!(decode(b"=?utf-8?Q?=G1=?="), "=G1=");
        assert_eq!(decode(b"=?utf-7?Q?+AOk-?="), "é");
    }

    #[test]
    fn raw_8_bit_is_utf_8_or_windows_1252() {
        assert_eq!(decode("Jörg".as_bytes()), "Jörg");
        assert_eq!(decode(b"J\xf6rg \x80"), "Jörg €");
    }

    #[test]
    fn control_and_bidi_characters_are_removed() {
        assert_eq!(
            clean("a\0\u{1b}[31m\u{202e}b\u{200b}\r\n\t c\u{85}d\0\0"),
            "a[31mb c d"
        );
        assert_eq!(decode(b"=?utf-8?Q?a=0Ab=1B=E2=80=AEc?="), "a bc");
        assert_eq!(clean("  \u{feff} "), "");
        assert_eq!(clean(""), "");
    }

    #[test]
    fn parameters_are_decoded() {
        let value = b"attachment; filename*0*=utf-8'en'list%20of; filename*1=\" people\"; filename*2*=%C3%A9.csv";
        assert_eq!(
            param(value, "filename").as_deref(),
            Some("list of peopleé.csv")
        );
        assert_eq!(
            param(b"a/b; name=\"=?utf-8?Q?=C3=A9?=; x.csv\"; c=d", "Name").as_deref(),
            Some("é; x.csv")
        );
        assert_eq!(param(b"a/b;c=d;NAME = e ; f", "name").as_deref(), Some("e"));
        assert_eq!(
            param(b"a; filename=plain; filename*=iso-8859-1''%E9", "filename").as_deref(),
            Some("é")
        );
        assert_eq!(
            param(b"a; name=\"C:\\dir\\a \\\"b\\\"\"", "name").as_deref(),
            Some("C:\\dir\\a \"b\"")
        );
        assert_eq!(param(b"a/b; name=\"open", "name").as_deref(), Some("open"));
        assert_eq!(param(b"a/b", "name"), None);
        assert_eq!(param(b"a/b; ; =; ==;\"", "name"), None);
    }

    #[test]
    fn much_garbage_is_decoded() {
        for pattern in ["=?a?Q?", "=?", "=?a?Q?=?=", "?=", "=?a?B?=?"] {
            let garbage = pattern.repeat(1_000_000 / pattern.len());
            decode(garbage.as_bytes());
        }
    }
}
