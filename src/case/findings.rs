//! Takes what is judged, and gives it back to judgement and to the exports: copies of messages, findings, people,
//! decisions.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use rusqlite::{Statement, params};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Case;
use super::count::Bounds;
use super::identity::PersonIds;
use crate::exposure::{Candidate, Fields, Rules, Seen};
use crate::history::Digester;
use crate::judgement::{At, Entry, Event, Finding, Outcome};
use crate::person::NamedBy;
use crate::query::Harm;

impl Case {
    /// Every message that may expose and is `wanted`, each once with all its copies, by key.
    ///
    /// # Errors
    /// Those of the database.
    pub fn entries(
        &self,
        everybody: bool,
        digester: &Digester,
        wanted: &dyn Fn(&Candidate) -> bool,
    ) -> anyhow::Result<Vec<Entry>> {
        let insiders = self.insiders()?;
        let bounds = self.bounds()?;
        let mut statement = self.db.prepare(
            "SELECT copy.key, copy.candidate, copy.draft, reading.id, reading.source, folder.chain, copy.position, copy.deleted, reading.current
             FROM copy JOIN reading ON reading.id = copy.reading_id JOIN folder ON folder.id = copy.folder_id
             WHERE reading.ended IS NOT NULL
             ORDER BY copy.key, reading.current DESC, iif(reading.current, 0, -reading.id), copy.draft, folder.role <> 'sent', reading.source, folder.chain, copy.place, copy.position",
        )?;
        let mut rows = statement.query([])?;
        let mut out: Vec<Entry> = Vec::new();
        let mut newest = (true, 0);
        let mut places = BTreeSet::new();
        while let Some(row) = rows.next()? {
            let candidate: Candidate = serde_json::from_str(row.get_ref(1)?.as_str()?)
                .context("case.db is damaged: a candidate cannot be read")?;
            if !wanted(&candidate) {
                continue;
            }
            let reading: i64 = row.get(3)?;
            let Some(bounds) = bounds
                .get(&reading)
                .filter(|bounds| bounds.hold(candidate.sent))
            else {
                continue;
            };
            let at = At {
                source: row.get(4)?,
                folder: row.get(5)?,
                position: row.get(6)?,
                sha256: candidate.sha256.clone(),
            };
            let (draft, deleted): (bool, bool) = (row.get(2)?, row.get(7)?);
            let current: bool = row.get(8)?;
            let judged = !draft
                && (everybody || bounds.received || is_inside(&candidate, &insiders, digester));
            match out
                .last_mut()
                .filter(|entry| entry.candidate.key == candidate.key)
            {
                Some(entry) => {
                    entry.candidate.merge(&candidate);
                    entry.judged |= judged;
                    entry.draft &= draft;
                    entry.deleted &= deleted;
                    // Where a source was read again, only what it holds now is a place.
                    let stands = newest.0 == current && (current || newest.1 == reading);
                    if stands
                        && places.insert((
                            at.source.clone(),
                            at.folder.clone(),
                            at.position.clone(),
                        ))
                    {
                        entry.places.push(at);
                    }
                }
                None => {
                    newest = (current, reading);
                    places = BTreeSet::from([(
                        at.source.clone(),
                        at.folder.clone(),
                        at.position.clone(),
                    )]);
                    out.push(Entry {
                        candidate,
                        places: vec![at],
                        judged,
                        draft,
                        deleted,
                        gone: !current,
                    });
                }
            }
        }
        Ok(out)
    }

