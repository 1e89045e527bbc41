//! What happens on a day: each event is a letter, a thread or a mail-out, taken from what offices really send.

use super::super::folk::{Contact, Shown, listed};
use super::super::letter::Draft;
use super::Life;
use super::office::{Group, Known, TEAM};
use super::talk::Talk;
use std::rc::Rc;

impl Life<'_> {
    /// A day, at the end of which `due` messages are sent in all.
    pub(super) fn day(&mut self, day: usize, due: usize) {
        if day % 7 >= 5 {
            // At the weekend people write to their friends.
            if self.folk.dice.chance(40) {
                self.club(day);
            }
            return;
        }
        self.calendar(day);
        while self.sent < due {
            self.event(day);
        }
    }

    /// What comes round every week or month.
    fn calendar(&mut self, day: usize) {
        for at in 0..self.circle.committees.len() {
            if day % 28 == 3 + 7 * at {
                let mut group = self.circle.committees[at].clone();
                self.meet(day, &mut group, "committee");
                self.circle.committees[at] = group;
            }
        }
        match day % 28 {
            1 => self.series(day),
            8 => self.newsletter(day),
            9 => self.everybody(day),
            16 => self.press(day),
            22 => self.renew(day),
            _ => {}
        }
        if day % 7 == 2 {
            self.notices(day);
        }
    }

    fn event(&mut self, day: usize) {
        match self.folk.dice.below(1000) {
            0..250 => self.colleague(day),
            250..370 => self.colleagues(day),
            370..600 => self.client(day),
            600..650 => self.family(day),
            650..690 => self.conference(day),
            690..750 => self.agency(day),
            750..800 => self.supplier(day),
            800..840 => self.project(day),
            840..880 => self.forward(day),
            880..905 => self.meeting(day),
            905..930 => self.applicant(day),
            930..950 => self.away(day),
            950..962 => self.list(day),
            962..974 => self.helpers(day),
            974..984 => self.visit(day),
            984..992 => self.tender(day),
            _ => self.desks(day),
        }
    }

    fn mate(&mut self) -> Known {
        let most = if self.folk.dice.chance(70) {
            TEAM
        } else {
            self.circle.staff.len()
        };
        Rc::clone(&self.circle.staff[self.folk.dice.below(most)])
    }

    /// Staff of one other organisation.
    fn staff_of(&mut self, suppliers: bool, most: usize) -> Vec<Known> {
        let firms = if suppliers {
            &self.circle.suppliers
        } else {
            &self.circle.agencies
        };
        let firm = self.folk.dice.pick(firms);
        let count = self.folk.dice.between(1, most);
        self.folk.dice.some(firm, count)
    }

    /// The older a relation, the likelier it goes on; new ones come all the time.
    fn case(&mut self) -> super::office::Client {
        if self.folk.dice.chance(12) {
            let client = self.circle.client(self.folk);
            self.circle.clients.push(client);
            if self.circle.clients.len() > 120 {
                self.circle.clients.remove(0);
            }
        }
        let all = self.circle.clients.len();
        let at = self.folk.dice.below(all).max(self.folk.dice.below(all));
        self.circle.clients[at].clone()
    }

    fn turns(&mut self) -> usize {
        *self.folk.dice.pick(&[1, 1, 1, 2, 2, 3, 4, 6])
    }

    fn colleague(&mut self, day: usize) {
        let people = vec![self.mate()];
        let reference = self.case().reference;
        let talk = Talk {
            at: self.time(day),
            subject: self.say("staff.subject", &reference, ""),
            people,
            copied: Vec::new(),
            ours: "staff.text",
            theirs: "staff.text",
            begins: self.folk.dice.chance(60),
            silent: false,
            turns: self.turns() + 1,
            to_all: 100,
            greeting: "",
            reference: &reference,
        };
        self.talk(&talk);
    }

    fn colleagues(&mut self, day: usize) {
        let count = self.folk.dice.between(2, 9);
        let people = self.folk.dice.some(&self.circle.staff[..TEAM * 3], count);
        let reference = self.case().reference;
        let talk = Talk {
            at: self.time(day),
            subject: self.say("staff.subject", &reference, ""),
            people,
            copied: Vec::new(),
            ours: "staff.text",
            theirs: "staff.text",
            begins: self.folk.dice.chance(70),
            silent: false,
            turns: self.turns(),
            to_all: 70,
            greeting: *self.folk.dice.pick(&[
                "Dear all",
                "Hi all",
                "Morning everyone",
                "Dear team",
                "All",
            ]),
            reference: &reference,
        };
        self.talk(&talk);
    }

    /// One client alone; now and then with the colleague who knows her.
    fn client(&mut self, day: usize) {
        let case = self.case();
        let copied = if self.folk.dice.chance(15) {
            vec![self.mate()]
        } else {
            Vec::new()
        };
        let talk = Talk {
            at: self.time(day),
            subject: self.say("client.subject", &case.reference, &case.client.first),
            people: vec![case.client],
            copied,
            ours: "client.text",
            theirs: "client.asks",
            begins: self.folk.dice.chance(55),
            silent: false,
            turns: self.turns() + 1,
            to_all: 100,
            greeting: "",
            reference: &case.reference,
        };
        self.talk(&talk);
    }

    /// A client, those around her, those who look after her: one case, greeted by name.
    fn family(&mut self, day: usize) {
        let mut case = self.case();
        for _ in 0..6 {
            if case.kin.is_some() || case.worker.is_some() {
                break;
            }
            case = self.case();
        }
        let mut people = vec![case.client];
        people.extend(case.kin);
        let mut copied = Vec::new();
        if let Some(worker) = case.worker {
            if self.folk.dice.chance(50) {
                people.push(worker);
            } else {
                copied.push(worker);
            }
        }
        if self.folk.dice.chance(25) {
            copied.push(self.mate());
        }
        let talk = Talk {
            at: self.time(day),
            subject: self.say("client.subject", &case.reference, &people[0].first),
            people,
            copied,
            ours: "client.text",
            theirs: "client.asks",
            // Mostly it is the family that asks for all of them to be written to.
            begins: self.folk.dice.chance(25),
            silent: false,
            turns: self.turns() + 1,
            to_all: 80,
            greeting: "",
            reference: &case.reference,
        };
        self.talk(&talk);
    }

    /// Professionals of several agencies about one case.
    fn conference(&mut self, day: usize) {
        let mut people: Vec<Known> = Vec::new();
        for _ in 0..self.folk.dice.between(2, 5) {
            people.extend(self.staff_of(false, 2));
        }
        people.sort_by(|a, b| a.address.cmp(&b.address));
        people.dedup_by(|a, b| a.address == b.address);
        let reference = self.case().reference;
        let copied = self.folk.dice.some(&self.circle.staff[..TEAM], 2);
        let talk = Talk {
            at: self.time(day),
            subject: self.say("agency.subject", &reference, ""),
            people,
            copied,
            ours: "agency.text",
            theirs: "agency.text",
            begins: self.folk.dice.chance(55),
            silent: false,
            turns: self.turns(),
            to_all: 65,
            greeting: *self.folk.dice.pick(&[
                "Dear all",
                "Dear colleagues",
                "Hi all",
                "Afternoon all",
            ]),
            reference: &reference,
        };
        self.talk(&talk);
    }

    fn agency(&mut self, day: usize) {
        let people = self.staff_of(false, 3);
        let reference = self.case().reference;
        let talk = Talk {
            at: self.time(day),
            subject: self.say("agency.subject", &reference, ""),
            people,
            copied: Vec::new(),
            ours: "agency.text",
            theirs: "agency.text",
            begins: self.folk.dice.chance(50),
            silent: false,
            turns: self.turns() + 1,
            to_all: 60,
            greeting: "",
            reference: &reference,
        };
        self.talk(&talk);
    }

    fn supplier(&mut self, day: usize) {
        let people = self.staff_of(true, 4);
        let talk = Talk {
            at: self.time(day),
            subject: self.say("supplier.subject", "", ""),
            people,
            copied: Vec::new(),
            ours: "supplier.text",
            theirs: "supplier.answer",
            begins: self.folk.dice.chance(60),
            silent: false,
            turns: self.turns() + 1,
            to_all: 60,
            greeting: "",
            reference: "",
        };
        self.talk(&talk);
    }

    fn project(&mut self, day: usize) {
        let at = self.folk.dice.below(self.circle.projects.len());
        let mut group = self.circle.projects[at].clone();
        self.meet(day, &mut group, "project");
        self.circle.projects[at] = group;
    }

    /// A group that speaks in the open: somebody begins, some answer to all, a few never write.
    fn meet(&mut self, day: usize, group: &mut Group, sort: &str) {
        let line = self.say(&format!("{sort}.subject"), "", "");
        let talk = Talk {
            at: self.time(day),
            subject: format!("{}: {line}", group.name),
            people: group.people.clone(),
            copied: Vec::new(),
            ours: if sort == "club" {
                "club.text"
            } else {
                "group.text"
            },
            theirs: if sort == "club" {
                "club.text"
            } else {
                "group.answer"
            },
            begins: group.speaks() && self.folk.dice.chance(65),
            silent: !group.speaks(),
            turns: self.folk.dice.between(2, 6),
            to_all: 85,
            greeting: *self
                .folk
                .dice
                .pick(&["Dear all", "Hi all", "Hello everyone", "All"]),
            reference: "",
        };
        group.heard.extend(self.talk(&talk));
    }

    fn club(&mut self, day: usize) {
        let mut group = self.circle.club.clone();
        self.meet(day, &mut group, "club");
        self.circle.club = group;
    }

    /// A few volunteers who know one another, about nothing that hurts.
    fn helpers(&mut self, day: usize) {
        let mut group = self.circle.helpers.clone();
        self.meet(day, &mut group, "helpers");
        self.circle.helpers = group;
    }

    /// To a colleague, with what was written and to whom.
    fn forward(&mut self, day: usize) {
        let case = self.case();
        let at = self.time(day);
        let mut to: Vec<&Contact> = vec![&self.owner];
        to.extend(case.kin.as_deref().into_iter().filter(|_| day % 3 == 0));
        let to = listed(to);
        let subject = self.say("client.subject", &case.reference, &case.client.first);
        let owner = Rc::clone(&self.owner);
        let text = self.text("client.asks", &case.reference, &[owner], "", &case.client);
        let first = self.say("forward", &case.reference, &case.client.first);
        let body = format!(
            "{first}\n\n---------- Forwarded message ---------\nFrom: {}\nDate: Mon, 8 Jan 2024 at 10:12\nSubject: {subject}\nTo: {}\n\n{text}",
            case.client.shown,
            to.replace("\n ", " "),
        );
        let draft = self.own(at, &format!("Fwd: {subject}"), body);
        let to = self.mate().shown.clone();
        self.post(&Draft { to, ..draft });
    }

    /// An invitation to a meeting of colleagues, or of a project.
    fn meeting(&mut self, day: usize) {
        let people = if self.folk.dice.chance(70) {
            self.folk.dice.some(&self.circle.staff[..TEAM * 2], 5)
        } else {
            let group = self.folk.dice.pick(&self.circle.projects);
            group.people.clone()
        };
        let at = self.time(day);
        let subject = self.say("meeting.subject", "", "");
        let body = self.say("group.text", "", "");
        let draft = self.own(at, &subject, body);
        let calendar = people.iter().map(|who| who.shown.clone()).collect();
        let to = listed(people.iter().map(|who| &**who));
        self.post(&Draft {
            to,
            calendar,
            ..draft
        });
    }

    /// People who want a post: each alone.
    fn applicant(&mut self, day: usize) {
        let people = vec![Rc::new(self.folk.private(Shown::Mixed))];
        let talk = Talk {
            at: self.time(day),
            subject: self.say("applicant.subject", "", ""),
            people,
            copied: Vec::new(),
            ours: "applicant.text",
            theirs: "applicant.asks",
            begins: self.folk.dice.chance(40),
            silent: false,
            turns: self.turns() + 1,
            to_all: 100,
            greeting: "",
            reference: "",
        };
        self.talk(&talk);
    }

    /// The answer of a machine while the owner is away.
    fn away(&mut self, day: usize) {
        let case = self.case();
        let at = self.time(day);
        let subject = self.say("client.subject", &case.reference, &case.client.first);
        let body = self.say("away", "", "");
        let mut draft = self.own(at, &format!("Automatic reply: {subject}"), body);
        draft.more = "Auto-Submitted: auto-replied\n".to_owned();
        draft.to.clone_from(&case.client.shown);
        self.post(&draft);
    }

    /// To a mailing list, one address.
    fn list(&mut self, day: usize) {
        let at = self.time(day);
        let subject = self.say("group.subject", "", "");
        let owner = Rc::clone(&self.owner);
        let body = self.text("group.text", "", &[], "Dear all", &owner);
        let draft = self.own(at, &subject, body);
        self.post(&Draft {
            to: "Practice forum <forum@lists.network.example>".to_owned(),
            ..draft
        });
    }

    /// A shared appointment of one household, whom the owner met together.
    fn visit(&mut self, day: usize) {
        let last = self.folk.last().to_owned();
        let people = vec![
            Rc::new(self.folk.relative(&last, Shown::Full)),
            Rc::new(self.folk.relative(&last, Shown::Full)),
        ];
        let talk = Talk {
            at: self.time(day),
            subject: self.say("visit.subject", "", ""),
            people,
            copied: Vec::new(),
            ours: "visit.text",
            theirs: "visit.text",
            begins: true,
            silent: false,
            turns: self.turns(),
            to_all: 90,
            greeting: "",
            reference: "",
        };
        self.talk(&talk);
    }

    /// Firms that are asked to quote: their sales desks.
    fn tender(&mut self, day: usize) {
        let at = self.time(day);
        let mut to = Vec::new();
        for firm in &self.circle.suppliers {
            if self.folk.dice.chance(45) {
                let domain = firm[0].address.rsplit('@').next().unwrap_or_default();
                let role = *self
                    .folk
                    .dice
                    .pick(&["sales", "tenders", "info", "enquiries"]);
                to.push(format!("{role}@{domain}"));
            }
        }
        let subject = self.say("tender.subject", "", "");
        let owner = Rc::clone(&self.owner);
        let body = self.text("tender.text", "", &[], "Dear Sir or Madam", &owner);
        let mut draft = self.own(at, &subject, body);
        draft.to = to.join(",\n ");
        if draft.to.is_empty() {
            draft.to = "sales@quotes.example".to_owned();
        }
        self.post(&draft);
    }

    fn desks(&mut self, day: usize) {
        let at = self.time(day);
        let to = self.folk.dice.pick(&self.circle.desks).shown.clone();
        let subject = self.say("press.subject", "", "");
        let owner = Rc::clone(&self.owner);
        let body = self.text("press.text", "", &[], "Dear news desk", &owner);
        let draft = self.own(at, &subject, body);
        self.post(&Draft { to, ..draft });
    }
}

