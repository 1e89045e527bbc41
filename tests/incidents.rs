//! Public cases with their figures (people are invented, numbers are not): what the regulator counted is what a scan
//! counts, and what happened is what the timeline tells.

use crate::builders::{
    Case, FORCE, Mail, Mailbox, Person, Row, Run, Store, column, people, victims, westminster,
};
use std::collections::BTreeSet;

fn scan(mailbox: &Mailbox) -> Case {
    Run::scan(mailbox.mbox().path()).org(FORCE).ok()
}

/// A list of which so many show a full name, so many a first name, and so many nothing.
fn list(full: usize, partial: usize, none: usize, seed: u64) -> Vec<String> {
    let named = people(full + partial, seed);
    let mut list: Vec<String> = named[..full].iter().map(ToString::to_string).collect();
    list.extend(named[full..].iter().enumerate().map(|(i, person)| {
        let first = person.name.split(' ').next().unwrap();
        format!("\"{first}\" <y{}q{seed}@inbox.test>", 300 + i)
    }));
    list.extend((0..none).map(|i| format!("x{}q{seed}@mailbox.test", 500 + i)));
    list
}

/// The incidents of a case, each as its events with how many people they concern.
fn timeline(case: &Case) -> Vec<Vec<(String, usize)>> {
    let mut out: Vec<(String, Vec<(String, usize)>)> = Vec::new();
    for row in case.timeline() {
        let event = (row["event"].to_owned(), row.number("people") as usize);
        match out.last_mut().filter(|(id, _)| id == &row["incident_id"]) {
            Some((_, events)) => events.push(event),
            None => out.push((row["incident_id"].to_owned(), vec![event])),
        }
    }
    out.into_iter().map(|(_, events)| events).collect()
}

fn one_incident(case: &Case, events: &[(&str, usize)]) {
    let events: Vec<(String, usize)> = events
        .iter()
        .map(|(event, people)| ((*event).to_owned(), *people))
        .collect();
    assert_eq!(timeline(case), [events]);
}

fn named(row: &Row) -> (u64, u64, u64) {
    let (full, partial) = (row.number("named_full"), row.number("named_partial"));
    (full, partial, row.number("exposed") - full - partial)
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
    assert_eq!(named(&row), (18, 0, 0));
    one_incident(&case, &[("first", 18)]);
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
    // The list grew: three messages in two weeks to shared addresses are one event.
    one_incident(&case, &[("first", 13), ("batch", 55), ("batch", 245)]);
    assert!(
        case.messages()
            .iter()
            .all(|row| &row["aftermath"] == "next-batch")
    );
}

#[test]
fn ministry_of_defence_2021_the_recall_and_two_answers_to_all_are_of_the_event() {
    let who = people(245, 31);
    let sent = Mailbox::ordinary(60)
        .mail(|m| relocation(m, &who, "Relocation: please update us", 20).id("moved@force.example"))
        .mail(|m| {
            let m = relocation(m, &who, "Recall: Relocation: please update us", 20);
            m.body("The sender would like to recall the message.")
        })
        .mail(|m| {
            m.from("Relocation Scheme <relocation@force.example>")
                .to(["relocation@force.example"])
                .bcc(&who)
                .subject("Urgent: delete our email")
                .body("Please delete our earlier email, in which addresses were visible, and change your address. We apologise.")
                .day(21)
        });
    let inbox = Mailbox::numbered_from(900).mails([3, 8], |m, i: usize| {
        m.from(&who[i])
            .to(["relocation@force.example"])
            .cc(who.iter().filter(|person| person.address != who[i].address))
            .subject("Re: Relocation: please update us")
            .body("I am still here, please help.")
            .header("In-Reply-To", "<moved@force.example>")
            .day(22)
    });
    let stores = [sent.mbox(), inbox.mbox()];
    let case = Run::scan_all(stores.iter().map(Store::path))
        .org(FORCE)
        .ok();
    assert_eq!((case.messages().len(), case.people().len()), (4, 245));
    let ids = column(&case.messages(), "incident_id");
    assert_eq!(ids.len(), 1, "{:?}", timeline(&case));
    let events: BTreeSet<String> = column(&case.timeline(), "event");
    assert_eq!(
        events,
        ["first", "recall", "reply-all", "apology", "last-answer"]
            .map(str::to_owned)
            .into()
    );
    let first = &case.messages()[0];
    assert_eq!(&first["aftermath"], "apology;recall;reply-all");
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
    let batches: usize = timeline(&case)[0].iter().map(|(_, people)| people).sum();
    assert_eq!((timeline(&case).len(), batches), (1, 1781));
}

#[test]
fn chelsea_and_westminster_2010_seventeen_patients_are_an_exposure() {
    let case = scan(&Mailbox::ordinary(40).mail(|m| {
        m.from("Pharmacy <pharmacy@force.example>")
            .to(people(17, 40))
            .subject("Your opinion of our pharmacy")
            .body("Dear patient,\nplease tell us how you find the HIV pharmacy.")
    }));
    let row = case.only_message();
    assert_eq!((row.number("visible"), case.people().len()), (17, 17));
}

