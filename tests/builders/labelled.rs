//! Labelled mailboxes: a TOML file that says of each of its messages whether it exposes somebody and why, set into months
//! of the ordinary mail of its owner. The labels are what people would say, and not what the program says.
//!
//! Day 0 is a Monday; `circle` names people that messages point to (`"patients 1-9"`, `"patients 2,5"`, `"patients"`).

use super::folk::{Contact, Folk, Shown, listed};
use super::letter::{Draft, Letter, address, mboxes, shown};
use super::life::{Plan, START, live};
use super::{Dice, Store};
use serde::Deserialize;
use std::path::Path;

/// A file of the labelled set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Labelled {
    pub(crate) title: String,
    /// Domain, as `--org` takes it.
    pub(crate) organisation: String,
    /// `Name <address>`.
    pub(crate) owner: String,
    /// What sort of office: a file of `builders/life/`.
    pub(crate) life: String,
    pub(crate) months: usize,
    pub(crate) seed: u64,
    #[serde(default)]
    circle: Vec<Circle>,
    pub(crate) message: Vec<Message>,
}

/// Some people to whom messages go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Circle {
    name: String,
    #[serde(default)]
    count: usize,
    /// `personal`, `mixed`, or a domain.
    #[serde(default)]
    at: String,
    /// `full`, `partial`, `none` or `mixed`.
    #[serde(default)]
    shown: String,
    /// How many mails members wrote to most of the others in view of the owner.
    #[serde(default)]
    speaks: usize,
    /// Instead of `count`, `at` and `shown`: `Name <address>` each.
    #[serde(default)]
    members: Vec<String>,
}

/// One labelled message.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) exposes: bool,
    #[serde(default)]
    pub(crate) why: String,
    day: i64,
    from: Option<String>,
    #[serde(default)]
    to: Vec<String>,
    #[serde(default)]
    cc: Vec<String>,
    #[serde(default)]
    bcc: Vec<String>,
    /// To stands in a group of this name (RFC 5322 section 3.4).
    group_name: Option<String>,
    pub(crate) subject: String,
    body: String,
    html: Option<Html>,
    #[serde(default)]
    attachments: Vec<String>,
    /// Attendees of a meeting.
    #[serde(default)]
    calendar: Vec<String>,
    /// Number of the message in the file, from 1, that this one answers.
    answers: Option<usize>,
    #[serde(default)]
    received: bool,
    /// Exposing messages of one series are one incident.
    pub(crate) series: Option<String>,
    /// How many people it exposes.
    pub(crate) exposed: Option<u64>,
}

/// `html = true` is the body as HTML; a text is that HTML.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Html {
    Yes(bool),
    Text(String),
}

/// A labelled file as mail on disk.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) store: Store,
    /// How many ordinary messages the owner sent.
    pub(crate) ordinary: u64,
}

