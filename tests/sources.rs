//! Where mail comes from: the kind of store never changes what is found in it.

use crate::builders::{
    Case, Eol, FORCE, Mail, Mailbox, Quoting, Run, Store, column, gzip, people, tar, victims,
    westminster, zip, zstd,
};
use std::collections::BTreeSet;

/// Thirty ordinary mails and the one.
fn mailbox() -> Mailbox {
    Mailbox::ordinary(30).mail(westminster)
}

/// What no store may change: the ids of the exposure and of its people.
fn ids(case: &Case) -> (BTreeSet<String>, BTreeSet<String>) {
    (
        column(&case.messages(), "exposure_id"),
        column(&case.people(), "person_id"),
    )
}

#[track_caller]
fn gives_the_same(store: &Store) {
    let plain = Run::scan(mailbox().mbox().path()).org(FORCE).ok();
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!(case.found(), ["westminster"], "{}", case.output.stdout);
    assert_eq!(case.count("read"), 31);
    assert_eq!(ids(&case), ids(&plain), "the ids depend on the store");
    assert_eq!(case.people().len(), 18);
}

#[test]
fn an_mboxrd_shows_the_eighteen() {
    let case = Run::scan(mailbox().mbox().path()).org(FORCE).ok();
    assert_eq!(
        case.exposed(),
        victims().into_iter().map(|v| v.address).collect()
    );
}

#[test]
fn an_mboxo_gives_the_same() {
    gives_the_same(&mailbox().mboxo());
}

#[test]
fn an_mboxcl_gives_the_same() {
    gives_the_same(&mailbox().mboxcl());
}

#[test]
fn an_mboxcl2_gives_the_same() {
    gives_the_same(&mailbox().mboxcl2());
}

#[test]
fn an_mbox_with_windows_line_ends_gives_the_same() {
    gives_the_same(&mailbox().crlf());
}

#[test]
fn an_mbox_of_a_classic_mac_gives_the_same() {
    gives_the_same(&mailbox().bare_cr());
}

#[test]
fn an_mbox_that_begins_with_a_byte_order_mark_gives_the_same() {
    gives_the_same(&Store::file(
        "Sent.mbox",
        [b"\xef\xbb\xbf".to_vec(), mailbox().rd()].concat(),
    ));
}

#[test]
fn a_maildir_gives_the_same() {
    gives_the_same(&mailbox().maildir());
}

#[test]
fn a_maildir_plus_plus_gives_the_same() {
    gives_the_same(&mailbox().maildir_plus());
}

#[test]
fn a_folder_of_eml_files_gives_the_same() {
    gives_the_same(&mailbox().eml());
}

#[test]
fn apple_mails_emlx_files_give_the_same() {
    gives_the_same(&mailbox().emlx());
}

#[test]
fn an_apple_mail_package_gives_the_same() {
    gives_the_same(&mailbox().package());
}

#[test]
fn a_gzipped_mbox_gives_the_same() {
    gives_the_same(&mailbox().gzip());
}

#[test]
fn a_zstd_compressed_mbox_gives_the_same() {
    gives_the_same(&mailbox().zstd());
}

#[test]
fn a_zip_gives_the_same() {
    gives_the_same(&mailbox().zip());
}

#[test]
fn a_tar_gives_the_same() {
    gives_the_same(&mailbox().tar());
}

#[test]
fn a_gzipped_tar_gives_the_same() {
    gives_the_same(&mailbox().tar_gz());
}

#[test]
fn a_zip_of_eml_files_gives_the_same() {
    let files = mailbox()
        .each()
        .enumerate()
        .map(|(i, mail)| (format!("export/{i:03}.eml"), mail))
        .collect::<Vec<_>>();
    gives_the_same(&Store::file("export.zip", zip(files)));
}

#[test]
fn a_maildir_in_a_gzipped_tar_gives_the_same() {
    gives_the_same(&Store::file(
        "home.tgz",
        gzip(&tar(mailbox().in_maildir("Maildir/.Sent"))),
    ));
}

