//! What an IMAP server did not give is asked for again by each scan, and keeps its row of unread.csv until it is read or
//! gone.

use crate::builders::faulty::{
    Fault, Kind, Script, Server, Shape, Then, VALIDITY, Watch, always, once, side_by_side, since,
    uid,
};
use crate::builders::{Case, Mailbox, Run, westminster};
use crate::imap_faults::{End, SENT, account, inbox, must_be, unread};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Rows of unread.csv for the messages at these places in `Sent`.
fn rows(places: &[usize]) -> BTreeSet<(String, String)> {
    let row = |at: &usize| ("Sent".to_owned(), format!("{VALIDITY}:{}", uid(*at)));
    places.iter().map(row).collect()
}

fn scan(server: &Server, case: Option<&Case>, status: i32) -> Case {
    let run = match case {
        Some(case) => Watch::scan_onto(server, case),
        None => Watch::scan(server),
    };
    run.run().case(status)
}

/// Two scans of a server on which the messages at these places are spoilt leave their rows; a third on the mended one
/// reads all.
fn rows_stay_until_mended(mailbox: &Mailbox, places: &[usize], fault: &Fault) {
    let spoilt = |script: Script| {
        places.iter().fold(script, |script, at| {
            let when = always(Kind::Fetch).uid(uid(*at)).within("Sent");
            script.fault(when, fault.clone())
        })
    };
    let whole = scan(&Script::new(mailbox).folder(inbox()).start(), None, 0);
    let all = mailbox.each().count();
    let server = spoilt(Script::new(mailbox).folder(inbox())).next_scan();
    let server = server.start();
    let mut case = scan(&server, None, 3);
    for turn in ["first", "second"] {
        if turn == "second" {
            case = scan(&server, Some(&case), 3);
        }
        assert_eq!(unread(&case), rows(places), "after the {turn} scan");
        assert_eq!(case.count("judged") as usize, all - places.len(), "{turn}");
    }
    server.next_scan();
    let case = scan(&server, Some(&case), 0);
    assert_eq!(case.unread(), []);
    assert_eq!(case.count("judged") as usize, all);
    assert_eq!(case.exposed(), whole.exposed());
    assert_eq!(case.found(), whole.found());
    // And then there is nothing more to ask.
    let before = server.log().count("UID FETCH");
    scan(&server, Some(&case), 0);
    assert_eq!(server.log().count("UID FETCH"), before);
}

#[test]
fn twenty_messages_that_cannot_be_parsed_keep_their_rows_until_they_are_mended() {
    let mailbox = Mailbox::ordinary(31).mail(westminster).background(38);
    let places: Vec<usize> = (0..20).map(|n| 1 + 3 * n).collect();
    assert!(places.contains(&31), "the exposing one is among them");
    rows_stay_until_mended(&mailbox, &places, &Fault::Shape(Shape::Length(-7)));
}

#[test]
fn messages_that_break_the_connection_keep_their_rows_until_they_are_mended() {
    let mailbox = Mailbox::ordinary(19).mail(westminster).background(11);
    let places = [4, 9, 14, 19, 24, 29];
    rows_stay_until_mended(&mailbox, &places, &Fault::Half(Then::Close));
}

#[test]
fn messages_that_the_server_refuses_keep_their_rows_until_they_are_mended() {
    let mailbox = Mailbox::ordinary(31).mail(westminster).background(38);
    let places: Vec<usize> = (0..20).map(|n| 1 + 3 * n).collect();
    let refused = Fault::Refuse("NO it cannot be read", Then::Stay);
    rows_stay_until_mended(&mailbox, &places, &refused);
}

/// Twice scanned with a message at this place that is listed and never given, then once with it.
fn never_given(at: usize) {
    let when = always(Kind::Headers).uid(uid(at)).within("Sent");
    let script = account().fault(when, Fault::Shape(Shape::Listed));
    let server = script.next_scan().start();
    let first = scan(&server, None, 3);
    assert_eq!(unread(&first), rows(&[at]), "after the first scan");
    let second = scan(&server, Some(&first), 3);
    assert_eq!(unread(&second), rows(&[at]), "after the second scan");
    assert_eq!(second.count("judged") as usize, SENT - 1);
    server.next_scan();
    must_be(End::Whole, Watch::scan_onto(&server, &second).run());
}

#[test]
fn a_message_that_is_listed_and_never_given_keeps_its_row() {
    side_by_side(
        [("in the middle", 12), ("exposing", 20), ("last", SENT - 1)],
        never_given,
    );
}

#[test]
fn the_first_message_that_is_listed_and_never_given_keeps_its_row() {
    never_given(0);
}

/// What `ccspill export` writes into unread.csv of a case in which a scan was stopped.
#[track_caller]
fn exported(case: &Case) -> Vec<String> {
    let output = Run::new(["export"]).arg(case.path()).output();
    output.must_exit(0);
    let rows = case.unread();
    rows.iter()
        .map(|row| format!("{} {} {}", &row["folder"], &row["position"], &row["reason"]))
        .collect()
}

