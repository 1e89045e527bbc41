//! The From_ line: is this `From ` a border between two messages, or text?
//!
//! A border shows a date of its usual shapes and a head behind it. Bare `From ` and `From -` are borders too where a
//! head that mail alone could have follows (Thunderbird, "Got Your Back", Takeout). Text such as `From Russia with
//! love`, even before `Year: 1963`, is none. What a line is depends on the bytes from it on, on whether an empty line
//! stands before it, and on how the file's own first From_ line is written: never on chance, so that a file read in
//! pieces splits as it does when read whole.

use super::super::recognise::{field_name, is_known};
use crate::message::days_since_1970;
use jiff::{civil, tz::TimeZone};
use memchr::{memchr, memchr2};

/// Longest From_ line. Long envelope senders (VERP) reach about 300 bytes.
pub(super) const LINE: usize = 1 << 10;
/// How many bytes from a From_ line on a test may look at.
pub(super) const LOOK: usize = 4 << 10;
/// How many lines of a head a test may look at.
const HEAD_LINES: usize = 24;

/// How the lines of an mbox are written, told from its first bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct Habit {
    /// Lines end in a bare CR (classic Mac).
    pub(super) cr: bool,
    /// The first From_ line has no date.
    undated: bool,
    /// The first From_ line has no date, but more than one word.
    wordy: bool,
    /// The first From_ line is one that `git format-patch` writes.
    git: bool,
}

impl Habit {
    /// Of the file whose first From_ line begins these bytes; `None` where they do not begin an mbox.
    pub(super) fn of(prefix: &[u8]) -> Option<Habit> {
        let cr = bare_cr(prefix);
        let line = FromLine::parse(prefix, cr)?;
        let dated = line.date.is_some();
        let known = dated || head_follows(prefix, &line, line.is_plausible(), cr);
        known.then_some(Habit {
            cr,
            undated: !dated,
            wordy: !dated && line.words > 1,
            git: line.git,
        })
    }

    /// What ends a line.
    pub(super) fn eol(self) -> u8 {
        if self.cr { b'\r' } else { b'\n' }
    }
}

/// Classic Mac files have no LF to speak of. Mail of other systems has stray CRs, so they are counted.
fn bare_cr(prefix: &[u8]) -> bool {
    let lf = memchr::memchr_iter(b'\n', prefix).count();
    let cr = memchr::memchr_iter(b'\r', prefix).count();
    cr > 2 * lf
}

/// A line that begins with `From `.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FromLine {
    /// In bytes, with its end.
    pub(super) length: usize,
    /// Some where it holds a date; the date itself where it is a real one, in seconds since 1970 UTC.
    pub(super) date: Option<Option<i64>>,
    words: usize,
    git: bool,
    address: bool,
}

impl FromLine {
    /// Reads the line that begins `window`; `None` where it does not begin with `From ` or is too long for one.
    pub(super) fn parse(window: &[u8], cr: bool) -> Option<FromLine> {
        let after = window.strip_prefix(b"From ")?;
        let look = &after[..after.len().min(LINE)];
        let (text, length) = match memchr(if cr { b'\r' } else { b'\n' }, look) {
            Some(end) => (&look[..end], 5 + end + 1),
            None if after.len() <= LINE => (look, window.len()),
            None => return None,
        };
        if let Some(date) = asctime(text) {
            return Some(FromLine {
                length,
                date: Some(Some(date)),
                words: USUAL_WORDS,
                git: false,
                address: true,
            });
        }
        Some(Self::by_words(text, length))
    }

    /// Reads the line word by word: whatever form it has.
    fn by_words(text: &[u8], length: usize) -> FromLine {
        let mut words: [&[u8]; 16] = [b""; 16];
        let mut count = 0;
        for word in text
            .split(u8::is_ascii_whitespace)
            .filter(|w| !w.is_empty())
        {
            if count == words.len() {
                words.rotate_left(1);
                count -= 1;
            }
            words[count] = word;
            count += 1;
        }
        let words = &words[..count];
        let found = (0..count).find_map(|i| date_at(words, i));
        let git = matches!(words, [hash, b"Mon", b"Sep", b"17", b"00:00:00", b"2001"] if hash.len() >= 40 && hash.iter().all(u8::is_ascii_hexdigit));
        let address = words
            .first()
            .is_some_and(|w| *w == b"-" || memchr(b'@', w).is_some());
        FromLine {
            length,
            date: found,
            words: count,
            git,
            address,
        }
    }
}

