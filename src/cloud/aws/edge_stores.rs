//! Key value stores as the control plane makes and deletes them; what they hold is in
//! `keyvaluestore`.

use super::Cloud;
use super::edge_functions::sdk_tags;
use crate::cloud::{Approved, CloudError, StoreSummary, Versioned};

impl Cloud {
    /// Reads a key value store by name, with the version for its deletion.
    pub(crate) async fn store_named(
        &self,
        name: &str,
    ) -> Result<Versioned<StoreSummary>, CloudError> {
        let call = self.reading("cloudfront.DescribeKeyValueStore", named(name));
        let output = self
            .cloudfront
            .describe_key_value_store()
            .name(name)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let store = call.required(output.key_value_store, "KeyValueStore")?;
        Ok(Versioned {
            value: StoreSummary {
                name: store.name,
                arn: store.arn,
                status: store.status.unwrap_or_default(),
            },
            version: call.required(output.e_tag, "ETag")?,
        })
    }

    /// Makes an empty key value store; it is `PROVISIONING` at first.
    pub(crate) async fn create_store(
        &self,
        _approved: &Approved,
        name: &str,
        comment: &str,
        tags: &[(String, String)],
    ) -> Result<StoreSummary, CloudError> {
        let call = self.writing("cloudfront.CreateKeyValueStore", named(name));
        let output = self
            .cloudfront
            .create_key_value_store()
            .name(name)
            .comment(comment)
            .tags(sdk_tags(tags))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let store = call.required(output.key_value_store, "KeyValueStore")?;
        Ok(StoreSummary {
            name: store.name,
            arn: store.arn,
            status: store.status.unwrap_or_default(),
        })
    }

    /// Deletes a key value store with everything in it; no function may read it.
    pub(crate) async fn delete_store(
        &self,
        _approved: &Approved,
        name: &str,
        etag: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("cloudfront.DeleteKeyValueStore", named(name));
        self.cloudfront
            .delete_key_value_store()
            .name(name)
            .if_match(etag)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(())
    }
}

fn named(name: &str) -> String {
    format!("key value store {name}")
}
