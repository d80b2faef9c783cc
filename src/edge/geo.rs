//! CloudFront's geo restriction: which countries a distribution serves.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What the listed countries mean, named by the effect on viewers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GeoKind {
    /// Everyone is served (`none`).
    #[default]
    None,
    /// Only the listed countries are served (`whitelist`).
    Allow,
    /// All but the listed countries are served (`blacklist`).
    Block,
}

impl GeoKind {
    /// The API's spelling of `RestrictionType`.
    pub(crate) fn as_api(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Allow => "whitelist",
            Self::Block => "blacklist",
        }
    }

    /// Reads the API's spelling, which is lower case only.
    pub(crate) fn from_api(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "whitelist" => Some(Self::Allow),
            "blacklist" => Some(Self::Block),
            _ => None,
        }
    }
}

/// A distribution's geo restriction as one edge holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct GeoRestriction {
    pub(crate) kind: GeoKind,
    /// ISO 3166-1 alpha-2 codes, upper case; empty for [`GeoKind::None`].
    #[serde(default)]
    pub(crate) countries: BTreeSet<String>,
}

impl GeoRestriction {
    /// Says whether a viewer from `country` is served. An unknown country is: the service fails
    /// open (CloudFront Developer Guide, "Restrict the geographic distribution").
    pub(crate) fn serves(&self, country: Option<&str>) -> bool {
        let Some(country) = country else { return true };
        match self.kind {
            GeoKind::None => true,
            GeoKind::Allow => self.countries.contains(country),
            GeoKind::Block => !self.countries.contains(country),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_by_kind_and_fails_open() {
        let restriction = |kind| GeoRestriction {
            kind,
            countries: BTreeSet::from(["AT".to_owned()]),
        };
        for (kind, country, served) in [
            (GeoKind::None, Some("AT"), true),
            (GeoKind::Allow, Some("AT"), true),
            (GeoKind::Allow, Some("DE"), false),
            (GeoKind::Allow, None, true),
            (GeoKind::Block, Some("AT"), false),
            (GeoKind::Block, Some("DE"), true),
            (GeoKind::Block, None, true),
        ] {
            assert_eq!(
                restriction(kind).serves(country),
                served,
                "{kind:?} {country:?}"
            );
        }
    }

    #[test]
    fn api_spelling_round_trips() {
        for kind in [GeoKind::None, GeoKind::Allow, GeoKind::Block] {
            assert_eq!(GeoKind::from_api(kind.as_api()), Some(kind));
        }
        assert_eq!(GeoKind::from_api("Whitelist"), None);
    }
}