impl Labelled {
    /// Reads one file.
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a labelled file");
        toml::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
    }

    /// The Message-ID of the message at this place, without brackets.
    pub(crate) fn id(&self, index: usize) -> String {
        let from = self.message[index].from.as_ref().unwrap_or(&self.owner);
        let domain = address(from).rsplit('@').next().unwrap_or_default();
        format!("labelled-{}@{domain}", index + 1)
    }

    /// Whether a message is judged: what outsiders wrote to the owner only tells who has spoken.
    pub(crate) fn counts(&self, index: usize) -> bool {
        let message = &self.message[index];
        !message.received
            || message.from.as_ref().is_some_and(|from| {
                address(from)
                    .rsplit('@')
                    .next()
                    .is_some_and(|domain| self.is_inside(domain))
            })
    }

    fn is_inside(&self, domain: &str) -> bool {
        domain == self.organisation || domain.ends_with(&format!(".{}", self.organisation))
    }

    /// The mailbox: the owner's ordinary mail with these messages in it, `Sent.mbox` and `Inbox.mbox`.
    pub(crate) fn write(&self) -> Written {
        let mut folk = Folk::new(self.seed);
        for who in self.addresses() {
            folk.take(address(who));
        }
        let circles: Vec<(&Circle, Vec<Contact>)> = self
            .circle
            .iter()
            .map(|circle| (circle, circle.people(&mut folk)))
            .collect();
        let mut letters = live(
            &mut folk,
            &Plan {
                sort: &self.life,
                owner: &self.owner,
                days: self.months * 30,
                sent_a_month: 140,
                seed: self.seed,
            },
        );
        let ordinary = letters.iter().filter(|letter| !letter.received).count() as u64;
        for index in 0..self.message.len() {
            letters.push(self.letter(index, &circles));
        }
        for (circle, people) in &circles {
            self.speech(circle, people, &mut folk.dice, &mut letters);
        }
        let (sent, inbox) = mboxes(letters);
        Written {
            store: Store::folder([("Sent.mbox", sent), ("Inbox.mbox", inbox)]),
            ordinary,
        }
    }

    fn addresses(&self) -> impl Iterator<Item = &String> {
        let members = self.circle.iter().flat_map(|circle| &circle.members);
        let fields = self.message.iter().flat_map(|message| {
            message
                .to
                .iter()
                .chain(&message.cc)
                .chain(&message.bcc)
                .chain(&message.from)
        });
        let all = members.chain(fields).chain([&self.owner]);
        all.filter(|who| who.contains('@'))
    }

    fn letter(&self, index: usize, circles: &[(&Circle, Vec<Contact>)]) -> Letter {
        let message = &self.message[index];
        let field = |who: &[String]| {
            who.iter()
                .map(|who| self.resolve(who, circles))
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join(",\n ")
        };
        let mut to = field(&message.to);
        if let Some(group) = &message.group_name {
            to = format!("{}: {to};", quoted(group));
        }
        let html = match &message.html {
            None | Some(Html::Yes(false)) => String::new(),
            Some(Html::Yes(true)) => as_html(&message.body),
            Some(Html::Text(text)) => text.clone(),
        };
        let calendar = message
            .calendar
            .iter()
            .flat_map(|who| self.named(who, circles))
            .collect();
        let from = message.from.as_ref().unwrap_or(&self.owner);
        Draft {
            sent: self.time(index),
            received: message.received,
            id: self.id(index),
            from: shown(from),
            to,
            cc: field(&message.cc),
            bcc: field(&message.bcc),
            subject: message.subject.clone(),
            answers: message
                .answers
                .map_or_else(String::new, |number| self.id(number - 1)),
            body: message.body.clone(),
            html,
            attachments: message.attachments.clone(),
            calendar,
            ..Draft::default()
        }
        .letter()
    }

    /// Messages of one day follow each other in the order of the file.
    fn time(&self, index: usize) -> i64 {
        START + self.message[index].day * 86_400 + 3600 + index as i64 * 1200
    }

    /// A recipient of the file as header text.
    fn resolve(&self, who: &str, circles: &[(&Circle, Vec<Contact>)]) -> String {
        if who.contains('@') {
            return shown(who);
        }
        if who.contains(':') {
            // `undisclosed-recipients:;`
            return who.to_owned();
        }
        listed(self.members(who, circles))
    }

    /// The people of a recipient of the file, `Name <address>` each.
    fn named(&self, who: &str, circles: &[(&Circle, Vec<Contact>)]) -> Vec<String> {
        if who.contains('@') {
            return vec![who.to_owned()];
        }
        let members = self.members(who, circles);
        members.iter().map(|person| person.shown.clone()).collect()
    }

    fn members<'a>(&self, who: &str, circles: &'a [(&Circle, Vec<Contact>)]) -> Vec<&'a Contact> {
        let circle = |name: &str| circles.iter().find(|(circle, _)| circle.name == name);
        if let Some((_, people)) = circle(who) {
            return people.iter().collect();
        }
        let parts = who
            .rsplit_once(' ')
            .and_then(|(name, numbers)| Some((circle(name)?, numbers)));
        let Some(((_, people), numbers)) = parts else {
            panic!("{}: there is no circle for '{who}'", self.title);
        };
        let one = |text: &str| -> usize {
            let number: usize = text.trim().parse().unwrap_or(0);
            assert!(
                (1..=people.len()).contains(&number),
                "{}: '{who}' points to nobody",
                self.title
            );
            number
        };
        numbers
            .split(',')
            .flat_map(|part| match part.split_once('-') {
                Some((first, last)) => one(first)..=one(last),
                None => one(part)..=one(part),
            })
            .map(|number| &people[number - 1])
            .collect()
    }

    /// What members of a circle wrote to one another in view of the owner, up to the last message that shows them.
    fn speech(
        &self,
        circle: &Circle,
        people: &[Contact],
        dice: &mut Dice,
        letters: &mut Vec<Letter>,
    ) {
        let shows = |index: &usize| {
            let message = &self.message[*index];
            let fields = message
                .to
                .iter()
                .chain(&message.cc)
                .chain(&message.calendar);
            fields.clone().any(|who| who.starts_with(&circle.name))
        };
        let last = (0..self.message.len())
            .filter(shows)
            .map(|index| self.time(index))
            .max()
            .or_else(|| (0..self.message.len()).map(|index| self.time(index)).max())
            .unwrap_or(START);
        let step = (last - START) / (circle.speaks as i64 + 1);
        let mut before: Option<(String, String)> = None;
        for number in 0..circle.speaks {
            // Some speak often, a few never: the first among the numbers are the talkative ones.
            let author = dice.below(people.len()).min(dice.below(people.len() * 2));
            let author = &people[author];
            let others = people
                .iter()
                .filter(|other| other.address != author.address && dice.chance(92));
            let others = listed(others);
            let (subject, text) = dice.pick(&SAID);
            let id = format!(
                "said-{}-{number}@{}",
                circle.name.replace(' ', "-"),
                author.address.rsplit('@').next().unwrap_or_default()
            );
            let mut draft = Draft {
                sent: START + step * (number as i64 + 1) + dice.below(3000) as i64,
                received: true,
                id: id.clone(),
                from: author.shown.clone(),
                to: others,
                cc: shown(&self.owner),
                subject: (*subject).to_owned(),
                body: format!("Hello all,\n{text}\n{}\n", author.first),
                ..Draft::default()
            };
            if let Some((id, subject)) = before.take().filter(|_| dice.chance(45)) {
                draft.answers = id;
                draft.subject = format!("Re: {}", subject.trim_start_matches("Re: "));
            }
            before = Some((id, draft.subject.clone()));
            letters.push(draft.letter());
        }
    }
}

