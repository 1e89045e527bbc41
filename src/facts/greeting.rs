//! Whom a text greets: nobody in particular (`Dear all`, `Annwyl bawb`), or people by their names (`Dear Zoe and Piotr`).
//! Whoever is greeted by name beside others is known to the writer; a crowd may be strangers. Part of the shape of a list.

use crate::message::recipients::Recipient;
use crate::query::pattern::fold;

const HAILS: [&str; 40] = [
    "dear",
    "hi",
    "hello",
    "hey",
    "hiya",
    "greetings",
    "morning",
    "afternoon",
    "evening",
    "good",
    "to",
    "annwyl",
    "helo",
    "shwmae",
    "bore",
    "prynhawn",
    "liebe",
    "lieber",
    "sehr",
    "guten",
    "hallo",
    "moin",
    "bonjour",
    "bonsoir",
    "chers",
    "cher",
    "chere",
    "cheres",
    "madame",
    "mesdames",
    "hola",
    "buenos",
    "buenas",
    "querido",
    "querida",
    "queridos",
    "estimados",
    "estimadas",
    "gentili",
    "beste",
];
const HAILS_MORE: [&str; 16] = [
    "cari",
    "caro",
    "cara",
    "care",
    "gentile",
    "ciao",
    "buongiorno",
    "buonasera",
    "salve",
    "spettabili",
    "estimado",
    "estimada",
    "geachte",
    "dag",
    "goedemorgen",
    "goedemiddag",
];
const CROWDS: [&str; 76] = [
    "all",
    "both",
    "everyone",
    "everybody",
    "folks",
    "colleagues",
    "members",
    "member",
    "friends",
    "friend",
    "team",
    "applicant",
    "patient",
    "complainants",
    "complainant",
    "survivors",
    "survivor",
    "victims",
    "students",
    "student",
    "parents",
    "parent",
    "carers",
    "carer",
    "client",
    "tenant",
    "resident",
    "volunteers",
    "customer",
    "customers",
    "claimants",
    "claimant",
    "sir",
    "madam",
    "sirs",
    "participant",
    "participants",
    "service",
    "user",
    "users",
    "supporters",
    "families",
    "neighbours",
    "donor",
    "bawb",
    "gleifion",
    "ffrindiau",
    "rieni",
    "alle",
    "alles",
    "zusammen",
    "damen",
    "herren",
    "leute",
    "runde",
    "tous",
    "toutes",
    "messieurs",
    "todos",
    "todas",
    "tutti",
    "tutte",
    "iedereen",
    "allemaal",
    "allen",
    "mensen",
    "deelnemers",
    "amici",
    "tenants",
    "residents",
    "clients",
    "applicants",
    "patients",
    "donors",
    "witnesses",
    "pazienti",
];
/// What is said to people as several of a sort, folded, each between spaces: nobody says it to a couple. English, Welsh,
/// German, French, Spanish, Italian, Dutch.
const SEVERAL: [&str; 44] = [
    "each of you",
    "of you both",
    "neither of you",
    "none of you",
    "all of you",
    "you are all",
    "you have all",
    "you have each",
    "you each",
    "three of you",
    "four of you",
    "five of you",
    "six of you",
    "those of you",
    "complainants",
    "victims",
    "survivors",
    "participants",
    "claimants",
    "service users",
    "sufferers",
    "bereaved families",
    "whistleblowers",
    "informants",
    "refugees",
    "asylum seekers",
    "pob un ohonoch",
    "dioddefwyr",
    "goroeswyr",
    "jeder von ihnen",
    "jede von ihnen",
    "betroffenen",
    "betroffene",
    "opfer",
    "chacun de vous",
    "chacune d entre vous",
    "victimes",
    "cada uno de ustedes",
    "victimas",
    "ciascuno di voi",
    "vittime",
    "ieder van jullie",
    "slachtoffers",
    "lotgenoten",
];
/// How much of a text is looked at for that, in bytes.
const LOOKED_AT: usize = 4000;

