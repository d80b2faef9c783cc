//! SEARCH's little language: `{Namespace,Dimension,…} MetricName="X" Dimension=("a" OR "b") word`.

use crate::cloud::metrics::Metric;

/// A parsed search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Search {
    /// The namespace, and the dimensions' names, all of them.
    schema: Option<(String, Vec<String>)>,
    terms: Vec<Term>,
}

/// One condition; all must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// `MetricName`, `Namespace` or a dimension; none: any of them.
    of: Option<String>,
    /// Of which one must match.
    values: Vec<String>,
    /// In quotes: the whole value. Else a part of it will do.
    is_whole: bool,
}

impl Search {
    pub(super) fn parse(text: &str) -> Self {
        let mut search = Self::default();
        let mut rest = text.trim();
        if let Some((schema, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
        {
            let mut names = schema
                .split(',')
                .map(|name| name.trim().trim_matches('"').to_owned());
            search.schema = names.next().map(|namespace| (namespace, names.collect()));
            rest = after.trim_start();
        }
        while !rest.is_empty() {
            let length = term_length(rest);
            let (term, after) = rest.split_at(length);
            if !matches!(term, "AND" | "and") {
                search.terms.push(parse_term(term));
            }
            rest = after.trim_start();
        }
        search
    }

    pub(super) fn finds(&self, metric: &Metric) -> bool {
        if let Some((namespace, dimensions)) = &self.schema {
            let same = dimensions.len() == metric.dimensions.len()
                && metric
                    .dimensions
                    .iter()
                    .all(|(name, _)| dimensions.contains(name));
            if *namespace != metric.namespace || !same {
                return false;
            }
        }
        self.terms.iter().all(|term| term.holds(metric))
    }
}

impl Term {
    fn holds(&self, metric: &Metric) -> bool {
        let matches = |value: &str| {
            self.values.iter().any(|wanted| {
                if self.is_whole {
                    value == wanted
                } else {
                    value.to_lowercase().contains(&wanted.to_lowercase())
                }
            })
        };
        match self.of.as_deref() {
            Some("MetricName") => matches(&metric.name),
            Some("Namespace") => matches(&metric.namespace),
            Some(dimension) => metric
                .dimensions
                .iter()
                .any(|(name, value)| name == dimension && matches(value)),
            None => {
                matches(&metric.name)
                    || matches(&metric.namespace)
                    || metric.dimensions.iter().any(|(_, value)| matches(value))
            }
        }
    }
}

/// How long the first term is: to the next space outside quotes and brackets.
fn term_length(text: &str) -> usize {
    let (mut quoted, mut depth) = (false, 0_u32);
    for (index, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ' ' if !quoted && depth == 0 => return index,
            _ => {}
        }
    }
    text.len()
}

fn parse_term(text: &str) -> Term {
    let (of, value) = match text.split_once('=') {
        Some((name, value)) if !name.contains('"') => (Some(name.trim().to_owned()), value.trim()),
        _ => (None, text),
    };
    let value = value
        .strip_prefix('(')
        .and_then(|value| value.strip_suffix(')'))
        .unwrap_or(value);
    let values: Vec<&str> = value.split(" OR ").map(str::trim).collect();
    Term {
        of,
        is_whole: values.iter().all(|value| value.starts_with('"')),
        values: values
            .iter()
            .map(|value| value.trim_matches('"').to_owned())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_by_schema_name_and_dimension() {
        let metric = Metric::new(
            "AWS/WAFV2",
            "BlockedRequests",
            &[("WebACL", "cup final"), ("Rule", "rate")],
        );
        for (text, found) in [
            (
                r#"{AWS/WAFV2,Rule,WebACL} MetricName="BlockedRequests" WebACL="cup final""#,
                true,
            ),
            (r#"{AWS/WAFV2,WebACL} MetricName="BlockedRequests""#, false),
            (r#"MetricName="Blocked""#, false),
            ("MetricName=Blocked", true),
            (r#"Rule=("rate" OR "geo") AND WebACL="cup final""#, true),
            (r#"Rule=("geo" OR "list")"#, false),
            ("wafv2 rate", true),
        ] {
            assert_eq!(Search::parse(text).finds(&metric), found, "{text}");
        }
    }
}
