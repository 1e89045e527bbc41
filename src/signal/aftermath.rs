//! Aftermath: what came after a message: a recall, an apology, a request to delete it, the same again in Bcc, answers to
//! all, further batches. Whoever recalls a mail to a list, or is sorry for it, believes that it should not have gone out.

use serde::{Deserialize, Serialize};

use super::{Kind, Signal, listed, thousands};

/// What a mail says of an earlier one; several things at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Says(u8);

impl Says {
    /// It recalls an earlier message.
    pub const RECALL: Says = Says(1);
    /// It is sorry about an earlier message.
    pub const APOLOGY: Says = Says(2);
    /// It asks to delete an earlier message.
    pub const DELETE: Says = Says(4);
    /// It says that addresses were seen, or speaks of a breach.
    pub const BREACH: Says = Says(8);
    /// It tells that a message did not arrive.
    pub const BOUNCE: Says = Says(16);

    /// Whether all of `other` is said.
    pub fn has(self, other: Says) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is said.
    pub fn is_nothing(self) -> bool {
        self.0 == 0
    }

    /// Both together.
    pub fn and(self, other: Says) -> Says {
        Says(self.0 | other.0)
    }
}

/// Most points that the aftermath adds.
const MOST: i32 = 25;

/// What came after one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aftermath {
    /// It was recalled.
    pub recalled: bool,
    /// Somebody of the organisation was sorry.
    pub apology: bool,
    /// And said that addresses had been seen, or spoke of a breach.
    pub breach: bool,
    /// Somebody of the organisation asked to delete it.
    pub delete: bool,
    /// The same went out again with the list in Bcc, to so many of these people.
    pub resent_blind: usize,
    /// Answers that showed the list again: by insiders, by outsiders.
    pub reply_alls: (u32, u32),
}

/// Weighs what came after; nothing gives no signal.
pub fn signal(after: Aftermath) -> Option<Signal> {
    let mut weight = 0;
    let mut says = Vec::new();
    let mut add = |is: bool, points: i32, text: String| {
        if is {
            weight += points;
            says.push(text);
        }
    };
    add(after.recalled, 25, "it was recalled".to_owned());
    add(
        after.apology && after.breach,
        25,
        "somebody of the organisation apologised afterwards that addresses had been seen"
            .to_owned(),
    );
    add(
        after.apology && !after.breach,
        8,
        "somebody of the organisation apologised for a mail afterwards".to_owned(),
    );
    add(
        after.delete,
        if after.breach { 10 } else { 4 },
        "the people were asked to delete it".to_owned(),
    );
    add(
        after.resent_blind > 0,
        20,
        format!(
            "the same was sent again in Bcc to {} of them",
            thousands(after.resent_blind as u64)
        ),
    );
    let (inside, outside) = after.reply_alls;
    let answers = |count: u32| match count {
        1 => "1 answer".to_owned(),
        count => format!("{} answers", thousands(count.into())),
    };
    add(
        inside > 0,
        0,
        format!(
            "{} from the organisation showed the list again",
            answers(inside)
        ),
    );
    add(
        outside > 0,
        0,
        format!(
            "{} from {} showed the list again",
            answers(outside),
            if outside == 1 {
                "one of them"
            } else {
                "some of them"
            }
        ),
    );
    (!says.is_empty()).then(|| Signal {
        kind: Kind::Aftermath,
        weight: weight.min(MOST),
        says: format!("afterwards {}", listed(&says, says.len())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recall_weighs_and_an_answer_to_all_only_tells() {
        let recalled = signal(Aftermath {
            recalled: true,
            reply_alls: (0, 2),
            ..Aftermath::default()
        })
        .expect("something came after");
        assert_eq!(recalled.weight, 25);
        assert_eq!(
            recalled.says,
            "afterwards it was recalled and 2 answers from some of them showed the list again"
        );
        let answered = signal(Aftermath {
            reply_alls: (1, 0),
            ..Aftermath::default()
        })
        .expect("something came after");
        assert_eq!(answered.weight, 0);
        assert_eq!(signal(Aftermath::default()), None);
    }
}
