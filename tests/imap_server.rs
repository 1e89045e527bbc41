//! The server of the IMAP tests is a real one and does what they take for granted, seen by a mail program of the
//! plainest kind: what it flags, refuses, counts and keeps.

use crate::builders::{
    Dovecot, Format, Gate, Mailbox, PASSWORD, Wire, dovecot, plainly, utf7, westminster,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::TcpStream;

fn server() -> Dovecot {
    dovecot().user("robin", PASSWORD).start()
}

/// What it answers to PLAIN with these three names.
fn plain(wire: &mut Wire, identity: &str, name: &str, password: &str) -> String {
    let secret = STANDARD.encode(format!("{identity}\0{name}\0{password}"));
    wire.ask(&format!("AUTHENTICATE PLAIN {secret}"))
}

fn bearer(wire: &mut Wire, user: &str, token: &str) -> String {
    let secret = STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"));
    wire.ask(&format!("AUTHENTICATE XOAUTH2 {secret}\r\n"))
}

#[test]
fn it_speaks_tls_and_starttls_and_takes_no_password_before() {
    let server = server();
    Wire::of(&server, "robin");
    let mut wire = Wire::starttls(&server);
    let said = wire.ask(&format!("LOGIN robin \"{PASSWORD}\""));
    assert!(said.contains("OK"), "{said}");
    let mut tcp = TcpStream::connect(("127.0.0.1", server.ports().starttls)).unwrap();
    let said = plainly(&mut tcp, "x CAPABILITY");
    assert!(said.contains("STARTTLS"), "{said}");
}

#[test]
fn without_tls_it_takes_passwords_in_plain_text() {
    let server = dovecot().user("robin", PASSWORD).without_tls().start();
    let mut tcp = TcpStream::connect(("127.0.0.1", server.ports().starttls)).unwrap();
    let said = plainly(&mut tcp, "x CAPABILITY");
    assert!(
        !said.contains("STARTTLS") && !said.contains("LOGINDISABLED"),
        "{said}"
    );
    let mut tcp = TcpStream::connect(("127.0.0.1", server.ports().starttls)).unwrap();
    let said = plainly(&mut tcp, &format!("x LOGIN robin \"{PASSWORD}\""));
    assert!(said.contains("x OK"), "{said}");
    assert!(TcpStream::connect(("127.0.0.1", server.ports().tls)).is_err());
}

#[test]
fn it_says_that_it_takes_no_passwords_where_it_was_told_to() {
    let server = dovecot().user("robin", PASSWORD).login_disabled().start();
    let mut tcp = TcpStream::connect((server.address(), server.ports().starttls)).unwrap();
    let said = plainly(&mut tcp, "x CAPABILITY");
    assert!(
        said.contains("LOGINDISABLED") && !said.contains("STARTTLS"),
        "{said}"
    );
}

#[test]
fn without_plain_it_takes_login() {
    let server = dovecot()
        .user("robin", PASSWORD)
        .mechanisms("login")
        .start();
    let said = Wire::tls(&server).ask("CAPABILITY");
    assert!(
        said.contains("AUTH=LOGIN") && !said.contains("AUTH=PLAIN"),
        "{said}"
    );
    let [name, secret] = ["robin", PASSWORD].map(|text| STANDARD.encode(text));
    let said = Wire::tls(&server).ask(&format!("AUTHENTICATE LOGIN\r\n{name}\r\n{secret}"));
    assert!(said.contains(" OK "), "{said}");
    let said = Wire::tls(&server).ask(&format!("LOGIN robin \"{PASSWORD}\""));
    assert!(
        said.contains(" NO "),
        "the command LOGIN is PLAIN to Dovecot: {said}"
    );
}

#[test]
fn mail_that_was_put_there_is_served_in_order_with_its_time() {
    for format in [Format::Maildir, Format::Mdbox] {
        let server = dovecot().user("robin", PASSWORD).format(format).start();
        server.put(
            "robin",
            "Sent",
            Mailbox::ordinary(3).mail(westminster).each(),
        );
        server.put(
            "robin",
            "Sent",
            Mailbox::numbered_from(9).background(1).each(),
        );
        server.put(
            "robin",
            "INBOX",
            Mailbox::numbered_from(20).background(2).each(),
        );
        assert_eq!(server.status("robin", "INBOX", "messages"), 2);
        let mut wire = Wire::of(&server, "robin");
        assert!(
            wire.ask("EXAMINE Sent").contains("* 5 EXISTS"),
            "{format:?}"
        );
        let said = wire.ask(
            "UID FETCH 1:* (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])",
        );
        let ids: Vec<&str> = said
            .lines()
            .filter_map(|line| line.strip_prefix("Message-ID: "))
            .collect();
        let due = ["m0", "m1", "m2", "westminster", "m9"].map(|id| format!("<{id}@force.example>"));
        assert_eq!(ids, due, "{format:?}");
        assert_eq!(
            said.matches("\"01-Mar-2024 09:00:00 +0000\"").count(),
            5,
            "{said}"
        );
        let whole = Mailbox::ordinary(1).each().next().unwrap();
        let said = wire.ask("UID FETCH 1 (RFC822.SIZE BODY.PEEK[])");
        assert!(
            said.contains(&format!("RFC822.SIZE {}", whole.len())),
            "{said}"
        );
        assert!(said.contains(&String::from_utf8(whole).unwrap()), "{said}");
    }
}

#[test]
fn twenty_thousand_mails_are_there_at_once() {
    let server = dovecot()
        .user("robin", PASSWORD)
        .format(Format::Mdbox)
        .start();
    server.put("robin", "Sent", Mailbox::ordinary(20_000).each());
    assert_eq!(server.status("robin", "Sent", "messages"), 20_000);
    assert_eq!(server.status("robin", "Sent", "uidnext"), 20_001);
}

#[test]
fn its_state_is_the_same_after_a_look_and_another_after_a_visit() {
    let server = server();
    server.put("robin", "Sent", Mailbox::ordinary(2).each());
    Wire::of(&server, "robin").ask("SELECT Sent");
    server.put_undelivered(
        "robin",
        "Sent",
        Mailbox::numbered_from(5).background(2).each(),
    );
    let before = (server.state("robin", "Sent"), server.files("robin"));
    assert!(
        before.0.contains("recent=2") && before.0.contains("\\Recent"),
        "{}",
        before.0
    );
    assert_eq!(
        before
            .1
            .lines()
            .filter(|line| line.contains("/new/"))
            .count(),
        2,
        "{}",
        before.1
    );
    let now = || (server.state("robin", "Sent"), server.files("robin"));
    let mut wire = Wire::of(&server, "robin");
    wire.ask("EXAMINE Sent");
    wire.ask("UID FETCH 1:* (UID FLAGS BODY.PEEK[])");
    assert_eq!(now(), before, "looking changes nothing");
    wire.ask("SELECT Sent");
    let selected = now();
    assert_ne!(selected, before, "a SELECT takes \\Recent away");
    wire.ask("UID FETCH 3 (BODY[])");
    let seen = now();
    assert_ne!(seen, selected, "reading without PEEK marks as seen");
    wire.ask("UID STORE 1 +FLAGS (\\Flagged)");
    assert_ne!(now(), seen);
}

#[test]
fn it_records_what_was_asked() {
    let server = server();
    server.put("robin", "Sent", Mailbox::ordinary(9).each());
    let mut wire = Wire::of(&server, "robin");
    wire.ask("EXAMINE Sent");
    wire.ask("UID FETCH 1:4,6 (UID BODY.PEEK[HEADER])");
    wire.ask("UID FETCH 9 (UID BODY.PEEK[])");
    wire.ask("LOGOUT");
    assert_eq!(
        server.asked("robin"),
        [
            "EXAMINE Sent",
            "UID FETCH 1:4,6 (UID BODY.PEEK[HEADER])",
            "UID FETCH 9 (UID BODY.PEEK[])",
            "LOGOUT"
        ]
    );
    assert_eq!(server.fetched("robin"), [(1, 4), (6, 6)]);
}

#[test]
fn killed_and_started_again_it_has_its_ports_and_its_mail() {
    let server = server();
    server.put("robin", "Sent", Mailbox::ordinary(5).each());
    let before = server.state("robin", "Sent");
    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", server.ports().tls)).is_err());
    server.restart();
    Wire::of(&server, "robin");
    assert_eq!(server.state("robin", "Sent"), before);
}

#[test]
fn it_fails_at_a_mail_that_it_cannot_read() {
    let server = server();
    server.put("robin", "Sent", Mailbox::ordinary(5).each());
    server.spoil("robin", "Sent", "m2@force.example");
    let mut wire = Wire::of(&server, "robin");
    assert!(wire.ask("EXAMINE Sent").contains("* 5 EXISTS"));
    let said = wire.ask("UID FETCH 1:5 (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])");
    assert!(said.contains("<m1@") && !said.contains("<m2@"), "{said}");
    assert!(
        said.contains("* BYE ") && !said.contains(" OK "),
        "it hangs up in the midst of its answer: {said}"
    );
}

#[test]
fn it_ends_with_the_test() {
    let server = server();
    let (port, home) = (server.ports().tls, server.home().to_owned());
    Wire::of(&server, "robin");
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!home.exists());
}

