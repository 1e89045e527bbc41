//! Strangers: the share of pairs that have spoken with one another. The strongest sign that a list is a committee, a
//! family or a circle of friends, and not one that somebody pasted.

use super::{Kind, Signal, thousands};
use crate::history::Spoken;

/// The share of the others to whom one must have written for the list to be theirs.
const OPENED: f64 = 0.5;

/// Weighs how many pairs of the people in view have spoken up to now.
///
/// `known` is true where a roster or an address says who they are: then that they speak doubts less. `answered` is true
/// where the message answers one of them: then it is no mail-out to strangers, though it may show others to them.
/// `counted` of the people may be strangers to one another.
pub fn signal(spoken: Spoken, known: bool, answered: bool, counted: usize) -> Option<Signal> {
    if spoken.pairs == 0 {
        return None;
    }
    let share = spoken.share();
    let lowest = if known { -20.0 } else { -55.0 };
    // That one pair has not spoken says less than that none of many has.
    let highest = if counted <= 2 { 6.0 } else { 12.0 };
    let mut weight = (highest - 100.0 * share).clamp(lowest, highest).round() as i32;
    // A list that one of them writes to unasked was not put together by somebody else. Answers to all do not tell that:
    // people who were shown to one another by mistake answer as well.
    let others = (2.0 * spoken.pairs as f64).sqrt().floor();
    let circle = spoken.widest >= 2 && spoken.widest as f64 >= OPENED * others;
    if circle {
        weight = weight.min(if known { -20 } else { -40 });
    }
    let weight = if answered { weight.min(0) } else { weight };
    let (pairs, have) = (thousands(spoken.pairs), thousands(spoken.spoken));
    let says = match (spoken.spoken, spoken.pairs) {
        (0, 1) => "the two have not spoken in this mailbox".to_owned(),
        (0, _) => format!("none of the {pairs} pairs of them have spoken in this mailbox"),
        (1, 1) => "the two have spoken with one another".to_owned(),
        (all, pairs_) if all == pairs_ => {
            format!("all {pairs} pairs of them have spoken with one another")
        }
        _ => format!("{have} of the {pairs} pairs of them have spoken with one another"),
    };
    let says = if circle {
        format!(
            "{says}, and one of them had written to {} of the others",
            thousands(spoken.widest)
        )
    } else {
        says
    };
    Some(Signal {
        kind: Kind::Strangers,
        weight,
        says,
    })
}
