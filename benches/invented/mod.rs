//! Large mbox files of invented mail, written as a stream, the same for the same kind on every machine.
//!
//! Two kinds stand at the ends of what mailboxes are: `A` is 200,000 short text mails (662 MB, a quarter of it headers,
//! one in a hundred with many recipients), `B` is 8,968 mails with attachments (2.0 GB, almost no headers). A mailbox of
//! any size (`1GB`) or number (`50000`) is made of mails as in `A`. `10M` is ten million mails of a few lines, where only
//! their number weighs.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// What sort of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Short text.
    Text,
    /// Attachments.
    Attached,
    /// Few headers and one line.
    Note,
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
enum Until {
    /// So many mails are written.
    Mails(u64),
    /// So many bytes are written, or a few more.
    Bytes(u64),
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    /// How many mails.
    pub(crate) mails: u64,
    /// All bytes.
    pub(crate) bytes: u64,
    /// Bytes of headers and separators.
    pub(crate) heads: u64,
}

/// The files of the project's measurements by name: `A`, `B`, millions of short notes such as `10M`, a size such as `1GB`
/// or `250MB`, or a number of mails as in `A` such as `50000`.
fn named(name: &str) -> Option<(Kind, Until)> {
    let number = |unit: &str, times: u64| {
        let number = name.strip_suffix(unit)?.parse::<u64>().ok()?;
        number.checked_mul(times)
    };
    let bytes = || number("GB", 1_000_000_000).or_else(|| number("MB", 1_000_000));
    let notes = || number("M", 1_000_000);
    match name {
        "A" => Some((Kind::Text, Until::Mails(200_000))),
        "B" => Some((Kind::Attached, Until::Mails(8_968))),
        _ => bytes()
            .map(|bytes| (Kind::Text, Until::Bytes(bytes)))
            .or_else(|| notes().map(|mails| (Kind::Note, Until::Mails(mails))))
            .or_else(|| number("", 1).map(|mails| (Kind::Text, Until::Mails(mails)))),
    }
}

/// Whether [`make`] knows a file of this name.
pub(crate) fn is_named(name: &str) -> bool {
    named(name).is_some()
}

/// Makes the file of this name at `path`. It is on disk when this returns, so that nothing of it is still being written
/// while somebody measures.
pub(crate) fn make(name: &str, path: &Path) -> io::Result<Written> {
    let (kind, until) = named(name).ok_or(io::ErrorKind::InvalidInput)?;
    // Under its own name only once it is whole: a later run that finds it may then take it for what it is.
    let unfinished = path.with_extension("unfinished");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&unfinished)?);
    let written = write(kind, until, &mut out)?;
    out.into_inner()?.sync_all()?;
    fs::rename(unfinished, path)?;
    Ok(written)
}

const FIRST: [&str; 16] = [
    "Aled", "Beatriz", "Carys", "Dilwyn", "Eluned", "Fatou", "Gwilym", "Hedda", "Imogen", "Jarek",
    "Katya", "Leopold", "Morwenna", "Nkechi", "Osian", "Petra",
];
const LAST: [&str; 16] = [
    "Arkwright",
    "Birtwell",
    "Cadogan",
    "Delacourt",
    "Eastham",
    "Fothergill",
    "Gwynne",
    "Harbottle",
    "Ishikawa",
    "Jamieson",
    "Kettering",
    "Llewelyn",
    "Montague",
    "Nwachukwu",
    "Ollerton",
    "Pemberton",
];
const PROVIDERS: [&str; 4] = [
    "webmail.example",
    "freemail.example",
    "homemail.example",
    "postbox.example",
];
const WORDS: [&str; 24] = [
    "the",
    "rota",
    "for",
    "Monday",
    "has",
    "changed",
    "and",
    "the",
    "keys",
    "are",
    "with",
    "reception",
    "please",
    "tell",
    "your",
    "team",
    "that",
    "parking",
    "is",
    "full",
    "until",
    "noon",
    "thank",
    "you",
];
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A row of numbers that is the same for the same start (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 33) as usize % n
    }
    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// A stock of text and of encoded bytes from which bodies are cut, so that writing is as fast as the disk.
