//! What archives of all kinds give, whole and damaged.
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use super::{Place, stream};
use crate::source::sink::Sink;
use crate::source::testing::{Dribble, Numbers, Seen, read, read_units};
use crate::source::walk::Walk;
use crate::source::{Coverage, Unit, local};
use std::io::{Cursor, Write};
use std::ops::ControlFlow;

const FROM: &str = "From pat@force.example Fri Mar  1 09:00:00 2024\n";

impl Walk<'_> {
    fn test(name: &str) -> Walk<'_> {
        Walk {
            name,
            piece: 1 << 20,
            threads: 3,
        }
    }
}

fn mail(number: usize) -> String {
    format!("From: pat@force.example\nTo: a@b.example\nSubject: {number}\n\nText {number}.\n")
}

fn mbox(messages: usize) -> Vec<u8> {
    (0..messages)
        .flat_map(|n| format!("{FROM}{}\n", mail(n)).into_bytes())
        .collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Reads a stream as the source `export`, in small pieces.
fn seen(bytes: &[u8]) -> (Vec<Seen>, Coverage) {
    let walk = Walk::test("export");
    let mut input = Dribble {
        bytes,
        numbers: Numbers(5),
        most: 700,
    };
    read(|sink| stream(&mut input, &Place::of_file(&walk, ""), sink))
}

/// `folder|position` of each message, and the reasons of what is unread.
fn told(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mails, unread): (Vec<Seen>, Vec<Seen>) = seen(bytes).0.into_iter().partition(|s| s.mail);
    let mails = mails
        .into_iter()
        .map(|s| format!("{}|{}", s.folder, s.position));
    let unread = unread
        .into_iter()
        .map(|s| format!("{}|{}|{}", s.folder, s.position, s.what));
    (mails.collect(), unread.collect())
}

#[test]
fn archives_within_one_another_give_the_same_messages() {
    let plain = seen(&mbox(3)).0;
    let whats = |bytes: &[u8]| -> Vec<String> {
        let (seen, _) = seen(bytes);
        seen.into_iter().map(|s| s.position + &s.what).collect()
    };
    let want: Vec<String> = plain.into_iter().map(|s| s.position + &s.what).collect();
    let mbox = mbox(3);
    let zstd = zstd::encode_all(&mbox[..], 1).unwrap();
    for bytes in [
        gzip(&mbox),
        [gzip(&mbox[..50]), gzip(&mbox[50..]), vec![0; 1000]].concat(),
        [
            zstd::encode_all(&mbox[..50], 1).unwrap(),
            zstd::encode_all(&mbox[50..], 1).unwrap(),
        ]
        .concat(),
        zip(&[("Mail/Sent.mbox", &mbox)]),
        tar(&[("Mail/Sent.mbox", &mbox)]),
        gzip(&tar(&[("Mail/Sent.mbox", &zip(&[("Sent", &gzip(&zstd))]))])),
    ] {
        assert_eq!(whats(&bytes), want);
    }
}

#[test]
fn members_say_where_they_stand() {
    let (one, two) = (mail(1), mail(2));
    let inner = tar(&[
        ("Maildir/.Sent/cur/1.host:2,S", one.as_bytes()),
        ("Maildir/.Sent/tmp/1709280000.M1.host", one.as_bytes()),
    ]);
    let (mails, unread) = told(&zip(&[
        ("Takeout/Mail/Sent.mbox", &mbox(1)),
        ("letters/2024/a.eml", one.as_bytes()),
        ("letters/2024/b.eml", two.as_bytes()),
        ("../../etc/c.eml", two.as_bytes()),
        ("photo.jpg", b"\xff\xd8\xff"),
        ("backup.tar.gz", &gzip(&inner)),
    ]));
    let length = mail(0).len() + 1;
    assert_eq!(mails[0], format!("Takeout/Mail/Sent.mbox|48+{length}"));
    assert_eq!(
        mails[1..],
        [
            "letters/2024|a.eml",
            "letters/2024|b.eml",
            "etc|c.eml",
            "backup.tar.gz!Maildir/.Sent|cur/1.host:2,S"
        ]
    );
    assert_eq!(unread, Vec::<String>::new());
}