/// What goes to many.
impl Life<'_> {
    /// The same words to each of many, one letter each.
    fn series(&mut self, day: usize) {
        let at = self.time(day);
        let line = self.bank.line("series", &mut self.folk.dice);
        let (subject, text) = line.split_once('|').expect("subject | text");
        let people = self.circle.clients.clone();
        let owner = Rc::clone(&self.owner);
        for (number, case) in people.iter().take(25).enumerate() {
            let subject = self.fill(subject.trim(), &case.reference, &case.client.first);
            let text = self.fill(text.trim(), &case.reference, &case.client.first);
            let body = format!("Dear {},\n\n{text}\n\n{}\n", case.client.first, owner.first);
            let draft = self.own(at + 40 * number as i64, &subject, body);
            let to = case.client.shown.clone();
            self.post(&Draft { to, ..draft });
        }
    }

    /// Many in Bcc; the stored copy keeps the line, or not.
    fn newsletter(&mut self, day: usize) {
        let at = self.time(day);
        let line = self.bank.line("crowd", &mut self.folk.dice);
        let (subject, text) = line.split_once('|').expect("subject | text");
        let (subject, text) = (
            self.fill(subject.trim(), "", ""),
            self.fill(text.trim(), "", ""),
        );
        let draft = self.own(
            at,
            &subject,
            format!("Dear all,\n\n{text}\n\n{}\n", self.owner.first),
        );
        let to = if self.folk.dice.chance(50) {
            self.owner.shown.clone()
        } else {
            "undisclosed-recipients:;".to_owned()
        };
        let bcc = if self.folk.dice.chance(50) {
            listed(self.circle.clients.iter().map(|case| &*case.client))
        } else {
            String::new()
        };
        self.post(&Draft { to, bcc, ..draft });
    }

    fn everybody(&mut self, day: usize) {
        let at = self.time(day);
        let subject = self.say("staff.subject", "", "");
        let owner = Rc::clone(&self.owner);
        let body = self.text("staff.text", "", &[], "Dear all", &owner);
        let draft = self.own(at, &subject, body);
        let to = listed(self.circle.staff.iter().map(|who| &**who));
        self.post(&Draft { to, ..draft });
    }

    fn press(&mut self, day: usize) {
        let at = self.time(day);
        let subject = self.say("press.subject", "", "");
        let owner = Rc::clone(&self.owner);
        let body = self.text("press.text", "", &[], "Dear editors", &owner);
        let draft = self.own(at, &subject, body);
        let to = listed(self.circle.desks.iter().map(|who| &**who));
        self.post(&Draft { to, ..draft });
    }

    /// Old projects end, new ones begin; somebody joins or leaves the committee.
    fn renew(&mut self, day: usize) {
        if day % 3 == 0 {
            let name = self.bank.line("project", &mut self.folk.dice);
            let group = self.circle.project(self.folk, name);
            self.circle.projects.push(group);
            if self.circle.projects.len() > 5 {
                self.circle.projects.remove(0);
            }
        }
        let at = self.folk.dice.below(self.circle.committees.len());
        let new = Rc::new(self.folk.private(Shown::Full));
        let group = &mut self.circle.committees[at].people;
        if group.len() > 8 {
            group.remove(0);
        }
        group.push(new);
    }

    /// What comes in by itself: machines, lists, mail that could not be delivered.
    fn notices(&mut self, day: usize) {
        for _ in 0..3 {
            let at = self.time(day);
            let line = self.bank.line("notice", &mut self.folk.dice);
            let mut parts = line.split('|').map(str::trim);
            let (from, subject, text) = (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            );
            let body = self.fill(text, "", "");
            let mut draft = self.own(at, subject, body);
            draft.received = true;
            draft.from = from.to_owned();
            draft.to.clone_from(&self.owner.shown);
            if from.contains("lists.") {
                draft.more = "List-Id: Practice forum <forum.lists.network.example>\n".to_owned();
            }
            self.post(&draft);
        }
    }
}
