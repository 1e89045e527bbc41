//! A run of the program that is killed where it hangs, and whose memory is looked at while it runs.

use super::super::{Case, FORCE, Output};
use super::{PASSWORD, Server};
use std::ffi::OsStr;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a run may take; far more than any needs.
const LIMIT: Duration = Duration::from_secs(60);
/// How many rows of a table run at once: most of them wait.
const AT_ONCE: usize = 6;

/// A command line against a server.
#[derive(Debug)]
pub(crate) struct Watch {
    command: Command,
    home: Rc<TempDir>,
    case: PathBuf,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What it said, and its exit status.
    pub(crate) output: Output,
    /// The most memory that it held, in MB; 0 where the system does not tell.
    pub(crate) peak: u64,
    home: Rc<TempDir>,
    case: PathBuf,
    killed: bool,
}

impl Watch {
    /// `ccspill scan` of the server's mailbox into a case of its own.
    pub(crate) fn scan(server: &Server) -> Self {
        let run = Watch::new("scan", &server.url()).arg("--insecure-plaintext");
        let case = run.case.clone();
        run.args(["--org", FORCE, "--timeout", "2", "--case"])
            .arg(case)
    }
    /// The same scan, adding to a case that stands already.
    pub(crate) fn scan_onto(server: &Server, case: &Case) -> Self {
        let run = Watch::new("scan", &server.url()).arg("--insecure-plaintext");
        let mut run = run
            .args(["--org", FORCE, "--timeout", "2", "--case"])
            .arg(case.path());
        run.command.current_dir(case.home().path());
        Watch {
            home: case.home(),
            case: case.path().to_owned(),
            ..run
        }
    }
    /// `ccspill folders` of the server's mailbox.
    pub(crate) fn folders(server: &Server) -> Self {
        Watch::new("folders", &server.url()).args(["--insecure-plaintext", "--timeout", "2"])
    }
    /// A command on a URL, in an empty folder, with the password in its environment.
    pub(crate) fn new(command: &str, url: &str) -> Self {
        let home = tempfile::Builder::new()
            .prefix("ccspill-run-")
            .tempdir()
            .expect("a folder for a run");
        let mut program = Command::new(env!("CARGO_BIN_EXE_ccspill"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CCSPILL") {
                program.env_remove(name);
            }
        }
        program
            .args([command, url])
            .current_dir(home.path())
            .env("TZ", "UTC")
            .env("CCSPILL_PASSWORD", PASSWORD)
            .stdin(Stdio::null());
        Watch {
            command: program,
            case: home.path().join("case"),
            home: Rc::new(home),
        }
    }
    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }
    /// Several.
    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Watch::arg)
    }
    /// An environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }
    /// A file in the folder of the run.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.home.path().join(name), text).expect("a file for a run");
        self
    }
    /// Runs it to its end, or to the limit.
    pub(crate) fn run(self) -> Ended {
        self.interrupted_when(&|| false)
    }
    /// Runs it, and presses Ctrl-C when this is so.
    pub(crate) fn interrupted_when(self, ready: &dyn Fn() -> bool) -> Ended {
        self.signalled_when("-INT", ready)
    }
    /// Runs it, and kills it when this is so.
    pub(crate) fn killed_when(self, ready: &dyn Fn() -> bool) -> Ended {
        self.signalled_when("-KILL", ready)
    }
    fn signalled_when(mut self, signal: &str, ready: &dyn Fn() -> bool) -> Ended {
        let start = Instant::now();
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
        let (mut peak, mut killed, mut pressed) = (0, false, false);
        let status = loop {
            peak = peak.max(memory(&child));
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            if !pressed && ready() {
                pressed = true;
                let pid = child.id().to_string();
                drop(Command::new("kill").args([signal, &pid]).status());
            }
            if start.elapsed() > LIMIT {
                killed = true;
                drop(child.kill());
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        Ended {
            output: Output {
                stdout: text(out),
                stderr: text(err),
                status: status.code().unwrap_or(-1),
            },
            peak,
            home: self.home,
            case: self.case,
            killed,
        }
    }
}

impl Ended {
    /// Fails the test where it hung, panicked, ended otherwise, told a secret or sent control characters.
    #[track_caller]
    pub(crate) fn must_exit(&self, status: i32) {
        let said = self.output.said();
        assert!(!self.killed, "it hung for {LIMIT:?}; it said:\n{said}");
        self.output.must_exit(status);
        for secret in secrets().into_iter().chain(["very-secret".to_owned()]) {
            assert!(!said.contains(&secret), "a secret is told:\n{said}");
        }
        assert!(
            !said.chars().any(|c| c.is_control() && c != '\n'),
            "a control character on the terminal: {said:?}"
        );
    }
    /// A file that it left in the folder of the run.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join(name)).unwrap_or_default()
    }
    /// The case that it wrote, after ending with this status.
    #[track_caller]
    pub(crate) fn case(self, status: i32) -> Case {
        self.must_exit(status);
        Case::new(self.home, self.case, self.output)
    }
    /// What it said when it could not run: the reason and the mend, and no case.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        self.must_exit(2);
        let said = self.output.stderr;
        assert!(said.starts_with("ccspill: "), "not `ccspill: …`:\n{said}");
        assert!(said.contains("\n  try: "), "there is no mend:\n{said}");
        assert!(
            !self.case.join("messages.csv").exists(),
            "a run that could not run wrote tables"
        );
        said
    }
}

/// The password as it is and as SASL carries it.
fn secrets() -> Vec<String> {
    let sasl = ["u", "scanner"].map(|user| super::login::encoded(&format!("\0{user}\0{PASSWORD}")));
    let delegate = super::login::encoded(&format!("u\0scanner\0{PASSWORD}"));
    let quoted = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
    [PASSWORD.to_owned(), quoted, delegate]
        .into_iter()
        .chain(sasl)
        .collect()
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            drop(pipe.read_to_end(&mut bytes));
        }
        bytes
    })
}

fn text(pipe: JoinHandle<Vec<u8>>) -> String {
    String::from_utf8(pipe.join().expect("a reader")).expect("what it says is UTF-8")
}

/// The most that the child held so far, in MB.
fn memory(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    // Until it is the program, it is this test run by another name, and shows what all its tests hold.
    let program = |line: &str| line.starts_with("Name:") && line.ends_with("ccspill");
    if !status.lines().any(program) {
        return 0;
    }
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    number.unwrap_or(0) / 1024
}

/// Plays the rows of a table, several at once, and names all that failed.
pub(crate) fn side_by_side<T: Send>(
    rows: impl IntoIterator<Item = (&'static str, T), IntoIter: Send>,
    play: impl Fn(T) + Sync,
) {
    let (rows, failed) = (Mutex::new(rows.into_iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = rows.lock().unwrap().next();
                    let Some((name, row)) = next else { break };
                    if let Err(why) = catch_unwind(AssertUnwindSafe(|| play(row))) {
                        let why = why
                            .downcast_ref::<String>()
                            .map(String::as_str)
                            .or_else(|| why.downcast_ref::<&str>().copied());
                        let why = why.unwrap_or("it panicked");
                        failed.lock().unwrap().push(format!("{name}: {why}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "\n== {}\n", failed.join("\n\n== "));
}
