//! The words of an office: hand-written subjects and sentences in `*.txt`, by section, with slots that are filled in.

use super::super::Dice;
use std::collections::BTreeMap;

/// Subjects and sentences by the name of their section.
#[derive(Clone, Debug)]
pub(crate) struct Bank(BTreeMap<&'static str, Vec<&'static str>>);

macro_rules! banks {
    ($($sort:literal),*) => {
        /// The sorts of office of which there are words.
        pub(crate) const SORTS: [&str; 12] = [$($sort),*];

        fn text(sort: &str) -> Option<&'static str> {
            match sort {
                $($sort => Some(include_str!(concat!($sort, ".txt"))),)*
                _ => None,
            }
        }
    };
}
banks![
    "clinic",
    "council",
    "police",
    "charity",
    "school",
    "university",
    "union",
    "parish",
    "housing",
    "solicitor",
    "company",
    "hr"
];

const DAYS: [&str; 5] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
const TIMES: [&str; 8] = [
    "9 am",
    "9.30",
    "10.15",
    "11 am",
    "1.45 pm",
    "2 pm",
    "half past three",
    "4.20 pm",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const PLACES: [&str; 8] = [
    "Room 2",
    "the annexe",
    "the main hall",
    "Mill Street",
    "the Beech Road office",
    "the library",
    "the second floor",
    "the side entrance",
];

impl Bank {
    /// The words of a sort of office, and those that all offices share.
    pub(crate) fn of(sort: &str) -> Self {
        let own = text(sort).unwrap_or_else(|| panic!("no office of the sort '{sort}': {SORTS:?}"));
        let mut sections: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
        for text in [include_str!("common.txt"), own] {
            let mut section = "";
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                match line.strip_prefix("## ") {
                    Some(name) => section = name,
                    None if line.starts_with('#') => {}
                    None => sections.entry(section).or_default().push(line),
                }
            }
        }
        Bank(sections)
    }

    /// A section; it must have lines.
    pub(crate) fn section(&self, name: &str) -> &[&'static str] {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("no words for '{name}'"))
    }

    /// One line of a section.
    pub(crate) fn line(&self, name: &str, dice: &mut Dice) -> &'static str {
        *dice.pick::<&'static str>(self.section(name))
    }
}

/// Fills the slots of a sentence: `{day}`, `{time}`, `{month}`, `{place}`, `{n}`, `{ref}`, `{first}`, `{colleague}`.
pub(crate) fn fill(
    line: &str,
    dice: &mut Dice,
    reference: &str,
    first: &str,
    colleague: &str,
) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once('{') {
        out += before;
        let Some((slot, after)) = behind.split_once('}') else {
            break;
        };
        match slot {
            "day" => out += *dice.pick::<&str>(&DAYS),
            "time" => out += *dice.pick::<&str>(&TIMES),
            "month" => out += *dice.pick::<&str>(&MONTHS),
            "place" => out += *dice.pick::<&str>(&PLACES),
            "n" => out += &dice.between(2, 48).to_string(),
            "ref" => out += reference,
            "first" => out += first,
            "colleague" => out += colleague,
            other => panic!("no slot '{other}' in '{line}'"),
        }
        rest = after;
    }
    out + rest
}
