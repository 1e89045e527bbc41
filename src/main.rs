//! The program `ccspill`: parse, run, exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    match ccspill::run(std::env::args_os()) {
        Ok(status) => status.into(),
        Err(error) => {
            ccspill::terminal::complain(&error);
            ccspill::cli::ExitStatus::CannotRun.into()
        }
    }
}
