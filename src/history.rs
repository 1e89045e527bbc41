//! Who has spoken with whom: the only memory between messages. It knows people and messages as keyed digests, so that
//! what a case keeps of a mailbox names nobody. Not a judge: `signal::strangers` weighs what it counts.
//!
//! What is kept is, for each person who matters and each other who could see it, the earliest time at which they spoke:
//! who writes to the same people ten thousand times costs no more than who writes once.

use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHashSet};
use siphasher::sip::SipHasher13;

use crate::message::Address;

/// A person or a message, as history knows it: SipHash-1-3 under the case's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u64);

/// Makes digests; holds the case's key.
#[derive(Clone, Copy, Debug)]
pub struct Digester {
    /// First half of the key.
    pub k0: u64,
    /// Second half of the key.
    pub k1: u64,
}

impl Digester {
    fn digest(&self, sort: u8, text: &[u8]) -> Digest {
        // In one piece it costs half: every message has several.
        let mut whole = [0; 128];
        if let Some(room) = whole.get_mut(1..=text.len()) {
            room.copy_from_slice(text);
            whole[0] = sort;
            return Digest(
                SipHasher13::new_with_keys(self.k0, self.k1).hash(&whole[..=text.len()]),
            );
        }
        let mut hasher = SipHasher13::new_with_keys(self.k0, self.k1);
        hasher.write(&[sort]);
        hasher.write(text);
        Digest(hasher.finish())
    }

    /// Of a person, by canonical address.
    pub fn address(&self, address: &Address) -> Digest {
        self.canonical(address.as_str().as_bytes())
    }

    /// Of a person, by the text of a canonical address.
    pub fn canonical(&self, address: &[u8]) -> Digest {
        self.digest(b'a', address)
    }

    /// Of a person who is known by name only.
    pub fn name(&self, folded: &str) -> Digest {
        self.digest(b'n', folded.as_bytes())
    }

    /// Of a Message-ID without its angle brackets.
    pub fn message_id(&self, id: &str) -> Digest {
        self.digest(b'm', id.as_bytes())
    }

    /// Of the subject that a series shares.
    pub fn series(&self, folded: &str) -> Digest {
        self.digest(b's', folded.as_bytes())
    }
}

/// What history keeps of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The message's quick key.
    pub key: u128,
    /// When it was sent, seconds since 1970 UTC.
    pub sent: Option<i64>,
    /// Author (From).
    pub author: Option<Digest>,
    /// Sender header, where it names somebody else.
    pub sender: Option<Digest>,
    /// Visible recipients.
    pub visible: Vec<Digest>,
    /// Blind recipients that the stored copy kept.
    pub blind: Vec<Digest>,
    /// Message-ID.
    pub id: Option<Digest>,
    /// Message-IDs that it answers (In-Reply-To).
    pub answers: Vec<Digest>,
    /// The series that its subject belongs to.
    pub series: Option<Digest>,
}

/// Digests as they lie in a block of lines: eight bytes each, little-endian.
#[derive(Clone, Copy, Debug, Default)]
pub struct Digests<'a>(&'a [[u8; 8]]);

impl<'a> Digests<'a> {
    /// From bytes; what is left over at the end is dropped.
    pub fn new(bytes: &'a [u8]) -> Self {
        Digests(bytes.as_chunks().0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Digest> + 'a {
        self.0
            .iter()
            .map(|bytes| Digest(u64::from_le_bytes(*bytes)))
    }

    /// How many.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// True for none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// A [`Line`] where it lies, as far as history is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// When it was sent, seconds since 1970 UTC.
    pub sent: Option<i64>,
    /// Author (From).
    pub author: Option<Digest>,
    /// Sender header, where it names somebody else.
    pub sender: Option<Digest>,
    /// Visible recipients.
    pub visible: Digests<'a>,
    /// Blind recipients that the stored copy kept.
    pub blind: Digests<'a>,
    /// Message-ID.
    pub id: Option<Digest>,
    /// Message-IDs that it answers (In-Reply-To).
    pub answers: Digests<'a>,
    /// The series that its subject belongs to.
    pub series: Option<Digest>,
}

/// When somebody first spoke in view of another; `i64::MAX` for never.
#[derive(Clone, Copy, Debug)]
struct Spoke {
    /// Wrote themselves.
    wrote: i64,
    /// Wrote themselves, or was answered by somebody else.
    at_all: i64,
}

/// How many pairs of a list have spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spoken {
    /// All pairs of the list.
    pub pairs: u64,
    /// Those that have spoken.
    pub spoken: u64,
}

