//! Units of history: who has spoken with whom, against a naive model of it.

use super::speech::FEW;
use super::*;

fn line(sent: i64, author: u64, visible: &[u64]) -> Line {
    Line {
        sent: Some(sent),
        author: Some(Digest(author)),
        visible: visible.iter().copied().map(Digest).collect(),
        ..Line::default()
    }
}

fn packed(digests: &[Digest]) -> Vec<u8> {
    let bytes = digests.iter().flat_map(|digest| digest.0.to_le_bytes());
    bytes.collect()
}

fn within(most_members: usize, people: u64, lines: &[Line], messages: u64) -> History {
    let matter: FxHashSet<Digest> = (1..=people).map(Digest).collect();
    let feed = |each: &mut dyn FnMut(&Told<'_>)| -> Result<(), ()> {
        for line in lines {
            each(&Told {
                sent: line.sent,
                author: line.author,
                visible: Digests::new(&packed(&line.visible)),
                id: line.id,
                answers: Digests::new(&packed(&line.answers)),
                ..Told::default()
            });
        }
        Ok(())
    };
    History::within(most_members, &matter, &FxHashSet::default(), messages, feed)
        .expect("no error is possible")
}

fn history_of(lines: &[Line], messages: u64) -> History {
    within(MOST_MEMBERS, 9, lines, messages)
}

fn history(lines: &[Line]) -> History {
    history_of(lines, lines.len() as u64)
}

#[test]
fn one_who_writes_to_others_has_spoken_with_each_and_they_not_with_one_another() {
    let known = history(&[line(10, 1, &[2, 3])]);
    assert_eq!(
        known.spoken(&[Digest(1), Digest(2), Digest(3)], Some(10), Some(&[])),
        Spoken {
            pairs: 3,
            spoken: 2
        }
    );
}

#[test]
fn being_shown_together_by_a_third_person_is_not_speaking() {
    let known = history(&[line(10, 77, &[1, 2, 3])]);
    assert_eq!(
        known
            .spoken(&[Digest(1), Digest(2), Digest(3)], Some(10), Some(&[]))
            .spoken,
        0
    );
}

#[test]
fn what_is_said_later_does_not_count() {
    let known = history(&[line(11, 1, &[2])]);
    assert_eq!(
        known
            .spoken(&[Digest(1), Digest(2)], Some(10), Some(&[]))
            .spoken,
        0
    );
}

#[test]
fn an_answer_in_view_of_others_is_speech_of_the_one_who_is_answered() {
    let first = Line {
        id: Some(Digest(500)),
        ..line(5, 1, &[90])
    };
    let answer = Line {
        answers: vec![Digest(500)],
        ..line(6, 90, &[1, 2, 3])
    };
    let known = history(&[first, answer]);
    assert_eq!(
        known
            .spoken(&[Digest(1), Digest(2), Digest(3)], Some(9), Some(&[]))
            .spoken,
        2
    );
}

#[test]
fn a_mailbox_that_is_passed_over_in_parts_gives_the_same() {
    let mut lines = Vec::new();
    for number in 0..60 {
        lines.push(Line {
            id: Some(Digest(500 + number)),
            answers: vec![Digest(480 + number), Digest(470 + number)],
            ..line(
                number as i64,
                number % 7 + 1,
                &[number % 5 + 1, number % 9 + 1],
            )
        });
    }
    let all: Vec<Digest> = (1..=9).map(Digest).collect();
    for until in [Some(3), Some(30), None] {
        for answered in [None, Some(&[][..]), Some(&all[3..4])] {
            assert_eq!(
                history_of(&lines, 5 * IDS_AT_ONCE).spoken(&all, until, answered),
                history(&lines).spoken(&all, until, answered)
            );
        }
    }
}

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    /// Some of the people from 1 to `people`, each once.
    fn some(&mut self, people: u64, count: u64) -> Vec<u64> {
        let mut all: Vec<u64> = (1..=people).collect();
        for at in 0..all.len() {
            let with = at as u64 + self.below((all.len() - at) as u64);
            all.swap(at, with as usize);
        }
        all.truncate(count as usize);
        all
    }
}

/// Mail among people from 1 to 150, to a few and to many: to the same lists, to lists that differ by one, to the list
/// with and without its author; some of it answers mail before it.
fn invented(dice: &mut Dice) -> Vec<Line> {
    let few = FEW as u64;
    let standing: Vec<Vec<u64>> = [few - 1, few, few + 1, few + 2, 90]
        .map(|count| dice.some(150, count))
        .into();
    (0..40)
        .map(|number| {
            let mut visible = match dice.below(3) {
                0 => {
                    let count = dice.below(4) + 1;
                    dice.some(150, count)
                }
                1 => {
                    let count = few - 2 + dice.below(6);
                    dice.some(150, count)
                }
                _ => standing[dice.below(5) as usize].clone(),
            };
            let author = match dice.below(3) {
                0 => visible[dice.below(visible.len() as u64) as usize],
                _ => dice.below(150) + 1,
            };
            match dice.below(3) {
                0 => visible.retain(|person| *person != author),
                1 if !visible.contains(&author) => visible.push(author),
                _ => {}
            }
            let answers = match dice.below(3) {
                0 => vec![],
                count => (0..count)
                    .map(|_| Digest(1000 + dice.below(number + 1)))
                    .collect(),
            };
            Line {
                id: Some(Digest(1000 + number)),
                answers,
                ..line(dice.below(30) as i64, author, &visible)
            }
        })
        .collect()
}

