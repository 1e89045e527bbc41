//! The one place that prints. Data and summaries go to standard output, the rest to standard error; text from mail is
//! cleaned before it gets here or by [`clean`](crate::message::text::clean).

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

static QUIET: OnceLock<bool> = OnceLock::new();

/// Makes notes silent (`-q`); errors and data stay.
pub fn quiet() {
    let _ = QUIET.set(true);
}

/// Prints data or a summary. A reader that has gone away is no error.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints raw text without a line end.
pub fn write(text: &str) {
    let _ = write!(std::io::stdout().lock(), "{text}");
}

/// Prints a remark on standard error.
pub fn note(text: &str) {
    if !QUIET.get().copied().unwrap_or(false) {
        let _ = writeln!(std::io::stderr().lock(), "ccspill: {text}");
    }
}

/// Prints what is said on a connection, for people who asked for it.
pub fn detail(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Asks a person for a secret without showing what is typed. `None` where nobody is there to answer.
pub fn secret(what: &str) -> Option<String> {
    let terminal = console::Term::stderr();
    if !terminal.is_term() || !std::io::stdin().is_terminal() {
        return None;
    }
    let _ = write!(std::io::stderr().lock(), "{what}: ");
    terminal.read_secure_line().ok()
}

/// Prints an error on standard error: what went wrong, then the mend on a line of its own.
pub fn complain(error: &anyhow::Error) {
    let mut chain: Vec<String> = error
        .chain()
        .map(|cause| harmless(&cause.to_string()))
        .collect();
    let mut mend = None;
    for text in &mut chain {
        if let Some((head, tail)) = text.split_once("\n  try: ") {
            mend.get_or_insert_with(|| tail.to_owned());
            *text = head.to_owned();
        }
    }
    chain.dedup();
    let _ = writeln!(std::io::stderr().lock(), "ccspill: {}", chain.join(": "));
    if let Some(mend) = mend {
        let _ = writeln!(std::io::stderr().lock(), "  try: {mend}");
    }
}

/// A message of several lines without control characters: a file's name may hold any.
fn harmless(text: &str) -> String {
    let clean: String = text
        .chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .collect();
    // The number of a system's error helps nobody who reads its words.
    match clean.split_once(" (os error ") {
        Some((words, rest)) => {
            let rest = rest.split_once(')').map_or("", |(_, rest)| rest);
            format!("{words}{rest}")
        }
        None => clean,
    }
}

/// Whether a person watches standard error.
pub fn watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Width of the terminal on standard output, or 80.
pub fn width() -> usize {
    console::Term::stdout()
        .size_checked()
        .map_or(80, |(_, columns)| usize::from(columns).clamp(40, 120))
}
