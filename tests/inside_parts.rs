//! Lists in parts of messages: attached messages, invitations, contacts; the names of groups in all of these and in quoted
//! heads.

use crate::builders::{FORCE, Mail, Mailbox, Person, Run, people, victims, westminster};
use crate::inside::{
    ROBIN, addresses, finds_nothing, forward, scan, shows_the_18_to_the_solicitor, solicitor,
};

const IN_ATTACHED: &str = "in an attached message or contacts";

/// A mail with one part beside its text.
fn with_part(m: Mail, to: &Person, subject: &str, part: &str) -> Mail {
    m.raw(format!(
        "From: \"Pat Oakley\" <pat.oakley@force.example>\r\nTo: {to}\r\nSubject: {subject}\r\n\
         Date: Mon, 11 Mar 2024 09:00:00 +0000\r\nMessage-ID: <part@force.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\nContent-Type: text/plain\r\n\r\nSee attached.\r\n\
         --=_b\r\n{part}\r\n--=_b--\r\n"
    ))
}

fn the_mail_out() -> String {
    String::from_utf8(westminster(Mail::new(1)).bytes()).unwrap()
}

#[test]
fn the_list_of_an_attached_message_is_exposed() {
    use base64::Engine as _;
    let inner = the_mail_out();
    let encoded = base64::engine::general_purpose::STANDARD
        .encode(&inner)
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect::<Vec<_>>()
        .join("\r\n");
    for part in [
        format!("Content-Type: message/rfc822\r\n\r\n{inner}"),
        format!(
            "Content-Type: message/rfc822; name=\"Update.eml\"\r\nContent-Disposition: attachment\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{encoded}"
        ),
        format!(
            "Content-Type: application/octet-stream; name=\"Update.eml\"\r\nContent-Disposition: attachment; \
             filename=\"Update.eml\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}"
        ),
    ] {
        // Whatever its own subject says.
        for subject in ["Fwd: Update: change of bail date", "As discussed"] {
            let case = scan(|m| with_part(m, &solicitor(), subject, &part));
            shows_the_18_to_the_solicitor(&case, "attached", IN_ATTACHED);
        }
        let sam = Person::new("Sam Reed", "sam.reed@force.example");
        finds_nothing(|m| with_part(m, &sam, "As discussed", &part));
        finds_nothing(|m| with_part(m, &victims()[0], "As discussed", &part));
    }
}

fn calendar(people: &[Person], method: &str) -> String {
    let attendee = |person: &Person| {
        format!(
            "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=\"{}\r\n \":MAILTO:{}\r\n",
            person.name, person.address
        )
    };
    format!(
        "Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:{method}\r\n\
         BEGIN:VEVENT\r\nORGANIZER;CN=Pat Oakley:mailto:pat.oakley@force.example\r\n{}\
         ATTENDEE;CUTYPE=ROOM;CN=Room 4:mailto:room4@elsewhere.example\r\n\
         SUMMARY:Meeting for complainants: bail date\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        people.iter().map(attendee).collect::<String>()
    )
}

#[test]
fn attendees_of_an_invitation_see_one_another() {
    let invited = people(6, 41);
    let part = calendar(&invited, "REQUEST");
    let case = scan(|m| with_part(m, &invited[0], "Meeting for complainants: bail date", &part));
    assert_eq!(case.exposed(), addresses(&invited));
    let row = case.only_message();
    assert_eq!(&row["field"], "to;calendar");
    assert_eq!(
        (row.number("visible"), row.number("audience")),
        (1, 7),
        "attendees receive the invitation; a room is nobody"
    );
    assert!(
        row["why"].contains("5 people stand only as attendees of an invitation"),
        "{}",
        &row["why"]
    );
    assert_eq!(case.viewers().len(), 7);
    for row in case.people() {
        assert_eq!(row.number("seen_by"), 5, "the other attendees");
    }
    // An answer to it goes to the organiser, and invites nobody.
    let part = calendar(&invited, "REPLY");
    finds_nothing(|m| {
        with_part(
            m,
            &invited[0],
            "Accepted: Meeting for complainants: bail date",
            &part,
        )
    });
}

fn cards(people: &[Person]) -> String {
    let card = |person: &Person| {
        format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{}\r\nEMAIL;TYPE=INTERNET:{}\r\nEND:VCARD\r\n",
            person.name, person.address
        )
    };
    format!(
        "Content-Type: text/vcard; name=\"contacts.vcf\"\r\nContent-Disposition: attachment; \
         filename=\"contacts.vcf\"\r\n\r\n{}",
        people.iter().map(card).collect::<String>()
    )
}

