//! Sources on disk: a file or a folder, named by a path.

use super::archive;
use super::disk::{self, Disk};
use super::in_order;
use super::recognise::{self, Kind};
use super::sink::Sink;
use super::walk::{Walk, entries, mail_entries};
use super::{Coverage, Source, Terms, Unit, maildir, plain};
use anyhow::{Context, anyhow, bail};
use sha2::{Digest, Sha256};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// How many bytes of an mbox on disk make one unit.
pub(super) const PIECE: u64 = 4 << 20;

/// Opens a path. What it is, its content tells.
pub(super) fn open(name: &str) -> anyhow::Result<Box<dyn Source>> {
    let path = Path::new(name);
    let cannot = || format!("cannot open '{name}'");
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(why) if why.kind() == io::ErrorKind::NotFound => bail!(
            "{}: there is no such file or folder\n  try: {}",
            cannot(),
            instead(path)
        ),
        Err(why) => bail!(
            "{}: {}\n  try: check the path and that you may read it",
            cannot(),
            plain(&why)
        ),
    };
    let kind = if metadata.is_dir() {
        let entries = entries(path).map_err(|why| {
            anyhow!(
                "{}: {}\n  try: check that you may read the folder",
                cannot(),
                plain(&why)
            )
        })?;
        let mut signs = maildir::Signs::default();
        entries
            .iter()
            .filter(|e| e.1.is_dir())
            .for_each(|e| signs.note(&e.0.to_string_lossy()));
        if signs.is_maildir() {
            "Maildir"
        } else {
            "folder"
        }
    } else if metadata.is_file() {
        let disk = Disk::open(path).map_err(|why| {
            anyhow!(
                "{}: {}\n  try: check that you may read the file",
                cannot(),
                plain(&why)
            )
        })?;
        file_kind(&disk)
            .map_err(|why| anyhow!("{}: {why}", cannot()))?
            .name()
    } else {
        bail!(
            "{}: it is neither a file nor a folder\n  try: `-` reads standard input",
            cannot()
        );
    };
    let own_name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    let own_name = own_name.or_else(|| {
        Some(
            path.canonicalize()
                .ok()?
                .file_name()?
                .to_string_lossy()
                .into_owned(),
        )
    });
    Ok(Box::new(Local {
        name: name.to_owned(),
        path: path.to_owned(),
        own_name: own_name.unwrap_or_default(),
        folder: metadata.is_dir(),
        kind,
    }))
}

/// What a named file is; what it is and the mend where it is no mail.
fn file_kind(disk: &Disk) -> anyhow::Result<Kind> {
    let unreadable =
        |why: io::Error| anyhow!("{}\n  try: check that you may read the file", plain(&why));
    let kind = recognise::recognise(&disk.prefix(recognise::PREFIX).map_err(unreadable)?);
    let within = archive::kind_within(disk, kind).map_err(|why| {
        anyhow!(
            "it is a {} that cannot be unpacked: {}\n  try: another copy of it",
            kind.name(),
            plain(&why)
        )
    })?;
    match within {
        Kind::Pst => bail!(
            "it is an Outlook store (PST), which this version does not read\n  try: export its folders as mbox or .eml, and name these"
        ),
        Kind::Compound
            if within != kind || archive::is_outlook(&mut disk::Cursor { disk, at: 0 }) =>
        {
            bail!(
                "it is an Outlook message (.msg), which this version does not read\n  try: save it as .eml, and name that"
            )
        }
        Kind::OtherArchive(name) => bail!(
            "it is {} {name}, which this version does not read\n  try: unpack it, and name the folder",
            article(name)
        ),
        Kind::Compound | Kind::Other => {
            bail!(
                "it holds no mail that ccspill can recognise\n  try: an mbox, a Maildir, a folder of .eml files, or a zip, tar or gzip of these"
            )
        }
        _ => Ok(kind),
    }
}

pub(super) fn article(name: &str) -> &'static str {
    if name.starts_with('x') { "an" } else { "a" }
}

