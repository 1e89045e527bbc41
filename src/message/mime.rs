//! The readable part of a body: text, attachment names (RFC 2045, 2046, 2183, 3676), and where messages, invitations and
//! contacts stand in it. Attachments are never decoded here; of those three [`super::inside`] decodes the beginning.
//!
//! One walk over the lines that begin with `--`; no recursion, and nothing is looked at twice, so that 10,000 nested
//! or 100,000 parallel parts cost what their bytes cost. mail-parser's own reader is not used: it decodes every
//! attachment, and seeks a boundary that is missing to the end of the mail once for each part that names one. Its
//! tables of charsets and HTML entities are.

use super::content::Coding;
use super::header::{Head, Name};
use super::text::{self, param};
use super::{clean_lines, html};
use memchr::memmem;

/// Deepest nesting of multiparts that is followed. Real mail that was forwarded a dozen times has about 20.
const DEEPEST: usize = 64;
/// Most parts that are looked at.
const MOST_PARTS: usize = 100_000;
/// Most attachment names that are kept, and the longest.
const MOST_NAMES: usize = 1000;
const LONGEST_NAME: usize = 255;
/// How much of an attached message is decoded for its subject.
const LONGEST_HEAD: usize = 64 << 10;
/// Most enclosed messages, invitations and contacts that are told.
const MOST_ENCLOSED: usize = 200;
/// HTML is this much longer than its text, with a style sheet before it.
const HTML_FACTOR: usize = 8;
const STYLE_SHEET: usize = 256 << 10;

/// What judgement reads of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body<'a> {
    /// Plain text, or the text of the HTML where there is no plain text; bounded.
    pub text: String,
    /// File names of the attachments, decoded.
    pub attachments: Vec<String>,
    /// Parts that may hold a list of people, in order.
    pub enclosed: Vec<Enclosed<'a>>,
}

/// A part that may hold a list of people, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosed<'a> {
    /// What it is.
    pub(super) what: What,
    pub(super) coding: Coding,
    pub(super) content: &'a [u8],
}

/// What an enclosed part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A message (RFC 2046 5.2.1), or a file of one.
    Message,
    /// An invitation (RFC 5545).
    Calendar,
    /// Contacts (RFC 6350).
    Cards,
}

