//! CloudWatch Logs: the vended deliveries of CloudFront's access logs, which are configured in
//! us-east-1 whatever the destination's region.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Cloud;
use super::plain::{Plain, PlainRequest};
use crate::cloud::{
    Approved, CloudError, Delivery, DeliveryDestination, DeliverySettings, DeliverySource, Tags,
};

const REGION: &str = "us-east-1";

impl Cloud {
    /// Lists the account's delivery sources.
    pub(crate) async fn delivery_sources(&self) -> Result<Vec<DeliverySource>, CloudError> {
        let found: Vec<WireSource> = self
            .all("logs.DescribeDeliverySources", "deliverySources")
            .await?;
        Ok(found.into_iter().map(DeliverySource::from).collect())
    }

    /// Lists the account's delivery destinations.
    pub(crate) async fn delivery_destinations(
        &self,
    ) -> Result<Vec<DeliveryDestination>, CloudError> {
        let found: Vec<WireDestination> = self
            .all("logs.DescribeDeliveryDestinations", "deliveryDestinations")
            .await?;
        Ok(found.into_iter().map(DeliveryDestination::from).collect())
    }

    /// Lists the account's deliveries.
    pub(crate) async fn deliveries(&self) -> Result<Vec<Delivery>, CloudError> {
        let found: Vec<WireDelivery> = self.all("logs.DescribeDeliveries", "deliveries").await?;
        Ok(found.into_iter().map(Delivery::from).collect())
    }

    /// Makes a distribution a source of access logs; each can be of one source alone.
    pub(crate) async fn put_delivery_source(
        &self,
        _approved: &Approved,
        name: &str,
        distribution_arn: &str,
        tags: &Tags,
    ) -> Result<(), CloudError> {
        let body = json!({
            "name": name,
            "resourceArn": distribution_arn,
            "logType": "ACCESS_LOGS",
            "tags": tags,
        });
        let what = format!("delivery source {name}");
        self.write("logs.PutDeliverySource", what, &body).await
    }

    /// Makes a place in a bucket a destination. Its format cannot be changed later. Returns the ARN.
    pub(crate) async fn put_delivery_destination(
        &self,
        _approved: &Approved,
        name: &str,
        resource: &str,
        format: &str,
        tags: &Tags,
    ) -> Result<String, CloudError> {
        let body = json!({
            "name": name,
            "outputFormat": format,
            "deliveryDestinationConfiguration": {"destinationResourceArn": resource},
            "tags": tags,
        });
        let call = self.writing(
            "logs.PutDeliveryDestination",
            format!("delivery destination {name}"),
        );
        let request = PlainRequest::json(Plain::Logs, REGION, &call, &body);
        let answer: PutDestination = self.ask_json(&call, request).await?;
        Ok(answer.delivery_destination.arn)
    }

    /// Joins a source with a destination. Returns the delivery's id.
    pub(crate) async fn create_delivery(
        &self,
        _approved: &Approved,
        source: &str,
        destination_arn: &str,
        settings: &DeliverySettings,
        tags: &Tags,
    ) -> Result<String, CloudError> {
        let mut body = settings_body(settings);
        body["deliverySourceName"] = source.into();
        body["deliveryDestinationArn"] = destination_arn.into();
        body["tags"] = json!(tags);
        let call = self.writing("logs.CreateDelivery", format!("delivery of {source}"));
        let request = PlainRequest::json(Plain::Logs, REGION, &call, &body);
        let answer: Created = self.ask_json(&call, request).await?;
        Ok(answer.delivery.id)
    }

    /// Changes what a delivery writes and where below its destination.
    pub(crate) async fn update_delivery(
        &self,
        _approved: &Approved,
        id: &str,
        settings: &DeliverySettings,
    ) -> Result<(), CloudError> {
        let mut body = settings_body(settings);
        body["id"] = id.into();
        let what = format!("delivery {id}");
        self.write("logs.UpdateDeliveryConfiguration", what, &body)
            .await
    }

    /// Ends a delivery; source and destination stay.
    pub(crate) async fn delete_delivery(
        &self,
        _approved: &Approved,
        id: &str,
    ) -> Result<(), CloudError> {
        let body = json!({"id": id});
        self.write("logs.DeleteDelivery", format!("delivery {id}"), &body)
            .await
    }

