//! Public cases with their figures (people are invented, numbers are not): what the regulator counted is what a scan
//! counts. Only what one pass over the mail can tell is asked here.

use crate::builders::{
    Case, FORCE, Mail, Mailbox, Person, Run, Store, column, people, victims, westminster,
};
use std::collections::BTreeSet;

fn scan(mailbox: &Mailbox) -> Case {
    Run::scan(mailbox.mbox().path()).org(FORCE).ok()
}

#[test]
fn metropolitan_police_2024_eighteen_complainants_in_cc() {
    let case = scan(&Mailbox::ordinary(150).mail(westminster).background(150));
    let row = case.only_message();
    assert_eq!((row.number("visible"), row.number("exposed")), (19, 18));
    assert!(["high", "critical"].contains(&&row["severity"]));
    assert_eq!(
        case.exposed(),
        victims().into_iter().map(|v| v.address).collect()
    );
    for person in case.people() {
        assert_eq!(
            (&person["named_by"], person.number("seen_by")),
            ("full", 17)
        );
        assert!(!person["name"].is_empty());
    }
    assert_eq!(case.exposures().len(), 18);
    assert!(column(&case.viewers(), "address").is_superset(&case.exposed()));
}

/// A caseworker's mail of the relocation scheme.
fn relocation(m: Mail, who: &[Person], subject: &str, day: i64) -> Mail {
    let m = m
        .from("Relocation Scheme <relocation@force.example>")
        .to(who)
        .subject(subject)
        .day(day);
    m.body("Dear applicant,\nplease tell us where you are now and whether you are in danger. Relocation scheme caseworkers")
}

#[test]
fn ministry_of_defence_2021_three_hundred_and_thirteen_appearances_are_265_people() {
    let who = people(265, 31);
    let (first, second, third) = (&who[..13], [&who[..7], &who[13..61]].concat(), &who[20..]);
    assert_eq!((first.len(), second.len(), third.len()), (13, 55, 245));
    let mailbox = Mailbox::ordinary(60)
        .mail(|m| relocation(m, first, "Your relocation application", 7))
        .mail(|m| {
            relocation(
                m,
                &second,
                "Your relocation application: weekly contact",
                13,
            )
        })
        .mail(|m| relocation(m, third, "Relocation: please update us", 20));
    let case = scan(&mailbox);
    assert_eq!(
        (
            case.messages().len(),
            case.people().len(),
            case.exposures().len()
        ),
        (3, 265, 313)
    );
    case.must_add_up();
    let said = case.output.stdout.replace('\n', " ");
    assert!(
        said.contains("313 appearances, 265 distinct addresses: 265 people."),
        "{said}"
    );
    assert_eq!(
        case.person(&who[10].address).number("seen_by"),
        12,
        "only in the first"
    );
    assert_eq!(
        case.person(&who[15].address).number("seen_by"),
        54,
        "only in the second"
    );
    assert_eq!(
        case.person(&who[200].address).number("seen_by"),
        244,
        "only in the third"
    );
    let all: BTreeSet<&Person> = second.iter().chain(third).collect();
    assert_eq!(
        case.person(&who[30].address).number("seen_by") as usize,
        all.len() - 1,
        "in the second and third"
    );
}

#[test]
fn tavistock_2019_two_batches_of_912_and_869() {
    let who = people(1781, 32);
    let make = |m: Mail, batch: &[Person]| {
        m.to(batch)
            .subject("Art competition")
            .body("Dear patient,\nthe Gender Identity Clinic invites you to its art competition.")
    };
    let case = scan(
        &Mailbox::ordinary(40)
            .mail(|m| make(m, &who[..912]))
            .mail(|m| make(m, &who[912..])),
    );
    assert_eq!((case.messages().len(), case.people().len()), (2, 1781));
    assert_eq!(case.person(&who[0].address).number("seen_by"), 911);
    assert_eq!(case.person(&who[1000].address).number("seen_by"), 868);
}

