//! One connection: commands are read, and answered as a proper server would.

use super::fetch::{self, Item};
use super::spoil::{Answer, shapes};
use super::wire::Wire;
use super::{About, Folder, Kind, Shared, login, quoted};
use std::net::TcpStream;
use std::sync::atomic::Ordering;

/// A command line, its tag cut off, literals turned into quoted strings.
struct Command {
    tag: String,
    text: Vec<u8>,
}

/// One client, and what it has done so far.
pub(super) struct Session<'a> {
    pub(super) shared: &'a Shared,
    pub(super) wire: Wire,
    number: usize,
    inside: bool,
    commands: usize,
    selected: Option<usize>,
    /// Whether a fault refused the last command.
    pub(super) denied: bool,
}

/// Serves one client until it goes.
pub(super) fn serve(shared: &Shared, stream: TcpStream, number: usize) {
    let mut session = Session {
        shared,
        wire: Wire::new(stream),
        number,
        inside: false,
        commands: 0,
        selected: None,
        denied: false,
    };
    session.run();
    session.wire.close();
}

impl Session<'_> {
    fn run(&mut self) -> Option<()> {
        let greeting = format!("{}\r\n", self.shared.script.greeting);
        let about = About {
            kind: Kind::Greeting,
            inside: false,
            folder: None,
            uids: &[],
        };
        let faults = self.shared.firing(&about);
        let greeting = Answer {
            lines: vec![greeting.into_bytes()],
            last: Vec::new(),
        };
        self.reply("", greeting, &faults)?;
        loop {
            let command = self.command()?;
            self.commands += usize::from(self.inside);
            if self
                .shared
                .script
                .most
                .is_some_and(|most| self.commands > most)
            {
                return self.wire.send(b"* BYE too many commands\r\n");
            }
            self.obey(&command)?;
        }
    }

    fn command(&mut self) -> Option<Command> {
        let mut text = self.wire.line()?;
        while let Some((start, size, waits)) = literal(&text) {
            if waits {
                self.wire.send(b"+ go on\r\n")?;
            }
            text.truncate(start);
            text.extend(quoted(&self.wire.exactly(size)?));
            text.extend(self.wire.line()?);
        }
        let space = memchr::memchr(b' ', &text).unwrap_or(text.len());
        let tag = String::from_utf8_lossy(&text[..space]).into_owned();
        let text = text.get(space + 1..).unwrap_or(b"").to_vec();
        Some(Command { tag, text })
    }

    fn obey(&mut self, command: &Command) -> Option<()> {
        let text = String::from_utf8_lossy(&command.text).into_owned();
        let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
        let verb = verb.to_ascii_uppercase();
        if !matches!(&*verb, "LOGIN" | "AUTHENTICATE") {
            self.note(text.clone());
        }
        let raw = &command.text[(verb.len() + 1).min(command.text.len())..];
        match &*verb {
            "CAPABILITY" => {
                let line = format!("* CAPABILITY {}\r\n", self.shared.script.capabilities);
                let answer = Answer::new(vec![line.into_bytes()], "OK done");
                self.finish(command, Kind::Capability, answer)
            }
            "LOGIN" => self.login(command, raw),
            "AUTHENTICATE" => self.authenticate(command, rest),
            "STARTTLS" if self.has("STARTTLS") => {
                self.finish(command, Kind::StartTls, Answer::only("OK begin TLS"))?;
                // There is no TLS here; that somebody goes on is all there is to see.
                self.wire.exactly(1)?;
                self.note("(went on after STARTTLS)".to_owned());
                None
            }
            "NOOP" => self.finish(command, Kind::Other, Answer::only("OK done")),
            "ID" if self.has("ID") => {
                let line = b"* ID (\"name\" \"Faulty\")\r\n".to_vec();
                self.finish(command, Kind::Other, Answer::new(vec![line], "OK done"))
            }
            "LOGOUT" => {
                let answer = Answer::new(vec![b"* BYE see you\r\n".to_vec()], "OK done");
                self.finish(command, Kind::Other, answer)?;
                None
            }
            _ if !self.inside => self.forbidden(command),
            "LIST" => self.list(command, raw),
            "STATUS" => self.status(command, raw),
            "EXAMINE" => self.examine(command, raw),
            "UID" => self.fetch(command, rest),
            "COMPRESS" if self.has("COMPRESS=DEFLATE") && rest == "DEFLATE" => {
                self.finish(command, Kind::Compress, Answer::only("OK deflate"))?;
                self.wire.squeeze();
                Some(())
            }
            _ => self.forbidden(command),
        }
    }

    fn has(&self, capability: &str) -> bool {
        let mut all = self.shared.script.capabilities.split(' ');
        all.any(|one| one == capability)
    }
    pub(super) fn note(&self, line: String) {
        self.shared.log.lock().unwrap().line(self.number, line);
    }
    /// Nothing that a reader may say.
    fn forbidden(&mut self, command: &Command) -> Option<()> {
        let text = String::from_utf8_lossy(&command.text);
        self.shared.violation(&text);
        self.finish(command, Kind::Other, Answer::only("BAD not here"))
    }

    fn login(&mut self, command: &Command, rest: &[u8]) -> Option<()> {
        let words = astring(rest).and_then(|(user, rest)| Some((user, astring(rest)?.0)));
        let Some((user, password)) = words else {
            return self.forbidden(command);
        };
        let attempt = login::plain_text(&user, &password);
        if self.has("LOGINDISABLED") {
            self.shared.violation("LOGIN in spite of LOGINDISABLED");
        }
        self.note(attempt.told);
        self.admit(command, attempt.welcome, b"")
    }
    fn authenticate(&mut self, command: &Command, rest: &str) -> Option<()> {
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        if !self.has(&format!("AUTH={mechanism}")) || (!first.is_empty() && !self.has("SASL-IR")) {
            return self.forbidden(command);
        }
        let line = if first.is_empty() {
            self.wire.send(b"+ \r\n")?;
            self.wire.line()?
        } else {
            first.as_bytes().to_vec()
        };
        let expired = self.shared.expired.load(Ordering::SeqCst);
        let Some(attempt) = login::sasl(mechanism, &line, &self.shared.script, expired) else {
            self.shared
                .violation(&format!("a malformed answer to {mechanism}"));
            return None;
        };
        self.note(attempt.told);
        if !attempt.welcome && mechanism != "PLAIN" {
            let why = if self.shared.script.repeats {
                login::encoded(&login::refused_with(&line))
            } else {
                login::encoded(login::REFUSED)
            };
            self.wire.send(format!("+ {why}\r\n").as_bytes())?;
            if !login::acknowledged(mechanism, &self.wire.line()?) {
                self.shared
                    .violation(&format!("a wrong last answer to {mechanism}"));
            }
        }
        let line = if first.is_empty() { &line[..] } else { b"" };
        self.admit(command, attempt.welcome, line)
    }
    /// `said` is what followed the command line.
    fn admit(&mut self, command: &Command, welcome: bool, said: &[u8]) -> Option<()> {
        let mut answer = Answer::only(if welcome {
            "OK welcome"
        } else {
            "NO [AUTHENTICATIONFAILED] Authentication failed."
        });
        if self.shared.script.repeats && !welcome {
            answer.last = [&answer.last, &b" You said: "[..], &command.text, b" ", said].concat();
        }
        self.finish(command, Kind::Login, answer)?;
        self.inside |= welcome && !self.denied;
        Some(())
    }

    fn list(&mut self, command: &Command, rest: &[u8]) -> Option<()> {
        let text = String::from_utf8_lossy(rest).to_ascii_uppercase();
        let asks = |what: &str| text.contains(what);
        let offered = (!asks("RETURN") || self.has("LIST-EXTENDED") || self.has("SPECIAL-USE"))
            && (!asks("STATUS") || self.has("LIST-STATUS"))
            && (!asks("SPECIAL-USE") || self.has("SPECIAL-USE"));
        let plain = text.split(" RETURN ").next().unwrap_or("");
        if !offered || !matches!(plain, "\"\" \"*\"" | "\"\" *") {
            return self.forbidden(command);
        }
        let status = text.find("STATUS (").map(|at| {
            let items = &text[at + 8..];
            items.split(')').next().unwrap_or("").to_owned()
        });
        let mut lines = Vec::new();
        for folder in &*self.shared.folders.lock().unwrap() {
            lines.push([&folder.line()[..], b"\r\n"].concat());
            if let (Some(items), false) = (&status, folder.flags.contains("\\Noselect")) {
                lines.extend(counts(folder, items));
            }
        }
        self.finish(command, Kind::List, Answer::new(lines, "OK listed"))
    }
    fn status(&mut self, command: &Command, rest: &[u8]) -> Option<()> {
        let Some((name, items)) = astring(rest) else {
            return self.forbidden(command);
        };
        let items = String::from_utf8_lossy(items).to_ascii_uppercase();
        let items = items.trim_start_matches('(').trim_end_matches(')');
        let Some((_, folder)) = self.folder(&name) else {
            let answer = Answer::only("NO [NONEXISTENT] there is no such folder");
            return self.finish(command, Kind::Status, answer);
        };
        let Some(line) = counts(&folder, items) else {
            return self.forbidden(command);
        };
        let answer = Answer::new(vec![line], "OK counted");
        self.spoil(command, Kind::Status, answer, Some(&folder), &[])
    }
    fn folder(&self, name: &[u8]) -> Option<(usize, Folder)> {
        let folders = self.shared.folders.lock().unwrap();
        let at = folders.iter().position(|folder| {
            let inbox = folder.name == b"INBOX" && name.eq_ignore_ascii_case(b"INBOX");
            (inbox || folder.name == name) && !folder.flags.contains("\\Noselect")
        })?;
        Some((at, folders[at].clone()))
    }
    fn examine(&mut self, command: &Command, rest: &[u8]) -> Option<()> {
        self.selected = None;
        let Some((name, b"")) = astring(rest) else {
            return self.forbidden(command);
        };
        let Some((at, folder)) = self.folder(&name) else {
            let answer = Answer::only("NO [NONEXISTENT] there is no such folder");
            return self.finish(command, Kind::Examine, answer);
        };
        let lines = [
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n".to_owned(),
            "* OK [PERMANENTFLAGS ()] none\r\n".to_owned(),
            format!("* {} EXISTS\r\n", folder.letters.len()),
            "* 0 RECENT\r\n".to_owned(),
            format!("* OK [UIDVALIDITY {}] valid\r\n", folder.validity),
            format!("* OK [UIDNEXT {}] next\r\n", folder.next()),
        ];
        let lines = lines.map(String::into_bytes).to_vec();
        let answer = Answer::new(lines, "OK [READ-ONLY] examined");
        self.spoil(command, Kind::Examine, answer, Some(&folder), &[])?;
        self.selected = Some(at).filter(|_| !self.denied);
        Some(())
    }
    fn fetch(&mut self, command: &Command, rest: &str) -> Option<()> {
        let folder = self
            .selected
            .map(|at| self.shared.folders.lock().unwrap()[at].clone());
        let parts: Vec<&str> = rest.splitn(3, ' ').collect();
        let (Some(folder), [verb, set, items]) = (folder, &parts[..]) else {
            return self.forbidden(command);
        };
        let asked = fetch::uids(set, &folder.uids()).zip(fetch::items(items));
        let (true, Some((uids, items))) = (verb.eq_ignore_ascii_case("FETCH"), asked) else {
            return self.forbidden(command);
        };
        let body = items
            .iter()
            .any(|item| matches!(item, Item::Section(name, _) if !name.starts_with("HEADER")));
        let kind = if body { Kind::Body } else { Kind::Headers };
        self.shared
            .log
            .lock()
            .unwrap()
            .fetch(self.number, rest, uids.clone());
        let faults = self.shared.firing(&About {
            kind,
            inside: self.inside,
            folder: Some(&folder),
            uids: &uids,
        });
        let mut lines = Vec::new();
        for (at, letter) in folder.letters.iter().enumerate() {
            if uids.contains(&letter.uid) {
                let shapes = shapes(&faults, letter.uid);
                lines.extend(fetch::answer(at + 1, letter, &items, &shapes));
            }
        }
        self.reply(&command.tag, Answer::new(lines, "OK fetched"), &faults)
    }

    /// Answers a command that is about no folder.
    fn finish(&mut self, command: &Command, kind: Kind, answer: Answer) -> Option<()> {
        self.spoil(command, kind, answer, None, &[])
    }
    fn spoil(
        &mut self,
        command: &Command,
        kind: Kind,
        answer: Answer,
        folder: Option<&Folder>,
        uids: &[u32],
    ) -> Option<()> {
        let faults = self.shared.firing(&About {
            kind,
            inside: self.inside && !command.text.eq_ignore_ascii_case(b"LOGOUT"),
            folder,
            uids,
        });
        self.reply(&command.tag, answer, &faults)
    }
}

