//! Heads as each mail program writes them in each language, and what only looks like one.

use super::read;
use crate::message::recipients::Mailbox;

fn shown(mailbox: &Mailbox) -> String {
    match (&mailbox.address, mailbox.name.as_str()) {
        (Some(address), "") => address.to_string(),
        (Some(address), name) => format!("{name} <{address}>"),
        (None, name) => name.to_owned(),
    }
}

/// Author and people of the only head in a text.
#[track_caller]
fn only(text: &str) -> (String, Vec<String>) {
    let mut all = read(text);
    assert_eq!(all.len(), 1, "{text}\n{all:#?}");
    let list = all.remove(0);
    let author = list.author.as_ref().map(shown).unwrap_or_default();
    (author, list.recipients.iter().map(shown).collect())
}

const ROBIN: &str = "Robin Ashdown <robin@force.example>";
const PEOPLE: [&str; 3] = [
    "ann@inbox.test",
    "Bob Cee <bob@webmail.example>",
    "Dee <dee@freemail.example>",
];

#[track_caller]
fn is_read(text: &str) {
    // As it stands, and behind marks of quoting.
    let quoted: String = text.lines().map(|line| format!("> {line}\n")).collect();
    for text in [
        text.to_owned(),
        text.replace('\n', "\r\n"),
        quoted.clone(),
        format!("Please see below.\nAnn\n\n>{}", quoted.replace('\n', "\n>")),
    ] {
        let (author, people) = only(&text);
        assert_eq!(author, ROBIN, "{text}");
        assert_eq!(people, PEOPLE, "{text}");
    }
}

/// `From`, `Date`, `Subject`, `To`, `Cc` as a program writes them in a language, and the line before.
const GMAIL: [[&str; 6]; 7] = [
    [
        "---------- Forwarded message ---------",
        "From:",
        "Date:",
        "Subject:",
        "To:",
        "Cc:",
    ],
    [
        "---------- Forwarded message ---------",
        "Oddi wrth:",
        "Date:",
        "Subject:",
        "To:",
        "Cc:",
    ],
    [
        "---------- Forwarded message ---------",
        "Von:",
        "Date:",
        "Subject:",
        "To:",
        "Cc:",
    ],
    [
        "---------- Forwarded message ---------",
        "De :",
        "Date:",
        "Subject:",
        "To:",
        "Cc:",
    ],
    [
        "---------- Forwarded message ---------",
        "De:",
        "Date:",
        "Subject:",
        "To:",
        "Cc:",
    ],
    [
        "---------- Forwarded message ---------",
        "Da:",
        "Date:",
        "Subject:",
        "To:",
        "Cc:",
    ],
    [
        "---------- Forwarded message ---------",
        "Van:",
        "Date:",
        "Subject:",
        "To:",
        "Cc:",
    ],
];
const APPLE: [[&str; 6]; 7] = [
    [
        "Begin forwarded message:",
        "From:",
        "Date:",
        "Subject:",
        "To:",
        "Cc:",
    ],
    [
        "Begin forwarded message:",
        "Oddi wrth:",
        "Dyddiad:",
        "Testun:",
        "At:",
        "Copi:",
    ],
    [
        "Anfang der weitergeleiteten Nachricht:",
        "Von:",
        "Datum:",
        "Betreff:",
        "An:",
        "Kopie:",
    ],
    [
        "Début du message réexpédié :",
        "De:",
        "Date:",
        "Objet:",
        "À:",
        "Cc:",
    ],
    [
        "Inicio del mensaje reenviado:",
        "De:",
        "Fecha:",
        "Asunto:",
        "Para:",
        "Cc:",
    ],
    [
        "Inizio messaggio inoltrato:",
        "Da:",
        "Data:",
        "Oggetto:",
        "A:",
        "Cc:",
    ],
    [
        "Begin doorgestuurd bericht:",
        "Van:",
        "Datum:",
        "Onderwerp:",
        "Aan:",
        "Kopie:",
    ],
];
const THUNDERBIRD: [[&str; 6]; 7] = [
    [
        "-------- Forwarded Message --------",
        "From: \t",
        "Date: \t",
        "Subject: \t",
        "To: \t",
        "CC: \t",
    ],
    [
        "-------- Neges Wreiddiol --------",
        "Oddi wrth: \t",
        "Dyddiad: \t",
        "Pwnc: \t",
        "At: \t",
        "Cc: \t",
    ],
    [
        "-------- Weitergeleitete Nachricht --------",
        "Von: \t",
        "Datum: \t",
        "Betreff: \t",
        "An: \t",
        "Kopie (CC): \t",
    ],
    [
        "-------- Message transféré --------",
        "De : \t",
        "Date : \t",
        "Sujet : \t",
        "Pour : \t",
        "Copie à : \t",
    ],
    [
        "-------- Mensaje reenviado --------",
        "De: \t",
        "Fecha: \t",
        "Asunto: \t",
        "Para: \t",
        "CC: \t",
    ],
    [
        "-------- Messaggio Inoltrato --------",
        "Mittente: \t",
        "Data: \t",
        "Oggetto: \t",
        "A: \t",
        "CC: \t",
    ],
    [
        "-------- Doorgestuurd bericht --------",
        "Van: \t",
        "Datum: \t",
        "Onderwerp: \t",
        "Aan: \t",
        "CC: \t",
    ],
];
const OUTLOOK: [[&str; 6]; 7] = [
    [
        "-----Original Message-----",
        "From:",
        "Sent:",
        "Subject:",
        "To:",
        "Cc:",
    ],
    [
        "-----Neges Wreiddiol-----",
        "Oddi wrth:",
        "Anfonwyd:",
        "Pwnc:",
        "At:",
        "Cc:",
    ],
    [
        "-----Ursprüngliche Nachricht-----",
        "Von:",
        "Gesendet:",
        "Betreff:",
        "An:",
        "Cc:",
    ],
    [
        "-----Message d'origine-----",
        "De :",
        "Envoyé :",
        "Objet :",
        "À :",
        "Cc :",
    ],
    [
        "-----Mensaje original-----",
        "De:",
        "Enviado el:",
        "Asunto:",
        "Para:",
        "CC:",
    ],
    [
        "-----Messaggio originale-----",
        "Da:",
        "Inviato:",
        "Oggetto:",
        "A:",
        "Cc:",
    ],
    [
        "-----Oorspronkelijk bericht-----",
        "Van:",
        "Verzonden:",
        "Onderwerp:",
        "Aan:",
        "CC:",
    ],
];

