//! ccspill finds sent mail whose visible recipient list (To and Cc, where Bcc or separate messages were due) showed
//! people of a sensitive group to one another, and lists everyone who was exposed.
//!
//! # The flow
//!
//! `Source → Message → Facts → (History) → Signal* → Exposure → Case → Export`
//!
//! 1. **Read.** A [`source`] hands out units of work; workers read them side by side ([`pipeline`]).
//! 2. **Facts.** Each [`message`] becomes a line for [`history`] and, where two or more people are visible in it, a
//!    candidate: its recipients and the phrases that [`query`] found ([`facts`]).
//! 3. **Keep.** One thread owns `case.db` ([`case`]). It keeps lines (keyed digests, no names) and candidates, unit by
//!    unit, so that a scan that was cut off goes on where it stopped.
//! 4. **Judge.** When all is read, every candidate is judged ([`judgement`]): each message on itself and on what its
//!    mailbox knew before it ([`signal`], [`exposure`]). Then every line is gone through once more for what it says of the
//!    findings: who hid the same list, recalled it, was sorry, answered, was not reached. That raises confidence, makes
//!    incidents with their timelines, and circles of the same people.
//! 5. **Export.** The files of a case are made from `case.db` alone ([`export`]).
//!
//! # Why scanning in parts equals scanning at once
//!
//! Judgement never depends on the order of arrival: it begins anew from all lines and candidates of the case. History
//! only ever lowers the confidence of a first pass (people who have spoken are no strangers), so a message that falls
//! short without any history may be dropped while reading, and no later part can bring it back. Habit and aftermath raise it,
//! but never by more than lies between what a case keeps and what it reports. Answers, recalls and apologies that show a list
//! stay in the case until what they answer is known to be nothing.
//!
//! # Why it is fast
//!
//! An ordinary message costs about a microsecond, and no memory of its own.
//!
//! - A file is read by position, in ranges that any worker takes. The splitter walks the lines of a head, which finds its
//!   end, and searches the body for the next From_ line; it tells the head's reader where the lines end.
//! - A [`message`] is a head whose fields have a place each. [`facts`] needs addresses and no names: `mentions` reads plain
//!   lists, and gives all others to the long way. A test holds the two against each other.
//! - The quick key hashes keyed digests, sorted, and not the texts. The SHA-256 key is made for candidates only.
//! - A list is read in full, with names, only where words of a query or the shape of the list can make it a finding. Bodies
//!   are decoded for lists only, attachments never.
//! - A list inside a message ([`message::inside`]) is looked for where the text is decoded anyhow; else only in what leaves the
//!   organisation, and only after a test that costs next to nothing: marks before the subject, addresses near one another,
//!   heads of parts.
//! - The case gets a blob of lines for each range, some 60 bytes a message. Counting, history and the months without mail
//!   take one pass over them, without a copy; nothing else grows with the number of messages.
//!
//! # How an account is read
//!
//! [`source::imap`] asks for the header fields of all messages, in windows of UIDs, then for the text of those of which
//! [`facts`] says that judgement may need it. Three windows are under way at a time. The `imap` crate speaks the protocol;
//! our own stream under it lets nothing pass that could change a mailbox, bounds every answer in bytes and time (as `socket`
//! does what is said before encryption begins), and sends questions in advance. A failure is met by asking again, in smaller
//! pieces. What an answer leaves out is told by the numbers of messages, and asked for. Up to which UID a folder was read
//! stands in the case, so that the next scan goes on there; whole messages are asked for again for the SHA-256 of findings
//! only.
//!
//! `cargo bench --bench scan` compares with other tools, `--bench stages` tells where the time goes.
//!
//! # The map
//!
//! | module | what |
//! | --- | --- |
//! | [`cmd`] | one file per command |
//! | [`pipeline`], [`progress`] | threads; bars |
//! | [`export`] | one file per written file |
//! | [`case`] | the folder that a scan writes |
//! | [`source`], [`place`] | where mail comes from, where it stands |
//! | [`judgement`], [`facts`], [`exposure`], [`person`] | from facts to verdicts; pure |
//! | [`signal`], [`history`], [`query`] | reasons, memory, groups; pure |
//! | [`message`] | what one mail says; pure |
//! | [`cli`], [`terminal`], [`platform`] | options, printing, systems |
//!
//! # The laws
//!
//! A module may look at those below it in the map, never back; `case` and `source` do not know each other; the pure ones
//! know no file, net, clock, thread or print. Threads are started by `pipeline`; to unpack ahead of it by
//! `source/ahead.rs` and `source/in_order.rs`; to wait no longer than allowed for a command that prints a secret by
//! `source/imap/command.rs`. Sources are opened for reading only. What cannot be read is a row, never a
//! silence. No size, depth or count in mail is trusted.

pub mod case;
pub mod cli;
pub mod cmd;
pub mod export;
pub mod exposure;
pub mod facts;
pub mod history;
pub mod judgement;
pub mod message;
pub mod person;
pub mod pipeline;
pub mod place;
pub mod platform;
pub mod progress;
pub mod query;
pub mod signal;
pub mod source;
pub mod terminal;

pub use cli::run;
