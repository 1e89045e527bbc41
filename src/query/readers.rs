//! Whether a word is said of those who read it (`your tablets`, `you have each had a relapse`), in the languages of the
//! queries. Looks at the words around it, and knows no grammar.

/// How far before a word `your` can stand, and how far `you`, in words.
const YOUR_WITHIN: usize = 3;
const YOU_WITHIN: usize = 6;
/// Longest text before a word that is looked at, in bytes.
const LOOKED_BACK: usize = 80;
const LOOKED_AHEAD: usize = 40;
/// `your`, folded, in the languages of the queries.
const YOUR: [&str; 24] = [
    "your", "yours", "eich", "dy", "ihr", "ihre", "ihrer", "ihren", "ihrem", "ihres", "euer",
    "eure", "euren", "deine", "votre", "vos", "su", "sus", "vuestra", "vuestro", "vostro",
    "vostra", "suo", "uw",
];
/// `you`, folded.
const YOU: [&str; 14] = [
    "you", "youre", "youve", "chi", "sie", "euch", "vous", "usted", "ustedes", "vosotras", "voi",
    "lei", "u", "jullie",
];
/// Beside these `you` is asked to do something, or thanked: nothing is said of it.
const ASKED: [&str; 24] = [
    "can", "could", "would", "will", "do", "did", "thank", "if", "should", "may", "might", "need",
    "please", "want", "konnen", "konnten", "wenn", "pouvez", "si", "puede", "pueden", "kunt",
    "kunnen", "als",
];

/// Whether what stands behind a word, folded, speaks of several readers soon (`self-harm with the nine of you`).
pub(super) fn several_behind(behind: &str) -> bool {
    let mut end = behind.len().min(LOOKED_AHEAD);
    while !behind.is_char_boundary(end) {
        end -= 1;
    }
    behind[..end].contains(" of you ")
}

/// Whether what stands before a word, folded, says the word of the readers.
pub(super) fn said_to(before: &str) -> bool {
    let mut start = before.len().saturating_sub(LOOKED_BACK);
    while !before.is_char_boundary(start) {
        start += 1;
    }
    let words: Vec<&str> = before[start..]
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect();
    let mut back = words.iter().rev().enumerate();
    back.any(|(distance, word)| {
        let at = words.len() - 1 - distance;
        let beside = [at.checked_sub(1), at.checked_add(1)];
        let asked = || {
            let mut beside = beside.into_iter().flatten().filter_map(|at| words.get(at));
            beside.any(|word| ASKED.contains(word))
        };
        distance < YOUR_WITHIN && YOUR.contains(word)
            || distance < YOU_WITHIN && YOU.contains(word) && !asked()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_readers_is_told_from_what_they_are_asked() {
        for before in [
            " bring your ",
            " you have each had a ",
            " haben sie ihre neuen ",
        ] {
            assert!(said_to(before), "{before}");
        }
        for before in [
            " can you call the patient about her ",
            " the ",
            " thank you for the ",
        ] {
            assert!(!said_to(before), "{before}");
        }
        assert!(several_behind(" with the nine of you in confidence "));
        assert!(!several_behind(" with the nurse "));
    }
}
