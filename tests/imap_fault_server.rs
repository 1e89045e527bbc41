//! The server that plays faults is itself proper: what it answers where nothing goes wrong, and what it refuses.

use crate::builders::faulty::{
    Fault, Folder, Kind, PASSWORD, Script, Server, Shape, Then, nth, once, uid,
};
use crate::builders::{Mailbox, westminster};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A client without a mind of its own.
struct Client(TcpStream);

impl Client {
    fn new(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        Client(stream)
    }
    fn inside(server: &Server) -> Self {
        let mut client = Client::new(server);
        client.until("ready\r\n");
        let answer = client.says(&format!("LOGIN u {}", quoted(PASSWORD)));
        assert!(answer.ends_with("a OK welcome\r\n"), "{answer}");
        client
    }
    /// Sends a line and reads to the tagged answer, or to the end.
    fn says(&mut self, line: &str) -> String {
        self.0
            .write_all(format!("a {line}\r\n").as_bytes())
            .unwrap();
        let mut text = String::new();
        loop {
            let last = text.lines().last().unwrap_or("");
            if text.ends_with("\r\n") && last.starts_with("a ") {
                return text;
            }
            if !self.more(&mut text) {
                return text;
            }
        }
    }
    fn until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) && self.more(&mut text) {}
        text
    }
    fn more(&mut self, text: &mut String) -> bool {
        let mut buffer = [0; 4096];
        let n = self.0.read(&mut buffer).unwrap_or(0);
        text.extend(buffer[..n].iter().map(|b| char::from(*b)));
        n > 0
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn script() -> Script {
    Script::new(&Mailbox::ordinary(3).mail(westminster))
}

#[test]
fn a_proper_session_is_answered_properly() {
    let server = script().folder(Folder::new("INBOX")).start();
    let mut client = Client::inside(&server);
    assert!(client.says("CAPABILITY").contains("* CAPABILITY IMAP4rev1"));
    assert!(client.says("ID NIL").contains("* ID (\"name\""));
    let list = client.says("LIST \"\" \"*\"");
    assert!(list.contains("* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"\r\n* LIST"));
    let status = client.says("STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY)");
    assert!(status.contains("* STATUS \"INBOX\" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 4242)"));
    let examine = client.says("EXAMINE \"Sent\"");
    assert!(examine.contains("* 4 EXISTS\r\n") && examine.contains("[UIDNEXT 20]"));
    assert!(
        examine.ends_with("a OK [READ-ONLY] examined\r\n"),
        "{examine}"
    );
    let fetched = client.says(
        "UID FETCH 11:13,19:* (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (Subject To)]<0.65536>)",
    );
    assert!(
        fetched
            .contains("* 2 FETCH (UID 13 INTERNALDATE \"01-Mar-2024 09:00:00 +0000\" RFC822.SIZE "),
        "{fetched}"
    );
    assert!(
        fetched.contains("BODY[HEADER.FIELDS (Subject To)]<0> {"),
        "{fetched}"
    );
    assert!(fetched.contains("Subject: Update: change of bail date\r\n\r\n)\r\na OK"));
    assert_eq!(fetched.matches(" FETCH (").count(), 2);
    let body = client.says("UID FETCH 19 BODY.PEEK[]<0.5>");
    assert_eq!(
        body,
        "* 4 FETCH (UID 19 BODY[]<0> {5}\r\nFrom:)\r\na OK fetched\r\n"
    );
    assert!(client.says("LOGOUT").starts_with("* BYE"));
    let log = server.log();
    assert_eq!((log.connections(), log.count("UID FETCH")), (1, 2));
    assert_eq!((log.asked(13, "HEADER"), log.asked(uid(3), "BODY")), (1, 2));
}

#[test]
fn a_name_in_a_literal_and_a_part_of_a_mail_are_understood() {
    let mails = Mailbox::new().mail(|m| westminster(m).attachment("list.xlsx"));
    let server = Script::empty()
        .folder(Folder::new("A \"quoted\" \\ name").mails(&mails))
        .start();
    let mut client = Client::inside(&server);
    client.0.write_all(b"b EXAMINE {17}\r\n").unwrap();
    client.until("+ go on\r\n");
    client.0.write_all(b"A \"quoted\" \\ name\r\n").unwrap();
    assert!(client.until("examined\r\n").contains("b OK [READ-ONLY]"));
    let mime = client.says("UID FETCH 10 (BODY.PEEK[2.MIME])");
    assert!(
        mime.contains("BODY[2.MIME] {") && mime.contains("filename=\"list.xlsx\""),
        "{mime}"
    );
    let text = client.says("UID FETCH 10 (BODY.PEEK[1])");
    assert!(text.contains("}\r\nDear all,\r\n"), "{text}");
    assert!(text.ends_with("DC Ashdown)\r\na OK fetched\r\n"), "{text}");
}

#[test]
fn whatever_could_change_a_mailbox_is_refused_and_written_down() {
    let server = script().start();
    let mut client = Client::inside(&server);
    client.says("EXAMINE Sent");
    let forbidden = [
        "SELECT Sent",
        "UID STORE 10 +FLAGS (\\Seen)",
        "UID FETCH 10 (BODY[])",
        "UID FETCH 10 (RFC822)",
        "UID FETCH 10 ALL",
        "FETCH 1 (BODY.PEEK[])",
        "EXPUNGE",
        "CLOSE",
        "APPEND Sent {3+}\r\nabc",
        "LIST \"\" \"*\" RETURN (STATUS (MESSAGES))",
        "NAMESPACE",
        "ENABLE UTF8=ACCEPT",
    ];
    for line in forbidden {
        let answer = client.says(line);
        assert!(answer.starts_with("a BAD"), "{line}: {answer}");
    }
    assert_eq!(server.take_violations().len(), forbidden.len());
}

#[test]
fn a_fault_comes_when_it_is_due_and_not_again() {
    let server = script()
        .fault(nth(Kind::Fetch, 2), Fault::Half(Then::Close))
        .fault(once(Kind::Status), Fault::Instead(Then::Bye("enough")))
        .fault(once(Kind::Fetch).uid(13), Fault::Shape(Shape::Gone))
        .start();
    let fetch = "UID FETCH 1:* (UID BODY.PEEK[HEADER])";
    let mut client = Client::inside(&server);
    client.says("EXAMINE Sent");
    let first = client.says(fetch);
    assert_eq!(first.matches(" FETCH (").count(), 3, "13 is gone: {first}");
    let second = client.says(fetch);
    assert_eq!(second.matches(" FETCH (").count(), 3, "{second}");
    assert!(!second.ends_with('\n'), "cut inside a literal: {second}");
    let mut client = Client::inside(&server);
    assert_eq!(server.unplayed().len(), 1);
    assert_eq!(client.says("STATUS Sent (MESSAGES)"), "* BYE enough\r\n");
    assert!(server.unplayed().is_empty());
    let mut client = Client::inside(&server);
    client.says("EXAMINE Sent");
    let whole = client.says(fetch);
    assert_eq!(whole.matches(" FETCH (").count(), 4, "{whole}");
    assert_eq!(server.log().connections(), 3);
}

#[test]
fn who_was_refused_by_a_fault_is_not_inside() {
    let no = |kind| (once(kind), Fault::Refuse("NO not now", Then::Stay));
    let (login, examine) = (no(Kind::Login), no(Kind::Examine));
    let server = script()
        .fault(login.0, login.1)
        .fault(examine.0, examine.1)
        .start();
    let mut client = Client::new(&server);
    client.until("ready\r\n");
    let login = format!("LOGIN u {}", quoted(PASSWORD));
    assert_eq!(client.says(&login), "a NO not now\r\n");
    assert_eq!(client.says("EXAMINE Sent"), "a BAD not here\r\n");
    assert_eq!(client.says(&login), "a OK welcome\r\n");
    assert_eq!(client.says("EXAMINE Sent"), "a NO not now\r\n");
    assert_eq!(client.says("UID FETCH 10 (UID)"), "a BAD not here\r\n");
    assert_eq!(server.take_violations().len(), 2);
}

#[test]
fn tokens_and_authorisation_identities_are_told_apart() {
    let server = script()
        .capabilities("IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER")
        .tokens(&["one", "two"])
        .start();
    let tries = |mechanism: &str, line: &str| {
        let mut client = Client::new(&server);
        client.until("ready\r\n");
        let start = format!("a AUTHENTICATE {mechanism}\r\n");
        client.0.write_all(start.as_bytes()).unwrap();
        client.until("+ \r\n");
        let line = format!("{}\r\n", STANDARD.encode(line));
        client.0.write_all(line.as_bytes()).unwrap();
        let mut text = client.until("\r\n");
        if text.starts_with("+ ") {
            let end = ["AQ==\r\n", "\r\n"][usize::from(mechanism == "XOAUTH2")];
            client.0.write_all(end.as_bytes()).unwrap();
            text = client.until("\r\n");
        }
        text.starts_with("a OK")
    };
    let plain = |authzid: &str, authcid: &str| format!("{authzid}\0{authcid}\0{PASSWORD}");
    assert!(tries("PLAIN", &plain("", "u")) && tries("PLAIN", &plain("u", "scanner")));
    assert!(!tries("PLAIN", &plain("nobody", "scanner")) && !tries("PLAIN", &plain("bob", "u")));
    assert!(!tries("PLAIN", "\0u\0wrong"));
    assert!(tries("XOAUTH2", "user=u\u{1}auth=Bearer one\u{1}\u{1}"));
    assert!(!tries("XOAUTH2", "user=u\u{1}auth=Bearer three\u{1}\u{1}"));
    let bearer = "n,a=u,\u{1}host=127.0.0.1\u{1}port=143\u{1}auth=Bearer";
    assert!(tries("OAUTHBEARER", &format!("{bearer} two\u{1}\u{1}")));
    assert!(!tries("OAUTHBEARER", &format!("{bearer} three\u{1}\u{1}")));
}

#[test]
fn compressed_from_the_answer_on() {
    let server = script().capabilities("IMAP4rev1 COMPRESS=DEFLATE").start();
    let mut client = Client::inside(&server);
    assert_eq!(client.says("COMPRESS DEFLATE"), "a OK deflate\r\n");
    let mut deflate = flate2::Compress::new(flate2::Compression::fast(), false);
    let mut inflate = flate2::Decompress::new(false);
    for line in ["a EXAMINE Sent\r\n", "a UID FETCH 1:* (BODY.PEEK[])\r\n"] {
        let mut out = Vec::with_capacity(4096);
        deflate
            .compress_vec(line.as_bytes(), &mut out, flate2::FlushCompress::Sync)
            .unwrap();
        client.0.write_all(&out).unwrap();
        let mut text = Vec::with_capacity(1 << 20);
        while !text.ends_with(b"examined\r\n") && !text.ends_with(b"fetched\r\n") {
            let mut buffer = [0; 4096];
            let n = client.0.read(&mut buffer).unwrap();
            inflate
                .decompress_vec(&buffer[..n], &mut text, flate2::FlushDecompress::Sync)
                .unwrap();
        }
    }
}

/// What one FETCH of three messages is answered with, the fault being at the second.
fn spoilt(fault: Fault) -> String {
    let server = script().fault(once(Kind::Headers).uid(13), fault).start();
    let mut client = Client::inside(&server);
    client.says("EXAMINE Sent");
    client.says("UID FETCH 10:16 (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
}

#[test]
fn each_spoilt_answer_looks_as_it_should() {
    const PROPER: &str = "* 2 FETCH (UID 13 INTERNALDATE \"01-Mar-2024 09:00:00 +0000\" RFC822.SIZE 312 \
                          BODY[HEADER.FIELDS (SUBJECT)] {34}\r\nSubject: Note 1 about the rota\r\n\r\n)\r\n* 3";
    let proper = spoilt(Fault::Without("nothing such"));
    assert!(proper.contains(PROPER), "{proper}");
    let shape = |shape| spoilt(Fault::Shape(shape));
    let rows = [
        (shape(Shape::Length(9)), "{43}\r\nSubject: Note 1"),
        (shape(Shape::Length(-7)), "{27}\r\nSubject: Note 1"),
        (shape(Shape::DateNil), "13 INTERNALDATE NIL RFC822"),
        (
            shape(Shape::Item("EMAILID (x)")),
            "(UID 13 EMAILID (x) INTER",
        ),
        (shape(Shape::Size(5_000_000_000)), "SIZE 5000000000 BODY"),
        (shape(Shape::Nil), "(SUBJECT)] NIL)\r\n* 3"),
        (
            shape(Shape::Quoted),
            "] \"Subject: Note 1 about the rota\r\n\r\n\")",
        ),
        (shape(Shape::UidLast), "rota\r\n\r\n UID 13)"),
        (
            shape(Shape::Split),
            "* 2 FETCH (UID 13)\r\n* 2 FETCH (UID 13 INT",
        ),
        (
            shape(Shape::SplitBare),
            "* 2 FETCH (UID 13)\r\n* 2 FETCH (INT",
        ),
        (spoilt(Fault::Tag("z9")), "\r\nz9 OK fetched\r\n"),
        (
            spoilt(Fault::Before(b"* 5 EXPUNGE\r\n".to_vec())),
            "* 5 EXPUNGE\r\n* 1 FETCH",
        ),
        (spoilt(Fault::Ends(b"OK done {5}")), "\r\na OK done {5}\r\n"),
        (spoilt(Fault::Swap("Note 1", "Nota 1")), "Nota 1 about"),
        (
            spoilt(Fault::After(Then::Bye("enough"))),
            "a OK fetched\r\n* BYE enough\r\n",
        ),
        (
            spoilt(Fault::Refuse("NO later", Then::Bye("14"))),
            "a NO later\r\n* BYE 14\r\n",
        ),
        (
            spoilt(Fault::Expire),
            "* BYE Session invalidated - AccessTokenExpired\r\n",
        ),
        (
            spoilt(Fault::Half(Then::Bye("idle"))),
            "rota\r\n\r\n)\r\n* BYE idle\r\n",
        ),
    ];
    for (answer, due) in &rows {
        assert!(answer.contains(due), "no {due:?} in {answer:?}");
        assert!(!proper.contains(due), "{due:?} is nothing special");
    }
    let half = spoilt(Fault::Half(Then::Close));
    assert!(half.ends_with("Subject: Note 1 a"), "{half:?}");
    assert!(!spoilt(Fault::Without("UID 13")).contains("* 2 FETCH"));
    assert_eq!(spoilt(Fault::Instead(Then::Close)), "");
    assert_eq!(spoilt(Fault::Renumber), "");
}

#[test]
fn floods_drips_and_few_commands_are_what_they_say() {
    let server = script()
        .at_most(2)
        .fault(once(Kind::Examine), Fault::Pour(b"* OK endless "))
        .fault(once(Kind::Status), Fault::Drip)
        .fault(once(Kind::List), Fault::Instead(Then::Hang))
        .start();
    let mut client = Client::inside(&server);
    client.0.write_all(b"a EXAMINE Sent\r\n").unwrap();
    let mut flood = vec![0; 10 << 20];
    client.0.read_exact(&mut flood).unwrap();
    assert!(flood.starts_with(b"* OK endless xxx") && flood.ends_with(b"xxx"));
    let start = Instant::now();
    let mut client = Client::inside(&server);
    client.says("STATUS Sent (MESSAGES)");
    assert!(start.elapsed() > Duration::from_secs(4), "it drips");
    client.0.write_all(b"a LIST \"\" *\r\n").unwrap();
    client
        .0
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert_eq!(client.until("never"), "", "it hangs");
    let mut client = Client::inside(&server);
    client.says("NOOP");
    client.says("NOOP");
    assert_eq!(client.says("NOOP"), "* BYE too many commands\r\n");
}
