//! A message of which an IMAP server gave the header fields and not the text is judged without it, has a row of unread.csv,
//! and is asked for again by each scan. What is told then stands in the place of what was known.

use crate::builders::faulty::{
    Fault, Folder, Kind, Script, Server, Shape, Then, VALIDITY, Watch, always, nth, side_by_side,
    since, uid,
};
use crate::builders::{Case, FORCE, Mail, Mailbox, Run, people, westminster};
use crate::imap_faults::{inbox, unread};
use crate::imap_resume::same;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

/// Where in the folder of sent mail a list stands that only its text tells to be one of victims.
const LIST: usize = 12;
/// Where the one stands that its subject tells.
const TOLD: usize = 20;

/// A list of three strangers under a subject that says nothing.
fn list(m: Mail) -> Mail {
    m.id("list@force.example")
        .cc(people(3, 21))
        .subject("Thursday")
        .body("Dear all,\nyour victim personal statement can be given on Thursday.")
}

fn sent() -> Mailbox {
    Mailbox::ordinary(LIST)
        .mail(list)
        .background(TOLD - LIST - 1)
        .mail(westminster)
        .background(10)
}

fn account() -> Script {
    Script::new(&sent()).folder(inbox())
}

fn no() -> Fault {
    Fault::Refuse("NO it cannot be read", Then::Stay)
}

/// A scan of the account, from its start or onto a case.
#[track_caller]
fn scan(server: &Server, case: Option<&Case>, status: i32) -> Case {
    let run = match case {
        Some(case) => Watch::scan_onto(server, case),
        None => Watch::scan(server),
    };
    adds_up(run.run().case(status))
}

#[track_caller]
fn adds_up(case: Case) -> Case {
    let parts = ["judged", "received", "duplicates", "unread"].map(|part| case.count(part));
    assert_eq!(parts.iter().sum::<u64>(), case.count("read"), "{parts:?}");
    case
}

/// Rows of unread.csv for the messages at these places in `Sent`.
fn rows(places: &[usize]) -> BTreeSet<(String, String)> {
    let row = |at: &usize| ("Sent".to_owned(), format!("{VALIDITY}:{}", uid(*at)));
    places.iter().map(row).collect()
}

/// A scan of the mended account onto this case ends like one that was never disturbed, and leaves nothing to ask for.
#[track_caller]
fn heals(server: &Server, case: &Case) {
    server.next_scan();
    let healed = scan(server, Some(case), 0);
    assert_eq!(unread(&healed), rows(&[]));
    same(&scan(server, None, 0), &healed, "healed");
    let before = server.log().count("UID FETCH");
    let again = scan(server, Some(&healed), 0);
    assert_eq!(server.log().count("UID FETCH"), before, "nothing is asked");
    same(&healed, &again, "once more");
}

#[test]
fn a_text_that_is_given_to_the_next_scan_is_judged_as_if_it_had_been_given_at_once() {
    let faults = [
        ("refused", no()),
        ("breaks off", Fault::Half(Then::Close)),
        ("never comes", Fault::Instead(Then::Close)),
        ("longer than announced", Fault::Shape(Shape::Length(-7))),
    ];
    side_by_side(faults, |fault| {
        let spoilt = always(Kind::Body).uid(uid(LIST)).within("Sent");
        let server = account().fault(spoilt, fault).next_scan().start();
        let case = scan(&server, None, 3);
        assert_eq!(unread(&case), rows(&[LIST]));
        let known = (case.found(), case.count("judged"));
        assert_eq!(known, (vec!["westminster".to_owned()], 31));
        server.next_scan();
        let case = scan(&server, Some(&case), 0);
        assert_eq!(case.found(), ["list", "westminster"]);
        assert_eq!((case.people().len(), case.count("judged")), (21, 31));
        heals(&server, &case);
    });
}

#[test]
fn a_finding_that_was_judged_without_its_text_is_found_once() {
    let spoilt = always(Kind::Body).uid(uid(TOLD)).within("Sent");
    let server = account().fault(spoilt, no()).next_scan().start();
    let case = scan(&server, None, 3);
    assert_eq!(unread(&case), rows(&[TOLD]));
    assert_eq!(case.found(), ["list", "westminster"]);
    heals(&server, &case);
}