impl FromLine {
    /// True where it has no date and no more than a border without one has: nothing, `-`, an address.
    fn is_plausible(&self) -> bool {
        self.words == 0 || (self.words == 1 && self.address)
    }
}

/// Where a candidate stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    /// An empty line precedes it.
    pub(super) blank: bool,
    /// The message before it is still in its head: the fields that it has shown. `None`: in its body.
    pub(super) head: Option<Once>,
}

/// The fields of a head that stand in it once: seeing one again means that another message began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Once(u8);

impl Once {
    /// Notes the field that begins `line`, if it is one of these.
    pub(super) fn note(&mut self, line: &[u8]) {
        const FIELDS: [&[u8]; 4] = [b"From", b"Date", b"Message-ID", b"Subject"];
        if let Some(which) =
            field_name(line).and_then(|n| FIELDS.iter().position(|f| n.eq_ignore_ascii_case(f)))
        {
            self.0 |= 1 << which;
        }
    }
}

/// Reads the line that begins `window` as a border; `None` where it is text. `window` has [`LOOK`] bytes, or fewer
/// at the end of the file.
pub(super) fn border(window: &[u8], before: Before, habit: Habit) -> Option<FromLine> {
    let window = &window[..window.len().min(LOOK)];
    let line = FromLine::parse(window, habit.cr)?;
    if line.git && !habit.git {
        // A patch in a body. Its magic date says that it is no mail.
        return None;
    }
    let accepted = match (line.date, before.head) {
        (Some(_), None) => dated(window, &line, before.blank, habit.cr),
        (Some(_), Some(seen)) => repeats(window, &line, seen, habit.cr),
        (None, None) => undated(window, &line, before.blank, habit),
        (None, Some(_)) => false,
    };
    accepted.then_some(line)
}

/// A dated line in a body: a head follows, or nothing does.
fn dated(window: &[u8], line: &FromLine, blank: bool, cr: bool) -> bool {
    let mut after = rest(window, line, cr);
    match after.next() {
        None | Some(b"") => blank,
        Some(next) if field_name(next).is_some() || next.starts_with(b">From ") => true,
        // A head whose first line is broken.
        Some(_) => {
            blank
                && after
                    .take(4)
                    .take_while(|l| !l.is_empty())
                    .any(|l| field_name(l).is_some_and(is_known))
        }
    }
}

/// A dated line within a head. Relays have left such lines there; a message without a body is rarer. So another
/// message begins only where fields that stand once in a head come again.
fn repeats(window: &[u8], line: &FromLine, seen: Once, cr: bool) -> bool {
    let mut again = Once::default();
    for next in rest(window, line, cr)
        .take(HEAD_LINES)
        .take_while(|l| !l.is_empty() && !l.starts_with(b"From "))
    {
        again.note(next);
    }
    again.0 & seen.0 != 0
}

/// A line without a date in a body: `From `, `From -`, `From 123@xxx` before a head that is surely one of mail.
fn undated(window: &[u8], line: &FromLine, blank: bool, habit: Habit) -> bool {
    let usual = habit.undated && (line.words <= 1 || habit.wordy);
    let plausible = line.is_plausible();
    (usual || plausible && blank) && head_follows(window, line, plausible && usual, habit.cr)
}

/// True where the next line is a field that mail uses, and, unless one is enough, so is another after it.
fn head_follows(window: &[u8], line: &FromLine, one_is_enough: bool, cr: bool) -> bool {
    let known = |l: &[u8]| field_name(l).is_some_and(is_known);
    let mut after = rest(window, line, cr)
        .take(HEAD_LINES)
        .take_while(|l| !l.is_empty() && !l.starts_with(b"From "));
    after.next().is_some_and(known) && (one_is_enough || after.any(known))
}

