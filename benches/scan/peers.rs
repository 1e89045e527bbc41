//! What is measured: ccspill in its ways, and the tools that stand beside it. What each of them does differs: `cat` only
//! reads, `rg` and `grep` count lines, Python's reader and mboxshell parse heads, mu and notmuch index whole text.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Command;

use crate::machine;
use crate::measure::{self, Run};

/// What Python's own reader needs for the headers of every message.
const PYTHON: &str = "
import mailbox, sys
from email.parser import BytesHeaderParser
box, parser, n = mailbox.mbox(sys.argv[1], create=False), BytesHeaderParser(), 0
for key in box.iterkeys():
    with box.get_file(key) as one:
        head = parser.parse(one)
    n += bool(head['From'] or head['To'] or head['Cc'])
print(n)
";

/// Names mboxshell where it is not on the PATH: it is in no package registry, and is built from
/// <https://github.com/dcarrero/mboxshell>.
const MBOXSHELL: &str = "CCSPILL_MBOXSHELL";

/// One way to go through a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Cat,
    Rg,
    Grep,
    Openssl,
    Python,
    Mboxshell,
    Mu,
    Notmuch,
    Ccspill { jobs: u8, hash: bool },
}

impl Peer {
    /// As a row of a table is headed.
    pub(crate) fn title(self) -> String {
        match self {
            Peer::Cat => "`cat >/dev/null`".into(),
            Peer::Rg => "`rg -j1 --mmap -a -c '^From '`".into(),
            Peer::Grep => "`grep -c '^From '`".into(),
            Peer::Openssl => "`openssl dgst -sha256`".into(),
            Peer::Python => "Python `mailbox`, headers only".into(),
            Peer::Mboxshell => "`mboxshell index --force`".into(),
            Peer::Mu => "`mu index`".into(),
            Peer::Notmuch => "`notmuch new`".into(),
            Peer::Ccspill { jobs, hash: false } => {
                format!("`ccspill scan --jobs {jobs} --no-source-hash`")
            }
            Peer::Ccspill { jobs, hash: true } => format!("`ccspill scan --jobs {jobs}`"),
        }
    }

    /// What to type where it is missing.
    pub(crate) fn mend(self) -> &'static str {
        match self {
            Peer::Cat => "apt install coreutils",
            Peer::Rg => "apt install ripgrep",
            Peer::Grep => "apt install grep",
            Peer::Openssl => "apt install openssl",
            Peer::Python => "apt install python3",
            Peer::Mu => "apt install maildir-utils",
            Peer::Notmuch => "apt install notmuch",
            Peer::Mboxshell => {
                "build github.com/dcarrero/mboxshell and name it in CCSPILL_MBOXSHELL"
            }
            Peer::Ccspill { .. } => "cargo build",
        }
    }

    fn program(self) -> OsString {
        match self {
            Peer::Cat => "cat".into(),
            Peer::Rg => "rg".into(),
            Peer::Grep => "grep".into(),
            Peer::Openssl => "openssl".into(),
            Peer::Python => "python3".into(),
            Peer::Mu => "mu".into(),
            Peer::Notmuch => "notmuch".into(),
            Peer::Mboxshell => std::env::var_os(MBOXSHELL).unwrap_or_else(|| "mboxshell".into()),
            Peer::Ccspill { .. } => env!("CARGO_BIN_EXE_ccspill").into(),
        }
    }

    /// `ripgrep 14.1.0`, or what is missing and how to get it.
    pub(crate) fn version(self) -> String {
        let program = self.program();
        if measure::found(&program).is_none() {
            return format!("no {} ({})", program.display(), self.mend());
        }
        let ask = if self == Peer::Openssl {
            "version"
        } else {
            "--version"
        };
        let text = machine::said(&program.to_string_lossy(), &[ask]).unwrap_or_default();
        // `grep (GNU grep) 3.8`, `mu (mail indexer/searcher) version 1.8.13`, `OpenSSL 3.0.19 27 Jan 2026 …`.
        let name = text.split_whitespace().next().unwrap_or_default();
        let number = text
            .split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
        format!("{name} {}", number.unwrap_or("of unknown version"))
    }

    /// Goes through `store` once, from the beginning: what an index or a case needs stands in `room`, an empty folder.
    pub(crate) fn go(self, store: &Path, room: &Path) -> io::Result<Run> {
        let mut command = Command::new(self.program());
        match self {
            Peer::Cat => command.arg(store),
            Peer::Rg => command
                .args(["--no-config", "-j1", "--mmap", "-a", "-c", "^From "])
                .arg(store),
            Peer::Grep => command.args(["-c", "^From "]).arg(store),
            Peer::Openssl => command.args(["dgst", "-sha256"]).arg(store),
            Peer::Python => command.args(["-c", PYTHON]).arg(store),
            Peer::Mboxshell => {
                let copy = room.join("store.mbox");
                with_weekdays(store, &copy)?;
                command.env("XDG_CACHE_HOME", room);
                command.args(["index", "--force"]).arg(copy)
            }
            Peer::Mu => {
                let home = mu_home(room);
                let mut init = Command::new("mu");
                init.arg("init").arg(&home);
                let mut maildir = OsString::from("--maildir=");
                maildir.push(store);
                measure::run(init.arg(maildir))?;
                command.arg("index").arg(home)
            }
            Peer::Notmuch => {
                let config = room.join("config");
                let text = format!(
                    "[database]\npath={}\nmail_root={}\n[user]\nname=Robin\nprimary_email=robin@force.example\n",
                    room.display(),
                    store.display()
                );
                fs::write(&config, text)?;
                command.arg("new").env("NOTMUCH_CONFIG", config)
            }
            Peer::Ccspill { jobs, hash } => {
                command.args(["scan", "--org", "force.example", "--progress", "never"]);
                command.args(["--jobs", &jobs.to_string()]);
                command.arg("--case").arg(room.join("case"));
                if !hash {
                    command.arg("--no-source-hash");
                }
                command.arg(store)
            }
        };
        let mut run = measure::run(&mut command)?;
        let first = || run.said.lines().next()?.trim().parse().ok();
        run.messages = match self {
            Peer::Ccspill { .. } => read(&room.join("case")),
            Peer::Rg | Peer::Grep | Peer::Python => first(),
            Peer::Mboxshell => run.said.lines().find_map(|line| {
                let number = line.trim().strip_prefix("Messages")?;
                number.trim().parse().ok()
            }),
            _ => None,
        };
        Ok(run)
    }
}

/// Copies an mbox with a week day in each separator: mboxshell takes no line for one that has none. Nor would it do to
/// let it write its index beside somebody's file.
fn with_weekdays(file: &Path, copy: &Path) -> io::Result<()> {
    const BORDER: &[u8] = b"From robin.ashdown@force.example ";
    let mut lines = BufReader::with_capacity(1 << 20, File::open(file)?);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(copy)?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        match line.strip_prefix(BORDER) {
            Some(date) => {
                out.write_all(BORDER)?;
                out.write_all(b"Mon ")?;
                out.write_all(date)?;
            }
            _ => out.write_all(&line)?,
        }
        line.clear();
    }
    out.into_inner()?.sync_all()
}

fn mu_home(room: &Path) -> OsString {
    let mut home = OsString::from("--muhome=");
    home.push(room);
    home
}

/// How many messages a case counts as read.
fn read(case: &Path) -> Option<u64> {
    let manifest = fs::read(case.join("manifest.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    manifest["counts"]["read"].as_u64()
}
