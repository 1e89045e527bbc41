//! IMAP folders of every name, and what servers say or keep to themselves when one is opened.

use crate::builders::faulty::{
    Ended, Fault, Folder, Kind, Script, Then, Watch, always, once, side_by_side, uid,
};
use crate::builders::{Mail, Mailbox, westminster};
use crate::imap_faults::{End, RECEIVED, SENT, account, inbox, must_be, play, unread};

fn sent() -> Mailbox {
    Mailbox::ordinary(6).mail(westminster)
}

/// An account whose sent mail lies in a folder of this name, with this line in LIST.
fn named(name: &[u8], line: &[u8]) -> Script {
    let folder = Folder::new(name).listed(line).mails(&sent());
    Script::empty().folder(folder).folder(inbox())
}

/// The folder is read, or a row says that it was not; nothing else suffers.
#[track_caller]
fn accounted(ended: Ended) {
    let whole = ended.output.status == 0;
    let case = ended.case(if whole { 0 } else { 3 });
    assert_eq!(case.count("received"), RECEIVED as u64, "the inbox");
    assert_eq!(case.people().len(), if whole { 18 } else { 0 });
    assert_eq!(unread(&case).is_empty(), whole, "{:?}", case.unread());
}

#[test]
fn a_folder_is_read_however_its_name_is_listed() {
    let rows: [(&str, &[u8], &[u8], &str); 14] = [
        ("quoted", b"Sent", b"* LIST () \"/\" \"Sent\"", "Sent"),
        ("an atom", b"Sent", b"* LIST () \"/\" Sent", "Sent"),
        ("a literal", b"Sent", b"* LIST () \"/\" {4}\r\nSent", "Sent"),
        ("no delimiter", b"Sent", b"* LIST () NIL \"Sent\"", "Sent"),
        (
            "small letters",
            b"Sent",
            b"* list (\\sent) \"/\" Sent",
            "Sent",
        ),
        (
            "UTF-7",
            b"Envoy&AOk-s",
            b"* LIST () \"/\" Envoy&AOk-s",
            "Envoy\u{e9}s",
        ),
        (
            "an ampersand",
            b"A &- B",
            b"* LIST () \"/\" \"A &- B\"",
            "A & B",
        ),
        ("percent", b"100%", b"* LIST () \"/\" 100%", "100%"),
        (
            "brackets",
            b"[Gmail]/Sent",
            b"* LIST () \"/\" [Gmail]/Sent",
            "[Gmail]/Sent",
        ),
        (
            "extended data",
            b"Sent",
            b"* LIST () \"/\" \"Sent\" (\"OLDNAME\" (\"x\"))",
            "Sent",
        ),
        (
            "child information",
            b"Sent",
            b"* LIST (\\HasChildren) \"/\" Sent (\"CHILDINFO\" (\"SUBSCRIBED\"))",
            "Sent",
        ),
        (
            "flags without backslash",
            b"Sent",
            b"* LIST (Sent) \"/\" Sent",
            "Sent",
        ),
        (
            "quotes and backslashes",
            b"My \"old\" \\ mail",
            b"* LIST () \"/\" \"My \\\"old\\\" \\\\ mail\"",
            "My \"old\" \\ mail",
        ),
        (
            "a space at its end",
            b"Sent ",
            b"* LIST () \"/\" \"Sent \"",
            // A table shows no space that cannot be seen.
            "Sent",
        ),
    ];
    let rows = rows.map(|(what, name, line, due)| (what, (name, line, due)));
    side_by_side(rows, |(name, line, due)| {
        let server = named(name, line).start();
        let case = Watch::scan(&server).run().case(0);
        assert_eq!(case.only_message()["folder"], *due);
        assert_eq!((case.people().len(), case.count("received")), (18, 4));
    });
}

