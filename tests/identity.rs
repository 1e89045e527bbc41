//! Who is one person and who is two: merged addresses with their reasons, shared ones, and the count of people
//! step by step.

use crate::builders::{Case, FORCE, Mail, Mailbox, Person, Row, Run, Store, column, people};
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

fn rows_at(case: &Case, address: &str) -> Vec<Row> {
    let all = case.people().into_iter();
    all.filter(|row| &row["address"] == address).collect()
}

const NIA: [&str; 2] = [
    "\"Nia Marsh\" <n.marsh@firm.example>",
    "\"Nia Marsh\" <nia.marsh@inbox.test>",
];

#[test]
fn one_person_at_two_addresses_is_one_row_and_the_reason_is_told() {
    let case = scan(&listed(NIA));
    assert_eq!((case.people().len(), case.exposures().len()), (11, 12));
    let nia = case.person("nia.marsh@inbox.test");
    assert_eq!(
        (&nia["address"], &nia["other_addresses"], &nia["shared"]),
        ("n.marsh@firm.example", "nia.marsh@inbox.test", "no")
    );
    assert_eq!((nia.number("seen_by"), nia.number("exposures")), (10, 1));
    let row = case.only_message();
    assert_eq!(
        (
            row.number("visible"),
            row.number("exposed"),
            row.number("named_full")
        ),
        (12, 11, 11)
    );
    let [merge] = <[Row; 1]>::try_from(case.merges()).unwrap();
    assert_eq!(merge["person_id"], nia["person_id"]);
    assert_eq!(
        (
            &merge["address"],
            &merge["merged_with"],
            &merge["keep_apart"]
        ),
        ("nia.marsh@inbox.test", "n.marsh@firm.example", "")
    );
    assert_eq!(
        &merge["reason"],
        "the same full name 'Nia Marsh' at a personal mailbox and at an organisation"
    );
    // Both addresses got the list.
    assert!(column(&case.viewers(), "address").is_superset(&column(&case.merges(), "address")));
}

#[test]
fn a_tag_behind_a_plus_sign_makes_no_second_person() {
    let case = scan(&listed(["nia+club@inbox.test", "\"Nia\" <nia@inbox.test>"]));
    assert_eq!(case.people().len(), 11);
    assert_eq!(
        &case.merges()[0]["reason"],
        "same mailbox but for what follows the plus sign"
    );
    let reasons = &case.manifest()["findings"]["ladder"]["merged_by_reason"];
    assert_eq!(reasons.to_string(), "{\"plus-address\":1}");
}

#[test]
fn a_first_name_alone_other_initials_or_three_of_one_name_stay_apart() {
    for more in [
        [
            "\"Nia\" <nia@inbox.test>",
            "\"Nia\" <nia@webmail.example>",
            "x1@inbox.test",
        ],
        [
            "\"Nia Marsh\" <nia.marsh@inbox.test>",
            "\"Nia J Marsh\" <n.marsh@firm.example>",
            "x1@inbox.test",
        ],
        [
            "\"Nia Marsh\" <nia.marsh@inbox.test>",
            "\"Nia Marsh\" <n.marsh@firm.example>",
            "\"Nia Marsh\" <marsh@webmail.example>",
        ],
        [
            "\"Nia Marsh\"",
            "\"Nia Marsh\" <nia.marsh@inbox.test>",
            "x1@inbox.test",
        ],
    ] {
        let case = scan(&listed(more));
        assert_eq!(
            (case.people().len(), case.merges().len()),
            (13, 0),
            "{more:?}"
        );
    }
}

#[test]
fn initials_in_another_message_do_not_hold_two_addresses_apart() {
    let mailbox = listed([NIA[1]])
        .mail(|m| survivors(m, &crowd(), ["\"Dr Nia J. Marsh\" <n.marsh@firm.example>"]));
    assert_eq!(scan(&mailbox).people().len(), 11);
}

#[test]
fn where_nobody_is_merged_the_table_is_empty() {
    let case = scan(&listed([]));
    assert!(case.merges().is_empty());
    assert_eq!(case.text("merges.csv").lines().count(), 1);
}

