//! Shape: what a list looks like from outside: how many, how unrelated, how private; pasted from a sheet; greeted as a
//! crowd.

use super::{Crowd, Kind, Signal, listed, people, thousands};

/// Size at which strangers alone are an exposure (DESIGN section 2: about a dozen personal mailboxes).
pub const MASS: usize = 12;

/// Of so few a writer who knows them greets each by name.
const FEW: usize = 5;

/// So many of the organisation itself are written to as its staff, whatever the words.
const WHOLE_HOUSE: usize = 40;

/// Business addresses that weigh as much as one personal mailbox: a list of suppliers is no list of patients.
const BUSINESS_TO_PERSONAL: f64 = 2.2;

/// How many personal mailboxes a crowd is worth.
pub fn strangers_worth(crowd: &Crowd) -> f64 {
    // Many people of a few firms are partners, not strangers: of each firm two count.
    let professional = crowd.professional.min(2 * crowd.organisations);
    crowd.personal as f64 + professional as f64 / BUSINESS_TO_PERSONAL
}

/// Size from which a list of strangers is kept in mind, though it is no exposure on its own.
const NOTED: f64 = 6.0;

/// Whether a list with at most so many people at personal mailboxes, and others of at most so many organisations, can be
/// worth a note: an upper bound for [`mass`] that needs no crowd.
pub fn can_be_mass(personal: usize, organisations: usize) -> bool {
    personal as f64 + (2 * organisations) as f64 / BUSINESS_TO_PERSONAL >= NOTED
}

/// The share of a mass list from which a crowd that is greeted as one is nearly that.
const NEARLY: f64 = 0.6;

/// With fewer people than this in view a list is worth less than a note, as nobody counts for more than one.
pub const FEWEST: usize = NOTED as usize;

/// Points for a list that is big enough to be an exposure on its own, whatever it is about. A smaller one gets none: it
/// stays below the threshold without another signal, and is only counted.
pub fn mass(crowd: &Crowd, at_least: usize) -> Option<Signal> {
    let worth = strangers_worth(crowd);
    if crowd.only_organisation.is_some() || worth < NOTED {
        return None;
    }
    let list = format!("a list of {}{}", people(crowd.people), whereabouts(crowd));
    let (weight, says) = if worth >= at_least as f64 {
        (24, format!("{list}, is an exposure whatever it is about"))
    } else {
        // Nearly a dozen whom nobody greets by name: not enough alone, but with one more sign.
        let nearly = crowd.greeting.is_some() && worth >= at_least as f64 * NEARLY;
        (if nearly { 12 } else { 0 }, list)
    };
    Some(Signal {
        kind: Kind::Shape,
        weight,
        says,
    })
}

/// Where the people of a mass list are: of a name without an address nobody can say that it is at an unrelated one.
fn whereabouts(crowd: &Crowd) -> &'static str {
    match crowd.name_only {
        0 => " outside the organisation, at unrelated addresses",
        all if all == crowd.people => ", known by name only",
        _ => ", at unrelated addresses or known by name only",
    }
}

/// Whether a list may be that of a couple, or of a client and a relative, with those who look after them: nobody knows who
/// does not say it, unless the text speaks to several of a sort.
pub fn couple(crowd: &Crowd, grounds: Grounds) -> bool {
    let private = crowd.personal + crowd.insiders;
    grounds != Grounds::Known && !crowd.several && (1..=2).contains(&private) && crowd.people <= 4
}

/// How many people a list is taken to show to one another. Of a family one counts: it is the others who would learn
/// something; so it is beside professionals, where only words speak.
pub fn counted(crowd: &Crowd, grounds: Grounds) -> usize {
    let private = crowd.personal + crowd.insiders;
    let people = if couple(crowd, grounds) {
        2
    } else if grounds == Grounds::Words && private > 0 {
        private
    } else {
        crowd.people
    };
    people.saturating_sub(crowd.kin + crowd.own)
}

/// What speaks for a query beside the look of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// Nothing, or people who are known to be of the group.
    Known,
    /// Phrases only: professionals are taken for people at their work, and one private person among them for somebody
    /// beside their own adviser.
    Words,
    /// Phrases that tell the readers something of themselves (`your statement`): they may be the group, whatever their
    /// mailboxes.
    WordsToReaders,
}

