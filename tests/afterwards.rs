//! What comes after an exposure where it is easily lost or mistaken: answers to answers read before what they answer,
//! incidents that share one person, bounces beside answers, decisions on circles. `aftermath` has the ordinary course.

use crate::builders::{
    Case, FORCE, Mail, Mailbox, Person, Run, Store, people, victims, westminster,
};

const DESK: &str = "Witness Desk <desk@force.example>";

fn bland(m: Mail, who: &[Person]) -> Mail {
    m.from(DESK)
        .to(who)
        .subject("Room for Thursday")
        .body("Hello,\nwe meet in the other room this time, two floors up. The lift works again and tea is at ten as ever.")
}

/// Somebody's answer to all.
fn answer(m: Mail, by: &Person, who: &[Person], subject: &str, id: &str, to: &str) -> Mail {
    m.from(by)
        .to([DESK])
        .cc(who.iter().filter(|other| other.address != by.address))
        .subject(subject)
        .body("Why can I see everybody?")
        .id(id)
        .header("In-Reply-To", &format!("<{to}>"))
}

/// A scan of all at once, which is what scans of each in that order must come to.
#[track_caller]
fn in_parts(stores: &[&Store]) -> Case {
    let once = Run::scan_all(stores.iter().map(|store| store.path()))
        .org(FORCE)
        .ok();
    let mut parts = Run::scan(stores[0].path()).org(FORCE).ok();
    for store in &stores[1..] {
        parts = Run::scan(store.path()).org(FORCE).onto(&parts).ok();
    }
    assert_eq!(once.found(), parts.found());
    for name in ["exposures.csv", "people.csv", "viewers.csv", "timeline.csv"] {
        assert_eq!(once.text(name), parts.text(name), "{name}");
    }
    let also = |case: &Case| crate::builders::column(&case.messages(), "also_at");
    assert_eq!(also(&once), also(&parts));
    once
}

#[test]
fn an_answer_to_an_answer_read_before_the_exposure_is_found_as_well() {
    let all = victims();
    let subject = "Re: Update: change of bail date";
    let inbox = Mailbox::numbered_from(900)
        .mail(|m| {
            let to = "westminster@force.example";
            answer(m, &all[3], &all, subject, "one@inbox.test", to).day(11)
        })
        .mail(|m| {
            answer(
                m,
                &all[5],
                &all,
                subject,
                "two@inbox.test",
                "one@inbox.test",
            )
            .day(12)
        })
        .mbox();
    let sent = Mailbox::ordinary(20).mail(westminster).mbox();
    let case = in_parts(&[&inbox, &sent]);
    assert_eq!(case.messages().len(), 3, "{:?}", case.found());
}

#[test]
fn an_answer_to_what_is_reported_only_after_a_later_apology_is_found_as_well() {
    let who = people(9, 71);
    let first = Mailbox::ordinary(20)
        .mail(|m| bland(m, &who).id("room@force.example").day(9))
        .mail(|m| {
            let (id, to) = ("answer@inbox.test", "room@force.example");
            answer(m, &who[2], &who, "Re: Room for Thursday", id, to).day(10)
        })
        .mbox();
    let later = Mailbox::numbered_from(900)
        .mail(|m| {
            m.from(DESK)
                .to([DESK])
                .bcc(&who)
                .subject("Apology")
                .body("We are sorry. Our email of Monday showed your addresses to each other: they were visible to all.")
                .day(11)
        })
        .mbox();
    let case = in_parts(&[&first, &later]);
    assert_eq!(case.messages().len(), 2, "{:?}", case.found());
}

#[test]
fn an_answer_to_all_ties_no_other_incident_that_shows_one_of_its_people() {
    let who = people(24, 72);
    let other: Vec<Person> = who[11..].to_vec();
    let mail_out = |m: Mail, subject: &str, who: &[Person]| {
        m.to(who)
            .subject(subject)
            .body("Dear witness,\nthis is about your victim personal statement.")
            .day(9)
    };
    let store = Mailbox::ordinary(20)
        .mail(|m| {
            mail_out(
                m.from(DESK).id("one@force.example"),
                "Witness care",
                &who[..12],
            )
        })
        .mail(|m| mail_out(m, "Bail date: the fire", &other))
        .mail(|m| {
            let (id, to) = ("answer@inbox.test", "one@force.example");
            answer(m, &who[0], &who[..12], "Re: Witness care", id, to).day(10)
        })
        .mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    let rows = case.messages();
    assert_eq!(rows.len(), 3, "{:?}", case.found());
    let incidents = crate::builders::column(&rows, "incident_id");
    assert_eq!(incidents.len(), 2, "{:?}", case.found());
}

