//! CloudFront functions, and the tags of CloudFront's resources.

use aws_sdk_cloudfront::types as sdk;
use aws_smithy_types::Blob;

use super::Cloud;
use super::cloudfront::timestamp;
use crate::cloud::{Approved, CloudError, EdgeFunction, FunctionCode, FunctionStage, Versioned};

impl Cloud {
    /// Reads a function's configuration in a stage, with the version for writes.
    pub(crate) async fn function(
        &self,
        name: &str,
        stage: FunctionStage,
    ) -> Result<Versioned<EdgeFunction>, CloudError> {
        let call = self.reading("cloudfront.DescribeFunction", named(name));
        let output = self
            .cloudfront
            .describe_function()
            .name(name)
            .stage(stage_name(stage))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let summary = call.required(output.function_summary, "FunctionSummary")?;
        Ok(Versioned {
            value: function(summary),
            version: call.required(output.e_tag, "ETag")?,
        })
    }

    /// Reads a function's code in a stage.
    pub(crate) async fn function_code(
        &self,
        name: &str,
        stage: FunctionStage,
    ) -> Result<Vec<u8>, CloudError> {
        let call = self.reading("cloudfront.GetFunction", named(name));
        let output = self
            .cloudfront
            .get_function()
            .name(name)
            .stage(stage_name(stage))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(call
            .required(output.function_code, "FunctionCode")?
            .into_inner())
    }

    /// Lists the account's functions in their stage DEVELOPMENT.
    pub(crate) async fn functions(&self) -> Result<Vec<EdgeFunction>, CloudError> {
        let mut functions = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = self.reading("cloudfront.ListFunctions", "the functions");
            let output = self
                .cloudfront
                .list_functions()
                .stage(sdk::FunctionStage::Development)
                .set_marker(marker.clone())
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            let list = call.required(output.function_list, "FunctionList")?;
            functions.extend(list.items.unwrap_or_default().into_iter().map(function));
            marker = call.next_page(marker.as_deref(), list.next_marker.as_deref())?;
            if marker.is_none() {
                return Ok(functions);
            }
        }
    }

    /// Makes a function in its stage DEVELOPMENT. Returns it with its version.
    pub(crate) async fn create_function(
        &self,
        _approved: &Approved,
        wanted: &FunctionCode,
        tags: &[(String, String)],
    ) -> Result<Versioned<EdgeFunction>, CloudError> {
        let call = self.writing("cloudfront.CreateFunction", named(&wanted.name));
        let output = self
            .cloudfront
            .create_function()
            .name(&wanted.name)
            .function_config(config(wanted))
            .function_code(Blob::new(wanted.code.clone()))
            .tags(sdk_tags(tags))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let summary = call.required(output.function_summary, "FunctionSummary")?;
        Ok(Versioned {
            value: function(summary),
            version: call.required(output.e_tag, "ETag")?,
        })
    }

    /// Replaces a function's configuration and code in its stage DEVELOPMENT. The new version comes
    /// with the next [`Cloud::function`]: the service's model misspells the header that has it.
    pub(crate) async fn update_function(
        &self,
        _approved: &Approved,
        wanted: &FunctionCode,
        etag: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("cloudfront.UpdateFunction", named(&wanted.name));
        self.cloudfront
            .update_function()
            .name(&wanted.name)
            .if_match(etag)
            .function_config(config(wanted))
            .function_code(Blob::new(wanted.code.clone()))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }

    /// Copies the stage DEVELOPMENT to LIVE: every behavior that has the function switches.
    pub(crate) async fn publish_function(
        &self,
        _approved: &Approved,
        name: &str,
        etag: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("cloudfront.PublishFunction", named(name));
        self.cloudfront
            .publish_function()
            .name(name)
            .if_match(etag)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }

    /// Deletes a function that no distribution has.
    pub(crate) async fn delete_function(
        &self,
        _approved: &Approved,
        name: &str,
        etag: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("cloudfront.DeleteFunction", named(name));
        self.cloudfront
            .delete_function()
            .name(name)
            .if_match(etag)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }

    /// Reads the tags of a distribution, a function or a key value store.
    pub(crate) async fn cloudfront_tags(
        &self,
        arn: &str,
    ) -> Result<Vec<(String, String)>, CloudError> {
        let call = self.reading("cloudfront.ListTagsForResource", arn);
        let output = self
            .cloudfront
            .list_tags_for_resource()
            .resource(arn)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let tags = output.tags.and_then(|tags| tags.items).unwrap_or_default();
        Ok(tags
            .into_iter()
            .map(|tag| (tag.key, tag.value.unwrap_or_default()))
            .collect())
    }
}

fn named(name: &str) -> String {
    format!("function {name}")
}

fn stage_name(stage: FunctionStage) -> sdk::FunctionStage {
    match stage {
        FunctionStage::Development => sdk::FunctionStage::Development,
        FunctionStage::Live => sdk::FunctionStage::Live,
    }
}

fn function(summary: sdk::FunctionSummary) -> EdgeFunction {
    let config = summary.function_config;
    let metadata = summary.function_metadata;
    let stores = config
        .as_ref()
        .and_then(|config| config.key_value_store_associations.clone())
        .and_then(|associations| associations.items)
        .unwrap_or_default();
    EdgeFunction {
        name: summary.name,
        status: summary.status.unwrap_or_default(),
        comment: config
            .as_ref()
            .map(|config| config.comment.clone())
            .unwrap_or_default(),
        runtime: config
            .as_ref()
            .map(|config| config.runtime.as_str().to_owned())
            .unwrap_or_default(),
        stores: stores
            .into_iter()
            .map(|association| association.key_value_store_arn)
            .collect(),
        modified: metadata
            .as_ref()
            .and_then(|metadata| timestamp(&metadata.last_modified_time)),
        arn: metadata
            .map(|metadata| metadata.function_arn)
            .unwrap_or_default(),
    }
}

fn config(wanted: &FunctionCode) -> sdk::FunctionConfig {
    let stores = wanted.store.iter().map(|arn| {
        sdk::KeyValueStoreAssociation::builder()
            .key_value_store_arn(arn)
            .build()
            .expect("the ARN is set")
    });
    let stores: Vec<_> = stores.collect();
    let associations = sdk::KeyValueStoreAssociations::builder()
        .quantity(i32::try_from(stores.len()).expect("at most one"))
        .set_items((!stores.is_empty()).then_some(stores))
        .build()
        .expect("the quantity is set");
    sdk::FunctionConfig::builder()
        .comment(&wanted.comment)
        .runtime(sdk::FunctionRuntime::from(FunctionCode::RUNTIME))
        .key_value_store_associations(associations)
        .build()
        .expect("comment and runtime are set")
}

/// Our tags as the SDK's.
pub(super) fn sdk_tags(tags: &[(String, String)]) -> sdk::Tags {
    let items = tags.iter().map(|(key, value)| {
        sdk::Tag::builder()
            .key(key)
            .value(value)
            .build()
            .expect("the key is set")
    });
    sdk::Tags::builder()
        .set_items(Some(items.collect()))
        .build()
}
