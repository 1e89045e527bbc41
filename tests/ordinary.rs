//! What is no exposure, so that an officer does not drown: the "what is not" of DESIGN section 2, one test each.

use crate::builders::{FORCE, Mail, Mailbox, Person, Run, people};

#[track_caller]
fn quiet(add: impl FnOnce(Mailbox) -> Mailbox) {
    let case = Run::scan(add(Mailbox::ordinary(50)).mbox().path())
        .org(FORCE)
        .ok();
    let found = case.messages();
    assert!(
        found.is_empty(),
        "{:#?}",
        found
            .iter()
            .map(|row| (&row["subject"], &row["why"]))
            .collect::<Vec<_>>()
    );
    assert!(case.people().is_empty() && case.viewers().is_empty() && case.exposures().is_empty());
}

/// Somebody at her place of work.
fn at(name: &str, domain: &str) -> Person {
    Person::new(
        name,
        &format!("{}@{domain}", name.to_lowercase().replace(' ', ".")),
    )
}

#[test]
fn mail_to_all_staff_is_none() {
    let staff: Vec<_> = (0..300).map(|i| format!("s{i}@force.example")).collect();
    quiet(|m| {
        m.mail(|m| {
            m.to(&staff)
                .subject("Victim care: new rota for all staff")
                .body("Dear all, the victim care rota.")
        })
    });
}

#[test]
fn mail_to_the_staff_of_a_subdomain_is_none() {
    let staff: Vec<_> = (0..40)
        .map(|i| format!("s{i}@north.force.example"))
        .collect();
    quiet(|m| {
        m.mail(|m| {
            m.to(&staff)
                .subject("Bail date of the suspect")
                .body("The complainants have been told.")
        })
    });
}

#[test]
fn a_list_properly_in_bcc_is_none() {
    quiet(|m| {
        m.mail(|m| {
            let m = m.to(["robin.ashdown@force.example"]).bcc(people(60, 21));
            m.subject("Support for victims: dates")
                .body("Dear all, dates of the survivors' group.")
        })
    });
}

#[test]
fn undisclosed_recipients_are_none() {
    quiet(|m| {
        m.mail(|m| {
            m.to(["undisclosed-recipients:;"])
                .subject("Support for victims")
                .body("Dear survivors, dates.")
        })
    });
}

#[test]
fn one_message_to_each_is_none() {
    quiet(|m| {
        m.mails(people(40, 22), |m, who| {
            m.to([who])
                .subject("Your bail date")
                .body("Dear complainant, it moved.")
        })
    });
}

#[test]
fn one_firms_staff_about_a_case_is_none() {
    let firm = ["Arthur Bell", "Beth Stone", "Cyril Lane"].map(|name| at(name, "firm.example"));
    quiet(|m| {
        m.mail(|m| {
            m.to(&firm)
                .subject("Bail hearing: instructions")
                .body("The suspect's bail date is Friday.")
        })
    });
}

#[test]
fn another_organisations_staff_about_ordinary_business_is_none() {
    let council: Vec<_> = people(18, 23)
        .iter()
        .map(|p| at(&p.name, "council.example"))
        .collect();
    quiet(|m| {
        m.mail(|m| {
            m.to(&council)
                .subject("Road closure on Saturday")
                .body("Dear all, the bridge is shut.")
        })
    });
}

#[test]
fn role_addresses_are_none() {
    let desks: Vec<_> = (0..15)
        .map(|i| format!("info@company{i}.example"))
        .collect();
    quiet(|m| {
        m.mail(|m| {
            m.to(&desks)
                .subject("Invitation to tender")
                .body("Please quote.")
        })
    });
}

#[test]
fn a_mailing_lists_own_address_is_none() {
    quiet(|m| {
        m.mail(|m| {
            m.to(["survivors@lists.example"])
                .subject("Support group dates")
                .body("Dear survivors.")
        })
    });
}

#[test]
fn a_committee_that_speaks_in_the_open_is_none() {
    let board = people(9, 24);
    quiet(|m| {
        m.mails(0..12, |m, i| {
            let m = m
                .to(&board)
                .subject("Re: Committee of the choir")
                .body("See you Tuesday then.")
                .day(i as i64);
            m.answers(
                &board[i % 9],
                &format!("c{i}@webmail.example"),
                "Tuesday suits me.",
            )
        })
    });
}

#[test]
fn a_project_team_of_several_firms_that_speaks_in_the_open_is_none() {
    let names = people(14, 25);
    let team: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(i, p)| at(&p.name, &format!("firm{}.example", i % 5)))
        .collect();
    quiet(|m| {
        let m = m.mails(&team, |m, who| {
            let m = m.from(who).to(&team).cc(["robin.ashdown@force.example"]);
            m.subject("Re: New radio system")
                .body("My part is done.")
                .day(2)
        });
        m.mails(10..14, |m, day| {
            m.to(&team)
                .subject("Re: New radio system")
                .body("Thank you all.")
                .day(day)
        })
    });
}

#[test]
fn a_family_that_speaks_in_the_open_is_none() {
    let family = ["Wilf", "Petra", "Tariq", "Siwan"].map(|n| {
        Person::new(
            &format!("{n} Eastham"),
            &format!("{}.eastham@inbox.test", n.to_lowercase()),
        )
    });
    quiet(|m| {
        let m = m.mails(&family, |m, who| {
            m.from(who)
                .to(&family)
                .cc(["robin.ashdown@force.example"])
                .subject("Dad's burglary")
                .day(3)
        });
        m.mail(|m| {
            m.to(&family)
                .subject("Re: Dad's burglary")
                .body("The suspect's bail date is Friday.")
                .day(4)
        })
    });
}

