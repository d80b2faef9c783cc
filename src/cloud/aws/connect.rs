//! Makes the clients: credentials, region, endpoints, retries and time limits, in one place.

use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::sdk_config::StalledStreamProtectionConfig;

use super::super::error::CloudError;
use super::super::options::{ConnectOptions, EndpointUrls, Target};
use super::call::Calls;
use super::plain::{Plain, PlainConfig};
use super::{Cloud, transport};
use crate::clock::Clock;

/// CloudFront's control plane and the web ACLs of scope CLOUDFRONT live here only.
const GLOBAL_REGION: &str = "us-east-1";

/// How long a TCP connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the metadata service of an EC2 host may take to answer: it is one hop away, and on
/// every other machine the wait is in vain.
const METADATA_TIMEOUT: Duration = Duration::from_millis(500);

/// How long loading credentials may take: long enough to touch a key for a credential process.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) async fn connect(options: ConnectOptions, clock: Clock) -> Result<Cloud, CloudError> {
    let shared = Shared::new(&options, clock);
    let base = match &options.target {
        Target::Rehearsal => dummy(),
        Target::Live => {
            let base = from_environment(&options, &shared).await;
            if let Some(url) = configured_endpoint(&base) {
                return Err(CloudError::NotLive {
                    url: super::super::error::one_line(&url),
                });
            }
            base
        }
        Target::Endpoint(_) => from_environment(&options, &shared).await,
    };
    Ok(clients(base, &options, shared))
}

/// Connects without looking at the environment.
#[cfg(test)]
pub(super) fn with_dummy_credentials(options: &ConnectOptions, clock: Clock) -> Cloud {
    let shared = Shared::new(options, clock);
    clients(dummy(), options, shared)
}

/// What all clients and the credential chain have in common.
struct Shared {
    http_client: SharedHttpClient,
    time_source: SharedTimeSource,
    region: Region,
}

impl Shared {
    fn new(options: &ConnectOptions, clock: Clock) -> Self {
        let region = options.region.clone();
        Self {
            http_client: match (&options.http_client, &options.target) {
                (Some(client), _) => client.clone(),
                (None, Target::Endpoint(_)) => transport::direct(),
                (None, Target::Live) => transport::network(),
                (None, Target::Rehearsal) => transport::nowhere(),
            },
            time_source: SharedTimeSource::new(ClockTime(clock)),
            region: Region::new(region.unwrap_or_else(|| GLOBAL_REGION.to_owned())),
        }
    }
}

/// The embedded cloud takes any credentials, and nothing of the environment is read.
fn dummy() -> SdkConfig {
    let credentials = Credentials::new("REHEARSAL", "rehearsal", None, None, "embedded cloud");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .identity_cache(identity_cache())
        .build()
}

fn clients(base: SdkConfig, options: &ConnectOptions, shared: Shared) -> Cloud {
    let Shared {
        http_client,
        time_source,
        region,
    } = shared;
    let urls = match &options.target {
        Target::Endpoint(urls) => urls.clone(),
        Target::Live | Target::Rehearsal => EndpointUrls::default(),
    };
    let retry = RetryConfig::standard()
        .with_max_attempts(options.attempts.max(1))
        .with_initial_backoff(options.first_pause);
    let timeout = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT.min(options.attempt_timeout))
        .operation_attempt_timeout(options.attempt_timeout)
        .operation_timeout(options.operation_timeout)
        .build();
    let mut builder = base
        .into_builder()
        .region(region)
        .http_client(http_client.clone())
        .time_source(time_source.clone())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(retry.clone())
        .timeout_config(timeout.clone())
        // The limits above already end a stalled answer.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    // Endpoints come from `urls` alone, so that no variable or profile redirects a call unseen.
    builder.set_endpoint_url(None);
    builder.set_service_config(None::<NoServiceConfig>);
    let config = builder.build();

    let url = |own: &Option<String>| own.clone().or_else(|| urls.general.clone());
    let global = Region::new(GLOBAL_REGION);
    let mut athena = aws_sdk_athena::config::Builder::from(&config);
    athena.set_endpoint_url(url(&urls.athena));
    // The metrics of CloudFront and its WAF are in us-east-1; dashboards are global.
    let mut cloudwatch = aws_sdk_cloudwatch::config::Builder::from(&config).region(global.clone());
    cloudwatch.set_endpoint_url(url(&urls.cloudwatch));
    let mut cloudfront = aws_sdk_cloudfront::config::Builder::from(&config).region(global.clone());
    cloudfront.set_endpoint_url(url(&urls.cloudfront));
    let mut wafv2 = aws_sdk_wafv2::config::Builder::from(&config).region(global.clone());
    wafv2.set_endpoint_url(url(&urls.wafv2));
    let mut keyvaluestore =
        aws_sdk_cloudfrontkeyvaluestore::config::Builder::from(&config).region(global);
    keyvaluestore.set_endpoint_url(url(&urls.keyvaluestore));
    let mut sts = aws_sdk_sts::config::Builder::from(&config);
    sts.set_endpoint_url(url(&urls.sts));
    let endpoints = Plain::ALL
        .iter()
        .filter_map(|service| {
            let id = service.endpoint_id();
            let own = urls
                .plain
                .iter()
                .find(|(known, _)| known == id)
                .map(|(_, url)| url.clone());
            Some((id, own.or_else(|| urls.general.clone())?))
        })
        .collect();
    let plain = PlainConfig {
        retry,
        timeout,
        identity_cache: config.identity_cache().unwrap_or_else(identity_cache),
        credentials: config.credentials_provider(),
        endpoints,
    };
    Cloud {
        athena: aws_sdk_athena::Client::from_conf(athena.build()),
        cloudwatch: aws_sdk_cloudwatch::Client::from_conf(cloudwatch.build()),
        plain,
        rehearses: options.target == Target::Rehearsal,
        cloudfront: aws_sdk_cloudfront::Client::from_conf(cloudfront.build()),
        keyvaluestore: aws_sdk_cloudfrontkeyvaluestore::Client::from_conf(keyvaluestore.build()),
        sts: aws_sdk_sts::Client::from_conf(sts.build()),
        wafv2: aws_sdk_wafv2::Client::from_conf(wafv2.build()),
        http_client,
        time_source,
        calls: Calls::default(),
        credentials: config.credentials_provider(),
    }
}