#[test]
fn a_folder_whose_name_is_no_name_is_read_or_listed() {
    let rows: [(&str, &[u8], &[u8]); 7] = [
        (
            "UTF-8",
            "Envoy\u{e9}s".as_bytes(),
            b"* LIST () \"/\" \"Envoy\xc3\xa9s\"",
        ),
        ("Latin-1", b"Envoy\xe9s", b"* LIST () \"/\" \"Envoy\xe9s\""),
        ("broken UTF-7", b"A&B", b"* LIST () \"/\" \"A&B\""),
        ("half of UTF-7", b"A&2D-", b"* LIST () \"/\" \"A&2D-\""),
        (
            "escapes",
            b"\x1b[31mred",
            b"* LIST () \"/\" \"\x1b[31mred\"",
        ),
        (
            "an order",
            b"Sent\r\nx1 DELETE INBOX",
            b"* LIST () \"/\" {21}\r\nSent\r\nx1 DELETE INBOX",
        ),
        (
            "an answer",
            b"Sent\r\n* BYE",
            b"* LIST () \"/\" {11}\r\nSent\r\n* BYE",
        ),
    ];
    let rows = rows.map(|(what, name, line)| (what, (name, line)));
    side_by_side(rows, |(name, line)| {
        let server = named(name, line).start();
        accounted(Watch::scan(&server).run());
    });
}

#[test]
fn a_folder_whose_line_cannot_be_read_is_not_lost_in_silence() {
    let lines: [(&str, &[u8]); 3] = [
        (
            "a backslash that escapes the end",
            b"* LIST (\\HasNoChildren) \"/\" \"Gesendet\\\"",
        ),
        ("no name", b"* LIST (\\Sent) Gesendet"),
        ("no parentheses", b"* LIST \\Sent \"/\" \"Gesendet\""),
    ];
    side_by_side(lines, |line| {
        let server = account().folder(Folder::new("x").listed(line)).start();
        for sent_only in [false, true] {
            let args = sent_only.then_some("--sent-only");
            let case = Watch::scan(&server).args(args).run().case(3);
            let row = &case.unread()[0];
            assert!(row["folder"].contains("Gesendet"), "{row:?}");
            assert!(row["reason"].contains("name cannot be read"), "{row:?}");
            assert_eq!((case.unread().len(), case.found().len()), (1, 1));
        }
        let shown = Watch::folders(&server).run();
        shown.must_exit(0);
        let lines = shown.output.stdout.lines();
        let line: String = lines.filter(|line| line.contains("Gesendet")).collect();
        assert!(
            line.contains("not read") && line.contains("cannot be read"),
            "{line}"
        );
        // Who names another folder does not mean this one.
        let only = Watch::new("scan", &format!("{}/Sent", server.url()));
        let only = only.args(["--insecure-plaintext", "--org", "force.example"]);
        only.args(["--case", "case"]).run().must_exit(0);
    });
}

#[test]
fn what_is_no_folder_is_not_opened_and_what_is_listed_twice_is_read_once() {
    let node = |name: &str, flags: &'static str| Folder::new(name).flags(flags);
    let twice = node("Listed/Twice", "\\HasNoChildren").listed("* LIST () \"/\" \"Sent\"");
    let script = account()
        .folder(node("Archive", "\\Noselect \\HasChildren"))
        .folder(node("Gone", "\\NonExistent \\Noselect"))
        .folder(node("Small", "\\NOSELECT \\Noselect"))
        .folder(twice);
    let server = script.start();
    must_be(End::Whole, Watch::scan(&server).run());
    let log = server.log();
    let lines = log.lines();
    let opened = |name: &str| lines.iter().any(|line| line.contains(name));
    assert!(
        !opened("Archive") && !opened("Gone") && !opened("Small"),
        "{lines:?}"
    );
}

#[test]
fn a_thousand_folders_thrice_are_read_over_few_connections() {
    let folder = |n: usize| Folder::new(format!("Project/{n:04}"));
    let server = (0..3000)
        .fold(account(), |script, n| script.folder(folder(n)))
        .start();
    must_be(End::Whole, Watch::scan(&server).run());
    let connections = server.log().connections();
    assert!(connections <= 8, "{connections} connections");
    let listed = Watch::folders(&server).run();
    listed.must_exit(0);
    let lines = listed.output.stdout.lines();
    assert_eq!(lines.filter(|line| line.contains("Project/")).count(), 3000);
}

