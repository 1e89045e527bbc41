//! What every test is made of: invented people, their mail, the stores that hold it, a run of the program, its case.
//!
//! `Mailbox::ordinary(40).mail(westminster).mbox()` is a file on disk that lives as long as the value;
//! `Run::scan(&store).org(FORCE).ok()` is the case that a scan of it wrote. Nothing here is real: names are made up
//! and every domain ends in `.example` or `.test`.

mod case;
mod dovecot;
pub(crate) mod faulty;
mod folk;
mod gate;
mod golden;
mod imap;
mod labelled;
mod letter;
mod life;
mod mail;
mod people;
mod query;
mod run;
mod store;

pub(crate) use case::{Case, EXPORTS, Row, column};
pub(crate) use dovecot::{Authority, Dovecot, Format, Setup, dovecot, utf7};
pub(crate) use folk::{Dice, Folk};
pub(crate) use gate::Gate;
pub(crate) use golden::golden;
pub(crate) use imap::{PASSWORD, Wire, plainly, refused};
pub(crate) use labelled::Labelled;
pub(crate) use letter::mboxes;
pub(crate) use life::{Plan, SORTS, live};
pub(crate) use mail::{Eol, Mail, Mailbox, Quoting, victims, westminster};
pub(crate) use people::{Person, numbers, people};
pub(crate) use query::query;
pub(crate) use run::{Output, Run};
pub(crate) use store::{Store, gzip, tar, zip, zstd};

/// The organisation that sends the mail of most tests.
pub(crate) const FORCE: &str = "force.example";

/// Tells the reader of a test run a figure; unlike `println!` it is not held back where the test passes.
pub(crate) fn tell(text: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr(), "{text}"));
}
