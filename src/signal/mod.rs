//! Signals: one reason each to believe, or to doubt, that a message exposes a group. Each file weighs one kind and says
//! in one plain sentence what it saw. They are added in `exposure`; nothing here knows a person or a case.
//!
//! Weights are points of confidence. At the default threshold of 50: a phrase in the subject (40) and three strangers
//! (10 + 12) are reported, two only where the text speaks to several of a sort (6 + 6); a phrase in the body (22) needs five,
//! a word that tells little (14) eight and one sign more; strangers alone need about a dozen.

pub mod about;
pub mod aftermath;
pub mod habit;
pub mod series;
pub mod shape;
pub mod strangers;
pub mod who;

/// The kind of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Recipients are known to be of the group.
    Who,
    /// The message shows the group in itself.
    About,
    /// The list looks like one of strangers, or of colleagues.
    Shape,
    /// The people have, or have not, spoken.
    Strangers,
    /// What the sender usually does.
    Habit,
    /// What came after.
    Aftermath,
}

/// One reason to believe or to doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Its kind.
    pub kind: Kind,
    /// Points of confidence; below zero for doubt.
    pub weight: i32,
    /// What was seen, as one plain sentence with its figures and words.
    pub says: String,
}

/// A visible list as `shape` and `strangers` look at it: the people who could be exposed in it, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crowd {
    /// People who could be exposed: outsiders, and insiders where the query or a roster says so.
    pub people: usize,
    /// True where they stand in a quoted or attached list, in view of somebody who was not on it.
    pub inside: bool,
    /// Of them: at personal mailboxes, or known by name only.
    pub personal: usize,
    /// Of these: known by name only.
    pub name_only: usize,
    /// Of them: at domains of other organisations.
    pub professional: usize,
    /// Of them: of the organisation itself.
    pub insiders: usize,
    /// Distinct domains of other organisations among them.
    pub organisations: usize,
    /// The name of the one organisation where all are of one.
    pub only_organisation: Option<String>,
    /// True where the text speaks to people as several of a sort (`each of you`, `complainants`).
    pub several: bool,
    /// Of those at personal mailboxes: how many share a family name with another.
    pub kin: usize,
    /// Of those at personal mailboxes: how many bear the name of the author or of an insider in view.
    pub own: usize,
    /// Insiders in view who could not be exposed.
    pub colleagues: usize,
    /// People who are greeted by name.
    pub greeted: usize,
    /// Of them: at personal mailboxes, or of the organisation.
    pub greeted_private: usize,
    /// True where the list stands in alphabetical order, by name or by address.
    pub alphabetical: bool,
    /// The greeting, where it is to nobody in particular ("Dear all").
    pub greeting: Option<String>,
}

/// `1 person`, `3 people`.
pub fn people(count: usize) -> String {
    if count == 1 {
        "1 person".to_owned()
    } else {
        format!("{} people", thousands(count as u64))
    }
}

/// A number with commas between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `a`, `a and b`, `a, b and c`; at most `most` of them, then how many more.
pub fn listed(items: &[String], most: usize) -> String {
    let shown = &items[..items.len().min(most)];
    match (shown, items.len() - shown.len()) {
        ([], _) => String::new(),
        (shown, more @ 1..) => format!("{} and {more} more", shown.join(", ")),
        ([only], _) => only.clone(),
        ([first @ .., last], _) => format!("{} and {last}", first.join(", ")),
    }
}
