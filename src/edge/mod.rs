//! Would this viewer get in, and which layer says so? Geo restriction, web ACL, revocation, in the
//! order that CloudFront asks them. Pure: views and requests in, decisions out. Used to explain,
//! to verify and by the embedded cloud's edges; reading AWS is left to others.

mod geo;

pub(crate) use geo::{GeoKind, GeoRestriction};
