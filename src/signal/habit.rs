//! Habit: what the same sender, series or people were sent otherwise: hidden in Bcc, or one by one, and in view now. A
//! server may have dropped Bcc; where a mailbox shows none at all, a habit is unknowable, and that is said.

use super::{Kind, Signal, listed, thousands};

/// Most points that habit adds.
const MOST: i32 = 25;

/// What the rest of a mailbox tells of how such a list is usually sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habit {
    /// Mails of this author's series whose list stood in Bcc.
    pub series_hidden: u32,
    /// Mails of this author's series that showed two or more people, this one included.
    pub series_shown: u32,
    /// Mails of this author's series to one of these people alone.
    pub apart: u32,
    /// Mails that hid half of these people, or more, in Bcc.
    pub people_hidden: u32,
    /// How many of these people the fullest of those hid.
    pub most_hidden: usize,
    /// Mails of this author, of whatever series, that hid three people or more.
    pub author_hidden: u32,
}

/// Weighs a habit of hiding. `people` are exposed; `any_bcc` is false where no mail of the mailbox shows a Bcc.
pub fn signal(habit: Habit, people: usize, any_bcc: bool) -> Option<Signal> {
    let mut weight = 0;
    let mut says = Vec::new();
    let times = |count: u32| match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{} times", thousands(count.into())),
    };
    if habit.people_hidden > 0 {
        weight += 20;
        says.push(format!(
            "{} of these {} people were hidden in Bcc {}",
            thousands(habit.most_hidden as u64),
            thousands(people as u64),
            times(habit.people_hidden)
        ));
    }
    if habit.series_hidden > 0 {
        weight += (8 + 2 * habit.series_hidden as i32).min(20);
        says.push(format!(
            "this sender's series stood in Bcc {} of {}",
            times(habit.series_hidden),
            habit.series_hidden + habit.series_shown
        ));
    }
    if habit.apart >= 3 {
        weight += 10;
        says.push(format!(
            "{} other mails of the series went to one of them alone",
            thousands(habit.apart.into())
        ));
    }
    if says.is_empty() && habit.author_hidden >= 3 {
        weight += 6;
        says.push(format!(
            "this sender hid other lists in Bcc {}",
            times(habit.author_hidden)
        ));
    }
    if says.is_empty() && !any_bcc {
        says.push("whether such lists are usually hidden is unknowable: no mail of this mailbox shows a Bcc".to_owned());
    }
    (!says.is_empty()).then(|| Signal {
        kind: Kind::Habit,
        weight: weight.min(MOST),
        says: listed(&says, says.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_otherwise_hidden_weighs_and_says_how_often() {
        let habit = Habit {
            series_hidden: 11,
            series_shown: 1,
            ..Habit::default()
        };
        let signal = signal(habit, 18, true).expect("a habit");
        assert_eq!(
            signal.says,
            "this sender's series stood in Bcc 11 times of 12"
        );
        assert_eq!(signal.weight, 20);
    }

    #[test]
    fn without_any_bcc_in_the_mailbox_a_habit_is_unknowable_and_weighs_nothing() {
        let told = signal(Habit::default(), 18, false).expect("it is said");
        assert!(told.weight == 0 && told.says.contains("unknowable"));
        assert_eq!(signal(Habit::default(), 18, true), None);
    }
}
