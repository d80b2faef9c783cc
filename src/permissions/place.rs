//! The resources that permissions are about, as ARNs of one runbook.

use crate::runbook::{LedgerStore, Runbook};

/// What a permission is for. Which of these an action takes is in AWS's Service Authorization
/// Reference; where it takes none, the place is [`Place::Any`] with that as its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `*`, and why nothing narrower can be said.
    Any(&'static str),
    /// The same, needed only with `[waf]`.
    AnyForWaf(&'static str),
    /// The same, needed only with `[tokens]`.
    AnyForTokens(&'static str),
    /// The same, needed only with `[logs.access]`.
    AnyForAccessLogs(&'static str),
    /// The same, needed only with `[logs.realtime]`.
    AnyForRealtimeLogs(&'static str),
    /// The same, needed only with `[dashboard]`.
    AnyForDashboard(&'static str),
    /// The same, needed only with channels of MediaLive.
    AnyForChannels(&'static str),
    Distributions,
    /// Cache, origin request and response headers policies, origin access controls, VPC origins:
    /// their ids stand in the distributions alone.
    Policies,
    WebAcl,
    /// The web ACL and what its rules refer to.
    WebAclRules,
    IpSets,
    Function,
    /// By id, which is made with the store.
    Stores,
    RealtimeConfig,
    RealtimeRole,
    Stream,
    /// Delivery sources, destinations and deliveries of the account's region for them.
    Deliveries,
    LogBucket,
    LogObjects,
    ResultBucket,
    ResultObjects,
    Workgroup,
    /// Catalog, database and tables.
    Catalog,
    Dashboard,
    Alarms,
    /// By id, which stands in the distributions alone.
    Certificates,
    Flows,
    Channels,
    /// The inputs of the channels: their ids stand in the channels alone.
    Inputs,
    /// Endpoints, channels and channel groups.
    Endpoints,
    Ads,
    LedgerBucket,
    LedgerObjects,
}

impl Place {
    /// The ARNs, or none when the runbook has no such resource and needs no permission for it.
    pub(crate) fn resources(self, runbook: &Runbook) -> Vec<String> {
        let account = &runbook.aws.account;
        let event = &runbook.event.id;
        let home = &runbook.aws.region;
        let cloudfront = |rest: &str| format!("arn:aws:cloudfront::{account}:{rest}");
        let any = |is_needed: bool| is_needed.then(|| "*".to_owned()).into_iter().collect();
        let access = runbook.logs.access.as_ref();
        let realtime = runbook.logs.realtime.as_ref();
        match self {
            Self::Any(_) => any(true),
            Self::AnyForWaf(_) => any(runbook.waf.is_some()),
            Self::AnyForTokens(_) => any(runbook.tokens.is_some()),
            Self::AnyForAccessLogs(_) => any(access.is_some()),
            Self::AnyForRealtimeLogs(_) => any(realtime.is_some()),
            Self::AnyForDashboard(_) => any(runbook.dashboard.is_some()),
            Self::AnyForChannels(_) => any(!runbook.workflow.channels.is_empty()),
            Self::Distributions => runbook
                .distributions
                .iter()
                .map(|one| cloudfront(&format!("distribution/{}", one.id)))
                .collect(),
            Self::Policies => [
                "cache-policy/*",
                "continuous-deployment-policy/*",
                "origin-access-control/*",
                "origin-request-policy/*",
                "response-headers-policy/*",
                "vpcorigin/*",
            ]
            .map(cloudfront)
            .to_vec(),
            Self::WebAcl => waf(runbook, false),
            Self::WebAclRules => {
                let mut resources = waf(runbook, false);
                if !resources.is_empty() {
                    resources.extend(waf(runbook, true));
                    let managed = "global/managedruleset/*";
                    resources.push(format!("arn:aws:wafv2:us-east-1:{account}:{managed}"));
                }
                resources
            }
            Self::IpSets => waf(runbook, true),
            Self::Function => {
                let name = runbook.tokens.iter().map(|tokens| &tokens.function);
                name.map(|name| cloudfront(&format!("function/{name}")))
                    .collect()
            }
            Self::Stores => {
                let tokens = runbook.tokens.iter();
                tokens.map(|_| cloudfront("key-value-store/*")).collect()
            }
            Self::RealtimeConfig => realtime
                .map(|logs| cloudfront(&format!("realtime-log-config/{}", logs.config)))
                .into_iter()
                .collect(),
            Self::RealtimeRole => realtime
                .map(|logs| logs.role.0.clone())
                .into_iter()
                .collect(),
            Self::Stream => realtime
                .map(|logs| {
                    let (region, stream) = (&logs.region, &logs.stream);
                    format!("arn:aws:kinesis:{region}:{account}:stream/{stream}")
                })
                .into_iter()
                .collect(),
            Self::Deliveries if access.is_some() => [
                format!("delivery-source:onair-{event}-*"),
                format!("delivery-destination:onair-{event}-*"),
                // By an id that is made with it.
                "delivery:*".to_owned(),
            ]
            .map(|rest| format!("arn:aws:logs:us-east-1:{account}:{rest}"))
            .to_vec(),
            Self::Deliveries => Vec::new(),
            Self::LogBucket => bucket(access.map(|logs| logs.bucket.as_str())),
            Self::LogObjects => {
                objects(access.map(|logs| (logs.bucket.as_str(), logs.prefix.as_str())))
            }
            Self::ResultBucket => bucket(results(runbook).map(|(bucket, _)| bucket)),
            Self::ResultObjects => objects(results(runbook)),
            Self::Workgroup => runbook
                .athena
                .iter()
                .map(|athena| {
                    let workgroup = &athena.workgroup;
                    format!("arn:aws:athena:{home}:{account}:workgroup/{workgroup}")
                })
                .collect(),
            Self::Catalog => runbook.athena.as_ref().map_or_else(Vec::new, |athena| {
                let database = &athena.database;
                [
                    "catalog".to_owned(),
                    format!("database/{database}"),
                    format!("table/{database}/*"),
                    format!("userDefinedFunction/{database}/*"),
                ]
                .map(|rest| format!("arn:aws:glue:{home}:{account}:{rest}"))
                .to_vec()
            }),
            Self::Dashboard => {
                let dashboard = runbook.dashboard.iter();
                dashboard
                    .map(|one| format!("arn:aws:cloudwatch::{account}:dashboard/{}", one.name))
                    .collect()
            }
            Self::Alarms => {
                let dashboard = runbook.dashboard.iter().filter(|one| one.alarms);
                dashboard
                    // Alarms are where their metrics are, so in any region of the workflow.
                    .map(|_| format!("arn:aws:cloudwatch:*:{account}:alarm:onair-{event}-*"))
                    .collect()
            }
            Self::Certificates => {
                vec![format!("arn:aws:acm:us-east-1:{account}:certificate/*")]
            }
            Self::Flows => {
                let flows = runbook.workflow.flows.iter();
                flows.map(|flow| flow.arn.0.clone()).collect()
            }
            Self::Channels => arns(&runbook.workflow.channels),
            Self::Inputs => {
                let channels = runbook.workflow.channels.iter();
                let inputs = channels
                    .map(|arn| format!("arn:aws:medialive:{}:{account}:input:*", arn.region()));
                unique(inputs.collect())
            }
            Self::Endpoints => {
                let endpoints = runbook.workflow.endpoints.iter();
                unique(endpoints.flat_map(|arn| endpoint(&arn.0)).collect())
            }
            Self::Ads => arns(&runbook.workflow.ads),
            Self::LedgerBucket => bucket(ledger(runbook).map(|(bucket, _)| bucket)),
            Self::LedgerObjects => objects(ledger(runbook)),
        }
    }

    /// Why the place is `*`, where it is.
    pub(crate) fn reason(self) -> Option<&'static str> {
        match self {
            Self::Any(reason)
            | Self::AnyForWaf(reason)
            | Self::AnyForTokens(reason)
            | Self::AnyForAccessLogs(reason)
            | Self::AnyForRealtimeLogs(reason)
            | Self::AnyForDashboard(reason)
            | Self::AnyForChannels(reason) => Some(reason),
            _ => None,
        }
    }
}

/// The web ACL's ARN, or the IP sets'. Their last part is an id that AWS makes up.
fn waf(runbook: &Runbook, ip_sets: bool) -> Vec<String> {
    let account = &runbook.aws.account;
    let arn = |kind: &str, name: &str| {
        format!("arn:aws:wafv2:us-east-1:{account}:global/{kind}/{name}/*")
    };
    runbook.waf.as_ref().map_or_else(Vec::new, |waf| {
        if ip_sets {
            vec![arn("ipset", &waf.ip_set_v4), arn("ipset", &waf.ip_set_v6)]
        } else {
            vec![arn("webacl", &waf.web_acl)]
        }
    })
}

/// An endpoint's ARN, its channel's and its channel group's: the reads ask for all three.
fn endpoint(arn: &str) -> Vec<String> {
    let mut arns = vec![arn.to_owned()];
    for part in ["/originEndpoint/", "/channel/"] {
        if let Some((above, _)) = arn.split_once(part) {
            arns.push(above.to_owned());
        }
    }
    arns
}

fn arns(arns: &[crate::runbook::Arn]) -> Vec<String> {
    arns.iter().map(|arn| arn.0.clone()).collect()
}

fn unique(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts.dedup();
    texts
}

fn bucket(bucket: Option<&str>) -> Vec<String> {
    bucket
        .map(|bucket| format!("arn:aws:s3:::{bucket}"))
        .into_iter()
        .collect()
}

fn objects(place: Option<(&str, &str)>) -> Vec<String> {
    let place = place.map(|(bucket, prefix)| match prefix {
        "" => format!("arn:aws:s3:::{bucket}/*"),
        prefix => format!("arn:aws:s3:::{bucket}/{prefix}/*"),
    });
    place.into_iter().collect()
}

/// Bucket and prefix of query results.
fn results(runbook: &Runbook) -> Option<(&str, &str)> {
    let output = runbook.athena.as_ref()?.output.as_deref()?;
    let (bucket, prefix) = output.strip_prefix("s3://")?.split_once('/')?;
    Some((bucket, prefix.trim_end_matches('/')))
}

/// Bucket and prefix of a ledger that is in S3.
fn ledger(runbook: &Runbook) -> Option<(&str, &str)> {
    match &runbook.ledger.store {
        LedgerStore::S3 { bucket, prefix } => Some((bucket, prefix)),
        LedgerStore::Folder(_) => None,
    }
}
