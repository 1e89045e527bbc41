//! Queries: one TOML file says how to recognise one sensitive group. This file holds the shape and its checks;
//! `pattern` finds phrases, `roster` reads lists of people, `builtin` carries the queries that ship with the program,
//! `example` turns a query's examples into mail.
//!
//! A query says who and what to look for, never how sure that makes: weights belong to `signal`.

pub mod builtin;
pub mod example;
pub mod pattern;
mod readers;
pub mod roster;

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::Spanned;

pub use pattern::{Found, Part, Patterns, Who};
pub use roster::{Roster, RosterEntry};

use crate::message::text::clean;

/// How much being seen in a group hurts; the start of an exposure's severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Harm {
    /// An annoyance.
    Low,
    /// Distress is likely.
    Medium,
    /// Lasting harm is likely.
    High,
    /// Danger to life, liberty or safety.
    Critical,
}

impl Harm {
    /// The word used in queries and columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Harm::Low => "low",
            Harm::Medium => "medium",
            Harm::High => "high",
            Harm::Critical => "critical",
        }
    }

    /// From its word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Harm::Low, Harm::Medium, Harm::High, Harm::Critical]
            .into_iter()
            .find(|harm| harm.as_str() == word)
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The categories of UK GDPR art. 9 and 10 that `data` may name.
pub const CATEGORIES: [&str; 10] = [
    "racial-or-ethnic-origin",
    "political-opinions",
    "religious-or-philosophical-beliefs",
    "trade-union-membership",
    "genetic",
    "biometric",
    "health",
    "sex-life",
    "sexual-orientation",
    "criminal-offence",
];

/// One query as its file says it, checked.
#[derive(Clone, Debug)]
pub struct Query {
    /// The file's name without `.toml`.
    pub id: String,
    /// For people.
    pub title: String,
    /// How much it hurts to be seen in this group.
    pub harm: Harm,
    /// Categories of UK GDPR art. 9 or 10.
    pub data: Vec<String>,
    /// Why being seen in it hurts: one sentence.
    pub why: String,
    /// The incident or guidance that the query was written from.
    pub source: String,
    /// Recipient addresses known to be of the group: globs.
    pub addresses: Vec<String>,
    /// The query's own roster, read.
    pub roster: Option<Roster>,
    /// Phrases and globs that show the group in the message itself.
    pub about: About,
    /// How many people of the group must be in view of one another.
    pub at_least: usize,
    /// True where colleagues must not see colleagues.
    pub insiders: bool,
    /// True where unrelated strangers in one list are enough.
    pub strangers: bool,
    /// True where it names no certain group: it is left out where a narrower query holds.
    pub broad: bool,
    /// What the query must and must not find.
    pub examples: Vec<Example>,
    /// SHA-256 of the query's text and its roster, lower-case hex.
    pub sha256: String,
    /// True for a query that ships with the program.
    pub builtin: bool,
}

/// What a message shows of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct About {
    /// Globs against the From address, or phrases against the From name where there is no `@` in them.
    pub sender: Vec<Spanned<String>>,
    /// Phrases in the subject.
    pub subject: Vec<Spanned<String>>,
    /// Phrases in the body's text.
    pub body: Vec<Spanned<String>>,
    /// Phrases in attachment names.
    pub attachment: Vec<Spanned<String>>,
    /// Phrases in the name of a mailing list or of a recipient group.
    pub list: Vec<Spanned<String>>,
    /// Words in subject, text or attachment names that say little alone.
    pub word: Vec<Spanned<String>>,
}

