//! Whole mbox files, in cache and from disk: each tool once a round, round after round, so that what else the machine
//! does hits all alike. A ratio is the median over the rounds of the ratio within a round.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::machine::{markdown, median};
use crate::measure::{self, Run};
use crate::peers::Peer;
use crate::workshop::Workshop;
use crate::{Options, digits, megabytes, seconds};

const fn scan(jobs: u8, hash: bool) -> Peer {
    Peer::Ccspill { jobs, hash }
}

/// In the order of the rows. The last two take so long that they run in the first round only.
const WARM: [Peer; 10] = [
    Peer::Cat,
    Peer::Rg,
    Peer::Grep,
    Peer::Openssl,
    scan(1, false),
    scan(2, false),
    scan(1, true),
    scan(2, true),
    Peer::Mboxshell,
    Peer::Python,
];
const COLD: [Peer; 6] = [
    Peer::Cat,
    Peer::Rg,
    Peer::Openssl,
    scan(1, false),
    scan(2, false),
    scan(2, true),
];
/// Rounds from disk: the disk is slow, and no target stands on it.
const COLD_ROUNDS: u16 = 3;

/// Runs of one peer on one file by round; or why there are none.
pub(crate) type Runs = Result<Vec<Option<Run>>, String>;

/// Every run of every peer on one store.
pub(crate) struct Series {
    runs: Vec<(Peer, Runs)>,
}

impl Series {
    /// Runs every peer once a round. `before` is called before each run. Those for whom `once` holds run in the first
    /// round only.
    pub(crate) fn new(
        peers: &[Peer],
        rounds: u16,
        store: &Path,
        workshop: &Workshop,
        once: impl Fn(Peer) -> bool,
        mut before: impl FnMut() -> Result<(), String>,
    ) -> io::Result<Self> {
        let mut runs: Vec<(Peer, Runs)> = peers.iter().map(|p| (*p, Ok(Vec::new()))).collect();
        for round in 0..rounds {
            for (peer, so_far) in &mut runs {
                let Ok(all) = so_far else { continue };
                if round > 0 && once(*peer) {
                    all.push(None);
                    continue;
                }
                let room = workshop.room()?;
                let ready = before();
                match ready.map(|()| peer.go(store, room.path())) {
                    Ok(Ok(run)) => all.push(Some(run)),
                    Ok(Err(why)) if why.kind() == io::ErrorKind::NotFound => {
                        *so_far = Err(format!("not installed: {}", peer.mend()));
                    }
                    Ok(Err(why)) => *so_far = Err(why.to_string()),
                    Err(why) => *so_far = Err(why),
                }
            }
        }
        Ok(Series { runs })
    }

    pub(crate) fn of(&self, peer: Peer) -> &[Option<Run>] {
        let runs = self.runs.iter().find(|(other, _)| *other == peer);
        match runs {
            Some((_, Ok(runs))) => runs,
            _ => &[],
        }
    }

    /// Why a peer has no runs.
    fn failure(&self, peer: Peer) -> Option<&str> {
        let runs = self.runs.iter().find(|(other, _)| *other == peer)?;
        runs.1.as_ref().err().map(String::as_str)
    }

    pub(crate) fn seconds(&self, peer: Peer) -> f64 {
        median(self.of(peer).iter().flatten().map(Run::seconds).collect())
    }

    pub(crate) fn peak(&self, peer: Peer) -> u64 {
        let peaks = self.of(peer).iter().flatten().map(|run| run.peak);
        peaks.max().unwrap_or(0)
    }

    /// The median over the rounds in which both ran.
    pub(crate) fn ratio(&self, peer: Peer, base: Peer) -> f64 {
        let pairs = self.of(peer).iter().zip(self.of(base));
        let both = pairs.filter_map(|(one, other)| one.as_ref().zip(other.as_ref()));
        median(
            both.map(|(one, other)| one.seconds() / other.seconds())
                .collect(),
        )
    }

    /// Seconds, ratio and memory as cells.
    pub(crate) fn cells(&self, peer: Peer, base: Peer) -> Vec<String> {
        match self.failure(peer) {
            Some(why) => vec![why.to_owned(), String::new(), String::new()],
            None => vec![
                seconds(self.seconds(peer)),
                digits(self.ratio(peer, base)),
                megabytes(self.peak(peer)),
            ],
        }
    }

    /// How many messages each peer that counts has seen, if they do not all say the same.
    pub(crate) fn disagreement(&self) -> Option<String> {
        let told: Vec<(String, u64)> = self
            .runs
            .iter()
            .filter_map(|(peer, runs)| {
                let run = runs.as_ref().ok()?.first()?.as_ref()?;
                Some((peer.title(), run.messages?))
            })
            .collect();
        let same = told.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let list = told.iter().map(|(title, count)| format!("{title} {count}"));
        (!same).then(|| list.collect::<Vec<_>>().join(", "))
    }
}

