//! How well ccspill judges, measured on mailboxes whose messages somebody has labelled: `seen` while the judgement was
//! made, and `unseen`, which nobody may look at who makes it. The figures stand in `tests/labelled/figures.json`, which is
//! rewritten with `BLESS=1`; `LABELLED_SHOW=1` names the messages of the unseen half too.

use crate::builders::{Labelled, Run, tell};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// From this confidence on a finding is reported, by default.
const THRESHOLD: u64 = 50;

/// The first confidence of each band of the calibration table; the first band holds what was not found at all.
const BANDS: [u64; 7] = [0, 25, 50, 60, 70, 80, 90];

/// What is measured of one half. Shares are 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Figures {
    mailboxes: u64,
    /// Labelled messages that are judged.
    messages: u64,
    /// Of them: that expose.
    exposing: u64,
    /// Of the reported: that expose. What is reported of the ordinary mail counts against it.
    precision: f64,
    /// Of the exposing: that are reported.
    recall: f64,
    incidents: u64,
    incidents_found: u64,
    /// Ordinary messages that the owners sent.
    ordinary: u64,
    /// Of them: that are reported.
    false_alarms: u64,
    false_alarms_per_1000: f64,
    /// Reported exposures of which the label says how many people they expose; and of how many the program says the same.
    counted: u64,
    counted_right: u64,
    /// Mean squared distance between confidence and truth over the labelled messages (Brier 1950): 0 is best.
    brier: f64,
    calibration: Vec<Band>,
}

/// Messages whose confidence lies in one band: the labelled ones, and the findings among the ordinary mail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Band {
    from: u64,
    to: u64,
    messages: u64,
    exposing: u64,
}

/// Both halves, as the file has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Both {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<Figures>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unseen: Option<Figures>,
}

/// What the program says of one message.
#[derive(Clone, Debug, Default)]
struct Said {
    reported: bool,
    confidence: u64,
    exposed: u64,
    why: String,
    subject: String,
}

/// One mailbox, scanned.
struct Scanned {
    name: String,
    file: Labelled,
    /// By Message-ID.
    said: BTreeMap<String, Said>,
    ordinary: u64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/labelled")
}

fn files(half: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder().join(half))
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    all.sort();
    all
}

/// Scans as a user does, then once more with a low threshold: only so does every confidence stand in a column.
fn scan(path: &Path) -> Scanned {
    let file = Labelled::read(path);
    let written = file.write();
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    for threshold in [THRESHOLD, 25] {
        let case = Run::scan(written.store.path())
            .org(&file.organisation)
            .arg("--min-confidence")
            .arg(threshold.to_string())
            .ok();
        for row in case.messages() {
            let id = row["message_id"].trim_matches(['<', '>']).to_owned();
            said.entry(id).or_insert_with(|| Said {
                reported: threshold == THRESHOLD,
                confidence: row.number("confidence"),
                exposed: row.number("exposed"),
                why: row["why"].to_owned(),
                subject: row["subject"].to_owned(),
            });
        }
    }
    Scanned {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        file,
        said,
        ordinary: written.ordinary,
    }
}

/// Two at a time: each scan has threads of its own.
fn scans(files: &[PathBuf]) -> Vec<Scanned> {
    let next = Mutex::new(files.iter().enumerate());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((at, path)) = next.lock().unwrap().next() else {
                        return;
                    };
                    let scanned = scan(path);
                    done.lock().unwrap().push((at, scanned));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, scanned)| scanned).collect()
}

/// What is added up over the mailboxes of a half.
#[derive(Default)]
struct Sum {
    figures: Figures,
    right: u64,
    reported: u64,
    squares: f64,
    /// Each miss, false alarm and wrong count, in words.
    wrong: Vec<String>,
}

