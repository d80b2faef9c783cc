//! How a call to the cloud can fail, told apart by what the caller does next.

use thiserror::Error;

/// The longest text of a service that is kept, in characters.
const TEXT_LIMIT: usize = 300;

/// A failed call. `operation` is the service and the API's name, such as `wafv2.UpdateIPSet`.
///
/// Messages are one line, and hold what the service said but never a header or a body of ours.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum CloudError {
    /// The version that was sent is not the current one: re-read and plan anew.
    #[error("{operation}: changed since it was read: {message}")]
    Conflict {
        operation: String,
        /// An earlier attempt of this very call may have landed: the write that won may be ours.
        ambiguous: bool,
        message: String,
        request_id: Option<String>,
    },
    /// Refused for its rate, after all attempts.
    #[error("{operation}: throttled: {message}")]
    Throttled {
        operation: String,
        /// An earlier attempt of this very call may have landed.
        ambiguous: bool,
        message: String,
        request_id: Option<String>,
    },
    /// The resource is not there, or belongs to another account.
    #[error("{operation}: {what} not found")]
    NotFound {
        operation: String,
        what: String,
        request_id: Option<String>,
    },
    /// The credentials may not do this.
    #[error("{operation}: not allowed ({action} needed): {message}")]
    Denied {
        operation: String,
        /// The IAM action to grant, such as `cloudfront:UpdateDistribution`.
        action: String,
        message: String,
        request_id: Option<String>,
    },
    /// The service does not accept the request as it is.
    #[error("{operation}: refused ({service_code}): {message}")]
    Refused {
        operation: String,
        /// The service's own code, such as `InvalidLocationCode`.
        service_code: String,
        message: String,
        /// An IAM action that may be what is missing, such as `wafv2:GetWebACL`.
        may_need: Option<String>,
        request_id: Option<String>,
    },
    /// A quota or a size limit of the service is reached.
    #[error("{operation}: over a limit ({service_code}): {message}")]
    Limit {
        operation: String,
        service_code: String,
        message: String,
        request_id: Option<String>,
    },
    /// No credentials were found, or they could not be loaded.
    #[error("no usable AWS credentials: {message}")]
    NoCredentials { message: String },
    /// A custom endpoint is configured where the real cloud was asked for.
    #[error("the AWS configuration names the endpoint {url}, which is not the live cloud")]
    NotLive { url: String },
    /// No connection, so nothing was sent; or a read got no answer.
    #[error("{operation}: {endpoint} is unreachable: {message}")]
    Unreachable {
        operation: String,
        endpoint: String,
        message: String,
    },
    /// A write was sent and its answer never came: whether it landed is unknown.
    #[error("{operation}: the answer was lost: {message}")]
    Lost { operation: String, message: String },
    /// The service failed.
    #[error("{operation}: the service failed ({status}): {message}")]
    Server {
        operation: String,
        status: u16,
        /// This was a write, and an attempt of it may have landed.
        ambiguous: bool,
        message: String,
        request_id: Option<String>,
    },
    /// The service's answer could not be understood.
    #[error("{operation}: unreadable answer: {message}")]
    Unreadable { operation: String, message: String },
}

impl CloudError {
    /// Whether the same command may succeed when it is run again.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Conflict { .. }
            | Self::Throttled { .. }
            | Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::Server { .. } => true,
            Self::NotFound { .. }
            | Self::Denied { .. }
            | Self::Refused { .. }
            | Self::Limit { .. }
            | Self::NoCredentials { .. }
            | Self::NotLive { .. }
            | Self::Unreadable { .. } => false,
        }
    }

    /// Whether our own write may have landed in spite of the error: re-read and compare first.
    pub(crate) fn may_have_landed(&self) -> bool {
        match self {
            Self::Conflict { ambiguous, .. }
            | Self::Throttled { ambiguous, .. }
            | Self::Server { ambiguous, .. } => *ambiguous,
            Self::Lost { .. } => true,
            Self::NotFound { .. }
            | Self::Denied { .. }
            | Self::Refused { .. }
            | Self::Limit { .. }
            | Self::NoCredentials { .. }
            | Self::NotLive { .. }
            | Self::Unreachable { .. }
            | Self::Unreadable { .. } => false,
        }
    }

    /// The stable code for scripts, in kebab-case.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "conflict",
            Self::Throttled { .. } => "throttled",
            Self::NotFound { .. } => "not-found",
            Self::Denied { .. } => "denied",
            Self::Refused { .. } => "refused",
            Self::Limit { .. } => "limit",
            Self::NoCredentials { .. } => "no-credentials",
            Self::NotLive { .. } => "not-live",
            Self::Unreachable { .. } => "unreachable",
            Self::Lost { .. } => "lost",
            Self::Server { .. } => "server",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// The service's id of the request, where it answered with one.
    pub(crate) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Conflict { request_id, .. }
            | Self::Throttled { request_id, .. }
            | Self::NotFound { request_id, .. }
            | Self::Denied { request_id, .. }
            | Self::Refused { request_id, .. }
            | Self::Limit { request_id, .. }
            | Self::Server { request_id, .. } => request_id.as_deref(),
            Self::NoCredentials { .. }
            | Self::NotLive { .. }
            | Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::Unreadable { .. } => None,
        }
    }
}

/// Makes a foreign text fit for a terminal and a log: one line, control characters escaped, at
/// most 300 characters.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut length = 0;
    for character in text.trim().chars() {
        let piece: String = match character {
            '\n' | '\r' | '\t' => " ".to_owned(),
            other if other.is_control() || is_invisible(other) => {
                other.escape_unicode().to_string()
            }
            other => other.to_string(),
        };
        length += piece.chars().count();
        if length >= TEXT_LIMIT {
            line.push('…');
            break;
        }
        line.push_str(&piece);
    }
    line
}

/// Direction marks and line separators, with which a text could disguise itself.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_what_could_move_the_cursor() {
        assert_eq!(
            one_line("a\u{1b}[2Jb\nc\u{202e}"),
            "a\\u{1b}[2Jb c\\u{202e}"
        );
    }

    proptest! {
        #[test]
        fn keeps_any_text_to_one_short_line(text in ".*") {
            let long = text.repeat(20);
            let line = one_line(&long);
            prop_assert!(line.chars().count() <= TEXT_LIMIT);
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
