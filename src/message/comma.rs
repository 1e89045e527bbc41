//! Names cut at a comma that nobody quoted: `Smith, Ann <ann@x.example>` is one mailbox, not two.
//! Works on parsed lists, and only where the whole list says so; a name that may be a recipient is left alone.

use super::list::Parsed;
use super::recipients::Mailbox;

/// The mailboxes of a parsed list, with cut names joined again.
pub(super) fn merge(parsed: Vec<Parsed>) -> Vec<(Mailbox, Option<String>)> {
    let nameless = parsed.iter().all(|one| one.mailbox.address.is_some());
    let joins: fn(&Parsed, &Parsed) -> bool =
        if nameless || parsed.iter().any(|one| one.group.is_some()) {
            |_, _| false
        } else if parsed.iter().any(|one| one.shape.end == b';') && semicolons_separate(&parsed) {
            // Outlook's own separator: the commas between are parts of names.
            |left, _| left.shape.end == b','
        } else if surnames_first(&parsed) {
            |left, _| is_surname(left)
        } else {
            |_, _| false
        };
    let mut out: Vec<(Mailbox, Option<String>)> = Vec::with_capacity(parsed.len());
    let mut surname: Option<Mailbox> = None;
    let mut parsed = parsed.into_iter().peekable();
    while let Some(mut one) = parsed.next() {
        if let Some(surname) = surname.take() {
            one.mailbox.name = format!("{}, {}", surname.name, one.mailbox.name);
        }
        if one.mailbox.address.is_none() && parsed.peek().is_some_and(|next| joins(&one, next)) {
            surname = Some(one.mailbox);
        } else {
            out.push((one.mailbox, one.group));
        }
    }
    out
}

/// True where each part between semicolons is one mailbox: `Smith, Ann <ann@x.example>; Jones, Bob`.
fn semicolons_separate(parsed: &[Parsed]) -> bool {
    parsed
        .split_inclusive(|one| one.shape.end == b';')
        .all(|part| match part {
            [one] => one.shape.end == b';' || part.len() == 1,
            [surname, one] => {
                surname.mailbox.address.is_none()
                    && surname.shape.end == b','
                    && !one.mailbox.name.is_empty()
                    && (one.shape.angle || one.mailbox.address.is_none())
            }
            _ => false,
        })
}

/// True where every name without an address is a surname before its owner: `Smith, Ann <ann@x.example>, Jones, …`.
fn surnames_first(parsed: &[Parsed]) -> bool {
    let mut rest = parsed.iter().peekable();
    while let Some(one) = rest.next() {
        let next_is_owner = || {
            rest.peek().is_some_and(|next| {
                next.shape.angle
                    && next.mailbox.address.is_some()
                    && (1..=2).contains(&next.mailbox.name.split(' ').count())
                    && !next.mailbox.name.is_empty()
                    && !next.mailbox.name.contains(',')
            })
        };
        let mut next_is_owner = next_is_owner;
        if one.mailbox.address.is_none() && !(is_surname(one) && next_is_owner()) {
            return false;
        }
    }
    true
}

/// True for one capitalised word before a comma: a login name (`root`) or a full name is a recipient of its own.
fn is_surname(one: &Parsed) -> bool {
    one.mailbox.address.is_none()
        && one.shape.end == b','
        && !one.mailbox.name.contains(' ')
        && one.mailbox.name.starts_with(char::is_uppercase)
}
