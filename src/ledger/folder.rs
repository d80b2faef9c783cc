//! Whole files in a folder, written so that a reader never sees half of one.
//!
//! The store in a folder, the spool and the cache are made of these. Everything here blocks; the
//! callers decide where that may happen. `object_store`'s own local store is not used, because the
//! version that the query engine pins cannot fsync.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` to the new file `path` and waits until the disk has them. Missing folders are
/// made.
///
/// The file gets its name when it is complete, and the one fsync comes after that, so that it
/// covers the name, too. A power cut in between can leave an empty file, which was then never
/// acknowledged.
///
/// # Errors
/// `AlreadyExists` when there is such a file; else what the file system says.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (file, staged) = stage(path, bytes)?;
    let linked = fs::hard_link(&staged, path);
    remove_if_there(&staged)?;
    linked?;
    file.sync_all()
}

/// Writes `bytes` to `path` in place of what was there. Not synced: for what can be made again.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (file, staged) = stage(path, bytes)?;
    drop(file);
    fs::rename(&staged, path).inspect_err(|_| {
        remove_if_there(&staged).ok();
    })
}

/// The content of `path`, or `None` when it (or its folder) is not there.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names of the finished files in `folder`, sorted; none when the folder is not there.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is not UTF-8 is none of ours; one that starts with a dot is being written.
        if let Ok(name) = entry?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Removes `path`; that somebody else already did is fine.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A complete, hidden file beside `path`.
fn stage(path: &Path, bytes: &[u8]) -> io::Result<(File, PathBuf)> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let staged = folder.join(format!(
        ".{}-{:016x}",
        std::process::id(),
        fastrand::u64(..)
    ));
    let open = || {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&staged)
    };
    let mut file = match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            open()?
        }
        opened => opened?,
    };
    match file.write_all(bytes) {
        Ok(()) => Ok((file, staged)),
        Err(error) => {
            remove_if_there(&staged).ok();
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_creation_of_a_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/file");
        create(&path, b"first").unwrap();
        let error = create(&path, b"second").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(read(&path).unwrap().unwrap(), b"first");
        assert_eq!(names(path.parent().unwrap()).unwrap(), ["file"]);
        let hidden = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(hidden, 1, "nothing half-written stays behind");
    }

    #[test]
    fn replacing_leaves_one_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"first").unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"second");
    }

    #[test]
    fn a_missing_folder_reads_as_empty_and_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        assert!(names(&missing).unwrap().is_empty());
        assert!(read(&missing.join("file")).unwrap().is_none());
        assert!(!missing.exists());
    }
}
