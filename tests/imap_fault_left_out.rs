//! What an answer of an IMAP server leaves out is found in the same scan, or by the next one, or has a row of unread.csv.

use crate::builders::faulty::{
    Fault, Kind, Script, Server, Shape, Then, VALIDITY, Watch, always, nth, once, side_by_side,
    since, uid,
};
use crate::builders::{Case, Mailbox, westminster};
use crate::imap_faults::{End, SENT, account, inbox, must_be, play, unread};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Where the last message of the folder of sent mail stands.
const LAST: usize = SENT - 1;

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

fn gone() -> Fault {
    Fault::Shape(Shape::Gone)
}

fn no() -> Fault {
    Fault::Refuse("NO not now", Then::Stay)
}

/// An account whose last message of sent mail is the one that exposes, and is left out of the first answer.
fn last_left_out() -> Script {
    let sent = Mailbox::ordinary(LAST).mail(westminster);
    Script::new(&sent)
        .folder(inbox())
        .fault(once(Kind::Headers).uid(uid(LAST)).within("Sent"), gone())
}

/// True some time after the server was told this so many times: what was read before is kept by then.
fn a_while_after<'a>(server: &'a Server, verb: &'a str, times: usize) -> impl Fn() -> bool + 'a {
    let due = server.log().count(verb) + times;
    let seen: Cell<Option<Instant>> = Cell::new(None);
    move || {
        if seen.get().is_none() && server.log().count(verb) >= due {
            seen.set(Some(Instant::now()));
        }
        seen.get()
            .is_some_and(|since| since.elapsed() > Duration::from_millis(700))
    }
}

/// An account with the exposing message at this place, which the first answer leaves out.
fn left_out(at: usize, second: Option<Fault>) -> Script {
    let sent = Mailbox::ordinary(at).mail(westminster);
    let sent = sent.background(SENT - at - 1);
    let here = |n| nth(Kind::Headers, n).uid(uid(at)).within("Sent");
    let script = Script::new(&sent).folder(inbox());
    let script = script.fault(here(1), Fault::Shape(Shape::Gone));
    match second {
        Some(fault) => script.fault(here(2), fault),
        None => script,
    }
}

/// It is found at once, also where the question which messages there are is not answered at first.
fn is_found_at_once(at: usize) {
    let breaks = [
        ("left out", None),
        ("and the next answer is cut", Some(Fault::Half(Then::Close))),
        ("and then there is none", Some(Fault::Instead(Then::Close))),
        (
            "and then it is said BYE",
            Some(Fault::Instead(Then::Bye("see you"))),
        ),
    ];
    side_by_side(breaks, |second| {
        let server = left_out(at, second).start();
        let case = Watch::scan(&server).run().case(0);
        assert_eq!(case.found(), ["westminster"]);
        assert_eq!(server.unplayed(), [""; 0]);
        assert_eq!(unread(&case), rows(&[]));
        assert_eq!(case.count("judged") as usize, SENT);
        let position = format!("{VALIDITY}:{}", uid(at));
        assert_eq!(case.only_message()["position"], position);
    });
}

#[test]
fn a_message_in_the_middle_that_an_answer_leaves_out_is_found_in_the_same_scan() {
    is_found_at_once(20);
}

#[test]
fn the_last_message_that_an_answer_leaves_out_is_found_in_the_same_scan() {
    is_found_at_once(SENT - 1);
}

#[test]
fn the_first_message_that_an_answer_leaves_out_is_found_in_the_same_scan() {
    is_found_at_once(0);
}

/// New mail since the first scan: the exposing one at this place among them, which the first answer leaves out.
fn is_found_among_the_new(at: usize) {
    let here = once(Kind::Headers).uid(uid(SENT + at)).within("Sent");
    let server = Script::new(&Mailbox::ordinary(SENT))
        .next_scan()
        .fault(here, Fault::Shape(Shape::Gone))
        .start();
    let case = scan(&server, None, 0);
    let new = Mailbox::numbered_from(500).background(at);
    server.deliver(&new.mail(westminster).background(10 - at));
    server.next_scan();
    let case = scan(&server, Some(&case), 0);
    assert_eq!(server.unplayed(), [""; 0]);
    assert_eq!(case.found(), ["westminster"]);
    assert_eq!(case.count("judged") as usize, SENT + 11);
}

#[test]
fn a_message_among_the_new_ones_that_an_answer_leaves_out_is_found_in_the_same_scan() {
    side_by_side([("in the middle", 5), ("last", 10)], is_found_among_the_new);
}

