//! Summaries that reports left: found by event, folder or file, long after the logs are gone.

use std::path::{Path, PathBuf};

use super::summary::{SCHEMA, Summary};
use crate::event::text::shortened;

/// The file of a report that is kept.
pub(crate) const FILE: &str = "summary.json";
/// Where reports go when nobody says.
pub(crate) const REPORTS: &str = "reports";

/// Why there is no summary.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeptError {
    #[error("{} could not be read", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} holds no summary of a report", path.display())]
    Content {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("{} is of schema {schema}, and this onair reads {SCHEMA}", path.display())]
    Schema { path: PathBuf, schema: String },
}

/// The first of `folders` that holds a summary.
pub(crate) fn find(folders: &[PathBuf]) -> Option<PathBuf> {
    folders
        .iter()
        .map(|folder| folder.join(FILE))
        .find(|path| path.is_file())
}

/// Reads a summary.
pub(crate) fn read(path: &Path) -> Result<Summary, KeptError> {
    let path = path.to_owned();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(KeptError::File { path, source }),
    };
    let summary: Summary = match serde_json::from_slice(&bytes) {
        Ok(summary) => summary,
        Err(source) => return Err(KeptError::Content { path, source }),
    };
    if summary.schema == SCHEMA {
        Ok(summary)
    } else {
        Err(KeptError::Schema {
            path,
            schema: shortened(&summary.schema, 40),
        })
    }
}

/// Puts a summary into a folder, whole.
pub(crate) fn keep(summary: &Summary, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut file, summary)?;
    file.persist(folder.join(FILE))
        .map_err(|error| error.error)?;
    Ok(())
}
