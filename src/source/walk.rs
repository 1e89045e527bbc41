//! Walks a folder on disk in a fixed order: of each folder first its files, then its subfolders, sorted by bytes. Symbolic
//! links are not followed, so there are no loops; pipes and devices are never opened.

use std::fs::Metadata;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::{self, Spot, named_as_mail, unreadable};
use super::disk::{Cursor, Disk};
use super::recognise::{Kind, PREFIX, recognise};
use super::role::role;
use super::sink::{Flow, Sink};
use super::{Folder, Marks, eml, maildir, mbox};

/// Bytes of an mbox that one unit covers.
pub(super) const PIECE: u64 = 4 << 20;
/// How many files one unit covers, and how many bytes.
const FILES: usize = 256;
const FILES_BYTES: u64 = 4 << 20;
/// How deep folders are entered.
const DEEPEST: usize = 200;

/// What stands in a folder.
pub(super) enum Entry<'a> {
    /// A regular file: where, its path inside the source.
    File(&'a Path, &'a str, &'a Metadata),
    /// A symbolic link, which is not followed.
    Link,
    /// A pipe, socket or device.
    Special,
    /// What cannot be looked at, and why.
    Unreadable(&'a str, String),
}

/// Visits everything below `root`.
pub(super) fn visit(root: &Path, each: &mut dyn FnMut(Entry<'_>) -> Flow) -> Flow {
    let mut waiting: Vec<(PathBuf, String, usize)> = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, inside, depth)) = waiting.pop() {
        if depth > DEEPEST {
            each(Entry::Unreadable(
                &inside,
                format!("folders stand in one another more than {DEEPEST} deep"),
            ))?;
            continue;
        }
        let mut entries = match std::fs::read_dir(&folder)
            .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        {
            Ok(entries) => entries,
            Err(error) => {
                each(Entry::Unreadable(
                    &inside,
                    format!("the folder cannot be opened: {error}"),
                ))?;
                continue;
            }
        };
        // A case is made from mail and is none, wherever somebody put it.
        if entries.iter().any(|entry| entry.file_name() == "case.db") {
            continue;
        }
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let mut below = Vec::new();
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if inside.is_empty() {
                name
            } else {
                format!("{inside}/{name}")
            };
            match entry.metadata() {
                Err(error) => each(Entry::Unreadable(
                    &path,
                    format!("cannot be looked at: {error}"),
                ))?,
                Ok(metadata) if metadata.is_symlink() => each(Entry::Link)?,
                Ok(metadata) if metadata.is_dir() => below.push((entry.path(), path, depth + 1)),
                Ok(metadata) if metadata.is_file() => {
                    each(Entry::File(&entry.path(), &path, &metadata))?
                }
                Ok(_) => each(Entry::Special)?,
            }
        }
        waiting.extend(below.into_iter().rev());
    }
    ControlFlow::Continue(())
}

/// Hands out everything below a folder.
pub(super) fn folder(root: &Path, sink: &mut Sink<'_>) -> Flow {
    let mut mails = Mails::default();
    visit(root, &mut |entry| match entry {
        Entry::Link => {
            sink.links += 1;
            ControlFlow::Continue(())
        }
        Entry::Special => {
            sink.special += 1;
            ControlFlow::Continue(())
        }
        Entry::Unreadable(path, reason) => {
            mails.flush(sink)?;
            sink.unread(&Spot::new(path).folder(), None, None, reason)
        }
        Entry::File(path, inside, metadata) => file(path, inside, metadata, &mut mails, sink),
    })?;
    mails.flush(sink)
}