/// What DESIGN section 2 says, pair by pair and line by line.
fn naive(
    lines: &[Line],
    matter: u64,
    people: &[Digest],
    until: Option<i64>,
    answered: Option<&[Digest]>,
) -> Spoken {
    let matters = |person: &Digest| (1..=matter).contains(&person.0);
    let author = |id: &Digest| {
        let line = lines.iter().find(|line| line.id == Some(*id))?;
        line.author.filter(matters)
    };
    let said = |a: Digest, b: Digest| {
        lines.iter().any(|line| {
            let by_answer = || line.answers.iter().any(|id| author(id) == Some(a));
            line.sent
                .is_some_and(|sent| until.is_none_or(|until| sent <= until))
                && line.visible.contains(&b)
                && (line.author == Some(a) || answered.is_some() && by_answer())
        })
    };
    let mut count = Spoken::nobody(people.len());
    for (at, a) in people.iter().enumerate() {
        for b in &people[..at] {
            let free = answered.is_some_and(|all| all.contains(a) || all.contains(b));
            let heard = matters(a) && matters(b) && (said(*a, *b) || said(*b, *a));
            count.spoken += u64::from(free || heard);
        }
    }
    count
}

#[test]
fn what_is_kept_of_lists_long_and_short_counts_as_if_every_pair_were_kept() {
    let mut dice = Dice(0x5EED);
    let mut spoken = 0;
    for _ in 0..12 {
        let lines = invented(&mut dice);
        // Some of those who are written to, and ask, are not among those who matter.
        let matter = 100 + dice.below(60);
        let whole = within(MOST_MEMBERS, matter, &lines, lines.len() as u64);
        let parts = within(MOST_MEMBERS, matter, &lines, 3 * IDS_AT_ONCE);
        for count in [2, 9, FEW as u64 + 3, 80, 150] {
            let people: Vec<Digest> = dice.some(160, count).into_iter().map(Digest).collect();
            let until = [None, Some(dice.below(30) as i64)][dice.below(2) as usize];
            let some = [people[0], people[1], Digest(7)];
            for answered in [None, Some(&[][..]), Some(&some[..])] {
                let right = naive(&lines, matter, &people, until, answered);
                assert_eq!(whole.spoken(&people, until, answered), right);
                assert_eq!(parts.spoken(&people, until, answered), right);
                spoken += right.spoken;
            }
        }
    }
    assert!(spoken > 10_000, "they do speak: {spoken}");
}

#[test]
fn of_too_many_long_lists_the_longest_are_left_out_in_whatever_order_they_come() {
    let mut dice = Dice(0xB0B);
    let all: Vec<Digest> = (1..=150).map(Digest).collect();
    let mut lowered = 0;
    for _ in 0..10 {
        let mut lines = invented(&mut dice);
        let everything = within(MOST_MEMBERS, 150, &lines, 40);
        let bounded = |lines: &[Line]| {
            let known = within(300, 150, lines, 40);
            assert!(known.speech.stored().members <= 300);
            [None, Some(&[][..])].map(|answered| known.spoken(&all, Some(20), answered).spoken)
        };
        let kept = bounded(&lines);
        for (kept, answered) in kept.into_iter().zip([None, Some(&[][..])]) {
            let whole = everything.spoken(&all, Some(20), answered).spoken;
            assert!(kept <= whole, "{kept} of {whole}");
            lowered += whole - kept;
        }
        lines.reverse();
        assert_eq!(bounded(&lines), kept);
        lines.sort_by_key(|line| line.visible.len());
        assert_eq!(bounded(&lines), kept);
    }
    assert!(lowered > 0, "the bound was never passed");
}

#[test]
fn four_hundred_who_write_to_a_list_of_five_thousand_are_four_hundred_entries() {
    let list: Vec<u64> = (1..=5000).collect();
    let mut lines = Vec::new();
    for author in 1..=400 {
        // The first writes to the list with herself on it; who answers all is not on it, and the one answered is.
        let mut visible = list.clone();
        visible.retain(|person| author == 1 || *person != author);
        lines.push(Line {
            id: Some(Digest(10_000 + author)),
            answers: vec![Digest(10_000 + author - 1)],
            ..line(author as i64, author, &visible)
        });
    }
    let known = within(MOST_MEMBERS, 5000, &lines, 400);
    assert_eq!(
        known.speech.stored(),
        speech::Stored {
            pairs: 0,
            lists: 1,
            members: 5000,
            to_lists: 400
        }
    );
    let people: Vec<Digest> = list.into_iter().map(Digest).collect();
    for answered in [None, Some(&[][..])] {
        let spoken = known.spoken(&people, None, answered);
        assert_eq!(spoken.spoken, 400 * 4600 + 400 * 399 / 2);
    }
    assert_eq!(known.spoken(&people, Some(1), None).spoken, 4999);
}
