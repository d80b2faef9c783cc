//! Values as commands take them: many, `@FILE`, or `-` for standard input.

use std::path::Path;

use crate::context::Context;
use crate::error::Failure;
use crate::event::input::{Column, InputLine, ValueSource, decode, read_values};

/// Larger than any list that could be meant: 120,000 addresses are 2 MB.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The values a command works on.
#[derive(Debug, clap::Args)]
pub(crate) struct ValueArgs {
    /// Addresses or prefixes; @FILE reads them from a file, - from standard input
    #[arg(required = true, value_name = "VALUE")]
    values: Vec<String>,
    /// Column of a CSV file: its name or number
    #[arg(long)]
    column: Option<String>,
}

impl ValueArgs {
    /// Every value with its line number (or position among the arguments).
    pub(crate) fn read(&self, context: &Context) -> Result<Vec<InputLine>, Failure> {
        let mut lines = Vec::new();
        for (position, argument) in self.values.iter().enumerate() {
            match ValueSource::parse(argument) {
                ValueSource::Literal(text) => lines.push(InputLine {
                    number: position + 1,
                    text,
                    comment: None,
                }),
                ValueSource::File(path) => lines.extend(lines_of_file(
                    &path.to_string_lossy(),
                    self.column.as_deref(),
                    context,
                )?),
                ValueSource::Stdin => {
                    lines.extend(lines_of_file("-", self.column.as_deref(), context)?);
                }
            }
        }
        Ok(lines)
    }
}

/// The lines of a file, or of standard input for `-`.
pub(crate) fn lines_of_file(
    file: &str,
    column: Option<&str>,
    context: &Context,
) -> Result<Vec<InputLine>, Failure> {
    let column = column
        .map(Column::parse)
        .transpose()
        .map_err(|error| Failure::usage("the column is not usable").because(error))?;
    let text = if file == "-" {
        context.ui.read_stdin(LARGEST)?
    } else {
        read_file(Path::new(file))?
    };
    read_values(&text, column.as_ref()).map_err(|error| {
        Failure::usage(format!("{file} could not be read as values")).because(error)
    })
}

/// A file's text, of a size that could be meant.
pub(super) fn read_file(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        Failure::usage(format!("{} could not be read", path.display())).because(error)
    };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > LARGEST {
        return Err(Failure::usage(format!(
            "{} is {size} bytes; the most is {LARGEST}",
            path.display()
        )));
    }
    Ok(decode(&std::fs::read(path).map_err(failed)?))
}
