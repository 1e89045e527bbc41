//! Texts that stand in files: compared as they are, rewritten with `BLESS=1 cargo test`, reviewed as a diff.

use std::fs;
use std::path::Path;

/// Compares `actual` with the file of this name in `tests/golden`.
pub(crate) fn golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a file in a folder"))
            .expect("the folder of golden files");
        return fs::write(&path, actual).expect("a golden file");
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|why| {
        panic!(
            "{}: {why}; the program says:\n{actual}\nBLESS=1 writes it",
            path.display()
        )
    });
    assert_eq!(
        actual, expected,
        "{name} says otherwise; BLESS=1 rewrites it where the new text is right"
    );
}
