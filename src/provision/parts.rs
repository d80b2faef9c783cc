//! The parts that provisioning knows.

use super::{Part, alarms, cloudfront, dashboard};

/// All parts, in the order in which plans show them.
pub(crate) fn all() -> Vec<Box<dyn Part>> {
    vec![
        Box::new(cloudfront::StorePart),
        Box::new(cloudfront::FunctionPart),
        Box::new(cloudfront::RealtimeLogPart),
        Box::new(cloudfront::MetricsPart),
        Box::new(cloudfront::DistributionPart),
        Box::new(dashboard::DashboardPart),
        Box::new(alarms::AlarmPart),
    ]
}
