//! One run of the program, in a folder of its own.

use super::Case;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::rc::Rc;
use tempfile::TempDir;

/// A command line that is being put together.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    home: Rc<TempDir>,
    case: Option<PathBuf>,
    stdin: Option<Vec<u8>>,
}

/// What a run said, and how it ended.
#[derive(Debug)]
pub(crate) struct Output {
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// Exit status; 128 + the signal where one ended it.
    pub(crate) status: i32,
}

impl Run {
    /// `ccspill` with these arguments, in an empty folder.
    pub(crate) fn new<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        let home = tempfile::Builder::new()
            .prefix("ccspill-run-")
            .tempdir()
            .expect("a folder for a run");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccspill"));
        command
            .args(args)
            .current_dir(home.path())
            .stdin(Stdio::null())
            .env("TZ", "UTC");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CCSPILL") {
                command.env_remove(name);
            }
        }
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(name);
        }
        Run {
            command,
            home: Rc::new(home),
            case: None,
            stdin: None,
        }
    }
    /// `ccspill scan SOURCE`, with a case in the run's own folder.
    pub(crate) fn scan(source: impl AsRef<OsStr>) -> Self {
        let mut run = Run::new(["scan"]).arg(source);
        let case = run.home.path().join("case");
        run.command.arg("--case").arg(&case);
        run.case = Some(case);
        run
    }
    /// A scan of all of these.
    pub(crate) fn scan_all<S: AsRef<OsStr>>(sources: impl IntoIterator<Item = S>) -> Self {
        let mut sources = sources.into_iter();
        let first = sources.next().expect("a source");
        sources.fold(Run::scan(first), Run::arg)
    }
    /// The same scan, adding to a case that stands already.
    pub(crate) fn onto(mut self, case: &Case) -> Self {
        let args: Vec<OsString> = self.command.get_args().map(OsStr::to_owned).collect();
        let old = self.case.take().expect("a scan").into_os_string();
        let mut command = Command::new(self.command.get_program());
        command.args(
            args.into_iter()
                .map(|a| if a == old { case.path().into() } else { a }),
        );
        let (home, folder) = (case.home(), self.command.get_current_dir().expect("set"));
        let own = folder == self.home.path();
        command
            .current_dir(if own { home.path() } else { folder })
            .stdin(Stdio::null());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.home = home;
        Run {
            command,
            case: Some(case.path().to_owned()),
            ..self
        }
    }
    /// `--org DOMAIN`.
    pub(crate) fn org(self, domain: &str) -> Self {
        self.arg("--org").arg(domain)
    }
    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }
    /// An environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }
    /// Started in this folder, so that a test can name files without their place.
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }
    /// These bytes on standard input.
    pub(crate) fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Some(bytes);
        self
    }
    /// The same command line after a line of shell, such as `umask 000`.
    pub(crate) fn after(mut self, shell: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{shell}; exec \"$0\" \"$@\""))
            .arg(self.command.get_program());
        command
            .args(self.command.get_args())
            .current_dir(self.command.get_current_dir().expect("set"));
        command.stdin(Stdio::null());
        self.command = command;
        self
    }
    /// The folder in which it runs unless [`Run::within`] says otherwise.
    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }
    /// Where the case is, or will be.
    pub(crate) fn case_path(&self) -> &Path {
        self.case.as_deref().expect("a scan")
    }

    /// Starts it and returns at once.
    pub(crate) fn start(mut self) -> (Child, Rc<TempDir>) {
        let child = self
            .command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        (child, self.home)
    }
    /// Runs it to its end.
    pub(crate) fn output(mut self) -> Output {
        let piped = if self.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let mut child = self
            .command
            .stdin(piped)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (pipe, bytes) = (child.stdin.take(), self.stdin.take());
        let writer = std::thread::spawn(move || {
            if let (Some(mut pipe), Some(bytes)) = (pipe, bytes) {
                drop(pipe.write_all(&bytes));
            }
        });
        let done = child.wait_with_output().expect("the program ends");
        writer.join().expect("a writer");
        Output {
            stdout: String::from_utf8(done.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(done.stderr).expect("standard error is UTF-8"),
            status: code(done.status),
        }
    }
    /// Runs it; it must end with this status and leave a case.
    pub(crate) fn exits(self, status: i32) -> Case {
        let (home, path) = (Rc::clone(&self.home), self.case_path().to_owned());
        let output = self.output();
        output.must_exit(status);
        Case::new(home, path, output)
    }
    /// Runs it; it must end well (0) and leave a case.
    pub(crate) fn ok(self) -> Case {
        self.exits(0)
    }
    /// Runs it; it must be refused (2), in words.
    pub(crate) fn refused(self) -> Output {
        let output = self.output();
        output.must_exit(2);
        assert!(
            output.stderr.starts_with("ccspill: "),
            "not `ccspill: …`: {}",
            output.stderr
        );
        output
    }
}

impl Output {
    /// Fails the test where the program ended otherwise, or panicked.
    pub(crate) fn must_exit(&self, status: i32) {
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert_eq!(
            self.status, status,
            "exit status; it said:\n{}{}",
            self.stdout, self.stderr
        );
    }
    /// Both streams, for tests that ask only whether something is said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The exit status as a shell shows it.
fn code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(-1)
}
