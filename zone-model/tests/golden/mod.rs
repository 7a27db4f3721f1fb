//! Expected output as files, to be read in diffs. `HOLDFAST_UPDATE_GOLDEN=1` rewrites them.

use std::path::PathBuf;

/// A file or folder next to this one.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The text of a file next to this one.
pub(crate) fn read(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The file holds exactly `actual`.
pub(crate) fn check(name: &str, actual: &str) {
    if std::env::var_os("HOLDFAST_UPDATE_GOLDEN").is_some() {
        std::fs::write(path(name), actual).unwrap();
        return;
    }
    let expected = read(name);
    for (number, (expected, actual)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(expected, actual, "{name}, line {}", number + 1);
    }
    assert_eq!(expected.lines().count(), actual.lines().count(), "{name}: lines");
}
