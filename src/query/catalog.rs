//! The catalog: each query with what its file's head says of it.

use super::port::Source;

/// A query of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CatalogQuery {
    /// Kebab-case, unique.
    pub(crate) name: &'static str,
    /// One line, without a period.
    pub(crate) purpose: &'static str,
    /// The file whole, its head included.
    pub(crate) text: &'static str,
}

impl CatalogQuery {
    /// The tables that it reads.
    pub(crate) fn sources(&self) -> Vec<Source> {
        [
            (Source::Access, "{{access}}"),
            (Source::Realtime, "{{realtime}}"),
        ]
        .into_iter()
        .filter(|(_, slot)| self.text.contains(slot))
        .map(|(source, _)| source)
        .collect()
    }
}

/// All queries, sorted by name.
pub(crate) fn all() -> Vec<CatalogQuery> {
    [
        include_str!("../../event-templates/queries/countries.sql"),
        include_str!("../../event-templates/queries/delivery-by-minute.sql"),
        include_str!("../../event-templates/queries/errors-by-cause.sql"),
        include_str!("../../event-templates/queries/playback-by-minute.sql"),
        include_str!("../../event-templates/queries/shared-sessions.sql"),
    ]
    .into_iter()
    .map(|text| CatalogQuery {
        name: head(text, "name"),
        purpose: head(text, "purpose"),
        text,
    })
    .collect()
}

/// The value of a line `-- KEY: VALUE`; empty where there is none.
fn head(text: &'static str, key: &str) -> &'static str {
    text.lines()
        .filter_map(|line| line.strip_prefix("-- ")?.split_once(": "))
        .find(|(known, _)| *known == key)
        .map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_says_what_it_is() {
        let queries = all();
        for query in &queries {
            assert!(!query.purpose.is_empty(), "{}", query.name);
            assert!(!query.purpose.ends_with('.'), "{}", query.name);
            assert!(!query.sources().is_empty(), "{}", query.name);
            assert!(!head(query.text, "parameters").is_empty(), "{}", query.name);
            // Without the hours every query would read every partition there is.
            assert!(query.text.contains("{{hours}}"), "{}", query.name);
        }
        let names: Vec<&str> = queries.iter().map(|query| query.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
}
