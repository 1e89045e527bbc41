//! Threads and channels: `read` reads sources with many workers into a case, `judge` judges what a case holds. Nothing else
//! knows threads.

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
