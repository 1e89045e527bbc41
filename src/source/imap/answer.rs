//! The answer to a `UID FETCH`, read one message at a time: the client's own reading of it takes several times its length
//! in memory.

use imap_proto::{AttributeValue, MessageSection, Response, SectionPath};

use super::lines::unveiled;
use crate::source::Marks;

/// How INTERNALDATE is written (RFC 9051 date-time).
const DATE_TIME: &str = "%d-%b-%Y %H:%M:%S %z";

/// An answer as it came, its messages veiled.
pub(super) struct Answer(Vec<u8>);

/// What one line of an answer tells of one message.
pub(super) struct Told<'a> {
    /// Its number in the folder.
    pub(super) number: u32,
    items: Vec<AttributeValue<'a>>,
}

impl Answer {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Answer(bytes)
    }

    /// Each message that is told of, in the server's order. The client has parsed every line of it before.
    pub(super) fn each(&self, mut each: impl FnMut(&Told<'_>)) {
        let mut rest = self.0.as_slice();
        while let Ok((more, response)) = imap_proto::parser::parse_response(rest) {
            rest = more;
            if let Response::Fetch(number, items) = response {
                each(&Told { number, items });
            }
        }
    }

    /// Each line that tells of one message. What a server says of it may come in several, of which one bears its UID.
    pub(super) fn each_of(&self, uid: u32, mut each: impl FnMut(&Told<'_>)) {
        let mut number = None;
        self.each(|told| {
            if told.uid() == Some(uid) {
                number = Some(told.number);
            }
        });
        self.each(|told| {
            let one = told
                .uid()
                .or(Some(uid).filter(|_| number == Some(told.number)));
            if one == Some(uid) {
                each(told);
            }
        });
    }

    /// The first thing of this kind that is told of one message.
    pub(super) fn of<T>(&self, uid: u32, take: impl Fn(&Told<'_>) -> Option<T>) -> Option<T> {
        let mut found = None;
        self.each_of(uid, |told| {
            if found.is_none() {
                found = take(told);
            }
        });
        found
    }
}

impl Told<'_> {
    pub(super) fn uid(&self) -> Option<u32> {
        self.items.iter().find_map(|item| match item {
            AttributeValue::Uid(uid) => Some(*uid),
            _ => None,
        })
    }

    /// Length of the whole message, in bytes.
    pub(super) fn size(&self) -> Option<u64> {
        self.items.iter().find_map(|item| match item {
            AttributeValue::Rfc822Size(size) => Some(u64::from(*size)),
            _ => None,
        })
    }

    /// Adds what the store says of the message.
    pub(super) fn mark(&self, marks: &mut Marks) {
        for item in &self.items {
            match item {
                AttributeValue::Flags(flags) => {
                    let is = |flag: &str| flags.iter().any(|one| one.eq_ignore_ascii_case(flag));
                    marks.draft |= is("\\Draft");
                    marks.deleted |= is("\\Deleted");
                }
                AttributeValue::InternalDate(text) => {
                    let stored = jiff::fmt::strtime::parse(DATE_TIME, text.trim())
                        .and_then(|date| date.to_timestamp())
                        .map(|date| date.as_second());
                    // 0 stands for none.
                    marks.stored = marks.stored.or(stored.ok().filter(|stored| *stored != 0));
                }
                _ => {}
            }
        }
    }

    /// The header fields that were asked for, from this byte on, at most so many bytes.
    pub(super) fn head(&self, from: u64, most: u64) -> Option<Vec<u8>> {
        let head = SectionPath::Full(MessageSection::Header);
        self.section(Some(&head), from, most)
    }

    /// The whole message from this byte on, at most so many bytes.
    pub(super) fn body(&self, from: u64, most: u64) -> Option<Vec<u8>> {
        self.section(None, from, most)
    }

    /// What was asked for of a section. A server that says of no byte that it begins there gives all of it, whatever it was
    /// asked for; `None` where it gives another piece.
    pub(super) fn section(
        &self,
        wanted: Option<&SectionPath>,
        from: u64,
        most: u64,
    ) -> Option<Vec<u8>> {
        self.items.iter().find_map(|item| match item {
            AttributeValue::BodySection {
                section,
                index,
                data: Some(data),
            } if section.as_ref() == wanted => {
                let skip = match index {
                    None => from,
                    Some(at) if u64::from(*at) == from => 0,
                    Some(_) => return None,
                };
                let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(data.len());
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                let piece = &data[skip..];
                Some(unveiled(&piece[..piece.len().min(most)]))
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_of_each_message() {
        // A line feed within a literal comes as SOH: see the guard.
        let answer = b"* 7 FETCH (UID 9 FLAGS (\\Seen \\draft) INTERNALDATE \" 1-Mar-2024 10:00:00 +0100\" RFC822.SIZE 40 BODY[HEADER.FIELDS (TO)]<0> {9}\r\nTo: a@b\r\x01)\r\n\
            * 8 FETCH (UID 10 INTERNALDATE \"01-Jan-1970 00:00:00 +0000\" BODY[]<0> {2}\r\nab)\r\n";
        let answer = Answer::new(answer.to_vec());
        let (mut uids, mut marks) = (Vec::new(), Vec::new());
        answer.each(|told| {
            uids.push((told.number, told.uid(), told.size()));
            let mut mark = Marks::default();
            told.mark(&mut mark);
            marks.push((mark.draft, mark.deleted, mark.stored));
        });
        assert_eq!(uids, [(7, Some(9), Some(40)), (8, Some(10), None)]);
        assert_eq!(
            marks,
            [(true, false, Some(1_709_283_600)), (false, false, None)]
        );
        assert_eq!(
            answer.of(9, |told| told.head(0, 99)).as_deref(),
            Some(&b"To: a@b\r\n"[..])
        );
        assert_eq!(answer.of(9, |told| told.body(0, 9)), None);
        assert_eq!(
            answer.of(10, |told| told.body(0, 9)).as_deref(),
            Some(&b"ab"[..])
        );
    }

    #[test]
    fn of_a_section_no_other_piece_is_taken_than_was_asked_for() {
        let piece = |origin: &str, from: u64| {
            let answer =
                format!("* 7 FETCH (UID 9)\r\n* 7 FETCH (BODY[]{origin} {{5}}\r\nabcde)\r\n");
            let answer = Answer::new(answer.into_bytes());
            let piece = answer.of(9, |told| told.body(from, 2))?;
            Some(String::from_utf8_lossy(&piece).into_owned())
        };
        assert_eq!(piece("<2>", 2).as_deref(), Some("ab"));
        assert_eq!(piece("<2>", 0), None);
        // All of it, though a piece was asked for.
        assert_eq!(piece("", 2).as_deref(), Some("cd"));
        assert_eq!(piece("", 4).as_deref(), Some("e"));
        assert_eq!(piece("", 9).as_deref(), Some(""));
    }
}
