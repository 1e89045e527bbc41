//! Who a message shows: every mailbox of To, Cc, Bcc and their Resent- forms (RFC 5322 3.4, 3.6.3, 3.6.6).
//! Structure is parsed first, names are decoded second. Not a judge of who is exposed.

use super::Address;
use super::header::{Head, Name};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub use super::list::parse_list;

/// Where a recipient stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Field {
    /// To.
    To,
    /// Cc.
    Cc,
    /// Bcc.
    Bcc,
    /// Resent-To.
    ResentTo,
    /// Resent-Cc.
    ResentCc,
    /// Resent-Bcc.
    ResentBcc,
    /// The head of a message quoted in the text.
    Quoted,
    /// An attached message, or attached contacts.
    Attached,
    /// The attendees of an invitation.
    Calendar,
}

impl Field {
    /// The recipient field of this name, if it is one.
    pub fn named(name: Name) -> Option<Self> {
        match name {
            Name::To => Some(Self::To),
            Name::Cc => Some(Self::Cc),
            Name::Bcc => Some(Self::Bcc),
            Name::ResentTo => Some(Self::ResentTo),
            Name::ResentCc => Some(Self::ResentCc),
            Name::ResentBcc => Some(Self::ResentBcc),
            _ => None,
        }
    }

    /// True for the fields that every recipient sees.
    pub fn is_visible(self) -> bool {
        matches!(self, Self::To | Self::Cc | Self::ResentTo | Self::ResentCc)
    }

    /// True where whoever stands there receives the message; attendees get the invitation.
    pub fn receives(self) -> bool {
        !matches!(self, Self::Quoted | Self::Attached)
    }

    /// True for what stands inside a message, and in none of its header fields.
    pub fn is_inside(self) -> bool {
        matches!(self, Self::Quoted | Self::Attached | Self::Calendar)
    }
}

/// A mailbox as a header shows it: an address, a name, or both.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Mailbox {
    /// Canonical address; `None` where the header gives a name only.
    pub address: Option<Address>,
    /// Display name, decoded, without control or bidi characters, white space folded; empty where there is none.
    pub name: String,
}

/// A mailbox in a recipient field.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Recipient {
    /// Who.
    pub mailbox: Mailbox,
    /// Where.
    pub field: Field,
    /// Name of the group (`HIV clinic patients:…;`) that it stands in, decoded.
    pub group: Option<String>,
}

/// Every mailbox of every recipient field of a head, in the order in which they stand; repeats are kept.
pub fn recipients(head: &Head<'_>) -> Vec<Recipient> {
    let mut all = Vec::new();
    for (name, value) in head.fields() {
        if let Some(field) = Field::named(name) {
            all.extend(
                parse_list(value)
                    .into_iter()
                    .map(|(mailbox, group)| Recipient {
                        mailbox,
                        field,
                        group,
                    }),
            );
        }
    }
    all
}

/// The visible recipients: each mailbox of To, Cc, Resent-To and Resent-Cc once, where it stands first. A name that
/// stands only at a later place is filled in.
pub fn visible(all: &[Recipient]) -> Vec<Recipient> {
    distinct(all.iter().filter(|recipient| recipient.field.is_visible()))
}

/// The blind recipients: each mailbox of Bcc and Resent-Bcc once that is not visible as well.
pub fn blind(all: &[Recipient]) -> Vec<Recipient> {
    if all.iter().all(|recipient| recipient.field.is_visible()) {
        return Vec::new();
    }
    let shown: Vec<_> = all
        .iter()
        .filter(|recipient| recipient.field.is_visible())
        .map(identity)
        .collect();
    let shown: std::collections::HashSet<_> = shown.into_iter().collect();
    distinct(
        all.iter().filter(|recipient| {
            !recipient.field.is_visible() && !shown.contains(&identity(recipient))
        }),
    )
}

/// What makes two recipients one: the address, or the folded name where there is none.
#[derive(PartialEq, Eq, Hash)]
enum Identity<'a> {
    Address(&'a str),
    Name(String),
}

fn identity(recipient: &Recipient) -> Identity<'_> {
    match &recipient.mailbox.address {
        Some(address) => Identity::Address(address.as_str()),
        None => Identity::Name(fold(&recipient.mailbox.name)),
    }
}

/// A name as names are compared: lower-case.
pub(super) fn fold(name: &str) -> String {
    name.to_lowercase()
}

/// Each recipient once.
fn distinct<'a>(all: impl Iterator<Item = &'a Recipient>) -> Vec<Recipient> {
    let mut seen = HashMap::new();
    let mut out: Vec<Recipient> = Vec::new();
    for recipient in all {
        match seen.entry(identity(recipient)) {
            Entry::Vacant(place) => {
                place.insert(out.len());
                out.push(recipient.clone());
            }
            Entry::Occupied(place) => {
                let first = &mut out[*place.get()].mailbox;
                if first.name.is_empty() {
                    first.name.clone_from(&recipient.mailbox.name);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(raw: &str) -> Vec<Recipient> {
        recipients(&Head::new(raw.as_bytes()))
    }

    fn shown(recipients: &[Recipient]) -> Vec<String> {
        recipients
            .iter()
            .map(|r| match &r.mailbox.address {
                Some(address) => format!("{:?} {} <{address}>", r.field, r.mailbox.name),
                None => format!("{:?} {}", r.field, r.mailbox.name),
            })
            .collect()
    }

    #[test]
    fn every_occurrence_of_every_field_is_read_in_order() {
        let raw = "To: a@x.example\nCc: b@x.example\nTO: c@x.example\nTo:\nBcc: d@x.example\nResent-To: e@x.example\n\
                   Resent-Cc: f@x.example\nResent-Bcc: g@x.example\nReply-To: h@x.example\n\n";
        let fields: Vec<_> = all(raw)
            .iter()
            .map(|r| {
                (
                    r.field,
                    r.mailbox.address.clone().map(|a| a.local().to_owned()),
                )
            })
            .collect();
        let want = [
            (Field::To, "a"),
            (Field::Cc, "b"),
            (Field::To, "c"),
            (Field::Bcc, "d"),
            (Field::ResentTo, "e"),
            (Field::ResentCc, "f"),
            (Field::ResentBcc, "g"),
        ];
        assert_eq!(
            fields,
            want.map(|(field, local)| (field, Some(local.to_owned())))
        );
    }

    #[test]
    fn a_visible_mailbox_counts_once_and_a_later_name_is_filled_in() {
        let raw = "To: ann@x.example, Root, root\nCc: Ann Bee <ANN@x.example>, \"A. Bee\" <ann@x.example>\n\n";
        assert_eq!(
            shown(&visible(&all(raw))),
            ["To Ann Bee <ann@x.example>", "To Root"]
        );
    }

    #[test]
    fn a_blind_mailbox_that_is_visible_too_is_not_blind() {
        let raw = "Bcc: ann@x.example, bob@x.example, Cee\nResent-Bcc: bob@x.example\nTo: ann@x.example, cee\n\n";
        assert_eq!(shown(&blind(&all(raw))), ["Bcc  <bob@x.example>"]);
        assert_eq!(blind(&all("To: a@x.example\n\n")), []);
    }
}
