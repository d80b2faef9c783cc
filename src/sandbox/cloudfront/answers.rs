//! What the control plane answers: documents, and refusals in CloudFront's error document.

use super::document::{NAMESPACE, list, tag};
use super::paging::Page;
use crate::sandbox::service::{Answer, Call};

/// Why a call is refused: an error code of the service's model, and words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new("InvalidArgument", message)
    }

    pub(crate) fn malformed(message: impl std::fmt::Display) -> Self {
        Self::new(
            "MalformedXML",
            format!("The XML document is malformed: {message}."),
        )
    }

    /// A member that must be there is not.
    pub(crate) fn missing(member: &str) -> Self {
        Self::invalid_argument(format!("The parameter {member} is required."))
    }

    /// The HTTP status of the code, as the service's model has it.
    pub(crate) fn status(&self) -> u16 {
        match self.code {
            "AccessDenied" => 403,
            "RealtimeLogConfigOwnerMismatch" => 401,
            "NoSuchDistribution"
            | "NoSuchOrigin"
            | "EntityNotFound"
            | "NoSuchFunctionExists"
            | "NoSuchRealtimeLogConfig"
            | "NoSuchResource"
            | "NoSuchMonitoringSubscription"
            | "NoSuchCachePolicy"
            | "NoSuchContinuousDeploymentPolicy"
            | "NoSuchOriginAccessControl"
            | "NoSuchOriginRequestPolicy"
            | "NoSuchResponseHeadersPolicy"
            | "UnknownOperationException" => 404,
            "CNAMEAlreadyExists"
            | "DistributionAlreadyExists"
            | "DistributionNotDisabled"
            | "ResourceInUse"
            | "EntityAlreadyExists"
            | "CannotDeleteEntityWhileInUse"
            | "FunctionInUse"
            | "RealtimeLogConfigAlreadyExists"
            | "FunctionAlreadyExists"
            | "MonitoringSubscriptionAlreadyExists" => 409,
            "PreconditionFailed" => 412,
            "FunctionSizeLimitExceeded" | "EntitySizeLimitExceeded" => 413,
            _ => 400,
        }
    }

    /// The answer that tells the client; it changes nothing.
    pub(crate) fn answer(&self, call: &Call<'_>) -> Answer {
        let error = format!(
            "<Error><Type>Sender</Type>{}{}</Error>",
            tag("Code", self.code),
            tag("Message", &self.message)
        );
        let body = format!(
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"{NAMESPACE}\">{error}{}</ErrorResponse>",
            tag("RequestId", call.request_id)
        );
        answer(call, self.status(), Some(body), false)
    }
}

fn answer(call: &Call<'_>, status: u16, body: Option<String>, changed: bool) -> Answer {
    let mut headers = vec![("x-amzn-RequestId", call.request_id.to_owned())];
    if body.is_some() {
        headers.push(("Content-Type", "text/xml".to_owned()));
    }
    Answer {
        status,
        headers,
        body: body.unwrap_or_default().into_bytes(),
        changed,
    }
}

/// Puts the XML declaration before a root element that carries its namespace.
pub(crate) fn declared(root: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n{root}")
}

/// A root element in the service's namespace.
pub(crate) fn rooted(name: &str, content: &str) -> String {
    declared(&format!("<{name} xmlns=\"{NAMESPACE}\">{content}</{name}>"))
}

/// A page of a list whose `Quantity` counts what the page holds.
pub(crate) fn listed(name: &str, page: &Page, next: Option<&str>, items: &[String]) -> String {
    let next = next.map(|next| tag("NextMarker", next)).unwrap_or_default();
    let max_items = tag("MaxItems", &page.max_items.to_string());
    let open = format!("<{name}>");
    declared(&list(name, items).replacen(
        &open,
        &format!("<{name} xmlns=\"{NAMESPACE}\">{next}{max_items}"),
        1,
    ))
}

/// An answer to a reading call.
pub(crate) fn found(call: &Call<'_>, document: String) -> Answer {
    answer(call, 200, Some(document), false)
}

/// An answer to a call that changed something.
pub(crate) fn changed(call: &Call<'_>, document: String) -> Answer {
    answer(call, 200, Some(document), true)
}

/// An answer to a call that made something, which is then at `path` below the version.
pub(crate) fn created(call: &Call<'_>, document: String, path: &str) -> Answer {
    let mut made = answer(call, 201, Some(document), true);
    made.headers.push((
        "Location",
        format!("https://cloudfront.amazonaws.com/2020-05-31/{path}"),
    ));
    made
}

/// An answer without a body to a call that changed something.
pub(crate) fn emptied(call: &Call<'_>) -> Answer {
    answer(call, 204, None, true)
}

/// Adds the version of what the answer is about.
pub(crate) fn with_etag(mut answer: Answer, etag: &str) -> Answer {
    answer.headers.push(("ETag", etag.to_owned()));
    answer
}
