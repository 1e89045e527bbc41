//! The commands, one file each: its options, then `run`. `plan` says what a scan reads, `settings`
//! holds what `scan` and `queries` both load, `access` how accounts are got into, `summary` is what a scan says at its
//! end, `backtest` a part of `queries`.

pub mod access;
mod backtest;
pub mod case;
pub mod completions;
pub mod export;
pub mod folders;
mod plan;
pub mod queries;
pub mod scan;
mod settings;
mod summary;

/// The time now, seconds since 1970 UTC: read here and passed on, so that judging never looks at a clock.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
