//! Public mbox files are split as independent programs split them. The folder of these files is named by
//! `CCSPILL_CORPORA`; without it nothing is read.

use crate::builders::tell;
use ccspill::source::{Item, Position, Unit, all_units, open_path};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

/// Offset and length of each message, in order.
fn split(path: &Path) -> Vec<(u64, u64)> {
    let source = open_path(&path.to_string_lossy()).unwrap();
    let mut units: Vec<Box<dyn Unit>> = Vec::new();
    all_units(source.as_ref(), 2, &mut |unit| {
        units.push(unit);
        ControlFlow::Continue(())
    })
    .unwrap();
    let (mut all, mut border) = (Vec::new(), None);
    for unit in units {
        let read = |unit: &dyn Unit| {
            let mut found = Vec::new();
            let span = unit.read(&mut |item| match item {
                Item::Mail(raw) => match raw.position {
                    Position::Bytes { offset, length } => found.push((offset, length)),
                    Position::Path(_) | Position::Uid { .. } => {
                        found.push((0, raw.bytes.len() as u64))
                    }
                },
                Item::Unread(unread) => panic!("{}: {}", path.display(), unread.reason),
            });
            (found, span)
        };
        let (mut found, mut span) = read(&*unit);
        if let (Some(expected), Some(got)) = (border, span)
            && got.began != expected
            && let Some(unit) = unit.beginning_at(expected)
        {
            (found, span) = read(&*unit);
        }
        border = span.map(|s| s.ended);
        all.extend(found);
    }
    all
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn public_mboxes_are_split_as_others_split_them() {
    let Some(base) = std::env::var_os("CCSPILL_CORPORA") else {
        tell("corpora: none given (CCSPILL_CORPORA names their folder)");
        return;
    };
    let base = Path::new(&base);
    let rulings: BTreeMap<String, Option<u64>> = json(&base.join("expected/rulings.json"))
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["what"] == "count")
        .filter_map(|r| Some((r["file"].as_str()?.to_owned(), r["right"].as_u64())))
        .collect();
    let (mut files, mut messages) = (0, 0);
    for row in json(&base.join("expected/mbox_counts.json"))
        .as_array()
        .unwrap()
    {
        let name = row["file"].as_str().unwrap();
        let votes =
            [&row["py_mailbox"], &row["strict"], &row["gmime"]].map(|v| v.as_u64().unwrap());
        let agreed = votes.iter().all(|v| *v == votes[0]).then_some(votes[0]);
        let want = rulings.get(name).copied().unwrap_or(agreed);
        let Some(want) = want.filter(|n| *n > 0) else {
            continue;
        };
        let got = split(&base.join(name));
        assert_eq!(got.len() as u64, want, "{name}");
        files += 1;
        messages += want;
    }
    let offsets = offsets(base);
    // The ruling is for a person's reading: two.
    assert_eq!(split(&base.join("mimekit/mbox/unmunged.mbox.txt")).len(), 2);
    tell(&format!(
        "{files} mbox files with {messages} messages, {offsets} of them at the offsets that others give"
    ));
}

/// Checks the offsets that the other programs give; says how many.
fn offsets(base: &Path) -> usize {
    let mut rows: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    for set in ["imaptest", "mime4j", "mimekit", "tika"] {
        let text = std::fs::read_to_string(base.join(format!("expected/{set}.jsonl"))).unwrap();
        for row in text
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap())
        {
            if let (Some(offset), Some(size), Some(file)) = (
                row["offset"].as_u64(),
                row["size"].as_u64(),
                row["file"].as_str(),
            ) && file.contains("/mbox/")
            {
                rows.entry(file.to_owned())
                    .or_default()
                    .push((offset, size));
            }
        }
    }
    let mut compared = 0;
    for (file, want) in rows {
        let bytes = std::fs::read(base.join(&file)).unwrap();
        let got = split(&base.join(&file));
        if !bytes.starts_with(b"From ") {
            continue;
        }
        assert_eq!(got.len(), want.len(), "{file}");
        for ((offset, length), (from_line, size)) in got.into_iter().zip(want) {
            // They count from the From_ line, and the empty line before the next to the message.
            let line = bytes[from_line as usize..]
                .iter()
                .position(|b| *b == b'\n')
                .unwrap() as u64
                + 1;
            assert_eq!(offset, from_line + line, "{file} at {from_line}");
            let rest = size - length;
            let blank = &bytes[(offset + length) as usize..(offset + size) as usize];
            assert!(
                rest <= 2 && matches!(blank, b"" | b"\n" | b"\r\n"),
                "{file} at {from_line}: {size}, not {length}"
            );
            compared += 1;
        }
    }
    compared
}
