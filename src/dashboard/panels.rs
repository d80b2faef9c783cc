//! What each panel shows, from the contribution to the ads. The metrics and their dimensions are those
//! of the services' guides; where a dimension is known to the service alone (output groups, a web
//! ACL's rules), a SEARCH finds them.

use super::widget::{Chart, GLOBAL, Good, Marks, Row, Target, Widget, gauge, number, text};
use crate::event::text::shortened;
use crate::runbook::{Distribution, Panel, Runbook};

/// Things of one kind that are drawn; the rest would make a wall of it.
const MOST_DISTRIBUTIONS: usize = 20;
const MOST_FLOWS: usize = 10;
const MOST_CHANNELS: usize = 10;
const MOST_ENDPOINTS: usize = 10;
const MOST_ADS: usize = 5;
/// Characters of a name in a title.
const NAME_LIMIT: usize = 40;

const BLUE: &str = "#1f77b4";
const GREEN: &str = "#2ca02c";
const ORANGE: &str = "#ff7f0e";
const RED: &str = "#d62728";
const PURPLE: &str = "#9467bd";
const GRAY: &str = "#7f7f7f";

fn name(text: &str) -> String {
    shortened(text, NAME_LIMIT)
}

fn distributions(runbook: &Runbook) -> &[Distribution] {
    let all = &runbook.distributions;
    &all[..all.len().min(MOST_DISTRIBUTIONS)]
}

fn cloudfront(metric: &str, id: &str) -> Row {
    Row::metric(
        "AWS/CloudFront",
        metric,
        &[("DistributionId", id), ("Region", "Global")],
    )
}

fn function(metric: &str, name: &str) -> Row {
    Row::metric(
        "AWS/CloudFront",
        metric,
        &[("FunctionName", name), ("Region", "Global")],
    )
}

/// A rate of all distributions together, weighted by their requests: CloudFront's own rates are
/// percents, and a plain average would count an idle distribution as much as the busy one.
fn weighted(runbook: &Runbook, metric: &str, label: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let (mut parts, mut requests) = (Vec::new(), Vec::new());
    for (index, one) in distributions(runbook).iter().enumerate() {
        let (rate, count) = (format!("v{index}"), format!("r{index}"));
        rows.push(
            cloudfront(metric, &one.id)
                .stat("Average")
                .id(&rate)
                .hidden(),
        );
        rows.push(
            cloudfront("Requests", &one.id)
                .stat("Sum")
                .id(&count)
                .hidden(),
        );
        parts.push(format!("FILL({rate},0)*FILL({count},0)"));
        requests.push(format!("FILL({count},0)"));
    }
    let text = format!("({})/({})", parts.join("+"), requests.join("+"));
    rows.push(Row::expression(&text).id("all").label(label));
    rows
}

/// A sum over all distributions, worked into a unit: `factor` is put behind it.
fn total(runbook: &Runbook, metric: &str, factor: &str, label: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut parts = Vec::new();
    for (index, one) in distributions(runbook).iter().enumerate() {
        let id = format!("m{index}");
        rows.push(cloudfront(metric, &one.id).stat("Sum").id(&id).hidden());
        parts.push(format!("FILL({id},0)"));
    }
    let text = format!("({}){factor}", parts.join("+"));
    rows.push(Row::expression(&text).id("all").label(label));
    rows
}

/// The first rows: what tells in one look whether the event is well.
pub(super) fn gauges(runbook: &Runbook) -> Vec<Widget> {
    let targets = &runbook.targets;
    let most = |target: f64| (0.0, target * 4.0);
    let mut dials = vec![
        gauge(
            "Cache hit ratio",
            weighted(runbook, "CacheHitRate", "hit ratio %"),
            (hit_ratio_floor(targets.cache_hit_ratio), 100.0),
            Target::at_least_percent(targets.cache_hit_ratio),
        ),
        gauge(
            "5xx errors",
            weighted(runbook, "5xxErrorRate", "5xx %"),
            most(targets.errors_5xx),
            Target::at_most(targets.errors_5xx),
        ),
        gauge(
            "4xx errors",
            weighted(runbook, "4xxErrorRate", "4xx %"),
            most(targets.errors_4xx),
            Target::at_most(targets.errors_4xx),
        ),
        gauge(
            "Origin latency",
            slowest_origin(runbook),
            most(targets.origin_latency_ms),
            Target::at_most(targets.origin_latency_ms),
        ),
    ];
    match &runbook.tokens {
        Some(tokens) => dials.push(gauge(
            "Edge function",
            vec![
                function("FunctionComputeUtilization", &tokens.function)
                    .stat("Maximum")
                    .label("compute %"),
            ],
            (0.0, 100.0),
            Target {
                good: Good::Below,
                value: targets.function_utilization,
                red: f64::midpoint(targets.function_utilization, 100.0),
            },
        )),
        None => dials.push(gauge(
            "All errors",
            weighted(runbook, "TotalErrorRate", "errors %"),
            most(targets.errors_4xx),
            Target::at_most(targets.errors_4xx + targets.errors_5xx),
        )),
    }
    let mut bandwidth = number(
        "Bandwidth",
        GLOBAL,
        total(
            runbook,
            "BytesDownloaded",
            "*8/PERIOD(m0)/1000000000",
            "Gbps",
        ),
    );
    bandwidth.height = dials[0].height;
    dials.push(bandwidth);
    dials
}

