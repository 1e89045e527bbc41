//! The case that each query and each roster makes for a message: whom it takes to be of its group, what speaks for that
//! and against it. `exposure` weighs the claims against one another.

use std::collections::{BTreeMap, BTreeSet};

use super::seen::{Looked, Sight, crowd, exposable, identity};
use super::{Candidate, Rules};
use crate::history::{Digest, History, Spoken};
use crate::query::pattern::fold;
use crate::query::{Found, Harm, Part, Query, Roster};
use crate::signal::shape::Grounds;
use crate::signal::{self, Crowd, Signal};

/// What history knows of some people.
#[derive(Clone, Copy)]
struct Heard {
    /// Pairs of whom one wrote to the other.
    own: Spoken,
    /// Those, and pairs in view of whom one was answered.
    all: Spoken,
    /// Whether the message answers one of them.
    answered: bool,
}

/// Points for people of whom a list tells the names only, who may be colleagues.
const NAMES_ONLY: i32 = -20;

/// One query's or roster's case for a message.
pub(super) struct Claim {
    pub(super) group: String,
    pub(super) title: String,
    pub(super) harm: Harm,
    pub(super) confidence: i32,
    pub(super) own: Vec<Signal>,
    pub(super) common: Vec<Signal>,
    pub(super) exposed: BTreeSet<usize>,
    pub(super) breadth: Breadth,
}

/// How certain a group a claim is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breadth {
    /// A group of its own.
    Narrow,
    /// None of its own: it is not told where a narrow one says as much.
    Broad,
    /// A mass list, whatever it is about.
    Mass,
}

/// Each query's and each roster's case for a message: for those who see one another, for those in lists inside it, and
/// for both together where the first are exposed.
pub(super) fn claims(
    candidate: &Candidate,
    looked: &[Looked<'_>],
    history: &History,
    rules: &Rules,
) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut message = Sighted {
        candidate,
        looked,
        rules,
        history,
        answered: answered(candidate, history, rules),
        heard: BTreeMap::new(),
    };
    let inside = looked
        .iter()
        .any(|looked| looked.inside(true) && !looked.open());
    let mut add = |claim: &mut dyn FnMut(Sight) -> Option<Claim>| {
        let open = claim(Sight::Open);
        if inside {
            claims.extend(claim(Sight::Inside));
            // Whoever is seen by nobody else of the audience, as a solicitor to whom a list is forwarded, is not exposed.
            let exposed = |open: &Claim| open.confidence >= i32::from(rules.min_confidence);
            if open.as_ref().is_some_and(exposed) {
                claims.extend(claim(Sight::All));
            }
        }
        claims.extend(open);
    };
    for roster in &rules.rosters {
        add(&mut |sight| message.roster(roster, sight));
    }
    for query in &rules.queries {
        add(&mut |sight| message.query(query, sight));
    }
    claims
}

/// A message, and what was asked of history about its people.
struct Sighted<'a> {
    candidate: &'a Candidate,
    looked: &'a [Looked<'a>],
    rules: &'a Rules,
    history: &'a History,
    /// People whose own message this one answers.
    answered: Vec<Digest>,
    heard: BTreeMap<(bool, Vec<usize>), Heard>,
}

/// The visible people whose own message this one answers.
fn answered(candidate: &Candidate, history: &History, rules: &Rules) -> Vec<Digest> {
    let mut out: Vec<Digest> = candidate
        .answers
        .iter()
        .filter_map(|id| history.author(Digest(*id)))
        .collect();
    out.extend(
        candidate
            .quoted_author
            .as_ref()
            .map(|address| rules.digester.address(address)),
    );
    out
}