#[test]
fn folders_shows_each_with_its_count_and_changes_nothing() {
    let server = account()
        .folder(Folder::new("Entw&APw-rfe").flags("\\Drafts"))
        .folder(Folder::new("Odd").listed("* LIST () \"/\" {9}\r\nOdd\r\nname"))
        .start();
    let shown = Watch::folders(&server).run();
    assert_ne!(shown.output.status, 2, "{}", shown.output.said());
    shown.must_exit(shown.output.status);
    let line = |name: &str| {
        let mut lines = shown.output.stdout.lines();
        lines
            .find(|line| line.contains(name))
            .unwrap_or_else(|| panic!("no '{name}' in\n{}", shown.output.stdout))
            .to_owned()
    };
    assert!(line("Sent").contains("41") && line("INBOX").contains('4'));
    assert!(line("Entw\u{fc}rfe").contains('0'));
}

#[test]
fn a_folder_that_does_not_say_that_it_is_read_only_is_not_read() {
    let examine = always(Kind::Examine).within("Sent");
    let rows = [
        ("no READ-ONLY", Fault::Swap("[READ-ONLY] ", "")),
        ("READ-WRITE", Fault::Swap("READ-ONLY", "READ-WRITE")),
        (
            "NO",
            Fault::Refuse("NO [NOPERM] Permission denied", Then::Stay),
        ),
        ("BAD", Fault::Refuse("BAD what?", Then::Stay)),
        (
            "deleted",
            Fault::Refuse("NO Mailbox does not exist", Then::Stay),
        ),
    ];
    play(rows.map(|(name, fault)| (name, account().fault(examine, fault), End::NoSent)));
}

#[test]
fn what_examine_does_not_tell_is_asked_with_status() {
    let examine = always(Kind::Examine).within("Sent");
    let rows = [
        ("UIDNEXT", Fault::Without("UIDNEXT")),
        ("UIDVALIDITY", Fault::Without("UIDVALIDITY")),
    ];
    play(rows.map(|(name, fault)| (name, account().fault(examine, fault), End::Whole)));
}

#[test]
fn what_nobody_tells_or_cannot_be_is_never_a_silent_loss() {
    let examine = always(Kind::Examine).within("Sent");
    let rows = [
        ("no UIDNEXT anywhere", Fault::Without("UIDNEXT"), true),
        (
            "no UIDVALIDITY anywhere",
            Fault::Without("UIDVALIDITY"),
            true,
        ),
        (
            "UIDVALIDITY over 32 bits",
            Fault::Swap("VALIDITY 4242", "VALIDITY 99999999999"),
            false,
        ),
        (
            "UIDVALIDITY 0",
            Fault::Swap("VALIDITY 4242", "VALIDITY 0"),
            false,
        ),
        (
            "UIDNEXT too low",
            Fault::Swap("UIDNEXT 29", "UIDNEXT 11"),
            false,
        ),
        ("no EXISTS", Fault::Without("EXISTS"), false),
        ("nothing at all", Fault::Without("*"), true),
    ];
    let rows = rows.map(|(name, fault, silent)| (name, (fault, silent)));
    side_by_side(rows, |(fault, silent)| {
        let folder = Folder::new("Sent").flags("\\Sent").mails(&sent());
        let mut script = Script::empty().folder(folder).folder(inbox());
        script = script.fault(examine, fault);
        if silent {
            script = script.perhaps(
                always(Kind::Status).within("Sent"),
                Fault::Without("STATUS"),
            );
        }
        accounted(Watch::scan(&script.start()).run());
    });
}

