//! Who: recipients on a roster, or at an address or domain that a query names.

use super::{Kind, Signal, people};

/// Weighs how many of the visible people are known to be of the group; nobody gives no signal.
///
/// `known` of them, for the reason `by` (`on the roster 'case'`), of `at_least` that the query asks for.
pub fn signal(known: usize, at_least: usize, by: &str) -> Option<Signal> {
    let weight = match known {
        0 => return None,
        known if known >= at_least => 70 + (5 * (known - at_least)).min(20) as i32,
        _ => 8,
    };
    let verb = if known == 1 { "is" } else { "are" };
    Some(Signal {
        kind: Kind::Who,
        weight,
        says: format!("{} in view {verb} {by}", people(known)),
    })
}
