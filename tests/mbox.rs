//! Cutting an mbox: no message lost, none doubled, none cut in two (RFC 4155 and what real files do).

use crate::builders::{Case, Eol, FORCE, Mail, Mailbox, Quoting, Run, Store, people, westminster};

/// A separator as mail programs write it.
const FROM: &str = "From robin.ashdown@force.example Fri Mar  1 09:00:00 2024\n";

/// A short mail to a colleague with this body, without its separator.
fn short(number: usize, body: &str) -> String {
    let bytes = Mail::new(number)
        .to(["colleague@force.example"])
        .body(body)
        .bytes();
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

/// The exposure that every file of this module holds, as text.
fn victims() -> String {
    String::from_utf8(westminster(Mail::new(900)).bytes())
        .unwrap()
        .replace("\r\n", "\n")
}

fn scan(text: impl AsRef<[u8]>) -> Case {
    Run::scan(Store::file("Sent.mbox", text).path())
        .org(FORCE)
        .ok()
}

#[track_caller]
fn holds(text: impl AsRef<[u8]>, messages: u64) {
    let case = scan(text);
    assert_eq!(case.count("read"), messages, "messages in the file");
    assert_eq!(case.found(), ["westminster"]);
    assert_eq!(case.people().len(), 18);
}

#[test]
fn a_body_line_that_begins_with_from_cuts_nothing() {
    let body = "Dear all,\nFrom Russia with love\nis on at eight.\n\nFrom here on\nFrom: nobody\n";
    holds(
        format!("{FROM}{}\n{FROM}{}\n", short(1, body), victims()),
        2,
    );
}

#[test]
fn a_body_line_from_after_an_empty_line_and_before_a_colon_cuts_nothing() {
    let body = "Tonight:\n\nFrom Russia with love\nYear: 1963\nCountry: UK\n\nSee you.";
    holds(
        format!("{FROM}{}\n{FROM}{}\n", short(1, body), victims()),
        2,
    );
}

#[test]
fn a_separator_without_an_empty_line_before_it_begins_a_message() {
    holds(
        format!(
            "{FROM}{}{FROM}{}",
            short(1, "No empty line follows."),
            victims()
        ),
        2,
    );
}

#[test]
fn a_wrong_content_length_neither_loses_nor_doubles_mail() {
    for wrong in ["3", "999999", "18446744073709551616", "-1", "soon"] {
        let one = short(1, "Some text\nin two lines.").replace(
            "MIME-Version",
            &format!("Content-Length: {wrong}\nMIME-Version"),
        );
        holds(
            format!(
                "{FROM}{one}\n{FROM}{}\n{FROM}{}\n",
                victims(),
                short(3, "End.")
            ),
            3,
        );
    }
}

#[test]
fn a_content_length_that_proves_right_keeps_a_quoted_mailbox_in_its_message() {
    let inner = format!(
        "Look at this export:\n\n{FROM}{}\n",
        short(7, "A mail inside a mail.")
    );
    let mailbox = Mailbox::new()
        .mail(|m| m.to(["colleague@force.example"]).body(&inner))
        .mail(westminster)
        .background(2);
    holds(mailbox.bytes(Quoting::Cl2, Eol::Lf), 4);
}

#[test]
fn separators_of_other_programs_are_known() {
    for from in [
        "From - Fri Mar  1 09:00:00 2024\n",
        "From MAILER-DAEMON Fri Mar  1 09:00:00 2024\n",
        "From 1791234567890123456@xxx Fri Mar 01 09:00:00 +0000 2024\n",
        "From robin.ashdown@force.example  Fri Mar  1 09:00 GMT 2024\n",
        "From \"robin ashdown\"@force.example Fri Mar 1 09:00:00 2024\n",
        "From ???@??? Fri Mar 01 09:00:00 2024\n",
        "From robin.ashdown@force.example Fri Mar  1 09:00:00 2024 remote from relay\n",
    ] {
        holds(
            format!(
                "{from}{}\n{from}{}\n{from}{}\n",
                short(1, "One."),
                victims(),
                short(3, "Three.")
            ),
            3,
        );
    }
}

#[test]
fn a_file_without_a_last_line_end_keeps_its_last_message() {
    holds(
        format!("{FROM}{}\n{FROM}{}", short(1, "One."), victims().trim_end()),
        2,
    );
}

#[test]
fn several_empty_lines_between_messages_make_no_message() {
    holds(
        format!(
            "{FROM}{}\n\n\n\n{FROM}{}\n\n\n",
            short(1, "One."),
            victims()
        ),
        2,
    );
}

#[test]
fn empty_lines_before_the_first_message_are_passed_over() {
    holds(format!("\n\n{FROM}{}\n", victims()), 1);
}

#[test]
fn a_separator_in_an_unfinished_multipart_begins_a_message() {
    let open = short(
        1,
        "--=_never\nContent-Type: text/plain\n\nThis part does not end.",
    );
    let open = open.replace(
        "text/plain; charset=utf-8",
        "multipart/mixed; boundary=\"=_never\"",
    );
    holds(format!("{FROM}{open}\n{FROM}{}\n", victims()), 2);
}

#[test]
fn a_forwarded_message_as_an_attachment_stays_in_its_message() {
    let inner = short(8, "The inner one.");
    let body = format!("--=_p\nContent-Type: message/rfc822\n\n{inner}\n--=_p--");
    let outer = short(1, &body).replace(
        "text/plain; charset=utf-8",
        "multipart/mixed; boundary=\"=_p\"",
    );
    holds(format!("{FROM}{outer}\n{FROM}{}\n", victims()), 2);
}

#[test]
fn nul_bytes_between_and_inside_messages_lose_nothing() {
    holds(
        format!(
            "{FROM}{}\0\0\0\n\n{FROM}{}\n",
            short(1, "a\0b\0\0c"),
            victims()
        ),
        2,
    );
}

#[test]
fn mixed_line_ends_lose_nothing() {
    let windows =
        |number| format!("{FROM}{}\n", short(number, "From Windows.")).replace('\n', "\r\n");
    holds(
        format!("{}{FROM}{}\n{}", windows(1), victims(), windows(2)),
        3,
    );
}

#[test]
fn a_message_cut_short_by_the_end_of_the_file_is_read_as_far_as_it_goes() {
    let cut = victims();
    let cut = &cut[..cut.find("complainants").unwrap()];
    let case = scan(format!("{FROM}{}\n{FROM}{cut}", short(1, "One.")));
    assert_eq!(case.count("read"), 2);
}

#[test]
fn every_message_of_an_mbox_is_found_wherever_the_file_is_cut_into_chunks() {
    // Many lengths, so that separators fall on every sort of border between two pieces of work.
    let crowd = people(3, 77);
    let mailbox = Mailbox::new().mails(0..700, |m, i| {
        let m = m.id(&format!("n{i}@force.example")).to([&crowd[i % 3]]);
        m.body(&"From the top.\n>From below.\nmore\n".repeat(1 + i * i % 331))
    });
    for (quoting, eol) in [
        (Quoting::Rd, Eol::Lf),
        (Quoting::Cl2, Eol::Lf),
        (Quoting::Rd, Eol::Crlf),
        (Quoting::Rd, Eol::Cr),
    ] {
        let store = Store::file("Sent.mbox", mailbox.bytes(quoting, eol));
        let case = Run::scan(store.path())
            .org(FORCE)
            .arg("--jobs")
            .arg("3")
            .ok();
        assert_eq!(
            (case.count("read"), case.count("duplicates")),
            (700, 0),
            "{quoting:?} {eol:?}"
        );
    }
}
