//! What counts as an exposure: the sentences of DESIGN section 2, one test each.

use crate::builders::{Case, FORCE, Mail, Mailbox, Person, Run, people, westminster};

/// What is found in fifty ordinary mails and these, sent by the force and by the clinic.
fn scan(add: impl FnOnce(Mailbox) -> Mailbox) -> Case {
    Run::scan(add(Mailbox::ordinary(50)).mbox().path())
        .org(FORCE)
        .org("gender-service.example")
        .ok()
}

#[track_caller]
fn exposes(make: impl FnOnce(Mail) -> Mail) -> Case {
    let case = scan(|m| m.mail(|m| make(m.id("it@force.example").day(12))));
    assert_eq!(case.found(), ["it"], "{}", case.output.stdout);
    case
}

fn survivors(m: Mail, who: &[Person]) -> Mail {
    m.cc(who)
        .subject("Survivors' group: dates")
        .body("Dear survivors of abuse, we meet on Monday.")
}

#[test]
fn two_victims_in_one_cc_are_an_exposure() {
    let case = exposes(|m| {
        let m = m.cc(people(2, 14)).subject("Update: change of bail date");
        m.body("As complainants you are being told that the suspect's bail date has moved.")
    });
    assert_eq!(case.people().len(), 2);
}

#[test]
fn fifteen_people_in_to_are_an_exposure_as_much_as_in_cc() {
    let case = exposes(|m| {
        let m = m.to(people(15, 15)).subject("Victim support");
        m.body("Dear all,\nas victims of this crime you may ask for a victim personal statement.")
    });
    assert_eq!(&case.only_message()["field"], "to");
}

#[test]
fn a_mass_list_of_strangers_is_an_exposure_whatever_it_is_about() {
    exposes(|m| {
        m.to(people(60, 42))
            .subject("Change of room")
            .body("Dear all, please note the change of room.")
    });
}

#[test]
fn about_a_dozen_personal_mailboxes_of_strangers_are_enough() {
    exposes(|m| {
        m.to(people(16, 43))
            .subject("Change of room")
            .body("Dear all, please note the change of room.")
    });
}

#[test]
fn many_strangers_at_business_addresses_are_enough() {
    let crowd = people(120, 44).into_iter().enumerate().map(|(i, p)| {
        Person::new(
            &p.name,
            &format!(
                "{}@business{i}.example",
                p.name.to_lowercase().replace(' ', ".")
            ),
        )
    });
    exposes(|m| {
        m.to(crowd)
            .subject("Change of room")
            .body("Dear all, please note the change of room.")
    });
}

#[test]
fn a_sensitive_sender_is_enough_for_a_few() {
    exposes(|m| {
        let m = m
            .from("Gender Identity Clinic <clinic@gender-service.example>")
            .to(people(8, 41));
        m.subject("Next month's dates")
            .body("Hello everyone,\nwe meet on the 4th at 6 pm.")
    });
}

#[test]
fn the_name_of_an_attachment_is_enough_for_a_few() {
    exposes(|m| {
        m.cc(people(6, 45))
            .subject("As promised")
            .body("Please see the file.")
            .attachment("HIV patients list.xlsx")
    });
}

#[test]
fn the_name_of_the_list_is_enough_for_a_few() {
    let members = people(6, 46)
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",\r\n ");
    exposes(|m| {
        m.to([format!("HIV clinic patients: {members};")])
            .subject("As promised")
            .body("See you on Thursday.")
    });
}

#[test]
fn a_sensitive_subject_is_enough_for_a_few() {
    exposes(|m| {
        m.to(people(6, 47))
            .subject("Rape crisis: survivors' group on Thursday")
            .body("See you at seven.")
    });
}

#[test]
fn the_second_mail_out_to_the_same_list_is_an_exposure_again() {
    let group = people(14, 48);
    let case = scan(|m| {
        let m = m.mail(|m| survivors(m, &group).id("first@force.example").day(10));
        let m = m.mail(|m| survivors(m, &group).id("second@force.example").day(17));
        m.mail(|m| survivors(m, &group).id("third@force.example").day(24))
    });
    assert_eq!(
        case.found().len(),
        3,
        "being shown together by the organisation excuses nobody: {:?}",
        case.found()
    );
}

#[test]
fn being_shown_together_by_a_third_person_excuses_nobody() {
    let group = people(16, 49);
    let case = scan(|m| {
        let m = m.mail(|m| {
            m.from("x@elsewhere.example")
                .to(&group)
                .cc(["robin.ashdown@force.example"])
                .day(8)
        });
        m.mail(|m| survivors(m, &group).id("it@force.example").day(12))
    });
    assert_eq!(case.found(), ["it"]);
}

#[test]
fn those_who_have_spoken_are_no_strangers() {
    // The same list of sixteen: once among strangers, once after each had written to all the others.
    let group = people(16, 50);
    let room = |m: Mail| {
        m.to(&group)
            .subject("Change of room")
            .body("Dear all, please note the change of room.")
    };
    let case = scan(|m| m.mail(|m| room(m).id("it@force.example").day(25)));
    assert_eq!(case.found(), ["it"]);
    let case = scan(|m| {
        let all = m.mails(&group, |m, who| {
            m.from(who)
                .to(&group)
                .cc(["robin.ashdown@force.example"])
                .subject("Hello")
                .day(5)
        });
        all.mail(|m| room(m).id("it@force.example").day(25))
    });
    assert!(case.found().is_empty(), "{:?}", case.messages());
}

