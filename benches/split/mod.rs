//! The mails of an mbox file as a Maildir, for those who read nothing else.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// Writes the first mails of a file of kind A, all read and none flagged. Gives how many bytes they have.
pub(crate) fn maildir(file: &Path, store: &Path, mails: usize) -> io::Result<u64> {
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(store.join(folder))?;
    }
    let mut lines = BufReader::with_capacity(1 << 20, File::open(file)?);
    let (mut mail, mut line, mut begun, mut bytes) = (Vec::new(), Vec::new(), 0, 0);
    loop {
        line.clear();
        let more = lines.read_until(b'\n', &mut line)? > 0;
        if !more || line.starts_with(b"From ") {
            if begun > 0 {
                // The blank line before the next separator belongs to the mbox.
                mail.pop();
                fs::write(store.join("cur").join(name(begun, &mail)), &mail)?;
                bytes += mail.len() as u64;
                mail.clear();
            }
            if !more || begun == mails {
                return Ok(bytes);
            }
            begun += 1;
            continue;
        }
        let quoted = line.iter().take_while(|b| **b == b'>').count();
        let bare = quoted > 0 && line[quoted..].starts_with(b"From ");
        mail.extend_from_slice(&line[usize::from(bare)..]);
    }
}

/// With the size as it lies there and as it is sent, as a server writes it that need not look into each file for them.
fn name(index: usize, mail: &[u8]) -> String {
    let size = mail.len();
    let sent = size + memchr::memchr_iter(b'\n', mail).count();
    format!("17092836{index:06}.M1P1.force.example,S={size},W={sent}:2,S")
}