#[test]
fn ctrl_c_leaves_the_row_of_a_rest_that_was_not_read() {
    let no = || Fault::Refuse("NO it cannot be read", Then::Stay);
    let hangs = [
        ("before the folder", Kind::Examine),
        ("in the folder", Kind::Headers),
    ];
    for (name, kind) in hangs {
        let server = account()
            .fault(always(Kind::Headers).within("Sent"), no())
            .next_scan()
            .fault(always(kind).within("Sent"), Fault::Instead(Then::Hang))
            .start();
        let case = scan(&server, None, 3);
        let row = &case.unread()[0];
        assert!(
            row["reason"].contains("from UID 1 on could not be read"),
            "{row:?}"
        );
        server.next_scan();
        let before = server.log().connections();
        let verb = if kind == Kind::Examine {
            "EXAMINE"
        } else {
            "UID FETCH"
        };
        let told = server.log().count(verb);
        let ready = || server.log().count(verb) > told;
        let stopped = Watch::scan_onto(&server, &case).interrupted_when(&ready);
        assert!(server.log().connections() > before);
        let case = stopped.case(130);
        let rows = exported(&case);
        assert!(
            rows.iter()
                .any(|row| row.starts_with("Sent ") && row.contains("from UID 1 on")),
            "{name}: {rows:#?}"
        );
    }
}

/// A folder whose rest could not be read by the first scan. The second is answered so many questions about its messages,
/// and then stopped.
fn stopped_within_the_rest(spoilt: Option<usize>, answered: usize) {
    const ALL: usize = 8_000;
    let sent = Mailbox::ordinary(ALL - 1).mail(westminster);
    let no = Fault::Refuse("NO it cannot be read", Then::Stay);
    let mut script = Script::new(&sent).fault(since(Kind::Headers, 4), no);
    if let Some(at) = spoilt {
        script = script.fault(once(Kind::Headers).uid(uid(at)), Fault::Shape(Shape::Nil));
    }
    let hang = Fault::Instead(Then::Hang);
    let server = script
        .next_scan()
        .fault(since(Kind::Headers, answered + 1), hang)
        .next_scan()
        .start();
    let case = scan(&server, None, 3);
    let rest = |rows: &[String]| rows.iter().any(|row| row.contains("on could not be read"));
    let before = exported(&case);
    assert!(rest(&before), "{before:#?}");
    assert_eq!(
        before.len(),
        1 + usize::from(spoilt.is_some()),
        "{before:#?}"
    );
    let read = case.count("judged");
    assert!((100..ALL as u64).contains(&read), "{read}");
    server.next_scan();
    let due = server.log().count("UID FETCH") + answered + 1;
    // What was answered needs a moment to be kept.
    let seen = Cell::new(None);
    let ready = || {
        if seen.get().is_none() && server.log().count("UID FETCH") >= due {
            seen.set(Some(Instant::now()));
        }
        let since: Option<Instant> = seen.get();
        since.is_some_and(|since| since.elapsed() > Duration::from_millis(700))
    };
    let stopped = Watch::scan_onto(&server, &case).interrupted_when(&ready);
    let case = stopped.case(130);
    let after = exported(&case);
    server.next_scan();
    let told = server.log().lines().len();
    let whole = scan(&server, Some(&case), 0);
    assert_eq!(
        whole.count("judged") as usize,
        ALL,
        "in the end all is read"
    );
    let log = server.log();
    let asked = &log.lines()[told..];
    let stopped_at = asked.iter().find(|line| line.starts_with("UID FETCH"));
    assert!(
        rest(&after),
        "before: {before:#?}, after: {after:#?}, and then {stopped_at:?}"
    );
}

#[test]
fn ctrl_c_behind_what_was_read_after_all_leaves_the_row_of_the_rest() {
    stopped_within_the_rest(Some(7), 1);
}

#[test]
fn ctrl_c_within_the_rest_leaves_a_row_of_it() {
    stopped_within_the_rest(None, 3);
}

#[test]
fn a_rest_that_is_read_after_all_has_no_row() {
    let server = account()
        .fault(
            since(Kind::Headers, 1).within("Sent"),
            Fault::Refuse("NO not now", Then::Stay),
        )
        .next_scan()
        .start();
    let case = scan(&server, None, 3);
    server.next_scan();
    let ended = Watch::scan_onto(&server, &case).run();
    must_be(End::Whole, ended);
}

#[test]
fn what_is_gone_meanwhile_loses_its_row() {
    let here = || always(Kind::Fetch).uid(uid(12)).within("Sent");
    let server = account()
        .fault(here(), Fault::Shape(Shape::Length(-7)))
        .next_scan()
        .fault(here(), Fault::Shape(Shape::Gone))
        .start();
    let case = scan(&server, None, 3);
    assert_eq!(unread(&case), rows(&[12]));
    server.next_scan();
    let case = scan(&server, Some(&case), 0);
    assert_eq!(
        (case.unread(), case.count("judged") as usize),
        (vec![], SENT - 1)
    );
}
