//! Whom a message answers, as its text shows: the author of the first message that it quotes.
//! Reads attribution lines (`On 3 March 2024, Ann Bee <ann@x.example> wrote:`) and the heads that Outlook puts before
//! a quoted message, in the languages of the mail clients seen most. It finds addresses only; a bare name is nobody.

use super::Address;
use super::words::{self, Label};

/// Most lines that are looked at: a quoted message stands behind its answer, or before it.
const MOST_LINES: usize = 2000;
/// Most lines that an attribution is wrapped over.
const MOST_WRAPPED: usize = 4;
/// Longest line that can be part of an attribution.
const LONGEST_LINE: usize = 500;
/// How many lines below `From:` a second field of a quoted head must stand.
const HEAD_LINES: usize = 6;

/// How attributions end, before the colon: the verb in English, German, French, Spanish, Italian, Dutch, Welsh,
/// Portuguese, Danish and Norwegian, Swedish, Polish, Irish.
const WROTE: [&str; 19] = [
    "wrote",
    "writes",
    "said",
    "schrieb",
    "écrit",
    "ecrit",
    "écrivait",
    "escribió",
    "escribio",
    "scritto",
    "scrive",
    "schreef",
    "ysgrifennodd",
    "escreveu",
    "skrev",
    "napisał",
    "napisał(a)",
    "scríobh",
    "geschreven",
];
/// How dated attributions begin in languages whose verb stands before the name (`Am 3.3.2024 schrieb Ann <…>:`,
/// `Ar … ysgrifennodd Ann <…>:`), so that the line ends with the address.
const DATED: [&str; 12] = [
    "on", "am", "le", "el", "il", "op", "ar", "em", "den", "på", "em", "dnia",
];
/// The author of the first quoted message in `text`, the plain text of a body; `None` where it quotes nobody, or
/// only by name.
pub fn quoted_author(text: &str) -> Option<Address> {
    let lines: Vec<&str> = text.lines().take(MOST_LINES).map(bare).collect();
    (0..lines.len()).find_map(|n| head_at(&lines[n..]).or_else(|| attribution_at(&lines[n..])))
}

/// A line without quote marks and white space around it; nothing of one that is too long.
fn bare(line: &str) -> &str {
    let line = words::bare(line);
    if line.len() > LONGEST_LINE { "" } else { line }
}

/// The address in a quoted head (`From: Ann <ann@x.example>`, then `Sent:`, `To:`, `Subject:`) that begins here.
fn head_at(lines: &[&str]) -> Option<Address> {
    let (Label::From, value) = words::field(lines.first()?)? else {
        return None;
    };
    let second = |line: &&str| words::field(line).is_some_and(|(label, _)| label != Label::From);
    let address = addresses(value).next().or_else(|| {
        let wrapped = lines.get(1).filter(|line| words::field(line).is_none());
        addresses(wrapped?).next()
    })?;
    let headed = lines[1..].iter().take(HEAD_LINES).any(second);
    headed.then_some(address)
}

/// The address in an attribution that begins here and is wrapped over a few lines at most.
fn attribution_at(lines: &[&str]) -> Option<Address> {
    let first = lines.first()?;
    let mut joined = String::new();
    for (n, line) in lines.iter().take(MOST_WRAPPED).enumerate() {
        if line.is_empty() {
            return None;
        }
        if n > 0 {
            joined.push(' ');
        }
        joined.push_str(line);
        if line.ends_with([':', '：']) {
            return attributed(&joined);
        }
        // A wrapped attribution begins with its date or its author; other text is not put together.
        if n == 0 && !(begins_dated(first) || first.contains('@')) {
            return None;
        }
    }
    None
}

fn begins_dated(line: &str) -> bool {
    let first = line
        .split(|c: char| c.is_whitespace() || c == ',')
        .next()
        .unwrap_or("")
        .to_lowercase();
    DATED.contains(&first.as_str()) || line.starts_with(|c: char| c.is_ascii_digit())
}

/// The author in a whole attribution.
fn attributed(line: &str) -> Option<Address> {
    let wrote = line
        .split(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | ',' | '<' | '>'))
        .any(|word| WROTE.contains(&word.to_lowercase().as_str()));
    if wrote { addresses(line).last() } else { None }
}