#[test]
fn a_recall_that_shows_the_list_again_is_an_exposure_of_its_own() {
    let group = people(20, 51);
    let case = scan(|m| {
        let m = m.mail(|m| survivors(m, &group).id("event@force.example").day(10));
        m.mail(|m| {
            let m = m
                .id("recall@force.example")
                .cc(&group)
                .subject("Recall: Survivors' group: dates")
                .day(11);
            m.body("Robin Ashdown would like to recall the message, \"Survivors' group: dates\".")
        })
    });
    assert_eq!(case.found(), ["event", "recall"]);
    assert!(case.people().iter().all(|p| p.number("exposures") == 2));
}

#[test]
fn an_apology_that_shows_the_list_again_is_an_exposure_of_its_own() {
    let group = people(20, 52);
    let case = scan(|m| {
        let m = m.mail(|m| survivors(m, &group).id("event@force.example").day(10));
        m.mail(|m| {
            let m = m.id("sorry@force.example").to(&group).subject("Apology: Survivors' group: dates").day(11);
            m.body("Please delete our message of this morning. We apologise for showing your addresses.")
        })
    });
    assert_eq!(case.found(), ["event", "sorry"]);
}

#[test]
fn an_apology_that_hides_the_list_is_none() {
    let group = people(20, 52);
    let case = scan(|m| {
        let m = m.mail(|m| survivors(m, &group).id("event@force.example").day(10));
        m.mail(|m| {
            m.to(["robin.ashdown@force.example"])
                .bcc(&group)
                .subject("Apology: Survivors' group: dates")
                .day(11)
        })
    });
    assert_eq!(case.found(), ["event"]);
}

#[test]
fn a_finding_says_why_in_a_sentence_with_the_words_it_found() {
    let why = exposes(|m| westminster(m).id("it@force.example")).only_message()["why"].to_owned();
    assert!(
        why.to_lowercase().contains("bail date") || why.to_lowercase().contains("complainants"),
        "{why}"
    );
    assert!(why.contains("18"), "{why}");
}

#[test]
fn a_finding_names_its_group_its_severity_and_its_confidence() {
    let row = exposes(|m| westminster(m).id("it@force.example")).only_message();
    assert!(!row["groups"].is_empty());
    assert!(
        ["high", "critical"].contains(&&row["severity"]),
        "{}",
        &row["severity"]
    );
    assert!((50..=100).contains(&row.number("confidence")));
    assert_eq!(
        (&row["incident_id"], &row["review"]),
        (&row["exposure_id"], "")
    );
}

#[test]
fn severity_does_not_follow_confidence() {
    // Nothing sensitive is said to the sixty strangers; two complainants are few but at risk.
    let strangers = exposes(|m| {
        m.to(people(60, 42))
            .subject("Change of room")
            .body("Dear all, the room has changed.")
    });
    let victims = exposes(|m| {
        let m = m.cc(people(2, 14)).subject("Update: change of bail date");
        m.body("As complainants you are being told that the suspect's bail date has moved.")
    });
    let rank = |case: &Case| {
        let severity = case.only_message()["severity"].to_owned();
        ["low", "medium", "high", "critical"]
            .iter()
            .position(|s| *s == severity)
            .expect("a severity")
    };
    assert!(
        rank(&strangers) < rank(&victims),
        "the harm lies in what is said, not in how sure it is"
    );
}

#[test]
fn what_is_below_the_threshold_is_counted_and_not_reported() {
    let store = Mailbox::ordinary(50)
        .mail(|m| m.to(people(14, 53)).subject("Change of room"))
        .mbox();
    let scan = |threshold: u64| {
        let run = Run::scan(store.path()).org(FORCE);
        run.arg("--min-confidence").arg(threshold.to_string()).ok()
    };
    let sure = scan(1).only_message().number("confidence");
    assert!(sure < 99, "strangers alone make nobody certain");
    assert_eq!(scan(sure).messages().len(), 1);
    let strict = scan(sure + 1);
    assert!(strict.messages().is_empty() && strict.people().is_empty());
    let said = &strict.output.stdout;
    assert!(
        said.contains("1 more message below the threshold stays"),
        "{said}"
    );
}

#[test]
fn by_default_what_has_a_confidence_of_fifty_is_reported() {
    let store = Mailbox::ordinary(50)
        .mail(|m| m.to(people(14, 53)).subject("Change of room"))
        .mail(westminster)
        .mbox();
    let run = Run::scan(store.path()).org(FORCE);
    let fifty = run.arg("--min-confidence").arg("50").ok();
    let default = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!(default.messages().len(), 2);
    assert_eq!(default.exports(), fifty.exports());
}

#[test]
fn the_sender_in_her_own_cc_is_not_exposed() {
    let case = exposes(|m| {
        westminster(m)
            .id("it@force.example")
            .cc(["robin.ashdown@force.example"])
    });
    assert_eq!(case.people().len(), 18);
    assert!(!case.exposed().contains("robin.ashdown@force.example"));
}

#[test]
fn several_findings_stand_in_a_fixed_order() {
    let case = scan(|m| {
        let m = m.mail(|m| {
            survivors(m, &people(20, 54))
                .id("later@force.example")
                .day(27)
        });
        m.mail(westminster)
    });
    let sent: Vec<_> = case
        .messages()
        .iter()
        .map(|m| m["sent"].to_owned())
        .collect();
    assert_eq!(sent.len(), 2);
    assert!(sent.is_sorted(), "{sent:?}");
}
