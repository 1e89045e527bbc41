//! What is read of whole messages, and how much of hostile ones.

use super::*;

fn read_all(raw: &str) -> Inside {
    let message = Message::new(raw.as_bytes()).expect("a mail");
    read(&message.body_text(256 << 10))
}

fn people(list: &List) -> Vec<String> {
    let text = |mailbox: &Mailbox| match &mailbox.address {
        Some(address) => address.to_string(),
        None => mailbox.name.clone(),
    };
    list.recipients.iter().map(text).collect()
}

/// A mail with these parts, each a head and a content.
fn mail(parts: &[(&str, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(head, content)| format!("--=_b\r\n{head}\r\n\r\n{content}\r\n"))
        .collect();
    format!(
        "From: pat@force.example\r\nTo: sol@firm.example\r\nSubject: Fw\r\n\
         Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n{parts}--=_b--\r\n"
    )
}

const INNER: &str = "From: DC Ashdown <robin@force.example>\r\nTo: robin@force.example\r\n\
    Cc: Clinic: ann@inbox.test, Bob <bob@webmail.example>;\r\nBcc: ann@inbox.test\r\n\
    Message-ID: <1@force.example>\r\nSubject: Bail date\r\n\r\nDear complainants,\r\n";

#[test]
fn an_attached_message_shows_its_own_list() {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(INNER);
    let quoted = INNER.replace('=', "=3D");
    for (head, content) in [
        ("Content-Type: message/rfc822", INNER),
        (
            "Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"a b.eml\"",
            INNER,
        ),
        (
            "Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit",
            INNER,
        ),
        (
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64",
            encoded.as_str(),
        ),
        (
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable",
            quoted.as_str(),
        ),
        (
            "Content-Type: application/octet-stream; name=\"Bail.EML\"\r\nContent-Transfer-Encoding: base64",
            encoded.as_str(),
        ),
    ] {
        let inside = read_all(&mail(&[
            ("Content-Type: text/plain", "Hello"),
            (head, content),
        ]));
        assert_eq!(inside.lists.len(), 1, "{head}");
        let list = &inside.lists[0];
        assert_eq!(list.field, Field::Attached);
        assert_eq!(
            people(list),
            ["ann@inbox.test", "bob@webmail.example"],
            "the author is none of them"
        );
        assert_eq!(list.groups, ["Clinic"]);
        assert_eq!(list.message_id.as_deref(), Some("1@force.example"));
        assert_eq!(list.subject, "Bail date");
        assert!(inside.text.contains("complainants"), "{head}");
    }
}

#[test]
fn what_stands_in_an_attached_message_is_attached() {
    let calendar = "BEGIN:VCALENDAR\r\nATTENDEE:mailto:c@x.example\r\nATTENDEE:mailto:d@x.example\r\nEND:VCALENDAR\r\n";
    let inner = "From: r@force.example\r\nTo: a@x.example\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n\
        --i\r\n\r\nFrom: q@force.example\r\nSent: today\r\nTo: e@x.example; f@x.example\r\n\r\n\
        --i\r\nContent-Type: text/calendar\r\n\r\n"
        .to_owned()
        + calendar
        + "--i--\r\n";
    let inside = read_all(&mail(&[
        ("Content-Type: message/rfc822", &inner),
        ("Content-Type: text/calendar", calendar),
    ]));
    let all: Vec<_> = inside
        .lists
        .iter()
        .map(|list| (list.field, people(list).join(" ")))
        .collect();
    assert_eq!(
        all,
        [
            (Field::Attached, "e@x.example f@x.example".to_owned()),
            (Field::Attached, "c@x.example d@x.example".to_owned()),
            (Field::Calendar, "c@x.example d@x.example".to_owned()),
        ]
    );
}

#[test]
fn cards_of_several_parts_are_one_list() {
    let card =
        |name: &str| format!("BEGIN:VCARD\r\nFN:{name}\r\nEMAIL:{name}@x.example\r\nEND:VCARD");
    let (ann, bob) = (card("ann"), card("bob"));
    let head = "Content-Type: text/x-vcard; name=\"a.vcf\"";
    let inside = read_all(&mail(&[
        (head, &ann),
        ("Content-Type: application/octet-stream; name=b.vcf", &bob),
    ]));
    assert_eq!(inside.lists.len(), 1);
    assert_eq!(people(&inside.lists[0]), ["ann@x.example", "bob@x.example"]);
    assert_eq!(read_all(&mail(&[(head, &ann)])).lists, []);
}

#[test]
fn heads_in_html_are_read() {
    for html in [
        // Outlook.
        "<div style='border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b><span lang=EN-US>From:</span></b><span lang=EN-US> Robin \
         &lt;robin@force.example&gt; <br><b>Sent:</b> 25 October 2021 11:17<br><b>To:</b> Ann &lt;ann@inbox.test&gt;; \
         'bob@webmail.example' &lt;bob@webmail.example&gt;<br><b>Subject:</b> Bail date<o:p></o:p></span></p></div><p>Dear all,</p>",
        // Outlook on the web.
        "<hr><div id=\"divRplyFwdMsg\" dir=\"ltr\"><font face=\"Calibri\"><b>From:</b> Robin &lt;robin@force.example&gt;<br>\n\
         <b>Sent:</b> Monday<br>\n<b>To:</b> ann@inbox.test &lt;ann@inbox.test&gt;; bob@webmail.example\n\
         &lt;bob@webmail.example&gt;<br>\n<b>Subject:</b> Bail date</font><div>&nbsp;</div></div>Dear all",
        // Gmail.
        "<div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">---------- Forwarded message ---------<br>From: <strong>Robin</strong> \
         <span dir=\"auto\">&lt;<a href=\"mailto:robin@force.example\">robin@force.example</a>&gt;</span><br>Date: Monday<br>Subject: Bail<br>\
         To: Ann &lt;<a href=\"mailto:ann@inbox.test\">ann@inbox.test</a>&gt;<br>Cc:  &lt;<a href=\"mailto:bob@webmail.example\">bob@webmail.example</a>&gt;<br></div><br><br>Dear all, eve@x.example; hello</div>",
        // Thunderbird.
        "<div class=\"moz-forward-container\">-------- Forwarded Message --------<table class=\"moz-email-headers-table\"><tbody>\n<tr>\n\
         <th valign=\"BASELINE\" align=\"RIGHT\">Subject: </th>\n<td>Bail date</td>\n</tr>\n<tr>\n<th>Date: </th><td>Mon</td></tr>\
         <tr><th>From: </th>\n<td>Robin <a href=\"mailto:robin@force.example\">&lt;robin@force.example&gt;</a></td></tr>\
         <tr><th>To: </th><td><a>ann@inbox.test</a>, <a>bob@webmail.example</a></td></tr></tbody></table><br>Dear all,</div>",
        // Apple Mail.
        "<blockquote type=\"cite\"><div>Begin forwarded message:</div><br><div style=\"margin-top: 0px;\"><span style=\"font-family: x;\"><b>From: </b></span><span>Robin &lt;<a href=\"mailto:robin@force.example\">robin@force.example</a>&gt;<br></span></div>\
         <div><span><b>Subject: </b></span><span><b>Bail date</b><br></span></div><div><span><b>Date: </b></span><span>25 October<br></span></div>\
         <div><span><b>To: </b></span><span><a href=\"mailto:ann@inbox.test\">ann@inbox.test</a>, Bob &lt;<a>bob@webmail.example</a>&gt;<br></span></div><br><div>Dear all</div></blockquote>",
    ] {
        let raw = format!(
            "From: pat@force.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>See below.</p>{html}"
        );
        let inside = read_all(&raw);
        assert_eq!(
            inside.lists.len(),
            1,
            "{html}\n{}",
            Message::new(raw.as_bytes())
                .expect("a mail")
                .body_text(9999)
                .text
        );
        assert_eq!(
            people(&inside.lists[0]),
            ["ann@inbox.test", "bob@webmail.example"],
            "{html}"
        );
        let author = inside.lists[0]
            .author
            .as_ref()
            .and_then(|author| author.address.as_ref());
        assert_eq!(
            author.map(ToString::to_string).as_deref(),
            Some("robin@force.example")
        );
        assert!(addresses(raw.as_bytes()).count() >= 3, "{html}");
    }
}

#[test]
fn addresses_are_seen_in_what_is_sent() {
    let raw = b"<a href=3D\"mailto:Ann.Bee@inbox.test\">x</a> o'neil+1@b.example, cid:image1.png@01DA6C2B.5F2E4A10 \
        @x a@ torn@webmail.exa=\r\nmple";
    let found: Vec<&[u8]> = addresses(raw).map(|(_, address)| address).collect();
    assert_eq!(
        found,
        [
            &b"Ann.Bee@inbox.test"[..],
            b"o'neil+1@b.example",
            b"torn@webmail.exa"
        ]
    );
    assert_eq!(addresses("@".repeat(1_000_000).as_bytes()).count(), 0);
    assert!(addresses("a@b.cc".repeat(1_000_000).as_bytes()).count() < 20_000);
}

#[test]
fn hostile_messages_are_bounded() {
    // Attached in one another, deeper than is followed.
    let deep =
        "From: a@x.example\r\nTo: b@x.example, c@x.example\r\nContent-Type: message/rfc822\r\n\r\n"
            .repeat(20_000);
    assert!(read_all(&deep).lists.len() <= DEEPEST);
    // Very many beside one another.
    let parts: Vec<(String, String)> = (0..2000)
        .map(|n| {
            (
                "Content-Type: message/rfc822".to_owned(),
                format!("From: a@x.example\r\nTo: b{n}@x.example, c@x.example\r\n\r\n"),
            )
        })
        .collect();
    let parts: Vec<(&str, &str)> = parts
        .iter()
        .map(|(head, content)| (head.as_str(), content.as_str()))
        .collect();
    assert_eq!(read_all(&mail(&parts)).lists.len(), MOST_LISTS);
    // Very many people.
    let many: String = (0..200_000)
        .map(|n| format!("ATTENDEE:mailto:a{n}@x.example\r\n"))
        .collect();
    let calendar = format!("BEGIN:VCALENDAR\r\n{many}");
    let inside = read_all(&mail(&[("Content-Type: text/calendar", &calendar)]));
    assert_eq!(inside.lists[0].recipients.len(), MOST_PEOPLE);
    // Marks of quoting, fields and folds without end.
    for (kind, pattern) in [
        ("text/plain", ">"),
        ("text/plain", "> To: a@x.example, b@x.example\r\n"),
        ("text/plain", "From: a\r\nTo: b; c\r\nSubject: d\r\n"),
        ("text/html", "<b>To:</b> a@x.example;<br>"),
        ("text/calendar", "ATTENDEE;CN=\"\r\n "),
        ("text/calendar", "\r\n \r\n "),
        ("text/vcard", "BEGIN:VCARD\r\nEMAIL:a@x.example\r\n"),
        ("text/vcard", "BEGIN:VCARD\r\nEND:VCARD\r\n"),
        ("message/rfc822", "To: a@x.example,\r\n b@x.example\r\n"),
    ] {
        let content = pattern.repeat(4_000_000 / pattern.len());
        let inside = read_all(&mail(&[(&format!("Content-Type: {kind}"), &content)]));
        assert!(inside.lists.len() <= MOST_LISTS, "{pattern}");
    }
}
