//! Threads and channels: `read` reads sources with many workers into a case, `judge` judges what a case holds. Nothing else
//! knows threads.

pub mod judge;
pub mod read;
