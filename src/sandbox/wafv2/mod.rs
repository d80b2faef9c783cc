//! AWS WAF, API 2019-07-29, for scope CLOUDFRONT: web ACLs, IP sets, samples and tags, with the
//! limits, locks and errors that the service has. Deciding on requests is `crate::edge`'s.

mod input;
mod ip_sets;
mod managed;
mod model;
mod page;
mod refusal;
mod rules;
mod samples;
mod seeding;
mod tags;
mod views;
mod web_acls;

use serde_json::Value;

use super::service::{Answer, Call};
use input::Input;
pub(crate) use model::Waf;
use refusal::Refusal;
pub(crate) use samples::{Sample, Samples};

/// Goes before the operation in `X-Amz-Target`.
const TARGET: &str = "AWSWAF_20190729.";

const OPERATIONS: [&str; 17] = [
    "CheckCapacity",
    "CreateIPSet",
    "CreateWebACL",
    "DeleteIPSet",
    "DeleteWebACL",
    "DescribeManagedRuleGroup",
    "GetIPSet",
    "GetSampledRequests",
    "GetWebACL",
    "ListAvailableManagedRuleGroups",
    "ListIPSets",
    "ListTagsForResource",
    "ListWebACLs",
    "TagResource",
    "UntagResource",
    "UpdateIPSet",
    "UpdateWebACL",
];

type Reply = Result<Answer, Refusal>;

/// Which operation a call is.
pub(crate) fn operation(call: &Call<'_>) -> Option<&'static str> {
    let target = call.headers.get("x-amz-target")?.to_str().ok()?;
    let name = target.strip_prefix(TARGET)?;
    OPERATIONS.into_iter().find(|operation| *operation == name)
}

/// Answers a call. `is_used` says whether a distribution is associated with the web ACL of an ARN.
pub(crate) fn handle(
    call: &Call<'_>,
    state: &mut Waf,
    samples: &Samples,
    is_used: &dyn Fn(&str) -> bool,
) -> Answer {
    reply(call, state, samples, is_used).unwrap_or_else(|refusal| refusal.answer(call.request_id))
}

fn reply(
    call: &Call<'_>,
    state: &mut Waf,
    samples: &Samples,
    is_used: &dyn Fn(&str) -> bool,
) -> Reply {
    let context = &Context { call };
    let operation = operation(call).ok_or_else(Refusal::unknown_operation)?;
    let input = Input::parse(call.body)?;
    match operation {
        "CheckCapacity" => web_acls::check_capacity(context, state, input),
        "CreateIPSet" => ip_sets::create(context, state, input),
        "CreateWebACL" => web_acls::create(context, state, input),
        "DeleteIPSet" => ip_sets::delete(context, state, input),
        "DeleteWebACL" => web_acls::delete(context, state, is_used, input),
        "DescribeManagedRuleGroup" => managed::describe(context, input),
        "GetIPSet" => ip_sets::get(context, state, input),
        "GetSampledRequests" => samples::get(context, state, samples, input),
        "GetWebACL" => web_acls::get(context, state, input),
        "ListAvailableManagedRuleGroups" => managed::list(context, input),
        "ListIPSets" => ip_sets::list(context, state, input),
        "ListTagsForResource" => tags::list(context, state, input),
        "ListWebACLs" => web_acls::list(context, state, input),
        "TagResource" => tags::tag(context, state, input),
        "UntagResource" => tags::untag(context, state, input),
        "UpdateIPSet" => ip_sets::update(context, state, input),
        "UpdateWebACL" => web_acls::update(context, state, input),
        _ => Err(Refusal::unknown_operation()),
    }
}

/// What every operation needs to know of the call.
#[derive(Debug)]
struct Context<'a> {
    call: &'a Call<'a>,
}

impl Context<'_> {
    /// Scope CLOUDFRONT is known in us-east-1 alone.
    fn check_scope(&self, scope: &str) -> Result<(), Refusal> {
        if scope == "CLOUDFRONT" && self.call.region != Some("us-east-1") {
            return Err(Refusal::parameter(
                "SCOPE_VALUE",
                scope,
                "The scope is not valid.",
            ));
        }
        if scope == "REGIONAL" {
            return Err(Refusal::new(
                "WAFInvalidOperationException",
                "The embedded cloud holds resources of scope CLOUDFRONT alone.",
            ));
        }
        Ok(())
    }

    fn arn(&self, kind: &str, name: &str, id: &str) -> String {
        let account = self.call.account;
        format!("arn:aws:wafv2:us-east-1:{account}:global/{kind}/{name}/{id}")
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "it is the last expression of every operation"
    )]
    fn found(&self, body: &Value) -> Reply {
        Ok(refusal::answer(200, body, self.call.request_id, false))
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "it is the last expression of every operation"
    )]
    fn changed(&self, body: &Value) -> Reply {
        Ok(refusal::answer(200, body, self.call.request_id, true))
    }
}
