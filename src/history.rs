//! Who has spoken with whom: the only memory between messages. It knows people and messages as keyed digests, so that
//! what a case keeps of a mailbox names nobody. Not a judge: `signal::strangers` weighs what it counts.
//!
//! Pairs are never stored. What is kept is, for each person who matters, the messages that they wrote and to whom
//! these were visible; pairs are counted for one list at a time.

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
}

/// One time that somebody wrote to others, or was answered in view of them.
#[derive(Debug)]
struct Speech {
    sent: i64,
    /// True where somebody else answered this person in view of others; false where they wrote themselves.
    answered: bool,
    seen_by: Box<[Digest]>,
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
    /// The share of pairs that have spoken, 0 to 1.
    pub fn share(self) -> f64 {
        if self.pairs == 0 {
            0.0
        } else {
            self.spoken as f64 / self.pairs as f64
        }
    }
}

/// Who has spoken with whom, for the people that matter.
#[derive(Debug, Default)]
pub struct History {
    wrote: FxHashMap<Digest, Digest>,
    speech: FxHashMap<Digest, Vec<Speech>>,
}

impl History {
    /// From the lines of a mailbox. `lines` calls back with every line, and is called twice: first to learn who wrote
    /// which message, then to collect what was said and answered by the people in `matter`.
    ///
    /// # Errors
    /// Those of `lines`.
    pub fn new<E>(
        matter: &FxHashSet<Digest>,
        mut lines: impl FnMut(&mut dyn FnMut(&Line)) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut speech: FxHashMap<Digest, Vec<Speech>> = FxHashMap::default();
        let mut wrote: FxHashMap<Digest, Digest> = FxHashMap::default();
        if matter.is_empty() {
            return Ok(History { wrote, speech });
        }
        lines(&mut |line| {
            if let (Some(author), Some(id)) = (line.author, line.id)
                && matter.contains(&author)
            {
                wrote.insert(id, author);
            }
        })?;
        lines(&mut |line| {
            let Some(sent) = line.sent else { return };
            let author = line.author.filter(|author| matter.contains(author));
            let mut speakers: Vec<(Digest, bool)> = line
                .answers
                .iter()
                .filter_map(|id| wrote.get(id).copied())
                .filter(|answered| Some(*answered) != author)
                .map(|answered| (answered, true))
                .chain(author.map(|author| (author, false)))
                .collect();
            if speakers.is_empty() {
                return;
            }
            speakers.sort_unstable();
            speakers.dedup();
            let seen_by: Box<[Digest]> = line
                .visible
                .iter()
                .copied()
                .filter(|person| matter.contains(person))
                .collect();
            for (speaker, answered) in speakers {
                if seen_by.iter().any(|person| *person != speaker) {
                    speech.entry(speaker).or_default().push(Speech {
                        sent,
                        answered,
                        seen_by: seen_by.clone(),
                    });
                }
            }
        })?;
        Ok(History { wrote, speech })
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
        let total = people.len() as u64;
        let pairs = total * total.saturating_sub(1) / 2;
        let place: FxHashMap<Digest, usize> = people
            .iter()
            .enumerate()
            .map(|(index, person)| (*person, index))
            .collect();
        let mut spoken: FxHashSet<(usize, usize)> = FxHashSet::default();
        for (index, person) in people.iter().enumerate() {
            let before = self
                .speech
                .get(person)
                .into_iter()
                .flatten()
                .filter(|speech| {
                    until.is_none_or(|until| speech.sent <= until)
                        && (answered.is_some() || !speech.answered)
                });
            for other in before.flat_map(|speech| speech.seen_by.iter()) {
                if let Some(at) = place.get(other)
                    && *at != index
                {
                    spoken.insert((index.min(*at), index.max(*at)));
                }
            }
            if answered.is_some_and(|answered| answered.contains(person)) {
                spoken.extend(
                    (0..people.len())
                        .filter(|at| *at != index)
                        .map(|at| (index.min(at), index.max(at))),
                );
            }
        }
        Spoken {
            pairs,
            spoken: spoken.len() as u64,
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

    fn history(lines: &[Line]) -> History {
        let matter: FxHashSet<Digest> = (1..=9).map(Digest).collect();
        let feed = |each: &mut dyn FnMut(&Line)| -> Result<(), ()> {
            lines.iter().for_each(each);
            Ok(())
        };
        History::new(&matter, feed).expect("no error is possible")
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
}
