//! What makes two stored copies one message. Nothing that a store adds or drops enters a key.

/// SHA-256 over Message-ID, Date, From, the sorted canonical To and Cc, and the decoded Subject, each unfolded;
/// without a Message-ID also the body text, line ends and mbox quoting normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 32]);
