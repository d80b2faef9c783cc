//! Who asks an edge, and what the edge holds.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use super::acl::WebAcl;
use super::engine::{Ran, RunError};
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
    /// `GET` and so on.
    pub(crate) method: String,
    /// Other headers, names in lower case; a token travels in one of them, or in the path.
    pub(crate) headers: BTreeMap<String, String>,
    /// ISO 3166-2 without the country; none when it is not known.
    pub(crate) region: Option<String>,
    /// Nielsen's code of the metro area (US); none when it is not known.
    pub(crate) metro: Option<String>,
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
            method: "GET".to_owned(),
            headers: BTreeMap::new(),
            region: None,
            metro: None,
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
    /// What the function for viewer requests answered; none when there is none, or it was not asked.
    pub(crate) function: Option<FunctionAnswer>,
}

/// What a function did with the request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FunctionAnswer {
    pub(crate) name: String,
    pub(crate) ran: Result<Ran, RunError>,
}
