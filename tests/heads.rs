//! The head of a message as our reader sees it, held against mail-parser: From, To, Cc and Bcc addresses in their order,
//! subject, date, Message-ID. On every message of the corpora where `CCSPILL_CORPORA` names them, and always on
//! messages of our own making, in the many forms in which mail programs write the same thing.
//!
//! Where the two rightly differ stands in [`EXCEPT`], each with what it is; nothing else may differ.

use crate::builders::{Mail, numbers, tell};
use ccspill::message::header::Name;
use ccspill::message::mentions::Mentions;
use ccspill::message::{Address, Field, Mailbox, Message};
use ccspill::source::{self, Item};
use mail_parser::{HeaderName, HeaderValue, MessageParser};
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// How many messages are made.
const MADE: usize = 4000;

/// A form of a field that one of the two reads otherwise, and rightly so or for want of knowledge.
struct Except {
    /// Which field.
    field: &'static str,
    /// What it is, and who is right.
    what: &'static str,
    /// The least message in which they differ so.
    example: &'static str,
    /// Whether a difference is this one: by the field as written, what we see and what mail-parser sees.
    is: fn(&str, &[String], &[String]) -> bool,
}

const EXCEPT: [Except; 8] = [
    Except {
        field: "from",
        what: "a source route stands before the address (RFC 5322 4.4: to be ignored); mail-parser takes it for part of the local part",
        example: "From: <@route:user@domain.example>\n\n",
        is: |written, ours, theirs| {
            let without =
                |their: &String| match their.strip_prefix("\"@").and_then(|t| t.split_once(':')) {
                    Some((_, rest)) => rest.replacen('"', "", 1),
                    None => their.clone(),
                };
            written.contains("<@") && theirs.iter().map(without).eq(ours.iter().cloned())
        },
    },
    Except {
        field: "from",
        what: "a byte order mark stands before the first field; mail-parser takes it for part of the field's name",
        example: "\u{feff}From: ann@x.example\nTo: bob@x.example\n\n",
        is: |written, ours, theirs| {
            written.starts_with('\u{feff}') && ours.len() == 1 && theirs.is_empty()
        },
    },
    Except {
        field: "message-id",
        what: "white space inside the id (RFC 5322 4.5.4 allows it around its parts); mail-parser keeps it",
        example: "Message-ID: <1@ x.example >\n\n",
        is: |written, ours, theirs| {
            let tight = |their: &String| their.split_whitespace().collect::<String>();
            written.trim().contains(char::is_whitespace)
                && theirs.iter().map(tight).eq(ours.iter().cloned())
        },
    },
    Except {
        field: "date",
        what: "no seconds (RFC 5322 3.3 lets them be left out); mail-parser then reads no date, or goes on into the next field",
        example: "Date: Wed, 20 Dec 95 19:59 CST\n\n",
        is: |written, ours, theirs| {
            written.matches(':').count() == 1 && ours.len() == 1 && theirs.is_empty()
        },
    },
    Except {
        field: "date",
        what: "no zone, which we take for UTC; mail-parser then reads no date, or goes on into the next field",
        example: "Date: Wed, 15 Feb 1995 09:38:18\n\n",
        is: |written, ours, theirs| {
            written.trim_end().ends_with(|c: char| c.is_ascii_digit())
                && !written.contains(['+', '-'])
                && ours.len() == 1
                && theirs.is_empty()
        },
    },
    Except {
        field: "date",
        what: "a zone by its American name (RFC 5322 4.3 says how many hours each is); mail-parser takes it for UTC",
        example: "Date: Tue, 28 May 1996 12:24:23 cst\n\n",
        is: |written, ours, theirs| {
            let hours = ["EDT", "EST", "MDT", "PDT", "CDT", "CST", "MST", "PST"]
                .iter()
                .zip([4, 5, 6, 7, 5, 6, 7, 8]);
            let named = hours
                .filter(|(name, _)| written.trim_end().to_uppercase().ends_with(**name))
                .map(|(_, hours)| hours)
                .next();
            apart(ours, theirs)
                .is_some_and(|seconds| Some(seconds) == named.map(|hours| hours * 3600))
        },
    },
    Except {
        field: "date",
        what: "a zone of three digits (`-600`): six hours, as CPython and GMime read it; mail-parser reads none of it rightly",
        example: "Date: Mon, 21 Aug 95 13:30:57 -600\n\n",
        is: |written, ours, theirs| {
            let zone = written.split_whitespace().last().unwrap_or_default();
            zone.len() == 4 && zone.starts_with(['+', '-']) && apart(ours, theirs).is_some()
        },
    },
    Except {
        field: "date",
        what: "words that no standard has (`at`, `GMT+1`), as Apple Mail writes dates in text; mail-parser counts them as parts",
        example: "Date: 16 May 2016 at 09:30:32  GMT+1\n\n",
        is: |written, ours, theirs| written.contains(" at ") && apart(ours, theirs).is_some(),
    },
];

