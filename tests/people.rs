//! Who is exposed: one row a person over all messages, to how many others, by which name, of what kind.

use crate::builders::{
    Case, FORCE, Mail, Mailbox, Person, Row, Run, column, people, victims, westminster,
};

/// A mail to these recipients, declared an incident so that all of them are judged alike.
fn listed<T: ToString>(recipients: impl IntoIterator<Item = T>) -> Case {
    let mailbox =
        Mailbox::new().mail(|m| m.id("it@force.example").to(recipients).subject("Thursday"));
    Run::scan(mailbox.mbox().path())
        .org(FORCE)
        .arg("--incident")
        .arg("<it@force.example>")
        .ok()
}

fn survivors(m: Mail, who: &[Person]) -> Mail {
    m.cc(who)
        .subject("Survivors' group: dates")
        .body("Dear survivors of abuse, we meet on Monday.")
}

fn viewer(case: &Case, address: &str) -> Row {
    let found = case
        .viewers()
        .into_iter()
        .find(|row| &row["address"] == address);
    found.unwrap_or_else(|| {
        panic!(
            "{address} is no viewer: {:?}",
            column(&case.viewers(), "address")
        )
    })
}

#[test]
fn a_person_is_exposed_to_the_others_of_her_own_messages_only() {
    let crowd = people(25, 61);
    let mailbox = Mailbox::ordinary(10)
        .mail(|m| survivors(m, &crowd[..10]))
        .mail(|m| survivors(m, &crowd[8..]));
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    assert_eq!(case.people().len(), 25);
    assert_eq!(case.person(&crowd[0].address).number("seen_by"), 9);
    assert_eq!(case.person(&crowd[20].address).number("seen_by"), 16);
    let both = case.person(&crowd[8].address);
    assert_eq!(
        (
            both.number("seen_by"),
            both.number("exposures"),
            both.list("exposure_ids").len()
        ),
        (24, 2, 2)
    );
    assert_eq!(
        (&both["first_exposed"], &both["last_exposed"]),
        ("2024-03-02T15:00:00Z", "2024-03-02T18:00:00Z")
    );
}

#[test]
fn the_same_people_twice_are_counted_once_in_seen_by() {
    let crowd = people(20, 62);
    let mailbox = Mailbox::ordinary(5)
        .mail(|m| survivors(m, &crowd))
        .mail(|m| survivors(m, &crowd));
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    assert_eq!(
        (
            case.messages().len(),
            case.people().len(),
            case.exposures().len()
        ),
        (2, 20, 40)
    );
    assert!(
        case.people()
            .iter()
            .all(|p| p.number("seen_by") == 19 && p.number("exposures") == 2)
    );
}

#[test]
fn the_sender_and_colleagues_who_are_not_exposed_see_without_counting() {
    let mailbox = Mailbox::ordinary(5)
        .mail(|m| westminster(m).cc(["inspector@force.example", "chief@force.example"]));
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    let row = case.only_message();
    assert_eq!(
        (
            row.number("visible"),
            row.number("exposed"),
            row.number("audience")
        ),
        (21, 18, 21)
    );
    assert!(case.people().iter().all(|p| p.number("seen_by") == 17));
    assert!(
        case.exposures()
            .iter()
            .all(|row| !row["address"].ends_with("@force.example"))
    );
    assert_eq!(
        viewer(&case, "inspector@force.example").number("people_seen"),
        18
    );
}

#[test]
fn a_blind_outsider_is_a_viewer_of_all_and_exposed_to_none() {
    let mailbox = Mailbox::ordinary(5).mail(|m| westminster(m).bcc(["reporter@daily.example"]));
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    assert!(!case.exposed().contains("reporter@daily.example"));
    assert!(case.people().iter().all(|p| p.number("seen_by") == 18));
    let reporter = viewer(&case, "reporter@daily.example");
    assert_eq!(reporter.number("people_seen"), 18);
    let one = viewer(&case, &victims()[0].address);
    assert_eq!(one.number("people_seen"), 17, "she sees the others");
    assert_ne!(one["exposed"], reporter["exposed"]);
}

#[test]
fn a_name_in_the_header_or_in_the_address_is_a_full_name() {
    let case = listed([
        "\"Imogen Harbottle\" <k7@inbox.test>",
        "wilf.ollerton@inbox.test",
        "\"Rashida\" <k8@inbox.test>",
        "x8841q@inbox.test",
        "\"x8842q@inbox.test\" <x8842q@inbox.test>",
    ]);
    let named = |address: &str| case.person(address)["named_by"].to_owned();
    assert_eq!(named("k7@inbox.test"), "full");
    assert_eq!(named("wilf.ollerton@inbox.test"), "full");
    assert_eq!(named("k8@inbox.test"), "partial");
    assert_eq!(named("x8841q@inbox.test"), "none");
    assert_eq!(named("x8842q@inbox.test"), "none");
    let row = case.only_message();
    assert_eq!(
        (
            row.number("named_full"),
            row.number("named_partial"),
            row.number("exposed")
        ),
        (2, 1, 5)
    );
}

