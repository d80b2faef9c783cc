//! CloudFront's control plane: REST-XML, API version 2020-05-31, as far as an event needs it.
//!
//! Distributions are kept as the documents that clients sent, so that members unknown to any SDK
//! survive. Facts are from the service's model and the CloudFront Developer Guide; where AWS's
//! behavior is not known, the harsher reading is taken. What the edges make of a configuration is
//! left to `crate::edge`, the items of key value stores to `super::keyvaluestore`.

mod answers;
mod config;
mod defaults;
mod distributions;
mod document;
mod edit;
mod etag;
mod functions;
mod locations;
mod monitoring;
mod paging;
mod policies;
mod realtime_logs;
mod rollout;
mod routes;
mod seed;
mod stores;
mod tags;
#[cfg(test)]
mod tests;
mod web_acl;

pub(crate) use edit::DocumentEditError;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::answers::Refusal;
use self::distributions::Distribution;
use self::functions::Function;
use self::realtime_logs::RealtimeLogConfig;
use self::routes::Route;
use self::stores::KeyValueStore;
use super::keyvaluestore::Stores;
use super::service::{Answer, Call};
use crate::edge::GeoKind;

/// What the account holds in CloudFront.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CloudFront {
    /// Counts what gets an id or a version, so that none is given twice.
    sequence: u64,
    /// By id.
    distributions: BTreeMap<String, Distribution>,
    /// By name.
    functions: BTreeMap<String, Function>,
    /// By name.
    stores: BTreeMap<String, KeyValueStore>,
    /// By name.
    #[serde(default)]
    realtime_logs: BTreeMap<String, RealtimeLogConfig>,
    /// By the ARN of the tagged resource.
    tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Policies and the like.
    #[serde(default)]
    beside: policies::Beside,
}

