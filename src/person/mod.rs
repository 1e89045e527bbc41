//! Addresses to people: insider or outsider, what kind, how far they can be named, under which id; `merge` says which
//! addresses are one person, `shared` which are several. Not contacts: what an officer writes about a person stands in the
//! case.

pub mod mailbox;
pub mod merge;
pub mod name;
pub mod shared;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::message::Address;
use crate::message::recipients::Mailbox;
use crate::query::example::PROVIDERS as EXAMPLE_PROVIDERS;
use crate::query::{hex, pattern::fold};

/// Providers of personal mailboxes: a name with a dot at the end fits under any ending (`yahoo.` is `yahoo.co.uk`).
const PROVIDERS: &str = include_str!("providers.txt");

/// Local parts that stand for a role and for no person (RFC 2142 and common use).
const ROLES: &[&str] = &[
    "abuse",
    "accounts",
    "accounting",
    "admin",
    "administration",
    "administrator",
    "admissions",
    "appointments",
    "billing",
    "bookings",
    "careers",
    "clerk",
    "clientservices",
    "communications",
    "comms",
    "complaints",
    "compliance",
    "contact",
    "contactus",
    "council",
    "customercare",
    "customerservice",
    "customerservices",
    "dataprotection",
    "do-not-reply",
    "donotreply",
    "dpo",
    "editor",
    "editorial",
    "enquiries",
    "enquiry",
    "events",
    "feedback",
    "finance",
    "foi",
    "fundraising",
    "gdpr",
    "general",
    "hello",
    "help",
    "helpdesk",
    "hostmaster",
    "hr",
    "info",
    "information",
    "inquiries",
    "intake",
    "invoices",
    "it",
    "jobs",
    "legal",
    "mail",
    "mailer-daemon",
    "marketing",
    "media",
    "membership",
    "news",
    "newsdesk",
    "newsletter",
    "no-reply",
    "noreply",
    "notifications",
    "office",
    "operations",
    "orders",
    "payments",
    "payroll",
    "post",
    "postmaster",
    "press",
    "pressoffice",
    "privacy",
    "procurement",
    "purchasing",
    "reception",
    "recruitment",
    "referrals",
    "registrar",
    "root",
    "sales",
    "secretary",
    "security",
    "service",
    "services",
    "shop",
    "spam",
    "staff",
    "subscriptions",
    "subscribe",
    "support",
    "team",
    "tenders",
    "training",
    "unsubscribe",
    "webmaster",
    "welcome",
];

/// Words in a local part or a display name that name nobody.
const NAMELESS: &[&str] = &[
    "mail",
    "email",
    "the",
    "my",
    "me",
    "mr",
    "mrs",
    "ms",
    "miss",
    "dr",
    "info",
    "contact",
    "hello",
    "user",
    "anon",
    "anonymous",
    "home",
    "family",
    "office",
    "private",
    "personal",
    "new",
    "old",
    "via",
    "and",
    "box",
];

/// Insider or outsider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// Of the organisation that sent the message.
    Insider,
    /// Anybody else.
    Outsider,
}

/// What somebody is. A kind never makes an exposed person unexposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// At a personal mailbox, or known by name only.
    Private,
    /// At the domain of another organisation.
    Professional,
    /// Of the organisation.
    Insider,
    /// `info@`, `press@`: no person.
    RoleAddress,
    /// A mailing list.
    List,
}

/// How far a recipient can be named from what was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamedBy {
    /// Not at all. It never means "not affected".
    None,
    /// A part of a name.
    Partial,
    /// A full name.
    Full,
}

