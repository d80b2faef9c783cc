//! Where log objects are: a folder, a bucket, the embedded cloud's storage.

use std::fmt::Debug;
use std::io;
use std::path::PathBuf;

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
    /// All objects, in the order of their names.
    ///
    /// # Errors
    /// The place is not there or cannot be read.
    fn list(&self) -> io::Result<Vec<Object>>;

    /// Opens one to be read from its start. Called from several threads at once.
    ///
    /// # Errors
    /// It is gone or cannot be read.
    fn open(&self, name: &str) -> io::Result<Box<dyn io::Read + Send>>;
}

/// A folder with all that is below it, or one file.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);
