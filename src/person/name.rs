//! Display names as they are compared: titles and initials apart, given name first. A name that may be a role's, a
//! company's or a machine's is none. Not a dictionary of names: what looks like one is taken for one.

use std::borrow::Cow;
use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::NO_NAME;
use crate::query::pattern::fold;

/// Names of more letters are not looked at.
const LONGEST: usize = 200;
/// Names of more words are sentences.
const MOST_WORDS: usize = 8;

/// Words before or behind a name that are no part of it, for men and women alike.
const TITLES: &str = "dr prof professor rev revd reverend rt hon mx herr frau cllr councillor ds dc di pc insp inspector sgt sergeant \
    capt captain mp ms am obe mbe cbe phd md msc bsc kc qc esq mme mlle sra sr dame lady lord sir mr mrs miss \
    monsieur madame judge justice";
/// Titles of men only, and of women only: two people of one name with one of each are two.
const OF_MEN: &[&str] = &["mr", "sir", "lord", "herr", "monsieur"];
const OF_WOMEN: &[&str] = &[
    "mrs", "ms", "miss", "lady", "dame", "frau", "mme", "mlle", "madame", "sra",
];
/// What tells a parent from a child: part of the name.
const GENERATIONS: &[&str] = &["jr", "jnr", "junior", "snr", "senior", "ii", "iii", "iv"];
/// Words of companies, bodies and jobs: a name with one of them is nobody's.
const BODIES: &str = "account agency alliance association associates authority bank board bookkeeping bot business care centre center \
    chambers charity clinic club co college committee community company consultancy consulting corp corporation \
    counselling customer daughter daughters department dept desk digital director directorate duty education \
    engineering estates family federation forum foundation friends gmbh group guild health holdings hospital hotel \
    housing inc institute international league lettings library limited list llc llp logistics ltd management \
    manager media members ministry museum network nhs officer organisation organization parish partners partnership \
    plc police practice production products programme project property reply research restaurant sarl school service \
    society solicitors solutions son sons studio studios surgery systems trade trust union university users \
    volunteers wellbeing works workshop";

static TITLE: LazyLock<FxHashSet<&str>> = LazyLock::new(|| TITLES.split(' ').collect());
static BODY: LazyLock<FxHashSet<&str>> = LazyLock::new(|| BODIES.split(' ').collect());

/// Given names and their short forms, a family of them to a line; few on purpose.
const FORMS: &[&str] = &[
    "alexander alex sandy sasha",
    "alexandra alex sandy sasha",
    "andrew andy drew",
    "anthony antony tony",
    "barbara babs",
    "catherine katherine katharine kathryn kate katie kathy cathy cath",
    "charles charlie chas",
    "christine christina chris",
    "christopher chris",
    "david dave dafydd dai",
    "deborah debbie debra",
    "dorothy dot",
    "edward eddie ed ted ned",
    "elizabeth elisabeth liz lizzie beth betty eliza",
    "frances fran",
    "francis fran frank",
    "frederick fred freddie",
    "geoffrey jeffrey geoff jeff",
    "henry harry",
    "isabel isobel isabelle bel",
    "james jim jimmy jamie",
    "jennifer jenny",
    "john jon jack johnny ioan",
    "jonathan jon",
    "joseph joe jo",
    "josephine josie jo",
    "lawrence laurence larry",
    "margaret maggie meg peggy",
    "matthew matt",
    "michael mike mick",
    "mohammed muhammad mohamed mohammad",
    "nicholas nick nicky",
    "nicola nicky",
    "patricia pat",
    "patrick pat",
    "peter pete",
    "philip phillip phil",
    "rebecca becky becca",
    "richard rick dick rich",
    "robert rob bob bobby robbie",
    "ronald ron",
    "stephen steven steve",
    "susan suzanne sue susie",
    "thomas tom tommy tomos",
    "timothy tim",
    "victoria vicky",
    "william bill billy will",
];

static FORM: LazyLock<FxHashMap<&str, Vec<usize>>> = LazyLock::new(|| {
    let mut out: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (family, line) in FORMS.iter().enumerate() {
        for name in line.split(' ') {
            out.entry(name).or_default().push(family);
        }
    }
    out
});

/// A full name: two names or more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FullName {
    /// Names of two letters or more, folded, given name first, joined by a space: what makes two names the same.
    pub key: Box<str>,
    /// Initials, in order.
    pub initials: Box<str>,
    /// `m` or `f` where a title says so.
    title: Option<char>,
}

impl FullName {
    /// From a name as it is shown; `None` where that is no full name of one person.
    pub fn new(shown: &str) -> Option<Self> {
        if shown.len() > LONGEST || shown.contains(['@', ';', '/', '|']) {
            return None;
        }
        let plain = without_brackets(shown);
        let plain = plain.split_once(" via ").map_or(&*plain, |(name, _)| name);
        let name = Self::of_words(&in_order(plain)?)?;
        name.key.contains(' ').then_some(name)
    }