/// The lines after the From_ line.
fn rest<'a>(window: &'a [u8], line: &FromLine, cr: bool) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = window.get(line.length..).unwrap_or_default();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr(if cr { b'\r' } else { b'\n' }, rest).unwrap_or(rest.len());
        let text = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(if cr { text } else { text.trim_ascii_end_cr() })
    })
}

/// Cuts the CRs that stand before an LF.
trait TrimCr {
    fn trim_ascii_end_cr(&self) -> &Self;
}

impl TrimCr for [u8] {
    fn trim_ascii_end_cr(&self) -> &[u8] {
        let mut text = self;
        while let [shorter @ .., b'\r'] = text {
            text = shorter;
        }
        text
    }
}

/// Words of a From_ line in its usual form, with a week day; one without is as far from any bound.
const USUAL_WORDS: usize = 6;

/// The date of a From_ line in its usual form, `pat@force.example Fri Mar  1 09:00:00 2024`, with or without the week
/// day; `None` for every other form, which is then read word by word.
fn asctime(text: &[u8]) -> Option<i64> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let (front, date) = text.split_at_checked(text.len().checked_sub(21)?)?;
    let digits = |from: usize, to: usize| {
        date[from..to].iter().try_fold(0u32, |sum, digit| {
            digit
                .is_ascii_digit()
                .then(|| sum * 10 + u32::from(digit - b'0'))
        })
    };
    let shape = date[0] == b' '
        && date[4] == b' '
        && date[7] == b' '
        && date[10] == b':'
        && date[13] == b':'
        && date[16] == b' ';
    if !shape {
        return None;
    }
    let day = digits(if date[5] == b' ' { 6 } else { 5 }, 7)?;
    let (hour, minute, second) = (digits(8, 10)?, digits(11, 13)?, digits(14, 16)?);
    let (month, year) = (month(&date[1..4])?, digits(17, 21)?);
    // Days that not every month has are left to the calendar.
    let plausible = (1..=28).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && (1970..=2200).contains(&year);
    let sender = match front {
        [sender @ .., b' ', a, b, c] if [a, b, c].iter().all(|l| l.is_ascii_alphabetic()) => sender,
        _ => front,
    };
    let plain =
        sender.iter().all(|b| b.is_ascii_graphic() && *b != b':') && memchr(b'@', sender).is_some();
    (plausible && plain).then(|| {
        days_since_1970(i64::from(year), month, day) * 86_400
            + i64::from(hour * 3600 + minute * 60 + second)
    })
}

/// A date whose time is `words[i]`: `Mon Jun  3 12:50:27 1996`, with the zone before or after the year or nowhere,
/// with or without seconds; `3 Jun 1996 12:50:27 +0100`; `1996-06-03 12:50:27`.
fn date_at(words: &[&[u8]], i: usize) -> Option<Option<i64>> {
    let (hour, minute, second) = time(words[i])?;
    let word = |k: usize| words.get(k).copied().unwrap_or_default();
    let back = |k: usize| i.checked_sub(k).map_or(&b""[..], word);
    let (year, month, day, zone) =
        if let (Some(month), Some(day)) = (month(back(2)), number(back(1), 2)) {
            match (year(word(i + 1)), year(word(i + 2))) {
                (Some(year), _) => (year, month, day, word(i + 2)),
                (None, Some(year)) => (year, month, day, word(i + 1)),
                (None, None) => return None,
            }
        } else if let (Some(year), Some(month), Some(day)) =
            (year(back(1)), month(back(2)), number(back(3), 2))
        {
            (year, month, day, word(i + 1))
        } else {
            let (year, month, day) = iso(back(1))?;
            (year, month, day, word(i + 1))
        };
    let at = |n: u32| i8::try_from(n).ok();
    let stamp = || {
        let when = civil::DateTime::new(
            year,
            at(month)?,
            at(day)?,
            at(hour)?,
            at(minute)?,
            at(second.min(59))?,
            0,
        )
        .ok()?;
        Some(TimeZone::UTC.to_timestamp(when).ok()?.as_second() - offset(zone))
    };
    Some(stamp())
}

