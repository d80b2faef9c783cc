//! The parts that provisioning knows.

use super::{Part, alarms, cloudfront, dashboard, logs, waf};

/// All parts, in the order in which plans show them.
pub(crate) fn all() -> Vec<Box<dyn Part>> {
    let mut parts: Vec<Box<dyn Part>> = vec![
        Box::new(waf::IpSets),
        Box::new(waf::WebAcl),
        Box::new(waf::Rules),
        Box::new(cloudfront::StorePart),
        Box::new(cloudfront::FunctionPart),
        Box::new(cloudfront::RealtimeLogPart),
        Box::new(cloudfront::MetricsPart),
        Box::new(cloudfront::DistributionPart),
    ];
    parts.extend(logs::parts());
    parts.push(Box::new(dashboard::DashboardPart));
    parts.push(Box::new(alarms::AlarmPart));
    parts
}
