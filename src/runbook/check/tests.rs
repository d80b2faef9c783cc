//! What is said of sections that are wrong, and that all of them show as what they were.

use std::path::Path;

use crate::runbook::load::tests::MINIMAL;
use crate::runbook::load::{LoadError, parse};
use crate::runbook::model::{GeoMode, LogFormat, RuleAction, TokenSource};
use crate::runbook::resolved::{OriginAccess, Runbook};
use crate::runbook::template::TEMPLATES;

const PATH: &str = "runbooks/cup.toml";

/// What is said of MINIMAL with more at its end: severity, path and problem, without places.
fn said(more: &str) -> String {
    let notes = match parse(&format!("{MINIMAL}{more}"), Path::new(PATH)) {
        Ok(loaded) => loaded.notes,
        Err(LoadError::Invalid { notes, .. }) => notes,
        Err(error) => panic!("{error}"),
    };
    let lines: Vec<String> = notes
        .iter()
        .map(|note| {
            let near = note.nearest.as_ref();
            let near = near.map(|near| format!(" [{near}]")).unwrap_or_default();
            let word = format!("{:?}", note.severity).to_lowercase();
            format!("{word} {}: {}{near}", note.path, note.problem)
        })
        .collect();
    lines.join("\n")
}

fn loaded(text: &str) -> Runbook {
    match parse(text, Path::new(PATH)) {
        Ok(loaded) => {
            assert_eq!(loaded.notes, []);
            loaded.runbook
        }
        Err(error) => panic!("{}", error.details()),
    }
}

/// Every section in its less usual form.
const ODD: &str = r#"
[geo]
mode = "block"
countries = ["JP"]
never-block = ["AT"]
[[geo.states]]
country = "US"
mode = "allow"
states = ["us-ma", "NH", "MA"]
[[geo.states]]
country = "AU"
mode = "block"
states = ["NSW"]
[geo.metros]
mode = "block"
codes = ["506", "501", "506"]
[[geo.windows]]
name = "second half"
from = "ko+1h"
until = "ko+2h"
mode = "block"
countries = ["FR"]
[[geo.windows]]
name = "first half"
from = "ko"
until = "ko+1h"
mode = "allow"
countries = ["JP", "FR"]

[waf]
web-acl = "viewers"
blocklist = "count"
rate = { limit = 2_000_000_000, window = "60s", action = "block" }
[[waf.managed]]
group = "AWSManagedRulesAnonymousIpList"
[[waf.managed]]
group = "AWSManagedRulesSomethingNew"
action = "block"

[tokens]
format = "jwt"
[tokens.gate]
sources = ["path", "cookie:Session", "header:X-Token", "query:t"]
user-agent-claim = "ua"
open-paths = ["/public/"]
leeway = "2m"

[forecast]
peak-viewers = 4_000_000_000
segment = "1.92s"
requests-per-segment = 2.5
ladder = [{ name = "low", megabits = 1, share = 33.3 }, { name = "high", megabits = 5.5, share = 66.7 }]
countries = { AT = 0.1, Germany = 99 }

[origins]
access = { secret-header = "X-Origin-Secret" }
budget = "1500ms"
[[origins.groups]]
id = "g"

[workflow]
channels = ["1234567"]
endpoints = ["group/channel/hls"]
ads = ["cup"]
[[workflow.flows]]
arn = "arn:aws:mediaconnect:eu-west-1:111122223333:flow:1-A:b"

[logs]
access = { store = "s3://cup-logs", format = "w3c" }
[logs.realtime]
role = "arn:aws:iam::111122223333:role/service-role/logs"
sampling = 1
fields = ["asn", "cmcd-session-id", "timestamp"]

[athena]
output = "s3://cup-results"
max-scan = "64 MiB"

[dashboard]
panels = ["ads", "ingest"]
alarms = false

[targets]
errors-4xx = 0.25
time-to-first-byte = "1.25s"

[[waivers]]
check = "origin.shield"
reason = "one region"
owner = "noor"
expires = "2026-06-15 12:00"
"#;

#[test]
fn every_section_shows_as_one_that_loads_to_the_same() {
    let odd = format!("{MINIMAL}{ODD}");
    let texts = TEMPLATES.iter().map(|template| template.text);
    for text in texts.chain([odd.as_str(), MINIMAL]) {
        let runbook = loaded(text);
        let again = loaded(&runbook.to_toml());
        let digest = runbook.digest.clone();
        assert_eq!(Runbook { digest, ..again }, runbook);
    }
}

