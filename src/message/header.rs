//! The fields of a head, sliced in one pass without copying (RFC 5322 2.2, with the malformed forms of real mail).
//!
//! Tolerated: LF, CRLF and bare CR line ends; a byte order mark, blank lines, NULs and From_ lines before the head;
//! white space before a colon; lines of a recipient list that were folded without indentation; other lines that are
//! no field. Not a decoder: values are bytes as stored, folds included; [`super::text`] decodes them.

pub use super::name::Name;

use memchr::memchr;
use std::borrow::Cow;
use std::cell::Cell;

/// Longest head that is read. 100,000 recipients of 60 bytes are 6 MB.
const LONGEST_HEAD: usize = 16 << 20;
/// Most fields that are kept.
const MOST_FIELDS: usize = 100_000;
/// Most lines in a row that are no field before they are taken for the body. Unindented folds of signatures run to
/// about twenty lines.
const MOST_STRAY: usize = 32;
/// Most fields that are kept room for from one message to the next.
const MOST_SPARE: usize = 1024;
/// How far to look for the first line feed before a mail is taken to end its lines with a bare CR.
const FIRST_LINE: usize = 4096;

/// A field: which, and where its value stands in the head. A head is no longer than 16 MiB.
#[derive(Clone, Copy, Debug)]
struct Slot {
    name: Name,
    start: u32,
    end: u32,
}

thread_local! {
    /// The fields of the last head that this thread let go: reading the next takes no memory of its own.
    static SPARE: Cell<Vec<Slot>> = const { Cell::new(Vec::new()) };
}

/// The fields of one head, and where its body begins.
#[derive(Debug)]
pub struct Head<'a> {
    raw: &'a [u8],
    slots: Vec<Slot>,
    /// Which fields there are.
    present: u32,
    empty: bool,
    body: &'a [u8],
    cut: bool,
}

impl Drop for Head<'_> {
    fn drop(&mut self) {
        let mut slots = std::mem::take(&mut self.slots);
        if slots.capacity() <= MOST_SPARE {
            slots.clear();
            SPARE.set(slots);
        }
    }
}

impl<'a> Head<'a> {
    /// Slices the head of `raw`, a mail as stored. Never fails: what is no head has no fields, and is all body.
    pub fn new(raw: &'a [u8]) -> Self {
        Self::with_lines(raw, &[])
    }

    /// As [`Head::new`], where it is known already where its first lines end: `lines` are the offsets of the first LFs in
    /// `raw`, as many as are known.
    pub fn with_lines(raw: &'a [u8], lines: &[u32]) -> Self {
        let ends = if lines.is_empty() && bare_cr(raw) {
            b'\r'
        } else {
            b'\n'
        };
        let start = skip_preface(raw, ends);
        let lines = if start == 0 { lines } else { &[] };
        let limit = raw.len().min(start.saturating_add(LONGEST_HEAD));
        let mut scan = Scan {
            raw: &raw[start..limit],
            slots: SPARE.take(),
            present: 0,
            fields: 0,
            last: None,
            stray: None,
            strays: 0,
        };
        let (body, cut) = scan.run(ends, lines);
        let body = start + body;
        let cut = cut || (body >= limit && limit < raw.len());
        Self {
            raw: &raw[start..limit],
            slots: scan.slots,
            present: scan.present,
            empty: scan.fields == 0,
            body: &raw[body.min(raw.len())..],
            cut,
        }
    }

    /// Every field that ccspill reads, in order, with its raw value.
    pub fn fields(&self) -> impl Iterator<Item = (Name, &'a [u8])> + '_ {
        self.slots
            .iter()
            .map(|slot| (slot.name, &self.raw[slot.start as usize..slot.end as usize]))
    }

    /// The raw values of every field of this name.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        let slots = if self.present & name.bit() == 0 {
            &[][..]
        } else {
            &self.slots[..]
        };
        slots
            .iter()
            .filter(move |slot| slot.name == name)
            .map(|slot| &self.raw[slot.start as usize..slot.end as usize])
    }

    /// The raw value of the first field of this name.
    pub fn first(&self, name: Name) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// True where there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    /// What follows the head.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// True where the head was longer, or had more fields, than is read: it may name people who are not seen here.
    pub fn cut(&self) -> bool {
        self.cut
    }
}

