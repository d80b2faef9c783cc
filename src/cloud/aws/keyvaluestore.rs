//! The key-value store's data plane. Its `ETag` is not the one of CloudFront's control plane: a
//! write must carry the one read here.

use std::collections::BTreeMap;

use aws_sdk_cloudfrontkeyvaluestore::types::{DeleteKeyRequestListItem, PutKeyRequestListItem};

use super::Cloud;
use crate::cloud::{Approved, CloudError, Store, Versioned};

/// Keys a page may have at most, per the API; the default is 10.
const PAGE: i32 = 50;

impl Cloud {
    /// Reads how full a store is, and its version.
    pub(crate) async fn store(&self, arn: &str) -> Result<Versioned<Store>, CloudError> {
        let what = format!("key-value store {arn}");
        let call = self.reading("cloudfront-keyvaluestore.DescribeKeyValueStore", what);
        let output = self
            .keyvaluestore
            .describe_key_value_store()
            .kvs_arn(arn)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(Versioned {
            value: Store {
                items: u64::try_from(output.item_count).unwrap_or(0),
                bytes: u64::try_from(output.total_size_in_bytes).unwrap_or(0),
            },
            version: output.e_tag,
        })
    }

    /// Reads all keys of a store with their values. Pages carry no version: read
    /// [`Cloud::store`] before and after where it matters that nothing changed in between.
    pub(crate) async fn store_items(
        &self,
        arn: &str,
    ) -> Result<BTreeMap<String, String>, CloudError> {
        let mut items = BTreeMap::new();
        let mut marker: Option<String> = None;
        loop {
            let what = format!("key-value store {arn}");
            let call = self.reading("cloudfront-keyvaluestore.ListKeys", what);
            let page = self
                .keyvaluestore
                .list_keys()
                .kvs_arn(arn)
                .max_results(PAGE)
                .set_next_token(marker.clone())
                .customize()
                .interceptor(call.watch())
                .send()
                .await
                .map_err(|error| call.failure(&error))?;
            for item in page.items.unwrap_or_default() {
                items.insert(item.key, item.value);
            }
            marker = call.next_page(marker.as_deref(), page.next_token.as_deref())?;
            if marker.is_none() {
                return Ok(items);
            }
        }
    }

    /// Reads one value. A missing key and a missing store get the same answer from the service:
    /// both are `None`.
    pub(crate) async fn store_item(
        &self,
        arn: &str,
        key: &str,
    ) -> Result<Option<String>, CloudError> {
        let what = format!("key-value store {arn}");
        let call = self.reading("cloudfront-keyvaluestore.GetKey", what);
        let answer = self
            .keyvaluestore
            .get_key()
            .kvs_arn(arn)
            .key(key)
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error));
        match answer {
            Ok(output) => Ok(Some(output.value)),
            Err(CloudError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts and deletes keys, all or nothing, under the version that the store was read with.
    /// Returns the new version. One call takes 50 keys or 3 MB at most; whether puts and deletes
    /// count together is not documented, so the caller keeps their sum within 50.
    pub(crate) async fn update_store(
        &self,
        _approved: &Approved,
        arn: &str,
        etag: &str,
        puts: &[(String, String)],
        deletes: &[String],
    ) -> Result<String, CloudError> {
        let what = format!("key-value store {arn}");
        let call = self.writing("cloudfront-keyvaluestore.UpdateKeys", what);
        let puts = puts
            .iter()
            .map(|(key, value)| {
                PutKeyRequestListItem::builder()
                    .key(key)
                    .value(value)
                    .build()
                    .expect("key and value are set")
            })
            .collect::<Vec<_>>();
        let deletes = deletes
            .iter()
            .map(|key| {
                DeleteKeyRequestListItem::builder()
                    .key(key)
                    .build()
                    .expect("the key is set")
            })
            .collect::<Vec<_>>();
        let output = self
            .keyvaluestore
            .update_keys()
            .kvs_arn(arn)
            .if_match(etag)
            .set_puts(Some(puts).filter(|puts| !puts.is_empty()))
            .set_deletes(Some(deletes).filter(|deletes| !deletes.is_empty()))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        Ok(output.e_tag)
    }
}
