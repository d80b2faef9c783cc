//! Values to text or JSON. A command returns one [`Answer`]; here it becomes the text for people,
//! the one JSON document for scripts, CSV or Markdown. Pure: width comes in, text goes out.

mod envelope;
mod result;
mod sheet;

pub(crate) use envelope::{Head, failure_json, json};
pub(crate) use result::ResultRows;
pub(crate) use sheet::Sheet;

use serde_json::Value;

use crate::error::Exit;

/// What a command has to say.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The command's name, such as `ip block`.
    pub(crate) command: String,
    pub(crate) head: Head,
    pub(crate) exit: Exit,
    /// Whether the cloud changed.
    pub(crate) changed: bool,
    /// `data` of the JSON document.
    pub(crate) data: Value,
    pub(crate) warnings: Vec<String>,
    /// The text for people.
    pub(crate) text: String,
    /// The same as rows, for CSV and Markdown.
    pub(crate) sheet: Sheet,
    /// The page to print as Markdown, where it is more than the rows.
    pub(crate) markdown: Option<String>,
    /// With an exit code that is not 0: the error's stable code and message.
    pub(crate) error: Option<(String, String)>,
    /// What to type next, beside the error.
    pub(crate) hints: Vec<String>,
    /// Its lines were printed as they came: as JSON, nothing is left to print.
    pub(crate) streamed: bool,
}

impl Answer {
    pub(crate) fn new(command: &str, data: Value, text: String) -> Self {
        Self {
            command: command.to_owned(),
            head: Head::default(),
            exit: Exit::Done,
            changed: false,
            data,
            warnings: Vec::new(),
            text,
            sheet: Sheet::default(),
            markdown: None,
            error: None,
            hints: Vec::new(),
            streamed: false,
        }
    }

    #[must_use]
    pub(crate) fn with_head(mut self, head: Head) -> Self {
        self.head = head;
        self
    }

    #[must_use]
    pub(crate) fn with_sheet(mut self, sheet: Sheet) -> Self {
        self.sheet = sheet;
        self
    }

    /// The same answer, saying that a difference was found or a check failed.
    #[must_use]
    pub(crate) fn exiting(mut self, exit: Exit, code: &str, message: &str) -> Self {
        self.exit = exit;
        self.error = Some((code.to_owned(), message.to_owned()));
        self
    }
}