    /// From words; one name is enough.
    pub(super) fn of_words(words: &str) -> Option<Self> {
        let folded = fold(words);
        let (mut key, mut initials) = (String::with_capacity(folded.len()), String::new());
        let (mut title, mut generation) = (None, "");
        for (count, word) in folded.split_whitespace().enumerate() {
            if count == MOST_WORDS || word.bytes().any(|byte| byte.is_ascii_digit()) {
                return None;
            }
            if GENERATIONS.contains(&word) || (word == "sr" && !key.is_empty()) {
                generation = word;
            } else if TITLE.contains(word) {
                // Behind a name MS is a member of the Senedd.
                let sex = OF_MEN.contains(&word).then_some('m');
                let sex = sex.or(OF_WOMEN.contains(&word).then_some('f'));
                title = sex.filter(|_| key.is_empty()).or(title);
            } else if NO_NAME.contains(word) || BODY.contains(word) {
                return None;
            } else if is_initials(word) {
                initials.push_str(word);
            } else {
                if !key.is_empty() {
                    key.push(' ');
                }
                key.push_str(word);
            }
        }
        if !generation.is_empty() && key.contains(' ') {
            // Behind the family name, with a mark of its own: `family` and the rest do not take it for a name.
            key.push('\u{1f}');
            key.push_str(generation);
        }
        (!key.is_empty()).then(|| FullName {
            key: key.into(),
            initials: initials.into(),
            title,
        })
    }

    fn plain(&self) -> &str {
        self.key.split('\u{1f}').next().unwrap_or_default()
    }

    /// The given name, folded.
    pub fn given(&self) -> &str {
        self.plain().split(' ').next().unwrap_or_default()
    }

    /// The family name, folded: the last of the names.
    pub fn family(&self) -> &str {
        self.plain().rsplit(' ').next().unwrap_or_default()
    }

    /// Every name, folded.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.plain().split(' ')
    }

    /// Whether initials or titles tell two people of the same name apart.
    pub fn contradicts(&self, other: &FullName) -> bool {
        let initials = |name: &FullName| name.initials.chars().next();
        let differ = |a: Option<char>, b: Option<char>| a.is_some() && b.is_some() && a != b;
        differ(initials(self), initials(other)) || differ(self.title, other.title)
    }

    /// Whether two names may be one person's: some given name of one is one of the other's, or a form of it.
    pub fn may_be(&self, other: &FullName) -> bool {
        // Of `Nia Marsh` and `Marsh Nia` nobody knows which is the given name.
        let (mine, theirs) = (self.names(), other.names());
        let same_words = mine.clone().all(|name| theirs.clone().any(|n| n == name))
            || theirs.clone().all(|name| mine.clone().any(|n| n == name));
        same_words
            || givens(self).any(|one| givens(other).any(|two| same_given(one, two)))
            || abbreviates(self, other)
            || abbreviates(other, self)
    }
}

/// The names before the family name.
fn givens(name: &FullName) -> impl Iterator<Item = &str> {
    let count = name.names().count();
    name.names().take(count.saturating_sub(1).max(1))
}

/// Whether the initials of one stand for a given name of the other: `N. Jane Marsh` may be `Nia Marsh`.
fn abbreviates(short: &FullName, long: &FullName) -> bool {
    short
        .initials
        .chars()
        .any(|initial| givens(long).any(|given| given.starts_with(initial)))
}

/// Whether two given names are forms of one: the same, one the beginning of the other, both on a line of `FORMS`, or
/// long ones that differ by a letter.
pub fn same_given(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    let families = |name: &str| FORM.get(name);
    long == short
        || (short.chars().count() >= 3 && long.starts_with(short) && !of_the_other_sex(short, long))
        || families(one)
            .zip(families(other))
            .is_some_and(|(a, b)| a.iter().any(|family| b.contains(family)))
        || (short.chars().count() >= 6
            && !of_the_other_sex(short, long)
            && one_letter_apart(one, other))
}

/// Whether a longer name is the other's for a woman: `Paula`, `Simone`. A couple may share an address.
fn of_the_other_sex(short: &str, long: &str) -> bool {
    let more = long.strip_prefix(short);
    matches!(more, Some("a" | "e")) && short != "ann"
}

/// Whether two words differ by one letter: another, one more, or one less.
fn one_letter_apart(one: &str, other: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let back = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    front + back + 1 >= a.len().max(b.len())
}

/// One letter, or two without a vowel.
fn is_initials(word: &str) -> bool {
    let mut letters = word.chars();
    match (letters.next(), letters.next(), letters.next()) {
        (Some(_), None, _) => true,
        (Some(_), Some(_), None) => {
            word.is_ascii() && !word.contains(['a', 'e', 'i', 'o', 'u', 'y', 'w'])
        }
        _ => false,
    }
}

