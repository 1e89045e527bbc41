//! Queries: the built-in ones hold, and a data protection officer can write her own and is told what is wrong with it.

use crate::builders::{FORCE, Mailbox, Run, Store, people, query, westminster};
use std::collections::BTreeSet;
use std::path::Path;

/// The ids of the files in `queries/`.
fn built_in() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect()
}

/// A query that finds mail about allotment rent.
fn allotments(harm: &str) -> String {
    query(
        "Holders of allotments",
        harm,
        "[about]\nsubject = [\"allotment rent\"]\nbody = [\"marrow census\"]",
        "allotment rent",
    )
}

fn with(query: &str) -> Store {
    Store::file("allotments.toml", query)
}

#[test]
fn there_are_at_least_twenty_and_the_list_shows_them_all() {
    let output = Run::new(["queries", "list"]).output();
    output.must_exit(0);
    let ids = built_in();
    assert!(ids.len() >= 20, "{ids:?}");
    for id in ids {
        let row = output
            .stdout
            .lines()
            .filter(|line| line.split_whitespace().next() == Some(id.as_str()))
            .count();
        assert_eq!(row, 1, "'{id}' is not in the list:\n{}", output.stdout);
    }
}

#[test]
fn every_built_in_query_is_right() {
    Run::new(["queries", "check"]).output().must_exit(0);
}

#[test]
fn every_built_in_example_holds() {
    let output = Run::new(["queries", "test"]).output();
    output.must_exit(0);
    assert!(
        output.stdout.bytes().any(|b| b.is_ascii_digit()),
        "it tells how many: {}",
        output.stdout
    );
}

#[test]
fn the_files_of_the_built_in_queries_hold_when_they_are_given_by_path() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    Run::new(["queries", "check"])
        .arg(&folder)
        .output()
        .must_exit(0);
    Run::new(["queries", "test"])
        .arg(&folder)
        .output()
        .must_exit(0);
}

#[test]
fn a_query_of_ones_own_is_checked_and_tested() {
    let file = with(&allotments("high"));
    Run::new(["queries", "check"])
        .arg(file.path())
        .output()
        .must_exit(0);
    Run::new(["queries", "test"])
        .arg(file.path())
        .output()
        .must_exit(0);
    let output = Run::new(["queries", "list"]).arg(file.path()).output();
    output.must_exit(0);
    assert!(output.stdout.contains("allotments"), "{}", output.stdout);
}

#[test]
fn an_example_that_does_not_hold_is_the_answer_no() {
    let lie = allotments("high").replace("field = \"cc\"", "field = \"bcc\"");
    let output = Run::new(["queries", "test"])
        .arg(with(&lie).path())
        .output();
    output.must_exit(1);
    assert!(output.said().contains("allotments"), "{}", output.said());
    let other =
        allotments("high").replace("subject = [\"allotment rent\"]", "subject = [\"marrows\"]");
    let other = other.replace("people = 20", "people = 5");
    Run::new(["queries", "test"])
        .arg(with(&other).path())
        .output()
        .must_exit(1);
}

#[test]
fn a_wrong_file_is_named_with_its_line_and_a_caret() {
    let wrong = allotments("high").replace("body = [\"marrow", "boddy = [\"marrow");
    let line = wrong
        .lines()
        .position(|line| line.starts_with("boddy"))
        .unwrap()
        + 1;
    for command in ["check", "test"] {
        let home = Store::folder([("mine.toml", &wrong)]);
        let output = Run::new(["queries", command, "mine.toml"])
            .within(home.path())
            .output();
        output.must_exit(2);
        assert!(
            output.stderr.contains(&format!("mine.toml:{line}")),
            "{}",
            output.stderr
        );
        assert!(
            output.stderr.contains("boddy = [") && output.stderr.contains('^'),
            "{}",
            output.stderr
        );
        assert!(
            output.stderr.contains("body"),
            "the mend: {}",
            output.stderr
        );
    }
}

#[test]
fn a_query_of_ones_own_is_added_to_the_built_in_ones() {
    let mailbox = Mailbox::ordinary(30).mail(westminster).mail(|m| {
        m.id("rent@force.example")
            .cc(people(6, 82))
            .subject("Your allotment rent")
            .body("The marrow census.")
    });
    let (store, mine) = (mailbox.mbox(), with(&allotments("high")));
    assert_eq!(
        Run::scan(store.path()).org(FORCE).ok().found(),
        ["westminster"]
    );
    let both = Run::scan(store.path())
        .org(FORCE)
        .arg("--queries")
        .arg(mine.path())
        .ok();
    assert_eq!(
        BTreeSet::from_iter(both.found()),
        BTreeSet::from(["rent".into(), "westminster".into()])
    );
    let row = both
        .messages()
        .into_iter()
        .find(|row| row["message_id"].contains("rent"))
        .unwrap();
    assert!(
        row.list("groups").contains("allotments"),
        "{}",
        &row["groups"]
    );
    let run = Run::scan(store.path())
        .org(FORCE)
        .arg("--no-builtin-queries")
        .arg("--queries")
        .arg(mine.path());
    let only = run.ok().messages();
    assert!(
        only.iter().all(|row| row
            .list("groups")
            .is_subset(&["allotments".to_owned()].into())),
        "{only:?}"
    );
}