#[test]
fn a_cut_gzip_gives_what_precedes_and_one_torn_message() {
    let mut numbers = Numbers(3);
    let noise: String = (0..60_000)
        .map(|_| char::from(b'a' + numbers.below(26) as u8))
        .collect();
    let mbox = format!("{FROM}{}\n{FROM}{}{noise}\n", mail(1), mail(2));
    let whole = gzip(mbox.as_bytes());
    let (mails, unread) = told(&whole[..whole.len() / 2]);
    assert_eq!(mails.len(), 1);
    assert_eq!(unread.len(), 1);
    assert!(
        unread[0].ends_with("message: the message is cut off: it ends too early"),
        "{unread:?}"
    );
    let (mails, unread) = told(&[&gzip(&mbox.into_bytes())[..], b"rubbish"].concat());
    assert_eq!((mails.len(), unread.len()), (2, 1), "{unread:?}");
}

/// Messages that hardly compress, together longer than what is read before a thread is started.
fn noisy(messages: usize) -> Vec<u8> {
    let mut numbers = Numbers(3);
    let mut mbox = Vec::new();
    for number in 0..messages {
        mbox.extend(format!("{FROM}{}", mail(number)).into_bytes());
        mbox.extend((0..9_000).map(|at| match at % 90 {
            0 => b'\n',
            _ => b'a' + numbers.below(26) as u8,
        }));
        mbox.extend(b"\n\n");
    }
    mbox
}

/// The units that a stream gives, by that many threads: what each holds, and what was counted.
fn units(bytes: &[u8], threads: usize) -> (Vec<Vec<Seen>>, Coverage) {
    let walk = Walk {
        threads,
        ..Walk::test("export")
    };
    let mut units = Vec::new();
    let mut each = |unit: Box<dyn Unit>| {
        units.push(read_units(&[unit]));
        ControlFlow::Continue(())
    };
    let mut sink = Sink::new(&mut each);
    let flow = stream(&mut &bytes[..], &Place::of_file(&walk, ""), &mut sink);
    assert!(flow.is_continue());
    let coverage = sink.finish();
    (units, coverage)
}

/// A zip of mboxes large and small, messages, archives and files that are no mail.
fn takeout() -> Vec<u8> {
    let (large, small) = (noisy(600), mbox(3));
    let inner = zip(&[("x.mbox", &small), ("y.eml", mail(7).as_bytes())]);
    let mut files = vec![
        ("Mail/All.mbox".to_owned(), large.clone()),
        ("Mail/Work.mbox.gz".to_owned(), gzip(&large)),
        ("old/officer.zip".to_owned(), inner.clone()),
        ("old/again.zip".to_owned(), zip(&[("z.zip", &inner)])),
        (
            "old/home.tar.gz".to_owned(),
            gzip(&tar(&[("Sent", &large)])),
        ),
    ];
    for number in 0..900 {
        let name = format!("letters/{}/{number}.eml", number / 250);
        files.push((name, mail(number).into_bytes()));
        if number % 100 == 0 {
            files.push((format!("photo{number}.jpg"), b"\xff\xd8\xff".to_vec()));
            files.push((format!("old/{number}.mbox"), small.clone()));
        }
    }
    let files: Vec<_> = files.iter().map(|(n, b)| (&n[..], &b[..])).collect();
    zip(&files)
}

#[test]
fn members_side_by_side_give_the_same_units_as_one_after_the_other() {
    let whole = takeout();
    let one = units(&whole, 1);
    let messages: usize = one.0.iter().map(Vec::len).sum();
    assert_eq!(messages, 3 * 600 + 8 + 900 + 27);
    assert_eq!(one.1.not_mail, 9);
    for threads in [2, 16] {
        assert!(units(&whole, threads) == one, "{threads}");
    }
    for seed in 1..16 {
        let (mut bad, mut numbers) = (whole.clone(), Numbers(seed * 104_729));
        for _ in 0..1 + numbers.below(9) {
            // Mostly near the end, where the small members and the directory stand.
            let back = 1 + numbers.below(if seed % 2 == 0 { bad.len() } else { 400_000 });
            let at = bad.len() - back;
            bad[at] = numbers.below(256) as u8;
        }
        assert!(units(&bad, 5) == units(&bad, 1), "{seed}");
    }
}

#[test]
fn a_large_torn_archive_gives_all_that_precedes_and_one_torn_message() {
    let mbox = noisy(300);
    let all = told(&mbox).0;
    let zip = zip(&[("Sent.mbox", &mbox)]);
    for (whole, name) in [
        (gzip(&mbox), ""),
        (zstd::encode_all(&mbox[..], 1).unwrap(), ""),
        (gzip(&tar(&[("Sent.mbox", &mbox)])), "Sent.mbox"),
        (zip, "Sent.mbox"),
    ] {
        let all: Vec<String> = all.iter().map(|m| format!("{name}{m}")).collect();
        assert!(told(&whole).0 == all, "{name}");
        let (mails, unread) = told(&whole[..whole.len() * 3 / 4]);
        assert!(mails.len() > 200 && mails[..] == all[..mails.len()]);
        let torn = unread
            .iter()
            .filter(|u| u.contains("the message is cut off: it ends too early"));
        assert_eq!(torn.count(), 1, "{unread:?}");
    }
}