#[test]
fn values_come_out_as_meant() {
    let runbook = loaded(&format!("{MINIMAL}{ODD}"));
    let geo = runbook.geo.unwrap();
    assert_eq!(geo.states[0].states, ["MA", "NH"]);
    assert_eq!(geo.metros.unwrap().codes, ["501", "506"]);
    assert_eq!(geo.windows[0].name, "first half");
    assert_eq!(geo.windows[0].mode, GeoMode::Allow);
    let waf = runbook.waf.unwrap();
    assert_eq!(waf.managed[0].action, RuleAction::Count);
    assert_eq!(waf.rate.unwrap().window_seconds, 60);
    let gate = runbook.tokens.unwrap().gate;
    assert_eq!(gate.sources[2], TokenSource::Header("x-token".to_owned()));
    assert_eq!(gate.leeway_seconds, 120);
    let forecast = runbook.forecast.unwrap();
    assert_eq!(forecast.ladder[0].name, "high");
    assert_eq!(forecast.distributions, [("main".to_owned(), 100.0)]);
    assert!((forecast.segment_seconds - 1.92).abs() < 1e-9);
    let origins = runbook.origins.unwrap();
    assert_eq!(
        origins.access,
        OriginAccess::SecretHeader("x-origin-secret".to_owned())
    );
    assert_eq!(origins.groups[0].failover_codes, [500, 502, 503, 504]);
    assert_eq!(
        runbook.workflow.channels[0].0,
        "arn:aws:medialive:us-east-1:111122223333:channel:1234567"
    );
    let logs = runbook.logs;
    assert_eq!(logs.access.unwrap().format, LogFormat::W3c);
    assert_eq!(
        logs.realtime.unwrap().fields,
        ["timestamp", "asn", "cmcd-session-id"]
    );
    let athena = runbook.athena.unwrap();
    assert_eq!(athena.max_scan, 64 << 20);
    assert_eq!(athena.output.as_deref(), Some("s3://cup-results/"));
    assert_eq!(athena.database, "cup");
    assert_eq!(athena.workgroup, "onair-cup");
}

