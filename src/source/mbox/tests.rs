//! Messages are the same however an mbox is read: on disk in ranges of any size, or as a stream in pieces of any size.
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use super::{beginning, ranges, stream};
use crate::source::disk::Disk;
use crate::source::testing::{Dribble, Numbers, Seen, read};
use crate::source::{Folder, LONGEST_HELD, Role};
use std::io::Write;
use std::sync::Arc;

fn folder() -> Arc<Folder> {
    Arc::new(Folder {
        chain: "Sent".into(),
        role: Role::Sent,
        validity: 0,
    })
}

/// Reads from a file in ranges of each size.
fn on_disk(bytes: &[u8], pieces: &[u64]) -> Vec<Vec<Seen>> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let disk = Arc::new(Disk::open(file.path()).unwrap());
    let (first, habit) = beginning(&bytes[..bytes.len().min(8 << 10)]).unwrap();
    let read = |piece: &u64| read(|sink| ranges(&disk, first, habit, &folder(), *piece, sink)).0;
    pieces.iter().map(read).collect()
}

/// Reads from a stream that gives at most `most` bytes at once.
fn streamed(bytes: &[u8], most: usize) -> Vec<Seen> {
    let (first, habit) = beginning(&bytes[..bytes.len().min(8 << 10)]).unwrap();
    let input = Dribble {
        bytes,
        numbers: Numbers(most as u64 + 1),
        most,
    };
    read(|sink| stream(input, first, habit, &folder(), sink)).0
}

/// Reads in every way, wants the same of all, and gives the positions.
#[track_caller]
fn positions(bytes: &[u8]) -> Vec<String> {
    let whole = on_disk(bytes, &[u64::MAX >> 1]).remove(0);
    for (piece, got) in [1, 5, 64, 999].iter().zip(on_disk(bytes, &[1, 5, 64, 999])) {
        assert_eq!(
            got,
            whole,
            "in ranges of {piece}: {}",
            String::from_utf8_lossy(bytes)
        );
    }
    for most in [1, 3, 4096] {
        assert_eq!(
            streamed(bytes, most),
            whole,
            "as a stream: {}",
            String::from_utf8_lossy(bytes)
        );
    }
    assert!(whole.iter().all(|seen| seen.mail));
    whole.into_iter().map(|seen| seen.position).collect()
}

