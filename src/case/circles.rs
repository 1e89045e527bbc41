//! One circle, one decision: what a person dismissed is dismissed for later mail of the same circle too, where that exposes
//! no other group, hurts no more, shows the same people by half and was not recalled or apologised for. Within one incident
//! each message is decided by itself: who dismisses an apology has not dismissed what it is for. A confirmed exposure
//! confirms no other: each is told to the people by itself.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::Case;
use crate::query::Harm;

/// How the reason of a decision begins that follows another of its circle.
const FOLLOWS: &str = "its circle, as ";

/// What came after a message for which somebody believed that it should not have gone out so.
const REGRETS: [&str; 3] = ["recall", "apology", "resent-blind"];

/// A finding, as far as decisions go.
struct Decided {
    exposure_id: String,
    incident_id: String,
    sent: Option<i64>,
    severity: Harm,
    groups: BTreeSet<String>,
    /// Somebody of the organisation recalled it, was sorry for it or sent it again in Bcc.
    regretted: bool,
    /// A person's own decision, and when.
    own: Option<(String, i64)>,
}

impl Decided {
    /// Whether a decision may hold for this too, as far as time, groups and harm tell.
    fn may_follow(&self, decided: &Decided) -> bool {
        decided.incident_id != self.incident_id
            && decided.sent.is_some_and(|sent| Some(sent) < self.sent)
            && self.severity <= decided.severity
            && self.groups.is_subset(&decided.groups)
            && !self.regretted
    }
}

impl Case {
    /// Dismisses what belongs to a circle that a person dismissed, and takes back what does so no more. Gives how many
    /// are dismissed that way.
    ///
    /// # Errors
    /// Those of the database.
    pub fn decide_circles(&self) -> anyhow::Result<usize> {
        self.db.execute(
            "DELETE FROM decision WHERE substr(reason, 1, ?2) = ?1",
            params![FOLLOWS, FOLLOWS.len() as i64],
        )?;
        let mut follows = 0;
        for circle in self.decided()?.into_values() {
            let decisions = || {
                circle
                    .iter()
                    .filter_map(|finding| Some((finding, finding.own.as_ref()?)))
            };
            if decisions().any(|(_, (review, _))| review != "dismissed") {
                continue;
            }
            for finding in circle.iter().filter(|finding| finding.own.is_none()) {
                let mut like = None;
                for (decided, decision) in decisions() {
                    if finding.may_follow(decided) && self.shows_the_people_of(finding, decided)? {
                        like = Some((decided, decision));
                        break;
                    }
                }
                if let Some((decided, (review, at))) = like {
                    self.db.execute(
                        "INSERT INTO decision (exposure_id, review, reason, decided_at) VALUES (?1, ?2, ?3, ?4)",
                        params![finding.exposure_id, review, format!("{FOLLOWS}{}", decided.exposure_id), at],
                    )?;
                    follows += 1;
                }
            }
        }
        Ok(follows)
    }

    /// Whether half of the people of a finding, or more, stood in what was decided: a list that changed little by little is
    /// another list in the end.
    fn shows_the_people_of(&self, finding: &Decided, decided: &Decided) -> anyhow::Result<bool> {
        let mut statement = self.db.prepare_cached(
            "SELECT count(*) <= 2 * count(before.identity) FROM seen
             LEFT JOIN seen AS before ON before.exposure_id = ?2 AND before.identity = seen.identity AND before.exposed = 1
             WHERE seen.exposure_id = ?1 AND seen.exposed = 1",
        )?;
        let ids = [&finding.exposure_id, &decided.exposure_id];
        Ok(statement.query_row(ids, |row| row.get(0))?)
    }

    /// The findings of each circle of which anything was decided, in the order of their ids.
    fn decided(&self) -> anyhow::Result<BTreeMap<String, Vec<Decided>>> {
        let mut statement = self.db.prepare(
            "SELECT circle_id, exposure_id, severity, groups, review, decided_at, incident_id, sent, aftermath FROM finding LEFT JOIN decision USING (exposure_id)
             WHERE reported = 1 AND circle_id IN (SELECT circle_id FROM finding JOIN decision USING (exposure_id) WHERE reported = 1)
             ORDER BY circle_id, exposure_id",
        )?;
        let mut rows = statement.query([])?;
        let mut out: BTreeMap<String, Vec<Decided>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let review: Option<String> = row.get(4)?;
            let own = match review {
                Some(review) => Some((review, row.get(5)?)),
                None => None,
            };
            out.entry(row.get(0)?).or_default().push(Decided {
                exposure_id: row.get(1)?,
                incident_id: row.get(6)?,
                sent: row.get(7)?,
                severity: Harm::from_word(row.get_ref(2)?.as_str()?).unwrap_or(Harm::Low),
                groups: row
                    .get_ref(3)?
                    .as_str()?
                    .split(';')
                    .map(str::to_owned)
                    .collect(),
                regretted: row
                    .get_ref(8)?
                    .as_str()?
                    .split(';')
                    .any(|token| REGRETS.contains(&token)),
                own,
            });
        }
        Ok(out)
    }
}
