//! IMAP answers as no book allows them: what can be read is read, one broken message is one row of unread.csv.

use crate::builders::faulty::{
    Fault, Kind, PASSWORD, Script, Shape, Then, Watch, always, once, side_by_side, uid,
};
use crate::builders::{Case, FORCE, Mailbox, Person, Run, people, westminster};
use crate::imap_faults::{End, account, inbox, must_be, play};

/// The most memory that a scan of a few mails may hold, in MB, whatever is poured over it.
const MEMORY: u64 = 128;

/// Lines that nobody asked for, or that are said in a way that parsers stumble over.
const STRAY: [(&str, &[u8]); 20] = [
    ("untagged NO", b"* NO something is slow today\r\n"),
    ("untagged BAD", b"* BAD something is odd today\r\n"),
    ("untagged OK", b"* OK still here\r\n"),
    ("ALERT", b"* OK [ALERT] the disk is nearly full\r\n"),
    ("capabilities", b"* CAPABILITY IMAP4rev1 AUTH=PLAIN ID\r\n"),
    ("ESEARCH", b"* ESEARCH (TAG \"x\") UID ALL 1:3\r\n"),
    (
        "NAMESPACE",
        b"* NAMESPACE ((\"\" \"/\")) ((\"user.\" \".\")) NIL\r\n",
    ),
    ("EXPUNGE", b"* 5 EXPUNGE\r\n"),
    ("EXISTS", b"* 7 EXISTS\r\n"),
    ("RECENT", b"* 1 RECENT\r\n"),
    ("flags without a UID", b"* 2 FETCH (FLAGS (\\Seen))\r\n"),
    ("VANISHED", b"* VANISHED (EARLIER) 1:3\r\n"),
    ("8-bit text", b"* OK gr\xfc\xdfe aus M\xc3\xbcnchen\r\n"),
    (
        "8-bit quoted",
        b"* ID (\"name\" \"Stra\xc3\x9fe \xff\")\r\n",
    ),
    ("a blank line", b"\r\n"),
    ("blank lines", b"\r\n\r\n \r\n"),
    (
        "text that ends like a literal",
        b"* OK you have mail {5}\r\n",
    ),
    (
        "a code that ends like a literal",
        b"* NO [ALERT] quota {4000000000}\r\n",
    ),
    ("escapes", b"* OK \x1b[31mred\x1b]0;title\x07 \x00nul\r\n"),
    ("a kind nobody knows", b"* XFROBNICATE (1 2 \"three\")\r\n"),
];

#[test]
fn lines_that_nobody_asked_for_change_nothing() {
    for kind in [Kind::Headers, Kind::Examine, Kind::List, Kind::Body] {
        play(STRAY.map(|(name, bytes)| {
            let script = account().fault(always(kind), Fault::Before(bytes.to_vec()));
            (name, script, End::Whole)
        }));
    }
}

#[test]
fn odd_words_in_the_last_line_change_nothing() {
    let words: [(&str, &[u8]); 6] = [
        ("8-bit", b"OK erledigt f\xfcr heute"),
        ("ends like a literal", b"OK done {5}"),
        ("nothing but OK", b"OK "),
        (
            "a code of Exchange",
            b"OK [Error=\"None\" AuthResult=0] done.",
        ),
        ("throttled, yet done", b"OK Success [THROTTLED]"),
        ("escapes", b"OK \x1b[2J\x1b[1;1H done"),
    ];
    play(words.map(|(name, words)| {
        let script = account().fault(always(Kind::Fetch), Fault::Ends(words));
        (name, script, End::Whole)
    }));
}

#[test]
fn an_answer_under_another_tag_ends_the_connection_and_no_more() {
    let kinds = [
        ("LIST", Kind::List),
        ("EXAMINE", Kind::Examine),
        ("FETCH", Kind::Headers),
        ("a body", Kind::Body),
    ];
    play(kinds.map(|(name, kind)| {
        let script = account().fault(once(kind), Fault::Tag("zz99"));
        (name, script, End::Whole)
    }));
}

/// One message of the folder of sent mail that is answered so whenever it is asked for.
fn shaped(shape: Shape) -> Script {
    let when = always(Kind::Fetch).uid(uid(12)).within("Sent");
    account().fault(when, Fault::Shape(shape))
}

#[test]
fn a_message_whose_answer_is_odd_is_read() {
    let rows = [
        ("UID after the header", Shape::UidLast),
        ("in two answers", Shape::Split),
    ];
    play(rows.map(|(name, shape)| (name, shaped(shape), End::Whole)));
    // The same where every message is answered so.
    play(rows.map(|(name, shape)| {
        let script = account().fault(always(Kind::Fetch), Fault::Shape(shape));
        (name, script, End::Whole)
    }));
}

#[test]
fn a_message_whose_answer_is_broken_costs_at_most_itself() {
    let rows = [
        ("in two answers, one without UID", Shape::SplitBare),
        ("INTERNALDATE NIL", Shape::DateNil),
        ("EMAILID", Shape::Item("EMAILID (x)")),
        ("8-bit in an item", Shape::Item("X-LABEL \"Entw\u{fc}rfe\"")),
        ("a size over 4 GiB", Shape::Size(5_000_000_000)),
        ("a quoted string", Shape::Quoted),
    ];
    play(rows.map(|(name, shape)| (name, shaped(shape), End::Perhaps(12))));
}