#[test]
fn a_folder_of_queries_is_read() {
    let folder = Store::folder([
        ("mine/allotments.toml", allotments("high")),
        ("mine/README.md", "About these.".into()),
    ]);
    let store = Mailbox::ordinary(30)
        .mail(|m| {
            m.cc(people(6, 82))
                .subject("Your allotment rent")
                .body("The marrow census.")
        })
        .mbox();
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--queries")
        .arg(folder.path().join("mine"))
        .ok();
    assert_eq!(case.messages().len(), 1);
}

#[test]
fn harm_sets_the_severity_and_leaves_the_confidence_alone() {
    let store = Mailbox::ordinary(30)
        .mail(|m| {
            m.cc(people(6, 82))
                .subject("Your allotment rent")
                .body("The marrow census.")
        })
        .mbox();
    let judged = |harm| {
        let run = Run::scan(store.path())
            .org(FORCE)
            .arg("--no-builtin-queries");
        let row = run
            .arg("--queries")
            .arg(with(&allotments(harm)).path())
            .ok()
            .only_message();
        (row["severity"].to_owned(), row.number("confidence"))
    };
    let (low, critical) = (judged("low"), judged("critical"));
    assert_ne!(low.0, critical.0);
    assert_eq!(low.1, critical.1, "the harm makes nothing surer");
}

#[test]
fn the_most_harmful_group_is_named_first() {
    let queries = Store::folder([
        (
            "a-mild.toml",
            query(
                "Mild",
                "low",
                "[about]\nsubject = [\"allotment rent\"]",
                "allotment rent",
            ),
        ),
        (
            "z-grave.toml",
            query(
                "Grave",
                "critical",
                "[about]\nsubject = [\"allotment rent\"]",
                "allotment rent",
            ),
        ),
    ]);
    let store = Mailbox::ordinary(30)
        .mail(|m| m.cc(people(6, 82)).subject("Your allotment rent"))
        .mbox();
    let run = Run::scan(store.path())
        .org(FORCE)
        .arg("--no-builtin-queries")
        .arg("--queries")
        .arg(queries.path());
    let row = run.arg("--min-confidence").arg("1").ok().only_message();
    assert_eq!(&row["groups"], "z-grave;a-mild");
    assert_eq!(&row["severity"], "critical");
}

#[test]
fn insiders_are_exposed_where_the_query_says_so() {
    let staff: Vec<_> = people(8, 83)
        .iter()
        .map(|p| {
            p.address
                .replace(p.address.rsplit('@').next().unwrap(), FORCE)
        })
        .collect();
    let store = Mailbox::ordinary(30)
        .mail(|m| {
            m.to(&staff)
                .subject("Your allotment rent")
                .body("The marrow census.")
        })
        .mbox();
    let scan = |text: &str| {
        Run::scan(store.path())
            .org(FORCE)
            .arg("--queries")
            .arg(with(text).path())
            .ok()
    };
    assert!(
        scan(&allotments("high")).messages().is_empty(),
        "colleagues may see colleagues"
    );
    let case = scan(&allotments("high").replacen(
        "[[example]]",
        "[when]\ninsiders = true\n\n[[example]]",
        1,
    ));
    assert_eq!((case.messages().len(), case.people().len()), (1, 8));
    assert!(
        case.people()
            .iter()
            .all(|row| &row["relation"] == "insider")
    );
}

#[test]
fn a_query_may_name_the_people_themselves() {
    let who = people(4, 84);
    let list: Vec<_> = who[..2]
        .iter()
        .map(|p| format!("\"{}\"", p.address))
        .collect();
    let mine = allotments("high").replace(
        "[about]",
        &format!(
            "[who]\naddresses = [\"*@victims.example\", {}]\n\n[about]",
            list.join(", ")
        ),
    );
    let store = Mailbox::ordinary(30)
        .mail(|m| m.id("named@force.example").to(&who).subject("Parking"))
        .mail(|m| {
            m.id("domain@force.example")
                .to(["a.birtwell@victims.example", "b.cadogan@victims.example"])
                .subject("Keys")
        })
        .mbox();
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--queries")
        .arg(with(&mine).path())
        .ok();
    assert_eq!(case.found(), ["named", "domain"]);
}

