//! An IMAP account read over a line, and from a server, that fails: nothing lost, nothing doubled, no hang.

use crate::builders::faulty::{
    Ended, Fault, Folder, Kind, Script, Shape, Then, Watch, always, nth, once, side_by_side, since,
    uid,
};
use crate::builders::{Case, Mailbox, Run, Store, column, people, westminster};
use std::collections::BTreeSet;
use std::time::Duration;

/// Messages in the folder of sent mail, the one that exposes among them.
pub(crate) const SENT: usize = 41;
/// Messages in the inbox.
pub(crate) const RECEIVED: usize = 4;
/// UID of the message that exposes.
const FOUND: usize = 20;

/// An account as most tests have it: an inbox and a folder of sent mail.
pub(crate) fn account() -> Script {
    Script::new(&sent()).folder(inbox())
}

fn sent() -> Mailbox {
    Mailbox::ordinary(FOUND)
        .mail(westminster)
        .background(SENT - FOUND - 1)
}

/// A few mails from outside.
pub(crate) fn inbox() -> Folder {
    Folder::new("INBOX").mails(&received())
}

fn received() -> Mailbox {
    let senders = people(RECEIVED, 31);
    Mailbox::numbered_from(1000).mails(&senders, |m, who| {
        m.from(who).to(["robin.ashdown@force.example"])
    })
}

/// What is to come of a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// Everything is read, exit 0.
    Whole,
    /// So many messages are gone without being an error, exit 0.
    Fewer(usize),
    /// Everything but the message at this place in `Sent`: a row of unread.csv, exit 3.
    Unread(usize),
    /// As well read as not, as long as nothing else suffers.
    Perhaps(usize),
    /// Nothing of the folder of sent mail is read, and a row says so; the inbox is read. Exit 3.
    NoSent,
    /// It could not run, for a reason with this word in it, in any case.
    Refused(&'static str),
}

/// The rows of unread.csv, as folder and position.
pub(crate) fn unread(case: &Case) -> BTreeSet<(String, String)> {
    let rows = case.unread();
    let places = rows.iter().map(|row| {
        assert!(!row["reason"].is_empty(), "a row without a reason: {row:?}");
        (row["folder"].to_owned(), row["position"].to_owned())
    });
    let places: BTreeSet<_> = places.collect();
    assert_eq!(places.len(), rows.len(), "a row twice: {rows:#?}");
    places
}

/// What came of it is what was to come of it.
#[track_caller]
pub(crate) fn must_be(end: End, ended: Ended) {
    let place = |at: usize| ("Sent".to_owned(), format!("4242:{}", uid(at)));
    let (judged, rows) = match end {
        End::Refused(word) => {
            let said = ended.refused();
            let found = said.to_lowercase().contains(&word.to_lowercase());
            return assert!(found, "no '{word}' in:\n{said}");
        }
        End::NoSent => {
            let case = ended.case(3);
            let rows = unread(&case);
            assert!(
                !rows.is_empty() && rows.iter().all(|(folder, _)| folder == "Sent"),
                "rows of the folder alone: {rows:?}"
            );
            let counts = (case.count("judged"), case.count("received"));
            return assert_eq!(counts, (0, RECEIVED as u64), "judged, received");
        }
        End::Whole => (SENT, None),
        End::Fewer(gone) => (SENT - gone, None),
        End::Unread(at) => (SENT - 1, Some(at)),
        End::Perhaps(at) if ended.output.status == 3 => (SENT - 1, Some(at)),
        End::Perhaps(_) => (SENT, None),
    };
    let case = ended.case(if rows.is_some() { 3 } else { 0 });
    assert_eq!(unread(&case), rows.map(place).into_iter().collect());
    let counts = ["judged", "received", "duplicates"].map(|what| case.count(what));
    let due = [judged as u64, RECEIVED as u64, 0];
    assert_eq!(counts, due, "judged, received, duplicates");
    assert_eq!(case.found(), ["westminster"]);
    assert_eq!(case.people().len(), 18, "people");
    let row = case.only_message();
    assert_eq!(&row["folder"], "Sent");
    assert_eq!(row["sha256"].len(), 64, "the evidence is there");
}

