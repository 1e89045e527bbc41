//! `--incident`: from one known message to every other that shows its people together.

use crate::builders::{Case, FORCE, Mail, Mailbox, Person, Run, Store, people};

fn group() -> Vec<Person> {
    people(12, 51)
}

/// The known message.
fn known(m: Mail) -> Mail {
    m.id("known@force.example")
        .day(5)
        .to(group())
        .subject("Thursday")
        .body("See you at seven.")
}

/// Sixty ordinary mails, the known one, one to some of the group, one to a single person of it.
fn mailbox() -> Mailbox {
    Mailbox::ordinary(60)
        .mail(known)
        .mail(|m| {
            m.id("some@force.example")
                .day(6)
                .to(&group()[3..6])
                .subject("Lift to the hall")
                .body("Who drives?")
        })
        .mail(|m| {
            m.id("one@force.example")
                .day(7)
                .to([&group()[0]])
                .subject("Parking")
                .body("Use bay 3.")
        })
}

fn scan(mailbox: &Mailbox, incident: &str) -> Case {
    Run::scan(mailbox.mbox().path())
        .org(FORCE)
        .arg("--incident")
        .arg(incident)
        .ok()
}

fn why(case: &Case, id: &str) -> String {
    let rows = case.messages();
    let row = rows
        .iter()
        .find(|row| row["message_id"].contains(id))
        .unwrap_or_else(|| panic!("{id} is not reported"));
    row["why"].to_owned()
}

#[test]
fn a_message_named_by_its_id_is_an_exposure_of_all_its_visible_people() {
    let case = scan(&mailbox(), "<known@force.example>");
    assert_eq!(case.found(), ["known", "some"]);
    let row = &case.messages()[0];
    assert_eq!((row.number("confidence"), row.number("exposed")), (100, 12));
    assert_eq!(
        case.exposed(),
        group().into_iter().map(|p| p.address).collect()
    );
}

#[test]
fn the_id_may_stand_without_its_brackets() {
    assert_eq!(
        scan(&mailbox(), "known@force.example").found(),
        ["known", "some"]
    );
}

#[test]
fn an_incident_is_an_exposure_whatever_the_queries_say() {
    let few = Mailbox::ordinary(60).mail(|m| {
        m.id("known@force.example")
            .to(&group()[..3])
            .subject("Lunch")
    });
    let case = Run::scan(few.mbox().path()).org(FORCE).ok();
    assert!(case.found().is_empty());
    let case = scan(&few, "<known@force.example>");
    assert_eq!(
        (case.found(), case.people().len()),
        (vec!["known".into()], 3)
    );
}

#[test]
fn the_sender_and_insiders_are_not_exposed_by_an_incident() {
    let mailbox = Mailbox::ordinary(5)
        .mail(|m| known(m).cc(["inspector@force.example", "robin.ashdown@force.example"]));
    assert_eq!(scan(&mailbox, "<known@force.example>").people().len(), 12);
}

#[test]
fn a_message_given_as_a_file_need_not_be_in_a_source() {
    let file = Store::file("forwarded to the officer.eml", known(Mail::new(1)).bytes());
    let others = Mailbox::ordinary(60).mail(|m| {
        m.id("some@force.example")
            .to(&group()[3..6])
            .subject("Lift to the hall")
    });
    let case = scan(&others, file.path().to_str().unwrap());
    let mut found = case.found();
    found.sort();
    assert_eq!(found, ["known", "some"]);
}

#[test]
fn a_file_that_is_in_the_source_too_counts_once() {
    let file = Store::file("it.eml", known(Mail::new(60)).bytes());
    let case = scan(&mailbox(), file.path().to_str().unwrap());
    assert_eq!(case.found(), ["known", "some"]);
    assert!(case.people().iter().all(|p| p.number("exposures") <= 2));
}

#[test]
fn a_file_without_a_source_is_a_complete_run() {
    let file = Store::file("it.eml", known(Mail::new(1)).bytes());
    let home = Store::folder([("here", "")]);
    let run = Run::new(["scan", "--org", FORCE, "--incident"])
        .arg(file.path())
        .within(home.path());
    run.output().must_exit(0);
    let table = std::fs::read_to_string(home.path().join("ccspill-case/people.csv")).unwrap();
    assert_eq!(table.lines().count(), 13);
}