#[test]
fn a_large_damaged_gzip_gives_what_precedes_the_damage_and_says_so() {
    let mbox = noisy(300);
    let mut bad = gzip(&mbox);
    // The checksum at its end: all bytes come, and then an error.
    let at = bad.len() - 6;
    bad[at] ^= 0xff;
    bad.extend(b"rubbish");
    let (mails, unread) = told(&bad);
    assert_eq!((mails.len(), unread.len()), (299, 1), "{unread:?}");
    assert!(unread[0].contains("corrupt gzip stream"), "{unread:?}");
    let (mails, unread) = told(&[gzip(&mbox), b"rubbish".to_vec()].concat());
    assert_eq!((mails.len(), unread.len()), (300, 1), "{unread:?}");
}

#[test]
fn a_stop_in_the_middle_of_a_large_archive_ends_the_reading() {
    let (mbox, walk) = (noisy(3000), Walk::test("export"));
    for bytes in [
        gzip(&mbox),
        gzip(&tar(&[("a.mbox", &mbox)])),
        zip(&[("a.mbox", &mbox), ("b.mbox", &mbox)]),
    ] {
        let mut units = 0;
        let mut each = |_: Box<dyn Unit>| {
            units += 1;
            ControlFlow::Break(())
        };
        let flow = stream(
            &mut &bytes[..],
            &Place::of_file(&walk, ""),
            &mut Sink::new(&mut each),
        );
        assert!(flow.is_break() && units == 1);
    }
}

#[test]
fn a_damaged_member_does_not_hide_the_next() {
    let good = zip(&[("a.mbox", &mbox(40)), ("b.mbox", &mbox(2))]);
    let mut bad = good.clone();
    bad[90] ^= 0xff;
    let (mails, unread) = told(&bad);
    assert!(
        mails.iter().filter(|m| m.starts_with("b.mbox|")).count() == 2 && !unread.is_empty(),
        "{mails:?} {unread:?}"
    );
    let (mails, unread) = told(&good[..good.len() - 30]);
    assert_eq!((mails.len(), unread.len()), (42, 1), "{unread:?}");
    assert!(
        unread[0].contains("the zip archive is damaged"),
        "{unread:?}"
    );
}

#[test]
fn members_of_one_name_are_all_read() {
    let mut bytes = zip(&[("a.eml", mail(1).as_bytes()), ("b.eml", mail(2).as_bytes())]);
    for at in 0..bytes.len() - 5 {
        if &bytes[at..at + 5] == b"b.eml" {
            bytes[at] = b'a';
        }
    }
    let (seen, _) = seen(&bytes);
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0].what, seen[1].what);
}

#[test]
fn a_cut_tar_says_so_and_long_names_are_read() {
    let long = format!("{}/Sent.mbox", "folder".repeat(60));
    let whole = tar(&[(&long, &mbox(2)), ("Sent", &mbox(30))]);
    let (mails, unread) = told(&whole);
    assert!(
        mails[0].starts_with(&format!("{long}|")) && mails.len() == 32 && unread.is_empty(),
        "{unread:?}"
    );
    let (mails, unread) = told(&whole[..whole.len() - 2500]);
    assert!(
        mails.len() < 32 && unread.len() == 2,
        "{mails:?} {unread:?}"
    );
    assert!(
        unread[1].contains("the tar archive is damaged after 'Sent': it ends too early"),
        "{unread:?}"
    );
    let (mails, unread) = told(&whole[..whole.len() - 1024]);
    assert_eq!((mails.len(), unread.len()), (32, 1), "no end mark");
}

#[test]
fn what_is_too_deep_is_listed() {
    let deep = (0..9).fold(mbox(1), |inner, _| gzip(&inner));
    let (mails, unread) = told(&deep);
    assert_eq!((mails.len(), unread.len()), (0, 1));
    assert!(unread[0].contains("too deep"), "{unread:?}");
}

