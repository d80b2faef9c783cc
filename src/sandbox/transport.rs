//! The AWS SDK's HTTP client for rehearsals: hands every request to the embedded cloud instead of
//! a socket. Everything above it, from serializers and signing to retries, is the real thing.

use std::fmt;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use super::account::{Broken, Sandbox};
use super::service::Answer;

impl Sandbox {
    /// The HTTP client to give to `aws_config` and SDK clients.
    pub(crate) fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(InProcess(self.clone()))
    }
}

#[derive(Clone)]
struct InProcess(Sandbox);

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = incoming(&request)?;
            match sandbox.handle(request).await {
                Ok(answer) => outgoing(answer),
                // As `kill -9` would: nothing is flushed, nobody is told. The state is committed.
                Err(Broken::Crash) => std::process::abort(),
                // Retried by the SDK, as a broken connection is.
                Err(broken) => Err(ConnectorError::io(broken.into())),
            }
        })
    }
}

fn incoming(request: &HttpRequest) -> Result<http::Request<Bytes>, ConnectorError> {
    let body = request
        .body()
        .bytes()
        .ok_or_else(|| ConnectorError::user("the embedded cloud takes no streams".into()))?;
    let mut builder = http::Request::builder()
        .method(request.method())
        .uri(request.uri());
    for (name, value) in request.headers() {
        builder = builder.header(name, value);
    }
    builder
        .body(Bytes::copy_from_slice(body))
        .map_err(|error| ConnectorError::user(error.into()))
}

fn outgoing(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(answer.status)
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    for (name, value) in answer.headers {
        response
            .headers_mut()
            .try_append(name, value)
            .map_err(|error| ConnectorError::other(error.into(), None))?;
    }
    Ok(response)
}
