//! The audience and the workflow that a runbook describes, as the simulated metrics want them.

use super::panels::endpoint_names;
use crate::runbook::Runbook;
use crate::sandbox::cloudwatch::{Audience, Endpoint, Regional};

/// Stand in for a forecast that the runbook does not have.
const VIEWERS: f64 = 250_000.0;
const BITS_PER_VIEWER: f64 = 4_200_000.0;
const REQUESTS_PER_VIEWER: f64 = 0.6;

/// Who watches, through what.
pub(crate) fn audience(runbook: &Runbook) -> Audience {
    let event = &runbook.event;
    let forecast = runbook.forecast.as_ref();
    let count = runbook.distributions.len();
    let regional = |region: &str, name: &str| Regional {
        region: region.to_owned(),
        name: name.to_owned(),
    };
    let workflow = &runbook.workflow;
    Audience {
        doors: event.doors,
        starts: event.starts,
        ends: event.ends,
        #[expect(clippy::cast_precision_loss, reason = "viewers are fewer than 2^52")]
        viewers: forecast.map_or(VIEWERS, |forecast| forecast.peak_viewers as f64),
        bits_per_viewer: forecast
            .map_or(BITS_PER_VIEWER, crate::runbook::Forecast::bits_per_viewer),
        requests_per_viewer: forecast.map_or(
            REQUESTS_PER_VIEWER,
            crate::runbook::Forecast::requests_per_viewer,
        ),
        distributions: runbook
            .distributions
            .iter()
            .enumerate()
            .map(|(index, one)| {
                let forecast = forecast.map_or(0.0, |forecast| forecast.part_of(&one.name));
                // A distribution that nobody is expected on has the monitors' requests.
                let part = if forecast > 0.0 {
                    forecast
                } else if index == 0 && count == 1 {
                    1.0
                } else if index == 0 {
                    0.94
                } else {
                    0.02
                };
                (one.id.clone(), part)
            })
            .collect(),
        functions: runbook
            .tokens
            .iter()
            .map(|tokens| tokens.function.clone())
            .collect(),
        web_acls: runbook
            .waf
            .iter()
            .map(|waf| {
                let mut rules = vec![waf.ip_set_v4.clone(), waf.ip_set_v6.clone()];
                rules.extend(waf.managed.iter().map(|managed| managed.group.clone()));
                (waf.web_acl.clone(), rules)
            })
            .collect(),
        flows: workflow
            .flows
            .iter()
            .map(|flow| regional(flow.arn.region(), &flow.arn.0))
            .collect(),
        channels: workflow
            .channels
            .iter()
            .map(|arn| regional(arn.region(), arn.id()))
            .collect(),
        endpoints: workflow
            .endpoints
            .iter()
            .filter_map(|arn| {
                let (group, channel, endpoint) = endpoint_names(arn.resource())?;
                Some(Endpoint {
                    region: arn.region().to_owned(),
                    group: group.to_owned(),
                    channel: channel.to_owned(),
                    name: endpoint.to_owned(),
                })
            })
            .collect(),
        ads: workflow
            .ads
            .iter()
            .map(|arn| regional(arn.region(), arn.id()))
            .collect(),
        streams: runbook
            .logs
            .realtime
            .iter()
            .map(|logs| regional(&logs.region, &logs.stream))
            .collect(),
        crowd: None,
    }
}
