//! Recipients as real mail writes them: a bad neighbour never costs a good one, and a name without an address is
//! somebody too.

use crate::builders::{Case, FORCE, Mail, Mailbox, Run, victims, westminster};
use std::collections::BTreeSet;

/// The scan of a message with a literal Cc header, declared an incident so that every visible person is listed.
fn cc(value: &str) -> Case {
    headers(&format!("Cc: {value}\r\n"))
}

fn headers(lines: &str) -> Case {
    let mail = String::from_utf8(Mail::new(1).id("it@force.example").bytes()).unwrap();
    let mail = mail.replacen("Subject:", &format!("{lines}Subject:"), 1);
    let store = Mailbox::numbered_from(10)
        .background(2)
        .mail(|m| m.raw(mail))
        .mbox();
    Run::scan(store.path())
        .org(FORCE)
        .arg("--incident")
        .arg("<it@force.example>")
        .ok()
}

#[track_caller]
fn shows(case: &Case, addresses: &[&str]) {
    assert_eq!(
        case.exposed(),
        addresses
            .iter()
            .map(|a| (*a).to_owned())
            .collect::<BTreeSet<_>>()
    );
}

#[test]
fn plain_and_named_addresses_are_read() {
    let case = cc(
        "a@inbox.test, \"Quennell, Beatriz\" <b@inbox.test>, Carys <c@inbox.test>, d@inbox.test (Dilwyn Yelland)",
    );
    shows(
        &case,
        &[
            "a@inbox.test",
            "b@inbox.test",
            "c@inbox.test",
            "d@inbox.test",
        ],
    );
    assert_eq!(&case.person("b@inbox.test")["name"], "Quennell, Beatriz");
    assert_eq!(&case.person("c@inbox.test")["name"], "Carys");
}

#[test]
fn the_members_of_a_group_are_visible() {
    let case = cc("HIV clinic patients: a@inbox.test, \"B\" <b@inbox.test>;, c@inbox.test");
    shows(&case, &["a@inbox.test", "b@inbox.test", "c@inbox.test"]);
}

#[test]
fn every_occurrence_of_a_repeated_header_is_read() {
    shows(
        &headers(
            "To: a@inbox.test\r\nCc: b@inbox.test\r\nTo: c@inbox.test\r\ncc: d@inbox.test\r\n",
        ),
        &[
            "a@inbox.test",
            "b@inbox.test",
            "c@inbox.test",
            "d@inbox.test",
        ],
    );
}

#[test]
fn a_space_before_the_colon_and_any_letter_case_make_no_other_header() {
    shows(
        &headers("TO    : a@inbox.test\r\ncC\t: b@inbox.test\r\n"),
        &["a@inbox.test", "b@inbox.test"],
    );
}

#[test]
fn resent_headers_are_visible_too() {
    let case =
        headers("To: a@inbox.test\r\nResent-To: b@inbox.test\r\nResent-Cc: c@inbox.test\r\n");
    shows(&case, &["a@inbox.test", "b@inbox.test", "c@inbox.test"]);
    let fields: BTreeSet<_> = case
        .exposures()
        .iter()
        .map(|row| row["field"].to_owned())
        .collect();
    assert_eq!(
        fields,
        ["to", "resent-to", "resent-cc"].map(str::to_owned).into()
    );
}

#[test]
fn blind_recipients_are_in_the_audience_and_not_exposed() {
    let case = headers(
        "To: a@inbox.test, b@inbox.test\r\nBcc: c@inbox.test\r\nResent-Bcc: d@inbox.test\r\n",
    );
    shows(&case, &["a@inbox.test", "b@inbox.test"]);
    let row = case.messages().remove(0);
    assert_eq!(
        (
            row.number("visible"),
            row.number("exposed"),
            row.number("audience")
        ),
        (2, 2, 5)
    );
    assert_eq!(
        case.person("a@inbox.test").number("seen_by"),
        3,
        "the other one and the two blind ones"
    );
}

#[test]
fn folds_in_every_place_are_unfolded() {
    shows(
        &cc("a@inbox.test,\r\n\tb@inbox.test\r\n ,c@inbox.test,\r\n \"D\r\n E\" <d@inbox.test>"),
        &[
            "a@inbox.test",
            "b@inbox.test",
            "c@inbox.test",
            "d@inbox.test",
        ],
    );
}

#[test]
fn addresses_are_compared_as_mailboxes() {
    let case = cc(
        "A.B@Inbox.TEST, a.b@inbox.test, \"Ada\" <a.b@INBOX.test>, x@b\u{fc}cher.example, X@xn--bcher-kva.example",
    );
    shows(&case, &["a.b@inbox.test", "x@xn--bcher-kva.example"]);
    assert_eq!(case.messages()[0].number("visible"), 2);
    assert_eq!(&case.person("a.b@inbox.test")["name"], "Ada");
}

