//! The deliveries of the access logs (standard logging v2): one destination for the event, and for
//! each distribution a source and the delivery that joins them. A distribution can be of one source
//! alone, so a foreign one is used as it is.

use async_trait::async_trait;

use super::{gone, is_marked, made, not_now, tags, words};
use crate::cloud::{
    Approved, CloudError, Delivery, DeliveryDestination, DeliverySettings, DeliverySource,
};
use crate::plan::log_delivery;
use crate::provision::{
    Action, Difference, Done, Owned, Part, PartError, Scene, Stage, Step, fingerprint,
};
use crate::runbook::AccessLogs;

const KIND: &str = "log-delivery";

pub(super) struct DeliveryPart;

/// All that the account has of deliveries.
struct Observed {
    sources: Vec<DeliverySource>,
    destinations: Vec<DeliveryDestination>,
    deliveries: Vec<Delivery>,
}

impl Observed {
    async fn read(scene: &Scene<'_>) -> Result<Self, CloudError> {
        Ok(Self {
            sources: scene.cloud.delivery_sources().await?,
            destinations: scene.cloud.delivery_destinations().await?,
            deliveries: scene.cloud.deliveries().await?,
        })
    }

    fn destination(&self, name: &str) -> Option<&DeliveryDestination> {
        self.destinations.iter().find(|one| one.name == name)
    }

    fn destination_of(&self, delivery: &Delivery) -> Option<&DeliveryDestination> {
        let arn = &delivery.destination;
        self.destinations.iter().find(|one| one.arn == *arn)
    }

    /// The source of a distribution's access logs, whoever made it.
    fn source_of(&self, distribution_arn: &str) -> Option<&DeliverySource> {
        self.sources.iter().find(|source| {
            source.log_type == "ACCESS_LOGS"
                && source.resources.iter().any(|one| one == distribution_arn)
        })
    }

    fn deliveries_of<'a>(
        &'a self,
        source: &'a DeliverySource,
    ) -> impl Iterator<Item = &'a Delivery> {
        self.deliveries
            .iter()
            .filter(move |delivery| delivery.source == source.name)
    }
}

/// What the runbook asks for.
struct Wanted<'a> {
    logs: &'a AccessLogs,
    destination: String,
    resource: String,
    format: &'static str,
    settings: DeliverySettings,
}

impl<'a> Wanted<'a> {
    fn new(scene: &'a Scene<'_>) -> Option<Self> {
        let logs = scene.runbook.logs.access.as_ref()?;
        Some(Self {
            logs,
            destination: log_delivery::destination_name(&scene.runbook.event.id),
            resource: log_delivery::resource(logs),
            format: log_delivery::format_name(logs.format),
            settings: log_delivery::settings(logs),
        })
    }
}

#[async_trait(?Send)]
impl Part for DeliveryPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Attached
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(wanted) = Wanted::new(scene) else {
            return Ok(Vec::new());
        };
        let observed = Observed::read(scene).await?;
        let mut steps = vec![destination_step(scene, &wanted, &observed)];
        let distributions = scene.runbook.distributions.iter();
        steps.extend(
            distributions.map(|one| delivery_step(scene, &wanted, &observed, &one.name, &one.id)),
        );
        Ok(steps)
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        planned: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let Some(wanted) = Wanted::new(scene) else {
            return Ok(Done::unchanged());
        };
        let observed = Observed::read(scene).await?;
        if planned.name == wanted.destination {
            return put_destination(scene, &wanted, &observed, planned, approved).await;
        }
        let distribution = scene
            .runbook
            .distributions
            .iter()
            .find(|one| source_name(scene, &one.name) == planned.name);
        let Some(distribution) = distribution else {
            return Ok(Done::unchanged());
        };
        let now = delivery_step(
            scene,
            &wanted,
            &observed,
            &distribution.name,
            &distribution.id,
        );
        match now.action {
            Action::Keep => return Ok(Done::unchanged()),
            Action::Refused => return Err(not_now(&now)),
            _ => scene.check_unmoved(planned, &now.fingerprint, || words(&now))?,
        }
        deliver(
            scene,
            &wanted,
            &observed,
            planned,
            &distribution.id,
            approved,
        )
        .await
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let observed = Observed::read(scene).await?;
        let mut owned: Vec<Owned> = Vec::new();
        for source in &observed.sources {
            let ours = observed
                .deliveries_of(source)
                .find(|delivery| is_marked(scene, &delivery.tags));
            let is_ours = is_marked(scene, &source.tags);
            let name = step_name(scene, source);
            if is_ours || ours.is_some() || scene.claims(KIND, &name) {
                let id = ours.map_or_else(|| source.arn.clone(), |delivery| delivery.arn.clone());
                owned.push(
                    Owned::new(KIND, name, is_ours || ours.is_some())
                        .with_id(id)
                        .costing("the objects that it writes"),
                );
            }
        }
        for destination in &observed.destinations {
            let is_ours = is_marked(scene, &destination.tags);
            if is_ours || scene.claims(KIND, &destination.name) {
                let mut one =
                    Owned::new(KIND, &destination.name, is_ours).with_id(&destination.arn);
                let foreign = observed.deliveries.iter().find(|delivery| {
                    delivery.destination == destination.arn && !is_marked(scene, &delivery.tags)
                });
                one.kept_because = foreign
                    .map(|delivery| format!("delivery {} of another owner uses it", delivery.id));
                owned.push(one);
            }
        }
        Ok(owned)
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        let observed = Observed::read(scene).await?;
        let cloud = scene.cloud;
        if observed.destination(&owned.name).is_some() {
            gone(
                cloud
                    .delete_delivery_destination(approved, &owned.name)
                    .await,
            )?;
            return Ok(());
        }
        for source in &observed.sources {
            if step_name(scene, source) != owned.name {
                continue;
            }
            for delivery in observed.deliveries_of(source) {
                if is_marked(scene, &delivery.tags) {
                    gone(cloud.delete_delivery(approved, &delivery.id).await)?;
                }
            }
            // A foreign source was there before us, and stays.
            if is_marked(scene, &source.tags) {
                gone(cloud.delete_delivery_source(approved, &source.name).await)?;
            }
        }
        Ok(())
    }
}

