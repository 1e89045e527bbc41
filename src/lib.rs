//! ccspill finds sent mail whose visible recipient list showed people of a sensitive group to one another.

pub mod message;
pub mod source;