/// The texts of the messages.
#[track_caller]
fn split(text: &str) -> Vec<String> {
    let cut = |position: String| {
        let (offset, length) = position.split_once('+').unwrap();
        let offset: usize = offset.parse().unwrap();
        let bytes = &text.as_bytes()[offset..offset + length.parse::<usize>().unwrap()];
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    positions(text.as_bytes()).into_iter().map(cut).collect()
}

const FROM: &str = "From pat@force.example Fri Mar  1 09:00:00 2024\n";
const ONE: &str = "Subject: one\nTo: a@b.example\n\nOne.\n";
const TWO: &str = "Subject: two\nTo: c@d.example\n\nTwo.\n";

#[test]
fn a_message_ends_before_the_one_empty_line() {
    assert_eq!(
        split(&format!("{FROM}{ONE}\n{FROM}{TWO}\n")),
        [ONE.to_owned(), format!("{TWO}\n")]
    );
    assert_eq!(split(&format!("{FROM}{ONE}{FROM}{TWO}")), [ONE, TWO]);
    assert_eq!(
        split(&format!("{FROM}{ONE}\n\n{FROM}{TWO}")),
        [format!("{ONE}\n"), TWO.to_owned()]
    );
    let crlf = format!("{FROM}{ONE}\n{FROM}{TWO}").replace('\n', "\r\n");
    assert_eq!(
        split(&crlf),
        [ONE.replace('\n', "\r\n"), TWO.replace('\n', "\r\n")]
    );
    let cr = format!("{FROM}{ONE}\n{FROM}{TWO}").replace('\n', "\r");
    assert_eq!(
        split(&cr),
        [ONE.replace('\n', "\r"), TWO.replace('\n', "\r")]
    );
    assert_eq!(
        split(&format!("\u{feff}\n{FROM}{ONE}\n{FROM}{TWO}")),
        [ONE, TWO]
    );
}

#[test]
fn messages_of_nothing_are_messages() {
    assert_eq!(split(FROM), [""]);
    assert_eq!(split(&format!("{FROM}\n{FROM}{ONE}")), ["", ONE]);
    assert_eq!(
        split(&format!("{FROM}\nBody\n\n{FROM}\nBody\n")),
        ["\nBody\n", "\nBody\n"]
    );
}

#[test]
fn text_that_begins_with_from_is_text() {
    for line in [
        "From Russia with love\nYear: 1963\n",
        "From here on\nFrom: nobody\n",
        "From bob at 10:30 in 2024\nSubject: x\n",
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: a@b.example\nSubject: [PATCH]\n",
    ] {
        let one = format!("{ONE}\n{line}\nMore.\n");
        assert_eq!(
            split(&format!("{FROM}{one}\n{FROM}{TWO}")),
            [one.as_str(), TWO],
            "{line}"
        );
    }
}

#[test]
fn borders_of_all_programs_are_known() {
    for from in [
        "From - \n",
        "From -\n",
        "From \n",
        "From 1844347792267117879@xxx\n",
        "From pat@force.example Fri Mar  1 09:00:00 +0000 2024\n",
        "From pat@force.example Fri Mar  1 09:00:00 2024 +0000\n",
        "From pat@force.example  Fri Mar  1 09:00 GMT 2024\n",
        "From pat@force.example Fri, 01 Mar 2024 09:00:00 +0000\n",
        "From Pat Lowe <pat@force.example>  Fri Mar  1 09:00:00 2024\n",
        "From ???@??? Fri Mar 01 09:00:00 2024 remote from relay\n",
    ] {
        assert_eq!(
            split(&format!("{from}{ONE}\n{from}{TWO}")),
            [ONE, TWO],
            "{from}"
        );
        assert_eq!(
            split(&format!("{from}{ONE}{from}{TWO}")),
            [ONE, TWO],
            "{from} without empty line"
        );
    }
}

#[test]
fn a_line_within_a_head_begins_a_message_only_where_a_head_begins_again() {
    let head = format!("Received: from x\n{FROM}Subject: one\nTo: a@b.example\n\nOne.\n");
    assert_eq!(
        split(&format!("{FROM}{head}\n{FROM}{TWO}")),
        [head.as_str(), TWO]
    );
    let bare = "Subject: no body\nTo: a@b.example\n";
    assert_eq!(split(&format!("{FROM}{bare}{FROM}{TWO}")), [bare, TWO]);
    assert_eq!(
        split(&format!("{FROM}{FROM}{TWO}")),
        [format!("{FROM}{TWO}")]
    );
}

/// A message whose body is a mailbox of its own, with this length in its head.
fn nested(length: usize) -> String {
    format!("Subject: export\nContent-Length: {length}\n\n{FROM}{TWO}\n{FROM}{TWO}")
}

#[test]
fn a_content_length_is_believed_where_it_proves_right() {
    let body = format!("{FROM}{TWO}\n{FROM}{TWO}");
    let right = nested(body.len());
    let next = "Subject: next\nContent-Length: 4\n\nEnd\n";
    assert_eq!(
        split(&format!("{FROM}{right}\n{FROM}{next}")),
        [right.as_str(), next]
    );
    assert_eq!(
        split(&format!("{FROM}{next}\n{FROM}{right}\n")),
        [next.to_owned(), format!("{right}\n")]
    );
    for wrong in [body.len() - 2, body.len() + 2, 3, 99_999, usize::MAX] {
        let wrong = nested(wrong);
        assert_eq!(
            split(&format!("{FROM}{wrong}\n{FROM}{next}")).len(),
            4,
            "{wrong}"
        );
    }
    // It leads to a border, but to one whose message has none: it may hide a message.
    assert_eq!(split(&format!("{FROM}{right}\n{FROM}{TWO}")).len(), 4);
}

#[test]
fn the_date_of_the_border_is_kept() {
    let stored = |from: &str| {
        let text = format!("{from}{ONE}");
        let seen = streamed(text.as_bytes(), 100).remove(0).what;
        seen.split("stored: ")
            .nth(1)
            .unwrap()
            .trim_end_matches(" }")
            .to_owned()
    };
    assert_eq!(
        stored("From a@b.example Fri Mar  1 09:00:00 2024\n"),
        "Some(1709283600)"
    );
    assert_eq!(
        stored("From a@b.example Fri Mar  1 09:00 2024\n"),
        "Some(1709283600)"
    );
    assert_eq!(
        stored("From a@b.example Fri Mar  1 10:00:00 2024 +0100\n"),
        "Some(1709283600)"
    );
    assert_eq!(
        stored("From a@b.example Fri Mar  1 04:00:00 EST 2024\n"),
        "Some(1709283600)"
    );
    assert_eq!(
        stored("From a@b.example Fri Feb 31 04:00:00 2024\n"),
        "None"
    );
    assert_eq!(stored("From -\n"), "None");
}

/// How a body line is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Variant {
    O,
    Rd,
    Cl,
    Cl2,
}

