//! Those who read the folder. What each does differs: ccspill reads header fields, judges and writes its case; Python
//! takes the same fields and does nothing with them; mbsync brings whole messages to disk.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::measure;
use crate::proxy::{Line, Proxy, Traffic};
use crate::server::{Dovecot, PASSWORD};
use crate::workshop::Workshop;

/// The header fields that ccspill asks for, as in `src/source/imap/reader.rs`: a server says the list again with each
/// message, which is a third of what it sends.
const FIELDS: &str = "From Sender Reply-To To Cc Bcc Resent-To Resent-Cc Resent-Bcc Subject Date Message-ID In-Reply-To List-Id X-Mailing-List List-Post Auto-Submitted Precedence X-Autoreply X-Autorespond X-Unsent";

/// Reads in windows of 500, one after another, as most scripts do.
const PYTHON: &str = "
import imaplib, os, ssl, sys
user, port, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3]
box = imaplib.IMAP4_SSL('127.0.0.1', port, ssl_context=ssl.create_default_context(cafile=ca))
box.login(user, os.environ['CCSPILL_PASSWORD'])
there, got = int(box.select('Sent', readonly=True)[1][0]), 0
fields = sys.argv[4]
for first in range(1, there + 1, 500):
    last = min(first + 499, there)
    told, parts = box.fetch(f'{first}:{last}', f'(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({fields})])')
    got += sum(isinstance(part, tuple) for part in parts)
box.logout()
print(got)
";

/// What `--compress` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compress {
    Auto,
    Always,
    Never,
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Ccspill(Compress),
    Imaplib,
    /// As it comes it has each file on the disk before it goes on, and half of its time or more is the disk's. Where that
    /// is not to be measured it writes to memory.
    Mbsync {
        disk: bool,
    },
}

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) seconds: f64,
    /// Largest resident memory, in bytes.
    pub(crate) peak: u64,
    pub(crate) traffic: Traffic,
}

/// Somebody's folder `Sent`, and how many messages are in it.
#[derive(Clone, Copy)]
pub(crate) struct Folder<'a> {
    pub(crate) server: &'a Dovecot,
    pub(crate) owner: &'a str,
    pub(crate) messages: u64,
}

impl Client {
    /// As a row of a table is headed.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Client::Ccspill(Compress::Auto) => "`ccspill scan`",
            Client::Ccspill(Compress::Always) => "`ccspill scan --compress always`",
            Client::Ccspill(Compress::Never) => "`ccspill scan --compress never`",
            Client::Imaplib => "Python imaplib, windows of 500",
            Client::Mbsync { disk: true } => "`mbsync`",
            Client::Mbsync { disk: false } => "`mbsync`, into memory",
        }
    }

    /// Whether what it starts is there.
    pub(crate) fn is_installed(self) -> bool {
        match self {
            Client::Ccspill(_) => true,
            Client::Imaplib => measure::found(OsStr::new("python3")).is_some(),
            Client::Mbsync { .. } => measure::found(OsStr::new("mbsync")).is_some(),
        }
    }

    /// An empty folder for what it keeps.
    pub(crate) fn room(self, workshop: &Workshop) -> io::Result<tempfile::TempDir> {
        match self {
            Client::Mbsync { disk: false } => tempfile::tempdir_in("/dev/shm"),
            _ => workshop.room(),
        }
    }

    /// Reads the folder once over a line of its own. What it keeps stands in `room`, an empty folder. To have read fewer
    /// or more messages than are there is an error.
    pub(crate) fn go(self, folder: Folder<'_>, line: Line, room: &Path) -> io::Result<Run> {
        let proxy = Proxy::open(line, folder.server.port)?;
        let mut command = self.command(folder, proxy.port, room)?;
        let run = measure::run(command.env("CCSPILL_PASSWORD", PASSWORD));
        let traffic = proxy.end()?;
        let mut run = run?;
        run.messages = match self {
            Client::Ccspill(_) => counted(&room.join("case")),
            Client::Imaplib => run.said.trim().parse().ok(),
            Client::Mbsync { .. } => Some(files(&room.join("mail/Sent"))?),
        };
        if run.messages != Some(folder.messages) {
            let read = run.messages.map_or_else(
                || "nobody knows how many".to_owned(),
                |read| read.to_string(),
            );
            return Err(io::Error::other(format!(
                "read {read} of {} messages",
                folder.messages
            )));
        }
        Ok(Run {
            seconds: run.seconds(),
            peak: run.peak,
            traffic,
        })
    }

    fn command(self, folder: Folder<'_>, port: u16, room: &Path) -> io::Result<Command> {
        let (owner, ca) = (folder.owner, folder.server.ca());
        Ok(match self {
            Client::Ccspill(compress) => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_ccspill"));
                command.arg("scan");
                command.arg(format!("imaps://{owner}@127.0.0.1:{port}"));
                command.arg("--ca-file").arg(ca);
                command.args(["--org", "force.example", "--progress", "never"]);
                command.arg("--case").arg(room.join("case"));
                match compress {
                    Compress::Auto => &mut command,
                    Compress::Always => command.args(["--compress", "always"]),
                    Compress::Never => command.args(["--compress", "never"]),
                };
                command
            }
            Client::Imaplib => {
                let mut command = Command::new("python3");
                command.args(["-c", PYTHON, owner, &port.to_string()]);
                command.arg(ca).arg(FIELDS);
                command
            }
            Client::Mbsync { disk } => {
                let config = room.join("mbsyncrc");
                fs::create_dir(room.join("mail"))?;
                fs::write(&config, mbsyncrc(owner, port, &ca, room, disk))?;
                let mut command = Command::new("mbsync");
                command.arg("--quiet").arg("--config").arg(config);
                command.arg("bench");
                command
            }
        })
    }
}

/// As its manual has it. `SSLType` is what isync 1.5 calls `TLSType`, and still knows. It compares names only, so that
/// the server is `localhost`.
fn mbsyncrc(owner: &str, port: u16, ca: &Path, room: &Path, disk: bool) -> String {
    let (ca, room) = (ca.display(), room.display());
    let fsync = if disk { "yes" } else { "no" };
    format!(
        "FSync {fsync}

IMAPStore far
Host localhost
Port {port}
User {owner}
PassCmd \"printenv CCSPILL_PASSWORD\"
SSLType IMAPS
SystemCertificates no
CertificateFile {ca}

MaildirStore near
Path {room}/mail/
Inbox {room}/mail/inbox

Channel bench
Far :far:Sent
Near :near:Sent
Create Near
Sync Pull
SyncState *
"
    )
}

/// How many messages a case counts as read.
fn counted(case: &Path) -> Option<u64> {
    let manifest = fs::read(case.join("manifest.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    manifest["counts"]["read"].as_u64()
}

/// How many messages a Maildir holds.
fn files(maildir: &Path) -> io::Result<u64> {
    let mut files = 0;
    for folder in ["cur", "new"] {
        files += fs::read_dir(maildir.join(folder))?.count() as u64;
    }
    Ok(files)
}
