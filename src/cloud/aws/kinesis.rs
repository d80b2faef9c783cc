//! Kinesis data streams: the control plane.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cloud;
use super::plain::{Plain, PlainRequest};
use crate::cloud::{Approved, CloudError, Stream, Tags};

impl Cloud {
    /// Reads a stream's state.
    pub(crate) async fn stream(&self, region: &str, name: &str) -> Result<Stream, CloudError> {
        let call = self.reading("kinesis.DescribeStreamSummary", stream(name));
        let body = json!({"StreamName": name});
        let request = PlainRequest::json(Plain::Kinesis, region, &call, &body);
        let answer: Described = self.ask_json(&call, request).await?;
        let summary = answer.stream_description_summary;
        Ok(Stream {
            name: summary.stream_name,
            arn: summary.stream_arn,
            status: summary.stream_status,
            on_demand: summary
                .stream_mode_details
                .is_some_and(|details| details.stream_mode == "ON_DEMAND"),
            open_shards: summary.open_shard_count,
            retention_hours: summary.retention_period_hours,
        })
    }

    /// Lists the names of the region's streams.
    pub(crate) async fn streams(&self, region: &str) -> Result<Vec<String>, CloudError> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let call = self.reading("kinesis.ListStreams", "the streams");
            let after = names.last().cloned();
            let mut body = json!({});
            if let Some(after) = &after {
                body["ExclusiveStartStreamName"] = after.as_str().into();
            }
            let request = PlainRequest::json(Plain::Kinesis, region, &call, &body);
            let page: Listed = self.ask_json(&call, request).await?;
            names.extend(page.stream_names);
            if !page.has_more_streams {
                return Ok(names);
            }
            if names.last() == after.as_ref() {
                return Err(call.unreadable("the list does not end: a page is empty"));
            }
        }
    }

    /// Makes a stream with so many shards, or one on demand. It is `ACTIVE` some seconds later.
    pub(crate) async fn create_stream(
        &self,
        _approved: &Approved,
        region: &str,
        name: &str,
        shards: Option<u32>,
        tags: &Tags,
    ) -> Result<(), CloudError> {
        let call = self.writing("kinesis.CreateStream", stream(name));
        let mut body = json!({
            "StreamName": name,
            "StreamModeDetails": {"StreamMode": mode(shards.is_none())},
            "Tags": tags,
        });
        if let Some(shards) = shards {
            body["ShardCount"] = shards.into();
        }
        let request = PlainRequest::json(Plain::Kinesis, region, &call, &body);
        self.ask(&call, request).await.map(drop)
    }

    /// Gives a stream another number of shards, between half and double of what it has.
    pub(crate) async fn update_shard_count(
        &self,
        _approved: &Approved,
        region: &str,
        name: &str,
        shards: u32,
    ) -> Result<(), CloudError> {
        let call = self.writing("kinesis.UpdateShardCount", stream(name));
        let body = json!({
            "StreamName": name,
            "TargetShardCount": shards,
            "ScalingType": "UNIFORM_SCALING",
        });
        let request = PlainRequest::json(Plain::Kinesis, region, &call, &body);
        self.ask(&call, request).await.map(drop)
    }

    /// Changes whether a stream's capacity grows by itself; twice a day at most.
    pub(crate) async fn update_stream_mode(
        &self,
        _approved: &Approved,
        region: &str,
        arn: &str,
        on_demand: bool,
    ) -> Result<(), CloudError> {
        let call = self.writing("kinesis.UpdateStreamMode", arn);
        let body = json!({
            "StreamARN": arn,
            "StreamModeDetails": {"StreamMode": mode(on_demand)},
        });
        let request = PlainRequest::json(Plain::Kinesis, region, &call, &body);
        self.ask(&call, request).await.map(drop)
    }

    /// Deletes a stream and the records in it.
    pub(crate) async fn delete_stream(
        &self,
        _approved: &Approved,
        region: &str,
        name: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("kinesis.DeleteStream", stream(name));
        let body = json!({"StreamName": name});
        let request = PlainRequest::json(Plain::Kinesis, region, &call, &body);
        self.ask(&call, request).await.map(drop)
    }

    /// Adds tags to a stream; those of other keys stay.
    pub(crate) async fn tag_stream(
        &self,
        _approved: &Approved,
        region: &str,
        name: &str,
        tags: &Tags,
    ) -> Result<(), CloudError> {
        let call = self.writing("kinesis.AddTagsToStream", stream(name));
        let body = json!({"StreamName": name, "Tags": tags});
        let request = PlainRequest::json(Plain::Kinesis, region, &call, &body);
        self.ask(&call, request).await.map(drop)
    }

    /// Reads a stream's tags.
    pub(crate) async fn stream_tags(&self, region: &str, name: &str) -> Result<Tags, CloudError> {
        let mut tags = Tags::new();
        let mut after: Option<String> = None;
        loop {
            let call = self.reading("kinesis.ListTagsForStream", stream(name));
            let mut body = json!({"StreamName": name});
            if let Some(after) = &after {
                body["ExclusiveStartTagKey"] = after.as_str().into();
            }
            let request = PlainRequest::json(Plain::Kinesis, region, &call, &body);
            let page: TagPage = self.ask_json(&call, request).await?;
            let last = page.tags.last().map(|tag| tag.key.clone());
            tags.extend(
                page.tags
                    .into_iter()
                    .map(|tag| (tag.key, tag.value.unwrap_or_default())),
            );
            if !page.has_more_tags {
                return Ok(tags);
            }
            if last.is_none() || last == after {
                return Err(call.unreadable("the list does not end: a page is empty"));
            }
            after = last;
        }
    }
}

fn stream(name: &str) -> String {
    format!("stream {name}")
}

fn mode(on_demand: bool) -> Value {
    if on_demand {
        "ON_DEMAND"
    } else {
        "PROVISIONED"
    }
    .into()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    stream_description_summary: Summary,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_status: String,
    stream_mode_details: Option<ModeDetails>,
    open_shard_count: u32,
    retention_period_hours: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModeDetails {
    stream_mode: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    stream_names: Vec<String>,
    has_more_streams: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagPage {
    tags: Vec<Tag>,
    has_more_tags: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: Option<String>,
}