impl Sighted<'_> {
    /// What history knows of some people. Whoever stands only inside sees nothing of an answer to one of them.
    fn heard(&mut self, people: &[usize], sight: Sight) -> Heard {
        let inside = sight == Sight::Inside;
        let answered = if inside { &[][..] } else { &self.answered };
        if self.history.is_silent() && answered.is_empty() {
            return Heard {
                own: Spoken::nobody(people.len()),
                all: Spoken::nobody(people.len()),
                answered: false,
            };
        }
        let asked = (inside, people.to_vec());
        if let Some(heard) = self.heard.get(&asked) {
            return *heard;
        }
        let digests: Vec<Digest> = people
            .iter()
            .map(|index| self.looked[*index].digest(&self.rules.digester))
            .collect();
        let sent = self.candidate.sent;
        let heard = Heard {
            own: self.history.spoken(&digests, sent, None),
            all: self.history.spoken(&digests, sent, Some(answered)),
            answered: digests.iter().any(|digest| answered.contains(digest)),
        };
        self.heard.insert(asked, heard);
        heard
    }

    fn roster(&mut self, roster: &Roster, sight: Sight) -> Option<Claim> {
        let looked = self.looked;
        let rows = |looked: &Looked<'_>| looked.address().and_then(|address| roster.rows(address));
        let known: Vec<usize> = (0..looked.len())
            .filter(|index| {
                exposable(&looked[*index], sight, true, true) && rows(&looked[*index]).is_some()
            })
            .collect();
        // Two mailboxes of one person, by the roster's own word, are one person.
        let people: BTreeSet<String> = known
            .iter()
            .filter_map(|index| rows(&looked[*index]).map(|rows| (index, rows)))
            .flat_map(|(index, rows)| {
                rows.iter().map(|row| {
                    if row.person.is_empty() {
                        identity(looked[*index].mailbox)
                    } else {
                        format!("person:{}", fold(&row.person))
                    }
                })
            })
            .collect();
        if people.len() < 2 {
            return None;
        }
        let labels: BTreeSet<&str> = known
            .iter()
            .filter_map(|index| rows(&looked[*index]))
            .flatten()
            .map(|row| row.group.as_str())
            .filter(|group| !group.is_empty())
            .collect();
        let group = if labels.is_empty() {
            roster.group.clone()
        } else {
            labels.into_iter().collect::<Vec<_>>().join(";")
        };
        let name = roster.group.trim_start_matches("roster:");
        let own = signal::who::signal(known.len(), 2, &format!("on the roster '{name}'"))?;
        let harm = self
            .rules
            .queries
            .iter()
            .find(|query| query.id == group)
            .map_or(Harm::High, |query| query.harm);
        let crowd = crowd(&known, looked, self.candidate, &self.rules.digester, sight);
        let heard = self.heard(&known, sight);
        let common = vec![signal::shape::signal(
            &Crowd {
                only_organisation: None,
                ..crowd
            },
            Grounds::Known,
        )]
        .into_iter()
        .chain(signal::strangers::signal(
            heard.own,
            true,
            heard.answered,
            known.len(),
        ))
        .collect();
        Some(claim(
            group,
            format!("roster {name}"),
            harm,
            vec![own],
            common,
            known.into_iter().collect(),
        ))
    }

    fn query(&mut self, query: &Query, sight: Sight) -> Option<Claim> {
        let (candidate, looked, rules) = (self.candidate, self.looked, self.rules);
        let knows = query.roster.is_some() || !query.addresses.is_empty();
        let known: Vec<usize> = (0..looked.len())
            .filter(|index| {
                knows
                    && exposable(&looked[*index], sight, true, true)
                    && is_known(query, &looked[*index], rules)
            })
            .collect();
        // Colleagues speak of such matters all day; what is said of themselves is another thing.
        let counts = |found: &&Found| {
            found.query == query.id && !(query.insiders && found.part == Part::Word)
        };
        let found: Vec<&Found> = candidate.found.iter().filter(counts).collect();
        if known.is_empty() && found.is_empty() && !query.strangers {
            return None;
        }
        let people: Vec<usize> = (0..looked.len())
            .filter(|index| {
                exposable(&looked[*index], sight, query.insiders, false)
                    && !(query.strangers && looked[*index].may_be_a_colleague())
                    || known.binary_search(index).is_ok()
            })
            .collect();
        if people.len() < query.at_least && !query.strangers {
            return None;
        }
        let mut crowd = crowd(&people, looked, candidate, &rules.digester, sight);
        let mut own = Vec::new();
        own.extend(signal::who::signal(
            known.len(),
            query.at_least,
            "known to be of this group by their addresses",
        ));
        let mass = if query.strangers {
            signal::shape::mass(&crowd, query.at_least)
        } else {
            None
        };
        if query.strangers && mass.is_none() {
            return None;
        }
        own.extend(mass);
        let certain = known.len() >= query.at_least;
        let grounds = if certain {
            crowd.only_organisation = None;
            Grounds::Known
        } else {
            let private = crowd.personal + crowd.insiders > 0;
            grounds(query, &found, candidate, private)
        };
        let elsewhere = if signal::shape::couple(&crowd, grounds) {
            BTreeSet::new()
        } else {
            other_parts(candidate, &found)
        };
        own.extend(signal::about::signal(&found, &elsewhere));
        let counted = signal::shape::counted(&crowd, grounds);
        let mut common = vec![signal::shape::signal(&crowd, grounds)];
        common.extend(names_only(&people, self, query.strangers));
        let heard = self.heard(&people, sight);
        // A bland list is a circle of friends where they are answered in the open; a list of victims is none for that.
        common.extend(if query.strangers {
            signal::strangers::signal(heard.all, false, false, people.len())
        } else {
            signal::strangers::signal(heard.own, certain, heard.answered, counted)
        });
        let exposed = if certain && found.is_empty() && !query.strangers {
            known
        } else {
            people
        };
        let breadth = match query {
            Query { broad: true, .. } => Breadth::Broad,
            Query {
                strangers: true, ..
            } => Breadth::Mass,
            _ => Breadth::Narrow,
        };
        Some(Claim {
            breadth,
            ..claim(
                query.id.clone(),
                query.title.clone(),
                query.harm,
                own,
                common,
                exposed.into_iter().collect(),
            )
        })
    }
}