fn number(word: &[u8], most: usize) -> Option<u32> {
    let word = word.strip_suffix(b",").unwrap_or(word);
    let plain = !word.is_empty() && word.len() <= most && word.iter().all(u8::is_ascii_digit);
    plain.then(|| word.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')))
}

fn year(word: &[u8]) -> Option<i16> {
    let year = (word.len() == 4).then(|| number(word, 4)).flatten()?;
    (1970..=2200)
        .contains(&year)
        .then(|| i16::try_from(year).ok())
        .flatten()
}

fn month(word: &[u8]) -> Option<u32> {
    const MONTHS: &[u8] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let short = word.first_chunk::<3>()?.map(|b| b.to_ascii_lowercase());
    let plain = word.len() <= 9 && word.iter().all(u8::is_ascii_alphabetic);
    plain
        .then(|| {
            MONTHS
                .chunks(3)
                .zip(1..)
                .find(|(m, _)| **m == short)
                .map(|(_, n)| n)
        })
        .flatten()
}

fn time(word: &[u8]) -> Option<(u32, u32, u32)> {
    memchr(b':', &word[..word.len().min(3)])?;
    let mut parts = word.split(|&b| b == b':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second = match parts.next() {
        None => 0,
        Some(s) => number(&s[..memchr2(b'.', b',', s).unwrap_or(s.len())], 2)?,
    };
    (parts.next().is_none() && hour < 24 && minute < 60 && second <= 60)
        .then_some((hour, minute, second))
}

fn iso(word: &[u8]) -> Option<(i16, u32, u32)> {
    let mut parts = word.split(|&b| b == b'-');
    let date = (
        year(parts.next()?)?,
        number(parts.next()?, 2)?,
        number(parts.next()?, 2)?,
    );
    parts.next().is_none().then_some(date)
}

/// Seconds east of UTC. A From_ line without a zone is UTC (RFC 4155); so is one whose zone is not known.
fn offset(zone: &[u8]) -> i64 {
    const NAMES: [(&[u8], i64); 19] = [
        (b"EST", -5),
        (b"EDT", -4),
        (b"CST", -6),
        (b"CDT", -5),
        (b"MST", -7),
        (b"MDT", -6),
        (b"PST", -8),
        (b"PDT", -7),
        (b"BST", 1),
        (b"CET", 1),
        (b"MET", 1),
        (b"CEST", 2),
        (b"MEST", 2),
        (b"METDST", 2),
        (b"EET", 2),
        (b"EEST", 3),
        (b"WEST", 1),
        (b"MSK", 3),
        (b"JST", 9),
    ];
    match zone {
        [sign @ (b'+' | b'-'), digits @ ..] if digits.len() == 4 => {
            let n = i64::from(number(digits, 4).unwrap_or(0));
            (n / 100 * 3600 + n % 100 * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        name => NAMES
            .iter()
            .find(|(n, _)| name.eq_ignore_ascii_case(n))
            .map_or(0, |(_, h)| h * 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::{FromLine, asctime};

    #[test]
    fn the_usual_form_reads_as_it_does_word_by_word() {
        let mut usual = 0;
        for sender in [
            "pat@x.example",
            "-",
            "1:2@x.example",
            "a b@x.example",
            "MAILER-DAEMON@x",
            "",
        ] {
            for weekday in [" Fri", " fri", " 1Fr", " Friday", ""] {
                for date in [
                    " Mar  1", " mar 28", " Mar 29", " Mar 00", " Foo  1", " Mar 1", "  Mar  1",
                ] {
                    for clock in [" 09:00:00", " 24:00:00", " 23:59:60", " 09:00", "09:00:00"] {
                        for year in [" 2024", " 1969", " 2200", " 24", " 2024 +0100", " 2024 "] {
                            for end in ["", "\r"] {
                                let text = format!("{sender}{weekday}{date}{clock}{year}{end}");
                                let words = FromLine::by_words(text.as_bytes(), 0);
                                if let Some(seconds) = asctime(text.as_bytes()) {
                                    assert_eq!(words.date, Some(Some(seconds)), "{text}");
                                    assert!(
                                        words.address && !words.git && words.words > 1,
                                        "{text}"
                                    );
                                    usual += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
        assert!(usual > 40, "{usual}");
        assert_eq!(
            asctime(b"pat@x.example Fri Mar  1 09:00:00 2024"),
            Some(1_709_283_600)
        );
    }
}
