//! Athena: workgroups and named queries, in the runbook's home region.

use aws_sdk_athena::types as sdk;

use super::Cloud;
use crate::cloud::{Approved, CloudError, NamedQuery, Tags, WorkGroup};

/// Named queries that one call reads at most, per the API.
const BATCH: usize = 50;

impl Cloud {
    /// Reads a workgroup's settings.
    pub(crate) async fn workgroup(&self, name: &str) -> Result<WorkGroup, CloudError> {
        let call = self.reading("athena.GetWorkGroup", format!("workgroup {name}"));
        let output = self
            .athena
            .get_work_group()
            .work_group(name)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| absent(call.failure(&error), &call.what))?;
        let workgroup = call.required(output.work_group, "WorkGroup")?;
        let configuration = workgroup.configuration;
        let limit = configuration
            .as_ref()
            .and_then(|configuration| configuration.bytes_scanned_cutoff_per_query);
        Ok(WorkGroup {
            name: workgroup.name,
            enabled: workgroup.state != Some(sdk::WorkGroupState::Disabled),
            scan_limit: limit.and_then(|limit| u64::try_from(limit).ok()),
            output: configuration
                .as_ref()
                .and_then(|configuration| configuration.result_configuration.as_ref())
                .and_then(|results| results.output_location.clone()),
            enforced: configuration
                .and_then(|configuration| configuration.enforce_work_group_configuration)
                .unwrap_or(false),
        })
    }

    /// Makes a workgroup whose settings override those of its queries.
    pub(crate) async fn create_workgroup(
        &self,
        _approved: &Approved,
        workgroup: &WorkGroup,
        description: &str,
        tags: &Tags,
    ) -> Result<(), CloudError> {
        let name = &workgroup.name;
        let call = self.writing("athena.CreateWorkGroup", format!("workgroup {name}"));
        let results = sdk::ResultConfiguration::builder()
            .set_output_location(workgroup.output.clone())
            .build();
        let configuration = sdk::WorkGroupConfiguration::builder()
            .result_configuration(results)
            .enforce_work_group_configuration(workgroup.enforced)
            .publish_cloud_watch_metrics_enabled(true)
            .set_bytes_scanned_cutoff_per_query(limit(workgroup))
            .build();
        let tags = tags
            .iter()
            .map(|(key, value)| sdk::Tag::builder().key(key).value(value).build())
            .collect();
        self.athena
            .create_work_group()
            .name(name)
            .description(description)
            .configuration(configuration)
            .set_tags(Some(tags))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map(drop)
            .map_err(|error| call.failure(&error))
    }

    /// Changes a workgroup's limit, place of results and whether they are enforced.
    pub(crate) async fn update_workgroup(
        &self,
        _approved: &Approved,
        workgroup: &WorkGroup,
    ) -> Result<(), CloudError> {
        let name = &workgroup.name;
        let call = self.writing("athena.UpdateWorkGroup", format!("workgroup {name}"));
        let results = sdk::ResultConfigurationUpdates::builder()
            .set_output_location(workgroup.output.clone())
            .build();
        let configuration = sdk::WorkGroupConfigurationUpdates::builder()
            .result_configuration_updates(results)
            .enforce_work_group_configuration(workgroup.enforced)
            .set_bytes_scanned_cutoff_per_query(limit(workgroup))
            .build();
        let state = if workgroup.enabled {
            sdk::WorkGroupState::Enabled
        } else {
            sdk::WorkGroupState::Disabled
        };
        self.athena
            .update_work_group()
            .work_group(name)
            .state(state)
            .configuration_updates(configuration)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map(drop)
            .map_err(|error| absent(call.failure(&error), &call.what))
    }

    /// Deletes a workgroup with its history and its named queries.
    pub(crate) async fn delete_workgroup(
        &self,
        _approved: &Approved,
        name: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("athena.DeleteWorkGroup", format!("workgroup {name}"));
        self.athena
            .delete_work_group()
            .work_group(name)
            .recursive_delete_option(true)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map(drop)
            .map_err(|error| absent(call.failure(&error), &call.what))
    }

    /// Reads a workgroup's tags. `arn` is `arn:aws:athena:REGION:ACCOUNT:workgroup/NAME`.
    pub(crate) async fn workgroup_tags(&self, arn: &str) -> Result<Tags, CloudError> {
        let mut tags = Tags::new();
        let mut token: Option<String> = None;
        loop {
            let call = self.reading("athena.ListTagsForResource", arn);
            let page = self
                .athena
                .list_tags_for_resource()
                .resource_arn(arn)
                .set_next_token(token.clone())
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| absent(call.failure(&error), &call.what))?;
            for tag in page.tags.unwrap_or_default() {
                tags.insert(tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
            }
            token = call.next_page(token.as_deref(), page.next_token.as_deref())?;
            if token.is_none() {
                return Ok(tags);
            }
        }
    }

    /// Reads all named queries of a workgroup.
    pub(crate) async fn named_queries(
        &self,
        workgroup: &str,
    ) -> Result<Vec<NamedQuery>, CloudError> {
        let mut ids = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call = self.reading("athena.ListNamedQueries", format!("workgroup {workgroup}"));
            let page = self
                .athena
                .list_named_queries()
                .work_group(workgroup)
                .set_next_token(token.clone())
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| absent(call.failure(&error), &call.what))?;
            ids.extend(page.named_query_ids.unwrap_or_default());
            token = call.next_page(token.as_deref(), page.next_token.as_deref())?;
            if token.is_none() {
                break;
            }
        }
        let mut queries = Vec::new();
        for batch in ids.chunks(BATCH) {
            let call = self.reading("athena.BatchGetNamedQuery", "the named queries");
            let output = self
                .athena
                .batch_get_named_query()
                .set_named_query_ids(Some(batch.to_vec()))
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            // What was deleted since the list is left out of the answer.
            for query in output.named_queries.unwrap_or_default() {
                queries.push(NamedQuery {
                    id: call.required(query.named_query_id, "NamedQueryId")?,
                    name: query.name,
                    description: query.description,
                    database: query.database,
                    text: query.query_string,
                });
            }
        }
        Ok(queries)
    }

    /// Makes a named query. Returns its id.
    pub(crate) async fn create_named_query(
        &self,
        _approved: &Approved,
        workgroup: &str,
        database: &str,
        name: &str,
        description: &str,
        text: &str,
    ) -> Result<String, CloudError> {
        let call = self.writing("athena.CreateNamedQuery", format!("named query {name}"));
        let output = self
            .athena
            .create_named_query()
            .name(name)
            .description(description)
            .database(database)
            .work_group(workgroup)
            .query_string(text)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        call.required(output.named_query_id, "NamedQueryId")
    }

    /// Changes a named query's text and description; its database stays.
    pub(crate) async fn update_named_query(
        &self,
        _approved: &Approved,
        id: &str,
        name: &str,
        description: &str,
        text: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("athena.UpdateNamedQuery", format!("named query {name}"));
        self.athena
            .update_named_query()
            .named_query_id(id)
            .name(name)
            .description(description)
            .query_string(text)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map(drop)
            .map_err(|error| absent(call.failure(&error), &call.what))
    }

    /// Deletes a named query.
    pub(crate) async fn delete_named_query(
        &self,
        _approved: &Approved,
        id: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("athena.DeleteNamedQuery", format!("named query {id}"));
        self.athena
            .delete_named_query()
            .named_query_id(id)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map(drop)
            .map_err(|error| absent(call.failure(&error), &call.what))
    }
}

fn limit(workgroup: &WorkGroup) -> Option<i64> {
    workgroup
        .scan_limit
        .map(|limit| i64::try_from(limit).unwrap_or(i64::MAX))
}

/// Athena has no error of its own for what is not there: it is an invalid request whose message
/// says so.
pub(super) fn absent(error: CloudError, what: &str) -> CloudError {
    match error {
        CloudError::Refused {
            operation,
            service_code,
            message,
            request_id,
            ..
        } if service_code == "InvalidRequestException"
            && (message.contains("not found") || message.contains("does not exist")) =>
        {
            CloudError::NotFound {
                operation,
                what: what.to_owned(),
                request_id,
            }
        }
        other => other,
    }
}
