//! A file or a folder on disk as a source. What it is, is seen from its content; a named one that holds no mail is an
//! error.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::archive::{prefix, unpack, unreadable};
use super::disk::{Cursor, Disk, hex, stamp};
use super::recognise::{Kind, PREFIX, recognise};
use super::sink::Sink;
use super::walk::{self, Entry};
use super::{Coverage, Source, Unit};

struct Store {
    name: String,
    path: PathBuf,
    root: Root,
}

enum Root {
    File(Arc<Disk>, Kind),
    Folder(&'static str),
}

/// Opens a path.
pub(super) fn open(name: &str) -> anyhow::Result<Box<dyn Source>> {
    let path = PathBuf::from(name);
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "cannot open '{name}': there is no such file or folder\n  try: {}",
            similar(&path)
        ),
        Err(error) => bail!("cannot open '{name}': {error}\n  try: check that you may read it"),
    };
    if metadata.is_dir() {
        let kind = folder_kind(&path);
        std::fs::read_dir(&path).with_context(|| {
            format!("cannot open '{name}'\n  try: check that you may read the folder")
        })?;
        return Ok(Box::new(Store {
            name: name.to_owned(),
            path,
            root: Root::Folder(kind),
        }));
    }
    let cannot = || format!("cannot open '{name}'\n  try: check that you may read it");
    let disk = Disk::open(&path).with_context(cannot)?;
    let bytes = disk.prefix(PREFIX).with_context(cannot)?;
    let kind = match recognise(&bytes) {
        // A file with the name of a message is one, however broken its head.
        Kind::Other
            if path
                .extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("eml"))
                && bytes.contains(&b':')
                && !bytes.contains(&0) =>
        {
            Kind::Mail
        }
        kind => kind,
    };
    refuse(name, kind, &disk)?;
    Ok(Box::new(Store {
        name: name.to_owned(),
        path,
        root: Root::File(Arc::new(disk), kind),
    }))
}

/// Says of a named file that it is no mail.
fn refuse(name: &str, kind: Kind, disk: &Disk) -> anyhow::Result<()> {
    let no_mail = "name an mbox, a Maildir, a folder of .eml files, or an archive of these";
    match kind {
        // An empty file is an mbox without messages.
        Kind::Mbox(..) | Kind::Mail | Kind::Emlx | Kind::Zip | Kind::Tar | Kind::Empty => Ok(()),
        Kind::Gzip | Kind::Zstd => {
            let unpacked = unpack(Box::new(Cursor { disk, at: 0 }), kind)
                .map(|mut inner| prefix(&mut (&mut inner as &mut dyn Read)));
            match unpacked {
                Some(Ok(bytes)) if matches!(recognise(&bytes), Kind::Other | Kind::Empty) => bail!(
                    "cannot open '{name}': what is compressed in it is no mail\n  try: {no_mail}"
                ),
                _ => Ok(()),
            }
        }
        kind => match unreadable(kind, ".msg")
            .filter(|_| kind != Kind::Compound || name.to_lowercase().ends_with(".msg"))
        {
            Some(_) if kind == Kind::Pst => bail!(
                "cannot open '{name}': it is an Outlook store (PST or OST), which this version does not read\n  try: export the folder as mbox or .eml and scan that"
            ),
            Some(_) if kind == Kind::Compound => bail!(
                "cannot open '{name}': it is an Outlook message (MSG), which this version does not read\n  try: save it as .eml or text and scan that"
            ),
            Some(_) => bail!(
                "cannot open '{name}': it is a {}, which this version does not read\n  try: unpack it and scan what is in it",
                kind.name()
            ),
            None => bail!(
                "cannot open '{name}': it holds no mail that ccspill can recognise\n  try: {no_mail}"
            ),
        },
    }
}

/// What to try where nothing stands: a name that looks like it.
fn similar(path: &Path) -> String {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let wanted = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let Ok(entries) = std::fs::read_dir(folder) else {
        return format!(
            "the folder '{}' is not there either; check the path",
            folder.display()
        );
    };
    let names = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let near = names
        .map(|name| {
            (
                strsim::damerau_levenshtein(&name.to_lowercase(), &wanted.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| {
            *distance <= 1 + name.chars().count().max(wanted.chars().count()) / 3
        })
        .min();
    match near {
        Some((_, name)) => format!("did you mean '{}'?", path.with_file_name(name).display()),
        None => "check the path; put it in quotes if it holds a space".to_owned(),
    }
}

/// What a folder is, for people.
fn folder_kind(path: &Path) -> &'static str {
    let maildir = |path: &Path| path.join("cur").is_dir() && path.join("new").is_dir();
    let below = || {
        std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .any(|entry| maildir(&entry.path()))
    };
    if maildir(path) || below() {
        "Maildir"
    } else {
        "folder"
    }
}

impl Source for Store {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        match &self.root {
            Root::File(_, kind) => kind.name(),
            Root::Folder(kind) => kind,
        }
    }

    fn bytes(&self) -> Option<u64> {
        match &self.root {
            Root::File(disk, _) => Some(disk.len()),
            Root::Folder(_) => {
                let mut sum = 0;
                let _ = walk::visit(&self.path, &mut |entry| {
                    if let Entry::File(_, _, metadata) = entry {
                        sum += metadata.len();
                    }
                    ControlFlow::Continue(())
                });
                Some(sum)
            }
        }
    }

    fn units(
        &self,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> anyhow::Result<Coverage> {
        let mut sink = Sink::new(each);
        // Where the caller asked to stop, it knows.
        let _ = match &self.root {
            Root::File(disk, kind) => walk::single(disk, *kind, &self.path, &mut sink),
            Root::Folder(_) => walk::folder(&self.path, &mut sink),
        };
        Ok(sink.finish())
    }

    fn stamp(&self) -> Option<String> {
        match &self.root {
            Root::File(..) => std::fs::metadata(&self.path)
                .ok()
                .map(|metadata| stamp(&metadata)),
            Root::Folder(_) => {
                let mut hash = Sha256::new();
                let _ = walk::visit(&self.path, &mut |entry| {
                    if let Entry::File(_, inside, metadata) = entry {
                        hash.update(format!("{} {inside}\n", stamp(metadata)));
                    }
                    ControlFlow::Continue(())
                });
                Some(hex(&hash.finalize()))
            }
        }
    }

    fn sha256(&self, stop: &dyn Fn() -> bool) -> anyhow::Result<Option<String>> {
        match &self.root {
            Root::File(disk, _) => disk
                .sha256(stop)
                .with_context(|| format!("cannot hash '{}'", self.name)),
            Root::Folder(_) => {
                let mut lines: Vec<(String, String)> = Vec::new();
                let flow = walk::visit(&self.path, &mut |entry| {
                    let Entry::File(path, inside, _) = entry else {
                        return ControlFlow::Continue(());
                    };
                    let hash = Disk::open(path).and_then(|disk| disk.sha256(stop));
                    match hash {
                        Ok(Some(hash)) => lines.push((inside.to_owned(), hash)),
                        Ok(None) => return ControlFlow::Break(()),
                        // The reader lists it as unread; the hash says so as well.
                        Err(_) => lines.push((inside.to_owned(), "cannot be read".to_owned())),
                    }
                    ControlFlow::Continue(())
                });
                lines.sort();
                let text: String = lines
                    .iter()
                    .map(|(path, hash)| format!("{hash}  {path}\n"))
                    .collect();
                Ok(flow
                    .is_continue()
                    .then(|| hex(&Sha256::digest(text.as_bytes()))))
            }
        }
    }
}
