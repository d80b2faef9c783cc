//! Which operation a request means: method, path and query of the REST interface.

use percent_encoding::percent_decode_str;

use crate::sandbox::service::Call;

/// The path prefix of this API version.
const VERSION: &str = "/2020-05-31/";

/// An operation, with the id or name that its path carries, percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    AssociateDistributionWebACL(String),
    CreateDistribution,
    CreateDistributionWithTags,
    CreateFunction,
    CreateKeyValueStore,
    CreateMonitoringSubscription(String),
    CreateRealtimeLogConfig,
    DeleteDistribution(String),
    DeleteFunction(String),
    DeleteKeyValueStore(String),
    DeleteMonitoringSubscription(String),
    DeleteRealtimeLogConfig,
    DescribeFunction(String),
    DescribeKeyValueStore(String),
    DisassociateDistributionWebACL(String),
    GetCachePolicy(String),
    GetContinuousDeploymentPolicy(String),
    GetDistribution(String),
    GetDistributionConfig(String),
    GetFunction(String),
    GetMonitoringSubscription(String),
    GetVpcOrigin(String),
    GetResponseHeadersPolicy(String),
    GetOriginRequestPolicy(String),
    GetOriginAccessControl(String),
    GetRealtimeLogConfig,
    ListDistributions,
    ListDistributionsByWebACLId(String),
    ListFunctions,
    ListKeyValueStores,
    ListRealtimeLogConfigs,
    ListTagsForResource,
    PublishFunction(String),
    TagResource,
    TestFunction(String),
    UntagResource,
    UpdateDistribution(String),
    UpdateFunction(String),
    UpdateKeyValueStore(String),
    UpdateRealtimeLogConfig,
}

impl Route {
    /// Returns what the call asks for; none when the service has no such operation here.
    pub(crate) fn of(call: &Call<'_>) -> Option<Self> {
        let path = call.path.strip_prefix(VERSION)?;
        let segments: Vec<String> = path
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (kind, rest) = segments.split_first()?;
        if rest.first().is_some_and(|name| name.is_empty()) {
            return None;
        }
        let method = call.method.as_str();
        match *kind {
            "distribution" => distribution(method, rest, call),
            "distributions" => monitoring(method, rest),
            "distributionsByWebACLId" => match (method, rest) {
                ("GET", [id]) => Some(Self::ListDistributionsByWebACLId((*id).to_owned())),
                _ => None,
            },
            "cache-policy" => read(method, rest).map(Self::GetCachePolicy),
            "continuous-deployment-policy" => {
                read(method, rest).map(Self::GetContinuousDeploymentPolicy)
            }
            "function" => function(method, rest),
            "key-value-store" => store(method, rest),
            "origin-access-control" => read(method, rest).map(Self::GetOriginAccessControl),
            "origin-request-policy" => read(method, rest).map(Self::GetOriginRequestPolicy),
            "response-headers-policy" => read(method, rest).map(Self::GetResponseHeadersPolicy),
            "vpc-origin" => read(method, rest).map(Self::GetVpcOrigin),
            "realtime-log-config" if rest.is_empty() => match method {
                "GET" => Some(Self::ListRealtimeLogConfigs),
                "POST" => Some(Self::CreateRealtimeLogConfig),
                "PUT" => Some(Self::UpdateRealtimeLogConfig),
                _ => None,
            },
            "get-realtime-log-config" if rest.is_empty() && method == "POST" => {
                Some(Self::GetRealtimeLogConfig)
            }
            "delete-realtime-log-config" if rest.is_empty() && method == "POST" => {
                Some(Self::DeleteRealtimeLogConfig)
            }
            "tagging" if rest.is_empty() => match (method, query(call, "Operation").as_deref()) {
                ("GET", None) => Some(Self::ListTagsForResource),
                ("POST", Some("Tag")) => Some(Self::TagResource),
                ("POST", Some("Untag")) => Some(Self::UntagResource),
                _ => None,
            },
            _ => None,
        }
    }