/// A value with each run of white space, folds included, as one space, and none at either end.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.trim_ascii();
    // One look without a branch for each byte: nearly no value has anything to fold.
    let folds = |folds, pair: &[u8]| {
        folds | (pair[0] == b'\t') | (pair[0] == b'\r') | (pair[0] == b'\n') | (pair == b"  ")
    };
    if !value.windows(2).fold(false, folds) {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    for word in value
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
    Cow::Owned(out)
}

/// True where lines end with a bare CR, as classic Mac mail does.
fn bare_cr(raw: &[u8]) -> bool {
    let front = &raw[..raw.len().min(FIRST_LINE)];
    memchr(b'\n', front).is_none() && memchr(b'\r', front).is_some()
}

/// Where the line that begins at `at` stops, its end included.
fn line_stop(raw: &[u8], at: usize, ends: u8) -> usize {
    memchr(ends, &raw[at..]).map_or(raw.len(), |n| at + n + 1)
}

/// A line without its end.
fn without_end(line: &[u8]) -> &[u8] {
    let mut line = line;
    while let [shorter @ .., b'\r' | b'\n'] = line {
        line = shorter;
    }
    line
}

/// Where the head begins: behind a byte order mark, blank lines, NULs and From_ lines.
fn skip_preface(raw: &[u8], ends: u8) -> usize {
    let mut at = if raw.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let mut border = at;
    loop {
        let stop = line_stop(raw, at, ends);
        let text = without_end(&raw[at..stop]);
        if stop == at {
            return border;
        }
        if name_of(text).is_some() {
            return at;
        }
        let quoted = text.iter().take_while(|&&b| b == b'>').count();
        if text[quoted..].starts_with(b"From ") {
            border = stop;
        } else if !text.iter().all(|b| matches!(b, 0 | b' ' | b'\t' | b'\r')) {
            // NULs are left by a disk that was full or torn, in front of sound lines too.
            let nuls = text.iter().take_while(|&&b| b == 0).count();
            return if name_of(&text[nuls..]).is_some() {
                at + nuls
            } else {
                border
            };
        }
        at = stop;
    }
}

/// True for what ends a field name: a colon, white space, and what no name holds (RFC 5322 2.2).
const ENDS_NAME: [bool; 256] = {
    let mut ends = [true; 256];
    let mut byte = 33;
    while byte <= 126 {
        ends[byte] = byte == b':' as usize;
        byte += 1;
    }
    ends
};

/// Length of the field name that `line` begins with, and where its colon stands; `None` where it is no field. The line
/// may have its end or not.
fn name_of(line: &[u8]) -> Option<(usize, usize)> {
    let end = line.iter().position(|b| ENDS_NAME[usize::from(*b)])?;
    let gap = match line[end] {
        b':' => 0,
        _ => line[end..]
            .iter()
            .position(|b| !matches!(b, b' ' | b'\t'))?,
    };
    (end > 0 && line[end + gap] == b':').then_some((end, end + gap))
}

/// True where `line`, neither indented nor a field, goes on with the list of mailboxes in `value`.
fn goes_on(value: &[u8], line: &[u8]) -> bool {
    let open = matches!(value.trim_ascii_end().last(), None | Some(b',' | b';'));
    open && (line.contains(&b'@') || line.contains(&b'<') || line.ends_with(b","))
}

struct Scan<'a> {
    raw: &'a [u8],
    slots: Vec<Slot>,
    present: u32,
    /// How many fields there are, whether they are read or not.
    fields: usize,
    /// The last field, where it is one that is read: its place in `slots`.
    last: Option<usize>,
    /// Where the first of some lines begins that are no field.
    stray: Option<usize>,
    /// How many of them.
    strays: usize,
}

