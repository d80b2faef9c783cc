//! The one logical schema. Whatever kind of log a request was written to, and in whatever format, it
//! is read as a row of [`REQUESTS`], so that a query does not care. What a source lacks is NULL. What AWS
//! WAF decided is a table of its own, [`WAF`]: it sees requests that no access log tells apart.
//!
//! Names are those of CloudFront's Parquet files and of AWS's table definitions, but for the two that
//! swap their meaning between standard and real-time logs: `viewer_host` and `distribution_host`.

mod requests;
mod waf;

pub use requests::REQUESTS;
pub use waf::WAF;

/// What values a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text.
    Text,
    /// 64 bits, signed.
    Integer,
    /// 64 bits, floating.
    Double,
    /// True or false.
    Boolean,
    /// UTC, without a zone, to the millisecond: Trino's `timestamp(3)`.
    Timestamp,
}

/// Where a column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A field of the logs.
    Field {
        /// Its name in standard logs, both versions; empty: they lack it.
        standard: &'static str,
        /// Its name in real-time logs; empty: they lack it.
        realtime: &'static str,
    },
    /// A key of Common Media Client Data (CTA-5004, CTA-5004-B). Real-time logs may have a field for
    /// it; else it is found in the query string, or in the headers where they are logged.
    Cmcd {
        /// The key, such as `sid`.
        key: &'static str,
        /// The field of real-time logs; empty: there is none, as for the keys of version 2.
        realtime: &'static str,
    },
    /// Follows from other fields, by a rule that the column's text tells.
    Derived,
}

/// A column of the logical schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// As queries name it.
    pub name: &'static str,
    /// What values it has.
    pub kind: Kind,
    /// Where they come from.
    pub origin: Origin,
    /// One line, with the unit.
    pub about: &'static str,
}

const fn field(
    name: &'static str,
    kind: Kind,
    standard: &'static str,
    realtime: &'static str,
    about: &'static str,
) -> Column {
    Column {
        name,
        kind,
        origin: Origin::Field { standard, realtime },
        about,
    }
}

const fn cmcd(
    name: &'static str,
    kind: Kind,
    key: &'static str,
    realtime: &'static str,
    about: &'static str,
) -> Column {
    Column {
        name,
        kind,
        origin: Origin::Cmcd { key, realtime },
        about,
    }
}

const fn derived(name: &'static str, kind: Kind, about: &'static str) -> Column {
    Column {
        name,
        kind,
        origin: Origin::Derived,
        about,
    }
}

/// A table that logs are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// CloudFront's logs of every kind, a row each request.
    Requests,
    /// AWS WAF's logs, a row each request that a web ACL saw.
    Waf,
}

impl Table {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Requests, Self::Waf];

    /// As queries name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Waf => "waf",
        }
    }

    /// Its columns, in the order of `SELECT *`.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Requests => REQUESTS,
            Self::Waf => WAF,
        }
    }

    /// The place of a column of it.
    pub fn position(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_told() {
        for table in [REQUESTS, WAF] {
            for (place, column) in table.iter().enumerate() {
                let first = table.iter().position(|other| other.name == column.name);
                assert_eq!(first, Some(place));
                assert!(!column.about.is_empty());
            }
        }
        assert_eq!(Table::Requests.position("at"), Some(0));
        assert_eq!(Table::Requests.position("nothing"), None);
    }

    #[test]
    fn what_both_tables_have_is_of_one_kind() {
        for column in WAF {
            if let Some(place) = Table::Requests.position(column.name) {
                assert_eq!(REQUESTS[place].kind, column.kind, "{}", column.name);
            }
        }
    }
}
