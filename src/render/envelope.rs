//! The JSON document that scripts rely on (the contract's section 6): the same members on success,
//! refusal and failure alike. Members are added, never renamed.

use serde::Serialize;
use serde_json::Value;

use super::Answer;
use crate::error::{Exit, Failure};

const SCHEMA: &str = "onair/1";

/// Who, where and when: the part that is known before the answer is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) event: Option<String>,
    /// `live`, `endpoint` or `rehearsal`.
    pub(crate) target: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) phase: Option<String>,
    pub(crate) operator: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    schema: &'static str,
    command: &'a str,
    event: Option<&'a str>,
    target: Option<&'a str>,
    account: Option<&'a str>,
    phase: Option<&'a str>,
    operator: Option<&'a str>,
    ok: bool,
    changed: bool,
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorMember<'a>>,
    warnings: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ErrorMember<'a> {
    code: &'a str,
    message: String,
    hint: Option<String>,
    retryable: bool,
    request_id: Option<&'a str>,
}

/// The document for an answer.
pub(crate) fn json(answer: &Answer) -> String {
    let error = answer.error.as_ref().map(|(code, message)| ErrorMember {
        code,
        message: message.clone(),
        hint: (!answer.hints.is_empty()).then(|| answer.hints.join("; ")),
        retryable: answer.exit == Exit::Conflict,
        request_id: None,
    });
    write(&Document {
        ok: answer.exit == Exit::Done,
        changed: answer.changed,
        data: Some(&answer.data),
        error,
        warnings: &answer.warnings,
        ..head(&answer.command, &answer.head)
    })
}

/// The document for a failure.
pub(crate) fn failure_json(
    command: &str,
    at: &Head,
    failure: &Failure,
    warnings: &[String],
) -> String {
    let mut message = failure.message.clone();
    for cause in &failure.causes {
        message.push_str(": ");
        message.push_str(cause);
    }
    write(&Document {
        ok: false,
        changed: failure.changed,
        data: failure.data.as_ref(),
        error: Some(ErrorMember {
            code: &failure.code,
            message,
            hint: (!failure.hints.is_empty()).then(|| failure.hints.join("; ")),
            retryable: failure.retryable,
            request_id: failure.request_id.as_deref(),
        }),
        warnings,
        ..head(command, at)
    })
}

fn head<'a>(command: &'a str, at: &'a Head) -> Document<'a> {
    Document {
        schema: SCHEMA,
        command,
        event: at.event.as_deref(),
        target: at.target.as_deref(),
        account: at.account.as_deref(),
        phase: at.phase.as_deref(),
        operator: at.operator.as_deref(),
        ok: false,
        changed: false,
        data: None,
        error: None,
        warnings: &[],
    }
}

fn write(document: &Document<'_>) -> String {
    let mut text =
        serde_json::to_string_pretty(document).expect("the document holds JSON values only");
    text.push('\n');
    text
}
