//! Address lists (RFC 5322 3.4 and 4.4): `Ann <ann@x.example>, clinic: bob@x.example;`, and what real mail makes of
//! them. One pass from left to right over the raw bytes finds the structure; only then are names decoded, so that a
//! comma inside an encoded name separates nothing. A bad neighbour never costs a good one: an opening quote, comment
//! or angle bracket that would swallow a neighbour is taken for a stray character.
//!
//! Every search that fails to find an end is remembered (`no_quote`, `no_comment`), so the whole is linear.
//! Not a validator, and not a reader of heads; that is [`super::header`].

use super::address::Address;
use super::mailbox::{self, Word};
use super::recipients::Mailbox;
use memchr::{memchr, memchr2};

/// Longest name of a group, in characters: each member carries it.
const LONGEST_GROUP: usize = 256;

/// The mailboxes of one address-list header value (RFC 5322 3.4, with the malformed forms of real mail), in order,
/// each with the name of the group that it stands in. `value` is the raw value, folds included.
///
/// A name without an address is kept, but not a marker such as `undisclosed-recipients`, and not an empty group.
pub fn parse_list(value: &[u8]) -> Vec<(Mailbox, Option<String>)> {
    let value = value.trim_ascii();
    // The commonest value of all, `ann@x.example`, needs no parser.
    if !value
        .iter()
        .any(|b| b.is_ascii_whitespace() || b"\"(<>,;:\\[]'=".contains(b))
        && let Some(address) = std::str::from_utf8(value).ok().and_then(Address::new)
    {
        return mailbox::make(Some(address), String::new())
            .map(|mailbox| (mailbox, None))
            .into_iter()
            .collect();
    }
    let mut parser = Parser::new(value);
    parser.run();
    super::comma::merge(parser.out)
}

/// What ended a mailbox, and of which sort it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The separator behind it: `,`, `;`, or 0 where there was none.
    pub(super) end: u8,
    /// True where the address stood in angle brackets.
    pub(super) angle: bool,
}

/// A mailbox as parsed.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) mailbox: Mailbox,
    pub(super) group: Option<String>,
    pub(super) shape: Shape,
}

