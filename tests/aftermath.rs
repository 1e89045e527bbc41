//! What came before and after a message: lists that are hidden otherwise, recalls, apologies, answers to all, bounces. They
//! raise confidence, tie findings to one incident with its timeline, and say who was reached.

use crate::builders::{Case, FORCE, Mail, Mailbox, Person, Row, Run, people, victims, westminster};

const PARKS: &str = "Parks <parks@force.example>";
const DESK: &str = "Witness Desk <desk@force.example>";

fn scan(mailbox: &Mailbox) -> Case {
    Run::scan(mailbox.mbox().path()).org(FORCE).ok()
}

/// Eight people about nothing in particular: below the threshold in itself.
fn bland(m: Mail, who: &[Person]) -> Mail {
    m.from(DESK)
        .to(who)
        .subject("Room for Thursday")
        .body("Hello,\nwe meet in the other room this time, two floors up. The lift works again and tea is at ten as ever.")
}

fn events(case: &Case) -> Vec<(String, String)> {
    let pair = |row: &Row| (row["event"].to_owned(), row["people"].to_owned());
    case.timeline().iter().map(pair).collect()
}

fn event(name: &str, people: usize) -> (String, String) {
    (name.to_owned(), people.to_string())
}

#[test]
fn a_small_bland_list_is_reported_once_it_was_hidden_before_and_the_reason_gives_figures() {
    let who = people(8, 61);
    let alone = scan(&Mailbox::ordinary(30).mail(|m| bland(m, &who).day(9)));
    assert!(alone.messages().is_empty(), "{:?}", alone.found());
    let hidden = |m: Mail, day: i64| {
        bland(m, &[])
            .to([DESK])
            .bcc(&who)
            .subject("Room for next week")
            .day(day)
    };
    let case = scan(
        &Mailbox::ordinary(30)
            .mails([2, 5], hidden)
            .mail(|m| bland(m, &who).day(9)),
    );
    let row = case.only_message();
    assert!(
        row["why"].contains("8 of these 8 people were hidden in Bcc twice"),
        "{}",
        &row["why"]
    );
}

#[test]
fn how_often_a_series_is_hidden_stands_in_the_reason() {
    let who = people(18, 62);
    let news = |m: Mail, day: i64| {
        m.from(DESK)
            .to([DESK])
            .bcc(people(20, 63 + day as u64))
            .subject(&format!("Witness care news {day}"))
            .body("Dear witness, news.")
            .day(day)
    };
    let open = |m: Mail| {
        m.from(DESK)
            .to(&who)
            .subject("Witness care news 12")
            .body("Dear witness, news.")
            .day(30)
    };
    let case = scan(&Mailbox::ordinary(20).mails(1..=11, news).mail(open));
    let row = case.only_message();
    assert!(
        row["why"].contains("This sender's series stood in Bcc 11 times of 12"),
        "{}",
        &row["why"]
    );
}

#[test]
fn a_mailbox_without_any_bcc_says_that_a_habit_is_unknowable() {
    let case = scan(&Mailbox::ordinary(20).mail(westminster));
    assert!(case.only_message()["why"].contains("unknowable"));
}

#[test]
fn an_apology_in_bcc_raises_a_small_list_and_stands_in_the_timeline_with_its_place() {
    let who = people(8, 64);
    let sorry = |m: Mail| {
        m.from(DESK)
            .to([DESK])
            .bcc(&who)
            .subject("Apology")
            .body("We are sorry. Our email of Monday showed your addresses to each other: they were visible to all. Please delete it.")
            .day(10)
    };
    let case = scan(
        &Mailbox::ordinary(20)
            .mail(|m| bland(m, &who).day(9))
            .mail(sorry),
    );
    let row = case.only_message();
    assert!(
        row["why"].contains("apologised afterwards that addresses had been seen"),
        "{}",
        &row["why"]
    );
    assert_eq!(&row["aftermath"], "apology");
    assert_eq!(events(&case), [event("first", 8), event("apology", 8)]);
    let apology = &case.timeline()[1];
    assert_eq!(
        (&apology["by"], &apology["exposure_id"]),
        ("insider", &row["exposure_id"])
    );
    assert!(
        apology["position"].contains('+') && apology["source"].ends_with(".mbox"),
        "{apology:?}"
    );
}

#[test]
fn an_apology_for_a_wrong_file_does_not_make_a_committee_an_exposure() {
    let who = people(8, 65);
    let sorry = |m: Mail| {
        m.from(PARKS)
            .to(&who)
            .subject("Agenda")
            .body("Sorry, my last email had the wrong file by mistake. Here is the right one.")
            .day(10)
    };
    let case = scan(
        &Mailbox::ordinary(20)
            .mail(|m| bland(m, &who).from(PARKS).day(9))
            .mail(sorry),
    );
    assert!(case.messages().is_empty(), "{:?}", case.found());
}

