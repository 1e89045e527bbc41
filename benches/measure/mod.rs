//! One run of one command: how long, how much memory, what it said.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::machine;

/// One run of one tool.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) wall: Duration,
    /// Largest resident memory, in bytes, pages of a mapped file included.
    pub(crate) peak: u64,
    /// What it printed.
    pub(crate) said: String,
    /// How many messages it saw, if it tells.
    pub(crate) messages: Option<u64>,
}

impl Run {
    pub(crate) fn seconds(&self) -> f64 {
        self.wall.as_secs_f64()
    }
}

/// Where a program stands, if it is installed.
pub(crate) fn found(program: &OsStr) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return path.is_file().then(|| path.to_owned());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(path))
        .find(|path| path.is_file())
}

/// Runs a command to its end. An end other than success is an error, with the line that says why: where a program names
/// itself or says `error:`, that one, and else the last.
pub(crate) fn run(command: &mut Command) -> io::Result<Run> {
    if found(command.get_program()).is_none() {
        return Err(io::ErrorKind::NotFound.into());
    }
    // What `cat` writes must cost nothing; all others write a few lines.
    let all = command.get_program() == "cat";
    let (run, ended, why) = if gnu_time() {
        timed(command, all)?
    } else {
        watched(command, all)?
    };
    if !ended.success() {
        let mut lines = why.trim_end().lines();
        let says = |line: &&str| line.starts_with("ccspill: ") || line.starts_with("error: ");
        let line = lines.clone().find(says).or(lines.next_back());
        let line = line.unwrap_or_default();
        return Err(io::Error::other(format!("{ended}: {line}")));
    }
    Ok(run)
}

/// Whether `/usr/bin/time` is the one that tells the kernel's own figure for the largest memory.
pub(crate) fn gnu_time() -> bool {
    static GNU: OnceLock<bool> = OnceLock::new();
    *GNU.get_or_init(|| {
        machine::said("/usr/bin/time", &["--version"]).is_some_and(|text| text.contains("GNU"))
    })
}

/// A run, how it ended, and what it complained of.
type Ended = (Run, ExitStatus, String);

/// Under `/usr/bin/time`, whose own start costs everybody the same millisecond.
fn timed(command: &Command, all: bool) -> io::Result<Ended> {
    let note = tempfile::NamedTempFile::new()?;
    let mut outer = Command::new("/usr/bin/time");
    outer.args(["--quiet", "--format=%M", "--output"]);
    outer.arg(note.path()).arg("--");
    outer.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    outer.stdin(Stdio::null()).stderr(Stdio::piped());
    outer.stdout(if all { Stdio::null() } else { Stdio::piped() });
    let begin = Instant::now();
    let output = outer.spawn()?.wait_with_output()?;
    let wall = begin.elapsed();
    let peak = fs::read_to_string(note.path())?.trim().parse::<u64>();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let run = Run {
        wall,
        peak: peak.unwrap_or(0) * 1024,
        said: text(&output.stdout),
        messages: None,
    };
    Ok((run, output.status, text(&output.stderr)))
}

/// Watched by this program. The kernel's high-water mark only grows, so the last look counts; what a tool takes in its
/// last millisecond may be missed, and what its children take is not seen.
fn watched(command: &mut Command, all: bool) -> io::Result<Ended> {
    let out = if all { Stdio::null() } else { Stdio::piped() };
    command.stdin(Stdio::null()).stdout(out);
    let begin = Instant::now();
    let mut child = command.stderr(Stdio::null()).spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        peak = machine::kib(&text, "VmHWM:").unwrap_or(peak);
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let mut run = Run {
        wall: begin.elapsed(),
        peak: peak * 1024,
        said: String::new(),
        messages: None,
    };
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_string(&mut run.said)?;
    }
    Ok((run, ended, String::new()))
}
