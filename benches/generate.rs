//! Makes the large mbox files that figures are measured on, for whoever wants to look at them or measure by hand:
//! `cargo bench --bench generate -- A /tmp/a.mbox`, `-- B /tmp/b.mbox`, `-- 1GB /tmp/1gb.mbox`, `-- 10M /tmp/notes.mbox`.

#![expect(clippy::print_stdout, reason = "a bench tells what it did")]

mod invented;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Cargo adds `--bench`; `size` may be written before a size.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench" && arg != "size")
        .collect();
    match args.as_slice() {
        [] => println!("nothing to do; see the first lines of benches/generate.rs"),
        [name, path] if invented::is_named(name) => match invented::make(name, Path::new(path)) {
            Ok(done) => println!(
                "{path}: {} mails, {} MB, headers {:.1} %",
                done.mails,
                done.bytes / 1_000_000,
                100.0 * done.heads as f64 / done.bytes as f64
            ),
            Err(why) => {
                println!("{path}: {why}");
                return ExitCode::from(2);
            }
        },
        _ => {
            println!("usage: cargo bench --bench generate -- A|B|1GB|10M FILE");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
