//! Who stands in a head, by what joins mailboxes and nothing else: what history and the quick key need of every message.
//! Display names are not decoded, and nothing is allocated for an ordinary message: texts stand one behind the other in
//! a buffer that serves for the next message too.
//!
//! Nearly all lists of mail are plain: `"Ann Bee" <ann@x.example>, bob@x.example`. These are read here; every other one
//! by `list`, and a test holds the two against each other.

use super::header::{Head, Name};
use super::recipients::Field;
use super::{list, mailbox};

/// A mailbox that a head mentions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Where it stands.
    pub name: Name,
    /// False where it is known by its display name only.
    pub address: bool,
    start: u32,
    end: u32,
}

impl Mention {
    /// The recipient field that it stands in, if it is a recipient.
    pub fn field(self) -> Option<Field> {
        Field::named(self.name)
    }
}

/// Authors, senders and recipients of one message.
#[derive(Debug, Default)]
pub struct Mentions {
    /// Texts one behind the other; what [`Mentions::push`] and [`Mentions::plain_list`] put there is UTF-8.
    text: Vec<u8>,
    all: Vec<Mention>,
    long: bool,
}

impl Mentions {
    /// Forgets the message before, and reads this head: From, Sender, and every recipient field, in header order.
    pub fn read(&mut self, head: &Head<'_>) {
        self.text.clear();
        self.all.clear();
        self.long = false;
        for (name, value) in head.fields() {
            if matches!(name, Name::From | Name::Sender) || Field::named(name).is_some() {
                self.list(name, value);
            }
        }
    }

    /// Every mention, in header order; repeats are kept.
    pub fn all(&self) -> &[Mention] {
        &self.all
    }

    /// True where every list was a plain one: then none has groups.
    pub fn plain(&self) -> bool {
        !self.long
    }

    /// The canonical address, or the display name where there is no address.
    pub fn text(&self, mention: Mention) -> &str {
        std::str::from_utf8(self.bytes(mention)).unwrap_or_default()
    }

    /// As [`Mentions::text`], in bytes.
    pub fn bytes(&self, mention: Mention) -> &[u8] {
        &self.text[mention.start as usize..mention.end as usize]
    }

    fn list(&mut self, name: Name, value: &[u8]) {
        let before = (self.text.len(), self.all.len());
        if self.plain_list(name, value.trim_ascii()).is_none() {
            self.text.truncate(before.0);
            self.all.truncate(before.1);
            self.long = true;
            for (mailbox, _) in list::parse_list(value) {
                match &mailbox.address {
                    Some(address) => self.push(name, address.as_str(), true),
                    None => self.push(name, &mailbox.name, false),
                }
            }
        }
    }

    fn push(&mut self, name: Name, text: &str, address: bool) {
        let start = self.text.len() as u32;
        self.text.extend_from_slice(text.as_bytes());
        self.all.push(Mention {
            name,
            address,
            start,
            end: self.text.len() as u32,
        });
    }

    /// Reads a list of plain mailboxes; `None` as soon as one is not.
    fn plain_list(&mut self, name: Name, value: &[u8]) -> Option<()> {
        let mut rest = value;
        while !rest.is_empty() {
            let (spec, behind) = next(rest)?;
            let start = self.text.len();
            self.text.extend_from_slice(spec.bytes);
            self.text[start..].make_ascii_lowercase();
            if mailbox::is_nobody(&self.text[start..start + spec.local]) {
                return None;
            }
            self.all.push(Mention {
                name,
                address: true,
                start: start as u32,
                end: self.text.len() as u32,
            });
            rest = behind;
        }
        Some(())
    }
}

/// `local@domain` that is its own canonical form but for the case of its letters.
struct Spec<'a> {
    bytes: &'a [u8],
    /// Length of the local part.
    local: usize,
}

/// Bits of what a byte can be in a plain list.
const LOCAL: u8 = 1;
const DOMAIN: u8 = 2;
const WHITE: u8 = 4;
/// In quotes, where nothing else tells a name from an address.
const QUOTED: u8 = 8;

const SORTS: [u8; 256] = {
    let mut sorts = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        sorts[at] = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => WHITE,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' => LOCAL | DOMAIN,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'~' => LOCAL,
            _ => 0,
        };
        if !matches!(byte, b'"' | b'\\' | b'<' | b'@') {
            sorts[at] |= QUOTED;
        }
        at += 1;
    }
    sorts
};

/// How many bytes `bytes` begins with that are of one of these sorts.
fn run(bytes: &[u8], sorts: u8) -> usize {
    let of = |byte: &&u8| SORTS[usize::from(**byte)] & sorts != 0;
    bytes.iter().take_while(of).count()
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    &bytes[run(bytes, WHITE)..]
}

/// The first mailbox of a list that is not empty, and the list behind it.
fn next(list: &[u8]) -> Option<(Spec<'_>, &[u8])> {
    let list = trim_start(list);
    let name = if list.first() == Some(&b'"') {
        let quoted = run(&list[1..], QUOTED);
        (list.get(1 + quoted) == Some(&b'"')).then_some(quoted + 2)?
    } else {
        run(list, LOCAL | WHITE)
    };
    match list[name..]
        .iter()
        .find(|byte| SORTS[usize::from(**byte)] & WHITE == 0)
    {
        Some(b'<') => {
            let open = name + run(&list[name..], WHITE) + 1;
            let spec = spec(&list[open..])?;
            let behind = list[open + spec.bytes.len()..].strip_prefix(b">")?;
            Some((spec, behind_comma(behind)?))
        }
        // No name was there, but the local part.
        Some(b'@') => {
            let spec = spec(list)?;
            let behind = behind_comma(&list[spec.bytes.len()..])?;
            Some((spec, behind))
        }
        _ => None,
    }
}