#[test]
fn an_mbox_in_a_gzip_in_a_zip_in_a_tar_gives_the_same() {
    let inner = zip([("old/Sent.mbox.gz", gzip(&mailbox().rd()))]);
    gives_the_same(&Store::file("backup.tar", tar([("officer.zip", inner)])));
}

#[test]
fn an_mbox_compressed_by_zstd_inside_a_gzip_gives_the_same() {
    gives_the_same(&Store::file("twice.gz", gzip(&zstd(&mailbox().rd()))));
}

#[test]
fn a_gzip_of_several_members_gives_the_same() {
    let (early, late) = (
        Mailbox::ordinary(30),
        Mailbox::numbered_from(30).mail(westminster),
    );
    gives_the_same(&Store::file(
        "joined.mbox.gz",
        [gzip(&early.rd()), gzip(&late.rd())].concat(),
    ));
}

#[test]
fn a_store_is_known_by_its_content_and_not_by_its_name() {
    gives_the_same(&Store::file("holiday.jpg", mailbox().rd()));
    gives_the_same(&Store::file("Sent.mbox", gzip(&mailbox().rd())));
    gives_the_same(&Store::file(
        "letters.txt",
        zip([("a.doc", mailbox().rd())]),
    ));
}

#[test]
fn one_mail_in_a_file_is_a_source() {
    let mail = westminster(Mail::new(0)).bytes();
    let case = Run::scan(Store::file("change of bail date.eml", mail).path())
        .org(FORCE)
        .ok();
    assert_eq!((case.found().len(), case.count("read")), (1, 1));
}

#[test]
fn standard_input_is_a_source_called_dash() {
    let case = Run::scan("-").org(FORCE).stdin(mailbox().rd()).ok();
    assert_eq!(case.found(), ["westminster"]);
    assert_eq!(case.only_message()["source"].trim_start_matches('\''), "-");
    let zipped = Run::scan("-").org(FORCE).stdin(gzip(&mailbox().rd())).ok();
    assert_eq!(ids(&zipped), ids(&case));
}

#[test]
fn several_sources_are_one_mailbox() {
    let other = Mailbox::numbered_from(500).background(10).mail(|m| {
        m.id("second@force.example")
            .cc(people(30, 8))
            .subject("Survivors' group: dates")
            .body("Dear survivors of abuse, we meet on Monday.")
    });
    let (one, two) = (mailbox().mbox(), other.eml());
    let case = Run::scan(one.path()).arg(two.path()).org(FORCE).ok();
    assert_eq!(
        BTreeSet::from_iter(case.found()),
        BTreeSet::from(["second".into(), "westminster".into()])
    );
    assert_eq!(case.count("read"), 31 + 11);
    assert_eq!(case.manifest()["sources"].as_array().unwrap().len(), 2);
    assert_eq!(case.people().len(), 18 + 30);
}

#[test]
fn a_folder_is_walked_and_what_is_no_mail_in_it_is_counted_and_no_error() {
    let store = Store::folder([
        ("2023/Sent.mbox", Mailbox::ordinary(10).rd()),
        (
            "2024/Sent.mbox",
            Mailbox::numbered_from(100).mail(westminster).rd(),
        ),
        (
            "2024/photo.jpg",
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01".to_vec(),
        ),
        ("read me.txt", b"This is not mail.\n".to_vec()),
        ("empty", Vec::new()),
    ]);
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!((case.found().len(), case.count("read")), (1, 11));
    assert!(case.count("not_mail") >= 2, "{}", case.manifest()["counts"]);
    assert!(case.unread().is_empty(), "{:?}", case.unread());
}

#[test]
fn an_empty_mailbox_is_no_error() {
    let files = ["Maildir/cur/", "Maildir/new/", "Maildir/tmp/", "Inbox.mbox"];
    let store = Store::folder(files.map(|name| (name, "")));
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!((case.count("read"), case.messages().len()), (0, 0));
    let named = Run::scan(store.path().join("Inbox.mbox")).org(FORCE).ok();
    assert_eq!(named.count("read"), 0);
}

