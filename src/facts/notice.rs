//! What a mail says of an earlier one: a recall, an apology, a request to delete, a bounce. Also what is kept of a list in
//! Bcc, by which a later open one is known. Judges nothing: `signal::aftermath` and `signal::habit` weigh it.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::history::Digester;
use crate::message::header::Name;
use crate::message::{Address, Message};
use crate::query::pattern::fold;
use crate::signal::aftermath::Says;
use crate::signal::series::{Sketch, Subject};

/// How much of a text is looked at for an apology, in bytes: it is said at the beginning.
const LOOKED_AT: usize = 6000;
/// How much of a bounce is looked at, in bytes.
const BOUNCE_LOOKED_AT: usize = 256 << 10;
/// How the addresses of mail servers begin that send bounces.
const MACHINES: [&str; 4] = [
    "mailer-daemon",
    "postmaster",
    "mail-daemon",
    "microsoftexchange",
];
/// Most addresses and Message-IDs that are read of one bounce.
const MOST_FAILED: usize = 1000;
const MOST_ORIGINALS: usize = 4;

/// What is kept of a mail that says something of an earlier one, or hid its list. Digests and numbers only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notice {
    /// What it says.
    pub says: Says,
    /// Of a bounce: digests of the Message-IDs of what did not arrive.
    pub originals: Vec<u64>,
    /// Of a bounce: digests of the addresses that were not reached.
    pub failed: Vec<u64>,
    /// Of its text.
    pub sketch: Sketch,
}

/// Of what sort the words of an apology are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Sorry = 1,
    Mail = 2,
    Fault = 4,
    Breach = 8,
    Delete = 16,
}

/// Beginnings of words and phrases, folded, in English, Welsh, German, French, Spanish, Italian and Dutch. Public apologies
/// (incidents of 2008 to 2024) say all of: that one is sorry, that it is about a mail, and what went wrong.
const WORDS: [(Sort, &[&str]); 5] = [
    (
        Sort::Sorry,
        &[
            " apolog",
            " sorry",
            " regret",
            " ymddiheur",
            " maen ddrwg",
            " entschuldig",
            " verzeih",
            " bedauer",
            " excuses",
            " desole",
            " disculp",
            " perdon",
            " lamentamos",
            " scus",
            " spiacent",
            " sincere scuse",
            " spijt",
        ],
    ),
    (
        Sort::Mail,
        &[
            " email",
            " e mail",
            " mail",
            " message",
            " address",
            " neges",
            " ebost",
            " e bost",
            " cyfeiriad",
            " nachricht",
            " adress",
            " courriel",
            " correo",
            " mensaje",
            " direccion",
            " messaggi",
            " indirizz",
            " bericht",
        ],
    ),
    (
        Sort::Fault,
        &[
            " in error",
            " by mistake",
            " by accident",
            " accidentally",
            " mistakenly",
            " human error",
            " incorrectly",
            " unintended",
            " trwy gamgymeriad",
            " drwy gamgymeriad",
            " versehentlich",
            " irrtumlich",
            " par erreur",
            " por error",
            " per errore",
            " per ongeluk",
            " previous email",
            " earlier email",
            " last email",
            " previous message",
            " earlier message",
        ],
    ),
    (
        Sort::Breach,
        &[
            " visible",
            " bcc",
            " blind cop",
            " blind carbon",
            " cc field",
            " ccd ",
            " to field",
            " open copy",
            " disclos",
            " breach",
            " each others",
            " one anothers",
            " everyones",
            " all recipients",
            " other recipients",
            " recipient list",
            " list of recipients",
            " distribution list",
            " shared your",
            " sharing your",
            " revealed your",
            " addresses were",
            " weladwy",
            " rhannu eich",
            " tor data",
            " sichtbar",
            " offenen verteiler",
            " datenpanne",
            " datenschutzvorfall",
            " datenschutzverletzung",
            " visibles",
            " copie cachee",
            " violation de donnees",
            " copia oculta",
            " brecha",
            " copia nascosta",
            " visibili",
            " violazione",
            " ccn ",
            " zichtbaar",
            " datalek",
        ],
    ),
    (
        Sort::Delete,
        &[
            " delete ",
            " deleting ",
            " disregard ",
            " destroy ",
            " do not open ",
            " dilewch",
            " dileu",
            " loschen",
            " supprim",
            " effacer",
            " elimin",
            " borre",
            " borrar",
            " cancell",
            " verwijder",
        ],
    ),
];