    fn bounds(&self) -> anyhow::Result<BTreeMap<i64, Bounds>> {
        let mut statement = self.db.prepare("SELECT id, bounds FROM reading")?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (id, text) = row?;
            Ok((id, serde_json::from_str(&text)?))
        })
        .collect()
    }

    /// Incident ids as they were written before, by exposure id.
    ///
    /// # Errors
    /// Those of the database.
    pub fn incident_ids(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut statement = self
            .db
            .prepare("SELECT exposure_id, incident_id FROM finding WHERE reported = 1")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ids of the exposures that are reported now.
    ///
    /// # Errors
    /// Those of the database.
    pub fn reported(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut statement = self
            .db
            .prepare("SELECT exposure_id FROM finding WHERE reported = 1")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Replaces all findings and events, forgets the copies of everything else, and gives each exposed person an id.
    ///
    /// # Errors
    /// Those of the database: a full disk among them.
    pub fn write_outcome(&self, outcome: &Outcome, rules: &Rules) -> anyhow::Result<()> {
        let findings = outcome.findings.as_slice();
        self.db
            .execute_batch("DELETE FROM event; DELETE FROM seen; DELETE FROM finding;")?;
        let ids = self.unite(findings, rules)?;
        // In the order of their ids each row goes behind the last, and no page is written twice.
        let mut order: Vec<&Finding> = findings.iter().collect();
        order.sort_unstable_by(|a, b| a.id().cmp(b.id()));
        let mut to_finding = self.db.prepare(
            "INSERT INTO finding (exposure_id, incident_id, reported, confidence, severity, groups, why, sent, author, subject, visible, exposed, audience, named_full, named_partial, field, aftermath, repeat_of, source, folder, position, message_id, sha256, also_at, circle_id, step, inside)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)",
        )?;
        let mut to_seen = self.db.prepare(
            "INSERT INTO seen (exposure_id, identity, person_id, address, name, field, author, visible, exposed, person, relation, kind, named_by, bounced, replied, replied_all)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?;
        for finding in order {
            let candidate = &finding.entry.candidate;
            let senders = candidate.author().into_iter().chain(&candidate.sender);
            let inside = rules.organisation.is_unknown()
                || senders
                    .into_iter()
                    .any(|sender| rules.organisation.holds(sender));
            write_finding(&mut to_finding, finding, inside, &ids)?;
            if finding.reported {
                let mut seen: Vec<(Cow<'_, str>, &Seen)> = finding
                    .verdict
                    .seen
                    .iter()
                    .map(|seen| (seen.identity(), seen))
                    .collect();
                seen.sort_unstable_by(|a, b| a.0.cmp(&b.0));
                for (identity, seen) in seen {
                    write_seen(&mut to_seen, finding, &identity, seen, &ids)?;
                }
            }
        }
        self.write_events(&outcome.events)?;
        self.forget_other_copies(outcome)
    }

    fn write_events(&self, events: &[(String, Event)]) -> anyhow::Result<()> {
        let mut insert = self.db.prepare(
            "INSERT INTO event (incident_id, exposure_id, at, what, inside, people, key, source, folder, position)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce(source, ''), coalesce(chain, ''), coalesce(position, '') FROM (SELECT 1)
             LEFT JOIN (SELECT source, chain, position FROM notice JOIN reading ON reading.id = notice.reading_id JOIN folder ON folder.id = notice.folder_id
                        WHERE key = ?7 ORDER BY reading.current DESC, folder.role <> 'sent', source, chain, place, position LIMIT 1)",
        )?;
        for (incident, event) in events {
            insert.execute(params![
                incident,
                event.exposure_id,
                event.at,
                event.what.as_str(),
                event.inside,
                event.people as i64,
                event.key.to_be_bytes(),
            ])?;
        }
        Ok(())
    }

    fn forget_other_copies(&self, outcome: &Outcome) -> anyhow::Result<()> {
        let findings = outcome.findings.iter();
        let kept: FxHashSet<&str> = findings
            .map(|finding| finding.entry.candidate.key.as_str())
            .chain(outcome.waiting.iter().map(String::as_str))
            .collect();
        let mut statement = self.db.prepare("SELECT DISTINCT key FROM copy")?;
        let keys: Vec<String> = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut delete = self.db.prepare("DELETE FROM copy WHERE key = ?1 AND reading_id IN (SELECT id FROM reading WHERE ended IS NOT NULL)")?;
        for key in keys.iter().filter(|key| !kept.contains(key.as_str())) {
            delete.execute([key])?;
        }
        Ok(())
    }
}

fn write_finding(
    statement: &mut Statement<'_>,
    finding: &Finding,
    inside: bool,
    ids: &PersonIds,
) -> anyhow::Result<()> {
    let (candidate, verdict) = (&finding.entry.candidate, &finding.verdict);
    let mut people: FxHashMap<Cow<'_, str>, NamedBy> = FxHashMap::default();
    let mut note = |id, seen: &Seen| {
        let named = people.entry(id).or_insert(seen.named_by);
        *named = seen.named_by.max(*named);
    };
    for seen in verdict.exposed().filter(|seen| seen.person) {
        let identity = seen.identity();
        match ids.get(&*identity) {
            Some(ids) => ids
                .iter()
                .for_each(|id| note(Cow::Borrowed(id.as_str()), seen)),
            // Below the threshold nobody has an id yet: there each mailbox counts.
            None => note(identity, seen),
        }
    }
    let named = |by| people.values().filter(|named| **named == by).count() as i64;
    let fields: Fields = verdict
        .exposed()
        .flat_map(|seen| seen.fields.iter())
        .filter(|field| field.is_visible() || field.is_inside())
        .collect();
    let first = finding
        .entry
        .places
        .first()
        .context("a finding without a place")?;
    let also: Vec<String> = finding.entry.places[1..].iter().map(place_text).collect();
    let author = candidate.from.first().map(author_text).unwrap_or_default();
    let bounced = &finding.delivery.bounced;
    let reached = verdict.seen.iter();
    let audience = reached
        .filter(|seen| seen.receives() && !bounced.contains(&seen.digest))
        .count();
    let aftermath: Vec<&str> = finding.aftermath.iter().copied().collect();
    statement.execute(params![
        finding.id(),
        finding.incident_id,
        finding.reported,
        verdict.confidence,
        verdict.severity.as_str(),
        verdict.groups.join(";"),
        verdict.why,
        candidate.sent,
        author,
        candidate.subject,
        verdict.seen.iter().filter(|seen| seen.visible).count() as i64,
        people.len() as i64,
        audience as i64,
        named(NamedBy::Full),
        named(NamedBy::Partial),
        words(fields),
        aftermath.join(";"),
        finding.repeat_of,
        first.source,
        first.folder,
        first.position,
        candidate.message_id.as_deref().unwrap_or_default(),
        first.sha256,
        also.join(";"),
        finding.circle_id,
        finding.step.as_str(),
        inside,
    ])?;
    Ok(())
}

fn write_seen(
    statement: &mut Statement<'_>,
    finding: &Finding,
    identity: &str,
    seen: &Seen,
    ids: &PersonIds,
) -> anyhow::Result<()> {
    let person: Cow<'_, str> = match ids.get(identity).filter(|_| seen.person).map(Vec::as_slice) {
        None => "".into(),
        Some([only]) => only.into(),
        Some(several) => several.join(";").into(),
    };
    let delivery = &finding.delivery;
    statement.execute(params![
        finding.id(),
        identity,
        person,
        seen.mailbox
            .address
            .as_ref()
            .map_or("", |address| address.as_str()),
        seen.mailbox.name,
        words(seen.fields),
        seen.author,
        seen.visible,
        seen.exposed,
        seen.person,
        seen.relation.as_str(),
        seen.kind.as_str(),
        seen.named_by.as_str(),
        delivery.bounced.contains(&seen.digest),
        delivery.replied.contains(&seen.digest),
        delivery.replied_all.get(&seen.digest),
    ])?;
    Ok(())
}

/// A reported finding, as the summary tells it.
#[derive(Clone, Debug)]
pub struct Reported {
    /// Id of its incident.
    pub incident_id: String,
    /// How much it hurts.
    pub severity: Harm,
    /// How sure.
    pub confidence: u8,
    /// Seconds since 1970 UTC.
    pub sent: Option<i64>,
    /// Cleaned.
    pub subject: String,
    /// People.
    pub exposed: u64,
    /// A person's decision, or empty.
    pub review: String,
}

/// A finding as other thresholds look at it, reported or not.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// Id of its incident.
    pub incident_id: String,
    /// Reported by the case's own threshold, or because a person named its incident.
    pub reported: bool,
    /// How sure.
    pub confidence: u8,
    /// Groups, the most harmful first.
    pub groups: Vec<String>,
    /// A person's decision, or empty.
    pub review: String,
}

impl Case {
    /// Every reported finding, by time and id.
    ///
    /// # Errors
    /// Those of the database.
    pub fn findings(&self) -> anyhow::Result<Vec<Reported>> {
        let mut statement = self.db.prepare(
            "SELECT incident_id, severity, confidence, sent, subject, exposed, coalesce(decision.review, '') FROM finding LEFT JOIN decision USING (exposure_id)
             WHERE reported = 1 ORDER BY sent IS NULL, sent, exposure_id",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Reported {
                incident_id: row.get(0)?,
                severity: Harm::from_word(row.get_ref(1)?.as_str()?).unwrap_or(Harm::Low),
                confidence: row.get(2)?,
                sent: row.get(3)?,
                subject: row.get(4)?,
                exposed: row.get::<_, i64>(5)?.unsigned_abs(),
                review: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every finding that shows somebody to others, reported or not, by exposure id.
    ///
    /// # Errors
    /// Those of the database.
    pub fn kept(&self) -> anyhow::Result<Vec<Kept>> {
        let mut statement = self.db.prepare(
            "SELECT exposure_id, incident_id, reported, confidence, groups, coalesce(decision.review, '') FROM finding LEFT JOIN decision USING (exposure_id)
             WHERE exposed > 0 ORDER BY exposure_id",
        )?;
        let rows = statement.query_map([], |row| {
            let groups: String = row.get(4)?;
            Ok(Kept {
                id: row.get(0)?,
                incident_id: row.get(1)?,
                reported: row.get(2)?,
                confidence: row.get(3)?,
                groups: groups.split(';').map(str::to_owned).collect(),
                review: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Severity of each reported finding that was not dismissed, by exposure id.
    ///
    /// # Errors
    /// Those of the database.
    pub fn severities(&self) -> anyhow::Result<BTreeMap<String, Harm>> {
        let mut statement = self
            .db
            .prepare("SELECT exposure_id, severity FROM finding LEFT JOIN decision USING (exposure_id) WHERE reported = 1 AND coalesce(review, '') <> 'dismissed'")?;
        let rows = statement.query_map([], |row| {
            Ok((
                row.get(0)?,
                Harm::from_word(row.get_ref(1)?.as_str()?).unwrap_or(Harm::Low),
            ))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keys of the messages that a person named as incidents.
    ///
    /// # Errors
    /// Those of the database.
    pub fn incident_keys(&self) -> anyhow::Result<Vec<String>> {
        let mut statement = self.db.prepare("SELECT key FROM incident ORDER BY key")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Identities of the people visible in those.
    ///
    /// # Errors
    /// Those of the database.
    pub fn incident_people(&self) -> anyhow::Result<Vec<String>> {
        let mut statement = self.db.prepare("SELECT DISTINCT identity FROM seen JOIN incident ON substr(incident.key, 1, 16) = seen.exposure_id WHERE exposed = 1")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Remembers messages that a person named as incidents: key and Message-ID.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_incidents(&self, incidents: &[(String, String)]) -> anyhow::Result<()> {
        for (key, message_id) in incidents {
            self.db.execute(
                "INSERT OR IGNORE INTO incident (key, message_id) VALUES (?1, ?2)",
                [key, message_id],
            )?;
        }
        Ok(())
    }

    /// Forgets copies that an older reading of a source kept: they were read under other settings.
    ///
    /// # Errors
    /// Those of the database.
    pub fn forget_superseded_copies(&self) -> anyhow::Result<()> {
        self.db.execute(
            "DELETE FROM copy WHERE reading_id IN (SELECT id FROM reading WHERE current = 0)",
            [],
        )?;
        self.db.execute("DELETE FROM insider", [])?;
        Ok(())
    }
}

fn is_inside(candidate: &Candidate, insiders: &FxHashSet<i64>, digester: &Digester) -> bool {
    [candidate.author(), candidate.sender.as_ref()]
        .into_iter()
        .flatten()
        .any(|address| insiders.contains(&digester.address(address).0.cast_signed()))
}

fn field_word(field: crate::message::Field) -> &'static str {
    use crate::message::Field;
    match field {
        Field::To => "to",
        Field::Cc => "cc",
        Field::Bcc => "bcc",
        Field::ResentTo => "resent-to",
        Field::ResentCc => "resent-cc",
        Field::ResentBcc => "resent-bcc",
        Field::Quoted => "quoted",
        Field::Attached => "attached",
        Field::Calendar => "calendar",
    }
}

/// Fields in the order of DESIGN section 4.
fn words(fields: Fields) -> Cow<'static, str> {
    let mut words = fields.iter().map(field_word);
    let first = words.next().unwrap_or_default();
    words.fold(Cow::Borrowed(first), |text, word| {
        Cow::Owned(format!("{text};{word}"))
    })
}

/// An author as a header shows it.
fn author_text(mailbox: &crate::message::Mailbox) -> String {
    match (&mailbox.address, mailbox.name.as_str()) {
        (Some(address), "") => address.as_str().to_owned(),
        (Some(address), name) => format!("{name} <{}>", address.as_str()),
        (None, name) => name.to_owned(),
    }
}

fn place_text(at: &At) -> String {
    [at.source.as_str(), at.folder.as_str(), at.position.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("!")
}
