//! CloudFront's own resources: the key value store, the edge function, the real-time log
//! configuration, additional metrics, and what of these hangs on the distributions.

mod distribution;
mod function;
mod metrics;
pub(crate) mod realtime;
mod store;

pub(crate) use distribution::DistributionPart;
pub(crate) use function::FunctionPart;
pub(crate) use metrics::MetricsPart;
pub(crate) use realtime::RealtimeLogPart;
pub(crate) use store::StorePart;

use std::time::Duration;

use super::{Owned, PartError, Scene};
use crate::cloud::CloudError;

/// How often a resource that becomes ready, or free, is asked about. On AWS that takes minutes.
const EVERY: Duration = Duration::from_secs(5);
/// The same for the embedded cloud and loopback endpoints, where nothing is far away.
const EVERY_NEARBY: Duration = Duration::from_millis(200);

/// How often a deletion that is refused because something still uses the resource is tried again:
/// minutes on AWS. What uses it was taken down before, so it is the edges that are not through yet.
const MOST_TRIES: u32 = 60;

fn every(scene: &Scene<'_>) -> Duration {
    if scene.is_paced() {
        EVERY
    } else {
        EVERY_NEARBY
    }
}

/// What is not there is no error.
fn if_there<T>(result: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(CloudError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a deletion was refused because something still uses the resource.
fn is_in_use(error: &CloudError) -> bool {
    matches!(error, CloudError::Refused { service_code, .. }
        if ["FunctionInUse", "CannotDeleteEntityWhileInUse", "RealtimeLogConfigInUse"]
            .contains(&service_code.as_str()))
}

/// Names that may be this event's: with its prefix, named in the runbook, or made by us by the ledger.
fn may_be_ours(scene: &Scene<'_>, kind: &str, name: &str, in_runbook: Option<&str>) -> bool {
    name.starts_with(&scene.prefix()) || in_runbook == Some(name) || scene.claims(kind, name)
}

/// A distribution of the runbook that names what is owned in its configuration.
pub(super) async fn distribution_with(
    scene: &Scene<'_>,
    owned: &Owned,
) -> Result<Option<Owned>, PartError> {
    let Some(arn) = &owned.id else {
        return Ok(None);
    };
    for one in &scene.runbook.distributions {
        let Some(read) = if_there(scene.document(&one.id).await)? else {
            continue;
        };
        if String::from_utf8_lossy(read.value.bytes()).contains(arn.as_str()) {
            return Ok(Some(Owned::attachment(distribution::KIND, &one.id)));
        }
    }
    Ok(None)
}

fn function_arn(scene: &Scene<'_>, name: &str) -> String {
    format!("arn:aws:cloudfront::{}:function/{name}", scene.account)
}
