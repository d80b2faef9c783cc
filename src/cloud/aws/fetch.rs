//! What a player would fetch: manifests, segments, keys. Unsigned, through the same HTTP client as
//! every call, so that in a rehearsal the embedded cloud answers.

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;

use super::Cloud;
use super::failure::chain;
use crate::cloud::CloudError;
use crate::cloud::fetch::{Fetch, Fetched};

/// How a fetch is named in errors and in the count of calls.
const OPERATION: &str = "fetch";

impl Cloud {
    /// Sends one unsigned request, once, and returns the answer whatever its status. Redirects are
    /// not followed. A body over the limit is an error, and is not read to its end.
    ///
    /// Errors name the host and never the path, which may hold a token.
    pub(crate) async fn fetch(&self, fetch: Fetch) -> Result<Fetched, CloudError> {
        let refused = |message: &str| CloudError::Refused {
            operation: OPERATION.to_owned(),
            service_code: "InvalidRequest".to_owned(),
            message: message.to_owned(),
            may_need: None,
            request_id: None,
        };
        let uri: http::Uri = fetch
            .url
            .parse()
            .map_err(|_| refused("the address is not a URL"))?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(refused("the address is not an http or https URL"));
        };
        // An authority may hold a user's name and password; only the host is shown.
        let endpoint = authority.host().to_owned();
        let base = format!("{scheme}://{authority}");
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
                    .connect_timeout(fetch.timeout)
                    .operation_timeout(fetch.timeout)
                    .build(),
            )
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .interceptor(Limit(fetch.limit))
            .interceptor(call.watch())
            .serializer(|fetch: Fetch| request(&fetch))
            .deserializer(|response: &HttpResponse| {
                Ok::<_, OrchestratorError<std::convert::Infallible>>(answer(response))
            })
            .build();
        operation.invoke(fetch).await.map_err(|error| match &error {
            SdkError::ConstructionFailure(_) => refused("a header or the address is malformed"),
            _ => CloudError::Unreachable {
                operation: OPERATION.to_owned(),
                endpoint,
                message: chain(&error),
            },
        })
    }
}

/// Ends a body at its limit: what a stranger's server sends must not fill this machine's memory.
#[derive(Debug)]
struct Limit(usize);

impl Intercept for Limit {
    fn name(&self) -> &'static str {
        "OnairBodyLimit"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let whole = std::mem::replace(body, SdkBody::taken());
        *body = SdkBody::from_body_1_x(http_body_util::Limited::new(whole, self.0));
        Ok(())
    }
}

fn request(fetch: &Fetch) -> Result<HttpRequest, BoxError> {
    let uri: http::Uri = fetch.url.parse()?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = http::Request::builder().method(http::Method::GET).uri(path);
    for (name, value) in &fetch.headers {
        request = request.header(name, value);
    }
    Ok(HttpRequest::try_from(request.body(SdkBody::empty())?)?)
}

fn answer(response: &HttpResponse) -> Fetched {
    Fetched {
        status: response.status().as_u16(),
        headers: response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect(),
        body: response.body().bytes().unwrap_or_default().to_vec(),
    }
}