#[test]
fn contacts_are_a_list() {
    let part = cards(&victims());
    let case = scan(|m| {
        with_part(
            m,
            &solicitor(),
            "Victims: contacts for the bail date",
            &part,
        )
    });
    shows_the_18_to_the_solicitor(&case, "attached", IN_ATTACHED);
    finds_nothing(|m| {
        let own = [Person::new("Pat Oakley", "pat.oakley@force.example")];
        with_part(m, &solicitor(), "Bail date", &cards(&own))
    });
}

#[test]
fn the_name_of_a_group_says_of_what_the_list_is() {
    let patients = people(7, 51);
    let bare: Vec<String> = patients
        .iter()
        .map(|person| person.address.clone())
        .collect();
    let group = "HIV clinic patients";
    let head = format!(
        "See below.\n\n---------- Forwarded message ---------\nFrom: {ROBIN}\nDate: Mon, 4 Mar 2024\nSubject: Hours\n\
         To: {group}: {};\n\nWe close at noon.\n",
        bare.join(", ")
    );
    let quoted = scan(|m| {
        forward(m)
            .subject("Fwd: Hours")
            .to([solicitor()])
            .body(&head)
    });
    let members: String = bare
        .iter()
        .map(|one| format!("MEMBER:mailto:{one}\r\n"))
        .collect();
    let contacts = format!(
        "Content-Type: text/vcard\r\n\r\nBEGIN:VCARD\r\nVERSION:4.0\r\nKIND:group\r\nFN:{group}\r\n{members}END:VCARD\r\n"
    );
    let contacts = scan(|m| with_part(m, &solicitor(), "Hours", &contacts));
    let invitation = calendar(&patients, "REQUEST")
        .replace("Meeting for complainants: bail date", "Hours")
        .replace(
            "ATTENDEE;CUTYPE=ROOM;CN=Room 4",
            "ATTENDEE;CUTYPE=GROUP;CN=HIV clinic patients",
        );
    let invitation = scan(|m| with_part(m, &patients[0], "Hours", &invitation));
    for case in [quoted, contacts, invitation] {
        let row = case.only_message();
        assert!(row.list("groups").contains("hiv"), "{row:?}");
        assert!(
            row["why"].contains("the list's name says"),
            "{}",
            &row["why"]
        );
        assert!(
            case.exposed().is_superset(&addresses(&patients)),
            "{:?}",
            case.exposed()
        );
    }
    // So does the display name of a mailing list.
    let case = scan(|m| {
        m.to([format!("\"{group}\" <list-12@lists.trust.example>")])
            .cc(&patients)
            .subject("Hours")
            .body("We close at noon.")
    });
    assert!(case.only_message().list("groups").contains("hiv"));
}

#[test]
fn parts_in_any_order_and_any_number_of_jobs_give_the_same() {
    let mailbox = |from: usize| Mailbox::numbered_from(from);
    let first = mailbox(0).background(30).mail(westminster).mbox();
    let second = mailbox(100)
        .background(30)
        .mail(|m| forward(m).to([solicitor()]))
        .mail(|m| {
            with_part(
                m,
                &people(6, 41)[0],
                "Bail date",
                &calendar(&people(6, 41), "REQUEST"),
            )
        })
        .mbox();
    let tables = |run: Run| {
        let mut tables = run.org(FORCE).ok().exports();
        tables.retain(|name, _| *name != "unread.csv");
        tables
    };
    let once = tables(
        Run::scan(first.path())
            .arg(second.path())
            .arg("--jobs")
            .arg("1"),
    );
    let again = tables(
        Run::scan(first.path())
            .arg(second.path())
            .arg("--jobs")
            .arg("8"),
    );
    assert_eq!(once, again);
    assert!(once["messages.csv"].contains("quoted") && once["messages.csv"].contains("calendar"));
}

#[test]
fn hostile_insides_end() {
    let deep = format!(
        "Content-Type: message/rfc822\r\n\r\n{}",
        "From: a@force.example\r\nTo: b@inbox.test, c@inbox.test\r\nContent-Type: message/rfc822\r\n\r\n".repeat(5000)
    );
    let endless = format!(
        "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nATTENDEE;CN=\"{}",
        "x\r\n ".repeat(500_000)
    );
    let store = Mailbox::ordinary(3)
        .mail(|m| with_part(m, &solicitor(), "Fwd: deep", &deep))
        .mail(|m| with_part(m, &victims()[0], "Fwd: endless", &endless))
        .mail(|m| {
            forward(m)
                .to([solicitor()])
                .body(&"> To: a@inbox.test, b@inbox.test\n".repeat(50_000))
        })
        .mail(|m| {
            forward(m)
                .id("marks@force.example")
                .to([solicitor()])
                .body(&">".repeat(2_000_000))
        })
        .mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!(case.unread(), []);
    assert_eq!(case.count("judged"), 7);
}
