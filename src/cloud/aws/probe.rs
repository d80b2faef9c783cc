//! Requests outside AWS's APIs, through the same HTTP client: in a rehearsal the embedded cloud
//! answers them, too.

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use super::Cloud;
use super::failure::chain;
use crate::cloud::{CloudError, Probe, ProbeAnswer};

/// How a probe is named in errors and in the count of calls.
const OPERATION: &str = "probe";

impl Cloud {
    /// Sends one unsigned request, once, and returns the answer whatever its status.
    ///
    /// Errors name the host and never the path, which may hold a token.
    pub(crate) async fn probe(&self, probe: Probe) -> Result<ProbeAnswer, CloudError> {
        let refused = |message: &str| CloudError::Refused {
            operation: OPERATION.to_owned(),
            service_code: "InvalidRequest".to_owned(),
            message: message.to_owned(),
            may_need: None,
            request_id: None,
        };
        let uri: http::Uri = probe
            .url
            .parse()
            .map_err(|_| refused("the address is not a URL"))?;
        let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refused("the address is not an http or https URL"));
        };
        // An authority may hold a user's name and password; only the host is shown.
        let endpoint = authority.host().to_owned();
        let base = format!(
            "{}://{authority}",
            uri.scheme_str().expect("the scheme was matched")
        );
        let timeout = probe.timeout;
        let call = self.reading(OPERATION, endpoint.clone());
        let operation = Operation::builder()
            .service_name("onair")
            .operation_name(OPERATION)
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http_client.clone())
            .time_source(self.time_source.clone())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .endpoint_url(&base)
            .no_auth()
            .no_retry()
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(timeout)
                    .operation_timeout(timeout)
                    .build(),
            )
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .interceptor(call.watch())
            .serializer(|probe: Probe| request(&probe))
            .deserializer(|response: &HttpResponse| {
                Ok::<_, OrchestratorError<std::convert::Infallible>>(answer(response))
            })
            .build();
        operation.invoke(probe).await.map_err(|error| match &error {
            SdkError::ConstructionFailure(_) => refused("a header or the address is malformed"),
            _ => CloudError::Unreachable {
                operation: OPERATION.to_owned(),
                endpoint,
                message: chain(&error),
            },
        })
    }
}

fn request(probe: &Probe) -> Result<HttpRequest, BoxError> {
    let uri: http::Uri = probe.url.parse()?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = http::Request::builder().method(http::Method::GET).uri(path);
    for (name, value) in &probe.headers {
        request = request.header(name, value);
    }
    let request = request.body(aws_smithy_types::body::SdkBody::empty())?;
    Ok(HttpRequest::try_from(request)?)
}

fn answer(response: &HttpResponse) -> ProbeAnswer {
    let body = response.body().bytes().unwrap_or_default();
    ProbeAnswer {
        status: response.status().as_u16(),
        body: body[..body.len().min(ProbeAnswer::BODY_LIMIT)].to_vec(),
    }
}
