//! Which addresses are one person: the same mailbox by the provider's own rule, or the same full name that both addresses
//! hold. A false merge hides a person who must be told, and is worse than one who is told twice: where anything speaks
//! against it, nothing is merged. Never by a first name alone. Rosters are asked before, and officers have the last word.

use std::fmt;

use rustc_hash::FxHashMap;

use super::mailbox::{reached, rule, tags_are_personal};
use super::name::FullName;
use super::personal_provider;
use crate::query::pattern::fold;

/// How many addresses with one base may differ in their tags, at a domain that is no provider of personal mailboxes: more
/// are tickets that a machine counts.
const MOST_TAGS: usize = 3;
/// How many names of one mailbox a further address is held against.
const MOST_NAMES: usize = 8;

/// What somebody's exposed address is known by.
#[derive(Clone, Debug, Default)]
pub struct Known<'a> {
    /// Canonical address.
    pub address: &'a str,
    /// Every name that was shown with it, each once.
    pub shown: &'a [&'a str],
    /// True where it is of the organisation.
    pub inside: bool,
    /// The name that a roster gives.
    pub roster_name: Option<&'a str>,
    /// True where it is shared by several people: it is never merged.
    pub shared: bool,
}

/// Why two addresses are one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// They differ only in what follows a plus sign.
    Plus,
    /// Gmail ignores dots, and `googlemail.com` is `gmail.com`.
    Gmail,
    /// `icloud.com`, `me.com`, `mac.com`.
    Apple,
    /// `proton.me`, `protonmail.com`, `pm.me`.
    Proton,
    /// `yandex.ru`, `ya.ru` and others.
    Yandex,
    /// A subdomain of Fastmail.
    Fastmail,
    /// The same full name, a part of which each address holds.
    FullName,
    /// The same full name, and the same part before the `@`.
    LocalPart,
    /// A roster says so.
    Roster,
}

impl Reason {
    /// Every reason, in order.
    pub const ALL: [Reason; 9] = [
        Reason::Plus,
        Reason::Gmail,
        Reason::Apple,
        Reason::Proton,
        Reason::Yandex,
        Reason::Fastmail,
        Reason::FullName,
        Reason::LocalPart,
        Reason::Roster,
    ];

    /// The word used in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Plus => "plus-address",
            Reason::Gmail => "gmail",
            Reason::Apple => "apple",
            Reason::Proton => "proton",
            Reason::Yandex => "yandex",
            Reason::Fastmail => "fastmail",
            Reason::FullName => "full-name",
            Reason::LocalPart => "full-name-and-local-part",
            Reason::Roster => "roster",
        }
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Two addresses that are one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Index of the merged address.
    pub address: usize,
    /// Index of the one it is merged with, which stands before it in the alphabet.
    pub with: usize,
    /// Why.
    pub reason: Reason,
    /// The same, as a plain sentence.
    pub says: String,
    /// True where the merge does not hold if one message shows both: there the sender told them apart.
    pub unless_together: bool,
}