struct Stock {
    text: Vec<u8>,
    encoded: Vec<u8>,
}

const TEXT_LINE: usize = 72;
const ENCODED_LINE: usize = 77;
const STOCK_LINES: usize = 1 << 14;

impl Stock {
    fn new() -> Self {
        let mut number = Numbers(1);
        let mut text = Vec::with_capacity(TEXT_LINE * STOCK_LINES);
        for line in 0..STOCK_LINES {
            // Now and then a line that a reader might take for a separator, quoted as mboxrd does.
            let begin = text.len();
            text.extend_from_slice(if line % 97 == 5 {
                b">From here on "
            } else {
                b""
            });
            while text.len() - begin < TEXT_LINE - 1 {
                text.extend_from_slice(number.of(&WORDS).as_bytes());
                text.push(b' ');
            }
            text.truncate(begin + TEXT_LINE - 1);
            text.push(b'\n');
        }
        let mut encoded = Vec::with_capacity(ENCODED_LINE * STOCK_LINES);
        for _ in 0..STOCK_LINES {
            encoded.extend((1..ENCODED_LINE).map(|_| BASE64[number.below(64)]));
            encoded.push(b'\n');
        }
        Stock { text, encoded }
    }
    /// `lines` lines, begun anywhere.
    fn lines<'a>(stock: &'a [u8], width: usize, lines: usize, number: &mut Numbers) -> &'a [u8] {
        let lines = lines.min(STOCK_LINES / 2);
        let begin = number.below(STOCK_LINES - lines);
        &stock[begin * width..(begin + lines) * width]
    }
}

/// Somebody at a personal mailbox.
fn stranger(number: &mut Numbers) -> String {
    let (first, last, host) = (number.of(&FIRST), number.of(&LAST), number.of(&PROVIDERS));
    let (low, high) = (first.to_lowercase(), last.to_lowercase());
    format!(
        "\"{first} {last}\" <{low}.{high}{}@{host}>",
        number.below(5000)
    )
}

/// Somebody at a place of work.
fn at_work(domain: &str, number: &mut Numbers) -> String {
    let (first, last) = (number.of(&FIRST), number.of(&LAST));
    format!(
        "\"{first} {last}\" <{}.{}@{domain}>",
        first.to_lowercase(),
        last.to_lowercase()
    )
}

/// The To header of the mail of this index: one person; for one mail in a hundred many, mostly colleagues, or the staff
/// of one other place, and in one of those twenty a list of strangers.
fn recipients(index: u64, number: &mut Numbers) -> String {
    let many = 20 + number.below(180);
    let list: Vec<String> = match index % 100 {
        99 if index / 100 % 20 == 7 => (0..many).map(|_| stranger(number)).collect(),
        99 if (index / 100).is_multiple_of(2) => (0..many)
            .map(|_| at_work("force.example", number))
            .collect(),
        99 => (0..many)
            .map(|_| at_work("council.example", number))
            .collect(),
        n if n % 3 == 0 => vec![stranger(number)],
        _ => vec![at_work("force.example", number)],
    };
    list.join(",\n\t")
}

fn head(index: u64, number: &mut Numbers) -> String {
    let from = at_work("force.example", number);
    let (day, hour, minute) = (1 + index / 1440 % 28, index / 60 % 24, index % 60);
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"][(index / 40_320 % 6) as usize];
    let (id, route) = (number.below(1 << 30), number.below(1 << 30));
    format!(
        "From robin.ashdown@force.example {month} {day:2} {hour:02}:{minute:02}:00 2024\n\
         Return-Path: <robin.ashdown@force.example>\n\
         Received: from desk{route:x}.force.example (desk{route:x}.force.example [192.0.2.{octet}])\n\
         \tby mail.force.example (Postfix) with ESMTPSA id {id:08X}\n\
         \tfor <sent@force.example>; {day} {month} 2024 {hour:02}:{minute:02}:01 +0000 (UTC)\n\
         DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=force.example; s=2024;\n\
         \tt=17{id}; h=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\
         From: {from}\n\
         To: {to}\n\
         Subject: {a} {b} {c} {index}\n\
         Date: {day} {month} 2024 {hour:02}:{minute:02}:00 +0000\n\
         Message-ID: <{index}.{id:x}@mail.force.example>\n\
         User-Agent: Mozilla Thunderbird\n\
         X-Priority: 3\n\
         MIME-Version: 1.0\n",
        octet = index % 254 + 1,
        to = recipients(index, number),
        a = number.of(&WORDS),
        b = number.of(&WORDS),
        c = number.of(&WORDS),
    )
}