#[test]
fn a_recall_that_says_nothing_exposes_a_small_list_again_in_the_same_incident() {
    let who = people(4, 66);
    let mailbox = Mailbox::ordinary(20)
        .mail(|m| {
            m.from(DESK)
                .to(&who)
                .subject("Thursday")
                .body("Dear witness,\nyour victim personal statement is due. The witness care unit")
                .day(9)
        })
        .mail(|m| {
            m.from(DESK)
                .to(&who)
                .subject("Recall: Thursday")
                .body("Witness Desk would like to recall the message, \"Thursday\".")
                .day(9)
        });
    let case = scan(&mailbox);
    let rows = case.messages();
    assert_eq!(rows.len(), 2, "{:?}", case.found());
    assert_eq!(&rows[0]["incident_id"], &rows[1]["incident_id"]);
    assert!(rows.iter().all(|row| &row["aftermath"] == "recall"));
    assert_eq!(&rows[0]["groups"], &rows[1]["groups"]);
    assert_eq!(events(&case), [event("first", 4), event("recall", 4)]);
    assert!(case.people().iter().all(|p| p.number("exposures") == 2));
}

#[test]
fn an_answer_to_all_from_outside_exposes_again_and_names_who_answered() {
    let mailbox = Mailbox::ordinary(20).mail(westminster);
    let all = victims();
    let answer = Mailbox::numbered_from(900).mail(|m| {
        m.from(&all[3])
            .to(["robin.ashdown@force.example"])
            .cc(all.iter().filter(|who| who.address != all[3].address))
            .subject("Re: Update: change of bail date")
            .body("Why can I see everybody?")
            .header("In-Reply-To", "<westminster@force.example>")
            .day(11)
    });
    let (sent, inbox) = (mailbox.mbox(), answer.mbox());
    let case = Run::scan_all([&sent, &inbox].map(|store| store.path()))
        .org(FORCE)
        .ok();
    let rows = case.messages();
    assert_eq!(rows.len(), 2, "{:?}", case.found());
    assert!(
        rows.iter()
            .all(|row| row["aftermath"].contains("reply-all"))
    );
    assert_eq!(&rows[0]["incident_id"], &rows[1]["incident_id"]);
    assert_eq!((rows[1].number("exposed"), case.people().len()), (17, 18));
    assert_eq!(case.count("received"), 1, "it is still received mail");
    let person = case.person(&all[3].address);
    assert_eq!(&person["delivery"], "replied");
    assert_eq!(&case.person(&all[4].address)["delivery"], "sent");
    let viewers = case.viewers();
    let viewer = viewers
        .iter()
        .find(|v| v["address"] == *all[3].address)
        .unwrap();
    assert!(
        viewer["replied_all"].starts_with("2024-03-12"),
        "{viewer:?}"
    );
    let inside: Vec<String> = case
        .timeline()
        .iter()
        .map(|row| row["by"].to_owned())
        .collect();
    assert_eq!(inside, ["insider", "outsider", "outsider"]);
}

#[test]
fn an_answer_read_before_what_it_answers_is_found_as_well() {
    let all = victims();
    let sent = Mailbox::ordinary(20).mail(westminster).mbox();
    let inbox = Mailbox::numbered_from(900)
        .mail(|m| {
            m.from(&all[3])
                .to(&all)
                .subject("Re: Update: change of bail date")
                .header("In-Reply-To", "<westminster@force.example>")
                .day(11)
        })
        .mbox();
    let once = Run::scan_all([&sent, &inbox].map(|store| store.path()))
        .org(FORCE)
        .ok();
    let first = Run::scan(inbox.path()).org(FORCE).ok();
    let then = Run::scan(sent.path()).org(FORCE).onto(&first).ok();
    assert_eq!(once.found(), then.found());
    assert_eq!(once.text("messages.csv"), then.text("messages.csv"));
    assert_eq!(once.text("timeline.csv"), then.text("timeline.csv"));
}

#[test]
fn whom_a_bounce_names_is_exposed_but_no_viewer() {
    let all = victims();
    let bounce = format!(
        "From: MAILER-DAEMON@force.example\r\nTo: robin.ashdown@force.example\r\nSubject: Undelivered Mail\r\n\
         Date: Mon, 11 Mar 2024 09:05:00 +0000\r\nMessage-ID: <bounce@force.example>\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.force.example\r\n\r\n\
         Final-Recipient: rfc822; {}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <westminster@force.example>\r\n\r\n--b--\r\n",
        all[0].address
    );
    let sent = Mailbox::ordinary(20).mail(westminster).mbox();
    let inbox = Mailbox::new().mail(|m| m.raw(bounce)).mbox();
    let case = Run::scan_all([&sent, &inbox].map(|store| store.path()))
        .org(FORCE)
        .ok();
    assert_eq!(case.people().len(), 18);
    let gone = case.person(&all[0].address);
    assert_eq!((&gone["delivery"], gone.number("seen_by")), ("bounced", 17));
    let other = case.person(&all[1].address);
    assert_eq!((&other["delivery"], other.number("seen_by")), ("sent", 16));
    assert!(
        !case
            .viewers()
            .iter()
            .any(|v| v["address"] == *all[0].address)
    );
    assert_eq!(
        case.only_message().number("audience"),
        18,
        "19 visible and the sender are 19, less one"
    );
    assert!(events(&case).contains(&event("bounce", 1)));
}