struct Words {
    automaton: AhoCorasick,
    sorts: Vec<u8>,
}

static READY: LazyLock<Option<Words>> = LazyLock::new(|| {
    let all = WORDS.iter().flat_map(|(sort, words)| {
        let sort = *sort as u8;
        words.iter().map(move |word| (*word, sort))
    });
    let (words, sorts): (Vec<&str>, Vec<u8>) = all.unzip();
    let automaton = AhoCorasick::builder()
        .prefilter(false)
        .kind(Some(AhoCorasickKind::DFA))
        .match_kind(MatchKind::Standard)
        .build(words)
        .ok()?;
    Some(Words { automaton, sorts })
});

/// Words of which one in a subject makes it worth to look into the text. Every subject is searched for them.
static WORTH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let worth = WORDS.iter().filter(|(sort, _)| *sort != Sort::Mail);
    AhoCorasick::builder()
        .prefilter(false)
        .kind(Some(AhoCorasickKind::DFA))
        .build(worth.flat_map(|(_, words)| *words))
        .ok()
});

/// Which sorts of words a folded text holds.
fn sorts(folded: &str) -> u8 {
    let Some(words) = READY.as_ref() else {
        return 0;
    };
    words
        .automaton
        .find_overlapping_iter(folded)
        .fold(0, |all, found| {
            all | words.sorts[found.pattern().as_usize()]
        })
}

/// Whether the subject of a mail makes it worth to look into its text for what it says of an earlier one.
pub(super) fn may_say(subject: &Subject) -> bool {
    subject.recall
        || WORTH
            .as_ref()
            .is_some_and(|words| words.is_match(subject.words()))
}

/// What a subject and a text say of an earlier mail.
pub(super) fn says(subject: &Subject, text: &str) -> Says {
    let mut end = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let own: String = text[..end]
        .lines()
        .filter(|line| !line.starts_with('>'))
        .flat_map(|line| [line, "\n"])
        .collect();
    let folded = fold(&format!("{}\n{own}", subject.series()));
    let found = sorts(&folded);
    let holds = |sort: Sort| found & sort as u8 != 0;
    let mut out = Says::default();
    // Of a reminder in French only the text tells that it recalls (`souhaite rappeler le message`).
    if subject.recall && (!subject.may_remind || folded.contains(" rappeler ")) {
        out = out.and(Says::RECALL);
    }
    let about = holds(Sort::Mail) && (holds(Sort::Fault) || holds(Sort::Breach));
    if about && holds(Sort::Sorry) {
        out = out.and(Says::APOLOGY);
    }
    if about && holds(Sort::Delete) {
        out = out.and(Says::DELETE);
    }
    if holds(Sort::Breach) && !out.is_nothing() {
        out = out.and(Says::BREACH);
    }
    out
}

/// What a bounce tells (RFC 3464, and the forms of Exim, qmail and older Postfix): `None` where a mail is none.
pub(super) fn bounce(message: &Message<'_>, digester: &Digester) -> Option<Notice> {
    let report = message
        .head()
        .first(Name::ContentType)
        .is_some_and(|value| {
            let lower = value.to_ascii_lowercase();
            lower.trim_ascii_start().starts_with(b"multipart/report")
                && memmem::find(&lower, b"disposition-notification").is_none()
        });
    if !report && !may_bounce(message) {
        return None;
    }
    let body = message.body();
    let body = String::from_utf8_lossy(&body[..body.len().min(BOUNCE_LOOKED_AT)]);
    let mut notice = Notice {
        says: Says::BOUNCE,
        ..Notice::default()
    };
    let mut told = Told::default();
    for line in body.lines() {
        told.line(line, report);
        if told.failed.len() >= MOST_FAILED {
            break;
        }
    }
    notice.failed = told
        .finish()
        .iter()
        .map(|address| digester.address(address).0)
        .collect();
    notice.failed.sort_unstable();
    notice.failed.dedup();
    notice.originals = told
        .originals
        .iter()
        .map(|id| digester.message_id(id).0)
        .collect();
    (!notice.failed.is_empty() || !notice.originals.is_empty()).then_some(notice)
}