/// How many seconds what we see is later than what mail-parser sees, where both see a date.
fn apart(ours: &[String], theirs: &[String]) -> Option<i64> {
    match (ours, theirs) {
        ([ours], [theirs]) => Some(ours.parse::<i64>().ok()? - theirs.parse::<i64>().ok()?),
        _ => None,
    }
}

/// What a reader sees, by field: addresses in order, or the one value, or nothing.
type Seen = BTreeMap<&'static str, Vec<String>>;

fn ours(message: &Message<'_>) -> Seen {
    let address = |mailbox: &Mailbox| mailbox.address.as_ref().map(|a| a.as_str().to_owned());
    let of = |field| {
        let all = message.recipients().iter().filter(|r| r.field == field);
        all.filter_map(|r| address(&r.mailbox)).collect()
    };
    BTreeMap::from([
        ("from", message.from().iter().filter_map(address).collect()),
        ("to", of(Field::To)),
        ("cc", of(Field::Cc)),
        ("bcc", of(Field::Bcc)),
        ("subject", spaced(&message.subject())),
        (
            "date",
            message
                .date()
                .map(|date| date.to_string())
                .into_iter()
                .collect(),
        ),
        (
            "message-id",
            message
                .message_id()
                .map(|id| id.to_string())
                .into_iter()
                .collect(),
        ),
    ])
}

/// What the reader of a scan sees, which leaves names out.
fn quick(message: &Message<'_>) -> Seen {
    let mut mentions = Mentions::default();
    mentions.read(message.head());
    let of = |name| {
        let all = mentions.all().iter();
        let all = all.filter(|mention| mention.name == name && mention.address);
        all.map(|mention| mentions.text(*mention).to_owned())
            .collect()
    };
    BTreeMap::from([
        ("from", of(Name::From)),
        ("to", of(Name::To)),
        ("cc", of(Name::Cc)),
        ("bcc", of(Name::Bcc)),
    ])
}

fn theirs(raw: &[u8]) -> Option<Seen> {
    let message = MessageParser::default().parse_headers(raw)?;
    // Not `to()` and `cc()`, which give one field even where several stand.
    let addresses = |name: HeaderName<'static>| {
        let lists = message
            .header_values(name)
            .filter_map(HeaderValue::as_address);
        let texts = lists
            .flat_map(|list| list.iter())
            .filter_map(|one| one.address());
        texts
            .filter_map(Address::new)
            .map(|a| a.as_str().to_owned())
            .collect()
    };
    let first =
        |name: HeaderName<'static>| message.header_values(name).find_map(HeaderValue::as_text);
    let mut dates = message
        .header_values(HeaderName::Date)
        .filter_map(HeaderValue::as_datetime);
    Some(BTreeMap::from([
        ("from", addresses(HeaderName::From)),
        ("to", addresses(HeaderName::To)),
        ("cc", addresses(HeaderName::Cc)),
        ("bcc", addresses(HeaderName::Bcc)),
        (
            "subject",
            spaced(first(HeaderName::Subject).unwrap_or_default()),
        ),
        (
            "date",
            dates
                .next()
                .map(|date| date.to_timestamp().to_string())
                .into_iter()
                .collect(),
        ),
        (
            "message-id",
            first(HeaderName::MessageId)
                .map(str::to_owned)
                .into_iter()
                .collect(),
        ),
    ]))
}