#[test]
fn a_text_that_is_refused_again_keeps_its_one_row_until_it_is_given() {
    let again = [
        ("the text", Kind::Body, no()),
        (
            "the text, as it seems",
            Kind::Body,
            Fault::Shape(Shape::Gone),
        ),
        ("all of it", Kind::Fetch, no()),
        (
            "all of it, by a break",
            Kind::Fetch,
            Fault::Half(Then::Close),
        ),
        (
            "all but its place",
            Kind::Fetch,
            Fault::Shape(Shape::Listed),
        ),
    ];
    let again = again.map(|(name, kind, fault)| (name, (kind, fault)));
    side_by_side(again, |(kind, fault)| {
        for at in [LIST, TOLD] {
            let here = |kind| always(kind).uid(uid(at)).within("Sent");
            let script = account().fault(here(Kind::Body), no()).next_scan();
            let script = script.fault(here(kind), fault.clone()).next_scan();
            let server = script.start();
            let first = scan(&server, None, 3);
            assert_eq!(unread(&first), rows(&[at]));
            let before = first.exports();
            server.next_scan();
            let second = scan(&server, Some(&first), 3);
            assert_eq!(server.unplayed(), [""; 0]);
            assert_eq!(second.exports(), before, "what was said stands");
            assert_eq!(second.count("judged"), 31);
            heals(&server, &second);
        }
    });
}

#[test]
fn a_message_that_is_given_bit_by_bit_has_one_row_until_it_is_whole() {
    let here = |kind| always(kind).uid(uid(LIST)).within("Sent");
    let server = account()
        .fault(here(Kind::Fetch), no())
        .next_scan()
        .fault(here(Kind::Body), no())
        .next_scan()
        .start();
    let case = scan(&server, None, 3);
    assert_eq!((unread(&case), case.count("judged")), (rows(&[LIST]), 30));
    server.next_scan();
    let case = scan(&server, Some(&case), 3);
    assert_eq!((unread(&case), case.count("judged")), (rows(&[LIST]), 31));
    assert_eq!(case.found(), ["westminster"]);
    heals(&server, &case);
}

#[test]
fn several_texts_are_given_one_after_the_other() {
    let lists = |all: Mailbox, number: usize| {
        let id = format!("number{number}@force.example");
        all.mail(|m| list(m).id(&id)).background(4)
    };
    let all = (0..6).fold(Mailbox::ordinary(3), lists);
    // The first is read at once: it gives their incident its name, which stays.
    let places = [13, 18, 28];
    let spoilt = |script: Script, places: &[usize]| {
        places.iter().fold(script, |script, at| {
            script.fault(always(Kind::Body).uid(uid(*at)).within("Sent"), no())
        })
    };
    let script = spoilt(Script::new(&all), &places).next_scan();
    let server = spoilt(script, &places[1..]).next_scan().start();
    let case = scan(&server, None, 3);
    assert_eq!((unread(&case), case.found().len()), (rows(&places), 3));
    server.next_scan();
    let case = scan(&server, Some(&case), 3);
    assert_eq!((unread(&case), case.found().len()), (rows(&places[1..]), 4));
    heals(&server, &case);
}

#[test]
fn without_a_message_id_the_text_tells_messages_apart_when_it_comes() {
    // Until then the two are taken for one.
    let same_head = |text: &'static str| {
        move |m: Mail| {
            let m = m.id("").date("Fri, 01 Mar 2024 09:00:00 +0000");
            let m = m.to(["colleague3@force.example"]).subject("Rota");
            m.body(text)
        }
    };
    let sent = Mailbox::ordinary(4)
        .mail(same_head("One."))
        .mail(same_head("Two."))
        .background(4);
    let here = |at| always(Kind::Body).uid(uid(at)).within("Sent");
    let server = Script::new(&sent)
        .fault(here(4), no())
        .fault(here(5), no())
        .next_scan()
        .start();
    let case = scan(&server, None, 3);
    let counts = |case: &Case| (case.count("judged"), case.count("duplicates"));
    assert_eq!((counts(&case), unread(&case)), ((9, 1), rows(&[4, 5])));
    server.next_scan();
    let case = scan(&server, Some(&case), 0);
    assert_eq!(counts(&case), (10, 0));
    heals(&server, &case);
}

#[test]
fn the_end_of_a_long_text_is_asked_for_again() {
    let long = |m: Mail| {
        let much = "Nothing is said in this line of the letter.\n".repeat(2_000);
        list(m).body(&format!(
            "{much}It is about your victim personal statement."
        ))
    };
    let sent = Mailbox::ordinary(5).mail(long).background(5);
    let end = since(Kind::Body, 2).uid(uid(5));
    let server = Script::new(&sent).fault(end, no()).next_scan().start();
    let case = scan(&server, None, 3);
    assert_eq!((unread(&case), case.found()), (rows(&[5]), vec![]));
    heals(&server, &case);
}

/// More people than one answer has header fields for.
fn crowd(m: Mail) -> Mail {
    let all = (0..3_000).map(|n| format!("\"Guest {n}\" <guest.number{n}@inbox.test>"));
    m.id("crowd@force.example")
        .cc(all)
        .subject("Update: change of bail date")
}