#[test]
fn it_cuts_off_whom_its_administrator_kicks() {
    let server = server();
    assert!(!server.kick("robin"), "nobody is there");
    let _wire = Wire::of(&server, "robin");
    assert!(server.kick("robin"));
}

#[test]
fn it_sends_away_more_connections_than_it_allows() {
    let server = dovecot().user("robin", PASSWORD).connections(1).start();
    let _first = Wire::of(&server, "robin");
    let said = Wire::tls(&server).ask(&format!("LOGIN robin \"{PASSWORD}\""));
    assert!(said.contains("Maximum number of connections"), "{said}");
}

#[test]
fn passwords_of_any_letters_are_taken() {
    let secret = "pä:ss \"w\\ö\"{rd}$ %u 密";
    let server = dovecot().user("robin", secret).start();
    assert!(plain(&mut Wire::tls(&server), "", "robin", secret).contains(" OK "));
    assert!(plain(&mut Wire::tls(&server), "", "robin", "pä").contains("[AUTHENTICATIONFAILED]"));
}

#[test]
fn a_master_opens_the_mailboxes_that_exist_and_nobody_else_does() {
    let people = || {
        dovecot()
            .user("robin", PASSWORD)
            .user("sam", PASSWORD)
            .master("auditor", "audit")
    };
    let server = people().start();
    server.put("robin", "Sent", Mailbox::ordinary(5).each());
    let mut wire = Wire::tls(&server);
    assert!(plain(&mut wire, "robin", "auditor", "audit").contains(" OK "));
    assert!(
        wire.ask("EXAMINE Sent").contains("* 5 EXISTS"),
        "it is Robin's mailbox"
    );
    assert!(
        Wire::tls(&server)
            .ask("LOGIN robin*auditor audit")
            .contains(" OK ")
    );
    for (identity, name, password) in [
        ("made-up", "auditor", "audit"),
        ("robin", "auditor", "guess"),
        ("robin", "sam", PASSWORD),
    ] {
        let said = plain(&mut Wire::tls(&server), identity, name, password);
        assert!(said.contains(" NO [AUTH"), "{identity}: {said}");
    }
}

