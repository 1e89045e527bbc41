//! What is dropped while reading would be no finding whatever history told: `may_be_kept` is an upper bound of `judge`,
//! with lists inside too.

use super::*;
use crate::history::{Digest, Digests, Told};
use crate::query::builtin;
use crate::query::pattern::Part;
use rustc_hash::FxHashSet;

const PEOPLE: usize = 24;

fn rules() -> Rules {
    let queries = builtin::all().expect("the built-in queries");
    Rules {
        patterns: Patterns::new(&queries).expect("their phrases"),
        queries,
        rosters: Vec::new(),
        organisation: Organisation {
            domains: BTreeSet::from(["force.example".to_owned()]),
            addresses: BTreeSet::new(),
        },
        min_confidence: 50,
        digester: Digester { k0: 1, k1: 2 },
    }
}

/// An endless row of numbers (an LCG of Knuth's).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn some(&mut self, most: usize) -> Vec<Mailbox> {
        let count = self.below(most + 1);
        (0..count)
            .map(|_| self.below(PEOPLE))
            .map(mailbox)
            .collect()
    }
}

fn mailbox(n: usize) -> Mailbox {
    let hosts = [
        "inbox.test",
        "webmail.example",
        "a.example",
        "b.example",
        "c.example",
        "force.example",
    ];
    let address = (n != 5).then(|| Address::new(&format!("p{n}.last@{}", hosts[n % hosts.len()])));
    Mailbox {
        address: address.flatten(),
        name: format!("P{n} Last"),
    }
}

fn candidate(numbers: &mut Numbers) -> Candidate {
    let robin = |host: &str| Mailbox {
        address: Address::new(&format!("robin@{host}")),
        name: String::new(),
    };
    let visible = numbers.some(9);
    let fields = [Field::Quoted, Field::Attached, Field::Calendar];
    let inside = (0..numbers.below(3)).map(|_| List {
        field: fields[numbers.below(3)],
        author: [None, Some(robin("force.example")), Some(robin("d.example"))][numbers.below(3)]
            .clone(),
        recipients: numbers.some(16),
        groups: Vec::new(),
        message_id: None,
        subject: String::new(),
    });
    let inside = inside.collect();
    let found = ["crime-victims", "hiv", "mass-list"][numbers.below(3)];
    let part = [Part::Subject, Part::Body][numbers.below(2)];
    Candidate {
        from: vec![robin("force.example")],
        recipients: visible
            .into_iter()
            .map(|mailbox| Recipient {
                mailbox,
                field: Field::To,
                group: None,
            })
            .collect(),
        inside,
        found: (numbers.below(3) > 0)
            .then(|| Found {
                query: found.to_owned(),
                part,
                phrase: "x".to_owned(),
            })
            .into_iter()
            .collect(),
        sent: Some(100),
        ..Candidate::default()
    }
}

fn history(numbers: &mut Numbers, rules: &Rules) -> History {
    let digest = |n: usize| match &mailbox(n).address {
        Some(address) => rules.digester.address(address),
        None => rules.digester.name("p last"),
    };
    let matter: FxHashSet<Digest> = (0..PEOPLE).map(digest).collect();
    let lines: Vec<(Digest, Vec<u8>)> = (0..numbers.below(60))
        .map(|_| {
            let visible = (0..numbers.below(6)).map(|_| digest(numbers.below(PEOPLE)));
            let visible = visible.flat_map(|digest| digest.0.to_le_bytes()).collect();
            (digest(numbers.below(PEOPLE)), visible)
        })
        .collect();
    let feed = |each: &mut dyn FnMut(&Told<'_>)| -> Result<(), ()> {
        for (author, visible) in &lines {
            each(&Told {
                sent: Some(50),
                author: Some(*author),
                visible: Digests::new(visible),
                ..Told::default()
            });
        }
        Ok(())
    };
    History::new(&matter, &FxHashSet::default(), lines.len() as u64, feed).expect("no error")
}

#[test]
fn what_is_dropped_while_reading_is_no_finding_with_any_history() {
    let rules = rules();
    let mut numbers = Numbers(7);
    let (mut found, mut inside, mut dropped) = (0, 0, 0);
    for _ in 0..4000 {
        let candidate = candidate(&mut numbers);
        let history = history(&mut numbers, &rules);
        let kept = may_be_kept(&candidate, &rules);
        let verdict = judge(&candidate, &history, &rules)
            .filter(|verdict| verdict.confidence >= rules.kept_from());
        assert!(kept || verdict.is_none(), "{candidate:#?}\n{verdict:#?}");
        found += usize::from(verdict.is_some());
        dropped += usize::from(!kept);
        inside += usize::from(verdict.is_some_and(|verdict| {
            let mut exposed = verdict.exposed();
            exposed.any(|seen| !seen.visible)
        }));
    }
    assert!(
        found > 200 && inside > 100 && dropped > 200,
        "{found} {inside} {dropped}"
    );
}