/// The second row: how many, and what is kept out.
pub(super) fn numbers(runbook: &Runbook) -> Vec<Widget> {
    let mut found = vec![number(
        "Requests",
        GLOBAL,
        total(runbook, "Requests", "/PERIOD(m0)", "requests/s"),
    )];
    if let Some(forecast) = &runbook.forecast
        && forecast.requests_per_viewer() > 0.0
    {
        let factor = format!("/PERIOD(m0)/{:.4}", forecast.requests_per_viewer());
        found.push(number(
            "Viewers, estimated",
            GLOBAL,
            total(runbook, "Requests", &factor, "by requests"),
        ));
    }
    if let Some(waf) = &runbook.waf {
        let row = |metric: &str, label: &str| {
            let of = [("WebACL", waf.web_acl.as_str()), ("Rule", "ALL")];
            Row::metric("AWS/WAFV2", metric, &of).label(label)
        };
        found.push(number(
            "Web ACL, a minute",
            GLOBAL,
            vec![row("BlockedRequests", "blocked")],
        ));
    }
    if runbook.tokens.is_some() {
        found.push(number(
            "Refused with 403",
            GLOBAL,
            weighted(runbook, "403ErrorRate", "%"),
        ));
    }
    found
}

/// Where the hit ratio's scale begins: well below the target, so that the needle has somewhere to go.
fn hit_ratio_floor(target: f64) -> f64 {
    (target - (100.0 - target) * 3.0).max(0.0)
}

fn slowest_origin(runbook: &Runbook) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut ids = Vec::new();
    for (index, one) in distributions(runbook).iter().enumerate() {
        let id = format!("m{index}");
        rows.push(
            cloudfront("OriginLatency", &one.id)
                .stat("p90")
                .id(&id)
                .hidden(),
        );
        ids.push(id);
    }
    let text = format!("MAX([{}])", ids.join(","));
    rows.push(Row::expression(&text).id("all").label("p90 ms"));
    rows
}

/// A panel: its heading and its charts. Empty when the runbook names nothing for it.
pub(super) fn panel(panel: Panel, runbook: &Runbook) -> Vec<Widget> {
    let (heading, charts) = match panel {
        Panel::Ingest => ("Ingest · MediaConnect", ingest(runbook)),
        Panel::Encode => ("Encode · MediaLive", encode(runbook)),
        Panel::Package => ("Package · MediaPackage", package(runbook)),
        Panel::Delivery => ("Delivery · CloudFront", delivery(runbook)),
        Panel::Security => (
            "Security · AWS WAF and the edge function",
            security(runbook),
        ),
        Panel::Ads => ("Ads · MediaTailor", ads(runbook)),
    };
    if charts.is_empty() {
        return Vec::new();
    }
    let mut widgets = vec![text(&format!("## {heading}"), 1)];
    widgets.extend(charts.into_iter().map(Chart::widget));
    widgets
}

