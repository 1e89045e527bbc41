//! What is read of sound, odd and hostile bodies.

use super::Body;
use crate::message::Message;

fn body(raw: &str) -> Body<'_> {
    Message::new(raw.as_bytes())
        .expect("a mail")
        .body_text(100_000)
}

fn text(raw: &str) -> String {
    body(raw).text
}

#[test]
fn plain_text_is_decoded() {
    assert_eq!(
        text("A: b\n\nDear Ann,\r\n\r\n\r\n  the\tdate\r\n"),
        "Dear Ann,\n\nthe date"
    );
    let head = "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: ";
    assert_eq!(
        text(&format!(
            "{head}quoted-printable\n\nCaf=E9 is=20=\r\nopen =3D=ZZ="
        )),
        "Café is open ==ZZ"
    );
    assert_eq!(text(&format!("{head}BASE64\n\nQ2Fm\r\n6Q==")), "Café");
    assert_eq!(text("Content-Type: text\n\na\u{1b}[1m\u{202e}b\0"), "a[1mb");
}

#[test]
fn flowed_lines_are_joined() {
    let head = "Content-Type: text/plain; format=flowed";
    assert_eq!(
        text(&format!(
            "{head}\n\nYour bail \ndate is\nFriday\n> one \n> two\n-- \nAnn"
        )),
        "Your bail date is\nFriday\n> one two\n--\nAnn"
    );
    assert_eq!(
        text(&format!("{head}; delsp=yes\n\nDonau \ndampf")),
        "Donaudampf"
    );
}

#[test]
fn plain_text_wins_over_its_html_but_not_over_other_html() {
    let parts = |kind: &str| {
        format!(
            "Content-Type: multipart/{kind}; boundary=\"b 1\"\n\npreamble\n--b 1\n\nplain\n--b 1\nContent-Type: text/html\n\n\
             <p>rich</p>\n--b 1--\nepilogue\n"
        )
    };
    assert_eq!(text(&parts("alternative")), "plain");
    assert_eq!(text(&parts("mixed")), "plain\n\nrich");
    assert_eq!(text(&parts("alternative").replace("\nplain", "\n")), "rich");
    for ends in ["\r\n", "\r"] {
        assert_eq!(text(&parts("mixed").replace('\n', ends)), "plain\n\nrich");
    }
}

#[test]
fn attachments_give_their_names_only() {
    let raw = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n\
        --b\nContent-Type: text/csv; name=\"=?utf-8?Q?Victims=C3=A9.csv?=\"\n\na,b\n\
        --b\nContent-Disposition: attachment; filename*0*=utf-8''list%20of; filename*1=\" people.txt\"\n\nsecret\n\
        --b\nContent-Type: message/rfc822\n\nSubject: =?utf-8?Q?Forwarded?=\n\nsecret\n\
        --b\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n";
    let body = body(raw);
    assert_eq!(body.text, "hello");
    assert_eq!(
        body.attachments,
        ["Victimsé.csv", "list of people.txt", "Forwarded"]
    );
}

#[test]
fn nested_multiparts_are_followed() {
    let raw = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=aa\n\n\
        --aa\n\none\n--aa\nContent-Type: text/html\n\ntwo\n--aa--\n--a\n\nthree\n--a--\n";
    assert_eq!(text(raw), "one\n\nthree");
    // The inner one is never closed.
    assert_eq!(text(&raw.replace("--aa--\n", "")), "one\n\nthree");
}

#[test]
fn broken_multiparts_give_what_there_is() {
    assert_eq!(
        text("Content-Type: multipart/mixed; boundary=b\n\njust text\n"),
        "just text"
    );
    assert_eq!(
        text("Content-Type: multipart/mixed\n\njust text\n"),
        "just text"
    );
    assert_eq!(
        text("Content-Type: multipart/mixed; boundary=b\n\n--b\n\ncut off"),
        "cut off"
    );
    assert_eq!(
        text("Content-Type: multipart/mixed; boundary=b\n\n--b\nno blank line\n--b--"),
        "no blank line"
    );
    assert_eq!(
        text("Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\nx\n--b"),
        "x"
    );
    assert_eq!(text("Content-Type: nonsense\n\nx"), "");
}

#[test]
fn text_is_bounded() {
    let long = format!("A: b\n\n{}", "é".repeat(5000));
    let body = Message::new(long.as_bytes())
        .expect("a mail")
        .body_text(101);
    assert_eq!(body.text, "é".repeat(50));
}

#[test]
fn ten_thousand_nested_parts_are_read_fast() {
    let nested: String = (0..10_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"))
        .collect();
    let closed: String = (0..10_000).rev().map(|n| format!("--b{n}--\n")).collect();
    body(&format!("{nested}\ntext\n{closed}"));
}

#[test]
fn a_hundred_thousand_parts_are_read_fast() {
    for part in [
        "--b\n\na\n",
        "--b\n",
        "--b\nContent-Type: multipart/mixed; boundary=c\n\n",
        "--b\nContent-Type: text/html\n\n<!--\n",
        "--b\nContent-Type: message/rfc822\n\nSubject: a\n\n",
        "--b--\n",
        "----",
        "--\n",
        "--b",
    ] {
        let raw = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n{}",
            part.repeat(100_000)
        );
        body(&raw);
    }
}
