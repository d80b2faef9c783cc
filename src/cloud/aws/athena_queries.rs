//! Athena: queries are started, followed, read and stopped, in the runbook's home region.

use aws_sdk_athena::types as sdk;

use super::Cloud;
use crate::cloud::{CloudError, QueryExecution, QueryPage, QueryStart, QueryState};

/// Rows that one call reads at most, per the API.
const PAGE: i32 = 1000;

impl Cloud {
    /// Starts a query, or finds the one that this token has started. Returns its id.
    pub(crate) async fn start_query(&self, query: &QueryStart<'_>) -> Result<String, CloudError> {
        // Sent again it starts nothing new: as safe to repeat as a read.
        let what = format!(
            "workgroup {} or database {}",
            query.workgroup, query.database
        );
        let call = self.reading("athena.StartQueryExecution", what);
        let context = sdk::QueryExecutionContext::builder()
            .database(query.database)
            .build();
        let results = query.output.map(|output| {
            sdk::ResultConfiguration::builder()
                .output_location(output)
                .build()
        });
        let reuse = query.reuse_minutes.map(|minutes| {
            let by_age = sdk::ResultReuseByAgeConfiguration::builder()
                .enabled(true)
                .max_age_in_minutes(minutes)
                .build();
            sdk::ResultReuseConfiguration::builder()
                .result_reuse_by_age_configuration(by_age)
                .build()
        });
        let parameters = (!query.parameters.is_empty()).then(|| query.parameters.to_vec());
        let output = self
            .athena
            .start_query_execution()
            .query_string(query.text)
            .client_request_token(query.token)
            .work_group(query.workgroup)
            .query_execution_context(context)
            .set_result_configuration(results)
            .set_result_reuse_configuration(reuse)
            .set_execution_parameters(parameters)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| super::athena::absent(call.failure(&error), &call.what))?;
        call.required(output.query_execution_id, "QueryExecutionId")
    }

    /// Where a query stands.
    pub(crate) async fn query_execution(&self, id: &str) -> Result<QueryExecution, CloudError> {
        let call = self.reading("athena.GetQueryExecution", format!("query {id}"));
        let output = self
            .athena
            .get_query_execution()
            .query_execution_id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| super::athena::absent(call.failure(&error), &call.what))?;
        let execution = call.required(output.query_execution, "QueryExecution")?;
        let status = call.required(execution.status, "Status")?;
        let state = match call.required(status.state, "State")? {
            sdk::QueryExecutionState::Queued => QueryState::Queued,
            sdk::QueryExecutionState::Running => QueryState::Running,
            sdk::QueryExecutionState::Succeeded => QueryState::Succeeded,
            sdk::QueryExecutionState::Failed => QueryState::Failed,
            sdk::QueryExecutionState::Cancelled => QueryState::Cancelled,
            other => return Err(call.unreadable(&format!("the unknown state {other}"))),
        };
        let statistics = execution.statistics;
        let amount = |pick: fn(&sdk::QueryExecutionStatistics) -> Option<i64>| {
            let amount = statistics.as_ref().and_then(pick);
            amount.and_then(|amount| u64::try_from(amount).ok())
        };
        let error = status.athena_error;
        let words = |text: String| super::super::error::one_line(&text);
        Ok(QueryExecution {
            state,
            reason: status
                .state_change_reason
                .or_else(|| error.as_ref()?.error_message.clone())
                .map(words),
            error: error.and_then(|error| Some((error.error_type?, error.retryable))),
            scanned: amount(|statistics| statistics.data_scanned_in_bytes),
            queued: amount(|statistics| statistics.query_queue_time_in_millis),
            engine: amount(|statistics| statistics.engine_execution_time_in_millis),
            reused: statistics
                .as_ref()
                .and_then(|statistics| statistics.result_reuse_information.as_ref())
                .is_some_and(|reuse| reuse.reused_previous_result),
        })
    }

    /// Reads one page of a result. The caller follows [`QueryPage::next`].
    pub(crate) async fn query_page(
        &self,
        id: &str,
        token: Option<&str>,
    ) -> Result<QueryPage, CloudError> {
        let call = self.reading(
            "athena.GetQueryResults",
            format!("the result of query {id}"),
        );
        let output = self
            .athena
            .get_query_results()
            .query_execution_id(id)
            .max_results(PAGE)
            .set_next_token(token.map(str::to_owned))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| super::athena::absent(call.failure(&error), &call.what))?;
        let next = call.next_page(token, output.next_token.as_deref())?;
        let result = call.required(output.result_set, "ResultSet")?;
        let metadata = call.required(result.result_set_metadata, "ResultSetMetadata")?;
        Ok(QueryPage {
            columns: metadata
                .column_info
                .unwrap_or_default()
                .into_iter()
                .map(|column| (column.name, column.r#type))
                .collect(),
            rows: result
                .rows
                .unwrap_or_default()
                .into_iter()
                .map(|row| {
                    let cells = row.data.unwrap_or_default().into_iter();
                    cells.map(|cell| cell.var_char_value).collect()
                })
                .collect(),
            next,
        })
    }

    /// Asks for a query to be stopped. One that has ended stays as it is.
    pub(crate) async fn stop_query(&self, id: &str) -> Result<(), CloudError> {
        let call = self.reading("athena.StopQueryExecution", format!("query {id}"));
        self.athena
            .stop_query_execution()
            .query_execution_id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map(drop)
            .map_err(|error| super::athena::absent(call.failure(&error), &call.what))
    }
}
