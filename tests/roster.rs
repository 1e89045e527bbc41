//! Rosters: people known to be of a group, by their addresses.

use crate::builders::{
    Case, FORCE, Mail, Mailbox, Person, Run, Store, column, people, victims, westminster,
};
use std::collections::BTreeSet;

/// A scan with a roster of this text.
fn with_roster(mailbox: &Mailbox, roster: &str) -> Case {
    let roster = Store::file("clinic.csv", roster);
    Run::scan(mailbox.mbox().path())
        .org(FORCE)
        .arg("--roster")
        .arg(roster.path())
        .ok()
}

fn survivors(m: Mail, who: &[Person]) -> Mail {
    m.cc(who)
        .subject("Survivors' group: dates")
        .body("Dear survivors of abuse, we meet on Monday.")
}

#[test]
fn people_on_a_roster_are_found_though_nothing_sensitive_is_said() {
    let crowd = people(3, 63);
    let mailbox =
        Mailbox::ordinary(10).mail(|m| m.id("three@force.example").to(&crowd).subject("Parking"));
    let without = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    assert!(without.found().is_empty());
    let roster = format!(
        "address\n{}\n{}\n",
        crowd[0].address,
        crowd[1].address.to_uppercase()
    );
    let case = with_roster(&mailbox, &roster);
    assert_eq!(case.found(), ["three"]);
    assert!(
        case.only_message().list("groups").contains("roster:clinic"),
        "{}",
        &case.only_message()["groups"]
    );
    assert!(
        case.exposed()
            .is_superset(&crowd[..2].iter().map(|p| p.address.clone()).collect())
    );
}

#[test]
fn a_rosters_only_column_of_addresses_needs_no_name() {
    let crowd = people(3, 63);
    let mailbox =
        Mailbox::ordinary(10).mail(|m| m.id("three@force.example").to(&crowd).subject("Parking"));
    let rows: String = crowd
        .iter()
        .map(|p| format!("{},\"{}\",2019\r\n", p.name, p.address))
        .collect();
    let case = with_roster(&mailbox, &format!("\u{feff}Patient,E-mail,Since\r\n{rows}"));
    assert_eq!(
        (case.found(), case.people().len()),
        (vec!["three".into()], 3)
    );
}

#[test]
fn a_roster_names_people_whom_the_message_does_not() {
    let mailbox = Mailbox::ordinary(5).mail(|m| {
        m.to(["x71q@inbox.test", "x72q@inbox.test"])
            .subject("Parking")
    });
    let case = with_roster(
        &mailbox,
        "address,name\nx71q@inbox.test,Siwan Pemberton\nx72q@inbox.test,Wilf Eastham\n",
    );
    let siwan = case.person("x71q@inbox.test");
    assert_eq!(
        (&siwan["name"], &siwan["named_by"]),
        ("Siwan Pemberton", "none")
    );
}

#[test]
fn a_roster_may_give_a_group_of_its_own() {
    let mailbox = Mailbox::ordinary(5).mail(|m| {
        m.to(["x71q@inbox.test", "x72q@inbox.test"])
            .subject("Parking")
    });
    let case = with_roster(
        &mailbox,
        "address,group\nx71q@inbox.test,hiv-clinic\nx72q@inbox.test,hiv-clinic\n",
    );
    assert!(
        case.only_message()["groups"].contains("hiv-clinic"),
        "{}",
        &case.only_message()["groups"]
    );
    assert!(
        case.people()
            .iter()
            .all(|row| row["groups"].contains("hiv-clinic"))
    );
}

#[test]
fn a_roster_joins_the_addresses_of_one_person() {
    let mailbox = Mailbox::ordinary(5).mail(|m| {
        survivors(m, &people(10, 64)).cc(["siwan@inbox.test", "pemberton.s@work.example"])
    });
    let roster = "address,person\nsiwan@inbox.test,7\npemberton.s@work.example,7\n";
    let case = with_roster(&mailbox, roster);
    assert_eq!((case.people().len(), case.exposures().len()), (11, 12));
    let siwan = case.person("siwan@inbox.test");
    let both: BTreeSet<String> = BTreeSet::from([
        siwan["address"].to_owned(),
        siwan["other_addresses"].to_owned(),
    ]);
    assert_eq!(
        both,
        ["siwan@inbox.test", "pemberton.s@work.example"]
            .map(str::to_owned)
            .into()
    );
    assert_eq!(
        (siwan.number("exposures"), siwan.number("seen_by")),
        (1, 10)
    );
    assert_eq!(case.only_message().number("exposed"), 11);
}

