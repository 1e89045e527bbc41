//! What a folder is for, by its name: sent mail and drafts in the languages of Thunderbird, Roundcube, Outlook and Gmail.
//! A name is a hint: what a message says of itself (who wrote it) decides whether it is judged.

use crate::place::Role;

/// Names of sent folders that mail programs use, a line each.
const SENT: &str = include_str!("sent-names.txt");
/// More of them: Outlook, Apple Mail, Gmail, and short forms.
const MORE_SENT: &[&str] = &[
    "sent",
    "sent items",
    "sent mail",
    "sent messages",
    "sent-mail",
    "sentitems",
    "sentmail",
    "outbox",
    "gesendete elemente",
    "gesendete objekte",
    "éléments envoyés",
    "messages envoyés",
    "elementos enviados",
    "mensajes enviados",
    "posta inviata",
    "verzonden items",
    "eitemau a anfonwyd",
    "anfonwyd",
];
const DRAFTS: &[&str] = &[
    "drafts",
    "draft",
    "entwürfe",
    "brouillons",
    "borradores",
    "bozze",
    "concepten",
    "drafftiau",
    "rascunhos",
    "utkast",
    "kladder",
    "luonnokset",
    "wersje robocze",
    "koncepty",
    "черновики",
];
/// Path components that say nothing of what a folder is for.
const SILENT: &[&str] = &["messages", "mbox", "cur", "new", "data", "attachments"];

/// The role of a folder, by the last name in its chain that says anything.
pub(super) fn role(chain: &str) -> Role {
    for part in chain.rsplit(['/', '!']) {
        let bare = bare(part);
        if bare.is_empty()
            || SILENT.contains(&bare.as_str())
            || bare.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
        {
            continue;
        }
        // Maildir++ writes the whole path of a folder into one name.
        let last = bare.rsplit('.').next().unwrap_or_default().to_owned();
        let year = last.len() == 4 && last.bytes().all(|byte| byte.is_ascii_digit());
        let named = [
            bare.as_str(),
            last.as_str(),
            if year {
                bare.trim_end_matches(&last).trim_end_matches('.')
            } else {
                ""
            },
        ];
        if named.iter().any(|name| is_sent(name)) {
            return Role::Sent;
        }
        if named.iter().any(|name| DRAFTS.contains(name)) {
            return Role::Drafts;
        }
        return Role::Other;
    }
    Role::Other
}

/// A name in lower case, without the endings of stores and archives, without the number of a second folder.
fn bare(part: &str) -> String {
    let mut name = part.trim().to_lowercase();
    for ending in [".gz", ".zst", ".zstd", ".mbox", ".mbx", ".sbd", ".txt"] {
        if let Some(stem) = name.strip_suffix(ending) {
            name = stem.to_owned();
        }
    }
    let name = name.trim_start_matches('.');
    match name.rsplit_once(['-', ' ', '_']) {
        Some((stem, number))
            if !stem.is_empty()
                && number.len() <= 4
                && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            stem.trim_end().to_owned()
        }
        _ => name.to_owned(),
    }
}

fn is_sent(name: &str) -> bool {
    !name.is_empty()
        && (MORE_SENT.contains(&name) || SENT.lines().any(|known| known.to_lowercase() == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sent_folders_are_known_in_many_stores_and_languages() {
        for chain in [
            "Sent",
            ".Sent",
            ".Sent.2024",
            "Takeout/Mail/Sent.mbox",
            "backup.zip!Mail/Sent Items",
            "[Gmail]/Sent Mail",
            "Gesendet",
            "Sent Messages.mbox/Messages",
            "INBOX.Sent",
            "Sent-1",
            "sent.mbox.gz",
        ] {
            assert_eq!(role(chain), Role::Sent, "{chain}");
        }
    }

    #[test]
    fn other_folders_are_not_sent() {
        for chain in [
            "",
            "Inbox",
            "Sentinel",
            "Archive/2024",
            "All mail Including Spam and Trash.mbox",
        ] {
            assert_eq!(role(chain), Role::Other, "{chain}");
        }
        assert_eq!(role("[Gmail]/Drafts"), Role::Drafts);
    }
}
