//! Shape: what a list looks like from outside: how many, how unrelated, how private; pasted from a sheet; greeted as a
//! crowd.

use super::{Crowd, Kind, Signal, listed, people};

/// Size at which strangers alone are an exposure (DESIGN section 2: about a dozen personal mailboxes).
pub const MASS: usize = 12;

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

/// With fewer people than this in view a list is worth less than a note, as nobody counts for more than one.
pub const FEWEST: usize = NOTED as usize;

/// Points for a list that is big enough to be an exposure on its own, whatever it is about. A smaller one gets none: it
/// stays below the threshold without another signal, and is only counted.
pub fn mass(crowd: &Crowd, at_least: usize) -> Option<Signal> {
    let worth = strangers_worth(crowd);
    if crowd.only_organisation.is_some() || worth < NOTED {
        return None;
    }
    let people = people(crowd.people);
    let (weight, says) = if worth >= at_least as f64 {
        (
            24,
            format!(
                "a list of {people} outside the organisation, at unrelated addresses, is an exposure whatever it is about"
            ),
        )
    } else {
        (
            0,
            format!("a list of {people} outside the organisation, at unrelated addresses"),
        )
    };
    Some(Signal {
        kind: Kind::Shape,
        weight,
        says,
    })
}

/// Weighs the look of a list.
///
/// `by_words` is true where only phrases speak for the query: then professionals are taken for people at their work, and
/// one private person among them for somebody beside their own adviser.
pub fn signal(crowd: &Crowd, by_words: bool) -> Signal {
    let mut weight = match crowd.people {
        0 | 1 => 0,
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
    let mut kinds = Vec::new();
    for (count, word) in [
        (crowd.personal, "at personal mailboxes"),
        (crowd.professional, "at other organisations"),
        (crowd.insiders, "of the organisation itself"),
    ] {
        if count > 0 {
            kinds.push(format!("{count} {word}"));
        }
    }
    if !kinds.is_empty() {
        says.push(listed(&kinds, 3));
    }
    let by_words = by_words && crowd.insiders == 0;
    let private = crowd.personal > 0 || crowd.insiders > 0;
    if let Some(domain) = &crowd.only_organisation {
        weight -= 50;
        says.push(format!("all of one organisation, {domain}"));
    } else if by_words && crowd.personal == 1 && crowd.people < MASS {
        weight -= 45;
        says.push("one private person among professionals, who may be their advisers".to_owned());
    } else if by_words && crowd.personal == 0 {
        weight -= 30;
        says.push("no private person among them".to_owned());
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
        weight += 6;
        says.push(format!("greeted as '{greeting}'"));
    }
    Signal {
        kind: Kind::Shape,
        weight,
        says: says.join(", "),
    }
}
