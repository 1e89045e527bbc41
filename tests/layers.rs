//! Which way a file of `src/` may look: data flows one way, and what judges mail touches nothing but its arguments.

use std::fs;
use std::path::{Path, PathBuf};

/// From what is written to what is read: a module may look at modules further down, and at its own.
const ORDER: [&[&str]; 9] = [
    &["main", "lib", "cli", "cmd"],
    &["pipeline", "export"],
    &["case"],
    &["judgement"],
    &["facts"],
    &["source"],
    &["exposure", "person"],
    &["signal"],
    &["history", "query"],
];
/// Below all of these: the words of mail and of its places.
const WORDS: [&str; 2] = ["message", "place"];
/// Beside the flow: what the machine offers. Only what runs may use it.
const MACHINE: [&str; 3] = ["progress", "terminal", "platform"];
/// What judges: no file, net, clock, thread, print.
const PURE: [&str; 9] = [
    "message",
    "query",
    "signal",
    "history",
    "exposure",
    "person",
    "judgement",
    "facts",
    "place",
];
/// Pairs that must not know each other, though the order would allow it.
const APART: [(&str, &str); 2] = [("case", "source"), ("export", "source")];

/// A file of `src/`: its module at the top level, its path, its text without tests.
struct File {
    module: String,
    path: PathBuf,
    text: String,
}

fn collect(folder: &Path, root: &Path, all: &mut Vec<File>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, root, all);
        } else if path.to_str().unwrap().ends_with("_tests.rs") {
            // Units beside the code look where they like.
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let inside = path.strip_prefix(root).unwrap();
            let module = inside
                .iter()
                .next()
                .unwrap()
                .to_str()
                .unwrap()
                .trim_end_matches(".rs")
                .to_owned();
            let code = text
                .split("#[cfg(test)]")
                .next()
                .unwrap_or_default()
                .to_owned();
            all.push(File {
                module,
                path: inside.to_owned(),
                text: code,
            });
        }
    }
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    collect(&root, &root, &mut all);
    assert!(all.len() > 5, "the files of src/");
    all
}

/// The code of a file: no comments, and no texts that only look like code.
fn code(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines = file
        .text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()));
    lines.filter(|(_, line)| !line.trim().is_empty())
}

fn rank(module: &str) -> usize {
    if WORDS.contains(&module) {
        return ORDER.len();
    }
    ORDER
        .iter()
        .position(|level| level.contains(&module))
        .unwrap_or_else(|| {
            panic!("'{module}' has no place yet: say in tests/layers.rs which way it may look")
        })
}

/// The top-level modules that a line names with `crate::`.
fn looked_at(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in line.split("crate::").skip(1) {
        let names = rest.strip_prefix('{').map_or_else(
            || vec![rest],
            |group| group.split(',').map(str::trim).collect(),
        );
        for name in names {
            let end = name
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(name.len());
            if name[..end].starts_with(|c: char| c.is_lowercase()) {
                found.push(name[..end].to_owned());
            }
        }
    }
    found
}

/// The `use` lines of a file, each with all of its lines joined, and every other line as it stands.
fn statements(file: &File) -> Vec<(usize, String)> {
    let mut all: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in code(file) {
        let line = line.trim();
        match all.last_mut() {
            Some((_, whole)) if open => whole.push_str(line),
            _ => all.push((number, line.to_owned())),
        }
        let starts = line
            .trim_start_matches("pub ")
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub(super) ")
            .starts_with("use ");
        open = (open || starts) && !line.ends_with(';');
    }
    all
}

#[test]
fn nothing_looks_back() {
    let known: Vec<String> = files().iter().map(|file| file.module.clone()).collect();
    for file in files() {
        let top = ["main", "lib", "cli", "cmd", "pipeline"].contains(&file.module.as_str());
        for (number, line) in statements(&file) {
            for module in looked_at(&line)
                .into_iter()
                .filter(|m| *m != file.module && known.contains(m))
            {
                let place = format!("src/{}:{number}: {line}", file.path.display());
                if MACHINE.contains(&module.as_str()) {
                    assert!(
                        top || !PURE.contains(&file.module.as_str()),
                        "{place}\nwhat judges knows no machine"
                    );
                } else if !MACHINE.contains(&file.module.as_str()) {
                    assert!(
                        rank(&file.module) <= rank(&module),
                        "{place}\n'{}' must not look at '{module}'",
                        file.module
                    );
                    let apart = APART.contains(&(file.module.as_str(), module.as_str()));
                    assert!(
                        !apart,
                        "{place}\n'{}' and '{module}' do not know each other",
                        file.module
                    );
                }
            }
        }
    }
}