    /// The operation's name in the service's model.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::AssociateDistributionWebACL(_) => "AssociateDistributionWebACL",
            Self::CreateDistribution => "CreateDistribution",
            Self::CreateDistributionWithTags => "CreateDistributionWithTags",
            Self::CreateFunction => "CreateFunction",
            Self::CreateKeyValueStore => "CreateKeyValueStore",
            Self::CreateMonitoringSubscription(_) => "CreateMonitoringSubscription",
            Self::CreateRealtimeLogConfig => "CreateRealtimeLogConfig",
            Self::DeleteDistribution(_) => "DeleteDistribution",
            Self::DeleteFunction(_) => "DeleteFunction",
            Self::DeleteKeyValueStore(_) => "DeleteKeyValueStore",
            Self::DeleteMonitoringSubscription(_) => "DeleteMonitoringSubscription",
            Self::DeleteRealtimeLogConfig => "DeleteRealtimeLogConfig",
            Self::DescribeFunction(_) => "DescribeFunction",
            Self::DescribeKeyValueStore(_) => "DescribeKeyValueStore",
            Self::DisassociateDistributionWebACL(_) => "DisassociateDistributionWebACL",
            Self::GetDistribution(_) => "GetDistribution",
            Self::GetDistributionConfig(_) => "GetDistributionConfig",
            Self::GetFunction(_) => "GetFunction",
            Self::GetMonitoringSubscription(_) => "GetMonitoringSubscription",
            Self::GetCachePolicy(_) => "GetCachePolicy",
            Self::GetContinuousDeploymentPolicy(_) => "GetContinuousDeploymentPolicy",
            Self::GetOriginAccessControl(_) => "GetOriginAccessControl",
            Self::GetOriginRequestPolicy(_) => "GetOriginRequestPolicy",
            Self::GetResponseHeadersPolicy(_) => "GetResponseHeadersPolicy",
            Self::GetVpcOrigin(_) => "GetVpcOrigin",
            Self::GetRealtimeLogConfig => "GetRealtimeLogConfig",
            Self::ListDistributions => "ListDistributions",
            Self::ListDistributionsByWebACLId(_) => "ListDistributionsByWebACLId",
            Self::ListFunctions => "ListFunctions",
            Self::ListKeyValueStores => "ListKeyValueStores",
            Self::ListRealtimeLogConfigs => "ListRealtimeLogConfigs",
            Self::ListTagsForResource => "ListTagsForResource",
            Self::PublishFunction(_) => "PublishFunction",
            Self::TagResource => "TagResource",
            Self::TestFunction(_) => "TestFunction",
            Self::UntagResource => "UntagResource",
            Self::UpdateDistribution(_) => "UpdateDistribution",
            Self::UpdateFunction(_) => "UpdateFunction",
            Self::UpdateKeyValueStore(_) => "UpdateKeyValueStore",
            Self::UpdateRealtimeLogConfig => "UpdateRealtimeLogConfig",
        }
    }
}

fn distribution(method: &str, rest: &[&str], call: &Call<'_>) -> Option<Route> {
    Some(match (method, rest) {
        ("POST", []) if query(call, "WithTags").is_some() => Route::CreateDistributionWithTags,
        ("POST", []) => Route::CreateDistribution,
        ("GET", []) => Route::ListDistributions,
        ("GET", [id]) => Route::GetDistribution((*id).to_owned()),
        ("DELETE", [id]) => Route::DeleteDistribution((*id).to_owned()),
        ("GET", [id, "config"]) => Route::GetDistributionConfig((*id).to_owned()),
        ("PUT", [id, "config"]) => Route::UpdateDistribution((*id).to_owned()),
        ("PUT", [id, "associate-web-acl"]) => Route::AssociateDistributionWebACL((*id).to_owned()),
        ("PUT", [id, "disassociate-web-acl"]) => {
            Route::DisassociateDistributionWebACL((*id).to_owned())
        }
        _ => return None,
    })
}

fn monitoring(method: &str, rest: &[&str]) -> Option<Route> {
    let [id, "monitoring-subscription"] = rest else {
        return None;
    };
    let id = (*id).to_owned();
    match method {
        "GET" => Some(Route::GetMonitoringSubscription(id)),
        "POST" => Some(Route::CreateMonitoringSubscription(id)),
        "DELETE" => Some(Route::DeleteMonitoringSubscription(id)),
        _ => None,
    }
}

fn function(method: &str, rest: &[&str]) -> Option<Route> {
    Some(match (method, rest) {
        ("POST", []) => Route::CreateFunction,
        ("GET", []) => Route::ListFunctions,
        ("GET", [name]) => Route::GetFunction((*name).to_owned()),
        ("PUT", [name]) => Route::UpdateFunction((*name).to_owned()),
        ("DELETE", [name]) => Route::DeleteFunction((*name).to_owned()),
        ("GET", [name, "describe"]) => Route::DescribeFunction((*name).to_owned()),
        ("POST", [name, "publish"]) => Route::PublishFunction((*name).to_owned()),
        ("POST", [name, "test"]) => Route::TestFunction((*name).to_owned()),
        _ => return None,
    })
}

/// The id of what is only read here.
fn read(method: &str, rest: &[&str]) -> Option<String> {
    match (method, rest) {
        ("GET", [id]) => Some((*id).to_owned()),
        _ => None,
    }
}

fn store(method: &str, rest: &[&str]) -> Option<Route> {
    Some(match (method, rest) {
        ("POST", []) => Route::CreateKeyValueStore,
        ("GET", []) => Route::ListKeyValueStores,
        ("GET", [name]) => Route::DescribeKeyValueStore((*name).to_owned()),
        ("PUT", [name]) => Route::UpdateKeyValueStore((*name).to_owned()),
        ("DELETE", [name]) => Route::DeleteKeyValueStore((*name).to_owned()),
        _ => return None,
    })
}

/// Returns a parameter of the query, percent-decoded; empty when it has no value.
pub(crate) fn query(call: &Call<'_>, name: &str) -> Option<String> {
    call.query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| percent_decode_str(value).decode_utf8_lossy().into_owned())
    })
}