fn distribution_arn(scene: &Scene<'_>, id: &str) -> String {
    format!("arn:aws:cloudfront::{}:distribution/{id}", scene.account)
}

fn source_name(scene: &Scene<'_>, distribution: &str) -> String {
    log_delivery::source_name(&scene.runbook.event.id, distribution)
}

/// The name of the step for a source: that of our own source for its distribution.
fn step_name(scene: &Scene<'_>, source: &DeliverySource) -> String {
    scene
        .runbook
        .distributions
        .iter()
        .find(|one| source.resources.contains(&distribution_arn(scene, &one.id)))
        .map_or_else(|| source.name.clone(), |one| source_name(scene, &one.name))
}

fn destination_step(scene: &Scene<'_>, wanted: &Wanted<'_>, observed: &Observed) -> Step {
    let name = wanted.destination.as_str();
    let Some(found) = observed.destination(name) else {
        return Step::create(KIND, name).noting(format!(
            "s3://{}/{} in {}",
            wanted.logs.bucket, wanted.logs.prefix, wanted.format
        ));
    };
    let mut changes = Vec::new();
    Difference::between(
        &mut changes,
        "destinationResourceArn",
        Some(&found.resource),
        Some(&wanted.resource),
    );
    Difference::between(
        &mut changes,
        "outputFormat",
        found.format.as_ref(),
        Some(&wanted.format.to_owned()),
    );
    let is_marked = is_marked(scene, &found.tags);
    if !changes.is_empty() && !is_marked {
        return Step::refused(
            KIND,
            name,
            format!(
                "another owner's destination has this name and goes to {}",
                found.resource
            ),
        );
    }
    let is_replaced = !changes.is_empty();
    let step = Step::existing(KIND, name, changes, fingerprint(print(found)));
    if is_replaced {
        step.noting("place and format cannot be changed: it is made anew, and its deliveries too")
    } else {
        step
    }
}

fn print(destination: &DeliveryDestination) -> String {
    format!("{}/{:?}", destination.resource, destination.format)
}

/// Whether the event's destination is there and is going to be replaced.
fn is_replaced(scene: &Scene<'_>, wanted: &Wanted<'_>, observed: &Observed) -> bool {
    destination_step(scene, wanted, observed).action == Action::Change
}