#[test]
fn export_reads_only_the_case() {
    for file in files().iter().filter(|file| file.module == "export") {
        for (number, line) in statements(file) {
            for module in looked_at(&line) {
                let due = [
                    "export", "case", "message", "place", "person", "exposure", "query", "platform",
                ]
                .contains(&module.as_str());
                assert!(due, "src/{}:{number}: {line}", file.path.display());
            }
        }
    }
}

#[test]
fn what_judges_knows_no_file_net_clock_thread_or_print() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::thread",
        "std::process",
        "std::env",
        "std::io::stdin",
        "std::io::stdout",
        "SystemTime",
        "Instant",
        "::now()",
        "std::path",
        "println!",
        "eprintln!",
        "print!(",
        "eprint!(",
        "dbg!(",
        "crossbeam_channel",
        "Mutex",
        "rusqlite",
        "tempfile",
        "indicatif",
        "ctrlc",
    ];
    for file in files()
        .iter()
        .filter(|file| PURE.contains(&file.module.as_str()))
    {
        for (number, line) in code(file) {
            for word in forbidden {
                assert!(
                    !line.contains(word),
                    "src/{}:{number}: {}\n{word} is not for '{}'",
                    file.path.display(),
                    line.trim(),
                    file.module
                );
            }
        }
    }
}

#[test]
fn only_the_pipeline_and_what_reads_ahead_start_threads() {
    let ahead = [
        "source/ahead.rs",
        "source/in_order.rs",
        "source/imap/command.rs",
    ]
    .map(Path::new);
    for file in files().iter().filter(|file| {
        !["pipeline", "progress"].contains(&file.module.as_str())
            && !ahead.contains(&file.path.as_path())
    }) {
        for (number, line) in code(file) {
            for word in [
                "thread::spawn",
                "thread::scope",
                "thread::Builder",
                "Builder::new().name",
                "thread::{",
                "crossbeam_channel",
                "rayon::",
            ] {
                assert!(
                    !line.contains(word),
                    "src/{}:{number}: {}",
                    file.path.display(),
                    line.trim()
                );
            }
        }
    }
}

#[test]
fn only_the_terminal_prints() {
    for file in files().iter().filter(|file| file.module != "terminal") {
        for (number, line) in code(file) {
            for word in ["println!", "eprintln!", "print!(", "eprint!(", "dbg!("] {
                let other = word.starts_with("print") && line.contains(&format!("e{word}"));
                assert!(
                    other || !line.contains(word),
                    "src/{}:{number}: {}",
                    file.path.display(),
                    line.trim()
                );
            }
        }
    }
}

#[test]
fn imports_are_explicit() {
    for file in files() {
        for (number, line) in statements(&file)
            .iter()
            .filter(|(_, line)| line.contains("use "))
        {
            let glob = line.contains("::*") && !line.contains("rayon::prelude");
            assert!(!glob, "src/{}:{number}: {line}", file.path.display());
        }
    }
}

#[test]
fn every_file_opens_with_a_page_on_itself() {
    for file in files() {
        assert!(
            file.text.starts_with("//! "),
            "src/{} does not say what it is",
            file.path.display()
        );
    }
}

#[test]
fn the_test_of_the_layers_reads_use_lines() {
    assert_eq!(
        looked_at("use crate::{case::Case, message, exposure::{self}};"),
        ["case", "message", "exposure"]
    );
    assert_eq!(looked_at("let x = crate::source::open(p);"), ["source"]);
    assert!(rank("cmd") < rank("case") && rank("case") < rank("message"));
}
