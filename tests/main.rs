//! What ccspill promises, one module per promise. Every test runs the program as a user does.
//!
//! All mail is made by [`builders`]; nobody in it exists. Texts that must not change unseen stand in `tests/golden`
//! and are rewritten with `BLESS=1 cargo test`.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

// Mail, stores, runs and cases for all the others.
mod builders;

// Every kind of store gives the same findings; several at once; standard input; nested archives.
mod sources;
// An mbox of any kind is cut into its messages, and into nothing else.
mod mbox;
// Where a finding stands: source, folder, position, hash, the other places, the time.
mod places;
// read = judged + received + duplicates + unread, in each source and in total.
mod counts;
// Byte-identical tables with any number of jobs, twice, and in parts in any order.
mod same;
// Sources keep their bytes and times; a case is private.
mod readonly;
// Mail is hostile: formulas, markup, escapes, sizes, depths, garbage.
mod hostile;
// Who is exposed, to how many, by which name, of what kind.
mod people;
// Who is one person and who is two; the count step by step.
mod identity;
// Merges are undone, and ids and notes survive that.
mod merges;
// People known to be of a group: found, named, joined, and told apart from those who were not exposed.
mod roster;
// Recipients as real mail writes them.
mod recipients;
// Lists quoted in forwarded and answered messages.
mod inside;
// Lists in attached messages, invitations, contacts; names of groups.
mod inside_parts;
// What counts as an exposure.
mod judgement;
// What does not.
mod ordinary;
// What came before and after: hidden lists, recalls, apologies, answers, bounces; one incident, one circle.
mod aftermath;
mod afterwards;
// How well it judges: recall, precision and calibration on mailboxes that people have labelled.
mod labelled;
// Years of ordinary mail: how many circles of people are taken for victims.
mod circles;
// Public cases with their figures.
mod incidents;
// --incident: from one known message to the others that show its people.
mod incident;
// Whose mail is judged where --org is missing.
mod organisation;
// What an officer wrote into people.csv outlives the next scan.
mod worksheet;
// A case is added to, refused, in use, of another organisation.
mod case;
// A kill, Ctrl-C, a full disk: the old case or the new one, never half.
mod interrupt;
// The server of the IMAP tests does what they take for granted.
mod imap_server;
// An account is reached over TLS, or refused before a password is sent.
mod imap_connect;
// Who logs in, as whom, with what.
mod imap_login;
// Which folders of an account are read, and as what.
mod imap_folders;
// An account gives what a file of the same mail gives.
mod imap_same;
// Over IMAP long heads and long messages tell what they tell in a file.
mod imap_long;
// Reading an account changes nothing in it, and no secret is shown or kept.
mod imap_trace;
// A scan of an account goes on: with new mail, past failures, past Ctrl-C.
mod imap_resume;
// Exit statuses.
mod status;
// What a person reads on the terminal.
mod summary;
// The whole stderr of each mistake.
mod errors;
// The built-in queries hold; a wrong one is named with its line.
mod queries;
// What each threshold would report, from a case that stands already.
mod backtest;
// The README's command blocks really run.
mod readme;
// Which way a file of src/ may look.
mod layers;
// IMAP through a failing line: dropped, stalled, throttled, refused; nothing lost, nothing doubled, no hang.
mod imap_faults;
// IMAP answers as no book allows them, floods, one broken message.
mod imap_fault_answers;
// IMAP folders of every name, and what servers keep to themselves.
mod imap_fault_folders;
// Who is not let in by an IMAP server is told why.
mod imap_fault_logins;
// A server that repeats a login shows no form of its secret.
mod imap_fault_secrets;
// What an IMAP server did not give keeps its row until it is read or gone.
mod imap_fault_again;
// What an answer of an IMAP server leaves out is found, or said.
mod imap_fault_left_out;
// What was judged without its text is judged anew when an IMAP server gives it.
mod imap_fault_texts;
// What reading an account may cost at most, in questions and in memory.
mod imap_bounds;
// The server that plays these faults is itself proper.
mod imap_fault_server;
// Public mail from CCSPILL_CORPORA against what independent parsers see.
mod corpora;
// The borders of public mbox files, against MimeKit's offsets and the count of several splitters.
mod corpora_mbox;
// The head of every message against mail-parser: the corpora, and mail of our own making.
mod heads;
