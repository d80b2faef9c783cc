//! Where log objects are: a folder, a bucket, the embedded cloud's storage.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// A log object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its path below the place that was named.
    pub name: String,
    /// Bytes, as it lies there.
    pub size: u64,
    /// With name and size, what a cache knows it by.
    pub modified: Timestamp,
}

/// A place that holds log objects.
pub trait Objects: Debug + Send + Sync {
    /// All objects, in the order of their names. Called from a thread of the engine, which may wait.
    ///
    /// # Errors
    /// The place is not there or cannot be read.
    fn list(&self) -> io::Result<Vec<Object>>;

    /// Opens one to be read from its start. Called from several threads at once, which may wait.
    ///
    /// # Errors
    /// It is gone or cannot be read.
    fn open(&self, name: &str) -> io::Result<Box<dyn io::Read + Send>>;

    /// What tells this place from others in a cache that several places share, such as
    /// `s3://bucket/prefix`.
    fn place(&self) -> String {
        format!("{self:?}")
    }
}

/// A folder with all that is below it, or one file.
///
/// Names are paths below the folder with `/` between their parts; a single file has its own name.
/// Left out: what begins with a dot or an underscore (`_SUCCESS`, `_temporary`), `.crc` files and
/// empty files.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Objects for Folder {
    fn list(&self) -> io::Result<Vec<Object>> {
        let about = fs::metadata(&self.0)?;
        let mut objects = Vec::new();
        if about.is_dir() {
            below(&self.0, "", &mut objects)?;
        } else {
            let name = self.0.file_name().unwrap_or(self.0.as_os_str());
            objects.push(object(name.to_string_lossy().into_owned(), &about)?);
        }
        objects.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(objects)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn io::Read + Send>> {
        let path = if self.0.is_dir() {
            self.0.join(name)
        } else {
            self.0.clone()
        };
        Ok(Box::new(File::open(path)?))
    }

    fn place(&self) -> String {
        let path = self.0.canonicalize().unwrap_or_else(|_| self.0.clone());
        path.to_string_lossy().into_owned()
    }
}

fn below(folder: &Path, prefix: &str, objects: &mut Vec<Object>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_hidden(&name) {
            continue;
        }
        let path = entry.path();
        // Follows links, as to a folder of another disk; one that leads nowhere is no object.
        let Ok(about) = fs::metadata(&path) else {
            continue;
        };
        let name = format!("{prefix}{name}");
        if about.is_dir() {
            // A link that leads back up would go round for ever.
            if entry.file_type()?.is_symlink() {
                continue;
            }
            below(&path, &format!("{name}/"), objects)?;
        } else if about.len() > 0 {
            objects.push(object(name, &about)?);
        }
    }
    Ok(())
}

fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
        || Path::new(name)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("crc"))
}

fn object(name: String, about: &fs::Metadata) -> io::Result<Object> {
    Ok(Object {
        name,
        size: about.len(),
        modified: Timestamp::try_from(about.modified()?).unwrap_or(Timestamp::UNIX_EPOCH),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lists_what_is_below_it_but_what_is_hidden_or_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir_all(path.join("E2EXAMPLE12345/2026/_temporary")).unwrap();
        for (name, content) in [
            ("E2EXAMPLE12345/2026/b.gz", "x"),
            ("E2EXAMPLE12345/2026/a.gz", "xy"),
            ("E2EXAMPLE12345/2026/.a.gz.crc", "x"),
            ("E2EXAMPLE12345/2026/a.crc", "x"),
            ("E2EXAMPLE12345/2026/_temporary/c.gz", "x"),
            ("_SUCCESS", ""),
            ("empty.gz", ""),
            ("z.gz", "x"),
        ] {
            fs::write(path.join(name), content).unwrap();
        }
        let place = Folder(path.to_owned());
        let names: Vec<(String, u64)> = place
            .list()
            .unwrap()
            .into_iter()
            .map(|object| (object.name, object.size))
            .collect();
        assert_eq!(
            names,
            [
                ("E2EXAMPLE12345/2026/a.gz".to_owned(), 2),
                ("E2EXAMPLE12345/2026/b.gz".to_owned(), 1),
                ("z.gz".to_owned(), 1),
            ]
        );
        let mut text = String::new();
        place
            .open("E2EXAMPLE12345/2026/a.gz")
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "xy");
        let one = Folder(path.join("z.gz"));
        assert_eq!(one.list().unwrap()[0].name, "z.gz");
        assert!(one.open("z.gz").is_ok());
        assert!(Folder(path.join("nowhere")).list().is_err());
    }
}
