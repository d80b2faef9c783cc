//! Rows that a query gave, in every form. Cells may come from viewers.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use onair_logs::value::{ResultColumn, Value};
use serde_json::{Map, Number, Value as Json};

use super::Sheet;
use crate::event::text::printable;

/// Longer than this, a text is cut in the table for people; other forms have it whole.
const LONGEST_CELL: usize = 120;

/// Up to this, a text stays in one line: the longest IPv6 address.
const UNBROKEN: usize = 39;

/// Blanks beside a cell.
const PADDING: usize = 2;

/// Rows of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResultRows<'a> {
    pub(crate) columns: &'a [ResultColumn],
    pub(crate) rows: &'a [Vec<Value>],
}

impl ResultRows<'_> {
    /// For people; at most `most` rows. A table, its numbers to the right; where that is wider than
    /// `width`, each row by itself with its columns below one another.
    pub(crate) fn table(&self, width: Option<usize>, most: usize) -> String {
        let headings: Vec<String> = self
            .columns
            .iter()
            // Blanks let a long heading go on in the next line.
            .map(|column| printable(&column.name).to_uppercase().replace('_', " "))
            .collect();
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .take(most)
            .map(|row| {
                let cells = self.columns.iter().zip(row);
                cells
                    .map(|(column, value)| shown(value, names(column)))
                    .collect()
            })
            .collect();
        let least: Vec<usize> = (0..self.columns.len())
            .map(|place| self.least(place, &headings[place], &rows))
            .collect();
        let text = match width {
            Some(width) if least.iter().map(|one| one + PADDING).sum::<usize>() > width => {
                records(&headings, &rows)
            }
            _ => self.lines(&headings, rows, &least, width),
        };
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        format!("{}\n", lines.join("\n"))
    }

    /// What a column needs. Half a number, a time or an address is another one: only long texts and
    /// headings give way.
    fn least(&self, place: usize, heading: &str, rows: &[Vec<String>]) -> usize {
        let cells = rows.iter().filter_map(|row| row.get(place));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widest = if self.columns[place].kind == "varchar" {
            widest.min(UNBROKEN)
        } else {
            widest
        };
        let words = heading.split(' ').map(|word| word.chars().count());
        widest.max(words.max().unwrap_or(0))
    }

    fn lines(
        &self,
        headings: &[String],
        rows: Vec<Vec<String>>,
        least: &[usize],
        width: Option<usize>,
    ) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(headings);
        match width {
            Some(width) => table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(u16::try_from(width).unwrap_or(u16::MAX)),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        table.add_rows(rows);
        for (place, column) in self.columns.iter().enumerate() {
            let Some(shaped) = table.column_mut(place) else {
                continue;
            };
            if is_number(&column.kind) {
                shaped.set_cell_alignment(CellAlignment::Right);
            }
            let width = u16::try_from(least[place] + PADDING).unwrap_or(u16::MAX);
            shaped.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
        }
        table.to_string()
    }

    /// As it is, for CSV and Markdown.
    pub(crate) fn sheet(&self) -> Sheet {
        Sheet {
            columns: self
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect(),
            rows: self
                .rows
                .iter()
                .map(|row| row.iter().map(plain).collect())
                .collect(),
        }
    }

    /// An object a row. Of columns with one name, the later ones have their place behind it.
    pub(crate) fn json(&self) -> Vec<Json> {
        let names = self.names();
        self.rows
            .iter()
            .map(|row| {
                let members = names.iter().cloned().zip(row.iter().map(json));
                Json::Object(members.collect())
            })
            .collect()
    }

    /// Name and type of each column, named as the rows' members are.
    pub(crate) fn json_columns(&self) -> Vec<Json> {
        let kinds = self.columns.iter().map(|column| &column.kind);
        self.names()
            .into_iter()
            .zip(kinds)
            .map(|(name, kind)| serde_json::json!({ "name": name, "type": kind }))
            .collect()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(self.columns.len());
        for (place, column) in self.columns.iter().enumerate() {
            let name = &column.name;
            names.push(if names.contains(name) {
                format!("{name}_{}", place + 1)
            } else {
                name.clone()
            });
        }
        names
    }
}

/// Rows one below the other, a line for each of their cells.
fn records(headings: &[String], rows: &[Vec<String>]) -> String {
    let count = |text: &String| text.chars().count();
    let widest = headings.iter().map(count).max().unwrap_or(0);
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        text.push_str(&format!("── {} ──\n", place + 1));
        for (heading, cell) in headings.iter().zip(row) {
            text.push_str(&format!(" {heading:<widest$}  {cell}\n"));
        }
    }
    text
}

fn is_number(kind: &str) -> bool {
    let kind = kind.split('(').next().unwrap_or(kind);
    matches!(
        kind,
        "bigint"
            | "integer"
            | "int"
            | "smallint"
            | "tinyint"
            | "double"
            | "real"
            | "float"
            | "decimal"
    )
}

/// Whether the numbers of a column are names: of a network, a status, a port.
fn names(column: &ResultColumn) -> bool {
    let words = column.name.split('_');
    let mut words = words.map(str::to_ascii_lowercase);
    words.any(|word| ["asn", "network", "status", "port", "year"].contains(&word.as_str()))
}

