//! Where a finding stands, so that an independent person can find it again: source, folder, position, hash, time.

use crate::builders::{
    Eol, FORCE, Mail, Mailbox, Quoting, Row, Run, Store, gzip, tar, westminster, zip,
};
use sha2::{Digest, Sha256};

fn mailbox() -> Mailbox {
    Mailbox::ordinary(7).mail(westminster).background(7)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What `dd` would cut out of the innermost file.
fn cut<'a>(file: &'a [u8], row: &Row) -> &'a [u8] {
    let (offset, length) = row["position"].split_once('+').expect("offset+length");
    let offset: usize = offset.parse().unwrap();
    &file[offset..offset + length.parse::<usize>().unwrap()]
}

/// The message as it must stand in an mbox with these line ends.
fn stored(eol: &str) -> String {
    let mail = String::from_utf8(westminster(Mail::new(7)).bytes()).unwrap();
    mail.replace("\r\n", eol)
}

#[test]
fn dd_at_the_position_gives_the_bytes_of_the_hash() {
    for (eol, text) in [(Eol::Lf, "\n"), (Eol::Crlf, "\r\n"), (Eol::Cr, "\r")] {
        let file = mailbox().bytes(Quoting::Rd, eol);
        let row = Run::scan(Store::file("Sent.mbox", &file).path())
            .org(FORCE)
            .ok()
            .only_message();
        assert_eq!(
            String::from_utf8_lossy(cut(&file, &row)),
            stored(text),
            "{eol:?}"
        );
        assert_eq!(sha256(cut(&file, &row)), row["sha256"], "{eol:?}");
    }
}

#[test]
fn the_last_message_of_an_mbox_reaches_to_the_end_of_the_file() {
    let file = Mailbox::ordinary(3).mail(westminster).rd();
    let row = Run::scan(Store::file("Sent.mbox", &file).path())
        .org(FORCE)
        .ok()
        .only_message();
    let (offset, length) = row["position"].split_once('+').unwrap();
    assert_eq!(
        offset.parse::<usize>().unwrap() + length.parse::<usize>().unwrap(),
        file.len()
    );
    assert_eq!(sha256(cut(&file, &row)), row["sha256"]);
}

#[test]
fn a_position_in_an_archive_counts_the_bytes_of_the_decompressed_innermost_file() {
    let file = mailbox().rd();
    let gz = Store::file("Sent.mbox.gz", gzip(&file));
    let nested = Store::file(
        "all.tar",
        tar([("officer.zip", zip([("Mail/Sent.mbox", &file)]))]),
    );
    for store in [gz, nested] {
        let row = Run::scan(store.path()).org(FORCE).ok().only_message();
        assert_eq!(sha256(cut(&file, &row)), row["sha256"]);
    }
}

#[test]
fn the_folder_is_the_chain_inside_the_source_joined_at_each_archive() {
    let file = mailbox().rd();
    let row = Run::scan(mailbox().zip().path())
        .org(FORCE)
        .ok()
        .only_message();
    assert_eq!(&row["folder"], "Takeout/Mail/Sent.mbox");
    let nested = Store::file(
        "all.tar",
        tar([("home/officer.zip", zip([("Mail/Sent.mbox", &file)]))]),
    );
    let row = Run::scan(nested.path()).org(FORCE).ok().only_message();
    assert_eq!(&row["folder"], "home/officer.zip!Mail/Sent.mbox");
    let row = Run::scan(mailbox().mbox().path())
        .org(FORCE)
        .ok()
        .only_message();
    assert_eq!(&row["folder"], "", "the source is itself the folder");
}

#[test]
fn a_message_in_a_maildir_or_a_folder_of_eml_stands_at_its_path() {
    let store = mailbox().eml();
    let row = Run::scan(store.path()).org(FORCE).ok().only_message();
    let path = store.path().join(&row["folder"]).join(&row["position"]);
    assert_eq!(sha256(&std::fs::read(path).unwrap()), row["sha256"]);
    let store = mailbox().maildir();
    let row = Run::scan(store.path()).org(FORCE).ok().only_message();
    let path = store.path().join(&row["folder"]).join(&row["position"]);
    assert_eq!(sha256(&std::fs::read(path).unwrap()), row["sha256"]);
}

