//! Whether a distribution has additional metrics.

use super::CloudFront;
use super::answers::{self, Refusal};
use super::config;
use super::distributions::no_such_distribution;
use crate::sandbox::service::{Answer, Call};

fn none_there() -> Refusal {
    Refusal::new(
        "NoSuchMonitoringSubscription",
        "A monitoring subscription does not exist for the specified distribution.",
    )
}

fn document(is_enabled: bool) -> String {
    let status = if is_enabled { "Enabled" } else { "Disabled" };
    answers::rooted(
        "MonitoringSubscription",
        &format!(
            "<RealtimeMetricsSubscriptionConfig><RealtimeMetricsSubscriptionStatus>{status}</RealtimeMetricsSubscriptionStatus></RealtimeMetricsSubscriptionConfig>"
        ),
    )
}

impl CloudFront {
    /// The ids of the distributions that have additional metrics.
    pub(crate) fn monitored(&self) -> std::collections::BTreeSet<String> {
        self.distributions
            .iter()
            .filter(|(_, distribution)| distribution.realtime_metrics == Some(true))
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub(super) fn get_monitoring(&self, call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
        let is_enabled = self
            .distribution(id)?
            .realtime_metrics
            .ok_or_else(none_there)?;
        Ok(answers::found(call, document(is_enabled)))
    }

    pub(super) fn create_monitoring(
        &mut self,
        call: &Call<'_>,
        id: &str,
    ) -> Result<Answer, Refusal> {
        if self.distribution(id)?.realtime_metrics.is_some() {
            return Err(Refusal::new(
                "MonitoringSubscriptionAlreadyExists",
                "A monitoring subscription already exists for the specified distribution.",
            ));
        }
        let (_, root) = config::parse(call.body, "MonitoringSubscription")?;
        let status = root
            .at(&[
                "RealtimeMetricsSubscriptionConfig",
                "RealtimeMetricsSubscriptionStatus",
            ])
            .map(|status| status.text.trim())
            .ok_or_else(|| Refusal::missing("RealtimeMetricsSubscriptionStatus"))?;
        let is_enabled = match status {
            "Enabled" => true,
            "Disabled" => false,
            _ => {
                return Err(Refusal::invalid_argument(
                    "The parameter RealtimeMetricsSubscriptionStatus is not valid.",
                ));
            }
        };
        self.distributions
            .get_mut(id)
            .ok_or_else(no_such_distribution)?
            .realtime_metrics = Some(is_enabled);
        Ok(answers::changed(call, document(is_enabled)))
    }

    pub(super) fn delete_monitoring(
        &mut self,
        call: &Call<'_>,
        id: &str,
    ) -> Result<Answer, Refusal> {
        let distribution = self
            .distributions
            .get_mut(id)
            .ok_or_else(no_such_distribution)?;
        distribution
            .realtime_metrics
            .take()
            .ok_or_else(none_there)?;
        let mut gone = answers::emptied(call);
        // Unlike other deletions, this one has an (empty) document in the service's model.
        gone.status = 200;
        Ok(gone)
    }
}