/// A text with each run of white space as one space: the two fold it differently.
fn spaced(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(words.join(" "))
        .filter(|text| !text.is_empty())
        .into_iter()
        .collect()
}

/// The first field of this name as it is written, with what stands before its name.
fn written(raw: &[u8], field: &str) -> String {
    let text = String::from_utf8_lossy(raw);
    let mut lines = text.lines();
    let named = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        name.trim_start_matches('\u{feff}')
            .eq_ignore_ascii_case(field)
    };
    let Some(first) = lines.by_ref().find(named) else {
        return String::new();
    };
    let value = match first.strip_prefix('\u{feff}') {
        Some(_) => first.to_owned(),
        None => first[field.len() + 1..].to_owned(),
    };
    lines
        .take_while(|line| line.starts_with([' ', '\t']))
        .fold(value, |all, line| all + line)
}

/// Compares one message. Gives what differs and is no exception, and counts the exceptions.
fn differences(raw: &[u8], excepted: &mut BTreeMap<&'static str, usize>) -> Vec<String> {
    let Ok(message) = Message::new(raw) else {
        return Vec::new();
    };
    let readers = [ours(&message), quick(&message)];
    let Some(theirs) = theirs(raw) else {
        return vec!["mail-parser takes it for no mail".into()];
    };
    let mut out = Vec::new();
    for (field, ours) in readers.iter().flatten() {
        let theirs = &theirs[field];
        if ours == theirs {
            continue;
        }
        let written = written(raw, field);
        let known = EXCEPT
            .iter()
            .find(|except| except.field == *field && (except.is)(&written, ours, theirs));
        match known {
            Some(except) => *excepted.entry(except.what).or_default() += 1,
            None => out.push(format!(
                "{field}: {ours:?} here, {theirs:?} in mail-parser, of {written:?}"
            )),
        }
    }
    out
}

#[test]
fn every_exception_is_one() {
    for except in EXCEPT {
        let mut excepted = BTreeMap::new();
        let rest = differences(except.example.as_bytes(), &mut excepted);
        assert!(rest.is_empty(), "{}: {rest:?}", except.example);
        let only: Vec<_> = excepted.into_keys().collect();
        assert_eq!(
            only,
            [except.what],
            "{:?} is read alike by now, or as another exception",
            except.example
        );
    }
}

#[test]
fn heads_of_the_corpora_are_read_as_mail_parser_reads_them() {
    let Some(folder) = std::env::var_os("CCSPILL_CORPORA") else {
        return tell("corpora: none given (CCSPILL_CORPORA names their folder)");
    };
    let mut files = Vec::new();
    walk(Path::new(&folder), &mut files);
    files.sort();
    let (mut messages, mut wrong, mut excepted) = (0, Vec::new(), BTreeMap::new());
    for file in &files {
        // What is no mail is no matter here.
        let Ok(source) = source::open_path(&file.to_string_lossy()) else {
            continue;
        };
        let read = source::all_units(source.as_ref(), 1, &mut |unit| {
            unit.read(&mut |item| {
                if let Item::Mail(raw) = item {
                    messages += 1;
                    let all = differences(raw.bytes, &mut excepted);
                    wrong.extend(
                        all.iter()
                            .map(|d| format!("{} {:?} {d}", file.display(), raw.position)),
                    );
                }
            });
            ControlFlow::Continue(())
        });
        read.unwrap();
    }
    tell(&format!(
        "corpora: {messages} heads held against mail-parser, {} fields excepted, {} differ",
        excepted.values().sum::<usize>(),
        wrong.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        messages > 300,
        "the corpora are smaller than they should be"
    );
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files)
        } else {
            files.push(path)
        }
    }
}

