//! What is known of the domains of addresses, so that each is looked up once and not once for each address. Not a judge:
//! what an upper bound of strangers means is said in `signal::shape`.

use memchr::memrchr;
use rustc_hash::FxHashMap;

use crate::person::{Organisation, personal_provider};

/// What is known of the domains that were met, so that each is looked up once.
#[derive(Debug, Default)]
pub(super) struct Domains {
    places: FxHashMap<Box<[u8]>, usize>,
    all: Vec<Domain>,
    last: usize,
    list: u64,
}

#[derive(Debug)]
struct Domain {
    text: Box<[u8]>,
    /// Of the organisation.
    inside: bool,
    /// Of a provider of personal mailboxes.
    personal: bool,
    /// The last list in which it was noted.
    list: u64,
}

/// What noting an outsider's domain in a list came to.
pub(super) enum Noted {
    /// It is that of a provider of personal mailboxes.
    Personal,
    /// It is another organisation's that this list has not shown yet.
    New,
    /// It was noted in this list before.
    Again,
}

/// Most domains that are remembered.
const MOST_DOMAINS: usize = 1 << 16;

impl Domains {
    /// Begins a message.
    pub(super) fn next(&mut self) {
        self.list += 1;
        if self.all.len() > MOST_DOMAINS {
            self.places.clear();
            self.all.clear();
        }
    }

    /// Whether an address belongs to the organisation.
    pub(super) fn inside(&mut self, address: &[u8], organisation: &Organisation) -> bool {
        self.of(address, organisation).inside
            || (!organisation.addresses.is_empty()
                && std::str::from_utf8(address)
                    .is_ok_and(|address| organisation.addresses.contains(address)))
    }

    pub(super) fn note(&mut self, address: &[u8], organisation: &Organisation) -> Noted {
        let list = self.list;
        let domain = self.of(address, organisation);
        if domain.personal {
            Noted::Personal
        } else if std::mem::replace(&mut domain.list, list) == list {
            Noted::Again
        } else {
            Noted::New
        }
    }

    fn of(&mut self, address: &[u8], organisation: &Organisation) -> &mut Domain {
        let domain = memrchr(b'@', address).map_or(&b""[..], |at| &address[at + 1..]);
        if self
            .all
            .get(self.last)
            .is_none_or(|last| *last.text != *domain)
        {
            self.last = match self.places.get(domain) {
                Some(place) => *place,
                None => {
                    let name = std::str::from_utf8(domain).unwrap_or_default();
                    self.places.insert(domain.into(), self.all.len());
                    self.all.push(Domain {
                        text: domain.into(),
                        inside: organisation.holds_domain(name),
                        personal: personal_provider(name),
                        list: 0,
                    });
                    self.all.len() - 1
                }
            };
        }
        &mut self.all[self.last]
    }
}