/// Whether a mail can be a bounce by its author alone.
pub(super) fn may_bounce(message: &Message<'_>) -> bool {
    message.head().first(Name::From).is_some_and(by_machine)
}

/// Whether a From field names a mail server.
fn by_machine(from: &[u8]) -> bool {
    memchr::memchr(b'@', from).is_some_and(|at| {
        let local = &from[..at];
        let start = local
            .iter()
            .rposition(|byte| matches!(byte, b'<' | b' ' | b'"' | b'\t'))
            .map_or(0, |at| at + 1);
        let local = &local[start..];
        MACHINES.iter().any(|name| {
            local
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        })
    })
}

/// What the lines of a bounce told so far.
#[derive(Default)]
struct Told {
    failed: Vec<Address>,
    /// Of the recipient whose fields are being read.
    recipient: Option<Address>,
    originals: Vec<String>,
    /// The head of what did not arrive has begun: addresses there are no recipients that failed.
    returned: bool,
}

impl Told {
    fn line(&mut self, line: &str, report: bool) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            // The address as it was written to counts before the one that it was rewritten to.
            "original-recipient" | "final-recipient" => {
                let address = value
                    .rsplit(';')
                    .next()
                    .and_then(|text| Address::new(text.trim().trim_matches(['<', '>'])));
                if name.trim().eq_ignore_ascii_case("original-recipient")
                    || self.recipient.is_none()
                {
                    self.recipient = address.or(self.recipient.take());
                }
            }
            "action" => {
                let failed = value.to_ascii_lowercase().starts_with("failed");
                self.failed.extend(self.recipient.take().filter(|_| failed));
            }
            "message-id" if self.originals.len() < MOST_ORIGINALS => {
                let id: String = value
                    .trim_matches(['<', '>'])
                    .chars()
                    .filter(|c| !c.is_whitespace())
                    .collect();
                if !id.is_empty() && !self.originals.contains(&id) {
                    self.originals.push(id);
                }
                self.returned = true;
            }
            "received" | "return-path" | "from" | "to" => self.returned = true,
            _ if !report && !self.returned => {
                // Exim names them alone on an indented line, qmail and Postfix in angle brackets before a colon.
                let bare = line.trim().trim_end_matches(':');
                let inner = bare
                    .strip_prefix('<')
                    .and_then(|bare| bare.split('>').next());
                let alone =
                    line.starts_with([' ', '\t', '<']) && !bare.contains(char::is_whitespace);
                if let Some(address) = inner.or(alone.then_some(bare)).and_then(Address::new) {
                    self.failed.push(address);
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self) -> Vec<Address> {
        std::mem::take(&mut self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGESTER: Digester = Digester { k0: 1, k1: 2 };

    fn digests(addresses: &[&str]) -> Vec<u64> {
        let mut out: Vec<u64> = addresses
            .iter()
            .map(|address| DIGESTER.canonical(address.as_bytes()).0)
            .collect();
        out.sort_unstable();
        out
    }

    fn bounced(raw: &str) -> Option<Notice> {
        let message = Message::new(raw.as_bytes()).expect("a mail");
        bounce(&message, &DIGESTER)
    }

    #[test]
    fn an_apology_for_addresses_seen_is_told_from_one_for_a_wrong_file() {
        let sorry = says(
            &Subject::of("Apology"),
            "We are very sorry. Yesterday's email was sent so that all email addresses were visible. Please delete it.",
        );
        assert!(sorry.has(Says::APOLOGY) && sorry.has(Says::DELETE) && sorry.has(Says::BREACH));
        let file = says(
            &Subject::of("Minutes"),
            "Sorry, the wrong file was in my last email, sent by mistake.",
        );
        assert!(file.has(Says::APOLOGY) && !file.has(Says::BREACH) && !file.has(Says::DELETE));
        for text in [
            "Sorry I missed you on Thursday. Shall we say Friday?",
            "The report says the data breach at the other council was serious.",
            "> We are sorry that all email addresses were visible",
        ] {
            assert!(says(&Subject::of("Thursday"), text).is_nothing(), "{text}");
        }
    }

    #[test]
    fn a_reminder_in_french_is_no_recall() {
        let of = |text: &str| says(&Subject::of("Rappel : réunion"), text);
        assert!(of("N'oubliez pas la réunion de jeudi.").is_nothing());
        assert!(of("Anne souhaite rappeler le message « réunion ».").has(Says::RECALL));
    }

    #[test]
    fn apologies_are_read_in_the_languages_of_public_cases() {
        for text in [
            "Mae'n ddrwg gennym. Roedd cyfeiriadau e-bost yn weladwy i bawb. Dilewch y neges.",
            "Wir entschuldigen uns: die Mail ging im offenen Verteiler hinaus. Bitte löschen Sie die Nachricht.",
            "Toutes nos excuses : les adresses étaient visibles dans le courriel précédent. Merci de le supprimer.",
            "Pedimos disculpas: el correo se envió sin copia oculta. Rogamos eliminen el mensaje.",
            "Ci scusiamo: gli indirizzi erano visibili nel messaggio. Vi preghiamo di eliminare la mail.",
            "Onze excuses: alle adressen waren zichtbaar in het bericht. Wilt u het verwijderen?",
        ] {
            let told = says(&Subject::of(""), text);
            assert!(
                told.has(Says::APOLOGY) && told.has(Says::BREACH) && told.has(Says::DELETE),
                "{text}"
            );
        }
    }

    #[test]
    fn a_bounce_names_who_was_not_reached_and_what() {
        let report = "From: MAILER-DAEMON@force.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
                      --b\n\nI'm sorry.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.force.example\n\n\
                      Final-Recipient: rfc822; nia@inbox.test\nAction: failed\nStatus: 5.1.1\n\n\
                      Final-Recipient: rfc822;rewritten@inbox.test\nOriginal-Recipient: rfc822;tom@inbox.test\nAction: failed\n\n\
                      Final-Recipient: rfc822; late@inbox.test\nAction: delayed\n\n\
                      --b\nContent-Type: message/rfc822\n\nFrom: a@force.example\nTo: nia@inbox.test, all@inbox.test\nMessage-ID: <m1@force.example>\n\nHello\n--b--\n";
        let notice = bounced(report).expect("a bounce");
        assert_eq!(
            notice.failed,
            digests(&["nia@inbox.test", "tom@inbox.test"])
        );
        assert_eq!(
            notice.originals,
            [DIGESTER.message_id("m1@force.example").0]
        );
        let qmail = "From: MAILER-DAEMON@force.example\n\nHi. This is the qmail-send program.\n\n<nia@inbox.test>:\nNo such user.\n\n\
                     --- Below this line is a copy of the message.\n\nReturn-Path: <a@force.example>\nMessage-ID: <m2@force.example>\nTo: <other@inbox.test>\n";
        let notice = bounced(qmail).expect("a bounce");
        assert_eq!(notice.failed, digests(&["nia@inbox.test"]));
        assert_eq!(
            bounced("From: postmaster@force.example\n\nThe server is down on Sunday.\n"),
            None
        );
        assert_eq!(bounced("From: nia@inbox.test\n\n  tom@inbox.test\n"), None);
    }

    #[test]
    fn a_bounce_of_garbage_costs_little() {
        let lines = "Final-Recipient: rfc822; a@inbox.test\nAction: failed\n".repeat(50_000);
        let raw =
            format!("From: MAILER-DAEMON@x.example\nContent-Type: multipart/report\n\n{lines}");
        assert!(bounced(&raw).is_some_and(|notice| notice.failed.len() <= MOST_FAILED));
    }
}
