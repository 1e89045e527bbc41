//! Heads of quoted messages as mail programs write them into a text: Outlook, Gmail, Apple Mail, Thunderbird, and others
//! that do as they do.
//!
//! | program | head |
//! | --- | --- |
//! | Outlook | a line or `-----Original Message-----`, then From, Sent, To, Cc, Subject; names only, or `Ann [mailto:a@x]`; `;` between |
//! | Outlook on the web, new Outlook | the same with `Ann <a@x>`; Date for Sent; the body follows without a blank line |
//! | Gmail | `---------- Forwarded message ---------`, then From (translated), Date, Subject, To, Cc (mostly English) |
//! | Apple Mail | `Begin forwarded message:`, then From, Subject, Date, To, Cc behind `>` |
//! | Thunderbird | `-------- Forwarded Message --------`, then a table: Subject, Date, From, To, CC |
//!
//! The lines that announce a head are not needed: a head is a run of lines with known words before their colons, among
//! them who wrote it, to whom, and what about or when. Programs wrap long lines; text made from HTML has no blank line
//! between head and body. Attributions (`On …, Ann wrote:`) show no list; [`super::super::quoted`] reads those.

use super::{List, MOST_LISTS, MOST_PEOPLE};
use crate::message::recipients::{Field, Mailbox, parse_list};
use crate::message::words::{Label, bare, field};

/// Most lines that a field which is no list is wrapped over, beside its first.
const MOST_WRAPPED: usize = 3;
/// Longest address in brackets, in bytes.
const LONGEST_ADDRESS: usize = 320;

/// The lists of two people or more of all heads in a text, in order.
pub(super) fn read(text: &str) -> Vec<List> {
    let lines: Vec<&str> = text.lines().map(bare).collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < lines.len() && out.len() < MOST_LISTS {
        if field(lines[at]).is_none() {
            at += 1;
            continue;
        }
        let (head, end) = Head::at(&lines, at);
        out.extend(head.list());
        at = end.max(at + 1);
    }
    out
}

/// A run of fields, each as its text.
#[derive(Default)]
struct Head {
    from: String,
    lists: Vec<String>,
    subject: String,
    /// Which fields there are.
    seen: Vec<Label>,
}

impl Head {
    /// The fields from this line on, and where they end.
    fn at(lines: &[&str], start: usize) -> (Self, usize) {
        let mut head = Head::default();
        let mut at = start;
        while let Some((label, value)) = lines.get(at).and_then(|line| field(line)) {
            if label != Label::Other && head.seen.contains(&label) {
                break;
            }
            if label != Label::Other {
                head.seen.push(label);
            }
            let list = matches!(label, Label::To | Label::Cc | Label::Bcc);
            let end = if list {
                list_end(lines, at, value)
            } else {
                wrapped_end(lines, at, value)
            };
            let mut whole = value.to_owned();
            for line in &lines[at + 1..end] {
                whole.push(' ');
                whole.push_str(line);
            }
            match label {
                Label::From => head.from = whole,
                Label::Subject => head.subject = whole.trim().to_owned(),
                _ if list => head.lists.push(plain(&whole)),
                _ => {}
            }
            at = end;
        }
        (head, at)
    }

    /// What it shows, where it is the head of a message.
    fn list(self) -> Option<List> {
        let has = |label| self.seen.contains(&label);
        if !has(Label::From) || !(has(Label::Subject) || has(Label::Date)) {
            return None;
        }
        // Outlook separates by semicolons, and writes names with commas: `Bee, Ann`. Where it shows one person there is
        // no semicolon; so one is put behind, for the parser to see.
        let from = format!("{};", plain(&self.from));
        let author = parse_list(from.as_bytes()).into_iter().next();
        let author = author.map(|(mailbox, _)| mailbox);
        let comma = |author: &Mailbox| author.address.is_none() && author.name.contains(',');
        let semicolons =
            self.lists.iter().any(|list| list.contains(';')) || author.as_ref().is_some_and(comma);
        let mut out = List {
            field: Field::Quoted,
            author,
            recipients: Vec::new(),
            groups: Vec::new(),
            message_id: None,
            subject: self.subject,
        };
        for mut list in self.lists {
            if semicolons {
                list.push(';');
            }
            for (mailbox, group) in parse_list(list.as_bytes()) {
                if out.recipients.len() < MOST_PEOPLE {
                    out.recipients.push(mailbox);
                }
                if group.is_some() && group.as_ref() != out.groups.last() {
                    out.groups.extend(group);
                }
            }
        }
        (out.recipients.len() >= 2).then_some(out)
    }
}

