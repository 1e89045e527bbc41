//! Attendees of an invitation (RFC 5545 3.8.4.1, RFC 5546): whom it shows to one another. Times and places are no matter.

use super::lines::{Line, lines};
use super::{List, MOST_PEOPLE};
use crate::message::Address;
use crate::message::mailbox::make;
use crate::message::recipients::{Field, Mailbox};
use percent_encoding::percent_decode_str;

/// The attendees in a calendar's text, whose organiser is the author. `None` where there are none, and for what an
/// attendee sends to the organiser (an answer), which invites nobody.
pub(super) fn read(text: &str) -> Option<List> {
    let mut list = List {
        field: Field::Calendar,
        author: None,
        recipients: Vec::new(),
        groups: Vec::new(),
        message_id: None,
        subject: String::new(),
    };
    for line in lines(text) {
        if line.is("ATTENDEE") {
            let kind = line.param("CUTYPE").unwrap_or_default();
            let is = |word: &str| kind.eq_ignore_ascii_case(word);
            if is("ROOM") || is("RESOURCE") || list.recipients.len() == MOST_PEOPLE {
                continue;
            }
            let mailbox = person(&line);
            if is("GROUP") {
                let named = mailbox.iter().map(|mailbox| mailbox.name.clone());
                list.groups.extend(named.filter(|name| !name.is_empty()));
            }
            list.recipients.extend(mailbox);
        } else if line.is("ORGANIZER") {
            list.author = list.author.or_else(|| person(&line));
        } else if line.is("SUMMARY") && list.subject.is_empty() {
            list.subject = line.plain();
        } else if line.is("METHOD") {
            let answers = ["REPLY", "COUNTER", "REFRESH"];
            if answers
                .iter()
                .any(|word| line.value().eq_ignore_ascii_case(word))
            {
                return None;
            }
        }
    }
    (!list.recipients.is_empty()).then_some(list)
}

/// Who an `ATTENDEE` or an `ORGANIZER` is. Apple writes the address into a parameter.
fn person(line: &Line) -> Option<Mailbox> {
    let address = mailto(line.value()).or_else(|| Address::new(&line.param("EMAIL")?));
    make(address, line.param("CN").unwrap_or_default())
}

/// The address of a `mailto:` (RFC 6068), or one that stands alone.
pub(super) fn mailto(value: &str) -> Option<Address> {
    let scheme = value.get(..7).unwrap_or_default();
    let address = if scheme.eq_ignore_ascii_case("mailto:") {
        &value[7..]
    } else {
        value
    };
    let address = address.split('?').next().unwrap_or_default();
    if address.contains('%') {
        return Address::new(&percent_decode_str(address).decode_utf8_lossy());
    }
    Address::new(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Exchange writes it, with folds at 75 bytes.
    const EXCHANGE: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nPRODID:Microsoft Exchange Server 2010\r\nVERSION:2.0\r\n\
        BEGIN:VEVENT\r\nORGANIZER;CN=DC Robin Ashdown:mailto:robin.ashdown@force.example\r\n\
        ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=\"Bee, Ann\r\n\
        \x20\":mailto:ann.bee@inbox.test\r\n\
        ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=carl@web\r\n\
        \x20mail.example:MAILTO:Carl@webmail.example\r\n\
        ATTENDEE;CUTYPE=ROOM;ROLE=NON-PARTICIPANT;CN=Room 4:mailto:room4@force.example\r\n\
        ATTENDEE;CUTYPE=RESOURCE;CN=Projector:mailto:av@force.example\r\n\
        SUMMARY;LANGUAGE=en-GB:Meeting\\, of complainants\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn people(list: &List) -> Vec<(String, String)> {
        let both = |mailbox: &Mailbox| {
            let address = mailbox.address.as_ref().map(ToString::to_string);
            (mailbox.name.clone(), address.unwrap_or_default())
        };
        list.recipients.iter().map(both).collect()
    }

    #[test]
    fn attendees_are_read_and_rooms_are_nobody() {
        let list = read(EXCHANGE).expect("attendees");
        assert_eq!(
            people(&list),
            [
                ("Bee, Ann".to_owned(), "ann.bee@inbox.test".to_owned()),
                (String::new(), "carl@webmail.example".to_owned())
            ]
        );
        assert_eq!(
            list.author.and_then(|author| author.address),
            Address::new("robin.ashdown@force.example")
        );
        assert_eq!(list.subject, "Meeting, of complainants");
    }

    #[test]
    fn odd_attendees_are_read() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTENDEE;CN=Ann;EMAIL=ann@x.example:/aMTIz/principal/\n\
                    ATTENDEE:mailto:bob%2Bone@x.example\nATTENDEE;CN=Cee:invalid:nomail\n\
                    ATTENDEE;CUTYPE=GROUP;CN=\"HIV clinic patients\":mailto:g@x.example\nEND:VEVENT\nEND:VCALENDAR\n";
        let list = read(text).expect("attendees");
        let addresses: Vec<String> = people(&list)
            .into_iter()
            .map(|(_, address)| address)
            .collect();
        assert_eq!(
            addresses,
            ["ann@x.example", "bob+one@x.example", "", "g@x.example"]
        );
        assert_eq!(list.groups, ["HIV clinic patients"]);
    }

    #[test]
    fn an_answer_invites_nobody() {
        assert_eq!(read(&EXCHANGE.replace("REQUEST", "REPLY")), None);
        assert_eq!(read("BEGIN:VCALENDAR\nEND:VCALENDAR"), None);
    }
}
