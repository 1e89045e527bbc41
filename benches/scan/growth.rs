//! Whether time grows with the bytes and memory only with the number of messages: from 0.1 to 10 GB, and ten million
//! short notes.

use std::fs;
use std::io;

use crate::machine::{self, markdown, median};
use crate::measure::{self, Run};
use crate::peers::Peer;
use crate::workshop::Workshop;
use crate::{Options, digits, megabytes, seconds};

const SCAN: Peer = Peer::Ccspill {
    jobs: 2,
    hash: false,
};
const HEAD: [&str; 6] = [
    "",
    "messages",
    "seconds",
    "seconds/GB",
    "peak MB",
    "in cache",
];

/// The table from 0.1 to 10 GB of text mail, then B, whose messages are few and long.
pub(crate) fn growth(options: &Options, workshop: &Workshop) -> io::Result<()> {
    let mut rows = Vec::new();
    for name in ["100MB", "1GB", "10GB", "B"] {
        let file = workshop.file(name)?;
        let cached = measure_in_cache(&file)?;
        // A short run says little: the smaller the file, the more of them.
        let rounds = if name == "10GB" {
            3
        } else {
            options.rounds.max(5)
        };
        let mut runs = Vec::new();
        for _ in 0..rounds {
            let room = workshop.room()?;
            runs.push(SCAN.go(&file, room.path())?);
        }
        rows.push(row(name, fs::metadata(&file)?.len(), &runs, cached));
        workshop.done_with(&file)?;
    }
    println!("\nGrowth of {}, medians:\n", SCAN.title());
    print!("{}", markdown(&HEAD.map(str::to_owned), &rows));
    Ok(())
}

/// Ten million messages of about 400 bytes, once.
pub(crate) fn ten_million(workshop: &Workshop) -> io::Result<()> {
    let file = workshop.file("10M")?;
    let cached = measure_in_cache(&file)?;
    let room = workshop.room()?;
    let run = SCAN.go(&file, room.path())?;
    let bytes = fs::metadata(&file)?.len();
    println!("\nTen million notes, {}, one run:\n", SCAN.title());
    let row = row("10M", bytes, &[run], cached);
    print!("{}", markdown(&HEAD.map(str::to_owned), &[row]));
    workshop.done_with(&file)
}

/// Reads a file once, and says whether the cache can have kept it.
fn measure_in_cache(file: &std::path::Path) -> io::Result<bool> {
    measure::run(std::process::Command::new("cat").arg(file))?;
    let told = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let free = machine::kib(&told, "MemAvailable:").unwrap_or(0) * 1024;
    Ok(fs::metadata(file)?.len() < free)
}

fn row(name: &str, bytes: u64, runs: &[Run], cached: bool) -> Vec<String> {
    let wall = median(runs.iter().map(Run::seconds).collect());
    let messages = runs.first().and_then(|run| run.messages).unwrap_or(0);
    let peak = runs.iter().map(|run| run.peak).max().unwrap_or(0);
    vec![
        format!("{name}, {:.2} GB", bytes as f64 / 1e9),
        messages.to_string(),
        seconds(wall),
        digits(wall / (bytes as f64 / 1e9)),
        megabytes(peak),
        if cached { "yes" } else { "no" }.into(),
    ]
}
