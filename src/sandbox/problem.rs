//! Refusals that come before a service sees a call, in the protocol of that service: missing or
//! wrong credentials, throttling, injected faults.

use serde_json::json;

use super::faults::FaultKind;
use super::route::{Protocol, Service};
use super::service::Answer;

/// What is wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    NoCredentials,
    /// The scope of the credentials, in words.
    Scope(String),
    Throttled,
    Conflict,
    /// With a 5xx status.
    Failing(u16),
    UnknownOperation,
    /// The state could not be used, in words.
    State(String),
}

impl Problem {
    /// The problem that an injected fault makes; none when it breaks the connection instead.
    pub(super) fn of(fault: FaultKind) -> Option<Self> {
        match fault {
            FaultKind::Throttle => Some(Self::Throttled),
            FaultKind::Conflict => Some(Self::Conflict),
            FaultKind::Error(status) => Some(Self::Failing(status)),
            FaultKind::LostAnswer
            | FaultKind::Unreachable
            | FaultKind::CrashBefore
            | FaultKind::CrashAfter => None,
        }
    }

    /// The problem as `service` would put it.
    pub(super) fn answer(&self, service: Service, request_id: &str) -> Answer {
        let (status, code, message) = self.words(service);
        match service.protocol() {
            Protocol::Xml => {
                let namespace = match service {
                    Service::CloudFront => "http://cloudfront.amazonaws.com/doc/2020-05-31/",
                    Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
                    _ => "https://sts.amazonaws.com/doc/2011-06-15/",
                };
                xml(namespace, status, code, &message, request_id)
            }
            Protocol::S3 => Answer {
                status,
                headers: vec![
                    ("x-amz-request-id", request_id.to_owned()),
                    ("content-type", "application/xml".to_owned()),
                ],
                body: format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{}\
                     </Message><RequestId>{request_id}</RequestId></Error>",
                    quick_xml::escape::escape(&message)
                )
                .into_bytes(),
                changed: false,
            },
            Protocol::Json => Answer {
                status,
                headers: vec![
                    ("x-amzn-requestid", request_id.to_owned()),
                    ("content-type", "application/x-amz-json-1.1".to_owned()),
                ],
                body: json!({"__type": code, "message": message})
                    .to_string()
                    .into_bytes(),
                changed: false,
            },
            Protocol::RestJson => Answer {
                status,
                headers: vec![
                    ("x-amzn-requestid", request_id.to_owned()),
                    ("x-amzn-errortype", code.to_owned()),
                    ("content-type", "application/json".to_owned()),
                ],
                body: json!({"message": message}).to_string().into_bytes(),
                changed: false,
            },
        }
    }

    fn words(&self, service: Service) -> (u16, &'static str, String) {
        let is_xml = matches!(service.protocol(), Protocol::Xml | Protocol::S3);
        match self {
            Self::NoCredentials => (
                403,
                if is_xml {
                    "MissingAuthenticationToken"
                } else {
                    "MissingAuthenticationTokenException"
                },
                "Request is missing Authentication Token".to_owned(),
            ),
            Self::Scope(message) => (
                403,
                if is_xml {
                    "SignatureDoesNotMatch"
                } else {
                    "InvalidSignatureException"
                },
                message.clone(),
            ),
            Self::Throttled => (
                400,
                if is_xml {
                    "Throttling"
                } else {
                    "ThrottlingException"
                },
                "Rate exceeded".to_owned(),
            ),
            Self::Conflict => match service {
                _ if is_xml => (
                    412,
                    "PreconditionFailed",
                    "The request failed because it didn't meet the preconditions in one or more \
                     request-header fields."
                        .to_owned(),
                ),
                Service::Waf => (
                    400,
                    "WAFOptimisticLockException",
                    "AWS WAF couldn\u{2019}t save your changes because someone changed the \
                     resource after you started to edit it. Reapply your changes."
                        .to_owned(),
                ),
                Service::Store => (
                    409,
                    "ConflictException",
                    "The key value store was changed in the meantime.".to_owned(),
                ),
                _ => (
                    409,
                    "ConflictException",
                    "The resource was changed in the meantime.".to_owned(),
                ),
            },
            Self::Failing(status) => (
                *status,
                match (service, status) {
                    (_, 503) if is_xml => "ServiceUnavailable",
                    (_, 503) => "ServiceUnavailableException",
                    (Service::Waf, _) => "WAFInternalErrorException",
                    (Service::Store, _) => "InternalServerException",
                    _ => "InternalFailure",
                },
                "The service failed, as the rehearsal asks.".to_owned(),
            ),
            Self::UnknownOperation => (
                if is_xml { 404 } else { 400 },
                if is_xml {
                    "InvalidAction"
                } else {
                    "UnknownOperationException"
                },
                "The embedded cloud does not know this operation.".to_owned(),
            ),
            Self::State(message) => (500, "InternalFailure", message.clone()),
        }
    }
}

fn xml(namespace: &str, status: u16, code: &str, message: &str, request_id: &str) -> Answer {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let message = quick_xml::escape::escape(message);
    let body = format!(
        "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>{request_id}</RequestId>\
         </ErrorResponse>"
    );
    Answer {
        status,
        headers: vec![
            ("x-amzn-requestid", request_id.to_owned()),
            ("content-type", "text/xml".to_owned()),
        ],
        body: body.into_bytes(),
        changed: false,
    }
}