impl Spoken {
    /// Of so many people, where nobody has spoken.
    pub fn nobody(people: usize) -> Self {
        let people = people as u64;
        Spoken {
            pairs: people * people.saturating_sub(1) / 2,
            spoken: 0,
        }
    }

    /// The share of pairs that have spoken, 0 to 1.
    pub fn share(self) -> f64 {
        if self.pairs == 0 {
            0.0
        } else {
            self.spoken as f64 / self.pairs as f64
        }
    }
}

/// How many messages of people who matter are held at one time while it is learnt who answered whom. In a larger
/// mailbox the lines are passed over more often instead.
const IDS_AT_ONCE: u64 = 4 << 20;

/// Who has spoken with whom, for the people that matter.
#[derive(Debug, Default)]
pub struct History {
    /// Authors of the messages that candidates answer.
    wrote: FxHashMap<Digest, Digest>,
    /// A number for each person who matters.
    people: FxHashMap<Digest, u32>,
    /// Who spoke in view of whom.
    speech: FxHashMap<u32, FxHashMap<u32, Spoke>>,
}

impl History {
    /// From the lines of a mailbox, of which there are `messages`. `lines` calls back with every line, and is called
    /// once or more: to learn who wrote which message, then to collect what was said and answered by the people in
    /// `matter`. `answered` are the Message-IDs that [`History::author`] will be asked about.
    ///
    /// # Errors
    /// Those of `lines`.
    pub fn new<E>(
        matter: &FxHashSet<Digest>,
        answered: &FxHashSet<Digest>,
        messages: u64,
        mut lines: impl FnMut(&mut dyn FnMut(&Told<'_>)) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut history = History::default();
        if matter.is_empty() {
            return Ok(history);
        }
        history.people = matter.iter().copied().zip(0..).collect();
        let parts = messages / IDS_AT_ONCE + 1;
        for part in 0..parts {
            let here = |id: Digest| parts == 1 || id.0 % parts == part;
            let mut wrote: FxHashMap<Digest, u32> = FxHashMap::default();
            let mut anybody = false;
            lines(&mut |line| {
                if let Some(author) = line.author
                    && let Some(person) = history.people.get(&author)
                {
                    anybody = true;
                    if let Some(id) = line.id.filter(|id| here(*id)) {
                        wrote.insert(id, *person);
                        if answered.contains(&id) {
                            history.wrote.insert(id, author);
                        }
                    }
                }
            })?;
            if !anybody {
                // Who never wrote was never answered: nobody who matters spoke.
                break;
            }
            let mut hearing = Hearing::default();
            lines(&mut |line| {
                let Some(sent) = line.sent else { return };
                let author = line.author.and_then(|author| history.people.get(&author));
                let answers = line.answers.iter().filter(|id| here(*id));
                hearing.speakers.clear();
                let answered = answers.filter_map(|id| wrote.get(&id));
                let others = answered.filter(|person| Some(*person) != author);
                hearing
                    .speakers
                    .extend(others.map(|person| (*person, true)));
                // What they wrote themselves is heard in the first round.
                let author = author.filter(|_| part == 0);
                hearing
                    .speakers
                    .extend(author.map(|person| (*person, false)));
                hearing.hear(sent, line.visible, &history.people, &mut history.speech);
            })?;
        }
        Ok(history)
    }

    /// True where nobody has spoken with anybody.
    pub fn is_silent(&self) -> bool {
        self.speech.is_empty()
    }

    /// Who wrote a message, if it is one of the people that matter.
    pub fn author(&self, message_id: Digest) -> Option<Digest> {
        self.wrote.get(&message_id).copied()
    }

    /// How many pairs of `people` have spoken up to `until` (in view of one another, by DESIGN section 2).
    ///
    /// `answered` are those of them whose own message this one answers: they have spoken with everybody on it. Without
    /// it, only what they wrote themselves counts: an organisation that answers one person in view of others has shown
    /// them to one another, they have not spoken.
    pub fn spoken(
        &self,
        people: &[Digest],
        until: Option<i64>,
        answered: Option<&[Digest]>,
    ) -> Spoken {
        let nobody = Spoken::nobody(people.len());
        if self.is_silent() && answered.is_none_or(<[Digest]>::is_empty) {
            return nobody;
        }
        let mut spoken: FxHashSet<(usize, usize)> = FxHashSet::default();
        let mut pair = |a: usize, b: usize| {
            if a != b {
                spoken.insert((a.min(b), a.max(b)));
            }
        };
        let numbers: Vec<Option<u32>> = people
            .iter()
            .map(|person| self.people.get(person).copied())
            .collect();
        let place: FxHashMap<u32, usize> = numbers
            .iter()
            .enumerate()
            .filter_map(|(index, number)| Some(((*number)?, index)))
            .collect();
        let before = |spoke: &Spoke| {
            let first = if answered.is_some() {
                spoke.at_all
            } else {
                spoke.wrote
            };
            first <= until.unwrap_or(i64::MAX - 1)
        };
        for (index, number) in numbers.iter().enumerate() {
            let heard = number.and_then(|number| self.speech.get(&number));
            match heard {
                // Whichever is shorter is gone through: the list, or all whom this person ever spoke to.
                Some(heard) if heard.len() < place.len() => heard
                    .iter()
                    .filter(|(_, spoke)| before(spoke))
                    .filter_map(|(other, _)| place.get(other))
                    .for_each(|at| pair(index, *at)),
                Some(heard) => place
                    .iter()
                    .filter(|(other, _)| heard.get(other).is_some_and(before))
                    .for_each(|(_, at)| pair(index, *at)),
                None => {}
            }
            if answered.is_some_and(|answered| answered.contains(&people[index])) {
                (0..people.len()).for_each(|at| pair(index, at));
            }
        }
        Spoken {
            spoken: spoken.len() as u64,
            ..nobody
        }
    }
}

/// One line on its way into history; its lists are used again for the next.
#[derive(Default)]
struct Hearing {
    /// Who spoke, and whether only by being answered.
    speakers: Vec<(u32, bool)>,
    seen_by: Vec<u32>,
}

impl Hearing {
    /// Notes that the speakers spoke in view of those who matter.
    fn hear(
        &mut self,
        sent: i64,
        visible: Digests<'_>,
        people: &FxHashMap<Digest, u32>,
        speech: &mut FxHashMap<u32, FxHashMap<u32, Spoke>>,
    ) {
        if self.speakers.is_empty() {
            return;
        }
        self.seen_by.clear();
        let known = visible.iter().filter_map(|person| people.get(&person));
        self.seen_by.extend(known.copied());
        for (speaker, answered) in &self.speakers {
            if !self.seen_by.iter().any(|person| person != speaker) {
                continue;
            }
            let heard = speech.entry(*speaker).or_default();
            for other in self.seen_by.iter().filter(|person| *person != speaker) {
                let spoke = heard.entry(*other).or_insert(Spoke {
                    wrote: i64::MAX,
                    at_all: i64::MAX,
                });
                spoke.at_all = spoke.at_all.min(sent);
                if !answered {
                    spoke.wrote = spoke.wrote.min(sent);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
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

    fn history_of(lines: &[Line], messages: u64) -> History {
        let matter: FxHashSet<Digest> = (1..=9).map(Digest).collect();
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
        History::new(&matter, &FxHashSet::default(), messages, feed).expect("no error is possible")
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
}
