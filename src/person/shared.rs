//! Several people behind one address: a display name that names two (`John & Jane Doe`), or two full names seen on one
//! address over the messages. A company or a job (`Sales & Marketing`) is nobody. Not a family tree: who is whose is no
//! matter here.

use super::name::{FullName, is_name, is_title};
use super::personal_provider;
use crate::query::pattern::fold;

/// An address that is shown with more names than these is a machine's or a list's; it stays one person.
const MOST: usize = 4;

/// One of several people at one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct One {
    /// The name as it is shown, with the family name where it is told once for all.
    pub name: String,
    /// The forms of the name that were seen, folded and in order: what ids are made from.
    pub keys: Vec<String>,
}

/// The people at an address by the names that were shown with it, in any order; none where it is one person's.
pub fn people(address: &str, shown: &[&str]) -> Vec<One> {
    let names_two = |shown: &&str| {
        let mut words = shown.split_whitespace();
        shown.contains('&') || words.any(|word| separator(word).is_some())
    };
    // As it is for nearly every address.
    if shown.len() < 2 && !shown.iter().any(names_two) {
        return Vec::new();
    }
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let personal = personal_provider(domain);
    let mut shown = shown.to_vec();
    shown.sort_unstable();
    shown.dedup();
    let several: Vec<Vec<String>> = shown
        .iter()
        .filter_map(|name| several(name, personal))
        .collect();
    let alone = shown
        .iter()
        .filter(|name| several.is_empty() || self::several(name, personal).is_none())
        .filter(|name| personal || !is_of_domain(name, domain))
        .filter(|name| FullName::new(name).is_some())
        .map(|name| vec![(*name).to_owned()]);
    let mut found: Vec<Vec<(String, FullName)>> = Vec::new();
    for group in several.iter().cloned().chain(alone) {
        // Two who are named together are two, whatever they are called.
        let mut taken = Vec::new();
        for name in group {
            let Some(read) = FullName::of_words(&name) else {
                continue;
            };
            let place = (0..found.len()).find(|at| {
                !taken.contains(at) && found[*at].iter().all(|(_, known)| one(known, &read))
            });
            let place = place.unwrap_or(found.len());
            if place == found.len() {
                found.push(Vec::new());
            }
            found[place].push((name, read));
            taken.push(place);
        }
    }
    if !(2..=MOST).contains(&found.len()) {
        return Vec::new();
    }
    let mut out: Vec<One> = found.into_iter().map(told).collect();
    out.sort_by(|a, b| a.keys.cmp(&b.keys));
    out
}

fn one(known: &FullName, read: &FullName) -> bool {
    known.may_be(read) && !known.contradicts(read)
}

fn told(forms: Vec<(String, FullName)>) -> One {
    let mut keys: Vec<String> = forms
        .iter()
        .map(|(name, _)| fold(name).trim().to_owned())
        .collect();
    keys.sort();
    keys.dedup();
    let longest = forms
        .into_iter()
        .map(|(name, _)| name)
        .max_by_key(|name| (name.chars().count(), std::cmp::Reverse(name.clone())));
    One {
        name: longest.unwrap_or_default(),
        keys,
    }
}

/// Whether a name is that of the address's own organisation: `Blue Door Project` at `bluedoor.example`.
fn is_of_domain(name: &str, domain: &str) -> bool {
    let folded = fold(name);
    folded
        .split_whitespace()
        .any(|word| word.len() >= 4 && domain.contains(word))
}

/// A word between two people, and whether it is one in other names too (`Ortega y Gasset`, the initial A).
fn separator(word: &str) -> Option<bool> {
    match word {
        "&" => Some(false),
        "y" | "a" | "ac" => Some(true),
        _ => ["and", "und", "et"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
            .then_some(false),
    }
}

/// The words of one person between two separators.
struct Part<'a> {
    title: Option<&'a str>,
    names: Vec<&'a str>,
    capitals: bool,
}

