//! CloudWatch: dashboards, metric data and alarms. The client is in us-east-1, where CloudFront's and
//! WAF's metrics are; a call about another region says so.

use aws_sdk_cloudwatch::config::{Builder, Region};
use aws_sdk_cloudwatch::error::SdkError;
use aws_sdk_cloudwatch::operation::put_dashboard::PutDashboardError;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, DashboardValidationMessage, Dimension, Metric as SdkMetric,
    MetricAlarm, MetricDataQuery, MetricStat, ScanBy, StateValue, Statistic, StatusCode, Tag,
};
use jiff::Timestamp;

use super::super::error::one_line;
use super::Cloud;
use super::call::Call;
use super::cloudfront::{date_time, timestamp};
use crate::cloud::metrics::{
    ALARMS_A_CALL, Alarm, AlarmRule, AlarmState, BodyMessage, Comparison, Completeness,
    DashboardSummary, Metric, MetricQuery, MetricSource, MissingData, PutDashboard, Series,
    StoredDashboard, Watched,
};
use crate::cloud::{Approved, CloudError};

/// Where dashboards, and the metrics of CloudFront and WAF, are asked for.
const HOME_REGION: &str = "us-east-1";

/// Queries that one `GetMetricData` may have, per the API.
const QUERIES_A_CALL: usize = 500;

/// Alarms that a page of `DescribeAlarms` may have, per the API.
const ALARMS_A_PAGE: i32 = 100;

/// The service's code for a body that is not valid; the model calls it `DashboardInvalidInputError`.
const INVALID_BODY: &str = "InvalidParameterInput";

impl Cloud {
    /// Reads a dashboard, byte for byte.
    pub(crate) async fn dashboard(&self, name: &str) -> Result<StoredDashboard, CloudError> {
        let call = self.reading("cloudwatch.GetDashboard", format!("dashboard {name}"));
        let output = self
            .cloudwatch
            .get_dashboard()
            .dashboard_name(name)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(StoredDashboard {
            arn: call.required(output.dashboard_arn, "DashboardArn")?,
            body: call.required(output.dashboard_body, "DashboardBody")?,
        })
    }

