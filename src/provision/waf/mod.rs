//! What WAF holds for the event: the blocklist's IP sets, the web ACL where it is the event's own, and
//! the event's rules in it.

mod acl;
mod rules;
mod sets;

use std::time::Duration;

use super::{Iac, Managed, PartError, Scene};
use crate::observe::{self, ObserveError, ObservedAcl};
use crate::runbook::Waf;

pub(crate) use acl::WebAcl;
pub(crate) use rules::Rules;
pub(crate) use sets::IpSets;

/// AWS WAF takes one create, update or delete of a kind a second (aws-facts 3.1); a little more, for
/// what the network adds.
const WRITE_INTERVAL: Duration = Duration::from_millis(1_100);

/// Between two tries at deleting what WAF still takes for used: its changes need seconds to settle.
const SETTLING: Duration = Duration::from_secs(2);

/// How often a deletion is tried again while WAF still takes the thing for used.
const DELETIONS: u32 = 10;

/// The runbook's `[waf]`; without it WAF has nothing to do with the event.
fn section<'a>(scene: &'a Scene<'_>) -> Option<&'a Waf> {
    scene.runbook.waf.as_ref()
}

/// The runbook's web ACL as it is; none when there is none of this name.
async fn observed(scene: &Scene<'_>, name: &str) -> Result<Option<ObservedAcl>, PartError> {
    match observe::web_acl(scene.cloud, name).await {
        Ok(acl) => Ok(Some(acl)),
        Err(ObserveError::NoSuchAcl(_)) => Ok(None),
        Err(ObserveError::Cloud(error)) => Err(error.into()),
        Err(error) => Err(PartError::Other(error.to_string())),
    }
}

/// How infrastructure-as-code sees a web ACL, of which only the rules are ours.
fn managed_acl(acl: &ObservedAcl, tags: &[(String, String)]) -> Managed {
    let description = acl.document.json["Description"]
        .as_str()
        .unwrap_or_default();
    Managed {
        by: Iac::of(pairs(tags), description),
        terraform_type: "aws_wafv2_web_acl",
        terraform_ignore: vec!["rule".to_owned()],
        import_id: format!("{}/{}/CLOUDFRONT", acl.document.id(), acl.document.name),
        cloudformation_type: "AWS::WAFv2::WebACL",
        cloudformation_properties: vec!["Rules".to_owned()],
    }
}

fn pairs(tags: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    tags.iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
}