/// The table of files in cache, and what it comes to.
pub(crate) fn warm(
    files: &[(String, PathBuf)],
    options: &Options,
    workshop: &Workshop,
) -> io::Result<()> {
    let peers: Vec<Peer> = WARM
        .into_iter()
        .filter(|peer| *peer != Peer::Python || !options.no_python)
        .collect();
    let mut all = Vec::new();
    for (name, file) in files {
        // Once unmeasured, so that the first is not the only one that waits for the disk.
        measure::run(Command::new("cat").arg(file))?;
        let once = |peer| matches!(peer, Peer::Python | Peer::Mboxshell);
        let series = Series::new(&peers, options.rounds, file, workshop, once, || Ok(()))?;
        all.push((name.as_str(), series));
    }
    println!(
        "\nWhole commands, file in cache, medians of {} rounds in turn (Python and mboxshell: one run); × `rg` is the ratio within a round{}.\n",
        options.rounds,
        if measure::gnu_time() {
            ""
        } else {
            "; peaks as last seen, for want of GNU time"
        }
    );
    print_series(&peers, &all);
    print_ratios(&all);
    for (name, series) in &all {
        if let Some(told) = series.disagreement() {
            println!("\nNot all see the same messages in {name}: {told}.");
        }
    }
    Ok(())
}

/// The table of files that are not in the cache of this system; what a virtual disk's host holds is not known.
pub(crate) fn cold(files: &[(String, PathBuf)], workshop: &Workshop) -> io::Result<()> {
    let mut all = Vec::new();
    for (name, file) in files {
        if let Err(why) = evict(file) {
            println!("\nFrom disk: not measured, {why}.");
            return Ok(());
        }
        let out = || evict(file);
        let series = Series::new(&COLD, COLD_ROUNDS, file, workshop, |_| false, out)?;
        all.push((name.as_str(), series));
    }
    println!(
        "\nThe same from disk: the file is put out of the cache before each run; medians of {COLD_ROUNDS} rounds.\n"
    );
    print_series(&COLD, &all);
    Ok(())
}

/// Puts a file out of the page cache, and no other: machines are shared. Where that cannot be done, or is seen not to
/// have been done, says why.
fn evict(file: &Path) -> Result<(), String> {
    let mut input = std::ffi::OsString::from("if=");
    input.push(file);
    let dd = Command::new("dd")
        .arg(input)
        .args(["iflag=nocache", "count=0"])
        .stderr(Stdio::null())
        .status();
    if !dd.is_ok_and(|status| status.success()) {
        return Err("dd here knows no iflag=nocache".into());
    }
    let Some(fincore) = measure::found(OsStr::new("fincore")) else {
        return Ok(());
    };
    let output = Command::new(fincore)
        .args(["--bytes", "--noheadings", "--output", "RES"])
        .arg(file)
        .output()
        .map_err(|why| why.to_string())?;
    let left: u64 = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .unwrap_or(0);
    // A few pages may be read again at once, by whoever looks at new files.
    if left > 1 << 20 {
        return Err(format!(
            "{} MB of the file stay in the cache",
            left / 1_000_000
        ));
    }
    Ok(())
}

fn print_series(peers: &[Peer], all: &[(&str, Series)]) {
    let mut head = vec![String::new()];
    for (name, _) in all {
        head.extend([
            format!("{name}: seconds"),
            "× `rg`".into(),
            "peak MB".into(),
        ]);
    }
    let rows: Vec<Vec<String>> = peers
        .iter()
        .map(|peer| {
            let cells = all
                .iter()
                .flat_map(|(_, series)| series.cells(*peer, Peer::Rg));
            [peer.title()].into_iter().chain(cells).collect()
        })
        .collect();
    print!("{}", markdown(&head, &rows));
}

/// The few ratios that say whether it is fast.
fn print_ratios(all: &[(&str, Series)]) {
    let (lean, hashing) = (scan(2, false), scan(2, true));
    let ratios = [
        ("2 jobs without source hash: time of `rg`", lean, Peer::Rg),
        (
            "2 jobs with source hash: time of `openssl`",
            hashing,
            Peer::Openssl,
        ),
        (
            "Python: times that of 2 jobs without source hash",
            Peer::Python,
            lean,
        ),
        (
            "1 job: times that of 2 jobs, without source hash",
            scan(1, false),
            lean,
        ),
    ];
    let mut head = vec!["`ccspill scan`".to_owned()];
    head.extend(all.iter().map(|(name, _)| (*name).to_owned()));
    let mut rows: Vec<Vec<String>> = ratios
        .iter()
        .map(|(title, one, other)| {
            let cells = all
                .iter()
                .map(|(_, series)| digits(series.ratio(*one, *other)));
            [(*title).to_owned()].into_iter().chain(cells).collect()
        })
        .collect();
    let peaks = all
        .iter()
        .map(|(_, series)| megabytes(series.peak(lean).max(series.peak(hashing))));
    rows.push(
        ["peak memory with 2 jobs, MB".to_owned()]
            .into_iter()
            .chain(peaks)
            .collect(),
    );
    print!("\n{}", markdown(&head, &rows));
}
