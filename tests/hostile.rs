//! Mail is written by strangers: no size, depth or count in it is trusted, and nothing of it runs anywhere.

use crate::builders::{
    Case, EXPORTS, FORCE, Mail, Mailbox, Person, Run, Store, gzip, numbers, people, tar, victims,
    westminster, zip,
};
use std::fs;

/// Every cell of every table.
fn cells(case: &Case) -> Vec<String> {
    let mut all = Vec::new();
    for name in EXPORTS {
        let text = case.text(name);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        reader
            .records()
            .for_each(|row| all.extend(row.unwrap().iter().map(str::to_owned)));
    }
    all
}

/// No cell that a spreadsheet would run, and no control or bidi character anywhere that the program writes.
#[track_caller]
fn harmless(case: &Case) {
    for cell in cells(case) {
        assert!(
            !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']),
            "a formula: {cell:?}"
        );
        assert!(
            !cell.chars().any(dangerous),
            "a control character: {cell:?}"
        );
    }
    let said = case.output.said();
    assert!(
        !said.chars().any(|c| c != '\n' && dangerous(c)),
        "a control character on the terminal: {said:?}"
    );
    let manifest = case.text("manifest.json");
    assert!(
        !manifest.chars().any(|c| c != '\n' && dangerous(c)),
        "a control character in the manifest"
    );
}

fn dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The mail of the eighteen, with this subject and these further people.
fn with(subject: &str, names: &[&str]) -> Mailbox {
    let names: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(i, name)| format!("{name} <evil{i}@inbox.test>"))
        .collect();
    Mailbox::ordinary(3).mail(|m| westminster(m).subject(subject).cc(names))
}

