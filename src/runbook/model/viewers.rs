//! The finer parts of who may watch: states, metros and windows of `[geo]`, rules of `[waf]`, and
//! `[tokens.gate]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::runbook::model::GeoMode;

/// The rights in the states of one country.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct StatesSection {
    /// The country.
    pub(crate) country: String,
    /// Whether `states` are those let in or those kept out.
    pub(crate) mode: GeoMode,
    /// ISO 3166-2 codes such as `MA` or `US-MA`.
    pub(crate) states: Vec<String>,
}

/// The rights in metro areas of the United States, enforced by the edge function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct MetrosSection {
    /// Whether `codes` are those let in or those kept out.
    pub(crate) mode: GeoMode,
    /// Nielsen's three-digit codes (DMA), in quotes, such as `"506"`.
    pub(crate) codes: Vec<String>,
}

/// A time in which countries are blocked, or let in, other than the list says. `onair tend` opens
/// and closes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct GeoWindowSection {
    /// What the crew calls it.
    pub(crate) name: String,
    /// From when, such as `ko+45m`.
    pub(crate) from: String,
    /// Until when, such as `end`.
    pub(crate) until: String,
    /// Whether the countries are let in or kept out while it is open.
    pub(crate) mode: GeoMode,
    /// The countries, by code, name or group.
    pub(crate) countries: Vec<String>,
}

/// One of AWS's managed rule groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ManagedRulesSection {
    /// The group's name, such as `AWSManagedRulesAnonymousIpList`.
    pub(crate) group: String,
    /// What it does with what it matches; by default count: try it out first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<RuleAction>,
}

/// A rule that limits the requests of one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RateSection {
    /// Requests of one address in the window, from 10.
    pub(crate) limit: u32,
    /// 1m, 2m, 5m (the default) or 10m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<String>,
    /// What it does with what exceeds the limit; by default count: try it out first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<RuleAction>,
}

/// What a rule of the web ACL does with what it matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RuleAction {
    /// It is counted and let through.
    Count,
    /// It is refused.
    #[default]
    Block,
}

/// What the edge function checks besides signature, expiry and revocation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct GateSection {
    /// Where players send the token, tried in this order: `path` (its first segment), `query:NAME`,
    /// `cookie:NAME`, `header:NAME`; by default `["query:token", "header:authorization"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sources: Option<Vec<String>>,
    /// The claim (JWT) with the path prefix that the token is good for; CATs carry `catu`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path_claim: Option<String>,
    /// The claim (JWT) with the countries that the token is good for; CATs carry `catgeoiso3166`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country_claim: Option<String>,
    /// The claim (JWT) with the network that the token is bound to; CATs carry `catnip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_claim: Option<String>,
    /// The claim (JWT) with the SHA-256 (base64url) of the user agent that the token is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_agent_claim: Option<String>,
    /// Path prefixes that need no token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open_paths: Option<Vec<String>>,
    /// By how much the edges' clocks may differ from the issuer's, at most 5m; by default 30s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) leeway: Option<String>,
}

/// Where a token may be in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// The first segment of the path.
    Path,
    /// A query parameter of this name.
    Query(String),
    /// A cookie of this name.
    Cookie(String),
    /// A header of this name, lower case.
    Header(String),
}

impl TokenSource {
    /// Parses `path`, `query:NAME`, `cookie:NAME` or `header:NAME`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "path" {
            return Some(Self::Path);
        }
        let (place, name) = text.split_once(':')?;
        // What a header's, a cookie's and a parameter's name may all be made of (RFC 9110 tokens).
        let is_name = !name.is_empty()
            && name.len() <= 64
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
        if !is_name {
            return None;
        }
        match place {
            "query" => Some(Self::Query(name.to_owned())),
            "cookie" => Some(Self::Cookie(name.to_owned())),
            "header" => Some(Self::Header(name.to_ascii_lowercase())),
            _ => None,
        }
    }
}

impl std::fmt::Display for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path => f.write_str("path"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::Header(name) => write!(f, "header:{name}"),
        }
    }
}