#[test]
fn tokens_are_taken_until_they_expire() {
    let server = dovecot()
        .user("robin", PASSWORD)
        .mechanisms("xoauth2 oauthbearer")
        .start();
    let said = bearer(
        &mut Wire::tls(&server),
        "robin",
        &server.token("robin", 600),
    );
    assert!(said.contains(" OK "), "{said}{}", server.log());
    for token in [
        server.token("robin", -600),
        server.token("sam", 600),
        "junk".into(),
    ] {
        let said = bearer(&mut Wire::tls(&server), "robin", &token);
        assert!(said.contains(" NO "), "{said}");
    }
    let said = Wire::tls(&server).ask("CAPABILITY");
    assert!(
        said.contains("AUTH=XOAUTH2 AUTH=OAUTHBEARER") && !said.contains("AUTH=PLAIN"),
        "{said}"
    );
}

#[test]
fn it_wants_a_certificate_where_it_was_told_to() {
    let server = dovecot()
        .user("robin", PASSWORD)
        .client_certificates()
        .start();
    let said = Wire::tls(&server).ask(&format!("LOGIN robin \"{PASSWORD}\""));
    assert!(!said.contains(" OK "), "{said}");
}

#[test]
fn folders_stand_where_it_was_told_to_have_them() {
    let server = dovecot()
        .user("robin", PASSWORD)
        .below_inbox()
        .compress()
        .flagged(&[("INBOX.Post.Weg", "\\Sent"), ("INBOX.Müll", "\\Trash")])
        .start();
    for folder in ["INBOX.Post.Weg", "INBOX.Müll", "INBOX.Éléments envoyés"] {
        server.put("robin", folder, Mailbox::ordinary(1).each());
        assert_eq!(server.status("robin", folder, "messages"), 1, "{folder}");
    }
    let mut wire = Wire::of(&server, "robin");
    let said = wire.ask("LIST \"\" *");
    for line in [
        "\\Sent) \".\" INBOX.Post.Weg",
        "\\Trash) \".\" INBOX.M&APw-ll",
        "INBOX.&AMk-l&AOk-ments envoy&AOk-s",
    ] {
        assert!(said.contains(line), "no '{line}' in {said}");
    }
    assert!(wire.ask("CAPABILITY").contains("COMPRESS=DEFLATE"));
    let said = Wire::of(&dovecot().user("robin", PASSWORD).start(), "robin").ask("CAPABILITY");
    assert!(!said.contains("COMPRESS"), "{said}");
}

#[test]
fn names_are_written_in_modified_utf_7() {
    for (name, written) in [
        ("Sent", "Sent"),
        ("Éléments envoyés", "&AMk-l&AOk-ments envoy&AOk-s"),
        ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
        ("已发送", "&XfJT0ZAB-"),
        ("Q&A", "Q&-A"),
    ] {
        assert_eq!(utf7(name), written);
    }
}

#[test]
fn the_gate_acts_in_the_middle_of_a_conversation() {
    let server = server();
    let gate = Gate::to(server.ports().starttls);
    let ask = |line: &str| {
        let mut tcp = TcpStream::connect(("127.0.0.1", gate.port())).unwrap();
        plainly(&mut tcp, line)
    };
    gate.after(1_000_000, || {});
    let said = ask("x CAPABILITY");
    assert!(!gate.acted(), "so few bytes passed");
    assert_eq!(gate.passed(), said.len() as u64);
    let (tell, told) = std::sync::mpsc::channel();
    gate.after(said.len() as u64, move || tell.send(()).unwrap());
    ask("x CAPABILITY");
    assert!(told.try_recv().is_ok(), "it acts before the bytes pass");
}