#[test]
fn the_source_stands_as_it_was_given() {
    let store = Store::folder([("mail/Sent.mbox", mailbox().rd())]);
    let case = Run::scan("mail/Sent.mbox")
        .within(store.path())
        .org(FORCE)
        .ok();
    assert_eq!(&case.only_message()["source"], "mail/Sent.mbox");
}

#[test]
fn the_same_message_in_two_places_counts_once_and_both_places_are_recorded() {
    let (one, two) = (mailbox().mbox(), mailbox().maildir());
    let case = Run::scan(one.path()).arg(two.path()).org(FORCE).ok();
    let row = case.only_message();
    let both = [&row["source"], &row["also_at"]].concat();
    assert!(
        both.contains(&one.text()) && both.contains(&two.text()),
        "{both}"
    );
    assert_eq!(case.count("duplicates"), 15);
    assert_eq!(case.people()[0].number("exposures"), 1);
}

#[test]
fn what_a_store_adds_or_drops_makes_no_other_message() {
    let copy = Mailbox::new().mail(|m| {
        let m = westminster(m).header("Received", "from a by b; Sun, 10 Mar 2024 09:00:07 +0000");
        m.header("X-UID", "77")
            .header("Status", "RO")
            .header("X-Mozilla-Status", "0001")
            .header("Content-Length", "12")
    });
    let case = Run::scan(mailbox().mbox().path())
        .arg(copy.mbox().path())
        .org(FORCE)
        .ok();
    assert_eq!((case.found().len(), case.count("duplicates")), (1, 1));
}

#[test]
fn without_a_message_id_the_text_tells_two_mails_apart() {
    let mailbox = Mailbox::new()
        .mail(|m| westminster(m).id(""))
        .mail(|m| westminster(m).id(""))
        .mail(|m| {
            westminster(m)
                .id("")
                .body("Dear complainants, the bail date moved again.")
        });
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    assert_eq!((case.messages().len(), case.count("duplicates")), (2, 1));
}

#[test]
fn without_a_message_id_quoting_and_line_ends_make_no_other_message() {
    let body =
        "Dear complainants,\nFrom Monday the bail date is the 9th.\n>From there on see below.";
    let mailbox = Mailbox::new().mail(|m| westminster(m).id("").body(body));
    let stores = [
        mailbox.mbox(),
        mailbox.mboxcl2(),
        mailbox.crlf(),
        mailbox.eml(),
        mailbox.maildir(),
    ];
    let case = Run::scan_all(stores.iter().map(Store::path))
        .org(FORCE)
        .ok();
    assert_eq!((case.messages().len(), case.count("duplicates")), (1, 4));
}

#[test]
fn the_time_is_the_date_header_in_utc() {
    let mailbox = Mailbox::new().mail(|m| westminster(m).date("Sat, 9 Mar 2024 11:30:05 +0130"));
    assert_eq!(
        &Run::scan(mailbox.mbox().path())
            .org(FORCE)
            .ok()
            .only_message()["sent"],
        "2024-03-09T10:00:05Z"
    );
}

#[test]
fn an_implausible_date_gives_way_to_the_newest_received_and_then_to_the_separator() {
    let late = |m: Mail| westminster(m).date("Fri, 1 Jan 2083 00:00:00 +0000");
    let received = Mailbox::ordinary(3).mail(|m| {
        let m = late(m).header("Received", "from b by c; Sat, 9 Mar 2024 10:00:09 +0000");
        m.header("Received", "from a by b; Sat, 9 Mar 2024 10:00:05 +0000")
    });
    assert_eq!(
        &Run::scan(received.mbox().path())
            .org(FORCE)
            .ok()
            .only_message()["sent"],
        "2024-03-09T10:00:09Z"
    );
    let separator = Mailbox::ordinary(3).mail(late);
    assert_eq!(
        &Run::scan(separator.mbox().path())
            .org(FORCE)
            .ok()
            .only_message()["sent"],
        "2024-03-01T09:00:00Z"
    );
    let nothing = Mailbox::ordinary(3).mail(|m| westminster(m).date(""));
    assert_eq!(
        &Run::scan(nothing.eml().path())
            .org(FORCE)
            .ok()
            .only_message()["sent"],
        ""
    );
}
