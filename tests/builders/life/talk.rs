//! A thread: who begins, who answers whom, what is quoted. Everything that people say to one another goes through here.

use super::super::folk::listed;
use super::super::letter::Draft;
use super::bank::fill;
use super::office::Known;
use super::{Life, START};
use std::rc::Rc;

/// What a thread is about, and among whom.
pub(super) struct Talk<'a> {
    /// Seconds since 1970 UTC of its first message.
    pub(super) at: i64,
    pub(super) subject: String,
    /// Those beside the owner.
    pub(super) people: Vec<Known>,
    /// Those in Cc of what the owner writes.
    pub(super) copied: Vec<Known>,
    /// Section of what the owner says.
    pub(super) ours: &'a str,
    /// Section of what the others say.
    pub(super) theirs: &'a str,
    /// Whether the owner begins.
    pub(super) begins: bool,
    /// Whether the owner only reads.
    pub(super) silent: bool,
    pub(super) turns: usize,
    /// In how many of a hundred cases an answer goes to all.
    pub(super) to_all: usize,
    /// How all are greeted; empty for by name.
    pub(super) greeting: &'a str,
    pub(super) reference: &'a str,
}

impl Life<'_> {
    /// A new Message-ID at a domain.
    pub(super) fn id(&mut self, domain: &str) -> String {
        self.serial += 1;
        format!("{}.{}@{domain}", self.serial, self.seed)
    }

    /// A time of a working day: seconds since 1970 UTC.
    pub(super) fn time(&mut self, day: usize) -> i64 {
        START + day as i64 * 86_400 + self.folk.dice.below(9 * 3600) as i64
    }

    /// A sentence or subject of a section with its slots filled.
    pub(super) fn say(&mut self, section: &str, reference: &str, first: &str) -> String {
        let line = self.bank.line(section, &mut self.folk.dice);
        self.fill(line, reference, first)
    }

    pub(super) fn fill(&mut self, line: &str, reference: &str, first: &str) -> String {
        let colleague = self.folk.dice.below(super::office::TEAM);
        let colleague = Rc::clone(&self.circle.staff[colleague]);
        fill(
            line,
            &mut self.folk.dice,
            reference,
            first,
            &colleague.first,
        )
    }

    /// Keeps a letter.
    pub(super) fn post(&mut self, draft: &Draft) {
        self.sent += usize::from(!draft.received);
        self.letters.push(draft.letter());
    }

    /// A letter that the owner begins.
    pub(super) fn own(&mut self, at: i64, subject: &str, body: String) -> Draft {
        let domain = self.domain.clone();
        Draft {
            sent: at,
            id: self.id(&domain),
            from: self.owner.shown.clone(),
            subject: subject.to_owned(),
            body,
            ..Draft::default()
        }
    }

    /// A whole text: greeting, a few sentences, name.
    pub(super) fn text(
        &mut self,
        section: &str,
        reference: &str,
        greeted: &[Known],
        greeting: &str,
        from: &Known,
    ) -> String {
        let mut out = String::with_capacity(400);
        if greeting.is_empty() {
            out += *self
                .folk
                .dice
                .pick(&["Dear ", "Hi ", "Hello ", "Dear ", "Good morning "]);
            for (at, who) in greeted.iter().take(3).enumerate() {
                if at > 0 {
                    out += if at + 1 == greeted.len().min(3) {
                        " and "
                    } else {
                        ", "
                    };
                }
                out += &who.first;
            }
        } else {
            out += greeting;
        }
        out += ",\n\n";
        let first = greeted.first().map_or("", |who| who.first.as_str());
        let sentences = self.folk.dice.between(1, 4);
        let mut said: Vec<&str> = Vec::new();
        for _ in 0..sentences {
            let line = self.bank.line(section, &mut self.folk.dice);
            if !said.contains(&line) {
                said.push(line);
                out += &self.fill(line, reference, first);
                out.push(if self.folk.dice.chance(30) { '\n' } else { ' ' });
            }
        }
        if self.folk.dice.chance(40) {
            let line = self.bank.line("closing", &mut self.folk.dice);
            out += &self.fill(line, reference, first);
        }
        out += *self.folk.dice.pick(&[
            "\n\nKind regards\n",
            "\n\nBest wishes\n",
            "\n\nThanks\n",
            "\n\n",
        ]);
        out += &from.first;
        out.push('\n');
        out
    }

    /// Writes a thread, and tells at which addresses others wrote to all.
    pub(super) fn talk(&mut self, talk: &Talk<'_>) -> Vec<String> {
        let mut heard = Vec::new();
        let mut at = talk.at;
        let mut before: Option<(String, Known, String)> = None;
        for turn in 0..talk.turns {
            let ours = !talk.silent && (turn % 2 == 0) == talk.begins;
            let writer = if ours {
                Rc::clone(&self.owner)
            } else {
                Rc::clone(self.folk.dice.pick(&talk.people))
            };
            let all = before.is_none() || self.folk.dice.chance(talk.to_all);
            let mut to: Vec<Known> = match &before {
                Some((_, last, _)) if !all => vec![Rc::clone(last)],
                _ => talk.people.clone(),
            };
            if !ours && to.iter().all(|who| who.address != self.owner.address) {
                to.insert(0, Rc::clone(&self.owner));
            }
            to.retain(|who| who.address != writer.address);
            if to.is_empty() {
                to.push(Rc::clone(&self.owner));
            }
            if all && !ours {
                heard.push(writer.address.clone());
            }
            let greeting = if all { talk.greeting } else { "" };
            let section = if ours { talk.ours } else { talk.theirs };
            let mut body = self.text(section, talk.reference, &to, greeting, &writer);
            let mut draft = Draft {
                sent: at,
                received: !ours,
                id: self.id(writer.address.rsplit('@').next().unwrap_or_default()),
                from: writer.shown.clone(),
                to: listed(to.iter().map(|who| &**who)),
                cc: if all && (ours || turn > 0) {
                    listed(
                        talk.copied
                            .iter()
                            .map(|who| &**who)
                            .filter(|who| who.address != writer.address),
                    )
                } else {
                    String::new()
                },
                subject: if turn == 0 {
                    talk.subject.clone()
                } else {
                    format!("Re: {}", talk.subject)
                },
                ..Draft::default()
            };
            if let Some((id, author, text)) = &before {
                draft.answers.clone_from(id);
                body += &format!(
                    "\nOn {day}, {author} wrote:\n",
                    day = "Monday",
                    author = author.shown
                );
                for line in text.lines().take(14) {
                    body += "> ";
                    body += line;
                    body.push('\n');
                }
            }
            if self.folk.dice.chance(15) {
                draft.html = format!(
                    "<html><body><p>{}</p></body></html>\n",
                    body.replace('\n', "<br>\n")
                );
            }
            draft.body.clone_from(&body);
            self.post(&draft);
            before = Some((draft.id, writer, body));
            at += self.folk.dice.between(600, 90_000) as i64;
        }
        heard
    }
}
