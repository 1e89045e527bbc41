//! A merge can be undone: what an officer writes into merges.csv is read back; ids and notes survive that.

use crate::builders::{Case, FORCE, Mail, Mailbox, Person, Run, Store, people};
use std::collections::BTreeSet;
use std::fs;

fn survivors<T: ToString>(m: Mail, who: &[Person], more: impl IntoIterator<Item = T>) -> Mail {
    m.cc(who)
        .cc(more)
        .subject("Survivors' group: dates")
        .body("Dear survivors of abuse, we meet on Monday.")
}

fn crowd() -> Vec<Person> {
    people(10, 64)
}

/// A list of ten people and these.
fn listed<const N: usize>(more: [&str; N]) -> Mailbox {
    Mailbox::ordinary(5).mail(|m| survivors(m, &crowd(), more))
}

fn scan(mailbox: &Mailbox) -> Case {
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    case.must_add_up();
    case
}

fn scan_onto(case: &Case, mailbox: &Mailbox) -> Case {
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).onto(case).ok();
    case.must_add_up();
    case
}

fn export(case: &Case) -> String {
    let run = Run::new(["export"]).arg(case.path()).output();
    run.must_exit(0);
    case.must_add_up();
    run.stdout
}

/// Writes a word into `keep_apart` of the row of an address.
fn keep_apart(case: &Case, address: &str, word: &str) {
    let path = case.path().join("merges.csv");
    let text = fs::read_to_string(&path).unwrap();
    let mut found = false;
    let rows: Vec<String> = text
        .lines()
        .map(|line| {
            let mut cells: Vec<&str> = line.split(',').collect();
            if cells.get(1) == Some(&address) {
                found = true;
                cells.pop();
                cells.push(word);
            }
            cells.join(",")
        })
        .collect();
    assert!(found, "{address} is not in {text}");
    fs::write(path, rows.join("\n")).unwrap();
}

/// Writes notes into the row of an address in people.csv.
fn note(case: &Case, address: &str, notes: &str) {
    let path = case.path().join("people.csv");
    let text = fs::read_to_string(&path).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains(&format!(",{address},")))
        .unwrap_or_else(|| panic!("{address} is not in {text}"));
    fs::write(&path, text.replace(line, &format!("{line}{notes}"))).unwrap();
}

const NIA: [&str; 2] = [
    "\"Nia Marsh\" <n.marsh@firm.example>",
    "\"Nia Marsh\" <nia.marsh@inbox.test>",
];

#[test]
fn what_an_officer_keeps_apart_is_two_people_at_once_and_after_the_next_scan() {
    let case = scan(&listed(NIA));
    let id = case.person("nia.marsh@inbox.test")["person_id"].to_owned();
    keep_apart(&case, "nia.marsh@inbox.test", "yes");
    let said = export(&case);
    assert!(
        said.contains("1 decision was read from merges.csv."),
        "{said}"
    );
    let check = |case: &Case| {
        assert_eq!(case.people().len(), 12);
        assert_eq!(case.person("n.marsh@firm.example")["person_id"], id);
        assert_ne!(case.person("nia.marsh@inbox.test")["person_id"], id);
        assert_eq!(case.person("nia.marsh@inbox.test").number("seen_by"), 11);
        assert_eq!(case.messages()[0].number("exposed"), 12);
        assert_eq!(case.messages()[0].number("named_full"), 12);
        assert_eq!(&case.merges()[0]["keep_apart"], "yes");
    };
    check(&case);
    let apart = case.person("nia.marsh@inbox.test")["person_id"].to_owned();
    let exports = case.exports();
    let case = scan_onto(&case, &Mailbox::numbered_from(500).background(5));
    check(&case);
    assert_eq!(case.exports(), exports, "a scan finds what an export made");
    keep_apart(&case, "nia.marsh@inbox.test", "");
    export(&case);
    assert_eq!((case.people().len(), case.merges().len()), (11, 1));
    assert_eq!(case.person("nia.marsh@inbox.test")["person_id"], id);
    let exports = case.exports();
    let case = scan_onto(&case, &Mailbox::numbered_from(600).background(5));
    assert_eq!(case.exports(), exports);
    // The id that was hers alone is hers again.
    keep_apart(&case, "nia.marsh@inbox.test", "y");
    let case = scan_onto(&case, &Mailbox::numbered_from(700).background(5));
    check(&case);
    assert_eq!(case.person("nia.marsh@inbox.test")["person_id"], apart);
}

