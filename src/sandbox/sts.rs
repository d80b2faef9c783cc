//! STS, API 2011-06-15: who is asking. In the embedded cloud that is always the one role.

use super::service::{Answer, Call};

/// The role of everyone in the embedded cloud.
pub(super) const ROLE: &str = "onair-rehearsal";

/// The value of `Action` in a query string or form.
pub(super) fn action(form: &[u8]) -> Option<&str> {
    std::str::from_utf8(form)
        .ok()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("Action="))
}

/// Which operation a call is.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    let action = action(call.body).or_else(|| action(call.query.as_bytes()))?;
    (action == "GetCallerIdentity").then_some("GetCallerIdentity")
}

/// Answers `GetCallerIdentity` for a session of this name.
pub(super) fn handle(call: &Call<'_>, session: &str) -> Answer {
    let (account, request_id) = (call.account, call.request_id);
    let session = quick_xml::escape::escape(session);
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <GetCallerIdentityResult><Arn>arn:aws:sts::{account}:assumed-role/{ROLE}/{session}</Arn>\
         <UserId>AROAREHEARSALREHEARSA:{session}</UserId><Account>{account}</Account>\
         </GetCallerIdentityResult><ResponseMetadata><RequestId>{request_id}</RequestId>\
         </ResponseMetadata></GetCallerIdentityResponse>"
    );
    Answer {
        status: 200,
        headers: vec![
            ("x-amzn-requestid", request_id.to_owned()),
            ("content-type", "text/xml".to_owned()),
        ],
        body: body.into_bytes(),
        changed: false,
    }
}
