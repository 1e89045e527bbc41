//! Whoever is not let in by an IMAP server is told why and what to do, and no secret is told to anybody.

use crate::builders::faulty::{
    Ended, Fault, Kind, Script, Server, Then, Watch, always, once, side_by_side,
};
use crate::imap_faults::{End, account, must_be, play};
use std::collections::BTreeSet;

/// Prints another token each time it is asked, and counts how often.
const TOKENS: &str = "n=$(cat asked 2>/dev/null || echo 0)\nn=$((n + 1))\necho $n >asked\necho token-$n-very-secret\n";

/// No login was tried.
#[track_caller]
fn nobody_knocked(server: &Server) {
    let log = server.log();
    let tried = log.count("LOGIN") + log.count("AUTHENTICATE");
    assert_eq!(tried, 0, "{:?}", log.lines());
}

#[test]
fn each_refusal_of_a_login_has_its_own_words_and_its_own_mend() {
    let rows = [
        "NO [AUTHENTICATIONFAILED] Wrong name or word",
        "NO [AUTHORIZATIONFAILED] Not for this one",
        "NO [UNAVAILABLE] The directory sleeps",
        "NO [LIMIT] Enough of you",
        "NO [EXPIRED] It was good last month",
        "NO [CONTACTADMIN] Ask upstairs",
        "NO [PRIVACYREQUIRED] Not in the open",
        "NO [ALERT] Please log in via your web browser",
        "NO AUTHENTICATE failed.",
        "BAD no such thing",
    ];
    let mends = std::sync::Mutex::new(BTreeSet::new());
    side_by_side(rows.map(|row| (row, row)), |row| {
        let server = account()
            .fault(always(Kind::Login), Fault::Refuse(row, Then::Stay))
            .start();
        let said = Watch::scan(&server).run().refused();
        let words = row.split_once("] ").map_or(&row[3..], |(_, words)| words);
        assert!(said.contains(words), "the server's own words: {said}");
        let log = server.log();
        if row.contains("[AUTH") {
            let tried = log.count("LOGIN") + log.count("AUTHENTICATE");
            assert_eq!(tried, 1, "accounts are locked after a few tries");
        }
        let mend = said.split_once("\n  try: ").unwrap().1.to_owned();
        mends.lock().unwrap().insert(mend);
    });
    let mends = mends.into_inner().unwrap();
    assert!(mends.len() >= 6, "{mends:#?}");
}

#[test]
fn a_login_that_cannot_be_now_is_tried_again() {
    play([
        (
            "unavailable once",
            account().fault(
                once(Kind::Login),
                Fault::Refuse("NO [UNAVAILABLE] Backend restarts", Then::Stay),
            ),
            End::Whole,
        ),
        (
            "closes once",
            account().fault(once(Kind::Login), Fault::After(Then::Close)),
            End::Whole,
        ),
    ]);
}

#[test]
fn a_wrong_password_is_told_and_not_shown() {
    let server = account().start();
    let ended = Watch::scan(&server)
        .env("CCSPILL_PASSWORD", "wr0ng-word")
        .run();
    let said = ended.refused();
    assert!(!said.contains("wr0ng-word"), "{said}");
    assert!(said.contains("Authentication failed."), "{said}");
}

#[test]
fn a_server_that_does_not_fit_is_named() {
    let rows = [
        ("only IMAP2", account().capabilities("IMAP2"), "IMAP4rev1"),
        (
            "no login",
            account().capabilities("IMAP4rev1 LOGINDISABLED"),
            "",
        ),
        ("PREAUTH", account().greeting("* PREAUTH you are root"), ""),
        (
            "BYE",
            account().greeting("* BYE too many connections"),
            "too many connections",
        ),
        ("SMTP", account().greeting("220 mail.example ESMTP"), ""),
        ("POP", account().greeting("+OK POP3 ready"), ""),
        ("SSH", account().greeting("SSH-2.0-OpenSSH_9.2"), ""),
        (
            "HTTP",
            account().greeting("HTTP/1.1 400 Bad Request\r\n\r\n<html>"),
            "",
        ),
    ];
    side_by_side(
        rows.map(|(name, script, word)| (name, (script, word))),
        |(script, word)| {
            let server = script.start();
            must_be(End::Refused(word), Watch::scan(&server).run());
            nobody_knocked(&server);
        },
    );
}

#[test]
fn nothing_is_said_in_plain_text_unless_asked_for_by_name() {
    let server = account().start();
    let said = Watch::new("scan", &server.url()).run().refused();
    assert!(said.contains("STARTTLS"), "what is missing: {said}");
    nobody_knocked(&server);
}

#[test]
fn words_put_in_after_starttls_are_refused() {
    let injected = [
        &b"OK begin TLS\r\n* CAPABILITY IMAP4rev1 AUTH=LOGIN"[..],
        b"OK begin TLS\r\n* PREAUTH welcome",
        b"OK begin TLS\r\na1 OK [CAPABILITY IMAP4rev1] welcome",
    ];
    for words in injected {
        let server = account()
            .capabilities("IMAP4rev1 STARTTLS LOGINDISABLED")
            .fault(once(Kind::StartTls), Fault::Ends(words))
            .start();
        let args = ["--timeout", "2"];
        let said = Watch::new("scan", &server.url()).args(args).run().refused();
        assert!(said.contains("STARTTLS"), "{said}");
        nobody_knocked(&server);
        assert_eq!(server.log().count("(went on"), 0, "not even a handshake");
    }
}

