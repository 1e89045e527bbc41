//! The words that mail programs write before the fields of a message that they quote, in the languages of their users:
//! `From`, `Von`, `Oddi wrth`. Checked against the texts that crisp-oss/email-forward-parser collects (MIT), and against
//! Thunderbird's own translations. Not the names of header fields; those are [`super::name`].

/// What a word says of the value behind its colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// Who wrote it.
    From,
    /// To whom.
    To,
    /// Who got a copy.
    Cc,
    /// Who got a copy unseen, where the program shows it.
    Bcc,
    /// What about.
    Subject,
    /// When.
    Date,
    /// Anything else that such a head shows.
    Other,
}

use Label::{Bcc, Cc, Date, From, Other, Subject, To};

/// Longest word, in bytes.
const LONGEST: usize = 24;

/// English, German, French, Spanish, Italian, Dutch, Welsh, Portuguese, Danish and Norwegian, Swedish, Polish, Irish; in
/// lower case.
const WORDS: [(&str, Label); 81] = [
    ("from", From),
    ("von", From),
    ("de", From),
    ("da", From),
    ("mittente", From),
    ("van", From),
    ("oddi wrth", From),
    ("fra", From),
    ("från", From),
    ("od", From),
    ("nadawca", From),
    ("ó", From),
    ("to", To),
    ("an", To),
    ("à", To),
    ("pour", To),
    ("para", To),
    ("a", To),
    ("aan", To),
    ("at", To),
    ("til", To),
    ("till", To),
    ("do", To),
    ("adresat", To),
    ("cc", Cc),
    ("kopie", Cc),
    ("kopie (cc)", Cc),
    ("copie à", Cc),
    ("copie", Cc),
    ("copia", Cc),
    ("con copia", Cc),
    ("kopi", Cc),
    ("kopi til (cc)", Cc),
    ("kopia", Cc),
    ("dw", Cc),
    ("copi", Cc),
    ("bcc", Bcc),
    ("cci", Bcc),
    ("cco", Bcc),
    ("ccn", Bcc),
    ("blindkopie", Bcc),
    ("blindkopie (bcc)", Bcc),
    ("copie cachée à", Bcc),
    ("subject", Subject),
    ("betreff", Subject),
    ("objet", Subject),
    ("sujet", Subject),
    ("asunto", Subject),
    ("oggetto", Subject),
    ("onderwerp", Subject),
    ("pwnc", Subject),
    ("testun", Subject),
    ("emne", Subject),
    ("ämne", Subject),
    ("assunto", Subject),
    ("temat", Subject),
    ("sent", Date),
    ("date", Date),
    ("gesendet", Date),
    ("datum", Date),
    ("envoyé", Date),
    ("date d'envoi", Date),
    ("enviado", Date),
    ("enviado el", Date),
    ("fecha", Date),
    ("inviato", Date),
    ("data", Date),
    ("verzonden", Date),
    ("anfonwyd", Date),
    ("dyddiad", Date),
    ("sendt", Date),
    ("dato", Date),
    ("skickat", Date),
    ("wysłano", Date),
    ("importance", Other),
    ("priority", Other),
    ("attachments", Other),
    ("reply-to", Other),
    ("sender", Other),
    ("organization", Other),
    ("message-id", Other),
];

/// A line without quote marks and white space around it.
pub(super) fn bare(line: &str) -> &str {
    line.trim_start_matches(|c: char| c == '>' || c.is_whitespace())
        .trim_end()
}

/// What a line such as `*From:* Ann` says, and its value. `line` is [`bare`].
pub(super) fn field(line: &str) -> Option<(Label, &str)> {
    // Most lines have no colon near their front.
    let colon = line.bytes().take(LONGEST + 8).position(|b| b == b':')?;
    let name = line[..colon].trim().trim_matches('*').trim();
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    // Nearly every name is in ASCII, and of another length than nearly every word.
    let lower = (!name.is_ascii()).then(|| name.to_lowercase());
    let is = |word: &str| match &lower {
        Some(lower) => word == lower,
        None => word.eq_ignore_ascii_case(name),
    };
    let (_, label) = WORDS.iter().find(|(word, _)| is(word))?;
    let value = line[colon + 1..].trim_start().trim_start_matches('*');
    Some((*label, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_known_word_before_a_colon() {
        assert_eq!(field("*From:* Ann"), Some((From, "Ann")));
        assert_eq!(field("*From: *Ann"), Some((From, "Ann")));
        assert_eq!(field("À : Ann"), Some((To, "Ann")));
        assert_eq!(field("Kopie (CC):"), Some((Cc, "")));
        assert_eq!(field("Cofion: Ann"), None);
        assert_eq!(field("see http://x.example"), None);
        assert_eq!(field(""), None);
        assert_eq!(bare("> > To: Ann "), "To: Ann");
    }

    #[test]
    fn no_word_stands_twice() {
        for (n, (word, _)) in WORDS.iter().enumerate() {
            assert!(
                WORDS[..n].iter().all(|(other, _)| other != word),
                "{word} stands twice"
            );
            assert_eq!(*word, word.to_lowercase());
            assert!(word.len() <= LONGEST);
        }
    }
}