    /// Lists the dashboards whose names begin with `prefix`.
    pub(crate) async fn dashboards(
        &self,
        prefix: &str,
    ) -> Result<Vec<DashboardSummary>, CloudError> {
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.reading("cloudwatch.ListDashboards", "the dashboards");
            let page = self
                .cloudwatch
                .list_dashboards()
                .set_dashboard_name_prefix((!prefix.is_empty()).then(|| prefix.to_owned()))
                .set_next_token(marker.clone())
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            for entry in page.dashboard_entries.unwrap_or_default() {
                found.push(DashboardSummary {
                    name: call.required(entry.dashboard_name, "DashboardName")?,
                    arn: call.required(entry.dashboard_arn, "DashboardArn")?,
                    modified: entry.last_modified.as_ref().and_then(timestamp),
                    size: entry.size,
                });
            }
            marker = call.next_page(marker.as_deref(), page.next_token.as_deref())?;
            if marker.is_none() {
                return Ok(found);
            }
        }
    }

    /// Replaces a whole dashboard, or makes it. The service has no version to compare with: whoever
    /// calls this has read the dashboard just before. `tags` count when it is made, and only then.
    pub(crate) async fn put_dashboard(
        &self,
        _approved: &Approved,
        name: &str,
        body: &str,
        tags: &[(&str, &str)],
    ) -> Result<PutDashboard, CloudError> {
        let call = self.writing("cloudwatch.PutDashboard", format!("dashboard {name}"));
        let sent = self
            .cloudwatch
            .put_dashboard()
            .dashboard_name(name)
            .dashboard_body(body)
            .set_tags((!tags.is_empty()).then(|| sdk_tags(tags)))
            .customize()
            .interceptor(call.watch())
            .send()
            .await;
        match sent {
            Ok(output) => Ok(PutDashboard::Saved {
                warnings: messages(output.dashboard_validation_messages),
            }),
            Err(error) => {
                if let SdkError::ServiceError(service) = &error
                    && let PutDashboardError::DashboardInvalidInputError(refusal) = service.err()
                {
                    return Ok(PutDashboard::Invalid {
                        message: one_line(refusal.message().unwrap_or(INVALID_BODY)),
                        problems: messages(refusal.dashboard_validation_messages.clone()),
                    });
                }
                Err(call.failure(&error))
            }
        }
    }

    /// Deletes a dashboard.
    pub(crate) async fn delete_dashboard(
        &self,
        _approved: &Approved,
        name: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("cloudwatch.DeleteDashboards", format!("dashboard {name}"));
        self.cloudwatch
            .delete_dashboards()
            .dashboard_names(name)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }

    /// Reads what the queries ask for between `from` (inclusive) and `to` (exclusive), in the order of
    /// the queries. `region` is where the metrics are; none: us-east-1.
    pub(crate) async fn metric_data(
        &self,
        region: Option<&str>,
        queries: &[MetricQuery],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Series>, CloudError> {
        let mut all = Vec::new();
        for chunk in queries.chunks(QUERIES_A_CALL) {
            all.extend(self.some_metric_data(region, chunk, from, to).await?);
        }
        Ok(all)
    }

    async fn some_metric_data(
        &self,
        region: Option<&str>,
        queries: &[MetricQuery],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Series>, CloudError> {
        let mut found: Vec<Series> = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.reading("cloudwatch.GetMetricData", "metric data");
            let page = self
                .cloudwatch
                .get_metric_data()
                .set_metric_data_queries(Some(queries.iter().map(sdk_query).collect()))
                .start_time(date_time(from))
                .end_time(date_time(to))
                .scan_by(ScanBy::TimestampAscending)
                .set_next_token(marker.clone())
                .customize()
                .config_override(in_region(region))
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            for result in page.metric_data_results.unwrap_or_default() {
                let id = call.required(result.id, "Id")?;
                let label = result.label.unwrap_or_else(|| id.clone());
                // An array has several series of one id; the pages of one series have one label.
                let known = found
                    .iter()
                    .position(|known| known.id == id && known.label == label);
                let index = known.unwrap_or_else(|| {
                    found.push(Series {
                        id,
                        label,
                        points: Vec::new(),
                        completeness: Completeness::Complete,
                    });
                    found.len() - 1
                });
                let known = &mut found[index];
                let times = result.timestamps.unwrap_or_default();
                let values = result.values.unwrap_or_default();
                let points = times.iter().zip(values);
                known
                    .points
                    .extend(points.filter_map(|(time, value)| Some((timestamp(time)?, value))));
                // Each page has its own status; what follows makes an earlier part complete.
                known.completeness = match result.status_code {
                    Some(StatusCode::Complete) | None => Completeness::Complete,
                    Some(StatusCode::PartialData) => Completeness::Partial,
                    Some(other) => Completeness::Failed(one_line(other.as_str())),
                };
            }
            marker = call.next_page(marker.as_deref(), page.next_token.as_deref())?;
            if marker.is_none() {
                return Ok(in_order(queries, found));
            }
        }
    }

    /// Reads the metric alarms of a region whose names begin with `prefix`.
    pub(crate) async fn alarms(
        &self,
        region: &str,
        prefix: &str,
    ) -> Result<Vec<Alarm>, CloudError> {
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.reading(
                "cloudwatch.DescribeAlarms",
                format!("the alarms of {region}"),
            );
            let page = self
                .cloudwatch
                .describe_alarms()
                .alarm_name_prefix(prefix)
                .alarm_types(AlarmType::MetricAlarm)
                .max_records(ALARMS_A_PAGE)
                .set_next_token(marker.clone())
                .customize()
                .config_override(in_region(Some(region)))
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            for alarm in page.metric_alarms.unwrap_or_default() {
                found.push(read_alarm(&call, region, alarm)?);
            }
            marker = call.next_page(marker.as_deref(), page.next_token.as_deref())?;
            if marker.is_none() {
                return Ok(found);
            }
        }
    }

    /// Makes an alarm, or replaces the one of this name. `tags` count when it is made.
    pub(crate) async fn put_alarm(
        &self,
        _approved: &Approved,
        rule: &AlarmRule,
        tags: &[(&str, &str)],
    ) -> Result<(), CloudError> {
        let call = self.writing("cloudwatch.PutMetricAlarm", format!("alarm {}", rule.name));
        let mut request = self
            .cloudwatch
            .put_metric_alarm()
            .alarm_name(&rule.name)
            .alarm_description(&rule.description)
            .actions_enabled(true)
            .set_alarm_actions(Some(rule.actions.clone()))
            .set_ok_actions(Some(rule.actions.clone()))
            .evaluation_periods(signed(rule.evaluation_periods))
            .datapoints_to_alarm(signed(rule.datapoints))
            .threshold(rule.threshold)
            .comparison_operator(sdk_comparison(rule.comparison))
            .treat_missing_data(missing_word(rule.missing))
            .set_tags((!tags.is_empty()).then(|| sdk_tags(tags)));
        match &rule.watched {
            Watched::Metric {
                metric,
                statistic,
                period,
            } => {
                request = request
                    .namespace(&metric.namespace)
                    .metric_name(&metric.name)
                    .set_dimensions(Some(sdk_dimensions(metric)))
                    .period(signed(*period));
                request = match plain_statistic(statistic) {
                    Some(plain) => request.statistic(plain),
                    None => request.extended_statistic(statistic),
                };
            }
            Watched::Math(queries) => {
                request = request.set_metrics(Some(queries.iter().map(sdk_query).collect()));
            }
        }
        request
            .customize()
            .config_override(in_region(Some(&rule.region)))
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }

    /// Deletes alarms of a region. Names that are not there are no error to the service, except
    /// where all of them are missing.
    pub(crate) async fn delete_alarms(
        &self,
        _approved: &Approved,
        region: &str,
        names: &[String],
    ) -> Result<(), CloudError> {
        for chunk in names.chunks(ALARMS_A_CALL) {
            let call = self.writing("cloudwatch.DeleteAlarms", format!("alarms of {region}"));
            self.cloudwatch
                .delete_alarms()
                .set_alarm_names(Some(chunk.to_vec()))
                .customize()
                .config_override(in_region(Some(region)))
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
        }
        Ok(())
    }

    /// The tags of an alarm or a dashboard; `region` is the alarm's.
    pub(crate) async fn cloudwatch_tags(
        &self,
        region: Option<&str>,
        arn: &str,
    ) -> Result<Vec<(String, String)>, CloudError> {
        let call = self.reading("cloudwatch.ListTagsForResource", arn);
        let output = self
            .cloudwatch
            .list_tags_for_resource()
            .resource_arn(arn)
            .customize()
            .config_override(in_region(region))
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let tags = output.tags.unwrap_or_default();
        Ok(tags
            .into_iter()
            .filter_map(|tag| Some((tag.key?, tag.value?)))
            .collect())
    }
}