fn delivery_step(
    scene: &Scene<'_>,
    wanted: &Wanted<'_>,
    observed: &Observed,
    distribution: &str,
    id: &str,
) -> Step {
    let name = source_name(scene, distribution);
    let Some(source) = observed.source_of(&distribution_arn(scene, id)) else {
        return Step::create(KIND, name).costing("the objects that it writes");
    };
    let ours = observed.deliveries_of(source).find(|delivery| {
        observed
            .destination_of(delivery)
            .is_some_and(|one| one.name == wanted.destination)
    });
    if let Some(delivery) = ours {
        let mut changes = Vec::new();
        let fields = |fields: &[String]| fields.join(" ");
        Difference::between(
            &mut changes,
            "recordFields",
            Some(&fields(&delivery.fields)),
            Some(&fields(&wanted.settings.fields)),
        );
        Difference::between(
            &mut changes,
            "suffixPath",
            delivery.suffix.as_ref(),
            Some(&wanted.settings.suffix),
        );
        Difference::between(
            &mut changes,
            "enableHiveCompatiblePath",
            Some(&delivery.hive),
            Some(&wanted.settings.hive),
        );
        if is_replaced(scene, wanted, observed) {
            changes.push(Difference::new(
                "deliveryDestinationArn",
                Some("its old destination"),
                Some("its new destination"),
            ));
        }
        let print = format!(
            "{:?}/{:?}/{}",
            delivery.fields, delivery.suffix, delivery.hive
        );
        return Step::existing(KIND, name, changes, fingerprint(print))
            .costing("the objects that it writes");
    }
    let other = observed.deliveries_of(source).find_map(|delivery| {
        let destination = observed.destination_of(delivery)?;
        (destination.kind == "S3").then_some((delivery, destination))
    });
    match other {
        None => Step::create(KIND, name)
            .noting(format!(
                "on the delivery source {}, which stays",
                source.name
            ))
            .costing("the objects that it writes"),
        Some((delivery, destination)) => {
            let has_all = wanted
                .settings
                .fields
                .iter()
                .all(|field| delivery.fields.contains(field));
            let is_as_wanted = destination.resource == wanted.resource
                && destination.format.as_deref() == Some(wanted.format)
                && delivery.suffix.as_ref() == Some(&wanted.settings.suffix)
                && delivery.hive == wanted.settings.hive
                && has_all;
            if is_as_wanted {
                return Step::existing(KIND, name, Vec::new(), fingerprint(&delivery.id)).noting(
                    format!("adopted: delivery {} was not made by onair", delivery.id),
                );
            }
            Step::refused(
                KIND,
                name,
                format!(
                    "its access logs go to {} already, by delivery {} of source {}, which onair did not \
                     make; name that place in [logs.access], or: aws logs delete-delivery --region \
                     us-east-1 --id {}",
                    destination.resource, delivery.id, source.name, delivery.id
                ),
            )
        }
    }
}

async fn put_destination(
    scene: &Scene<'_>,
    wanted: &Wanted<'_>,
    observed: &Observed,
    planned: &Step,
    approved: &Approved,
) -> Result<Done, PartError> {
    let now = destination_step(scene, wanted, observed);
    match now.action {
        Action::Keep => return Ok(Done::unchanged()),
        Action::Refused => return Err(not_now(&now)),
        _ => scene.check_unmoved(planned, &now.fingerprint, || words(&now))?,
    }
    let mut writes = 0;
    if let Some(found) = observed.destination(&wanted.destination) {
        for delivery in &observed.deliveries {
            if delivery.destination == found.arn {
                gone(scene.cloud.delete_delivery(approved, &delivery.id).await)?;
                writes += 1;
            }
        }
        gone(
            scene
                .cloud
                .delete_delivery_destination(approved, &found.name)
                .await,
        )?;
        writes += 1;
        // The deliveries that went with it come back in steps of their own.
        for distribution in &scene.runbook.distributions {
            let name = source_name(scene, &distribution.name);
            scene.wrote(&format!("{KIND} {name}"), String::new());
        }
    }
    let arn = scene
        .cloud
        .put_delivery_destination(
            approved,
            &wanted.destination,
            &wanted.resource,
            wanted.format,
            &tags(scene),
        )
        .await?;
    Ok(Done::made(writes + 1, made(scene, planned, Some(arn))))
}

async fn deliver(
    scene: &Scene<'_>,
    wanted: &Wanted<'_>,
    observed: &Observed,
    planned: &Step,
    distribution: &str,
    approved: &Approved,
) -> Result<Done, PartError> {
    let cloud = scene.cloud;
    let resource = distribution_arn(scene, distribution);
    let destination = observed.destination(&wanted.destination).ok_or_else(|| {
        PartError::Other(format!(
            "the log destination {} is not there",
            wanted.destination
        ))
    })?;
    let source = observed.source_of(&resource);
    let existing = source.and_then(|source| {
        observed
            .deliveries_of(source)
            .find(|delivery| delivery.destination == destination.arn)
    });
    if let Some(delivery) = existing {
        cloud
            .update_delivery(approved, &delivery.id, &wanted.settings)
            .await?;
        return Ok(Done::changed(1));
    }
    let mut writes = 0;
    let source = if let Some(source) = source {
        source.name.clone()
    } else {
        cloud
            .put_delivery_source(approved, &planned.name, &resource, &tags(scene))
            .await?;
        writes += 1;
        planned.name.clone()
    };
    let id = cloud
        .create_delivery(
            approved,
            &source,
            &destination.arn,
            &wanted.settings,
            &tags(scene),
        )
        .await?;
    let arn = format!("arn:aws:logs:us-east-1:{}:delivery:{id}", scene.account);
    Ok(Done::made(writes + 1, made(scene, planned, Some(arn))))
}
