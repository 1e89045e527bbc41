//! What a folder is for, told from its name.
//!
//! `sent-names.txt` holds the names that mail programs give the folder of sent mail, in about a hundred languages, as
//! written and in the modified UTF-7 of IMAP, which Maildir++ keeps on disk.

use super::Role;
use std::collections::HashSet;
use std::sync::OnceLock;
use unicode_normalization::UnicodeNormalization;

const SENT: &str = include_str!("sent-names.txt");

const DRAFTS: &[&str] = &[
    "draft",
    "drafts",
    "abbozzi",
    "bozze",
    "borradores",
    "borrador",
    "brouillon",
    "brouillons",
    "ciorne",
    "concepten",
    "dréachtaí",
    "drafftiau",
    "drög",
    "entwurf",
    "entwürfe",
    "esborranys",
    "juodraščiai",
    "kladde",
    "kladder",
    "koncepty",
    "konsepti",
    "konseptit",
    "kopie robocze",
    "luonnokset",
    "melnraksti",
    "mustandid",
    "nacrti",
    "osnutki",
    "piszkozatok",
    "rascunho",
    "rascunhos",
    "rozepsané",
    "rozpísané",
    "skice",
    "szkice",
    "taslaklar",
    "utkast",
    "zirriborroak",
    "πρόχειρα",
    "нацрти",
    "чернетки",
    "чернови",
    "черновики",
    "чарнавікі",
];

impl Role {
    /// Of the folder that a path leads to: its components separated by `/` or `!`, or by `.` in a Maildir++ name.
    ///
    /// What lies within a folder of sent mail is sent mail too. Only a folder that itself is called drafts holds
    /// drafts: they are not judged, so a guess must not go far.
    pub fn of(path: &str) -> Role {
        let names: Vec<String> = path
            .split(['/', '!', '\\'])
            .flat_map(parts)
            .map(folded)
            .filter(|n| !is_plumbing(n))
            .collect();
        if names.last().is_some_and(|n| DRAFTS.contains(&n.as_str())) {
            Role::Drafts
        } else if names.iter().any(|n| sent().contains(n.as_str())) {
            Role::Sent
        } else {
            Role::Other
        }
    }
}

/// The folders that one component of a path stands for: `.Sent.2024` stands for two.
fn parts(component: &str) -> Vec<&str> {
    match component
        .strip_prefix('.')
        .or_else(|| component.strip_prefix("INBOX."))
    {
        Some(names) => names.split('.').collect(),
        None => vec![component],
    }
}

/// Lower case, composed, without the endings that stores and archives give.
fn folded(name: &str) -> String {
    const ENDINGS: [&str; 10] = [
        ".mbox", ".mbx", ".sbd", ".gz", ".zst", ".zip", ".tar", ".tgz", ".eml", ".txt",
    ];
    let mut name: String = name.trim().nfc().flat_map(char::to_lowercase).collect();
    while let Some(shorter) = ENDINGS.iter().find_map(|e| name.strip_suffix(e)) {
        name = shorter.to_owned();
    }
    // The second folder of a name: `Sent-1`, `Sent 2024`.
    match name.rsplit_once(['-', ' ', '_']) {
        Some((first, number)) if !first.is_empty() && is_number(number) => first.to_owned(),
        _ => name,
    }
}

fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Folders in which a store keeps its files: Maildir's, and those of Apple Mail within `Sent.mbox`.
fn is_plumbing(name: &str) -> bool {
    let uuid = name.len() == 36 && name.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    uuid || (is_number(name) && name.len() < 4)
        || matches!(name, "cur" | "new" | "mbox" | "messages" | "data")
}

fn sent() -> &'static HashSet<String> {
    static NAMES: OnceLock<HashSet<String>> = OnceLock::new();
    NAMES.get_or_init(|| SENT.lines().map(folded).filter(|n| !n.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn folders_of_sent_mail_are_known_by_name() {
        for sent in [
            "Sent",
            "SENT ITEMS",
            "Takeout/Mail/Sent.mbox",
            "[Gmail]/Sent Mail",
            "a.zip!Mail/Gesendet",
            ".Sent.2024",
            ".Envoy&AOk-s",
            "Envoye\u{301}s",
            "INBOX.Sent",
            "Sent.sbd/2024",
            "Sent-1",
            "Sent Messages.mbox/6F9619FF-8B86-D011-B42D-00CF4FC964FF/Data/1/Messages",
            "sent.mbox.gz",
            "送信済みトレイ",
        ] {
            assert_eq!(Role::of(sent), Role::Sent, "{sent}");
        }
    }

    #[test]
    fn only_the_folder_itself_can_be_drafts() {
        for drafts in [
            "Drafts",
            "[Gmail]/Drafts",
            "Mail/Entwürfe",
            ".Drafts",
            "Drafts.mbox/Messages",
            "Sent/Drafts",
        ] {
            assert_eq!(Role::of(drafts), Role::Drafts, "{drafts}");
        }
        for other in [
            "",
            "Inbox",
            "Drafts/2024",
            "Sentinel",
            "Unsent",
            "Archive/2024.mbox",
        ] {
            assert_eq!(Role::of(other), Role::Other, "{other}");
        }
    }
}