/// Whether a text speaks to people as several of a sort.
pub(super) fn to_several(subject: &str, text: &str) -> bool {
    let mut end = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let own = text[..end].lines().filter(|line| !line.starts_with('>'));
    let own: Vec<&str> = std::iter::once(subject).chain(own).collect();
    let folded = fold(&own.join(" "));
    SEVERAL.iter().any(|words| {
        let mut at = folded.match_indices(words);
        at.any(|(at, _)| folded[..at].ends_with(' ') && folded[at + words.len()..].starts_with(' '))
    })
}

/// Words of a greeting that are nobody's name.
const NO_NAMES: [&str; 34] = [
    "and",
    "a",
    "ac",
    "und",
    "et",
    "y",
    "e",
    "en",
    "the",
    "mr",
    "mrs",
    "ms",
    "miss",
    "dr",
    "prof",
    "again",
    "there",
    "morning",
    "afternoon",
    "evening",
    "day",
    "geehrte",
    "geehrter",
    "frau",
    "herr",
    "monsieur",
    "senor",
    "senora",
    "signor",
    "signora",
    "heer",
    "mevrouw",
    "da",
    "pawb",
];
/// Longest line that can be a greeting.
const LONGEST: usize = 80;

/// Whom a text greets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Greeting {
    /// The greeting, where it is to nobody in particular.
    pub(super) crowd: Option<String>,
    /// Words of it that may be names, folded.
    names: Vec<String>,
}

impl Greeting {
    /// From the first lines of a text.
    pub(super) fn of(text: &str) -> Self {
        let lines = text.lines().map(str::trim);
        let mut lines = lines.filter(|line| !line.is_empty()).take(2);
        lines.find_map(greeting).unwrap_or_default()
    }

    /// Whether somebody is greeted by a name that their own shows.
    pub(super) fn names(&self, recipient: &Recipient) -> bool {
        if self.names.is_empty() {
            return false;
        }
        let mailbox = &recipient.mailbox;
        let shown = fold(&mailbox.name);
        let local = mailbox
            .address
            .as_ref()
            .map_or_else(String::new, |address| fold(address.local()));
        let mut words = shown.split_whitespace().chain(local.split_whitespace());
        words.any(|word| {
            word.chars().count() >= 2 && self.names.iter().any(|name| alike(name, word))
        })
    }
}

/// Whether two words are one name: the same, or one the short form of the other (`Abi`, `Abigail`).
fn alike(greeted: &str, shown: &str) -> bool {
    greeted == shown || (greeted.chars().count() >= 3 && shown.starts_with(greeted))
}

