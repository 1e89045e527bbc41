//! The same mail gives the same tables, whether it is read from an account or from a file, over whatever line, by however
//! many threads; and what stands in them can be checked with any other mail program.

use crate::builders::{
    Case, Dovecot, FORCE, Mail, Mailbox, PASSWORD, Run, Setup, Wire, dovecot, people, victims,
    westminster,
};
use sha2::{Digest, Sha256};

fn holding(setup: Setup, mailbox: &Mailbox) -> Dovecot {
    let server = setup.user("robin", PASSWORD).start();
    server.put("robin", "Sent", mailbox.each());
    server
}

/// Megabytes of Base64 in lines.
fn large() -> String {
    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU2Nzg5QUJDREVGR0hJSktMTU5PUFFSU1Q=\r\n"
        .repeat(40_000)
}

/// A list of these people, with this head and body as they stand.
pub(crate) fn list(seed: u64, head: &str, body: &str) -> Vec<u8> {
    let cc: Vec<String> = people(16, seed).iter().map(ToString::to_string).collect();
    format!(
        "From: \"DC Robin Ashdown\" <robin.ashdown@force.example>\r\nCc: {}\r\nMessage-ID: <list{seed}@force.example>\r\n\
         Date: Mon, 11 Mar 2024 09:00:0{} +0000\r\n{head}\r\n{body}",
        cc.join(",\r\n "),
        seed % 10
    )
    .into_bytes()
}

/// Where it is told in the body alone that these are survivors of abuse.
fn told_in_the_body() -> Vec<Vec<u8>> {
    let words = "Dear survivors of abuse, our group of survivors of rape meets on Monday.";
    let base64 = "RGVhciBzdXJ2aXZvcnMgb2YgYWJ1c2UsIG91ciBncm91cCBvZiBzdXJ2aXZvcnMgb2YgcmFwZSBt\r\nZWV0cyBvbiBNb25kYXku\r\n";
    let part =
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let mixed = "MIME-Version: 1.0\r\nSubject: Dates\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n";
    let file = "Content-Type: application/pdf; name=\"plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let large = large();
    vec![
        list(40, "Subject: Dates\r\n", &format!("{words}\r\n")),
        list(
            41,
            "Subject: Dates\r\nContent-Type: text/html\r\n",
            &format!(
                "<p>Dear <b>survivors</b> of abuse, our group of survivors of rape meets.</p>\r\n<!-- {words} -->\r\n"
            ),
        ),
        list(
            42,
            &format!(
                "MIME-Version: 1.0\r\nSubject: Dates\r\n{}",
                &part[..part.len() - 2]
            ),
            base64,
        ),
        list(
            43,
            mixed,
            &format!("--=_b\r\n{part}{base64}--=_b\r\n{file}{large}--=_b--\r\n"),
        ),
        // The text comes behind megabytes of something else.
        list(
            44,
            mixed,
            &format!("--=_b\r\n{file}{large}--=_b\r\n{part}{base64}--=_b--\r\n"),
        ),
        list(
            45,
            mixed,
            &format!(
                "--=_b\r\n{}{large}--=_b--\r\n",
                file.replace("plan.pdf", "Survivors of rape, list of members.pdf")
            ),
        ),
        list(
            46,
            "Subject: =?utf-8?Q?Survivors=27_group=3A_?=\r\n =?utf-8?Q?f=C3=BCr_alle?=\r\n",
            "See above.\r\n",
        ),
    ]
}

