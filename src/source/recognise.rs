//! What a file is, told from its first bytes and never from its name.
//!
//! Archives, stores of other programs and mbox files have a first mark of their own. A single mail has none: it is
//! known by its head. A text file may well hold `Key: value` lines, so names are wanted that mail alone uses.

use super::mbox::{self, Habit};

/// How many first bytes are looked at.
pub(super) const PREFIX: usize = 8 << 10;

/// What the first bytes of a file tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gzip,
    Zstd,
    Zip,
    Tar,
    /// An archive that this version does not read; its name.
    OtherArchive(&'static str),
    /// An mbox: where its first From_ line begins, and how its lines are written.
    Mbox(u64, Habit),
    /// One mail with a byte count before it and a property list behind it (Apple Mail).
    Emlx,
    /// One mail.
    Mail,
    /// An Outlook store (PST or OST).
    Pst,
    /// A compound file: an Outlook message, or an old Office document.
    Compound,
    Empty,
    Other,
}

impl Kind {
    /// True for what has no mark of its own and no mail's head.
    pub(super) fn is_unknown(self) -> bool {
        matches!(self, Kind::Empty | Kind::Other)
    }

    /// For people; also what [`super::Source::kind`] says of a named file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Gzip => "gzip-compressed file",
            Kind::Zstd => "zstd-compressed file",
            Kind::Zip => "zip archive",
            Kind::Tar => "tar archive",
            Kind::OtherArchive(name) => name,
            Kind::Mbox(..) => "mbox",
            Kind::Emlx => "emlx message",
            Kind::Mail => "single message",
            Kind::Pst => "Outlook store",
            Kind::Compound => "Outlook message",
            Kind::Empty => "empty file",
            Kind::Other => "other file",
        }
    }
}

/// Tells what a file is from its first [`PREFIX`] bytes (or all, where it is shorter).
pub(super) fn recognise(prefix: &[u8]) -> Kind {
    if prefix.is_empty() {
        return Kind::Empty;
    }
    for (mark, kind) in MARKS {
        if prefix.starts_with(mark) {
            return *kind;
        }
    }
    if let Some((first, habit)) = mbox::beginning(prefix) {
        return Kind::Mbox(first, habit);
    }
    if is_tar(prefix) {
        return Kind::Tar;
    }
    if emlx_count(prefix).is_some_and(|(_, at)| is_mail(prefix.get(at..).unwrap_or_default())) {
        return Kind::Emlx;
    }
    if is_mail(prefix) {
        Kind::Mail
    } else {
        Kind::Other
    }
}

const MARKS: &[(&[u8], Kind)] = &[
    (b"\x1f\x8b\x08", Kind::Gzip),
    (b"\x28\xb5\x2f\xfd", Kind::Zstd),
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"PK\x07\x08", Kind::Zip),
    (b"BZh", Kind::OtherArchive("bzip2 archive")),
    (b"\xfd7zXZ\0", Kind::OtherArchive("xz archive")),
    (b"7z\xbc\xaf\x27\x1c", Kind::OtherArchive("7z archive")),
    (b"Rar!\x1a\x07", Kind::OtherArchive("rar archive")),
    (b"!BDN", Kind::Pst),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Compound),
];

/// A tar header carries the sum of its own bytes; that also knows the oldest tars, which have no mark.
fn is_tar(prefix: &[u8]) -> bool {
    let Some(header) = prefix.first_chunk::<512>() else {
        return false;
    };
    header[0] != 0 && tar_checksum(header) == Some(tar_sum(header))
}

/// The sum of a tar header's bytes, its checksum field taken for spaces (POSIX ustar).
pub(super) fn tar_sum(header: &[u8; 512]) -> u32 {
    let bytes = header.iter().enumerate();
    bytes
        .map(|(i, &b)| {
            if (148..156).contains(&i) {
                32
            } else {
                u32::from(b)
            }
        })
        .sum()
}

fn tar_checksum(header: &[u8; 512]) -> Option<u32> {
    let text = std::str::from_utf8(&header[148..156]).ok()?;
    u32::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
}

/// The first line of an .emlx: how many bytes the message has, and where it begins.
pub(super) fn emlx_count(bytes: &[u8]) -> Option<(u64, usize)> {
    let end = bytes.iter().take(24).position(|&b| b == b'\n')?;
    let digits = std::str::from_utf8(bytes.get(..end)?).ok()?.trim();
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain
        .then(|| digits.parse().ok().map(|n| (n, end + 1)))
        .flatten()
}

/// True where the bytes begin with a mail's head.
pub(super) fn is_mail(prefix: &[u8]) -> bool {
    let bytes = prefix.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix);
    let blank = bytes.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let (mut weak, mut strong, mut known, mut address) = (0u16, 0, 0, false);
    for (n, line) in lines(&bytes[blank..]).enumerate() {
        if line.is_empty() {
            break;
        }
        // Folds, some of them not indented, and what relays put before the head.
        let Some(name) = field_name(line) else {
            if n == 0 && !line.starts_with(b">From ") && !line.starts_with(b"From ") {
                return false;
            }
            continue;
        };
        if let Some(which) = WEAK.iter().position(|w| name.eq_ignore_ascii_case(w)) {
            weak |= 1 << which;
            address |= which < ADDRESSES && line.contains(&b'@');
        } else if is_strong(name) {
            strong += 1;
        } else if is_known(name) {
            known += 1;
        } else if n == 0 && !name.contains(&b'-') {
            return false;
        }
    }
    let weak = weak.count_ones();
    weak >= 3 || (weak == 2 && address) || (strong >= 1 && weak + strong + known >= 2)
}

