//! One mail, and a mailbox of them in the order in which they were sent.

use super::{Person, people};
use jiff::Timestamp;

/// The morning of 1 March 2024, when the first mail of every mailbox is sent.
const START: i64 = 1_709_283_600;

/// One mail, written as a mail program would.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    from: String,
    to: Vec<String>,
    cc: Vec<String>,
    bcc: Vec<String>,
    subject: String,
    date: String,
    id: Option<String>,
    more: String,
    body: String,
    attachments: Vec<String>,
    raw: Option<Vec<u8>>,
}

impl Mail {
    /// An empty mail from a constable; `number` makes its Message-ID and its hour.
    pub(crate) fn new(number: usize) -> Self {
        Mail {
            from: "\"DC Robin Ashdown\" <robin.ashdown@force.example>".into(),
            to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: format!("Note {number}"),
            date: date(START + (number as i64 % 240) * 3 * 3600 + (number as i64 / 240) * 60),
            id: Some(format!("m{number}@force.example")),
            more: String::new(),
            body: "Hello.".into(),
            attachments: Vec::new(),
            raw: None,
        }
    }
    /// Who sent it.
    pub(crate) fn from(mut self, who: impl ToString) -> Self {
        self.from = who.to_string();
        self
    }
    /// Adds people to To.
    pub(crate) fn to<T: ToString>(mut self, who: impl IntoIterator<Item = T>) -> Self {
        self.to.extend(who.into_iter().map(|w| w.to_string()));
        self
    }
    /// Adds people to Cc.
    pub(crate) fn cc<T: ToString>(mut self, who: impl IntoIterator<Item = T>) -> Self {
        self.cc.extend(who.into_iter().map(|w| w.to_string()));
        self
    }
    /// Adds people to Bcc.
    pub(crate) fn bcc<T: ToString>(mut self, who: impl IntoIterator<Item = T>) -> Self {
        self.bcc.extend(who.into_iter().map(|w| w.to_string()));
        self
    }
    /// Its subject, as it stands in the header.
    pub(crate) fn subject(mut self, text: &str) -> Self {
        self.subject = text.into();
        self
    }
    /// Its text.
    pub(crate) fn body(mut self, text: &str) -> Self {
        self.body = text.into();
        self
    }
    /// Its Message-ID without the angle brackets; empty for none.
    pub(crate) fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned()).filter(|id| !id.is_empty());
        self
    }
    /// Sent `days` days after 1 March 2024, at nine.
    pub(crate) fn day(mut self, days: i64) -> Self {
        self.date = date(START + days * 86_400);
        self
    }
    /// Its Date header as it stands; empty for none.
    pub(crate) fn date(mut self, text: &str) -> Self {
        self.date = text.into();
        self
    }
    /// One more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.more += &format!("{name}: {value}\r\n");
        self
    }
    /// An answer: who wrote, and what it answers.
    pub(crate) fn answers(self, who: &Person, id: &str, text: &str) -> Self {
        let quoted = format!(
            "{}\n\nOn 3 March 2024, {} <{}> wrote:\n> {text}\n",
            self.body, who.name, who.address
        );
        self.header("In-Reply-To", &format!("<{id}>"))
            .header("References", &format!("<{id}>"))
            .body(&quoted)
    }
    /// A file beside the text.
    pub(crate) fn attachment(mut self, name: &str) -> Self {
        self.attachments.push(name.into());
        self
    }
    /// These bytes instead of everything else.
    pub(crate) fn raw(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw = Some(bytes.into());
        self
    }

    /// As it goes over the wire, with CRLF.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut out = format!("From: {}\r\n", self.from);
        for (name, who) in [("To", &self.to), ("Cc", &self.cc), ("Bcc", &self.bcc)] {
            if !who.is_empty() {
                out += &format!("{name}: {}\r\n", who.join(",\r\n "));
            }
        }
        out += &format!("Subject: {}\r\n", self.subject);
        if !self.date.is_empty() {
            out += &format!("Date: {}\r\n", self.date);
        }
        if let Some(id) = &self.id {
            out += &format!("Message-ID: <{id}>\r\n");
        }
        out += &self.more;
        out += "MIME-Version: 1.0\r\n";
        let text = format!(
            "Content-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n",
            self.body.replace('\n', "\r\n")
        );
        if self.attachments.is_empty() {
            return (out + &text).into_bytes();
        }
        out += &format!(
            "Content-Type: multipart/mixed; boundary=\"=_part\"\r\n\r\n--=_part\r\n{text}"
        );
        for name in &self.attachments {
            out += &format!(
                "--=_part\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\nContent-Disposition: attachment; \
                 filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\nTm90aGluZyBvZiBpbnRlcmVzdC4=\r\n"
            );
        }
        (out + "--=_part--\r\n").into_bytes()
    }
}