#[test]
fn a_roster_inside_a_query_is_looked_for_beside_the_query() {
    let who = people(4, 85);
    let mine = allotments("high").replace("[about]", "[who]\nroster = \"holders.csv\"\n\n[about]");
    let folder = Store::folder([
        ("mine/allotments.toml", mine),
        (
            "mine/holders.csv",
            format!("address\n{}\n{}\n", who[0].address, who[1].address),
        ),
    ]);
    let store = Mailbox::ordinary(30)
        .mail(|m| m.id("named@force.example").to(&who).subject("Parking"))
        .mbox();
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--queries")
        .arg(folder.path().join("mine/allotments.toml"))
        .ok();
    assert_eq!(case.found(), ["named"]);
}

#[test]
fn fewer_than_at_least_are_no_exposure() {
    let store = Mailbox::ordinary(30)
        .mail(|m| {
            m.cc(people(6, 82))
                .subject("Your allotment rent")
                .body("The marrow census.")
        })
        .mbox();
    let scan = |n: u32| {
        let text = allotments("high").replacen(
            "[[example]]",
            &format!("[when]\nat_least = {n}\n\n[[example]]"),
            1,
        );
        Run::scan(store.path())
            .org(FORCE)
            .arg("--no-builtin-queries")
            .arg("--queries")
            .arg(with(&text).path())
            .ok()
    };
    assert_eq!((scan(6).messages().len(), scan(7).messages().len()), (1, 0));
}

/// A subject in Welsh for each group.
const WELSH: [(&str, &str); 49] = [
    ("adoption-care", "Gofalwyr maeth: parti'r haf"),
    ("asylum-refugees", "Ceiswyr lloches: amser newydd"),
    ("bereaved", "Grŵp galar: nos Fawrth"),
    ("biometric-enrolment", "Eich apwyntiad biometrig"),
    ("cancer", "Byw gyda chanser: dydd Llun"),
    ("child-sexual-abuse", "Goroeswyr: cyfarfod mis Mai"),
    ("childcare-funding", "Cynnig Gofal Plant: gwyliau"),
    ("compensation-claimants", "Y cynllun iawndal: diweddariad"),
    ("complainants", "Eich cwyn am y sŵn"),
    ("crime-victims", "Dyddiad mechnïaeth newydd"),
    ("debt-benefits", "Banc bwyd: casglu cyn y Nadolig"),
    ("diabetes", "Byw gyda diabetes: ystafell newydd"),
    ("disability-chronic-illness", "Grŵp anabledd: dydd Iau"),
    ("domestic-abuse", "Cam-drin domestig: grŵp newydd"),
    ("ethnic-origin", "Teuluoedd sipsiwn: y safle newydd"),
    ("fertility-pregnancy-loss", "Colli babi: y grŵp nesaf"),
    ("gender-identity", "Hunaniaeth rhywedd: oriau agor"),
    ("genetic-testing", "Canlyniadau profion genetig"),
    ("hiv", "Byw gyda HIV: cylchlythyr"),
    ("homeless", "Digartrefedd: y lloches ar agor"),
    ("immigration-applicants", "Statws preswylydd sefydlog"),
    ("infection-vaccination", "Eich apwyntiad brechu"),
    ("informants", "Amddiffyn tystion: trefn newydd"),
    ("jobseekers", "Clwb swyddi: amser newydd"),
    ("mental-health", "Grŵp iechyd meddwl: yr wythnos hon"),
    ("missing-persons-families", "Teuluoedd pobl ar goll"),
    ("modern-slavery", "Caethwasiaeth fodern: y tŷ diogel"),
    ("occupational-health", "Eich iechyd galwedigaethol"),
    ("offenders", "Troseddwyr: y rhaglen nesaf"),
    ("party-members", "Aelodau'r Blaid: cyfarfod"),
    ("patients", "Cleifion y feddygfa: oriau agor"),
    ("personal-matter", "Eich prawf gwaed: canlyniad"),
    ("personal-matter-staff", "Eich prawf cyffuriau"),
    ("prisoners-probation", "Ymweliadau â'r carchar"),
    ("redundancy-disciplinary", "Eich swydd mewn perygl"),
    ("religious-belief", "Dosbarth conffyrmasiwn"),
    ("relocation-at-risk", "Cynllun ailsefydlu: newyddion"),
    ("safeguarding", "Gofalwyr ifanc: trip yr haf"),
    ("send-families", "Anghenion dysgu ychwanegol"),
    ("sex-life", "Iechyd rhywiol: oriau agor"),
    ("sexual-orientation", "Ieuenctid LHDT: nos Wener"),
    ("sexual-violence", "Trais rhywiol: y grŵp cefnogi"),
    ("staff-whistleblowers", "Eich datgeliad gwarchodedig"),
    ("student-counselling", "Eich apwyntiad cwnsela"),
    ("substance-use", "Camddefnyddio sylweddau: grŵp"),
    ("suspects", "Cyfweliad dan rybudd"),
    ("trade-union-members", "Pleidlais streicio: aelodau"),
    ("trial-participants", "Treial clinigol: ffurflenni"),
    ("whistleblowers", "Chwythwyr chwiban: diolch"),
];

