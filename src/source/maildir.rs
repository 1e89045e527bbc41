//! Maildir: a folder with the subfolders `cur`, `new` and `tmp`; each file in the first two is one message, `tmp` holds
//! what is not delivered yet and is never read. A file's name carries flags behind `:2,` (`;2,` or `!2,` where a colon is
//! not allowed): D draft, T trashed. Maildir++ puts subfolders beside, as `.Sent`, `.Sent.2024`.
//! See <https://cr.yp.to/proto/maildir.html> and <https://www.courier-mta.org/imap/README.maildirquota.html>.

use super::Marks;

/// Marks that a file's name carries.
pub(super) fn marks(name: &str) -> Marks {
    let flags = [":2,", ";2,", "!2,"]
        .iter()
        .find_map(|mark| name.rsplit_once(mark))
        .map_or("", |(_, flags)| flags);
    Marks {
        draft: flags.contains('D'),
        deleted: flags.contains('T'),
        stored: None,
    }
}

/// Folder, position and marks of a message's path in an archive: a Maildir's `cur` and `new` belong to the position.
pub(super) fn place(path: &str) -> (&str, &str, Marks) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match folder.rsplit_once('/').unwrap_or(("", folder)) {
        (maildir, "cur" | "new") => (
            maildir,
            &path[if maildir.is_empty() {
                0
            } else {
                maildir.len() + 1
            }..],
            marks(name),
        ),
        _ => (folder, name, Marks::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_behind_any_separator_are_read() {
        assert!(marks("1.host:2,DS").draft);
        assert!(marks("1.host;2,ST").deleted);
        assert_eq!(marks("DT.host"), Marks::default());
    }

    #[test]
    fn cur_and_new_belong_to_the_position() {
        assert_eq!(place("Mail/Sent/cur/1:2,S").0, "Mail/Sent");
        assert_eq!(place("Mail/Sent/cur/1:2,S").1, "cur/1:2,S");
        assert_eq!(place("cur/1").0, "");
        assert_eq!(place("2024/1.eml").0, "2024");
    }
}
