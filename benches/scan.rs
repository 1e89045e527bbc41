//! How fast a scan is, and how much memory it takes, beside tools that only look for `From ` in the same file, in the same
//! run: machines differ and are shared, so only the ratios of one run mean something.
//!
//! `cargo bench --bench scan` measures a file of 250 MB that it makes; `-- FILE` an existing one; `-- 1GB` (or `A`, `B`)
//! one that it makes; `-- growth` whether memory grows with the size of the file.

#![expect(clippy::print_stdout, reason = "a bench tells what it measured")]

mod invented;

use invented::{named, write};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

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

/// One run of one tool.
struct Run {
    wall: Duration,
    /// Largest resident memory, in KiB, as the kernel last told it.
    peak: u64,
    /// The first number that the tool printed, or that a case counts as read.
    messages: Option<u64>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let result = match args.as_slice() {
        [] => made("250MB").and_then(|(_home, file)| table(&file)),
        [word] if word == "growth" => growth(),
        [name] if named(name).is_some() => made(name).and_then(|(_home, file)| table(&file)),
        [file] => table(Path::new(file)),
        _ => Err(io::Error::other(
            "usage: cargo bench --bench scan -- [FILE|A|B|1GB|growth]",
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::from(2)
        }
    }
}

/// A file of this name from the generator, in a folder that is gone when the first value is.
fn made(name: &str) -> io::Result<(tempfile::TempDir, PathBuf)> {
    let home = tempfile::tempdir()?;
    let file = home.path().join(format!("{name}.mbox"));
    let (kind, until) = named(name).ok_or(io::ErrorKind::InvalidInput)?;
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&file)?);
    write(kind, until, &mut out)?;
    out.flush()?;
    Ok((home, file))
}

fn table(file: &Path) -> io::Result<()> {
    let bytes = fs::metadata(file)?.len();
    let tool = |name: &str, args: &[&str]| {
        let mut command = Command::new(name);
        command.args(args).arg(file);
        command
    };
    println!("{}: {} MB\n", file.display(), bytes / 1_000_000);
    println!(
        "{:<42} {:>8} {:>8} {:>10} {:>8} {:>8}",
        "", "seconds", "MB/s", "messages/s", "peak MiB", "of grep"
    );
    let mut grep = None;
    let others: [(&str, Command, usize); 4] = [
        ("cat >/dev/null", tool("cat", &[]), 3),
        ("grep -c '^From '", tool("grep", &["-c", "^From "]), 3),
        ("rg -a -c '^From '", tool("rg", &["-a", "-c", "^From "]), 3),
        (
            "Python mailbox, headers only",
            tool("python3", &["-c", PYTHON]),
            1,
        ),
    ];
    for (name, mut command, times) in others {
        match best(times, || measure(&mut command)) {
            Ok(run) => {
                if name.starts_with("grep") {
                    grep = Some(run.wall);
                }
                row(name, &run, bytes, grep);
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                println!("{name:<42} not installed")
            }
            Err(why) => println!("{name:<42} {why}"),
        }
    }
    for (jobs, hash) in [("1", false), ("2", false), ("1", true), ("2", true)] {
        let name = format!(
            "ccspill scan --jobs {jobs}{}",
            if hash { "" } else { " --no-source-hash" }
        );
        row(&name, &best(3, || scan(file, jobs, hash))?, bytes, grep);
    }
    Ok(())
}

/// Memory must follow the facts of a mailbox and not its bytes.
fn growth() -> io::Result<()> {
    println!(
        "{:<42} {:>8} {:>8} {:>10} {:>8}",
        "", "seconds", "MB/s", "messages/s", "peak MiB"
    );
    for name in ["50MB", "200MB", "800MB", "B"] {
        let (_home, file) = made(name)?;
        let run = scan(&file, "2", false)?;
        row(
            &format!("{name}, ccspill scan --jobs 2"),
            &run,
            fs::metadata(&file)?.len(),
            None,
        );
    }
    Ok(())
}

fn row(name: &str, run: &Run, bytes: u64, grep: Option<Duration>) {
    let seconds = run.wall.as_secs_f64();
    let rate = run
        .messages
        .map_or_else(String::new, |n| format!("{:.0}", n as f64 / seconds));
    let ratio = grep.map_or_else(String::new, |grep| {
        format!("{:.2}", seconds / grep.as_secs_f64())
    });
    let speed = bytes as f64 / 1e6 / seconds;
    println!(
        "{name:<42} {seconds:>8.2} {speed:>8.0} {rate:>10} {:>8.0} {ratio:>8}",
        run.peak as f64 / 1024.0
    );
}

fn best(times: usize, mut run: impl FnMut() -> io::Result<Run>) -> io::Result<Run> {
    let mut fastest = run()?;
    for _ in 1..times {
        let again = run()?;
        if again.wall < fastest.wall {
            fastest = Run {
                peak: again.peak.max(fastest.peak),
                ..again
            };
        }
    }
    Ok(fastest)
}

/// A scan into a new case.
fn scan(file: &Path, jobs: &str, hash: bool) -> io::Result<Run> {
    let home = tempfile::tempdir()?;
    let case = home.path().join("case");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccspill"));
    command.args([
        "scan",
        "--org",
        "force.example",
        "--progress",
        "never",
        "--jobs",
        jobs,
        "--case",
    ]);
    command.arg(&case).arg(file);
    if !hash {
        command.arg("--no-source-hash");
    }
    let run = measure(&mut command)?;
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(case.join("manifest.json"))?)?;
    Ok(Run {
        messages: manifest["counts"]["read"].as_u64(),
        ..run
    })
}

/// Runs a command to its end and watches its memory. The kernel's high-water mark only grows, so the last look counts;
/// what a tool takes in its last millisecond may be missed.
fn measure(command: &mut Command) -> io::Result<Run> {
    let begin = Instant::now();
    let to_null = command.get_program() == "cat";
    let out = if to_null {
        Stdio::null()
    } else {
        Stdio::piped()
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::null())
        .spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    let ended = loop {
        peak = high_water(&status).unwrap_or(peak);
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let wall = begin.elapsed();
    if !ended.success() {
        return Err(io::Error::other(format!("ended with {ended}")));
    }
    let mut said = String::new();
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_string(&mut said)?;
    }
    Ok(Run {
        wall,
        peak,
        messages: said.trim().parse().ok(),
    })
}

fn high_water(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