#[test]
fn heads_of_our_own_making_are_read_as_mail_parser_reads_them() {
    let (mut wrong, mut values, mut excepted) = (Vec::new(), 0, BTreeMap::new());
    let mut pick = Pick(Box::new(numbers(3)));
    for number in 0..MADE {
        let raw = made(number, &mut pick);
        values += ours(&Message::new(&raw).unwrap())
            .values()
            .map(Vec::len)
            .sum::<usize>();
        for difference in differences(&raw, &mut excepted) {
            wrong.push(format!("{number}: {difference}"));
        }
    }
    tell(&format!(
        "made: {MADE} heads held against mail-parser, {values} values, {} fields excepted",
        excepted.values().sum::<usize>()
    ));
    let shown = wrong.len().min(40);
    assert!(
        wrong.is_empty(),
        "{} differ\n{}",
        wrong.len(),
        wrong[..shown].join("\n")
    );
    // A reader that sees nothing would agree with another that sees nothing.
    assert!(values > 8 * MADE, "only {values} values were seen");
}

/// Numbers to pick with.
struct Pick(Box<dyn Iterator<Item = usize>>);

impl Pick {
    fn below(&mut self, n: usize) -> usize {
        self.0.next().unwrap() % n
    }
    fn of(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }
}

/// A mailbox in any of its forms; `#` stands for a number.
const MAILBOXES: [&str; 18] = [
    "ann.#@x.example",
    "<ann.#@x.example>",
    "Ann Bee <ann.#@x.example>",
    "\"Bee, Ann\" <ann.#@x.example>",
    "\"Ann \\\"Bee\\\" Cee\" <ann.#@x.example>",
    "\"ann@elsewhere.example\" <ann.#@x.example>",
    "\"Bee; Ann: <her>\" <ann.#@x.example>",
    "=?utf-8?Q?Ann_B=C3=A9e?= <ann.#@x.example>",
    "=?utf-8?B?QmVlLCBBbm4=?= <ann.#@x.example>",
    "=?iso-8859-1?Q?Bj=F6rn?= =?iso-8859-1?Q?_L=F6f?= <bjorn.#@x.example>",
    "Ann B. Cee <ann.#@x.example>",
    "Ann (at work, mostly) Bee <ann.#@x.example>",
    "ann.#@x.example (Ann Bee)",
    "Ann Bee <ANN.#@X.Example>",
    "Ann <ann+#@sub.x.example>",
    "Ann <o'bee-#_x@x.example>",
    "Björn Löf <bjorn.#@x.example>",
    "ann.#=list.example@x.example",
];
const SUBJECTS: [&str; 12] = [
    "Note #",
    "Re: Fwd: note #: all of it",
    "=?utf-8?Q?Caf=C3=A9_at_#?=",
    "=?UTF-8?b?Q2Fmw6kgYXQgb25l?=",
    "=?utf-8?Q?one?= =?utf-8?Q?_and_two?=",
    "=?iso-8859-1?Q?M=FCnchen?= and plain #",
    "plain and =?utf-8?Q?then=2C_encoded?= and plain",
    "=?windows-1252?Q?a_=80_sign?=",
    "\"quoted\" <not@an.address> (nor this)",
    "Grüße von #",
    "folded after a few words so that a second line is needed #",
    "=?utf-8?Q?no end",
];
const DATES: [&str; 9] = [
    "Fri, 1 Mar 2024 09:00:SS +0000",
    "Fri, 01 Mar 2024 09:00:SS +0100",
    "1 Mar 2024 09:00:SS -0530",
    "Fri,  1 Mar 2024 09:00:SS GMT",
    "Fri, 1 Mar 24 09:00:SS +0000",
    "Fri, 1 Mar 99 09:00:SS +0000",
    "Fri, 1 Mar 2024 09:00:SS +0100 (CET)",
    "Thu, 29 Feb 2024 23:59:SS +1300",
    "Sat, 31 Dec 2022 23:59:SS -1200",
];
/// Dates on which the two differ (see [`EXCEPT`]).
const DOUBTED: [&str; 6] = [
    "Fri, 1 Mar 2024 09:00 +0000",
    "Fri, 1 Mar 2024 09:00:SS",
    "Fri, 1 Mar 2024 09:00:SS UT",
    "Fri, 1 Mar 2024 09:00:SS Z",
    "Fri, 1 Mar 2024 09:00:SS EST",
    "Fri, 1 Mar 2024 09:00:SS PDT",
];

