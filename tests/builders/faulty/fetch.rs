//! UID FETCH: which messages, which items, and how the answer is written.

use super::{Letter, Shape};

/// What of a message is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Uid,
    Flags,
    Date,
    Size,
    /// A section as it stands in the brackets, and the part of it: first byte and number of bytes.
    Section(String, Option<(usize, usize)>),
}

/// A set such as `3:7,9,20:*` as the UIDs that it names; `*` is the highest.
pub(super) fn uids(set: &str, present: &[u32]) -> Option<Vec<u32>> {
    let highest = present.last().copied().unwrap_or(0);
    let number = |text: &str| match text {
        "*" => Some(highest),
        text => text.parse::<u32>().ok().filter(|n| *n > 0),
    };
    let mut ranges = Vec::new();
    for part in set.split(',') {
        let (a, b) = part.split_once(':').unwrap_or((part, part));
        let (a, b) = (number(a)?, number(b)?);
        ranges.push(a.min(b)..=a.max(b));
    }
    let named = |uid: &u32| ranges.iter().any(|range| range.contains(uid));
    Some(present.iter().copied().filter(named).collect())
}

/// The items of a FETCH; none where one of them is not allowed.
pub(super) fn items(text: &str) -> Option<Vec<Item>> {
    let inner = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    let mut rest = inner.unwrap_or(text);
    let mut items = Vec::new();
    while !rest.is_empty() {
        if let Some(section) = rest.strip_prefix("BODY.PEEK[") {
            let (name, after) = section.split_once(']')?;
            let (partial, after) = match after.strip_prefix('<') {
                Some(partial) => {
                    let (partial, after) = partial.split_once('>')?;
                    let (first, count) = partial.split_once('.')?;
                    let count = count.parse().ok().filter(|n| *n > 0)?;
                    (Some((first.parse().ok()?, count)), after)
                }
                None => (None, after),
            };
            if !allowed(name) {
                return None;
            }
            items.push(Item::Section(name.to_owned(), partial));
            rest = after;
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            items.push(match rest[..end].to_ascii_uppercase().as_str() {
                "UID" => Item::Uid,
                "FLAGS" => Item::Flags,
                "INTERNALDATE" => Item::Date,
                "RFC822.SIZE" => Item::Size,
                _ => return None,
            });
            rest = &rest[end..];
        }
        match rest.strip_prefix(' ') {
            Some(next) if !next.is_empty() => rest = next,
            None if rest.is_empty() => {}
            _ => return None,
        }
    }
    Some(items).filter(|items| !items.is_empty())
}

fn allowed(section: &str) -> bool {
    let section = section.to_ascii_uppercase();
    let part = section.strip_suffix(".MIME").unwrap_or(&section);
    matches!(&*section, "" | "HEADER" | "TEXT")
        || section.starts_with("HEADER.FIELDS (")
        || part
            .split('.')
            .all(|n| n.parse::<u8>().is_ok_and(|n| n > 0))
}

/// The answer for one message, in one or two untagged lines.
pub(super) fn answer(
    number: usize,
    letter: &Letter,
    items: &[Item],
    shapes: &[Shape],
) -> Vec<Vec<u8>> {
    let is = |shape| shapes.contains(&shape);
    let mut lines = Vec::new();
    let mut values: Vec<Vec<u8>> = items
        .iter()
        .filter(|item| **item != Item::Uid)
        .map(|item| value(letter, item, shapes))
        .collect();
    for shape in shapes {
        match shape {
            Shape::Gone => return lines,
            Shape::Listed if !values.is_empty() => return lines,
            Shape::Item(extra) => values.insert(0, extra.as_bytes().to_vec()),
            _ => {}
        }
    }
    let uid = format!("UID {}", letter.uid).into_bytes();
    if is(Shape::Split) || is(Shape::SplitBare) {
        lines.push(line(number, std::slice::from_ref(&uid)));
    }
    if is(Shape::UidLast) {
        values.push(uid);
    } else if !is(Shape::SplitBare) {
        values.insert(0, uid);
    }
    lines.push(line(number, &values));
    lines
}

fn line(number: usize, values: &[Vec<u8>]) -> Vec<u8> {
    let mut line = format!("* {number} FETCH (").into_bytes();
    line.extend(values.join(&b' '));
    line.extend_from_slice(b")\r\n");
    line
}

