//! Finding a query's phrases and globs in a message. All phrases of all queries are looked for in one pass over the
//! text. Not a judge: it tells what was found where.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use anyhow::Context;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::readers;
use super::{About, Query, Wrong};
use crate::message::Address;

/// The part of a message that a phrase was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// From address or name.
    Sender,
    /// Subject.
    Subject,
    /// Name of a mailing list or of a recipient group.
    List,
    /// Name of an attachment.
    Attachment,
    /// Text of the body.
    Body,
    /// A word that is said of the readers (`your tablets`, `you have each had a relapse`).
    You,
    /// A word in the subject, the text or the name of an attachment, that only counts beside others.
    Word,
}

/// One phrase of one query that a message holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Found {
    /// The query's id.
    pub query: String,
    /// Where.
    pub part: Part,
    /// The phrase as the query writes it.
    pub phrase: String,
}

/// Letters and digits in lower case without accents, everything else one space; apostrophes vanish. Begins and ends
/// with a space, so that a whole word is ` word `.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return fold_ascii(text.as_bytes());
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    text.nfkd()
        .filter(|c| !is_combining_mark(*c) && !matches!(c, '\'' | '’' | '‘'))
        .for_each(|c| {
            if c.is_alphanumeric() {
                out.extend(c.to_lowercase());
            } else if !out.ends_with(' ') {
                out.push(' ');
            }
        });
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// [`fold`] for plain text: a table says what becomes of each byte. Every byte is written, and stays where the next is not
/// written over it: no branch depends on the text, as each word would mispredict one.
fn fold_ascii(text: &[u8]) -> String {
    let mut out = vec![b' '; text.len() + 2];
    let mut at = 1;
    let mut in_gap = true;
    for byte in text {
        let folded = FOLDED[usize::from(*byte)];
        let (vanishes, space) = (folded == 0, folded == b' ');
        out[at] = folded;
        at += usize::from(!vanishes & !(space & in_gap));
        in_gap = space | (vanishes & in_gap);
    }
    if !in_gap {
        out[at] = b' ';
        at += 1;
    }
    out.truncate(at);
    String::from_utf8(out).unwrap_or_default()
}

/// Letters in lower case, digits, an apostrophe as 0, which vanishes, all else as a space.
const FOLDED: [u8; 256] = {
    let mut table = [b' '; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table[b'\'' as usize] = 0;
    table
};

/// A phrase as it is looked for: folded, and open at the end of a word that is written with `*`.
fn needle(phrase: &str) -> String {
    let open = phrase.trim_end().ends_with('*');
    let folded = fold(phrase);
    if open {
        folded.trim_end().to_owned()
    } else {
        folded
    }
}

/// Checks each match of a query: not empty, and a glob where a glob is due.
pub(super) fn check(
    wrong: &impl Fn(Range<usize>, String, String) -> Wrong,
    addresses: &[Spanned<String>],
    about: &About,
) -> Result<(), Wrong> {
    let globs = addresses
        .iter()
        .map(|value| ("addresses", value))
        .chain(about.sender.iter().map(|value| ("sender", value)));
    for (key, value) in globs {
        let text = value.as_ref();
        if text.trim().is_empty() || text.trim_matches(['*', '?', ' ']).is_empty() {
            return Err(wrong(
                value.span(),
                format!("`{key}` holds an empty match, or one that fits everything"),
                "name at least a part of an address, as in \"*@victims.example\"".into(),
            ));
        }
        if key == "addresses" && !text.contains('@') {
            return Err(wrong(
                value.span(),
                format!("'{text}' is no address"),
                format!("write it with an @, as in \"*@{text}\""),
            ));
        }
        if text.contains('@')
            && let Err(error) = glob(text)
        {
            return Err(wrong(
                value.span(),
                format!("'{text}' is no glob: {}", error.kind()),
                "* stands for any letters, ? for one, [ab] for a or b".into(),
            ));
        }
    }
    let phrases = [
        ("subject", &about.subject),
        ("body", &about.body),
        ("attachment", &about.attachment),
        ("list", &about.list),
        ("word", &about.word),
    ];
    for (key, values) in phrases {
        for value in values {
            if value.as_ref().trim_start().starts_with('*')
                || value
                    .as_ref()
                    .trim_end()
                    .trim_end_matches('*')
                    .contains('*')
            {
                return Err(wrong(
                    value.span(),
                    format!("'{}' has a * that is not at its end", value.as_ref()),
                    "write * only behind the last word: \"survivor*\"".into(),
                ));
            }
            if fold(value.as_ref()).trim().is_empty() {
                return Err(wrong(
                    value.span(),
                    format!("`{key}` holds an empty match"),
                    "write the words to look for, or take the entry out".into(),
                ));
            }
        }
    }
    Ok(())
}

fn glob(text: &str) -> Result<globset::Glob, globset::Error> {
    GlobBuilder::new(&text.to_lowercase())
        .literal_separator(false)
        .build()
}

/// Whether what a glob such as `*idva*@*` looks for begins a word of the address: `ridvan@` holds the letters and not the
/// word. Globs without a leading `*` say themselves where they begin.
fn begins_a_word(glob: &str, address: &str) -> bool {
    let Some(token) = glob.to_lowercase().strip_prefix('*').and_then(|rest| {
        rest.split(['*', '?', '@', '[', '{'])
            .next()
            .map(str::to_owned)
    }) else {
        return true;
    };
    let starts = |token: &str| {
        address
            .match_indices(token)
            .any(|(at, _)| !address[..at].ends_with(char::is_alphabetic))
    };
    token.is_empty() || token.starts_with(|c: char| !c.is_alphabetic()) || starts(&token)
}

/// Globs of addresses, with the plain ones looked up instead of matched.
#[derive(Debug, Default)]
struct Globs {
    plain: FxHashMap<String, Vec<usize>>,
    set: GlobSet,
    owners: Vec<(usize, String)>,
}

impl Globs {
    fn new<'a>(entries: impl Iterator<Item = (usize, &'a str)>) -> anyhow::Result<Self> {
        let mut plain: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        let (mut builder, mut owners) = (GlobSetBuilder::new(), Vec::new());
        for (query, text) in entries {
            if text.contains(['*', '?', '[', '{']) {
                builder.add(glob(text).with_context(|| format!("'{text}' is no glob"))?);
                owners.push((query, text.to_owned()));
            } else {
                let key = Address::new(text).map_or_else(
                    || text.to_lowercase(),
                    |address| address.as_str().to_owned(),
                );
                plain.entry(key).or_default().push(query);
            }
        }
        Ok(Globs {
            plain,
            set: builder.build()?,
            owners,
        })
    }

    /// Each query that knows the address, with the glob or address that says so.
    fn matches<'a>(&'a self, address: &'a str) -> impl Iterator<Item = (usize, &'a str)> + 'a {
        let plain = self
            .plain
            .get(address)
            .into_iter()
            .flatten()
            .map(move |query| (*query, address));
        let globs = if self.owners.is_empty() {
            Vec::new()
        } else {
            self.set.matches(address)
        };
        plain.chain(
            globs
                .into_iter()
                .map(|index| (self.owners[index].0, self.owners[index].1.as_str())),
        )
    }
}

