//! A case: private memory of one matter. It is added to, never mixed, never shared by two scans at once.

use crate::builders::{Case, EXPORTS, FORCE, Mailbox, Run, Store, people, westminster};
use std::fs;

fn first() -> Case {
    Run::scan(Mailbox::ordinary(20).mail(westminster).mbox().path())
        .org(FORCE)
        .ok()
}

fn more() -> Store {
    Mailbox::numbered_from(500)
        .background(5)
        .mail(|m| {
            m.cc(people(30, 8))
                .subject("Survivors' group: dates")
                .body("Dear survivors of abuse, we meet on Monday.")
        })
        .mbox()
}

#[test]
fn a_new_case_holds_its_tables_its_evidence_and_its_database() {
    let files = first().files();
    for name in EXPORTS.iter().chain(&["manifest.json", "case.db"]) {
        assert!(files.contains(*name), "{name} is missing from {files:?}");
    }
}

#[test]
fn a_case_of_another_format_is_refused_with_a_mend_and_left_as_it_was() {
    let case = first();
    let database = rusqlite::Connection::open(case.path().join("case.db")).unwrap();
    let older = "UPDATE meta SET value = '1' WHERE key = 'format'";
    assert_eq!(database.execute(older, []).unwrap(), 1);
    drop(database);
    let before = fs::read(case.path().join("case.db")).unwrap();
    let said = Run::scan(more().path()).onto(&case).org(FORCE).refused();
    assert!(
        said.stderr.contains("has format 1") && said.stderr.contains("into a new case with --case"),
        "{}",
        said.stderr
    );
    assert_eq!(fs::read(case.path().join("case.db")).unwrap(), before);
}

#[test]
fn every_table_is_rfc_4180_with_a_byte_order_mark() {
    let case = first();
    for name in EXPORTS {
        let text = case.text(name);
        assert!(text.starts_with('\u{feff}'), "{name} has no BOM");
        assert!(
            text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']),
            "line ends of {name}"
        );
    }
}

#[test]
fn the_manifest_tells_version_queries_sources_and_hashes() {
    let store = Mailbox::ordinary(20).mail(westminster).mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    let (manifest, text) = (case.manifest(), case.text("manifest.json"));
    assert!(
        text.contains(env!("CARGO_PKG_VERSION")) && text.contains(&store.text()),
        "{text}"
    );
    let hash: String = {
        use sha2::{Digest, Sha256};
        Sha256::digest(fs::read(store.path()).unwrap())
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect()
    };
    assert!(text.contains(&hash), "the source's hash: {text}");
    assert!(
        manifest["queries"]
            .as_array()
            .is_some_and(|q| q.len() >= 20),
        "{}",
        manifest["queries"]
    );
    let without = Run::scan(store.path())
        .org(FORCE)
        .arg("--no-source-hash")
        .ok();
    assert!(!without.text("manifest.json").contains(&hash));
}

#[test]
fn the_default_case_stands_where_the_scan_was_started() {
    let store = Store::folder([(
        "mail/Sent.mbox",
        Mailbox::ordinary(5).mail(westminster).rd(),
    )]);
    let run = || {
        Run::new(["scan", "mail", "--org", FORCE])
            .within(store.path())
            .output()
    };
    run().must_exit(0);
    assert!(store.path().join("ccspill-case/people.csv").exists());
    run().must_exit(0);
}