fn file(
    path: &Path,
    inside: &str,
    metadata: &Metadata,
    mails: &mut Mails,
    sink: &mut Sink<'_>,
) -> Flow {
    let (parent, position, marks) = maildir::place(inside);
    match inside.rsplit('/').nth(1) {
        Some("cur" | "new") if hidden(inside) => {
            sink.not_mail += 1;
            return ControlFlow::Continue(());
        }
        Some("cur" | "new") => {
            return mails.add(parent, mail(path, position, marks, metadata), sink);
        }
        Some("tmp") if is_maildir(path) => return ControlFlow::Continue(()),
        _ => {}
    }
    let unread = |mails: &mut Mails, sink: &mut Sink<'_>, reason: String| {
        mails.flush(sink)?;
        sink.unread(
            &Spot::new(inside).folder(),
            None,
            Some(metadata.len()),
            reason,
        )
    };
    let opened = Disk::open(path).and_then(|disk| disk.prefix(PREFIX).map(|prefix| (disk, prefix)));
    let (disk, prefix) = match opened {
        Ok(opened) => opened,
        Err(error) => return unread(mails, sink, format!("cannot be opened: {error}")),
    };
    match recognise(&prefix) {
        kind @ (Kind::Mail | Kind::Emlx) => {
            sink.partial += u64::from(kind == Kind::Emlx && inside.ends_with(".partial.emlx"));
            mails.add(parent, mail(path, position, marks, metadata), sink)
        }
        Kind::Mbox(first, habit) => {
            mails.flush(sink)?;
            mbox::ranges(
                &Arc::new(disk),
                first,
                habit,
                &mbox_folder(inside),
                PIECE,
                sink,
            )
        }
        kind @ (Kind::Gzip | Kind::Zstd | Kind::Tar | Kind::Zip) => {
            mails.flush(sink)?;
            archive::on_disk(&disk, kind, &Spot::new(inside), sink)
        }
        kind => match unreadable(kind, &inside.to_lowercase()) {
            _ if named_as_mail(inside) => {
                mails.add(parent, mail(path, position, marks, metadata), sink)
            }
            Some(reason) => unread(mails, sink, reason),
            None => {
                sink.not_mail += 1;
                ControlFlow::Continue(())
            }
        },
    }
}

/// Whether a name begins with a dot: in a Maildir such a file is no message.
fn hidden(path: &str) -> bool {
    path.rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with('.'))
}

/// The folder of an mbox: Apple Mail keeps it as a file `mbox` in a package that has the folder's name.
fn mbox_folder(inside: &str) -> Arc<Folder> {
    let chain = inside.strip_suffix("/mbox").unwrap_or(inside);
    Arc::new(Folder {
        chain: chain.to_owned(),
        role: role(chain),
    })
}

fn mail(path: &Path, position: &str, marks: Marks, metadata: &Metadata) -> eml::Mail {
    eml::Mail {
        path: path.to_owned(),
        position: position.to_owned(),
        marks,
        size: metadata.len(),
    }
}

/// Whether a file in a folder `tmp` stands in a Maildir.
fn is_maildir(path: &Path) -> bool {
    path.parent()
        .and_then(Path::parent)
        .is_some_and(|folder| folder.join("cur").is_dir())
}

/// Files that are messages, gathered into units.
#[derive(Default)]
struct Mails {
    folder: Option<Arc<Folder>>,
    files: Vec<eml::Mail>,
    bytes: u64,
}

impl Mails {
    fn add(&mut self, chain: &str, mail: eml::Mail, sink: &mut Sink<'_>) -> Flow {
        if self
            .folder
            .as_ref()
            .is_some_and(|folder| folder.chain != chain)
        {
            self.flush(sink)?;
        }
        self.folder.get_or_insert_with(|| {
            Arc::new(Folder {
                chain: chain.to_owned(),
                role: role(chain),
            })
        });
        self.bytes += mail.size;
        self.files.push(mail);
        if self.files.len() >= FILES || self.bytes >= FILES_BYTES {
            self.flush(sink)
        } else {
            ControlFlow::Continue(())
        }
    }

    fn flush(&mut self, sink: &mut Sink<'_>) -> Flow {
        let files = std::mem::take(&mut self.files);
        self.bytes = 0;
        match self.folder.take() {
            Some(folder) if !files.is_empty() => sink.unit(Box::new(eml::Files { folder, files })),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Hands out one file that was named itself.
pub(super) fn single(disk: &Arc<Disk>, kind: Kind, path: &Path, sink: &mut Sink<'_>) -> Flow {
    match kind {
        Kind::Mbox(first, habit) => {
            mbox::ranges(disk, first, habit, &Spot::new("").folder(), PIECE, sink)
        }
        Kind::Mail | Kind::Emlx => {
            let name = path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let folder = Spot::new("").folder();
            let mut flow = ControlFlow::Continue(());
            eml::give(
                &mut Cursor { disk, at: 0 },
                &folder,
                &name,
                maildir::marks(&name),
                &mut |item| flow = sink.item(&folder, item),
            );
            flow
        }
        Kind::Empty => ControlFlow::Continue(()),
        kind => archive::on_disk(disk, kind, &Spot::new(""), sink),
    }
}