/// The standard chain, except that it does not wait for a metadata service that isn't there.
async fn from_environment(options: &ConnectOptions, shared: &Shared) -> SdkConfig {
    let provider_config = ProviderConfig::without_region()
        .with_region(Some(shared.region.clone()))
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_http_client(shared.http_client.clone())
        .with_time_source(shared.time_source.clone())
        .with_sleep_impl(SharedAsyncSleep::new(TokioSleep::new()));
    let direct = provider_config
        .clone()
        .with_http_client(transport::direct());
    let metadata = aws_config::imds::Client::builder()
        .configure(&direct)
        .max_attempts(1)
        .connect_timeout(METADATA_TIMEOUT)
        .read_timeout(METADATA_TIMEOUT)
        .operation_timeout(METADATA_TIMEOUT)
        .build();
    let mut chain = DefaultCredentialsChain::builder()
        .region(shared.region.clone())
        .imds_client(metadata)
        .configure(provider_config);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        // A given region keeps the loader from asking the metadata service for one.
        .region(shared.region.clone())
        .http_client(shared.http_client.clone())
        .time_source(shared.time_source.clone())
        .identity_cache(identity_cache());
    if let Some(profile) = &options.profile {
        chain = chain.profile_name(profile);
        loader = loader.profile_name(profile);
    }
    loader
        .credentials_provider(chain.build().await)
        .load()
        .await
}

fn identity_cache() -> SharedIdentityCache {
    aws_config::identity::IdentityCache::lazy()
        .load_timeout(CREDENTIALS_TIMEOUT)
        .build()
}

/// An endpoint that the environment or the profile names, for all services or one of ours.
fn configured_endpoint(config: &SdkConfig) -> Option<String> {
    use aws_types::service_config::ServiceConfigKey;
    let of_service = |service: &'static str| {
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .expect("all members are set");
        config.service_config()?.load_config(key)
    };
    config.endpoint_url().map(str::to_owned).or_else(|| {
        [
            "athena",
            "cloudfront",
            "cloudfront_keyvaluestore",
            "cloudwatch",
            "sts",
            "wafv2",
        ]
        .into_iter()
        .chain(Plain::ALL.iter().map(|service| service.endpoint_id()))
        .find_map(of_service)
    })
}

/// Names the type of a service configuration that is never there.
#[derive(Debug)]
enum NoServiceConfig {}

impl aws_types::service_config::LoadServiceConfig for NoServiceConfig {
    fn load_config(&self, _key: aws_types::service_config::ServiceConfigKey<'_>) -> Option<String> {
        match *self {}
    }
}

/// The crew's clock as the SDK's.
#[derive(Debug)]
struct ClockTime(Clock);

impl TimeSource for ClockTime {
    fn now(&self) -> SystemTime {
        SystemTime::from(self.0.now())
    }
}
