//! The README's ```console blocks really run: each line that begins with `$ ` is a command, what follows is what it says.
//!
//! All blocks share one folder, in their order, as a reader would type them. `…` alone on a line stands for any lines, and
//! inside a line for any text. `cargo run … --` is the program; other `cargo` and `git` commands are for the reader.

use std::path::Path;
use std::process::Command;

/// A command of the README, the line on which it stands, and what it is said to say.
struct Shown {
    line: usize,
    command: String,
    output: Vec<String>,
}

fn commands(text: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            inside = line.trim() == "```console";
        } else if inside && line.starts_with("$ ") {
            all.push(Shown {
                line: number + 1,
                command: line[2..].into(),
                output: Vec::new(),
            });
        } else if let Some(shown) = all.last_mut().filter(|_| inside) {
            if shown.command.ends_with('\\') && shown.output.is_empty() {
                shown.command = format!(
                    "{} {}",
                    shown.command.trim_end_matches('\\').trim_end(),
                    line.trim_start_matches("> ").trim()
                );
            } else {
                shown.output.push(line.trim_end().to_owned());
            }
        }
    }
    all
}

/// Whether `line` is as `shown`, where `…` stands for any text.
fn fits(shown: &str, line: &str) -> bool {
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        last = Some(part);
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || last.is_some_and(|part| part.is_empty() || line.ends_with(part))
}

/// Whether the lines that were said are those shown.
fn same(shown: &[String], said: &[&str]) -> bool {
    match shown.split_first() {
        None => said.is_empty(),
        Some((any, rest)) if any.trim() == "…" => {
            (0..=said.len()).any(|skip| same(rest, &said[skip..]))
        }
        Some((line, rest)) => {
            said.first()
                .is_some_and(|first| fits(line, first.trim_end()))
                && same(rest, &said[1..])
        }
    }
}

#[cfg(unix)]
#[test]
fn every_command_of_the_readme_runs_and_says_what_it_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("README.md")).expect("a README.md");
    let home = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name();
        if !["target", ".git", "ccspill-case"]
            .iter()
            .any(|not| name == *not)
        {
            std::os::unix::fs::symlink(entry.path(), home.path().join(name)).unwrap();
        }
    }
    let bin = Path::new(env!("CARGO_BIN_EXE_ccspill")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut ran = 0;
    for Shown {
        line,
        command,
        mut output,
    } in commands(&text)
    {
        // What it installs is there, or this would not have been built.
        let command = match command.split_once(" && ") {
            Some((install, rest)) if install.starts_with(".ci/install") => rest.to_owned(),
            _ => command,
        };
        let command = match command.split_once(" -- ") {
            Some((cargo, args)) if cargo.starts_with("cargo run") => format!("ccspill {args}"),
            _ if command.starts_with("cargo ")
                || command.starts_with("git ")
                || command.starts_with("cd ") =>
            {
                continue;
            }
            _ => command,
        };
        let done = Command::new("sh")
            .arg("-c")
            .arg(format!("{command} 2>&1"))
            .current_dir(home.path())
            .env("PATH", &path)
            .output();
        let done = done.expect("a shell");
        let said = String::from_utf8(done.stdout).expect("UTF-8");
        assert!(
            [0, 1, 3].contains(&done.status.code().unwrap_or(-1)),
            "README.md:{line}: {command}: {}\n{said}",
            done.status
        );
        while output.last().is_some_and(String::is_empty) {
            output.pop();
        }
        let lines: Vec<&str> = said.trim_end().lines().collect();
        assert!(
            output.is_empty() || same(&output, &lines),
            "README.md:{line}: {command} says now:\n{said}"
        );
        ran += 1;
    }
    assert!(ran > 0, "no command of the README was run");
}

#[test]
fn an_ellipsis_stands_for_text_and_for_lines() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(same(&lines("a … c\n…\nend"), &["a b c", "x", "y", "end"]));
    assert!(!same(&lines("a … c\nend"), &["a b d", "end"]));
    assert!(!same(&lines("a\n…"), &["b"]));
    assert_eq!(
        commands("```console\n$ one \\\n    two\nout\n\n$ three\n```\n$ not me\n").len(),
        2
    );
}
