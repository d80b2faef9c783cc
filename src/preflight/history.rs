//! What changed since the last run: which failures are new, which are fixed, which are still there.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::judge::{Finding, Status};

/// A run as it is remembered: kept beside the local ledger, or read from an earlier JSON answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Remembered {
    pub(crate) at: Timestamp,
    /// By check id.
    pub(crate) statuses: BTreeMap<String, Status>,
}

/// Two runs side by side, by check id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Changes {
    /// When the earlier run was.
    pub(crate) at: Option<Timestamp>,
    pub(crate) new: Vec<String>,
    pub(crate) fixed: Vec<String>,
    pub(crate) still_failing: Vec<String>,
}

/// Why an earlier run could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    #[error("{path} could not be read")]
    File {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} holds no earlier preflight")]
    Content { path: String },
}

impl Remembered {
    /// This run, over what is remembered of checks that it left out.
    pub(crate) fn of(findings: &[Finding], at: Timestamp, before: Option<&Self>) -> Self {
        let mut statuses = before
            .map(|before| before.statuses.clone())
            .unwrap_or_default();
        for finding in findings {
            // What is not due yet was not judged: the last judgment stands.
            if finding.status != Status::NotYetDue {
                statuses.insert(finding.check.id.to_owned(), finding.status);
            }
        }
        Self { at, statuses }
    }

    /// Reads a remembered run, or the answer of an earlier `preflight -o json`. None when there is
    /// no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, HistoryError> {
        let shown = || path.display().to_string();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(HistoryError::File {
                    path: shown(),
                    source,
                });
            }
        };
        if let Ok(remembered) = serde_json::from_slice(&bytes) {
            return Ok(Some(remembered));
        }
        serde_json::from_slice::<Document>(&bytes)
            .map(|document| Some(document.data.into()))
            .map_err(|_| HistoryError::Content { path: shown() })
    }

    /// Replaces the file whole.
    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, self)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// What is different in `findings`. Something that was not failing, or not asked, and fails now
    /// is new; what failed and is neither failing nor unknown now is fixed.
    pub(crate) fn changes(&self, findings: &[Finding]) -> Changes {
        let mut changes = Changes {
            at: Some(self.at),
            ..Changes::default()
        };
        for finding in findings {
            let failed = self.statuses.get(finding.check.id) == Some(&Status::Fail);
            let list = match (failed, finding.status) {
                (false, Status::Fail) => &mut changes.new,
                (true, Status::Fail | Status::CouldNotAsk) => &mut changes.still_failing,
                (_, Status::NotYetDue) | (false, _) => continue,
                (true, _) => &mut changes.fixed,
            };
            list.push(finding.check.id.to_owned());
        }
        changes
    }
}

/// The parts of a JSON answer that matter here.
#[derive(Deserialize)]
struct Document {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    at: Timestamp,
    checks: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    id: String,
    status: Status,
}

impl From<Data> for Remembered {
    fn from(data: Data) -> Self {
        Self {
            at: data.at,
            statuses: data
                .checks
                .into_iter()
                .map(|check| (check.id, check.status))
                .collect(),
        }
    }
}
