//! Threads and channels: `read` reads sources with many workers into a case, `judge` judges what a case holds. Nothing else
//! knows threads but what unpacks ahead of it (`source/ahead.rs`, `source/in_order.rs`).

pub mod judge;
pub mod read;

/// Runs `aside` in a thread of its own while `here` runs in this one.
pub fn beside<A: Send, B>(aside: impl FnOnce() -> A + Send, here: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let aside = scope.spawn(aside);
        let here = here();
        match aside.join() {
            Ok(aside) => (aside, here),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Does all jobs side by side, and `here` in this thread meanwhile; the results stand in the order of the jobs.
pub fn aside<R: Send>(jobs: &[Box<dyn Fn() -> R + Sync + '_>], here: &mut dyn FnMut()) -> Vec<R> {
    beside(|| read::side_by_side(jobs, |job| job()), here).0
}
