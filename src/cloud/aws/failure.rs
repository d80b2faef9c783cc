//! From the SDK's errors to ours: which code of which service means what.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::super::error::{CloudError, one_line};
use super::call::{Call, causes};

/// Codes with which a service says that the version sent is not the current one. The first is the
/// Glue catalog's, the next two are CloudFront's, then one each of WAF and the key-value store.
const CONFLICTS: [&str; 5] = [
    "ConcurrentModificationException",
    "PreconditionFailed",
    "InvalidIfMatchVersion",
    "WAFOptimisticLockException",
    "ConflictException",
];

/// Codes that botocore's retry handler takes for throttling; CloudFront declares none of its own.
const THROTTLES: [&str; 12] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "LimitExceededException",
    "BandwidthLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "TransactionInProgressException",
];

/// Codes for credentials that are wrong, stale or of the wrong kind. Their texts may echo the
/// signed request, security token included, so they are never repeated.
const BAD_CREDENTIALS: [&str; 10] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

impl Call {
    /// Turns the SDK's error into ours.
    pub(super) fn failure<E>(&self, error: &SdkError<E, HttpResponse>) -> CloudError
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        if let Some(message) = no_credentials(error) {
            return CloudError::NoCredentials { message };
        }
        match error {
            // The SDK also files a success that it can't parse under the operation's errors.
            SdkError::ServiceError(service) if service.raw().status().as_u16() < 400 => {
                self.unreadable("the answer is not what the service documents")
            }
            SdkError::ServiceError(service) => {
                self.service_failure(service.err().code(), service.err().message(), error)
            }
            SdkError::ResponseError(response) if response.raw().status().as_u16() >= 400 => {
                self.service_failure(None, None, error)
            }
            SdkError::ResponseError(_) => self.unreadable(&chain(error)),
            SdkError::ConstructionFailure(_) => CloudError::Refused {
                operation: self.operation.to_owned(),
                service_code: "InvalidRequest".to_owned(),
                message: chain(error),
                may_need: None,
                request_id: None,
            },
            _ if self.any_may_have_landed() => CloudError::Lost {
                operation: self.operation.to_owned(),
                message: chain(error),
            },
            _ => CloudError::Unreachable {
                operation: self.operation.to_owned(),
                endpoint: self.host().unwrap_or_else(|| "the service".to_owned()),
                message: chain(error),
            },
        }
    }

    fn service_failure<E>(
        &self,
        code: Option<&str>,
        message: Option<&str>,
        error: &SdkError<E, HttpResponse>,
    ) -> CloudError {
        let operation = self.operation.to_owned();
        let request_id = error.request_id().map(one_line);
        let status = error
            .raw_response()
            .map_or(0, |response| response.status().as_u16());
        let service_code = code.map_or_else(|| format!("HTTP {status}"), one_line);
        let message = message_text(message, error.raw_response());
        let is = |codes: &[&str]| code.is_some_and(|code| codes.contains(&code));
        let begins = |start: &str| code.is_some_and(|code| code.starts_with(start));
        if is(&BAD_CREDENTIALS) {
            return CloudError::NoCredentials {
                message: format!("{operation} did not accept them ({service_code})"),
            };
        }
        if is(&CONFLICTS) || status == 412 || (is(&["ValidationException"]) && is_stale(&message)) {
            return CloudError::Conflict {
                operation,
                ambiguous: self.earlier_may_have_landed(),
                message: format!("{service_code}: {message}"),
                request_id,
            };
        }
        if is(&THROTTLES) || status == 429 {
            return CloudError::Throttled {
                operation,
                ambiguous: self.earlier_may_have_landed(),
                message: format!("{service_code}: {message}"),
                request_id,
            };
        }
        if status >= 500
            || is(&[
                "WAFInternalErrorException",
                "InternalServerException",
                // A set or a group that was made a moment ago is not known yet: try again.
                "WAFUnavailableEntityException",
            ])
        {
            return CloudError::Server {
                operation,
                status,
                ambiguous: self.any_may_have_landed(),
                message: format!("{service_code}: {message}"),
                request_id,
            };
        }
        if begins("NoSuch")
            || is(&[
                "ResourceNotFoundException",
                "NotFoundException",
                // CloudWatch's, for dashboards and alarms.
                "ResourceNotFound",
                "WAFNonexistentItemException",
                "EntityNotFound",
                "EntityNotFoundException",
            ])
        {
            return CloudError::NotFound {
                operation,
                what: self.what.clone(),
                request_id,
            };
        }
        if begins("AccessDenied")
            || is(&[
                "UnauthorizedOperation",
                "NotAuthorized",
                "ForbiddenException",
            ])
        {
            return CloudError::Denied {
                action: self.operation.replace('.', ":"),
                operation,
                message,
                request_id,
            };
        }
        if begins("TooMany")
            || status == 402
            || is(&[
                "WAFLimitsExceededException",
                "ServiceQuotaExceededException",
                // CloudWatch's, for alarms.
                "LimitExceeded",
            ])
        {
            return CloudError::Limit {
                operation,
                service_code,
                message,
                request_id,
            };
        }
        // CloudFront also answers InvalidWebACLId when the caller may not read the web ACL that
        // the configuration names (aws-sdk-java issue 2901).
        let may_need = is(&["InvalidWebACLId"]).then(|| "wafv2:GetWebACL".to_owned());
        CloudError::Refused {
            operation,
            service_code,
            message,
            may_need,
            request_id,
        }
    }
}

/// The service's text. WAF says what is wrong with a parameter in members of its own.
fn message_text(message: Option<&str>, response: Option<&HttpResponse>) -> String {
    let mut text = message.unwrap_or_default().to_owned();
    let body: Option<serde_json::Value> = response
        .and_then(|response| response.body().bytes())
        .and_then(|body| serde_json::from_slice(body).ok());
    if let Some(body) = body {
        for member in ["Reason", "Field", "Parameter"] {
            if let Some(value) = body.get(member).and_then(serde_json::Value::as_str) {
                if !text.is_empty() {
                    text.push_str("; ");
                }
                text.push_str(&member.to_ascii_lowercase());
                text.push(' ');
                text.push_str(value);
            }
        }
    }
    if text.is_empty() {
        text.push_str("no message");
    }
    one_line(&text)
}

/// Which error a stale `ETag` gets from the key-value store is not documented; a validation error
/// that speaks of it is taken for a conflict.
fn is_stale(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    [
        "etag",
        "if-match",
        "ifmatch",
        "precondition",
        "pre-condition",
    ]
    .iter()
    .any(|word| message.contains(word))
}

/// What to do about missing credentials, short enough to follow any reason.
const SIGN_IN: &str = "set AWS_PROFILE, use --profile, or sign in (aws sso login)";

fn no_credentials(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let error = causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>())?;
    let reason = match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            "none found in the environment, the profile or the host".to_owned()
        }
        other => chain(other),
    };
    Some(format!("{reason}; {SIGN_IN}"))
}

/// An error and its causes in one line.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
    }
    one_line(&texts.join(": "))
}
