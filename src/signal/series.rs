//! What mails belong to one series: by their subjects, or by texts that are nearly the same. Weighs nothing: `habit` and
//! `aftermath` do.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::query::pattern::fold;

/// Marks of an answer before a subject, folded.
const ANSWERS: [&str; 14] = [
    "re", "aw", "sv", "vs", "antw", "rif", "r", "odp", "res", "ynt", "ref", "ateb", "ap", "rv",
];
/// Marks of a forward before a subject, folded.
const FORWARDS: [&str; 17] = [
    "fw",
    "fwd",
    "wg",
    "tr",
    "i",
    "doorst",
    "vl",
    "enc",
    "pd",
    "rv",
    "weitergeleitet",
    "ymlaen",
    "reenv",
    "inoltro",
    "videresend",
    "vb",
    "vs",
];
/// Marks that Outlook puts before the subject of a recall, folded, in the languages that it is seen in.
const RECALLS: [&str; 17] = [
    "recall",
    "message recall",
    "recalled",
    "zuruckrufen",
    "ruckruf",
    "rappel",
    "rappel de message",
    "recuperar",
    "retirar",
    "recuperacion",
    "richiama",
    "richiamo",
    "intrekken",
    "ingetrokken",
    "terugroepen",
    "galw yn ol",
    "tynnun ol",
];
/// Longest mark that is looked for, in bytes.
const LONGEST_MARK: usize = 40;

/// A subject, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// As `fold` leaves it, without marks and numbers: words between spaces.
    words: String,
    /// An answer.
    pub answer: bool,
    /// A forward.
    pub forward: bool,
    /// A recall (`Recall: …`, as Outlook writes it for everybody whose server does not take part).
    pub recall: bool,
    /// Its mark means a recall or a reminder (`Rappel :`): the text must tell.
    pub may_remind: bool,
}

impl Subject {
    /// Takes a decoded subject apart.
    pub fn of(subject: &str) -> Self {
        let mut out = Subject::default();
        let mut rest = subject.trim();
        while let Some(at) = rest
            .bytes()
            .take(LONGEST_MARK)
            .position(|byte| byte == b':')
        {
            let behind = rest[at + 1..].trim_start();
            let folded = fold(&rest[..at]);
            // `Re[2]:`, `AW (2):`
            let mark = folded
                .trim()
                .trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
            let (answer, forward, recall) = (
                ANSWERS.contains(&mark),
                FORWARDS.contains(&mark),
                RECALLS.contains(&mark),
            );
            if behind.is_empty() || !(answer || forward || recall) {
                break;
            }
            out.answer |= answer;
            out.forward |= forward;
            out.recall |= recall;
            out.may_remind |= mark == "rappel";
            rest = behind;
        }
        out.words = fold(rest);
        // Every message comes here: most subjects hold no number, and are left as they are.
        if out.words.bytes().any(|byte| byte.is_ascii_digit()) {
            let number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
            let words = out.words.split(' ').filter(|word| !number(word));
            out.words = words.fold(String::from(" "), |all, word| all + word + " ");
        }
        out
    }

    /// What a series shares: folded, without marks, without numbers; empty where nothing is left.
    pub fn series(&self) -> &str {
        self.words.trim_matches(' ')
    }

    /// The same, between spaces.
    pub fn words(&self) -> &str {
        &self.words
    }
}

/// The subject that a series shares (see [`Subject::series`]).
pub fn series(subject: &str) -> String {
    Subject::of(subject).series().to_owned()
}

/// How many numbers a sketch has.
const BINS: usize = 16;
/// How many words make a shingle.
const SHINGLE: usize = 3;
/// How many words of a text are looked at.
const MOST_WORDS: usize = 2000;
/// How many numbers of two sketches must be there to tell anything: of less text nothing is said.
const FEWEST: usize = 8;

/// A sketch of a text by which nearly the same texts are known: one-permutation min-hashing over shingles of three words
/// (Li, Owen and Zhang 2012). It is keyed, and tells nothing of the words. Lines that quote another mail are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sketch(Vec<u32>);

impl Sketch {
    /// Of a text, under a key.
    pub fn of(text: &str, key: u64) -> Self {
        let mut bins = [u32::MAX; BINS];
        let mut last = [0u64; SHINGLE];
        let mut words = 0;
        let own = text.lines().filter(|line| !line.starts_with('>'));
        'text: for line in own {
            for word in fold(line).split(' ').filter(|word| !word.is_empty()) {
                let mut hasher = FxHasher::default();
                hasher.write_u64(key);
                hasher.write(word.as_bytes());
                last.rotate_left(1);
                last[SHINGLE - 1] = hasher.finish();
                words += 1;
                if words >= SHINGLE {
                    let hash = mix(last.iter().fold(key, |all, one| mix(all ^ *one)));
                    let bin = &mut bins[(hash as usize) % BINS];
                    *bin = (*bin).min((hash >> 32) as u32);
                }
                if words == MOST_WORDS {
                    break 'text;
                }
            }
        }
        if bins.iter().filter(|bin| **bin != u32::MAX).count() < FEWEST {
            return Sketch::default();
        }
        Sketch(bins.to_vec())
    }

    /// Whether two texts are nearly the same: three fourths of what can be compared agree.
    pub fn near(&self, other: &Sketch) -> bool {
        let both = self.0.iter().zip(&other.0);
        let (mut told, mut same) = (0, 0);
        for (a, b) in both.filter(|(a, b)| (**a, **b) != (u32::MAX, u32::MAX)) {
            told += 1;
            same += usize::from(a == b);
        }
        told >= FEWEST && same * 4 >= told * 3
    }
}

/// Mixes the bits of a number (the finaliser of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recall_an_answer_and_the_next_number_are_of_one_series() {
        assert_eq!(
            series("Recall: Clinic news 12"),
            series("Re: AW: clinic news 13")
        );
        assert_ne!(series("Clinic news"), series("Choir news"));
        assert_eq!(series("Re[2]: Clinic news"), "clinic news");
    }

    #[test]
    fn marks_are_told_apart() {
        let subject = Subject::of("AW: Rückruf: Treffen");
        assert!(subject.answer && subject.recall && !subject.forward);
        assert!(Subject::of("WG: Treffen").forward);
        assert!(Subject::of("Rappel : réunion").recall);
        assert!(!Subject::of("Recall of products").recall);
        assert_eq!(Subject::of("Re:").series(), "re");
    }

    #[test]
    fn a_text_with_another_greeting_is_nearly_the_same_and_another_text_is_not() {
        let text = "the next meeting of the group is on the fourth of March at six in the room \
                    above the library, and there will be tea as ever; please tell us if you cannot come";
        let first = Sketch::of(&format!("Dear all,\n{text}"), 7);
        assert!(first.near(&Sketch::of(
            &format!("Hello everyone,\n\n{text}\n> quoted words of another mail"),
            7
        )));
        assert!(
            !first.near(&Sketch::of(&format!("Dear all,\n{text}"), 8)),
            "it is keyed"
        );
        let other = "invoices for the repair of the roof have come in and I should like to know who is \
                     to pay them before the end of the quarter, as the builder rings every morning";
        assert!(!first.near(&Sketch::of(other, 7)));
        assert!(
            !Sketch::of("Thanks!", 7).near(&Sketch::of("Thanks!", 7)),
            "too short to tell"
        );
    }
}