#[test]
fn gmail_writes_its_words_in_seven_languages() {
    for [line, from, date, subject, to, cc] in GMAIL {
        is_read(&format!(
            "{line}\n{from} Robin Ashdown <robin@force.example>\n{date} Wed, Oct 27, 2021 at 9:31 AM\n\
             {subject} Bail date\n{to} <ann@inbox.test>\n\
             {cc} Bob Cee <bob@webmail.example>, Dee <dee@freemail.example>\n\n\nDear all, write to eve@x.example; now\n"
        ));
    }
}

#[test]
fn apple_mail_writes_its_words_in_seven_languages() {
    for [line, from, date, subject, to, cc] in APPLE {
        is_read(&format!(
            "{line}\n\n{from} Robin Ashdown <robin@force.example>\n{subject} Bail date\n\
             {date} 25 October 2021 at 11:17:21 BST\n{to} ann@inbox.test\n\
             {cc} Bob Cee <bob@webmail.example>, Dee <dee@freemail.example>\n\nDear all,\n"
        ));
    }
}

#[test]
fn thunderbird_writes_its_words_in_seven_languages() {
    for [line, from, date, subject, to, cc] in THUNDERBIRD {
        is_read(&format!(
            "{line}\n{subject}Bail date\n{date}Wed, 3 Nov 2021 15:51:30 +0100\n\
             {from}Robin Ashdown <robin@force.example>\n{to}ann@inbox.test\n\
             {cc}Bob Cee <bob@webmail.example>, Dee <dee@freemail.example>\n\n\n\nDear all,\n"
        ));
    }
}

#[test]
fn outlook_writes_its_words_in_seven_languages() {
    for [line, from, date, subject, to, cc] in OUTLOOK {
        // Desktop, with what it makes of addresses; on the web, which says each twice; in bold, as plain text of HTML.
        for (author, ann, bob) in [
            (
                "Robin Ashdown [mailto:robin@force.example]",
                "'ann@inbox.test'",
                "Bob Cee [mailto:bob@webmail.example]",
            ),
            (
                "Robin Ashdown <robin@force.example>",
                "ann@inbox.test <ann@inbox.test>",
                "Bob Cee <bob@webmail.example>",
            ),
            (
                "Robin Ashdown <robin@force.example<mailto:robin@force.example>>",
                "ann@inbox.test<mailto:ann@inbox.test>",
                "Bob Cee<mailto:bob@webmail.example> <bob@webmail.example<mailto:bob@webmail.example>>",
            ),
        ] {
            let head = format!(
                "{from} {author}\n{date} 25 October 2021 11:17\n{to} {ann}\n\
                 {cc} {bob}; Dee <dee@freemail.example>\n{subject} Bail date\n"
            );
            let mut unique = read(&head).remove(0).recipients;
            unique.dedup_by(|a, b| a.address == b.address);
            let unique: Vec<String> = unique.iter().map(shown).collect();
            assert_eq!(unique, PEOPLE, "{head}");
            if !author.contains("<mailto:") {
                is_read(&format!("{line}\n{head}Dear all,\n"));
                let bold = head
                    .lines()
                    .filter_map(|line| line.split_once(':'))
                    .map(|(word, value)| format!("*{word}:*{value}\n"));
                is_read(&format!("{}\nDear all,\n", bold.collect::<String>()));
            }
        }
    }
}