/// The lines of a text, whether they end in LF, CRLF or CR, without their ends.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest.filter(|b| !b.is_empty())?;
        let end = memchr::memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len());
        let skip = if bytes.get(end..end + 2) == Some(b"\r\n") {
            2
        } else {
            1
        };
        rest = bytes.get(end + skip..);
        Some(&bytes[..end])
    })
}

/// The name of a header field, where the line begins with one.
pub(super) fn field_name(line: &[u8]) -> Option<&[u8]> {
    let end = line
        .iter()
        .take(LONGEST_NAME + 1)
        .position(|b| !(b'!'..=b'~').contains(b) || *b == b':')?;
    let colon = end
        + line[end..]
            .iter()
            .take_while(|&&b| b == b' ' || b == b'\t')
            .count();
    (end > 0 && line.get(colon) == Some(&b':')).then(|| &line[..end])
}

const LONGEST_NAME: usize = 76;

/// Names that a letter may begin with on paper too: one of them proves little.
const WEAK: [&[u8]; 8] = [
    b"From",
    b"To",
    b"Cc",
    b"Bcc",
    b"Sender",
    b"Reply-To",
    b"Subject",
    b"Date",
];
const ADDRESSES: usize = 6;

/// Names that only mail and news use.
const STRONG: [&[u8]; 30] = [
    b"Received",
    b"Return-Path",
    b"Message-ID",
    b"MIME-Version",
    b"Delivered-To",
    b"Envelope-To",
    b"DKIM-Signature",
    b"Authentication-Results",
    b"In-Reply-To",
    b"References",
    b"Content-Transfer-Encoding",
    b"Newsgroups",
    b"X-Mailer",
    b"X-Gmail-Labels",
    b"X-GM-THRID",
    b"X-Mozilla-Status",
    b"X-Mozilla-Status2",
    b"X-Mozilla-Keys",
    b"X-UIDL",
    b"X-Original-To",
    b"X-UID",
    b"X-Status",
    b"X-IMAP",
    b"X-IMAPbase",
    b"User-Agent",
    b"Thread-Topic",
    b"Thread-Index",
    b"Received-SPF",
    b"Disposition-Notification-To",
    b"X-Account-Key",
];

fn is_strong(name: &[u8]) -> bool {
    STRONG.iter().any(|s| name.eq_ignore_ascii_case(s))
}

/// True for names that stand in the heads of mail, strong or weak or of a family that mail uses.
pub(super) fn is_known(name: &[u8]) -> bool {
    const FAMILIES: [&[u8]; 6] = [
        b"X-",
        b"Content-",
        b"Resent-",
        b"List-",
        b"ARC-",
        b"Delivery-",
    ];
    const MORE: [&[u8]; 12] = [
        b"Status",
        b"Organization",
        b"Organisation",
        b"Importance",
        b"Priority",
        b"Precedence",
        b"Errors-To",
        b"Sensitivity",
        b"Auto-Submitted",
        b"Lines",
        b"Comments",
        b"Keywords",
    ];
    let family = |f: &[u8]| name.len() > f.len() && name[..f.len()].eq_ignore_ascii_case(f);
    FAMILIES.iter().any(|f| family(f))
        || [&WEAK[..], &STRONG[..], &MORE[..]]
            .iter()
            .any(|set| set.iter().any(|k| name.eq_ignore_ascii_case(k)))
}

#[cfg(test)]
mod tests {
    use super::{Kind, recognise};

    #[test]
    fn mail_is_known_by_its_head() {
        for mail in [
            "From: a@b.example\nSubject: x\n\ntext",
            "\u{feff}\r\nReceived: from x\r\n by y\r\nSubject: x\r\n\r\n",
            "subject: x\nFROM: Pat\nto: Robin\n\n",
            "X-Weird-Header-1: Foo\nFrom: a@b.example\nTo: c@d.example\n",
            "MIME-Version: 1.0\nContent-Type: text/plain\n",
            "To: a@b.example,\nc@d.example\nFrom: e@f.example\n",
        ] {
            assert_eq!(recognise(mail.as_bytes()), Kind::Mail, "{mail}");
        }
    }

    #[test]
    fn other_texts_are_no_mail() {
        for text in [
            "Year: 1963\nTitle: From Russia with love\n",
            "Subject: shopping\n\nmilk",
            "Package: mail\nMaintainer: a@b.example\nDate: today\n",
            "HTTP/1.1 200 OK\nDate: x\nContent-Type: text/html\n",
            "Date: x\nContent-Type: text/html\nContent-Length: 4\n",
            "title: x\nfrom: a@b.example\nto: c@d.example\n",
            "Dear all,\nFrom: a@b.example\nTo: c@d.example\n",
            "From here on\nTo: nobody\n",
            "From Russia with love\nYear: 1963\n",
            "12\nnot an emlx\n",
        ] {
            assert!(
                !matches!(
                    recognise(text.as_bytes()),
                    Kind::Mail | Kind::Mbox(..) | Kind::Emlx
                ),
                "{text}"
            );
        }
        assert_eq!(recognise(b""), Kind::Empty);
    }

    #[test]
    fn marks_come_before_everything() {
        assert_eq!(recognise(b"PK\x03\x04From: a@b.example"), Kind::Zip);
        assert_eq!(recognise(b"!BDN"), Kind::Pst);
        assert_eq!(recognise(&[0; 600]), Kind::Other);
    }
}