fn ingest(runbook: &Runbook) -> Vec<Chart> {
    let mut charts = Vec::new();
    for flow in runbook.workflow.flows.iter().take(MOST_FLOWS) {
        let (region, id) = (flow.arn.region(), name(flow.arn.id()));
        let row = |metric: &str| {
            Row::metric(
                "AWS/MediaConnect",
                metric,
                &[("FlowARN", flow.arn.0.as_str())],
            )
        };
        let mut packets = Chart::new(format!("Packets · {id}"), region, "packets a minute");
        packets.rows = vec![
            row("SourceNotRecoveredPackets")
                .label("not recovered")
                .color(RED),
            row("SourceDroppedPackets")
                .label("lost on the way")
                .color(ORANGE),
            row("SourceARQRecovered")
                .label("recovered by ARQ")
                .color(GREEN),
        ];
        charts.push(packets);
        let mut path = Chart::new(format!("Round trip · {id}"), region, "ms");
        path.stat = "Average";
        path.rows = vec![row("SourceRoundTripTime").label("round trip").color(BLUE)];
        path.target = flow
            .min_latency_ms
            // The latency is to hold four round trips.
            .map(|latency| Target::at_most(f64::from(latency) / 4.0));
        charts.push(path);
        let mut rate = Chart::new(format!("Source · {id}"), region, "bps");
        rate.stat = "Average";
        rate.right = Some("connected");
        rate.rows = vec![
            row("SourceBitRate").label("bit rate").color(BLUE),
            row("SourceConnected")
                .stat("Minimum")
                .label("connected")
                .color(GREEN)
                .right(),
        ];
        charts.push(rate);
    }
    charts
}

fn encode(runbook: &Runbook) -> Vec<Chart> {
    let mut charts = Vec::new();
    for channel in runbook.workflow.channels.iter().take(MOST_CHANNELS) {
        let (region, id) = (channel.region(), channel.id());
        let shown = name(id);
        let lines = |metric: &str, stat: &str, label: &str| -> Vec<Row> {
            ["0", "1"]
                .iter()
                .map(|pipeline| {
                    let of = [("ChannelId", id), ("Pipeline", *pipeline)];
                    Row::metric("AWS/MediaLive", metric, &of)
                        .stat(stat)
                        .label(&format!("{label} · {pipeline}"))
                })
                .collect()
        };
        let groups = |metric: &str, stat: &str| {
            Row::expression(&format!(
                "SEARCH('{{AWS/MediaLive,ChannelId,OutputGroupName,Pipeline}} ChannelId=\"{id}\" MetricName=\"{metric}\"', '{stat}', 60)"
            ))
        };
        let mut health = Chart::new(format!("Alerts and loss · {shown}"), region, "");
        health.rows = [
            lines("ActiveAlerts", "Maximum", "alerts"),
            lines("InputLossSeconds", "Sum", "loss s"),
            lines("DroppedFrames", "Sum", "dropped"),
        ]
        .concat();
        charts.push(health);
        let mut speed = Chart::new(format!("Encoder · {shown}"), region, "");
        speed.right = Some("locked");
        speed.rows = lines("SvqTime", "Maximum", "lower quality % of time");
        speed.rows.extend(
            lines("PipelinesLocked", "Minimum", "locked")
                .into_iter()
                .map(Row::right),
        );
        charts.push(speed);
        let mut outputs = Chart::new(format!("Outputs · {shown}"), region, "errors a minute");
        outputs.right = Some("quality score");
        outputs.rows = vec![
            groups("Output4xxErrors", "Sum").id("e4").label("4xx"),
            groups("Output5xxErrors", "Sum")
                .id("e5")
                .label("5xx")
                .color(RED),
            groups("MinMQCS", "Minimum")
                .id("q")
                .label("quality")
                .right(),
        ];
        charts.push(outputs);
    }
    charts
}

/// The names in `…:channelGroup/G/channel/C/originEndpoint/E`.
pub(crate) fn endpoint_names(resource: &str) -> Option<(&str, &str, &str)> {
    let mut parts = resource.split('/');
    match (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) {
        (
            Some("channelGroup"),
            Some(group),
            Some("channel"),
            Some(channel),
            Some("originEndpoint"),
            Some(endpoint),
        ) => Some((group, channel, endpoint)),
        _ => None,
    }
}

