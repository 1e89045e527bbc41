//! What differs between systems: private files, Ctrl-C. Everything else is portable.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Makes a folder that only its owner may enter (0700), with its parents.
///
/// # Errors
/// Those of the file system.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700).create(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
    }
    #[cfg(not(unix))]
    builder.create(path)
}

/// Makes, or empties, a file that only its owner may read and write (0600).
///
/// # Errors
/// Those of the file system.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Answers Ctrl-C and a polite kill: the first sets `stop`, the second ends the process with status 130.
///
/// # Errors
/// Where the system refuses a handler.
pub fn on_interrupt(stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
    let stop = Arc::clone(stop);
    ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        crate::terminal::note(
            "stopping; what has been read is kept. Press Ctrl-C again to stop at once",
        );
    })?;
    Ok(())
}