/// Whether a word may be a name: neither a title nor a word of bodies and roles, of two letters or more.
pub(super) fn is_name(word: &str) -> bool {
    let folded = fold(word);
    let word = folded.trim();
    let nobodys = |word| TITLE.contains(word) || NO_NAME.contains(word) || BODY.contains(word);
    let other = |c: char| c == ' ' || c.is_ascii_digit();
    !(word.is_empty() || word.contains(other) || is_initials(word) || nobodys(word))
}

/// Whether a word is a title.
pub(super) fn is_title(word: &str) -> bool {
    TITLE.contains(fold(word).trim())
}

/// Without what stands in brackets: `Nia Marsh (Hafan)`.
fn without_brackets(shown: &str) -> Cow<'_, str> {
    if !shown.contains(['(', '[', '{']) {
        return shown.into();
    }
    let mut depth = 0usize;
    let outside = shown.chars().filter(|c| match c {
        '(' | '[' | '{' => {
            depth += 1;
            false
        }
        ')' | ']' | '}' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    });
    outside.collect()
}

/// `Marsh, Nia` as `Nia Marsh`; `None` where a comma means something else.
fn in_order(plain: &str) -> Option<Cow<'_, str>> {
    let Some((family, rest)) = plain.split_once(',') else {
        return Some(plain.into());
    };
    if rest.split_whitespace().all(is_title) {
        return Some(family.into());
    }
    let words = |text: &str| text.split_whitespace().filter(|word| is_name(word)).count();
    (!rest.contains(',') && (words(family) == 1 || words(rest) == 1))
        .then(|| format!("{rest} {family}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(shown: &str) -> Option<String> {
        FullName::new(shown).map(|name| name.key.into())
    }

    fn may_be(one: &str, other: &str) -> bool {
        let name = |shown| FullName::new(shown).expect("a full name");
        let (one, other) = (name(one), name(other));
        assert_eq!(one.may_be(&other), other.may_be(&one));
        one.may_be(&other)
    }

    #[test]
    fn titles_initials_order_and_accents_do_not_matter() {
        for shown in [
            "Nia Marsh",
            "Dr Nia J. Marsh",
            "MARSH, Nia",
            "Nía Marsh MP",
            "Nia Marsh (Hafan)",
            "Nia Marsh via The Choir",
            "Marsh, Ms Nia K",
        ] {
            assert_eq!(key(shown).as_deref(), Some("nia marsh"), "{shown}");
        }
        assert_ne!(key("Thomas James"), key("James Thomas"));
        assert_ne!(key("Ivor Lomax Jr"), key("Ivor Lomax"));
    }

    #[test]
    fn what_is_no_full_name_of_one_person_is_none() {
        for shown in [
            "",
            "Nia",
            "N. Marsh",
            "n@inbox.test",
            "Guest 17",
            "Sales Team",
            "Marsh Solicitors",
            "Mr Lloyd",
            "Nia Marsh, Hafan Lane, Bangor",
            "The Lloyd Family",
        ] {
            assert_eq!(key(shown), None, "{shown}");
        }
    }

    #[test]
    fn initials_and_titles_can_tell_namesakes_apart() {
        let name = |shown| FullName::new(shown).expect("a full name");
        assert!(name("Nia J Marsh").contradicts(&name("Nia K Marsh")));
        assert!(name("Mr Alex Lloyd").contradicts(&name("Mrs Alex Lloyd")));
        assert!(!name("Dr Nia J Marsh").contradicts(&name("Nia Marsh")));
    }

    #[test]
    fn forms_of_one_name_are_one_person_and_two_given_names_are_two() {
        assert!(may_be("Tom Marsh", "Thomas Marsh"));
        assert!(may_be("Kate Marsh", "Katherine Marsh"));
        assert!(may_be("Catherine Marsh", "Kathryn Marsh"));
        assert!(may_be("Alex Marsh", "Alexandra Marsh"));
        assert!(may_be("Anne Marsh", "Ann Marsh"));
        assert!(may_be("Nia Marsh", "Nia Lloyd"));
        assert!(may_be("Nia Marsh", "Marsh Nia"));
        assert!(may_be("Mary Jane Lloyd", "Jane Lloyd"));
        assert!(may_be("Rhiannon Marsh", "Rhianon Marsh"));
        assert!(!may_be("Nia Marsh", "Tom Marsh"));
        assert!(!may_be("Mia Marsh", "Nia Marsh"));
        assert!(!may_be("Mary Marsh", "Mark Marsh"));
        assert!(!may_be("Paul Marsh", "Paula Marsh"));
        assert!(!may_be("Alexander Marsh", "Alexandra Marsh"));
        assert!(!may_be("Nia Marsh", "Owain Jenkin"));
    }
}