#[test]
fn an_address_in_to_and_in_cc_counts_once() {
    let case = headers("To: a@inbox.test, b@inbox.test\r\nCc: a@inbox.test\r\n");
    assert_eq!(case.messages()[0].number("visible"), 2);
    assert_eq!(case.exposures().len(), 2);
}

#[test]
fn addresses_that_no_rule_allows_never_drop_their_neighbours() {
    let bad = "first@inbox.test, d..ots@inbox.test, .lead@inbox.test, a@b@inbox.test, <>, , @, \"open <x@inbox.test>, last@inbox.test";
    let exposed = cc(bad).exposed();
    for due in ["first@inbox.test", "d..ots@inbox.test", ".lead@inbox.test"] {
        assert!(exposed.contains(due), "{due} is missing from {exposed:?}");
    }
    let case = cc(
        "first@inbox.test, ;;, <second@inbox.test, third@inbox.test>, (never closed fourth@inbox.test",
    );
    for due in ["first@inbox.test", "second@inbox.test", "third@inbox.test"] {
        assert!(
            case.exposed().contains(due),
            "{due} is missing from {:?}",
            case.exposed()
        );
    }
}

#[test]
fn a_missing_comma_between_two_addresses_costs_neither() {
    shows(
        &cc("\"A\" <a@inbox.test>\r\n \"B\" <b@inbox.test>, c@inbox.test"),
        &["a@inbox.test", "b@inbox.test", "c@inbox.test"],
    );
}

#[test]
fn an_address_as_the_unquoted_name_of_an_address_is_a_name() {
    shows(
        &cc("a@inbox.test <a@inbox.test>, 'b@inbox.test' <b@inbox.test>"),
        &["a@inbox.test", "b@inbox.test"],
    );
}

#[test]
fn source_routes_comments_and_spaced_dots_are_taken_away() {
    shows(
        &cc(
            "<@relay.example,@other.example:a@inbox.test>, b (home) @inbox.test, c . d @ inbox . test",
        ),
        &["a@inbox.test", "b@inbox.test", "c.d@inbox.test"],
    );
}

#[test]
fn structure_is_parsed_before_names_are_decoded() {
    // Decoded first, the comma and the second address would make two people.
    let case =
        cc("=?utf-8?Q?Ashworth=2C_Petra_=3Cfake=40inbox=2Etest=3E?= <p@inbox.test>, q@inbox.test");
    shows(&case, &["p@inbox.test", "q@inbox.test"]);
    assert_eq!(
        &case.person("p@inbox.test")["name"],
        "Ashworth, Petra <fake@inbox.test>"
    );
}

#[test]
fn encoded_names_are_decoded_and_joined() {
    let case = cc(
        "=?utf-8?B?w4lsdW5l?= =?iso-8859-1?Q?d_Br=FBl=E9?= <e@inbox.test>, \"=?utf-8?Q?J=C3=BCrg?=\" <j@inbox.test>",
    );
    assert_eq!(&case.person("e@inbox.test")["name"], "Éluned Brûlé");
    assert_eq!(&case.person("j@inbox.test")["name"], "Jürg");
}

#[test]
fn an_internationalised_address_is_read() {
    shows(
        &cc("\u{fc}rsula@b\u{fc}cher.example, b@inbox.test"),
        &["\u{fc}rsula@xn--bcher-kva.example", "b@inbox.test"],
    );
}

#[test]
fn a_name_without_an_address_is_kept_as_a_person() {
    let case = cc("\"Morwenna Trevelyan\", a@inbox.test, Osian Gwynne");
    let people = case.people();
    let names: BTreeSet<_> = people
        .iter()
        .filter(|row| row["address"].is_empty())
        .map(|row| &row["name"])
        .collect();
    assert_eq!(
        names,
        BTreeSet::from(["Morwenna Trevelyan", "Osian Gwynne"])
    );
    assert!(
        people
            .iter()
            .all(|row| row.number("seen_by") == 2 && !row["person_id"].is_empty()),
        "{people:?}"
    );
}

#[test]
fn undisclosed_recipients_are_nobody() {
    for value in [
        "undisclosed-recipients:;",
        "Undisclosed recipients:;",
        "<Undisclosed-Recipient:@list.example;>",
    ] {
        let mailbox = Mailbox::ordinary(3)
            .mail(|m| westminster(m).id("blind@force.example").header("To", value));
        let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
        assert_eq!(
            case.exposed(),
            victims().into_iter().map(|v| v.address).collect(),
            "{value}"
        );
    }
}

#[test]
fn the_name_that_was_shown_stands_in_the_exposure() {
    let rows = cc("\"Morwenna T\" <m@inbox.test>, n@inbox.test").exposures();
    let shown: BTreeSet<_> = rows
        .iter()
        .map(|row| (row["address"].to_owned(), row["name_shown"].to_owned()))
        .collect();
    assert_eq!(
        shown,
        BTreeSet::from([
            ("m@inbox.test".into(), "Morwenna T".into()),
            ("n@inbox.test".into(), String::new())
        ])
    );
}
