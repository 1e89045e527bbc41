//! What reading an account may cost at most: each question is asked once, and memory does not grow with what a server says.

use crate::builders::faulty::{Fault, Folder, Kind, Script, Shape, Watch, always, uid};
use crate::builders::{FORCE, Mail, Mailbox, westminster};
use crate::imap_faults::account;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

/// A list that is known by its text, of so many bytes.
fn list(number: usize, bytes: usize) -> impl Fn(Mail) -> Mail {
    move |m| {
        let text = "Nothing is said in this line of the letter.\n".repeat(bytes / 45);
        westminster(m)
            .id(&format!("list{number}@force.example"))
            .body(&format!(
                "{text}\nIt is about your victim personal statement."
            ))
    }
}

/// All of `Sent` is read over one connection, and no text is asked for twice.
#[track_caller]
fn asks_once(script: Script, texts: &[usize]) {
    let server = script.start();
    let case = Watch::scan(&server).run().case(0);
    let log = server.log();
    assert_eq!(case.found().len(), texts.len());
    assert_eq!(log.connections(), 1, "{:#?}", log.lines());
    for at in texts {
        assert_eq!(log.asked(uid(*at), "BODY.PEEK[]<0."), 1, "text of {at}");
    }
}

#[test]
fn texts_are_asked_for_once_where_a_folder_is_read_in_one_window() {
    let later = Folder::new("Zebra").mails(&Mailbox::numbered_from(900).background(3));
    asks_once(account().folder(later), &[20]);
}

#[test]
fn texts_are_asked_for_once_where_they_are_more_than_one_answer_has_room_for() {
    // Windows are 500 messages, and one answer has room for some fifty of these texts.
    let lists = |from: usize| move |all: Mailbox, n: usize| all.mail(list(from + n, 60_000));
    let many = |all: Mailbox, from: usize| (0..60).fold(all, lists(from));
    // That of a message that is longer than one piece comes before them, so that they are not asked for in advance.
    let long = Mailbox::ordinary(10).mail(list(10, 80_000)).background(500);
    let all = many(many(long, 511).background(500), 1_071).background(600);
    let places: Vec<usize> = [10]
        .into_iter()
        .chain(511..571)
        .chain(1_071..1_131)
        .collect();
    asks_once(Script::new(&all), &places);
    // The same without it, and in one window.
    let one = many(Mailbox::ordinary(5), 5);
    asks_once(Script::new(&one), &(5..65).collect::<Vec<_>>());
}

/// The most memory that a scan may hold, in MB.
const MEMORY: u64 = 150;

/// A message without a Message-ID, of which all is wanted, so long that a hundred of them are not to be held at once.
fn attachment(number: usize, bytes: usize) -> impl Fn(Mail) -> Mail {
    move |m| {
        let base64 = format!("{}\r\n", "QUFB".repeat(18)).repeat(bytes / 74);
        m.raw(format!(
            "From: robin@{FORCE}\r\nTo: p{number}@inbox.test\r\nSubject: {number}\r\n\
             Date: Fri, 1 Mar 2024 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n\
             --b\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n\
             {base64}--b--\r\n"
        ))
    }
}

fn attachments(number: usize, bytes: usize) -> Mailbox {
    (0..number).fold(Mailbox::new(), |all, n| all.mail(attachment(n, bytes)))
}

#[test]
fn messages_of_which_all_is_wanted_are_not_held_at_once() {
    let mailbox = attachments(40, 5 << 20).mail(westminster);
    let server = Script::new(&mailbox).start();
    let ended = Watch::scan(&server).run();
    let peak = ended.peak;
    let case = ended.case(0);
    assert_eq!((case.count("judged"), case.found().len()), (41, 1));
    assert!(peak < MEMORY, "{peak} MB");
}

#[test]
fn a_server_that_gives_all_where_a_piece_is_asked_for_is_read_within_bounds() {
    let mailbox = attachments(30, 2 << 20).mail(list(30, 100_000));
    let whole = Watch::scan(&Script::new(&mailbox).start()).run().case(0);
    let server = Script::new(&mailbox)
        .fault(always(Kind::Fetch), Fault::Shape(Shape::All))
        .start();
    let ended = Watch::scan(&server).run();
    let peak = ended.peak;
    let case = ended.case(0);
    assert_eq!(case.count("judged"), whole.count("judged"));
    assert_eq!(case.exposed(), whole.exposed());
    assert_eq!(
        case.only_message()["sha256"],
        whole.only_message()["sha256"]
    );
    assert!(peak < MEMORY, "{peak} MB");
}

#[test]
fn a_server_that_talks_without_end_before_starttls_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        // The connection is tried twice.
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            stream.write_all(b"* OK hi\r\n").unwrap();
            let _ = stream.read(&mut [0; 100]);
            let line = [&b"* X "[..], &b"a".repeat(2000), b"\r\n"].concat();
            let lines = line.repeat(100);
            let mut sent = 0;
            while sent < 500 << 20 && stream.write_all(&lines).is_ok() {
                sent += lines.len();
            }
            assert!(sent < 100 << 20, "it took {sent} bytes");
        }
    });
    let ended = Watch::new("folders", &format!("imap://u@127.0.0.1:{port}")).run();
    let peak = ended.peak;
    let said = ended.refused();
    assert!(said.contains("more than 64 KB"), "{said}");
    assert!(peak < MEMORY, "{peak} MB");
    serving.join().unwrap();
}

#[test]
fn folders_that_nobody_asked_about_are_not_kept() {
    let script = (0..20).fold(account(), |script, n| {
        script.folder(Folder::new(format!("f{n}")))
    });
    let flood = b"* LIST () \"/\" x\r\n".repeat(200_000);
    let server = script
        .fault(always(Kind::Status), Fault::Before(flood))
        .start();
    let ended = Watch::folders(&server).run();
    let peak = ended.peak;
    ended.must_exit(0);
    assert!(peak < MEMORY, "{peak} MB");
}
