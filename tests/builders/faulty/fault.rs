//! What goes wrong, and when.

use super::Folder;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a command asks for, as far as faults care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server's first line.
    Greeting,
    /// CAPABILITY.
    Capability,
    /// STARTTLS.
    StartTls,
    /// LOGIN and AUTHENTICATE.
    Login,
    /// LIST.
    List,
    /// STATUS.
    Status,
    /// EXAMINE.
    Examine,
    /// UID FETCH of header fields, flags, sizes and the like.
    Headers,
    /// UID FETCH of a body, whole or in part.
    Body,
    /// Either of these two.
    Fetch,
    /// COMPRESS.
    Compress,
    /// NOOP, ID, LOGOUT and what is not allowed.
    Other,
    /// Any command of somebody who has logged in, but LOGOUT.
    Inside,
}

/// What happens to the connection then.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// It goes on.
    Stay,
    /// It ends without a word.
    Close,
    /// It ends with `* BYE` and this text.
    Bye(&'static str),
    /// Nothing is sent any more, and it stays open.
    Hang,
}

/// How one message's FETCH answer differs from a proper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Literals are announced so much longer (or shorter) than they are.
    Length(isize),
    /// `INTERNALDATE NIL`.
    DateNil,
    /// An item that nobody asked for: its name and value.
    Item(&'static str),
    /// `RFC822.SIZE` of this.
    Size(u64),
    /// NIL where a text is due.
    Nil,
    /// A quoted string where a literal is due.
    Quoted,
    /// An empty literal.
    Empty,
    /// All of a text, whatever piece of it was asked for.
    All,
    /// The UID stands last.
    UidLast,
    /// Two answers, the UID in both.
    Split,
    /// Two answers, the UID only in the first.
    SplitBare,
    /// No answer at all: the message is gone.
    Gone,
    /// An answer only where nothing but the UID is asked for.
    Listed,
}

/// One thing that goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// No answer.
    Instead(Then),
    /// About half the answer: inside a literal, or at the end of a line where BYE follows.
    Half(Then),
    /// The whole answer.
    After(Then),
    /// One byte each tenth of a second.
    Drip,
    /// A tagged line of these words instead of the answer.
    Refuse(&'static str, Then),
    /// The answer under this tag.
    Tag(&'static str),
    /// These bytes, then the answer.
    Before(Vec<u8>),
    /// The answer, its tagged line in these words.
    Ends(&'static [u8]),
    /// The first text is replaced by the second in the answer.
    Swap(&'static str, &'static str),
    /// The lines with this text are left out of the answer.
    Without(&'static str),
    /// These bytes instead of the answer, then 300 MB of `x`, as long as the client takes them.
    Pour(&'static [u8]),
    /// One message's answer differs, or all of them where no UID is named.
    Shape(Shape),
    /// The folders have another UIDVALIDITY and other UIDs; the connection ends.
    Renumber,
    /// Another mail arrives in the first folder, and the answer says so.
    Arrive,
    /// The first token that was good so far is no more; the connection ends.
    Expire,
}

/// When it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    kind: Kind,
    from: usize,
    to: usize,
    pub(super) uid: Option<u32>,
    folder: Option<&'static str>,
}

/// At the first command of this kind, on any connection.
pub(crate) fn once(kind: Kind) -> When {
    nth(kind, 1)
}
/// At the `n`th.
pub(crate) fn nth(kind: Kind, n: usize) -> When {
    When {
        kind,
        from: n,
        to: n,
        uid: None,
        folder: None,
    }
}
/// At each.
pub(crate) fn always(kind: Kind) -> When {
    since(kind, 1)
}
/// At the `n`th and each that follows.
pub(crate) fn since(kind: Kind, n: usize) -> When {
    When {
        to: usize::MAX,
        ..nth(kind, n)
    }
}

impl When {
    /// Only where the answer holds this message.
    pub(crate) fn uid(self, uid: u32) -> Self {
        When {
            uid: Some(uid),
            ..self
        }
    }
    /// Only in this folder.
    pub(crate) fn within(self, folder: &'static str) -> Self {
        When {
            folder: Some(folder),
            ..self
        }
    }
}

/// What a command is about.
pub(super) struct About<'a> {
    pub(super) kind: Kind,
    pub(super) inside: bool,
    pub(super) folder: Option<&'a Folder>,
    pub(super) uids: &'a [u32],
}

/// A fault that counts the commands that it waits for.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) when: When,
    pub(super) fault: Fault,
    pub(super) must: bool,
    pub(super) scan: usize,
    seen: AtomicUsize,
    pub(super) fired: AtomicUsize,
}

impl Armed {
    pub(super) fn new(when: When, fault: Fault, must: bool, scan: usize) -> Self {
        Armed {
            when,
            fault,
            must,
            scan,
            seen: AtomicUsize::new(0),
            fired: AtomicUsize::new(0),
        }
    }
    /// Whether it is this command's turn.
    pub(super) fn fires(&self, about: &About<'_>) -> bool {
        let fetch = matches!(about.kind, Kind::Headers | Kind::Body);
        let kind = match self.when.kind {
            Kind::Fetch => fetch,
            Kind::Inside => about.inside,
            kind => kind == about.kind,
        };
        let uid = self.when.uid.is_none_or(|uid| about.uids.contains(&uid));
        let folder = self.when.folder.is_none_or(|name| {
            about
                .folder
                .is_some_and(|folder| folder.name == name.as_bytes())
        });
        if !(kind && uid && folder) {
            return false;
        }
        let turn = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        let fires = (self.when.from..=self.when.to).contains(&turn);
        if fires {
            self.fired.fetch_add(1, Ordering::SeqCst);
        }
        fires
    }
}