#[test]
fn a_roster_that_tells_two_apart_is_believed() {
    let store = listed(NIA).mbox();
    let roster = |text| Store::file("clinic.csv", text);
    let run = |roster: &Store| {
        let case = Run::scan(store.path())
            .org(FORCE)
            .arg("--roster")
            .arg(roster.path())
            .ok();
        case.must_add_up();
        (case.people().len(), case.merges())
    };
    let two = roster("address,person\nn.marsh@firm.example,7\nnia.marsh@inbox.test,8\n");
    assert_eq!(run(&two), (12, Vec::new()));
    let one = roster("address,person\nn.marsh@firm.example,7\nnia.marsh@inbox.test,7\n");
    let (people, merges) = run(&one);
    assert_eq!((people, merges.len()), (11, 1));
    assert_eq!(&merges[0]["reason"], "the roster 'clinic' says so");
}

#[test]
fn two_rosters_that_number_a_person_otherwise_do_not_make_her_two() {
    let store = listed(["siwan@inbox.test"]).mbox();
    let one = Store::file("clinic.csv", "address,person\nsiwan@inbox.test,7\n");
    let two = Store::file(
        "choir.csv",
        "address,name\nsiwan@inbox.test,Siwan Pemberton\n",
    );
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--roster")
        .arg(one.path())
        .arg("--roster")
        .arg(two.path())
        .ok();
    let [siwan] = <[Row; 1]>::try_from(rows_at(&case, "siwan@inbox.test")).unwrap();
    assert_eq!(
        (&siwan["shared"], &siwan["name"]),
        ("no", "Siwan Pemberton")
    );
}

#[test]
fn a_display_name_of_two_is_two_people_who_keep_their_ids() {
    let case = scan(&listed(["\"John & Jane Doe\" <k7@inbox.test>"]));
    let both = rows_at(&case, "k7@inbox.test");
    assert_eq!(
        column(&both, "name"),
        ["Jane Doe", "John Doe"].map(str::to_owned).into()
    );
    assert!(
        both.iter()
            .all(|row| &row["shared"] == "yes" && row.number("seen_by") == 11)
    );
    assert_eq!(case.only_message().number("exposed"), 12);
    assert_eq!(case.exposures().len(), 12);
    let viewers = case.viewers();
    let viewer = viewers
        .iter()
        .find(|row| &row["address"] == "k7@inbox.test")
        .unwrap();
    assert_eq!(viewer.number("people_seen"), 10, "not themselves");
    assert_eq!(case.person(&crowd()[0].address).number("seen_by"), 11);
    let more = Mailbox::numbered_from(70)
        .mail(|m| survivors(m, &crowd(), ["\"Jane Doe\" <k7@inbox.test>"]));
    let case = scan_onto(&case, &more);
    assert_eq!(
        column(&rows_at(&case, "k7@inbox.test"), "person_id"),
        column(&both, "person_id")
    );
    assert_eq!((case.step("shared"), case.step("shared_addresses")), (1, 1));
}

#[test]
fn two_full_names_on_one_address_over_the_messages_are_two_people() {
    let case = scan(&listed(["\"Nia Marsh\" <marsh@inbox.test>"]));
    assert_eq!(case.people().len(), 11);
    note(&case, "marsh@inbox.test", "rang");
    for (name, count) in [("Dr N. Marsh", 11), ("Tom Marsh", 12), ("Thomas Marsh", 12)] {
        let shown = format!("\"{name}\" <marsh@inbox.test>");
        let more = Mailbox::numbered_from(70 + name.len()).mail(|m| {
            survivors(m, &crowd(), [shown.as_str()])
                .id(&format!("{count}{}@force.example", name.len()))
        });
        scan_onto(&case, &more);
        assert_eq!(case.people().len(), count, "{name}");
    }
    let both = rows_at(&case, "marsh@inbox.test");
    assert_eq!(
        column(&both, "name"),
        ["Nia Marsh", "Thomas Marsh"].map(str::to_owned).into()
    );
    // What was written about the address is told of each.
    assert!(both.iter().all(|row| &row["notes"] == "rang"));
}

