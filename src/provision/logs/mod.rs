//! The parts for what becomes of the logs: the stream and the role of the real-time logs, the
//! deliveries of the access logs with their bucket's policy, and Athena's workgroup, database,
//! tables and named queries.

mod bucket_policy;
mod database;
mod delivery;
mod named_query;
mod role;
mod stream;
pub(crate) mod table;
mod workgroup;

use super::{Made, Part, PartError, Scene, Step};
use crate::cloud::{CloudError, Tags};

/// All parts of this module, in the order in which plans show them.
pub(super) fn parts() -> Vec<Box<dyn Part>> {
    vec![
        Box::new(role::RolePart),
        Box::new(stream::StreamPart),
        Box::new(bucket_policy::BucketPolicyPart),
        Box::new(delivery::DeliveryPart),
        Box::new(workgroup::WorkgroupPart),
        Box::new(database::DatabasePart),
        Box::new(table::TablePart),
        Box::new(named_query::NamedQueryPart),
    ]
}

/// What a read found; none where it is not there.
fn there<T>(read: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(CloudError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A removal of what may be gone already.
fn gone(removed: Result<(), CloudError>) -> Result<(), CloudError> {
    there(removed).map(drop)
}

/// The tags that what we make carries.
fn tags(scene: &Scene<'_>) -> Tags {
    scene.tags().into_iter().collect()
}

/// Whether tags mark a resource as the event's.
fn is_marked(scene: &Scene<'_>, tags: &Tags) -> bool {
    let tags = tags.iter();
    scene.marks(tags.map(|(key, value)| (key.as_str(), value.as_str())))
}

/// What a step made.
fn made(scene: &Scene<'_>, step: &Step, id: Option<String>) -> Made {
    Made {
        kind: step.kind.to_owned(),
        name: step.name.clone(),
        id,
        tags: scene.tags(),
    }
}

/// Why a step that was planned cannot be done now.
fn not_now(step: &Step) -> PartError {
    PartError::refused(
        format!(
            "{} cannot be brought to what the runbook asks for: {}",
            step.resource(),
            step.note.as_deref().unwrap_or("it has changed")
        ),
        "onair provision --dry-run",
    )
}

/// The differences of a step in words, for what moved.
fn words(step: &Step) -> String {
    let changes: Vec<String> = step
        .changes
        .iter()
        .map(super::step::Difference::as_found)
        .collect();
    if changes.is_empty() {
        format!("it is now: {}", step.action.word())
    } else {
        changes.join("; ")
    }
}
