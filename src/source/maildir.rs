//! Maildir: a folder of files, one message each.
//!
//! # The format
//! A folder holds `cur` (seen by a mail program), `new` (delivered since) and `tmp` (being written: never read). A
//! file's name in `cur` ends in its flags: `1709280000.M1P2.host:2,FRS`; Windows and some file systems need `;2,` or
//! `!2,` instead. `D` is a draft, `T` deleted but still there. Maildir++ keeps subfolders beside `cur`, their path
//! written with dots: `.Sent`, `.Sent.2024`. Dovecot may keep plain subfolders, and may compress each file.
//! Archives and version control drop empty folders, so `cur` alone is enough to know one.
//! See <https://cr.yp.to/proto/maildir.html>, <https://www.courier-mta.org/imap/README.maildirquota.html>.

use super::Marks;

/// The folders of a Maildir that hold messages.
pub(super) const HOLDING: [&str; 2] = ["cur", "new"];

/// What a folder's own subfolders tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signs {
    pub(super) cur: bool,
    pub(super) new: bool,
    pub(super) tmp: bool,
}

impl Signs {
    /// Notes a subfolder.
    pub(super) fn note(&mut self, name: &str) {
        match name {
            "cur" => self.cur = true,
            "new" => self.new = true,
            "tmp" => self.tmp = true,
            _ => {}
        }
    }

    /// True for a Maildir.
    pub(super) fn is_maildir(self) -> bool {
        self.cur || (self.new && self.tmp)
    }

    /// True where it is so surely one that each file in it is a message, whatever it begins with.
    pub(super) fn is_surely(self) -> bool {
        self.cur && (self.new || self.tmp)
    }
}

/// What a file's name says of its message.
pub(super) fn marks(name: &str) -> Marks {
    let flags = [":2,", ";2,", "!2,"]
        .iter()
        .find_map(|info| name.rsplit_once(info))
        .map_or("", |(_, flags)| flags);
    Marks {
        draft: flags.contains('D'),
        deleted: flags.contains('T'),
        stored: None,
    }
}

/// Where a member of an archive stands, if that is in a Maildir: the Maildir, and its path there.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    let (dir, name) = path.rsplit_once('/')?;
    let (maildir, holder) = dir.rsplit_once('/').unwrap_or(("", dir));
    let unique =
        name.contains(":2,") || name.contains(";2,") || name.contains("!2,") || is_unique(name);
    let at = if maildir.is_empty() {
        0
    } else {
        maildir.len() + 1
    };
    (unique && (HOLDING.contains(&holder) || holder == "tmp")).then_some((maildir, &path[at..]))
}

/// True where a name claims that a file is one message. Such a file is given as one though its content does not show
/// it: whoever reads it may find it unreadable, but it is not passed over.
pub(super) fn is_named_as_mail(path: &str) -> bool {
    let name = path.to_lowercase();
    name.ends_with(".eml")
        || name.ends_with(".emlx")
        || split(path).is_some_and(|(_, position)| !position.starts_with("tmp/"))
}

/// True for the names that deliveries make: seconds, a dot, more.
fn is_unique(name: &str) -> bool {
    name.split_once('.').is_some_and(|(seconds, rest)| {
        seconds.len() >= 9 && seconds.bytes().all(|b| b.is_ascii_digit()) && !rest.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::{Marks, marks, split};

    #[test]
    fn flags_are_read_with_any_separator() {
        assert_eq!(marks("1.host:2,S"), Marks::default());
        for name in ["1.host:2,DS", "1.host;2,DS", "1.host!2,DS"] {
            assert!(marks(name).draft && !marks(name).deleted, "{name}");
        }
        assert!(marks("1.host:2,ST").deleted);
        assert_eq!(marks("DT.eml"), Marks::default());
    }

    #[test]
    fn members_of_archives_are_known_as_maildir() {
        assert_eq!(
            split("Mail/.Sent/cur/1.host:2,S"),
            Some(("Mail/.Sent", "cur/1.host:2,S"))
        );
        assert_eq!(
            split("new/1709280000.M1.host"),
            Some(("", "new/1709280000.M1.host"))
        );
        assert_eq!(split("2024/new/letter.eml"), None);
    }
}
