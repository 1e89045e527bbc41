//! Lists quoted in forwarded and answered messages. Who stands only there is exposed to whoever gets the message and was
//! not on the list, and has received nothing.

use crate::builders::{
    Case, FORCE, Mail, Mailbox, Person, Run, Store, column, people, victims, westminster,
};
use std::collections::BTreeSet;

pub(crate) const ROBIN: &str = "DC Robin Ashdown <robin.ashdown@force.example>";

pub(crate) fn solicitor() -> Person {
    Person::new("Arthur Bell", "arthur.bell@firm.example")
}

pub(crate) fn addresses(people: &[Person]) -> BTreeSet<String> {
    people.iter().map(|person| person.address.clone()).collect()
}

/// A list as a quoted head shows it.
fn joined(people: &[Person], separator: &str) -> String {
    let one = |person: &Person| format!("{} <{}>", person.name, person.address);
    people.iter().map(one).collect::<Vec<_>>().join(separator)
}

/// The head of Outlook above the message of [`westminster`].
fn outlook(from: &str, list: &str) -> String {
    format!(
        "Please see below.\nPat\n\n-----Original Message-----\nFrom: {from}\nSent: 10 March 2024 09:00\n\
         To: {ROBIN}\nCc: {list}\nSubject: Update: change of bail date\n\nDear all,\n\
         Because of the fire the suspect's bail date has moved. As complainants you are being told first.\n"
    )
}

fn quoted() -> String {
    outlook(ROBIN, &joined(&victims(), "; "))
}

/// A forward of that message by a colleague.
pub(crate) fn forward(m: Mail) -> Mail {
    m.from("\"Pat Oakley\" <pat.oakley@force.example>")
        .id("forward@force.example")
        .day(11)
        .subject("FW: Update: change of bail date")
        .body(&quoted())
}

/// What a scan finds where this stands among ordinary mail.
pub(crate) fn scan(make: impl FnOnce(Mail) -> Mail) -> Case {
    let store = Mailbox::ordinary(20).mail(make).mbox();
    Run::scan(store.path()).org(FORCE).ok()
}

#[track_caller]
pub(crate) fn finds_nothing(make: impl FnOnce(Mail) -> Mail) {
    let case = scan(make);
    let why: Vec<String> = case
        .messages()
        .iter()
        .map(|row| row["why"].to_owned())
        .collect();
    assert!(case.messages().is_empty(), "{why:#?}");
    assert!(case.people().is_empty() && case.viewers().is_empty() && case.exposures().is_empty());
}

/// The 18 are exposed to the solicitor, who alone has received their list.
#[track_caller]
pub(crate) fn shows_the_18_to_the_solicitor(case: &Case, field: &str, place: &str) {
    assert_eq!(case.exposed(), addresses(&victims()));
    let row = case.only_message();
    assert_eq!(&row["field"], field);
    assert_eq!(
        (
            row.number("visible"),
            row.number("exposed"),
            row.number("audience"),
        ),
        (1, 18, 2),
        "the author and the solicitor have it, and nobody else"
    );
    assert!(
        row["why"].contains(&format!("18 people stand only {place}")),
        "{}",
        &row["why"]
    );
    assert!(
        !row["why"].contains("in view of one another"),
        "{}",
        &row["why"]
    );
    let viewers: BTreeSet<(String, String, u64)> = case
        .viewers()
        .iter()
        .map(|row| {
            let cell = |column: &str| row[column].to_owned();
            (cell("address"), cell("exposed"), row.number("people_seen"))
        })
        .collect();
    assert_eq!(
        viewers,
        BTreeSet::from([
            ("arthur.bell@firm.example".into(), "no".into(), 18),
            ("pat.oakley@force.example".into(), "no".into(), 18),
        ])
    );
    for row in case.people() {
        assert_eq!(row.number("seen_by"), 1, "{row:?}");
    }
    let exposures = case.exposures();
    assert_eq!(exposures.len(), 18);
    assert_eq!(column(&exposures, "field"), BTreeSet::from([field.into()]));
    assert_eq!(column(&exposures, "seen_by"), BTreeSet::from(["1".into()]));
}