#[test]
fn dean_street_2015_the_recall_shows_781_people_again() {
    let who = people(781, 33);
    let mailbox = Mailbox::ordinary(40)
        .mail(|m| {
            m.to(&who)
                .subject("Clinic newsletter")
                .body("Dear patient,\nnews of our HIV service.")
                .day(10)
        })
        .mail(|m| {
            m.to(&who)
                .subject("Recall: Clinic newsletter")
                .body("The sender would like to recall it.")
                .day(11)
        })
        .mail(|m| {
            m.to(["robin.ashdown@force.example"])
                .bcc(&who)
                .subject("Apology")
                .body("We are sorry.")
                .day(12)
        });
    let case = scan(&mailbox);
    assert_eq!((case.messages().len(), case.people().len()), (2, 781));
    assert!(
        case.people()
            .iter()
            .all(|p| p.number("exposures") == 2 && p.number("seen_by") == 780)
    );
}

#[test]
fn central_ymca_2022_a_list_of_270_addresses_is_264_people_exposed_twice() {
    let mut who = people(264, 34);
    let mut roster = "address,person\n".to_owned();
    for i in 0..6 {
        let second = Person::new(&who[i].name, &format!("second{i}@inbox.test"));
        roster += &format!("{},{i}\n{},{i}\n", who[i].address, second.address);
        who.push(second);
    }
    let roster = Store::file("members.csv", roster);
    let make = |m: Mail, subject: &str| {
        m.cc(&who)
            .subject(subject)
            .body("Dear member of the HIV Positive Health Programme,")
    };
    let mailbox = Mailbox::ordinary(40)
        .mail(|m| make(m, "Talk on nutrition").day(10))
        .mail(|m| make(m, "Recall: Talk on nutrition").day(11));
    let case = Run::scan(mailbox.mbox().path())
        .org(FORCE)
        .arg("--roster")
        .arg(roster.path())
        .ok();
    assert!(
        case.messages()
            .iter()
            .all(|row| (row.number("visible"), row.number("exposed")) == (270, 264))
    );
    assert_eq!(
        (
            case.messages().len(),
            case.people().len(),
            case.exposures().len()
        ),
        (2, 264, 540)
    );
    case.must_add_up();
    assert_eq!((case.step("appearances"), case.step("merged")), (540, 6));
    assert!(
        case.people()
            .iter()
            .all(|p| p.number("exposures") == 2 && p.number("seen_by") == 263)
    );
}

#[test]
fn iicsa_2017_ninety_addresses_name_52_in_full_and_23_in_part() {
    let named = people(75, 35);
    let mut list: Vec<String> = named[..52].iter().map(ToString::to_string).collect();
    list.extend((0..23).map(|i| {
        format!(
            "\"{}\" <y{}q@inbox.test>",
            named[52 + i].name.split(' ').next().unwrap(),
            300 + i
        )
    }));
    list.extend((0..15).map(|i| format!("x{}q@mailbox.test", 500 + i)));
    let mailbox = Mailbox::ordinary(40).mail(|m| {
        let m = m.to(&list).subject("Correction: Victims and Survivors Forum");
        m.body("Dear all,\nthe link in our last mail about the inquiry into child sexual abuse was broken.")
    });
    let case = scan(&mailbox);
    let row = case.only_message();
    assert_eq!(
        (
            row.number("exposed"),
            row.number("named_full"),
            row.number("named_partial")
        ),
        (90, 52, 23)
    );
    assert_eq!(
        case.people().len(),
        90,
        "not identifiable never means not affected"
    );
}

#[test]
fn hiv_scotland_2020_an_agenda_to_105_advocates_is_an_exposure() {
    let case = scan(&Mailbox::ordinary(40).mail(|m| {
        let m = m
            .cc(people(105, 36))
            .subject("Community Advisory Network: agenda");
        m.body("Dear all,\nhere is the agenda for Thursday.")
            .attachment("Agenda.docx")
    }));
    assert_eq!(case.people().len(), 105);
}

#[test]
fn nhs_highland_2019_the_group_is_named_in_the_attachment_only() {
    let case = scan(&Mailbox::ordinary(40).mail(|m| {
        m.to(people(37, 37))
            .subject("Invitation")
            .body("Please see attached.")
            .attachment("HIV support group invitation.pdf")
    }));
    assert_eq!(case.people().len(), 37);
    assert!(
        ["high", "critical"].contains(&&case.only_message()["severity"]),
        "{}",
        &case.only_message()["why"]
    );
}

#[test]
fn patient_and_client_council_fifteen_people_are_enough() {
    let case = scan(&Mailbox::ordinary(40).mail(|m| {
        m.to(people(15, 38))
            .subject("Gender dysphoria services: your experience")
            .body("Dear all, thank you for your interest.")
    }));
    assert_eq!(case.people().len(), 15);
}
