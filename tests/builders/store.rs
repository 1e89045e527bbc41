//! Stores on disk: every kind of file and folder that mail lies in.

use super::mail::{Eol, Mailbox, Quoting};
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file or a folder that lives as long as this value.
#[derive(Debug)]
pub(crate) struct Store {
    home: TempDir,
    path: PathBuf,
}

impl AsRef<Path> for Store {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl Store {
    /// One file.
    pub(crate) fn file(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let store = Store::folder([(name, bytes)]);
        Store {
            path: store.home.path().join(name),
            ..store
        }
    }
    /// A folder of files, each with its path inside it.
    pub(crate) fn folder<N: AsRef<str>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (N, B)>,
    ) -> Self {
        let home = tempfile::Builder::new()
            .prefix("ccspill-test-")
            .tempdir()
            .expect("a folder for a test");
        let store = Store {
            path: home.path().to_owned(),
            home,
        };
        for (name, bytes) in files {
            store.put(name.as_ref(), bytes.as_ref());
        }
        store
    }
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
    /// Its path as text.
    pub(crate) fn text(&self) -> String {
        self.path
            .to_str()
            .expect("a path of our own making")
            .to_owned()
    }
    /// Adds a file to the folder (or beside the one file) and tells where. A name that ends with `/` is a folder.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.home.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(&path).expect("a folder in a folder");
            return path;
        }
        fs::create_dir_all(path.parent().expect("a file in a folder"))
            .expect("a folder for a file");
        fs::write(&path, bytes).expect("a file for a test");
        path
    }
}

impl Mailbox {
    /// An mboxrd file with Unix line ends.
    pub(crate) fn mbox(&self) -> Store {
        Store::file("Sent.mbox", self.rd())
    }
    /// The bytes of [`Mailbox::mbox`].
    pub(crate) fn rd(&self) -> Vec<u8> {
        self.bytes(Quoting::Rd, Eol::Lf)
    }
    /// An mboxo file.
    pub(crate) fn mboxo(&self) -> Store {
        Store::file("Sent", self.bytes(Quoting::O, Eol::Lf))
    }
    /// An mboxcl file.
    pub(crate) fn mboxcl(&self) -> Store {
        Store::file("sent-mail", self.bytes(Quoting::Cl, Eol::Lf))
    }
    /// An mboxcl2 file.
    pub(crate) fn mboxcl2(&self) -> Store {
        Store::file("sent.mbx", self.bytes(Quoting::Cl2, Eol::Lf))
    }
    /// An mboxrd file with Windows line ends.
    pub(crate) fn crlf(&self) -> Store {
        Store::file("Sent.mbox", self.bytes(Quoting::Rd, Eol::Crlf))
    }
    /// An mboxrd file of a classic Mac.
    pub(crate) fn bare_cr(&self) -> Store {
        Store::file("Out", self.bytes(Quoting::Rd, Eol::Cr))
    }
    /// A Maildir in a folder.
    pub(crate) fn maildir(&self) -> Store {
        Store::folder(self.in_maildir("Sent"))
    }
    /// A Maildir++: an empty inbox, and `.Sent` inside it.
    pub(crate) fn maildir_plus(&self) -> Store {
        let inbox = ["cur/", "new/", "tmp/"].map(|part| (part.to_owned(), Vec::new()));
        Store::folder(inbox.into_iter().chain(self.in_maildir(".Sent")))
    }
    /// The files of a Maildir folder of this name.
    pub(crate) fn in_maildir(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let mails = self.each().enumerate();
        let mut files: Vec<_> = mails
            .map(|(i, mail)| {
                (
                    format!("{folder}/cur/17092836{i:05}.M{i}P1.host:2,S"),
                    unix(mail),
                )
            })
            .collect();
        files.extend(["new", "tmp"].map(|part| (format!("{folder}/{part}/"), Vec::new())));
        files
    }
    /// A folder of `.eml` files, one below the other.
    pub(crate) fn eml(&self) -> Store {
        Store::folder(
            self.each()
                .enumerate()
                .map(|(i, mail)| (format!("2024/{i:05}.eml"), mail)),
        )
    }
    /// Apple Mail's folder of `.emlx` files.
    pub(crate) fn emlx(&self) -> Store {
        Store::folder(self.each().enumerate().map(|(i, mail)| {
            let mail = unix(mail);
            let mut file = format!("{}\n", mail.len()).into_bytes();
            file.extend_from_slice(&mail);
            file.extend_from_slice(
                b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n<key>flags</key>\n\
                  <integer>8590195713</integer>\n</dict>\n</plist>\n",
            );
            (format!("V10/Sent.mbox/Data/Messages/{}.emlx", i + 1), file)
        }))
    }
    /// Apple Mail's `.mbox` package: a folder that holds the file `mbox`.
    pub(crate) fn package(&self) -> Store {
        Store::folder([
            ("Sent.mbox/mbox", self.rd()),
            ("Sent.mbox/table_of_contents", b"\0\x01\x02\x03".to_vec()),
        ])
    }
    /// A gzipped mbox.
    pub(crate) fn gzip(&self) -> Store {
        Store::file("Sent.mbox.gz", gzip(&self.rd()))
    }
    /// A zstd-compressed mbox.
    pub(crate) fn zstd(&self) -> Store {
        Store::file("Sent.mbox.zst", zstd(&self.rd()))
    }
    /// A Takeout-like zip.
    pub(crate) fn zip(&self) -> Store {
        Store::file("takeout.zip", zip([("Takeout/Mail/Sent.mbox", self.rd())]))
    }
    /// A tar.
    pub(crate) fn tar(&self) -> Store {
        Store::file("export.tar", tar([("mail/Sent.mbox", self.rd())]))
    }
    /// A gzipped tar.
    pub(crate) fn tar_gz(&self) -> Store {
        Store::file("export.tar.gz", gzip(&tar([("mail/Sent.mbox", self.rd())])))
    }
}

fn unix(mail: Vec<u8>) -> Vec<u8> {
    mail.into_iter().filter(|b| *b != b'\r').collect()
}

/// Gzipped.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes)
        .and_then(|()| out.finish())
        .expect("gzip in memory")
}

/// Zstd-compressed.
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("zstd in memory")
}

/// A zip of these files.
pub(crate) fn zip<N: AsRef<str>, B: AsRef<[u8]>>(
    files: impl IntoIterator<Item = (N, B)>,
) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        out.start_file(name.as_ref(), zip::write::SimpleFileOptions::default())
            .expect("zip in memory");
        out.write_all(bytes.as_ref()).expect("zip in memory");
    }
    out.finish().expect("zip in memory").into_inner()
}

/// A tar of these files.
pub(crate) fn tar<N: AsRef<str>, B: AsRef<[u8]>>(
    files: impl IntoIterator<Item = (N, B)>,
) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.as_ref().len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        out.append_data(&mut header, name.as_ref(), bytes.as_ref())
            .expect("tar in memory");
    }
    out.into_inner().expect("tar in memory")
}