/// Where a field that is no list ends: it is wrapped where another field follows soon, or where it has no text yet.
fn wrapped_end(lines: &[&str], at: usize, value: &str) -> usize {
    let next = lines[at + 1..].iter().take(MOST_WRAPPED + 1);
    let mut next = next.take_while(|line| !line.is_empty());
    if let Some(wrapped) = next.position(|line| field(line).is_some()) {
        return at + 1 + wrapped;
    }
    let alone = value.is_empty() && lines.get(at + 1).is_some_and(|line| !line.is_empty());
    at + 1 + usize::from(alone)
}

/// Where a list ends. Each next line belongs to it only where the list cannot be whole without it: what follows may be
/// the body.
fn list_end(lines: &[&str], at: usize, value: &str) -> usize {
    let mut end = at + 1;
    let mut last = value;
    let semicolons = value.contains(';');
    while let Some(line) = lines.get(end).filter(|line| !line.is_empty()) {
        if field(line).is_some() {
            break;
        }
        let open = last.is_empty() || last.ends_with([',', ';', '<', '[']);
        let cut = || !tail(last).contains('@');
        let goes_on = || {
            front(line).contains('@')
                || semicolons && line.contains(';')
                || lines.get(end + 1).is_some_and(|next| field(next).is_some())
        };
        if !(open || cut() && goes_on()) {
            break;
        }
        last = line;
        end += 1;
    }
    end
}

/// What stands behind the last separator.
fn tail(line: &str) -> &str {
    line.rsplit([',', ';']).next().unwrap_or_default()
}

/// What stands before the first separator.
fn front(line: &str) -> &str {
    line.split([',', ';']).next().unwrap_or_default()
}

/// A list as a header would write it: `Ann [mailto:a@x]`, `Ann<mailto:a@x>`, `a@x<mailto:a@x>` and `Ann [a@x]` to
/// `Ann <a@x>`. An address that is said twice is said once.
fn plain(list: &str) -> String {
    let mut out = String::with_capacity(list.len());
    // Whether the mailbox that is being written has its address.
    let mut addressed = false;
    let mut rest = list;
    while let Some(at) = rest.find(['<', '[', ',', ';', '@']) {
        out.push_str(&rest[..at]);
        let open = rest.as_bytes()[at];
        rest = &rest[at..];
        let close = match open {
            b'<' => '>',
            b'[' => ']',
            other => {
                addressed = other == b'@';
                out.push(char::from(other));
                rest = &rest[1..];
                continue;
            }
        };
        let near = &rest[1..rest.floor_char_boundary(LONGEST_ADDRESS)];
        let inner = near.find(close).map(|end| &near[..end]);
        let bare = inner.map(|inner| {
            let scheme = inner.get(..7).unwrap_or_default();
            match scheme.eq_ignore_ascii_case("mailto:") {
                true => (&inner[7..], true),
                false => (inner, false),
            }
        });
        match bare {
            Some((address, linked))
                if address.contains('@')
                    && !address.contains([' ', '<', ',', ';'])
                    && (linked || open == b'[') =>
            {
                if !addressed {
                    out.push_str(" <");
                    out.push_str(address);
                    out.push('>');
                    addressed = true;
                }
                let length = inner.map_or(0, str::len);
                rest = &rest[length + 2..];
            }
            _ => {
                out.push(char::from(open));
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
#[path = "heads_tests.rs"]
mod tests;
