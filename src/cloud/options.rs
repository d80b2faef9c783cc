//! What the port is connected to and how: target, endpoints, region, attempts and time limits.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// Which cloud a command talks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The real account, by the standard credential chain.
    Live,
    /// Custom endpoints: emulators and proxies. Never shown as live.
    Endpoint(EndpointUrls),
    /// The embedded cloud: no network, no credentials, no AWS environment or profile.
    Rehearsal,
}

/// Endpoint addresses of [`Target::Endpoint`]; a service without one of its own uses `general`,
/// and without that the AWS endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EndpointUrls {
    /// `--endpoint-url` or `AWS_ENDPOINT_URL`.
    pub(crate) general: Option<String>,
    /// `AWS_ENDPOINT_URL_ATHENA`.
    pub(crate) athena: Option<String>,
    /// `AWS_ENDPOINT_URL_CLOUDWATCH`.
    pub(crate) cloudwatch: Option<String>,
    /// `AWS_ENDPOINT_URL_CLOUDFRONT`.
    pub(crate) cloudfront: Option<String>,
    /// `AWS_ENDPOINT_URL_WAFV2`.
    pub(crate) wafv2: Option<String>,
    /// `AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE`.
    pub(crate) keyvaluestore: Option<String>,
    /// `AWS_ENDPOINT_URL_STS`.
    pub(crate) sts: Option<String>,
    /// Other services, by the lower-case name after `AWS_ENDPOINT_URL_`.
    pub(crate) plain: Vec<(String, String)>,
}

/// How [`crate::cloud::Cloud::connect`] connects.
#[derive(Debug, Clone)]
pub(crate) struct ConnectOptions {
    /// The AWS profile; the environment's when absent.
    pub(crate) profile: Option<String>,
    /// The region that STS is asked in. CloudFront and its web ACLs are always in us-east-1.
    pub(crate) region: Option<String>,
    /// Which cloud.
    pub(crate) target: Target,
    /// Takes the place of the network: the embedded cloud's client in a rehearsal.
    pub(crate) http_client: Option<SharedHttpClient>,
    /// HTTP attempts of one call, the first included.
    pub(crate) attempts: u32,
    /// The pause before the second attempt, drawn between zero and this; it doubles after that.
    pub(crate) first_pause: Duration,
    /// The limit of one HTTP attempt, from connecting to the last byte.
    pub(crate) attempt_timeout: Duration,
    /// The limit of one call with all its attempts and pauses.
    pub(crate) operation_timeout: Duration,
}

impl ConnectOptions {
    /// Three attempts of at most 12 s each, 30 s in all: a distribution's update takes seconds,
    /// and an operator's `--timeout` of 60 s leaves room for a second call.
    pub(crate) fn new(target: Target) -> Self {
        Self {
            profile: None,
            region: None,
            target,
            http_client: None,
            attempts: 3,
            first_pause: Duration::from_secs(1),
            attempt_timeout: Duration::from_secs(12),
            operation_timeout: Duration::from_secs(30),
        }
    }
}

impl EndpointUrls {
    /// An address to show for all of them.
    pub(crate) fn first(&self) -> Option<&str> {
        [
            &self.general,
            &self.cloudfront,
            &self.wafv2,
            &self.keyvaluestore,
            &self.sts,
        ]
        .into_iter()
        .find_map(|url| url.as_deref())
    }
}