#[test]
fn the_first_of_the_new_messages_that_an_answer_leaves_out_is_found_in_the_same_scan() {
    is_found_among_the_new(0);
}

#[test]
fn where_it_cannot_be_asked_what_an_answer_left_out_a_row_says_so() {
    let sent = Mailbox::ordinary(20).mail(westminster).background(20);
    let left_out = once(Kind::Headers).uid(uid(20)).within("Sent");
    let breaks = since(Kind::Headers, 2).uid(uid(20)).within("Sent");
    let server = Script::new(&sent)
        .folder(inbox())
        .fault(left_out, Fault::Shape(Shape::Gone))
        .fault(breaks, Fault::Instead(Then::Close))
        .next_scan()
        .start();
    let case = scan(&server, None, 3);
    assert!(
        unread(&case).iter().all(|(folder, _)| folder == "Sent"),
        "{:?}",
        case.unread()
    );
    server.next_scan();
    must_be(End::Whole, Watch::scan_onto(&server, &case).run());
}

#[test]
fn an_answer_of_thousands_that_leaves_one_out_is_completed() {
    // The one stands in a window of the middle, while others are under way.
    let sent = Mailbox::ordinary(4_000).mail(westminster).background(3_000);
    let left_out = once(Kind::Headers).uid(uid(4_000)).within("Sent");
    let server = Script::new(&sent)
        .fault(left_out, Fault::Shape(Shape::Gone))
        .start();
    let case = Watch::scan(&server).run().case(0);
    assert_eq!(server.unplayed(), [""; 0]);
    assert_eq!(
        (case.found(), case.count("judged")),
        (vec!["westminster".to_owned()], 7_001)
    );
}

#[test]
fn a_message_that_is_left_out_for_good_and_not_listed_is_no_error() {
    let when = always(Kind::Fetch).uid(uid(20)).within("Sent");
    let sent = Mailbox::ordinary(SENT - 1).mail(westminster);
    let script = Script::new(&sent).folder(inbox());
    play([(
        "gone",
        script.fault(when, Fault::Shape(Shape::Gone)),
        End::Fewer(1),
    )]);
}

#[test]
fn the_last_message_of_an_answer_that_is_left_out_amid_others_is_found_in_the_same_scan() {
    // The first header fields asked for are those of UIDs 1 to 1500.
    let at = 496;
    assert!(uid(at) < 1500 && uid(at + 1) > 1500);
    let sent = Mailbox::ordinary(at).mail(westminster).background(1_500);
    let server = Script::new(&sent)
        .fault(once(Kind::Headers).uid(uid(at)), gone())
        .start();
    let case = scan(&server, None, 0);
    assert_eq!((case.count("judged"), case.found().len()), (1_997, 1));
    assert_eq!(server.unplayed(), [""; 0]);
}

#[test]
fn a_message_that_could_not_be_read_hides_no_other_that_was_left_out() {
    // The others that follow are found by their numbers, or by the number of all.
    for other in [12, LAST] {
        let server = account()
            .fault(
                always(Kind::Headers).uid(uid(10)).within("Sent"),
                Fault::Shape(Shape::Nil),
            )
            .fault(
                always(Kind::Headers).uid(uid(other)).within("Sent"),
                Fault::Shape(Shape::Listed),
            )
            .start();
        assert_eq!(unread(&scan(&server, None, 3)), rows(&[10, other]));
        let server = account()
            .fault(
                always(Kind::Headers).uid(uid(10)).within("Sent"),
                Fault::Half(Then::Close),
            )
            .fault(once(Kind::Headers).uid(uid(other)).within("Sent"), gone())
            .fault(nth(Kind::Headers, 2).uid(uid(other)).within("Sent"), gone())
            .fault(nth(Kind::Headers, 3).uid(uid(other)).within("Sent"), gone())
            .start();
        assert_eq!(unread(&scan(&server, None, 3)), rows(&[10]));
    }
}

#[test]
fn what_could_not_be_checked_is_said_and_checked_by_the_next_scan() {
    let server = last_left_out()
        .fault(since(Kind::Headers, 2).within("Sent"), no())
        .next_scan()
        .start();
    let case = scan(&server, None, 3);
    let row = &case.unread()[0];
    assert_eq!((&row["folder"], &row["position"]), ("Sent", ""));
    assert!(row["reason"].contains("not known whether all"), "{row:?}");
    server.next_scan();
    let case = scan(&server, Some(&case), 0);
    assert_eq!(case.count("judged") as usize, SENT);
    assert_eq!((case.found().len(), unread(&case)), (1, rows(&[])));
}