impl Sum {
    fn add(&mut self, scanned: &Scanned) {
        self.figures.mailboxes += 1;
        self.figures.ordinary += scanned.ordinary;
        let mut incidents: BTreeMap<String, bool> = BTreeMap::new();
        let mut labelled = BTreeSet::new();
        for (index, message) in scanned.file.message.iter().enumerate() {
            let id = scanned.file.id(index);
            labelled.insert(id.clone());
            if !scanned.file.counts(index) {
                continue;
            }
            let said = scanned.said.get(&id).cloned().unwrap_or_default();
            self.message(message.exposes, &said);
            if message.exposes {
                let series = message.series.clone().unwrap_or(id);
                *incidents.entry(series).or_default() |= said.reported;
            }
            if message.exposes != said.reported {
                self.wrong.push(format!(
                    "{}: {} at {}: '{}'\n    label: {}\n    said:  {}",
                    scanned.name,
                    if message.exposes {
                        "MISSED"
                    } else {
                        "FALSE ALARM"
                    },
                    said.confidence,
                    message.subject,
                    message.why,
                    said.why
                ));
            } else if let Some(exposed) = message.exposed.filter(|_| message.exposes) {
                self.figures.counted += 1;
                self.figures.counted_right += u64::from(exposed == said.exposed);
                if exposed != said.exposed {
                    self.wrong.push(format!(
                        "{}: COUNTED {} for {exposed}: '{}'\n    label: {}\n    said:  {}",
                        scanned.name, said.exposed, message.subject, message.why, said.why
                    ));
                }
            }
        }
        self.figures.incidents += incidents.len() as u64;
        self.figures.incidents_found += incidents.values().filter(|found| **found).count() as u64;
        let others = scanned
            .said
            .iter()
            .filter(|(id, _)| !labelled.contains(*id));
        for (_, said) in others {
            self.band(said.confidence, false);
            if said.reported {
                self.figures.false_alarms += 1;
                self.reported += 1;
                self.wrong.push(format!(
                    "{}: FALSE ALARM at {} among the ordinary mail: '{}'\n    said:  {}",
                    scanned.name, said.confidence, said.subject, said.why
                ));
            }
        }
    }

    fn message(&mut self, exposes: bool, said: &Said) {
        self.figures.messages += 1;
        self.figures.exposing += u64::from(exposes);
        self.reported += u64::from(said.reported);
        self.right += u64::from(said.reported && exposes);
        let truth = f64::from(u8::from(exposes));
        self.squares += (said.confidence as f64 / 100.0 - truth).powi(2);
        self.band(said.confidence, exposes);
    }

    fn band(&mut self, confidence: u64, exposes: bool) {
        let bands = &mut self.figures.calibration;
        if bands.is_empty() {
            *bands = (0..BANDS.len())
                .map(|at| Band {
                    from: BANDS[at],
                    to: BANDS.get(at + 1).map_or(100, |next| next - 1),
                    ..Band::default()
                })
                .collect();
        }
        let band = bands
            .iter_mut()
            .rfind(|band| band.from <= confidence)
            .unwrap();
        band.messages += 1;
        band.exposing += u64::from(exposes);
    }

    fn figures(&self) -> Figures {
        let mut figures = self.figures.clone();
        figures.precision = share(self.right, self.reported);
        figures.recall = share(self.right, figures.exposing);
        figures.false_alarms_per_1000 = share(figures.false_alarms * 1000, figures.ordinary);
        figures.brier = rounded(self.squares / figures.messages.max(1) as f64);
        figures
    }
}

fn share(part: u64, of: u64) -> f64 {
    rounded(part as f64 / of.max(1) as f64)
}

fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

fn table(half: &str, figures: &Figures) -> String {
    let mut out = format!(
        "\n{half}: {} mailboxes, {} labelled messages, {} of them exposing, among {} ordinary ones sent\n\
         \x20 precision {:.3}   recall {:.3}   incidents {} of {}   false alarms {} ({:.2} per 1,000)   Brier {:.3}\n\
         \x20 exposed people counted right in {} of {}\n  confidence   messages   true\n",
        figures.mailboxes,
        figures.messages,
        figures.exposing,
        figures.ordinary,
        figures.precision,
        figures.recall,
        figures.incidents_found,
        figures.incidents,
        figures.false_alarms,
        figures.false_alarms_per_1000,
        figures.brier,
        figures.counted_right,
        figures.counted,
    );
    for band in &figures.calibration {
        out += &format!(
            "  {:>3} to {:>3}   {:>8}   {:>3.0} %\n",
            band.from,
            band.to,
            band.messages,
            100.0 * share(band.exposing, band.messages)
        );
    }
    out
}

/// Only one half at a time reads and writes the file of figures.
static FILE: Mutex<()> = Mutex::new(());