macro_rules! words {
    ($type:ty { $($variant:ident => $word:literal),* }) => {
        impl $type {
            /// The word used in columns.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
            /// From its word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
words!(Relation { Insider => "insider", Outsider => "outsider" });
words!(Kind { Private => "private", Professional => "professional", Insider => "insider", RoleAddress => "role-address", List => "list" });
words!(NamedBy { None => "none", Partial => "partial", Full => "full" });

/// Who belongs to the organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Domains; their subdomains belong too. Canonical, sorted.
    pub domains: BTreeSet<String>,
    /// Single addresses at a personal provider.
    pub addresses: BTreeSet<String>,
}

impl Organisation {
    /// True where nobody is known to belong: then every sender is judged.
    pub fn is_unknown(&self) -> bool {
        self.domains.is_empty() && self.addresses.is_empty()
    }

    /// Whether an address belongs.
    pub fn holds(&self, address: &Address) -> bool {
        self.holds_domain(address.domain()) || self.addresses.contains(address.as_str())
    }

    /// Whether a domain, or one above it, is one of the organisation's.
    pub fn holds_domain(&self, domain: &str) -> bool {
        let mut ends = std::iter::successors(Some(domain), |rest| {
            rest.split_once('.').map(|(_, parent)| parent)
        });
        ends.any(|end| self.domains.contains(end))
    }

    /// Insider or outsider.
    pub fn relation(&self, address: Option<&Address>) -> Relation {
        if address.is_some_and(|address| self.holds(address)) {
            Relation::Insider
        } else {
            Relation::Outsider
        }
    }
}

/// The names of [`PROVIDERS`]: whole domains, and first labels that fit under any ending.
static KNOWN: LazyLock<(FxHashSet<&str>, FxHashSet<&str>)> = LazyLock::new(|| {
    let names = PROVIDERS
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (stems, domains): (Vec<&str>, Vec<&str>) = names.partition(|name| name.ends_with('.'));
    (
        domains.into_iter().chain(EXAMPLE_PROVIDERS).collect(),
        stems
            .into_iter()
            .map(|stem| stem.trim_end_matches('.'))
            .collect(),
    )
});

/// Whether a domain is that of a provider of personal mailboxes, or below one.
pub fn personal_provider(domain: &str) -> bool {
    let (domains, stems) = &*KNOWN;
    let ends = std::iter::successors(Some(domain), |rest| {
        rest.split_once('.').map(|(_, parent)| parent)
    });
    let (first, ending) = domain.split_once('.').unwrap_or((domain, ""));
    ends.take(4).any(|end| domains.contains(end))
        || (stems.contains(first) && !ending.is_empty() && ending.matches('.').count() <= 1)
}

/// [`ROLES`], to be looked up.
static ROLE: LazyLock<FxHashSet<&str>> = LazyLock::new(|| ROLES.iter().copied().collect());
/// Words that are no part of a name: [`NAMELESS`] and [`ROLES`].
static NO_NAME: LazyLock<FxHashSet<&str>> =
    LazyLock::new(|| NAMELESS.iter().chain(ROLES).copied().collect());

/// Whether an address stands for a role: its local part is one of `ROLES`, alone or with a separator and more words of
/// that list.
pub fn role_address(address: &Address) -> bool {
    let local = address.local().split('+').next().unwrap_or_default();
    ROLE.contains(local) || {
        let mut words = local.split(['.', '-', '_']).peekable();
        words.peek().is_some() && words.all(|word| ROLE.contains(word))
    }
}

/// Whether an address is that of a mailing list, by its own form or because the message came from that list.
fn list_address(address: &Address, lists: &[String]) -> bool {
    let (local, domain) = (address.local(), address.domain());
    like_a_list(local, domain)
        || lists.iter().any(|list| {
            // What follows holds the local part in any case.
            list.contains(local)
                && (list.contains(&format!("<{}.{domain}>", local))
                    || list.contains(&format!("{local}.{domain}"))
                    || list.contains(address.as_str()))
        })
}

/// Whether an address has the form of a mailing list's.
pub fn like_a_list(local: &str, domain: &str) -> bool {
    let first = domain.split('.').next().unwrap_or_default();
    matches!(
        first,
        "lists" | "list" | "listserv" | "groups" | "googlegroups" | "mailman" | "sympa" | "listes"
    ) || [
        "-list",
        "-l",
        ".list",
        "_list",
        "-users",
        "-announce",
        "-discuss",
        "-devel",
    ]
    .iter()
    .any(|end| local.ends_with(end))
        || ["list-", "alle-", "all-staff", "allstaff", "everyone"]
            .iter()
            .any(|start| local.starts_with(start))
}

/// What kind a recipient is. `lists` are the texts of the message's List- fields.
pub fn kind(mailbox: &Mailbox, relation: Relation, lists: &[String]) -> Kind {
    match &mailbox.address {
        None => Kind::Private,
        Some(address)
            if relation == Relation::Outsider
                && personal_provider(address.domain())
                && !address.domain().starts_with("groups.")
                && !lists.iter().any(|list| list.contains(address.as_str())) =>
        {
            Kind::Private
        }
        Some(address) if list_address(address, lists) => Kind::List,
        Some(address) if role_address(address) => Kind::RoleAddress,
        Some(_) if relation == Relation::Insider => Kind::Insider,
        Some(_) => Kind::Professional,
    }
}

/// How far what was shown names somebody: a display name of two names or more, or a local part of two (`nia.marsh`), is
/// full; one name or an initial with a name is partial. A single word is taken as a name: to say "identifiable" too
/// often is the safer error.
pub fn named_by(name: &str, address: Option<&Address>) -> NamedBy {
    let shown = if name.contains('@') {
        NamedBy::None
    } else {
        words_named(fold(name).split_whitespace())
    };
    let local = address.map_or(NamedBy::None, |address| {
        let plain = address.local().split('+').next().unwrap_or_default();
        words_named(
            fold(plain)
                .split(|c: char| !c.is_alphabetic())
                .filter(|word| !word.is_empty()),
        )
    });
    shown.max(local)
}

/// The family name that a display name or an address shows, folded.
pub fn family_name(shown: &str, address: Option<&Address>) -> Option<String> {
    let full = name::FullName::new(shown).or_else(|| {
        let local = address?.local().split('+').next().unwrap_or_default();
        name::FullName::new(&local.replace(|c: char| !c.is_alphabetic(), " "))
    });
    full.map(|full| full.family().to_owned())
}

fn words_named<'a>(words: impl Iterator<Item = &'a str>) -> NamedBy {
    let (mut names, mut initials) = (0, 0);
    for word in words.filter(|word| !NO_NAME.contains(word)) {
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        let sounds = !word.is_ascii() || word.contains(['a', 'e', 'i', 'o', 'u', 'y', 'w']);
        match letters {
            0 => {}
            1 => initials += 1,
            2 if sounds => names += 1,
            2 => initials += 1,
            _ if sounds && letters == word.chars().count() => names += 1,
            _ => {}
        }
    }
    match (names, initials) {
        (2.., _) => NamedBy::Full,
        (1, _) => NamedBy::Partial,
        _ => NamedBy::None,
    }
}

/// Id of a person: the first 16 hex digits of SHA-256 over `person:` and their alphabetically first canonical address,
/// or over `name:` and their folded name where there is no address.
pub fn person_id(address: Option<&str>, name: &str) -> String {
    let text = match address {
        Some(address) => format!("person:{address}"),
        None => format!("name:{}", fold(name).trim()),
    };
    hex(&Sha256::digest(text.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::new(text).expect("a good address")
    }

    #[test]
    fn a_subdomain_belongs_to_the_organisation_and_a_lookalike_does_not() {
        let organisation = Organisation {
            domains: BTreeSet::from(["force.example".to_owned()]),
            ..Organisation::default()
        };
        assert!(organisation.holds(&address("pat@mail.force.example")));
        assert!(!organisation.holds(&address("pat@notforce.example")));
    }

    #[test]
    fn names_are_full_partial_or_none() {
        assert_eq!(named_by("Nia Marsh", None), NamedBy::Full);
        assert_eq!(
            named_by("", Some(&address("nia.marsh77@webmail.example"))),
            NamedBy::Full
        );
        assert_eq!(
            named_by("Nia", Some(&address("x1@webmail.example"))),
            NamedBy::Partial
        );
        assert_eq!(
            named_by("", Some(&address("n.marsh@webmail.example"))),
            NamedBy::Partial
        );
        assert_eq!(
            named_by("", Some(&address("x77z4@webmail.example"))),
            NamedBy::None
        );
        assert_eq!(
            named_by("n@webmail.example", Some(&address("n@webmail.example"))),
            NamedBy::None
        );
    }

    #[test]
    fn role_addresses_are_no_people() {
        assert!(role_address(&address("info@firm.example")));
        assert!(role_address(&address("press.office@firm.example")));
        assert!(!role_address(&address("nia.office@firm.example")));
    }

    #[test]
    fn providers_fit_with_any_ending_but_not_inside_a_name() {
        assert!(personal_provider("yahoo.co.uk"));
        assert!(personal_provider("gmail.com"));
        assert!(!personal_provider("notgmail.com"));
        assert!(!personal_provider("yahoo.firm.co.example"));
    }
}
