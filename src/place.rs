//! Where mail stands: folder, position, and what could not be read there. The words that sources and cases share, so that
//! neither need know the other.

use std::fmt;

/// A folder inside a source: a file of an mbox, a folder of a Maildir, a folder of `.eml` files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Folder {
    /// The chain inside the source, joined by `!` at each archive (`Takeout/Mail/Sent.mbox`); empty where the source
    /// is itself the folder.
    pub chain: String,
    /// What the folder is for, as far as its name or its store tells.
    pub role: Role,
    /// Over IMAP, UIDVALIDITY: where it changes, the folder is another one. 0 elsewhere.
    pub validity: u32,
}

/// How far a folder of an account was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The folder's chain.
    pub folder: String,
    /// Its UIDVALIDITY then.
    pub validity: u32,
    /// What it was read as.
    pub role: Role,
    /// The highest UID that is behind.
    pub upto: u32,
    /// UIDs below it that could not be read, or not as far as is wanted: to be asked for again. In order.
    pub again: Vec<u32>,
    /// Those of them that are judged by what was read of them. In order.
    pub lacking: Vec<u32>,
    /// How many messages the server counted in it when it was read to its end; `None` where it was not.
    pub held: Option<u64>,
}

/// What a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Known as sent mail.
    Sent,
    /// Known as drafts: never sent, so read for history only.
    Drafts,
    /// Not known.
    Other,
}

/// What a unit of an account's messages does to the mark of its folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headway<'a> {
    /// The highest UID that is behind when it is kept; `None` where it stays.
    pub upto: Option<u32>,
    /// UIDs that were asked for again, and of which it tells now, or that are gone.
    pub again: &'a [u32],
    /// UIDs of which it holds less than is wanted. They are judged by that, and will be asked for again. In order.
    pub lacking: &'a [u32],
    /// No more of its folder is read now: what was said before of the folder's rest is overtaken.
    pub ends: bool,
    /// How many messages the server counted, where all of them are behind now.
    pub held: Option<u64>,
}

/// Where in its folder a message stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// Bytes of the decompressed innermost file: from after the From_ line to before the one empty line that
    /// precedes the next From_ line, or the end of the file.
    Bytes {
        /// Of the first byte.
        offset: u64,
        /// In bytes.
        length: u64,
    },
    /// The path inside the folder, `/`-separated.
    Path(String),
    /// Over IMAP.
    Uid {
        /// UIDVALIDITY of the folder.
        validity: u32,
        /// UID of the message.
        uid: u32,
    },
}

/// A piece of mail that could not be read, or a file that could not: one row of `unread.csv`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// The folder's chain.
    pub folder: String,
    /// Where in it; `None` where it is the whole folder or source.
    pub position: Option<Position>,
    /// How many bytes are concerned, if known.
    pub bytes: Option<u64>,
    /// Why, in plain English, lower case, no full stop.
    pub reason: String,
    /// True where it stands for exactly one message (it is then counted as read and unread); false for a file or a
    /// folder that holds an unknown number.
    pub message: bool,
}

impl Role {
    /// The word used in a case.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Sent => "sent",
            Role::Drafts => "drafts",
            Role::Other => "other",
        }
    }

    /// What such a word of a case stands for.
    pub fn from_word(word: &str) -> Self {
        match word {
            "sent" => Role::Sent,
            "drafts" => Role::Drafts,
            _ => Role::Other,
        }
    }
}

impl Unread {
    /// The UID of the message that it stands for, over IMAP.
    pub fn uid(&self) -> Option<u32> {
        self.position.as_ref().and_then(Position::uid)
    }
}

impl Mark {
    /// Whether it is of this folder: of one that was made anew, or is read as something else, nothing is read yet.
    pub fn is_of(&self, folder: &Folder) -> bool {
        (&self.folder, self.validity, self.role) == (&folder.chain, folder.validity, folder.role)
    }

    /// Whether a folder of so many messages holds more than was read, as far as can be told from their number alone.
    pub fn is_short_of(&self, messages: u64) -> bool {
        self.held.is_none_or(|held| messages > held)
    }
}

impl Position {
    /// The UID, over IMAP.
    pub fn uid(&self) -> Option<u32> {
        match self {
            Position::Uid { uid, .. } => Some(*uid),
            _ => None,
        }
    }

    /// Reads what [`Position`] of an account was written as.
    pub fn of_account(text: &str) -> Option<Self> {
        let (validity, uid) = text.split_once(':')?;
        Some(Position::Uid {
            validity: validity.parse().ok()?,
            uid: uid.parse().ok()?,
        })
    }
}

impl fmt::Display for Position {
    /// As in the column `position`: `offset+length`, the path, or `uidvalidity:uid`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Position::Bytes { offset, length } => write!(f, "{offset}+{length}"),
            Position::Path(path) => f.write_str(path),
            Position::Uid { validity, uid } => write!(f, "{validity}:{uid}"),
        }
    }
}
