//! What a table must say of where it was measured: day, processor, cores, memory, compiler. And how it is printed.

use std::fs;
use std::process::Command;

/// One line: `25 November 2026, AMD EPYC, 2 cores, 24 GiB; rustc 1.95.0`, then what else is named.
pub(crate) fn line(tools: &[String]) -> String {
    let day = jiff::Timestamp::now().strftime("%-d %B %Y");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all = vec![
        said("rustc", &["--version"])
            .map_or_else(|| "rustc unknown".to_owned(), |text| words(&text, 2)),
    ];
    all.extend(tools.iter().cloned());
    format!(
        "{day}, {}, {cores} {}, {} GiB; {}.",
        processor(),
        if cores == 1 { "core" } else { "cores" },
        (memory() + (1 << 19)) >> 20,
        all.join(", ")
    )
}

/// The first words of a text.
fn words(text: &str, many: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().take(many).collect();
    words.join(" ")
}

/// The first line that a command prints; `None` where it cannot be run.
pub(crate) fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(str::to_owned)
}

fn processor() -> String {
    let linux = || {
        let text = fs::read_to_string("/proc/cpuinfo").ok()?;
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    linux()
        .or_else(|| said("sysctl", &["-n", "machdep.cpu.brand_string"]))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// KiB of memory; 0 where it is not told.
fn memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    kib(&text, "MemTotal:").unwrap_or(0)
}

/// The number of KiB on the line of a file under `/proc` that begins with `name`.
pub(crate) fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// A Markdown table, its columns aligned for those who read it as text.
pub(crate) fn markdown(head: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .chain([&head.to_vec()])
            .filter_map(|row| row.get(column).map(|cell| cell.chars().count()))
            .max();
        cells.unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let row = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| {
            if column == 0 {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(column, width)| {
            if column == 0 {
                "-".repeat(*width)
            } else {
                format!("{}:", "-".repeat(width - 1))
            }
        })
        .collect();
    let mut out = row(head) + &row(&rule);
    rows.iter().for_each(|cells| out += &row(cells));
    out
}

/// The middle one; of an even number the upper of the two in the middle.
pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