/// An mbox of one variant, and the positions of its messages.
fn written(numbers: &mut Numbers, variant: Variant, eol: &str) -> (Vec<u8>, Vec<String>) {
    const LINES: [&str; 12] = [
        "Hello",
        "",
        "From here on",
        ">From quoted",
        ">>From twice",
        "Content-Length: 17",
        "Subject: inside",
        "\0\0",
        "From a@b.example Fri Mar  1 09:00:00 2024",
        "From -",
        "--boundary",
        "text",
    ];
    let (mut bytes, mut want) = (Vec::new(), Vec::new());
    let messages = 1 + numbers.below(7);
    for number in 0..messages {
        bytes.extend_from_slice(FROM.replace('\n', eol).as_bytes());
        let mut body = String::new();
        for _ in 0..numbers.below(20) {
            let line = *numbers.one(&LINES);
            let quoted = match variant {
                Variant::O | Variant::Cl => line.starts_with("From "),
                Variant::Rd => line.trim_start_matches('>').starts_with("From "),
                Variant::Cl2 => false,
            };
            body += &format!("{}{line}{eol}", if quoted { ">" } else { "" });
        }
        let length = match variant {
            Variant::Cl | Variant::Cl2 => format!("Content-Length: {}{eol}", body.len()),
            _ => String::new(),
        };
        let message = format!("To: a@b.example{eol}Subject: {number}{eol}{length}{eol}{body}");
        let last = if number + 1 == messages { eol.len() } else { 0 };
        want.push(format!("{}+{}", bytes.len(), message.len() + last));
        bytes.extend_from_slice(message.as_bytes());
        bytes.extend_from_slice(eol.as_bytes());
    }
    (bytes, want)
}

#[test]
fn what_was_written_is_read_whatever_the_variant() {
    let mut numbers = Numbers(7);
    for round in 0..40 {
        for variant in [Variant::O, Variant::Rd, Variant::Cl, Variant::Cl2] {
            let eol = *numbers.one(&["\n", "\r\n", "\r"]);
            let (bytes, want) = written(&mut numbers, variant, eol);
            assert_eq!(
                positions(&bytes),
                want,
                "round {round}, {variant:?}, {eol:?}"
            );
        }
    }
}

#[test]
fn hostile_bytes_are_split_the_same_in_every_way() {
    const PARTS: [&str; 24] = [
        "\n",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "From ",
        "From - \n",
        FROM,
        FROM,
        ONE,
        TWO,
        "Content-Length: 40\n",
        "Content-Length: 0\n",
        "Content-Length: 130\n\n",
        "Subject: x\n",
        "To: a@b.example\r\n",
        ">From \n",
        "\0",
        "From a Mon Jun  3 12:50:27 1996\n",
        "text\n",
        "\u{feff}",
        "Received: x\n y\n",
        "content-length :  90\n",
        "Date",
    ];
    for seed in 1..150 {
        let mut numbers = Numbers(seed * 7919);
        let mut text = (*numbers.one(&[
            FROM,
            "From - \nTo: x@y.example\n",
            "\u{feff}\n\nFrom \nTo: a\n",
        ]))
        .to_owned();
        for _ in 0..numbers.below(90) {
            text += *numbers.one(&PARTS);
        }
        positions(text.as_bytes());
    }
}

