//! Calls of services whose SDK crate would cost more to build than the few calls are worth: the
//! request is written here by hand, and the SDK's own runtime signs, sends, times and retries it.
//!
//! `aws-sdk-medialive` alone costs 66 CPU seconds in a debug build and 159 in a release; together
//! the services below cost six minutes, for two dozen calls of a few members each.

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::{SharedIdentityCache, SharedIdentityResolver};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Cloud;
use super::call::Call;
use crate::cloud::CloudError;

/// A service that is called without an SDK crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    Acm,
    Glue,
    Iam,
    Kinesis,
    Logs,
    MediaConnect,
    MediaLive,
    MediaPackage,
    MediaTailor,
    S3,
}

impl Plain {
    pub(super) const ALL: [Self; 10] = [
        Self::Acm,
        Self::Glue,
        Self::Iam,
        Self::Kinesis,
        Self::Logs,
        Self::MediaConnect,
        Self::MediaLive,
        Self::MediaPackage,
        Self::MediaTailor,
        Self::S3,
    ];

    /// The name that requests are signed for.
    fn signing_name(self) -> &'static str {
        match self {
            Self::Acm => "acm",
            Self::Glue => "glue",
            Self::Iam => "iam",
            Self::Kinesis => "kinesis",
            Self::Logs => "logs",
            Self::MediaConnect => "mediaconnect",
            Self::MediaLive => "medialive",
            Self::MediaPackage => "mediapackagev2",
            Self::MediaTailor => "mediatailor",
            Self::S3 => "s3",
        }
    }

    /// The service's id as `AWS_ENDPOINT_URL_…` and profiles have it, in lower case.
    pub(super) fn endpoint_id(self) -> &'static str {
        match self {
            Self::Logs => "cloudwatch_logs",
            other => other.signing_name(),
        }
    }

    /// What stands before the operation in `X-Amz-Target`; none for services that have no such
    /// header. From botocore's service models.
    fn target_prefix(self) -> Option<&'static str> {
        match self {
            Self::Acm => Some("CertificateManager"),
            Self::Glue => Some("AWSGlue"),
            Self::Kinesis => Some("Kinesis_20131202"),
            Self::Logs => Some("Logs_20140328"),
            _ => None,
        }
    }

    /// AWS's endpoint, from botocore's endpoint rules.
    fn endpoint(self, region: &str) -> String {
        match self {
            Self::Iam => "https://iam.amazonaws.com".to_owned(),
            Self::MediaTailor => format!("https://api.mediatailor.{region}.amazonaws.com"),
            other => format!("https://{}.{region}.amazonaws.com", other.signing_name()),
        }
    }
}