/// Scans the account that each script serves, and looks at the end.
pub(crate) fn play(rows: impl IntoIterator<Item = (&'static str, Script, End)>) {
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(name, script, end)| (name, (script, end)))
        .collect();
    side_by_side(rows, |(script, end)| {
        let server = script.start();
        must_be(end, Watch::scan(&server).run());
        if !matches!(end, End::Refused(_)) {
            let unplayed = server.unplayed();
            assert!(unplayed.is_empty(), "no occasion for {unplayed:?}");
        }
    });
}

#[test]
fn an_account_without_a_fault_is_read_as_the_same_mail_in_a_file() {
    let server = account().start();
    let ended = Watch::scan(&server).run();
    let case = ended.case(0);
    let files = [sent().mbox(), received().mbox()];
    let file = Run::scan_all(files.iter().map(Store::path))
        .org("force.example")
        .ok();
    let same = |case: &Case| (case.people(), case.viewers(), case.found());
    assert_eq!(same(&case), same(&file));
    let row = case.only_message();
    assert_eq!(row["position"], format!("4242:{}", uid(FOUND)));
    assert_eq!(row["source"], server.url());
}

#[test]
fn a_connection_that_ends_is_made_again() {
    let closes = [
        ("no greeting", once(Kind::Greeting)),
        ("at CAPABILITY", once(Kind::Capability)),
        ("at login", once(Kind::Login)),
        ("at LIST", once(Kind::List)),
        ("at EXAMINE", once(Kind::Examine)),
        ("at the second EXAMINE", nth(Kind::Examine, 2)),
        ("at FETCH", once(Kind::Fetch)),
        ("at the second FETCH", nth(Kind::Fetch, 2)),
        ("at a body", once(Kind::Body)),
    ];
    let rows = closes.map(|(name, when)| {
        let script = account().fault(when, Fault::Instead(Then::Close));
        (name, script, End::Whole)
    });
    play(rows);
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let breaks = [
        ("LIST", once(Kind::List)),
        ("EXAMINE", once(Kind::Examine)),
        ("a literal of headers", once(Kind::Headers).within("Sent")),
        ("a literal of later headers", nth(Kind::Headers, 2)),
        ("a literal of a body", once(Kind::Body)),
    ];
    let rows = breaks.map(|(name, when)| {
        let script = account().fault(when, Fault::Half(Then::Close));
        (name, script, End::Whole)
    });
    play(rows);
}

#[test]
fn a_server_that_says_bye_is_asked_again() {
    let bye = Then::Bye("Server shutting down.");
    let rows = [
        (
            "instead of a greeting, once",
            account().fault(once(Kind::Greeting), Fault::Instead(bye)),
        ),
        (
            "after the login",
            account().fault(once(Kind::Login), Fault::After(bye)),
        ),
        (
            "instead of FETCH",
            account().fault(once(Kind::Headers), Fault::Instead(bye)),
        ),
        (
            "amid FETCH",
            account().fault(once(Kind::Headers).within("Sent"), Fault::Half(bye)),
        ),
        (
            "after EXAMINE",
            account().fault(once(Kind::Examine), Fault::After(bye)),
        ),
        (
            "amid a body",
            account().fault(once(Kind::Body), Fault::Half(Then::Bye("idle too long"))),
        ),
        (
            "at STATUS",
            account().perhaps(once(Kind::Status), Fault::Instead(bye)),
        ),
        (
            "at COMPRESS",
            account()
                .capabilities("IMAP4rev1 AUTH=PLAIN COMPRESS=DEFLATE")
                .perhaps(once(Kind::Compress), Fault::Instead(Then::Close)),
        ),
    ];
    play(rows.map(|(name, script)| (name, script, End::Whole)));
}