/// What people in a circle say to one another: subjects and texts that fit any circle.
const SAID: [(&str, &str); 12] = [
    ("Next time", "Tuesday suits me better than Monday."),
    (
        "Apologies",
        "I cannot come this week, sorry. Keep me a seat for the next one.",
    ),
    (
        "The room",
        "Could somebody bring the key? The caretaker is away.",
    ),
    (
        "Draft",
        "My comments are below. I would shorten the second page.",
    ),
    (
        "Lift?",
        "I can take two people from the station if anybody needs it.",
    ),
    (
        "Minutes",
        "Thanks for these. I think the date in item four is wrong.",
    ),
    (
        "A thought",
        "Could we start half an hour earlier while the evenings are dark?",
    ),
    (
        "Thank you",
        "That was a good evening. Thanks to all of you who stayed to wash up.",
    ),
    (
        "Agenda",
        "Please add the insurance to the list for next time.",
    ),
    (
        "Dates",
        "The 14th does not work for me, the 21st does. What about the rest of you?",
    ),
    (
        "Photographs",
        "I have put mine in the usual place. Some of them are even sharp.",
    ),
    (
        "Money",
        "The subs are due again. I have paid mine to the treasurer.",
    ),
];

impl Circle {
    fn people(&self, folk: &mut Folk) -> Vec<Contact> {
        if !self.members.is_empty() {
            return self.members.iter().map(|who| given(who)).collect();
        }
        let shown_as = match self.shown.as_str() {
            "" | "full" => Shown::Full,
            "partial" => Shown::Partial,
            "none" => Shown::None,
            "mixed" => Shown::Mixed,
            other => panic!("circle '{}' is shown '{other}'", self.name),
        };
        (0..self.count)
            .map(|index| match self.at.as_str() {
                "" | "personal" => folk.private(shown_as),
                "mixed" if index % 3 == 1 => {
                    let last = folk.last().to_lowercase().replace('ź', "z");
                    let sort = *folk.dice.pick(&["works", "partners", "group", "trust"]);
                    folk.at(&format!("{last}-{sort}.example"))
                }
                "mixed" => folk.private(shown_as),
                domain => {
                    assert!(
                        domain.contains('.'),
                        "circle '{}' is at '{domain}'",
                        self.name
                    );
                    folk.at(domain)
                }
            })
            .collect()
    }
}

/// Somebody whom the file names itself.
fn given(who: &str) -> Contact {
    let name = super::letter::name(who);
    let mut words = name.split_whitespace();
    Contact {
        first: words.next().unwrap_or_default().to_owned(),
        last: words.next_back().unwrap_or_default().to_owned(),
        address: address(who).to_lowercase(),
        shown: shown(who),
    }
}

/// The name of a group as a header may hold it.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " -'".contains(c);
    if name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

fn as_html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<html><body><p>{}</p></body></html>\n",
        escaped.replace('\n', "<br>\n")
    )
}
