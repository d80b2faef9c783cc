//! The errors of AWS WAF, by the names that clients know, in JSON 1.1.

use serde_json::{Map, Value};

use crate::sandbox::service::Answer;

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: &'static str,
    message: String,
    /// Members beside the message.
    members: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            members: Vec::new(),
        }
    }

    /// `field` is one of the API's names of what can be wrong, such as `IP_ADDRESS`.
    pub(super) fn parameter(
        field: &'static str,
        parameter: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let (parameter, reason) = (parameter.into(), reason.into());
        Self {
            code: "WAFInvalidParameterException",
            message: format!("Error reason: {reason}, field: {field}, parameter: {parameter}"),
            members: vec![
                ("Field", field.to_owned()),
                ("Parameter", parameter),
                ("Reason", reason),
            ],
        }
    }

    pub(super) fn nonexistent() -> Self {
        Self::new(
            "WAFNonexistentItemException",
            "AWS WAF couldn\u{2019}t perform the operation because your resource doesn\u{2019}t exist.",
        )
    }

    pub(super) fn stale_lock() -> Self {
        Self::new(
            "WAFOptimisticLockException",
            "AWS WAF couldn\u{2019}t save your changes because someone changed the resource after \
             you started to edit it. Reapply your changes.",
        )
    }

    pub(super) fn duplicate(what: &str) -> Self {
        Self::new(
            "WAFDuplicateItemException",
            format!(
                "AWS WAF couldn\u{2019}t perform the operation because some resource in your \
                 request is a duplicate of an existing one: {what}."
            ),
        )
    }

    pub(super) fn limit(what: &str) -> Self {
        Self::new(
            "WAFLimitsExceededException",
            format!(
                "AWS WAF couldn\u{2019}t perform the operation because you exceeded your resource \
                 limit: {what}."
            ),
        )
    }

    pub(super) fn associated(by: &str) -> Self {
        Self::new(
            "WAFAssociatedItemException",
            format!(
                "AWS WAF couldn\u{2019}t perform the operation because your resource is being \
                 used by another resource or it\u{2019}s associated with another resource: {by}."
            ),
        )
    }

    pub(super) fn unknown_operation() -> Self {
        Self::new("UnknownOperationException", "The operation is not known.")
    }

    #[cfg(test)]
    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    pub(super) fn answer(&self, request_id: &str) -> Answer {
        let mut body = Map::new();
        body.insert("__type".to_owned(), self.code.into());
        for (name, value) in &self.members {
            body.insert((*name).to_owned(), value.as_str().into());
        }
        // The model spells the member either way; this is the one exception with a small letter.
        let message = match self.code {
            "WAFInvalidParameterException" | "ValidationException" | "SerializationException" => {
                "message"
            }
            _ => "Message",
        };
        body.insert(message.to_owned(), self.message.as_str().into());
        answer(400, &Value::Object(body), request_id, false)
    }
}

/// An answer in JSON 1.1.
pub(super) fn answer(status: u16, body: &Value, request_id: &str, changed: bool) -> Answer {
    Answer {
        status,
        headers: vec![
            ("x-amzn-requestid", request_id.to_owned()),
            ("content-type", "application/x-amz-json-1.1".to_owned()),
        ],
        body: body.to_string().into_bytes(),
        changed,
    }
}