#[test]
fn an_apology_of_somebody_else_that_shows_some_of_them_again_is_of_the_same_incident() {
    let who = people(9, 73);
    let store = Mailbox::ordinary(20)
        .mail(|m| {
            m.from(DESK)
                .to(&who)
                .subject("Thursday")
                .body("Dear witness,\nyour victim personal statement is due. The witness care unit")
                .day(9)
        })
        .mail(|m| {
            m.from("Parks <parks@force.example>")
                .to(&who[..3])
                .subject("Re: Thursday")
                .body("We are sorry: the addresses were visible in our last email.")
                .day(10)
        })
        .mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    let rows = case.messages();
    assert_eq!(rows.len(), 2, "{:?}", case.found());
    assert_eq!(&rows[0]["incident_id"], &rows[1]["incident_id"]);
    assert_eq!(&rows[0]["aftermath"], "apology");
}

#[test]
fn whoever_answered_was_reached_whatever_a_bounce_says() {
    let all = victims();
    let bounce = format!(
        "From: MAILER-DAEMON@inbox.test\r\nTo: robin.ashdown@force.example\r\nSubject: Undelivered Mail\r\n\
         Date: Mon, 11 Mar 2024 09:05:00 +0000\r\nMessage-ID: <bounce@force.example>\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.inbox.test\r\n\r\n\
         Final-Recipient: rfc822; {}\r\nAction: failed\r\nStatus: 5.2.2\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <westminster@force.example>\r\n\r\n--b--\r\n",
        all[0].address
    );
    let store = Mailbox::ordinary(20)
        .mail(westminster)
        .mail(|m| m.raw(bounce))
        .mail(|m| {
            let to = "westminster@force.example";
            m.from(&all[0])
                .to([DESK])
                .answers(&all[0], to, "Thank you.")
                .day(12)
        })
        .mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!(&case.person(&all[0].address)["delivery"], "replied");
    let viewers = crate::builders::column(&case.viewers(), "address");
    assert!(viewers.contains(all[0].address.as_str()));
    assert_eq!(case.only_message().number("audience"), 19);
}

#[test]
fn an_incident_that_a_person_names_is_not_dismissed_with_its_circle() {
    let who = people(20, 74);
    let write = |m: Mail, month: i64| {
        m.from(DESK)
            .to(&who)
            .subject("Witness care: dates")
            .id(&format!("month{month}@force.example"))
            .day(30 * month)
    };
    let mailbox = |months: i64| Mailbox::new().mails(0..months, write).mbox();
    let case = Run::scan(mailbox(1).path()).org(FORCE).ok();
    case.decide(&case.only_message()["exposure_id"], "dismissed");
    let case = Run::scan(mailbox(2).path())
        .org(FORCE)
        .arg("--incident")
        .arg("month1@force.example")
        .onto(&case)
        .ok();
    let rows = case.messages();
    assert_eq!(&rows[1]["review"], "", "{rows:?}");
}

#[test]
fn a_later_mail_of_a_dismissed_circle_that_was_apologised_for_is_asked_about() {
    let who = people(20, 75);
    let write = |m: Mail, month: i64| {
        m.from(DESK)
            .to(&who)
            .subject(["Room", "Parking"][month as usize])
            .day(30 * month)
    };
    let mailbox = |months: i64| Mailbox::new().mails(0..months, write);
    let case = Run::scan(mailbox(1).mbox().path()).org(FORCE).ok();
    case.decide(&case.only_message()["exposure_id"], "dismissed");
    let sorry = mailbox(2).mail(|m| {
        m.from(DESK)
            .to([DESK])
            .bcc(&who)
            .subject("Apology")
            .body("We are sorry. Our email of Monday showed your addresses to each other: they were visible to all.")
            .day(31)
    });
    let case = Run::scan(sorry.mbox().path()).org(FORCE).onto(&case).ok();
    let rows = case.messages();
    assert_eq!((&rows[0]["review"], &rows[1]["review"]), ("dismissed", ""));
}