#[test]
fn dean_street_2015_the_recall_shows_781_people_again() {
    let who = list(730, 0, 51, 33);
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
                .body("We are sorry. An email went to a group of people in error; if it is still in your inbox please delete it.")
                .day(12)
        });
    let case = scan(&mailbox);
    let rows = case.messages();
    assert_eq!((rows.len(), case.people().len()), (2, 781));
    assert!(
        rows.iter().all(|row| named(row) == (730, 0, 51)),
        "{:?}",
        named(&rows[0])
    );
    assert!(
        case.people()
            .iter()
            .all(|p| p.number("exposures") == 2 && p.number("seen_by") == 780)
    );
    assert_eq!(
        (&rows[0]["repeat_of"], &rows[1]["repeat_of"]),
        ("", &rows[0]["exposure_id"])
    );
    assert_eq!(
        (&rows[0]["aftermath"], &rows[1]["aftermath"]),
        ("apology;recall", "apology;recall")
    );
    one_incident(&case, &[("first", 781), ("recall", 781), ("apology", 781)]);
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
    assert!(
        case.people()
            .iter()
            .all(|p| p.number("exposures") == 2 && p.number("seen_by") == 263)
    );
    one_incident(&case, &[("first", 264), ("recall", 264)]);
}

#[test]
fn central_ymca_2022_115_clear_names_and_51_in_part() {
    let case = scan(&Mailbox::ordinary(40).mail(|m| {
        m.cc(list(115, 51, 98, 44))
            .subject("Talk on nutrition")
            .body("Dear member of the HIV Positive Health Programme,")
    }));
    assert_eq!(named(&case.only_message()), (115, 51, 98));
}

#[test]
fn iicsa_2017_the_correction_of_a_hidden_mail_names_52_in_full_and_23_in_part() {
    let who = list(52, 23, 15, 35);
    let forum = |m: Mail, subject: &str| {
        m.subject(subject)
            .body("Dear all,\nplease find the link to the next forum of the inquiry into child sexual abuse, which is open until Friday.")
    };
    let sent = Mailbox::ordinary(40)
        .mail(|m| forum(m, "Victims and Survivors Forum").to(["robin.ashdown@force.example"]).bcc(&who).day(10))
        .mail(|m| forum(m, "Correction: Victims and Survivors Forum").to(&who).day(10).id("forum@force.example"))
        .mail(|m| {
            m.to(["robin.ashdown@force.example"])
                .bcc(&who)
                .subject("Please delete our email")
                .body("We apologise: all recipients could see each other's addresses in our email. Please delete it and do not reply to all.")
                .day(11)
        });
    let inbox = Mailbox::numbered_from(900).mails(0..39, |m, i: usize| {
        m.from(&who[i])
            .to(who.iter().filter(|person| **person != who[i]))
            .subject("Re: Correction: Victims and Survivors Forum")
            .body("Please take me off this list.")
            .header("In-Reply-To", "<forum@force.example>")
            .day(12)
    });
    let stores = [sent.mbox(), inbox.mbox()];
    let case = Run::scan_all(stores.iter().map(Store::path))
        .org(FORCE)
        .ok();
    assert_eq!(
        case.people().len(),
        90,
        "not identifiable never means not affected"
    );
    let rows = case.messages();
    assert_eq!((rows.len(), named(&rows[0])), (40, (52, 23, 15)));
    assert!(
        rows[0]["why"].contains("90 of these 90 people were hidden in Bcc"),
        "{}",
        &rows[0]["why"]
    );
    assert_eq!(column(&rows, "incident_id").len(), 1);
    let events = &timeline(&case)[0];
    let count = |name: &str| events.iter().filter(|(event, _)| event == name).count();
    assert_eq!(
        (events[0].clone(), count("reply-all"), count("apology")),
        (("first".to_owned(), 90), 39, 1)
    );
    assert_eq!(&rows[0]["aftermath"], "apology;reply-all");
}

#[test]
fn hiv_scotland_2020_an_agenda_to_105_advocates_names_65() {
    let case = scan(&Mailbox::ordinary(40).mail(|m| {
        let m = m
            .cc(list(65, 0, 40, 36))
            .subject("Community Advisory Network: agenda");
        m.body("Dear all,\nhere is the agenda for Thursday.")
            .attachment("Agenda.docx")
    }));
    assert_eq!(named(&case.only_message()), (65, 0, 40));
    assert_eq!(case.people().len(), 105);
}

#[test]
fn nhs_highland_2019_the_list_was_copied_from_an_earlier_mail() {
    let who = people(37, 37);
    let mailbox = Mailbox::ordinary(40)
        .mail(|m| {
            m.to(["robin.ashdown@force.example"])
                .bcc(&who)
                .subject("Support group: spring dates")
                .body("Please see attached.")
                .day(3)
        })
        .mail(|m| {
            m.to(&who)
                .subject("Invitation")
                .body("Please see attached.")
                .attachment("HIV support group invitation.pdf")
                .day(13)
        });
    let case = scan(&mailbox);
    let row = case.only_message();
    assert!(
        row["why"].contains("37 of these 37 people were hidden in Bcc once"),
        "{}",
        &row["why"]
    );
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
