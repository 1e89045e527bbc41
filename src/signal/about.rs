//! About: subject, body, attachment name, sender or list name match a query's phrases.

use std::collections::BTreeSet;

use super::{Kind, Signal, listed};
use crate::query::{Found, Part};

/// How many further phrases of a part count.
fn most(part: Part) -> usize {
    if part == Part::Word || part == Part::You {
        4
    } else {
        2
    }
}

/// Most points for what other queries found in parts in which this one found nothing: what fits two groups by two signs is
/// more surely about people.
const ELSEWHERE: i32 = 10;

/// Points for the first phrase in a part, and for each further one there.
fn points(part: Part) -> (i32, i32) {
    match part {
        Part::Subject | Part::List => (40, 4),
        Part::Sender => (30, 4),
        Part::Attachment => (32, 4),
        Part::Body => (22, 6),
        Part::You => (20, 8),
        Part::Word => (14, 6),
    }
}

/// Weighs what one query found in a message, of which `found` holds all of that query and nothing else. A second part
/// that matches adds half its points, what other queries found in the parts of `elsewhere` a third of the best; all together
/// give at most 62.
pub fn signal(found: &[&Found], elsewhere: &BTreeSet<Part>) -> Option<Signal> {
    let mut parts: Vec<(i32, String)> = Vec::new();
    let mut counted: BTreeSet<&str> = BTreeSet::new();
    for part in [
        Part::Subject,
        Part::Sender,
        Part::List,
        Part::Attachment,
        Part::Body,
        Part::You,
        Part::Word,
    ] {
        let phrases: Vec<String> = found
            .iter()
            .filter(|found| found.part == part)
            .map(|found| format!("'{}'", found.phrase))
            .collect();
        if phrases.is_empty() {
            continue;
        }
        let (first, further) = points(part);
        // The same words in a second part say nothing new, nor does a word that begins like another.
        let new = found
            .iter()
            .filter(|found| found.part == part)
            .filter(|found| {
                let stem = found.phrase.trim_end_matches('*');
                let alike = |known: &&str| stem.starts_with(*known) || known.starts_with(stem);
                let new = !counted.iter().any(alike);
                counted.insert(stem);
                new
            })
            .count();
        let weight = if new == 0 {
            0
        } else {
            first + further * (new - 1).min(most(part)) as i32
        };
        let words = listed(&phrases, 4);
        parts.push((
            weight,
            match part {
                Part::Subject => format!("the subject says {words}"),
                Part::Sender => format!("the sender fits {words}"),
                Part::List => format!("the list's name says {words}"),
                Part::Attachment => format!("an attachment's name says {words}"),
                Part::Body => format!("the text says {words}"),
                Part::You => format!("it says to its readers {words}"),
                Part::Word => format!("it or its sender speaks of {words}"),
            },
        ));
    }
    let best = parts.iter().map(|(weight, _)| *weight).max()?;
    let all: i32 = parts.iter().map(|(weight, _)| *weight).sum();
    let other = elsewhere.iter().map(|part| points(*part).0 / 3).max();
    let other = other.unwrap_or(0);
    let says: Vec<String> = parts.into_iter().map(|(_, says)| says).collect();
    Some(Signal {
        kind: Kind::About,
        weight: (best + (all - best) / 2 + other.min(ELSEWHERE)).min(62),
        says: listed(&says, 5),
    })
}
