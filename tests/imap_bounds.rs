//! What reading an account may cost at most: each question is asked once, and memory does not grow with what a server says.

use crate::builders::faulty::{Folder, Script, Watch, uid};
use crate::builders::{Mail, Mailbox, westminster};
use crate::imap_faults::account;

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
