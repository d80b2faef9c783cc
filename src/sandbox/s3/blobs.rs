//! The bytes of delivered objects, in files beside the state and named by their digest: the state
//! itself is read whole with every call, so that what is big must not be in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The folder beside the state.
const FOLDER: &str = "s3";

/// Bytes that lie in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Blob {
    /// SHA-256, hexadecimal; the file's name.
    pub(super) digest: String,
    pub(super) size: usize,
}

/// Where the files are; none for a state in memory, which keeps all bytes itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Blobs(Option<PathBuf>);

impl Blobs {
    /// Those beside the state of this folder.
    pub(super) fn beside(folder: &Path) -> Self {
        Self((!folder.as_os_str().is_empty()).then(|| folder.join(FOLDER)))
    }

    /// Keeps bytes; none when they cannot be kept here.
    pub(super) fn keep(&self, bytes: &[u8]) -> Option<Blob> {
        let folder = self.0.as_ref()?;
        let blob = Blob {
            digest: hex::encode(Sha256::digest(bytes)),
            size: bytes.len(),
        };
        let path = folder.join(&blob.digest);
        if path.exists() {
            return Some(blob);
        }
        fs::create_dir_all(folder).ok()?;
        // Under its name only when it is whole.
        let mut file = tempfile::NamedTempFile::new_in(folder).ok()?;
        file.write_all(bytes).ok()?;
        file.persist(path).ok()?;
        Some(blob)
    }

    /// The bytes; none when somebody took the file away.
    pub(super) fn read(&self, blob: &Blob) -> Option<Vec<u8>> {
        fs::read(self.path(blob)?).ok()
    }

    /// The file that has the bytes.
    pub(super) fn path(&self, blob: &Blob) -> Option<PathBuf> {
        Some(self.0.as_ref()?.join(&blob.digest))
    }
}

/// Removes the files beside a state that is made anew. One that stays costs room, nothing else.
pub(in crate::sandbox) fn forget(folder: &Path) {
    if let Blobs(Some(folder)) = Blobs::beside(folder) {
        drop(fs::remove_dir_all(folder));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_once_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::beside(folder.path());
        let blob = blobs.keep(b"a log").unwrap();
        assert_eq!(blobs.keep(b"a log"), Some(blob.clone()));
        assert_eq!(fs::read_dir(folder.path().join("s3")).unwrap().count(), 1);
        assert_eq!(blobs.read(&blob), Some(b"a log".to_vec()));
        forget(folder.path());
        assert_eq!(blobs.read(&blob), None);
        assert_eq!(Blobs::beside(Path::new("")).keep(b"a log"), None);
    }
}