/// The merges among addresses in alphabetical order. Each joins two sets that nothing joined before. What rosters and
/// officers say of people is for the caller to hold against them.
pub fn merges(all: &[Known<'_>]) -> Vec<Merge> {
    let names: Vec<Vec<FullName>> = all.iter().map(full_names).collect();
    let mut out = Vec::new();
    // The address that stands for each mailbox.
    let mut first: Vec<usize> = (0..all.len()).collect();
    for group in same_mailboxes(all) {
        let with = group[0];
        let mut known = names[with].clone();
        let mut on_roster = all[with].roster_name;
        for at in &group[1..] {
            let other = on_roster.zip(all[*at].roster_name);
            if other.is_some_and(|(a, b)| fold(a) != fold(b)) || are_two(&names[*at], &known) {
                continue;
            }
            let reason = rule(all[*at].address, all[with].address);
            out.push(Merge {
                address: *at,
                with,
                reason,
                says: mailbox_says(reason).to_owned(),
                unless_together: false,
            });
            first[*at] = with;
            on_roster = on_roster.or(all[*at].roster_name);
            for name in &names[*at] {
                if known.len() < MOST_NAMES && !known.contains(name) {
                    known.push(name.clone());
                }
            }
        }
    }
    out.extend(same_names(all, &names, &first));
    out
}

fn full_names(known: &Known<'_>) -> Vec<FullName> {
    let mut out: Vec<FullName> = Vec::with_capacity(known.shown.len());
    for name in known.shown.iter().filter_map(|shown| FullName::new(shown)) {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

fn mailbox_says(reason: Reason) -> &'static str {
    match reason {
        Reason::Plus => "same mailbox but for what follows the plus sign",
        Reason::Gmail => "same mailbox by Gmail's rule on dots and on googlemail.com",
        Reason::Apple => "same mailbox: icloud.com, me.com and mac.com are one at Apple",
        Reason::Proton => "same mailbox: one user name at Proton's domains is one account",
        Reason::Yandex => "same mailbox: one user name at Yandex's domains is one account",
        _ => "same mailbox by Fastmail's rule on subdomains",
    }
}

/// Addresses that reach one mailbox, in groups of two or more, each in order.
fn same_mailboxes(all: &[Known<'_>]) -> Vec<Vec<usize>> {
    let mut groups: FxHashMap<String, Vec<usize>> = FxHashMap::default();
    for (at, known) in all.iter().enumerate() {
        if let Some(mailbox) = reached(known.address).filter(|_| !known.shared) {
            groups.entry(mailbox).or_default().push(at);
        }
    }
    if groups.is_empty() {
        return Vec::new();
    }
    // The plain address of a mailbox is its own form, and stands in no group yet.
    for (at, known) in all.iter().enumerate().filter(|(_, known)| !known.shared) {
        if let Some(group) = groups.get_mut(known.address) {
            group.push(at);
        }
    }
    let mut out: Vec<Vec<usize>> = groups
        .into_values()
        .filter(|group| {
            let tagged = group.iter().filter(|at| all[**at].address.contains('+'));
            group.len() > 1
                && (tagged.count() <= MOST_TAGS || tags_are_personal(all[group[0]].address))
        })
        .collect();
    out.iter_mut().for_each(|group| group.sort_unstable());
    out.sort_unstable();
    out
}

/// Whether the full names shown with two addresses are two people's: none of one may be any of the other.
fn are_two(one: &[FullName], other: &[FullName]) -> bool {
    !one.is_empty()
        && !other.is_empty()
        && !one
            .iter()
            .any(|a| other.iter().any(|b| a.may_be(b) && !a.contradicts(b)))
}

fn rosters_differ(one: &Known<'_>, other: &Known<'_>) -> bool {
    let names = one.roster_name.zip(other.roster_name);
    names.is_some_and(|(a, b)| fold(a) != fold(b))
}

/// Merges by full name: a name that exactly two mailboxes carry.
fn same_names(all: &[Known<'_>], names: &[Vec<FullName>], first: &[usize]) -> Vec<Merge> {
    // A mailbox that was shown with one full name only, in whatever form; by the address that stands for it.
    let mut carried: FxHashMap<&str, Carriers> = FxHashMap::default();
    let mut given: FxHashMap<&str, u64> = FxHashMap::default();
    let mut family: FxHashMap<&str, u64> = FxHashMap::default();
    let mut mailboxes = 0u64;
    for at in 0..all.len() {
        let Some(name) = names[at].first() else {
            continue;
        };
        if first[at] == at {
            mailboxes += 1;
            *given.entry(name.given()).or_default() += 1;
            *family.entry(name.family()).or_default() += 1;
        }
        let only = names[at].iter().all(|other| other.key == name.key) && !all[at].shared;
        for (count, name) in names[at].iter().enumerate() {
            let known = names[at][..count].iter().any(|other| other.key == name.key);
            if !known {
                carried
                    .entry(&name.key)
                    .or_default()
                    .add(first[at], at, only);
            }
        }
    }
    let mut pairs: Vec<(usize, usize)> = carried.into_values().filter_map(|c| c.pair()).collect();
    pairs.sort_unstable();
    let chance = |name: &FullName| {
        // How many others of that name chance alone would bring, were given and family names dealt out at random.
        let others = |counts: &FxHashMap<&str, u64>, name: &str| {
            counts.get(name).copied().unwrap_or(0).saturating_sub(2)
        };
        others(&given, name.given()).saturating_mul(others(&family, name.family())) * 10 > mailboxes
    };
    pairs
        .into_iter()
        .filter_map(|(with, at)| {
            let (one, other) = (&all[with], &all[at]);
            let name = &names[with][0];
            let contradicted = names[with]
                .iter()
                .any(|a| names[at].iter().any(|b| a.contradicts(b)));
            if contradicted || rosters_differ(one, other) {
                return None;
            }
            let reason = holds(name, one, other)?;
            if chance(name) && !same_number(one.address, other.address) {
                return None;
            }
            let more = |a: usize, b: usize| names[a].iter().any(|form| !names[b].contains(form));
            let differ = more(with, at) || more(at, with);
            Some(Merge {
                address: at,
                with,
                reason,
                says: name_says(one, other, reason),
                unless_together: differ,
            })
        })
        .collect()
}

/// The mailboxes that carry a name: the first two, each by the address that stands for it and the one that shows the name.
#[derive(Default)]
struct Carriers {
    mailboxes: [Option<(u32, u32)>; 2],
    /// There are more, or one carries another name too.
    more: bool,
}

impl Carriers {
    fn add(&mut self, mailbox: usize, at: usize, only: bool) {
        self.more |= !only;
        let mut places = self.mailboxes.iter_mut();
        let same = |one: (u32, u32)| one.0 == mailbox as u32;
        match places.find(|place| place.is_none_or(same)) {
            Some(place) => drop(place.get_or_insert((mailbox as u32, at as u32))),
            None => self.more = true,
        }
    }

    /// The address of each that shows the name, in order.
    fn pair(self) -> Option<(usize, usize)> {
        match (self.more, self.mailboxes) {
            (false, [Some((_, one)), Some((_, other))]) => {
                Some((one.min(other) as usize, one.max(other) as usize))
            }
            _ => None,
        }
    }
}

fn name_says(one: &Known<'_>, other: &Known<'_>, reason: Reason) -> String {
    let domain = |known: &Known<'_>| personal_provider(split(known.address).1);
    let at = match (domain(one), domain(other)) {
        (true, true) => "at two personal mailboxes",
        (false, false) => "at two organisations",
        _ => "at a personal mailbox and at an organisation",
    };
    let longest = one
        .shown
        .iter()
        .chain(other.shown)
        .filter(|shown| FullName::new(shown).is_some())
        .min_by_key(|shown| (shown.chars().count(), **shown));
    let name = longest.copied().unwrap_or_default();
    let local = match reason {
        Reason::LocalPart => ", and the same part before the @",
        _ => "",
    };
    format!("the same full name '{name}' {at}{local}")
}

fn split(address: &str) -> (&str, &str) {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    (local.split('+').next().unwrap_or(local), domain)
}

/// Whether two addresses hold a name between them, and how. Providers give numbers to tell namesakes apart, and
/// organisations have one address for each of theirs: where these differ, so do the people.
fn holds(name: &FullName, one: &Known<'_>, other: &Known<'_>) -> Option<Reason> {
    let ((mine, my_domain), (theirs, their_domain)) = (split(one.address), split(other.address));
    let (my_number, their_number) = (number(mine), number(theirs));
    let same_domain = my_domain == their_domain;
    let numbers_differ = my_number != their_number
        && (same_domain || !(my_number.is_empty() || their_number.is_empty()));
    let within = |inner: &str, outer: &str| {
        outer
            .strip_suffix(inner)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    let one_organisation = !personal_provider(my_domain)
        && (same_domain || within(my_domain, their_domain) || within(their_domain, my_domain));
    if numbers_differ || (one_organisation && mine != theirs) {
        return None;
    }
    if one.inside != other.inside && !(is_full(mine, name) && is_full(theirs, name)) {
        return None;
    }
    if mine == theirs && is_of_letters(mine, name) {
        return Some(Reason::LocalPart);
    }
    (has_part(mine, name) && has_part(theirs, name)).then_some(Reason::FullName)
}

/// The digits of a local part; runs are told apart.
fn number(local: &str) -> String {
    let mut out = String::new();
    for c in local.chars() {
        if c.is_ascii_digit() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('.') {
            out.push('.');
        }
    }
    out.trim_end_matches('.').to_owned()
}

/// Whether both hold the same number of two digits or more, which chance seldom brings.
fn same_number(one: &str, other: &str) -> bool {
    let number_of = |address| number(split(address).0);
    number_of(one).len() >= 2 && number_of(one) == number_of(other)
}

/// The runs of letters of a local part, folded.
fn runs(local: &str) -> Vec<String> {
    fold(local)
        .split(|c: char| !c.is_alphabetic())
        .filter(|run| !run.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether a local part holds one of the names: of four letters or more anywhere in a word, of three at its edge.
fn has_part(local: &str, name: &FullName) -> bool {
    let runs = runs(local);
    [name.given(), name.family()].iter().any(|part| {
        let letters = part.chars().count();
        runs.iter().any(|run| {
            (letters >= 4 && run.contains(part))
                || (letters == 3 && (run.starts_with(part) || run.ends_with(part)))
        })
    })
}

/// Whether a local part holds both the given and the family name.
fn is_full(local: &str, name: &FullName) -> bool {
    let runs = runs(local);
    [name.given(), name.family()]
        .iter()
        .all(|part| runs.iter().any(|run| run.contains(part)))
}

/// Whether the letters of a local part are letters of the name in their order: `nmarsh`, `niam`, `nm`.
fn is_of_letters(local: &str, name: &FullName) -> bool {
    let letters = runs(local).concat();
    let within = |front: &str, back: &str| {
        let mut whole = front.chars().chain(back.chars());
        let initial = |part: &str| part.chars().next();
        letters.chars().next() == initial(front) && letters.chars().all(|c| whole.any(|w| w == c))
    };
    letters.chars().count() >= 2
        && (within(name.given(), name.family()) || within(name.family(), name.given()))
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