/// Mail of every make, whose findings hang on all that may be told of a message.
fn of_every_make() -> Mailbox {
    let group = people(20, 61);
    let members: Vec<String> = group.iter().map(ToString::to_string).collect();
    let eight_bit = [
        b"From: \"DC Robin Ashdown\" <robin.ashdown@force.example>\r\nTo: J\xfcrgen B\xfccher <juergen@inbox.test>,\r\n".as_slice(),
        b"\tZo\xc3\xab <zoe@webmail.example>, =?iso-8859-1?Q?Andr=E9?= <andre@freemail.example>,\r\n x@homemail.example (Siwan)\r\n",
        b"Subject: Survivors of rape: r\xe9union\r\nDate: Tue, 12 Mar 2024 09:00:00 +0000\r\n\r\nDear survivors of abuse, we meet.\r\n",
    ]
    .concat();
    Mailbox::ordinary(30)
        .mail(westminster)
        .mails(told_in_the_body(), |m, raw| m.raw(raw))
        .mail(|m| m.raw(eight_bit))
        .mail(|m| {
            m.id("group@force.example")
                .to([format!("Survivors of abuse: {};", members.join(", "))])
                .subject("Dates")
        })
        .mail(|m| {
            westminster(m)
                .id("")
                .day(12)
                .subject("Complainants: no Message-ID")
        })
        .mail(|m| {
            westminster(m)
                .id("")
                .date("")
                .subject("Complainants: neither Message-ID nor date")
        })
        .mail(|m| survivors(m, 71).date("").id("dateless@force.example"))
        .mail(|m| {
            survivors(m, 72)
                .attachment("Victims of trafficking.xlsx")
                .body("See the attachment.")
                .subject("List")
        })
        .mail(|m| survivors(m, 73).header("X-Filler", &"a long line of no interest ".repeat(4000)))
        .mail(|m| {
            m.id("crowd@force.example")
                .to(people(2500, 74))
                .subject("Change of room")
        })
        .mail(|m| {
            westminster(m)
                .from(&victims()[3])
                .id("answer@webmail.example")
                .day(13)
        })
        .mail(|m| m.raw(&b"From: robin.ashdown@force.example\r\nTo: a@inbox.test\r\n\r\n"[..]))
        .mails(lists_inside(), |m, raw| m.raw(raw))
        .mail(|m| {
            m.to(["colleague1@force.example"])
                .body("From Monday on.\n>From here.\n\nFrom then.")
        })
        .background(10)
}

/// Forwards to one person outside of lists that are quoted, or attached in front of and behind megabytes of something else.
fn lists_inside() -> Vec<Vec<u8>> {
    let list: Vec<String> = people(30, 75).iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    let head = |n: usize, kind: &str| {
        format!(
            "From: robin.ashdown@force.example\r\nTo: arthur.bell@firm.example\r\nSubject: FW: Dates {n}\r\n\
             Message-ID: <inside{n}@force.example>\r\nDate: Mon, 11 Mar 2024 10:0{n}:00 +0000\r\n{kind}\r\n"
        )
    };
    let mixed = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n";
    let text = "--=_b\r\nContent-Type: text/plain\r\n\r\nSee attached.\r\n";
    let file = format!(
        "--=_b\r\nContent-Type: application/pdf; name=\"plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        large()
    );
    let attached = format!(
        "--=_b\r\nContent-Type: message/rfc822\r\n\r\nFrom: robin.ashdown@force.example\r\nTo: {list}\r\n\
         Subject: Dates\r\n\r\n{}\r\n",
        "Dear survivors of abuse, we meet on Monday.\r\n".repeat(400)
    );
    let quoted = format!(
        "See below.\r\n\r\nFrom: Robin <robin.ashdown@force.example>\r\nSent: Monday\r\nTo: {list}\r\n\
         Subject: Dates\r\n\r\nDear survivors of abuse, we meet.\r\n"
    );
    [
        head(1, "") + &quoted,
        head(2, mixed) + text + &attached + &file + "--=_b--\r\n",
        head(3, mixed) + text + &file + &attached + "--=_b--\r\n",
    ]
    .map(String::into_bytes)
    .into()
}

fn survivors(m: Mail, seed: u64) -> Mail {
    m.id(&format!("list{seed}@force.example"))
        .cc(people(30, seed))
        .subject("Survivors' group: dates")
        .body("Dear survivors of abuse, we meet on Monday.")
}