/// How many of each kind there are; nothing where there are none.
fn kinds(crowd: &Crowd) -> Option<String> {
    let kinds: Vec<String> = [
        (
            crowd.personal.saturating_sub(crowd.name_only),
            "at a personal mailbox",
            "at personal mailboxes",
        ),
        (crowd.name_only, "known by name only", "known by name only"),
        (
            crowd.professional,
            "at another organisation",
            "at other organisations",
        ),
        (
            crowd.insiders,
            "of the organisation itself",
            "of the organisation itself",
        ),
    ]
    .into_iter()
    .filter(|(count, _, _)| *count > 0)
    .map(|(count, one, more)| {
        let words = if count == 1 { one } else { more };
        format!("{} {words}", thousands(count as u64))
    })
    .collect();
    (!kinds.is_empty()).then(|| listed(&kinds, 4))
}

/// Weighs the look of a list.
pub fn signal(crowd: &Crowd, grounds: Grounds) -> Signal {
    let by_words = grounds != Grounds::Known && crowd.insiders == 0;
    let private = crowd.personal > 0 || crowd.insiders > 0;
    let mut weight = match counted(crowd, grounds) {
        0 | 1 => 0,
        2 if couple(crowd, grounds) => -10,
        2 => 6,
        3 => 10,
        4 => 12,
        5..=7 => 16,
        8..MASS => 20,
        _ => 24,
    };
    let view = if crowd.inside {
        "somebody who was not on their list"
    } else {
        "one another"
    };
    let mut says = vec![format!("{} in view of {view}", people(crowd.people))];
    says.extend(kinds(crowd));
    if let Some(domain) = &crowd.only_organisation {
        weight -= 60;
        says.push(format!("all of one organisation, {domain}"));
    } else if by_words && crowd.personal == 1 && crowd.people < MASS {
        weight -= if grounds == Grounds::WordsToReaders && crowd.people > 2 {
            25
        } else {
            45
        };
        says.push("one private person among professionals, who may be their advisers".to_owned());
    } else if by_words
        && crowd.personal > 0
        && crowd.professional >= 2.max(crowd.personal)
        && crowd.people < MASS
    {
        weight -= 35;
        says.push("most of them professionals, as about a case".to_owned());
    } else if by_words && crowd.personal == 0 {
        weight -= if grounds == Grounds::WordsToReaders {
            12
        } else {
            40
        };
        says.push("no private person among them".to_owned());
    }
    if by_words && crowd.kin > 0 && crowd.kin + 1 == crowd.personal {
        weight -= 35;
        says.push("all those at personal mailboxes of one family name".to_owned());
    }
    if grounds == Grounds::Words && crowd.colleagues >= 3 && crowd.colleagues >= crowd.people {
        weight -= 45;
        says.push(format!("beside {} colleagues", crowd.colleagues));
    }
    if by_words && crowd.greeted > 0 && crowd.people <= FEW {
        let private_people = crowd.personal + crowd.insiders;
        let (points, how) = if crowd.greeted_private == 0 {
            (10, "greeted by name")
        } else if crowd.greeted_private >= private_people && crowd.people <= 3 && !crowd.several {
            (45, "greeted by name")
        } else if crowd.greeted_private >= private_people {
            (30, "greeted by name")
        } else {
            (25, "greeted by name, beside the others")
        };
        // Whoever writes to an adviser about two others has greeted none of these.
        if crowd.greeted_private > 0 || private_people == 0 {
            weight -= points;
            says.push(format!("{} {how}", crowd.greeted));
        }
    }
    if crowd.insiders > 0 && crowd.insiders * 2 <= crowd.people && grounds != Grounds::Known {
        weight -= 40;
        says.push("most of them outside the organisation, whom it is not about".to_owned());
    }
    if crowd.insiders >= WHOLE_HOUSE && grounds != Grounds::Known {
        weight -= 40;
        says.push("so many that it is the whole house".to_owned());
    }
    // Agencies are greeted and sorted every day.
    if crowd.alphabetical && private {
        weight += 4;
        says.push("in alphabetical order, as pasted from a sheet".to_owned());
    }
    if let Some(greeting) = crowd
        .greeting
        .as_ref()
        .filter(|_| private || crowd.only_organisation.is_some())
    {
        // `Hello both` is said to a couple as well.
        weight += match crowd.people {
            _ if couple(crowd, grounds) => 0,
            2 => 0,
            3..=FEW => 10,
            _ => 6,
        };
        says.push(format!("greeted as '{greeting}'"));
    }
    Signal {
        kind: Kind::Shape,
        weight,
        says: says.join(", "),
    }
}