#[test]
fn names_alone_are_read() {
    let text = "-----Original Message-----\nFrom: Ashdown, Robin\nSent: 23 July 2022 07:53\n\
                To: Bee, Ann; Cee, Bob; Dee, Carys\nCc: Gwynne, Osian\nSubject: Bail date\n\nDear all,\n";
    let (author, people) = only(text);
    assert_eq!(author, "Ashdown, Robin");
    assert_eq!(
        people,
        ["Bee, Ann", "Cee, Bob", "Dee, Carys", "Gwynne, Osian"]
    );
}

#[test]
fn the_name_of_a_group_is_told() {
    let text = "From: Clinic <c@trust.example>\nSent: Monday\nTo: HIV clinic patients: ann@inbox.test, bob@inbox.test;\n\
                Subject: Hours\n\nDear all,\n";
    let all = read(text);
    assert_eq!(all[0].groups, ["HIV clinic patients"]);
    assert_eq!(all[0].recipients.len(), 2);
}

#[test]
fn wrapped_lists_are_put_together() {
    let people: Vec<String> = (0..40)
        .map(|n| format!("Person Number {n} <p{n}@inbox.test>"))
        .collect();
    let names: Vec<String> = (0..40)
        .map(|n| format!("Name{} Last{}", letters(n), letters(n)))
        .collect();
    for (people, separator) in [(&people, ", "), (&people, "; "), (&names, "; ")] {
        let list = people.join(separator);
        for width in [20, 40, 72, 76, 78] {
            for mark in ["", "> ", ">> "] {
                let wrapped =
                    wrap(&format!("To: {list}"), width).replace('\n', &format!("\n{mark}"));
                let text = format!(
                    "{mark}From: Robin <robin@force.example>\n{mark}Sent: Monday\n{mark}{wrapped}\n\
                     {mark}Subject: A long subject that\n{mark}goes on\n{mark}\n{mark}Dear all,\n"
                );
                assert_eq!(&only(&text).1, people, "{text}");
                // Where the list stands last a name that is cut cannot be told from a body.
                if separator == ", " {
                    let last = format!(
                        "{mark}From: Robin <robin@force.example>\n{mark}Subject: Bail\n{mark}{wrapped}\n\
                         Dear all, write to eve@x.example, not to me;\nnor to Bob <bob@x.example>\n"
                    );
                    assert_eq!(&only(&last).1, people, "{last}");
                }
            }
        }
    }
}

fn letters(n: usize) -> String {
    let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
    format!("{}{}", letter(n / 26), letter(n))
}

fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        if column > 0 && column + word.len() >= width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out
}

#[test]
fn values_below_their_words_are_read() {
    let text = "From:\nRobin Ashdown <robin@force.example>\nTo:\nann@inbox.test,\nBob Cee <bob@webmail.example>\n\
                Cc:\nDee <dee@freemail.example>\nDate:\nMonday\nSubject:\nBail date\n\nDear all,\n";
    let (author, people) = only(text);
    assert_eq!(author, ROBIN);
    assert_eq!(people, PEOPLE);
}

#[test]
fn every_head_of_a_thread_is_read() {
    let head = |n: usize| {
        format!(
            "From: Robin <robin@force.example>\nSent: Monday\nTo: a{n}@x.example; b{n}@x.example\nSubject: RE: {n}\nBody {n}\n\n"
        )
    };
    let text: String = (0..5).map(head).collect();
    let all = read(&text);
    assert_eq!(all.len(), 5);
    assert!(
        all.iter()
            .all(|list| list.recipients.len() == 2 && list.subject.starts_with("RE: "))
    );
    assert_eq!(shown(&all[4].recipients[1]), "b4@x.example");
}

#[test]
fn what_only_looks_like_a_head_is_none() {
    for text in [
        "From: the whole team\nTo: you, and you",
        "To: ann@x.example, bob@x.example\nSubject: our meeting",
        "From: Robin\n\nTo: ann@x.example, bob@x.example\nSubject: x",
        "On 3 March 2024, Ann Bee <ann@x.example> wrote:\n> To: a@x.example, b@x.example",
        "Data: 3\nA: 4\nDe: 5",
        "",
    ] {
        assert_eq!(read(text), [], "{text}");
    }
}

#[test]
fn much_garbage_is_read() {
    for pattern in [
        "To:\n",
        "To: a\n",
        "To: a;\nb\n",
        "From: a\nTo: b;\n",
        "From: a@x.example\nSent: b\nTo: c@x.example, d@x.example\n",
        ">",
        "> ",
        "To: [mailto:",
        "To: <",
        "To: <mailto:a@x<mailto:",
        ":\n",
        "Subject: a\nb\nc\nd\n",
        "[",
        "@;",
        "To: [a@",
    ] {
        let text = pattern.repeat(500_000 / pattern.len());
        read(&text);
        read(&format!(
            "From: a\nSent: b\nTo: {}",
            text.replace('\n', " ")
        ));
    }
}