#[test]
fn what_ctrl_c_left_unchecked_is_read_by_the_next_scan() {
    let server = last_left_out()
        .fault(
            nth(Kind::Headers, 2).within("Sent"),
            Fault::Instead(Then::Hang),
        )
        .next_scan()
        .start();
    let ready = a_while_after(&server, "UID FETCH 1:20000", 1);
    let case = Watch::scan(&server).interrupted_when(&ready).case(130);
    assert_eq!(server.unplayed(), [""; 0]);
    server.next_scan();
    let case = scan(&server, Some(&case), 0);
    assert_eq!(
        (case.count("judged") as usize, case.found().len()),
        (SENT, 1)
    );
}

#[test]
fn the_first_of_new_messages_is_not_lost_where_ctrl_c_comes_before_all_is_checked() {
    let here = once(Kind::Headers).uid(uid(SENT)).within("Sent");
    let server = Script::new(&Mailbox::ordinary(SENT))
        .next_scan()
        .fault(here, gone())
        .fault(
            nth(Kind::Headers, 2).uid(uid(SENT)),
            Fault::Instead(Then::Hang),
        )
        .next_scan()
        .start();
    let case = scan(&server, None, 0);
    server.deliver(&Mailbox::numbered_from(500).mail(westminster).background(10));
    server.next_scan();
    let ready = a_while_after(&server, "UID FETCH", 2);
    let case = Watch::scan_onto(&server, &case)
        .interrupted_when(&ready)
        .case(130);
    server.next_scan();
    let case = scan(&server, Some(&case), 0);
    assert_eq!(
        (case.count("judged") as usize, case.found().len()),
        (SENT + 11, 1)
    );
}

#[test]
fn a_text_that_was_left_out_is_not_lost_where_ctrl_c_comes_before_it_is_asked_for_again() {
    let here = |n| nth(Kind::Body, n).uid(uid(20)).within("Sent");
    let server = account()
        .fault(here(1), gone())
        .fault(here(2), Fault::Instead(Then::Hang))
        .next_scan()
        .start();
    let ready = a_while_after(&server, "UID FETCH 70 (UID BODY.PEEK[]", 2);
    let case = Watch::scan(&server).interrupted_when(&ready).case(130);
    assert_eq!(server.unplayed(), [""; 0]);
    server.next_scan();
    must_be(End::Whole, Watch::scan_onto(&server, &case).run());
}

#[test]
fn a_folder_that_is_not_opened_again_to_be_checked_has_a_row() {
    let server = last_left_out()
        .fault(
            nth(Kind::Examine, 2).within("Sent"),
            Fault::Refuse("NO [INUSE] busy", Then::Stay),
        )
        .next_scan()
        .start();
    let case = scan(&server, None, 3);
    let row = &case.unread()[0];
    assert!(row["reason"].contains("[INUSE] busy"), "{row:?}");
    server.next_scan();
    let case = scan(&server, Some(&case), 0);
    assert_eq!((case.found().len(), unread(&case)), (1, rows(&[])));
}

/// A server that tells the same UIDNEXT as before, however much comes: in the last scan of these, and in those before it.
fn new_mail_behind_a_uidnext_that_stays(capabilities: &'static str) {
    assert_eq!((uid(LAST) + 1, uid(SENT + 10) + 1), (131, 164));
    let stays = || Fault::Swap("UIDNEXT 164", "UIDNEXT 131");
    let server = Script::new(&Mailbox::ordinary(SENT))
        .capabilities(capabilities)
        .next_scan()
        .perhaps(always(Kind::Examine), stays())
        .perhaps(always(Kind::List), stays())
        .start();
    let case = scan(&server, None, 0);
    server.deliver(&Mailbox::numbered_from(500).mail(westminster).background(10));
    server.next_scan();
    let case = scan(&server, Some(&case), 0);
    assert_eq!(
        (case.count("judged") as usize, case.found().len()),
        (SENT + 11, 1)
    );
    // And then there is nothing more to ask.
    let before = server.log().count("UID FETCH");
    scan(&server, Some(&case), 0);
    assert_eq!(server.log().count("UID FETCH"), before);
}

#[test]
fn new_mail_is_read_where_the_server_counts_it_and_tells_the_same_uidnext_as_before() {
    new_mail_behind_a_uidnext_that_stays("IMAP4rev1 AUTH=PLAIN SPECIAL-USE");
    new_mail_behind_a_uidnext_that_stays("IMAP4rev1 AUTH=PLAIN LIST-STATUS LIST-EXTENDED");
}