#[test]
fn a_folder_of_uidvalidity_0_is_read_once_or_said_not_to_be_readable() {
    let zero = || Fault::Swap("UIDVALIDITY 4242", "UIDVALIDITY 0");
    let examine = always(Kind::Examine).within("Sent");
    // STATUS may know better.
    let server = account()
        .fault(examine, zero())
        .next_scan()
        .fault(examine, zero())
        .start();
    let case = Watch::scan(&server).run().case(0);
    server.next_scan();
    let asked = server.log().count("UID FETCH");
    let again = Watch::scan_onto(&server, &case).run().case(0);
    assert_eq!(server.log().count("UID FETCH"), asked);
    assert_eq!((again.count("duplicates"), again.people().len()), (0, 18));
    let status = always(Kind::Status).within("Sent");
    let server = account().fault(examine, zero()).fault(status, zero());
    play([("nowhere", server, End::NoSent)]);
}

#[test]
fn a_folder_that_is_made_anew_while_it_is_read_is_read_anew() {
    for kind in [Kind::Examine, Kind::Body] {
        let server = account().fault(once(kind), Fault::Renumber).start();
        let case = Watch::scan(&server).run().case(0);
        assert_eq!((case.people().len(), case.count("duplicates")), (18, 0));
        let due = format!("4243:{}", uid(20) + 1000);
        assert_eq!(case.only_message()["position"], due, "{kind:?}");
    }
}

#[test]
fn a_folder_that_is_marked_as_sent_mail_later_is_read_as_such() {
    let marked = |as_what| (always(Kind::List), Fault::Swap("\\Marked", as_what));
    let [drafts, sent, again] = ["\\Drafts", "\\Sent", "\\Sent"].map(marked);
    let list = |m: Mail| westminster(m).id("late@force.example");
    let mails = Mailbox::numbered_from(700).mail(list).background(4);
    let folder = Folder::new("Box").flags("\\Marked").mails(&mails);
    let server = account()
        .folder(folder)
        .fault(drafts.0, drafts.1)
        .next_scan()
        .fault(sent.0, sent.1)
        .next_scan()
        .fault(again.0, again.1)
        .start();
    let case = Watch::scan(&server).run().case(0);
    assert_eq!(case.found(), ["westminster"]);
    server.next_scan();
    let case = Watch::scan_onto(&server, &case).run().case(0);
    assert_eq!(case.found(), ["late", "westminster"]);
    let counts = ["judged", "received", "duplicates"].map(|what| case.count(what));
    assert_eq!(counts, [SENT as u64 + 5, RECEIVED as u64, 0]);
    server.next_scan();
    let asked = server.log().count("UID FETCH");
    Watch::scan_onto(&server, &case).run().case(0);
    assert_eq!(server.log().count("UID FETCH"), asked);
}

#[test]
fn a_folder_that_is_made_anew_counts_once_what_was_left_out_of_it() {
    let other = |m: Mail| m.header("X-Gmail-Labels", "Inbox");
    let mailbox = Mailbox::ordinary(5).mail(other).mail(westminster);
    let anew = Fault::Swap("UIDVALIDITY 4242", "UIDVALIDITY 4243");
    let server = Script::new(&mailbox)
        .next_scan()
        .fault(always(Kind::Examine), anew)
        .start();
    let case = Watch::scan(&server).arg("--sent-only").run().case(0);
    assert_eq!((case.count("judged"), case.count("outside")), (6, 1));
    server.next_scan();
    let run = Watch::scan_onto(&server, &case).arg("--sent-only");
    let case = run.run().case(0);
    assert_eq!((case.count("judged"), case.count("outside")), (6, 1));
}

#[test]
fn only_the_folders_asked_for_are_opened() {
    for (arg, value) in [("--sent-only", None), ("--folder", Some("Sent"))] {
        let server = account().folder(Folder::new("Other")).start();
        let case = Watch::scan(&server).arg(arg).args(value).run().case(0);
        assert_eq!(
            (case.people().len(), case.count("judged")),
            (18, 41),
            "{arg}"
        );
        let log = server.log();
        let opened = |line: &&str| line.starts_with("EXAMINE") && line.contains("INBOX");
        let inbox = log.lines().into_iter().any(|line| opened(&line));
        assert!(!inbox || arg == "--folder", "{arg} opens the inbox");
    }
}
