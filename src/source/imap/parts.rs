//! Head, text and attachment names of a long message, without its attachments: its start, and the start of each later
//! part, put together to one message. BODYSTRUCTURE is not asked for: too many servers answer it wrongly.

use imap_proto::{MessageSection, SectionPath};
use memchr::memmem;

use super::answer::Told;
use crate::message::Message;
use crate::message::header::Name;

/// Parts of a message that are looked at, beside those that its start shows.
const PARTS: std::ops::RangeInclusive<u32> = 2..=12;
/// How much of each part is asked for, in bytes.
const START: u32 = 8 << 10;
/// Longest head of a part that is taken, in bytes.
const LONGEST_HEAD: u64 = 64 << 10;

/// What separates the parts of a message, if it has parts.
pub(super) fn boundary(start: &[u8]) -> Option<Vec<u8>> {
    Message::new(start).ok()?.boundary()
}

/// How long the head of a message is, its blank line included; `None` where its start does not show that.
pub(super) fn head_length(start: &[u8]) -> Option<usize> {
    memmem::find(start, b"\r\n\r\n").map(|at| at + 4)
}

/// Whether the parts of a message are such that its start and the heads of its later parts show all that is looked at: text
/// first, then attachments, none of which is a message of parts itself.
pub(super) fn are_simple(start: &[u8], boundary: &[u8], later: &[Vec<u8>]) -> bool {
    let Some(first) = borders(start, boundary).next() else {
        return false;
    };
    let first = start[first + 1..].splitn(2, |byte| *byte == b'\n').nth(1);
    let texts = ["text/", "multipart/alternative", "multipart/related"];
    let kind = kind(first.unwrap_or_default());
    if !(kind.is_empty() || texts.iter().any(|text| kind.starts_with(text))) {
        return false;
    }
    let all_told = later.len() < PARTS.count();
    all_told
        && later.iter().all(|part| {
            let kind = self::kind(part);
            let most = if is_looked_at(part, &kind) {
                u64::from(START)
            } else {
                LONGEST_HEAD
            };
            !kind.starts_with("multipart/") && (part.len() as u64) < most
        })
}

/// Whether more of a later part is looked at than its head: text, and what may hold a list of people.
fn is_looked_at(part: &[u8], kind: &str) -> bool {
    let head = &part[..head_length(part).unwrap_or(part.len())];
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    kind.is_empty()
        || kind.starts_with("text/")
        || kind.starts_with("message/")
        || [".eml", ".ics", ".vcf"]
            .iter()
            .any(|ending| head.contains(ending))
}

/// The media type of a part, in small letters; empty where it names none.
fn kind(part: &[u8]) -> String {
    let Ok(part) = Message::new(part) else {
        return String::new();
    };
    let kind = part.head().first(Name::ContentType).unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    String::from_utf8_lossy(kind.trim_ascii()).to_ascii_lowercase()
}

/// Whether the start of a message shows all of its text: it has parts, and the first of them ends there.
pub(super) fn shows_its_text(start: &[u8]) -> bool {
    boundary(start).is_some_and(|boundary| borders(start, &boundary).nth(1).is_some())
}

/// Where lines stand that separate the parts.
fn borders<'a>(bytes: &'a [u8], boundary: &[u8]) -> impl Iterator<Item = usize> + 'a {
    let line = [b"\n--", boundary].concat();
    // A longer boundary may begin like a shorter one.
    let ends = |at: &usize| {
        let next = bytes.get(at + line.len());
        next.is_none_or(|next| matches!(next, b'\r' | b'\n' | b'-' | b' ' | b'\t'))
    };
    let found: Vec<usize> = memmem::find_iter(bytes, &line)
        .filter(ends)
        .take(1000)
        .collect();
    found.into_iter()
}

/// What to ask for: the heads of the later parts, and how each begins.
pub(super) fn items() -> String {
    let each = PARTS.map(|part| format!(" BODY.PEEK[{part}.MIME] BODY.PEEK[{part}]<0.{START}>"));
    format!("(UID{})", each.collect::<String>())
}

/// The later parts, each as far as it was asked for.
pub(super) fn heads(told: &Told<'_>) -> Vec<Vec<u8>> {
    let part = |part: u32| {
        let head = SectionPath::Part(vec![part], Some(MessageSection::Mime));
        let content = SectionPath::Part(vec![part], None);
        let mut whole = told.section(Some(&head), 0, LONGEST_HEAD)?;
        let content = told.section(Some(&content), 0, u64::from(START));
        whole.extend(content.unwrap_or_default());
        Some(whole)
    };
    PARTS.filter_map(part).collect()
}