/// The phrases of one part of a message, of all queries.
#[derive(Debug)]
struct Phrases {
    finder: Option<AhoCorasick>,
    /// Query, phrase, and what it is found as.
    owners: Vec<(usize, String, Part)>,
}

impl Phrases {
    /// `entries` are found as `part`, `words` as words.
    fn new<'a>(
        part: Part,
        entries: impl Iterator<Item = (usize, &'a str)>,
        words: impl Iterator<Item = (usize, &'a str)>,
    ) -> anyhow::Result<Self> {
        let as_part =
            |part: Part| move |(query, text): (usize, &str)| (query, text.to_owned(), part);
        let owners: Vec<(usize, String, Part)> = entries
            .map(as_part(part))
            .chain(words.map(as_part(Part::Word)))
            .collect();
        let finder = if owners.is_empty() {
            None
        } else {
            let needles: Vec<String> = owners.iter().map(|(_, text, _)| needle(text)).collect();
            // Needles begin with a space: a prefilter would stop at every word. A DFA would search in half the time, and
            // take twenty milliseconds to build and ten megabytes to keep: longer than it saves on a million mails.
            let builder = AhoCorasick::builder()
                .prefilter(false)
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .build(needles);
            Some(builder?)
        };
        Ok(Phrases { finder, owners })
    }

    fn find(&self, text: &str, ids: &[String], out: &mut BTreeMap<Found, usize>) {
        let Some(finder) = &self.finder else { return };
        if text.is_empty() {
            return;
        }
        let folded = fold(text);
        for hit in finder.find_overlapping_iter(&folded) {
            let (query, phrase, part) = &self.owners[hit.pattern().as_usize()];
            let part = match part {
                Part::Word
                    if readers::said_to(&folded[..hit.start()])
                        || readers::several_behind(&folded[hit.end()..]) =>
                {
                    Part::You
                }
                part => *part,
            };
            *out.entry(Found {
                query: ids[*query].clone(),
                part,
                phrase: phrase.clone(),
            })
            .or_default() += 1;
        }
    }
}

/// What a message shows, for [`Patterns::find`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Shows<'a> {
    /// From address, canonical.
    pub from: &'a str,
    /// From name.
    pub from_name: &'a str,
    /// Decoded subject.
    pub subject: &'a str,
    /// Text of the body.
    pub body: &'a str,
    /// Attachment names.
    pub attachments: &'a [String],
    /// Names of lists and recipient groups.
    pub lists: &'a [String],
}

/// The matches of all queries, made ready to search.
#[derive(Debug)]
pub struct Patterns {
    ids: Vec<String>,
    who: Globs,
    sender: Globs,
    sender_names: Phrases,
    /// Words in the name and the address of the sender, and in names of attachments.
    words: Phrases,
    subject: Phrases,
    body: Phrases,
    attachment: Phrases,
    list: Phrases,
}