#[test]
fn a_case_inside_the_folder_that_is_scanned_is_no_source() {
    let store = Store::folder([("Sent.mbox", Mailbox::ordinary(5).mail(westminster).rd())]);
    let run = || {
        Run::new(["scan", ".", "--org", FORCE])
            .within(store.path())
            .output()
    };
    run().must_exit(0);
    let manifest = || {
        let bytes = fs::read(store.path().join("ccspill-case/manifest.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["counts"]["not_mail"].clone()
    };
    let before = manifest();
    run().must_exit(0);
    assert_eq!(before, manifest());
}

#[test]
fn a_case_is_added_to_and_the_first_line_says_so() {
    let case = first();
    let path = case.path().to_owned();
    let added = Run::scan(more().path()).org(FORCE).onto(&case).ok();
    assert_eq!((added.messages().len(), added.people().len()), (2, 48));
    let line = added.output.stdout.lines().next().unwrap().to_lowercase();
    assert!(
        line.contains("add") && line.contains(path.file_name().unwrap().to_str().unwrap()),
        "{line}"
    );
    assert!(
        !case.output.stdout.lines().next().unwrap().contains("add"),
        "{}",
        case.output.stdout
    );
}

#[test]
fn a_case_remembers_its_organisation() {
    let case = first();
    let before = case.exports();
    let output = Run::scan(more().path())
        .org("other.example")
        .onto(&case)
        .refused();
    assert!(
        output.stderr.contains("other.example") && output.stderr.contains(FORCE),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains("--rejudge"), "{}", output.stderr);
    assert_eq!(before, case.exports());
}

#[test]
fn a_case_remembers_its_threshold() {
    let case = first();
    let output = Run::scan(more().path())
        .org(FORCE)
        .arg("--min-confidence")
        .arg("80")
        .onto(&case)
        .refused();
    assert!(
        output.stderr.contains("80") && output.stderr.contains("50"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_case_remembers_its_queries() {
    let case = first();
    let output = Run::scan(more().path())
        .org(FORCE)
        .arg("--no-builtin-queries")
        .onto(&case)
        .refused();
    assert!(output.stderr.contains("quer"), "{}", output.stderr);
}

#[test]
fn a_case_remembers_its_roster() {
    let roster = Store::file("clinic.csv", "address\nx71q@inbox.test\n");
    let case = first();
    let output = Run::scan(more().path())
        .org(FORCE)
        .arg("--roster")
        .arg(roster.path())
        .onto(&case)
        .refused();
    assert!(output.stderr.contains("roster"), "{}", output.stderr);
}

#[test]
fn the_organisation_need_not_be_named_again() {
    let case = first();
    let added = Run::scan(more().path()).onto(&case).ok();
    assert_eq!(added.people().len(), 48);
}

#[test]
fn rejudge_applies_what_is_different() {
    let mailbox = Mailbox::ordinary(20)
        .mail(westminster)
        .mail(|m| m.to(people(14, 53)).subject("Change of room"));
    let store = mailbox.mbox();
    let scan = |threshold: &str| {
        let run = Run::scan(store.path()).org(FORCE);
        run.arg("--min-confidence").arg(threshold)
    };
    let case = scan("50").ok();
    assert_eq!(case.messages().len(), 2);
    let strict = scan("80").arg("--rejudge").onto(&case).ok();
    assert_eq!(strict.found(), ["westminster"]);
    let fresh = scan("80").ok();
    assert_eq!(
        fresh.exports(),
        strict.exports(),
        "as if it had been judged so from the start"
    );
    let back = scan("50").arg("--rejudge").onto(&strict).ok();
    assert_eq!(back.exports(), scan("50").ok().exports());
}

#[test]
fn a_folder_that_holds_something_else_is_refused_and_left_alone() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let run = Run::scan(store.path()).org(FORCE);
    let path = run.case_path().to_owned();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("holiday.txt"), "sun").unwrap();
    let home = Store::folder([("case/holiday.txt", "sun")]);
    let output = Run::new(["scan", "--case", "case"])
        .arg(store.path())
        .within(home.path())
        .refused();
    assert!(
        output.stderr.contains("case") && output.stderr.contains("try:"),
        "{}",
        output.stderr
    );
    let left: Vec<_> = fs::read_dir(home.path().join("case"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["holiday.txt"]);
    drop(run.refused());
}

#[test]
fn a_file_is_no_case() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let home = Store::folder([("case", "a file")]);
    Run::new(["scan", "--case", "case"])
        .arg(store.path())
        .within(home.path())
        .refused();
    assert_eq!(fs::read(home.path().join("case")).unwrap(), b"a file");
}

#[test]
fn a_database_of_something_else_is_no_case() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let home = Store::folder([(
        "case/case.db",
        "not a database at all, but long enough to look at\n".repeat(30),
    )]);
    let before = fs::read(home.path().join("case/case.db")).unwrap();
    Run::new(["scan", "--case", "case"])
        .arg(store.path())
        .within(home.path())
        .refused();
    assert_eq!(fs::read(home.path().join("case/case.db")).unwrap(), before);
}

#[test]
fn an_empty_folder_may_become_a_case() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let run = Run::scan(store.path()).org(FORCE);
    fs::create_dir(run.case_path()).unwrap();
    assert_eq!(run.ok().found(), ["westminster"]);
}

#[test]
fn a_case_in_a_folder_that_does_not_stand_yet_is_made() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let home = Store::folder([("here", "")]);
    let run = Run::new(["scan", "--org", FORCE, "--case", "new/deep/case"])
        .arg(store.path())
        .within(home.path());
    run.output().must_exit(0);
    assert!(home.path().join("new/deep/case/people.csv").exists());
}