#[test]
fn a_message_that_cannot_be_taken_out_of_its_answer_is_a_row() {
    let rows = [
        ("NIL", Shape::Nil),
        ("a literal longer than announced", Shape::Length(-7)),
        ("a literal shorter than announced", Shape::Length(9)),
        ("a literal much shorter than announced", Shape::Length(5000)),
    ];
    play(rows.map(|(name, shape)| (name, shaped(shape), End::Unread(12))));
}

#[test]
fn a_flood_is_cut_off_before_it_fills_the_memory() {
    const LITERAL: &[u8] = b"* 1 FETCH (UID 10 BODY[HEADER] {4000000000}\r\n";
    const BEYOND: &[u8] = b"* 1 FETCH (UID 10 BODY[HEADER] {99999999999999999999999}\r\n";
    const LINE: &[u8] = b"* OK an endless line ";
    let rows = [
        ("literal, once", once(Kind::Headers), LITERAL, End::Whole),
        (
            "literal of a body, once",
            once(Kind::Body),
            LITERAL,
            End::Whole,
        ),
        ("no number, once", once(Kind::Headers), BEYOND, End::Whole),
        ("line, once", once(Kind::Headers), LINE, End::Whole),
        (
            "line at EXAMINE, once",
            once(Kind::Examine),
            LINE,
            End::Whole,
        ),
        (
            "line at LIST, always",
            always(Kind::List),
            LINE,
            End::Refused(""),
        ),
        (
            "greeting, always",
            always(Kind::Greeting),
            LINE,
            End::Refused(""),
        ),
        (
            "literal of one message, always",
            always(Kind::Fetch).uid(uid(30)).within("Sent"),
            LITERAL,
            End::Unread(30),
        ),
    ];
    let rows = rows.map(|(name, when, head, end)| (name, (when, head, end)));
    side_by_side(rows, |(when, head, end)| {
        let server = account().fault(when, Fault::Pour(head)).start();
        let ended = Watch::scan(&server).run();
        let peak = ended.peak;
        must_be(end, ended);
        assert!(peak < MEMORY, "it held {peak} MB");
    });
}

/// The same mails over IMAP and from a file expose the same people.
#[track_caller]
fn as_from_a_file(sent: &Mailbox) -> Case {
    let server = Script::new(sent).folder(inbox()).start();
    let case = Watch::scan(&server).run().case(0);
    let file = Run::scan(sent.mbox().path()).org(FORCE).ok();
    assert_eq!(case.exposed(), file.exposed());
    assert_eq!(case.found(), file.found());
    assert_eq!(case.count("judged"), file.count("judged"));
    case
}

#[test]
fn a_header_of_300_kilobytes_is_read_to_its_last_address() {
    let crowd: Vec<Person> = (0..6000)
        .map(|n| {
            Person::new(
                &format!("Guest {n}"),
                &format!("guest.number{n}@inbox.test"),
            )
        })
        .collect();
    let sent = Mailbox::ordinary(5)
        .mail(|m| m.to(&crowd).subject("Update: change of bail date"))
        .mail(westminster)
        .background(5);
    assert!(sent.each().any(|mail| mail.len() > 250_000));
    let case = as_from_a_file(&sent);
    assert!(case.exposed().contains("guest.number5999@inbox.test"));
    assert_eq!(case.exposed().len(), 6018);
}

#[test]
fn mail_without_a_message_id_or_a_date_is_read() {
    let sent = Mailbox::ordinary(3)
        .mail(|m| westminster(m).id(""))
        .mail(|m| m.id("").to(["colleague1@force.example"]))
        .mail(|m| m.id("").date("").to(["colleague2@force.example"]))
        .mail(|m| m.id("").subject("other").to(people(1, 3)));
    let case = as_from_a_file(&sent);
    assert_eq!((case.people().len(), case.count("judged")), (18, 7));
}

#[test]
fn what_servers_say_reaches_the_terminal_without_escapes_and_secrets_never() {
    const EVIL: &str = "NO \u{1b}[31m\u{1b}]0;owned\u{7}\0 \u{202e}gnp.exe";
    let scripts = [
        account().fault(once(Kind::Headers), Fault::Refuse(EVIL, Then::Close)),
        account().fault(always(Kind::Examine), Fault::Refuse(EVIL, Then::Stay)),
        account().fault(always(Kind::Login), Fault::Refuse(EVIL, Then::Stay)),
        account().fault(
            always(Kind::Greeting),
            Fault::Instead(Then::Bye("\u{1b}[5m\0 go away")),
        ),
        // What the server repeats of the secret is struck out too.
        account().fault(always(Kind::Login), Fault::Refuse(ECHO, Then::Stay)),
    ];
    const ECHO: &str = "NO LOGIN u s3cret\\pass\"word-37 failed";
    assert!(ECHO.contains(PASSWORD));
    for script in scripts {
        let server = script.start();
        let ended = Watch::scan(&server).arg("-vv").run();
        ended.must_exit(ended.output.status);
        let said = ended.output.said();
        assert!(!said.contains('\u{202e}'), "a bidi character: {said:?}");
    }
    let server = account().start();
    let ended = Watch::scan(&server).arg("-vv").run();
    ended.must_exit(0);
    let shown = ended.output.stderr;
    assert!(
        shown.contains("EXAMINE") && shown.contains("UID FETCH"),
        "{shown}"
    );
}