/// What might have been meant by a path that leads nowhere.
fn instead(path: &Path) -> String {
    let parent = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let Ok(entries) = entries(parent) else {
        return format!(
            "check the path; the folder '{}' is not there either, or cannot be read",
            parent.display()
        );
    };
    let wanted = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let likeness = |name: &str| strsim::jaro_winkler(&wanted, &name.to_lowercase());
    let names = entries
        .iter()
        .map(|(name, _)| name.to_string_lossy())
        .filter(|n| likeness(n) > 0.8);
    match names.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(name) => format!("did you mean '{}'?", path.with_file_name(&*name).display()),
        None => "check the path".into(),
    }
}

/// A file or a folder.
struct Local {
    name: String,
    path: PathBuf,
    /// The last part of its path, for roles.
    own_name: String,
    folder: bool,
    kind: &'static str,
}

impl Local {
    /// Its files with their paths inside it, sorted by path. Those that cannot be listed are left out.
    fn files(&self) -> Vec<(String, PathBuf)> {
        if !self.folder {
            return vec![(self.own_name.clone(), self.path.clone())];
        }
        let (mut files, mut folders) = (Vec::new(), vec![(String::new(), self.path.clone())]);
        while let Some((prefix, folder)) = folders.pop() {
            for (name, sort) in mail_entries(&folder).unwrap_or_default() {
                let (inside, path) = (
                    format!("{prefix}{}", name.to_string_lossy()),
                    folder.join(&name),
                );
                if sort.is_dir() {
                    folders.push((inside + "/", path));
                } else if sort.is_file() {
                    files.push((inside, path));
                }
            }
        }
        files.sort_unstable();
        files
    }
}

impl Source for Local {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        self.kind
    }

    fn bytes(&self) -> Option<u64> {
        Some(
            self.files()
                .iter()
                .filter_map(|(_, path)| path.symlink_metadata().ok())
                .map(|m| m.len())
                .sum(),
        )
    }

    fn units(
        &self,
        terms: &mut Terms<'_>,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> anyhow::Result<Coverage> {
        let walk = Walk {
            name: &self.own_name,
            piece: PIECE,
            threads: terms.jobs.min(in_order::MOST),
        };
        let mut sink = Sink::new(each);
        // A caller that asked to stop knows that it did.
        let _ = if self.folder {
            walk.tree(&self.path, &mut sink)
        } else {
            walk.file(&self.path, "", &mut sink)
        };
        Ok(sink.finish())
    }

    fn stamp(&self) -> Option<String> {
        let line = |(name, path): &(String, PathBuf)| {
            let stamp = path
                .metadata()
                .map_or_else(|_| "?".into(), |m| disk::stamp(&m));
            format!("{stamp}  {name}\n")
        };
        let files = self.files();
        if !self.folder {
            return files.first().map(|f| line(f).trim_end().to_owned());
        }
        let mut hasher = Sha256::new();
        files.iter().for_each(|f| hasher.update(line(f)));
        Some(format!(
            "{} files {}",
            files.len(),
            disk::hex(&hasher.finalize())
        ))
    }

    fn sha256(&self, stop: &dyn Fn() -> bool) -> anyhow::Result<Option<String>> {
        let hash = |path: &Path| {
            let hash = Disk::open(path)
                .and_then(|disk| disk.sha256(stop))
                .map_err(|why| anyhow!("{}", plain(&why)));
            hash.with_context(|| format!("cannot read '{}'", path.display()))
        };
        if !self.folder {
            return hash(&self.path);
        }
        let mut hasher = Sha256::new();
        for (name, path) in self.files() {
            match hash(&path) {
                Ok(Some(sha256)) => hasher.update(format!("{sha256}  {name}\n")),
                Ok(None) => return Ok(None),
                // Its mail is listed as unread; the hash says as much.
                Err(_) => hasher.update(format!("cannot be read  {name}\n")),
            }
        }
        Ok(Some(disk::hex(&hasher.finalize())))
    }
}