/// An address in angle brackets.
#[derive(Clone, Copy)]
struct Angle {
    /// How many words stood before it.
    before: usize,
    start: usize,
    end: usize,
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    /// White space or a comment stood before the next word.
    space: bool,
    /// A line end stood before the next word.
    fold: bool,
    words: Vec<Word>,
    /// One of the words holds the `@` of an address.
    at_sign: bool,
    angle: Option<Angle>,
    comment: Option<(usize, usize)>,
    group: Option<String>,
    no_quote: bool,
    no_comment: bool,
    out: Vec<Parsed>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            space: false,
            fold: false,
            words: Vec::with_capacity(8),
            at_sign: false,
            angle: None,
            comment: None,
            group: None,
            no_quote: false,
            no_comment: false,
            out: Vec::new(),
        }
    }

    fn run(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | 0 => {
                    self.space = true;
                    self.fold |= matches!(byte, b'\r' | b'\n');
                    self.at += 1;
                }
                b'"' => self.quote(),
                b'(' if !self.in_dn() => self.comment(),
                b'<' => self.angle(),
                b',' => self.separate(b','),
                b';' => {
                    self.separate(b';');
                    self.group = None;
                }
                b':' => self.colon(),
                // Strays: ends of what never began.
                b'>' => self.at += 1,
                _ => self.atom(),
            }
        }
        self.finish(0);
    }

    /// True inside an X.500 name (`/O=ORG/OU=SITE (ABC)/CN=ANN`), whose parentheses are no comments.
    fn in_dn(&self) -> bool {
        self.words
            .first()
            .is_some_and(|word| mailbox::is_dn(word.bytes(self.text)))
    }

    fn push(&mut self, start: usize, end: usize, quoted: bool) {
        let word = Word {
            start,
            end,
            quoted,
            space: self.space,
            fold: self.fold,
        };
        (self.space, self.fold) = (false, false);
        self.at_sign |= word.holds_at(self.text);
        self.words.push(word);
    }

    fn quote(&mut self) {
        let start = self.at + 1;
        match self
            .quote_end(start)
            .filter(|end| !self.swallows_as_quote(start, *end))
        {
            Some(end) => {
                if end > start {
                    self.push(start, end, true);
                } else {
                    self.space = true;
                }
                self.at = end + 1;
            }
            None => {
                self.space = true;
                self.at = start;
            }
        }
    }

    /// Where the quoted string whose text begins at `start` has its closing quote.
    fn quote_end(&mut self, start: usize) -> Option<usize> {
        let mut at = start;
        while !self.no_quote {
            match memchr2(b'"', b'\\', &self.text[at.min(self.text.len())..]) {
                Some(n) if self.text[at + n] == b'"' => return Some(at + n),
                Some(n) => at += n + 2,
                None => self.no_quote = true,
            }
        }
        None
    }

    /// True where a quoted string holds whole neighbours, because a quote is missing.
    fn swallows_as_quote(&self, start: usize, end: usize) -> bool {
        let text = &self.text[start..end];
        if holds_angle_addr(text) {
            return true;
        }
        let glued = self
            .text
            .get(end + 1)
            .is_some_and(|b| b.is_ascii_alphanumeric() || !b.is_ascii());
        glued && memchr(b'@', text).is_some_and(|n| memchr2(b',', b';', &text[n..]).is_some())
    }

    fn comment(&mut self) {
        let start = self.at;
        match self.comment_end(start) {
            Some(end) => {
                self.comment = Some((start + 1, end));
                self.at = end + 1;
            }
            None => self.at += 1,
        }
        self.space = true;
    }

    /// Where the comment that begins with the `(` at `start` has its closing `)`. Comments nest.
    fn comment_end(&mut self, start: usize) -> Option<usize> {
        if self.no_comment {
            return None;
        }
        let mut depth = 0usize;
        let mut at = start;
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b'\\' => at += 1,
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                if holds_angle_addr(&self.text[start..at]) {
                    break;
                }
                return Some(at);
            }
            at += 1;
        }
        // One comment without an end, or with neighbours inside, and the rest are read as words.
        self.no_comment = true;
        None
    }

    fn angle(&mut self) {
        if self.angle.is_some() {
            // A comma is missing: `<a@x.example> Bob <b@x.example>`. The words between are the name of the second.
            self.finish_keeping_words();
        }
        let (start, end, resume) = self.angle_end(self.at + 1);
        if !self.text[start..end].trim_ascii().is_empty() {
            self.angle = Some(Angle {
                before: self.words.len(),
                start,
                end,
            });
        }
        self.space = true;
        self.at = resume;
    }

    /// For the angle bracket whose text begins at `start`: where its address begins (behind a source route) and ends,
    /// and where to read on. Without a closing bracket it ends before the next separator or opening bracket.
    fn angle_end(&mut self, start: usize) -> (usize, usize, usize) {
        let start = self.skip_route(start);
        let mut at = start;
        if self.text.get(at) == Some(&b'"')
            && let Some(end) = self.quote_end(at + 1)
            && matches!(self.text.get(end + 1), Some(b'@' | b'.'))
        {
            at = end;
        }
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b'>' => return (start, at, at + 1),
                b'<' | b',' | b';' => return (start, at, at),
                b'\\' => at += 1,
                b'(' if at > start && !mailbox::is_dn(&self.text[start..at]) => {
                    if let Some(end) = self.comment_end(at) {
                        at = end;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        let end = self.text.len();
        (start, end, end)
    }

    /// Behind the source route (`@a,@b:`) at `start`, if there is one (RFC 5322 4.4).
    fn skip_route(&self, start: usize) -> usize {
        let text = &self.text[start..];
        if text.trim_ascii_start().first() != Some(&b'@') {
            return start;
        }
        match text
            .iter()
            .position(|b| matches!(b, b':' | b'<' | b'>' | b';' | b'"'))
        {
            Some(n) if text[n] == b':' => start + n + 1,
            _ => start,
        }
    }

    /// A colon ends the name of a group, or a scheme such as `mailto:`; else it is a stray.
    fn colon(&mut self) {
        self.at += 1;
        if self.angle.is_none()
            && let Some(last) = self.words.last()
            && !self.at_sign
        {
            if last.is_scheme(self.text) {
                self.words.pop();
            } else {
                let mut name = mailbox::name(self.text, &self.words);
                if let Some((cut, _)) = name.char_indices().nth(LONGEST_GROUP) {
                    name.truncate(cut);
                }
                self.group = Some(name);
                self.words.clear();
                self.comment = None;
            }
        }
        self.space = true;
    }

    /// A run of bytes without white space or specials; an encoded word is part of it whatever it holds.
    fn atom(&mut self) {
        let start = self.at;
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'=' if self.text.get(self.at + 1) == Some(&b'?') => {
                    self.at = encoded_word_end(self.text, self.at)
                }
                b'[' if self.at > start && self.text[self.at - 1] == b'@' => {
                    self.at = literal_end(self.text, self.at)
                }
                b'\\' => self.at = self.text.len().min(self.at + 2),
                b'(' if !self.in_dn() && !mailbox::is_dn(&self.text[start..self.at]) => break,
                b' ' | b'\t' | b'\r' | b'\n' | 0 | b'"' | b'<' | b'>' | b',' | b';' | b':' => break,
                _ => self.at += 1,
            }
        }
        self.push(start, self.at, false);
    }

    fn separate(&mut self, by: u8) {
        self.finish(by);
        self.at += 1;
    }

    /// Ends the mailbox that is being read.
    fn finish(&mut self, end: u8) {
        let words = std::mem::take(&mut self.words);
        let before = self.out.len();
        match self.angle.take() {
            Some(angle) => {
                let (front, back) = words.split_at(angle.before);
                self.with_angle(front, angle, back);
            }
            None => self.without_angle(&words),
        }
        // A semicolon behind nothing still ends what stood before it.
        if (self.out.len() > before || end == b';')
            && let Some(last) = self.out.last_mut()
        {
            last.shape.end = end;
        }
        self.words = words;
        self.words.clear();
        self.at_sign = false;
        self.comment = None;
        (self.space, self.fold) = (false, false);
    }

    /// Ends a mailbox at its angle bracket; the words behind that belong to the next.
    fn finish_keeping_words(&mut self) {
        let Some(angle) = self.angle else { return };
        let rest = self.words.split_off(angle.before);
        let comment = self.comment.take();
        self.comment = comment.filter(|_| rest.is_empty());
        self.finish(0);
        self.at_sign = rest.iter().any(|word| word.holds_at(self.text));
        self.words = rest;
    }

    /// `Ann Bee <ann@x.example>`; words behind the bracket are its name where none stand before, or a mailbox of
    /// their own where they hold an address.
    fn with_angle(&mut self, mut front: &[Word], angle: Angle, back: &[Word]) {
        // `a@x.example`, a fold, `Bob <b@x.example>`: the comma is missing at the fold. But a fold between a name
        // that is an address and its bracket is none.
        while let Some((from, to)) = mailbox::addr_words(self.text, front, false)
            && front.get(to).is_some_and(|word| word.fold)
        {
            self.bare(&front[..to], from, to);
            front = &front[to..];
        }
        let back_has_address = mailbox::addr_words(self.text, back, false).is_some();
        let mut name = mailbox::name(self.text, front);
        if name.is_empty() && !back_has_address {
            name = mailbox::name(self.text, back);
        }
        if name.is_empty() {
            name = self.comment_name();
        }
        let content = &self.text[angle.start..angle.end];
        let address = mailbox::angle_address(content);
        if address.is_none() && name.is_empty() {
            name = mailbox::plain_name(content);
        }
        self.add(address, name, true);
        if back_has_address {
            self.without_angle(back);
        }
    }

    /// `ann@x.example`, `Ann ann@x.example`, `ann@x.example bob@x.example`, or a name only.
    fn without_angle(&mut self, mut words: &[Word]) {
        while let Some((from, to)) = mailbox::addr_words(self.text, words, false) {
            let more = mailbox::addr_words(self.text, &words[to..], false).is_some();
            let used = if more { to } else { words.len() };
            self.bare(&words[..used], from, to);
            words = &words[used..];
        }
        if !words.is_empty() {
            let (address, name) = mailbox::hidden_in_name(mailbox::name(self.text, words));
            self.add(address, name, false);
        }
    }

    /// An address without angle brackets: `words[from..to]`; the other words are its name.
    fn bare(&mut self, words: &[Word], from: usize, to: usize) {
        let address = mailbox::joined_address(self.text, &words[from..to]);
        let mut name = mailbox::name(self.text, &words[..from]);
        if name.is_empty() {
            name = mailbox::name(self.text, &words[to..]);
        }
        if name.is_empty() {
            name = self.comment_name();
        }
        if address.is_none() && name.is_empty() {
            name = mailbox::name(self.text, &words[from..to]);
        }
        self.add(address, name, false);
    }

    fn comment_name(&mut self) -> String {
        self.comment
            .take()
            .map_or_else(String::new, |(start, end)| {
                mailbox::plain_name(&self.text[start..end])
            })
    }

    fn add(&mut self, address: Option<Address>, name: String, angle: bool) {
        if let Some(mailbox) = mailbox::make(address, name) {
            self.out.push(Parsed {
                mailbox,
                group: self.group.clone(),
                shape: Shape { end: 0, angle },
            });
        }
    }
}