#[test]
fn a_company_of_two_words_is_one() {
    for name in ["Sales & Marketing", "Health and Safety", "Bluebell & Sons"] {
        let shown = format!("\"{name}\" <k7@inbox.test>");
        assert_eq!(scan(&listed([shown.as_str()])).people().len(), 11, "{name}");
    }
}

#[test]
fn the_ladder_counts_everybody_who_was_visible() {
    let visible = [
        "choir@lists.example",
        "info@company.example",
        "inspector@force.example",
        "robin.ashdown@force.example",
        NIA[0],
        NIA[1],
        "\"Mr and Mrs Lloyd\" <k7@inbox.test>",
    ];
    let mailbox = listed(visible).mail(|m| survivors(m, &crowd(), ["\"Siwan Pemberton\""]));
    let case = scan(&mailbox);
    let steps = [
        ("appearances", 28),
        ("repeats", 10),
        ("addresses", 18),
        ("lists", 1),
        ("role_addresses", 1),
        ("insiders", 1),
        ("senders", 1),
        ("not_exposed", 0),
        ("merged", 1),
        ("shared", 1),
        ("people", 14),
    ];
    for (what, number) in steps {
        assert_eq!(case.step(what), number, "{what}");
    }
    let said = case.output.stdout.replace('\n', " ");
    for part in [
        "28 appearances, 18 distinct addresses, less 1 list, less 1 role address, less 1 insider who is not exposed, less 1 \
         sender, 1 merged, 1 shared by two: 14 people, at least.",
        "There may be more people: 1 list address whose members are not known, 1 recipient shown by name only.",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let because = &case.manifest()["findings"]["at_least_because"];
    assert_eq!(
        (because["lists"].as_u64(), because["names_only"].as_u64()),
        (Some(1), Some(1))
    );
    let manifest = case.text("manifest.json");
    assert!(
        !manifest.contains("Marsh") && !manifest.contains("inbox.test"),
        "{manifest}"
    );
}

#[test]
fn mail_that_could_not_be_read_could_raise_the_count() {
    let bytes = crate::builders::gzip(&listed([]).background(400).rd());
    let store = Store::file("cut.mbox.gz", &bytes[..bytes.len() - 2000]);
    let case = Run::scan(store.path()).org(FORCE).exits(3);
    assert_eq!(case.people().len(), 10);
    let said = case.output.stdout.replace('\n', " ");
    assert!(said.contains("There may be more people: 1 "), "{said}");
}

#[test]
fn one_list_of_as_many_people_needs_no_ladder() {
    let said = scan(&listed([])).output.stdout;
    assert!(
        !said.contains("appearance") && !said.contains("There may be more"),
        "{said}"
    );
}

#[test]
fn who_is_one_person_does_not_depend_on_jobs_or_on_the_order_of_messages() {
    let lists = [
        vec![NIA[0], "\"Tom Jenkin\" <k7@inbox.test>"],
        vec![NIA[1], "\"Mared Jenkin\" <k7@inbox.test>"],
        vec![
            "nia.marsh+club@inbox.test",
            "\"Ana y Luis Penrose\" <k8@inbox.test>",
        ],
    ];
    let mailbox = |order: [usize; 3]| {
        let mails = order.map(|at| (at, &lists[at]));
        Mailbox::new().mails(mails, |m, (at, more)| {
            survivors(m, &crowd(), more)
                .id(&format!("{at}@force.example"))
                .day(at as i64)
        })
    };
    let tables = |case: Case| {
        let mut tables = case.exports();
        // These two tell where each message stands.
        tables.remove("messages.csv");
        tables.remove("timeline.csv");
        tables
    };
    let first = tables(scan(&mailbox([0, 1, 2])));
    for (order, jobs) in [([2, 1, 0], "1"), ([1, 2, 0], "4")] {
        let store = mailbox(order).mbox();
        let case = Run::scan(store.path())
            .org(FORCE)
            .arg("--jobs")
            .arg(jobs)
            .ok();
        assert_eq!(tables(case), first);
    }
}