fn date(second: i64) -> String {
    let time = Timestamp::from_second(second).expect("a time of our own making");
    time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Mails in the order in which they stand in a folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mailbox {
    mails: Vec<Mail>,
    first: usize,
}

impl Mailbox {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Mailbox::default()
    }
    /// An empty one whose mails are numbered from `first`, so that they differ from those of another.
    pub(crate) fn numbered_from(first: usize) -> Self {
        Mailbox {
            mails: Vec::new(),
            first,
        }
    }
    /// One that holds `n` ordinary mails.
    pub(crate) fn ordinary(n: usize) -> Self {
        Mailbox::new().background(n)
    }
    /// Adds a mail.
    pub(crate) fn mail(mut self, make: impl FnOnce(Mail) -> Mail) -> Self {
        let number = self.first + self.mails.len();
        self.mails.push(make(Mail::new(number)));
        self
    }
    /// Adds a mail for each of `these`.
    pub(crate) fn mails<T>(
        self,
        these: impl IntoIterator<Item = T>,
        make: impl Fn(Mail, T) -> Mail,
    ) -> Self {
        these
            .into_iter()
            .fold(self, |all, one| all.mail(|m| make(m, one)))
    }
    /// Adds `n` ordinary mails, each to one colleague or to one outsider.
    pub(crate) fn background(self, n: usize) -> Self {
        let crowd = people(60, 99);
        let start = self.first + self.mails.len();
        self.mails(start..start + n, |m, k| {
            let m = m.subject(&format!("Note {k} about the rota"));
            let m = m.body(&format!(
                "Line {k}.\nFrom here on all is well.\n>From quoted.\nRegards"
            ));
            if k % 3 == 0 {
                m.to([&crowd[k * 7 % 60]])
            } else {
                m.to([format!("colleague{}@force.example", k * 11 % 40)])
            }
        })
    }
    /// Its mails, as they went over the wire.
    pub(crate) fn each(&self) -> impl Iterator<Item = Vec<u8>> {
        self.mails.iter().map(Mail::bytes)
    }
    /// As an mbox file.
    pub(crate) fn bytes(&self, quoting: Quoting, eol: Eol) -> Vec<u8> {
        self.each()
            .flat_map(|mail| entry(&mail, quoting, eol))
            .collect()
    }
}

/// How an mbox marks body lines that look like the start of a mail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Quoting {
    /// `>*From ` gets one more `>`.
    Rd,
    /// Only `From ` gets one.
    O,
    /// Like `O`, with a Content-Length.
    Cl,
    /// Nothing is marked; Content-Length tells.
    Cl2,
}

/// How the lines of an mbox end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Eol {
    /// Unix.
    Lf,
    /// Windows and the wire.
    Crlf,
    /// Classic Mac.
    Cr,
}

fn entry(mail: &[u8], quoting: Quoting, eol: Eol) -> Vec<u8> {
    let text: Vec<u8> = mail.iter().copied().filter(|b| *b != b'\r').collect();
    let split = text
        .windows(2)
        .position(|w| w == b"\n\n")
        .map_or(text.len(), |at| at + 1);
    let (head, body) = text.split_at(split);
    let mut quoted = Vec::with_capacity(body.len() + 64);
    for line in body.split_inclusive(|b| *b == b'\n') {
        let bare = &line[line.iter().take_while(|b| **b == b'>').count()..];
        let mark = match quoting {
            Quoting::Rd => bare.starts_with(b"From "),
            Quoting::O | Quoting::Cl => line.starts_with(b"From "),
            Quoting::Cl2 => false,
        };
        quoted.extend(mark.then_some(b'>'));
        quoted.extend_from_slice(line);
    }
    let mut out = b"From robin.ashdown@force.example Fri Mar  1 09:00:00 2024\n".to_vec();
    out.extend_from_slice(head);
    if matches!(quoting, Quoting::Cl | Quoting::Cl2) && !quoted.is_empty() {
        out.extend_from_slice(format!("Content-Length: {}\n", quoted.len() - 1).as_bytes());
    }
    out.extend_from_slice(&quoted);
    out.push(b'\n');
    let end: &[u8] = match eol {
        Eol::Lf => b"\n",
        Eol::Crlf => b"\r\n",
        Eol::Cr => b"\r",
    };
    out.split(|b| *b == b'\n').collect::<Vec<_>>().join(end)
}

/// The 18 whom the message of [`westminster`] exposes.
pub(crate) fn victims() -> Vec<Person> {
    people(18, 5)
}

/// The message from which the tool was born: 18 complainants in one Cc.
pub(crate) fn westminster(m: Mail) -> Mail {
    m.id("westminster@force.example")
        .day(9)
        .to(["\"DC Robin Ashdown\" <robin.ashdown@force.example>"])
        .cc(victims())
        .subject("Update: change of bail date")
        .body(
            "Dear all,\nBecause of the fire at the station the suspect's bail date has moved. As complainants you are \
             being told first.\nDC Ashdown",
        )
}