impl What {
    /// What a media type says, or the name of a file of a type that says nothing.
    fn of(kind: &[u8], name: Option<&str>) -> Option<Self> {
        match kind {
            b"message/rfc822" | b"message/global" => Some(What::Message),
            b"text/calendar" | b"application/ics" => Some(What::Calendar),
            b"text/vcard" | b"text/x-vcard" | b"text/directory" | b"application/vcard" => {
                Some(What::Cards)
            }
            b"" | b"application/octet-stream" | b"text/plain" => {
                let name = name?.as_bytes();
                let ending = name.get(name.len().checked_sub(4)?..)?;
                match ending.to_ascii_lowercase().as_slice() {
                    b".eml" => Some(What::Message),
                    b".ics" => Some(What::Calendar),
                    b".vcf" => Some(What::Cards),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The readable part of a mail. At most about `limit` bytes of text are decoded; any bytes give some body.
pub(super) fn read<'a>(head: &Head<'a>, limit: usize) -> Body<'a> {
    let mut walk = Walk {
        raw: head.body(),
        limit,
        levels: Vec::new(),
        texts: Vec::new(),
        taken: [0; 2],
        names: Vec::new(),
        enclosed: Vec::new(),
        parts: 0,
        groups: 0,
    };
    match walk.enter(head, false) {
        Entered::Multipart => walk.parts(),
        Entered::Leaf(leaf) => walk.leaf(&leaf, head.body()),
    }
    if walk.parts == 0 && walk.texts.is_empty() && !walk.levels.is_empty() {
        // The boundary of the outermost multipart stands nowhere: what is there is text, if anything.
        let leaf = leaf_of(head, b"", b"", 0, false, true);
        walk.leaf(&leaf, head.body());
    }
    let text = compose(&walk.texts, limit);
    Body {
        text,
        attachments: walk.names,
        enclosed: walk.enclosed,
    }
}

/// The boundary of a mail's own multipart, if it is one.
pub(super) fn outer_boundary(head: &Head<'_>) -> Option<Vec<u8>> {
    let content_type = head.first(Name::ContentType)?;
    let multipart = content_type.trim_ascii_start().get(..10)?;
    multipart
        .eq_ignore_ascii_case(b"multipart/")
        .then(|| boundary(content_type))?
}

/// A multipart that is open.
struct Level {
    boundary: Vec<u8>,
    /// Number of the nearest multipart/alternative around its parts; 0 where there is none.
    group: usize,
    digest: bool,
}

/// Text of one part.
struct Text {
    group: usize,
    html: bool,
    text: String,
}

/// A part without parts, as its head describes it.
struct Leaf {
    kind: Kind,
    group: usize,
    coding: Coding,
    flowed: Option<bool>,
    name: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Html,
    Enclosed(What),
    Other,
}

enum Entered {
    Multipart,
    Leaf(Leaf),
}

struct Walk<'a> {
    raw: &'a [u8],
    limit: usize,
    levels: Vec<Level>,
    texts: Vec<Text>,
    /// Bytes of plain text and of text from HTML that are in `texts`.
    taken: [usize; 2],
    names: Vec<String>,
    enclosed: Vec<Enclosed<'a>>,
    parts: usize,
    groups: usize,
}

impl<'a> Walk<'a> {
    /// Reads the head of a part: opens a level for a multipart, else says what the part is.
    fn enter(&mut self, head: &Head<'_>, digest: bool) -> Entered {
        let content_type = head.first(Name::ContentType).unwrap_or_default();
        let kind = content_type
            .split(|b| *b == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii()
            .to_ascii_lowercase();
        let group = self.levels.last().map_or(0, |level| level.group);
        if kind.starts_with(b"multipart/")
            && self.levels.len() < DEEPEST
            && let Some(boundary) = boundary(content_type)
        {
            let group = if kind == b"multipart/alternative" {
                self.groups += 1;
                self.groups
            } else {
                group
            };
            self.levels.push(Level {
                boundary,
                group,
                digest: kind == b"multipart/digest",
            });
            return Entered::Multipart;
        }
        Entered::Leaf(leaf_of(
            head,
            content_type,
            &kind,
            group,
            digest,
            self.levels.is_empty(),
        ))
    }

    /// Walks the parts of the body, whose outermost level is open.
    fn parts(&mut self) {
        let mut open: Option<(Leaf, usize)> = None;
        let mut at = 0;
        while let Some((start, end, level, closing)) = self.next_border(at) {
            let raw = self.raw;
            if let Some((leaf, from)) = open.take() {
                self.leaf(&leaf, &raw[from..start.max(from)]);
            }
            self.levels.truncate(level + 1);
            at = end;
            if closing {
                self.levels.pop();
                if self.levels.is_empty() {
                    return;
                }
                continue;
            }
            self.parts += 1;
            if self.parts > MOST_PARTS {
                return;
            }
            let digest = self.levels.last().is_some_and(|level| level.digest);
            let head_end = self.head_end(end);
            let head = Head::new(&self.raw[end..head_end]);
            if let Entered::Leaf(leaf) = self.enter(&head, digest) {
                // A head that ends without a blank line has its first lines of text counted as body.
                open = Some((leaf, head_end - head.body().len()));
            }
            at = head_end;
        }
        let raw = self.raw;
        if let Some((leaf, from)) = open {
            self.leaf(&leaf, &raw[from..]);
        }
    }

    /// The next line from `at` on that is a boundary of an open level: where it starts, the line end before it
    /// included, where it ends, which level, and whether it closes the level.
    fn next_border(&self, at: usize) -> Option<(usize, usize, usize, bool)> {
        let mut from = at;
        while let Some(n) = memmem::find(&self.raw[from..], b"--") {
            let start = from + n;
            if start == 0 || matches!(self.raw[start - 1], b'\n' | b'\r') {
                let end = self.line_end(start);
                if let Some((level, closing)) = self.level_of(&self.raw[start..end]) {
                    let before = &self.raw[..start];
                    let before = before.strip_suffix(b"\n").unwrap_or(before);
                    let before = before.strip_suffix(b"\r").unwrap_or(before);
                    return Some((before.len(), end, level, closing));
                }
                from = end.max(start + 2);
            } else {
                from = start + 2;
                // `x---b`: the boundary cannot begin inside a line, so the rest of the dashes are skipped.
                while self.raw.get(from) == Some(&b'-') {
                    from += 1;
                }
            }
        }
        None
    }

    /// Where the line that holds `at` ends, its end included.
    fn line_end(&self, at: usize) -> usize {
        match memchr::memchr2(b'\n', b'\r', &self.raw[at..]) {
            Some(n) if self.raw[at + n..].starts_with(b"\r\n") => at + n + 2,
            Some(n) => at + n + 1,
            None => self.raw.len(),
        }
    }

    /// The innermost open level whose boundary `line` is, and whether it closes it.
    fn level_of(&self, line: &[u8]) -> Option<(usize, bool)> {
        let line = line.trim_ascii_end().strip_prefix(b"--")?;
        self.levels.iter().enumerate().rev().find_map(|(n, level)| {
            match line.strip_prefix(level.boundary.as_slice()) {
                Some(b"") => Some((n, false)),
                Some(b"--") => Some((n, true)),
                _ => None,
            }
        })
    }

    /// Where the head of the part that begins at `start` ends, its blank line included: at the latest before the next
    /// boundary.
    fn head_end(&self, start: usize) -> usize {
        let mut at = start;
        while at < self.raw.len() {
            let end = self.line_end(at);
            let text = &self.raw[at..end];
            if text.starts_with(b"--") && self.level_of(text).is_some() {
                return at;
            }
            if matches!(text, b"\n" | b"\r" | b"\r\n") {
                return end;
            }
            at = end;
        }
        at
    }

    /// Takes the name of a part, or its text.
    fn leaf(&mut self, leaf: &Leaf, content: &'a [u8]) {
        match leaf.kind {
            Kind::Enclosed(what) => {
                // Mail clients show an attached mail by its subject.
                let subject = || {
                    let start = leaf.coding.bytes(content, LONGEST_HEAD);
                    let subject = Head::new(&start).first(Name::Subject).map(text::decode);
                    subject.filter(|subject| what == What::Message && !subject.is_empty())
                };
                self.add_name(leaf.name.clone().or_else(subject));
                if self.enclosed.len() < MOST_ENCLOSED {
                    self.enclosed.push(Enclosed {
                        what,
                        coding: leaf.coding.clone(),
                        content,
                    });
                }
            }
            Kind::Other => self.add_name(leaf.name.clone()),
            Kind::Plain | Kind::Html => {
                let html = leaf.kind == Kind::Html;
                let limit = if html {
                    self.limit
                        .saturating_mul(HTML_FACTOR)
                        .saturating_add(STYLE_SHEET)
                } else {
                    self.limit
                };
                if self.taken[usize::from(html)] >= self.limit {
                    return;
                }
                let text = leaf.coding.text(content, limit);
                let text = if html {
                    html::to_text(&text, self.limit)
                } else {
                    text
                };
                let text = match leaf.flowed {
                    Some(delsp) => unflow(&text, delsp),
                    None => text,
                };
                let text = clean_lines(&text);
                if !text.is_empty() {
                    self.taken[usize::from(html)] += text.len();
                    self.texts.push(Text {
                        group: leaf.group,
                        html,
                        text,
                    });
                }
            }
        }
    }

    fn add_name(&mut self, name: Option<String>) {
        if let Some(mut name) = name.filter(|_| self.names.len() < MOST_NAMES) {
            if let Some((cut, _)) = name.char_indices().nth(LONGEST_NAME) {
                name.truncate(cut);
            }
            self.names.push(name);
        }
    }
}

/// What the head of a part without parts says of it. `whole`: it is the body of the mail itself.
fn leaf_of(
    head: &Head<'_>,
    content_type: &[u8],
    kind: &[u8],
    group: usize,
    digest: bool,
    whole: bool,
) -> Leaf {
    let disposition = head.first(Name::ContentDisposition).unwrap_or_default();
    let attached = disposition
        .get(..10)
        .is_some_and(|front| front.eq_ignore_ascii_case(b"attachment"));
    let name = param(disposition, "filename")
        .or_else(|| param(content_type, "name"))
        .filter(|name| !name.is_empty());
    let what = What::of(kind, name.as_deref().filter(|_| !whole));
    let kind = match (kind, what) {
        (b"", None) if digest => Kind::Enclosed(What::Message),
        (_, Some(what)) => Kind::Enclosed(what),
        (kind, None) => kind_of(kind, attached, name.is_some(), whole),
    };
    let is = |name: &str, value: &str| {
        param(content_type, name).is_some_and(|p| p.eq_ignore_ascii_case(value))
    };
    Leaf {
        kind,
        group,
        coding: Coding::of(head, content_type),
        flowed: (kind == Kind::Plain && is("format", "flowed")).then(|| is("delsp", "yes")),
        name,
    }
}

/// Whether a part that encloses nothing is text. `named`: it has a file name.
fn kind_of(kind: &[u8], attached: bool, named: bool, whole: bool) -> Kind {
    match kind {
        _ if attached => Kind::Other,
        // A file name makes text an attachment, but not the text that is the whole mail.
        _ if named && !whole => Kind::Other,
        b"" | b"text" | b"text/plain" => Kind::Plain,
        b"text/html" => Kind::Html,
        // A multipart that names no boundary can only be read as it stands.
        kind if whole && kind.starts_with(b"multipart/") => Kind::Plain,
        _ => Kind::Other,
    }
}

/// The boundary that a content type names; what cannot be one is none.
fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let boundary = param(content_type, "boundary")?;
    let boundary = boundary.trim_end();
    // RFC 2046 5.1.1 allows 70 characters.
    (!boundary.is_empty() && boundary.len() <= 255).then(|| boundary.as_bytes().to_vec())
}

/// The texts of a mail in order. Of the parts of a multipart/alternative, HTML gives way to plain text.
fn compose(texts: &[Text], limit: usize) -> String {
    let mut plain: Vec<usize> = texts
        .iter()
        .filter(|t| !t.html && t.group > 0)
        .map(|t| t.group)
        .collect();
    plain.sort_unstable();
    let mut out = String::new();
    for text in texts {
        if text.html && plain.binary_search(&text.group).is_ok() {
            continue;
        }
        if out.len() >= limit {
            break;
        }
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        out.push_str(&text.text);
    }
    if out.len() > limit {
        let cut = (0..=limit)
            .rev()
            .find(|&n| out.is_char_boundary(n))
            .unwrap_or(0);
        out.truncate(cut);
    }
    out
}

/// Joins the lines of format=flowed text (RFC 3676); `delsp`: the space at a soft break is no part of the text.
fn unflow(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut soft_depth = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|b| *b == b'>').count();
        let inner = &line[depth..];
        let inner = inner.strip_prefix(' ').unwrap_or(inner);
        let joins = soft_depth == Some(depth) && inner != "-- ";
        if !joins {
            if soft_depth.is_some() || !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&line[..depth]);
            if depth > 0 {
                out.push(' ');
            }
        }
        let soft = inner.ends_with(' ') && inner != "-- ";
        out.push_str(if soft && delsp {
            &inner[..inner.len() - 1]
        } else {
            inner
        });
        soft_depth = soft.then_some(depth);
    }
    out
}

#[cfg(test)]
#[path = "mime_tests.rs"]
mod tests;
