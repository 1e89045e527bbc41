//! The content of one part as it is sent: its transfer encoding (RFC 2045 6) and its charset undone, no more of it than is
//! asked for. What the content means is no matter here.

use super::header::{Head, Name};
use super::text::{self, from_charset, guess, param};
use std::borrow::Cow;

/// How a content is coded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    encoding: Encoding,
    charset: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
}

impl Coding {
    /// What the head of a part says.
    pub(super) fn of(head: &Head<'_>, content_type: &[u8]) -> Self {
        let encoding = head
            .first(Name::ContentTransferEncoding)
            .unwrap_or_default()
            .trim_ascii();
        let encoding = if encoding.eq_ignore_ascii_case(b"base64") {
            Encoding::Base64
        } else if encoding.eq_ignore_ascii_case(b"quoted-printable") {
            Encoding::QuotedPrintable
        } else {
            Encoding::Plain
        };
        Coding {
            encoding,
            charset: param(content_type, "charset")
                .unwrap_or_default()
                .into_bytes(),
        }
    }

    /// The bytes, of which no more than about `limit` are decoded; what is not encoded is borrowed, all of it.
    pub(super) fn bytes<'a>(&self, content: &'a [u8], limit: usize) -> Cow<'a, [u8]> {
        let mut out = Vec::new();
        match self.encoding {
            Encoding::Plain => return Cow::Borrowed(content),
            Encoding::Base64 => text::base64(content, limit, &mut out),
            Encoding::QuotedPrintable => quoted_printable(content, limit, &mut out),
        }
        Cow::Owned(out)
    }

    /// The text, of which no more than about `limit` bytes are decoded.
    pub(super) fn text(&self, content: &[u8], limit: usize) -> String {
        let bytes = self.bytes(content, limit);
        let cut = bytes.len() >= limit;
        let bytes = &bytes[..bytes.len().min(limit)];
        if self.charset.is_empty() {
            return guess(if cut { whole_chars(bytes) } else { bytes }).into_owned();
        }
        from_charset(&self.charset, bytes)
    }
}

/// Without the torn character that cutting may leave at the end of UTF-8.
fn whole_chars(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    }
}

/// Decodes quoted-printable (RFC 2045 6.7) until `limit` bytes stand in `out`; what is no escape stands for itself.
fn quoted_printable(content: &[u8], limit: usize, out: &mut Vec<u8>) {
    let mut at = 0;
    while at < content.len() && out.len() < limit {
        let byte = content[at];
        at += 1;
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        if let Some(escaped) = text::hex_pair(&content[at..]) {
            out.push(escaped);
            at += 2;
            continue;
        }
        // A soft line break, with white space that a gateway may have added before the line end.
        let blank = content[at..]
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        match &content[at + blank..] {
            [b'\r', b'\n', ..] => at += blank + 2,
            [b'\n' | b'\r', ..] => at += blank + 1,
            [] => at += blank,
            _ => out.push(b'='),
        }
    }
}
