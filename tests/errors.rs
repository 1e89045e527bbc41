//! The whole stderr of each mistake: what and why, then the mend. The texts stand in `tests/golden/errors` and are
//! rewritten with `BLESS=1 cargo test errors`.

use crate::builders::{FORCE, Mailbox, Run, Store, golden, query, westminster};
use std::path::Path;

/// A folder with a mailbox and other things that somebody may name by mistake.
fn desk() -> Store {
    let good = query(
        "Allotments",
        "low",
        "[about]\nsubject = [\"allotment rent\"]",
        "allotment rent",
    );
    let noise: Vec<u8> = (0..4096u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80)
        .collect();
    let texts = [
        (
            "queries/unknown-key.toml",
            good.replace("subject = [\"all", "subjects = [\"all"),
        ),
        (
            "queries/wrong-harm.toml",
            good.replace("\"low\"", "\"hihg\""),
        ),
        (
            "queries/bad-glob.toml",
            good.replace(
                "subject = [\"allotment rent\"]",
                "sender = [\"*@{a.example\"]",
            ),
        ),
        (
            "queries/empty.toml",
            good.replace("[\"allotment rent\"]", "[\"allotment rent\", \"\"]"),
        ),
        (
            "queries/no-example.toml",
            good.split("[[example]]").next().unwrap().to_owned(),
        ),
        (
            "queries/no-roster.toml",
            good.replace("[about]", "[who]\nroster = \"missing.csv\"\n[about]"),
        ),
        ("queries/good.toml", good.clone()),
        ("queries/not-toml.toml", "title = \"half a".into()),
        ("no-addresses.csv", "name,ward\nSiwan Pemberton,7\n".into()),
        ("notes.txt", "The meeting is on Tuesday.\n".into()),
        ("busy/holiday.txt", "sun".into()),
    ];
    let store = Store::folder([
        ("Sent.mbox", Mailbox::ordinary(3).mail(westminster).rd()),
        ("noise.bin", noise),
    ]);
    texts
        .iter()
        .for_each(|(name, text)| drop(store.put(name, text.as_bytes())));
    store
}

/// Runs the command in that folder; it must be refused with the text of the golden file, and leave nothing behind.
#[track_caller]
fn says(name: &str, command: &str) {
    refused_in(desk().path(), name, command);
}

#[track_caller]
fn refused_in(folder: &Path, name: &str, command: &str) {
    let had_case = folder.join("ccspill-case").exists();
    let output = Run::new(command.split(' ')).within(folder).output();
    output.must_exit(2);
    assert_eq!(output.stdout, "", "nothing on standard output");
    assert_eq!(
        folder.join("ccspill-case").exists(),
        had_case,
        "a case was left behind"
    );
    assert!(
        !output.stderr.contains(folder.to_str().unwrap()),
        "names are told as they were given: {}",
        output.stderr
    );
    golden(
        &format!("errors/{name}.txt"),
        &format!("$ ccspill {command}\n{}", output.stderr),
    );
}

/// As [`says`], for mistakes of which the program itself (not the parser of its options) speaks.
#[track_caller]
fn says_with_a_mend(name: &str, command: &str) {
    let output = Run::new(command.split(' ')).within(desk().path()).refused();
    assert!(
        output.stderr.contains("\n  try: "),
        "no mend: {}",
        output.stderr
    );
    says(name, command);
}

#[test]
fn a_missing_path_is_answered_with_what_was_meant() {
    says_with_a_mend("missing-path", "scan Snet.mbox");
}

#[test]
fn a_missing_path_like_nothing_else_is_answered_with_what_is_there() {
    says_with_a_mend("missing-path-unlike", "scan quarterly/accounts");
}

#[test]
fn a_scan_of_nothing_is_refused() {
    says("no-source", "scan");
}

#[test]
fn a_file_that_is_no_mail_is_refused() {
    says_with_a_mend("not-mail", "scan noise.bin");
    says_with_a_mend("not-mail-text", "scan notes.txt");
}

#[test]
fn a_bad_date_is_refused() {
    says("bad-date", "scan Sent.mbox --since soon");
    says("bad-day", "scan Sent.mbox --until 2024-02-30");
}

#[test]
fn a_time_that_ends_before_it_begins_is_refused() {
    says(
        "since-after-until",
        "scan Sent.mbox --since 2024-05-01 --until 2024-03-01",
    );
}

#[test]
fn a_confidence_above_a_hundred_is_refused() {
    says("bad-min-confidence", "scan Sent.mbox --min-confidence 101");
}

#[test]
fn a_severity_that_does_not_exist_is_refused() {
    says("bad-fail-on", "scan Sent.mbox --fail-on severe");
}

#[test]
fn no_jobs_are_refused() {
    says("no-jobs", "scan Sent.mbox --jobs 0");
}

#[test]
fn an_unknown_option_is_answered_with_the_known_one() {
    says("unknown-option", "scan Sent.mbox --orgs force.example");
}

#[test]
fn an_unknown_command_is_answered_with_the_known_one() {
    says("unknown-command", "scna Sent.mbox");
}

#[test]
fn an_organisation_that_is_no_domain_is_refused() {
    says("bad-org", "scan Sent.mbox --org Metropolitan");
}

#[test]
fn a_wrong_query_is_named_with_its_file_line_and_mend() {
    for name in [
        "unknown-key",
        "wrong-harm",
        "bad-glob",
        "empty",
        "no-example",
        "no-roster",
        "not-toml",
    ] {
        says(
            &format!("query-{name}"),
            &format!("scan Sent.mbox --queries queries/{name}.toml"),
        );
    }
}

#[test]
fn a_missing_query_is_refused() {
    says_with_a_mend(
        "query-missing",
        "scan Sent.mbox --queries queries/unknown-kee.toml",
    );
}

#[test]
fn a_roster_without_addresses_is_refused() {
    says_with_a_mend(
        "roster-no-addresses",
        "scan Sent.mbox --roster no-addresses.csv",
    );
}

#[test]
fn a_missing_roster_is_refused() {
    says_with_a_mend("roster-missing", "scan Sent.mbox --roster clinic.csv");
}

#[test]
fn a_folder_that_holds_something_else_is_no_case() {
    says_with_a_mend("busy-folder", "scan Sent.mbox --case busy");
}

#[test]
fn a_folder_without_a_case_is_no_case_whoever_asks() {
    says_with_a_mend("export-no-case", "export busy");
    says_with_a_mend("backtest-no-case", "queries backtest busy");
    says("backtest-of-nothing", "queries backtest");
}

#[test]
fn an_incident_found_nowhere_is_refused() {
    says_with_a_mend(
        "incident-nowhere",
        "scan Sent.mbox --incident <nowhere@force.example>",
    );
}

#[test]
fn a_case_of_another_organisation_is_refused() {
    let desk = desk();
    Run::new(["scan", "Sent.mbox", "--org", FORCE])
        .within(desk.path())
        .output()
        .must_exit(0);
    refused_in(
        desk.path(),
        "other-organisation",
        "scan Sent.mbox --org other.example",
    );
    refused_in(
        desk.path(),
        "other-threshold",
        "scan Sent.mbox --org force.example --min-confidence 80",
    );
    refused_in(
        desk.path(),
        "other-queries",
        "scan Sent.mbox --org force.example --queries queries/good.toml",
    );
}