const IN_QUOTED: &str = "in the list of a quoted message";

#[test]
fn a_list_forwarded_to_an_outsider_is_exposed() {
    let case = scan(|m| forward(m).to([solicitor()]));
    shows_the_18_to_the_solicitor(&case, "quoted", IN_QUOTED);
    assert_eq!(&case.messages()[0]["severity"], "critical");
}

#[test]
fn it_is_found_without_a_mark_where_the_message_is_an_answer() {
    let answers = |m: Mail| {
        let m = forward(m).subject("Update: change of bail date");
        m.header("In-Reply-To", "<westminster@force.example>")
    };
    shows_the_18_to_the_solicitor(&scan(|m| answers(m).to([solicitor()])), "quoted", IN_QUOTED);
}

#[test]
fn a_list_forwarded_to_a_blind_outsider_is_exposed() {
    let case = scan(|m| forward(m).to(["sam.reed@force.example"]).bcc([solicitor()]));
    assert_eq!(case.exposed(), addresses(&victims()));
    assert_eq!(case.only_message().number("audience"), 3);
}

#[test]
fn a_list_forwarded_to_a_colleague_is_not() {
    finds_nothing(|m| forward(m).to(["sam.reed@force.example"]));
    finds_nothing(|m| {
        forward(m)
            .to(["sam.reed@force.example", "kim.vale@force.example"])
            .cc(["lee@north.force.example"])
    });
}

#[test]
fn an_answer_to_somebody_on_the_list_is_not() {
    let ann = &victims()[3];
    finds_nothing(|m| {
        forward(m)
            .subject("RE: Update: change of bail date")
            .to([ann])
    });
    // Nor where a colleague reads on.
    finds_nothing(|m| {
        let m = forward(m).subject("RE: Update: change of bail date");
        m.to([ann]).cc(["sam.reed@force.example"])
    });
    // But where her solicitor does, who was not on the list.
    let case = scan(|m| {
        let m = forward(m).subject("RE: Update: change of bail date");
        m.to([ann]).cc([solicitor()])
    });
    assert_eq!(case.exposed(), addresses(&victims()));
    let row = case.only_message();
    assert_eq!(&row["field"], "to;quoted");
    assert!(
        row["why"].contains("17 people stand only in the list"),
        "{}",
        &row["why"]
    );
    assert_eq!(
        case.person(&ann.address).number("seen_by"),
        1,
        "the solicitor"
    );
    let other = &victims()[4];
    assert_eq!(
        case.person(&other.address).number("seen_by"),
        2,
        "she and the solicitor"
    );
}

#[test]
fn a_list_in_html_is_exposed_too() {
    let list: Vec<String> = victims()
        .iter()
        .map(|person| {
            format!(
                "{} &lt;<a href=3D\"mailto:{}\">{}</a>&gt;",
                person.name, person.address, person.address
            )
        })
        .collect();
    let html = format!(
        "<html><body><p>Please see below.</p><div style=3D'border:none;border-top:solid #E1E1E1 1.0pt'>\
         <p class=3DMsoNormal><b>From:</b> DC Robin Ashdown &lt;robin.ashdown@force.example&gt;<br>\
         <b>Sent:</b> 10 March 2024 09:00<br><b>To:</b> DC Robin Ashdown &lt;robin.ashdown@force.example&gt;<br>\
         <b>Cc:</b> {}<br><b>Subject:</b> Update: change of bail date</p></div><p>Dear all,</p></body></html>",
        list.join(";=\r\n ")
    );
    for subject in [
        "FW: Update: change of bail date",
        "RE: Update: change of bail date",
    ] {
        let raw = format!(
            "From: \"Pat Oakley\" <pat.oakley@force.example>\r\nTo: {}\r\nSubject: {subject}\r\n\
             Date: Mon, 11 Mar 2024 09:00:00 +0000\r\nMessage-ID: <html@force.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{html}\r\n",
            solicitor()
        );
        shows_the_18_to_the_solicitor(&scan(|m| m.raw(raw)), "quoted", IN_QUOTED);
    }
}