#[test]
fn a_scan_that_could_not_run_leaves_nothing_behind() {
    for args in [
        &["missing.mbox"][..],
        &["noise.bin"],
        &["ok.mbox", "--since", "soon"],
        &["ok.mbox", "--queries", "missing.toml"],
    ] {
        let home = Store::folder([
            (
                "noise.bin",
                (0..4096u32)
                    .map(|i| ((i * 7919) >> 3) as u8 | 0x80)
                    .collect::<Vec<_>>(),
            ),
            ("ok.mbox", Mailbox::ordinary(3).rd()),
        ]);
        let output = Run::new(["scan"]).within(home.path());
        let output = args.iter().fold(output, |run, arg| run.arg(arg)).output();
        assert_eq!(output.status, 2, "{args:?}: {}", output.said());
        assert!(
            !home.path().join("ccspill-case").exists(),
            "{args:?} left a case behind"
        );
    }
}

#[test]
fn a_case_in_use_by_another_process_is_refused() {
    // The first scan waits for its standard input while the second one comes.
    let case = first();
    let before = case.exports();
    let mut first = std::process::Command::new(env!("CARGO_BIN_EXE_ccspill"))
        .args(["scan", "-", "--org", FORCE, "--case"])
        .arg(case.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = first.stdin.take().unwrap();
    // More than a pipe holds: once it is written, the first scan has begun to read, and so holds the case.
    std::io::Write::write_all(
        &mut pipe,
        &Mailbox::numbered_from(800).background(2000).rd(),
    )
    .unwrap();
    let output = Run::scan(more().path()).org(FORCE).onto(&case).refused();
    assert!(output.stderr.contains("use"), "{}", output.stderr);
    assert_eq!(before, case.exports());
    drop(pipe);
    assert!(first.wait().unwrap().success());
    assert_eq!(
        Run::scan(more().path())
            .org(FORCE)
            .onto(&case)
            .ok()
            .people()
            .len(),
        48
    );
}

#[test]
fn a_finding_outlives_the_mail_it_was_found_in() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    let first = case.only_message()["position"].to_owned();
    fs::write(store.path(), Mailbox::ordinary(9).mail(westminster).rd()).unwrap();
    let grown = Run::scan(store.path()).org(FORCE).onto(&case).ok();
    let row = grown.only_message();
    assert!(
        row["position"] != first && row["also_at"].is_empty(),
        "{row:?}"
    );
    let now = row["position"].to_owned();
    fs::write(store.path(), Mailbox::ordinary(3).rd()).unwrap();
    let gone = Run::scan(store.path()).org(FORCE).onto(&case).ok();
    let row = gone.only_message();
    assert_eq!((&row["position"], &row["also_at"]), (now.as_str(), ""));
    assert_eq!((gone.count("read"), gone.people().len()), (3, 18));
}

#[test]
fn a_narrower_scan_of_the_same_source_takes_no_finding_away() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    let run = Run::scan(store.path())
        .org(FORCE)
        .arg("--since")
        .arg("2030-01-01");
    let narrow = run.onto(&case).ok();
    assert_eq!(
        (narrow.found(), narrow.people().len()),
        (vec!["westminster".into()], 18)
    );
}

#[test]
fn two_streams_on_standard_input_are_two_sources() {
    let case = Run::scan("-")
        .org(FORCE)
        .stdin(Mailbox::ordinary(5).mail(westminster).rd())
        .ok();
    let other = Mailbox::numbered_from(50)
        .mail(|m| m.to(["colleague@force.example"]))
        .rd();
    let both = Run::scan("-").org(FORCE).stdin(other).onto(&case).ok();
    assert_eq!((both.count("read"), both.people().len()), (7, 18));
}

#[test]
fn a_scan_that_could_not_be_done_changes_no_setting() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    let wrong = Run::scan(store.path())
        .org("typo.example")
        .arg("--rejudge")
        .arg("--incident")
        .arg("nope@x.example");
    wrong.onto(&case).refused();
    let again = Run::scan(store.path()).org(FORCE).onto(&case).ok();
    assert_eq!(again.people().len(), 18);
}

#[test]
fn a_file_name_of_a_message_that_is_no_finding_stays_out_of_the_case() {
    let mails: Vec<Vec<u8>> = Mailbox::ordinary(5).mail(westminster).each().collect();
    let store = Store::folder(
        mails
            .iter()
            .enumerate()
            .map(|(i, mail)| (format!("Re Zebedee {i} result.eml"), mail.clone())),
    );
    let case = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!(case.people().len(), 18);
    let database = fs::read(case.path().join("case.db")).unwrap();
    let named = database
        .windows(7)
        .filter(|bytes| bytes == b"Zebedee")
        .count();
    let found = case.only_message()["position"].matches("Zebedee").count();
    assert!(
        named <= 3 * found,
        "{named} names of files, {found} of the finding"
    );
}