#[test]
fn several_incidents_may_be_named() {
    let mailbox = mailbox().mail(|m| {
        m.id("other@force.example")
            .to(people(3, 52))
            .subject("Friday")
    });
    let case = Run::scan(mailbox.mbox().path())
        .org(FORCE)
        .arg("--incident")
        .arg("<known@force.example>")
        .arg("--incident")
        .arg("<other@force.example>")
        .ok();
    let mut found = case.found();
    found.sort();
    assert_eq!(
        (found, case.people().len()),
        (vec!["known".to_owned(), "other".into(), "some".into()], 15)
    );
}

#[test]
fn a_part_of_the_same_list_says_how_many_of_how_many() {
    let reason = why(&scan(&mailbox(), "<known@force.example>"), "some@");
    assert!(
        reason.contains("3 of 12") || reason.contains("3 of the 12"),
        "{reason}"
    );
}

#[test]
fn the_classes_are_told_apart() {
    let group = group();
    let mailbox = mailbox()
        // The same series to two of them and to others of the group.
        .mail(|m| {
            let others = people(8, 53);
            m.id("series@force.example")
                .day(12)
                .to(&others)
                .cc(&group[..2])
                .subject("Thursday")
                .body("See you at seven.")
        })
        // Two who talk to each other and to a colleague in the open.
        .mail(|m| {
            m.from(&group[0])
                .to([&group[1]])
                .cc(["desk@force.example"])
                .day(13)
                .subject("Cake sale")
        })
        .mail(|m| {
            let m = m
                .from("The desk <desk@force.example>")
                .id("contact@force.example")
                .to(&group[..2])
                .day(14);
            m.subject("Re: Cake sale")
                .answers(&group[0], "cake@inbox.test", "Shall we?")
        });
    let case = scan(&mailbox, "<known@force.example>");
    let reasons = ["known@", "some@", "series@", "contact@"].map(|id| why(&case, id));
    let mut different = reasons.to_vec();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 4, "{reasons:#?}");
    assert!(
        reasons[3].to_lowercase().contains("ordinary contact"),
        "{}",
        reasons[3]
    );
}

#[test]
fn ordinary_contact_exposes_nobody() {
    let group = group();
    let mailbox = mailbox()
        .mail(|m| {
            m.from(&group[0])
                .to([&group[1]])
                .cc(["desk@force.example"])
                .day(13)
                .subject("Cake sale")
        })
        .mail(|m| {
            let m = m
                .from("The desk <desk@force.example>")
                .id("contact@force.example")
                .to(&group[..2])
                .day(14);
            m.subject("Re: Cake sale")
                .answers(&group[0], "cake@inbox.test", "Shall we?")
        });
    let case = scan(&mailbox, "<known@force.example>");
    let row = case
        .messages()
        .into_iter()
        .find(|row| row["message_id"].contains("contact@"))
        .expect("it is reported");
    assert_eq!(row.number("exposed"), 0);
    assert_eq!(case.person(&group[0].address).number("exposures"), 1);
    assert!(
        case.exposures()
            .iter()
            .all(|e| e["exposure_id"] != row["exposure_id"])
    );
}

#[test]
fn ordinary_findings_are_reported_as_ever() {
    let mailbox = mailbox().mail(crate::builders::westminster);
    let case = scan(&mailbox, "<known@force.example>");
    assert!(case.found().contains(&"westminster".to_owned()));
    assert_eq!(case.people().len(), 12 + 18);
}

#[test]
fn an_id_found_nowhere_is_refused() {
    let store = mailbox().mbox();
    let run = Run::scan(store.path())
        .org(FORCE)
        .arg("--incident")
        .arg("<nowhere@force.example>");
    let case = run.case_path().to_owned();
    let home = run.folder().to_owned();
    let output = run.refused();
    assert!(
        output.stderr.contains("nowhere@force.example"),
        "{}",
        output.stderr
    );
    assert!(!case.exists() || !home.exists(), "a case was left behind");
}

#[test]
fn that_nothing_else_shows_them_is_said_with_what_was_covered() {
    let mailbox = Mailbox::ordinary(60).mail(known);
    let case = scan(&mailbox, "<known@force.example>");
    assert_eq!(case.found(), ["known"]);
    let said = case.output.stdout.to_lowercase();
    assert!(said.contains("no other message"), "{said}");
    assert!(
        said.contains("2024-03-01") && said.contains("2024-03-08"),
        "the dates covered: {said}"
    );
}