/// A doubt where most of the people are known by name only, from lists inside: so programs write colleagues. And so they
/// do in the header where they give the author no address either: then names alone make no mass list of `strangers`.
fn names_only(people: &[usize], message: &Sighted<'_>, strangers: bool) -> Option<Signal> {
    let from = &message.candidate.from;
    let bare = strangers && !from.is_empty() && from.iter().all(|author| author.address.is_none());
    let count = |is: fn(&Looked<'_>) -> bool| {
        let looked = people.iter().map(|index| &message.looked[*index]);
        looked.filter(|looked| is(looked)).count()
    };
    let inside = count(|looked| looked.may_be_a_colleague());
    let named = count(|looked| looked.address().is_none());
    let says = if inside * 2 > people.len() {
        let who = signal::people(inside);
        format!("{who} known from a list of names only, who may be colleagues")
    } else if bare && named * 2 > people.len() {
        let who = signal::thousands(named as u64);
        format!("the author is known by name only, too, so that the {who} may be colleagues")
    } else {
        return None;
    };
    Some(Signal {
        kind: signal::Kind::Shape,
        weight: NAMES_ONLY,
        says,
    })
}

/// The parts of a message in which other queries found words, and this one found none.
fn other_parts(candidate: &Candidate, found: &[&Found]) -> BTreeSet<Part> {
    let Some(query) = found.first().map(|found| &found.query) else {
        return BTreeSet::new();
    };
    let own: BTreeSet<Part> = found.iter().map(|found| found.part).collect();
    let others = candidate.found.iter().filter(|other| other.query != *query);
    others
        .map(|other| other.part)
        .filter(|part| !own.contains(part))
        .collect()
}

/// What the phrases that were found say of the readers.
fn grounds(query: &Query, found: &[&Found], candidate: &Candidate, private: bool) -> Grounds {
    // Of one word it may be chance: `your debt adviser`.
    let said = |found: &&&Found| found.part == Part::You || to_readers(&found.phrase);
    // A subject that says `your` beside it speaks to private people; to professionals it says `your place on the course`.
    let in_subject = || private && found.iter().any(|found| found.part == Part::Subject);
    if query.strangers {
        Grounds::Known
    } else if found.iter().filter(said).count() >= if private { 1 } else { 2 }
        || in_subject() && to_readers(&candidate.subject)
    {
        Grounds::WordsToReaders
    } else {
        Grounds::Words
    }
}

/// Whether a text speaks to its readers of themselves, in the languages of the queries.
fn to_readers(text: &str) -> bool {
    const YOU: [&str; 26] = [
        "you", "your", "yours", "chi", "eich", "sie", "ihr", "ihre", "ihrer", "ihren", "ihrem",
        "ihres", "euch", "eure", "vous", "votre", "vos", "su", "sus", "usted", "ustedes",
        "vuestra", "vostro", "vostra", "uw", "jullie",
    ];
    let folded = fold(text);
    folded.split_whitespace().any(|word| YOU.contains(&word))
}

fn claim(
    group: String,
    title: String,
    harm: Harm,
    own: Vec<Signal>,
    common: Vec<Signal>,
    exposed: BTreeSet<usize>,
) -> Claim {
    let confidence = own.iter().chain(&common).map(|signal| signal.weight).sum();
    Claim {
        group,
        title,
        harm,
        confidence,
        own,
        common,
        exposed,
        breadth: Breadth::Narrow,
    }
}

fn is_known(query: &Query, looked: &Looked<'_>, rules: &Rules) -> bool {
    let Some(address) = looked.address() else {
        return false;
    };
    query
        .roster
        .as_ref()
        .is_some_and(|roster| roster.rows(address).is_some())
        || (!query.addresses.is_empty()
            && rules
                .patterns
                .who(address.as_str())
                .iter()
                .any(|who| who.query == query.id))
}
