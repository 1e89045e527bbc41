//! What one mail says: its head, its recipients, its text, its key.
//!
//! A [`Message`] borrows the bytes of one mail as stored and answers questions about them; it never fails on
//! malformed mail, it says less. It knows no file, folder, query or clock.
//! It is not a general MIME library: bodies are read by `mail-parser`, and only for the few messages that
//! judgement needs.

pub mod address;
pub mod header;
pub mod key;
pub mod mime;
pub mod recipients;
pub mod text;

pub use address::Address;
pub use key::Key;
pub use mime::Body;
pub use recipients::{Field, Recipient};
