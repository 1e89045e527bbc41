//! Habit: what belongs to one series. Not yet a weight: the Bcc habit of a sender is judged in the second pass.

use crate::query::pattern::fold;

/// Marks of an answer, a forward or a recall before a subject, folded.
const PREFIXES: [&str; 22] = [
    "re",
    "fw",
    "fwd",
    "aw",
    "wg",
    "sv",
    "vs",
    "antw",
    "rv",
    "tr",
    "rif",
    "odp",
    "res",
    "recall",
    "message recall",
    "ynt",
    "ref",
    "doorst",
    "ateb",
    "zuruckrufen",
    "rappel",
    "retirar",
];

/// The subject that a series shares: folded, without the marks of answers, forwards and recalls, without numbers.
pub fn series(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some((mark, behind)) = rest.split_once(':') {
        if behind.trim().is_empty() || !PREFIXES.contains(&fold(mark).trim()) {
            break;
        }
        rest = behind.trim_start();
    }
    fold(rest)
        .split_whitespace()
        .filter(|word| !word.chars().all(|c| c.is_ascii_digit()))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::series;

    #[test]
    fn a_recall_an_answer_and_the_next_number_are_of_one_series() {
        assert_eq!(
            series("Recall: Clinic news 12"),
            series("Re: AW: clinic news 13")
        );
        assert_ne!(series("Clinic news"), series("Choir news"));
    }
}
