//! What a person reads when a scan has ended: what was found, in what, what was covered, what to do next.

use crate::builders::{FORCE, Mailbox, Run, victims, westminster};

fn mailbox() -> Mailbox {
    Mailbox::ordinary(200).mail(westminster)
}

#[test]
fn the_summary_says_what_was_found_in_what() {
    let case = Run::scan(mailbox().mbox().path()).org(FORCE).ok();
    let said = &case.output.stdout;
    for part in ["18", "1 ", "201", "people.csv"] {
        assert!(said.contains(part), "'{part}' is missing:\n{said}");
    }
}

#[test]
fn a_finding_that_nobody_has_judged_awaits_a_decision() {
    let case = Run::scan(mailbox().mbox().path()).org(FORCE).ok();
    assert!(
        case.output.stdout.contains("awaiting decision"),
        "{}",
        case.output.stdout
    );
}

#[test]
fn the_summary_is_short_and_fits_a_terminal_of_80_columns() {
    let case = Run::scan(mailbox().mbox().path()).org(FORCE).ok();
    let said = &case.output.stdout;
    assert!(
        (3..=14).contains(&said.lines().count()),
        "{} lines:\n{said}",
        said.lines().count()
    );
    for line in said.lines().filter(|line| !line.contains('/')) {
        assert!(line.chars().count() <= 80, "too long: {line}");
    }
}

#[test]
fn the_summary_names_no_victim() {
    let case = Run::scan(mailbox().mbox().path()).org(FORCE).ok();
    for victim in victims() {
        assert!(
            !case.output.said().contains(&victim.address)
                && !case.output.said().contains(&victim.name)
        );
    }
}

#[test]
fn nothing_found_is_said_with_what_was_covered_and_what_that_does_not_prove() {
    let case = Run::scan(Mailbox::ordinary(200).mbox().path())
        .org(FORCE)
        .ok();
    let said = &case.output.stdout;
    for part in ["200", "2024-03-01", "Bcc"] {
        assert!(said.contains(part), "'{part}' is missing:\n{said}");
    }
    assert!(said.contains("prove") || said.contains("proof"), "{said}");
}

#[test]
fn what_the_summary_says_goes_to_standard_output_and_nothing_else_does() {
    let case = Run::scan(mailbox().mbox().path()).org(FORCE).ok();
    assert!(
        case.output.stderr.is_empty(),
        "nothing to warn of: {}",
        case.output.stderr
    );
    let quiet = Run::scan(mailbox().mbox().path()).org(FORCE).arg("-q").ok();
    assert!(
        quiet.output.stdout.len() < case.output.stdout.len(),
        "{}",
        quiet.output.stdout
    );
}

#[test]
fn there_are_no_colours_and_no_bars_where_there_is_no_terminal() {
    for progress in ["auto", "never"] {
        let case = Run::scan(mailbox().mbox().path())
            .org(FORCE)
            .arg("--progress")
            .arg(progress)
            .env("TERM", "xterm-256color")
            .ok();
        assert!(
            !case.output.said().contains(['\x1b', '\r']),
            "{:?}",
            case.output.said()
        );
    }
}

#[test]
fn the_same_summary_is_written_twice() {
    let store = mailbox().mbox();
    let said = || {
        let case = Run::scan(store.path()).org(FORCE).ok();
        case.output.stdout.replace(
            case.path().to_str().expect("a path of our own making"),
            "CASE",
        )
    };
    assert_eq!(said(), said());
}

#[test]
fn a_month_without_mail_is_told() {
    let gap = Mailbox::new()
        .mails([1, 2, 3, 100, 101], |m, day| {
            m.day(day).to(["colleague@force.example"])
        })
        .mail(|m| westminster(m).day(102));
    let case = Run::scan(gap.mbox().path()).org(FORCE).ok();
    let said = &case.output.stdout;
    assert!(
        said.contains("2024-04") && said.contains("2024-05"),
        "no mail in April and May:\n{said}"
    );
}

#[test]
fn where_nothing_was_judged_no_clean_result_is_claimed() {
    let store = mailbox().mbox();
    for (option, value) in [
        ("--org", "forse.example"),
        ("--folder", "Nope"),
        ("--since", "2030-01-01"),
    ] {
        let run = Run::scan(store.path());
        let run = if option == "--org" {
            run
        } else {
            run.org(FORCE)
        };
        let said = run.arg(option).arg(value).ok().output.stdout;
        assert!(said.starts_with("Nothing was judged"), "{option}: {said}");
    }
}
