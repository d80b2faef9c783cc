//! A result as the CSV object that Athena leaves in the bucket: all values in quotes, NULL as
//! nothing at all, so that the rows can be read back from it.

/// Writes rows, of which the first are the columns' names.
pub(super) fn written(rows: &[Vec<Option<String>>]) -> String {
    let mut text = String::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            if let Some(cell) = cell {
                text.push('"');
                text.push_str(&cell.replace('"', "\"\""));
                text.push('"');
            }
        }
        text.push('\n');
    }
    text
}

/// Reads what [`written`] wrote.
pub(super) fn read(text: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut cell: Option<String> = None;
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, is_quoted) {
            ('"', true) if characters.peek() == Some(&'"') => {
                characters.next();
                cell.get_or_insert_default().push('"');
            }
            ('"', true) => is_quoted = false,
            ('"', false) => {
                is_quoted = true;
                cell.get_or_insert_default();
            }
            (',', false) => row.push(cell.take()),
            ('\n', false) => {
                row.push(cell.take());
                rows.push(std::mem::take(&mut row));
            }
            (other, _) => cell.get_or_insert_default().push(other),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            rows in proptest::collection::vec(
                proptest::collection::vec(proptest::option::of(any::<String>()), 1..4), 0..5)
        ) {
            prop_assert_eq!(read(&written(&rows)), rows);
        }
    }
}
