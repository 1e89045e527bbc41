//! What an officer wrote into people.csv outlives the next scan, however her spreadsheet saved it.

use crate::builders::{Case, FORCE, Mailbox, Row, Run, victims, westminster};
use std::fs;

const EDITED: [&str; 5] = [
    "review",
    "contact_by",
    "contacted_at",
    "contacted_by",
    "notes",
];

fn first() -> Case {
    Run::scan(Mailbox::ordinary(20).mail(westminster).mbox().path())
        .org(FORCE)
        .ok()
}

/// The next scan into the same case, of other mail.
fn next(case: &Case) -> Case {
    Run::scan(Mailbox::numbered_from(500).background(5).mbox().path())
        .org(FORCE)
        .onto(case)
        .ok()
}

/// people.csv with these entries in the row of the fourth victim, written by a spreadsheet of a sort.
fn write(case: &Case, entries: [&str; 5], save: impl FnOnce(Vec<Vec<String>>) -> Vec<u8>) {
    let text = case.text("people.csv");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut rows: Vec<Vec<String>> = reader
        .records()
        .map(|r| r.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let at = rows
        .iter()
        .position(|row| row.contains(&victims()[3].address))
        .unwrap();
    for (name, entry) in EDITED.iter().zip(entries) {
        let column = rows[0].iter().position(|n| n == name).unwrap();
        rows[at][column] = entry.into();
    }
    fs::write(case.path().join("people.csv"), save(rows)).unwrap();
}

fn saved(
    delimiter: u8,
    end: csv::Terminator,
    bom: bool,
) -> impl FnOnce(Vec<Vec<String>>) -> Vec<u8> {
    move |rows| {
        let mut out = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(end)
            .from_writer(Vec::new());
        rows.iter().for_each(|row| out.write_record(row).unwrap());
        [
            if bom { "\u{feff}".as_bytes() } else { b"" },
            &out.into_inner().unwrap(),
        ]
        .concat()
    }
}

const ENTRIES: [&str; 5] = [
    "confirmed",
    "phone",
    "2026-11-24T10:00:00Z",
    "PL",
    "rang, left no message; \"again\" on Monday",
];

#[track_caller]
fn kept(case: &Case) {
    let row = case.person(&victims()[3].address);
    assert_eq!(
        EDITED.map(|name| row[name].to_owned()),
        ENTRIES.map(str::to_owned)
    );
    let untouched = |row: &Row| {
        EDITED
            .iter()
            .all(|name| row[name].is_empty() || *name == "contact_by")
    };
    assert_eq!(
        case.people().iter().filter(|row| untouched(row)).count(),
        17
    );
}

#[test]
fn entries_outlive_the_next_scan_and_the_one_after() {
    let case = first();
    write(&case, ENTRIES, saved(b',', csv::Terminator::CRLF, true));
    let case = next(&case);
    kept(&case);
    kept(&next(&case));
}

#[test]
fn a_file_saved_again_without_bom_and_with_unix_line_ends_is_read() {
    let case = first();
    write(
        &case,
        ENTRIES,
        saved(b',', csv::Terminator::Any(b'\n'), false),
    );
    kept(&next(&case));
}

#[test]
fn a_file_saved_with_semicolons_or_tabs_is_read() {
    for delimiter in [b';', b'\t'] {
        let case = first();
        write(
            &case,
            ENTRIES,
            saved(delimiter, csv::Terminator::CRLF, true),
        );
        kept(&next(&case));
    }
}

#[test]
fn rows_and_columns_in_another_order_are_read() {
    let case = first();
    write(&case, ENTRIES, |mut rows| {
        rows[1..].reverse();
        rows.iter_mut().for_each(|row| row.reverse());
        saved(b',', csv::Terminator::CRLF, true)(rows)
    });
    kept(&next(&case));
}

#[test]
fn a_file_saved_in_the_code_page_of_windows_is_read_or_kept() {
    let case = first();
    let mut entries = ENTRIES;
    entries[4] = "rang René";
    write(&case, entries, |rows| {
        let text = saved(b';', csv::Terminator::CRLF, false)(rows);
        String::from_utf8(text)
            .unwrap()
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect()
    });
    let case = next(&case);
    let notes = case.person(&victims()[3].address)["notes"].to_owned();
    assert!(
        notes == "rang René" || case.files().contains("people.edited-1.csv"),
        "{notes}: {:?}",
        case.files()
    );
}

#[test]
fn an_empty_entry_takes_an_older_one_back() {
    let case = first();
    write(&case, ENTRIES, saved(b',', csv::Terminator::CRLF, true));
    let case = next(&case);
    write(
        &case,
        ["", "", "", "", ""],
        saved(b',', csv::Terminator::CRLF, true),
    );
    assert_eq!(&next(&case).person(&victims()[3].address)["notes"], "");
}

#[test]
fn a_deleted_row_comes_back_with_what_was_known() {
    let case = first();
    write(&case, ENTRIES, saved(b',', csv::Terminator::CRLF, true));
    let case = next(&case);
    write(&case, ENTRIES, |rows| {
        let gone = |row: &Vec<String>| row.contains(&victims()[3].address);
        saved(b',', csv::Terminator::CRLF, true)(
            rows.into_iter().filter(|row| !gone(row)).collect(),
        )
    });
    let case = next(&case);
    assert_eq!(case.people().len(), 18, "nobody is dropped");
    kept(&case);
}

#[test]
fn other_cells_that_were_changed_are_put_right() {
    let case = first();
    write(&case, ENTRIES, |mut rows| {
        let at = rows[0].iter().position(|n| n == "seen_by").unwrap();
        rows[2][at] = "3".into();
        saved(b',', csv::Terminator::CRLF, true)(rows)
    });
    let case = next(&case);
    kept(&case);
    assert!(case.people().iter().all(|row| row.number("seen_by") == 17));
}

#[test]
fn an_entry_that_begins_like_a_formula_is_kept_and_harmless() {
    let case = first();
    let mut entries = ENTRIES;
    entries[4] = "=1+1";
    write(&case, entries, saved(b',', csv::Terminator::CRLF, true));
    let case = next(&next(&case));
    let notes = case.person(&victims()[3].address)["notes"].to_owned();
    assert!(
        notes.ends_with("=1+1") && !notes.starts_with('='),
        "{notes}"
    );
    assert!(
        notes.len() <= 6,
        "one mark, not one more with each scan: {notes}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_kept_and_the_summary_says_so() {
    for (broken, name) in [
        (
            &b"\xff\xfe\0\0nothing like a table"[..],
            "people.edited-1.csv",
        ),
        (b"name,colour\nA,red\n", "people.edited-2.csv"),
    ] {
        // The second one is met by the same case, so that it gets a name of its own.
        let mut case = first();
        if name.contains('2') {
            fs::write(case.path().join("people.csv"), b"\0\0\0").unwrap();
            case = next(&case);
        }
        fs::write(case.path().join("people.csv"), broken).unwrap();
        let case = next(&case);
        assert_eq!(fs::read(case.path().join(name)).unwrap(), broken);
        assert!(case.output.stdout.contains(name), "{}", case.output.stdout);
        assert_eq!(case.people().len(), 18);
    }
}

#[test]
fn a_file_that_was_taken_away_is_written_again() {
    let case = first();
    fs::remove_file(case.path().join("people.csv")).unwrap();
    assert_eq!(next(&case).people().len(), 18);
}

#[test]
fn the_same_case_read_again_without_edits_keeps_no_copy() {
    let case = next(&next(&first()));
    assert!(
        !case.files().iter().any(|name| name.contains("edited")),
        "{:?}",
        case.files()
    );
}

/// Replaces a text in a table of the case.
fn edit(case: &Case, file: &str, change: impl Fn(&str) -> String) {
    let path = case.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let edited = change(&text);
    assert_ne!(text, edited, "the edit changes something");
    fs::write(path, edited).unwrap();
}

#[test]
fn a_decision_written_into_messages_csv_is_kept_and_a_dismissed_message_leaves_the_other_tables() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    edit(&case, "messages.csv", |text| {
        // The columns at the end are review and circle_id.
        let (before, circle) = text.trim_end().rsplit_once(',').unwrap();
        format!("{before}dismissed,{circle}\r\n")
    });
    let after = Run::scan(store.path()).org(FORCE).onto(&case).ok();
    assert_eq!(&after.only_message()["review"], "dismissed");
    assert!(
        after.people().is_empty() && after.viewers().is_empty() && after.exposures().is_empty()
    );
    edit(&after, "messages.csv", |text| {
        text.replace("dismissed", "perhaps")
    });
    let again = Run::scan(store.path()).org(FORCE).onto(&after).ok();
    assert!(
        again.output.stdout.contains("perhaps"),
        "{}",
        again.output.stdout
    );
    assert_eq!(&again.only_message()["review"], "dismissed");
}

#[test]
fn an_edited_table_that_is_not_read_back_is_kept_aside() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    edit(&case, "viewers.csv", |text| {
        text.replace("not looked for", "telephoned")
    });
    let after = Run::scan(store.path()).org(FORCE).onto(&case).ok();
    let kept = fs::read_to_string(after.path().join("viewers.edited-1.csv")).unwrap();
    assert!(kept.contains("telephoned"));
    let said = after.output.stdout.replace('\n', " ");
    assert!(said.contains("viewers.csv was edited"), "{said}");
}

#[test]
fn a_telephone_number_in_the_notes_is_not_quoted_again_and_again() {
    let store = Mailbox::ordinary(5).mail(westminster).mbox();
    let case = Run::scan(store.path()).org(FORCE).ok();
    edit(&case, "people.csv", |text| {
        text.replacen(",unknown,,,", ",phone,,,+44 20 7946 0000", 1)
    });
    let once = Run::scan(store.path()).org(FORCE).onto(&case).ok();
    edit(&once, "people.csv", |text| {
        text.replacen(",unknown,,,", ",letter,,,", 1)
    });
    let twice = Run::scan(store.path()).org(FORCE).onto(&once).ok();
    let notes: Vec<String> = twice
        .people()
        .iter()
        .map(|row| row["notes"].to_owned())
        .filter(|note| !note.is_empty())
        .collect();
    assert_eq!(notes, ["'+44 20 7946 0000"]);
    assert_eq!(
        twice
            .people()
            .iter()
            .filter(|row| &row["contact_by"] == "letter")
            .count(),
        1
    );
}