#[test]
fn a_server_that_stalls_or_drips_is_left_at_the_timeout() {
    let hang = Then::Hang;
    let rows = [
        ("no greeting", once(Kind::Greeting), Fault::Instead(hang)),
        ("LIST", once(Kind::List), Fault::Instead(hang)),
        ("FETCH", once(Kind::Headers), Fault::Instead(hang)),
        ("in a literal", once(Kind::Headers), Fault::Half(hang)),
        ("in a body", once(Kind::Body), Fault::Half(hang)),
        ("drips headers", once(Kind::Headers), Fault::Drip),
        ("drips a body", once(Kind::Body), Fault::Drip),
    ];
    play(rows.map(|(name, when, fault)| (name, account().fault(when, fault), End::Whole)));
}

#[test]
fn throttling_is_waited_for() {
    const NO: &str = "NO Request is throttled. Suggested Backoff Time: 300 milliseconds";
    const BAD: &str = "BAD Request is throttled. Suggested Backoff Time: 300 milliseconds";
    let closed = Then::Bye("Connection closed. 14");
    let rows = [
        ("NO at FETCH", once(Kind::Headers), NO, closed),
        ("BAD at FETCH", once(Kind::Headers), BAD, closed),
        (
            "BAD at FETCH, without BYE",
            once(Kind::Headers),
            BAD,
            Then::Stay,
        ),
        ("NO at EXAMINE", once(Kind::Examine), NO, closed),
        ("BAD at LIST", once(Kind::List), BAD, closed),
        ("BAD at a body", once(Kind::Body), BAD, closed),
    ];
    let rows = rows.map(|(name, when, words, then)| (name, (when, words, then)));
    side_by_side(rows, |(when, words, then)| {
        let server = account().fault(when, Fault::Refuse(words, then)).start();
        let ended = Watch::scan(&server).run();
        let log = server.log();
        must_be(End::Whole, ended);
        let longest = log.pauses().into_iter().max().unwrap_or_default();
        let again = log.connections() > 1;
        assert!(
            !again || longest >= Duration::from_millis(300),
            "the longest pause was {longest:?}"
        );
    });
}

#[test]
fn authenticated_but_not_connected_is_a_passing_trouble_or_a_missing_right() {
    const WORDS: &str = "BAD User is authenticated but not connected.";
    let refuse = Fault::Refuse(WORDS, Then::Stay);
    play([
        (
            "once",
            account().fault(once(Kind::Inside), refuse.clone()),
            End::Whole,
        ),
        (
            "always",
            account().fault(always(Kind::Inside), refuse),
            End::Refused("authenticated but not connected"),
        ),
    ]);
}

#[test]
fn one_message_that_breaks_every_answer_is_found_and_listed() {
    let rows = [("first", 0), ("in the middle", 17), ("last", SENT - 1)];
    play(rows.map(|(name, at)| {
        let when = always(Kind::Fetch).uid(uid(at)).within("Sent");
        let script = account().fault(when, Fault::Half(Then::Close));
        (name, script, End::Unread(at))
    }));
    play([(
        "hangs instead",
        account().fault(
            always(Kind::Fetch).uid(uid(9)).within("Sent"),
            Fault::Instead(Then::Hang),
        ),
        End::Unread(9),
    )]);
}

#[test]
fn the_evidence_of_a_finding_that_cannot_be_fetched_is_listed_and_the_finding_stays() {
    let script = account().fault(always(Kind::Body), Fault::Half(Then::Close));
    let server = script.start();
    let case = Watch::scan(&server).run().case(3);
    assert_eq!((case.people().len(), case.count("received")), (18, 4));
    let due = ("Sent".to_owned(), format!("4242:{}", uid(FOUND)));
    assert!(unread(&case).contains(&due), "{:?}", case.unread());
}

#[test]
fn a_server_that_takes_few_commands_per_connection_is_read_to_the_end() {
    play([
        ("three commands", account().at_most(3), End::Whole),
        ("eight commands", account().at_most(8), End::Whole),
    ]);
}

