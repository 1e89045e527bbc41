//! The mail that a Dovecot holds: put there in bulk, and looked at without IMAP before and after a scan.

use super::{Dovecot, Format, give};
use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

/// When every mail came in: the morning of 1 March 2024, as the From_ lines of the other stores say.
const STORED: u64 = 1_709_283_600;

/// A folder's name as IMAP and Maildir write it, in modified UTF-7: `Envoy&AOk-s`.
pub(crate) fn utf7(name: &str) -> String {
    let engine = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);
    let mut out = String::new();
    let mut foreign: Vec<u16> = Vec::new();
    let close = |out: &mut String, foreign: &mut Vec<u16>| {
        let bytes: Vec<u8> = foreign.drain(..).flat_map(u16::to_be_bytes).collect();
        if !bytes.is_empty() {
            *out += &format!("&{}-", engine.encode(bytes));
        }
    };
    for letter in name.chars() {
        if matches!(letter, ' '..='~') {
            close(&mut out, &mut foreign);
            out.push(letter);
            out.push_str(if letter == '&' { "-" } else { "" });
        } else {
            foreign.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
        }
    }
    close(&mut out, &mut foreign);
    out
}

impl Dovecot {
    /// Adds mails (with CRLF, as they go over the wire) to a folder of this user, which is made where it is missing.
    #[track_caller]
    pub(crate) fn put(&self, user: &str, folder: &str, mails: impl IntoIterator<Item = Vec<u8>>) {
        self.put_marked(user, folder, "cur", "S", mails);
    }
    /// Adds mails that no mail program has seen yet: they lie in `new/` and are \Recent.
    #[track_caller]
    pub(crate) fn put_undelivered(
        &self,
        user: &str,
        folder: &str,
        mails: impl IntoIterator<Item = Vec<u8>>,
    ) {
        self.put_marked(user, folder, "new", "", mails);
    }
    /// Adds mails with the flags of these Maildir letters: `DS` is a draft that was seen.
    #[track_caller]
    pub(crate) fn put_flagged(
        &self,
        user: &str,
        folder: &str,
        flags: &str,
        mails: impl IntoIterator<Item = Vec<u8>>,
    ) {
        self.put_marked(user, folder, "cur", flags, mails);
    }

    #[track_caller]
    fn put_marked(
        &self,
        user: &str,
        folder: &str,
        part: &str,
        flags: &str,
        mails: impl IntoIterator<Item = Vec<u8>>,
    ) {
        if self.0.setup.format == Format::Mdbox {
            return self.import(user, folder, mails);
        }
        let maildir = self.maildir(user, folder);
        self.make(&maildir);
        self.write(&maildir.join(part), flags, mails);
    }
    /// By way of an mbox beside the mail: this format is Dovecot's own.
    #[track_caller]
    fn import(&self, user: &str, folder: &str, mails: impl IntoIterator<Item = Vec<u8>>) {
        let aside = tempfile::Builder::new()
            .prefix("import-")
            .tempdir_in(self.home())
            .expect("a folder for an import");
        give(aside.path());
        let mut mbox = Vec::new();
        for mail in mails {
            mbox.extend_from_slice(b"From robin.ashdown@force.example Fri Mar  1 09:00:00 2024\n");
            mbox.extend(mail.into_iter().filter(|b| *b != b'\r'));
            mbox.push(b'\n');
        }
        let file = aside
            .path()
            .join(if folder == "INBOX" { "inbox" } else { folder });
        fs::write(&file, mbox).expect("a file of mail");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("a file of ours");
        let aside = aside.path().display();
        let source = format!("mbox:{aside}:INBOX={aside}/inbox:INDEX=MEMORY");
        self.doveadm(["import", "-u", user, &source, "", "mailbox", folder]);
    }
    /// Where a folder's mail lies.
    fn maildir(&self, user: &str, folder: &str) -> PathBuf {
        let setup = &self.0.setup;
        let root = self.home().join("mail").join(user).join("Maildir");
        if folder == "INBOX" {
            return root;
        }
        let inner = folder.strip_prefix(setup.prefix).unwrap_or(folder);
        root.join(format!(".{}", utf7(inner).replace(setup.separator, ".")))
    }
    /// A Maildir that those who serve mail may write into.
    fn make(&self, maildir: &Path) {
        let root = maildir.parent().expect("a folder in a folder");
        let inside = root.ends_with("Maildir");
        for folder in ["cur", "new", "tmp"].map(|part| maildir.join(part)) {
            fs::create_dir_all(&folder).expect("a folder for mail");
            give(&folder);
        }
        give(maildir);
        if inside {
            give(root);
            fs::write(maildir.join("maildirfolder"), "").expect("a file for mail");
        }
    }
    fn write(&self, part: &Path, flags: &str, mails: impl IntoIterator<Item = Vec<u8>>) {
        let stored = SystemTime::UNIX_EPOCH + Duration::from_secs(STORED);
        for mail in mails {
            let number = self.0.put.fetch_add(1, Ordering::Relaxed);
            let unix: Vec<u8> = mail.iter().copied().filter(|b| *b != b'\r').collect();
            let lines = unix.iter().filter(|b| **b == b'\n').count();
            let name = format!(
                "{:010}.M{number}P1.box,S={},W={}",
                STORED as usize + number,
                unix.len(),
                unix.len() + lines
            );
            let name = if part.ends_with("new") {
                name
            } else {
                format!("{name}:2,{flags}")
            };
            let mut file = fs::File::create(part.join(name)).expect("a mail");
            file.write_all(&unix)
                .and_then(|()| file.set_modified(stored))
                .expect("a mail");
        }
    }

