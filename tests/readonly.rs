//! Reading leaves no trace in what is read, and a case is for its owner only.

use crate::builders::{FORCE, Mailbox, Run, Store, westminster};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Everything below a folder: kind and mode, size, times of content and of state (not of access), the bytes.
fn state(at: &Path) -> BTreeMap<PathBuf, (u32, u64, [i64; 4], Vec<u8>)> {
    let about = fs::symlink_metadata(at).unwrap();
    let times = [
        about.mtime(),
        about.mtime_nsec(),
        about.ctime(),
        about.ctime_nsec(),
    ];
    let bytes = if about.is_file() {
        fs::read(at).unwrap()
    } else {
        Vec::new()
    };
    let mut all = BTreeMap::from([(at.to_owned(), (about.mode(), about.size(), times, bytes))]);
    if about.is_dir() {
        for entry in fs::read_dir(at).unwrap() {
            all.extend(state(&entry.unwrap().path()));
        }
    }
    all
}

fn modes(at: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = vec![(
        at.to_owned(),
        fs::metadata(at).unwrap().permissions().mode() & 0o777,
    )];
    if at.is_dir() {
        fs::read_dir(at)
            .unwrap()
            .for_each(|entry| found.extend(modes(&entry.unwrap().path())));
    }
    found
}

#[track_caller]
fn private(case: &Path) {
    for (path, mode) in modes(case) {
        let due = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, due, "{} is {mode:o}", path.display());
    }
}

#[test]
fn sources_keep_their_bytes_and_times_and_get_no_new_files() {
    let mailbox = Mailbox::ordinary(20).mail(westminster);
    for store in [
        mailbox.mbox(),
        mailbox.maildir(),
        mailbox.maildir_plus(),
        mailbox.eml(),
        mailbox.emlx(),
        mailbox.package(),
        mailbox.gzip(),
        mailbox.zstd(),
        mailbox.zip(),
        mailbox.tar_gz(),
    ] {
        let folder = if store.path().is_dir() {
            store.path()
        } else {
            store.path().parent().unwrap()
        };
        let before = state(folder);
        let case = Run::scan(store.path()).org(FORCE).ok();
        assert_eq!(case.found(), ["westminster"]);
        assert_eq!(before, state(folder), "{}", store.text());
    }
}

#[test]
fn new_mail_of_a_maildir_stays_new() {
    let store = Store::folder([
        ("cur/", vec![]),
        ("tmp/", vec![]),
        (
            "new/1.M1.host",
            Mailbox::new().mail(westminster).each().next().unwrap(),
        ),
    ]);
    let before = state(store.path());
    Run::scan(store.path()).org(FORCE).ok();
    assert_eq!(before, state(store.path()));
}

#[test]
fn a_file_that_nobody_may_write_to_is_read() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(
        store.path().parent().unwrap(),
        fs::Permissions::from_mode(0o500),
    )
    .unwrap();
    let found = Run::scan(store.path()).org(FORCE).ok().found();
    fs::set_permissions(
        store.path().parent().unwrap(),
        fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    assert_eq!(found, ["westminster"]);
}

#[test]
fn a_case_is_private_whatever_the_umask() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let case = Run::scan(store.path()).org(FORCE).after("umask 000").ok();
    private(case.path());
    let case = Run::scan(store.path())
        .org(FORCE)
        .onto(&case)
        .after("umask 000")
        .ok();
    private(case.path());
}

#[test]
fn a_case_in_an_empty_folder_that_others_may_read_is_made_private() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let run = Run::scan(store.path()).org(FORCE);
    fs::create_dir(run.case_path()).unwrap();
    fs::set_permissions(run.case_path(), fs::Permissions::from_mode(0o755)).unwrap();
    private(run.ok().path());
}

#[test]
fn a_worksheet_that_was_kept_aside_is_private_too() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let case = Run::scan(store.path()).org(FORCE).after("umask 000").ok();
    fs::write(
        case.path().join("people.csv"),
        case.text("people.csv").replace(",,", ","),
    )
    .unwrap();
    let case = Run::scan(store.path())
        .org(FORCE)
        .onto(&case)
        .after("umask 000")
        .ok();
    private(case.path());
}

#[test]
fn the_case_keeps_nobody_who_was_not_exposed_and_no_text_of_a_mail() {
    let mailbox = Mailbox::ordinary(30).mail(|m| {
        m.to(["\"Wilhelmina Quayle\" <wilhelmina.quayle@webmail.example>"])
            .body("The heron flies at midnight.")
    });
    let case = Run::scan(mailbox.mail(westminster).mbox().path())
        .org(FORCE)
        .ok();
    for entry in fs::read_dir(case.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for secret in [
            "wilhelmina",
            "quayle",
            "heron flies",
            "from here on all is well",
        ] {
            assert!(!text.contains(secret), "'{secret}' stands in the case");
        }
    }
}