/// Subjects in other languages, for groups of which a public incident was in that language.
const ABROAD: [(&str, &str); 16] = [
    ("debt-benefits", "Cuentas bloqueadas: documentos"),
    ("diabetes", "Sensore glicemico: nuovo numero"),
    ("disability-chronic-illness", "Sclerosi multipla: farmaci"),
    ("infection-vaccination", "Obbligo vaccinale: avviso"),
    ("infection-vaccination", "Absage der Impftermine"),
    ("jobseekers", "Arbeitsuchende: Einladung"),
    ("jobseekers", "Demandeurs d’emploi : réunion"),
    ("party-members", "Asamblea de afiliados: jueves"),
    ("patients", "Visita ambulatoriale: orari"),
    ("send-families", "Convocazione GLO: calendario"),
    ("sex-life", "Sexarbeit: neue Sprechstunde"),
    ("sexual-orientation", "Schwule Männer: Treffen"),
    ("sexual-orientation", "Regenbogenfamilien: Ausflug"),
    ("trial-participants", "Pazienti trapiantati: incontro"),
    ("trial-participants", "Studio clinico: moduli"),
    ("jobseekers", "Chômeurs : atelier"),
];

/// Scans a mail with each of these subjects, each to nine people of its own; the group must be among those found.
#[track_caller]
fn found_by_subject(subjects: &[(&str, &str)]) {
    let mailbox =
        subjects
            .iter()
            .zip(0..)
            .fold(Mailbox::ordinary(20), |mailbox, ((_, subject), number)| {
                mailbox.mail(|m| {
                    m.id(&format!("mail{number}@force.example"))
                        .cc(people(9, 500 + number))
                        .subject(subject)
                        .body(".")
                })
            });
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    let messages = case.messages();
    for ((group, subject), number) in subjects.iter().zip(0..) {
        let found = messages
            .iter()
            .find(|row| row["message_id"].contains(&format!("mail{number}@")))
            .unwrap_or_else(|| panic!("'{subject}' is not found for {group}"));
        assert!(
            found.list("groups").contains(*group),
            "'{subject}' is found for {}, not for {group}",
            &found["groups"]
        );
    }
}

#[test]
fn a_mail_out_in_welsh_is_found_for_every_group() {
    let groups: BTreeSet<String> = WELSH.iter().map(|(group, _)| (*group).to_owned()).collect();
    let mut all = built_in();
    // It holds whatever a mail is about, and knows no words.
    all.remove("mass-list");
    // It knows senders, and no words of a mail either.
    all.remove("sensitive-service");
    // These know single words, which no mail-out is found by alone.
    all.remove("telling-words");
    all.remove("telling-words-staff");
    assert_eq!(groups, all);
    found_by_subject(&WELSH);
}

#[test]
fn mail_outs_like_those_of_incidents_abroad_are_found_in_their_language() {
    found_by_subject(&ABROAD);
}

#[test]
fn words_that_only_begin_like_those_of_a_group_name_nobody() {
    let files = [
        "Chiswick plan.pdf",
        "Adoption of accounts.pdf",
        "Sarcoid bats survey.pdf",
        "Genetic algorithms.pdf",
        "Hivernage marina.pdf",
        "Arapaho trail map.pdf",
        "Convictions politiques.pdf",
        "Survivorship bias.pdf",
    ];
    let lists = [
        "CSA veg box <csa.farm.example>",
        "Early adopters <early-adopters.shop.example>",
        "Union Street <union-street.town.example>",
        "Gender pay gap <gender-pay-gap.town.example>",
        "Romance readers <romance-readers.library.example>",
        "Disaster recovery group <recovery-group.it.example>",
        "Speak up toastmasters <speak-up-club.example>",
        "Interpreters <interpreters.agency.example>",
    ];
    let mut mailbox = Mailbox::ordinary(20);
    for (file, number) in files.iter().zip(700..) {
        mailbox = mailbox.mail(|m| {
            m.cc(people(8, number))
                .subject("As promised")
                .attachment(file)
        });
    }
    for (list, number) in lists.iter().zip(800..) {
        mailbox = mailbox.mail(|m| {
            m.cc(people(8, number))
                .subject("As promised")
                .header("List-Id", list)
        });
    }
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    let found: Vec<_> = case
        .messages()
        .iter()
        .map(|row| row["why"].to_owned())
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}