/// The figures in the file, or after `BLESS=1` these.
fn on_file(half: &str, figures: &Figures) -> Option<Figures> {
    let _one = FILE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let path = folder().join("figures.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
    let mut both: Both = serde_json::from_str(&text).unwrap();
    let place = if half == "seen" {
        &mut both.seen
    } else {
        &mut both.unseen
    };
    if std::env::var_os("BLESS").is_some() {
        *place = Some(figures.clone());
        fs::write(&path, short(&both)).unwrap();
        return Some(figures.clone());
    }
    place.clone()
}

/// A line for each half and for each band.
fn short(both: &Both) -> String {
    let text = serde_json::to_string(both).unwrap();
    let text = text.replace("{\"from\"", "\n    {\"from\"");
    text.replace("\"seen\"", "\n  \"seen\"")
        .replace("\"unseen\"", "\n  \"unseen\"")
        + "\n"
}

/// What a half must reach.
struct Least {
    recall: f64,
    precision: f64,
}

/// What both halves are to reach. The unseen half does not yet: README, How well it judges.
const GOAL_RECALL: f64 = 0.97;
const GOAL_PRECISION: f64 = 0.95;

/// Measures a half and holds it against what it reached before.
fn half(half: &str, least: &Least, show: bool) {
    let files = files(half);
    assert!(
        !files.is_empty(),
        "there is no file in tests/labelled/{half}"
    );
    let mut sum = Sum::default();
    for scanned in scans(&files) {
        sum.add(&scanned);
    }
    let figures = sum.figures();
    tell(&table(half, &figures));
    if show {
        for wrong in &sum.wrong {
            tell(wrong);
        }
    } else {
        tell(&format!(
            "  {} wrong; LABELLED_SHOW=1 names them",
            sum.wrong.len()
        ));
    }
    let on_file = on_file(half, &figures);
    for (what, is, goal) in [
        ("recall", figures.recall, GOAL_RECALL),
        ("precision", figures.precision, GOAL_PRECISION),
    ] {
        if is < goal {
            tell(&format!("  {what} falls short of its goal: {is} of {goal}"));
        }
    }
    assert!(figures.recall >= least.recall, "recall {}", figures.recall);
    assert!(
        figures.precision >= least.precision,
        "precision {}",
        figures.precision
    );
    assert!(
        figures.false_alarms_per_1000 < 1.0,
        "{} false alarms among {} ordinary messages",
        figures.false_alarms,
        figures.ordinary
    );
    assert_eq!(
        Some(figures),
        on_file,
        "figures.json says otherwise; BLESS=1 rewrites it where the new figures are right"
    );
}

#[test]
fn what_was_seen_while_the_judgement_was_made_is_judged_no_worse_than_before() {
    let least = Least {
        recall: 0.90,
        precision: 0.95,
    };
    half("seen", &least, true);
}

#[test]
fn what_was_never_seen_is_judged_no_worse_than_before() {
    let least = Least {
        recall: 0.60,
        precision: 0.90,
    };
    half(
        "unseen",
        &least,
        std::env::var_os("LABELLED_SHOW").is_some(),
    );
}

#[test]
fn the_readme_quotes_the_figures_of_the_file() {
    let text = fs::read_to_string(folder().join("figures.json")).unwrap();
    let both: Both = serde_json::from_str(&text).unwrap();
    let (seen, unseen) = (both.seen.unwrap(), both.unseen.unwrap());
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let thousands = |number: u64| format!("{},{:03}", number / 1000, number % 1000);
    let row = |what: &str, of: &dyn Fn(&Figures) -> String| {
        let row = format!("| {what} | {} | {} |", of(&seen), of(&unseen));
        assert!(readme.contains(&row), "README.md has no row: {row}");
    };
    row("messages, of them exposing", &|half| {
        format!("{}, {}", half.messages, half.exposing)
    });
    row("precision: of what is reported, exposes", &|half| {
        half.precision.to_string()
    });
    row("recall: of what exposes, is reported", &|half| {
        half.recall.to_string()
    });
    row("incidents found", &|half| {
        format!("{} of {}", half.incidents_found, half.incidents)
    });
    row("false alarms among ordinary sent messages", &|half| {
        format!("{} of {}", half.false_alarms, thousands(half.ordinary))
    });
    row("false alarms per 1,000", &|half| {
        format!("{:.2}", half.false_alarms_per_1000)
    });
}