#[test]
fn messages_larger_than_a_chunk_are_split_the_same_in_every_way() {
    let mut numbers = Numbers(11);
    let mut bytes = Vec::new();
    for number in 0..40 {
        let long = if numbers.below(2) == 0 {
            300_000
        } else {
            3_000
        };
        let line = *numbers.one(&["From the top, unquoted.\n", "Nothing to be seen here\n"]);
        let body = line.repeat(numbers.below(long) / line.len());
        let length = match number % 3 {
            0 => format!("Content-Length: {}\n", body.len()),
            // Wrong ones make a stream read ahead: what it read must be searched all the same.
            1 => format!("Content-Length: {}\n", numbers.below(900_000)),
            _ => String::new(),
        };
        bytes.extend_from_slice(format!("{FROM}Subject: {number}\n{length}\n{body}\n").as_bytes());
    }
    let mut all = on_disk(&bytes, &[u64::MAX >> 1, 4_001, 70_000, 262_144, 262_145]);
    all.push(streamed(&bytes, 1 << 20));
    all.push(streamed(&bytes, 1_000));
    assert_eq!(all[0].len(), 40);
    all.windows(2).for_each(|two| assert_eq!(two[0], two[1]));
}

#[test]
fn a_message_longer_than_is_held_is_counted_and_hashed() {
    let mut bytes = format!("{FROM}{ONE}\n{FROM}Subject: long\nTo: a@b.example\n\n").into_bytes();
    let start = bytes.len() - 31;
    bytes.resize(bytes.len() + LONGEST_HELD + (3 << 20), b'x');
    let end = bytes.len();
    bytes.extend_from_slice(format!("\n\n{FROM}{TWO}").as_bytes());
    let mut all = on_disk(&bytes, &[u64::MAX >> 1, 8 << 20]);
    all.push(streamed(&bytes, 1 << 20));
    for seen in all {
        let positions: Vec<_> = seen.iter().map(|s| s.position.as_str()).collect();
        assert_eq!(positions[1], format!("{start}+{}", end + 1 - start));
        use sha2::Digest;
        let hash: [u8; 32] = sha2::Sha256::digest(&bytes[start..end + 1]).into();
        assert!(seen[1].what.starts_with(&format!("{hash:02x?}")));
        assert_eq!(seen.len(), 3);
    }
}

#[test]
fn a_stream_that_breaks_gives_what_precedes_and_one_torn_message() {
    struct Breaks<'a>(&'a [u8]);
    impl std::io::Read for Breaks<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
                n => Ok(n),
            }
        }
    }
    let text = format!("{FROM}{ONE}\n{FROM}{TWO}");
    let (first, habit) = beginning(text.as_bytes()).unwrap();
    let seen = read(|sink| stream(Breaks(text.as_bytes()), first, habit, &folder(), sink)).0;
    assert_eq!((seen[0].mail, seen[1].mail, seen.len()), (true, false, 2));
    assert_eq!(
        seen[1].what,
        "message: the message is cut off: it ends too early"
    );
}

#[test]
fn many_borders_and_no_line_ends_take_linear_time() {
    // Each of these would take hours if a border were looked for again and again.
    let borders = "From a Mon Jun  3 12:50:27 1996\n".repeat(60_000);
    let heads = "From a Mon Jun  3 12:50:27 1996\nSubject: x\n".repeat(60_000);
    let empty = format!("{FROM}{}", "From \n".repeat(300_000));
    let lengths = format!("{FROM}Content-Length: 900000\n\n").repeat(15_000);
    let line = format!("{FROM}{}", "x".repeat(4 << 20));
    for text in [borders, heads, empty, lengths, line] {
        let mut all = on_disk(text.as_bytes(), &[u64::MAX >> 1, 1 << 20]);
        all.push(streamed(text.as_bytes(), 1 << 20));
        assert!(!all[0].is_empty());
        all.windows(2).for_each(|two| assert!(two[0] == two[1]));
    }
}

#[test]
fn public_mboxes_are_split_the_same_in_every_way() {
    let Some(base) = std::env::var_os("CCSPILL_CORPORA") else {
        return;
    };
    let mut folders = vec![std::path::PathBuf::from(base)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path())
        {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let bytes = std::fs::read(entry).unwrap();
            if beginning(&bytes[..bytes.len().min(8 << 10)]).is_some() {
                let mut all = on_disk(&bytes, &[u64::MAX >> 1, 97, 1000, 65_536]);
                all.push(streamed(&bytes, 1000));
                all.windows(2).for_each(|two| assert_eq!(two[0], two[1]));
            }
        }
    }
}
