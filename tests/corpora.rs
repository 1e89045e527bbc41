//! The message reader against independent parsers, on the mail of public projects. The folder of this mail is named
//! by `CCSPILL_CORPORA`; none of it is kept here, because it holds real names. Without the variable nothing is read.

use crate::builders::tell;
use ccspill::message::header::Name;
use ccspill::message::mentions::Mentions;
use ccspill::message::{Field, Mailbox, Message, quoted, recipients};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines in `expected/` that are provably wrong: file, index, field, why.
const WRONG: [(&str, u64, &str, &str); 1] = [(
    "mimekit/eml/feedback-report.txt",
    0,
    "from",
    "a byte order mark stands before `From:`, the first field; the parsers take it for part of the name",
)];

#[test]
fn recipients_and_fields_are_those_that_independent_parsers_see() {
    let Some(folder) = corpora() else { return };
    let rulings = read_json(&folder.join("expected/rulings.json"));
    let (mut messages, mut fields, mut differences) = (0, 0, Vec::new());
    for file in sorted(&folder.join("expected"), "jsonl") {
        if file.ends_with("msg.jsonl") {
            continue;
        }
        let lines = fs::read_to_string(&file).expect("a readable file");
        for line in lines.lines() {
            let expected: Value = serde_json::from_str(line).expect("one JSON object a line");
            let raw = bytes(&folder, &expected);
            messages += 1;
            compare(&expected, &rulings, &raw, &mut fields, &mut differences);
        }
    }
    tell(&format!(
        "corpora: {messages} messages, {fields} fields compared, {} differ",
        differences.len()
    ));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(
        messages > 400 && fields > 2000,
        "the corpora are smaller than they should be"
    );
}

#[test]
fn no_file_makes_the_reader_panic() {
    let Some(folder) = corpora() else { return };
    let mut files = Vec::new();
    walk(&folder, &mut files);
    for file in &files {
        let raw = fs::read(file).expect("a readable file");
        ask_everything(&raw);
        // Torn and shifted copies.
        for part in 1..8 {
            ask_everything(&raw[raw.len() * part / 8..]);
            ask_everything(&raw[..raw.len() * part / 8]);
        }
    }
    tell(&format!(
        "corpora: {} files read whole and in parts",
        files.len()
    ));
}

fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("CCSPILL_CORPORA").map(PathBuf::from);
    if folder.is_none() {
        tell("corpora: none given (CCSPILL_CORPORA names their folder)");
    }
    folder
}

fn read_json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).expect("a readable file")).expect("JSON")
}

fn sorted(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|e| e == extension));
    files.sort();
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, files)
        } else {
            files.push(path)
        }
    }
}

/// The bytes of an expected message. `offset` is that of its From_ line; `size` does not count that line.
fn bytes(folder: &Path, expected: &Value) -> Vec<u8> {
    let name = expected["file"].as_str().expect("a file");
    let raw = fs::read(folder.join(name)).expect("a readable file");
    let (Some(offset), Some(size), true) = (
        expected["offset"].as_u64(),
        expected["size"].as_u64(),
        name.contains("/mbox/"),
    ) else {
        return raw;
    };
    let rest = &raw[offset as usize..];
    let border = if rest.starts_with(b"From ") {
        rest.iter().position(|b| *b == b'\n').map_or(0, |n| n + 1)
    } else {
        0
    };
    rest[..rest.len().min(border + size as usize)].to_vec()
}

fn compare(
    expected: &Value,
    rulings: &Value,
    raw: &[u8],
    fields: &mut usize,
    differences: &mut Vec<String>,
) {
    let message = Message::new(raw).ok();
    let place = format!(
        "{} {}",
        expected["file"].as_str().unwrap_or_default(),
        expected["index"]
    );
    for field in ["from", "to", "cc", "bcc", "subject", "date", "message_id"] {
        let wrong = |(file, index, name, _): &(&str, u64, &str, &str)| {
            expected["file"] == *file && expected["index"] == *index && field == *name
        };
        if WRONG.iter().any(wrong) {
            continue;
        }
        let ruling = rulings
            .as_array()
            .into_iter()
            .flatten()
            .find(|r| r["file"] == expected["file"] && r["what"] == field);
        let want = match ruling {
            Some(ruling) => Value::from(vec![ruling["right"].clone()]),
            None if doubted(expected, field) => continue,
            None => expected[field].clone(),
        };
        *fields += 1;
        let got = message
            .as_ref()
            .map_or(Value::Null, |message| seen(message, field));
        if normal(&want) != normal(&got) {
            differences.push(format!("{place} {field}: {want} expected, {got} found"));
        }
    }
}

