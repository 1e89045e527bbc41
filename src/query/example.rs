//! A query's examples as mail, so that they run through the same reading and judging as anybody's mail.

use super::Example;

/// Personal mail providers under names that RFC 2606 reserves, so that examples and tests can show personal mailboxes
/// and never name anybody's.
pub const PROVIDERS: [&str; 7] = [
    "webmail.example",
    "freemail.example",
    "homemail.example",
    "postbox.example",
    "inbox.test",
    "mailbox.test",
    "post.test",
];

const FIRST: [&str; 20] = [
    "Amira", "Bryn", "Chidi", "Dagny", "Elis", "Farah", "Gethin", "Hanna", "Idris", "Jaya", "Kofi",
    "Lowri", "Mared", "Nia", "Owain", "Priya", "Rhys", "Sanjay", "Tomos", "Zofia",
];
const LAST: [&str; 19] = [
    "Abara", "Bevan", "Castell", "Dhillon", "Ekwe", "Fenwick", "Garside", "Hollis", "Iqbal",
    "Jenkin", "Kowal", "Lomax", "Marsh", "Okoro", "Penrose", "Rowntree", "Sefton", "Varga",
    "Yardley",
];

/// The `index`th invented person, as `Name <address>`; at `domain` or else at a personal provider.
fn person(index: usize, domain: Option<&str>) -> String {
    let (first, last) = (
        FIRST[index % FIRST.len()],
        LAST[(index * 7 + index / FIRST.len()) % LAST.len()],
    );
    let round = index / (FIRST.len() * LAST.len());
    let host = domain.unwrap_or(PROVIDERS[(index * 5 + 1) % PROVIDERS.len()]);
    let number = if round == 0 {
        String::new()
    } else {
        round.to_string()
    };
    format!(
        "{first} {last} <{}.{}{number}@{host}>",
        first.to_lowercase(),
        last.to_lowercase()
    )
}

impl Example {
    /// The domain of `from`: the organisation of the example.
    pub fn organisation(&self) -> String {
        self.from
            .rsplit('@')
            .next()
            .unwrap_or_default()
            .trim_end_matches(['>', ' '])
            .to_lowercase()
    }

    /// The example as an RFC 5322 mail with LF line ends.
    pub fn mail(&self) -> String {
        let crowd: Vec<String> = (0..self.people.min(10_000))
            .map(|index| person(index, self.people_at.as_deref()))
            .collect();
        let field = self.field.as_deref().unwrap_or("cc");
        let mut out = format!("From: {}\n", self.from);
        for (name, listed) in [("to", &self.to), ("cc", &self.cc), ("bcc", &self.bcc)] {
            let added = if name == field { crowd.as_slice() } else { &[] };
            let whole: Vec<&str> = listed.iter().chain(added).map(String::as_str).collect();
            if !whole.is_empty() {
                out += &format!(
                    "{}{}: {}\n",
                    name[..1].to_uppercase(),
                    &name[1..],
                    whole.join(",\n ")
                );
            }
        }
        if !self.list.is_empty() {
            out += &format!("List-Id: {}\n", self.list);
        }
        out += &format!(
            "Subject: {}\nDate: Mon, 4 Nov 2024 10:00:00 +0000\nMessage-ID: <example@{}>\nMIME-Version: 1.0\n",
            self.subject,
            self.organisation()
        );
        if self.attachments.is_empty() {
            return out + &format!("Content-Type: text/plain; charset=utf-8\n\n{}\n", self.body);
        }
        out += &format!(
            "Content-Type: multipart/mixed; boundary=\"=_x\"\n\n--=_x\nContent-Type: text/plain; charset=utf-8\n\n{}\n",
            self.body
        );
        for name in &self.attachments {
            let name = name.replace('"', "'");
            out += &format!(
                "--=_x\nContent-Type: application/octet-stream; name=\"{name}\"\nContent-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\nQQ==\n"
            );
        }
        out + "--=_x--\n"
    }
}