/// The address that `bytes` begins with.
fn spec(bytes: &[u8]) -> Option<Spec<'_>> {
    let local = run(bytes, LOCAL);
    let domain = bytes[local..].strip_prefix(b"@")?;
    let length = local + 1 + run(domain, DOMAIN);
    let whole = local > 0 && length > local + 1 && bytes[length - 1] != b'.';
    whole.then_some(Spec {
        bytes: &bytes[..length],
        local,
    })
}

/// What stands behind the comma that ends a mailbox; nothing where the list ends with it. A comma behind which nothing
/// comes is not plain.
fn behind_comma(behind: &[u8]) -> Option<&[u8]> {
    match trim_start(behind) {
        [] => Some(&[]),
        [b',', rest @ ..] if run(rest, WHITE) < rest.len() => Some(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(raw: &str) -> (Mentions, Vec<String>) {
        let mut mentions = Mentions::default();
        mentions.read(&Head::new(raw.as_bytes()));
        let texts = mentions.all().iter();
        let texts = texts.map(|one| format!("{:?} {}", one.name, mentions.text(*one)));
        let texts = texts.collect();
        (mentions, texts)
    }

    #[test]
    fn plain_lists_are_read_without_the_long_way() {
        let raw = "From: \"Bee, Ann\" <Ann.Bee@X.example>\nTo: bob@x.example,\n\tCee D'Arcy <c@y.example> , <d+e@z.example>\n\
                   Subject: f@x.example\nBcc: g@x.example\n\n";
        let (mentions, texts) = mentions(raw);
        assert!(mentions.plain());
        let want = [
            "From ann.bee@x.example",
            "To bob@x.example",
            "To c@y.example",
            "To d+e@z.example",
            "Bcc g@x.example",
        ];
        assert_eq!(texts, want);
    }

    #[test]
    fn what_is_not_plain_is_read_the_long_way_and_the_next_message_begins_anew() {
        let mut reader = Mentions::default();
        for list in [
            "clinic: a@x.example;",
            "=?utf-8?Q?A?= <a@x.example>",
            "Root",
            "a@x.example (A)",
        ] {
            reader.read(&Head::new(format!("To: {list}\n\n").as_bytes()));
            assert!(!reader.plain() && reader.all().len() == 1, "{list}");
        }
        reader.read(&Head::new(
            b"To: undisclosed-recipients:;\nCc: undisclosed.recipients@x.example\n\n",
        ));
        assert_eq!(reader.all(), []);
        reader.read(&Head::new(b"To: a@x.example\n\n"));
        assert!(reader.plain() && reader.all().len() == 1);
    }

    /// Lists put together from pieces of sound and of broken mail, the same on every run.
    fn lists() -> impl Iterator<Item = String> {
        const PIECES: [&str; 46] = [
            "ann@x.example",
            "Bob@Y.example",
            "<cee@x.example>",
            "<d@z.example",
            "Ann",
            "Bee",
            "\"Ann Bee\"",
            "\"Bee, Ann\"",
            "\"a\\\"b\"",
            "\"",
            "(home)",
            "(",
            ")",
            "<",
            ">",
            ",",
            ", ",
            ",\n\t",
            ";",
            ":",
            " ",
            "  ",
            "\n ",
            "\t",
            "@",
            ".",
            "=?utf-8?Q?a=2Cb?=",
            "ö",
            "\u{0}",
            "undisclosed-recipients@x.example",
            "hiddenrecipients",
            "IMCEAEX-_O=A@x.example",
            "'e@x.example'",
            "{f@x.example}",
            "g@[192.0.2.1]",
            "mailto:h@x.example",
            "/O=ORG/CN=A",
            "i@x.example.",
            "@r.example:j@x.example",
            "k@",
            "@l",
            "[",
            "]",
            "\\",
            "m@x.example",
            "\"n@x.example\"",
        ];
        let mut seed = 1u64;
        (0..60_000).map(move |_| {
            let mut pick = |most: usize| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) as usize % most
            };
            if pick(2) == 0 {
                let pieces = 1 + pick(9);
                return (0..pieces).map(|_| PIECES[pick(PIECES.len())]).collect();
            }
            // A plain list, with a foreign piece somewhere in every second one.
            const PLAIN: [&str; 6] = [
                "ann@x.example",
                "Bob <Bob@Y.example>",
                "\"Bee, Ann\" <c@x.example>",
                " <d@z.example> ",
                "\n\tD'Arcy & Co. <e@x.example>",
                "f+g@x.example ",
            ];
            let entries = 2 + pick(4);
            let mut list = (0..entries)
                .map(|_| PLAIN[pick(PLAIN.len())])
                .collect::<Vec<_>>()
                .join(",");
            let at = pick(list.len());
            if pick(2) == 0 && list.is_char_boundary(at) {
                list.insert_str(at, PIECES[pick(PIECES.len())]);
            }
            list
        })
    }

    #[test]
    fn any_list_gives_the_same_people_as_the_long_way() {
        let mut plain = 0;
        for list in lists() {
            let mut quick = Mentions::default();
            quick.list(Name::To, list.as_bytes());
            plain += usize::from(quick.plain() && quick.all().len() > 1);
            let quick: Vec<_> = quick
                .all()
                .iter()
                .map(|one| (one.address, quick.text(*one).to_owned()))
                .collect();
            let slow = list::parse_list(list.as_bytes()).into_iter();
            let slow: Vec<_> = slow
                .map(|(mailbox, _)| match mailbox.address {
                    Some(address) => (true, address.as_str().to_owned()),
                    None => (false, mailbox.name),
                })
                .collect();
            assert_eq!(quick, slow, "{list:?}");
        }
        assert!(
            plain > 500,
            "{plain} plain lists are too few to prove anything"
        );
    }
}