#[test]
fn starttls_that_is_refused_or_left_is_the_end() {
    let rows = [
        ("NO", Fault::Refuse("NO not today", Then::Stay)),
        ("closed", Fault::Instead(Then::Close)),
        ("no answer", Fault::Instead(Then::Hang)),
    ];
    side_by_side(rows, |fault| {
        let server = account()
            .capabilities("IMAP4rev1 STARTTLS AUTH=PLAIN")
            .fault(always(Kind::StartTls), fault)
            .start();
        let args = ["--timeout", "2"];
        let said = Watch::new("scan", &server.url()).args(args).run().refused();
        assert!(said.contains("STARTTLS"), "what went wrong: {said}");
        nobody_knocked(&server);
    });
}

/// A scan of the mailbox of `u` by somebody who may open all.
fn delegate(script: Script) -> (Server, Ended) {
    let server = script.start();
    let ended = Watch::scan(&server).args(["--login", "scanner"]).run();
    (server, ended)
}

#[test]
fn whose_mailbox_was_opened_is_proven() {
    let (server, ended) = delegate(account());
    must_be(End::Whole, ended);
    let log = server.log();
    let first = log
        .lines()
        .into_iter()
        .find(|line| line.starts_with("AUTHENTICATE"))
        .unwrap_or("")
        .to_owned();
    assert!(first.ends_with("authcid=scanner"), "{first}");
    assert!(
        !first.contains("authzid=u "),
        "a made-up one comes first: {first}"
    );
    assert!(log.count("AUTHENTICATE PLAIN authzid=u authcid=scanner") >= 1);
}

#[test]
fn a_server_that_ignores_whose_mailbox_is_meant_is_not_read() {
    let (server, ended) = delegate(account().deaf_to_authzid());
    ended.refused();
    let log = server.log();
    assert!(log.count("AUTHENTICATE PLAIN") >= 1, "it was tried");
    assert_eq!(
        log.count("EXAMINE") + log.count("UID"),
        0,
        "{:?}",
        log.lines()
    );
}

#[test]
fn a_server_that_hangs_up_on_the_made_up_one_has_refused_it() {
    let (_server, ended) =
        delegate(account().fault(once(Kind::Login), Fault::Instead(Then::Close)));
    must_be(End::Whole, ended);
}

/// A scan with a command that prints tokens.
fn with_tokens(server: &Server) -> Ended {
    Watch::scan(server)
        .file("token.sh", TOKENS)
        .args(["--token-command", "sh token.sh"])
        .run()
}

fn oauth(capabilities: &'static str) -> Script {
    account()
        .capabilities(capabilities)
        .tokens(&["token-1-very-secret", "token-2-very-secret"])
}

#[test]
fn a_token_that_expires_during_the_scan_is_asked_for_again() {
    let rows = [
        ("XOAUTH2", "IMAP4rev1 AUTH=XOAUTH2", Kind::Headers),
        ("OAUTHBEARER", "IMAP4rev1 AUTH=OAUTHBEARER", Kind::Headers),
        ("at a body", "IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2", Kind::Body),
        (
            "at EXAMINE",
            "IMAP4rev1 AUTH=XOAUTH2 AUTH=OAUTHBEARER",
            Kind::Examine,
        ),
    ];
    let rows = rows.map(|(name, capabilities, kind)| (name, (capabilities, kind)));
    side_by_side(rows, |(capabilities, kind)| {
        let server = oauth(capabilities).fault(once(kind), Fault::Expire).start();
        let ended = with_tokens(&server);
        let asked = ended.read("asked");
        must_be(End::Whole, ended);
        assert_eq!(asked.trim(), "2", "the command is asked twice");
        let log = server.log();
        assert_eq!(log.count("AUTHENTICATE PLAIN") + log.count("LOGIN"), 0);
    });
}

#[test]
fn a_token_that_is_not_taken_is_told() {
    let server = account()
        .capabilities("IMAP4rev1 AUTH=XOAUTH2 AUTH=OAUTHBEARER")
        .start();
    let ended = with_tokens(&server);
    let asked: usize = ended.read("asked").trim().parse().unwrap();
    assert!(asked <= 2, "the command was asked {asked} times");
    ended.refused();
}

#[test]
fn a_token_command_that_fails_is_told_before_anybody_is_asked() {
    for command in [
        "false",
        "true",
        "no-such-command-here",
        "echo two words\necho lines",
    ] {
        let server = oauth("IMAP4rev1 AUTH=XOAUTH2").start();
        let run = Watch::scan(&server).args(["--token-command", command]);
        let said = run.run().refused();
        assert!(said.contains("token"), "what failed: {said}");
        assert_eq!(server.log().count("AUTHENTICATE XOAUTH2 token Some"), 0);
    }
}