#[test]
fn at_the_highest_threshold_what_was_named_and_its_answers_are_told() {
    let all = victims();
    let others = people(6, 76);
    let wider: Vec<Person> = [&all[..2], &others].concat();
    let store = Mailbox::ordinary(20)
        .mail(westminster)
        .mail(|m| westminster(m).to(&wider).id("wider@force.example").day(12))
        .mail(|m| {
            let to = "wider@force.example";
            answer(
                m,
                &others[0],
                &others,
                "Re: bail date",
                "answer@inbox.test",
                to,
            )
            .day(13)
        })
        .mbox();
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--min-confidence")
        .arg("100")
        .arg("--incident")
        .arg("westminster@force.example")
        .ok();
    assert!(case.messages().len() >= 2, "{:?}", case.found());
}

#[test]
fn what_is_shown_twice_repeats_what_is_reported() {
    let who = people(9, 77);
    let case = Run::scan(
        Mailbox::ordinary(20)
            .mail(|m| bland(m, &who).day(3))
            .mail(|m| {
                bland(m, &who)
                    .body("Dear witness,\nyour victim personal statement is due. The witness care unit")
                    .day(9)
            })
            .mbox()
            .path(),
    )
    .org(FORCE)
    .ok();
    let rows = case.messages();
    let ids = crate::builders::column(&rows, "exposure_id");
    for row in &rows {
        let before = &row["repeat_of"];
        assert!(before.is_empty() || ids.contains(before), "{rows:?}");
    }
}

#[test]
fn a_draft_read_before_what_was_sent_is_a_place_of_it() {
    let mail = Mailbox::new().mail(westminster).rd();
    let drafts = Store::file(
        "Drafts.mbox",
        Mailbox::new()
            .mail(|m| westminster(m).header("X-Unsent", "1"))
            .rd(),
    );
    let sent = Store::file("Sent.mbox", &mail);
    let ordinary = Mailbox::numbered_from(300).background(20).mbox();
    in_parts(&[&drafts, &ordinary, &sent]);
}

const SORRY: &str = "We are sorry. Our email of Monday showed your addresses to each other: they were visible to all.";

#[test]
fn an_apology_for_two_batches_stays_when_one_of_them_is_dismissed() {
    let who = people(40, 78);
    let text = "Dear patient,\nthe Gender Identity Clinic invites you to its art competition. Please send a picture of your work.";
    let batch = |m: Mail, who: &[Person]| m.from(DESK).to(who).subject("Art").body(text).day(5);
    let sorry = |m: Mail| {
        let m = m.from(DESK).to([DESK]).bcc(&who).subject("Apology");
        m.body(SORRY).day(6)
    };
    let store = Mailbox::ordinary(20)
        .mail(|m| batch(m, &who[..20]))
        .mail(|m| batch(m, &who[20..]))
        .mail(sorry)
        .mbox();
    for dismissed in [0, 1] {
        let case = Run::scan(store.path()).org(FORCE).ok();
        let all: Vec<String> = events(&case);
        assert_eq!(all, ["first", "batch", "apology"]);
        let rows = case.messages();
        case.decide(&rows[dismissed]["exposure_id"], "dismissed");
        let case = Run::scan(store.path()).org(FORCE).onto(&case).ok();
        let left = &rows[1 - dismissed]["exposure_id"];
        let timeline = case.timeline();
        assert_eq!(timeline.len(), 2, "{timeline:?}");
        assert_eq!(&timeline[1]["event"], "apology");
        assert!(timeline.iter().all(|row| &row["exposure_id"] == left));
    }
}

fn events(case: &Case) -> Vec<String> {
    let rows = case.timeline();
    rows.iter().map(|row| row["event"].to_owned()).collect()
}

