//! Who asks an edge, and what the edge holds.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use super::acl::WebAcl;
use super::geo::GeoRestriction;
use crate::event::cidr::Cidr;

/// A viewer's request, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ViewerRequest {
    pub(crate) address: Option<IpAddr>,
    /// ISO 3166-1 alpha-2; none when the address could not be located.
    pub(crate) country: Option<String>,
    /// With the query, if there is one.
    pub(crate) path: String,
    pub(crate) user_agent: Option<String>,
    pub(crate) host: Option<String>,
    /// The keys under which a revocation of this viewer's token would be found.
    pub(crate) revocation_keys: Vec<String>,
    pub(crate) now: Timestamp,
}

impl ViewerRequest {
    /// A request for `path`, by nobody in particular.
    pub(crate) fn new(path: &str, now: Timestamp) -> Self {
        Self {
            address: None,
            country: None,
            path: path.to_owned(),
            user_agent: None,
            host: None,
            revocation_keys: Vec::new(),
            now,
        }
    }
}

/// What one edge decides by.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct EdgeView {
    pub(crate) geo: GeoRestriction,
    pub(crate) web_acl: Option<WebAcl>,
    /// By ARN; a set that could not be read is missing.
    pub(crate) ip_sets: BTreeMap<String, Vec<Cidr>>,
    /// The key value store's items: a revoked key has the end of its revocation, in seconds since
    /// 1970, as value.
    pub(crate) revocations: BTreeMap<String, String>,
}