fn package(runbook: &Runbook) -> Vec<Chart> {
    let mut charts = Vec::new();
    for arn in runbook.workflow.endpoints.iter().take(MOST_ENDPOINTS) {
        let Some((group, channel, endpoint)) = endpoint_names(arn.resource()) else {
            continue;
        };
        let region = arn.region();
        let shown = format!("{} in {region}", name(&format!("{channel}/{endpoint}")));
        let of = [
            ("ChannelGroup", group),
            ("Channel", channel),
            ("OriginEndpoint", endpoint),
        ];
        let by_status = |status: &'static str| {
            let of = [of[0], of[1], of[2], ("StatusCode", status)];
            Row::metric("AWS/MediaPackage", "EgressRequestCount", &of).label(status)
        };
        let mut requests = Chart::new(format!("Requests by status · {shown}"), region, "a minute");
        requests.rows = vec![
            by_status("2xx").color(GREEN),
            by_status("4xx").color(ORANGE),
            by_status("5xx").color(RED),
        ];
        charts.push(requests);
        let mut egress = Chart::new(format!("Egress · {shown}"), region, "bytes a minute");
        egress.right = Some("ms");
        egress.rows = vec![
            Row::metric("AWS/MediaPackage", "EgressBytes", &of)
                .label("egress")
                .color(BLUE),
            Row::metric("AWS/MediaPackage", "EgressResponseTime", &of)
                .stat("Average")
                .label("response time")
                .color(PURPLE)
                .right(),
        ];
        charts.push(egress);
        let mut ingress = Chart::new(format!("Ingress · {shown}"), region, "quality score");
        ingress.right = Some("bytes a minute");
        ingress.stat = "Minimum";
        for input in ["1", "2"] {
            let of = [of[0], of[1], ("IngestEndpoint", input)];
            ingress.rows.push(
                Row::metric("AWS/MediaPackage", "IngressMQCS", &of)
                    .label(&format!("quality · input {input}")),
            );
            ingress.rows.push(
                Row::metric("AWS/MediaPackage", "IngressBytes", &of)
                    .stat("Sum")
                    .label(&format!("bytes · input {input}"))
                    .right(),
            );
        }
        charts.push(ingress);
    }
    charts
}

fn delivery(runbook: &Runbook) -> Vec<Chart> {
    let targets = &runbook.targets;
    let each = |metric: &str, stat: &str| -> Vec<Row> {
        distributions(runbook)
            .iter()
            .map(|one| {
                cloudfront(metric, &one.id)
                    .stat(stat)
                    .label(&name(&one.name))
            })
            .collect()
    };
    let worked = |metric: &str, factor: &str| -> Vec<Row> {
        let mut rows = Vec::new();
        for (index, one) in distributions(runbook).iter().enumerate() {
            let id = format!("m{index}");
            rows.push(cloudfront(metric, &one.id).stat("Sum").id(&id).hidden());
            let text = format!("{id}{factor}").replace("PERIOD()", &format!("PERIOD({id})"));
            rows.push(
                Row::expression(&text)
                    .id(&format!("e{index}"))
                    .label(&name(&one.name)),
            );
        }
        rows
    };
    let chart = |title: &str, unit: &'static str, rows: Vec<Row>, target: Option<Target>| Chart {
        stat: "Average",
        rows,
        target,
        marks: Marks::All,
        ..Chart::new(title, GLOBAL, unit)
    };
    let mut charts = vec![
        Chart {
            stacked: true,
            ..chart(
                "Bandwidth by distribution",
                "Gbps",
                worked("BytesDownloaded", "*8/PERIOD()/1000000000"),
                None,
            )
        },
        Chart {
            stacked: true,
            ..chart(
                "Requests by distribution",
                "a second",
                worked("Requests", "/PERIOD()"),
                None,
            )
        },
        Chart {
            least: hit_ratio_floor(targets.cache_hit_ratio),
            ..chart(
                "Cache hit ratio by distribution",
                "%",
                each("CacheHitRate", "Average"),
                Some(Target::at_least_percent(targets.cache_hit_ratio)),
            )
        },
        chart(
            "Origin latency by distribution",
            "ms, p90",
            each("OriginLatency", "p90"),
            Some(Target::at_most(targets.origin_latency_ms)),
        ),
    ];
    for one in distributions(runbook) {
        let codes = [
            ("401", GRAY),
            ("403", PURPLE),
            ("404", BLUE),
            ("502", ORANGE),
            ("503", "#e377c2"),
            ("504", RED),
        ];
        let rows = codes
            .iter()
            .map(|(code, color)| {
                cloudfront(&format!("{code}ErrorRate"), &one.id)
                    .stat("Average")
                    .label(code)
                    .color(color)
            })
            .collect();
        let title = format!("Errors by code · {}", name(&one.name));
        charts.push(chart(&title, "% of requests", rows, None));
    }
    charts
}

