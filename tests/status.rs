//! Exit statuses: 0 done, 1 the answer is no, 2 could not run, 3 done but some mail could not be read; 1 wins over 3.

use crate::builders::{FORCE, Mailbox, Run, Store, gzip, people, query, westminster};

fn mailbox() -> Store {
    Mailbox::ordinary(20).mail(westminster).mbox()
}

/// A folder with the finding in it, and something that cannot be read.
fn torn() -> Store {
    let cut = gzip(&Mailbox::numbered_from(100).background(300).rd());
    Store::folder([
        ("Sent.mbox", Mailbox::ordinary(5).mail(westminster).rd()),
        ("cut.mbox.gz", cut[..cut.len() / 2].to_vec()),
    ])
}

#[test]
fn findings_alone_are_no_failure() {
    Run::scan(mailbox().path()).org(FORCE).ok();
}

#[test]
fn nothing_found_is_no_failure() {
    Run::scan(Mailbox::ordinary(20).mbox().path())
        .org(FORCE)
        .arg("--fail-on")
        .arg("low")
        .ok();
}

#[test]
fn fail_on_is_met_by_a_finding_of_that_severity_or_worse() {
    for severity in ["low", "medium", "high"] {
        let case = Run::scan(mailbox().path())
            .org(FORCE)
            .arg("--fail-on")
            .arg(severity)
            .exits(1);
        assert_eq!(case.people().len(), 18, "the case is written all the same");
    }
}

#[test]
fn fail_on_is_not_met_by_something_less_severe() {
    let mild = Store::file(
        "allotments.toml",
        query(
            "Allotments",
            "low",
            "[about]\nsubject = [\"allotment rent\"]",
            "allotment rent",
        ),
    );
    let store = Mailbox::ordinary(20)
        .mail(|m| m.cc(people(14, 81)).subject("Your allotment rent"))
        .mbox();
    let run = || {
        Run::scan(store.path())
            .org(FORCE)
            .arg("--no-builtin-queries")
            .arg("--queries")
            .arg(mild.path())
    };
    let row = run().ok().only_message();
    assert!(
        ["low", "medium", "high"].contains(&&row["severity"]),
        "{}",
        &row["severity"]
    );
    run().arg("--fail-on").arg("critical").ok();
    run().arg("--fail-on").arg("low").exits(1);
}

#[test]
fn fail_on_is_met_by_something_new_only() {
    let store = mailbox();
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--fail-on")
        .arg("high")
        .exits(1);
    let case = Run::scan(store.path())
        .org(FORCE)
        .arg("--fail-on")
        .arg("high")
        .onto(&case)
        .ok();
    let more = Mailbox::numbered_from(100)
        .mail(|m| {
            m.cc(people(30, 8))
                .subject("Rape survivors' group")
                .body("Dear survivors, we meet on Monday.")
        })
        .mbox();
    Run::scan(more.path())
        .org(FORCE)
        .arg("--fail-on")
        .arg("high")
        .onto(&case)
        .exits(1);
}

#[test]
fn mail_that_could_not_be_read_is_told_by_three() {
    let case = Run::scan(torn().path()).org(FORCE).exits(3);
    assert_eq!((case.found().len(), case.unread().len()), (1, 1));
    assert!(
        case.output.stdout.contains("unread.csv"),
        "{}",
        case.output.stdout
    );
}

#[test]
fn one_wins_over_three() {
    Run::scan(torn().path())
        .org(FORCE)
        .arg("--fail-on")
        .arg("high")
        .exits(1);
}

#[test]
fn help_and_version_are_answers() {
    for args in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["scan", "--help"],
        &["queries", "--help"],
    ] {
        let output = Run::new(args).output();
        output.must_exit(0);
        assert!(
            output.stderr.is_empty() && !output.stdout.is_empty(),
            "{args:?}"
        );
    }
}

#[test]
fn no_command_and_a_wrong_one_are_refused() {
    for args in [&[][..], &["scna"], &["scan", "--orgs", "x", "y"]] {
        assert_eq!(Run::new(args).output().status, 2, "{args:?}");
    }
}
