//! CloudFront's real-time log configurations and additional metrics.

use aws_sdk_cloudfront::types as sdk;

use super::Cloud;
use super::call::Call;
use crate::cloud::{Approved, CloudError, RealtimeLogConfig};

impl Cloud {
    /// Reads a real-time log configuration by name.
    pub(crate) async fn realtime_log_config(
        &self,
        name: &str,
    ) -> Result<RealtimeLogConfig, CloudError> {
        let call = self.reading("cloudfront.GetRealtimeLogConfig", named(name));
        let output = self
            .cloudfront
            .get_realtime_log_config()
            .name(name)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let config = call.required(output.realtime_log_config, "RealtimeLogConfig")?;
        read(&call, config)
    }

    /// Lists the account's real-time log configurations.
    pub(crate) async fn realtime_log_configs(&self) -> Result<Vec<RealtimeLogConfig>, CloudError> {
        let mut configs = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.reading(
                "cloudfront.ListRealtimeLogConfigs",
                "the real-time log configurations",
            );
            let output = self
                .cloudfront
                .list_realtime_log_configs()
                .set_marker(marker.clone())
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            let list = call.required(output.realtime_log_configs, "RealtimeLogConfigs")?;
            for config in list.items.unwrap_or_default() {
                configs.push(read(&call, config)?);
            }
            marker = call.next_page(marker.as_deref(), list.next_marker.as_deref())?;
            if marker.is_none() {
                return Ok(configs);
            }
        }
    }

    /// Makes a real-time log configuration. Returns its ARN.
    pub(crate) async fn create_realtime_log_config(
        &self,
        _approved: &Approved,
        wanted: &RealtimeLogConfig,
    ) -> Result<String, CloudError> {
        let call = self.writing("cloudfront.CreateRealtimeLogConfig", named(&wanted.name));
        let output = self
            .cloudfront
            .create_realtime_log_config()
            .name(&wanted.name)
            .sampling_rate(wanted.sampling.into())
            .end_points(end_point(wanted))
            .set_fields(Some(wanted.fields.clone()))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let config = call.required(output.realtime_log_config, "RealtimeLogConfig")?;
        Ok(config.arn)
    }

    /// Replaces sampling, fields and stream of a real-time log configuration. The API has no version
    /// to write under.
    pub(crate) async fn update_realtime_log_config(
        &self,
        _approved: &Approved,
        wanted: &RealtimeLogConfig,
    ) -> Result<(), CloudError> {
        let call = self.writing("cloudfront.UpdateRealtimeLogConfig", named(&wanted.name));
        self.cloudfront
            .update_realtime_log_config()
            .name(&wanted.name)
            .sampling_rate(wanted.sampling.into())
            .end_points(end_point(wanted))
            .set_fields(Some(wanted.fields.clone()))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }

    /// Deletes a real-time log configuration that no behavior uses.
    pub(crate) async fn delete_realtime_log_config(
        &self,
        _approved: &Approved,
        name: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("cloudfront.DeleteRealtimeLogConfig", named(name));
        self.cloudfront
            .delete_realtime_log_config()
            .name(name)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }

    /// Whether a distribution has additional metrics; none when it never had a subscription.
    pub(crate) async fn additional_metrics(&self, id: &str) -> Result<Option<bool>, CloudError> {
        let call = self.reading(
            "cloudfront.GetMonitoringSubscription",
            format!("distribution {id}"),
        );
        let result = self
            .cloudfront
            .get_monitoring_subscription()
            .distribution_id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error));
        let output = match result {
            Ok(output) => output,
            Err(CloudError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(output
            .monitoring_subscription
            .and_then(|subscription| subscription.realtime_metrics_subscription_config)
            .map(|config| {
                config.realtime_metrics_subscription_status
                    == sdk::RealtimeMetricsSubscriptionStatus::Enabled
            }))
    }

    /// Switches a distribution's additional metrics on, where it has no subscription yet.
    pub(crate) async fn create_additional_metrics(
        &self,
        _approved: &Approved,
        id: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing(
            "cloudfront.CreateMonitoringSubscription",
            format!("distribution {id}"),
        );
        let config = sdk::RealtimeMetricsSubscriptionConfig::builder()
            .realtime_metrics_subscription_status(sdk::RealtimeMetricsSubscriptionStatus::Enabled)
            .build()
            .expect("the status is set");
        let subscription = sdk::MonitoringSubscription::builder()
            .realtime_metrics_subscription_config(config)
            .build();
        self.cloudfront
            .create_monitoring_subscription()
            .distribution_id(id)
            .monitoring_subscription(subscription)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }

    /// Ends a distribution's subscription to additional metrics.
    pub(crate) async fn delete_additional_metrics(
        &self,
        _approved: &Approved,
        id: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing(
            "cloudfront.DeleteMonitoringSubscription",
            format!("distribution {id}"),
        );
        self.cloudfront
            .delete_monitoring_subscription()
            .distribution_id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }
}

fn named(name: &str) -> String {
    format!("real-time log configuration {name}")
}

fn read(call: &Call, config: sdk::RealtimeLogConfig) -> Result<RealtimeLogConfig, CloudError> {
    let kinesis = config
        .end_points
        .into_iter()
        .find_map(|end_point| end_point.kinesis_stream_config);
    let kinesis = call.required(kinesis, "KinesisStreamConfig")?;
    Ok(RealtimeLogConfig {
        name: config.name,
        arn: config.arn,
        sampling: u8::try_from(config.sampling_rate)
            .map_err(|_| call.unreadable("a sampling rate out of range"))?,
        fields: config.fields,
        stream_arn: kinesis.stream_arn,
        role_arn: kinesis.role_arn,
    })
}

fn end_point(wanted: &RealtimeLogConfig) -> sdk::EndPoint {
    let kinesis = sdk::KinesisStreamConfig::builder()
        .role_arn(&wanted.role_arn)
        .stream_arn(&wanted.stream_arn)
        .build()
        .expect("role and stream are set");
    sdk::EndPoint::builder()
        .stream_type("Kinesis")
        .kinesis_stream_config(kinesis)
        .build()
        .expect("the type is set")
}