    /// Makes the mail with this Message-ID one that the server lists and cannot read: a file that nobody may open.
    #[track_caller]
    pub(crate) fn spoil(&self, user: &str, folder: &str, id: &str) {
        let line = format!("Message-ID: <{id}>");
        let mut spoilt = 0;
        walk(&self.maildir(user, folder).join("cur"), &mut |path| {
            let mail = fs::read(path).unwrap_or_default();
            if String::from_utf8_lossy(&mail).contains(&line) {
                fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("a mail");
                spoilt += 1;
            }
        });
        assert_eq!(spoilt, 1, "mails with {line} in {folder}");
    }

    /// What a folder is to its owner: counts, UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ, and the flags of every mail.
    #[track_caller]
    pub(crate) fn state(&self, user: &str, folder: &str) -> String {
        let fields = "messages recent unseen uidnext uidvalidity highestmodseq";
        let status = self.doveadm(["mailbox", "status", "-u", user, fields, folder]);
        let flags = self.doveadm([
            "-f",
            "flow",
            "fetch",
            "-u",
            user,
            "uid flags",
            "mailbox",
            folder,
        ]);
        status + &flags
    }
    /// One figure of a folder's status, such as `uidvalidity`.
    #[track_caller]
    pub(crate) fn status(&self, user: &str, folder: &str, field: &str) -> u64 {
        let said = self.doveadm(["mailbox", "status", "-u", user, field, folder]);
        let figure = said
            .trim()
            .rsplit('=')
            .next()
            .and_then(|figure| figure.parse().ok());
        figure.unwrap_or_else(|| panic!("no {field} in '{said}'"))
    }
    /// Every file of a user's mail with its SHA-256, a line each. Dovecot's own index files are left out.
    pub(crate) fn files(&self, user: &str) -> String {
        let root = self.home().join("mail").join(user);
        let mut lines = Vec::new();
        walk(&root, &mut |path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !name.starts_with("dovecot") {
                let hash = Sha256::digest(fs::read(path).expect("a mail"));
                let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                lines.push(format!(
                    "{hex}  {}\n",
                    path.strip_prefix(&root).expect("inside").display()
                ));
            }
        });
        lines.sort();
        lines.concat()
    }
    /// What this user's mail programs have asked since they logged in, in order, without tags: the server's own record.
    pub(crate) fn asked(&self, user: &str) -> Vec<String> {
        let mut lines = Vec::new();
        walk(&self.home().join("said").join(user), &mut |path| {
            if path.extension().is_some_and(|kind| kind == "in") {
                let text = fs::read(path).expect("a record");
                let text = String::from_utf8_lossy(&text).into_owned();
                lines.extend(text.lines().map(str::to_owned));
            }
        });
        lines.sort_by(|one, other| one.split(' ').next().cmp(&other.split(' ').next()));
        let bare = |line: &String| line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
        lines.iter().map(bare).collect()
    }
}

fn walk(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, each);
        } else {
            each(&path);
        }
    }
}