#[test]
fn a_list_whose_end_was_not_read_is_asked_for_again() {
    let sent = Mailbox::ordinary(5).mail(crowd).background(5);
    for kind in [Kind::Headers, Kind::Fetch] {
        let end = since(kind, 2).uid(uid(5));
        let server = Script::new(&sent).fault(end, no()).next_scan().start();
        let case = scan(&server, None, 3);
        assert_eq!(unread(&case), rows(&[5]), "{kind:?}");
        assert_eq!(case.messages().len(), 1, "{kind:?}");
        heals(&server, &case);
    }
}

#[test]
fn a_long_head_that_breaks_off_before_the_text_costs_neither_its_people_nor_other_mail() {
    let sent = Mailbox::ordinary(5).mail(crowd).background(5);
    let end = since(Kind::Body, 2).uid(uid(5));
    let server = Script::new(&sent).fault(end, no()).next_scan().start();
    let case = scan(&server, None, 3);
    assert_eq!((unread(&case), case.count("judged")), (rows(&[5]), 11));
    // Its header fields were read to their end before.
    assert_eq!(case.exposed().len(), 3_000);
    heals(&server, &case);
}

#[test]
fn a_text_that_comes_empty_costs_no_header_field() {
    let empty = always(Kind::Body).uid(uid(TOLD)).within("Sent");
    let server = account()
        .fault(empty, Fault::Shape(Shape::Empty))
        .next_scan()
        .start();
    let case = scan(&server, None, 3);
    assert_eq!(unread(&case), rows(&[TOLD]));
    assert_eq!(case.found(), ["list", "westminster"]);
    heals(&server, &case);
}

/// A list of victims with a text that is longer than one piece.
fn long_text(m: Mail) -> Mail {
    westminster(m).body(&"word word word word word word word word word\n".repeat(3_000))
}

#[test]
fn a_piece_of_a_long_text_that_does_not_come_is_no_end_of_it() {
    let sent = Mailbox::ordinary(5).mail(long_text).background(5);
    let sha256 = |bytes: &[u8]| {
        let digest = Sha256::digest(bytes);
        digest
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect::<String>()
    };
    let whole = sent.each().nth(5).unwrap();
    for times in [nth(Kind::Body, 2), since(Kind::Body, 2)] {
        let server = Script::new(&sent)
            .fault(times.uid(uid(5)), Fault::Shape(Shape::Gone))
            .next_scan()
            .start();
        let case = scan(&server, None, 3);
        assert_eq!((unread(&case), case.found().len()), (rows(&[5]), 1));
        let told = case.only_message()["sha256"].to_owned();
        assert!(told.is_empty() || told == sha256(&whole), "{told}");
        server.next_scan();
        let case = scan(&server, Some(&case), 0);
        assert_eq!(case.only_message()["sha256"], sha256(&whole));
        heals(&server, &case);
    }
}

#[test]
fn ctrl_c_while_the_evidence_is_hashed_stops_the_scan_and_the_next_one_takes_it() {
    let much = "word word word word word word word word word\n".repeat(120_000);
    let sent = Mailbox::ordinary(5).mail(|m| westminster(m).body(&much));
    // Judgement is content with 4 MB of it; then all of it is asked for from its start.
    let server = Script::new(&sent.background(5))
        .perhaps(since(Kind::Body, 8), Fault::Instead(Then::Hang))
        .next_scan()
        .start();
    let hashed = "UID FETCH 25 (UID BODY.PEEK[]<1048576.";
    let ready = || server.log().count(hashed) > 0;
    let case = Watch::scan(&server).interrupted_when(&ready).case(130);
    let row = case.only_message();
    assert_eq!((&row["sha256"], case.people().len()), ("", 18));
    assert!(
        case.output.said().contains("SHA-256"),
        "{}",
        case.output.said()
    );
    server.next_scan();
    let case = scan(&server, Some(&case), 0);
    assert_eq!(case.only_message()["sha256"].len(), 64);
}

#[test]
fn a_long_text_that_comes_in_answers_of_two_lines_is_read_whole() {
    let sent = Mailbox::ordinary(5).mail(long_text).background(5);
    let server = Script::new(&sent)
        .fault(always(Kind::Body), Fault::Shape(Shape::SplitBare))
        .next_scan()
        .start();
    let case = scan(&server, None, 0);
    server.next_scan();
    same(&scan(&server, None, 0), &case, "in two lines");
}

