//! A folder on disk: a Maildir, a folder of messages, a tree of mbox files as Thunderbird, Apple Mail and Takeout
//! leave it, or any mixture of these with other files.
//!
//! Every file is recognised by its content, so Thunderbird's `Sent` beside `Sent.msf` and Apple Mail's `Sent.mbox/mbox`
//! or `Sent.mbox/Messages/1.emlx` need no rule of their own. Names are taken in byte order. Symbolic links are not
//! followed, so there are no loops, and nothing but regular files is opened.

use super::archive::{self, Place};
use super::disk::Disk;
use super::eml::{File, Files};
use super::maildir::{self, Signs};
use super::recognise::{self, Kind};
use super::sink::{Flow, Sink};
use super::{Folder, Position, Role, mbox, plain};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known of a source while it is walked.
pub(super) struct Walk<'w> {
    /// The source's own name, for the roles of its folders.
    pub(super) name: &'w str,
    /// How many bytes of an mbox make a unit.
    pub(super) piece: u64,
    /// How many threads may unpack members of an archive.
    pub(super) threads: usize,
}

/// A file or a folder that is still to be read, with its chain inside the source.
enum Task {
    File(PathBuf, String),
    Folder(PathBuf, String),
}

impl Walk<'_> {
    /// The folder with this chain.
    pub(super) fn folder(&self, chain: &str) -> Arc<Folder> {
        let role = Role::of(&format!("{}/{chain}", self.name));
        Arc::new(Folder {
            chain: chain.to_owned(),
            role,
            validity: 0,
        })
    }

    /// Hands out what the folder `root` holds.
    pub(super) fn tree(&self, root: &Path, sink: &mut Sink<'_>) -> Flow {
        // A list of its own and no recursion: folders may be nested deeper than a thread's stack.
        let mut tasks = vec![Task::Folder(root.to_owned(), String::new())];
        while let Some(task) = tasks.pop() {
            match task {
                Task::File(path, chain) => self.file(&path, &chain, sink)?,
                Task::Folder(path, chain) => self.list(&path, &chain, &mut tasks, sink)?,
            }
        }
        ControlFlow::Continue(())
    }

    /// Hands out what a folder itself holds, and notes what lies further down.
    fn list(&self, path: &Path, chain: &str, tasks: &mut Vec<Task>, sink: &mut Sink<'_>) -> Flow {
        let folder = self.folder(chain);
        let entries = match mail_entries(path) {
            Ok(entries) => entries,
            Err(why) => {
                return sink.unread(
                    &folder,
                    None,
                    None,
                    format!("the folder cannot be read: {}", plain(&why)),
                );
            }
        };
        let mut signs = Signs::default();
        entries
            .iter()
            .filter(|e| e.1.is_dir())
            .for_each(|e| signs.note(&e.0.to_string_lossy()));
        let (mut files, mut below) = (Vec::new(), Vec::new());
        for (name, sort) in entries {
            let shown = name.to_string_lossy().into_owned();
            let path = path.join(&name);
            if sort.is_dir() && signs.is_maildir() && shown == "tmp" {
                continue;
            } else if sort.is_dir()
                && signs.is_maildir()
                && maildir::HOLDING.contains(&shown.as_str())
            {
                self.maildir(&path, &shown, chain, signs, &mut files, &mut below, sink)?;
            } else if sort.is_dir() {
                below.push(Task::Folder(path, under(chain, &shown)));
            } else {
                let position = shown.clone();
                if let Some(file) = self.entry(path.clone(), position, sort, &folder, sink)? {
                    files.extend(file.mail);
                    below.extend(file.other.then(|| Task::File(path, under(chain, &shown))));
                }
            }
        }
        tasks.extend(below.into_iter().rev());
        for unit in Files::units(&folder, files) {
            sink.unit(Box::new(unit))?;
        }
        ControlFlow::Continue(())
    }

    /// Notes the messages in a Maildir's `cur` or `new`.
    #[allow(
        clippy::too_many_arguments,
        reason = "two lists to fill and two names for one place"
    )]
    fn maildir(
        &self,
        dir: &Path,
        holder: &str,
        chain: &str,
        signs: Signs,
        files: &mut Vec<File>,
        below: &mut Vec<Task>,
        sink: &mut Sink<'_>,
    ) -> Flow {
        let folder = self.folder(chain);
        let entries = match entries(dir) {
            Ok(entries) => entries,
            Err(why) => {
                let position = Some(Position::Path(holder.to_owned()));
                return sink.unread(
                    &folder,
                    position,
                    None,
                    format!("the folder cannot be read: {}", plain(&why)),
                );
            }
        };
        for (name, sort) in entries {
            let shown = name.to_string_lossy().into_owned();
            let path = dir.join(&name);
            let position = format!("{holder}/{shown}");
            if sort.is_dir() {
                below.push(Task::Folder(path, under(chain, &position)));
            } else if sort.is_file() && signs.is_surely() && !shown.starts_with('.') {
                let bytes = path.symlink_metadata().map_or(0, |m| m.len());
                files.push(File {
                    path,
                    position,
                    bytes,
                    marks: maildir::marks(&shown),
                });
            } else if let Some(found) =
                self.entry(path.clone(), position.clone(), sort, &folder, sink)?
            {
                files.extend(found.mail);
                below.extend(
                    found
                        .other
                        .then(|| Task::File(path, under(chain, &position))),
                );
            }
        }
        ControlFlow::Continue(())
    }

    /// Looks at one entry that is no folder.
    fn entry(
        &self,
        path: PathBuf,
        position: String,
        sort: fs::FileType,
        folder: &Arc<Folder>,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<(), Option<Found>> {
        if sort.is_symlink() {
            sink.counts.links += 1;
            return ControlFlow::Continue(None);
        }
        if !sort.is_file() {
            sink.counts.special += 1;
            return ControlFlow::Continue(None);
        }
        let looked = Disk::open(&path).and_then(|disk| {
            Ok((
                disk.len(),
                recognise::recognise(&disk.prefix(recognise::PREFIX)?),
            ))
        });
        let found = match looked {
            Ok((_, kind)) if kind.is_unknown() && !maildir::is_named_as_mail(&position) => {
                sink.counts.not_mail += 1;
                None
            }
            Ok((bytes, Kind::Mail | Kind::Emlx | Kind::Empty | Kind::Other)) => {
                sink.counts.partial += u64::from(position.ends_with(".partial.emlx"));
                let marks = maildir::marks(&position);
                Some(Found {
                    mail: Some(File {
                        path,
                        position,
                        bytes,
                        marks,
                    }),
                    other: false,
                })
            }
            Ok(_) => Some(Found {
                mail: None,
                other: true,
            }),
            Err(why) => {
                let bytes = path.symlink_metadata().ok().map(|m| m.len());
                sink.unread(
                    folder,
                    Some(Position::Path(position)),
                    bytes,
                    format!("the file cannot be read: {}", plain(&why)),
                )?;
                None
            }
        };
        ControlFlow::Continue(found)
    }

    /// Hands out what one file holds. `chain` leads to it; empty where the file is the source.
    pub(super) fn file(&self, path: &Path, chain: &str, sink: &mut Sink<'_>) -> Flow {
        // Apple Mail keeps an mbox as a file of this name in a package that has the folder's name.
        let folder = self.folder(chain.strip_suffix("/mbox").unwrap_or(chain));
        let opened = Disk::open(path)
            .and_then(|disk| Ok((recognise::recognise(&disk.prefix(recognise::PREFIX)?), disk)));
        let (kind, disk) = match opened {
            Ok((kind, disk)) => (kind, Arc::new(disk)),
            Err(why) => {
                return sink.unread(
                    &folder,
                    None,
                    None,
                    format!("the file cannot be read: {}", plain(&why)),
                );
            }
        };
        match kind {
            Kind::Mbox(first, habit) => {
                mbox::ranges(&disk, first, habit, &folder, self.piece, sink)
            }
            Kind::Mail | Kind::Emlx => {
                let position = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                let marks = maildir::marks(&position);
                let file = File {
                    path: path.to_owned(),
                    position,
                    bytes: disk.len(),
                    marks,
                };
                sink.unit(Box::new(Files {
                    folder,
                    files: vec![file],
                }))
            }
            // An mbox without messages.
            Kind::Empty if chain.is_empty() => ControlFlow::Continue(()),
            kind => archive::disk(&disk, kind, &Place::of_file(self, chain), sink),
        }
    }
}

