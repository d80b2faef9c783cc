//! What CloudFront keeps beside a distribution and checks read: policies, access controls, the
//! function's stages, certificates and roles. Free of any SDK type.

use jiff::Timestamp;

/// A cache policy: what is kept for how long, under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachePolicy {
    pub(crate) name: String,
    /// Seconds.
    pub(crate) min_ttl: u64,
    pub(crate) default_ttl: u64,
    pub(crate) max_ttl: u64,
    pub(crate) query_strings: QueryStrings,
    /// Names of headers in the cache key.
    pub(crate) headers: Vec<String>,
    /// Whether cookies take part, in any way.
    pub(crate) cookies: bool,
    pub(crate) gzip: bool,
    pub(crate) brotli: bool,
}

/// Which query arguments a policy includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueryStrings {
    None,
    All,
    Only(Vec<String>),
    AllExcept(Vec<String>),
}

impl QueryStrings {
    /// Whether the argument of this name takes part.
    pub(crate) fn includes(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(names) => names.iter().any(|one| one == name),
            Self::AllExcept(names) => !names.iter().any(|one| one == name),
        }
    }

    /// In words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::All => "all".to_owned(),
            Self::Only(names) => names.join(", "),
            Self::AllExcept(names) => format!("all except {}", names.join(", ")),
        }
    }
}

/// What of a viewer's request goes on to the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OriginRequestPolicy {
    pub(crate) name: String,
    pub(crate) query_strings: QueryStrings,
    /// `none`, `whitelist`, `allViewer`, `allViewerAndWhitelistCloudFront` or `allExcept`.
    pub(crate) header_behavior: String,
    pub(crate) headers: Vec<String>,
}

/// How CloudFront signs its requests to an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OriginAccessControl {
    pub(crate) name: String,
    /// `mediapackagev2`, `s3` …
    pub(crate) origin_type: String,
    /// `always`, `never` or `no-override`.
    pub(crate) signing: String,
}

/// A certificate of Certificate Manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// `ISSUED`, `EXPIRED`, `REVOKED` …
    pub(crate) status: String,
    pub(crate) not_after: Option<Timestamp>,
    /// Names it is good for, with wildcards.
    pub(crate) names: Vec<String>,
    /// `ELIGIBLE` or `INELIGIBLE`.
    pub(crate) renewal: String,
}

/// What IAM's simulation says of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Simulated {
    pub(crate) action: String,
    pub(crate) allowed: bool,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    /// With its path.
    pub(crate) arn: String,
    /// Who may assume it: the trust policy, a JSON text.
    pub(crate) trust: String,
}
