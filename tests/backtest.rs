//! `queries backtest`: what each threshold would report, from a case that stands already.

use crate::builders::{Case, FORCE, Mailbox, Output, Run, people, westminster};
use std::collections::BTreeMap;

/// Two findings that are reported, and one that is not: three people and a phrase in the text.
fn case(threshold: &str) -> Case {
    let mailbox = Mailbox::ordinary(20).mail(westminster).mail(|m| {
        m.id("clinic@force.example")
            .cc(people(9, 61))
            .subject("HIV clinic: new hours")
            .body("We open at eight.")
    });
    let store = mailbox
        .mail(|m| {
            m.id("faint@force.example")
                .cc(people(2, 62))
                .subject("Bail date")
                .body("On Tuesday.")
        })
        .mbox();
    let run = Run::scan(store.path()).org(FORCE);
    run.arg("--min-confidence").arg(threshold).ok()
}

fn backtest(case: &Case) -> Output {
    let output = Run::new(["queries", "backtest"]).arg(case.path()).output();
    output.must_exit(0);
    output
}

/// Rows of the table that begins with this word, by their first cell; cells by the names of their columns.
fn table(output: &Output, first: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let lines = output.stdout.lines();
    let mut rows = lines
        .skip_while(|line| line.split_whitespace().next() != Some(first))
        .take_while(|line| !line.is_empty())
        .map(|line| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
    let header = rows
        .next()
        .unwrap_or_else(|| panic!("no table '{first}':\n{}", output.stdout));
    rows.map(|row| {
        assert_eq!(row.len(), header.len(), "{row:?}");
        (
            row[0].clone(),
            header.iter().cloned().zip(row.iter().cloned()).collect(),
        )
    })
    .collect()
}

fn cell(row: &BTreeMap<String, String>, column: &str) -> u64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} is no number: {row:?}"))
}

#[test]
fn each_threshold_has_a_row_that_another_scan_with_it_bears_out() {
    let output = backtest(&case("50"));
    let rows = table(&output, "threshold");
    let steps: Vec<String> = (25..=95).step_by(5).map(|step| step.to_string()).collect();
    assert!(rows.keys().eq(&steps), "{:?}", rows.keys());
    assert_eq!(cell(&rows["25"], "findings"), 3, "{}", output.stdout);
    assert_eq!(cell(&rows["50"], "findings"), 2, "{}", output.stdout);
    for threshold in ["25", "35", "50", "75", "95"] {
        let scanned = case(threshold);
        let row = &rows[threshold];
        let messages = scanned.messages();
        assert_eq!(cell(row, "findings"), messages.len() as u64, "{threshold}");
        assert_eq!(cell(row, "awaiting"), messages.len() as u64);
        let incidents = crate::builders::column(&messages, "incident_id");
        assert_eq!(cell(row, "incidents"), incidents.len() as u64);
        if threshold < "50" {
            assert_eq!(row["people"], "?", "nobody can know");
        } else {
            assert_eq!(cell(row, "people"), scanned.people().len() as u64);
        }
    }
}

#[test]
fn each_query_is_told_with_what_it_found_above_and_below() {
    let rows = table(&backtest(&case("50")), "query");
    assert_eq!(cell(&rows["hiv"], "reported"), 1);
    assert_eq!(cell(&rows["hiv"], "below"), 0);
    assert_eq!(cell(&rows["crime-victims"], "reported"), 1);
    assert_eq!(cell(&rows["crime-victims"], "below"), 1);
}

#[test]
fn decisions_are_counted_and_the_case_stays_as_it_was() {
    let case = case("50");
    for row in case.messages() {
        let review = match &row["message_id"] {
            id if id.starts_with("westminster@") => "confirmed",
            id if id.starts_with("clinic@") => "dismissed",
            _ => continue,
        };
        case.decide(&row["exposure_id"], review);
    }
    Run::new(["export"]).arg(case.path()).output().must_exit(0);
    let before: Vec<_> = case
        .files()
        .into_iter()
        .map(|name| std::fs::read(case.path().join(name)).unwrap())
        .collect();
    let output = backtest(&case);
    let rows = table(&output, "threshold");
    let row = &rows["50"];
    for (column, count) in [
        ("findings", 2),
        ("confirmed", 1),
        ("dismissed", 1),
        ("awaiting", 0),
        ("people", 18),
    ] {
        assert_eq!(cell(row, column), count, "{column}\n{}", output.stdout);
    }
    assert_eq!(cell(&rows["25"], "awaiting"), 1);
    let groups = table(&output, "query");
    assert_eq!(cell(&groups["hiv"], "dismissed"), 1);
    assert_eq!(cell(&groups["crime-victims"], "confirmed"), 1);
    let after: Vec<_> = case
        .files()
        .into_iter()
        .map(|name| std::fs::read(case.path().join(name)).unwrap())
        .collect();
    assert!(before == after, "a file of the case changed");
}

#[test]
fn the_cases_own_threshold_has_a_row_of_its_own() {
    let output = backtest(&case("42"));
    let said = output.stdout.split_whitespace().collect::<Vec<_>>();
    assert!(said.join(" ").contains("Its own is 42."), "{said:?}");
    let rows = table(&output, "threshold");
    assert_eq!(rows["40"]["people"], "?");
    assert!(cell(&rows["42"], "people") > 0);
}

#[test]
fn what_a_named_incident_brings_along_is_told_apart() {
    let who = people(6, 63);
    let store = Mailbox::ordinary(20)
        .mail(|m| m.id("parking@force.example").cc(&who).subject("Parking"))
        .mail(|m| m.id("keys@force.example").cc(&who[..3]).subject("Keys"))
        .mbox();
    let run = Run::scan(store.path()).org(FORCE);
    let case = run.arg("--incident").arg("<parking@force.example>").ok();
    assert_eq!(case.messages().len(), 2);
    let output = backtest(&case);
    assert_eq!(cell(&table(&output, "threshold")["95"], "findings"), 1);
    assert!(
        output.stdout.contains("Not counted: 1 message"),
        "{}",
        output.stdout
    );
}

#[test]
fn a_case_without_findings_says_so() {
    let store = Mailbox::ordinary(10).mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    let said = backtest(&case).stdout;
    assert!(said.contains("holds no finding"), "{said}");
}
