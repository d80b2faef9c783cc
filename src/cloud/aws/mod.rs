//! The AWS side of the port: the only code that names the SDK. One file per service; `connect`
//! makes the clients, `transport` the HTTP client, `call` watches each call and turns its error
//! into a [`CloudError`].

mod acm;
mod athena;
mod athena_queries;
mod call;
mod cloudfront;
mod cloudwatch;
mod connect;
mod edge_functions;
mod edge_logs;
mod edge_stores;
mod failure;
mod fetch;
mod glue;
mod iam;
mod keyvaluestore;
mod kinesis;
#[cfg_attr(
    not(feature = "engine"),
    expect(dead_code, reason = "what the local engine asks for")
)]
mod log_events;
mod logs;
mod mediaconnect;
mod medialive;
mod mediapackage;
mod mediatailor;
mod plain;
mod policies;
mod probe;
mod resolve;
mod s3;
mod sts;
mod test_function;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod transport;
mod wafv2;
mod wafv2_writes;

use std::fmt;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use call::{Call, Calls};

use super::error::CloudError;
use super::options::ConnectOptions;
use crate::clock::Clock;

/// The account, as onair sees it. Cheap to clone; clones share the count of calls.
#[derive(Clone)]
pub(crate) struct Cloud {
    athena: aws_sdk_athena::Client,
    cloudfront: aws_sdk_cloudfront::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    keyvaluestore: aws_sdk_cloudfrontkeyvaluestore::Client,
    sts: aws_sdk_sts::Client,
    wafv2: aws_sdk_wafv2::Client,
    http_client: SharedHttpClient,
    time_source: SharedTimeSource,
    calls: Calls,
    credentials: Option<SharedCredentialsProvider>,
    plain: plain::PlainConfig,
    /// The embedded cloud answers for the network, names included.
    rehearses: bool,
}

impl fmt::Debug for Cloud {
    /// Shows nothing of the clients: they hold credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cloud").finish_non_exhaustive()
    }
}

impl Cloud {
    /// Makes the clients. Asks nothing over the network: credentials are looked for with the
    /// first call, and [`CloudError::NoCredentials`] comes from there.
    ///
    /// Fails with [`CloudError::NotLive`] when the live cloud is asked for while the environment
    /// or the profile names an endpoint.
    pub(crate) async fn connect(options: ConnectOptions, clock: Clock) -> Result<Self, CloudError> {
        connect::connect(options, clock).await
    }

    /// Returns how many HTTP requests were sent so far, by operation (`wafv2.UpdateIPSet`),
    /// retries included, sorted by name.
    pub(crate) fn calls(&self) -> Vec<(String, u32)> {
        self.calls.counts()
    }

    /// When the credentials end by themselves; none for those that do not.
    pub(crate) async fn credentials_expiry(&self) -> Result<Option<jiff::Timestamp>, CloudError> {
        use aws_credential_types::provider::ProvideCredentials;
        let none = |message: String| CloudError::NoCredentials { message };
        let provider = self
            .credentials
            .as_ref()
            .ok_or_else(|| none("there is no provider".to_owned()))?;
        // The provider's message may hold what was tried, never a secret; it is shortened all the same.
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| none(super::error::one_line(&error.to_string())))?;
        Ok(credentials
            .expiry()
            .and_then(|expiry| jiff::Timestamp::try_from(expiry).ok()))
    }

    /// How far the services' clock is ahead of ours, by the `Date` of the last answer, to a second.
    pub(crate) fn skew(&self) -> Option<jiff::SignedDuration> {
        self.calls.skew()
    }

    /// The credentials that all calls are signed with, for the ledger's own store.
    pub(crate) fn credentials(&self) -> Option<SharedCredentialsProvider> {
        self.credentials.clone()
    }

    /// Begins a call that changes nothing; `what` names its object in a not-found error.
    fn reading(&self, operation: &'static str, what: impl Into<String>) -> Call {
        Call::new(operation, false, what.into(), self.calls.clone())
    }

    /// Begins a call that changes `what`.
    fn writing(&self, operation: &'static str, what: impl Into<String>) -> Call {
        Call::new(operation, true, what.into(), self.calls.clone())
    }
}
