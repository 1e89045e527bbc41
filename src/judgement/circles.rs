//! Circles: the same sender or team writing to the same people is one circle, and one decision. Findings of one circle may
//! lie years apart; whoever joins or leaves the list stays within it.

use rustc_hash::FxHashMap;

use super::Finding;
use super::same_people::Earlier;
use super::ties::Groups;
use crate::message::Address;

/// The findings that are one circle each. `findings` are in the order of time.
pub(super) fn circles(findings: &[Finding]) -> Groups {
    let mut groups = Groups::new(findings.len());
    // One organisation is one team: whoever of it writes.
    let mut teams: FxHashMap<&str, Earlier> = FxHashMap::default();
    for (index, finding) in findings.iter().enumerate() {
        let people = finding.people();
        if people.is_empty() {
            continue;
        }
        let insider = finding.entry.judged;
        let team = finding.entry.candidate.author().filter(|_| insider);
        let earlier = teams.entry(team.map_or("", Address::domain)).or_default();
        if let Some(other) = earlier.same_people(people, index) {
            groups.join(other, index);
        }
    }
    groups.flatten();
    groups
}