/// A cell for people.
fn shown(value: &Value, is_name: bool) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Integer(value) if is_name => value.to_string(),
        Value::Integer(value) => grouped(&value.to_string()),
        Value::Double(value) => grouped(&value.to_string()),
        other => crate::event::text::shortened(&plain(other), LONGEST_CELL),
    }
}

/// A number with its thousands apart.
fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (digits, String::new()),
    };
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut apart = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    format!("{sign}{apart}{fraction}")
}

/// A cell as a program reads it; NULL is empty.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Text(text) => text.clone(),
        Value::Timestamp(at) => moment(*at),
        Value::Date(date) => date.to_string(),
        Value::List(_) | Value::Map(_) => json(value).to_string(),
    }
}

/// UTC, as the logs have it, to the second or the millisecond.
fn moment(at: jiff::civil::DateTime) -> String {
    match at.millisecond() {
        0 => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        milliseconds => format!("{}.{milliseconds:03}Z", at.strftime("%Y-%m-%dT%H:%M:%S")),
    }
}

fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Integer(value) => Json::from(*value),
        // JSON has no NaN and no infinity.
        Value::Double(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::Text(text) => Json::String(text.clone()),
        Value::Timestamp(at) => Json::String(moment(*at)),
        Value::Date(date) => Json::String(date.to_string()),
        Value::List(values) => Json::Array(values.iter().map(json).collect()),
        Value::Map(entries) => {
            let members: Map<String, Json> = entries
                .iter()
                .map(|(key, value)| (plain(key), json(value)))
                .collect();
            Json::Object(members)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: &str) -> ResultColumn {
        ResultColumn {
            name: name.to_owned(),
            kind: kind.to_owned(),
        }
    }

    fn columns() -> Vec<ResultColumn> {
        vec![
            column("minute", "timestamp(3)"),
            column("who", "varchar"),
            column("requests", "bigint"),
            column("percent", "double"),
        ]
    }

    fn rows() -> Vec<Vec<Value>> {
        vec![
            vec![
                Value::Timestamp("2026-06-14T18:30:00".parse().unwrap()),
                Value::Text("=HYPERLINK(\"x\")\u{1b}[31m|<b>".to_owned()),
                Value::Integer(1_234_567),
                Value::Double(99.5),
            ],
            vec![
                Value::Null,
                Value::Null,
                Value::Integer(-42),
                Value::Double(f64::NAN),
            ],
        ]
    }

    #[test]
    fn numbers_stand_to_the_right_and_viewers_texts_are_harmless() {
        let (columns, rows) = (columns(), rows());
        let result = ResultRows {
            columns: &columns,
            rows: &rows,
        };
        insta::assert_snapshot!(result.table(Some(120), 10), @r#"
        MINUTE                WHO                             REQUESTS  PERCENT
        2026-06-14T18:30:00Z  =HYPERLINK("x")\u{1b}[31m|<b>  1,234,567     99.5
        -                     -                                    -42      NaN
        "#);
        let csv = result.sheet().csv();
        assert_eq!(
            csv,
            "minute,who,requests,percent\r\n\
             2026-06-14T18:30:00Z,\"'=HYPERLINK(\"\"x\"\")\\u{1b}[31m|<b>\",1234567,99.5\r\n\
             ,,-42,NaN\r\n"
        );
        assert!(!result.table(Some(120), 10).contains('\u{1b}'));
        assert_eq!(result.table(Some(120), 1).lines().count(), 2);
        let json = result.json();
        assert_eq!(json[0]["requests"], 1_234_567);
        assert_eq!(json[0]["minute"], "2026-06-14T18:30:00Z");
        assert_eq!(json[1]["percent"], Json::Null);
        assert_eq!(json[0]["who"], "=HYPERLINK(\"x\")\u{1b}[31m|<b>");
    }

    #[test]
    fn rows_that_do_not_fit_stand_below_one_another() {
        let (columns, rows) = (columns(), rows());
        let result = ResultRows {
            columns: &columns,
            rows: &rows,
        };
        insta::assert_snapshot!(result.table(Some(50), 10), @r#"
        ── 1 ──
         MINUTE    2026-06-14T18:30:00Z
         WHO       =HYPERLINK("x")\u{1b}[31m|<b>
         REQUESTS  1,234,567
         PERCENT   99.5
        ── 2 ──
         MINUTE    -
         WHO       -
         REQUESTS  -42
         PERCENT   NaN
        "#);
        // A file or a pipe has no width.
        assert_eq!(result.table(None, 10), result.table(Some(120), 10));
    }

    #[test]
    fn columns_of_one_name_are_all_there() {
        let columns = [column("a", "bigint"), column("a", "bigint")];
        let rows = [vec![Value::Integer(1), Value::Integer(2)]];
        let result = ResultRows {
            columns: &columns,
            rows: &rows,
        };
        assert_eq!(result.json()[0]["a_2"], 2);
        assert_eq!(result.json_columns()[1]["name"], "a_2");
    }

    #[test]
    fn numbers_that_are_names_stay_whole() {
        let columns = [column("network", "bigint"), column("sc_status", "integer")];
        let rows = [vec![Value::Integer(64_512), Value::Integer(1_000)]];
        let result = ResultRows {
            columns: &columns,
            rows: &rows,
        };
        let table = result.table(None, 1);
        assert!(table.contains("64512") && table.contains("1000"), "{table}");
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, expected) in [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("-1234567.891", "-1,234,567.891"),
            ("NaN", "NaN"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }
}