/// One `[[example]]`: a message, and whether it exposes. The organisation is the domain of `from`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Whether the query must report it.
    pub exposes: bool,
    /// Why, in a sentence.
    #[serde(default)]
    pub why: String,
    /// From.
    pub from: String,
    /// To.
    #[serde(default)]
    pub to: Vec<String>,
    /// Cc.
    #[serde(default)]
    pub cc: Vec<String>,
    /// Bcc.
    #[serde(default)]
    pub bcc: Vec<String>,
    /// Subject.
    #[serde(default)]
    pub subject: String,
    /// Plain text.
    #[serde(default)]
    pub body: String,
    /// File names of attachments.
    #[serde(default)]
    pub attachments: Vec<String>,
    /// Text of the List-Id field.
    #[serde(default)]
    pub list: String,
    /// So many invented people with personal mailboxes are added to `field`.
    #[serde(default)]
    pub people: usize,
    /// Where `people` stand: `to`, `cc` (the default) or `bcc`.
    #[serde(default)]
    pub field: Option<String>,
    /// The domain that all of `people` share, instead of personal mailboxes.
    #[serde(default)]
    pub people_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: Spanned<String>,
    harm: Spanned<String>,
    data: Vec<Spanned<String>>,
    why: Spanned<String>,
    source: Spanned<String>,
    #[serde(default)]
    who: WhoTable,
    #[serde(default)]
    about: About,
    #[serde(default)]
    when: When,
    #[serde(default)]
    example: Vec<Example>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WhoTable {
    addresses: Vec<Spanned<String>>,
    roster: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct When {
    at_least: Option<Spanned<i64>>,
    insiders: bool,
    strangers: bool,
    broad: bool,
}

/// What is wrong with a query or a roster: where, and the mend. Printed as three lines.
#[derive(Debug)]
pub struct Wrong {
    /// The file as given.
    pub file: String,
    /// Line and column, from 1, and the line's text; `None` where the whole file is meant.
    pub at: Option<(usize, usize, String)>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub mend: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some((line, column, text)) => {
                writeln!(f, "{}:{line}: {}", self.file, self.what)?;
                writeln!(f, "  {text}")?;
                writeln!(f, "  {}^", " ".repeat(column.saturating_sub(1)))?;
            }
            None => writeln!(f, "{}: {}", self.file, self.what)?,
        }
        write!(f, "  try: {}", self.mend)
    }
}

impl std::error::Error for Wrong {}

/// Where `offset` (bytes) lies in `text`: line, column, the line.
fn place(text: &str, offset: usize) -> (usize, usize, String) {
    let offset = offset.min(text.len());
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[start..].chars().count() + 1;
    let whole: String = text[start..]
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(160)
        .collect();
    (line, column, clean(&whole.replace('\t', " ")))
}

/// The word of `known` that looks most like `word`, if one does.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

#[derive(Clone, Copy)]
struct Checker<'a> {
    file: &'a str,
    text: &'a str,
}

impl Checker<'_> {
    fn wrong(
        &self,
        span: std::ops::Range<usize>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Wrong {
        Wrong {
            file: self.file.to_owned(),
            at: Some(place(self.text, span.start)),
            what: what.into(),
            mend: mend.into(),
        }
    }

    fn filled(&self, value: &Spanned<String>, key: &str) -> Result<String, Wrong> {
        match value.as_ref().trim() {
            "" => Err(self.wrong(
                value.span(),
                format!("`{key}` is empty"),
                format!("write what `{key}` is, or leave the key out"),
            )),
            text => Ok(text.to_owned()),
        }
    }

    fn toml(&self, error: &toml::de::Error) -> Wrong {
        let message = error.message().to_owned();
        let ticks: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let mend = match ticks.split_first() {
            Some((word, known)) if message.starts_with("unknown field") => {
                match nearest(word, known) {
                    Some(near) => {
                        format!("did you mean `{near}`? Known here: {}", known.join(", "))
                    }
                    None => format!("known here: {}", known.join(", ")),
                }
            }
            Some((word, _)) if message.starts_with("missing field") => {
                format!("add a line `{word} = …`")
            }
            _ => "see queries/README.md for each key and its values".to_owned(),
        };
        match error.span() {
            Some(span) => self.wrong(span, message, mend),
            None => Wrong {
                file: self.file.to_owned(),
                at: None,
                what: message,
                mend,
            },
        }
    }
}

impl Query {
    /// Reads one query.
    ///
    /// `id` is the file's stem, `file` its name for messages, `open` reads the roster that it names, a path relative to
    /// the query (`None` for a built-in query, which may name no roster).
    ///
    /// # Errors
    /// [`Wrong`], with the line, for anything that is not the shape of DESIGN section 5: unknown keys, empty matches,
    /// bad globs, missing examples.
    pub fn read(id: &str, file: &str, text: &str, open: Option<Open<'_>>) -> Result<Self, Wrong> {
        let check = Checker { file, text };
        let raw: File = toml::from_str(text).map_err(|error| check.toml(&error))?;
        Self::checked(id, &check, raw, open, true)
    }

    /// As [`Query::read`] for a built-in query, without its examples: they are two thirds of its text, and a scan needs
    /// none.
    pub(super) fn without_examples(id: &str, file: &str, text: &str) -> Result<Self, Wrong> {
        let check = Checker { file, text };
        let head = text
            .split_once("\n[[example]]")
            .map_or(text, |(head, _)| head);
        let raw: File = toml::from_str(head).map_err(|error| check.toml(&error))?;
        Self::checked(id, &check, raw, None, false)
    }