#[test]
fn a_server_that_keeps_refusing_is_given_up() {
    let busy = Fault::Instead(Then::Bye("too many connections"));
    let closed = Fault::Instead(Then::Close);
    let rows = [
        (
            "never a greeting",
            account().fault(always(Kind::Greeting), closed.clone()),
            "",
        ),
        (
            "always BYE",
            account().fault(always(Kind::Greeting), busy),
            "too many connections",
        ),
        (
            "never a LIST",
            account().fault(always(Kind::List), closed.clone()),
            "",
        ),
        (
            "another tag, always",
            account().fault(always(Kind::Inside), Fault::Tag("z9")),
            "",
        ),
    ];
    let rows = rows.map(|(name, script, word)| (name, (script, word)));
    side_by_side(rows, |(script, word)| {
        let server = script.start();
        let ended = Watch::scan(&server).run();
        let connections = server.log().connections();
        must_be(End::Refused(word), ended);
        assert!((2..=8).contains(&connections), "{connections} connections");
    });
}

#[test]
fn what_was_read_before_a_server_was_given_up_is_kept_and_the_rest_is_listed() {
    let gone = Fault::Instead(Then::Close);
    let server = account()
        .fault(since(Kind::Examine, 2), gone.clone())
        .start();
    let case = Watch::scan(&server).run().case(3);
    let (judged, received) = (case.count("judged"), case.count("received"));
    let rows = unread(&case);
    let folders: BTreeSet<&str> = rows.iter().map(|(folder, _)| folder.as_str()).collect();
    let due = match (judged, received) {
        (41, 0) => "INBOX",
        (0, 4) => "Sent",
        other => panic!("one of two folders was to be read: {other:?}"),
    };
    assert_eq!(folders, BTreeSet::from([due]), "{:?}", case.unread());
    assert_eq!(column(&case.unread(), "source"), [server.url()].into());
    assert!(server.log().connections() <= 9, "it gives up");
}

#[test]
fn folders_that_are_numbered_anew_are_read_anew_and_nothing_is_doubled() {
    for turn in [1, 2] {
        let server = account()
            .fault(nth(Kind::Headers, turn), Fault::Renumber)
            .start();
        let case = Watch::scan(&server).run().case(0);
        let counts = ["judged", "received"].map(|what| case.count(what));
        assert_eq!(counts, [SENT as u64, RECEIVED as u64], "turn {turn}");
        assert_eq!(case.people().len(), 18);
        // The folder of sent mail may have been read before that.
        let position = case.only_message()["position"].to_owned();
        let due = [
            format!("4243:{}", uid(FOUND) + 1000),
            format!("4242:{}", uid(FOUND)),
        ];
        assert!(due[..turn].contains(&position), "turn {turn}: {position}");
    }
}

#[test]
fn messages_that_are_gone_are_no_error() {
    let gone = |at| {
        (
            always(Kind::Fetch).uid(uid(at)).within("Sent"),
            Fault::Shape(Shape::Gone),
        )
    };
    let (one, other) = (gone(3), gone(40));
    let script = account().fault(one.0, one.1).fault(other.0, other.1);
    play([("two", script, End::Fewer(2))]);
}

#[test]
fn a_fault_is_asked_about_again_without_asking_for_everything_again() {
    let server = account()
        .fault(once(Kind::Body), Fault::Half(Then::Close))
        .start();
    let ended = Watch::scan(&server).run();
    must_be(End::Whole, ended);
    let log = server.log();
    let twice = (0..SENT)
        .map(uid)
        .filter(|uid| log.asked(*uid, "HEADER.FIELDS") > 2)
        .count();
    assert_eq!(twice, 0, "headers were kept: {:#?}", log.lines());
}

#[test]
fn mail_that_arrives_during_the_scan_is_read_whole_or_next_time() {
    for kind in [Kind::Examine, Kind::Headers, Kind::Body] {
        let server = account().fault(once(kind), Fault::Arrive).start();
        let case = Watch::scan(&server).run().case(0);
        let counts = ["judged", "duplicates"].map(|what| case.count(what));
        let (before, after) = (SENT as u64, SENT as u64 + 1);
        assert!(
            [[before, 0], [after, 0]].contains(&counts),
            "{kind:?}: {counts:?}"
        );
        assert_eq!((case.people().len(), case.unread().len()), (18, 0));
    }
}