#[test]
fn one_victim_beside_her_solicitor_is_none() {
    let client = Person::new("Siwan Pemberton", "siwan.pemberton@webmail.example");
    let solicitor = at("Leopold Kettering", "kettering-solicitors.example");
    quiet(|m| {
        m.mails(1..20, |m, day| {
            let m = m
                .to([&client])
                .cc([&solicitor])
                .subject("Change of bail date")
                .day(day);
            m.body("As the complainant you are told that the suspect's bail date has moved.")
        })
    });
}

#[test]
fn one_victim_beside_a_relative_to_whom_she_has_spoken_is_none() {
    let (victim, brother) = (
        Person::new("Siwan Pemberton", "siwan.pemberton@webmail.example"),
        Person::new("Osian Pemberton", "osian.pemberton@inbox.test"),
    );
    quiet(|m| {
        let m = m.mail(|m| {
            let m = m
                .from(&victim)
                .to(["robin.ashdown@force.example"])
                .cc([&brother])
                .day(2)
                .subject("My brother helps me");
            m.body("Please write to both of us.")
        });
        m.mail(|m| {
            let m = m
                .to([&victim, &brother])
                .subject("Change of bail date")
                .day(3);
            m.body("As the complainant you are told that the suspect's bail date has moved.")
        })
    });
}

#[test]
fn sensitive_words_between_professionals_every_day_are_none() {
    let counsel = [
        at("Arthur Bell", "firm.example"),
        at("Nkechi Ashworth", "chambers.example"),
    ];
    quiet(|m| {
        let m = m.mails(&counsel, |m, who| {
            m.from(who)
                .to(&counsel)
                .cc(["robin.ashdown@force.example"])
                .subject("R v Smith")
                .day(1)
        });
        m.mails(2..25, |m, day| {
            m.to(&counsel)
                .subject("R v Smith: bail date")
                .body("Bail date as agreed.")
                .day(day)
        })
    });
}

#[test]
fn a_few_strangers_without_another_signal_are_none() {
    quiet(|m| {
        m.mail(|m| {
            m.to(people(6, 26))
                .subject("Change of room")
                .body("Dear all, please note the change of room.")
        })
    });
}

#[test]
fn fifteen_business_addresses_without_another_signal_are_none() {
    let firms: Vec<_> = people(15, 27)
        .iter()
        .enumerate()
        .map(|(i, p)| at(&p.name, &format!("firm{i}.example")))
        .collect();
    quiet(|m| {
        m.mail(|m| {
            m.to(&firms)
                .subject("Change of room")
                .body("Dear all, please note the change of room.")
        })
    });
}

#[test]
fn one_outsider_among_colleagues_is_none() {
    let colleagues: Vec<_> = (0..12).map(|i| format!("s{i}@force.example")).collect();
    quiet(|m| {
        m.mail(|m: Mail| {
            let m = m
                .to(people(1, 28))
                .cc(&colleagues)
                .subject("Your statement as a victim");
            m.body(
                "Dear complainant, these are the officers of your case. The bail date is Friday.",
            )
        })
    });
}

/// Names without an address, as a store of colleagues has them.
fn names_only(count: usize) -> Vec<String> {
    let mut names: Vec<String> = people(count, 77).into_iter().map(|who| who.name).collect();
    // Not in alphabetical order.
    names.reverse();
    names
}

#[test]
fn names_without_addresses_from_an_author_without_one_are_no_mass_list() {
    let mail = |m: Mail| {
        m.from("Robin Ashdown")
            .to(names_only(40))
            .subject("New desks")
            .body("The new desks come on Monday.")
    };
    let scan = |threshold: &str| {
        Run::scan(Mailbox::ordinary(50).mail(mail).mbox().path())
            .org(FORCE)
            .arg("--received")
            .arg("--min-confidence")
            .arg(threshold)
            .ok()
    };
    assert!(scan("50").messages().is_empty());
    // It is not forgotten: below the threshold it is kept, and says what is known and what is not.
    let why = scan("30").only_message()["why"].to_owned();
    assert!(
        why.contains("40 known by name only")
            && why.contains(
                "The author is known by name only, too, so that the 40 may be colleagues"
            ),
        "{why}"
    );
    assert!(
        !why.contains("mailboxes") && !why.contains("unrelated"),
        "{why}"
    );
}

#[test]
fn names_without_addresses_from_an_author_with_one_are_a_mass_list_that_says_what_is_known() {
    let case = Run::scan(
        Mailbox::ordinary(50)
            .mail(|m| {
                let others = people(2, 78).into_iter().map(|who| who.to_string());
                m.to(names_only(20).into_iter().chain(others))
                    .subject("Open day")
                    .body("The open day is on Monday.")
            })
            .mbox()
            .path(),
    )
    .org(FORCE)
    .ok();
    let why = case.only_message()["why"].to_owned();
    assert!(
        why.contains("2 at personal mailboxes and 20 known by name only")
            && why.contains("at unrelated addresses or known by name only"),
        "{why}"
    );
}