/// `* STATUS name (…)`; none where something unknown is asked.
fn counts(folder: &Folder, items: &str) -> Option<Vec<u8>> {
    let values: Option<Vec<String>> = items
        .split(' ')
        .map(|item| {
            let value = match item {
                "MESSAGES" => folder.letters.len() as u64,
                "UIDNEXT" => u64::from(folder.next()),
                "UIDVALIDITY" => folder.validity,
                "UNSEEN" | "RECENT" => 0,
                _ => return None,
            };
            Some(format!("{item} {value}"))
        })
        .collect();
    let mut line = b"* STATUS ".to_vec();
    line.extend(quoted(&folder.name));
    line.extend_from_slice(format!(" ({})\r\n", values?.join(" ")).as_bytes());
    Some(line)
}

/// Where a literal is announced at the end of a line: where, how long, and whether the client waits.
fn literal(line: &[u8]) -> Option<(usize, usize, bool)> {
    let inner = line.strip_suffix(b"}")?;
    let start = memchr::memrchr(b'{', inner)?;
    let digits = std::str::from_utf8(&inner[start + 1..]).ok()?;
    let size = digits.trim_end_matches('+').parse().ok()?;
    Some((start, size, !digits.ends_with('+')))
}

/// An atom or a quoted string, and what follows it without its space.
fn astring(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let Some(inner) = text.strip_prefix(b"\"") else {
        let end = memchr::memchr(b' ', text).unwrap_or(text.len());
        let rest = text.get(end + 1..).unwrap_or(b"");
        return Some((text[..end].to_vec(), rest)).filter(|(atom, _)| !atom.is_empty());
    };
    let (mut out, mut at) = (Vec::new(), 0);
    loop {
        match inner.get(at)? {
            b'"' => break,
            b'\\' => {
                out.push(*inner.get(at + 1)?);
                at += 2;
            }
            byte => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    let rest = &inner[at + 1..];
    Some((out, rest.strip_prefix(b" ").unwrap_or(rest)))
}
