//! How much memory a scan of a large folder takes: it must not grow with what the server sends.

use std::io;

use crate::clients::{Client, Compress, Folder};
use crate::machine::markdown;
use crate::proxy::Line;
use crate::workshop::Workshop;
use crate::{digits, megabytes};

/// Fast and slow lines, plain and deflated: what waits where differs.
const WAYS: [(&str, Line, Compress); 4] = [
    ("loopback", Line::PLAIN, Compress::Auto),
    (
        "loopback, `--compress always`",
        Line::PLAIN,
        Compress::Always,
    ),
    ("40 ms", Line::FAR, Compress::Auto),
    ("40 ms, 50 Mbit/s", Line::NARROW, Compress::Auto),
];

/// One run each.
pub(crate) fn table(folder: Folder<'_>, workshop: &Workshop) -> io::Result<()> {
    let mut rows = Vec::new();
    for (name, line, compress) in WAYS {
        let room = workshop.room()?;
        let mut row = vec![name.to_owned()];
        match Client::Ccspill(compress).go(folder, line, room.path()) {
            Ok(run) => row.extend([
                megabytes(run.peak as f64),
                digits(run.seconds),
                format!("{:.0}", folder.messages as f64 / run.seconds),
            ]),
            Err(why) => row.extend([why.to_string(), String::new(), String::new()]),
        }
        rows.push(row);
    }
    let head = ["`ccspill scan`", "peak MB", "seconds", "messages/s"].map(str::to_owned);
    print!("\n{}", markdown(&head, &rows));
    Ok(())
}