impl<'a> Part<'a> {
    fn new(words: &[&'a str]) -> Option<Self> {
        let mut part = Part {
            title: None,
            names: Vec::new(),
            capitals: true,
        };
        for word in words {
            if is_title(word) && part.names.is_empty() {
                part.title = Some(word);
            } else if is_name(word) {
                part.names.push(word);
                part.capitals &= word.starts_with(char::is_uppercase);
            } else if fold(word).trim().chars().count() != 1 {
                return None;
            }
        }
        Some(part)
    }

    fn whole(&self) -> String {
        let words: Vec<&str> = self.title.into_iter().chain(self.names.clone()).collect();
        words.join(" ")
    }
}

/// The names of the people whom one display name names, if these are two or more. `personal` is true at a provider of
/// personal mailboxes; elsewhere `Marks & Spencer` is a firm.
fn several(shown: &str, personal: bool) -> Option<Vec<String>> {
    if shown.len() > 200 || shown.contains(['@', ';', '/', '|']) {
        return None;
    }
    let spaced = shown.replace('&', " & ");
    let ordered = in_order(&spaced)?;
    let words: Vec<&str> = ordered.split_whitespace().collect();
    let mut strict = false;
    let mut parts = Vec::new();
    for words in words.split(|word| separator(word).is_some()) {
        parts.push(Part::new(words)?);
    }
    for word in &words {
        strict |= separator(word) == Some(true);
    }
    if !(2..=MOST).contains(&parts.len()) {
        return None;
    }
    let (last, others) = parts.split_last()?;
    let family = *last.names.last()?;
    if strict && !parts.iter().all(|part| part.capitals) {
        return None;
    }
    if others
        .iter()
        .all(|part| part.title.is_some() && part.names.is_empty())
        && last.title.is_some()
    {
        return distinct(
            parts
                .iter()
                .map(|part| format!("{} {family}", part.title.unwrap_or_default())),
        );
    }
    if parts.iter().any(|part| part.names.is_empty()) {
        return None;
    }
    if parts.iter().all(|part| part.names.len() >= 2) {
        return distinct(parts.iter().map(Part::whole));
    }
    let titled = parts.iter().all(|part| part.title.is_some());
    if !personal && !titled {
        return None;
    }
    if last.names.len() >= 2 {
        return distinct(parts.iter().map(|part| match part.names.len() {
            1 => format!("{} {family}", part.whole()),
            _ => part.whole(),
        }));
    }
    let all_one = parts
        .iter()
        .all(|part| part.names.len() == 1 && part.capitals);
    (all_one || !strict)
        .then(|| distinct(parts.iter().map(Part::whole)))
        .flatten()
        .filter(|_| parts.iter().all(|part| part.capitals))
}

fn distinct(names: impl Iterator<Item = String>) -> Option<Vec<String>> {
    let names: Vec<String> = names.collect();
    let mut keys: Vec<String> = names.iter().map(|name| fold(name)).collect();
    keys.sort();
    keys.dedup();
    (keys.len() == names.len()).then_some(names)
}

/// `Doe, John & Jane` as `John & Jane Doe`; `None` where a comma means something else.
fn in_order(shown: &str) -> Option<String> {
    match shown.split_once(',') {
        None => Some(shown.to_owned()),
        Some((family, rest)) => {
            let alone = is_name(family.trim()) && !rest.contains(',');
            let given = rest
                .split_whitespace()
                .collect::<Vec<_>>()
                .split(|word| separator(word).is_some())
                .all(|words| words.len() == 1);
            (alone && given).then(|| format!("{rest} {family}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str, shown: &[&str]) -> Vec<String> {
        people(address, shown)
            .into_iter()
            .map(|one| one.name)
            .collect()
    }

    fn home(shown: &str) -> Vec<String> {
        at("k7@inbox.test", &[shown])
    }

    #[test]
    fn a_display_name_can_name_two_or_three() {
        assert_eq!(home("John & Jane Doe"), ["Jane Doe", "John Doe"]);
        assert_eq!(home("Doe, John and Jane"), ["Jane Doe", "John Doe"]);
        assert_eq!(home("John&Jane Doe"), ["Jane Doe", "John Doe"]);
        assert_eq!(home("Nia Marsh and Tom Marsh"), ["Nia Marsh", "Tom Marsh"]);
        assert_eq!(home("Mr and Mrs Lloyd"), ["Mr Lloyd", "Mrs Lloyd"]);
        assert_eq!(home("Mr & Mrs J Lloyd"), ["Mr Lloyd", "Mrs Lloyd"]);
        assert_eq!(home("Anna und Karl"), ["Anna", "Karl"]);
        assert_eq!(home("Marie et Paul"), ["Marie", "Paul"]);
        assert_eq!(home("Ana y Luis García"), ["Ana García", "Luis García"]);
        assert_eq!(home("Gwen a Tomos"), ["Gwen", "Tomos"]);
        assert_eq!(
            home("Ann and Bob and Cai Lloyd"),
            ["Ann Lloyd", "Bob Lloyd", "Cai Lloyd"]
        );
    }

    #[test]
    fn a_company_a_job_a_double_name_or_an_initial_is_not_two() {
        for shown in [
            "Sales & Marketing",
            "Health and Safety",
            "Marsh & Sons",
            "Marsh and Co",
            "R & D",
            "José Ortega y Gasset",
            "Nia A Marsh",
            "once a week",
            "Nia Marsh",
            "Nia and the rest",
            "",
            "&",
            "and and and",
        ] {
            assert!(home(shown).is_empty(), "{shown}: {:?}", home(shown));
        }
        for shown in ["Marks & Spencer", "Marsh and Lloyd Jenkin"] {
            assert!(at("post@firm.example", &[shown]).is_empty(), "{shown}");
        }
        assert_eq!(
            at("k7@farm.example", &["Mr and Mrs Lloyd"]),
            ["Mr Lloyd", "Mrs Lloyd"]
        );
    }

    #[test]
    fn two_full_names_on_one_address_are_two_people() {
        assert_eq!(
            at("k7@inbox.test", &["Tom Marsh", "Nia Marsh", "Tom Marsh"]),
            ["Nia Marsh", "Tom Marsh"]
        );
        assert_eq!(
            at(
                "k7@inbox.test",
                &["John & Jane Doe", "Jane Doe", "Johnny Doe"]
            ),
            ["Jane Doe", "Johnny Doe"]
        );
        assert_eq!(
            at(
                "k7@inbox.test",
                &["Mr and Mrs Lloyd", "Tom Lloyd", "Jane Lloyd"]
            )
            .len(),
            2
        );
    }

    #[test]
    fn forms_of_one_name_parts_of_it_and_what_is_no_name_are_one_person() {
        for shown in [
            ["Tom Marsh", "Thomas Marsh"],
            ["Nia Marsh", "Nia Lloyd"],
            ["Nia Marsh", "N. J. Marsh"],
            ["Nia Marsh", "Dr Nia J Marsh"],
            ["Nia Marsh", "The Choir Office"],
            ["Nia Marsh", "Nia"],
            ["Nia Marsh", "Tom"],
        ] {
            assert!(at("k7@inbox.test", &shown).is_empty(), "{shown:?}");
        }
        assert!(at("nia@bluedoor.example", &["Nia Marsh", "Blue Door"]).is_empty());
    }

    #[test]
    fn an_address_with_many_names_is_a_machines() {
        let names = [
            "Nia Marsh",
            "Tom Jenkin",
            "Kofi Abara",
            "Lowri Bevan",
            "Zofia Varga",
        ];
        assert!(at("k7@lists.example", &names).is_empty());
        assert_eq!(at("k7@inbox.test", &names[..4]).len(), 4);
    }
}
