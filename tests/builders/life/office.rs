//! Whom the owner of a mailbox knows, and for how long: colleagues, firms, cases, groups. Relations last: who turns up
//! once turns up again.

use super::super::folk::{Contact, Folk, Shown};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Somebody, shared among the letters that name her.
pub(super) type Known = Rc<Contact>;

/// A person with a problem, and those around her.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) client: Known,
    /// A relative or carer, a partner in the same flat.
    pub(super) kin: Option<Known>,
    /// Somebody of another agency who looks after the same person.
    pub(super) worker: Option<Known>,
    /// The number of the case.
    pub(super) reference: String,
}

/// People who write to one another under one name: a project, a committee, a club.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) people: Vec<Known>,
    /// Addresses of those who have written to the others.
    pub(super) heard: BTreeSet<String>,
}

impl Group {
    fn new(name: &'static str, people: Vec<Known>) -> Self {
        Group {
            name,
            people,
            heard: BTreeSet::new(),
        }
    }

    /// Whether its members are known to speak: until then the owner only reads. A big list in which nobody speaks would be
    /// no committee but an exposure.
    pub(super) fn speaks(&self) -> bool {
        self.heard.len() * 3 >= self.people.len()
    }
}

/// Everybody.
#[derive(Clone, Debug)]
pub(super) struct Circle {
    /// Of the organisation; the first are those of her team.
    pub(super) staff: Vec<Known>,
    /// Staff of other agencies, each a few people.
    pub(super) agencies: Vec<Vec<Known>>,
    pub(super) suppliers: Vec<Vec<Known>>,
    /// Clients of now, the oldest first.
    pub(super) clients: Vec<Client>,
    pub(super) projects: Vec<Group>,
    pub(super) committees: Vec<Group>,
    /// Friends: football, choir.
    pub(super) club: Group,
    /// Volunteers who know one another.
    pub(super) helpers: Group,
    /// Newsrooms and their like: nobody's own mailbox.
    pub(super) desks: Vec<Known>,
}

/// Size of the team among the staff.
pub(super) const TEAM: usize = 7;

const SORTS: [&str; 9] = [
    "nhs", "council", "police", "advice", "trust", "school", "care", "legal", "housing",
];
const TRADES: [&str; 9] = [
    "print",
    "systems",
    "catering",
    "cleaning",
    "fleet",
    "energy",
    "training",
    "furniture",
    "telecoms",
];

impl Circle {
    pub(super) fn new(
        folk: &mut Folk,
        domain: &str,
        projects: &[&'static str],
        committees: &[&'static str],
        clubs: &[&'static str],
    ) -> Self {
        let staff: Vec<Known> = (0..42).map(|_| Rc::new(folk.at(domain))).collect();
        let agencies = (0..16).map(|at| firm(folk, &SORTS, at)).collect::<Vec<_>>();
        let suppliers = (0..12).map(|at| firm(folk, &TRADES, at)).collect();
        let mut circle = Circle {
            staff,
            agencies,
            suppliers,
            clients: Vec::new(),
            projects: Vec::new(),
            committees: Vec::new(),
            club: Group::new(clubs[folk.dice.below(clubs.len())], privately(folk, 9, 16)),
            helpers: Group::new("Helpers", privately(folk, 3, 6)),
            desks: (0..12).map(|_| desk(folk)).collect(),
        };
        for name in folk.dice.some(projects, 3) {
            let group = circle.project(folk, name);
            circle.projects.push(group);
        }
        for name in folk.dice.some(committees, 2) {
            let group = circle.committee(folk, name);
            circle.committees.push(group);
        }
        for _ in 0..60 {
            let client = circle.client(folk);
            circle.clients.push(client);
        }
        circle
    }

    /// Partners of two or three other organisations, and colleagues.
    pub(super) fn project(&self, folk: &mut Folk, name: &'static str) -> Group {
        let mut people: Vec<Known> = Vec::new();
        let firms = folk.dice.between(2, 3);
        for firm in folk.dice.some(&self.agencies, firms) {
            let count = folk.dice.between(1, 3);
            people.extend(folk.dice.some(&firm, count));
        }
        let colleagues = folk.dice.between(1, 3);
        people.extend(folk.dice.some(&self.staff[..TEAM + 6], colleagues));
        Group::new(name, people)
    }

    /// Members at their own and at business mailboxes, and one or two of the house.
    fn committee(&self, folk: &mut Folk, name: &'static str) -> Group {
        let size = folk.dice.between(6, 13);
        let mut people: Vec<Known> = (0..size)
            .map(|_| {
                if folk.dice.chance(55) {
                    Rc::new(folk.private(Shown::Full))
                } else {
                    let firm = folk.dice.below(self.agencies.len());
                    Rc::clone(folk.dice.pick(&self.agencies[firm]))
                }
            })
            .collect();
        let colleagues = folk.dice.between(1, 2);
        people.extend(folk.dice.some(&self.staff, colleagues));
        people.sort_by(|a, b| a.address.cmp(&b.address));
        people.dedup_by(|a, b| a.address == b.address);
        people.rotate_left(size / 2);
        Group::new(name, people)
    }

    pub(super) fn client(&self, folk: &mut Folk) -> Client {
        let client = folk.private(Shown::Mixed);
        let kin = folk.dice.chance(22).then(|| {
            // A daughter has her own name as often as her mother's.
            let last = if folk.dice.chance(60) {
                client.last.clone()
            } else {
                folk.last().to_owned()
            };
            Rc::new(folk.relative(&last, Shown::Full))
        });
        let worker = folk.dice.chance(25).then(|| {
            let firm = folk.dice.below(self.agencies.len());
            Rc::clone(folk.dice.pick(&self.agencies[firm]))
        });
        Client {
            client: Rc::new(client),
            kin,
            worker,
            reference: format!(
                "{}{}/{}",
                *folk.dice.pick(&["A", "CR", "H", "M", "WK"]),
                folk.dice.between(1000, 9999),
                folk.dice.between(10, 99)
            ),
        }
    }
}

fn privately(folk: &mut Folk, least: usize, most: usize) -> Vec<Known> {
    let count = folk.dice.between(least, most);
    (0..count)
        .map(|_| Rc::new(folk.private(Shown::Mixed)))
        .collect()
}

fn firm(folk: &mut Folk, sorts: &[&str], at: usize) -> Vec<Known> {
    let name = folk.last().to_lowercase().replace('ź', "z");
    let domain = format!("{name}-{}.example", sorts[at % sorts.len()]);
    let count = folk.dice.between(2, 6);
    (0..count).map(|_| Rc::new(folk.at(&domain))).collect()
}

/// A role address of some newsroom.
fn desk(folk: &mut Folk) -> Known {
    let paper = folk.last().to_lowercase().replace('ź', "z");
    let role = *folk
        .dice
        .pick(&["newsdesk", "news", "editorial", "press", "enquiries"]);
    let sort = *folk
        .dice
        .pick(&["courier", "post", "radio", "gazette", "live"]);
    let address = format!("{role}@{paper}-{sort}.example");
    folk.take(&address);
    Rc::new(Contact {
        first: String::new(),
        last: String::new(),
        shown: address.clone(),
        address,
    })
}