/// The series in the order of their queries; a query without an answer has an empty one.
fn in_order(queries: &[MetricQuery], mut found: Vec<Series>) -> Vec<Series> {
    let mut ordered = Vec::new();
    for query in queries.iter().filter(|query| query.is_returned) {
        let (own, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|series| series.id == query.id);
        found = others;
        if own.is_empty() {
            ordered.push(Series {
                id: query.id.clone(),
                label: query.label.clone().unwrap_or_else(|| query.id.clone()),
                points: Vec::new(),
                completeness: Completeness::Complete,
            });
        }
        ordered.extend(own);
    }
    ordered
}

/// What changes a call's region; a custom endpoint stays what it is.
fn in_region(region: Option<&str>) -> Builder {
    let mut builder = Builder::new();
    // An override without a region would take the client's own away.
    let region = region.unwrap_or(HOME_REGION);
    builder.set_region(Some(Region::new(region.to_owned())));
    builder
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn messages(messages: Option<Vec<DashboardValidationMessage>>) -> Vec<BodyMessage> {
    messages
        .unwrap_or_default()
        .into_iter()
        .map(|message| BodyMessage {
            path: one_line(&message.data_path.unwrap_or_default()),
            message: one_line(&message.message.unwrap_or_default()),
        })
        .collect()
}

fn sdk_tags(tags: &[(&str, &str)]) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(*key).value(*value).build())
        .collect()
}

fn sdk_dimensions(metric: &Metric) -> Vec<Dimension> {
    metric
        .dimensions
        .iter()
        .map(|(name, value)| Dimension::builder().name(name).value(value).build())
        .collect()
}

fn sdk_query(query: &MetricQuery) -> MetricDataQuery {
    let builder = MetricDataQuery::builder()
        .id(&query.id)
        .set_label(query.label.clone())
        .return_data(query.is_returned);
    match &query.source {
        MetricSource::Statistic {
            metric,
            statistic,
            period,
        } => {
            let sdk_metric = SdkMetric::builder()
                .namespace(&metric.namespace)
                .metric_name(&metric.name)
                .set_dimensions(Some(sdk_dimensions(metric)))
                .build();
            builder.metric_stat(
                MetricStat::builder()
                    .metric(sdk_metric)
                    .period(signed(*period))
                    .stat(statistic)
                    .build(),
            )
        }
        MetricSource::Expression { text } => builder.expression(text),
    }
    .build()
}

/// The five statistics that are not percentiles have a parameter of their own.
fn plain_statistic(text: &str) -> Option<Statistic> {
    match text {
        "Average" => Some(Statistic::Average),
        "Maximum" => Some(Statistic::Maximum),
        "Minimum" => Some(Statistic::Minimum),
        "SampleCount" => Some(Statistic::SampleCount),
        "Sum" => Some(Statistic::Sum),
        _ => None,
    }
}