/// What one line greets, if it is a greeting at all.
fn greeting(line: &str) -> Option<Greeting> {
    // Only the greeting itself: what follows it on its line is the body's, and stays out of the case.
    let end = line
        .find(['.', ':', ';', '!', '?', '–', '—'])
        .unwrap_or(line.len());
    let head = line[..end].trim().trim_end_matches(',');
    let folded = fold(head);
    let mut words = folded.split_whitespace();
    let first = words.next().unwrap_or_default();
    let hail = HAILS.contains(&first) || HAILS_MORE.contains(&first);
    if head.len() > LONGEST && !line[..end].contains(',') {
        return None;
    }
    // `Dear Nia, all is well`: what follows a comma is a greeting only where another name or hail begins it.
    let greets = head
        .split(',')
        .enumerate()
        .take_while(|(at, part)| *at == 0 || part.split_whitespace().count() <= 3);
    let parts: Vec<&str> = greets.map(|(_, part)| part).collect();
    let first_part = parts.first().copied().unwrap_or_default();
    let mut all: Vec<String> = Vec::new();
    for part in &parts {
        all.extend(fold(part).split_whitespace().map(str::to_owned));
    }
    let crowd = |words: &[String]| {
        words
            .iter()
            .skip(usize::from(hail))
            .take(6)
            .any(|word| CROWDS.contains(&word.as_str()))
    };
    let own: Vec<String> = fold(first_part)
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let bare = own.len() <= 2
        && matches!(
            own.first().map(String::as_str),
            Some("all" | "everyone" | "everybody" | "both")
        );
    if first_part.len() <= 48 && (hail && crowd(&own) || bare || folded.trim() == "helo bawb") {
        return Some(Greeting {
            crowd: Some(first_part.trim().to_owned()),
            names: Vec::new(),
        });
    }
    // A name alone on its line (`Nia,`) greets as well.
    let alone = !hail && line.ends_with([',', ':']) && all.len() <= 4;
    if !hail && !alone {
        return None;
    }
    let names: Vec<String> = all
        .into_iter()
        .filter(|word| {
            let word = word.as_str();
            !HAILS.contains(&word) && !HAILS_MORE.contains(&word) && !NO_NAMES.contains(&word)
        })
        .take(8)
        .collect();
    let greeting = Greeting { crowd: None, names };
    (hail || !greeting.names.is_empty()).then_some(greeting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Address;
    use crate::message::recipients::{Field, Mailbox};

    fn crowd(text: &str) -> Option<String> {
        Greeting::of(text).crowd
    }

    fn greets(text: &str, name: &str, address: &str) -> bool {
        Greeting::of(text).names(&Recipient {
            mailbox: Mailbox {
                name: name.to_owned(),
                address: Address::new(address),
            },
            field: Field::To,
            group: None,
        })
    }

    #[test]
    fn a_greeting_to_a_crowd_is_told_from_one_to_a_person() {
        assert_eq!(crowd("Dear all,\nplease").as_deref(), Some("Dear all"));
        assert_eq!(
            crowd("\nDear complainants\n").as_deref(),
            Some("Dear complainants")
        );
        assert_eq!(crowd("Dear Nia,\nall is well"), None);
        assert_eq!(crowd("Hi Nia, all your injuries are logged"), None);
        assert_eq!(
            crowd("Dear all, she was hurt.").as_deref(),
            Some("Dear all")
        );
        assert_eq!(
            crowd("Dear both,\nI am sorry").as_deref(),
            Some("Dear both")
        );
        assert_eq!(
            crowd("Liebe alle,\nam Montag").as_deref(),
            Some("Liebe alle")
        );
        assert_eq!(
            crowd("Bonjour à tous,\n").as_deref(),
            Some("Bonjour à tous")
        );
    }

    #[test]
    fn several_of_a_sort_are_told_from_a_couple() {
        assert!(to_several(
            "",
            "As complainants you are told that the date has moved."
        ));
        assert!(to_several(
            "Sorry",
            "I am sorry that each of you\nhad to wait."
        ));
        assert!(!to_several(
            "",
            "Both of you need the blood test, and you can each bring a friend."
        ));
        assert!(!to_several("", "Fine.\n> As complainants you are told"));
    }

    #[test]
    fn who_is_greeted_by_name_is_known_by_display_name_or_address() {
        for text in [
            "Dear Zoe and Piotr,\nfine",
            "Hi Zoe, Piotr,\nfine",
            "Zoe, Piotr,\nfine",
            "Dear Zoe, dear Piotr,",
        ] {
            assert!(greets(text, "Zoe Arden", "z1@inbox.test"), "{text}");
            assert!(greets(text, "", "piotr.wilk@inbox.test"), "{text}");
            assert!(!greets(text, "Nia Marsh", "nia@inbox.test"), "{text}");
        }
        assert!(greets("Dear Mr Lloyd,", "H. Lloyd", "x@inbox.test"));
        assert!(!greets(
            "The flat of Zoe is ready",
            "Zoe Arden",
            "z1@inbox.test"
        ));
        assert!(!greets(
            "Dear all,\nZoe comes",
            "Zoe Arden",
            "z1@inbox.test"
        ));
    }
}