#[test]
fn a_forecast_is_checked() {
    insta::assert_snapshot!(said(r#"
[forecast]
peak-viewers = 0
segment = "4"
requests-per-segment = -1
ladder = [{ name = "a", megabits = 0, share = 40 }, { name = "a", megabits = 1, share = 50 }]
countries = { UK = 10, AT = 95, Austria = 101 }
distributions = { mian = 50 }
ad-break-spread = "0s"
"#), @r##"
        error forecast.peak-viewers: write a number more than 0
        error forecast.segment: `4` is not a short time such as 400ms, 1.92s or 2m
        error forecast.requests-per-segment: write a number more than 0
        error forecast.ad-break-spread: `0s` is no time at all
        "##);
    insta::assert_snapshot!(said("[forecast]\npeak-viewers = 5\nsegment = \"4s\"\nladder = []\ncountries = 5\n"), @r##"
        error forecast.ladder: at least one is needed
        error forecast.countries: expected a table, found a number
        "##);
}

#[test]
fn origins_and_the_workflow_are_checked() {
    insta::assert_snapshot!(said(r#"
[origins]
shield-region = "frankfurt"
access = "oca"
budget = "2h"
direct-probes = ["http://example.com/", "https://localhost/", "https://ok.example.com/x"]
[[origins.groups]]
id = "g"
primary = "a"
secondary = "a"
failover-codes = [404, 418]
[[origins.groups]]
id = "g"
failover-codes = []

[workflow]
channels = ["arn:aws:medialive:eu-west-1:444455556666:channel:1", "x/y"]
endpoints = ["arn:aws:mediapackage:eu-west-1:111122223333:channels/a", "a/b/c", "a/b/c"]
drm-probe = "drm.example.com"
[[workflow.flows]]
arn = "stadium"
min-latency = "fast"
sources = 3
"#), @r##"
        error origins.shield-region: `frankfurt` is not a region such as eu-central-1
        error origins.access: `oca` is none of: oac, vpc, open [oac]
        error origins.budget: `2h` is not a short time such as 400ms, 1.92s or 2m
        error origins.direct-probes[0]: `http://example.com/` is not an https:// URL
        error origins.direct-probes[1]: `https://localhost/` is not an https:// URL
        error origins.groups[0].secondary: the origin `a` is there twice
        error origins.groups[0].failover-codes[1]: 418 cannot be a failover code; CloudFront takes 400, 403, 404, 416, 429, 500, 502, 503, 504
        error origins.groups[1].id: the origin group `g` is there twice
        error origins.groups[1].failover-codes: at least one is needed
        error workflow.channels[0]: account 444455556666 is not the runbook's, 111122223333
        error workflow.channels[1]: `x/y` is not a MediaLive channel's id or ARN such as arn:aws:medialive:eu-central-1:111122223333:channel:1234567
        error workflow.endpoints[0]: `arn:aws:mediapackage:eu-west-1:111122223333:channels/a` is not a MediaPackage v2 endpoint: GROUP/CHANNEL/ENDPOINT or an ARN such as arn:aws:mediapackagev2:eu-central-1:111122223333:channelGroup/G/channel/C/originEndpoint/E
        error workflow.endpoints[2]: the endpoint `arn:aws:mediapackagev2:us-east-1:111122223333:channelGroup/…` is there twice
        error workflow.drm-probe: `drm.example.com` is not an https:// URL
        error workflow.flows[0].arn: `stadium` is not a MediaConnect flow's ARN such as arn:aws:mediaconnect:eu-central-1:111122223333:flow:1-ABC:NAME
        error workflow.flows[0].min-latency: `fast` is not a short time such as 400ms, 1.92s or 2m
        error workflow.flows[0].sources: write a number from 1 to 2
        "##);
    insta::assert_snapshot!(said("[origins]\naccess = { secret-heder = \"x\" }\n"), @r##"
        error origins.access: missing key `secret-header`
        error origins.access.secret-heder: unknown key `secret-heder` [secret-header]
        "##);
    insta::assert_snapshot!(said("[origins]\naccess = { secret-header = \"x: y\" }\n"), @r##"
        error origins.access.secret-header: `x: y` is not a header's name: letters, digits and hyphens
        "##);
    insta::assert_snapshot!(said("[origins]\naccess = 5\n"), @r##"
        error origins.access: expected a text in quotes, found a number
        "##);
}

#[test]
fn logs_and_queries_are_checked() {
    insta::assert_snapshot!(said(r#"
[logs.access]
store = "s3://my.bucket/logs"
format = "csv"
[logs.realtime]
stream = "a b"
region = "nowhere"
role = "arn:aws:iam::111122223333:user/jess"
sampling = 0
fields = ["default", "cmcd-bitrate", "asn"]
[athena]
database = "Cup-Final"
output = "results"
max-scan = "5 MB"
tables = { access = "logs", realtime = "logs" }
"#), @r##"
        error logs.access.store: `s3://my.bucket/logs` is not s3://bucket/prefix with a bucket of 3 to 63 lower-case letters, digits and hyphens; names with dots cannot take log deliveries
        error logs.access.format: `csv` is none of: parquet, json, w3c
        error logs.realtime.stream: `a b` is not a name that AWS takes: 1 to 128 letters, digits, hyphens and underscores
        error logs.realtime.region: `nowhere` is not a region such as eu-central-1
        error logs.realtime.role: `arn:aws:iam::111122223333:user/jess` is not an IAM role's ARN such as arn:aws:iam::111122223333:role/NAME
        error logs.realtime.sampling: write a number from 1 to 100
        error logs.realtime.fields[1]: `cmcd-bitrate` is not a field of real-time logs, and none of the groups default, cmcd, all [cmcd-top-bitrate]
        error athena.database: `Cup-Final` is not a name that Athena takes unquoted: lower-case letters, digits and underscores
        error athena.output: `results` is not s3://bucket/prefix with a bucket of 3 to 63 lower-case letters, digits and hyphens; names with dots cannot take log deliveries
        error athena.max-scan: write at least 10 MB: Athena takes no lower limit
        error athena.tables: the table `logs` is there twice
        "##);
}

#[test]
fn goals_and_waivers_are_checked() {
    insta::assert_snapshot!(said(r#"
[dashboard]
name = "a b"
panels = ["ads", "ads"]
topic = "arn:aws:sns:eu-west-1:111122223333:alarms"
[targets]
cache-hit-ratio = 101
errors-5xx = 0
origin-latency = "half a second"
[[waivers]]
check = "shield"
reason = ""
owner = "noor"
expires = "end"
[[waivers]]
check = "origin.shield"
reason = "x"
owner = "noor"
expires = "ko-1h"
[[waivers]]
check = "origin.shield"
reason = "x"
owner = "noor"
expires = "some day"
"#), @r##"
        error dashboard.name: `a b` is not a name that AWS takes: 1 to 255 letters, digits, hyphens and underscores
        error dashboard.panels[1]: the panel `ads` is there twice
        error dashboard.topic: `arn:aws:sns:eu-west-1:111122223333:alarms` is not in us-east-1, where CloudFront's alarms are
        error targets.cache-hit-ratio: a percentage is more than 0 and at most 100
        error targets.errors-5xx: a percentage is more than 0 and at most 100
        error targets.origin-latency: `half a second` is not a short time such as 400ms, 1.92s or 2m
        error waivers[0].check: `shield` is not a check's id such as origin.shield; `onair preflight --list` names them
        error waivers[0].reason: at least one is needed
        warning waivers[1].expires: expires at 2026-06-14T17:30:00Z, before doors at 2026-06-14T18:30:00Z: it will not hold when it matters
        error waivers[2].check: the waiver of `origin.shield` is there twice
        error waivers[2].expires: `some day` is not a time; write 2026-06-14T20:30:00+02:00, `2026-06-14 20:30`, 20:30, ko+15m, end-10m, doors, +2h or now
        "##);
}

#[test]
fn finer_rights_are_checked() {
    insta::assert_snapshot!(said(r#"
[geo]
mode = "allow"
countries = ["AT", "DE"]
never-block = ["AT"]
metros = { mode = "allow", codes = ["50", "5o1"] }
[[geo.states]]
country = "US"
mode = "allow"
states = ["MA", "CA-ON", "Texas"]
[[geo.states]]
country = "US"
mode = "allow"
states = []
[[geo.windows]]
name = "a"
from = "ko+1h"
until = "ko"
mode = "block"
countries = ["AT", "DE"]
[[geo.windows]]
name = "a"
from = "ko-9d"
until = "end"
mode = "allow"
countries = []
[[geo.windows]]
name = "b"
from = "ko+90m"
until = "end"
mode = "block"
countries = ["DE"]
[[geo.windows]]
name = "c"
from = "ko+2h"
until = "end+9d"
mode = "allow"
countries = ["DE"]
"#), @r##"
        error geo.metros.codes[0]: `50` is not a metro code of three digits such as 506
        error geo.metros.codes[1]: `5o1` is not a metro code of three digits such as 506
        warning geo.states[0].country: US is kept out as a whole, so its states make no difference
        error geo.states[0].states[1]: `CA-ON` is in another country than US
        error geo.states[0].states[2]: `Texas` is not a state's code such as MA or US-MA
        error geo.states[1].country: the country `US` is there twice
        warning geo.states[1].country: US is kept out as a whole, so its states make no difference
        error geo.states[1].states: at least one is needed
        error geo.windows[0].until: closes at 2026-06-14T18:30:00Z, which is not after it opens at 2026-06-14T19:30:00Z
        error geo.windows[0].countries: AT (Austria) must never be blocked, but this list blocks it
        error geo.windows[0].countries: an allow list without countries would let nobody in
        error geo.windows[1].name: the window `a` is there twice
        error geo.windows[1].from: reaches beyond the event and its grace, 2026-06-14T16:30:00Z to 2026-06-14T23:30:00Z
        error geo.windows[1].countries: at least one is needed
        error geo.windows[3].until: reaches beyond the event and its grace, 2026-06-14T16:30:00Z to 2026-06-14T23:30:00Z
        error geo.windows[3].countries: lets in and keeps out DE at the same time as window `b`
        "##);
}

#[test]
fn rules_and_the_gate_are_checked() {
    insta::assert_snapshot!(said(r#"
[waf]
web-acl = "viewers"
blocklist = "deny"
rate = { limit = 9, window = "7m" }
[[waf.managed]]
group = "AnonymousIpLists"
[tokens]
format = "cat"
[tokens.gate]
sources = ["path", "body", "header:a b", "path"]
path-claim = "path"
open-paths = ["public"]
leeway = "1h"
"#), @r##"
        error waf.blocklist: `deny` is none of: count, block
        error waf.rate.limit: write a number from 10 to 2000000000
        error waf.rate.window: a rate window is 1m, 2m, 5m or 10m
        error waf.managed[0].group: `AnonymousIpLists` is not one of AWS's managed rule groups; they begin with AWSManagedRules [AWSManagedRulesAnonymousIpList]
        error tokens.gate.sources[1]: `body` is none of: path, query:NAME, cookie:NAME, header:NAME
        error tokens.gate.sources[2]: `header:a b` is none of: path, query:NAME, cookie:NAME, header:NAME
        error tokens.gate.sources[3]: the source `path` is there twice
        error tokens.gate.path-claim: only JWTs have claims to name; leave it out
        error tokens.gate.open-paths[0]: a path begins with `/`
        error tokens.gate.leeway: at most 5m
        "##);
}