/// What an entry of a folder was found to be.
struct Found {
    mail: Option<File>,
    /// A file of many messages, an archive, or one that has to be listed as unread.
    other: bool,
}

fn under(chain: &str, name: &str) -> String {
    if chain.is_empty() {
        name.to_owned()
    } else {
        format!("{chain}/{name}")
    }
}

/// The entries of a folder that may be mail, in byte order. A case is made from mail and is none, wherever it lies.
pub(super) fn mail_entries(path: &Path) -> io::Result<Vec<(OsString, fs::FileType)>> {
    let mut entries = entries(path)?;
    let a_case =
        |(name, _): &(OsString, fs::FileType)| name == "case.db" && is_database(&path.join(name));
    if entries.iter().any(a_case) {
        entries.clear();
    }
    Ok(entries)
}

/// Whether a file is an SQLite database, or one that is being made.
fn is_database(path: &Path) -> bool {
    let read = Disk::open(path).and_then(|disk| disk.prefix(16));
    read.is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3"))
}

/// The entries of a folder in byte order.
pub(super) fn entries(path: &Path) -> io::Result<Vec<(OsString, fs::FileType)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        entries.push((entry.file_name(), entry.file_type()?));
    }
    entries.sort_unstable_by(|a, b| a.0.as_encoded_bytes().cmp(b.0.as_encoded_bytes()));
    Ok(entries)
}