/// Start and parts as one message. A part that the start shows is not said twice.
pub(super) fn stitched(mut start: Vec<u8>, boundary: &[u8], parts: &[Vec<u8>]) -> Vec<u8> {
    // Of the parts that begin in the start the last is cut off: within an attachment, which is not looked at, or within
    // its head, which is then taken from what was asked for.
    let borders: Vec<usize> = borders(&start, boundary).collect();
    let mut shown = borders.len();
    if let Some(last) = borders.last().filter(|_| shown > 1)
        && memmem::find(&start[*last..], b"\r\n\r\n").is_none()
    {
        start.truncate(*last);
        shown -= 1;
    }
    for part in parts.iter().skip(shown.saturating_sub(1)) {
        start.extend_from_slice(&[b"\r\n--", boundary, b"\r\n", part.as_slice()].concat());
    }
    start.extend_from_slice(&[b"\r\n--", boundary, b"--\r\n"].concat());
    start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Body;

    const HEAD: &str =
        "From: a@x.example\r\nContent-Type: multipart/mixed; boundary=\"b 1\"\r\n\r\n";

    fn part(name: &str, content: &str) -> String {
        format!("Content-Type: application/pdf; name={name}\r\n\r\n{content}")
    }

    #[test]
    fn a_long_message_keeps_its_text_and_the_names_of_its_attachments() {
        let (one, two) = (
            part("one.pdf", &"AAAA".repeat(100)),
            part("two.pdf", "BBBB"),
        );
        let whole = format!(
            "{HEAD}--b 1\r\nContent-Type: text/plain\r\n\r\nDear all\r\n--b 1\r\n{one}\r\n--b 1\r\n{two}\r\n--b 1--\r\n"
        );
        let cut = whole.find("BBBB").unwrap_or_default().min(400);
        let start = whole.as_bytes()[..cut].to_vec();
        assert!(shows_its_text(&start) && !shows_its_text(&start[..100]));
        let boundary = boundary(&start).expect("it has parts");
        let parts = [one.into_bytes(), two.into_bytes()];
        let stitched = stitched(start, &boundary, &parts);
        fn message(bytes: &[u8]) -> Body<'_> {
            Message::new(bytes).expect("a mail").body_text(1000)
        }
        assert_eq!(message(&stitched), message(whole.as_bytes()));
        assert_eq!(message(&stitched).attachments, ["one.pdf", "two.pdf"]);
    }

    #[test]
    fn what_may_hide_text_or_attachments_is_not_simple() {
        let start =
            |kind: &str| format!("{HEAD}--b 1\r\nContent-Type: {kind}\r\n\r\nx").into_bytes();
        let simple = |kind: &str, later: &[String]| {
            let later: Vec<Vec<u8>> = later.iter().map(|part| part.clone().into_bytes()).collect();
            are_simple(&start(kind), b"b 1", &later)
        };
        let pdf = part("one.pdf", "AAAA");
        let text =
            |length: usize| format!("Content-Type: text/plain\r\n\r\n{}", "a".repeat(length));
        assert!(simple("text/plain", &[pdf.clone(), text(20)]));
        assert!(simple(
            "Multipart/Alternative; boundary=c",
            std::slice::from_ref(&pdf)
        ));
        assert!(!simple(
            "multipart/mixed; boundary=c",
            std::slice::from_ref(&pdf)
        ));
        assert!(!simple("text/plain", &[pdf.clone(), text(9000)]));
        let long = "a".repeat(9000);
        assert!(simple("text/plain", &[part("one.pdf", &long)]));
        assert!(!simple("text/plain", &[part("one.EML", &long)]));
        let message =
            |text: &str| format!("Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\n{text}");
        assert!(simple("text/plain", &[message("")]));
        assert!(!simple("text/plain", &[message(&long)]));
        assert!(!simple(
            "text/plain",
            &["Content-Type: multipart/mixed\r\n\r\n".to_owned()]
        ));
        assert!(!simple("text/plain", &vec![pdf; 11]));
    }

    #[test]
    fn a_message_without_parts_has_no_boundary() {
        assert_eq!(boundary(b"From: a@x.example\r\n\r\ntext"), None);
        assert!(!shows_its_text(b"From: a@x.example\r\n\r\ntext"));
    }
}
