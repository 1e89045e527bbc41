//! What goes to many at once, as it should: one letter to each, Bcc, role addresses, colleagues, classes of professionals.
//! And what comes round by the calendar.

use super::super::folk::{Shown, listed};
use super::super::letter::Draft;
use super::Life;
use super::office::Known;
use std::rc::Rc;

impl Life<'_> {
    /// The same words to each of many, one letter each.
    pub(super) fn series(&mut self, day: usize) {
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
    pub(super) fn newsletter(&mut self, day: usize) {
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

    /// Professionals of many agencies who are taught about what hurts.
    pub(super) fn training(&mut self, day: usize) {
        let mut people: Vec<Known> = Vec::new();
        let count = self.folk.dice.between(5, 11);
        let firms = self.folk.dice.some(&self.circle.agencies, count);
        for firm in &firms {
            people.push(Rc::clone(self.folk.dice.pick(firm)));
        }
        let at = self.time(day);
        let subject = self.say("training.subject", "", "");
        let owner = Rc::clone(&self.owner);
        let body = self.text("training.text", "", &[], "Dear all", &owner);
        let draft = self.own(at, &subject, body);
        let to = listed(people.iter().map(|who| &**who));
        self.post(&Draft { to, ..draft });
    }

    /// Somebody leaves: colleagues, and some who left before, at home.
    pub(super) fn leaving(&mut self, day: usize) {
        let count = self.folk.dice.between(2, 6);
        let before = self.folk.dice.some(&self.circle.former, count);
        let staff = self.folk.dice.some(&self.circle.staff, 9);
        let at = self.time(day);
        let subject = self.say("leaving.subject", "", "");
        let owner = Rc::clone(&self.owner);
        let body = self.text("leaving.text", "", &[], "Dear all", &owner);
        let draft = self.own(at, &subject, body);
        let to = listed(staff.iter().map(|who| &**who));
        let cc = listed(before.iter().map(|who| &**who));
        self.post(&Draft { to, cc, ..draft });
    }

    pub(super) fn everybody(&mut self, day: usize) {
        let at = self.time(day);
        let subject = self.say("staff.subject", "", "");
        let owner = Rc::clone(&self.owner);
        let body = self.text("staff.text", "", &[], "Dear all", &owner);
        let draft = self.own(at, &subject, body);
        let to = listed(self.circle.staff.iter().map(|who| &**who));
        self.post(&Draft { to, ..draft });
    }

    pub(super) fn press(&mut self, day: usize) {
        let at = self.time(day);
        let subject = self.say("press.subject", "", "");
        let owner = Rc::clone(&self.owner);
        let body = self.text("press.text", "", &[], "Dear editors", &owner);
        let draft = self.own(at, &subject, body);
        let to = listed(self.circle.desks.iter().map(|who| &**who));
        self.post(&Draft { to, ..draft });
    }

    /// Old projects end, new ones begin; somebody joins or leaves the committee.
    pub(super) fn renew(&mut self, day: usize) {
        if day.is_multiple_of(3) {
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
    pub(super) fn notices(&mut self, day: usize) {
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

    /// Firms that are asked to quote: their sales desks.
    pub(super) fn tender(&mut self, day: usize) {
        let at = self.time(day);
        let mut to = Vec::new();
        for firm in &self.circle.suppliers {
            if self.folk.dice.chance(45) {
                let domain = firm[0].address.rsplit('@').next().unwrap_or_default();
                let role = self
                    .folk
                    .dice
                    .word(&["sales", "tenders", "info", "enquiries"]);
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

    /// Work sent home: to the owner's own mailbox, or to that of a colleague as well.
    pub(super) fn home(&mut self, day: usize) {
        let at = self.time(day);
        let reference = self.case().reference;
        let subject = self.say("staff.subject", &reference, "");
        let body = self.say("staff.text", &reference, "");
        let count = self.folk.dice.between(1, 2);
        let draft = self.own(at, &subject, body);
        let to = listed(self.circle.homes[..count].iter().map(|who| &**who));
        self.post(&Draft { to, ..draft });
    }

    pub(super) fn desks(&mut self, day: usize) {
        let at = self.time(day);
        let to = self.folk.dice.pick(&self.circle.desks).shown.clone();
        let subject = self.say("press.subject", "", "");
        let owner = Rc::clone(&self.owner);
        let body = self.text("press.text", "", &[], "Dear news desk", &owner);
        let draft = self.own(at, &subject, body);
        self.post(&Draft { to, ..draft });
    }
}