/// True where `text` holds `<…@…>` and a separator behind it: a whole neighbour.
fn holds_angle_addr(text: &[u8]) -> bool {
    let Some(open) = memchr(b'<', text) else {
        return false;
    };
    let Some(at) = memchr(b'@', &text[open..]) else {
        return false;
    };
    let text = &text[open + at..];
    let mut from = 0;
    while let Some(n) = memchr(b'>', &text[from..]) {
        let rest = text[from + n + 1..].trim_ascii_start();
        if matches!(rest.first(), Some(b',' | b';')) {
            return true;
        }
        from = text.len() - rest.len();
    }
    false
}

/// Where the encoded word that may begin at `at` ends, or the byte behind `at` where none does. White space is
/// borne inside, as some mailers write it, but then nothing that gives an address its structure.
fn encoded_word_end(text: &[u8], at: usize) -> usize {
    let front = |from: usize| memchr(b'?', &text[from.min(text.len())..]).map(|n| from + n);
    let Some(second) =
        front(at + 2).filter(|end| text[at + 2..*end].iter().all(u8::is_ascii_graphic))
    else {
        return at + 1;
    };
    if !matches!(
        text.get(second + 1..second + 3),
        Some([b'B' | b'b' | b'Q' | b'q', b'?'])
    ) {
        return at + 1;
    }
    let start = second + 3;
    match front(start) {
        Some(end) if text.get(end + 1) == Some(&b'=') => {
            let word = &text[start..end];
            let broken = word.iter().any(u8::is_ascii_whitespace)
                && word.iter().any(|b| b"<>@\n".contains(b));
            if broken { at + 1 } else { end + 2 }
        }
        _ => at + 1,
    }
}

/// Where the domain literal that begins with the `[` at `at` ends, or the byte behind `at` where none does.
fn literal_end(text: &[u8], at: usize) -> usize {
    let rest = &text[at..text.len().min(at + 64)];
    match memchr(b']', rest) {
        Some(n)
            if !rest[..n]
                .iter()
                .any(|b| b.is_ascii_whitespace() || b"<>,;@\"(".contains(b)) =>
        {
            at + n + 1
        }
        _ => at + 1,
    }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
