//! What happened beside the findings: an apology in Bcc, a bounce, an answer. Only the words and the shape; `sequel` collects
//! them, `second` gives them to incidents.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A recall that shows the list to nobody again.
    Recall,
    /// An apology, one by one or in Bcc.
    Apology,
    /// A request to delete.
    Delete,
    /// The same in Bcc.
    ResentBlind,
    /// An answer to all of which no more is known than that it was.
    ReplyAll,
    /// Mail that did not arrive.
    Bounce,
    /// The last answer of those who were sent it.
    LastAnswer,
}

impl What {
    /// Its word in the timeline.
    pub fn as_str(self) -> &'static str {
        match self {
            What::Recall => "recall",
            What::Apology => "apology",
            What::Delete => "request-to-delete",
            What::ResentBlind => "resent-blind",
            What::ReplyAll => "reply-all",
            What::Bounce => "bounce",
            What::LastAnswer => "last-answer",
        }
    }
}

/// Something that happened after a finding, and is none itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Seconds since 1970 UTC.
    pub at: i64,
    /// What.
    pub what: What,
    /// Id of the exposure that it belongs to.
    pub exposure_id: String,
    /// True where somebody of the organisation did it.
    pub inside: bool,
    /// How many of the exposed people it concerns.
    pub people: usize,
    /// Quick key of the message.
    pub key: u128,
}
