//! Who a message shows: every mailbox of To, Cc, Bcc and their Resent- forms (RFC 5322 3.4, 3.6.3, 3.6.6).
//! Structure is parsed first, names are decoded second. Not a judge of who is exposed.

use super::Address;

/// Where a recipient stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
}

/// A mailbox as a header shows it: an address, a name, or both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mailbox {
    /// Canonical address; `None` where the header gives a name only.
    pub address: Option<Address>,
    /// Display name, decoded, without control or bidi characters, white space folded; empty where there is none.
    pub name: String,
}

/// A mailbox in a recipient field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient {
    /// Who.
    pub mailbox: Mailbox,
    /// Where.
    pub field: Field,
    /// Name of the group (`HIV clinic patients:…;`) that it stands in, decoded.
    pub group: Option<String>,
}

/// The mailboxes of one address-list header value (RFC 5322 3.4, with the malformed forms of real mail), in order.
/// `value` is the raw value, folds included.
pub fn parse_list(value: &[u8]) -> Vec<(Mailbox, Option<String>)> {
    let _ = value;
    Vec::new()
}