#[test]
fn names_alone_are_exposed_where_the_text_says_of_what() {
    let names: Vec<String> = victims()
        .iter()
        .map(|person| {
            let (first, last) = person.name.split_once(' ').unwrap();
            format!("{last}, {first}")
        })
        .collect();
    let case = scan(|m| {
        forward(m)
            .to([solicitor()])
            .body(&outlook("Ashdown, Robin", &names.join("; ")))
    });
    let shown = column(&case.people(), "name");
    // Whoever shares a name with another is one person by name.
    assert_eq!(shown, names.iter().cloned().collect::<BTreeSet<_>>());
    assert!(case.only_message()["why"].contains("names only"));
    // Without such words they may be colleagues.
    finds_nothing(|m| {
        let text = outlook("Ashdown, Robin", &names.join("; "));
        let text = text
            .replace("bail date", "rota")
            .replace("complainants", "drivers");
        forward(m).to([solicitor()]).subject("FW: rota").body(&text)
    });
}

#[test]
fn an_outsiders_own_open_mail_is_no_mail_out() {
    // A circle wrote to the force in the open; the force asks somebody else.
    let circle = people(15, 31);
    let list = joined(&circle[1..], "; ");
    let text = outlook(&joined(&circle[..1], ""), &list);
    finds_nothing(|m| forward(m).to([solicitor()]).body(&text));
    // But people who are known to be of a group are shown whoever wrote to them.
    let roster: String = circle[3..5]
        .iter()
        .map(|person| format!("{}\n", person.address))
        .collect();
    let store = Mailbox::ordinary(5)
        .mail(|m| forward(m).to([solicitor()]).body(&text))
        .mbox();
    let roster = Store::file("patients.csv", format!("address\n{roster}"));
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--roster")
        .arg(roster.path())
        .ok();
    assert_eq!(case.exposed(), addresses(&circle[3..5]));
}

#[test]
fn the_mail_out_and_its_forward_are_one_incident() {
    let store = Mailbox::ordinary(10)
        .mail(westminster)
        .mail(|m| {
            forward(m)
                .from("\"DC Robin Ashdown\" <robin.ashdown@force.example>")
                .to([solicitor()])
        })
        .mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!(case.found(), ["westminster", "forward"]);
    let rows = case.messages();
    assert_eq!(&rows[0]["incident_id"], &rows[1]["incident_id"]);
    assert_eq!(&rows[1]["repeat_of"], &rows[0]["exposure_id"]);
    assert_eq!(case.people().len(), 18);
    for row in case.people() {
        assert_eq!(row.number("seen_by"), 18, "17 others and the solicitor");
    }
}

#[test]
fn a_known_incident_is_followed_into_a_forward() {
    let store = Mailbox::ordinary(10)
        .mail(|m| {
            let text = quoted()
                .replace("bail date", "date")
                .replace("complainants", "people");
            forward(m)
                .to([solicitor()])
                .subject("FW: dates")
                .body(&text)
        })
        .mail(westminster)
        .mbox();
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--incident")
        .arg("<westminster@force.example>")
        .ok();
    let rows = case.messages();
    let forward = rows
        .iter()
        .find(|row| row["message_id"].contains("forward@"))
        .unwrap();
    assert!(
        forward["why"].contains("Shows 18 of the 18 people of the incident: the same list"),
        "{}",
        &forward["why"]
    );
    assert_eq!(forward.number("exposed"), 18);
}

#[test]
fn an_answer_to_another_address_of_somebody_on_the_list_is_not() {
    let ann = &victims()[3];
    let elsewhere = Person::new(&ann.name, "a1980@elsewhere.example");
    finds_nothing(|m| {
        let m = forward(m).subject("RE: Update: change of bail date");
        m.to([&elsewhere])
    });
}

#[test]
fn without_the_name_of_the_organisation_the_same_is_found() {
    let store = Mailbox::ordinary(20)
        .mail(|m| forward(m).to([solicitor()]))
        .mbox();
    shows_the_18_to_the_solicitor(&Run::scan(store.path()).ok(), "quoted", IN_QUOTED);
}
