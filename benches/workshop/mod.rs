//! The folder in which a bench makes its files, and for how long they stay.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::invented;

/// Where files are made, and for how long they stay.
pub(crate) struct Workshop {
    folder: PathBuf,
    /// Removes the folder when the run ends.
    passing: Option<tempfile::TempDir>,
}

impl Workshop {
    /// On the disk that the program is built on: a folder for temporary files may be in memory.
    pub(crate) fn new(kept: Option<&Path>) -> io::Result<Self> {
        match kept {
            Some(folder) => {
                fs::create_dir_all(folder)?;
                Ok(Workshop {
                    folder: fs::canonicalize(folder)?,
                    passing: None,
                })
            }
            None => {
                let passing = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
                Ok(Workshop {
                    folder: passing.path().to_owned(),
                    passing: Some(passing),
                })
            }
        }
    }

    /// The file of this name, made if it is not there.
    pub(crate) fn file(&self, name: &str) -> io::Result<PathBuf> {
        let file = self.folder.join(format!("{}.mbox", name.to_lowercase()));
        if !file.is_file() {
            invented::make(name, &file)?;
        }
        Ok(file)
    }

    /// Makes room for the next file, unless files are kept.
    pub(crate) fn done_with(&self, file: &Path) -> io::Result<()> {
        if self.passing.is_some() && file.starts_with(&self.folder) {
            fs::remove_file(file)?;
        }
        Ok(())
    }

    /// An empty folder beside the files, gone when the value is.
    pub(crate) fn room(&self) -> io::Result<tempfile::TempDir> {
        tempfile::Builder::new()
            .prefix("room-")
            .tempdir_in(&self.folder)
    }
}
