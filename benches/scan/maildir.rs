//! The first 10,000 mails of A as a Maildir, which is what mu and notmuch read. They index the whole text, which
//! ccspill does not: the ratio says what a person waits, not which program is written better.

use std::io;

use crate::machine::markdown;
use crate::peers::Peer;
use crate::split;
use crate::whole::Series;
use crate::workshop::Workshop;
use crate::{Options, digits};

const MAILS: usize = 10_000;
const SCAN: Peer = Peer::Ccspill {
    jobs: 2,
    hash: false,
};
const PEERS: [Peer; 5] = [
    Peer::Ccspill {
        jobs: 1,
        hash: false,
    },
    SCAN,
    Peer::Ccspill {
        jobs: 2,
        hash: true,
    },
    Peer::Mu,
    Peer::Notmuch,
];

/// Makes the Maildir and prints the table.
pub(crate) fn table(options: &Options, workshop: &Workshop) -> io::Result<()> {
    let home = workshop.room()?;
    let store = home.path().join("Sent");
    let bytes = split::maildir(&workshop.file("A")?, &store, MAILS)?;
    let once = |peer| matches!(peer, Peer::Mu | Peer::Notmuch);
    let series = Series::new(&PEERS, options.rounds, &store, workshop, once, || Ok(()))?;
    println!(
        "\nA Maildir of {MAILS} mails ({} MB) in cache, medians of {} rounds in turn; mu and notmuch, which index whole text, one run into a new index.\n",
        bytes / 1_000_000,
        options.rounds
    );
    let head = ["", "seconds", "× 2 jobs", "peak MB", "mails/s"].map(str::to_owned);
    let rows: Vec<Vec<String>> = PEERS
        .iter()
        .map(|peer| {
            let mut cells = vec![peer.title()];
            cells.extend(series.cells(*peer, SCAN));
            let rate = MAILS as f64 / series.seconds(*peer);
            cells.push(digits(rate));
            cells
        })
        .collect();
    print!("{}", markdown(&head, &rows));
    if let Some(told) = series.disagreement() {
        println!("\nNot all see the same messages: {told}.");
    }
    Ok(())
}