fn sdk_comparison(comparison: Comparison) -> ComparisonOperator {
    match comparison {
        Comparison::GreaterThan => ComparisonOperator::GreaterThanThreshold,
        Comparison::GreaterOrEqual => ComparisonOperator::GreaterThanOrEqualToThreshold,
        Comparison::LessThan => ComparisonOperator::LessThanThreshold,
        Comparison::LessOrEqual => ComparisonOperator::LessThanOrEqualToThreshold,
    }
}

fn missing_word(missing: MissingData) -> &'static str {
    match missing {
        MissingData::Breaching => "breaching",
        MissingData::NotBreaching => "notBreaching",
        MissingData::Ignore => "ignore",
        MissingData::Missing => "missing",
    }
}

fn read_alarm(call: &Call, region: &str, alarm: MetricAlarm) -> Result<Alarm, CloudError> {
    let unsigned = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    let name = call.required(alarm.alarm_name, "AlarmName")?;
    let evaluation_periods = unsigned(alarm.evaluation_periods).unwrap_or(1);
    let metrics = alarm.metrics.unwrap_or_default();
    let watched = if metrics.is_empty() {
        let dimensions = alarm.dimensions.unwrap_or_default();
        Watched::Metric {
            metric: read_metric(
                alarm.namespace.unwrap_or_default(),
                alarm.metric_name.unwrap_or_default(),
                dimensions,
            ),
            statistic: alarm
                .statistic
                .map(|statistic| statistic.as_str().to_owned())
                .or(alarm.extended_statistic)
                .unwrap_or_default(),
            period: unsigned(alarm.period).unwrap_or_default(),
        }
    } else {
        Watched::Math(metrics.into_iter().map(read_query).collect())
    };
    // A comparison with a band is none that we make; it reads as the nearest and so as different.
    let comparison = match alarm.comparison_operator {
        Some(ComparisonOperator::GreaterThanOrEqualToThreshold) => Comparison::GreaterOrEqual,
        Some(ComparisonOperator::LessThanThreshold) => Comparison::LessThan,
        Some(ComparisonOperator::LessThanOrEqualToThreshold) => Comparison::LessOrEqual,
        _ => Comparison::GreaterThan,
    };
    Ok(Alarm {
        arn: call.required(alarm.alarm_arn, "AlarmArn")?,
        rule: AlarmRule {
            name,
            region: region.to_owned(),
            description: alarm.alarm_description.unwrap_or_default(),
            watched,
            comparison,
            // A band's alarm has none.
            threshold: alarm.threshold.unwrap_or(f64::NAN),
            datapoints: unsigned(alarm.datapoints_to_alarm).unwrap_or(evaluation_periods),
            evaluation_periods,
            missing: match alarm.treat_missing_data.as_deref() {
                Some("breaching") => MissingData::Breaching,
                Some("notBreaching") => MissingData::NotBreaching,
                Some("ignore") => MissingData::Ignore,
                _ => MissingData::Missing,
            },
            actions: alarm.alarm_actions.unwrap_or_default(),
        },
        state: match alarm.state_value {
            Some(StateValue::Ok) => AlarmState::Ok,
            Some(StateValue::Alarm) => AlarmState::Alarm,
            _ => AlarmState::Insufficient,
        },
        actions_enabled: alarm.actions_enabled.unwrap_or(true),
    })
}

fn read_metric(namespace: String, name: String, dimensions: Vec<Dimension>) -> Metric {
    Metric {
        namespace,
        name,
        dimensions: dimensions
            .into_iter()
            .map(|one| (one.name.unwrap_or_default(), one.value.unwrap_or_default()))
            .collect(),
    }
}

fn read_query(query: MetricDataQuery) -> MetricQuery {
    let source = match query.metric_stat {
        Some(stat) => {
            let metric = stat.metric.map(|metric| {
                read_metric(
                    metric.namespace.unwrap_or_default(),
                    metric.metric_name.unwrap_or_default(),
                    metric.dimensions.unwrap_or_default(),
                )
            });
            MetricSource::Statistic {
                metric: metric.unwrap_or_else(|| Metric::new("", "", &[])),
                statistic: stat.stat.unwrap_or_default(),
                period: stat
                    .period
                    .and_then(|period| u32::try_from(period).ok())
                    .unwrap_or_default(),
            }
        }
        None => MetricSource::Expression {
            text: query.expression.unwrap_or_default(),
        },
    };
    MetricQuery {
        id: query.id.unwrap_or_default(),
        source,
        label: query.label,
        is_returned: query.return_data.unwrap_or(true),
    }
}