#[test]
fn rubbish_of_every_kind_is_survived() {
    let whole = [
        zip(&[("a.mbox", &mbox(9)), ("b.eml", mail(1).as_bytes())]),
        gzip(&tar(&[("a.mbox", &mbox(9))])),
        tar(&[("a/b.mbox", &mbox(9))]),
    ];
    for seed in 1..400 {
        let mut numbers = Numbers(seed * 104_729);
        let mut bytes = numbers.one(&whole).clone();
        for _ in 0..1 + numbers.below(6) {
            let at = numbers.below(bytes.len());
            match numbers.below(3) {
                0 => bytes[at] = numbers.below(256) as u8,
                1 => bytes[at] = 0xff,
                _ => bytes.truncate(at.max(600)),
            }
        }
        seen(&bytes);
    }
}

#[test]
fn a_named_file_that_is_no_mail_is_refused_with_a_mend() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    };
    let refused = |path: &str| local::open(path).err().unwrap().to_string();
    for (name, bytes, what) in [
        (
            "a.pst",
            b"!BDN\0\0".to_vec(),
            "it is an Outlook store (PST), which this version does not read",
        ),
        (
            "a.pdf",
            b"%PDF-1.7\n".to_vec(),
            "it holds no mail that ccspill can recognise",
        ),
        (
            "a.mbox",
            b"Year: 1963\nTitle: From Russia with love\n".to_vec(),
            "it holds no mail",
        ),
        ("a.gz", gzip(b"%PDF-1.7\n"), "it holds no mail"),
        (
            "a.xz",
            b"\xfd7zXZ\0".to_vec(),
            "it is an xz archive, which this version does not read",
        ),
    ] {
        let path = path(name, &bytes);
        let why = refused(&path);
        assert!(
            why.starts_with(&format!("cannot open '{path}': {what}")) && why.contains("\n  try: "),
            "{why}"
        );
    }
    path("sent.mbox", &mbox(1));
    let why = refused(&dir.path().join("Sent.mbx").to_string_lossy());
    assert!(
        why.contains("there is no such file or folder\n  try: did you mean '")
            && why.contains("sent.mbox'?"),
        "{why}"
    );
}

#[test]
fn a_folder_of_many_kinds_is_read_whole_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put("Maildir/cur/1.host:2,DT", mail(1).as_bytes());
    put("Maildir/new/2.host", &gzip(mail(2).as_bytes()));
    put("Maildir/tmp/3.host", mail(3).as_bytes());
    put(
        "Maildir/.Sent.2024/cur/4.host;2,S",
        b"no head, but a message",
    );
    put("Maildir/.Sent.2024/new/.hidden", b"");
    put("Sent.mbox/mbox", &mbox(1));
    put(
        "Sent.mbox/Messages/5.emlx",
        format!("{}\n{}<plist/>", mail(5).len(), mail(5)).as_bytes(),
    );
    put("Thunderbird/Sent.sbd/2023", &mbox(1));
    put("Thunderbird/Sent.msf", b"// <!-- <mdb:mork -->");
    put("case/case.db", b"SQLite format 3\0");
    put("case/copy.mbox", &mbox(1));
    put("old.pst", b"!BDN");
    put("empty", b"");
    #[cfg(unix)]
    std::os::unix::fs::symlink(dir.path(), dir.path().join("again")).unwrap();
    let mut units = Vec::new();
    let source = local::open(&dir.path().to_string_lossy()).unwrap();
    let coverage = crate::source::all_units(source.as_ref(), 2, &mut |unit| {
        units.push(unit);
        ControlFlow::Continue(())
    })
    .unwrap();
    let seen = crate::source::testing::read_units(&units);
    let told: Vec<String> = seen
        .iter()
        .map(|s| format!("{}|{}", s.folder, s.position))
        .collect();
    let length = mail(0).len() + 1;
    assert_eq!(
        told,
        [
            "Maildir|cur/1.host:2,DT".to_owned(),
            "Maildir|new/2.host".to_owned(),
            "Maildir/.Sent.2024|cur/4.host;2,S".to_owned(),
            "Sent.mbox/Messages|5.emlx".to_owned(),
            format!("Sent.mbox|48+{length}"),
            format!("Thunderbird/Sent.sbd/2023|48+{length}"),
            "|old.pst".to_owned(),
        ]
    );
    assert!(seen[0].what.contains("draft: true, deleted: true"));
    assert_eq!(
        seen[6].what,
        "part: Outlook store: this version does not read it"
    );
    assert_eq!(coverage.not_mail, 3);
    #[cfg(unix)]
    assert_eq!(coverage.limits, ["1 symbolic link was not followed"]);
    assert_eq!(
        source.sha256(&|| false).unwrap(),
        source.sha256(&|| false).unwrap()
    );
    assert_eq!(source.stamp(), source.stamp());
}
