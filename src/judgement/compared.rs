//! A finding as the lines of the rest of the mailbox are compared with it: its people, author, series and text. It judges
//! nothing.

use std::rc::Rc;

use super::Finding;
use crate::exposure::Rules;
use crate::history::{Digest, Digests};
use crate::signal::series::{Sketch, series};

/// A finding, as far as lines are compared with it.
pub(super) struct Compared {
    pub(super) key: u128,
    pub(super) sent: i64,
    pub(super) author: Option<Digest>,
    pub(super) series: Option<Digest>,
    pub(super) people: Rc<[Digest]>,
    pub(super) sketch: Sketch,
}

impl Compared {
    pub(super) fn new(finding: &Finding, rules: &Rules) -> Self {
        let candidate = &finding.entry.candidate;
        let title = series(&candidate.subject);
        Compared {
            key: u128::from_str_radix(&candidate.quick, 16).unwrap_or_default(),
            sent: finding.sent(),
            author: candidate
                .author()
                .map(|address| rules.digester.address(address)),
            series: (!title.is_empty()).then(|| rules.digester.series(&title)),
            people: finding.people(),
            sketch: candidate.sketch.clone(),
        }
    }

    pub(super) fn exposes(&self, person: Digest) -> bool {
        self.people.binary_search(&person).is_ok()
    }

    pub(super) fn shown_in(&self, list: Digests<'_>, but: Option<Digest>) -> usize {
        list.iter()
            .filter(|person| Some(*person) != but && self.exposes(*person))
            .count()
    }
}