/// The addresses in a line of text, in order.
fn addresses(line: &str) -> impl Iterator<Item = Address> + '_ {
    line.split(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '<' | '>' | '[' | ']' | '(' | ')' | ',' | ';' | '"' | '|' | '*'
            )
    })
    .filter(|word| word.contains('@'))
    .filter_map(|word| {
        let word = word
            .trim_end_matches([':', '：', '.', '\''])
            .trim_start_matches('\'');
        Address::new(word.strip_prefix("mailto:").unwrap_or(word))
    })
    .filter(|address| address.domain().contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(text: &str) -> Option<String> {
        quoted_author(text).map(|address| address.as_str().to_owned())
    }

    #[test]
    fn attributions_are_read_in_many_languages() {
        for line in [
            "On 3 March 2024 at 10:15, Ann Bee <ann@x.example> wrote:",
            "On Sun, Mar 3, 2024 at 10:15 AM Ann Bee <\nann@x.example> wrote:",
            "> On 3 March 2024, Ann Bee\n> <ann@x.example>\n> wrote:",
            "Ann Bee <ann@x.example> writes:",
            "Am 03.03.2024 um 10:15 schrieb Ann Bee <ann@x.example>:",
            "Am So., 3. März 2024 um 10:15 Uhr schrieb Ann Bee\n<ann@x.example>:",
            "Le dim. 3 mars 2024 à 10:15, Ann Bee <ann@x.example> a écrit :",
            "El dom, 3 mar 2024 a las 10:15, Ann Bee (<ann@x.example>) escribió:",
            "Il giorno dom 3 mar 2024 alle ore 10:15 Ann Bee <ann@x.example> ha scritto:",
            "Op zo 3 mrt 2024 om 10:15 schreef Ann Bee <ann@x.example>:",
            "Ar 3 Mawrth 2024, ysgrifennodd Ann Bee <ann@x.example>:",
            "Den 3 mars 2024 skrev Ann Bee <ann@x.example>:",
            "2024-03-03 10:15 GMT+01:00 Ann Bee <ann@x.example>:\nOn x, ann@x.example wrote:",
        ] {
            assert_eq!(
                author(&format!("Thanks.\n\n{line}\n> Hello\n")).as_deref(),
                Some("ann@x.example"),
                "{line}"
            );
        }
    }

    #[test]
    fn quoted_heads_are_read_in_many_languages() {
        for head in [
            "-----Original Message-----\nFrom: Ann Bee <ann@x.example>\nSent: 03 March 2024 10:15\nTo: Bob\nSubject: One",
            "________________________________\nFrom: Ann Bee [mailto:ann@x.example]\nSent: Sunday\nTo: Bob",
            "*From:* Ann Bee <ann@x.example>\n*Sent:* Sunday\n*To:* Bob",
            "Von: Ann Bee <ann@x.example>\nGesendet: Sonntag\nAn: Bob\nBetreff: Eins",
            "De : Ann Bee <ann@x.example>\nEnvoyé : dimanche\nÀ : Bob\nObjet : Un",
            "De: Ann Bee <ann@x.example>\nEnviado: domingo\nPara: Bob\nAsunto: Uno",
            "Da: Ann Bee <ann@x.example>\nInviato: domenica\nA: Bob\nOggetto: Uno",
            "Van: Ann Bee <ann@x.example>\nVerzonden: zondag\nAan: Bob\nOnderwerp: Een",
            "Oddi wrth: Ann Bee <ann@x.example>\nAnfonwyd: dydd Sul\nAt: Bob\nPwnc: Un",
        ] {
            assert_eq!(
                author(&format!("Thanks.\n\n{head}\n\nHello\n")).as_deref(),
                Some("ann@x.example"),
                "{head}"
            );
        }
    }

    #[test]
    fn text_that_quotes_nobody_has_no_author() {
        for text in [
            "",
            "Please write to ann@x.example:\n",
            "From: the whole team\nTo: you",
            "From: ann@x.example has sent this",
            "On Monday Ann wrote:\n> Hello",
            "He wrote to me on Monday.\n\nann@x.example\n",
        ] {
            assert_eq!(author(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_quoted_author_counts() {
        let text = "On x, Ann <ann@x.example> wrote:\n> On y, Bob <bob@x.example> wrote:\n>> Hello";
        assert_eq!(author(text).as_deref(), Some("ann@x.example"));
    }
}