/// A mail of about 400 bytes, as a phone writes it. One in a hundred goes to four colleagues.
fn note(index: u64, number: &mut Numbers) -> String {
    let from = at_work("force.example", number);
    let (day, hour, minute) = (1 + index / 1440 % 28, index / 60 % 24, index % 60);
    let to = match index % 100 {
        99 => (0..4)
            .map(|_| at_work("force.example", number))
            .collect::<Vec<_>>()
            .join(",\n "),
        n if n % 3 == 0 => stranger(number),
        _ => at_work("force.example", number),
    };
    let id = number.below(1 << 30);
    format!(
        "From robin.ashdown@force.example Mar {day:2} {hour:02}:{minute:02}:00 2024\n\
         From: {from}\n\
         To: {to}\n\
         Subject: {a} {b} {index}\n\
         Date: {day} Mar 2024 {hour:02}:{minute:02}:00 +0000\n\
         Message-ID: <{index}.{id:x}@mail.force.example>\n",
        a = number.of(&WORDS),
        b = number.of(&WORDS),
    )
}

/// Writes mail until it is enough.
fn write(kind: Kind, until: Until, out: &mut impl Write) -> io::Result<Written> {
    let stock = Stock::new();
    let mut number = Numbers(20_240_301);
    let mut written = Written::default();
    loop {
        let enough = match until {
            Until::Mails(mails) => written.mails >= mails,
            Until::Bytes(bytes) => written.bytes >= bytes,
        };
        if enough {
            return Ok(written);
        }
        let mut mail = match kind {
            Kind::Text | Kind::Attached => head(written.mails, &mut number).into_bytes(),
            Kind::Note => note(written.mails, &mut number).into_bytes(),
        };
        match kind {
            Kind::Note => {
                mail.push(b'\n');
                written.heads += mail.len() as u64;
                mail.extend_from_slice(Stock::lines(&stock.text, TEXT_LINE, 2, &mut number));
            }
            Kind::Text => {
                mail.extend_from_slice(b"Content-Type: text/plain; charset=utf-8\n\n");
                written.heads += mail.len() as u64;
                let lines = 6 + number.below(57);
                mail.extend_from_slice(Stock::lines(&stock.text, TEXT_LINE, lines, &mut number));
            }
            Kind::Attached => {
                mail.extend_from_slice(b"Content-Type: multipart/mixed; boundary=\"=_part\"\n\n");
                written.heads += mail.len() as u64;
                mail.extend_from_slice(b"--=_part\nContent-Type: text/plain; charset=utf-8\n\n");
                mail.extend_from_slice(Stock::lines(&stock.text, TEXT_LINE, 12, &mut number));
                mail.extend_from_slice(
                    b"--=_part\nContent-Type: application/pdf; name=\"rota.pdf\"\nContent-Transfer-Encoding: base64\n\n",
                );
                let lines = 100 + number.below(5600);
                mail.extend_from_slice(Stock::lines(
                    &stock.encoded,
                    ENCODED_LINE,
                    lines,
                    &mut number,
                ));
                mail.extend_from_slice(b"--=_part--\n");
            }
        }
        mail.push(b'\n');
        out.write_all(&mail)?;
        written.mails += 1;
        written.bytes += mail.len() as u64;
    }
}
