//! One call as it runs: its attempts, what became of each, and the raw body where it is needed.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::super::error::CloudError;

/// HTTP requests sent, by operation, and the clock of whoever answered last.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(
    Arc<Mutex<BTreeMap<&'static str, u32>>>,
    Arc<Mutex<Option<SignedDuration>>>,
);

impl Calls {
    /// Returns the counts, sorted by name.
    pub(super) fn counts(&self) -> Vec<(String, u32)> {
        locked(&self.0)
            .iter()
            .map(|(&operation, &count)| (operation.to_owned(), count))
            .collect()
    }

    /// How far the services' clock is ahead of ours, by the `Date` of the last answer.
    pub(super) fn skew(&self) -> Option<SignedDuration> {
        *locked(&self.1)
    }

    fn add(&self, operation: &'static str) {
        *locked(&self.0).entry(operation).or_insert(0) += 1;
    }
}

/// What became of one HTTP attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// Sent, and no answer understood: whether it had an effect is unknown.
    Sent,
    /// No connection came about: it had no effect.
    Unconnected,
    /// Answered with this status.
    Answered(u16),
}

impl Attempt {
    /// Whether a write sent with this attempt may have had its effect. A refusal (4xx) has none.
    fn may_have_landed(self) -> bool {
        match self {
            Self::Sent => true,
            Self::Unconnected => false,
            Self::Answered(status) => !(400..500).contains(&status),
        }
    }
}

#[derive(Debug, Default)]
struct Progress {
    attempts: Vec<Attempt>,
    host: Option<String>,
    body: Option<Bytes>,
}

/// One call of an operation, from its first attempt to its outcome.
#[derive(Debug)]
pub(super) struct Call {
    /// Service and API name, such as `wafv2.UpdateIPSet`; with a colon it is the IAM action.
    pub(super) operation: &'static str,
    /// Whether the call changes something.
    pub(super) is_write: bool,
    /// What a not-found error names.
    pub(super) what: String,
    progress: Arc<Mutex<Progress>>,
    calls: Calls,
}

impl Call {
    pub(super) fn new(operation: &'static str, is_write: bool, what: String, calls: Calls) -> Self {
        Self {
            operation,
            is_write,
            what,
            progress: Arc::default(),
            calls,
        }
    }

    /// Returns the interceptor that this call must be sent with.
    pub(super) fn watch(&self) -> Watch {
        Watch {
            operation: self.operation,
            progress: Arc::clone(&self.progress),
            calls: self.calls.clone(),
        }
    }

    /// Whether an attempt before the last one may have had its effect.
    pub(super) fn earlier_may_have_landed(&self) -> bool {
        let progress = locked(&self.progress);
        let earlier = progress.attempts.len().saturating_sub(1);
        self.is_write
            && progress.attempts[..earlier]
                .iter()
                .any(|attempt| attempt.may_have_landed())
    }

    /// Whether any attempt may have had its effect.
    pub(super) fn any_may_have_landed(&self) -> bool {
        self.is_write
            && locked(&self.progress)
                .attempts
                .iter()
                .any(|attempt| attempt.may_have_landed())
    }

    /// The host that was asked, once a request was made.
    pub(super) fn host(&self) -> Option<String> {
        locked(&self.progress).host.clone()
    }

    /// Takes the raw body of the answer.
    pub(super) fn body(&self) -> Result<Bytes, CloudError> {
        locked(&self.progress)
            .body
            .take()
            .ok_or_else(|| self.unreadable("the answer has no body"))
    }

    /// Returns a member that the answer must have.
    pub(super) fn required<T>(
        &self,
        value: Option<T>,
        member: &'static str,
    ) -> Result<T, CloudError> {
        value.ok_or_else(|| self.unreadable(&format!("the answer has no {member}")))
    }

    /// Returns the next page's marker; a service that repeats a marker would be asked for ever.
    pub(super) fn next_page(
        &self,
        current: Option<&str>,
        next: Option<&str>,
    ) -> Result<Option<String>, CloudError> {
        let next = next.filter(|next| !next.is_empty());
        if next.is_some() && next == current {
            return Err(self.unreadable("the list does not end: its marker repeats"));
        }
        Ok(next.map(str::to_owned))
    }

    /// An answer that came and can't be understood. After a write the effect is there all the
    /// same, which the caller has to find out.
    pub(super) fn unreadable(&self, message: &str) -> CloudError {
        let operation = self.operation.to_owned();
        let message = super::super::error::one_line(message);
        if self.is_write {
            CloudError::Lost { operation, message }
        } else {
            CloudError::Unreadable { operation, message }
        }
    }
}

/// Watches the attempts of one call.
#[derive(Debug)]
pub(super) struct Watch {
    operation: &'static str,
    progress: Arc<Mutex<Progress>>,
    calls: Calls,
}

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "OnairWatch"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.calls.add(self.operation);
        let uri: Option<http::Uri> = context.request().uri().parse().ok();
        let host = uri.and_then(|uri| uri.authority().map(ToString::to_string));
        tracing::debug!(operation = self.operation, host, "sending");
        let mut progress = locked(&self.progress);
        progress.host = host;
        progress.attempts.push(Attempt::Sent);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes();
        locked(&self.progress).body = body.map(Bytes::copy_from_slice);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context
            .response()
            .and_then(|response| response.headers().get("date"))
            .and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let here = components
            .time_source()
            .and_then(|source| Timestamp::try_from(source.now()).ok());
        if let (Some(date), Some(here)) = (date, here) {
            *locked(&self.calls.1) = Some(date.timestamp().duration_since(here));
        }
        let error = context.output_or_error().and_then(Result::err);
        let status = context
            .response()
            .map(|response| response.status().as_u16());
        let outcome = match (error, status) {
            (Some(error), _) if error.is_timeout_error() => Attempt::Sent,
            (Some(error), None) => match error.as_connector_error() {
                Some(error) if is_unconnected(error) => Attempt::Unconnected,
                _ => Attempt::Sent,
            },
            (_, Some(status)) => Attempt::Answered(status),
            (None, None) => Attempt::Sent,
        };
        tracing::debug!(operation = self.operation, ?outcome, "attempt ended");
        // Without a transmit (no credentials, say) there is no attempt to speak of.
        if let Some(last) = locked(&self.progress).attempts.last_mut() {
            *last = outcome;
        }
        Ok(())
    }
}

/// Whether an error says that no connection came about, so that nothing was sent.
pub(super) fn is_unconnected(error: &(dyn Error + 'static)) -> bool {
    use aws_smithy_runtime_api::client::dns::ResolveDnsError;
    use std::io::ErrorKind;
    causes(error).any(|cause| {
        let refused = cause.downcast_ref::<std::io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                ErrorKind::ConnectionRefused
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
                    | ErrorKind::AddrNotAvailable
            )
        });
        // The SDK's timeout type is private; its message begins with the phase that it ended.
        let not_in_time = || cause.to_string().starts_with("HTTP connect timeout");
        refused || cause.is::<ResolveDnsError>() || not_in_time()
    })
}

/// The error and what caused it, outermost first. An I/O error's payload counts as a cause.
pub(super) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<std::io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