/// Returns the operation that the call asks for; none when CloudFront has no such operation.
pub(crate) fn operation(call: &Call<'_>) -> Option<&'static str> {
    Route::of(call).map(|route| route.operation())
}

/// Answers a call. Creating or deleting a key value store does so in `stores`, too.
pub(crate) fn handle(
    call: &Call<'_>,
    state: &mut CloudFront,
    stores: &mut Stores,
    web_acl_exists: &dyn Fn(&str) -> bool,
) -> Answer {
    let answered = match Route::of(call) {
        Some(route) => dispatch(route, call, state, stores, web_acl_exists),
        None => Err(Refusal::new(
            "UnknownOperationException",
            "There is no such operation.",
        )),
    };
    answered.unwrap_or_else(|refusal| refusal.answer(call))
}

fn dispatch(
    route: Route,
    call: &Call<'_>,
    state: &mut CloudFront,
    stores: &mut Stores,
    web_acl_exists: &dyn Fn(&str) -> bool,
) -> Result<Answer, Refusal> {
    match route {
        Route::AssociateDistributionWebACL(id) => state.associate(call, &id, web_acl_exists),
        Route::CreateDistribution => state.create_distribution(call, web_acl_exists),
        Route::CreateDistributionWithTags => {
            state.create_distribution_with_tags(call, web_acl_exists)
        }
        Route::CreateFunction => state.create_function(call, stores),
        Route::CreateKeyValueStore => state.create_store(call, stores),
        Route::CreateMonitoringSubscription(id) => state.create_monitoring(call, &id),
        Route::CreateRealtimeLogConfig => state.create_realtime_log_config(call),
        Route::DeleteRealtimeLogConfig => state.delete_realtime_log_config(call),
        Route::GetRealtimeLogConfig => state.get_realtime_log_config(call),
        Route::ListRealtimeLogConfigs => state.list_realtime_log_configs(call),
        Route::UpdateRealtimeLogConfig => state.update_realtime_log_config(call),
        Route::DeleteDistribution(id) => state.delete_distribution(call, &id),
        Route::DeleteFunction(name) => state.delete_function(call, &name),
        Route::DeleteKeyValueStore(name) => state.delete_store(call, &name, stores),
        Route::DeleteMonitoringSubscription(id) => state.delete_monitoring(call, &id),
        Route::DescribeFunction(name) => state.describe_function(call, &name),
        Route::DescribeKeyValueStore(name) => state.describe_store(call, &name, stores),
        Route::DisassociateDistributionWebACL(id) => state.disassociate(call, &id),
        Route::GetCachePolicy(id) => state.get_cache_policy(call, &id),
        Route::GetContinuousDeploymentPolicy(id) => state.get_continuous_deployment(call, &id),
        Route::GetDistribution(id) => state.get_distribution(call, &id),
        Route::GetDistributionConfig(id) => state.get_distribution_config(call, &id),
        Route::GetFunction(name) => state.get_function(call, &name),
        Route::GetMonitoringSubscription(id) => state.get_monitoring(call, &id),
        Route::GetOriginAccessControl(id) => state.get_access_control(call, &id),
        Route::GetOriginRequestPolicy(id) => CloudFront::get_origin_request_policy(call, &id),
        Route::GetResponseHeadersPolicy(id) => CloudFront::get_response_headers_policy(call, &id),
        Route::GetVpcOrigin(id) => state.get_vpc_origin(call, &id),
        Route::ListDistributions => state.list_distributions(call),
        Route::ListDistributionsByWebACLId(arn) => {
            state.list_distributions_by_web_acl(call, &arn, web_acl_exists)
        }
        Route::ListFunctions => state.list_functions(call),
        Route::ListKeyValueStores => state.list_stores(call, stores),
        Route::ListTagsForResource => state.list_tags(call),
        Route::PublishFunction(name) => state.publish_function(call, &name),
        Route::TagResource => state.tag(call),
        Route::TestFunction(name) => state.test_function(call, &name, stores),
        Route::UntagResource => state.untag(call),
        Route::UpdateDistribution(id) => state.update_distribution(call, &id, web_acl_exists),
        Route::UpdateFunction(name) => state.update_function(call, &name, stores),
        Route::UpdateKeyValueStore(name) => state.update_store(call, &name, stores),
    }
}

impl CloudFront {
    /// Returns the geo restriction and the web ACL's ARN with which the edge that has this share
    /// of the skew (0 to 1) serves a distribution now; none when it is unknown or disabled there.
    pub(crate) fn edge_geo(
        &self,
        distribution_id: &str,
        fraction: f64,
        now: Timestamp,
    ) -> Option<(GeoKind, BTreeSet<String>, Option<String>)> {
        let gate = self
            .distributions
            .get(distribution_id)?
            .at_edge(fraction, now)?;
        gate.enabled.then(|| {
            (
                gate.geo.kind,
                gate.geo.countries.clone(),
                gate.web_acl.clone(),
            )
        })
    }

    /// Returns the ARNs of the stores that the published functions of a distribution read at the
    /// edge with this share of the skew (0 to 1).
    pub(crate) fn edge_stores(
        &self,
        distribution_id: &str,
        fraction: f64,
        now: Timestamp,
    ) -> BTreeSet<String> {
        self.distributions
            .get(distribution_id)
            .and_then(|distribution| distribution.at_edge(fraction, now))
            .into_iter()
            .flat_map(|gate| &gate.functions)
            .filter_map(|arn| self.published_function(arn))
            .filter_map(|stage| stage.store.clone())
            .collect()
    }

    /// Returns the name and the published stage of the function that the edge with this share of the
    /// skew (0 to 1) runs on viewer requests of a distribution.
    pub(crate) fn edge_function(
        &self,
        distribution_id: &str,
        fraction: f64,
        now: Timestamp,
    ) -> Option<(&str, &functions::Stage)> {
        let gate = self
            .distributions
            .get(distribution_id)?
            .at_edge(fraction, now)?;
        gate.functions.iter().find_map(|arn| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            Some((
                self.functions.get_key_value(name)?.0.as_str(),
                self.published_function(arn)?,
            ))
        })
    }

    /// Returns a distribution's own domain name.
    pub(crate) fn domain(&self, distribution_id: &str) -> Option<&str> {
        let distribution = self.distributions.get(distribution_id)?;
        Some(&distribution.domain_name)
    }

    /// Returns the id of the distribution that serves `host` (no port), by its own domain name, an
    /// alternate one, or one with a wildcard as first label.
    pub(crate) fn find_by_domain(&self, host: &str) -> Option<&str> {
        let host = host.to_ascii_lowercase();
        let parent = host.split_once('.').map(|(_, parent)| parent);
        let serves_exactly = |distribution: &&Distribution| {
            distribution.domain_name.eq_ignore_ascii_case(&host)
                || distribution.aliases.contains(&host)
        };
        let serves_parent = |distribution: &&Distribution| {
            distribution.aliases.iter().any(|alias| {
                alias
                    .strip_prefix("*.")
                    .is_some_and(|rest| Some(rest) == parent)
            })
        };
        let all = || self.distributions.values();
        all()
            .find(serves_exactly)
            .or_else(|| all().find(serves_parent))
            .map(|distribution| distribution.id.as_str())
    }

    /// Returns the ids of all distributions.
    pub(crate) fn distribution_ids(&self) -> impl Iterator<Item = &str> {
        self.distributions.keys().map(String::as_str)
    }

    /// Returns the ids of the distributions whose newest configuration names this web ACL: while
    /// there are any, it cannot be deleted.
    pub(crate) fn distributions_behind(&self, web_acl: &str) -> Vec<&str> {
        self.distributions
            .values()
            .filter(|distribution| distribution.gate.web_acl.as_deref() == Some(web_acl))
            .map(|distribution| distribution.id.as_str())
            .collect()
    }

    fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}
