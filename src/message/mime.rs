//! The readable part of a body: text, attachment names. Attachments are never decoded.

/// What judgement reads of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Plain text, or the text of the HTML where there is no plain text; bounded.
    pub text: String,
    /// File names of the attachments, decoded.
    pub attachments: Vec<String>,
}
