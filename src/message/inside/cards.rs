//! Contacts (vCard 2.1, RFC 2426, RFC 6350) as a list of people: several cards, or a group of contacts. A card without
//! others is how somebody signs, and shows nobody.

use super::calendar::mailto;
use super::lines::lines;
use super::{List, MOST_PEOPLE};
use crate::message::Address;
use crate::message::mailbox::make;
use crate::message::recipients::{Field, Mailbox};

/// A card with more addresses than this is no person's.
const MOST_ADDRESSES: usize = 3;

/// The contacts of all parts of one message.
#[derive(Debug, Default)]
pub(super) struct Cards {
    people: Vec<Mailbox>,
    groups: Vec<String>,
}

/// One card.
#[derive(Debug, Default)]
struct Card {
    name: String,
    addresses: Vec<Address>,
    members: Vec<Address>,
    group: bool,
}

impl Cards {
    /// Reads every card of a part's text.
    pub(super) fn read(&mut self, text: &str) {
        let mut card: Option<Card> = None;
        for line in lines(text) {
            let of_card = line.value().eq_ignore_ascii_case("VCARD");
            if line.is("BEGIN") && of_card {
                card = Some(Card::default());
            } else if line.is("END") && of_card {
                self.add(card.take());
            } else if let Some(card) = &mut card {
                if line.is("FN") || line.is("N") && card.name.is_empty() {
                    let plain = line.plain();
                    let parts: Vec<&str> = plain.split(';').map(str::trim).collect();
                    card.name = match parts.as_slice() {
                        // Family name, given name, and what is rarer.
                        [family, given, ..] if line.is("N") => format!("{given} {family}"),
                        _ => plain,
                    };
                } else if line.is("EMAIL") && card.addresses.len() < MOST_PEOPLE {
                    card.addresses.extend(mailto(&line.plain()));
                } else if line.is("MEMBER") && card.members.len() < MOST_PEOPLE {
                    // `urn:uuid:` names another card, which is read for itself.
                    card.members.extend(mailto(line.value()));
                } else if line.is("KIND") || line.is("X-ADDRESSBOOKSERVER-KIND") {
                    card.group |= line.value().eq_ignore_ascii_case("group");
                }
            }
        }
        self.add(card);
    }

    fn add(&mut self, card: Option<Card>) {
        let Some(card) = card.filter(|_| self.people.len() < MOST_PEOPLE) else {
            return;
        };
        if card.group || card.addresses.len() > MOST_ADDRESSES || !card.members.is_empty() {
            self.groups.push(card.name);
            let members = card.addresses.into_iter().chain(card.members);
            let members = members.filter_map(|address| make(Some(address), String::new()));
            self.people.extend(members);
        } else {
            let address = card.addresses.into_iter().next();
            self.people
                .extend(make(address, card.name.trim().to_owned()));
        }
    }

    /// The people of all cards.
    pub(super) fn list(mut self) -> Option<List> {
        self.people.truncate(MOST_PEOPLE);
        (self.people.len() >= 2).then_some(List {
            field: Field::Attached,
            author: None,
            recipients: self.people,
            groups: self.groups,
            message_id: None,
            subject: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<List> {
        let mut cards = Cards::default();
        cards.read(text);
        cards.list()
    }

    fn people(list: &List) -> Vec<String> {
        let both = |mailbox: &Mailbox| {
            let address = mailbox.address.as_ref().map(ToString::to_string);
            format!("{} <{}>", mailbox.name, address.unwrap_or_default())
        };
        list.recipients.iter().map(both).collect()
    }

    #[test]
    fn cards_of_every_version_are_read() {
        let text = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Bee;Ann;;;\r\nFN:Ann Bee\r\n\
                    EMAIL;TYPE=INTERNET;TYPE=HOME:Ann@x.example\r\nEMAIL;TYPE=WORK:ann@work.example\r\nEND:VCARD\r\n\
                    BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:C=C3=A9e;Bob\r\n\
                    EMAIL;PREF;INTERNET:bob@x.example\r\nEND:VCARD\r\n\
                    begin:vcard\r\nversion:4.0\r\nfn:Dee\r\nitem1.email:mailto:dee@x.example\r\nend:vcard\r\n\
                    BEGIN:VCARD\r\nFN:Eve Eff\r\nTEL:1\r\nEND:VCARD\r\n";
        let list = read(text).expect("people");
        assert_eq!(
            people(&list),
            [
                "Ann Bee <ann@x.example>",
                "Bob Cée <bob@x.example>",
                "Dee <dee@x.example>",
                "Eve Eff <>"
            ]
        );
        assert_eq!(list.groups, Vec::<String>::new());
    }

    #[test]
    fn a_group_of_contacts_has_a_name() {
        let member = "BEGIN:VCARD\nFN:HIV clinic patients\nKIND:group\nMEMBER:mailto:a@x.example\n\
                      MEMBER:urn:uuid:1\nMEMBER:mailto:b@x.example\nEND:VCARD\n";
        let apple = "BEGIN:VCARD\nFN:HIV clinic patients\nX-ADDRESSBOOKSERVER-KIND:group\n\
                     X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1\nEND:VCARD\nBEGIN:VCARD\nUID:1\nFN:A\n\
                     EMAIL:a@x.example\nEND:VCARD\nBEGIN:VCARD\nFN:B\nEMAIL:b@x.example\nEND:VCARD\n";
        let many = "BEGIN:VCARD\nFN:HIV clinic patients\nEMAIL:a@x.example\nEMAIL:b@x.example\n\
                    EMAIL:c@x.example\nEMAIL:d@x.example\nEND:VCARD\n";
        for (text, count) in [(member, 2), (apple, 2), (many, 4)] {
            let list = read(text).expect("members");
            assert_eq!(
                (list.recipients.len(), list.groups[0].as_str()),
                (count, "HIV clinic patients"),
                "{text}"
            );
        }
    }

    #[test]
    fn one_card_shows_nobody() {
        let own = "BEGIN:VCARD\nFN:Ann\nEMAIL:a@x.example\nEMAIL:a@y.example\nEND:VCARD\n";
        assert_eq!(read(own), None);
        assert_eq!(read("BEGIN:VCARD\nno card"), None);
    }
}
