//! Asks a command for a password or a token: the first line that it prints.
//!
//! It runs in the system's shell, gets no input and has a time to answer in. It may leave a process behind that keeps
//! its output open (an agent): then its first line still counts. Its output is never shown, the first line of its
//! errors is.

use super::secret::{Secret, heard};
use crate::source::plain;
use anyhow::{Result, anyhow, bail};
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

/// How long a command may take: it may have to ask another machine.
pub(super) const TIME: Duration = Duration::from_secs(60);
/// Longest line that is read.
const LONGEST: u64 = 64 << 10;
/// How long is waited for the output of a command that has ended.
const AFTER: Duration = Duration::from_millis(200);

/// The first line that a command prints, without its end. `what` is its name for people: `token command`. It finds the
/// mailbox's user in `CCSPILL_USER`.
///
/// # Errors
/// Where it cannot run, fails, takes longer than `time` or prints nothing.
pub(super) fn first_line(what: &str, text: &Secret, user: &str, time: Duration) -> Result<Secret> {
    let deadline = Instant::now() + time;
    let option = what.replace(' ', "-");
    let mut running = Running(
        shell(text.reveal())
            .env("CCSPILL_USER", user)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|why| cannot_run(what, &why))?,
    );
    let output = listen(running.0.stdout.take()).map_err(|why| cannot_run(what, &why))?;
    let errors = listen(running.0.stderr.take()).map_err(|why| cannot_run(what, &why))?;
    let Some(status) = running
        .wait(deadline)
        .map_err(|why| cannot_run(what, &why))?
    else {
        bail!(
            "the {what} did not end within {} seconds\n  try: run by hand what --{option} names; it gets no input, so it must not ask",
            time.as_secs_f32()
        );
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let line = output.recv_timeout(left.max(AFTER)).unwrap_or_default();
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !status.success() {
        let said = errors.recv_timeout(AFTER).unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let said = heard(&String::from_utf8_lossy(&said), &[&line]);
        let colon = if said.is_empty() { "" } else { ": " };
        bail!(
            "the {what} {}{colon}{said}\n  try: run by hand what --{option} names, with CCSPILL_USER set to the mailbox's user",
            ending(status)
        );
    }
    if line.is_empty() {
        bail!(
            "the {what} printed nothing in its first line\n  try: run by hand what --{option} names"
        );
    }
    if line.len() as u64 >= LONGEST {
        bail!("the first line of the {what} is too long\n  try: run by hand what --{option} names");
    }
    match std::str::from_utf8(line) {
        Ok(line) => Ok(Secret::new(line.to_owned())),
        Err(_) => bail!("the {what} did not print UTF-8\n  try: run by hand what --{option} names"),
    }
}

fn cannot_run(what: &str, why: &io::Error) -> anyhow::Error {
    anyhow!(
        "cannot run the {what}: {}\n  try: check that the system's shell works",
        plain(why)
    )
}

#[cfg(not(windows))]
fn shell(text: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(text);
    command
}

/// With /S only the outer quotes are taken off, so `text` reaches the shell as it was typed.
#[cfg(windows)]
fn shell(text: &str) -> Command {
    use std::os::windows::process::CommandExt;
    let mut command = Command::new("cmd");
    command.raw_arg(format!("/S /C \"{text}\""));
    command
}

/// A command that is ended when nobody waits for it any more.
struct Running(Child);

impl Running {
    /// How it ended; `None` where it has not by the deadline.
    fn wait(&mut self, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(status));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// Reads a stream in a thread of its own, which may outlive the command, and tells its first line.
fn listen(stream: Option<impl Read + Send + 'static>) -> io::Result<Receiver<Vec<u8>>> {
    let (tell, told) = sync_channel(1);
    let Some(stream) = stream else {
        return Ok(told);
    };
    Builder::new()
        .name("command output".into())
        .spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            let _ = stream.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            let _ = tell.send(line);
            // The rest is taken in too: a closed pipe would end the command with an error.
            let _ = io::copy(&mut stream, &mut io::sink());
        })?;
    Ok(told)
}

fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with status {code}"),
        None => "was ended by a signal".into(),
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test may stop where it stands")]
mod tests {
    use super::{Secret, TIME, first_line};
    use std::time::{Duration, Instant};

    fn ask(text: &str) -> anyhow::Result<Secret> {
        first_line(
            "password command",
            &Secret::new(text.into()),
            "ann@x.example",
            TIME,
        )
    }

    fn line(text: &str) -> String {
        ask(text).unwrap().reveal().to_owned()
    }

    fn refused(text: &str) -> String {
        ask(text).unwrap_err().to_string()
    }

    #[test]
    fn the_first_line_counts_without_its_end() {
        assert_eq!(line("echo one; echo two"), "one");
        assert_eq!(line("printf 'one\\r\\ntwo'"), "one");
        assert_eq!(line("printf ' päss wörd '"), " päss wörd ");
        assert_eq!(line("echo \"$CCSPILL_USER\""), "ann@x.example");
        assert_eq!(line("echo warning >&2; echo one"), "one");
        // More than a pipe holds, and no input.
        assert_eq!(line("echo one; head -c 1000000 /dev/zero; cat"), "one");
    }

    #[test]
    fn a_process_left_behind_does_not_hold_it_up() {
        let began = Instant::now();
        assert_eq!(line("sleep 20 & echo one"), "one");
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_failure_says_the_status_and_the_first_line_of_its_errors() {
        assert_eq!(
            refused("echo s3cret; printf 'no\\033 such s3cret entry\\nmore\\n' >&2; exit 3"),
            "the password command ended with status 3: no such … entry\n  try: run by hand what --password-command names, with CCSPILL_USER set to the mailbox's user"
        );
        assert!(refused("exit 1").starts_with("the password command ended with status 1\n"));
        assert!(refused("kill -9 $$").starts_with("the password command was ended by a signal\n"));
        assert!(refused("ccspill-no-such-thing").contains("ended with status 127: "));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        assert!(refused("true").contains("printed nothing"));
        assert!(refused("echo; echo two").contains("printed nothing"));
        assert!(refused("printf '\\377\\n'").contains("did not print UTF-8"));
        assert!(refused("head -c 70000 /dev/zero | tr '\\0' x").contains("too long"));
        assert!(refused("echo one\0").starts_with("cannot run the password command: "));
    }

    #[test]
    fn a_slow_command_is_ended() {
        let began = Instant::now();
        let why = first_line(
            "token command",
            &Secret::new("echo one; sleep 20".into()),
            "ann",
            Duration::from_millis(200),
        );
        let why = why.unwrap_err().to_string();
        assert!(
            why.starts_with("the token command did not end within 0.2 seconds\n"),
            "{why}"
        );
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
