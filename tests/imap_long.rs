//! Long heads and long messages tell over IMAP what they tell in a file, however far behind it stands.

use crate::builders::{Case, FORCE, Mailbox, PASSWORD, Person, Run, dovecot, victims};
use crate::imap_same::{list, same_but_for_the_place};

const WORDS: &str = "Dear survivors of abuse, our group of survivors of rape meets on Monday.";

/// The same mail from an account and from a file.
#[track_caller]
fn both(mailbox: &Mailbox) -> Case {
    let server = dovecot().user("robin", PASSWORD).start();
    server.put("robin", "Sent", mailbox.each());
    let file = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    let account = server.scan("robin").ok();
    same_but_for_the_place(&file, &account);
    account
}

#[test]
fn eighteen_thousand_addresses_in_to_are_eighteen_thousand_people() {
    let guest = |n: usize| {
        let address = format!("guest.number{n}@inbox.test");
        Person::new(&format!("Guest {n}"), &address)
    };
    let crowd: Vec<Person> = (0..18_000).map(guest).collect();
    let mailbox = Mailbox::ordinary(5)
        .mail(|m| {
            m.id("crowd@force.example")
                .to(&crowd)
                .subject("Update: change of bail date")
        })
        .background(5);
    let longest = mailbox.each().map(|mail| mail.len()).max();
    assert!(
        longest > Some(700 << 10),
        "a head over 512 KiB: {longest:?}"
    );
    let case = both(&mailbox);
    assert_eq!(
        (case.found(), case.people().len()),
        (vec!["crowd".to_owned()], 18_000)
    );
    assert!(case.exposed().contains("guest.number17999@inbox.test"));
}

/// Base64 of bytes that mean nothing, this long.
fn filler(length: usize) -> String {
    let line = "JVBERi0xLjcKQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU2Nzg5QUJDREVGR0hJSktM\r\n";
    line.repeat(length / line.len() + 1)
}

/// One part, of this kind, named so where it has a name.
fn part(kind: &str, name: &str, content: &str) -> String {
    let name = if name.is_empty() {
        String::new()
    } else {
        format!("; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"")
    };
    format!("Content-Type: {kind}{name}\r\n{content}\r\n")
}

fn pdf(name: &str, length: usize) -> String {
    let content = format!(
        "Content-Transfer-Encoding: base64\r\n\r\n{}",
        filler(length)
    );
    part("application/pdf", name, &content)
}

fn text(words: &str) -> String {
    part("text/plain; charset=utf-8", "", &format!("\r\n{words}"))
}

fn parts(boundary: &str, parts: &[String]) -> String {
    let mut out = String::new();
    for part in parts {
        out += &format!("--{boundary}\r\n{part}");
    }
    out + &format!("--{boundary}--\r\n")
}

fn multipart(kind: &str, boundary: &str) -> String {
    format!(
        "MIME-Version: 1.0\r\nSubject: Dates\r\nContent-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n"
    )
}

/// A list whose subject tells nothing, alone among ordinary mail. The file must show that it is of this group, so that the
/// account is asked for something.
#[track_caller]
fn is_told_of(seed: u64, head: &str, body: &str) {
    let mail = list(seed, head, body);
    assert!(mail.len() > 500 << 10, "a long message: {}", mail.len());
    let mailbox = Mailbox::ordinary(5)
        .mail(|m| m.raw(mail))
        .background(5)
        .mail(|m| m.to([&victims()[0]]));
    let server = dovecot().user("robin", PASSWORD).start();
    server.put("robin", "Sent", mailbox.each());
    let file = Run::scan(mailbox.mbox().path()).org(FORCE).ok();
    let row = file.only_message();
    assert!(
        row["groups"].contains("sexual"),
        "the file tells nothing: {row:?}"
    );
    let account = server.scan("robin").ok();
    assert_eq!(&account.only_message()["groups"], &row["groups"]);
    same_but_for_the_place(&file, &account);
}

#[test]
fn text_behind_a_large_attachment_and_8_kib_of_its_own_is_read() {
    let late = format!(
        "{}{WORDS}",
        "Nothing of interest is said here.\r\n".repeat(400)
    );
    let body = parts(
        "=_b",
        &[text("See below."), pdf("plan.pdf", 780 << 10), text(&late)],
    );
    is_told_of(80, &multipart("mixed", "=_b"), &body);
}

#[test]
fn a_name_within_the_parts_of_a_signed_message_is_read() {
    let inner = parts(
        "=_c",
        &[
            text("See the attachment."),
            pdf("plan.pdf", 780 << 10),
            pdf("Survivors of rape, list of members.pdf", 100),
        ],
    );
    let mixed = format!("Content-Type: multipart/mixed; boundary=\"=_c\"\r\n\r\n{inner}");
    let signature = part("application/pkcs7-signature", "smime.p7s", "\r\nQUJD");
    let body = parts("=_b", &[mixed, signature]);
    is_told_of(81, &multipart("signed", "=_b"), &body);
}

#[test]
fn the_subject_of_a_message_attached_behind_a_large_attachment_is_read() {
    let attached = "\r\nFrom: robin.ashdown@force.example\r\nTo: desk@force.example\r\n\
                    Subject: Survivors of rape, list of members\r\n\r\nAs agreed.";
    let body = parts(
        "=_b",
        &[
            text("See below."),
            pdf("plan.pdf", 780 << 10),
            part("message/rfc822", "", attached),
        ],
    );
    is_told_of(82, &multipart("mixed", "=_b"), &body);
}

#[test]
fn html_in_base64_is_read_to_its_last_words() {
    use base64::Engine as _;
    // Markup is long and says nothing.
    let markup = "<p style=\"margin: 0; padding: 0; font-family: sans-serif; color: black\" class=\"of-no-interest-at-all\">x</p>\r\n";
    let html = format!(
        "<html>{}<p>{WORDS}</p></html>",
        markup.repeat((1_150 << 10) / markup.len())
    );
    let base64 = base64::engine::general_purpose::STANDARD.encode(html);
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let body = lines.join("\r\n") + "\r\n";
    assert!(body.len() > 1_500_000, "{}", body.len());
    let head = "MIME-Version: 1.0\r\nSubject: Dates\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n";
    is_told_of(83, head, &body);
}
