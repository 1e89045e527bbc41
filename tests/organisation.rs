//! Whose mail is judged where `--org` is missing: sent folders tell, or mail that never arrived anywhere.

use crate::builders::{Mail, Mailbox, Person, Run, Store, people, westminster, zip};

fn received(m: Mail) -> Mail {
    m.header(
        "Received",
        "from mx.example by mail.force.example; Fri, 1 Mar 2024 09:00:00 +0000",
    )
}

/// A list mail from outside that lies in somebody's inbox.
fn from_outside(m: Mail) -> Mail {
    received(m)
        .id("outside@elsewhere.example")
        .from("x@elsewhere.example")
        .to(people(40, 71))
        .subject("Hello all")
}

#[test]
fn the_senders_of_a_sent_folder_are_the_organisation() {
    let mut files = Mailbox::ordinary(20).mail(westminster).in_maildir(".Sent");
    files.extend(
        Mailbox::numbered_from(60)
            .mail(from_outside)
            .in_maildir(".Archive"),
    );
    files.extend(["cur/", "new/", "tmp/"].map(|name| (name.to_owned(), Vec::new())));
    let case = Run::scan(Store::folder(files).path()).ok();
    assert_eq!(case.found(), ["westminster"]);
    let said = &case.output.stdout;
    assert!(
        said.contains("force.example") && said.contains("--org"),
        "what was inferred is told: {said}"
    );
}

#[test]
fn sent_mail_is_known_in_other_languages() {
    for name in ["Gesendet", "Enviados", "Anfonwyd"] {
        let file = Mailbox::ordinary(20).mail(westminster).rd();
        let inbox = Mailbox::numbered_from(60)
            .mails(0..5, |m, i| {
                from_outside(m).id(&format!("o{i}@elsewhere.example"))
            })
            .rd();
        let store = Store::file(
            "all.zip",
            zip([(format!("Mail/{name}"), file), ("Mail/INBOX".into(), inbox)]),
        );
        assert_eq!(
            Run::scan(store.path()).ok().found(),
            ["westminster"],
            "{name}"
        );
    }
}

#[test]
fn without_a_sent_folder_mail_without_a_received_header_tells() {
    let mailbox = Mailbox::ordinary(20).mail(westminster).mail(from_outside);
    let case = Run::scan(Store::file("archive", mailbox.rd()).path()).ok();
    assert_eq!(case.found(), ["westminster"]);
    assert!(
        case.output.stdout.contains("force.example"),
        "{}",
        case.output.stdout
    );
}

#[test]
fn a_domain_that_sent_less_than_a_tenth_is_not_the_organisation() {
    let mailbox = Mailbox::ordinary(40).mail(westminster).mail(|m| {
        m.id("stray@elsewhere.example")
            .from("x@elsewhere.example")
            .to(people(40, 72))
            .subject("Hello all")
    });
    let case = Run::scan(Store::file("Sent.mbox", mailbox.rd()).path()).ok();
    assert_eq!(case.found(), ["westminster"]);
}

#[test]
fn of_a_personal_mail_provider_only_the_exact_address_is_the_organisation() {
    let owner = Person::new("Eluned Arkwright", "eluned.arkwright@webmail.example");
    let crowd: Vec<_> = (0..30)
        .map(|i| Person::new("", &format!("reader{i}x@webmail.example")))
        .map(|p| p.address)
        .collect();
    let mailbox = Mailbox::new()
        .mails(people(20, 73), |m, who| m.from(&owner).to([who]))
        .mail(|m| {
            m.id("list@webmail.example")
                .from(&owner)
                .to(&crowd)
                .subject("Change of room")
        });
    let case = Run::scan(Store::file("Sent.mbox", mailbox.rd()).path()).ok();
    assert_eq!(
        (case.found(), case.people().len()),
        (vec!["list".into()], 30),
        "neighbours at a provider are outsiders"
    );
    assert!(
        case.output
            .stdout
            .contains("eluned.arkwright@webmail.example"),
        "{}",
        case.output.stdout
    );
}

#[test]
fn where_none_is_found_every_sender_is_judged() {
    let mailbox = Mailbox::new().mail(from_outside).mails(0..10, |m, i| {
        received(m)
            .from(format!("p{i}@place{i}.example"))
            .to(["robin.ashdown@force.example"])
    });
    let case = Run::scan(Store::file("INBOX", mailbox.rd()).path()).ok();
    assert_eq!(case.found(), ["outside"]);
    assert!(
        case.output.stdout.contains("--org"),
        "{}",
        case.output.stdout
    );
}

#[test]
fn what_is_named_is_not_inferred() {
    let mailbox = Mailbox::ordinary(20).mail(westminster);
    let case = Run::scan(mailbox.mbox().path())
        .org("elsewhere.example")
        .ok();
    assert_eq!((case.found().len(), case.count("received")), (0, 21));
}