/// One request, as it goes over the wire before it is signed.
#[derive(Debug, Clone)]
pub(super) struct PlainRequest {
    pub(super) service: Plain,
    pub(super) region: String,
    pub(super) method: &'static str,
    /// Percent-encoded, with the query where there is one; begins with `/`.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl PlainRequest {
    /// A request of the AWS JSON 1.1 protocol for the operation after the dot of `call`.
    pub(super) fn json(service: Plain, region: &str, call: &Call, body: &impl Serialize) -> Self {
        let (_, operation) = call
            .operation
            .split_once('.')
            .unwrap_or(("", call.operation));
        let prefix = service.target_prefix().unwrap_or_default();
        Self {
            service,
            region: region.to_owned(),
            method: "POST",
            path: "/".to_owned(),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", format!("{prefix}.{operation}")),
            ],
            body: serde_json::to_vec(body).expect("a request is plain data"),
        }
    }

    /// A request of a REST service without a body.
    pub(super) fn get(service: Plain, region: &str, path: String) -> Self {
        Self {
            service,
            region: region.to_owned(),
            method: "GET",
            path,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

/// A text as one segment of a path or a value of a query: all but letters, digits and `-._~` is
/// percent-encoded, also the slashes and colons of an ARN.
pub(super) fn segment(text: &str) -> String {
    const KEPT: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    percent_encoding::utf8_percent_encode(text, &KEPT).to_string()
}

/// What all plain calls are sent with.
#[derive(Debug, Clone)]
pub(super) struct PlainConfig {
    pub(super) retry: RetryConfig,
    pub(super) timeout: TimeoutConfig,
    pub(super) identity_cache: SharedIdentityCache,
    pub(super) credentials: Option<SharedCredentialsProvider>,
    /// The endpoint that takes the place of a service's own, by [`Plain::endpoint_id`].
    pub(super) endpoints: Vec<(&'static str, String)>,
}

impl Cloud {
    /// Sends a request and returns the body of a successful answer.
    pub(super) async fn ask(
        &self,
        call: &Call,
        request: PlainRequest,
    ) -> Result<Bytes, CloudError> {
        let config = &self.plain;
        let service = request.service;
        let endpoint = config
            .endpoints
            .iter()
            .find(|(id, _)| *id == service.endpoint_id())
            .map_or_else(|| service.endpoint(&request.region), |(_, url)| url.clone());
        let operation = Operation::builder()
            .service_name(service.signing_name())
            .operation_name(call.operation)
            .http_client(self.http_client.clone())
            .endpoint_url(&endpoint)
            .standard_retry(&config.retry)
            .timeout_config(config.timeout.clone())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(self.time_source.clone())
            .interceptor(call.watch())
            .runtime_plugin(signing(config, service, &request.region))
            .serializer(serialize)
            .deserializer(deserialize)
            .build();
        operation
            .invoke(request)
            .await
            .map_err(|error| call.failure(&error))
    }

    /// Sends a request and reads the JSON of its answer.
    pub(super) async fn ask_json<T: DeserializeOwned>(
        &self,
        call: &Call,
        request: PlainRequest,
    ) -> Result<T, CloudError> {
        let body = self.ask(call, request).await?;
        // Calls that answer nothing send an empty body.
        let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
        serde_json::from_slice(body).map_err(|error| call.unreadable(&error.to_string()))
    }
}

/// `SigV4` with the service's name and region.
fn signing(config: &PlainConfig, service: Plain, region: &str) -> StaticRuntimePlugin {
    let is_s3 = service == Plain::S3;
    let mut options = SigningOptions::default();
    // S3 signs its keys as they stand, and wants the payload's digest in a header.
    options.double_uri_encode = !is_s3;
    options.normalize_uri_path = !is_s3;
    options.content_sha256_header = is_s3;
    let mut layer = Layer::new("plain signing");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(aws_types::region::Region::new(
            region.to_owned(),
        ))),
        region_set: None,
        name: Some(SigningName::from_static(service.signing_name())),
        signing_options: options,
    });
    let mut components = RuntimeComponentsBuilder::new("plain signing")
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
            StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
        )))
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_identity_cache(Some(config.identity_cache.clone()));
    if let Some(credentials) = &config.credentials {
        components
            .set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials.clone()));
    }
    StaticRuntimePlugin::new()
        .with_config(layer.freeze())
        .with_runtime_components(components)
}

fn serialize(request: PlainRequest) -> Result<HttpRequest, BoxError> {
    let mut http = HttpRequest::new(SdkBody::from(request.body));
    http.set_method(request.method)?;
    http.set_uri(request.path)?;
    for (name, value) in request.headers {
        http.headers_mut().try_insert(name, value)?;
    }
    let length = http.body().bytes().map_or(0, <[u8]>::len);
    if length > 0 {
        http.headers_mut()
            .try_insert("content-length", length.to_string())?;
    }
    Ok(http)
}

fn deserialize(response: &HttpResponse) -> Result<Bytes, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return Ok(Bytes::copy_from_slice(body));
    }
    let header = response.headers().get("x-amzn-errortype");
    Err(OrchestratorError::operation(error(header, body)))
}

/// The code and the message of an error, as JSON services and XML services put them.
fn error(header: Option<&str>, body: &[u8]) -> ErrorMetadata {
    let mut metadata = ErrorMetadata::builder();
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let text = |names: &[&str]| {
        let json = json.as_ref()?;
        names
            .iter()
            .find_map(|name| json.get(name)?.as_str().map(str::to_owned))
    };
    let code = header
        .map(str::to_owned)
        .or_else(|| text(&["__type", "code", "Code"]))
        .or_else(|| element(body, "Code"));
    if let Some(code) = code {
        // `Code:http://…` in the header, `namespace#Code` in the body.
        let code = code.split(':').next().unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        metadata = metadata.code(code);
    }
    if let Some(message) =
        text(&["message", "Message", "errorMessage"]).or_else(|| element(body, "Message"))
    {
        metadata = metadata.message(message);
    }
    metadata.build()
}

/// The text of the first element of this name.
fn element(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    quick_xml::escape::unescape(inner)
        .ok()
        .map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_in_every_protocol() {
        use aws_smithy_types::error::metadata::ProvideErrorMetadata;
        for (header, body, code, message) in [
            (
                None,
                r#"{"__type":"com.amazonaws.logs#ConflictException","message":"in use"}"#,
                "ConflictException",
                "in use",
            ),
            (
                Some("NotFoundException:http://internal.amazon.com/"),
                r#"{"message":"no such channel"}"#,
                "NotFoundException",
                "no such channel",
            ),
            (
                None,
                "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>a &amp; b</Message></Error>",
                "NoSuchBucket",
                "a & b",
            ),
        ] {
            let error = error(header, body.as_bytes());
            assert_eq!(ProvideErrorMetadata::code(&error), Some(code));
            assert_eq!(ProvideErrorMetadata::message(&error), Some(message));
        }
    }
}