fn security(runbook: &Runbook) -> Vec<Chart> {
    let mut charts = Vec::new();
    if let Some(waf) = &runbook.waf {
        let acl = waf.web_acl.as_str();
        let search = |metric: &str| {
            Row::expression(&format!(
                "SEARCH('{{AWS/WAFV2,Rule,WebACL}} WebACL=\"{acl}\" MetricName=\"{metric}\"', 'Sum', 60)"
            ))
        };
        let mut blocked = Chart::new("Blocked by rule", GLOBAL, "requests a minute");
        blocked.marks = Marks::All;
        blocked.rows = vec![search("BlockedRequests").id("b")];
        charts.push(blocked);
        let mut counted = Chart::new("Counted by rule", GLOBAL, "requests a minute");
        counted.marks = Marks::All;
        counted.rows = vec![search("CountedRequests").id("c")];
        charts.push(counted);
    }
    if let Some(tokens) = &runbook.tokens {
        let mut refused = Chart::new("Refused at the edge", GLOBAL, "% of requests");
        refused.marks = Marks::All;
        refused.stat = "Average";
        for one in distributions(runbook) {
            for (code, what) in [("401", "no token"), ("403", "not allowed")] {
                refused.rows.push(
                    cloudfront(&format!("{code}ErrorRate"), &one.id)
                        .stat("Average")
                        .label(&format!("{code} {what} · {}", name(&one.name))),
                );
            }
        }
        charts.push(refused);
        let row = |metric: &str| function(metric, &tokens.function);
        let mut errors = Chart::new("Edge function errors", GLOBAL, "a minute");
        errors.right = Some("runs a minute");
        errors.rows = vec![
            row("FunctionValidationErrors")
                .label("bad answers")
                .color(ORANGE),
            row("FunctionExecutionErrors")
                .label("failed runs")
                .color(RED),
            row("FunctionThrottles").label("throttled").color(PURPLE),
            row("FunctionInvocations").label("runs").color(GRAY).right(),
        ];
        charts.push(errors);
        let mut utilization = Chart::new("Edge function compute", GLOBAL, "% of what is allowed");
        utilization.stat = "Average";
        utilization.rows = vec![
            row("FunctionComputeUtilization")
                .label("average")
                .color(BLUE),
            row("FunctionComputeUtilization")
                .stat("Maximum")
                .label("most")
                .color(ORANGE),
        ];
        utilization.target = Some(Target::at_most(runbook.targets.function_utilization));
        charts.push(utilization);
    }
    if let Some(realtime) = &runbook.logs.realtime {
        let row = |metric: &str| {
            Row::metric(
                "AWS/Kinesis",
                metric,
                &[("StreamName", realtime.stream.as_str())],
            )
        };
        let mut stream = Chart::new("Real-time log stream", &realtime.region, "records a minute");
        stream.right = Some("refused");
        stream.rows = vec![
            row("IncomingRecords").label("records").color(BLUE),
            row("WriteProvisionedThroughputExceeded")
                .label("refused")
                .color(RED)
                .right(),
        ];
        charts.push(stream);
    }
    charts
}

fn ads(runbook: &Runbook) -> Vec<Chart> {
    let mut charts = Vec::new();
    for arn in runbook.workflow.ads.iter().take(MOST_ADS) {
        let (region, id) = (arn.region(), arn.id());
        let shown = name(id);
        let row =
            |metric: &str| Row::metric("AWS/MediaTailor", metric, &[("ConfigurationName", id)]);
        let mut fill = Chart::new(format!("Ad fill · {shown}"), region, "%");
        fill.stat = "Average";
        fill.rows = vec![
            row("Avail.FillRate").label("breaks filled").color(GREEN),
            row("AdDecisionServer.FillRate")
                .label("answered with ads")
                .color(BLUE),
        ];
        charts.push(fill);
        let mut failures = Chart::new(format!("Ad failures · {shown}"), region, "a minute");
        failures.rows = vec![
            row("AdDecisionServer.Errors")
                .label("ad server errors")
                .color(RED),
            row("AdDecisionServer.Timeouts")
                .label("ad server timeouts")
                .color(ORANGE),
            row("GetManifest.Errors")
                .label("manifest errors")
                .color(PURPLE),
        ];
        charts.push(failures);
        let mut latency = Chart::new(format!("Ad latency · {shown}"), region, "ms");
        latency.stat = "Average";
        latency.rows = vec![
            row("AdDecisionServer.Latency")
                .label("ad server")
                .color(BLUE),
            row("GetManifest.Latency").label("manifest").color(GRAY),
        ];
        charts.push(latency);
    }
    charts
}