#[test]
fn an_incident_that_was_written_stays_one_when_an_earlier_part_is_found() {
    let who = people(20, 79);
    let write = |m: Mail, day: i64| m.from(DESK).to(&who).subject("Room for Thursday").day(day);
    let later = Mailbox::ordinary(20).mails([10, 20], write).mbox();
    let early = Mailbox::numbered_from(900).mails([1], write).mbox();
    let case = Run::scan(later.path()).org(FORCE).ok();
    let id = case.messages()[0]["incident_id"].to_owned();
    let case = Run::scan(early.path()).org(FORCE).onto(&case).ok();
    assert!(case.messages().iter().all(|row| row["incident_id"] == *id));
    assert_eq!(events(&case), ["first", "again", "again"]);
}

#[test]
fn the_latest_of_years_of_changing_lists_is_apologised_for() {
    let who = people(24, 80);
    let list = |without: i64| {
        let without = [without % 24, (without + 1 + without / 24) % 24];
        let here = move |at: &usize| !without.contains(&(*at as i64));
        (0..24).filter(here).map(|at| who[at].clone())
    };
    let write = |m: Mail, n: i64| {
        let extra = people(1, 1000 + n as u64);
        let m = m.from(DESK).to(list(n)).cc(&extra);
        m.subject("Room for Thursday").day(n)
    };
    let sorry = |m: Mail| {
        let m = m.from(DESK).to([DESK]).bcc(list(299)).subject("Apology");
        m.body(SORRY).day(300)
    };
    let store = Mailbox::new().mails(0..300, write).mail(sorry).mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    let rows = case.messages();
    let last = rows.last().unwrap();
    assert!(last["why"].contains("apologised afterwards"), "{last:?}");
}

#[test]
fn a_dismissed_list_dismisses_no_later_one_of_other_people() {
    let who = people(60, 81);
    let write = |m: Mail, month: i64| {
        let at = 4 * month as usize;
        m.from(DESK)
            .to(&who[at..at + 20])
            .subject("Room for Thursday")
            .day(30 * month)
    };
    let case = Run::scan(Mailbox::new().mails(0..1, write).mbox().path())
        .org(FORCE)
        .ok();
    case.decide(&case.only_message()["exposure_id"], "dismissed");
    let later = Mailbox::new().mails(0..8, write).mbox();
    let case = Run::scan(later.path()).org(FORCE).onto(&case).ok();
    let rows = case.messages();
    assert_eq!(crate::builders::column(&rows, "circle_id").len(), 1);
    let reviews: Vec<&str> = rows.iter().map(|row| &row["review"]).collect();
    let d = "dismissed";
    assert_eq!(reviews, [d, d, d, "", "", "", "", ""]);
}

#[test]
fn whom_neither_a_list_nor_its_recall_reached_is_no_viewer() {
    let who = people(4, 66);
    let mail = |m: Mail, subject: &str, id: &str| m.from(DESK).to(&who).subject(subject).id(id);
    let bounce = |id: &str| {
        format!(
            "From: MAILER-DAEMON@force.example\r\nTo: desk@force.example\r\nSubject: Undelivered Mail\r\n\
             Date: Mon, 11 Mar 2024 09:05:00 +0000\r\nMessage-ID: <bounce-{id}>\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.force.example\r\n\r\n\
             Final-Recipient: rfc822; {}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
             --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{id}>\r\n\r\n--b--\r\n",
            who[0].address
        )
    };
    let (one, two) = ("one@force.example", "two@force.example");
    let store = Mailbox::ordinary(20)
        .mail(|m| {
            let text =
                "Dear witness,\nyour victim personal statement is due. The witness care unit";
            mail(m, "Thursday", one).body(text).day(9)
        })
        .mail(|m| {
            mail(m, "Recall: Thursday", two)
                .body("Witness Desk would like to recall the message.")
                .day(9)
        })
        .mail(|m| m.raw(bounce(one)))
        .mail(|m| m.raw(bounce(two)))
        .mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!(case.messages().len(), 2, "{:?}", case.found());
    assert_eq!(&case.person(&who[0].address)["delivery"], "bounced");
    let viewers = crate::builders::column(&case.viewers(), "address");
    assert!(!viewers.contains(who[0].address.as_str()));
}
