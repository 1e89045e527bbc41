//! One mail of a simulated office, written as text at once, and an mbox of many. It is the fast brother of `mail`: a test
//! that counts false alarms needs hundreds of thousands.

use base64::Engine;
use jiff::Timestamp;

/// A mail that is being written. Times are seconds since 1970 UTC; lists of people are header text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) sent: i64,
    /// True for the inbox, false for the folder of sent mail.
    pub(crate) received: bool,
    /// Message-ID without brackets.
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) cc: String,
    pub(crate) bcc: String,
    pub(crate) subject: String,
    /// Message-ID that it answers; empty for none.
    pub(crate) answers: String,
    /// Further header lines, each with its line end.
    pub(crate) more: String,
    pub(crate) body: String,
    /// The same text as HTML; empty for none.
    pub(crate) html: String,
    /// Names of files beside the text.
    pub(crate) attachments: Vec<String>,
    /// Attendees of a meeting, `Name <address>` each; empty for no meeting.
    pub(crate) calendar: Vec<String>,
}

/// A mail in its place in time.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) sent: i64,
    pub(crate) received: bool,
    text: String,
}

impl Draft {
    /// Written as an RFC 5322 mail with LF line ends.
    pub(crate) fn letter(&self) -> Letter {
        let mut out = String::with_capacity(700 + self.body.len() + self.to.len() + self.cc.len());
        if self.received {
            out += "Received: from mx.relay.example by mail.office.example; ";
            out += &date(self.sent + 2);
            out.push('\n');
        }
        for (name, value) in [
            ("From", &self.from),
            ("To", &self.to),
            ("Cc", &self.cc),
            ("Bcc", &self.bcc),
        ] {
            if !value.is_empty() {
                for part in [name, ": ", value, "\n"] {
                    out += part;
                }
            }
        }
        out += "Subject: ";
        out += &encoded(&self.subject);
        out += "\nDate: ";
        out += &date(self.sent);
        for part in ["\nMessage-ID: <", &self.id, ">\n"] {
            out += part;
        }
        if !self.answers.is_empty() {
            for part in [
                "In-Reply-To: <",
                &self.answers,
                ">\nReferences: <",
                &self.answers,
                ">\n",
            ] {
                out += part;
            }
        }
        out += &self.more;
        out += "MIME-Version: 1.0\n";
        self.content(&mut out);
        Letter {
            sent: self.sent,
            received: self.received,
            text: out,
        }
    }

    fn content(&self, out: &mut String) {
        let parts = usize::from(!self.html.is_empty())
            + self.attachments.len()
            + usize::from(!self.calendar.is_empty());
        if parts == 0 {
            return text(out, "plain", &self.body);
        }
        let kind = if self.attachments.is_empty() {
            "alternative"
        } else {
            "mixed"
        };
        *out += &format!("Content-Type: multipart/{kind}; boundary=\"=_part\"\n\n--=_part\n");
        text(out, "plain", &self.body);
        if !self.html.is_empty() {
            *out += "--=_part\n";
            text(out, "html", &self.html);
        }
        if !self.calendar.is_empty() {
            *out += "--=_part\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n\n";
            *out += &self.meeting();
        }
        for name in &self.attachments {
            let name = encoded(name);
            *out += &format!(
                "--=_part\nContent-Type: application/octet-stream; name=\"{name}\"\nContent-Disposition: attachment; \
                 filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\nTm90aGluZyBvZiBpbnRlcmVzdC4=\n"
            );
        }
        *out += "--=_part--\n";
    }

    /// An iCalendar invitation (RFC 5545), folded nowhere: programs do not mind.
    fn meeting(&self) -> String {
        let stamp = |second: i64| {
            let time = Timestamp::from_second(second).expect("a time of our own making");
            time.strftime("%Y%m%dT%H%M%SZ").to_string()
        };
        let begin = self.sent + 3 * 86_400;
        let mut out = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Office//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:{}\nDTSTAMP:{}\nDTSTART:{}\n\
             DTEND:{}\nSUMMARY:{}\nORGANIZER;CN=Organiser:mailto:{}\n",
            self.id,
            stamp(self.sent),
            stamp(begin),
            stamp(begin + 3600),
            self.subject,
            address(&self.from)
        );
        for who in &self.calendar {
            out += &format!(
                "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=\"{}\":mailto:{}\n",
                name(who),
                address(who)
            );
        }
        out + "END:VEVENT\nEND:VCALENDAR\n"
    }
}

fn text(out: &mut String, kind: &str, body: &str) {
    for part in ["Content-Type: text/", kind, "; charset=utf-8\n\n", body] {
        *out += part;
    }
    if !body.ends_with('\n') {
        out.push('\n');
    }
}

/// The address of `Name <address>`.
pub(crate) fn address(who: &str) -> &str {
    who.rsplit_once('<')
        .map_or(who, |(_, behind)| behind.trim_end_matches('>'))
        .trim()
}

/// The name of `Name <address>`; empty for none.
pub(crate) fn name(who: &str) -> &str {
    who.rsplit_once('<')
        .map_or("", |(before, _)| before.trim().trim_matches('"'))
}

/// `Name <address>` as a header field may hold it: quoted or encoded where it must be.
pub(crate) fn shown(who: &str) -> String {
    let (name, address) = (name(who), address(who));
    if name.is_empty() {
        address.to_owned()
    } else if !name.is_ascii() {
        format!("{} <{address}>", encoded(name))
    } else if name.contains(|c: char| !(c.is_alphanumeric() || " '-".contains(c))) {
        format!("\"{name}\" <{address}>")
    } else {
        format!("{name} <{address}>")
    }
}

/// A header's text; as encoded words (RFC 2047) where it is not plain ASCII.
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for letter in text.chars() {
        if words.last().is_some_and(|word| word.len() > 36) {
            words.push(String::new());
        }
        words.last_mut().expect("one at least").push(letter);
    }
    let words: Vec<String> = words
        .iter()
        .map(|word| {
            format!(
                "=?utf-8?B?{}?=",
                base64::engine::general_purpose::STANDARD.encode(word)
            )
        })
        .collect();
    words.join("\n ")
}

fn date(second: i64) -> String {
    let time = Timestamp::from_second(second).expect("a time of our own making");
    time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// The sent and the received ones of these letters as two mboxrd files, each in the order of time.
pub(crate) fn mboxes(mut letters: Vec<Letter>) -> (Vec<u8>, Vec<u8>) {
    letters.sort_by_key(|letter| letter.sent);
    let mut files = (Vec::new(), Vec::new());
    for letter in &letters {
        let out = if letter.received {
            &mut files.1
        } else {
            &mut files.0
        };
        out.extend_from_slice(b"From writer@office.example Mon Jan  8 09:00:00 2024\n");
        if letter.text.contains("From ") {
            for line in letter.text.split_inclusive('\n') {
                let quoted = line.trim_start_matches('>').starts_with("From ");
                out.extend(quoted.then_some(b'>'));
                out.extend_from_slice(line.as_bytes());
            }
        } else {
            out.extend_from_slice(letter.text.as_bytes());
        }
        out.push(b'\n');
    }
    files
}
