//! The names of header fields that ccspill reads (RFC 5322 3.6, 2045, 2919, 3834, and what mail programs add). What a
//! field says is no matter here.

/// The fields that ccspill reads; of all others only that they are there is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// From.
    From,
    /// Sender.
    Sender,
    /// Reply-To.
    ReplyTo,
    /// To.
    To,
    /// Cc.
    Cc,
    /// Bcc.
    Bcc,
    /// Resent-To.
    ResentTo,
    /// Resent-Cc.
    ResentCc,
    /// Resent-Bcc.
    ResentBcc,
    /// Subject.
    Subject,
    /// Date.
    Date,
    /// Message-ID.
    MessageId,
    /// In-Reply-To.
    InReplyTo,
    /// Received.
    Received,
    /// List-Id.
    ListId,
    /// X-Mailing-List.
    XMailingList,
    /// List-Post.
    ListPost,
    /// Auto-Submitted.
    AutoSubmitted,
    /// Precedence.
    Precedence,
    /// X-Autoreply.
    XAutoreply,
    /// X-Autorespond.
    XAutorespond,
    /// X-Unsent.
    XUnsent,
    /// X-Gmail-Labels.
    XGmailLabels,
    /// X-Mozilla-Status.
    XMozillaStatus,
    /// Content-Type.
    ContentType,
    /// Content-Disposition.
    ContentDisposition,
    /// Content-Transfer-Encoding.
    ContentTransferEncoding,
}

impl Name {
    /// The field of this name, in any letter case.
    pub fn of(name: &[u8]) -> Option<Self> {
        // Length and first letter leave one or two: every field of every message is asked for here.
        let known: &[(&str, Self)] = match (name.len(), name.first()? | 0x20) {
            (2, b't') => &[("to", Self::To)],
            (2, b'c') => &[("cc", Self::Cc)],
            (3, b'b') => &[("bcc", Self::Bcc)],
            (4, b'f') => &[("from", Self::From)],
            (4, b'd') => &[("date", Self::Date)],
            (6, b's') => &[("sender", Self::Sender)],
            (7, b's') => &[("subject", Self::Subject)],
            (7, b'l') => &[("list-id", Self::ListId)],
            (8, b'r') => &[("received", Self::Received), ("reply-to", Self::ReplyTo)],
            (8, b'x') => &[("x-unsent", Self::XUnsent)],
            (9, b'r') => &[("resent-to", Self::ResentTo), ("resent-cc", Self::ResentCc)],
            (9, b'l') => &[("list-post", Self::ListPost)],
            (10, b'm') => &[("message-id", Self::MessageId)],
            (10, b'p') => &[("precedence", Self::Precedence)],
            (10, b'r') => &[("resent-bcc", Self::ResentBcc)],
            (11, b'i') => &[("in-reply-to", Self::InReplyTo)],
            (11, b'x') => &[("x-autoreply", Self::XAutoreply)],
            (12, b'c') => &[("content-type", Self::ContentType)],
            (13, b'x') => &[("x-autorespond", Self::XAutorespond)],
            (14, b'a') => &[("auto-submitted", Self::AutoSubmitted)],
            (14, b'x') => &[
                ("x-gmail-labels", Self::XGmailLabels),
                ("x-mailing-list", Self::XMailingList),
            ],
            (16, b'x') => &[("x-mozilla-status", Self::XMozillaStatus)],
            (19, b'c') => &[("content-disposition", Self::ContentDisposition)],
            (25, b'c') => &[("content-transfer-encoding", Self::ContentTransferEncoding)],
            _ => return None,
        };
        known
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
            .map(|(_, field)| *field)
    }

    /// True for the fields that hold mailboxes.
    pub(super) fn holds_mailboxes(self) -> bool {
        matches!(
            self,
            Self::From
                | Self::Sender
                | Self::ReplyTo
                | Self::To
                | Self::Cc
                | Self::Bcc
                | Self::ResentTo
                | Self::ResentCc
                | Self::ResentBcc
        )
    }

    /// Its bit in a set of names.
    pub(super) fn bit(self) -> u32 {
        1 << self as u32
    }
}
