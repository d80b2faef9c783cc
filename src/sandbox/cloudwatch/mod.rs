//! The embedded cloud's CloudWatch, API 2010-08-01: dashboards with their validation, alarms, tags,
//! and metrics that are simulated. It speaks the three protocols that clients use.

mod alarms;
mod audience;
pub(crate) mod curves;
mod dashboards;
pub(crate) mod engine;
mod input;
mod math;
mod metrics;
mod search;
mod tags;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use audience::{Audience, Endpoint, Regional};

use self::curves::World;
use self::input::Input;
use self::wire::Refusal;
use super::crowd::Tally;
use super::service::{Answer, Call};

const OPERATIONS: [&str; 13] = [
    "DeleteAlarms",
    "DeleteDashboards",
    "DescribeAlarms",
    "GetDashboard",
    "GetMetricData",
    "GetMetricStatistics",
    "ListDashboards",
    "ListMetrics",
    "ListTagsForResource",
    "PutDashboard",
    "PutMetricAlarm",
    "TagResource",
    "UntagResource",
];

/// What CloudWatch holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// By name; global in the account.
    dashboards: BTreeMap<String, dashboards::Dashboard>,
    /// By region, then by name.
    alarms: BTreeMap<String, BTreeMap<String, alarms::Alarm>>,
    /// By ARN.
    tags: BTreeMap<String, BTreeMap<String, String>>,
    /// What the metrics are about.
    pub(super) audience: Audience,
}

impl State {
    /// Nothing but metrics, which are about this audience.
    pub(super) fn about(audience: Audience) -> Self {
        Self {
            audience,
            ..Self::default()
        }
    }
}

/// What an operation answers, and whether it changed something.
type Reply = Result<(Value, bool), Refusal>;

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    let (_, name) = wire::read_operation(call)?;
    OPERATIONS.into_iter().find(|operation| *operation == name)
}

/// Answers a call whose operation is known. `additional` are the distributions that have a monitoring
/// subscription, and so more metrics.
pub(super) fn handle(call: &Call<'_>, state: &mut State, additional: &BTreeSet<String>) -> Answer {
    let Some((form, name)) = wire::read_operation(call) else {
        return Answer {
            status: 400,
            headers: Vec::new(),
            body: Vec::new(),
            changed: false,
        };
    };
    let reply = wire::read_input(form, call).and_then(|members| {
        let input = Input::new(members);
        let context = Context {
            call,
            region: call.region.unwrap_or("us-east-1"),
            additional,
            tally: Tally::of(&state.audience),
        };
        match name {
            "DeleteAlarms" => alarms::delete(&context, state, &input),
            "DeleteDashboards" => dashboards::delete(&context, state, &input),
            "DescribeAlarms" => alarms::describe(&context, state, &input),
            "GetDashboard" => dashboards::get(&context, state, &input),
            "GetMetricData" => metrics::data(&context, state, &input),
            "GetMetricStatistics" => metrics::statistics(&context, state, &input),
            "ListDashboards" => dashboards::list(&context, state, &input),
            "ListMetrics" => metrics::list(&context, state, &input),
            "ListTagsForResource" => tags::list(&context, state, &input),
            "PutDashboard" => dashboards::put(&context, state, &input),
            "PutMetricAlarm" => alarms::put(&context, state, &input),
            "TagResource" => tags::tag(&context, state, &input),
            "UntagResource" => tags::untag(&context, state, &input),
            _ => Err(Refusal::validation("The operation is not known.")),
        }
    });
    match reply {
        Ok((output, changed)) => Answer {
            changed,
            ..wire::found(form, call, name, &output)
        },
        Err(refusal) => wire::refused(form, call, &refusal),
    }
}

/// A refusal that came before the service, in the protocol of the call.
pub(super) fn translated(call: &Call<'_>, answer: Answer) -> Answer {
    wire::translated(call, answer)
}

/// What every operation needs to know of the call.
struct Context<'a> {
    call: &'a Call<'a>,
    region: &'a str,
    additional: &'a BTreeSet<String>,
    tally: Option<Tally>,
}

impl Context<'_> {
    fn world<'a>(&'a self, state: &'a State) -> World<'a> {
        World {
            audience: &state.audience,
            additional: self.additional,
            tally: self.tally.as_ref(),
        }
    }

    fn dashboard_arn(&self, name: &str) -> String {
        format!("arn:aws:cloudwatch::{}:dashboard/{name}", self.call.account)
    }

    fn alarm_arn(&self, name: &str) -> String {
        format!(
            "arn:aws:cloudwatch:{}:{}:alarm:{name}",
            self.region, self.call.account
        )
    }
}

#[cfg(test)]
mod tests;