#[test]
fn the_incident_is_kept_when_the_case_is_added_to() {
    let case = scan(&Mailbox::ordinary(20).mail(known), "<known@force.example>");
    let more = Mailbox::numbered_from(100)
        .mail(|m| {
            m.id("some@force.example")
                .to(&group()[3..6])
                .subject("Lift")
        })
        .mbox();
    let run = Run::scan(more.path())
        .org(FORCE)
        .arg("--incident")
        .arg("<known@force.example>")
        .onto(&case);
    let mut found = run.ok().found();
    found.sort();
    assert_eq!(found, ["known", "some"]);
}

/// A complainant's copy as it came through a gateway that marks mail from outside.
fn received() -> String {
    let to: Vec<String> = group().iter().map(ToString::to_string).collect();
    format!(
        "Received: from mx.force.example by mx.inbox.test; Wed, 6 Mar 2024 09:00:04 +0000\r\n\
         From: \"DC Robin Ashdown\" <robin.ashdown@force.example>\r\nTo: {}\r\nSubject: [EXTERNAL] Thursday\r\n\
         Date: Wed, 06 Mar 2024 09:00:00 +0000\r\nMessage-ID: <known@force.example>\r\n\r\nSee you at seven.\r\n",
        to.join(",\r\n ")
    )
}

/// The sender's copy is the incident, once, and the file one more place of it.
#[track_caller]
fn is_the_senders_copy(file: &Store) {
    let source = mailbox().mbox();
    let case = Run::scan(source.path())
        .org(FORCE)
        .arg("--incident")
        .arg(file.path())
        .ok();
    let rows = case.messages();
    let known: Vec<_> = rows
        .iter()
        .filter(|row| row["why"].starts_with("Named as an incident"))
        .collect();
    assert_eq!(known.len(), 1, "{:?}", case.found());
    assert_eq!(&known[0]["message_id"], "known@force.example");
    assert_eq!(known[0]["source"], source.path().display().to_string());
    let also = &known[0]["also_at"];
    assert!(also.contains(&file.path().display().to_string()), "{also}");
    assert_eq!(known[0].number("exposed"), 12);
    assert!(case.found().contains(&"some".to_owned()));
}

#[test]
fn a_received_copy_that_a_gateway_changed_is_the_senders_message() {
    is_the_senders_copy(&Store::file("complaint.eml", received()));
}

/// What a complainant sends to the data protection officer.
fn complaint(body: &str) -> String {
    format!(
        "From: {}\r\nTo: dpo@force.example\r\nSubject: Fwd: Thursday\r\nDate: Thu, 07 Mar 2024 10:00:00 +0000\r\n\
         Message-ID: <complaint@inbox.test>\r\nMIME-Version: 1.0\r\n{body}",
        group()[0]
    )
}

fn attached() -> String {
    complaint(&format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nLook whom I can see.\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{}\r\n--b--\r\n",
        received()
    ))
}

#[test]
fn a_forward_with_the_message_attached_is_the_senders_message() {
    is_the_senders_copy(&Store::file("complaint.eml", attached()));
}

#[test]
fn a_forward_that_quotes_the_list_is_the_senders_message() {
    let to: Vec<String> = group()
        .iter()
        .map(|person| format!("{} <{}>", person.name, person.address))
        .collect();
    let text = complaint(&format!(
        "Content-Type: text/plain; charset=utf-8\r\n\r\nLook whom I can see.\r\n\r\n-----Original Message-----\r\n\
         From: DC Robin Ashdown <robin.ashdown@force.example>\r\nSent: Wednesday, 6 March 2024 09:00\r\nTo: {}\r\n\
         Subject: Thursday\r\n\r\nSee you at seven.\r\n",
        to.join("; ")
    ));
    is_the_senders_copy(&Store::file("complaint.eml", text));
}

#[test]
fn a_forward_is_a_complete_run_where_the_senders_copy_is_not_there() {
    let file = Store::file("complaint.eml", attached());
    let case = Run::scan(file.path())
        .org(FORCE)
        .arg("--incident")
        .arg(file.path())
        .ok();
    let row = case.only_message();
    assert_eq!((&row["field"], row.number("exposed")), ("attached", 12));
    assert_eq!(case.people().len(), 12, "the complainant is one of them");
}