#[test]
fn a_word_that_is_not_understood_in_keep_apart_is_told() {
    let case = scan(&listed(NIA));
    keep_apart(&case, "nia.marsh@inbox.test", "perhaps");
    let said = export(&case);
    assert!(
        said.contains("perhaps") && said.contains("keep_apart"),
        "{said}"
    );
    assert_eq!(case.people().len(), 11);
}

#[test]
fn what_a_roster_merges_can_be_kept_apart_too() {
    let store = listed(["siwan@inbox.test", "pemberton.s@work.example"]).mbox();
    let roster = Store::file(
        "clinic.csv",
        "address,person,contact\nsiwan@inbox.test,7,letter\npemberton.s@work.example,7,letter\n",
    );
    let run = || {
        Run::scan(store.path())
            .org(FORCE)
            .arg("--roster")
            .arg(roster.path())
    };
    let case = run().ok();
    assert_eq!(case.people().len(), 11);
    keep_apart(&case, "siwan@inbox.test", "yes");
    export(&case);
    let exports = case.exports();
    let two = |case: &Case| {
        assert_eq!(case.people().len(), 12);
        for address in ["siwan@inbox.test", "pemberton.s@work.example"] {
            assert_eq!(&case.person(address)["contact_by"], "letter");
        }
    };
    two(&case);
    let case = run().onto(&case).ok();
    two(&case);
    assert_eq!(case.exports(), exports);
}

#[test]
fn the_id_that_the_case_knows_stays_and_the_one_split_off_gets_its_own() {
    let case = scan(&listed([NIA[1]]));
    let id = case.person("nia.marsh@inbox.test")["person_id"].to_owned();
    let more = Mailbox::numbered_from(70).mail(|m| survivors(m, &crowd(), [NIA[0]]));
    let case = scan_onto(&case, &more);
    let nia = case.person("nia.marsh@inbox.test");
    assert_eq!(
        (&nia["person_id"], nia.number("exposures")),
        (id.as_str(), 2)
    );
    assert_eq!(
        &nia["address"], "n.marsh@firm.example",
        "the first in the alphabet"
    );
    keep_apart(&case, "n.marsh@firm.example", "yes");
    export(&case);
    assert_eq!(case.person("nia.marsh@inbox.test")["person_id"], id);
    assert_ne!(case.person("n.marsh@firm.example")["person_id"], id);
}

#[test]
fn notes_survive_a_merge_and_its_undoing() {
    let case = scan(&listed([
        "\"Nia Marsh\" <n.marsh@firm.example>",
        "nia.marsh@inbox.test",
    ]));
    assert_eq!(case.people().len(), 12, "the second shows no name");
    note(&case, "n.marsh@firm.example", "rang");
    note(&case, "nia.marsh@inbox.test", "wrote");
    let more = Mailbox::numbered_from(70).mail(|m| survivors(m, &crowd(), [NIA[1]]));
    let case = scan_onto(&case, &more);
    assert_eq!(case.people().len(), 11);
    let nia = case.person("nia.marsh@inbox.test");
    assert!(
        nia["notes"].contains("rang") && nia["notes"].contains("wrote"),
        "{}",
        &nia["notes"]
    );
    keep_apart(&case, &case.merges()[0]["address"], "yes");
    export(&case);
    let notes: BTreeSet<String> = ["n.marsh@firm.example", "nia.marsh@inbox.test"]
        .map(|address| case.person(address)["notes"].to_owned())
        .into();
    assert!(
        notes.iter().any(|text| text == "rang" || text == "wrote"),
        "{notes:?}"
    );
    assert!(notes.iter().all(|text| !text.is_empty()), "{notes:?}");
}

#[test]
fn a_dismissed_message_takes_its_merges_along() {
    let mailbox = listed([NIA[1]]).mail(|m| survivors(m, &crowd(), NIA));
    let case = scan(&mailbox);
    assert_eq!((case.people().len(), case.merges().len()), (11, 1));
    case.decide(&case.messages()[1]["exposure_id"], "dismissed");
    export(&case);
    assert_eq!((case.people().len(), case.merges().len()), (11, 0));
    assert_eq!(&case.person("nia.marsh@inbox.test")["other_addresses"], "");
}