    fn checked(
        id: &str,
        check: &Checker<'_>,
        raw: File,
        open: Option<Open<'_>>,
        examples: bool,
    ) -> Result<Self, Wrong> {
        let Checker { file, text } = *check;
        let harm = Harm::from_word(raw.harm.as_ref()).ok_or_else(|| {
            check.wrong(
                raw.harm.span(),
                format!("`harm` is '{}'", raw.harm.as_ref()),
                "write low, medium, high or critical",
            )
        })?;
        let mut data = Vec::new();
        for category in &raw.data {
            if !CATEGORIES.contains(&category.as_ref().as_str()) {
                let mend = match nearest(category.as_ref(), &CATEGORIES) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => format!("use one of {}", CATEGORIES.join(", ")),
                };
                let what = format!(
                    "'{}' is no category of UK GDPR art. 9 or 10",
                    category.as_ref()
                );
                return Err(check.wrong(category.span(), what, mend));
            }
            data.push(category.as_ref().clone());
        }
        let at_least = match &raw.when.at_least {
            None => 2,
            Some(number) => usize::try_from(*number.as_ref())
                .ok()
                .filter(|n| *n >= 2)
                .ok_or_else(|| {
                    check.wrong(
                        number.span(),
                        "`at_least` is below 2",
                        "one person alone is exposed to nobody: write 2 or more",
                    )
                })?,
        };
        pattern::check(&check_fn(check), &raw.who.addresses, &raw.about)?;
        let mut hash = Sha256::new();
        hash.update(text.as_bytes());
        let roster = match &raw.who.roster {
            None => None,
            Some(path) => {
                let open = open.ok_or_else(|| {
                    check.wrong(
                        path.span(),
                        "a built-in query names a roster",
                        "leave it out",
                    )
                })?;
                let roster = open(path.as_ref())
                    .and_then(|bytes| Roster::read(path.as_ref(), &bytes))
                    .map_err(|error| {
                        check.wrong(
                            path.span(),
                            format!("its roster cannot be used: {error:#}"),
                            "name a CSV with a column `address`; its path is relative to the query",
                        )
                    })?;
                hash.update(roster.sha256.as_bytes());
                Some(roster)
            }
        };
        let empty = raw.who.addresses.is_empty()
            && roster.is_none()
            && raw.about.is_empty()
            && !raw.when.strangers;
        if empty {
            return Err(Wrong {
                file: file.to_owned(),
                at: None,
                what: "the query matches nothing: it has neither [who] nor [about]".to_owned(),
                mend: "add phrases under [about], or addresses under [who]".to_owned(),
            });
        }
        let exposing = raw.example.iter().filter(|example| example.exposes).count();
        if examples && (exposing < 1 || raw.example.len() - exposing < 2) {
            return Err(Wrong {
                file: file.to_owned(),
                at: None,
                what: format!("it has {exposing} exposing and {} other examples", raw.example.len() - exposing),
                mend: "add [[example]] tables: at least one with exposes = true and two with exposes = false".to_owned(),
            });
        }
        Ok(Query {
            id: id.to_owned(),
            title: check.filled(&raw.title, "title")?,
            harm,
            data,
            why: check.filled(&raw.why, "why")?,
            source: check.filled(&raw.source, "source")?,
            addresses: raw
                .who
                .addresses
                .iter()
                .map(|glob| glob.as_ref().clone())
                .collect(),
            roster,
            about: raw.about,
            at_least,
            insiders: raw.when.insiders,
            strangers: raw.when.strangers,
            broad: raw.when.broad,
            examples: raw.example,
            sha256: hex(&hash.finalize()),
            builtin: open.is_none(),
        })
    }
}

/// Reads the bytes of a file that a query names.
pub type Open<'a> = &'a dyn Fn(&str) -> anyhow::Result<Vec<u8>>;

/// A closure that makes a [`Wrong`] at a span, so that `pattern` need not know how a query is read.
fn check_fn<'a>(
    check: &'a Checker<'a>,
) -> impl Fn(std::ops::Range<usize>, String, String) -> Wrong + 'a {
    |span, what, mend| check.wrong(span, what, mend)
}

impl About {
    fn is_empty(&self) -> bool {
        self.sender.is_empty()
            && self.subject.is_empty()
            && self.body.is_empty()
            && self.attachment.is_empty()
            && self.list.is_empty()
            && self.word.is_empty()
    }
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let mut out = String::with_capacity(bytes.len() * 2);
    out.extend(digits.map(|digit| DIGITS[usize::from(digit)]));
    out
}