fn doubted(expected: &Value, field: &str) -> bool {
    ["contested", "majority_only"].iter().any(|list| {
        expected[list]
            .as_array()
            .is_some_and(|all| all.iter().any(|f| f == field))
    })
}

fn seen(message: &Message<'_>, field: &str) -> Value {
    let addresses = |mailboxes: Vec<&Mailbox>| {
        let all: BTreeSet<_> = mailboxes
            .iter()
            .filter_map(|m| m.address.as_ref())
            .map(|a| a.as_str().to_owned())
            .collect();
        Value::from(Vec::from_iter(all))
    };
    let of = |field| {
        addresses(
            message
                .recipients()
                .iter()
                .filter(|r| r.field == field)
                .map(|r| &r.mailbox)
                .collect(),
        )
    };
    match field {
        "from" => addresses(message.from().iter().collect()),
        "to" => of(Field::To),
        "cc" => of(Field::Cc),
        "bcc" => of(Field::Bcc),
        "subject" => message.subject().into(),
        "date" => message.date().into(),
        _ => message.message_id().into(),
    }
}

/// Lists as sorted sets, text without doubled white space and in lower case, nothing and the empty text as one.
fn normal(value: &Value) -> Vec<String> {
    let text = |text: &str| {
        text.to_lowercase()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut all: Vec<String> = match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(text).collect(),
        Value::String(one) => vec![text(one)],
        Value::Number(number) => vec![number.to_string()],
        _ => Vec::new(),
    };
    all.retain(|one| !one.is_empty());
    all.sort();
    all.dedup();
    all
}

/// Every question that a message can be asked.
fn ask_everything(raw: &[u8]) {
    let Ok(message) = Message::new(raw) else {
        return;
    };
    let all = message.recipients();
    let shown = recipients::visible(all);
    assert!(shown.len() <= all.len() && recipients::blind(all).len() <= all.len());
    let body = message.body_text(100_000);
    assert!(body.text.len() <= 100_000);
    for text in [&body.text, message.subject().as_ref()]
        .into_iter()
        .chain(shown.iter().map(|r| r.mailbox.name.as_str()))
    {
        assert!(
            !text.contains(|c: char| c.is_control() && c != '\n'),
            "control characters left"
        );
    }
    for address in shown.iter().filter_map(|r| r.mailbox.address.as_ref()) {
        let again = ccspill::message::Address::new(address.as_str());
        assert_eq!(again.as_ref(), Some(address), "not its own canonical form");
    }
    let _ = quoted::quoted_author(&body.text);
    let _ = (
        message.from(),
        message.sender(),
        message.date(),
        message.received(),
        message.has_received(),
    );
    let _ = (
        message.message_id(),
        message.in_reply_to(),
        message.list(),
        message.auto_submitted(),
    );
    let _ = (
        message.draft(),
        message.deleted(),
        message.gmail_sent(),
        message.head().cut(),
        message.body().len(),
    );
    let _ = ccspill::message::Key::of(&message).to_hex();
    same_people(&message);
}

/// The reader that is quick because it leaves names out finds the same people as the one that reads all.
fn same_people(message: &Message<'_>) {
    let mut mentions = Mentions::default();
    mentions.read(message.head());
    let quick: Vec<_> = mentions
        .all()
        .iter()
        .map(|mention| (mention.field(), mentions.text(*mention).to_owned()))
        .filter(|(field, _)| field.is_some())
        .collect();
    let slow = message.recipients().iter().map(|recipient| {
        let Mailbox { address, name } = &recipient.mailbox;
        let text = address.as_ref().map_or(name.as_str(), |one| one.as_str());
        (Some(recipient.field), text.to_owned())
    });
    assert_eq!(quick, slow.collect::<Vec<_>>());
    let authors = mentions
        .all()
        .iter()
        .filter(|mention| mention.name == Name::From)
        .map(|mention| mentions.text(*mention).to_owned());
    let slow = message.from().into_iter().map(|mailbox| {
        mailbox
            .address
            .map_or(mailbox.name, |one| one.as_str().to_owned())
    });
    assert_eq!(authors.collect::<Vec<_>>(), slow.collect::<Vec<_>>());
}