/// Why an address is known to belong to a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// The query's id.
    pub query: String,
    /// The glob or address of the query that fits.
    pub by: String,
}

impl Patterns {
    /// From checked queries.
    ///
    /// # Errors
    /// Too many or too long matches for the search automata.
    pub fn new(queries: &[Query]) -> anyhow::Result<Self> {
        fn entries<'a>(
            queries: &'a [Query],
            of: impl Fn(&'a About) -> &'a [Spanned<String>] + 'a,
        ) -> impl Iterator<Item = (usize, &'a str)> + 'a {
            queries.iter().enumerate().flat_map(move |(index, query)| {
                of(&query.about)
                    .iter()
                    .map(move |value| (index, value.as_ref().as_str()))
            })
        }
        let named = |(_, text): &(usize, &str)| !text.contains('@');
        let words = || entries(queries, |about| &about.word);
        Ok(Patterns {
            ids: queries.iter().map(|query| query.id.clone()).collect(),
            who: Globs::new(queries.iter().enumerate().flat_map(|(index, query)| {
                query
                    .addresses
                    .iter()
                    .map(move |text| (index, text.as_str()))
            }))?,
            sender: Globs::new(
                entries(queries, |about| &about.sender).filter(|entry| !named(entry)),
            )?,
            sender_names: Phrases::new(
                Part::Sender,
                entries(queries, |about| &about.sender).filter(named),
                std::iter::empty(),
            )?,
            words: Phrases::new(Part::Word, words(), std::iter::empty())?,
            subject: Phrases::new(
                Part::Subject,
                entries(queries, |about| &about.subject),
                words(),
            )?,
            body: Phrases::new(Part::Body, entries(queries, |about| &about.body), words())?,
            attachment: Phrases::new(
                Part::Attachment,
                entries(queries, |about| &about.attachment),
                std::iter::empty(),
            )?,
            list: Phrases::new(
                Part::List,
                entries(queries, |about| &about.list),
                std::iter::empty(),
            )?,
        })
    }

    /// Every phrase of every query that the message holds, each once, in a fixed order.
    pub fn find(&self, shows: Shows<'_>) -> Vec<Found> {
        let mut out = BTreeMap::new();
        for (query, by) in self.sender.matches(shows.from) {
            if !begins_a_word(by, shows.from) {
                continue;
            }
            out.insert(
                Found {
                    query: self.ids[query].clone(),
                    part: Part::Sender,
                    phrase: by.to_owned(),
                },
                1,
            );
        }
        self.sender_names.find(shows.from_name, &self.ids, &mut out);
        self.words.find(shows.from_name, &self.ids, &mut out);
        self.words.find(shows.from, &self.ids, &mut out);
        self.subject.find(shows.subject, &self.ids, &mut out);
        self.body.find(shows.body, &self.ids, &mut out);
        for name in shows.attachments {
            self.attachment.find(name, &self.ids, &mut out);
            self.words.find(name, &self.ids, &mut out);
        }
        for name in shows.lists {
            self.list.find(name, &self.ids, &mut out);
        }
        out.into_keys().collect()
    }

    /// The queries whose `[who] addresses` know this canonical address.
    pub fn who(&self, address: &str) -> Vec<Who> {
        let mut out: Vec<Who> = self
            .who
            .matches(address)
            .map(|(query, by)| Who {
                query: self.ids[query].clone(),
                by: by.to_owned(),
            })
            .collect();
        out.sort();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_levels_case_accents_dashes_and_apostrophes() {
        assert_eq!(fold("  Survivors' GROUP—café\n"), " survivors group cafe ");
    }

    #[test]
    fn folding_plain_text_is_folding_any_text() {
        for text in [
            "",
            " ",
            "'",
            "a",
            "a'b",
            "a - b",
            "--a--",
            "It's  9 o'clock!\n",
            "' ' '",
            "x'",
        ] {
            // A letter that is not plain makes the whole text go the long way.
            let long = fold(&format!("{text}é"));
            let plain = fold(&format!("{text}e"));
            assert_eq!(plain, long, "{text:?}");
        }
        assert_eq!([fold(""), fold("'"), fold(" -")], [" ", " ", " "]);
        assert_eq!(fold("It's  9 o'clock!\n"), " its 9 oclock ");
    }

    #[test]
    fn a_sender_glob_begins_a_word() {
        assert!(begins_a_word("*idva*@*", "team.idva@x.example"));
        assert!(begins_a_word("*victim*@*", "victimsupport@x.example"));
        assert!(!begins_a_word("*idva*@*", "ridvan@x.example"));
        assert!(begins_a_word("clinic@*", "clinic@x.example"));
    }

    #[test]
    fn a_phrase_is_whole_words_unless_it_ends_in_a_star() {
        assert_eq!(needle("witness care"), " witness care ");
        assert_eq!(needle("survivor*"), " survivor");
        assert!(
            fold("eyewitness carey")
                .find(&needle("witness care"))
                .is_none()
        );
    }
}