#[test]
fn new_mail_of_a_maildir_is_read_and_a_half_delivered_one_is_not() {
    let mail = westminster(Mail::new(0)).bytes();
    let other = Mail::new(1).to(["colleague@force.example"]).bytes();
    let store = Store::folder([
        ("cur/", Vec::new()),
        ("new/170.M1P1.host", mail),
        ("tmp/171.M2P1.host", other),
    ]);
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!((case.found().len(), case.count("read")), (1, 1));
}

#[test]
fn hidden_files_of_a_maildir_are_no_mail() {
    let mut files = mailbox().in_maildir("Sent");
    files.push(("Sent/cur/.nfs000123".into(), b"anything".to_vec()));
    files.push(("Sent/new/.directory".into(), Vec::new()));
    gives_the_same(&Store::folder(files));
}

#[test]
fn thunderbirds_deleted_but_not_compacted_mail_is_read() {
    let mailbox = Mailbox::ordinary(5).mail(|m| westminster(m).header("X-Mozilla-Status", "0009"));
    let store = Store::folder([
        ("Profiles/x.default/Mail/Local Folders/Sent", mailbox.rd()),
        (
            "Profiles/x.default/Mail/Local Folders/Sent.msf",
            b"// <!-- <mdb:mork:z v=\"1.4\"/> -->\n".to_vec(),
        ),
        (
            "Profiles/x.default/Mail/Local Folders/Sent.sbd/2023",
            Mailbox::numbered_from(50).background(5).rd(),
        ),
    ]);
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!(
        (case.found(), case.count("read")),
        (vec!["westminster".into()], 11)
    );
}

#[test]
fn a_takeout_says_by_its_labels_which_mail_was_sent() {
    let strangers = people(40, 6);
    let mailbox = Mailbox::new()
        .mails(0..20, |m, _| {
            let m = m
                .from("Bulletin <news@elsewhere.example>")
                .to(["robin.ashdown@force.example"]);
            m.header("X-Gmail-Labels", "Inbox,Unread")
        })
        .mail(|m| {
            let m = m
                .from("Somebody <x@elsewhere.example>")
                .cc(&strangers)
                .id("inbox@elsewhere.example");
            m.header("X-Gmail-Labels", "Inbox,Opened")
        })
        .mail(|m| westminster(m).header("X-Gmail-Labels", "Sent,Important"))
        .background(9);
    let store = Store::file(
        "takeout.zip",
        zip([(
            "Takeout/Mail/All mail Including Spam and Trash.mbox",
            mailbox.rd(),
        )]),
    );
    let case = Run::scan(store.path()).ok();
    assert_eq!(
        case.found(),
        ["westminster"],
        "the organisation is taken from sent mail: {}",
        case.output.stdout
    );
    let sent_only = Run::scan(store.path())
        .arg("--sent-only")
        .arg("--received")
        .ok();
    assert_eq!(sent_only.found(), ["westminster"]);
}

#[test]
fn a_gmail_draft_was_never_sent() {
    let mailbox = Mailbox::ordinary(5).mail(|m| westminster(m).header("X-Gmail-Labels", "Drafts"));
    let case = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    assert!(case.messages().is_empty());
    assert_eq!(case.count("received"), 1);
}

#[test]
fn archives_nested_beyond_reason_are_listed_and_not_followed() {
    let deep = (0..40).fold(mailbox().rd(), |inner, _| zip([("inner.zip", inner)]));
    let store = Store::folder([("deep.zip", deep), ("Sent.mbox", Mailbox::ordinary(3).rd())]);
    let case = Run::scan(store.path()).org(FORCE).exits(3);
    assert_eq!(case.count("read"), 3 + case.count("unread"));
    assert_eq!(case.unread().len(), 1, "{:?}", case.unread());
}

#[test]
fn an_mbox_of_several_megabytes_is_read_whole_by_several_workers() {
    let filler = "A line that is there to fill the page, and is not quoted.\n".repeat(40);
    let mailbox = Mailbox::new().mails(0..3000, |m, i| {
        m.to([format!("colleague{i}@force.example")]).body(&filler)
    });
    let store = Store::file(
        "Sent.mbox",
        mailbox.mail(westminster).bytes(Quoting::Rd, Eol::Lf),
    );
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--jobs")
        .arg("4")
        .ok();
    assert_eq!((case.found().len(), case.count("read")), (1, 3001));
}