fn value(letter: &Letter, item: &Item, shapes: &[Shape]) -> Vec<u8> {
    let nil = |shape| shapes.contains(&shape);
    match item {
        Item::Uid => format!("UID {}", letter.uid).into_bytes(),
        Item::Flags => b"FLAGS (\\Seen)".to_vec(),
        Item::Date if nil(Shape::DateNil) => b"INTERNALDATE NIL".to_vec(),
        Item::Date => b"INTERNALDATE \"01-Mar-2024 09:00:00 +0000\"".to_vec(),
        Item::Size => {
            let told = shapes.iter().find_map(|shape| match shape {
                Shape::Size(size) => Some(*size),
                _ => None,
            });
            let size = told.unwrap_or(letter.bytes.len() as u64);
            format!("RFC822.SIZE {size}").into_bytes()
        }
        Item::Section(name, partial) => {
            let mut text = section(&letter.bytes, name);
            let mut out = format!("BODY[{name}]").into_bytes();
            if let Some((first, count)) = partial.filter(|_| !nil(Shape::All)) {
                out.extend_from_slice(format!("<{first}>").as_bytes());
                text = text.into_iter().skip(first).take(count).collect();
            }
            out.push(b' ');
            if nil(Shape::Empty) {
                text.clear();
            }
            if nil(Shape::Nil) {
                out.extend_from_slice(b"NIL");
            } else if nil(Shape::Quoted) {
                out.extend(super::quoted(&text));
            } else {
                let wrong = shapes.iter().find_map(|shape| match shape {
                    Shape::Length(more) => Some(*more),
                    _ => None,
                });
                let told = text.len().saturating_add_signed(wrong.unwrap_or(0));
                out.extend_from_slice(format!("{{{told}}}\r\n").as_bytes());
                out.extend(text);
            }
            out
        }
    }
}

/// A section of a message: the whole, its header, some fields, its text, a part, a part's header.
fn section(mail: &[u8], name: &str) -> Vec<u8> {
    let (header, text) = split(mail);
    let upper = name.to_ascii_uppercase();
    if let Some(fields) = upper.strip_prefix("HEADER.FIELDS (") {
        let fields: Vec<&str> = fields
            .trim_end_matches(')')
            .split(' ')
            .map(|name| name.trim_matches('"'))
            .collect();
        return only(header, &fields);
    }
    match &*upper {
        "" => mail.to_vec(),
        "HEADER" => header.to_vec(),
        "TEXT" => text.to_vec(),
        _ => match upper.strip_suffix(".MIME") {
            Some(part) => split(&part_of(mail, part)).0.to_vec(),
            // A mail that has no parts is its own first.
            None if upper == "1" && boundary(header).is_none() => text.to_vec(),
            None => split(&part_of(mail, &upper)).1.to_vec(),
        },
    }
}

/// Header with its empty line, and the rest.
fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memmem::find(mail, b"\r\n\r\n").map_or(mail.len(), |at| at + 4);
    mail.split_at(end)
}

/// The fields of these names as they stand, folded lines with them.
fn only(header: &[u8], names: &[&str]) -> Vec<u8> {
    let (mut out, mut wanted) = (Vec::new(), false);
    for line in header.split_inclusive(|b| *b == b'\n') {
        if line == b"\r\n" {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|b| *b == b':').next().unwrap_or(line);
            wanted = names
                .iter()
                .any(|n| n.as_bytes().eq_ignore_ascii_case(name));
        }
        if wanted {
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn boundary(header: &[u8]) -> Option<Vec<u8>> {
    let at = memchr::memmem::find(header, b"boundary=\"")? + 10;
    let end = memchr::memchr(b'"', &header[at..])?;
    Some([b"--", &header[at..at + end]].concat())
}

/// Part `2.1` of a mail, its own header with it; empty where there is none.
fn part_of(mail: &[u8], path: &str) -> Vec<u8> {
    let mut now = mail.to_vec();
    for n in path.split('.').map(|n| n.parse::<usize>().unwrap_or(0)) {
        let Some(mark) = boundary(split(&now).0) else {
            return Vec::new();
        };
        let pieces: Vec<usize> = memchr::memmem::find_iter(&now, &mark).collect();
        let (Some(start), Some(end)) = (pieces.get(n.wrapping_sub(1)), pieces.get(n)) else {
            return Vec::new();
        };
        now = now[start + mark.len() + 2..end - 2].to_vec();
    }
    now
}
