//! Everybody over each line: once a round, round after round, so that what else the machine does hits all alike. A ratio
//! is the median over the rounds of the ratio within a round.

use std::io;

use crate::clients::{Client, Compress, Folder, Run};
use crate::machine::{markdown, median};
use crate::proxy::Line;
use crate::workshop::Workshop;
use crate::{Options, digits, megabytes};

const AUTO: Client = Client::Ccspill(Compress::Auto);
const NEVER: Client = Client::Ccspill(Compress::Never);
const ALWAYS: Client = Client::Ccspill(Compress::Always);

/// With the disk's time in it, which no line changes, once is enough.
const MBSYNC: Client = Client::Mbsync { disk: true };
const IN_MEMORY: Client = Client::Mbsync { disk: false };

const LINES: [(&str, Line, &[Client]); 3] = [
    (
        "loopback",
        Line::PLAIN,
        &[AUTO, NEVER, Client::Imaplib, IN_MEMORY],
    ),
    (
        "40 ms",
        Line::FAR,
        &[AUTO, NEVER, Client::Imaplib, IN_MEMORY, MBSYNC],
    ),
    (
        "40 ms, 50 Mbit/s",
        Line::NARROW,
        &[AUTO, ALWAYS, NEVER, Client::Imaplib, IN_MEMORY],
    ),
];

/// Runs of one client over one line by round, or why there are none.
type Runs = Result<Vec<Run>, String>;

/// Every run of every client over one line.
struct Series(Vec<(Client, Runs)>);

impl Series {
    fn new(
        clients: &[Client],
        folder: Folder<'_>,
        line: Line,
        options: &Options,
        workshop: &Workshop,
    ) -> io::Result<Self> {
        let mut all: Vec<(Client, Runs)> = clients.iter().map(|c| (*c, Ok(Vec::new()))).collect();
        let is_mbsync = |client| matches!(client, Client::Mbsync { .. });
        all.retain(|(client, _)| !options.no_mbsync || !is_mbsync(*client));
        for round in 0..options.rounds {
            for (client, so_far) in &mut all {
                let Ok(runs) = so_far else { continue };
                if round > 0 && is_mbsync(*client) {
                    continue;
                }
                let room = client.room(workshop)?;
                match client.go(folder, line, room.path()) {
                    Ok(run) => runs.push(run),
                    Err(why) => *so_far = Err(why.to_string()),
                }
            }
        }
        Ok(Series(all))
    }

    fn of(&self, client: Client) -> &[Run] {
        let runs = self.0.iter().find(|(other, _)| *other == client);
        match runs {
            Some((_, Ok(runs))) => runs,
            _ => &[],
        }
    }

    /// Over the rounds in which both ran.
    fn ratio(&self, client: Client, base: Client) -> f64 {
        let both = self.of(client).iter().zip(self.of(base));
        median(
            both.map(|(one, other)| one.seconds / other.seconds)
                .collect(),
        )
    }

    fn cells(&self, client: Client, runs: &Runs, messages: u64) -> Vec<String> {
        let Ok(runs) = runs else {
            return vec!["failed".to_owned()];
        };
        let middle = |of: fn(&Run) -> f64| median(runs.iter().map(of).collect());
        let seconds = middle(|run| run.seconds);
        vec![
            digits(seconds),
            format!("{:.0}", messages as f64 / seconds),
            megabytes(middle(|run| run.traffic.to_client as f64)),
            megabytes(middle(|run| run.traffic.to_server as f64)),
            megabytes(middle(|run| run.peak as f64)),
            digits(self.ratio(client, AUTO)),
        ]
    }
}

/// Measures all, and prints the table and what it comes to.
pub(crate) fn table(folder: Folder<'_>, options: &Options, workshop: &Workshop) -> io::Result<()> {
    let mut rows = Vec::new();
    let mut all = Vec::new();
    let mut failures = Vec::new();
    for (name, line, clients) in LINES {
        let series = Series::new(clients, folder, line, options, workshop)?;
        for (client, runs) in &series.0 {
            let mut row = vec![format!("{name}: {}", client.title())];
            row.extend(series.cells(*client, runs, folder.messages));
            rows.push(row);
            let why = runs.as_ref().err();
            failures.extend(why.map(|why| format!("{name}: {} failed: {why}", client.title())));
        }
        all.push(series);
    }
    let head = [
        "",
        "seconds",
        "messages/s",
        "MB from server",
        "MB to server",
        "peak MB",
        "× `ccspill scan`",
    ];
    rows.iter_mut()
        .for_each(|row| row.resize(head.len(), String::new()));
    print!("\n{}", markdown(&head.map(str::to_owned), &rows));
    for failure in failures {
        println!("\n{failure}");
    }
    if let [_, far, narrow] = all.as_slice() {
        print_ratios(far, narrow);
    }
    Ok(())
}

/// The few ratios that say whether it is fast.
fn print_ratios(far: &Series, narrow: &Series) {
    let ratios = [
        (
            "40 ms: Python imaplib, times that of ccspill",
            far.ratio(Client::Imaplib, AUTO),
        ),
        (
            "40 ms: mbsync, times that of ccspill",
            far.ratio(MBSYNC, AUTO),
        ),
        (
            "40 ms: mbsync into memory, times that of ccspill",
            far.ratio(IN_MEMORY, AUTO),
        ),
        (
            "40 ms, 50 Mbit/s: without COMPRESS, times that with",
            narrow.ratio(NEVER, ALWAYS),
        ),
        (
            "40 ms, 50 Mbit/s: as the program chooses, times that with COMPRESS",
            narrow.ratio(AUTO, ALWAYS),
        ),
    ];
    let rows: Vec<Vec<String>> = ratios
        .iter()
        .map(|(title, ratio)| vec![(*title).to_owned(), digits(*ratio)])
        .collect();
    let head = ["`ccspill scan`".to_owned(), "ratio".to_owned()];
    print!("\n{}", markdown(&head, &rows));
}