/// The mail of this number, in forms that the number picks.
fn made(number: usize, pick: &mut Pick) -> Vec<u8> {
    let n = number.to_string();
    let seconds = format!("{:02}", number % 60);
    let mut mail = Mail::new(number)
        .from(one(pick))
        .subject(&fold(&pick.of(&SUBJECTS).replace('#', &n), pick))
        .date(&pick.of(&DATES).replace("SS", &seconds));
    let many = 1 + pick.below(5);
    mail = mail.to((0..many).map(|_| one(pick)).collect::<Vec<_>>());
    if pick.below(2) == 0 {
        let many = 1 + pick.below(3);
        mail = mail.cc((0..many).map(|_| one(pick)).collect::<Vec<_>>());
    }
    if pick.below(4) == 0 {
        mail = mail.bcc([one(pick)]);
    }
    // Fields again, names in any letter case, groups, a field that nobody asks for between them.
    for _ in 0..pick.below(4) {
        let name = pick.of(&["To", "TO", "cc", "Cc", "Bcc", "X-To", "Reply-To"]);
        let value = match pick.below(4) {
            0 => format!("Team {n}: {}, {};", one(pick), one(pick)),
            1 => "undisclosed-recipients:;".to_owned(),
            _ => one(pick),
        };
        mail = mail.header(name, &value);
    }
    mail = match pick.below(8) {
        0 => mail.id(""),
        1 => mail
            .id("")
            .header("Message-Id", &format!("\r\n <{n}$a.b@x.example>")),
        2 => mail
            .id("")
            .header("MESSAGE-ID", &format!("<{n}@[192.0.2.1]>")),
        3 => mail
            .header("Subject", "a second one")
            .header("Date", "Mon, 1 Jan 2001 00:00:00 +0000"),
        4 => mail.header("Message-ID", "<a.second.one@x.example>"),
        // From a date that it cannot read mail-parser goes on into the field behind it: one that is not compared.
        5 | 6 => mail
            .date("")
            .header("Date", &pick.of(&DOUBTED).replace("SS", &seconds))
            .header("X-Mailer", "none"),
        _ => mail,
    };
    let mut raw = mail.bytes();
    if pick.below(2) == 0 {
        raw.retain(|byte| *byte != b'\r');
    }
    raw
}

fn one(pick: &mut Pick) -> String {
    let number = pick.below(1000).to_string();
    let text = pick.of(&MAILBOXES).replace('#', &number);
    fold(&text, pick)
}

/// Folds at one of the spaces, now and then.
fn fold(text: &str, pick: &mut Pick) -> String {
    let spaces: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    if spaces.is_empty() || pick.below(3) > 0 {
        return text.to_owned();
    }
    let at = spaces[pick.below(spaces.len())];
    let end = pick.of(&["\r\n ", "\r\n\t", "\r\n  "]);
    format!("{}{end}{}", &text[..at], &text[at + 1..])
}