#[test]
fn a_piece_of_a_long_head_that_does_not_come_is_no_end_of_it() {
    let sent = Mailbox::ordinary(5).mail(crowd).background(5);
    let here = |kind, n| nth(kind, n).uid(uid(5)).within("Sent");
    let server = Script::new(&sent)
        .fault(here(Kind::Headers, 2), Fault::Shape(Shape::Gone))
        .fault(here(Kind::Body, 1), no())
        .fault(here(Kind::Body, 2), no())
        .next_scan()
        .start();
    let case = scan(&server, None, 3);
    assert_eq!(unread(&case), rows(&[5]));
    let reason = &case.unread()[0]["reason"];
    assert!(reason.contains("more people than were seen"), "{reason}");
    heals(&server, &case);
}

#[test]
fn of_a_message_that_is_gone_meanwhile_what_is_known_stands() {
    let here = |kind| always(kind).uid(uid(TOLD)).within("Sent");
    let server = account()
        .fault(here(Kind::Body), no())
        .next_scan()
        .fault(here(Kind::Fetch), Fault::Shape(Shape::Gone))
        .start();
    let first = scan(&server, None, 3);
    server.next_scan();
    let case = scan(&server, Some(&first), 3);
    assert_eq!(server.unplayed(), [""; 0]);
    assert_eq!(unread(&case), rows(&[TOLD]));
    let reason = &case.unread()[0]["reason"];
    assert!(reason.contains("gone"), "{reason}");
    assert_eq!(case.messages(), first.messages());
    assert_eq!(case.count("judged"), first.count("judged"));
    // Nobody can ask for it any more.
    let asked = || server.log().asked(uid(TOLD), "HEADER.FIELDS");
    let before = asked();
    let again = scan(&server, Some(&case), 3);
    assert_eq!(asked(), before);
    same(&case, &again, "once more");
}

#[test]
fn ctrl_c_or_a_kill_amid_what_is_asked_for_again_doubles_nothing() {
    let here = |at| always(Kind::Body).uid(uid(at)).within("Sent");
    let rows_of = [
        ("Ctrl-C at the first", (LIST, false)),
        ("Ctrl-C at the second", (TOLD, false)),
        ("killed at the first", (LIST, true)),
        ("killed at the second", (TOLD, true)),
    ];
    side_by_side(rows_of, |(hanging, killed)| {
        let server = account()
            .fault(here(LIST), no())
            .fault(here(TOLD), no())
            .next_scan()
            .fault(here(hanging), Fault::Instead(Then::Hang))
            .next_scan()
            .start();
        let case = scan(&server, None, 3);
        assert_eq!(unread(&case), rows(&[LIST, TOLD]));
        server.next_scan();
        let told = || server.log().asked(uid(hanging), "BODY.PEEK[]");
        let before = told();
        let (run, hangs) = (Watch::scan_onto(&server, &case), || told() > before);
        let case = if killed {
            run.killed_when(&hangs).case(-1)
        } else {
            run.interrupted_when(&hangs).case(130)
        };
        let export = Run::new(["export"]).arg(case.path()).output();
        export.must_exit(0);
        assert!(unread(&case).is_superset(&rows(&[hanging])));
        heals(&server, &case);
    });
}

#[test]
fn ctrl_c_behind_a_text_that_was_refused_doubles_neither_it_nor_its_author() {
    // One in eleven is of another house: too few for it to be the organisation, unless that one is counted twice.
    let elsewhere = |m: Mail| list(m).from("guest@elsewhere.example");
    let sent = Mailbox::ordinary(5).mail(elsewhere).background(5);
    let later = Mailbox::numbered_from(500).background(1);
    let server = Script::new(&sent)
        .folder(Folder::new("Zulu").mails(&later))
        .fault(always(Kind::Body).uid(uid(5)).within("Sent"), no())
        .fault(
            always(Kind::Examine).within("Zulu"),
            Fault::Instead(Then::Hang),
        )
        .next_scan()
        .start();
    let scan = |case: &Path| {
        let run = Watch::new("scan", &server.url()).arg("--insecure-plaintext");
        run.args(["--timeout", "2", "--case"]).arg(case)
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case");
    let behind = || server.log().count("EXAMINE \"Zulu\"") > 0;
    scan(&path).interrupted_when(&behind).must_exit(130);
    server.next_scan();
    let before = server.log().asked(uid(4), "HEADER.FIELDS");
    scan(&path).run().must_exit(0);
    let asked = server.log().asked(uid(4), "HEADER.FIELDS");
    assert_eq!(asked, before, "the first scan kept what it read");
    let case = adds_up(Case::at(Rc::new(folder), path));
    let counts = ["judged", "received", "duplicates", "unread"];
    assert_eq!(counts.map(|what| case.count(what)), [11, 1, 0, 0]);
    let organisation = &case.manifest()["organisation"]["domains"];
    assert_eq!(*organisation, serde_json::json!([FORCE]));
}