impl Scan<'_> {
    /// Reads to the end of the head. Returns where the body begins and whether there were too many fields.
    fn run(&mut self, ends: u8, lines: &[u32]) -> (usize, bool) {
        let mut at = 0;
        let mut known = lines.iter().map(|end| *end as usize + 1);
        // A line of white space only is an obsolete fold (RFC 5322 4.2), or the border to a body in badly made mail.
        let mut white = false;
        while at < self.raw.len() {
            let known = known.next().filter(|stop| *stop <= self.raw.len());
            let stop = known.unwrap_or_else(|| line_stop(self.raw, at, ends));
            // With its end, which is cut only where somebody asks.
            let line = &self.raw[at..stop];
            match line[0] {
                b'\r' | b'\n' if without_end(line).is_empty() => {
                    return (self.stray.unwrap_or(stop), false);
                }
                b' ' | b'\t' => {
                    self.extend(at, line);
                    let text = line.get(1).is_some_and(u8::is_ascii_graphic);
                    white = !text && line.trim_ascii().is_empty();
                }
                _ => match name_of(line) {
                    Some(_) if self.fields == MOST_FIELDS => return (at, true),
                    Some((name, colon)) => {
                        self.push(at, name, colon, line);
                        white = false;
                    }
                    None if white || self.strays == MOST_STRAY => {
                        return (self.stray.unwrap_or(at), false);
                    }
                    None => self.stray_line(at, line),
                },
            }
            at = stop;
        }
        (self.stray.unwrap_or(self.raw.len()), false)
    }

    fn push(&mut self, at: usize, name: usize, colon: usize, line: &[u8]) {
        self.fields += 1;
        self.stray = None;
        self.strays = 0;
        self.last = Name::of(&line[..name]).map(|name| {
            let line = without_end(line);
            let blank = line[colon + 1..]
                .iter()
                .take_while(|b| matches!(b, b' ' | b'\t'))
                .count();
            self.present |= name.bit();
            self.slots.push(Slot {
                name,
                start: (at + colon + 1 + blank) as u32,
                end: (at + line.len()) as u32,
            });
            self.slots.len() - 1
        });
    }

    /// The value of the last field goes on to the end of `line`, which begins at `at`.
    fn extend(&mut self, at: usize, line: &[u8]) {
        if self.stray.is_none()
            && let Some(last) = self.last
        {
            self.slots[last].end = (at + without_end(line).len()) as u32;
        }
    }

    fn stray_line(&mut self, at: usize, line: &[u8]) {
        let line = without_end(line);
        let part_of_list = self.stray.is_none()
            && self.last.is_some_and(|last| {
                let Slot { name, start, end } = self.slots[last];
                name.holds_mailboxes() && goes_on(&self.raw[start as usize..end as usize], line)
            });
        if part_of_list {
            self.extend(at, line);
        } else {
            self.stray.get_or_insert(at);
            self.strays += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(raw: &str, name: &str) -> Vec<String> {
        let head = Head::new(raw.as_bytes());
        head.all(Name::of(name.as_bytes()).expect("a field that is read"))
            .map(|value| String::from_utf8_lossy(&unfold(value)).into_owned())
            .collect()
    }

    #[test]
    fn line_ends_may_be_lf_crlf_or_bare_cr() {
        for ends in ["\n", "\r\n", "\r"] {
            let raw = format!(
                "To: a@x.example,{ends}\tb@x.example{ends}Subject: one{ends}{ends}body{ends}"
            );
            assert_eq!(values(&raw, "to"), ["a@x.example, b@x.example"]);
            assert_eq!(values(&raw, "SUBJECT"), ["one"]);
            assert_eq!(
                Head::new(raw.as_bytes()).body(),
                format!("body{ends}").as_bytes()
            );
        }
    }

    #[test]
    fn every_occurrence_of_a_field_is_found() {
        assert_eq!(
            values("To: a\nTO: b\nto : c\nTo\t : d\n\nTo: e\n", "To"),
            ["a", "b", "c", "d"]
        );
    }

    #[test]
    fn what_stands_before_the_head_is_skipped() {
        for before in [
            "\u{feff}",
            "From a@x.example Fri Feb 22 17:06:23 2008\n",
            ">From a\n",
            "\n\n",
            "\0\0\0",
            "\u{feff}From -\n",
        ] {
            assert_eq!(
                values(&format!("{before}Subject: one\n\nbody"), "Subject"),
                ["one"],
                "{before:?}"
            );
        }
    }

    #[test]
    fn a_body_behind_a_from_line_is_no_head() {
        let head = Head::new(b"From a@x.example Fri Feb 22 17:06:23 2008\n\nOnly text here\n");
        assert!(head.is_empty());
        assert_eq!(head.body(), b"Only text here\n");
    }

    #[test]
    fn a_from_line_inside_the_head_is_no_field() {
        assert_eq!(
            values(
                "Subject: one\n>From a@x.example Fri Feb 22 17:06:23 2008\nTo: b\n\n",
                "To"
            ),
            ["b"]
        );
    }

    #[test]
    fn recipients_folded_without_indentation_are_kept() {
        let raw = "List-Id: abc\ndefghi\nTo: Ann <a@x.example>,\nBob <b@x.example>,\nc@x.example\nSubject: one\n\nbody";
        assert_eq!(
            values(raw, "To"),
            ["Ann <a@x.example>, Bob <b@x.example>, c@x.example"]
        );
        assert_eq!(values(raw, "List-Id"), ["abc"]);
        assert_eq!(values(raw, "Subject"), ["one"]);
    }

    #[test]
    fn a_missing_blank_line_costs_neither_fields_nor_body() {
        let head =
            Head::new(b"To: a@x.example\nSubject: one\nDear b@x.example,\nplease see\n\nyours\n");
        assert_eq!(head.first(Name::To), Some(&b"a@x.example"[..]));
        assert_eq!(head.first(Name::Subject), Some(&b"one"[..]));
        assert_eq!(head.body(), b"Dear b@x.example,\nplease see\n\nyours\n");
    }

    #[test]
    fn a_line_of_spaces_is_a_fold_or_the_border() {
        assert_eq!(
            values("Subject: one\n   \n two\nTo: a\n\n", "Subject"),
            ["one two"]
        );
        assert_eq!(
            Head::new(b"To: a\n \nNot a field\nTo: b\n\n").body(),
            b"Not a field\nTo: b\n\n"
        );
    }

    #[test]
    fn a_hostile_head_is_cut_and_says_so() {
        let many = "A: b\n".repeat(MOST_FIELDS + 5);
        assert!(Head::new(many.as_bytes()).cut());
        let long = format!("A: {}\nTo: a\n\n", "b".repeat(LONGEST_HEAD));
        assert!(Head::new(long.as_bytes()).cut());
        assert!(!Head::new(b"A: b\n\nbody").cut());
        assert!(!Head::new(b"A: b").cut());
    }

    #[test]
    fn lines_that_are_known_already_change_nothing() {
        for raw in [
            "To: a@x.example,\r\n\tb@x.example\r\nSubject: one\r\n\r\nbody\r\n",
            "To: a@x.example,\nb@x.example\nX-Other: two\n three\nstray\nSubject: one\n\nbody\nTo: c\n",
            "\nTo: a@x.example\n\nbody",
            "To: a@x.example\r\rbody\n",
            "Subject: one",
        ] {
            let ends: Vec<u32> = memchr::memchr_iter(b'\n', raw.as_bytes())
                .map(|end| end as u32)
                .collect();
            let plain = Head::new(raw.as_bytes());
            for known in 0..=ends.len() {
                let head = Head::with_lines(raw.as_bytes(), &ends[..known]);
                assert!(head.fields().eq(plain.fields()), "{raw:?} {known}");
                assert_eq!(head.body(), plain.body(), "{raw:?} {known}");
            }
            // A head whose empty line belongs to the border behind it.
            let head = Head::with_lines(
                raw.as_bytes(),
                &[&ends[..], &[raw.len() as u32 + 1]].concat(),
            );
            assert!(head.fields().eq(plain.fields()), "{raw:?}");
        }
    }

    #[test]
    fn unfolding_collapses_white_space() {
        assert_eq!(unfold(b" a\r\n\t b  c ").as_ref(), b"a b c");
        assert!(matches!(unfold(b"a b"), Cow::Borrowed(_)));
    }
}
