//! A cloud whose answers a test writes down beforehand: no network, no pauses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::Cloud;
use crate::clock::Clock;
use crate::cloud::{ConnectOptions, Target};

/// One prepared answer.
#[derive(Debug, Clone)]
pub(super) enum Canned {
    /// A status, headers and a body.
    Answer(u16, Vec<(&'static str, &'static str)>, String),
    /// The connection breaks after the request was sent.
    Broken,
    /// No connection comes about.
    NoConnection,
}

/// A request as the cloud got it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What was asked and what is still to be answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    answers: Arc<Mutex<VecDeque<Canned>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Script {
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.seen.lock().unwrap().push(Seen {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap(),
        });
        let io = |kind| ConnectorError::io(Box::new(std::io::Error::from(kind)));
        HttpConnectorFuture::ready(match self.answers.lock().unwrap().pop_front() {
            Some(Canned::Answer(status, headers, body)) => {
                let mut response =
                    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                for (name, value) in headers {
                    response.headers_mut().insert(name, value);
                }
                Ok(response)
            }
            Some(Canned::Broken) => Err(io(std::io::ErrorKind::ConnectionReset)),
            Some(Canned::NoConnection) => Err(io(std::io::ErrorKind::ConnectionRefused)),
            None => panic!("the script has no answer left"),
        })
    }
}

/// A cloud that gives these answers in turn.
pub(super) async fn scripted(answers: impl IntoIterator<Item = Canned>) -> (Cloud, Script) {
    let script = Script::default();
    script.answers.lock().unwrap().extend(answers);
    let options = ConnectOptions {
        http_client: Some(script.client()),
        first_pause: Duration::ZERO,
        ..ConnectOptions::new(Target::Rehearsal)
    };
    let clock = Clock::manual("2026-06-13T18:00:00Z".parse().unwrap());
    (Cloud::connect(options, clock).await.unwrap(), script)
}

/// WAF's way to answer with an error.
pub(super) fn json_error(status: u16, code: &str, text: &str) -> Canned {
    let body = serde_json::json!({"__type": code, "message": text, "Message": text});
    Canned::Answer(
        status,
        vec![("x-amzn-requestid", "request-1")],
        body.to_string(),
    )
}

/// CloudFront's way to answer with an error.
pub(super) fn xml_error(status: u16, code: &str, text: &str) -> Canned {
    let body = format!(
        "<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error><RequestId>request-1</RequestId></ErrorResponse>"
    );
    Canned::Answer(status, vec![("x-amzn-requestid", "request-1")], body)
}