#[test]
fn one_person_at_two_addresses_is_exposed_to_nobody() {
    let mailbox = Mailbox::ordinary(5).mail(|m| {
        m.to(["siwan@inbox.test", "pemberton.s@work.example"])
            .subject("Parking")
    });
    let roster = "address,person\nsiwan@inbox.test,7\npemberton.s@work.example,7\n";
    assert!(with_roster(&mailbox, roster).found().is_empty());
    let strangers = "address,person\nsiwan@inbox.test,7\npemberton.s@work.example,8\n";
    assert_eq!(with_roster(&mailbox, strangers).found().len(), 1);
}

#[test]
fn an_address_of_two_people_is_shared() {
    let mailbox = Mailbox::ordinary(5)
        .mail(|m| survivors(m, &people(10, 64)).cc(["the.easthams@inbox.test"]));
    let roster = "address,name,person\nthe.easthams@inbox.test,Wilf Eastham,1\nthe.easthams@inbox.test,Petra Eastham,2\n";
    let case = with_roster(&mailbox, roster);
    let shared: Vec<_> = case
        .people()
        .into_iter()
        .filter(|row| &row["address"] == "the.easthams@inbox.test")
        .collect();
    assert_eq!(
        column(&shared, "name"),
        ["Petra Eastham", "Wilf Eastham"].map(str::to_owned).into()
    );
    assert_eq!(column(&shared, "person_id").len(), 2);
    let others = case.person(&people(10, 64)[0].address);
    assert!(
        shared.iter().all(|row| row["shared"] != others["shared"]),
        "shared is told"
    );
}

#[test]
fn insiders_on_a_roster_are_exposed_to_their_colleagues() {
    let mailbox = Mailbox::ordinary(5).mail(|m| {
        let m = m.id("health@force.example").subject("Your appointments");
        m.to([
            "a.quennell@force.example",
            "b.yelland@force.example",
            "hr.lead@force.example",
        ])
    });
    assert!(
        Run::scan(mailbox.mbox().path())
            .org(FORCE)
            .ok()
            .found()
            .is_empty()
    );
    let case = with_roster(
        &mailbox,
        "address\na.quennell@force.example\nb.yelland@force.example\n",
    );
    assert_eq!(case.found(), ["health"]);
    assert_eq!(
        case.exposed(),
        ["a.quennell@force.example", "b.yelland@force.example"]
            .map(str::to_owned)
            .into()
    );
    let row = case.person("a.quennell@force.example");
    assert_eq!((&row["kind"], &row["relation"]), ("insider", "insider"));
    assert_eq!(
        row.number("seen_by"),
        1,
        "insiders who are not themselves exposed do not count"
    );
}

#[test]
fn who_on_the_roster_was_not_exposed_is_told() {
    let mailbox = Mailbox::ordinary(5).mail(westminster);
    let mut roster = "address,name\n".to_owned();
    victims()
        .iter()
        .for_each(|v| roster += &format!("{},{}\n", v.address, v.name));
    let case = with_roster(
        &mailbox,
        &format!("{roster}spared@inbox.test,Zoran Culpepper\n"),
    );
    assert_eq!(case.people().len(), 18);
    assert!(
        case.output.stdout.contains("spared@inbox.test"),
        "{}",
        case.output.stdout
    );
    assert!(
        !case.output.stdout.contains(&victims()[0].address),
        "{}",
        case.output.stdout
    );
}

#[test]
fn a_person_keeps_her_id_when_more_is_learned_of_her() {
    let first =
        Mailbox::ordinary(5).mail(|m| survivors(m, &people(10, 64)).cc(["siwan@inbox.test"]));
    let roster = Store::file(
        "clinic.csv",
        "address,person\nsiwan@inbox.test,7\na.siwan@inbox.test,7\n",
    );
    let run = |store: &Store| {
        Run::scan(store.path())
            .org(FORCE)
            .arg("--roster")
            .arg(roster.path())
    };
    let case = run(&first.mbox()).ok();
    let id = case.person("siwan@inbox.test")["person_id"].to_owned();
    let second = Mailbox::numbered_from(70)
        .mail(|m| survivors(m, &people(10, 64)).cc(["a.siwan@inbox.test"]));
    let second = second.mbox();
    let case = run(&second).onto(&case).ok();
    let siwan = case.person("siwan@inbox.test");
    assert_eq!(
        (&siwan["person_id"], siwan.number("exposures")),
        (id.as_str(), 2)
    );
    assert!(siwan["other_addresses"].contains("siwan@inbox.test"));
}
