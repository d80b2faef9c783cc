//! From a file to a [`Runbook`], or to everything that is wrong with it.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::runbook::check::check;
use crate::runbook::model::File;
use crate::runbook::note::{Note, Severity, render_notes};
use crate::runbook::resolved::Runbook;
use crate::runbook::schema::schema;
use crate::runbook::structure::structure;

/// A sound runbook, with what is odd about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) runbook: Runbook,
    /// Warnings only.
    pub(crate) notes: Vec<Note>,
    /// The file's text, which [`render_notes`] quotes.
    pub(crate) text: String,
}

/// Why a file is not a usable runbook.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("cannot read {}", path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is not a sound runbook: {}", path.display(), counted(notes))]
    Invalid {
        path: PathBuf,
        text: String,
        notes: Vec<Note>,
    },
}

fn counted(notes: &[Note]) -> String {
    let errors = notes
        .iter()
        .filter(|note| note.severity == Severity::Error)
        .count();
    let plural = if errors == 1 { "" } else { "s" };
    format!("{errors} error{plural}")
}

impl LoadError {
    /// Everything that is wrong, with lines and carets; for an unreadable file, why.
    pub(crate) fn details(&self) -> String {
        match self {
            Self::Unreadable { source, .. } => source.to_string(),
            Self::Invalid { path, text, notes } => {
                render_notes(notes, text, &path.display().to_string())
            }
        }
    }

    /// The notes, for machines.
    pub(crate) fn notes(&self) -> &[Note] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Invalid { notes, .. } => notes,
        }
    }
}

/// Loads a runbook from its file.
pub(crate) fn load(path: &Path) -> Result<Loaded, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, path)
}

/// Makes a runbook of its text; `path` says where relative names in it begin.
pub(crate) fn parse(text: &str, path: &Path) -> Result<Loaded, LoadError> {
    let mut structured = structure(text, &schema());
    let runbook = if structured.value.is_null() {
        None
    } else {
        let file: File = serde_json::from_value(structured.value.clone())
            .expect("a document that was made to fit the schema fits the model");
        let digest = hex::encode(Sha256::digest(text.as_bytes()));
        let (runbook, notes) = check(&file, path, &digest);
        structured.add(text, notes);
        runbook
    };
    let mut notes = structured.notes;
    notes.sort_by_key(|note| (note.line, note.column));
    let is_sound = notes.iter().all(|note| note.severity == Severity::Warning);
    match runbook {
        Some(runbook) if is_sound => Ok(Loaded {
            runbook,
            notes,
            text: text.to_owned(),
        }),
        _ => Err(LoadError::Invalid {
            path: path.to_owned(),
            text: text.to_owned(),
            notes,
        }),
    }
}

#[cfg(test)]
pub(crate) mod tests;