fn scan(store: &Store) -> Case {
    Run::scan(store.path()).org(FORCE).ok()
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_made_harmless() {
    let names = [
        "\"=HYPERLINK('http://x.example')\"",
        "\"+1+cmd|' /C calc'!A0\"",
        "\"@SUM(A1)\"",
        "\"-2+3\"",
        "\" =1+1\"",
        "=?utf-8?B?PTErMQ==?=",
        "=?utf-8?Q?=09=3D1+1?=",
        "=?utf-8?B?77ydMSsx?=",
    ];
    let case = scan(&with("=cmd|'/C calc'!A0: change of bail date", &names).mbox());
    assert_eq!(case.people().len(), 18 + names.len());
    harmless(&case);
}

#[test]
fn an_address_that_begins_like_a_formula_is_harmless_and_complete() {
    let odd = [
        "=1@inbox.test",
        "+41@inbox.test",
        "-x@inbox.test",
        "@at@inbox.test",
    ];
    let case = scan(&Mailbox::ordinary(3).mail(|m| westminster(m).cc(odd)).mbox());
    harmless(&case);
    let all = cells(&case).join("\n");
    for address in &odd[..3] {
        assert!(all.contains(address), "{address} is missing");
    }
}

#[test]
fn a_file_name_that_begins_like_a_formula_is_harmless() {
    let store = Store::folder([(
        "=cmd/-Sent.mbox",
        Mailbox::ordinary(3).mail(westminster).rd(),
    )]);
    harmless(&scan(&store));
    let store = Store::file(
        "a.zip",
        zip([("=1+1/@x.mbox", Mailbox::ordinary(3).mail(westminster).rd())]),
    );
    harmless(&scan(&store));
}

#[test]
fn markup_in_a_name_or_a_subject_stays_text() {
    let case = scan(
        &with(
            "Bail date <script>alert(1)</script>",
            &["\"<img src=x onerror=alert(1)>\""],
        )
        .mbox(),
    );
    assert_eq!(case.people().len(), 19);
    if case.files().contains("report.html") {
        let page = case.text("report.html");
        assert!(
            !page.contains("<script>alert(1)") && !page.contains("<img src=x"),
            "markup from mail in the report"
        );
    }
}

#[test]
fn terminal_escapes_leave_neither_by_the_tables_nor_by_the_terminal() {
    let names = [
        "\"\x1b]0;owned\x07 Ada\"",
        "=?utf-8?Q?=1B[31mRed=1B[0m?=",
        "=?utf-8?B?wpszMW1DMQ==?=",
        "\"Bell\x07\x08\"",
    ];
    let case = scan(&with("\x1b[2J bail date \x1b[31m", &names).mbox());
    assert_eq!(case.people().len(), 18 + names.len());
    harmless(&case);
}

#[test]
fn bidi_overrides_cannot_turn_a_name_around() {
    let names = [
        "\"Ada \u{202e}gnihsihP\"",
        "=?utf-8?B?4oCuZXZpbA==?=",
        "\"\u{2067}Ada\u{2069}\"",
    ];
    let case = scan(&with("Bail date \u{202e}etad", &names).mbox());
    assert_eq!(case.people().len(), 18 + names.len());
    harmless(&case);
}

#[test]
fn an_escape_in_a_file_name_never_reaches_the_terminal() {
    let store = Store::folder([
        (
            "\x1b[31mSent\x1b[0m.mbox",
            Mailbox::ordinary(3).mail(westminster).rd(),
        ),
        (
            "cut\x07.mbox.gz",
            gzip(&Mailbox::ordinary(300).rd())[..700].to_vec(),
        ),
    ]);
    let case = Run::scan(store.path()).org(FORCE).arg("-v").exits(3);
    assert_eq!(case.found(), ["westminster"]);
    harmless(&case);
    let output = Run::new(["scan", "\x1b[31mmissing"]).refused();
    assert!(!output.stderr.contains('\x1b'), "{:?}", output.stderr);
}

#[test]
fn nul_bytes_in_headers_and_text_hide_nobody() {
    let mail = Mail::new(1).to(["a"]).bytes();
    let text = String::from_utf8(westminster(Mail::new(2)).bytes()).unwrap();
    let text = text
        .replace("Subject: Update", "Subject: Up\0date")
        .replace("Dear", "De\0ar");
    let case = scan(
        &Mailbox::new()
            .mail(|m| m.raw(mail))
            .mail(|m| m.raw(text))
            .mbox(),
    );
    assert_eq!(case.people().len(), 18);
    harmless(&case);
}

#[test]
fn twenty_thousand_recipients_are_twenty_thousand_people() {
    let crowd: Vec<_> = (0..20_000)
        .map(|i| Person::new("", &format!("reader{i}@site{}.example", i % 5000)).address)
        .collect();
    let case = scan(
        &Mailbox::ordinary(3)
            .mail(|m| m.to(&crowd).subject("Change of room"))
            .mbox(),
    );
    assert_eq!(case.only_message().number("exposed"), 20_000);
    assert_eq!(case.people().len(), 20_000);
}

#[test]
fn mime_parts_nested_thousands_deep_end_in_no_panic() {
    let deep: String = (0..5000)
        .map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n"))
        .collect();
    let mail = westminster(Mail::new(1)).bytes();
    let head = String::from_utf8(mail)
        .unwrap()
        .replace("Content-Type: text/plain; charset=utf-8\r\n\r\n", &deep);
    let case = scan(&Mailbox::ordinary(3).mail(|m| m.raw(head)).mbox());
    assert_eq!((case.count("read"), case.people().len()), (4, 18));
}

#[test]
fn messages_nested_thousands_deep_end_in_no_panic() {
    let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(5000);
    let mail = String::from_utf8(westminster(Mail::new(1)).bytes()).unwrap();
    let mail = mail.replace("Content-Type: text/plain; charset=utf-8\r\n\r\n", &deep);
    assert_eq!(
        scan(&Mailbox::ordinary(3).mail(|m| m.raw(mail)).mbox())
            .people()
            .len(),
        18
    );
}

#[test]
fn comments_and_groups_nested_thousands_deep_end_in_no_panic() {
    let (open, close) = ("(".repeat(50_000), ")".repeat(50_000));
    let case = scan(
        &Mailbox::ordinary(3)
            .mail(|m| {
                westminster(m).cc([
                    format!("deep{open}{close}@inbox.test"),
                    format!("Last {open} <last@inbox.test>"),
                ])
            })
            .mail(|m| m.id("groups@force.example").to(["g:".repeat(20_000)]))
            .mail(|m| m.id("angles@force.example").to(["<".repeat(20_000)]))
            .mail(|m| m.id("quotes@force.example").to(["\"".repeat(20_001)]))
            .mbox(),
    );
    assert_eq!(case.count("read"), 7);
    assert!(
        case.exposed()
            .is_superset(&victims().into_iter().map(|v| v.address).collect())
    );
}

#[test]
fn a_header_line_of_a_megabyte_costs_no_neighbour() {
    let long = "x".repeat(1 << 20);
    let case = scan(
        &Mailbox::ordinary(3)
            .mail(|m| {
                westminster(m)
                    .header("X-Long", &long)
                    .header("References", &format!("<{long}@x.example>"))
            })
            .mail(|m| m.to([format!("{long}@inbox.test")]).subject(&long))
            .background(3)
            .mbox(),
    );
    assert_eq!((case.count("read"), case.people().len()), (8, 18));
}

#[test]
fn a_head_longer_than_is_read_is_listed_and_costs_no_neighbour() {
    let many = "X-Again: and again\r\n".repeat(100_000);
    let mail = String::from_utf8(westminster(Mail::new(1)).bytes())
        .unwrap()
        .replace("Subject:", &format!("{many}Subject:"));
    let store = Mailbox::ordinary(3).mail(|m| m.raw(mail)).mbox();
    let case = Run::scan(store.path()).org(FORCE).exits(3);
    assert_eq!((case.count("read"), case.people().len()), (4, 18));
    let unread = case.unread();
    assert_eq!(unread.len(), 1);
    assert!(
        unread[0]["reason"].contains("more people"),
        "{:?}",
        unread[0]
    );
}

#[test]
fn binary_garbage_between_mails_loses_no_mail() {
    let mut number = numbers(3);
    let mut garbage: Vec<u8> = (0..50_000).map(|_| number.next().unwrap() as u8).collect();
    garbage.extend_from_slice(b"\n\n");
    let file = [
        Mailbox::ordinary(3).rd(),
        garbage.clone(),
        Mailbox::numbered_from(9).mail(westminster).rd(),
        garbage,
    ]
    .concat();
    let case = scan(&Store::file("Sent.mbox", file));
    assert_eq!(
        (case.found(), case.count("read")),
        (vec!["westminster".into()], 4)
    );
    harmless(&case);
}

#[test]
fn garbage_that_claims_to_be_mail_is_read_or_listed_and_never_ends_the_run() {
    let mut number = numbers(11);
    let mut random = |n: usize| {
        (0..n)
            .map(|_| number.next().unwrap() as u8)
            .collect::<Vec<u8>>()
    };
    let mut files: Vec<(String, Vec<u8>)> = (0..40)
        .map(|i| {
            (
                format!("{i}.eml"),
                [b"From: a@force.example\r\nTo: ".to_vec(), random(i * 50)].concat(),
            )
        })
        .collect();
    files.extend((0..10).map(|i| {
        (
            format!("{i}.gz"),
            [b"\x1f\x8b\x08\0".to_vec(), random(200)].concat(),
        )
    }));
    files.extend((0..10).map(|i| {
        (
            format!("{i}.zip"),
            [b"PK\x03\x04".to_vec(), random(200)].concat(),
        )
    }));
    files.extend((0..10).map(|i| {
        (
            format!("{i}.zst"),
            [b"\x28\xb5\x2f\xfd".to_vec(), random(200)].concat(),
        )
    }));
    files.push((
        "Sent.mbox".into(),
        Mailbox::ordinary(3).mail(westminster).rd(),
    ));
    let case = Run::scan(Store::folder(files).path()).org(FORCE).exits(3);
    assert!(case.found().contains(&"westminster".to_owned()));
    assert!(case.unread().iter().all(|row| !row["reason"].is_empty()));
    assert!(case.unread().len() >= 10, "{:?}", case.unread());
    harmless(&case);
}

#[test]
fn unknown_and_lying_charsets_cost_nobody() {
    let names = [
        "=?x-klingon?B?cWFwbGE=?=",
        "=?utf-8?B?/////w==?=",
        "=?utf-8?Q?=ZZ=?=",
        "=?utf-8?B?!!!?=",
        "=?utf-8?X?abc?=",
        "=?",
        "\"R\u{e9}mi\"",
    ];
    let case = scan(&with("=?utf-16?B?2D3cqQ==?= bail date", &names).mbox());
    assert_eq!(case.people().len(), 18 + names.len());
    harmless(&case);
}

#[test]
fn raw_eight_bit_names_are_read() {
    let mail = westminster(Mail::new(1))
        .cc(["\"NAME\" <remi@inbox.test>"])
        .bytes();
    let at = mail.windows(4).position(|w| w == b"NAME").unwrap();
    let latin = [&mail[..at], b"R\xe9mi Br\xfbl\xe9", &mail[at + 4..]].concat();
    let case = scan(&Mailbox::new().mail(|m| m.raw(latin)).mbox());
    assert_eq!(&case.person("remi@inbox.test")["name"], "Rémi Brûlé");
}

#[test]
fn names_of_archive_members_never_become_paths() {
    let file = Mailbox::ordinary(3).mail(westminster).rd();
    let store = Store::folder([
        (
            "in/a.zip",
            zip([
                ("../../escaped.mbox", &file),
                ("/tmp/ccspill-escaped.mbox", &file),
            ]),
        ),
        ("in/b.tar", tar([("deep/Sent.mbox", &file)])),
    ]);
    let case = Run::scan(store.path().join("in")).org(FORCE).ok();
    assert_eq!(case.found(), ["westminster"]);
    assert!(
        !store.path().join("escaped.mbox").exists()
            && !std::path::Path::new("/tmp/ccspill-escaped.mbox").exists()
    );
    assert_eq!(
        fs::read_dir(store.path()).unwrap().count(),
        1,
        "nothing is unpacked"
    );
}

#[test]
fn a_small_archive_of_a_huge_file_is_read_in_little_memory() {
    let zeros = gzip(&vec![0u8; 64 << 20]);
    let store = Store::folder([
        ("Sent.mbox", Mailbox::ordinary(3).mail(westminster).rd()),
        ("zeros.gz", zeros),
    ]);
    let output = Run::scan(store.path())
        .org(FORCE)
        .after("ulimit -v 1500000");
    assert_eq!(output.ok().found(), ["westminster"]);
}

#[test]
fn links_that_lead_in_a_circle_and_pipes_do_not_hold_up_a_walk() {
    let store = Store::folder([("Sent.mbox", Mailbox::ordinary(3).mail(westminster).rd())]);
    std::os::unix::fs::symlink(store.path(), store.path().join("again")).unwrap();
    std::os::unix::fs::symlink("nowhere", store.path().join("dangling")).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(store.path().join("pipe"))
            .status()
            .unwrap()
            .success()
    );
    let output = Run::scan(store.path()).org(FORCE).ok();
    assert_eq!(
        (output.found(), output.count("read")),
        (vec!["westminster".into()], 4)
    );
}

#[test]
fn an_incident_made_of_hostile_people_is_written_as_harmlessly() {
    let crowd = people(3, 40);
    let mailbox = Mailbox::new().mail(|m| {
        m.id("evil@force.example")
            .subject("\x1b[1m=1+1")
            .to(&crowd)
            .to(["\"=1+1\" <f@inbox.test>"])
    });
    let case = Run::scan(mailbox.mbox().path())
        .org(FORCE)
        .arg("--incident")
        .arg("<evil@force.example>")
        .ok();
    assert_eq!(case.people().len(), 4);
    harmless(&case);
}
