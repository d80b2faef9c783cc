//! The port to the cloud, in the event's words: what can be read and changed, and how it can fail.
//!
//! [`Cloud`] is the one thing that talks to AWS. The same code runs against the real account, a
//! custom endpoint and the embedded cloud: only the HTTP client and the endpoints differ. Code
//! outside `aws/` never names the SDK. What to change, whether it may be changed and what to do
//! after a conflict is decided elsewhere (plan, guard, apply).

mod aws;
mod document;
mod edge_resources;
mod error;
pub(crate) mod fetch;
mod function_test;
mod log_model;
pub(crate) mod media;
pub(crate) mod metrics;
mod model;
mod options;
mod policies;
mod query_model;

pub(crate) use aws::Cloud;
pub(crate) use document::{
    Behavior, BehaviorView, DistributionDocument, DistributionView, DocumentError, GeoKind,
    GeoRestriction, OriginView, serving,
};
pub(crate) use edge_resources::{EdgeFunction, FunctionCode, FunctionStage, RealtimeLogConfig};
pub(crate) use error::CloudError;
pub(crate) use function_test::TestAnswer;
pub(crate) use log_model::{
    CatalogDatabase, CatalogTable, Column, Delivery, DeliveryDestination, DeliverySettings,
    DeliverySource, LogEvent, NamedQuery, ObjectSummary, Stream, TableDefinition, Tags, WorkGroup,
};
pub(crate) use model::{
    Caller, Distribution, DistributionStatus, IpSet, IpSetFamily, IpSetIdentity, IpSetSummary,
    Probe, ProbeAnswer, Sample, Store, StoreSummary, Versioned, WebAclDocument, WebAclSummary,
};
pub(crate) use options::{ConnectOptions, EndpointUrls, Target};
pub(crate) use policies::{
    CachePolicy, Certificate, OriginAccessControl, OriginRequestPolicy, QueryStrings, Role,
    Simulated,
};
pub(crate) use query_model::{QueryExecution, QueryPage, QueryStart, QueryState};

/// Permission to change the cloud: every write asks for one.
///
/// Only the confirmation step makes one, so that no code path reaches a write without the plan
/// having been shown and agreed to.
#[derive(Debug)]
pub(crate) struct Approved(());

impl Approved {
    /// States that the plan was confirmed. Called by the confirmation step and by nothing else.
    pub(crate) fn by_confirmation() -> Self {
        Self(())
    }
}
