//! Rows and columns: a table for people, CSV for spreadsheets, Markdown for pages. Cells may hold
//! text that came from viewers, so each form escapes it in its own way.

use comfy_table::{ContentArrangement, Table, presets};

use crate::event::text::printable;

/// Rows with a heading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self {
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn push<const N: usize>(&mut self, row: [String; N]) {
        self.rows.push(row.into());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A table of at most `width` columns of text.
    pub(crate) fn table(&self, width: usize) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX))
            .set_header(self.columns.iter().map(|column| column.to_uppercase()));
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| printable(cell).into_owned()));
        }
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        format!("{}\n", lines.join("\n"))
    }

    /// RFC 4180, with a quote before what a spreadsheet would run as a formula.
    pub(crate) fn csv(&self) -> String {
        let mut text = String::new();
        for row in std::iter::once(&self.columns).chain(&self.rows) {
            let cells: Vec<String> = row.iter().map(|cell| csv_cell(cell)).collect();
            text.push_str(&cells.join(","));
            text.push_str("\r\n");
        }
        text
    }

    /// A Markdown table.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = line(&self.columns);
        text.push_str(&line(&vec!["---".to_owned(); self.columns.len()]));
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|cell| markdown_cell(cell)).collect();
            text.push_str(&line(&cells));
        }
        text
    }
}

/// What makes a spreadsheet take a cell for a formula, the full-width forms that some accept included.
const FORMULA: [char; 10] = [
    '=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

fn csv_cell(cell: &str) -> String {
    let runs = cell.starts_with(FORMULA) && cell.parse::<f64>().is_err();
    let cell = printable(cell);
    let guarded = if runs {
        format!("'{cell}")
    } else {
        cell.into_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

fn markdown_cell(cell: &str) -> String {
    let mut text = String::new();
    for character in printable(cell).chars() {
        match character {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => {
                text.push('\\');
                text.push(character);
            }
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(cell: &str) -> Sheet {
        let mut sheet = Sheet::new(&["what", "note"]);
        sheet.push([cell.to_owned(), "x".to_owned()]);
        sheet
    }

    #[test]
    fn hostile_cells_are_harmless_in_every_form() {
        assert_eq!(
            sheet("=cmd|' /C calc'!A0").csv().lines().nth(1),
            Some("'=cmd|' /C calc'!A0,x")
        );
        assert_eq!(
            sheet("a,\"b\"").csv().lines().nth(1),
            Some("\"a,\"\"b\"\"\",x")
        );
        assert_eq!(sheet("\t=1+1").csv().lines().nth(1), Some("'\\t=1+1,x"));
        assert_eq!(
            sheet("\u{ff1d}1+1").csv().lines().nth(1),
            Some("'\u{ff1d}1+1,x")
        );
        assert_eq!(sheet("-3.5").csv().lines().nth(1), Some("-3.5,x"));
        assert!(!sheet("\u{1b}[31mred").table(80).contains('\u{1b}'));
        assert_eq!(
            sheet("a|<b>").markdown().lines().nth(2),
            Some("| a\\|&lt;b&gt; | x |")
        );
    }
}
