//! Passwords, keys and tokens, and the words of others that might repeat them: what may be shown of either.

use crate::message::text::clean;
use std::fmt;
use std::hint::black_box;
use url::form_urlencoded::byte_serialize;

/// How much of another's words is shown, in characters.
const SHOWN: usize = 200;
/// A word longer than this says nothing to people, and may be part of a token.
const LONGEST_WORD: usize = 80;

/// A text that is never shown. It is wiped when it goes; copies that were made on its way here may remain.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// Keeps a text.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself: for the wire only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        black_box(&bytes);
    }
}

/// What a server or a program said, fit to be shown: clean, short, one line, and without `secrets`, as they stand and
/// as a form spells them.
pub(super) fn heard(text: &str, secrets: &[&str]) -> String {
    let mut hidden: Vec<String> = Vec::new();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        hidden.push((*secret).to_owned());
        hidden.push(byte_serialize(secret.as_bytes()).collect());
        hidden.push(clean(secret));
    }
    hidden.retain(|secret| !secret.is_empty());
    // What is cut by the end of a longer one must not remain.
    hidden.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let without = |text: &str| {
        hidden.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), "…")
        })
    };
    // Once more when clean: invisible characters may have parted it.
    let text = without(&clean(&without(text)));
    let words = text.split(' ').map(|word| {
        if word.chars().nth(LONGEST_WORD).is_some() {
            "…"
        } else {
            word
        }
    });
    let text = words.collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{Secret, heard};

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter2".into());
        assert_eq!(format!("{secret:?}"), "Secret");
        assert_eq!(
            format!("{:#?}", Some(secret.clone())),
            "Some(\n    Secret,\n)"
        );
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn words_of_others_are_clean_and_short() {
        assert_eq!(heard("bad\x1b[31m\r\nthing", &[]), "bad[31m thing");
        let long = heard(&"many words ".repeat(50), &[]);
        assert!(long.ends_with("words ma…"), "{long}");
        assert_eq!(long.chars().count(), 201);
        assert_eq!(
            heard(&format!("got {} here", "x".repeat(81)), &[]),
            "got … here"
        );
    }

    #[test]
    fn words_of_others_never_hold_a_secret() {
        let secret = "a+b/c d";
        for text in [
            "wrong: a+b/c d!",
            "wrong: a%2Bb%2Fc+d!",
            "wrong: a+\u{200b}b/c d!",
            "wrong: a+b/c\td!",
        ] {
            assert_eq!(heard(text, &[secret, ""]), "wrong: …!", "{text:?}");
        }
        assert_eq!(heard("tokentoken2", &["token", "token2"]), "……");
    }
}