/// messages.csv without what tells the place.
fn messages(case: &Case) -> Vec<Vec<String>> {
    let text = case.text("messages.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let places = ["source", "folder", "position", "sha256", "also_at"];
    let header = reader.headers().unwrap().clone();
    let kept = |row: csv::StringRecord| {
        let cells = header
            .iter()
            .zip(row.iter())
            .filter(|(name, _)| !places.contains(name));
        cells.map(|(_, cell)| cell.to_owned()).collect()
    };
    reader.records().map(|row| kept(row.unwrap())).collect()
}

#[track_caller]
pub(crate) fn same_but_for_the_place(one: &Case, other: &Case) {
    for name in ["people.csv", "viewers.csv", "exposures.csv"] {
        assert!(
            one.text(name) == other.text(name),
            "{name}:\n{}\n---\n{}",
            one.text(name),
            other.text(name)
        );
    }
    assert_eq!(messages(one), messages(other));
    for what in ["read", "judged", "received", "duplicates", "unread"] {
        assert_eq!(one.count(what), other.count(what), "{what}");
    }
}

#[track_caller]
fn same(one: &Case, other: &Case) {
    for (name, text) in one.exports() {
        assert!(
            text == other.exports()[name],
            "{name}:\n{text}\n---\n{}",
            other.exports()[name]
        );
    }
}

#[test]
fn an_account_gives_the_same_as_an_mbox_of_the_same_mail() {
    let mailbox = of_every_make();
    let server = holding(dovecot(), &mailbox);
    let file = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    let found = file.found();
    for id in [
        "westminster",
        "list40",
        "list42",
        "list43",
        "list44",
        "list45",
        "list46",
        "group",
        "dateless",
        "list72",
        "crowd",
        "inside1",
        "inside2",
        "inside3",
    ] {
        assert!(
            found.iter().any(|one| one == id),
            "the file does not show {id}: {found:?}"
        );
    }
    let account = server.scan("robin").ok();
    same_but_for_the_place(&file, &account);
}

#[test]
fn several_folders_give_the_same_as_a_maildir_of_the_same_mail() {
    let [sent, inbox, trash] = [
        Mailbox::ordinary(20).mail(westminster),
        Mailbox::numbered_from(100).mails(&victims()[..7], |m, who| {
            m.answers(who, "westminster@force.example", "your bail date")
                .from(who)
                .to(["robin.ashdown@force.example"])
                .day(10)
        }),
        Mailbox::numbered_from(200)
            .mail(|m| survivors(m, 8))
            .background(5),
    ];
    let server = dovecot().user("robin", PASSWORD).start();
    let folders = [("Sent", &sent), ("INBOX", &inbox), ("Trash", &trash)];
    folders
        .iter()
        .for_each(|(folder, mailbox)| server.put("robin", folder, mailbox.each()));
    let files = folders
        .iter()
        .flat_map(|(folder, mailbox)| mailbox.in_maildir(folder))
        .collect::<Vec<_>>();
    let disk = Run::scan(crate::builders::Store::folder(files).path())
        .org(FORCE)
        .ok();
    assert_eq!(disk.messages().len(), 2);
    same_but_for_the_place(&disk, &server.scan("robin").ok());
}

#[test]
fn with_received_mail_from_outside_is_judged_over_a_line_too() {
    let mailbox = of_every_make();
    let server = holding(dovecot(), &mailbox);
    let file = Run::scan(mailbox.mbox().path())
        .org(FORCE)
        .arg("--received")
        .ok();
    let account = server.scan("robin").arg("--received").ok();
    assert!(
        account.found().contains(&"answer".to_owned()),
        "{:?}",
        account.found()
    );
    same_but_for_the_place(&file, &account);
}

#[test]
fn a_finding_stands_where_any_mail_program_finds_it_with_the_hash_of_what_it_gets() {
    let mailbox = of_every_make();
    let server = holding(dovecot(), &mailbox);
    let case = server.scan("robin").ok();
    let validity = server.status("robin", "Sent", "uidvalidity").to_string();
    let mut wire = Wire::of(&server, "robin");
    wire.ask("EXAMINE Sent");
    let mails: Vec<Vec<u8>> = mailbox.each().collect();
    for row in case.messages() {
        assert_eq!(
            (&row["source"], &row["folder"]),
            (server.imaps("robin").as_str(), "Sent")
        );
        let (of, uid) = row["position"].split_once(':').expect("uidvalidity:uid");
        assert_eq!(of, validity);
        let hash: String = Sha256::digest(&mails[uid.parse::<usize>().unwrap() - 1])
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(hash, row["sha256"], "{}", &row["message_id"]);
        if !row["message_id"].is_empty() {
            let said = wire.ask(&format!(
                "UID FETCH {uid} (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
            ));
            assert!(said.contains(&row["message_id"]), "{said}");
        }
    }
}

#[test]
fn of_what_is_no_finding_the_text_is_not_fetched_and_nothing_whole() {
    let server = holding(dovecot(), &of_every_make());
    let case = server.scan("robin").ok();
    let found = case.messages().len();
    let asked = server.asked("robin");
    let whole: Vec<_> = asked
        .iter()
        .filter(|line| line.contains("BODY.PEEK[]"))
        .collect();
    let uids: usize = whole
        .iter()
        .flat_map(|line| {
            line.strip_prefix("UID FETCH ")
                .expect("by UID")
                .split(' ')
                .next()
                .unwrap()
                .split(',')
        })
        .map(|range| match range.split_once(':') {
            None => 1,
            Some((first, last)) => {
                last.parse::<usize>().unwrap() - first.parse::<usize>().unwrap() + 1
            }
        })
        .sum();
    // A long message may be fetched in several pieces, each of which names it.
    assert!(uids >= found, "{found} findings, whole: {whole:#?}");
    let ordinary = whole
        .iter()
        .any(|line| line.starts_with("UID FETCH 1 ") || line.starts_with("UID FETCH 30 "));
    assert!(!ordinary, "{whole:#?}");
}

#[test]
fn one_thread_and_four_write_the_same_bytes() {
    let server = holding(dovecot(), &of_every_make());
    server.put(
        "robin",
        "Archive",
        Mailbox::numbered_from(900)
            .background(40)
            .mail(|m| survivors(m, 9))
            .each(),
    );
    let one = server.scan("robin").arg("--jobs").arg("1").ok();
    let four = server.scan("robin").arg("--jobs").arg("4").ok();
    assert!(one.messages().len() > 10);
    same(&one, &four);
}

#[test]
fn the_line_changes_nothing() {
    // The mail is as long as the program's own reasons to compress or to ask in smaller pieces may need.
    let mailbox = of_every_make();
    let plain = holding(dovecot(), &mailbox).scan("robin").ok();
    for server in [
        holding(dovecot().compress(), &mailbox),
        holding(dovecot().tls_minimum("TLSv1.3"), &mailbox),
        holding(dovecot().connections(1), &mailbox),
        holding(dovecot().format(crate::builders::Format::Mdbox), &mailbox),
    ] {
        same_but_for_the_place(&plain, &server.scan("robin").ok());
        same_but_for_the_place(&plain, &server.scan_url(&server.imap("robin")).ok());
    }
}

#[test]
fn an_account_and_a_file_of_the_same_mail_are_one() {
    let mailbox = of_every_make();
    let server = holding(dovecot(), &mailbox);
    let file = mailbox.mbox();
    let alone = Run::scan(file.path()).org(FORCE).ok();
    let both = server.scan("robin").arg(file.path()).ok();
    assert_eq!(both.exposed(), alone.exposed());
    assert_eq!(both.messages().len(), alone.messages().len());
    assert_eq!(both.count("judged"), alone.count("judged"));
    for row in both.messages() {
        let places = format!("{} {}", &row["source"], &row["also_at"]);
        assert!(
            places.contains("imaps://") && places.contains("Sent.mbox"),
            "{places}"
        );
    }
}