#[test]
fn not_identifiable_never_means_not_affected() {
    let addresses: Vec<_> = (0..30)
        .map(|i| format!("x{}q@inbox.test", 700 + i * 13))
        .collect();
    let case = listed(&addresses);
    assert_eq!(case.exposed(), addresses.into_iter().collect());
}

#[test]
fn people_are_of_a_kind_and_role_and_list_addresses_are_no_persons() {
    let case = listed([
        "\"Carys Gwynne\" <carys.gwynne@webmail.example>",
        "\"Tariq Vasquez\" <t.vasquez@vasquez-yelland.example>",
        "info@company.example",
        "enquiries@charity.example",
        "no-reply@shop.example",
        "inspector@force.example",
    ]);
    assert_eq!(
        case.exposed(),
        [
            "carys.gwynne@webmail.example",
            "t.vasquez@vasquez-yelland.example"
        ]
        .map(str::to_owned)
        .into()
    );
    assert_eq!(
        &case.person("carys.gwynne@webmail.example")["kind"],
        "private"
    );
    assert_eq!(
        &case.person("t.vasquez@vasquez-yelland.example")["kind"],
        "professional"
    );
    assert_eq!(
        &viewer(&case, "info@company.example")["kind"],
        "role-address"
    );
    assert_eq!(
        &viewer(&case, "enquiries@charity.example")["kind"],
        "role-address"
    );
    assert_eq!(&viewer(&case, "inspector@force.example")["kind"], "insider");
    assert!(
        case.people()
            .iter()
            .all(|row| &row["relation"] == "outsider")
    );
}

#[test]
fn a_mailing_lists_own_address_is_one_recipient_and_no_person() {
    let mailbox = Mailbox::new().mail(|m| {
        let m = m.id("it@force.example").to([
            "choir@lists.example",
            "a.birtwell@inbox.test",
            "b.cadogan@inbox.test",
        ]);
        m.header("List-Id", "The choir <choir.lists.example>")
            .header("List-Post", "<mailto:choir@lists.example>")
    });
    let case = Run::scan(mailbox.mbox().path())
        .org(FORCE)
        .arg("--incident")
        .arg("<it@force.example>")
        .ok();
    assert_eq!(case.exposed().len(), 2);
    assert_eq!(&viewer(&case, "choir@lists.example")["kind"], "list");
}

#[test]
fn a_journalist_can_be_a_victim() {
    let mailbox = Mailbox::ordinary(5)
        .mail(|m| westminster(m).cc(["\"Jarek Montague\" <j.montague@daily.example>"]));
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    let journalist = case.person("j.montague@daily.example");
    assert_eq!(
        (&journalist["kind"], &journalist["relation"]),
        ("professional", "outsider")
    );
    assert_eq!(case.people().len(), 19);
}

#[test]
fn somebody_of_a_subdomain_is_an_insider() {
    let mailbox = Mailbox::ordinary(5)
        .mail(|m| westminster(m).cc(["desk@north.force.example", "x@notforce.example"]));
    let exposed = Run::scan(mailbox.mbox().path()).org(FORCE).ok().exposed();
    assert!(!exposed.contains("desk@north.force.example"));
    assert!(
        exposed.contains("x@notforce.example"),
        "another domain that only ends alike"
    );
}

#[test]
fn several_organisations_may_be_named() {
    let mailbox =
        Mailbox::ordinary(5).mail(|m| westminster(m).cc(["\"Katya Xu\" <katya@partner.example>"]));
    let case = Run::scan(mailbox.mbox().path())
        .org(FORCE)
        .org("partner.example")
        .ok();
    assert_eq!(case.people().len(), 18);
}

#[test]
fn ids_are_different_and_point_to_rows() {
    let crowd = people(40, 65);
    let mailbox = Mailbox::ordinary(5)
        .mail(westminster)
        .mail(|m| survivors(m, &crowd));
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    assert_eq!(column(&case.people(), "person_id").len(), 58);
    let messages = column(&case.messages(), "exposure_id");
    assert_eq!(column(&case.exposures(), "exposure_id"), messages);
    assert_eq!(
        column(&case.exposures(), "person_id"),
        column(&case.people(), "person_id")
    );
    assert!(
        messages
            .iter()
            .all(|id| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit())),
        "{messages:?}"
    );
    assert!(
        case.people()
            .iter()
            .all(|row| row.list("exposure_ids").is_subset(&messages))
    );
    assert!(
        case.viewers()
            .iter()
            .all(|row| row.list("exposure_ids").is_subset(&messages))
    );
}