    /// Deletes a source that no delivery uses.
    pub(crate) async fn delete_delivery_source(
        &self,
        _approved: &Approved,
        name: &str,
    ) -> Result<(), CloudError> {
        let what = format!("delivery source {name}");
        self.write("logs.DeleteDeliverySource", what, &json!({"name": name}))
            .await
    }

    /// Deletes a destination that no delivery uses; what was written stays.
    pub(crate) async fn delete_delivery_destination(
        &self,
        _approved: &Approved,
        name: &str,
    ) -> Result<(), CloudError> {
        let what = format!("delivery destination {name}");
        let body = json!({"name": name});
        self.write("logs.DeleteDeliveryDestination", what, &body)
            .await
    }

    async fn write(
        &self,
        operation: &'static str,
        what: String,
        body: &Value,
    ) -> Result<(), CloudError> {
        let call = self.writing(operation, what);
        let request = PlainRequest::json(Plain::Logs, REGION, &call, body);
        self.ask(&call, request).await.map(drop)
    }

    /// All pages of a list that takes nothing but its token.
    async fn all<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        member: &'static str,
    ) -> Result<Vec<T>, CloudError> {
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call = self.reading(operation, member);
            let body = token
                .as_ref()
                .map_or_else(|| json!({}), |token| json!({"nextToken": token}));
            let request = PlainRequest::json(Plain::Logs, REGION, &call, &body);
            let mut page: Value = self.ask_json(&call, request).await?;
            let list = page[member].take();
            let list = if list.is_null() { json!([]) } else { list };
            let list: Vec<T> = serde_json::from_value(list)
                .map_err(|error| call.unreadable(&error.to_string()))?;
            items.extend(list);
            token = call.next_page(token.as_deref(), page["nextToken"].as_str())?;
            if token.is_none() {
                return Ok(items);
            }
        }
    }
}

fn settings_body(settings: &DeliverySettings) -> Value {
    let mut body = json!({
        "recordFields": settings.fields,
        "s3DeliveryConfiguration": {
            "suffixPath": settings.suffix,
            "enableHiveCompatiblePath": settings.hive,
        },
    });
    if let Some(delimiter) = &settings.delimiter {
        body["fieldDelimiter"] = delimiter.as_str().into();
    }
    body
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSource {
    name: String,
    arn: String,
    #[serde(default)]
    resource_arns: Vec<String>,
    #[serde(default)]
    log_type: String,
    #[serde(default)]
    tags: Tags,
}

impl From<WireSource> for DeliverySource {
    fn from(wire: WireSource) -> Self {
        Self {
            name: wire.name,
            arn: wire.arn,
            resources: wire.resource_arns,
            log_type: wire.log_type,
            tags: wire.tags,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDestination {
    name: String,
    arn: String,
    #[serde(default)]
    delivery_destination_type: String,
    output_format: Option<String>,
    delivery_destination_configuration: Option<WirePlace>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePlace {
    destination_resource_arn: String,
}

impl From<WireDestination> for DeliveryDestination {
    fn from(wire: WireDestination) -> Self {
        let place = wire.delivery_destination_configuration;
        Self {
            name: wire.name,
            arn: wire.arn,
            kind: wire.delivery_destination_type,
            format: wire.output_format,
            resource: place.map_or_else(String::new, |place| place.destination_resource_arn),
            tags: wire.tags,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDelivery {
    id: String,
    #[serde(default)]
    arn: String,
    delivery_source_name: String,
    delivery_destination_arn: String,
    #[serde(default)]
    record_fields: Vec<String>,
    s3_delivery_configuration: Option<WirePath>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePath {
    suffix_path: Option<String>,
    #[serde(default)]
    enable_hive_compatible_path: bool,
}

impl From<WireDelivery> for Delivery {
    fn from(wire: WireDelivery) -> Self {
        let path = wire.s3_delivery_configuration;
        Self {
            id: wire.id,
            arn: wire.arn,
            source: wire.delivery_source_name,
            destination: wire.delivery_destination_arn,
            fields: wire.record_fields,
            hive: path
                .as_ref()
                .is_some_and(|path| path.enable_hive_compatible_path),
            suffix: path.and_then(|path| path.suffix_path),
            tags: wire.tags,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutDestination {
    delivery_destination: WireDestination,
}

#[derive(Deserialize)]
struct Created {
    delivery: WireDelivery,
}