#[test]
fn the_same_again_in_bcc_is_told_and_batches_are_one_incident() {
    let who = people(60, 67);
    let text = "Dear patient,\nthe Gender Identity Clinic invites you to its art competition. Please send a picture of your work.";
    let mailbox = Mailbox::ordinary(20)
        .mail(|m| m.from(DESK).to(&who[..20]).subject("Art").body(text).day(5))
        .mail(|m| {
            m.from(DESK)
                .to(&who[20..40])
                .subject("Competition")
                .body(text)
                .day(5)
        })
        .mail(|m| {
            m.from(DESK)
                .to([DESK])
                .bcc(&who[..20])
                .subject("Art")
                .body(text)
                .day(6)
        });
    let case = scan(&mailbox);
    let rows = case.messages();
    assert_eq!(rows.len(), 2, "{:?}", case.found());
    assert_eq!(
        &rows[0]["incident_id"], &rows[1]["incident_id"],
        "the same text to others"
    );
    assert_eq!(&rows[0]["aftermath"], "next-batch;resent-blind");
    assert_eq!(&rows[1]["aftermath"], "next-batch");
    assert!(
        rows[0]["why"].contains("sent again in Bcc to 20 of them"),
        "{}",
        &rows[0]["why"]
    );
    assert_ne!(
        &rows[0]["circle_id"], &rows[1]["circle_id"],
        "other people are another circle"
    );
    assert_eq!(
        events(&case),
        [
            event("first", 20),
            event("batch", 20),
            event("resent-blind", 20)
        ]
    );
}

#[test]
fn the_same_people_written_to_for_months_are_one_circle_and_several_incidents() {
    let who = people(20, 68);
    let write = |m: Mail, month: i64| {
        let m = if month % 2 == 0 { m.from(DESK) } else { m };
        let list = if month == 3 { &who[..18] } else { &who[..] };
        m.to(list)
            .subject(["Room", "Parking", "Heating", "Keys"][month as usize])
            .body("Hello,\nplease note.")
            .day(30 * month)
    };
    let case = scan(&Mailbox::ordinary(20).mails(0..4, write));
    let rows = case.messages();
    assert_eq!(rows.len(), 4, "{:?}", case.found());
    let different = |column: &str| crate::builders::column(&rows, column).len();
    assert_eq!((different("circle_id"), different("incident_id")), (1, 4));
}

#[test]
fn a_circle_that_was_dismissed_stays_dismissed_until_it_hurts_more() {
    let who = people(20, 69);
    let write = |m: Mail, month: i64| {
        m.from(DESK)
            .to(&who)
            .subject(["Room", "Parking", "Witness care: dates"][month as usize])
            .body("Hello,\nplease note.")
            .day(30 * month)
    };
    let mailbox = |months: i64| Mailbox::new().mails(0..months, write).mbox();
    let case = Run::scan(mailbox(1).path()).org(FORCE).ok();
    case.decide(&case.only_message()["exposure_id"], "dismissed");
    let case = Run::scan(mailbox(2).path()).org(FORCE).onto(&case).ok();
    let reviews: Vec<String> = case
        .messages()
        .iter()
        .map(|row| row["review"].to_owned())
        .collect();
    assert_eq!(reviews, ["dismissed", "dismissed"]);
    assert!(
        case.people().is_empty()
            && case
                .output
                .stdout
                .contains("dismissed as their circles were")
    );
    let case = Run::scan(mailbox(3).path()).org(FORCE).onto(&case).ok();
    let rows = case.messages();
    assert_eq!(
        (&rows[2]["review"], &rows[2]["circle_id"]),
        ("", &rows[0]["circle_id"])
    );
    assert_eq!(case.people().len(), 20, "other groups are another decision");
}

#[test]
fn one_message_of_a_circle_can_be_looked_at_again() {
    let who = people(20, 70);
    let write = |m: Mail, month: i64| {
        m.from(DESK)
            .to(&who)
            .subject(["Room", "Parking"][month as usize])
            .day(30 * month)
    };
    let store = Mailbox::new().mails(0..2, write).mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    let rows = case.messages();
    case.decide(&rows[0]["exposure_id"], "dismissed");
    let case = Run::scan(store.path()).org(FORCE).onto(&case).ok();
    assert!(
        case.messages()
            .iter()
            .all(|row| &row["review"] == "dismissed")
    );
    case.decide(&rows[1]["exposure_id"], "look-again");
    let case = Run::scan(store.path()).org(FORCE).onto(&case).ok();
    let reviews: Vec<String> = case
        .messages()
        .iter()
        .map(|row| row["review"].to_owned())
        .collect();
    assert_eq!(reviews, ["dismissed", "look-again"]);
    assert_eq!(case.people().len(), 20);
}
